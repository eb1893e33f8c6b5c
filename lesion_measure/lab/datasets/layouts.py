"""A data folder of any known layout: `load` recognises it, one small reader each does the rest."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.lab.datasets import aul, busi, dicom_seg, folder, volumes
from lesion_measure.lab.datasets.files import bad, checked_name
from lesion_measure.lab.datasets.groups import with_groups
from lesion_measure.lab.datasets.pictures import MIN_LESION_PX, Picture
from lesion_measure.lab.datasets.scheme import LesionLabels


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout: ``fits`` looks at names alone, ``read`` raises InputError for whatever it cannot use.

    ``groups`` says whether a table beside the pictures may group them (`with_groups`).
    """

    name: str
    expected: str
    fits: Callable[[Path], bool]
    read: Callable[[Path, str, LesionLabels], list[Picture]]
    groups: bool = False


LAYOUTS = (
    Layout("corrections", folder.CORRECTIONS_EXPECTED, folder.has_corrections, folder.read_corrections),
    Layout("volumes", volumes.EXPECTED, volumes.fits, volumes.read),
    Layout("plain", folder.EXPECTED, folder.fits, folder.read),
    Layout("AUL", aul.EXPECTED, aul.fits, aul.read, groups=True),
    Layout("BUSI", busi.EXPECTED, busi.fits, busi.read, groups=True),
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
        There is no such folder, or no layout fits; the message says what is nearly one, else lists them all.
    """
    if not path.is_dir():
        raise bad("There is no such data folder.", path, "Check the path; archives have to be unpacked.")
    if found := _fitting(path):
        return found
    if folder.lacks_index(path):
        raise bad(
            "The folder has images/ and masks/, and no index.csv.",
            path,
            "Write one with the columns id, each picture's name without suffix, and group, which pictures of one "
            "patient share; an empty cell is a group of its own.",
        )
    if inside := _fitting_inside(path):
        raise bad("The folder is no data folder; one in it is, or several.", path, f"Give {' or '.join(inside)}.")
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


def load(path: Path, name: str | None = None, lesion_labels: Sequence[str] = ()) -> list[Picture]:
    """Every picture of a data folder in any layout of `LAYOUTS`.

    Parameters
    ----------
    path
        The folder.
    name
        What its set is called; the folder's own name where None.
    lesion_labels
        Names or values of the labels that are lesions, where the folder's own words do not tell.

    Raises
    ------
    InputError
        The folder has no known layout, or something in it cannot be used; or it has none of ``lesion_labels``.
    """
    asked = LesionLabels(tuple(lesion_labels))
    pictures = _load(path, name, asked)
    asked.check_used(path)
    return pictures


def _load(path: Path, name: str | None, asked: LesionLabels) -> list[Picture]:
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
    return with_groups(path, pictures, name) if layout.groups else pictures


def load_all(
    paths: Sequence[Path], lesion_labels: Sequence[str] = (), say: Callable[[str], object] | None = None
) -> list[Picture]:
    """The pictures of several data folders, whose names tell their sets apart.

    ``say`` receives what was taken for lesions, a sentence each.

    Raises
    ------
    InputError
        As `load`; or two folders have the same name, or none has one of ``lesion_labels``.
    """
    names = [path.resolve().name for path in paths]
    for path, name in zip(paths, names, strict=True):
        if names.count(name) > 1:
            raise bad("Two data folders have the same name.", path, "Rename one: the name tells their sets apart.")
    asked = LesionLabels(tuple(lesion_labels))
    pictures = [item for path in paths for item in _load(path, None, asked)]
    for path in paths[:1]:
        asked.check_used(path)
    if say is not None:
        for sentence in asked.told:
            say(sentence)
    return pictures
