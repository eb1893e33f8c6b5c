"""Data folders of more than 40 kinds: the same lesions to the pixel as were drawn, or a refusal that helps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import drawn_folders as written
from drawn_folders import COLUMNS, NONE, ROWS, Drawn
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import Picture, layout_of, load, load_all

NAMES = {"background": 0, "liver": 1, "lesion": 2, "ignore": 3}
NAMES_1 = {"0": "background", "1": "liver", "2": "lesion", "3": "ignore"}

Write = Callable[[Path, Sequence[Drawn]], object]


def _plain_with(change: Callable[[Path, Drawn], object]) -> Write:
    def write(root: Path, drawn: Sequence[Drawn]) -> None:
        written.plain(root, drawn)
        for one in drawn:
            change(root / "masks" / f"{one.name}.png", one)

    return write


def _named(root: Path, drawn: Sequence[Drawn]) -> None:
    _plain_with(lambda path, one: written.save(path, written.values_of(one)))(root, drawn)
    (root / "dataset.json").write_text(json.dumps({"labels": NAMES}))


def _sixteen_bits(root: Path, drawn: Sequence[Drawn]) -> None:
    written.plain(root, drawn)
    for one in drawn:
        written.save(root / "images" / f"{one.name}.png", one.image.astype(np.uint16))


def _splits(root: Path, drawn: Sequence[Drawn]) -> None:
    written.nnunet(root, drawn, ".nii.gz", NAMES)
    folds = [{"train": ["c", "d"], "val": ["a", "b"]}, {"train": ["a", "b"], "val": ["c", "d"]}]
    (root / "splits_final.json").write_text(json.dumps(folds))


def _decathlon(root: Path, drawn: Sequence[Drawn]) -> None:
    written.nnunet(root, drawn, ".nii.gz", NAMES_1)
    for one in drawn:
        (root / "imagesTr" / f"{one.name}_0000.nii.gz").rename(root / "imagesTr" / f"{one.name}.nii.gz")


def _nifti_2(root: Path, drawn: Sequence[Drawn]) -> None:
    for one in drawn:
        written.nifti_2(root / "images" / f"{one.name}.nii", one.image[None])
        written.nifti_2(root / "masks" / f"{one.name}.nii", one.lesion[None])


def _stack(root: Path, drawn: Sequence[Drawn]) -> None:
    written.volume(root / "images" / "all.nii.gz", np.stack([one.image for one in drawn]))
    written.volume(root / "masks" / "all.nii.gz", np.stack([one.lesion for one in drawn]).astype(np.uint8))


def _slicer(root: Path, drawn: Sequence[Drawn], **cut: int) -> None:
    for one in drawn:
        written.volume(root / "images" / f"{one.name}.nrrd", one.image[None])
        names = [("liver", 0, 1), ("lesion", 0, 2), ("ignore", 0, 3)]
        written.slicer(root / "labels" / f"{one.name}.seg.nrrd", [written.values_of(one)], names, **cut)


def _slicer_layers(root: Path, drawn: Sequence[Drawn]) -> None:
    for one in drawn:
        written.volume(root / "images" / f"{one.name}.nrrd", one.image[None])
        lesions = [*one.lesions, NONE, NONE][:2]
        layers = [one.liver + 2 * one.ignored, *lesions]
        names = [("liver", 0, 1), ("ignore", 0, 2), ("lesion 1", 1, 1), ("lesion 2", 2, 1)]
        written.slicer(root / "labels" / f"{one.name}.seg.nrrd", [np.asarray(each, np.uint8) for each in layers], names)


def _roboflow(root: Path, drawn: Sequence[Drawn]) -> None:
    for part, some in (("train", drawn[:2]), ("valid", drawn[2:])):
        written.coco(root, some, "polygon", part, f"{part}/_annotations.coco.json")


def _crowd(root: Path, drawn: Sequence[Drawn]) -> None:
    written.coco(root, drawn, "polygon")
    content = written.coco_content(drawn, "polygon")
    for one in content["annotations"]:
        if one["category_id"] == 12:
            one.update(category_id=11, iscrowd=1)
    (root / "annotations/all.json").write_text(json.dumps(content))


def _labelme_in_folders(root: Path, drawn: Sequence[Drawn]) -> None:
    written.labelme(root / "x", drawn[:2], "polygon")
    written.labelme(root / "y", drawn[2:], "polygon")


def _links(root: Path, drawn: Sequence[Drawn]) -> None:
    written.plain(root, drawn)
    store = root / "annex"
    store.mkdir()
    for part in ("images", "masks"):
        for path in sorted((root / part).iterdir()):
            target = store / f"{part}-{path.name}"
            path.rename(target)
            path.symlink_to(target)


VOC_PALETTE = {0: (0, 0, 0), 1: (128, 0, 0)}
FOLDERS: dict[str, tuple[str, Write]] = {
    "plain": ("plain", written.plain),
    "letter case": ("plain", lambda r, d: written.plain(r, d, ("Images", "MASKS"), (".PNG", ".Png"))),
    "image and mask": ("plain", lambda r, d: written.plain(r, d, ("image", "mask"))),
    "images and labels": ("plain", lambda r, d: written.plain(r, d, ("images", "labels"))),
    "TIFF masks": ("plain", lambda r, d: written.plain(r, d, suffixes=(".png", ".tif"))),
    "packed TIFF": (
        "plain", lambda r, d: written.plain(r, d, suffixes=(".tiff", ".tiff"), compression="tiff_deflate")
    ),
    "BMP": ("plain", lambda r, d: written.plain(r, d, suffixes=(".bmp", ".bmp"))),
    "JPEG masks": ("plain", lambda r, d: written.plain(r, d, suffixes=(".png", ".jpg"), quality=95)),
    "16-bit images": ("plain", _sixteen_bits),
    "one bit": ("plain", _plain_with(lambda p, one: written.save(p, one.lesion))),
    "palette": ("plain", _plain_with(lambda p, one: written.palette(p, one.lesion.astype(np.uint8), VOC_PALETTE))),
    "red on black": (
        "plain",
        _plain_with(lambda p, one: written.save(p, one.lesion[..., None] * np.array([200, 0, 0], np.uint8))),
    ),
    "named values": ("plain", _named),
    "links inside": ("plain", _links),
    "nnU-Net 2 PNG": ("volumes", lambda r, d: written.nnunet(r, d, ".png", NAMES)),
    "nnU-Net 2 TIFF": ("volumes", lambda r, d: written.nnunet(r, d, ".tif", NAMES)),
    "nnU-Net 2 BMP": ("volumes", lambda r, d: written.nnunet(r, d, ".bmp", NAMES)),
    "nnU-Net 2 with folds": ("volumes", _splits),
    "nnU-Net 1": ("volumes", lambda r, d: written.nnunet(r, d, ".nii.gz", NAMES_1)),
    "nnU-Net regions": (
        "volumes", lambda r, d: written.nnunet(r, d, ".nii.gz", {**NAMES, "liver": [1, 2]})
    ),
    "Decathlon": ("volumes", _decathlon),
    "NIfTI pairs": ("volumes", lambda r, d: written.volumes(r, d, ".nii.gz")),
    "NIfTI-2 pairs": ("volumes", _nifti_2),
    "NRRD pairs": ("volumes", lambda r, d: written.volumes(r, d, ".nrrd", "masks")),
    "MetaImage pairs": ("volumes", lambda r, d: written.volumes(r, d, ".mha")),
    "3D Slicer": ("volumes", _slicer),
    "3D Slicer, layers": ("volumes", _slicer_layers),
    "COCO polygons": ("COCO", lambda r, d: written.coco(r, d, "polygon")),
    "COCO run lengths": ("COCO", lambda r, d: written.coco(r, d, "counts")),
    "COCO packed run lengths": ("COCO", lambda r, d: written.coco(r, d, "packed")),
    "COCO beside the images": ("COCO", lambda r, d: written.coco(r, d, "polygon", ".", "result.json")),
    "COCO by parts": ("COCO", _roboflow),
    "COCO crowds": ("COCO", _crowd),
    "LabelMe polygons": ("LabelMe", lambda r, d: written.labelme(r, d, "polygon")),
    "LabelMe masks": ("LabelMe", lambda r, d: written.labelme(r, d, "mask")),
    "LabelMe in folders": ("LabelMe", _labelme_in_folders),
    "CVAT polygons": ("CVAT", lambda r, d: written.cvat(r, d, "polygon")),
    "CVAT masks": ("CVAT", lambda r, d: written.cvat(r, d, "mask")),
    "VOC": ("VOC", lambda r, d: written.voc(r, d, labelmap=False, objects=False)),
    "VOC by colours and objects": ("VOC", lambda r, d: written.voc(r, d, labelmap=True, objects=True)),
    "YOLO": ("YOLO", lambda r, d: written.yolo(r, d, parts=False, names="names: [liver, lesion, ignore]")),
    "YOLO by parts": (
        "YOLO", lambda r, d: written.yolo(r, d, parts=True, names="names:\n  0: liver\n  1: lesion\n  2: ignore")
    ),
    "AUL": ("AUL", written.aul),
    "BUSI": ("BUSI", written.busi),
    "stack of slices": ("volumes", _stack),
}  # fmt: skip

APART = ("COCO", "LabelMe", "CVAT", "VOC by", "YOLO", "AUL", "BUSI", "3D Slicer, layers")
"""Folders that keep lesions one by one."""
IGNORING = ("named", "nnU-Net", "Decathlon", "3D", "COCO", "LabelMe", "CVAT", "VOC", "YOLO")
WITH_LIVER = (*IGNORING[:-2], "VOC by", "YOLO", "AUL")


def same(found: Sequence[Picture], drawn: Sequence[Drawn], name: str) -> None:
    """Whether every picture has the pixels that were drawn, no more and no fewer."""
    assert len(found) == len(drawn)
    by_image = {item.image.tobytes(): item for item in found}
    for one in drawn:
        item = by_image[one.image.tobytes()]
        np.testing.assert_array_equal(item.labels > 0, one.lesion)
        if name.startswith(APART):
            assert len(item.axes) == len(one.lesions)
            for mask in one.lesions:
                (label,) = np.unique(item.labels[mask])
                np.testing.assert_array_equal(item.labels == label, mask)
        ignored = one.ignored if name.startswith(IGNORING) else NONE
        np.testing.assert_array_equal(NONE if item.ignored is None else item.ignored, ignored)
        liver = one.liver if name.startswith(WITH_LIVER) else NONE
        if "regions" in name:
            liver = one.liver | one.lesion  # the liver is said to be both values
        np.testing.assert_array_equal(NONE if item.liver is None else item.liver, liver)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_gives_what_was_drawn(tmp_path: Path, name: str) -> None:
    if "packed run" in name:
        pytest.importorskip("pycocotools")
    drawn, (layout, write) = written.sources(), FOLDERS[name]
    write(tmp_path / "set", drawn)
    assert layout_of(tmp_path / "set").name == layout
    told: list[str] = []
    same(load_all([tmp_path / "set"], say=told.append), drawn, name)
    assert sum(" lesion" in sentence for sentence in told) == 1, "what was taken for lesions is told, once"


def test_there_are_forty_kinds() -> None:
    assert len(FOLDERS) >= 40


@pytest.mark.parametrize("cut", [{"top": 0, "left": 5}])
def test_a_segmentation_on_a_part_of_the_grid_is_put_in_its_place(tmp_path: Path, cut: dict[str, int]) -> None:
    drawn = written.sources()
    _slicer(tmp_path / "set", drawn, **cut)
    same(load(tmp_path / "set"), drawn, "3D")


def test_sources_are_what_they_seem() -> None:
    """Two lesions touch, so that only folders which keep them one by one can tell them apart."""
    touching = written.sources()[1]
    assert (touching.lesions[0][:, :-1] & touching.lesions[1][:, 1:]).any()
    assert all(one.image.shape == (ROWS, COLUMNS) for one in written.sources())
    (polygon,) = written.corners(written.box(3, 2, 4, 6))
    assert set(polygon) >= {(2, 3), (8, 3), (8, 7), (2, 7)}


def _in_folders(name: str, root: Path, drawn: Sequence[Drawn]) -> None:
    """A set whose pictures lie in train2017/ and val2017/, which nothing else states."""
    FOLDERS[{"COCO": "COCO polygons", "LabelMe": "LabelMe polygons", "CVAT": "CVAT polygons"}[name]][1](root, drawn)
    for number, one in enumerate(drawn):
        folder = root / "images" / ("train2017" if number < 2 else "val2017")
        folder.mkdir(parents=True, exist_ok=True)
        for path in root.rglob(f"{one.name}.*"):
            path.rename(folder / path.name)


YOLO_PARTS: dict[str, tuple[str, list[str]]] = {
    "folders": ("train: ../one\nval: images/two", ["train", "train", "val", "val"]),
    "the folders of another machine": (
        "train: C:\\data\\liver\\images\\one\nval: /data/images/two",
        ["train", "train", "val", "val"],
    ),
    "several folders": ("train: [images/one, images/two]\ntest:", ["", "", "", ""]),
    "lists": ("train: first.txt\nvalidation: ./images/two", ["train", "", "val", "val"]),
    "one for both": ("train: images/one\nval: images/one", ["", "", "", ""]),
    "test is not there": ("train: images/one\nval: images/two\ntest: ../test/images", ["train", "train", "val", "val"]),
    "all is elsewhere": ("train: coco/train\nval: coco/val", ["", "", "", ""]),
}


def _yolo_with(root: Path, drawn: Sequence[Drawn], parts: str) -> None:
    written.yolo(root, drawn, parts=True, names="names: [liver, lesion, ignore]")
    for home in ("images", "labels"):
        (root / home / "train").rename(root / home / "one")
        (root / home / "val").rename(root / home / "two")
    (root / "first.txt").write_text(f"./images/one/{drawn[0].name}.png\n")
    (root / "data.yaml").write_text(f"{parts}\nnames: [liver, lesion, ignore]\n")


@pytest.mark.parametrize("name", YOLO_PARTS)
def test_a_split_that_data_yaml_states_is_kept(tmp_path: Path, name: str) -> None:
    drawn = written.sources()
    parts, expected = YOLO_PARTS[name]
    _yolo_with(tmp_path, drawn, parts)
    splits = {item.image.tobytes(): item.split for item in load(tmp_path)}
    assert [splits[one.image.tobytes()] for one in drawn] == expected


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("train: images/on\nval: images/two", "states train as 'images/on', which is not there"),
        ("train: images\nval: images/two", "states 'c.png' as train and as val"),
        ("train: 3\nval: images/two", "Its train is no path"),
        ("train: first.txt\nval: images/one", "as train and as val"),
    ],
)
def test_a_split_that_data_yaml_cannot_mean_is_refused(tmp_path: Path, parts: str, said: str) -> None:
    _yolo_with(tmp_path, written.sources(), parts)
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        load(tmp_path)
    assert refused.value.remedy


def test_what_is_stated_is_told(tmp_path: Path) -> None:
    drawn, told = written.sources(), list[str]()
    _yolo_with(tmp_path / "yolo", drawn, YOLO_PARTS["lists"][0])
    _splits(tmp_path / "folds", drawn)
    (tmp_path / "folds/imagesTs").mkdir()
    written.volume(tmp_path / "folds/imagesTs/z_0000.nii.gz", drawn[0].image[None])
    load_all([tmp_path / "yolo", tmp_path / "folds"], say=told.append)
    assert "yolo: a split is stated, 1 train, 2 val; 1 in no part are learnt from." in told
    assert "folds: 2 folds are stated, of 2, 2 pictures." in told
    assert "folds: 1 pictures in imagesTs/ have no labels and are not read." in told


def test_splits_and_folds_that_a_set_states_are_kept(tmp_path: Path) -> None:
    drawn = written.sources()
    for name, expected in (
        ("COCO by parts", ["train", "train", "val", "val"]),
        ("VOC", ["train", "train", "val", "val"]),
        ("YOLO by parts", ["train", "train", "val", "val"]),
        ("YOLO", ["", "", "", ""]),
    ):
        FOLDERS[name][1](tmp_path / name, drawn)
        splits = {item.image.tobytes(): item.split for item in load(tmp_path / name)}
        assert [splits[one.image.tobytes()] for one in drawn] == expected
    for name in ("COCO", "LabelMe", "CVAT"):
        _in_folders(name, tmp_path / name, drawn)
        found = load(tmp_path / name)
        splits = {item.image.tobytes(): item.split for item in found}
        assert [splits[one.image.tobytes()] for one in drawn] == ["train", "train", "val", "val"], name
    _splits(tmp_path / "folds", drawn)
    assert {item.name: item.fold for item in load(tmp_path / "folds")} == {"a": 0, "b": 0, "c": 1, "d": 1}


@pytest.mark.parametrize(
    "name", ["COCO polygons", "LabelMe polygons", "CVAT masks", "VOC", "YOLO", "AUL", "nnU-Net 2 PNG"]
)
def test_a_table_states_groups_splits_and_strata_in_every_layout(tmp_path: Path, name: str) -> None:
    drawn, root = written.sources(), tmp_path / "set"
    FOLDERS[name][1](root, drawn)
    called = [item.name for item in load(root)]
    rows = [f"{each},p{n % 2},k{n},{'val' if n else 'train'},{n},probe {n % 2}" for n, each in enumerate(called)]
    (root / "index.csv").write_text("\n".join(["id,group,class,split,fold,stratum", *rows]))
    found = load(root)
    assert [item.group for item in found] == [f"set/p{n % 2}" for n in range(4)]
    assert [item.kind for item in found] == [f"k{n}" for n in range(4)]
    assert [item.split for item in found] == ["train", "val", "val", "val"]
    assert [item.fold for item in found] == [0, 1, 2, 3]
    assert [item.stratum for item in found] == [f"probe {n % 2}" for n in range(4)]


def test_the_writer_of_masks_is_not_the_reader(tmp_path: Path) -> None:
    """What Pillow reads back of a palette file is the places that were meant."""
    written.voc(tmp_path, written.sources(), labelmap=True, objects=False)
    with Image.open(tmp_path / "SegmentationClass/d.png") as image:
        assert image.mode == "P"
        assert set(np.unique(np.asarray(image)).tolist()) == {0, 1, 2, 255}
        assert image.size == (COLUMNS, ROWS)
