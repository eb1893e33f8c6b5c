"""What a data folder could be misread as without a word: other pictures' outlines, boxes, greys of another range."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import drawn_folders as written
from drawn_folders import COLUMNS, ROWS
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import export_pictures, load
from lesion_measure.lab.datasets.files import grey_levels


@pytest.mark.parametrize("scale", [1.0, 1.0000001, 1.02, 1.3, 1000.0])
def test_a_picture_of_floats_has_the_greys_of_its_range(tmp_path: Path, scale: float) -> None:
    greys = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 256
    written.plain(
        tmp_path,
        [replace(written.sources()[0], image=(greys / 255 * scale).astype(np.float32))],
        suffixes=(".tif", ".png"),
    )
    np.testing.assert_array_equal(load(tmp_path)[0].image, greys)


def test_floats_that_are_greys_stay_and_those_below_black_are_stretched(tmp_path: Path) -> None:
    one = written.sources()[0]
    written.plain(tmp_path / "set", [replace(one, image=one.image.astype(np.float32))], suffixes=(".tif", ".png"))
    np.testing.assert_array_equal(load(tmp_path / "set")[0].image, one.image)
    dark = one.lesion * np.float32(2)  # whole numbers up to 2 are greys, hardly above black
    written.save(tmp_path / "set/images/a.tif", dark)
    np.testing.assert_array_equal(load(tmp_path / "set")[0].image, dark)
    written.save(tmp_path / "set/images/a.tif", np.where(one.lesion, 3, -1).astype(np.float32))
    np.testing.assert_array_equal(load(tmp_path / "set")[0].image, np.where(one.lesion, 255, 0))
    written.save(tmp_path / "set/images/a.tif", np.full((ROWS, COLUMNS), np.nan, np.float32))
    with pytest.raises(InputError, match="not finite"):
        load(tmp_path / "set")


@pytest.mark.parametrize(
    ("values", "greys"),
    [
        ((-0.05, 0, 0.42, 1.05), (0, 0, 102, 255)),
        ((-0.05, 0, 0.32, 0.8), (0, 0, 102, 255)),
        ((-0.5, 0, 0.5), (0, 128, 255)),
    ],
    ids=["beyond white, too", "below black", "around 0"],
)
def test_below_black_a_resampled_picture_is_black(values: tuple[float, ...], greys: tuple[int, ...]) -> None:
    assert grey_levels(np.array(values)).tolist() == list(greys)


def _coco(root: Path, home: str, change: Callable[[dict[str, Any]], object]) -> None:
    written.coco(root, written.sources(), "counts", home=home)
    content = written.coco_content(written.sources(), "counts")
    change(content)
    (root / "annotations/all.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("home", "stated", "taken"),
    [
        ("images/val", "train/a.png", False),
        ("images/val", "VAL/a.png", True),
        ("images", "data/images/a.png", True),
        ("images", "C:\\work\\images\\a.png", True),
        ("images", "/home/annotator/images/a.png", True),
        ("images", "train/a.png", False),
        (".", "train/a.png", True),
        ("val/images", "train/images/a.png", False),
        ("val/images", "/data/images/a.png", True),
        ("val/images", "/data/test/val/images/a.png", True),
    ],
)
def test_a_picture_of_another_folder_is_not_the_one_that_is_named(
    tmp_path: Path, home: str, stated: str, taken: bool
) -> None:
    _coco(tmp_path / "set", home, lambda c: c["images"][0].update(file_name=stated))
    if taken:
        assert len(load(tmp_path / "set")) == 4
        return
    with pytest.raises(InputError, match=r"of this name there is .*/a\.png alone") as caught:
        load(tmp_path / "set")
    assert "stated folder" in caught.value.remedy


def test_an_image_of_cvat_is_not_that_of_another_folder(tmp_path: Path) -> None:
    written.cvat(tmp_path / "set", written.sources(), "polygon")
    path = tmp_path / "set/annotations.xml"
    whole = path.read_text()
    assert 'name="a.png"' in whole
    path.write_text(whole.replace('name="a.png"', 'name="train/a.png"'))
    with pytest.raises(InputError, match="of this name there is"):
        load(tmp_path / "set")


@pytest.mark.parametrize("key", ["image_id", "category_id"])
@pytest.mark.parametrize("value", [[], {}, None])
def test_an_id_that_is_no_key_is_refused(tmp_path: Path, key: str, value: object) -> None:
    _coco(tmp_path / "set", "images", lambda c: c["annotations"][0].update({key: value}))
    with pytest.raises(InputError, match="that the file does not list"):
        load(tmp_path / "set")


def test_a_label_that_is_no_text_names_nothing(tmp_path: Path) -> None:
    """A shape without a label is a lesion's; one whose label is a list is read alike."""
    written.aul(tmp_path / "set", written.sources())
    path = tmp_path / "set/Benign/segmentation/mass/a.json"
    points = [[10, 10], [30, 10], [30, 30], [10, 30]]
    path.write_text(json.dumps({"shapes": [{"label": [], "points": points}]}))
    item = next(one for one in load(tmp_path / "set") if one.name == "benign_a")
    assert int((item.labels > 0).sum()) == 400


