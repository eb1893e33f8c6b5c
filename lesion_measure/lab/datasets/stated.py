"""What a table beside the pictures states of each, in every layout: group, class, split, fold and stratum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from lesion_measure.errors import TableError
from lesion_measure.lab.datasets.files import PICTURE_LIKE, bad, checked_name, child, composed, regular
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.tables.rows import Row, read_table

TABLES = ("groups.csv", "index.csv")
STATED = ("class", "split", "fold", "stratum")
"""Columns beside id and group that say something of a picture."""
SPLITS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "tr", "trainval"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "ts"), "test"),
}
"""What people call the parts of a split."""
_NAMES = ("picture", "id")
_MOST_FOLDS = 100
_INITIALS, _SHOWN = 2, 4


def with_stated(item: Picture, row: Row, table: Path) -> Picture:
    """The picture with what the columns `STATED` of its row say; empty cells change nothing.

    Raises
    ------
    InputError
        A cell holds no name, no part of a split, or no number of a fold.
    """
    kind, stratum = (checked_name(row[column], table) if row[column] else "" for column in ("class", "stratum"))
    split = split_called(row["split"])
    if row["split"] and not split:
        raise bad(f"Line {row.line}: '{row['split']}' is no part of a split.", table, "Write train, val or test.")
    fold = row["fold"]
    if fold and not (fold.isascii() and fold.isdecimal() and int(fold) < _MOST_FOLDS):
        raise bad(f"Line {row.line}: the fold '{fold}' is no number.", table, "Number folds from 0.")
    return replace(
        item,
        kind=kind or item.kind,
        stratum=stratum or item.stratum,
        split=split or item.split,
        fold=int(fold) if fold else item.fold,
    )


def check_columns(rows: Sequence[Row], table: Path) -> None:
    """Raise InputError where a column with another name than split names two parts of one, whatever else it says.

    Beside other words 'tr' and 'ts' are none: they may be initials, or planes.
    """
    stating = any(row["split"] for row in rows)
    for column in rows[0].values if rows and not stating else ():
        words = {row[column] for row in rows if row[column]}
        odd = sorted(word for word in words if not split_called(word))
        parts = {split_called(word) for word in words if not odd or len(word) > _INITIALS} - {""}
        if column not in (*_NAMES, "group", "source", *STATED) and len(parts) > 1:
            listed = ", ".join(f"'{word[:40]}'" for word in odd[:_SHOWN])
            rest = f" No part of one: {listed}." if odd else ""
            raise bad(
                f"The column '{column}' seems to state a split, which is read from one called split alone.{rest}",
                table,
                "Call it split, with train, val or test in every cell, or take it out.",
            )


def split_called(name: str) -> str:
    """The part of a split that a name stands for: train, val, test, or nothing."""
    return SPLITS.get(name.casefold().strip(), "")


def split_of_folders(folder: Path, path: Path) -> str:
    """The part of a split that the folders of a picture state, the nearest first: train, val2017; or nothing."""
    return next(filter(None, map(split_of_folder, reversed(path.relative_to(folder).parts[:-1]))), "")


def split_of_folder(name: str) -> str:
    """The part of a split that a folder's name stands for, a number behind it aside: train2017."""
    return split_called(name.rstrip("0123456789_- "))


def check_folds(pictures: Sequence[Picture], path: Path) -> None:
    """Raise InputError where the folds that a data folder states leave a number out: the first is validated on."""
    stated = {item.fold for item in pictures if item.fold is not None}
    if left_out := sorted(set(range(max(stated, default=0))) - stated):
        raise bad(
            f"Folds up to {max(stated)} are stated, and no picture is in fold {left_out[0]}.",
            path,
            "Number folds from 0, leaving out none: fold 0 is held back for validation.",
        )


def settled(parts: Sequence[str], source: str, tell: Callable[[str], object]) -> list[str]:
    """The parts that names of files and folders state of a set's pictures, empty where they state no split.

    Training alone is none, nor is validation of all pictures, which ``tell`` hears. A test picture is one whatever the
    others are: it is never trained on.
    """
    stated = set(parts)
    if stated == {"val"}:
        tell(f"{source}: all pictures are called validation, which is no split.")
    return [""] * len(parts) if stated <= {"train", ""} or stated == {"val"} else list(parts)


