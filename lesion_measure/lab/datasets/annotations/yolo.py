"""Layout of YOLO's segments: a text file for each picture, a line for each outline, points as shares of the sides.

https://docs.ultralytics.com/datasets/segment/. ``data.yaml`` names the classes. Its entries train, val and test
state a split, and folders called so do. An empty text file says that there is no lesion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lesion_measure.lab.datasets.annotations.finding import files_below, names_of, read_text
from lesion_measure.lab.datasets.annotations.yolo_parts import stated_parts
from lesion_measure.lab.datasets.files import PICTURE_SUFFIXES, bad, regular, size_of
from lesion_measure.lab.datasets.outlines import Annotated, Shown, in_parts, pictures_of, polygons_drawn
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.polygons import Points, points_of
from lesion_measure.lab.datasets.scheme import Asked

EXPECTED = "data.yaml with names, images/NAME.jpg and labels/NAME.txt of YOLO segments"
_IMAGES, _LABELS = "images", "labels"
_MAX_TEXT_BYTES = 10_000_000
_SHARE = re.compile(r"-?\d{1,3}(\.\d{1,20})?(e-?\d{1,2})?")
_OF_A_BOX = 5
_DEEP = 3
_AS_SEGMENTS = "Export YOLO segments: a box tells no lesion's border."
_NEARLY_RIGHT = 0.05
"""Largest cosine of a right angle: corners are rounded to pixels by some tools."""
_NEARLY = 0.001
"""Shares may leave the picture by rounding."""


def fits(folder: Path) -> bool:
    """Whether a text file lies in a folder ``labels`` beside one called ``images``."""
    return next(_texts(folder), None) is not None


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every picture of the folders ``images``.

    Raises
    ------
    InputError
        A picture has no text file or the other way round, a line is a box, all lines are turned boxes, or a class has
        no name.
    """
    bound = asked.bound(folder)
    source, stated = _stated(folder, bound)
    names = _names(stated)
    texts = {_key(path, folder, _LABELS): path for path in _texts(folder)}
    pictures: dict[Path, Path] = {}
    for path in files_below(folder, PICTURE_SUFFIXES, _DEEP):
        if _lies_in(path, folder, _IMAGES):
            key = _key(path, folder, _IMAGES)
            if key in pictures:
                raise bad(f"There are two files of this name, also {pictures[key].name}.", path, "Keep one.")
            pictures[key] = regular(bound, path)
    if lonely := sorted(texts.keys() - pictures.keys()):
        raise bad("This text file has no picture of its name.", texts[lonely[0]], "Put it into images/.")
    if lonely := sorted(pictures.keys() - texts.keys()):
        raise bad(
            "This picture has no text file, so nobody said that it has no lesion.",
            pictures[lonely[0]],
            "Put an empty NAME.txt into labels/ if it is free of lesions, or take it out.",
        )
    called = names_of(folder, list(pictures.values()))
    parts = stated_parts(stated, source, folder, list(pictures.values()), asked)
    items, boxes = list[Annotated](), list[bool]()
    for key, path in sorted(pictures.items()):
        items.append(Annotated(called[path], path, texts[key], size_of(path), split=parts.get(path, "")))
        for label, points in _lines(items[-1], names, bound):
            items[-1].shown.append(Shown(label, polygons_drawn([points], texts[key])))
            boxes.append(_is_box(points))
    if boxes and all(boxes):
        raise bad(
            "All lines of the set are boxes of four corners (YOLO OBB), not outlines.",
            next(item.stated_in for item in items if item.shown),
            _AS_SEGMENTS,
        )
    return pictures_of(in_parts(items, folder, name, asked), name, asked)


def _texts(folder: Path) -> Iterator[Path]:
    for path in files_below(folder, (".txt",), _DEEP):
        home = _lies_in(path, folder, _LABELS)
        if home is not None and any(one.name.casefold() == _IMAGES for one in home.parent.iterdir()):
            yield path


def _lies_in(path: Path, folder: Path, name: str) -> Path | None:
    """The nearest folder called ``name`` that a file lies in, at or below the data folder."""
    parents = list(path.parents)
    return next((one for one in parents[: parents.index(folder)] if one.name.casefold() == name), None)


def _key(path: Path, folder: Path, name: str) -> Path:
    """What a picture and its text file share: their place, without the folder that tells them apart and the suffix."""
    home = _lies_in(path, folder, name) or folder
    return home.parent / path.relative_to(home).with_suffix("")


def _is_box(points: Points) -> bool:
    """Whether an outline (x, y) has four corners, each a right angle but for rounding."""
    if len(points) != 4:
        return False
    sides = np.roll(points, -1, axis=0) - points
    along, across = sides, np.roll(sides, -1, axis=0)
    lengths = np.linalg.norm(along, axis=1) * np.linalg.norm(across, axis=1)
    return bool((np.abs((along * across).sum(axis=1)) <= _NEARLY_RIGHT * lengths).all())


def _lines(item: Annotated, names: dict[int, str], bound: Path) -> Iterator[tuple[str, Points]]:
    """The label and the outline (x, y), in pixels, of each line of a picture's text file."""
    rows, columns = item.shape or size_of(item.path)
    text = item.stated_in
    for number, line in enumerate(read_text(text, bound, _MAX_TEXT_BYTES).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if not words[0].isdecimal() or len(words[0]) > 6 or int(words[0]) not in names:
            raise bad(f"Line {number}: data.yaml names no class '{words[0][:20]}'.", text, "Name it there.")
        if len(words) == _OF_A_BOX:
            raise bad(
                f"Line {number} is a box (class x y width height), not an outline.",
                text,
                _AS_SEGMENTS,
            )
        shares = np.array([_share(word, number, text) for word in words[1:]])
        if len(shares) % 2:
            raise bad(f"Line {number} does not hold x and y of each point.", text, "Export it anew.")
        points = shares.reshape(-1, 2) * (columns, rows)
        yield names[int(words[0])], points_of(points.tolist(), text)


def _share(word: str, number: int, path: Path) -> float:
    if not _SHARE.fullmatch(word) or not -_NEARLY <= float(word) <= 1 + _NEARLY:
        raise bad(
            f"Line {number} holds '{word[:20]}', which is no share of the picture's side (0 to 1).",
            path,
            "Divide x by the width and y by the height.",
        )
    return float(word)


def _stated(folder: Path, bound: Path) -> tuple[Path, dict[Any, Any]]:
    """The file that says the names of the classes, and all that it says.

    Raises
    ------
    InputError
        There is none, or it cannot be read.
    """
    for path in files_below(folder, (".yaml", ".yml"), 0):
        try:
            content: Any = yaml.safe_load(read_text(path, bound, _MAX_TEXT_BYTES))
        except (yaml.YAMLError, RecursionError) as error:
            raise bad("The file is no YAML.", path, "Expected names: [lesion].") from error
        if isinstance(content, dict) and _names(content):
            return path, content
    raise bad(
        "No data.yaml says the names of the classes.",
        folder,
        "Write data.yaml with names, such as names: [lesion, liver].",
    )


def _names(stated: dict[Any, Any]) -> dict[int, str]:
    """The names of the classes by their numbers; none where the file does not say them."""
    names = stated.get("names")
    listed = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(listed, dict) or not all(isinstance(number, int) for number in listed):
        return {}
    return {number: str(label) for number, label in listed.items()}
