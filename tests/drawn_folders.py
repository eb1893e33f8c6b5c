"""Data folders of every kind, written from known masks by code that shares nothing with the readers."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.bool_]
ROWS, COLUMNS = 64, 88
NONE = np.zeros((ROWS, COLUMNS), dtype=bool)


@dataclass(frozen=True)
class Drawn:
    """A picture and what was drawn on it before anything was written."""

    name: str
    image: NDArray[np.uint8]
    lesions: tuple[Mask, ...]
    liver: Mask
    ignored: Mask

    @property
    def lesion(self) -> Mask:
        return np.any([NONE, *self.lesions], axis=0)


def box(top: int, left: int, rows: int, columns: int) -> Mask:
    mask = NONE.copy()
    mask[top : top + rows, left : left + columns] = True
    return mask


def disc(row: int, column: int, radius: float) -> Mask:
    r, c = np.mgrid[:ROWS, :COLUMNS]
    return (r - row) ** 2 + (c - column) ** 2 <= radius**2


def sources() -> list[Drawn]:
    """A concave lesion at the rim, two that touch, none, and one in a liver beside pixels that nobody judged."""
    rng = np.random.default_rng(4)

    def image() -> NDArray[np.uint8]:
        return rng.integers(20, 230, (ROWS, COLUMNS)).astype(np.uint8)

    concave = box(0, 5, 20, 24) & ~box(6, 14, 14, 6)
    left, right = disc(30, 30, 9), disc(30, 46, 8) & ~disc(30, 30, 9)
    return [
        Drawn("a", image(), (concave,), NONE, NONE),
        Drawn("b", image(), (left, right), NONE, NONE),
        Drawn("c", image(), (), NONE, NONE),
        Drawn("d", image(), (disc(40, 50, 10.4),), disc(38, 44, 23), disc(10, 74, 6)),
    ]


def corners(mask: Mask) -> list[list[tuple[int, int]]]:
    """Polygons of (x, y) along the borders of pixels: what is inside of them is the mask, by any rule."""
    follows: dict[tuple[int, int], list[tuple[int, int]]] = {}
    padded = np.pad(mask, 1)
    for row, column in np.argwhere(mask):
        y, x = int(row), int(column)
        for side, start, end in (
            (padded[y, x + 1], (x, y), (x + 1, y)),
            (padded[y + 1, x + 2], (x + 1, y), (x + 1, y + 1)),
            (padded[y + 2, x + 1], (x + 1, y + 1), (x, y + 1)),
            (padded[y + 1, x], (x, y + 1), (x, y)),
        ):
            if not side:
                follows.setdefault(start, []).append(end)
    polygons = []
    while follows:
        start = next(iter(follows))
        line = [start]
        while line[-1] != start or len(line) == 1:
            ways = follows[line[-1]]
            line.append(ways.pop())
            if not ways:
                del follows[line[-2]]
        polygons.append(line[:-1])
    return polygons


def save(path: Path, values: NDArray[Any], **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)


def palette(path: Path, values: NDArray[np.uint8], colours: dict[int, tuple[int, int, int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = Image.fromarray(values, mode="P")
    flat = [0] * 768
    for place, colour in colours.items():
        flat[3 * place : 3 * place + 3] = colour
    stored.putpalette(flat)
    stored.save(path)


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def index(root: Path, drawn: Sequence[Drawn], name: str = "index.csv") -> None:
    write_text(root / name, "id,group\n" + "".join(f"{one.name},patient {one.name}\n" for one in drawn))


def plain(
    root: Path,
    drawn: Sequence[Drawn],
    folders: tuple[str, str] = ("images", "masks"),
    suffixes: tuple[str, str] = (".png", ".png"),
    **options: Any,
) -> None:
    for one in drawn:
        save(root / folders[0] / f"{one.name}{suffixes[0]}", one.image)
        save(root / folders[1] / f"{one.name}{suffixes[1]}", (one.lesion * 255).astype(np.uint8), **options)
    index(root, drawn)


def values_of(one: Drawn, lesion: int = 2, liver: int = 1, ignored: int = 3) -> NDArray[np.uint8]:
    values = np.zeros((ROWS, COLUMNS), np.uint8)
    values[one.liver] = liver
    values[one.ignored] = ignored
    values[one.lesion] = lesion
    return values


def volume(path: Path, values: NDArray[Any], origin: tuple[float, ...] = (0.0, 0.0, 0.0)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = sitk.GetImageFromArray(values)
    made.SetSpacing((0.2, 0.3, 1.0)[: made.GetDimension()])
    made.SetOrigin(origin[: made.GetDimension()])
    sitk.WriteImage(made, str(path))


def nifti_2(path: Path, values: NDArray[Any]) -> None:
    """By the published header alone: nifti2.h."""
    header = bytearray(540)
    struct.pack_into("<i8s2h", header, 0, 540, b"n+2\0\r\n\x1a\n", 2, 8)
    struct.pack_into("<8q", header, 16, 3, values.shape[2], values.shape[1], values.shape[0], 1, 1, 1, 1)
    struct.pack_into("<8d", header, 104, 1, 0.2, 0.3, 1, 0, 0, 0, 0)
    struct.pack_into("<q2d", header, 168, 544, 1.0, 0.0)
    struct.pack_into("<2i", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, -0.2, 0, 0, 0, 0, -0.3, 0, 0, 0, 0, 1, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(header) + bytes(4) + values.astype(np.uint8).tobytes())


def volumes(root: Path, drawn: Sequence[Drawn], suffix: str, labels: str = "labels") -> None:
    for one in drawn:
        volume(root / "images" / f"{one.name}{suffix}", one.image[None])
        volume(root / labels / f"{one.name}{suffix}", one.lesion.astype(np.uint8)[None])


def nnunet(root: Path, drawn: Sequence[Drawn], suffix: str, names: dict[str, Any]) -> None:
    for one in drawn:
        for folder, called, values in (
            ("imagesTr", f"{one.name}_0000", one.image),
            ("labelsTr", one.name, values_of(one)),
        ):
            path = root / folder / f"{called}{suffix}"
            if suffix in (".png", ".bmp", ".tif"):
                save(path, values)
            else:
                volume(path, values[None])
    write_text(root / "dataset.json", json.dumps({"labels": names, "numTraining": len(drawn), "file_ending": suffix}))


def slicer(path: Path, layers: Sequence[NDArray[np.uint8]], names: Sequence[tuple[str, int, int]], **cut: int) -> None:
    """A .seg.nrrd as 3D Slicer writes it: (name, layer, value) of each segment; ``cut`` is its top and left."""
    top, left = cut.get("top", 0), cut.get("left", 0)
    parts = [np.ascontiguousarray(layer[None, top:, left:]) for layer in layers]
    slices, rows, columns = parts[0].shape
    several = len(parts) > 1
    texts = "".join(
        f"Segment{number}_ID:=Segment_{number + 1}\nSegment{number}_Name:={name}\n"
        f"Segment{number}_LabelValue:={value}\nSegment{number}_Layer:={layer}\n"
        for number, (name, layer, value) in enumerate(names)
    )
    header = (
        "NRRD0004\n# Complete NRRD file format specification at:\n# http://teem.sourceforge.net/nrrd/format.html\n"
        f"type: unsigned char\ndimension: {4 if several else 3}\nspace: left-posterior-superior\n"
        f"sizes: {f'{len(parts)} ' if several else ''}{columns} {rows} {slices}\n"
        f"space directions: {'none ' if several else ''}(0.2,0,0) (0,0.3,0) (0,0,1)\n"
        f"kinds: {'list ' if several else ''}domain domain domain\nencoding: raw\n"
        f"space origin: ({left * 0.2},{top * 0.3},0)\nSegmentation_MasterRepresentation:=Binary labelmap\n{texts}\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode() + np.stack(parts, axis=-1).tobytes())


def coco_content(
    drawn: Sequence[Drawn], form: str, names: Sequence[str] = ("liver", "lesion", "ignore")
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "images": [
            {"id": 7 + n, "file_name": f"{one.name}.png", "height": ROWS, "width": COLUMNS}
            for n, one in enumerate(drawn)
        ],
        "categories": [{"id": 10 + number, "name": name} for number, name in enumerate(names)],
        "annotations": [],
    }
    for number, one in enumerate(drawn):
        for category, masks in ((10, [one.liver]), (11, one.lesions), (12, [one.ignored])):
            for mask in masks:
                if mask.any():
                    found["annotations"].append(
                        {
                            "id": len(found["annotations"]), "image_id": 7 + number, "category_id": category,
                            "iscrowd": 0, "segmentation": segmentation(mask, form), "bbox": [0, 0, 1, 1],
                        }
                    )  # fmt: skip
    return found


def segmentation(mask: Mask, form: str) -> Any:
    if form == "polygon":
        return [[float(value) for point in polygon for value in point] for polygon in corners(mask)]
    counts, last, run = [], False, 0
    for value in mask.T.ravel().tolist():
        if value != last:
            counts.append(run)
            last, run = value, 0
        run += 1
    counts.append(run)
    if form == "counts":
        return {"size": [ROWS, COLUMNS], "counts": counts}
    from pycocotools import mask as tools

    packed = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [ROWS, COLUMNS], "counts": packed["counts"].decode("ascii")}


def coco(
    root: Path, drawn: Sequence[Drawn], form: str, home: str = "images", name: str = "annotations/all.json"
) -> None:
    for one in drawn:
        save(root / home / f"{one.name}.png", one.image)
    write_text(root / name, json.dumps(coco_content(drawn, form)))


def labelme(root: Path, drawn: Sequence[Drawn], kind: str) -> None:
    for one in drawn:
        save(root / f"{one.name}.png", one.image)
        shapes = []
        for label, masks in (("liver", [one.liver]), ("lesion", one.lesions), ("ignore", [one.ignored])):
            for mask in masks:
                if mask.any():
                    shapes += labelme_shapes(label, mask, kind, len(shapes))
        content = {
            "version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": f"{one.name}.png", "imageData": None,
            "imageHeight": ROWS, "imageWidth": COLUMNS,
        }  # fmt: skip
        write_text(root / f"{one.name}.json", json.dumps(content))


def labelme_shapes(label: str, mask: Mask, kind: str, group: int) -> list[dict[str, Any]]:
    if kind == "polygon":
        return [
            {"label": label, "points": polygon, "group_id": group, "shape_type": "polygon", "flags": {}, "mask": None}
            for polygon in corners(mask)
        ]
    rows, columns = np.nonzero(mask)
    top, left, bottom, right = int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max())
    buffer = io.BytesIO()
    Image.fromarray(mask[top : bottom + 1, left : right + 1]).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    ends = [[left, top], [right, bottom]]
    return [{"label": label, "points": ends, "group_id": None, "shape_type": "mask", "flags": {}, "mask": text}]


def cvat(root: Path, drawn: Sequence[Drawn], kind: str) -> None:
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "<version>1.1</version>"]
    for number, one in enumerate(drawn):
        save(root / "images" / f"{one.name}.png", one.image)
        lines.append(f'<image id="{number}" name="{one.name}.png" width="{COLUMNS}" height="{ROWS}">')
        for label, masks in (("liver", [one.liver]), ("lesion", one.lesions), ("ignore", [one.ignored])):
            for mask in masks:
                lines += cvat_shapes(label, mask, kind) if mask.any() else []
        lines.append("</image>")
    write_text(root / "annotations.xml", "\n".join([*lines, "</annotations>"]))


def cvat_shapes(label: str, mask: Mask, kind: str) -> list[str]:
    if kind == "polygon":
        (polygon,) = corners(mask)
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in polygon)
        return [
            f'<polygon label={quoteattr(label)} source="manual" occluded="0" points="{points}" z_order="0"></polygon>'
        ]
    rows, columns = np.nonzero(mask)
    top, left, bottom, right = int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max())
    counts, last, run = [], False, 0
    for value in mask[top : bottom + 1, left : right + 1].ravel().tolist():
        if value != last:
            counts.append(run)
            last, run = value, 0
        run += 1
    counts.append(run)
    lengths = ", ".join(map(str, counts))
    place = f'left="{left}" top="{top}" width="{right - left + 1}" height="{bottom - top + 1}"'
    return [f'<mask label={quoteattr(label)} source="manual" occluded="0" rle="{lengths}" {place} z_order="0"></mask>']


VOC_COLOURS = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 255: (224, 224, 192)}


def voc(root: Path, drawn: Sequence[Drawn], *, labelmap: bool, objects: bool) -> None:
    for one in drawn:
        save(root / "JPEGImages" / f"{one.name}.png", one.image)
        values = values_of(one, liver=1 if labelmap else 0, lesion=2 if labelmap else 1, ignored=255)
        palette(root / "SegmentationClass" / f"{one.name}.png", values, VOC_COLOURS)
        if objects:
            places = np.zeros((ROWS, COLUMNS), np.uint8)
            for number, mask in enumerate(one.lesions, start=1):
                places[mask] = number
            palette(root / "SegmentationObject" / f"{one.name}.png", places, VOC_COLOURS)
    names = [one.name for one in drawn]
    write_text(root / "ImageSets/Segmentation/train.txt", "\n".join(names[:2]) + "\n")
    write_text(root / "ImageSets/Segmentation/val.txt", "\n".join(names[2:]) + "\n")
    if labelmap:
        lines = ["# label:color_rgb:parts:actions", "background:0,0,0::", "liver:128,0,0::", "lesion:0,128,0::"]
        write_text(root / "labelmap.txt", "\n".join([*lines, "ignored:224,224,192::"]) + "\n")


def yolo(root: Path, drawn: Sequence[Drawn], *, parts: bool, names: str) -> None:
    for number, one in enumerate(drawn):
        part = ("train" if number < 2 else "val") if parts else ""
        save(root / "images" / part / f"{one.name}.png", one.image)
        lines = []
        for label, masks in ((0, [one.liver]), (1, one.lesions), (2, [one.ignored])):
            for mask in masks:
                for polygon in corners(mask):
                    shares = " ".join(f"{x / COLUMNS:.9f} {y / ROWS:.9f}" for x, y in polygon)
                    lines.append(f"{label} {shares}")
        write_text(root / "labels" / part / f"{one.name}.txt", "\n".join(lines))
    write_text(root / "data.yaml", f"path: ../somewhere\ntrain: images/train\nval: images/val\nnc: 3\n{names}\n")


def aul(root: Path, drawn: Sequence[Drawn]) -> None:
    for number, one in enumerate(drawn):
        home = root / ("Normal" if not one.lesions else "Benign" if number < 2 else "Malignant")
        save(home / "image" / f"{one.name}.png", one.image)
        for part, masks in (("mass", one.lesions), ("liver", [one.liver])):
            polygons = [polygon for mask in masks for polygon in corners(mask)]
            if polygons:
                write_text(home / "segmentation" / part / f"{one.name}.json", json.dumps(polygons))
        write_text(home / "segmentation/outline" / f"{one.name}.json", "[]")


def busi(root: Path, drawn: Sequence[Drawn]) -> None:
    for number, one in enumerate(drawn, start=1):
        kind = "normal" if not one.lesions else "benign"
        stem = f"{kind} ({number})"
        save(root / kind / f"{stem}.png", one.image)
        for place, mask in enumerate(one.lesions or (NONE,)):
            called = f"{stem}_mask{f'_{place}' if place else ''}.png"
            save(root / kind / called, (mask * 255).astype(np.uint8))