def test_lesions_without_an_object_are_refused_unless_they_are_specks(tmp_path: Path) -> None:
    drawn = written.sources()
    left, right = drawn[1].lesions
    written.voc(tmp_path / "set", drawn, labelmap=True, objects=True)
    path = tmp_path / "set/SegmentationObject/b.png"
    places = left.astype(np.uint8)
    written.palette(path, places, written.VOC_COLOURS)
    with pytest.raises(InputError, match=f"{int(right.sum())} pixels of lesions belong to no object") as caught:
        load(tmp_path / "set")
    assert str(caught.value.path).endswith("b.png")
    assert "Number every lesion" in caught.value.remedy
    places[right] = 2
    rows, columns = np.nonzero(right)
    places[rows[:5], columns[:5]] = 0
    written.palette(path, places, written.VOC_COLOURS)
    labels = {item.name: item.labels for item in load(tmp_path / "set")}["b"]
    assert [int((labels == number).sum()) for number in (1, 2, 3)] == [int(left.sum()), int(right.sum()) - 5, 0]


def _turned(degrees: float, width: float, height: float) -> str:
    """A line of a box around (44, 32), as its four corners."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2) @ turn.T + (44, 32)
    return "1 " + " ".join(f"{x / COLUMNS:.6f} {y / ROWS:.6f}" for x, y in np.rint(corners * 4) / 4)


def test_a_set_of_turned_boxes_is_no_set_of_outlines(tmp_path: Path) -> None:
    drawn = written.sources()
    written.yolo(tmp_path / "set", drawn, parts=False, names="names: [liver, lesion, ignore]")
    labels = tmp_path / "set/labels"
    for one, line in zip(drawn, (_turned(30, 30, 20), _turned(0, 20, 14), "", _turned(77, 25, 18)), strict=True):
        (labels / f"{one.name}.txt").write_text(line)
    with pytest.raises(InputError, match="boxes of four corners") as caught:
        load(tmp_path / "set")
    assert str(caught.value.path).endswith("a.txt")
    assert "YOLO segments" in caught.value.remedy
    (labels / "b.txt").write_text("1 0.3 0.3 0.7 0.35 0.6 0.7 0.35 0.6")
    assert len(load(tmp_path / "set")) == 4


@pytest.mark.parametrize("form", ["nnunet", "coco"])
@pytest.mark.parametrize("name", ["busi_train", "BUSI_train"])
def test_pictures_that_come_to_one_name_are_not_exported(tmp_path: Path, form: str, name: str) -> None:
    one, other, *_ = written.sources()
    written.plain(tmp_path / "BUSI", [replace(one, name="train_001")])
    written.plain(tmp_path / name, [replace(other, name="001")])
    pictures = [*load(tmp_path / "BUSI"), *load(tmp_path / name)]
    with pytest.raises(InputError, match="would both be called") as caught:
        export_pictures(pictures, tmp_path / "out", form)
    assert caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_a_row_of_a_table_means_the_picture_of_its_folder(tmp_path: Path) -> None:
    one, other, *_ = written.sources()
    root = tmp_path / "set"
    written.labelme(root, [replace(one, name="7"), replace(other, name="b_7")], "polygon")
    written.labelme(root, [replace(other, name="9")], "polygon")
    (root / "groups.csv").write_text("picture,group,class\nb/7.png,p1,k1\n7.png,p2,k2\n")
    assert {item.name: item.kind for item in load(root)} == {"7": "k2", "b_7": "k1", "9": ""}


def test_masks_of_busi_may_hold_what_is_to_be_ignored(tmp_path: Path) -> None:
    """Also the liver, and each lesion's own name, as `dataset.json` says."""
    drawn = [one for one in written.sources() if one.lesions]
    written.busi(tmp_path, drawn)
    one = drawn[-1]
    written.save(tmp_path / f"benign/benign ({len(drawn)})_mask.png", written.values_of(one))
    for path in (tmp_path / "benign").glob("*_mask*.png"):
        values = np.asarray(Image.open(path))
        written.save(path, np.where(values == 255, 2, values).astype(np.uint8))
    names = {"background": 0, "liver": 1, "cyst": 2, "ignore": 3}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": names}))
    found = {item.name: item for item in load(tmp_path)}
    assert all(item.ignored is None for item in found.values() if item.name != f"benign ({len(drawn)})")
    item = found[f"benign ({len(drawn)})"]
    np.testing.assert_array_equal(item.labels > 0, one.lesion)
    np.testing.assert_array_equal(item.ignored, one.ignored)
    np.testing.assert_array_equal(item.liver, one.liver | one.lesion)
    assert item.classes == ("cyst",)


def test_where_a_layout_has_no_place_for_what_is_to_be_ignored_it_is_refused(tmp_path: Path) -> None:
    """It was taken for background, or as the only shape for a lesion."""
    drawn = written.sources()
    for labels in (("lesion", "ignore"), ("ignore",)):
        written.aul(tmp_path / "aul", drawn)
        shapes = [shape for label in labels for shape in written.labelme_shapes(label, drawn[0].lesion, "polygon", 0)]
        (tmp_path / "aul/Benign/segmentation/mass/a.json").write_text(json.dumps({"shapes": shapes}))
        with pytest.raises(InputError, match="called 'ignore'") as refused:
            load(tmp_path / "aul")
        assert "LabelMe" in refused.value.remedy
