"""A data folder of any known layout: `load` recognises it, one small reader each does the rest."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.lab.datasets import aul, busi, dicom_pairs, dicom_seg, folder, volumes
from lesion_measure.lab.datasets.annotations import coco, cvat, labelme, voc, yolo
from lesion_measure.lab.datasets.files import bad, checked_name
from lesion_measure.lab.datasets.nearest import nearest, other_format
from lesion_measure.lab.datasets.pictures import MIN_LESION_PX, Picture
from lesion_measure.lab.datasets.scheme import Asked
from lesion_measure.lab.datasets.simulated import SIMULATED
from lesion_measure.lab.datasets.stated import check_folds, stated_of, with_table


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout: ``fits`` looks at names alone, ``read`` raises InputError for whatever it cannot use.

    ``table`` says whether a table beside the pictures may state their groups and more (`with_table`); the others read
    it themselves.
    """

    name: str
    expected: str
    fits: Callable[[Path], bool]
    read: Callable[[Path, str, Asked], list[Picture]]
    table: bool = True


LAYOUTS = (
    Layout("corrections", folder.CORRECTIONS_EXPECTED, folder.has_corrections, folder.read_corrections, table=False),
    Layout("volumes", volumes.EXPECTED, volumes.fits, volumes.read),
    Layout("DICOM with masks", dicom_pairs.EXPECTED, dicom_pairs.fits, dicom_pairs.read),
    Layout("YOLO", yolo.EXPECTED, yolo.fits, yolo.read),
    Layout("VOC", voc.EXPECTED, voc.fits, voc.read),
    Layout("plain", folder.EXPECTED, folder.fits, folder.read, table=False),
    Layout("AUL", aul.EXPECTED, aul.fits, aul.read),
    Layout("BUSI", busi.EXPECTED, busi.fits, busi.read),
    Layout("CVAT", cvat.EXPECTED, cvat.fits, cvat.read),
    Layout("LabelMe", labelme.EXPECTED, labelme.fits, labelme.read),
    Layout("COCO", coco.EXPECTED, coco.fits, coco.read),
    Layout("DICOM", dicom_seg.EXPECTED, dicom_seg.fits, dicom_seg.read),
)
"""Every layout that is known; the first that fits is read."""

MOST_LOOKED_INTO, MOST_SHOWN = 50, 3
"""Folders of one that has no layout: how many are tried, and how many that fit are named."""


def layout_of(path: Path) -> Layout:
    """The layout of a data folder.

    Raises
    ------
    InputError
        There is no such folder, or no layout fits; the message names another tool's format, or the nearest layout and
        what differs first, else lists them all.
    """
    if not path.is_dir():
        raise bad("There is no such data folder.", path, "Check the path; archives have to be unpacked.")
    if found := _fitting(path):
        return found
    other = other_format(path)
    if folder.lacks_index(path) and other is None:
        raise bad(
            "The folder has images/ and masks/, and no index.csv.",
            path,
            "Write one with the columns id, each picture's name without suffix, and group, which pictures of one "
            "patient share; an empty cell is a group of its own.",
        )
    if inside := _fitting_inside(path):
        raise bad("The folder is no data folder; one in it is, or several.", path, f"Give {' or '.join(inside)}.")
    if other is not None:
        raise bad(other.said, path, other.remedy)
    if near := nearest(path):
        raise bad(near.said, path, f"{near.remedy} 'lesion-measure help datasets' draws every layout.")
    expected = "; ".join(f"({number}) {layout.expected}" for number, layout in enumerate(LAYOUTS, start=1))
    raise bad("The folder has none of the layouts that are read.", path, f"Expected one of: {expected}.")


def _fitting(path: Path) -> Layout | None:
    return next((layout for layout in LAYOUTS if layout.fits(path)), None)


def _fitting_inside(path: Path) -> list[str]:
    """The first folders in this one that have a layout, each with the layout's name."""
    entries = sorted(
        itertools.islice(
            (p for p in path.iterdir() if p.is_dir() and os.access(p, os.R_OK | os.X_OK)), MOST_LOOKED_INTO
        )
    )
    found = ((entry, _fitting(entry)) for entry in entries)
    return list(itertools.islice((f"'{entry}' ({layout.name})" for entry, layout in found if layout), MOST_SHOWN))


def load(
    path: Path, name: str | None = None, lesion_labels: Sequence[str] = (), links: Path | None = None
) -> list[Picture]:
    """Every picture of a data folder in any layout of `LAYOUTS`.

    Parameters
    ----------
    path
        The folder.
    name
        What its set is called; the folder's own name where None.
    lesion_labels
        Names or values of the labels that are lesions, where the folder's own words do not tell.
    links
        A folder around this one that files may be links into; without it they stay in their data folder.

    Raises
    ------
    InputError
        The folder has no known layout, or something in it cannot be used; a set is called 'simulated';
        or it has none of ``lesion_labels``.
    """
    asked = Asked(tuple(lesion_labels), links)
    pictures = _load(path, name, asked)
    asked.check_used(path)
    return pictures


def _load(path: Path, name: str | None, asked: Asked) -> list[Picture]:
    if asked.links is not None and not path.resolve().is_relative_to(asked.links.resolve()):
        raise bad("The data folder is not in the folder that links may lead to.", path, f"Name one around it: {path}.")
    layout = layout_of(path)
    name = checked_name(path.resolve().name if name is None else name, path)
    pictures = layout.read(path, name, asked)
    if not pictures:
        raise bad("The folder holds no pictures.", path, f"Expected {layout.expected}.")
    for item in pictures:
        if item.specks and not item.axes:
            raise bad(
                f"All that {item.name} outlines is too small to be a lesion: {max(item.specks)} pixels at most, "
                f"{MIN_LESION_PX} are the least.",
                path,
                "Outline it larger, or take the picture out; without outlines it would count as lesion-free.",
            )
    pictures = with_table(path, pictures, name, asked.bound(path)) if layout.table else pictures
    if any(item.source == SIMULATED for item in pictures):
        raise bad(f"A set called '{SIMULATED}' would be taken for frames of the simulator.", path, "Rename the set.")
    check_folds(pictures, path)
    for sentence in stated_of(pictures):
        asked.tell(sentence)
    return pictures


def load_all(
    paths: Sequence[Path],
    lesion_labels: Sequence[str] = (),
    say: Callable[[str], object] | None = None,
    links: Path | None = None,
) -> list[Picture]:
    """The pictures of several data folders, whose names tell their sets apart.

    ``say`` receives what was taken for lesions, a sentence each. ``links`` is as in `load`.

    Raises
    ------
    InputError
        As `load`; or two folders have the same name, or none has one of ``lesion_labels``.
    """
    names = [path.resolve().name for path in paths]
    for path, name in zip(paths, names, strict=True):
        if names.count(name) > 1:
            raise bad("Two data folders have the same name.", path, "Rename one: the name tells their sets apart.")
    asked = Asked(tuple(lesion_labels), links)
    pictures = [item for path in paths for item in _load(path, None, asked)]
    if paths:
        asked.check_used(paths[0])
    if say is not None:
        for sentence in asked.told:
            say(sentence)
    return pictures
