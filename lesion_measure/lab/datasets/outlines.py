"""Outlined things by their labels' names, as annotation tools keep them, to pictures with lesions.

Every annotation format becomes `Annotated` pictures: a file, and for each outline a label and how to draw it. Which
labels are lesions is decided once, by the names of the whole set (`scheme.roles_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.datasets.files import bad, read_grey
from lesion_measure.lab.datasets.pictures import Picture, liver_with_lesions, picture_of_lesions, union, with_liver
from lesion_measure.lab.datasets.polygons import Points, filled
from lesion_measure.lab.datasets.scheme import Asked, Roles, roles_of
from lesion_measure.lab.datasets.shapes import check_not_picture, checked_mask
from lesion_measure.lab.datasets.stated import settled, split_of_folders

Shape = tuple[int, int]
MAX_OUTLINES = 2000
_CORNER = 0.5
"""Tools count from the corner of the first pixel, whose centre is half a pixel further; `filled` counts from there."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One outlined thing: ``draw`` gives its pixels on a picture of (rows, columns), anew each time.

    ``ignored`` where the file itself says that it is not to count.
    """

    label: str
    draw: Callable[[Shape], NDArray[np.bool_]]
    ignored: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """A picture's file and what ``stated_in`` says of it: its size (rows, columns) where that is said, its outlines.

    ``split`` is the part of a split that it says, or its name, or another file.
    """

    name: str
    path: Path
    stated_in: Path
    shape: Shape | None = None
    shown: list[Shown] = field(default_factory=list)
    split: str = ""


def in_parts(items: Sequence[Annotated], folder: Path, source: str, asked: Asked) -> list[Annotated]:
    """The outlined pictures of a data folder by parts of a split: what files say first, then what folders are called.

    One part that files say of every picture is no split where folders state one; but test is left only for folders
    that say test, too.
    """
    named = [item.split for item in items]
    around = [split_of_folders(folder, item.path) for item in items]
    alone = len(set(named)) == 1 and named[0]
    if alone and len(set(around)) > 1 and (alone != "test" or "test" in around):
        asked.tell(f"{source}: {alone} is stated of all pictures, so their folders say the split.")
        named = [""] * len(items)
    parts = settled([own or home for own, home in zip(named, around, strict=True)], source, asked.tell)
    return [replace(item, split=part) for item, part in zip(items, parts, strict=True)]


def pictures_of(items: Sequence[Annotated], source: str, asked: Asked, names: Sequence[str] = ()) -> list[Picture]:
    """The pictures of a set called ``source``, each a group of its own.

    ``names`` are labels that the set names beside those of its outlines.

    Raises
    ------
    InputError
        A picture cannot be read, is of another size than stated, an outline cannot be its, or it cannot be told which
        labels are lesions.
    """
    labels = list(dict.fromkeys([*names, *(one.label for item in items for one in item.shown if not one.ignored)]))
    roles = roles_of(labels, asked, items[0].stated_in) if labels and items else None
    if roles is not None:
        asked.tell(roles.told(labels, source))
    return list(_pictures(items, source, roles or Roles(frozenset(), frozenset(), frozenset())))


def _pictures(items: Sequence[Annotated], source: str, roles: Roles) -> Iterator[Picture]:
    seen: dict[str, Annotated] = {}
    for item in items:
        if (other := seen.setdefault(item.name.casefold(), item)) is not item:
            raise bad(
                f"The picture '{item.name}' is there twice (also in {other.stated_in.name}).",
                item.stated_in,
                "State every picture once, each under a name of its own.",
            )
        image = read_grey(item.path)
        shape = (image.shape[0], image.shape[1])
        if item.shape is not None and item.shape != shape:
            raise bad(
                f"It says that {item.path.name} has {item.shape[0]} x {item.shape[1]} pixels; the file has "
                f"{shape[0]} x {shape[1]}.",
                item.stated_in,
                "Put the picture there that was annotated.",
            )
        if len(item.shown) > MAX_OUTLINES:
            raise bad(f"{item.name} has {len(item.shown)} outlines.", item.stated_in, "Outline lesions one by one.")
        group = f"{source}/{item.name}"
        picture = picture_of_outlines(item.name, source, group, image, item.shown, roles, item.stated_in)
        yield replace(picture, split=item.split)


def picture_of_outlines(
    name: str,
    source: str,
    group: str,
    image: NDArray[np.uint8],
    outlines: Sequence[Shown],
    roles: Roles,
    path: Path,
) -> Picture:
    """A picture from its image and outlines; lesions that are outlined one by one stay apart.

    Parameters
    ----------
    name, source, group
        As those of `picture_of_lesions`.
    image
        Grey values (rows, columns).
    outlines
        What is outlined on it; drawn one by one.
    roles
        Which labels are lesions, which are to be ignored.
    path
        The file that states the outlines, for messages.

    Raises
    ------
    InputError
        An outline cannot be the area of a lesion.
    """
    shape = (image.shape[0], image.shape[1])
    judged = [one for one in outlines if not one.ignored]
    lesions = [one for one in judged if one.label in roles.lesions]

    def checked() -> Iterator[NDArray[np.bool_]]:
        for one in lesions:
            mask = one.draw(shape)
            check_not_picture(image, mask, path)
            yield checked_mask(mask, path)

    ignored = union(one.draw(shape) for one in outlines if one.ignored or one.label in roles.ignored)
    labels = [one.label for one in lesions]
    item = picture_of_lesions(name, source, group, image, checked(), labels, ignored)
    liver = union(one.draw(shape) for one in judged if one.label in roles.liver)
    for one in judged:
        if one.label not in roles.lesions | roles.ignored | roles.liver:
            one.draw(shape)  # what cannot be drawn on this picture is said, whatever it is called
    return item if liver is None or not liver.any() else with_liver(item, liver_with_lesions(liver, item.labels > 0))


def polygons_drawn(parts: Sequence[Points], path: Path) -> Callable[[Shape], NDArray[np.bool_]]:
    """How to draw polygons of (x, y) that count from the corner of the first pixel, as one thing."""

    def draw(shape: Shape) -> NDArray[np.bool_]:
        mask = np.zeros(shape, dtype=bool)
        for points in parts:
            mask |= filled(points - _CORNER, shape, path)
        return mask

    return draw
