"""The evaluate command as its users meet it: folders in, page and tables out, refusals with a reason."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ModelError
from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import load, picture, picture_digest
from lesion_measure.lab.evaluation import (
    HELD_BACK_PICTURES,
    TRAINING_PICTURES,
    Evaluation,
    HeldBack,
    Method,
    Placement,
    SetSummary,
    held_back_text,
    read_held_back,
    read_training_pictures,
    run_cases,
    summarise,
    training_pictures_text,
)
from lesion_measure.lab.evaluation.files import COLUMNS, MARKER
from lesion_measure.lab.evaluation.gallery import ranked
from lesion_measure.lab.evaluation.page import write_page
from lesion_measure.lab.evaluation.record import Evaluated, Model
from lesion_measure.lab.evaluation.reliability import Reliability
from lesion_measure.lab.evaluation.summary import MEASURES
from lesion_measure.lab.evaluation.words import ACCEPTANCE, DETECTION, model_names
from lesion_measure.network import Segmenter

NAMES = ("round", "flat", "tilted", "none")


def lesion_measure(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def drawing(number: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A speckled picture with a dark oval, without one for the last."""
    row, col = np.mgrid[:120, :160]
    mask = ((row - 60) / (14 + 6 * number)) ** 2 + ((col - 80 + (row - 60) * 0.3 * number) / 30) ** 2 <= 1
    mask &= number < 3
    grey = np.random.default_rng(number).rayleigh(50, mask.shape) * np.where(mask, 0.4, 1.0)
    return np.clip(grey + 5, 1, 255).astype(np.uint8), np.asarray(mask)


