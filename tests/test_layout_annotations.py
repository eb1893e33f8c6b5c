"""What annotation files say: run lengths against counts by hand and pycocotools; damaged and hostile files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import drawn_folders as written
from drawn_folders import COLUMNS, ROWS
from lesion_measure.cli import app
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import load, picture
from lesion_measure.lab.datasets.annotations import rle
from lesion_measure.lab.evaluation.peers import read_masks
from lesion_measure.lab.evaluation.worth import read_pool

BY_HAND = np.array([[0, 1, 1, 0], [0, 1, 0, 0], [1, 1, 0, 1]], dtype=bool)


def test_run_lengths_are_those_counted_by_hand() -> None:
    """Column by column 001 111 100 001; row by row 0110 0100 1101."""
    assert rle.run_lengths(BY_HAND, by_columns=True) == [2, 5, 4, 1]
    assert rle.run_lengths(BY_HAND, by_columns=False) == [1, 2, 2, 1, 2, 2, 1, 1]
    np.testing.assert_array_equal(rle.decoded([2, 5, 4, 1], (3, 4), by_columns=True), BY_HAND)
    np.testing.assert_array_equal(rle.decoded([1, 2, 2, 1, 2, 2, 1, 1], (3, 4), by_columns=False), BY_HAND)
    assert rle.run_lengths(~BY_HAND, by_columns=True) == [0, 2, 5, 4, 1]


def test_packed_text_is_that_of_its_definition() -> None:
    """2 and 5 are one character each, 100 is 4 + 32 * 3; from the fourth on differences count: 4 - 5 = -1."""
    assert rle.packed([2, 5, 100, 4]) == "25" + chr(48 + 4 + 32) + chr(48 + 3) + chr(48 + 31)
    assert rle.unpacked(rle.packed([2, 5, 100, 4])) == [2, 5, 100, 4]


def test_packed_text_is_that_of_pycocotools() -> None:
    tools = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(2)
    for size in ((1, 1), (7, 5), (64, 88), (300, 200)):
        for share in (0.0, 0.02, 0.5, 0.98, 1.0):
            mask = rng.random(size) < share
            text = tools.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode("ascii")
            assert rle.packed(rle.run_lengths(mask, by_columns=True)) == text
            np.testing.assert_array_equal(rle.decoded(rle.unpacked(text), size, by_columns=True), mask)


@pytest.mark.parametrize("counts", [[3], [13], [2, 5, 4, 2], [2, 5, -4, 9], [2.0, 5, 4, 1], [True, 6, 4, 1], []])
def test_run_lengths_that_do_not_fill_their_mask_are_refused(counts: list[Any]) -> None:
    with pytest.raises(ValueError, match="run lengths"):
        rle.decoded(counts, (3, 4), by_columns=True)


@pytest.mark.parametrize("text", ["P", "2P", "\x00", "é", "o" * 40, "PPPPPPPPPPPPPPPP"])
def test_packed_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"damaged|cut off"):
        rle.unpacked(text)


def _coco(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    drawn = written.sources()
    written.coco(root, drawn, "counts")
    content = written.coco_content(drawn, "counts")
    change(content)
    (root / "annotations/all.json").write_text(json.dumps(content))


def _of(content: dict[str, Any], **changes: Any) -> None:
    content["annotations"][0].update(changes)


COCO = {
    "box": (lambda c: _of(c, segmentation=[]), "no outline"),
    "no segmentation": (lambda c: c["annotations"][0].pop("segmentation"), "no outline"),
    "odd polygon": (lambda c: _of(c, segmentation=[[1, 1, 30, 1, 30]]), "no list of x, y"),
    "words": (lambda c: _of(c, segmentation=[["1", "1", "30", "1", "30", "9"]]), "no list of points"),
    "a line": (lambda c: _of(c, segmentation=[[1, 1, 30, 1]]), "fewer than three points"),
    "outside": (lambda c: _of(c, segmentation=[[500, 1, 530, 1, 530, 30]]), "outside its picture"),
    "other size": (lambda c: _of(c, segmentation={"size": [4, 4], "counts": [16]}), "another size"),
    "short runs": (lambda c: _of(c, segmentation={"size": [ROWS, COLUMNS], "counts": [16]}), "do not fill"),
    "huge runs": (lambda c: _of(c, segmentation={"size": [ROWS, COLUMNS], "counts": [10**15]}), "do not fill"),
    "no category": (lambda c: _of(c, category_id=99), "category that the file does not list"),
    "no image": (lambda c: _of(c, image_id=99), "image that the file does not list"),
    "twice": (lambda c: c["images"].append({**c["images"][0], "id": 50}), "there twice"),
    "same id": (lambda c: c["images"].append(c["images"][0]), "no id of its own"),
    "other picture": (lambda c: c["images"][0].update(height=70), "another size than a.png"),
    "missing": (lambda c: c["images"][0].update(file_name="z.png"), "'z.png', which is not there"),
    "climbs": (lambda c: c["images"][0].update(file_name="../a.png"), "no name"),
    "open name": (lambda c: c["categories"][1].update(name="thing"), "Is 'thing' a lesion"),
    "no list": (lambda c: c.update(images={}), "no list of images"),
}


@pytest.mark.parametrize("name", COCO)
def test_broken_coco_files_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    change, said = COCO[name]
    _coco(tmp_path / "set", change)
    with pytest.raises(InputError, match=said) as caught:
        load(tmp_path / "set")
    assert caught.value.path
    assert caught.value.remedy or name in ("outside", "words")


def test_an_absolute_name_is_looked_for_below_the_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(b"")
    _coco(tmp_path / "set", lambda c: c["images"][0].update(file_name=str(tmp_path / "outside.png")))
    with pytest.raises(InputError, match="is not there"):
        load(tmp_path / "set")
    _coco(tmp_path / "set", lambda c: c["images"][0].update(file_name="/home/annotator/images/a.png"))
    assert len(load(tmp_path / "set")) == 4


def test_a_category_that_is_listed_and_not_used_may_have_any_name(tmp_path: Path) -> None:
    _coco(tmp_path / "set", lambda c: c["categories"].append({"id": 0, "name": "objects-x7"}))
    assert sum(len(item.axes) for item in load(tmp_path / "set")) == 4
    (tmp_path / "free").mkdir()
    _coco(tmp_path / "free", lambda c: c.update(annotations=[]))
    assert not any(item.axes for item in load(tmp_path / "free"))


def test_lesions_keep_their_labels_as_classes(tmp_path: Path) -> None:
    def two(content: dict[str, Any]) -> None:
        content["categories"].append({"id": 20, "name": "hepatic cyst"})
        content["annotations"][2]["category_id"] = 20

    _coco(tmp_path / "set", two)
    assert [item.classes for item in load(tmp_path / "set")] == [
        ("lesion",),
        ("lesion", "hepatic cyst"),
        (),
        ("lesion",),
    ]
    assert [len(item.axes) for item in load(tmp_path / "set", lesion_labels=["hepatic cyst"])] == [0, 1, 0, 0]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
XML = {
    "entities": (lambda t: t.replace("<annotations>", f"{BOMB}<annotations>&b;", 1), "declares a document type"),
    "a file": (lambda t: t.replace("<annotations>", f"{OUTSIDE}<annotations>&a;", 1), "declares a document type"),
    "cut off": (lambda t: t[: len(t) // 2], "is no XML"),
    "UTF-16": (lambda t: t.encode("utf-16").decode("latin-1"), None),
    "a line": (lambda t: t.replace("<polygon", "<polyline").replace("</polygon", "</polyline"), "is a polyline"),
    "words": (lambda t: t.replace('points="', 'points="one,two;'), "where a number is"),
    "no picture": (lambda t: t.replace('name="a.png"', 'name="z.png"'), "'z.png', which is not there"),
    "other size": (lambda t: t.replace(f'height="{ROWS}"', 'height="70"'), "has 70 x 88"),
    "no label": (lambda t: t.replace('label="lesion"', ""), "no label"),
    "video": (lambda t: t.replace("<version>", '<track id="0"></track><version>'), "CVAT for video"),
}


@pytest.mark.parametrize("name", XML)
def test_broken_cvat_files_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    written.cvat(tmp_path / "set", written.sources(), "polygon")
    path, (change, said) = tmp_path / "set/annotations.xml", XML[name]
    path.write_text(change(path.read_text()), encoding="utf-8")
    with pytest.raises(InputError, match=said or "nearest layout") as caught:
        load(tmp_path / "set")
    assert caught.value.remedy


def test_a_mask_of_cvat_that_leaves_its_picture_is_refused(tmp_path: Path) -> None:
    written.cvat(tmp_path / "set", written.sources(), "mask")
    path = tmp_path / "set/annotations.xml"
    whole = path.read_text()
    for change, said in ((('left="', 'left="9'), "outside"), (('rle="', 'rle="7, '), "do not fill")):
        path.write_text(whole.replace(*change))
        with pytest.raises(InputError, match=said):
            load(tmp_path / "set")


def _labelme(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    written.labelme(root, written.sources(), "polygon")
    path = root / "a.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


LABELME: dict[str, tuple[Callable[[dict[str, Any]], object], str | None]] = {
    "line": (lambda c: c["shapes"][0].update(shape_type="line"), "is a line, not an area"),
    "point": (lambda c: c["shapes"][0].update(shape_type="point"), "is a point, not an area"),
    "no label": (lambda c: c["shapes"][0].update(label=""), "no label"),
    "no shapes": (lambda c: c.update(shapes=None), "no list of shapes"),
    "other size": (lambda c: c.update(imageWidth=COLUMNS + 1), "has 64 x 89"),
    "damaged mask": (
        lambda c: c["shapes"][0].update(shape_type="mask", points=[[1, 1], [9, 9]], mask="AAAA"), "cannot be read"
    ),
    "three corners of a rectangle": (
        lambda c: c["shapes"][0].update(shape_type="rectangle", points=[[1, 1], [9, 9], [1, 9]]), "is a rectangle"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LABELME)
def test_broken_labelme_files_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    change, said = LABELME[name]
    _labelme(tmp_path, change)
    with pytest.raises(InputError, match=said):
        load(tmp_path)


def test_a_file_of_labelme_that_names_another_picture_is_refused(tmp_path: Path) -> None:
    """LabelMe shows the picture that its file names; one that was renamed with its picture names none that is there."""
    _labelme(tmp_path, lambda c: c.update(imagePath="..\\\\other\\\\b.png"))
    with pytest.raises(InputError, match=r"outlines b\.png, and is called as a\.png") as refused:
        load(tmp_path)
    assert "Rename it to b.json" in refused.value.remedy
    for named in ("../other/old.png", "folder/a.png", None):
        _labelme(tmp_path, lambda c, named=named: c.update(imagePath=named))  # type: ignore[misc]
        np.testing.assert_array_equal(load(tmp_path)[0].labels > 0, written.sources()[0].lesion)


def test_rectangles_and_circles_of_labelme_are_areas(tmp_path: Path) -> None:
    _labelme(tmp_path, lambda c: c["shapes"][0].update(shape_type="rectangle", points=[[10, 5], [40, 25]]))
    found = load(tmp_path)[0].labels > 0
    np.testing.assert_array_equal(found, written.box(5, 10, 20, 30))
    _labelme(tmp_path, lambda c: c["shapes"][0].update(shape_type="circle", points=[[30.5, 20.5], [41.0, 20.5]]))
    np.testing.assert_array_equal(load(tmp_path)[0].labels > 0, written.disc(20, 30, 10.5))


def test_a_picture_that_nobody_looked_at_is_not_lesion_free(tmp_path: Path) -> None:
    written.labelme(tmp_path / "labelme", written.sources(), "polygon")
    (tmp_path / "labelme/c.json").unlink()
    with pytest.raises(InputError, match="nobody said that it has no lesion"):
        load(tmp_path / "labelme")
    written.yolo(tmp_path / "yolo", written.sources(), parts=False, names="names: [liver, lesion, ignore]")
    (tmp_path / "yolo/labels/c.txt").unlink()
    with pytest.raises(InputError, match="nobody said that it has no lesion"):
        load(tmp_path / "yolo")


YOLO = {
    "a box": ("1 0.5 0.5 0.2 0.2", "is a box"),
    "pixels": ("1 10 10 30 10 30 30", "no share"),
    "odd": ("1 0.1 0.1 0.3 0.1 0.3 0.3 0.2", "x and y"),
    "no class": ("9 0.1 0.1 0.3 0.1 0.3 0.3", "names no class '9'"),
    "words": ("lesion 0.1 0.1 0.3 0.1 0.3 0.3", "names no class 'lesion'"),
    "not a number": ("1 nan 0.1 0.3 0.1 0.3 0.3", "no share"),
}


@pytest.mark.parametrize("name", YOLO)
def test_broken_yolo_files_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    written.yolo(tmp_path, written.sources(), parts=False, names="names: [liver, lesion, ignore]")
    line, said = YOLO[name]
    (tmp_path / "labels/a.txt").write_text(line)
    with pytest.raises(InputError, match=said) as caught:
        load(tmp_path)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "names: 3", "train: x", "names: [lesion", "!!python/object/apply:os.system [ls]"])
def test_yolo_without_names_is_refused(tmp_path: Path, text: str) -> None:
    written.yolo(tmp_path, written.sources(), parts=False, names="")
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(InputError, match=r"names of the classes|no YAML"):
        load(tmp_path)


def test_voc_folders_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    drawn = written.sources()
    lists = tmp_path / "set/ImageSets/Segmentation"
    for change, said in (
        (lambda: (lists / "val.txt").write_text("a\nc\nd\n"), "'a' stands in train and in val"),
        (lambda: (lists / "val.txt").write_text("c\nz\n"), "no 'z' in JPEGImages"),
        (lambda: (tmp_path / "set/labelmap.txt").write_text("lesion:0,0\n"), "no colour"),
        (lambda: (tmp_path / "set/labelmap.txt").write_text("liver:128,0,0::\nlesion:1,1,1::\n"), "hold #008000"),
    ):
        written.voc(tmp_path / "set", drawn, labelmap=True, objects=False)
        change()
        with pytest.raises(InputError, match=said):
            load(tmp_path / "set")


def test_a_grey_mask_of_small_values_and_255_is_not_cut_at_half(tmp_path: Path) -> None:
    """Lesion 1 and rim 255 in one grey file: cut at half the rim would be the lesion."""
    written.plain(tmp_path, written.sources())
    values = np.zeros((ROWS, COLUMNS), np.uint8)
    values[written.disc(30, 40, 14)] = 255
    values[written.disc(30, 40, 11)] = 1
    written.save(tmp_path / "masks/a.png", values)
    with pytest.raises(InputError, match="which is the lesion"):
        load(tmp_path)


def test_masks_and_pools_may_be_links_as_data_are(tmp_path: Path) -> None:
    drawn = written.sources()
    for part, stored in (("peer", drawn[0].lesion), ("pool", drawn[1].image)):
        written.save(tmp_path / "project/store" / f"{part}.png", stored)
        (tmp_path / "project" / part).mkdir()
        (tmp_path / "project" / part / "a.png").symlink_to(tmp_path / "project/store" / f"{part}.png")
    item = picture("a", "set", "set/a", drawn[0].image, drawn[0].lesion)
    masks, pool, project = tmp_path / "project/peer", tmp_path / "project/pool", tmp_path / "project"
    for links in (None, masks, tmp_path / "project/store"):
        with pytest.raises(InputError, match="leads out"):
            read_masks(masks, [item], links=links)
    with pytest.raises(InputError, match="--links-within"):
        read_pool([pool], [item])
    np.testing.assert_array_equal(read_masks(masks, [item], links=project).masks[0], drawn[0].lesion)
    np.testing.assert_array_equal(read_pool([pool], [item], links=project)[0].image, drawn[1].image)


def test_a_link_out_of_the_data_folder_needs_a_root_that_holds_it(tmp_path: Path) -> None:
    written.coco(tmp_path / "project/set", written.sources(), "polygon")
    picture, kept = tmp_path / "project/set/images/a.png", tmp_path / "project/store/a.png"
    kept.parent.mkdir()
    picture.rename(kept)
    picture.symlink_to(kept)
    with pytest.raises(InputError, match="leads out of the data folder"):
        load(tmp_path / "project/set")
    assert len(load(tmp_path / "project/set", links=tmp_path / "project")) == 4
    with pytest.raises(InputError, match="leads out"):
        load(tmp_path / "project/set", links=tmp_path / "project/set")
    with pytest.raises(InputError, match="not in"):
        load(tmp_path / "project/set", links=tmp_path / "project/store")


@pytest.mark.parametrize("command", ["data", "evaluate", "card", "train"])
def test_every_command_that_reads_data_takes_the_root(tmp_path: Path, command: str) -> None:
    """And hands it on: one that is not around the data is refused by what reads them."""
    written.coco(tmp_path / "project/set", written.sources(), "polygon")
    out = [] if command == "card" else ["-o", str(tmp_path / "out")]
    words = [command, str(tmp_path / "project/set"), *out, "--links-within", str(tmp_path / "project/set/images")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "not in the folder that links may lead to" in done.stderr
