"""Folders of no layout: the format is named, or the nearest layout and the first thing that differs, and what helps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import drawn_folders as written
from drawn_folders import Drawn
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import load

Write = Callable[[Path, Sequence[Drawn]], object]


def _pictures(root: Path, drawn: Sequence[Drawn], home: str = "images") -> None:
    for one in drawn:
        written.save(root / home / f"{one.name}.png", one.image)


def _with_file(name: str, content: str | bytes, home: str | None = "images") -> Write:
    def write(root: Path, drawn: Sequence[Drawn]) -> None:
        root.mkdir(parents=True)
        if home is not None:
            _pictures(root, drawn, home)
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def _without(part: str, write: Write) -> Write:
    def change(root: Path, drawn: Sequence[Drawn]) -> None:
        write(root, drawn)
        (root / part).rename(root.parent / f"taken from {root.name}")

    return change


def _arrays(root: Path, drawn: Sequence[Drawn]) -> None:
    for one in drawn:
        for part, values in (("images", one.image), ("masks", one.lesion)):
            (root / part).mkdir(parents=True, exist_ok=True)
            np.save(root / part / f"{one.name}.npy", values)


def _raw(root: Path, drawn: Sequence[Drawn]) -> None:
    for one in drawn:
        written.volume(root / "images" / f"{one.name}.mhd", one.image[None])
        written.volume(root / "labels" / f"{one.name}.mhd", one.lesion[None].astype(np.uint8))


def _yolo(root: Path, drawn: Sequence[Drawn]) -> None:
    written.yolo(root, drawn, parts=False, names="names: [liver, lesion, ignore]")


VIA = json.dumps({"a.png123": {"filename": "a.png", "regions": [], "file_attributes": {}}})
LABEL_STUDIO = json.dumps([{"annotations": [{"result": [{"original_width": 88, "type": "brushlabels"}]}]}])
SUPERVISELY = json.dumps({"size": {}, "objects": [{"classTitle": "lesion", "bitmap": {}}]})
GEO = json.dumps({"type": "FeatureCollection", "features": []})
BOXES = "<annotation><object><name>lesion</name><bndbox><xmin>1</xmin></bndbox></object></annotation>"
KAGGLE = "ImageId,EncodedPixels\na.png,1 3 10 5\n"

REFUSED: dict[str, tuple[Write, str, str]] = {
    "NumPy": (_arrays, "arrays of NumPy", "Save images and masks as PNG"),
    "MetaImage in two files": (_raw, "MetaImage with the voxels in a file of their own", ".mha"),
    "MATLAB": (_with_file("data.mat", b"MATLAB", None), "files of MATLAB", "PNG"),
    "HDF5": (_with_file("data.h5", b"\x89HDF", None), "HDF5", "PNG"),
    "pickle": (_with_file("data.pkl", b"\x80\x04.", None), "pickle, which can run code and is never read", "PNG"),
    "archive": (_with_file("data.zip", b"PK", None), "archives", "Unpack"),
    "video": (_with_file("cine.mp4", b"ftyp", None), "videos", "frames"),
    "Analyze": (_with_file("v.hdr", b"x", None), "Analyze", ".nii.gz"),
    "VIA": (_with_file("via.json", VIA), "VGG Image Annotator", "COCO"),
    "Label Studio": (_with_file("project.json", LABEL_STUDIO), "Label Studio", "COCO"),
    "Supervisely": (_with_file("ann/a.png.json", SUPERVISELY, "img"), "Supervisely", "COCO"),
    "Labelbox": (_with_file("export.ndjson", '{"data_row": {}}'), "Labelbox", "COCO"),
    "QuPath": (_with_file("a.geojson", GEO), "QuPath", "COCO"),
    "VOC boxes": (_with_file("Annotations/a.xml", BOXES, "JPEGImages"), "boxes of Pascal VOC", "outlines"),
    "Kaggle": (_with_file("train.csv", KAGGLE), "run lengths in a table", "PNG"),
    "YOLO boxes": (
        lambda r, d: (_yolo(r, d), (r / "labels/a.txt").write_text("1 0.5 0.5 0.2 0.2")), "is a box", "YOLO segments"
    ),
    "plain without masks": (
        _without("masks", written.plain), r"nearest layout is plain.*no folder masks/", "Put the masks into masks/"
    ),
    "plain without index": (_without("index.csv", written.plain), r"no index\.csv", "Write one with the columns id"),
    "nnU-Net without labels": (
        _without("labelsTr", lambda r, d: written.nnunet(r, d, ".png", {"background": 0, "lesion": 2})),
        r"nearest layout is nnU-Net.*no labelsTr/", "labelsTr"
    ),
    "VOC without masks": (
        _without("SegmentationClass", lambda r, d: written.voc(r, d, labelmap=False, objects=False)),
        r"nearest layout is VOC.*no SegmentationClass/", "masks of classes"
    ),
    "YOLO without labels": (_without("labels", _yolo), "nearest layout is (YOLO|plain)", "labels|masks"),
    "COCO without categories": (
        _with_file("all.json", json.dumps({"images": [], "annotations": []})), "COCO.*no categories", "Export"
    ),
    "captions": (
        _with_file("all.json", json.dumps({"images": [], "categories": []})), "COCO.*no annotations", "segmentations"
    ),
    "LabelMe without imagePath": (
        _with_file("a.json", json.dumps({"shapes": []}), "."), "nearest layout is LabelMe.*no imagePath", "LabelMe"
    ),
    "BUSI without masks": (
        lambda r, d: _pictures(r, d, "benign"), "nearest layout is (BUSI|AUL)", "Unpack"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_the_format_or_what_differs(tmp_path: Path, name: str) -> None:
    write, said, remedy = REFUSED[name]
    write(tmp_path / "set", written.sources())
    with pytest.raises(InputError, match=said) as caught:
        load(tmp_path / "set")
    assert re.search(remedy, caught.value.remedy)
    assert str(tmp_path / "set") in str(caught.value.path)
