"""Outlines as polygons: read from JSON, filled into masks.

A polygon's points are (x, y): x counts columns, y rows, and (x, y) is the centre of the pixel in row y and column x,
as it is where an annotator's click is stored as the pixel that was clicked. A pixel is inside where its centre is;
of centres that lie exactly on the outline, those on left and upper sides belong to it and those on right and lower
ones do not. So two polygons with a common side share no pixel, and the number of pixels is the polygon's area on
average: counting every pixel on the outline would add half a pixel all around, counting none would take it away.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.objects.vocabulary import Meaning, meaning_of
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.scheme import Asked, lesions_among

MAX_JSON_BYTES = 5_000_000
_KEYS = ("points", "polygon", "polygons", "shapes")
_AREAS = ("polygon", "rectangle")
_LEAST_INSIDE = 0.5
_LEAST_AREA_PX = 1.0

Points = NDArray[np.float64]


def read_polygons(path: Path, asked: Asked | None = None, shape: tuple[int, int] | None = None) -> list[Points]:
    """The polygons of a JSON file, each (n, 2) of (x, y); none where it holds an empty list.

    Read are a list of [x, y] points (one polygon), a list of such lists, and an object that holds either under
    "points", "polygon", "polygons" or "shapes" (as labelme writes), or a list of such objects. With ``asked``, the
    shapes whose label is a lesion's are read alone; a file whose shapes have no label, or one that is not known, is of
    lesions. ``shape`` (rows, columns) is that of the picture.

    Raises
    ------
    InputError
        The file is no JSON of that kind, or a polygon has fewer than three points or no area; it holds lines or points
        beside areas, is of a picture of another size, or it cannot be told which labels are lesions.
    """
    try:
        content = parse_json(read_regular(path, MAX_JSON_BYTES))
        if isinstance(content, dict):
            _check_stated_size(content, shape, path)
            content = _chosen(content, asked, path)
        found = _polygons(content)
    except OSError as error:
        raise bad(f"The outline file cannot be read ({error.strerror}).", path) from error
    except (ValueError, RecursionError) as error:
        raise bad("The outline file holds no list of points.", path, "Expected [[x, y], [x, y], ...].") from error
    for points in found:
        _check_area(points, path)
    return found


def points_of(content: Any, path: Path) -> Points:
    """One polygon (n, 2) from parsed [[x, y], ...].

    Raises
    ------
    InputError
        It is something else, has fewer than three points or no area.
    """
    if not isinstance(content, list) or not all(_is_point(item) for item in content):
        raise bad("An outline is no list of points.", path, "Export it anew.")
    points = np.array(content, dtype=np.float64).reshape(-1, 2)
    _check_area(points, path)
    return points


def _check_area(points: Points, path: Path) -> None:
    if len(points) < 3 or abs(_area(points)) < _LEAST_AREA_PX:
        raise bad("An outline has fewer than three points or no area.", path, "Draw it anew.")


def filled(points: Points, shape: tuple[int, int], path: Path) -> NDArray[np.bool_]:
    """The mask (rows, columns) of one polygon, concave or self-crossing ones too (non-zero winding).

    Raises
    ------
    InputError
        Less than half of it lies in the picture: it belongs to another one, or to one of another size.
    """
    mask = np.zeros(shape, dtype=bool)
    x0, y0 = points.T
    x1, y1 = np.roll(points, -1, axis=0).T
    first, last = max(math.ceil(y0.min()), 0), min(math.floor(y0.max()), shape[0] - 1)
    for row in range(first, last + 1):
        crossing = (y0 <= row) != (y1 <= row)
        a, b, c, d = x0[crossing], y0[crossing], x1[crossing], y1[crossing]
        places = a + (row - b) * (c - a) / (d - b)
        order = np.argsort(places, kind="stable")
        winding = np.cumsum(np.where(d > b, 1, -1)[order])
        edges = np.clip(np.ceil(places[order]), 0, shape[1]).astype(int)
        for inside, (start, stop) in zip(winding[:-1], pairwise(edges), strict=True):
            if inside:
                mask[row, start:stop] = True
    if mask.sum() < _LEAST_INSIDE * abs(_area(points)):
        raise bad("An outline lies mostly outside its picture.", path, "Check that it was drawn on this picture.")
    return mask


def _check_stated_size(content: dict[str, Any], shape: tuple[int, int] | None, path: Path) -> None:
    """Raise InputError where labelme's file is of a picture of another size than this one's."""
    stated = content.get("imageHeight"), content.get("imageWidth")
    if shape is not None and any(own is not None and own != its for own, its in zip(stated, shape, strict=True)):
        raise bad(
            f"The outline is of a picture of {stated[0]} x {stated[1]} pixels, this one has {shape[0]} x {shape[1]}.",
            path,
            "Draw it on this picture, or put the picture there that it was drawn on.",
        )


def _chosen(content: dict[str, Any], asked: Asked | None, path: Path) -> dict[str, Any]:
    """labelme's file with the areas of lesions alone; whatever is no area is refused."""
    shapes = content.get("shapes")
    if not isinstance(shapes, list) or not all(isinstance(one, dict) for one in shapes):
        return content
    labels = list(dict.fromkeys(one["label"] for one in shapes if isinstance(one.get("label"), str)))
    if unjudged := [label for label in labels if meaning_of(label) is Meaning.IGNORE]:
        raise bad(
            f"A shape is called '{unjudged[0]}', and this layout has no place for pixels that do not count.",
            path,
            "Put pictures and JSON files side by side in one folder (LabelMe), or take the shape out.",
        )
    wanted = set(labels)
    if asked is not None and (len(labels) > 1 or any(meaning_of(label) is Meaning.OTHER for label in labels)):
        wanted = lesions_among(labels, asked, path)
    elif asked is not None:
        asked.among(labels)
    chosen = [one for one in shapes if not isinstance(one.get("label"), str) or one["label"] in wanted]
    for one in chosen:
        kind = one.get("shape_type", "polygon")
        if kind not in _AREAS:
            raise bad(f"A shape '{one.get('label')}' is a {kind}, not an area.", path, "Draw it as a polygon.")
    return content | {"shapes": chosen}


def _corners(points: Any) -> Any:
    """The four corners of labelme's rectangle, which stores two."""
    if not isinstance(points, list) or len(points) != 2 or not all(_is_point(point) for point in points):
        return points
    (left, top), (right, bottom) = points
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _polygons(content: Any) -> list[Points]:
    """Every polygon in parsed JSON; ValueError where it is anything else."""
    if isinstance(content, dict):
        if content.get("shape_type", "polygon") == "rectangle":
            content = content | {"points": _corners(content.get("points"))}
        keys = [key for key in _KEYS if key in content]
        if len(keys) != 1:
            raise ValueError("no points")
        return _polygons(content[keys[0]])
    if not isinstance(content, list):
        raise ValueError("no list")
    if all(_is_point(item) for item in content):
        return [np.array(content, dtype=np.float64)] if content else []
    found = [_polygons(item) for item in content]
    if not all(found):
        raise ValueError("an empty polygon among others")
    return [polygon for several in found for polygon in several]


def _is_point(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(_is_number(value) for value in item)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6


def _area(points: Points) -> float:
    """Signed area by the shoelace formula, relative to the first point to keep its digits."""
    x, y = (points - points[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
