"""Layout of LabelMe: for each picture a JSON file of its name, with shapes that have labels.

Points count from the corner of the first pixel. Polygons, rectangles, circles and masks are areas; shapes that share a
label and a group number are one thing.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.image import masks
from lesion_measure.lab.datasets.annotations.finding import files_below, names_of, read_json
from lesion_measure.lab.datasets.files import PICTURE_SUFFIXES, bad, composed, files_by_stem
from lesion_measure.lab.datasets.outlines import Annotated, Shape, Shown, in_parts, pictures_of, polygons_drawn
from lesion_measure.lab.datasets.pictures import Picture, union
from lesion_measure.lab.datasets.polygons import points_of
from lesion_measure.lab.datasets.scheme import Asked

EXPECTED = "NAME.json of LabelMe (shapes, imagePath) beside each NAME.png or .jpg"
_KEYS = (b'"shapes"', b'"imagePath"')
_LOOKED_AT = 5
_LOOKED_AT_BYTES = 1 << 16
_CIRCLE_POINTS = 720
_DEEP = 2

Draw = Callable[[Shape], NDArray[np.bool_]]


def fits(folder: Path) -> bool:
    """Whether one of the first JSON files is LabelMe's."""
    for path, _ in zip(files_below(folder, (".json",), _DEEP), range(_LOOKED_AT), strict=False):
        if path.is_file():
            with path.open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(0)
                head = stream.read(_LOOKED_AT_BYTES)
                stream.seek(max(size - _LOOKED_AT_BYTES, 0))
                if all(key in head + stream.read() for key in _KEYS):
                    return True
    return False


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every picture with its JSON file; one without shapes is lesion-free. Folders may state a split.

    Raises
    ------
    InputError
        A picture has no JSON file or the other way round, a shape is no area, or it cannot be told which labels are
        lesions.
    """
    bound, found = asked.bound(folder), list[tuple[Path, Path]]()
    for home in sorted({path.parent for path in files_below(folder, (".json", *PICTURE_SUFFIXES), _DEEP)}):
        outlines, pictures = (files_by_stem(bound, home, each) for each in ((".json",), PICTURE_SUFFIXES))
        if lonely := sorted(outlines.keys() - pictures.keys()):
            raise bad("There is no picture of this name beside it.", outlines[lonely[0]], "Put the picture there.")
        if lonely := sorted(pictures.keys() - outlines.keys()):
            raise bad(
                "There is no JSON file of this name beside the picture, so nobody said that it has no lesion.",
                pictures[lonely[0]],
                "Save it in LabelMe without shapes if it is free of lesions, or take it out.",
            )
        own = [(pictures[stem], outlines[stem]) for stem in sorted(pictures)]
        for path, outline in own:
            _check_meant(path, outline, pictures, bound)
        found += own
    called = names_of(folder, [path for path, _ in found])
    items = [_annotated(called[path], path, own, bound) for path, own in found]
    return pictures_of(in_parts(items, folder, name, asked), name, asked)


def _check_meant(path: Path, outline: Path, pictures: Mapping[str, Path], bound: Path) -> None:
    """Raise InputError where the JSON file beside a picture names another one that lies there, too.

    LabelMe itself shows the picture that the file names. A name that is not there is that of a pair that was renamed.
    """
    content = read_json(outline, bound)
    named = content.get("imagePath") if isinstance(content, dict) else None
    last = composed(re.split(r"[/\\]", named)[-1]) if isinstance(named, str) else ""
    if last != composed(path.name) and last in {composed(each.name) for each in pictures.values()}:
        raise bad(
            f"It says that it outlines {last}, and is called as {path.name}.",
            outline,
            f"Rename it to {Path(last).stem}.json, or write the right imagePath into it.",
        )


def _annotated(name: str, path: Path, outline: Path, bound: Path) -> Annotated:
    content = read_json(outline, bound)
    shapes = content.get("shapes") if isinstance(content, dict) else None
    if not isinstance(shapes, list) or not all(isinstance(one, dict) for one in shapes):
        raise bad("The file has no list of shapes.", outline, "Save it anew in LabelMe.")
    sides = content.get("imageHeight"), content.get("imageWidth")
    stated = (sides[0], sides[1]) if all(isinstance(side, int) for side in sides) else None
    item = Annotated(name, path, outline, stated)
    grouped: dict[tuple[str, Any], list[Draw]] = {}
    for number, one in enumerate(shapes):
        label = one.get("label")
        if not isinstance(label, str) or not label:
            raise bad("A shape has no label.", outline, "Give each shape a label in LabelMe.")
        group = one.get("group_id")
        key = label, (number if not isinstance(group, int | str) else f"group {group}")
        grouped.setdefault(key, []).append(_drawn(one, label, outline))
    item.shown.extend(Shown(label, _together(draws)) for (label, _), draws in grouped.items())
    return item


def _together(draws: Sequence[Draw]) -> Draw:
    def draw(shape: Shape) -> NDArray[np.bool_]:
        together = union(each(shape) for each in draws)
        return np.zeros(shape, dtype=bool) if together is None else together

    return draw


def _drawn(one: dict[str, Any], label: str, path: Path) -> Draw:
    """How to draw one shape.

    Raises
    ------
    InputError
        It is no area.
    """
    kind, points = one.get("shape_type", "polygon"), one.get("points")
    ends = np.array(points, dtype=np.float64) if _are_two(points) else None
    if kind == "mask" and ends is not None:
        return _mask(one.get("mask"), ends, path)
    if kind == "rectangle" and ends is not None:
        (left, top), (right, bottom) = ends.tolist()
        points = [[left, top], [right, top], [right, bottom], [left, bottom]]
    elif kind == "circle" and ends is not None:
        turn = np.linspace(0, 2 * math.pi, _CIRCLE_POINTS, endpoint=False)
        rim = np.stack([np.cos(turn), np.sin(turn)], axis=1) * math.dist(*ends)
        points = (ends[0] + rim).tolist()
    elif kind not in ("polygon", None):
        raise bad(f"A shape '{label}' is a {kind}, not an area.", path, "Draw it as a polygon.")
    return polygons_drawn([points_of(points, path)], path)


def _are_two(points: Any) -> bool:
    return (
        isinstance(points, list)
        and len(points) == 2
        and all(isinstance(p, list) and len(p) == 2 and all(isinstance(v, int | float) for v in p) for p in points)
    )


def _mask(text: Any, ends: NDArray[np.float64], path: Path) -> Draw:
    """How to draw LabelMe's mask: a PNG in base64, of the box between its two points."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(str(text), validate=True)), formats=("PNG",)) as image:
            if max(image.size) > masks.MAX_SIDE_PX:
                raise bad("A mask is too large.", path)
            stored = np.asarray(image.convert("L")) > 0
    except (binascii.Error, *masks.PILLOW_ERRORS) as error:
        raise bad("A mask in the file cannot be read.", path, "Save it anew in LabelMe.") from error
    left, top = (int(value) for value in np.rint(ends.min(axis=0)))

    def draw(shape: Shape) -> NDArray[np.bool_]:
        rows, columns = stored.shape
        if left < 0 or top < 0 or top + rows > shape[0] or left + columns > shape[1]:
            raise bad("A mask lies outside of its picture.", path, "Save it anew in LabelMe.")
        whole = np.zeros(shape, dtype=bool)
        whole[top : top + rows, left : left + columns] = stored
        return whole

    return draw
