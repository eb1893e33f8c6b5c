"""A data folder of any known layout: `load` recognises it, one small reader each does the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.datasets import aul, busi, dicom_seg, folder, volumes
from lesion_measure.datasets.files import bad, checked_name
from lesion_measure.datasets.pictures import Picture


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout: ``fits`` looks at names alone, ``read`` raises InputError for whatever it cannot use."""

    name: str
    expected: str
    fits: Callable[[Path], bool]
    read: Callable[[Path, str], list[Picture]]


LAYOUTS = (
    Layout("corrections", folder.CORRECTIONS_EXPECTED, folder.has_corrections, folder.read_corrections),
    Layout("volumes", volumes.EXPECTED, volumes.fits, volumes.read),
    Layout("plain", folder.EXPECTED, folder.fits, folder.read),
    Layout("AUL", aul.EXPECTED, aul.fits, aul.read),
    Layout("BUSI", busi.EXPECTED, busi.fits, busi.read),
    Layout("DICOM", dicom_seg.EXPECTED, dicom_seg.fits, dicom_seg.read),
)
"""Every layout that is known; the first that fits is read."""


def layout_of(path: Path) -> Layout:
    """The layout of a data folder.

    Raises
    ------
    InputError
        There is no such folder, or no layout fits; the message lists them all.
    """
    if not path.is_dir():
        raise bad("There is no such data folder.", path, "Check the path; archives have to be unpacked.")
    for layout in LAYOUTS:
        if layout.fits(path):
            return layout
    expected = "; ".join(f"({number}) {layout.expected}" for number, layout in enumerate(LAYOUTS, start=1))
    raise bad("The folder has none of the layouts that are read.", path, f"Expected one of: {expected}.")


def load(path: Path, name: str | None = None) -> list[Picture]:
    """Every picture of a data folder in any layout of `LAYOUTS`.

    Parameters
    ----------
    path
        The folder.
    name
        What its set is called; the folder's own name where None.

    Raises
    ------
    InputError
        The folder has no known layout, or something in it cannot be used.
    """
    layout = layout_of(path)
    pictures = layout.read(path, checked_name(path.resolve().name if name is None else name, path))
    if not pictures:
        raise bad("The folder holds no pictures.", path, f"Expected {layout.expected}.")
    return pictures


def load_all(paths: Sequence[Path]) -> list[Picture]:
    """The pictures of several data folders, whose names tell their sets apart.

    Raises
    ------
    InputError
        As `load`; or two folders have the same name.
    """
    names = [path.resolve().name for path in paths]
    for path, name in zip(paths, names, strict=True):
        if names.count(name) > 1:
            raise bad("Two data folders have the same name.", path, "Rename one: the name tells their sets apart.")
    return [item for path in paths for item in load(path)]