def write_ovals(root: Path, groups: Sequence[str]) -> Path:
    """A data folder of the pictures that `drawing` makes, each of a group."""
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for number, name in enumerate(NAMES):
        grey, mask = drawing(number)
        Image.fromarray(grey).save(root / "images" / f"{name}.png")
        Image.fromarray(mask).save(root / "masks" / f"{name}.png")
    lines = ["id,group", *(f"{name},{group}" for name, group in zip(NAMES, groups, strict=True))]
    (root / "index.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ovals(tmp_path_factory.mktemp("data") / "ovals", [str(number // 2) for number in range(len(NAMES))])


@pytest.fixture(scope="module")
def listed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that lists the first picture of the folder as trained on."""
    bundle = tmp_path_factory.mktemp("models") / "listed"
    shutil.copytree(find_model(None), bundle)
    (bundle / TRAINING_PICTURES).write_text(training_pictures_text(load(folder)[:1]))
    return bundle


@pytest.fixture(scope="module")
def bare(listed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same bundle without such a list."""
    bundle = tmp_path_factory.mktemp("models") / "bare"
    shutil.copytree(listed, bundle)
    (bundle / TRAINING_PICTURES).unlink()
    return bundle


@pytest.fixture(scope="module")
def done(folder: Path, listed: Path, bare: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """One evaluation of two bundles with the same weights: its folder, standard output and standard error."""
    out = tmp_path_factory.mktemp("out") / "evaluation"
    code, text, notes = lesion_measure(
        "evaluate", folder, "--model", listed, "--against", bare, "--placings", 2, "-o", out
    )
    assert code == 0
    return out, text, notes


def test_the_terminal_says_what_matters(done: tuple[Path, str, str]) -> None:
    out, text, notes = done
    assert "ovals: 4 pictures in 2 groups, 2 of them trained on; 3 lesions, 1 lesion-free pictures" in text
    assert "Each lesion of ovals under 2 placings of its calipers." in text
    assert "Network from the long axis" in text
    assert "ovals: no difference shown (by itself Dice 0.000" in text
    assert "was trained on 2 of the 4 pictures of ovals" in notes
    assert "does not list its training pictures" in notes
    weights = Segmenter.from_bundle(find_model(None)).sha256[:12]
    for told in (text, (out / "index.html").read_text()):
        assert f"(folder listed, weights {weights}) against liver_us_unet (folder bare, weights {weights})" in told


def test_what_a_bundle_never_accepts_is_said(folder: Path, listed: Path, tmp_path: Path) -> None:
    """Accepted shares of 0 are no failure to find then."""
    bundle = tmp_path / "never"
    shutil.copytree(listed, bundle)
    file = bundle / "configs/inference.json"
    inference = json.loads(file.read_text())
    inference["lesion_measure"]["confidence"]["automatic"] |= {"threshold": 1.01, "never": "9 outlines are too few"}
    inference["lesion_measure"]["confidence"]["automatic"].pop("promise", None)
    file.write_text(json.dumps(inference))
    _, _, notes = lesion_measure("evaluate", folder, "--model", bundle, "--placings", 1)
    assert "accepts no outline that it draws by itself (9 outlines are too few)." in " ".join(notes.split())


def test_the_json_file_holds_everything(done: tuple[Path, str, str]) -> None:
    data = json.loads((done[0] / "evaluation.json").read_text())
    own, other = data["models"]
    assert set(own["sets"]["ovals"]["detection"]) == set(DETECTION)
    assert own["sets"] == {"ovals": {**other["sets"]["ovals"], "trained_on": 2}}
    assert [case["trained_on"] for case in own["cases"]] == [True, True, False, False]
    assert {case["trained_on"] for case in other["cases"]} == {None}
    assert (data["reference"], other["comparison"]) == (1, None)
    lesion = own["cases"][0]["lesions"][0]
    assert [set(placing["dice_at"]["long_axis"]) for placing in lesion["placings"]] == 2 * [
        {"0.0", "0.035355", "0.05", "0.1"}
    ]
    assert lesion["size"] == "medium"
    assert data["settings"]["jitter"] == 0.05
    assert data["settings"]["placings"] == own["sets"]["ovals"]["placings"] == 2
    assert own["sets"]["ovals"]["outlines"]["long_axis"]["dice"]["count"] == 3


def test_the_table_has_a_line_for_each_lesion_placing_and_method(done: tuple[Path, str, str]) -> None:
    with (done[0] / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    sha256 = json.loads((done[0] / "evaluation.json").read_text())["models"][0]["sha256"]
    assert {row["weights"] for row in rows} == {sha256[:12]}
    assert len([row for row in rows if row["lesion"] and row["model"]]) == 2 * 3 * (1 + 2 * 4)
    assert {row["placing"] for row in rows if row["method"] == "automatic"} == {""}
    assert {row["placing"] for row in rows if row["method"] == "both_axes"} == {"0", "1"}
    exact = next(row for row in rows if row["picture"] == "round" and row["method"] == "both_axes_ellipse")
    assert float(exact["dice"]) > 0.8
    assert float(exact["true_long_axis_px"]) == pytest.approx(60, abs=1)
    error = 100 * (float(exact["area_px"]) / float(exact["true_area_px"]) - 1)
    assert float(exact["area_signed_error_percent"]) == pytest.approx(error)


def test_the_page_needs_nothing_else_and_names_no_folder(done: tuple[Path, str, str], folder: Path) -> None:
    page = (done[0] / "index.html").read_text()
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    for text in (page, (done[0] / "evaluation.json").read_text(), (done[0] / "cases.csv").read_text()):
        assert str(folder.parent) not in text
    assert page.count("data:image/jpeg;base64,") >= 9
    assert "2 trained on: these figures flatter" in page
    assert "3 lesions, each under 2 placings of its calipers" in page
    assert "ends moved by 3.5 % (row and column each; RMS distance 5 %)" in page


def test_an_earlier_evaluation_is_replaced_and_a_foreign_folder_refused(
    done: tuple[Path, str, str], folder: Path, tmp_path: Path
) -> None:
    assert (done[0] / MARKER).is_file()
    before = json.loads((done[0] / "evaluation.json").read_text())
    code, _, _ = lesion_measure("evaluate", folder, "-o", done[0], "--jitter", "0", "--calipers", "rectangle")
    after = json.loads((done[0] / "evaluation.json").read_text())
    assert code == 0
    assert (len(before["models"]), len(after["models"])) == (2, 1)
    assert after["reference"] is None
    assert after["settings"]["calipers_placed_by"] == "rectangle"
    assert after["settings"]["placings"] is None
    assert after["models"][0]["sets"]["ovals"]["placings"] == 1, "calipers that are not moved need no second placing"
    (tmp_path / "letter.txt").write_text("mine")
    code, _, complaint = lesion_measure("evaluate", folder, "-o", tmp_path)
    assert code == 2
    assert "holds no evaluation of this program" in complaint
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_only_unseen_pictures(folder: Path, listed: Path, bare: Path) -> None:
    code, text, _ = lesion_measure("evaluate", folder, "--model", listed, "--unseen-only", "--json")
    assert code == 0
    (data,) = json.loads(text)["models"]
    assert (data["sets"]["ovals"]["pictures"], data["sets"]["ovals"]["trained_on"]) == (2, 0)
    assert data["sets"]["ovals"]["placings"] == 12
    assert "cases" not in data
    code, _, complaint = lesion_measure("evaluate", folder, "--model", listed, "--against", bare, "--unseen-only")
    assert code == 2
    assert "bare: This bundle does not list its training pictures" in complaint


def test_pictures_that_a_bundle_was_chosen_on_are_not_unseen(folder: Path, listed: Path, tmp_path: Path) -> None:
    """They are counted as chosen by, and their confidence is that of the model which never saw their part."""
    bundle = tmp_path / "chosen"
    shutil.copytree(listed, bundle)
    digests = [picture_digest(item) for item in load(folder)]
    held = HeldBack({digests[2]: 1}, frozenset(digests[:1]))
    (bundle / HELD_BACK_PICTURES).write_text(held_back_text(held))
    assert read_held_back(bundle) == held
    file = bundle / "configs/inference.json"
    inference = json.loads(file.read_text())
    model = inference["lesion_measure"]["confidence"]["prompted"]
    part = {key: model[key] for key in ("mean", "scale", "weights", "intercept")}
    sure = {**part, "weights": [0.0] * len(part["weights"]), "intercept": -2.0}
    model["folds"] = [part, sure]
    file.write_text(json.dumps(inference))
    out = tmp_path / "out"
    code, text, notes = lesion_measure("evaluate", folder, "--model", bundle, "--placings", 1, "-o", out)
    assert code == 0
    assert "2 of them trained on, 2 of them chosen by" in text
    assert "was chosen by 2 of the 4 pictures of ovals" in " ".join(notes.split())
    assert "2 chosen by: not unseen" in (out / "index.html").read_text()
    (data,) = json.loads((out / "evaluation.json").read_text())["models"]
    assert data["sets"]["ovals"]["chosen_by"] == 2
    assert [case["chosen_by"] for case in data["cases"]] == [False, False, True, True]
    drawn = [case["lesions"][0]["placings"][0]["drawn"]["long_axis"] for case in data["cases"][:3]]
    assert drawn[2]["confidence"] == pytest.approx(1 / (1 + math.exp(2)))
    assert not drawn[2]["accepted"]
    assert drawn[0]["confidence"] != pytest.approx(1 / (1 + math.exp(2)))
    with (out / "cases.csv").open() as stream:
        assert {row["picture"]: row["chosen_by"] for row in csv.DictReader(stream)}["tilted"].lower() == "true"
    code, _, complaint = lesion_measure("evaluate", folder, "--model", bundle, "--unseen-only")
    assert code == 1
    assert "chosen by" in complaint
    (bundle / HELD_BACK_PICTURES).write_text(f"{digests[0]} training\n")
    with pytest.raises(ModelError, match="'validation' and a part"):
        read_held_back(bundle)


def test_nothing_unseen_is_left(folder: Path, listed: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "all"
    shutil.copytree(listed, bundle)
    (bundle / TRAINING_PICTURES).write_text(training_pictures_text(load(folder)))
    code, _, complaint = lesion_measure("evaluate", folder, "--model", bundle, "--unseen-only")
    assert code == 1
    assert "was trained on" in complaint


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("--model", "nowhere"), 2, "no model bundle"),
        (("--calipers", "guess"), 2, "longest, rectangle or moments"),
        (("--jitter", "0.9"), 2, "jitter"),
        (("--placings", "0"), 2, "placings"),
    ],
)
def test_what_cannot_be_used_is_named(folder: Path, words: tuple[str, ...], code: int, complaint: str) -> None:
    found = lesion_measure("evaluate", folder, *words)
    assert found[0] == code
    assert complaint in found[2]


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    code, _, complaint = lesion_measure("evaluate", tmp_path)
    assert code == 1
    assert str(tmp_path) in complaint


def test_a_list_of_training_pictures_is_checked(folder: Path, tmp_path: Path) -> None:
    assert read_training_pictures(tmp_path) is None
    path = tmp_path / TRAINING_PICTURES
    path.parent.mkdir()
    path.write_text(training_pictures_text(load(folder)))
    digests = read_training_pictures(tmp_path)
    assert digests is not None
    assert len(digests) == 4
    path.write_text("# comment\nnot a digest\n")
    with pytest.raises(ModelError, match="no SHA-256"):
        read_training_pictures(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="cannot be read"):
        read_training_pictures(tmp_path)


def test_a_digest_is_of_the_pixels(folder: Path) -> None:
    from lesion_measure.lab.datasets import picture_digest

    first, second = load(folder)[:2]
    renamed = picture("other", "set", "group", first.image.copy(), first.labels > 0)
    assert picture_digest(first) == picture_digest(renamed)
    assert picture_digest(first) != picture_digest(second)
    wide = picture("wide", "set", "g", first.image.reshape(60, 320), np.zeros((60, 320), bool))
    assert picture_digest(wide) != picture_digest(first)


def test_models_are_told_apart_where_they_share_a_name() -> None:
    new, old = Model("net", "a" * 64, "net"), Model("net", "b" * 64, "net")
    assert model_names([new, old]) == [
        "net (folder net, weights aaaaaaaaaaaa)",
        "net (folder net, weights bbbbbbbbbbbb)",
    ]
    assert model_names([new, Model("other", "a" * 64, "net")]) == ["net", "other"]


def test_names_cannot_break_the_page(tmp_path: Path) -> None:
    grey, mask = drawing(0)
    item = picture("<script>alert(1)</script>", "<b>set", "g", grey, mask)
    cases = run_cases(Segmenter.from_bundle(find_model(None)), [item])
    only = Evaluated(model=Model("<i>model", "0" * 64, "folder"), cases=tuple(cases), summary=summarise(cases))
    evaluation = Evaluation(
        created="", evaluated=(only,), reference=None, seed=1, spread=0.05, other_spreads=(),
        placement=Placement.LONGEST, placings=None, unseen_only=False, notes=("<u>note",), data={},
        command="<s>command", environment={"<q>": "<tt>"},
    )  # fmt: skip
    write_page(evaluation, [item], tmp_path)
    page = (tmp_path / "index.html").read_text()
    for tag in ("<script", "<b>set", "<i>model", "<u>note", "<s>command", "<q>", "<tt>"):
        assert tag not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 9, 30])
