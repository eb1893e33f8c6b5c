"""Layout of 'CVAT for images': an XML file that lists images with polygons, masks, boxes and ellipses.

https://docs.cvat.ai/docs/manual/advanced/formats/format-cvat/. Points count from the corner of the first pixel. A mask
is kept as run lengths by rows of its box.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from lesion_measure.files.reading import open_regular, parse_xml, read_regular
from lesion_measure.lab.datasets.annotations import rle
from lesion_measure.lab.datasets.annotations.finding import Pictures, files_below, names_of
from lesion_measure.lab.datasets.files import bad, regular
from lesion_measure.lab.datasets.outlines import Annotated, Shape, Shown, in_parts, pictures_of, polygons_drawn
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.polygons import points_of
from lesion_measure.lab.datasets.scheme import Asked
from lesion_measure.lab.datasets.stated import split_called

EXPECTED = "annotations.xml of 'CVAT for images' and the images"
MAX_XML_BYTES = 100_000_000
_LOOKED_AT_BYTES = 1 << 16
_ELLIPSE_POINTS = 720
_NO_AREAS = ("polyline", "points", "cuboid", "skeleton")
_DEEP = 1


def fits(folder: Path) -> bool:
    """Whether there is an XML file that begins as CVAT's do."""
    return next(_files(folder), None) is not None


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every image that the XML files list; one without shapes is lesion-free. Subsets, or folders, state a split.

    Raises
    ------
    InputError
        A file is damaged, names a picture that is not there, or a shape is no area.
    """
    bound = asked.bound(folder)
    pictures = Pictures(folder, bound)
    found: list[tuple[Path, Path, Element]] = []
    for path in _files(folder):
        root = _root(path, bound)
        if root.find("track") is not None:
            raise bad("It is 'CVAT for video'.", path, "Export the task as 'CVAT for images' or COCO.")
        found += [(path, pictures.called(image.get("name", ""), path), image) for image in root.iter("image")]
    called = names_of(folder, list(dict.fromkeys(picture for _, picture, _ in found)))
    if unused := pictures.unused():
        asked.tell(f"{name}: {unused} pictures that no XML file lists are not read.")
    items = [_annotated(called[place], place, image, path) for path, place, image in found]
    return pictures_of(in_parts(items, folder, name, asked), name, asked)


def _files(folder: Path) -> Iterator[Path]:
    for path in files_below(folder, (".xml",), _DEEP):
        try:
            with open_regular(path) as stream:
                head = stream.read(_LOOKED_AT_BYTES)
        except OSError:
            continue  # reading reports it by name, if the folder is CVAT's
        if b"<annotations" in head:
            yield path


def _root(path: Path, bound: Path) -> Element:
    try:
        return parse_xml(read_regular(regular(bound, path), MAX_XML_BYTES))
    except OSError as error:
        raise bad(f"The file cannot be read ({error.strerror}).", path) from error
    except ValueError as error:
        raise bad(f"The XML file is not read: {error}.", path, "Export it anew from CVAT.") from error


def _annotated(name: str, place: Path, image: Element, path: Path) -> Annotated:
    sides = image.get("height", ""), image.get("width", "")
    shape = (int(sides[0]), int(sides[1])) if all(re.fullmatch(r"\d{1,5}", side) for side in sides) else None
    item = Annotated(name, place, path, shape, split=split_called(image.get("subset", "")))
    for one in image:
        if one.tag in _NO_AREAS:
            what = f"A shape '{one.get('label')}' of {name} is a {one.tag}, not an area."
            raise bad(what, path, "Draw it as a polygon or mask, or take it out.")
        if one.tag in ("polygon", "box", "ellipse", "mask"):
            label = one.get("label", "")
            if not label:
                raise bad(f"A shape of {name} has no label.", path, "Export it anew from CVAT.")
            item.shown.append(_mask(one, label, path) if one.tag == "mask" else _outline(one, label, path))
    return item


def _outline(one: Element, label: str, path: Path) -> Shown:
    if one.tag == "polygon":
        points = [[_number(word, path) for word in pair.split(",")] for pair in one.get("points", "").split(";")]
    elif one.tag == "box":
        if _number(one.get("rotation", "0"), path):
            raise bad(f"A box '{label}' is turned.", path, "Draw it as a polygon.")
        left, top, right, bottom = (_number(one.get(side, ""), path) for side in ("xtl", "ytl", "xbr", "ybr"))
        points = [[left, top], [right, top], [right, bottom], [left, bottom]]
    else:
        x, y, half_x, half_y, turned = (
            _number(one.get(each, "0" if each == "rotation" else ""), path)
            for each in ("cx", "cy", "rx", "ry", "rotation")
        )
        angle = np.linspace(0, 2 * math.pi, _ELLIPSE_POINTS, endpoint=False)
        along, across = half_x * np.cos(angle), half_y * np.sin(angle)
        cosine, sine = math.cos(math.radians(turned)), math.sin(math.radians(turned))
        points = np.stack([x + along * cosine - across * sine, y + along * sine + across * cosine], axis=1).tolist()
    return Shown(label, polygons_drawn([points_of(points, path)], path))


def _mask(one: Element, label: str, path: Path) -> Shown:
    left, top, width, height = (int(_number(one.get(each, ""), path)) for each in ("left", "top", "width", "height"))
    words = one.get("rle", "").replace(",", " ").split()
    if not all(re.fullmatch(r"\d{1,9}", word) for word in words):
        raise bad(f"The mask '{label}' is damaged.", path, "Export it anew from CVAT.")
    counts = list(map(int, words))

    def draw(shape: Shape) -> NDArray[np.bool_]:
        if min(left, top) < 0 or min(width, height) < 1 or top + height > shape[0] or left + width > shape[1]:
            raise bad(f"The mask '{label}' lies outside of its picture.", path, "Export it anew from CVAT.")
        whole = np.zeros(shape, dtype=bool)
        try:
            box = rle.decoded(counts, (height, width), by_columns=False)
        except ValueError as error:
            raise bad(f"The mask '{label}' is damaged: {error}.", path, "Export it anew from CVAT.") from error
        whole[top : top + height, left : left + width] = box
        return whole

    return Shown(label, draw)


def _number(word: str, path: Path) -> float:
    if not re.fullmatch(r"-?\d{1,6}(\.\d{1,20})?(e-?\d{1,2})?", word.strip()):
        raise bad(f"It holds '{word[:40]}' where a number is.", path, "Export it anew from CVAT.")
    return float(word)