def stated_of(pictures: Sequence[Picture]) -> list[str]:
    """What each set states of a split and of folds, in sentences; nothing of sets that state neither."""
    told = []
    for name in sorted({item.source for item in pictures}):
        own = [item for item in pictures if item.source == name]
        parts = Counter(item.split for item in own)
        if parts.keys() - {""}:
            listed = [f"{parts[part]} {part}" for part in ("train", "val", "test") if parts[part]]
            rest = f"; {parts['']} in no part are learnt from" if parts[""] else ""
            rest += " or validated on" if parts[""] and not parts["val"] else ""
            rest += ", so none is learnt from" if parts.keys() == {"test"} else ""
            told.append(f"{name}: a split is stated, {', '.join(listed)}{rest}.")
        folds = Counter(item.fold for item in own if item.fold is not None)
        if folds:
            sizes = ", ".join(str(folds[number]) for number in range(max(folds) + 1))
            told.append(f"{name}: {max(folds) + 1} folds are stated, of {sizes} pictures.")
    return told


def with_table(folder: Path, pictures: Sequence[Picture], name: str, bound: Path) -> list[Picture]:
    """The pictures with what ``groups.csv`` (or ``index.csv``) says of them, where there is one.

    Its columns are ``picture`` (or ``id``), ``group`` and any of `STATED`. A picture is named by its file
    (``Benign/image/7.jpg``), or as the data card names it (``benign_7``); slices by their volume, too. One without a
    row is a group of its own. ``name`` is their set, ``bound`` the folder that links stay in.

    Raises
    ------
    InputError
        The table cannot be read, a column is missing, or a row names a picture that is not there.
    """
    table = next(filter(None, (child(folder, each, of_files=True) for each in TABLES)), None)
    if table is None:
        return list(pictures)
    known: dict[str, list[int]] = {}
    for place, item in enumerate(pictures):
        for called in {item.name.casefold(), _volume_of(item.name).casefold()}:
            known.setdefault(called, []).append(place)
    found, rows = list(pictures), dict[int, Row]()
    for row in _rows(table, bound):
        called = row["picture"] or row["id"]
        own = next((known[each] for each in _called(called) if each in known), None)
        if own is None:
            raise bad(f"Line {row.line}: the picture '{called}' is not there.", table, "Take the line out, or add it.")
        for place in own:
            if rows.setdefault(place, row).values != row.values:
                raise bad(
                    f"Line {row.line}: the picture '{called}' is in two groups, or there twice.",
                    table,
                    "List every picture once.",
                )
            group = f"{name}/{checked_name(row['group'], table)}" if row["group"] else pictures[place].group
            found[place] = replace(with_stated(pictures[place], row, table), group=group)
    return found


def _rows(table: Path, bound: Path) -> list[Row]:
    try:
        rows = read_table(regular(bound, table), required=("group",), optional=(*_NAMES, *STATED), others=True)
    except TableError as error:
        raise bad(error.reason, table, f"{error.remedy} Its columns are picture and group.".lstrip()) from error
    check_columns(rows, table)
    if rows and not any(row["picture"] or row["id"] for row in rows):
        raise bad("The table has no column picture.", table, "Its columns are picture and group.")
    return rows


def _volume_of(name: str) -> str:
    """The volume of a slice that is called as `volumes` calls it; else the name."""
    volume, dash, number = name.rpartition("-")
    return volume if dash and len(number) == 4 and number.isdecimal() else name


def _called(picture: str) -> tuple[str, ...]:
    """What a picture's file may be called in a data card, in lower case, the most specific name first."""
    place = PurePosixPath(composed(picture).replace("\\", "/"))
    suffix = next((each for each in PICTURE_LIKE if place.name.lower().endswith(each)), "")
    stem = place.name[: -len(suffix)] if suffix else place.name
    parents = "_".join((*place.parts[:-1], stem))
    by_kind = [f"{place.parts[0]}_{stem}"] if len(place.parts) > 1 else []
    return tuple(dict.fromkeys(each.casefold() for each in (picture, parents, *by_kind, stem)))
