"""Data folders written as nnU-Net and COCO: read back to the pixel, and by pycocotools; the split goes along."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import drawn_folders as written
from lesion_measure.cli import app
from lesion_measure.errors import InputError, OutputError
from lesion_measure.lab.datasets import Picture, export_pictures, folds, layout_of, load, split_pictures


def many(root: Path) -> list[Picture]:
    """Twelve pictures of six patients, as COCO keeps them."""
    drawn = [
        replace(one, name=f"{one.name}{number}", image=np.roll(one.image, 7 * number, axis=1))
        for number in range(3)
        for one in written.sources()
    ]
    written.coco(root, drawn, "polygon")
    rows = [f"{one.name},p{number // 2},k{number % 2},s" for number, one in enumerate(drawn)]
    (root / "index.csv").write_text("\n".join(["id,group,class,stratum", *rows]))
    return load(root)


def same(one: Picture, other: Picture, *, apart: bool) -> None:
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.labels > 0, other.labels > 0)
    if apart:
        np.testing.assert_array_equal(one.labels, other.labels)
    for mine, theirs in ((one.ignored, other.ignored), (one.liver, other.liver)):
        assert (mine is None) == (theirs is None)
        if mine is not None and theirs is not None:
            np.testing.assert_array_equal(mine, theirs)
    assert (one.kind, one.stratum) == (other.kind, other.stratum)


@pytest.mark.parametrize("form", ["nnunet", "coco"])
def test_what_is_written_is_read_back_to_the_pixel(tmp_path: Path, form: str) -> None:
    pictures = many(tmp_path / "set")
    outlining = [item for item in pictures if item.liver is not None]
    for name, some in (("all", pictures), ("with liver", outlining)):
        told = export_pictures(some, tmp_path / name, form)
        assert any("liver is left out" in line for line in told) == (name == "all")
        touching = [item.name for item in some if item.name.startswith("b")]  # of nnU-Net's values they are one area
        become_one = f"Lesions that touch become one, in {len(touching)} pictures, such as {(touching or [''])[0]}."
        assert (become_one in told) == (form == "nnunet" and bool(touching))
        assert layout_of(tmp_path / name).name == {"nnunet": "volumes", "coco": "COCO"}[form]
        back = {item.name: item for item in load(tmp_path / name)}
        assert len(back) == len(some)
        for item in some:
            without = item if name == "with liver" else Picture(**{**_fields(item), "liver": None})
            same(without, back[item.name], apart=form == "coco")


def _fields(item: Picture) -> dict[str, object]:
    return {name: getattr(item, name) for name in Picture.__dataclass_fields__}


def test_a_peer_and_this_program_have_the_same_split(tmp_path: Path) -> None:
    pictures = many(tmp_path / "set")
    export_pictures(pictures, tmp_path / "nnunet", "nnunet", seed=3)
    export_pictures(pictures, tmp_path / "coco", "coco", seed=3)
    theirs = json.loads((tmp_path / "nnunet/splits_final.json").read_text())
    assert len(theirs) == 5
    held_in = [name for fold in theirs for name in fold["val"]]
    assert sorted(held_in) == sorted(item.name for item in pictures)
    patient = {item.name: item.group for item in pictures}
    for fold in theirs:
        assert not {patient[name] for name in fold["train"]} & {patient[name] for name in fold["val"]}
    ours = load(tmp_path / "nnunet")
    assert [{item.name for item in ours if item.group in part} for part in folds(ours, 5, 99)] == [
        set(fold["val"]) for fold in theirs
    ]
    for root in ("nnunet", "coco"):
        training, validation = split_pictures(load(tmp_path / root), 0.5, {}, 1)
        assert {item.name for item in validation} == set(theirs[0]["val"])
        assert {item.name for item in training} == set(theirs[0]["train"])
    parts = [
        json.loads((tmp_path / f"coco/annotations/instances_{part}.json").read_text()) for part in ("train", "val")
    ]
    assert [{Path(one["file_name"]).stem for one in part["images"]} for part in parts] == [
        set(theirs[0]["train"]), set(theirs[0]["val"])
    ]  # fmt: skip


def test_a_stated_split_goes_along(tmp_path: Path) -> None:
    root = tmp_path / "set"
    many(root)
    rows = (root / "index.csv").read_text().splitlines()
    parts = ["train", "train", "test", "val", "train", "train"]
    kept = [f"{row},{parts[int(row.split(',')[1][1:])]}" for row in rows[1:]]
    (root / "index.csv").write_text("\n".join([f"{rows[0]},split", *kept]))
    export_pictures(load(root), tmp_path / "out", "nnunet")
    with (tmp_path / "out/index.csv").open(newline="") as stream:
        stated = {row["id"]: row["split"] for row in csv.DictReader(stream)}
    assert stated == {row.split(",")[0]: row.rsplit(",", 1)[1] for row in kept}
    (only,) = json.loads((tmp_path / "out/splits_final.json").read_text())
    assert set(only["val"]) == {name for name, part in stated.items() if part == "val"}
    held = {path.stem for path in (tmp_path / "out/labelsTs").iterdir()}
    assert held == {name for name, part in stated.items() if part == "test"}
    assert {item.name for item in load(tmp_path / "out") if item.split == "test"} == held


def test_labels_are_numbered_as_nnunet_wants_them(tmp_path: Path) -> None:
    pictures = many(tmp_path / "set")
    export_pictures(pictures, tmp_path / "out", "nnunet")
    content = json.loads((tmp_path / "out/dataset.json").read_text())
    assert content["labels"] == {"background": 0, "lesion": 1, "ignore": 2}
    assert content["numTraining"] == len(list((tmp_path / "out/imagesTr").iterdir())) == 12
    assert content["file_ending"] == ".png"
    with Image.open(tmp_path / "out/labelsTr/d0.png") as image:
        assert image.mode == "L"
        assert set(np.unique(np.asarray(image)).tolist()) == {0, 1, 2}


def test_pycocotools_reads_what_is_written(tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    pictures = {item.name: item for item in many(tmp_path / "set")}
    export_pictures(list(pictures.values()), tmp_path / "out", "coco")
    seen = 0
    for part in ("train", "val"):
        found = tools.COCO(str(tmp_path / f"out/annotations/instances_{part}.json"))
        for image in found.loadImgs(found.getImgIds()):
            item = pictures[Path(image["file_name"]).stem]
            masks = [found.annToMask(one) > 0 for one in found.loadAnns(found.getAnnIds([image["id"]], iscrowd=False))]
            assert len(masks) == len(item.axes)
            for label, mask in enumerate(masks, start=1):
                np.testing.assert_array_equal(mask, item.labels == label)
            seen += 1
    assert seen == 12


def test_the_command_exports_and_overwrites_nothing(tmp_path: Path) -> None:
    many(tmp_path / "set")
    words = ["data", str(tmp_path / "set"), "--export", str(tmp_path / "out"), "--as", "coco"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "Written as coco" in done.stdout
    assert len(load(tmp_path / "out")) == 12
    again = CliRunner().invoke(app, words)
    assert again.exit_code != 0
    assert "not empty" in again.stderr
    with pytest.raises(OutputError, match="not empty"):
        export_pictures(load(tmp_path / "out"), tmp_path / "set", "coco")
    with pytest.raises(InputError, match="cannot be split"):
        export_pictures(load(tmp_path / "set")[:2], tmp_path / "few", "coco")  # of one patient
    assert not (tmp_path / "few").exists()
