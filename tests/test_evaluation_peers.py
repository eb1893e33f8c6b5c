"""Several networks, and other tools by their masks, in one evaluation; and the same figures from any number of jobs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from csv_files import csv_rows
from lesion_measure.errors import InputError
from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import Picture, load, load_all, picture, picture_digest
from lesion_measure.lab.evaluation import TRAINING_PICTURES, paper, run_cases
from lesion_measure.lab.evaluation.command import EvaluationRequest, evaluate
from lesion_measure.lab.evaluation.figures import Drawing
from lesion_measure.lab.evaluation.files import FIGURES_MARKER, prepare
from lesion_measure.lab.evaluation.overlap import undecided
from lesion_measure.lab.evaluation.peers import peer_cases, peer_summary, read_masks
from lesion_measure.lab.evaluation.worth import read_pool, worth_outlining
from lesion_measure.network import Segmenter
from test_evaluation import Oracle, silence, truth
from test_evaluation_command import NAMES, lesion_measure, write_ovals


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ovals(tmp_path_factory.mktemp("data") / "ovals", NAMES)


@pytest.fixture(scope="module")
def pictures(folder: Path) -> list[Picture]:
    return load(folder)


def shifted(item: Picture, rows: int) -> NDArray[np.bool_]:
    """Another outline: the lesion, moved down."""
    return np.asarray(np.roll(item.labels > 0, rows, axis=0))


def write(pictures: list[Picture], root: Path, rows: int = 4) -> Path:
    root.mkdir(exist_ok=True)
    for item in pictures:
        Image.fromarray(shifted(item, rows).astype(np.uint8) * 255).save(root / f"{item.name}.png")
    return root


def dice_of(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> float:
    filter_ = SimpleITK.LabelOverlapMeasuresImageFilter()
    filter_.Execute(*(SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (one, two)))
    return float(filter_.GetDiceCoefficient())


def test_masks_are_compared_like_outlines(pictures: list[Picture], tmp_path: Path) -> None:
    cases = run_cases(Oracle(pictures, silence), pictures)  # type: ignore[arg-type]
    peer = read_masks(write(pictures, tmp_path / "peer"), pictures)
    found = peer_cases(peer, pictures, cases)
    for case, item in zip(found, pictures, strict=True):
        assert case.automatic_dice == (pytest.approx(dice_of(shifted(item, 4), item.labels > 0)) if item.axes else None)
        assert (case.trained_on, case.chosen_by, case.undecided) == (None, None, None)
        for lesion in case.lesions:
            assert not lesion.placings
            (drawn,) = case.automatic
            assert drawn.sizes is not None
            assert lesion.sizes is not None
            assert drawn.sizes.long_axis_px == pytest.approx(lesion.sizes.long_axis_px, rel=1e-6)
            assert drawn.surface_mean_px is not None
            assert 0 < drawn.surface_mean_px < 4
    own = peer_summary(found, seed=1)["ovals"]
    assert own.detection["found"].value == 1
    assert own.detection["lesion_free_drawn"].value == 0
    assert {one.value for one in own.acceptance.values()} == {None}, "nobody was asked how sure the tool is"
    assert own.automatic.brier.value is None


def test_areas_that_touch_are_one_and_specks_are_none(pictures: list[Picture], tmp_path: Path) -> None:
    item = pictures[0]
    mask = np.zeros(item.labels.shape, np.uint8)
    mask[10:20, 10:20] = mask[20:30, 20:30] = 3
    mask[100:103, 100:103] = 3
    Image.fromarray(mask).save(tmp_path / f"{item.name}.png")
    (case,) = run_cases(Oracle([item], silence), [item])  # type: ignore[arg-type]
    (found,) = peer_cases(read_masks(tmp_path, [item]), [item], [case])
    assert [drawn.lesion for drawn in found.automatic] == [None]
    assert found.automatic_masks[0].mask.sum() == 200
    assert found.automatic_dice == pytest.approx(dice_of(mask > 0, item.labels > 0))


def test_missing_and_wrongly_sized_masks_are_named(pictures: list[Picture], folder: Path, tmp_path: Path) -> None:
    root = write(pictures, tmp_path / "peer")
    (root / "flat.png").unlink()
    with pytest.raises(InputError, match="1 of 4 pictures have no mask here: flat\\."):
        read_masks(root, pictures)
    for lying, said in (
        ("flat_mask.png", "'flat_mask.png' lies there: its name has more"),
        ("flat.npy", "'flat.npy' lies there, which is not read"),
        ("deep/flat.png", "It lies in deep/"),
    ):
        (root / lying).parent.mkdir(exist_ok=True)
        (root / lying).touch()
        with pytest.raises(InputError, match=said):
            read_masks(root, pictures)
        (root / lying).unlink()
    Image.fromarray(np.zeros((160, 120), np.uint8)).save(root / "flat.png")
    with pytest.raises(InputError, match=r"1 of 4 masks .* size: flat \(160 x 120 instead of 120 x 160\)"):
        read_masks(root, pictures)
    code, _, complaint = lesion_measure("evaluate", folder, "--masks", root)
    assert code == 1
    assert "flat (160 x 120 instead of 120 x 160)" in " ".join(complaint.split())
    code, _, complaint = lesion_measure("evaluate", folder, "--masks", tmp_path / "nowhere")
    assert code == 2
    assert "help evaluation" in complaint


def test_values_are_told_by_dataset_json(pictures: list[Picture], tmp_path: Path) -> None:
    """As nnU-Net leaves it beside its predictions: the liver is no lesion."""
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "liver": 1, "mass": 2}}))
    for item in pictures:
        values = np.ones(item.labels.shape, np.uint8)
        values[shifted(item, 0)] = 2
        Image.fromarray(values).save(tmp_path / f"{item.name}.png")
    peer = read_masks(tmp_path, pictures)
    for mask, item in zip(peer.masks, pictures, strict=True):
        np.testing.assert_array_equal(mask, item.labels > 0)
    (tmp_path / "dataset.json").unlink()
    with pytest.raises(InputError, match="several values beside 0"):
        read_masks(tmp_path, pictures)


def test_a_volume_holds_the_masks_of_its_slices(pictures: list[Picture], tmp_path: Path) -> None:
    named = [dataclasses.replace(item, name=f"scan-{number:04d}") for number, item in enumerate(pictures)]
    stack = np.stack([shifted(item, 2).astype(np.uint8) for item in named])
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(stack), str(tmp_path / "scan.nii.gz"))
    for mask, item in zip(read_masks(tmp_path, named).masks, named, strict=True):
        np.testing.assert_array_equal(mask, shifted(item, 2))
    with pytest.raises(InputError, match="4 slices"):
        read_masks(tmp_path, [dataclasses.replace(pictures[0], name="scan")])
    with pytest.raises(InputError, match="4 slices"):
        read_masks(tmp_path, [dataclasses.replace(pictures[0], name="scan-0007")])


def test_sets_of_the_same_names_need_folders(pictures: list[Picture], tmp_path: Path) -> None:
    both = [*pictures, *(dataclasses.replace(item, source="others") for item in pictures)]
    write(pictures, tmp_path, rows=1)
    with pytest.raises(InputError, match="several sets"):
        read_masks(tmp_path, both)
    write(pictures, tmp_path / "others", rows=7)
    masks = read_masks(tmp_path, both).masks
    np.testing.assert_array_equal(masks[0], shifted(pictures[0], 1))
    np.testing.assert_array_equal(masks[4], shifted(pictures[0], 7))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of another name that accepts nothing from calipers."""
    bundle = tmp_path_factory.mktemp("models") / "strict"
    shutil.copytree(find_model(None), bundle)
    file = bundle / "configs/metadata.json"
    file.write_text(file.read_text().replace('"liver_us_unet"', '"strict"'))
    file = bundle / "configs/inference.json"
    inference = json.loads(file.read_text())
    inference["lesion_measure"]["confidence"]["prompted"] |= {"threshold": 1.01, "never": "nobody asked"}
    inference["lesion_measure"]["confidence"]["prompted"].pop("promise", None)
    file.write_text(json.dumps(inference))
    return bundle


