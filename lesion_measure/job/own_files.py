"""The program's own files beside the scans: its tables, its notes on what it fetched, and results of earlier runs.

They are no images. A table is told by its columns, whatever it is called; a results folder by the marker that a run
leaves in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.job.folder import is_ours
from lesion_measure.job.request import RunRequest
from lesion_measure.pacs.folder import notes_of
from lesion_measure.records import Caliper
from lesion_measure.tables import calipers, labs
from lesion_measure.tables.rows import column_names
from lesion_measure.tables.subjects import COLUMNS as SUBJECT_COLUMNS

_SUFFIXES = (*calipers.TABLES, ".json")
_ALWAYS = (
    frozenset(labs.COLUMNS),
    frozenset({"path", "subject", "visit"}),  # a manifest
    frozenset({"subject", "visit", "lesion"}),  # the truth of a simulated trial
)
"""Columns that each kind of table beside calipers has; it may have more."""


def own_files(root: Path) -> Iterator[Path]:
    """Tables and results folders below a folder; a file or a zip holds none."""
    for folder, files in _folders(root):
        yield from notes_of(folder)
        if files is None:
            yield folder
        else:
            yield from (path for path in files if _is_table(path))


def check_tables(root: Path, scans: Path) -> None:
    """See that every table below a folder of calipers can be opened: nobody knows what another one holds.

    Beside the ``scans`` lie other people's files, of which the run lists those that it does not read.

    Raises
    ------
    TableError
        One cannot: it is an old, a damaged or a protected workbook.
    """
    if scans.resolve().is_relative_to(root.resolve()):
        return
    for _, files in _folders(root):
        for path in sorted(files or ()):
            if calipers.may_be_table(path.name, calipers.MAYBE_TABLES) and path.is_file():
                _openable(path)


def _folders(root: Path) -> Iterator[tuple[Path, list[Path] | None]]:
    """A folder and those below with their files; None for those of a results folder, which is not looked into."""
    for name, folders, files in os.walk(root):
        folder = Path(name)
        if folder != root and is_ours(folder):
            folders.clear()
            yield folder, None
        else:
            yield folder, [folder / file for file in files]


def _openable(path: Path) -> None:
    try:
        column_names(path)
    except TableError as error:
        remedy = f"{error.remedy} If it holds no calipers, take it out of the folder.".lstrip()
        raise TableError(error.reason, remedy=remedy, path=error.path) from error


def _is_table(path: Path) -> bool:
    if not path.name.lower().endswith(_SUFFIXES):
        return False
    if path.name.lower().endswith(".json"):
        return calipers.holds_calipers(path)
    try:
        columns = column_names(path)
    except TableError:
        return False
    return any(map(_are_ours, columns))


def _are_ours(columns: frozenset[str]) -> bool:
    known = calipers.are_columns(columns) or any(wanted <= columns for wanted in _ALWAYS)
    return known or ("subject" in columns and len(columns) > 1 and columns <= set(SUBJECT_COLUMNS))


def left_out(request: RunRequest, tables: Sequence[tuple[Path, Sequence[Caliper]]]) -> list[Path]:
    """The results, and all tables and masks of the program: where they lie among the images they are no images.

    Tables of calipers are among them where the run was given any. Else the run says that it reads none of theirs.
    """
    given = (request.config_file, request.manifest, request.subjects, request.labs)
    own = own_files(request.input)
    if request.drawn is None:
        own = (path for path in own if path.is_dir() or not calipers.holds_calipers(path))
    return [
        request.out,
        *(path for path in given if path),
        *(path for path, _ in tables),
        *(row.mask for _, rows in tables for row in rows if isinstance(row.mask, Path)),
        *own,
    ]