def test_the_gallery_shows_no_case_twice(count: int) -> None:
    from lesion_measure.lab.evaluation.gallery import GalleryView, _Scored

    def view(number: int) -> GalleryView:
        return GalleryView(
            title=str(number), words=(), data_uri="", box=(0, 0, 1, 1), true_paths=(), drawn_paths=(), caliper_path=""
        )

    strips = ranked(_Scored(float(n), lambda n=n: view(n)) for n in range(count))
    shown = [one.title for strip in strips for one in strip.views]
    assert len(set(shown)) == len(shown) <= 9
    if count >= 9:
        best, median, worst = ([int(one.title) for one in strip.views] for strip in strips)
        assert best == [count - 1, count - 2, count - 3]
        assert worst == [2, 1, 0]
        assert np.mean(median) == pytest.approx((count - 1) / 2, abs=0.6)


def test_the_page_of_the_documentation_names_every_field(project_dir: Path) -> None:
    text = (project_dir / "docs" / "evaluation.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9_]+)`", text))
    fields = [field.name for kind in (SetSummary, Reliability) for field in dataclasses.fields(kind)]
    keys = [*COLUMNS, *DETECTION, *ACCEPTANCE, *(measure.key for measure in MEASURES), *fields, *Method]
    assert not {str(key) for key in keys} - named