def evaluated(folder: Path, other: Path, peer: Path, out: Path, *more: object) -> Path:
    words = ["--model", "liver_us_unet", "--model", other, "--masks", peer, "--placings", 1, "-o", out]
    code, text, notes = lesion_measure("evaluate", folder, *words, *more)
    assert code == 0, notes
    (out / "terminal.txt").write_text(text)
    return out


@pytest.fixture(scope="module")
def one_job(folder: Path, other: Path, pictures: list[Picture], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("out")
    return evaluated(folder, other, write(pictures, root / "peer"), root / "one", "--figures", root / "figures")


def test_several_stand_in_one_table(one_job: Path) -> None:
    data = json.loads((one_job / "evaluation.json").read_text())
    assert [(each["masks"], each["comparison"] is None) for each in data["models"]] == [
        (False, True),
        (False, False),
        (True, False),
    ]
    assert data["reference"] == 0
    names = [each["name"] for each in data["models"]]
    assert names[-1] == "peer"
    contrasts = {each["key"]: each for each in data["models"][2]["comparison"]["ovals"]["contrasts"]}
    assert contrasts["lesion_dice"]["difference"]["count"] == 3
    assert contrasts["long_axis_dice"]["difference"]["count"] == 0
    first, _, peer = (each["sets"]["ovals"]["detection"]["lesion_dice"]["value"] for each in data["models"])
    assert contrasts["lesion_dice"]["difference"]["value"] == pytest.approx(peer - first)
    rows = csv_rows(one_job / "cases.csv")
    assert {row["model"] for row in rows} == set(names)
    assert {row["method"] for row in rows if row["model"] == "peer"} == {"automatic"}
    page = (one_job / "index.html").read_text()
    assert "Side by side" in page
    assert "peer are masks of another tool" in page
    assert "ovals, 3 side by side:" in (one_job / "terminal.txt").read_text()


def test_the_number_of_jobs_changes_no_byte(one_job: Path, folder: Path, other: Path, tmp_path: Path) -> None:
    two = evaluated(folder, other, one_job.parent / "peer", tmp_path / "two", "--jobs", 2)
    created = [json.loads((out / "evaluation.json").read_text())["created"] for out in (one_job, two)]
    for name in ("evaluation.json", "cases.csv", "index.html", "terminal.txt"):
        one, other_ = (
            (out / name).read_bytes().replace(when.encode(), b"").replace(str(out).encode(), b"")
            for out, when in zip((one_job, two), created, strict=True)
        )
        assert one == other_, name


def test_a_reviewer_finds_data_split_command_and_versions(one_job: Path, folder: Path) -> None:
    data = json.loads((one_job / "evaluation.json").read_text())
    lines = []
    for name in NAMES:
        grey = np.asarray(Image.open(folder / "images" / f"{name}.png"))
        mask = np.asarray(Image.open(folder / "masks" / f"{name}.png")).astype(np.uint8)
        each = [hashlib.sha256(b"120 160 " + part.tobytes()).hexdigest() for part in (grey, mask)]
        lines.append(" ".join(each) + "\n")
    assert data["data"]["ovals"]["sha256"] == hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    split = data["data"]["ovals"]["split"]["strict"]
    assert split == {"trained_on": 0, "chosen_by": 0, "test": 0, "unlisted": 4}
    assert data["command"].startswith("lesion-measure evaluate ovals --model liver_us_unet --model strict --masks peer")
    assert data["environment"]["numpy"] == np.__version__
    page = (one_job / "index.html").read_text()
    for told in (data["data"]["ovals"]["sha256"], data["environment"]["python"], "4 not listed"):
        assert told in page
    assert platform.node() not in json.dumps(data["environment"])


def test_undecided_pixels_are_counted() -> None:
    probability = np.zeros((10, 10), np.float32)
    assert undecided(probability) == 0
    probability[:5] = 0.9
    assert undecided(probability) == 0
    probability[5:7] = 0.5
    assert undecided(probability) == pytest.approx(1 - 2 * 50 / (50 + 70))
    probability[:5] = 0.3
    assert undecided(probability) == 1


def test_a_bundle_tells_how_undecided_it_is(pictures: list[Picture]) -> None:
    segmenter = Segmenter.from_bundle(find_model(None))
    (case,) = run_cases(segmenter, pictures[:1])
    assert case.undecided == undecided(segmenter.segment(pictures[0].image).probability)


def test_figures_come_with_the_numbers_behind_them(one_job: Path) -> None:
    root = one_job.parent / "figures"
    data = json.loads((one_job / "evaluation.json").read_text())
    stems = {path.stem for path in root.iterdir() if not path.name.startswith(".")}
    networks = ("1-liver_us_unet", "2-strict")
    each = [f"{name}-1-ovals-{end}" for name in ("confidence", "classes", "sizes") for end in networks]
    assert stems == {"dice", *each}
    for stem in stems:
        assert (root / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
        with Image.open(root / f"{stem}.png") as picture:
            assert picture.width >= 2900
    rows = csv_rows(root / "dice.csv")
    assert {row["model"] for row in rows} == {one["name"] for one in data["models"]}
    own = data["models"][0]["sets"]["ovals"]["outlines"]["long_axis"]["dice"]
    (row,) = [r for r in rows if r["way"] == "network from the long axis" and r["model"] == "liver_us_unet"]
    assert [float(row[name]) for name in ("value", "low", "high", "n")] == pytest.approx(list(own.values()), abs=1e-6)
    sizes = csv_rows(root / "sizes-1-ovals-1-liver_us_unet.csv")
    assert len(sizes) == 3 * 2 * 3
    for row in sizes:
        error = 100 * (float(row["drawn_px"]) / float(row["true_px"]) - 1)
        assert float(row["error_percent"]) == pytest.approx(error, abs=1e-3)
    bins = [row for row in csv_rows(root / "confidence-1-ovals-1-liver_us_unet.csv") if row["count"]]
    prompted = data["models"][0]["sets"]["ovals"]["prompted"]["bins"]
    found = [float(row["y"]) for row in bins if row["outlines"] == "from calipers"]
    assert found == pytest.approx([one["right"] for one in prompted], abs=1e-6)


def test_figures_need_a_folder_of_their_own(folder: Path, tmp_path: Path) -> None:
    code, _, complaint = lesion_measure("evaluate", folder, "-o", tmp_path / "out", "--figures", tmp_path / "out")
    assert code == 2
    assert "a folder of its own" in complaint
    (tmp_path / "mine.pdf").write_text("mine")
    code, _, complaint = lesion_measure("evaluate", folder, "--figures", tmp_path)
    assert code == 2
    assert (tmp_path / "mine.pdf").read_text() == "mine"


def test_the_folder_of_an_evaluation_is_none_of_figures(folder: Path, tmp_path: Path) -> None:
    prepare(tmp_path / "e")
    (tmp_path / "e/cases.csv").write_text("earlier")
    code, _, complaint = lesion_measure("evaluate", folder, "--figures", tmp_path / "e")
    assert code == 2
    assert "holds no figures of this program" in complaint
    prepare(tmp_path / "f", FIGURES_MARKER)
    code, _, complaint = lesion_measure("evaluate", folder, "-o", tmp_path / "f")
    assert code == 2
    assert "holds no evaluation of this program" in complaint
    assert (tmp_path / "e/cases.csv").read_text() == "earlier"


def test_new_figures_replace_earlier_figures_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = Drawing(lambda figure: None, (2.0, 2.0), ("n",), ({"n": 1},))
    monkeypatch.setattr(paper, "_drawings", lambda given: [(given, drawing)])
    for name in ("sizes-1-old.pdf", "cases.csv", "sizes.csv", "mine.png"):
        (tmp_path / name).write_text("mine")
    paper.write_figures("dice", tmp_path)  # type: ignore[arg-type]
    assert {path.name for path in tmp_path.iterdir()} == {
        "cases.csv", "sizes.csv", "mine.png", "dice.pdf", "dice.png", "dice.csv",
    }  # fmt: skip


def test_what_networks_disagree_on_is_worth_outlining(pictures: list[Picture]) -> None:
    """By hand: the second draws 0, 2, 4 and 8 rows below the first; both draw nothing on the last."""
    moves = dict(zip(NAMES, (2, 8, 4, 0), strict=True))

    def lower(item: Picture, prompt: object) -> list[tuple[NDArray[np.bool_], float]]:
        return [(shifted(item, moves[item.name]), 0.9)]

    runs = [run_cases(Oracle(pictures, answer), pictures) for answer in (truth, lower)]  # type: ignore[arg-type]
    found = worth_outlining(runs, pictures, 10)
    assert [one.picture for one in found] == ["flat", "tilted", "round", "none"]
    (flat, *_, nothing) = found
    item = next(item for item in pictures if item.name == "flat")
    assert flat.disagreement == pytest.approx(1 - dice_of(item.labels > 0, shifted(item, 8)))
    assert flat.score == pytest.approx(flat.disagreement / 2), "the stand-in leaves nothing undecided"
    assert (nothing.score, nothing.drawn) == (0, 0)
    joined = [dataclasses.replace(item, group="one patient") for item in pictures]
    assert [one.picture for one in worth_outlining(runs, joined, 10)] == ["flat"]
    (alone, *_) = worth_outlining(runs[:1], pictures, 1)
    assert (alone.disagreement, alone.undecided) == (None, 0)


def test_a_pool_is_looked_through(folder: Path, tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    pool.mkdir()
    shutil.copy(folder / "images" / "round.png", pool / "known.png")
    for number in range(3):
        noise = np.random.default_rng(number).rayleigh(40 + 9 * number, (120, 160)).clip(1, 255).astype(np.uint8)
        Image.fromarray(noise).save(pool / f"new{number}.png")
    out = tmp_path / "out"
    words = ["--model", "liver_us_unet", "--placings", 1, "--worst", 2, "--pool", pool, "-o", out]
    code, text, notes = lesion_measure("evaluate", folder, *words)
    assert code == 0, notes
    rows = csv_rows(out / "next.csv")
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert {row["picture"] for row in rows} < {"new0", "new1", "new2"}
    assert float(rows[0]["score"]) >= float(rows[1]["score"])
    assert f"pool  {rows[0]['picture']}" in text
    left_out = "Of the pool's 4 pictures 3 are looked at."
    assert left_out in " ".join(notes.split())
    assert left_out in (out / "index.html").read_text().replace("&#39;", "'")
    code, _, complaint = lesion_measure("evaluate", folder, "--pool", pool)
    assert (code, "--worst N" in complaint) == (2, True)


def speckle(path: Path, seed: int) -> NDArray[np.uint8]:
    """A picture of smoothed noise, written to ``path``: no two of them are alike."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((120, 160)), 3)
    grey = (128 + 100 * noise / np.abs(noise).max()).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grey).save(path, quality=60)
    return np.asarray(grey)


def test_a_picture_of_the_pool_that_shows_an_outlined_frame_is_left_out(tmp_path: Path) -> None:
    """Saved anew with losses, and under the group that an outlined one of the same frame has been given."""
    grey = speckle(tmp_path / "pool/again.jpg", 1)
    speckle(tmp_path / "pool/other.png", 2)
    outlined = picture("a", "set", "patient", grey, np.zeros(grey.shape, bool))
    assert [item.name for item in read_pool([tmp_path / "pool"], [outlined])] == ["other"]
    (tmp_path / "pool/other.png").unlink()
    with pytest.raises(InputError, match="shows the same frame"):
        read_pool([tmp_path / "pool"], [outlined])


def test_a_copy_in_a_pool_is_left_out_whatever_the_pool_is_called(tmp_path: Path) -> None:
    """Frames of the simulator have a set of that name, and are not looked at for near-duplicates."""
    pool = tmp_path / "simulated"
    grey = speckle(pool / "other.png", 2)
    speckle(pool / "again.jpg", 1)
    Image.fromarray(speckle(tmp_path / "outlined.png", 1)).save(pool / "copy.png")
    Image.fromarray(np.full_like(grey, 90)).save(pool / "even.png")
    images = (speckle(tmp_path / "outlined.png", 1), np.full_like(grey, 90))
    outlined = [picture(name, "set", name, image, image > 255) for name, image in zip("ab", images, strict=True)]
    assert [(one.source, one.name, one.group) for one in read_pool([pool], outlined)] == [
        ("simulated", "other", "simulated/other")
    ]


def test_data_of_that_name_are_refused(folder: Path, tmp_path: Path) -> None:
    copied, table = shutil.copytree(folder, tmp_path / "simulated"), "id,group,source\nround,a,simulated\n"
    with pytest.raises(InputError, match="frames of the simulator"):
        load_all([copied])
    named = write_ovals(tmp_path / "ovals", NAMES)
    (named / "index.csv").write_text(table.replace("round", NAMES[0]))
    with pytest.raises(InputError, match="frames of the simulator"):
        load_all([named])


def test_copies_of_outlined_pictures_that_were_seen_are_not_worth_outlining(folder: Path, tmp_path: Path) -> None:
    """They left the data by ``--unseen-only``, and are outlined all the same."""
    bundle = shutil.copytree(find_model(None), tmp_path / "seen")
    data = shutil.copytree(folder, tmp_path / "data")
    speckle(data / "images/round.png", 1)
    (seen,) = (item for item in load_all([data]) if item.name == "round")
    with (bundle / TRAINING_PICTURES).open("a") as listed:
        listed.write(f"{picture_digest(seen)}\n")
    speckle(tmp_path / "pool/again.jpg", 1)
    speckle(tmp_path / "pool/other.png", 2)
    request = EvaluationRequest(
        data=(data,), models=(bundle,), placings=1, worst=5, pool=(tmp_path / "pool",), unseen_only=True
    )
    found = evaluate(request)
    assert "round" not in {case.picture for case in found.evaluated[0].cases}
    assert [one.picture for one in found.next] == ["other"]


def test_pools_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Their pictures would share groups by name, of which the best alone is listed."""
    speckle(tmp_path / "one/new/a.png", 1)
    grey = speckle(tmp_path / "two/new/a.png", 2)
    pools = [tmp_path / "one/new", tmp_path / "two/new"]
    with pytest.raises(InputError, match="Two pools have the same name"):
        read_pool(pools, [])
    with pytest.raises(InputError, match="given twice"):
        read_pool([pools[0], tmp_path / "two/../one/new"], [])
    (tmp_path / "two/new").rename(tmp_path / "two/more")
    assert len({item.group for item in read_pool([pools[0], tmp_path / "two/more"], [])}) == 2
    for outlined in (picture("b", "new", "x", grey, grey > 255), picture("b", "set", "new/a", grey, grey > 255)):
        (found,) = read_pool(pools[:1], [outlined])  # a set or a group may be called as a pool is
        assert (found.source, found.name, found.group) == ("new", "a", "new/a")


def test_a_pool_in_folders_is_told_that_these_are_not_looked_into(tmp_path: Path) -> None:
    speckle(tmp_path / "pool/patient 1/a.png", 1)
    with pytest.raises(InputError, match="not looked into"):
        read_pool([tmp_path / "pool"], [])
