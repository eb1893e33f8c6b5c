"""Groups that people state beside a published set: ``groups.csv``, for layouts that have no index of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from lesion_measure.errors import TableError
from lesion_measure.lab.datasets.files import bad, checked_name, regular
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.tables.rows import read_table

TABLES = ("groups.csv", "index.csv")
_NAMES = ("picture", "id")


def with_groups(folder: Path, pictures: Sequence[Picture], name: str) -> list[Picture]:
    """The pictures with the groups of ``groups.csv`` (or ``index.csv``), where there is one; ``name`` is their set.

    Its columns are ``picture`` (or ``id``) and ``group``. A picture is named by its file (``Benign/image/7.jpg``), or
    as the data card names it (``benign_7``). One without a row is a group of its own.

    Raises
    ------
    InputError
        The table cannot be read, a column is missing, or a row names a picture that is not there.
    """
    table = next((folder / each for each in TABLES if (folder / each).exists()), None)
    if table is None:
        return list(pictures)
    known = {item.name.casefold() for item in pictures}
    groups: dict[str, str] = {}
    for line, picture, group in _rows(folder, table):
        own = next((each for each in _called(picture) if each in known), None)
        if own is None:
            raise bad(f"Line {line}: the picture '{picture}' is not there.", table, "Take the line out, or add it.")
        if groups.setdefault(own, group) != group:
            raise bad(f"Line {line}: the picture '{picture}' is in two groups.", table, "List every picture once.")
    return [
        replace(item, group=f"{name}/{groups[item.name.casefold()]}") if groups.get(item.name.casefold()) else item
        for item in pictures
    ]


def _rows(folder: Path, table: Path) -> list[tuple[int, str, str]]:
    """Line, picture and group of each row."""
    try:
        rows = read_table(regular(folder, table), required=("group",), optional=_NAMES, others=True)
    except TableError as error:
        raise bad(error.reason, table, f"{error.remedy} Its columns are picture and group.".lstrip()) from error
    if rows and not any(row["picture"] or row["id"] for row in rows):
        raise bad("The table has no column picture.", table, "Its columns are picture and group.")
    return [
        (row.line, row["picture"] or row["id"], checked_name(row["group"], table) if row["group"] else "")
        for row in rows
    ]


def _called(picture: str) -> tuple[str, ...]:
    """What a picture's file may be called in a data card, in lower case."""
    place = PurePosixPath(picture.replace("\\", "/"))
    stem = place.stem if place.suffix.lower() in (".png", ".jpg", ".jpeg") else place.name
    kind = place.parts[0] if len(place.parts) > 1 else ""
    return picture.casefold(), stem.casefold(), f"{kind}_{stem}".casefold()
