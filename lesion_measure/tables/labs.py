"""labs.csv: AFP and PIVKA-II, one row for each value. docs/cohort.md describes the columns.

A value beyond the assay's range, such as '<0.6', stays what it is: a limit. Nothing is put in its place. A unit that
would need an assay's own factor is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.records import TRIAL, in_words, unscheduled_day
from lesion_measure.spelling import or_meant
from lesion_measure.tables.cells import check_points
from lesion_measure.tables.rows import Row, read_table
from lesion_measure.tables.subjects import day, number, subject_code

COLUMNS = ("subject", "visit", "test", "value", "unit")


class Marker(StrEnum):
    """The tumour markers of the trial."""

    AFP = "AFP"
    PIVKA = "PIVKA-II"


UNITS = {Marker.AFP: "ng/mL", Marker.PIVKA: "mAU/mL"}

_SAME_UNIT: Mapping[Marker, tuple[str, ...]] = {
    Marker.AFP: ("ng/ml", "ug/l", "µg/l", "μg/l", "mcg/l"),
    Marker.PIVKA: ("mau/ml", "au/l"),
}
"""Units, in lower case, whose number is that of `UNITS`."""

_NAMES = {
    "afp": Marker.AFP,
    "alpha-fetoprotein": Marker.AFP,
    "pivka-ii": Marker.PIVKA,
    "pivka ii": Marker.PIVKA,
    "pivka2": Marker.PIVKA,
    "pivka": Marker.PIVKA,
    "dcp": Marker.PIVKA,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabValue:
    """One value in the unit of `UNITS`: it lies between ``low`` and ``high``, which are equal where it was measured.

    Below a limit ``low`` is 0; above one ``high`` is infinite.
    """

    subject: str
    visit: str
    marker: Marker
    low: float
    high: float
    date: date | None = None

    @property
    def measured(self) -> bool:
        """Whether this is a number and not a limit."""
        return self.low == self.high

    def __str__(self) -> str:
        if self.measured:
            return f"{self.low:.15g}"  # every digit that a table may give: AFP reaches millions
        return f"<{self.high:.15g}" if self.low == 0 else f">{self.low:.15g}"


@dataclass(frozen=True, slots=True)
class Labs:
    """The values by subject, marker and visit, and the names of other tests in the table with their counts."""

    values: Mapping[tuple[str, Marker, str], LabValue]
    other_tests: Mapping[str, int]

    @property
    def subjects(self) -> set[str]:
        """Subjects who have a value."""
        return {subject for subject, _, _ in self.values}


def read_labs(path: str | Path, visits: Sequence[str] = TRIAL.names) -> Labs:
    """Read labs.csv. Rows of other tests are counted and left alone.

    Parameters
    ----------
    path
        The table.
    visits
        Names of the schedule's visits; ``day_N`` and ``day_minus_N`` mean visits beside it.

    Raises
    ------
    TableError
        The table cannot be read, a value is there twice, or a cell cannot be meant; names the line.
    """
    name = str(path)
    values: dict[tuple[str, Marker, str], LabValue] = {}
    lines: dict[tuple[str, Marker, str], int] = {}
    others: dict[str, int] = {}
    rows = read_table(path, required=COLUMNS, optional=("date",), dates=("date",))
    for test in Marker:
        own = [("value", row["value"], row.line) for row in rows if _NAMES.get(row["test"].lower()) is test]
        check_points(own, math.inf, name, [row["value"] for row in rows])
    for row in rows:
        marker = _NAMES.get(row["test"].lower())
        if marker is None:
            others[row["test"][:40]] = others.get(row["test"][:40], 0) + 1
            continue
        value = _value(row, marker, name, visits)
        key = (value.subject, marker, value.visit)
        if key in values:
            raise TableError(
                f"Lines {lines[key]} and {row.line} both give {marker} of {value.subject} at {in_words(value.visit)}.",
                remedy="Leave one of them out: which one counts is the laboratory's to say.",
                path=name,
            )
        values[key] = value
        lines[key] = row.line
    if not values:
        raise TableError(
            "No row is of AFP or PIVKA-II.",
            remedy=f"Its columns are: {', '.join(COLUMNS)}; see 'lesion-measure help cohort'.",
            path=name,
        )
    return Labs(values, others)


def _value(row: Row, marker: Marker, path: str, visits: Sequence[str]) -> LabValue:
    _check_unit(row, marker, path)
    text = row["value"]
    limit = text[:1] if text[:1] in ("<", ">") else ""
    amount = number(row, "value", path, text[len(limit) :].strip())
    if amount <= 0:
        raise TableError(
            f"Line {row.line}: value '{text[:40]}' is no concentration.",
            remedy="Write a value below the detection limit as '<' and the limit, such as <0.6.",
            path=path,
        )
    return LabValue(
        subject=subject_code(row, path),
        visit=_visit(row, path, visits),
        marker=marker,
        low=0.0 if limit == "<" else amount,
        high=math.inf if limit == ">" else amount,
        date=day(row, "date", path),
    )


def _check_unit(row: Row, marker: Marker, path: str) -> None:
    unit = row["unit"].replace(" ", "").lower()
    if unit in _SAME_UNIT[marker]:
        return
    raise TableError(
        f"Line {row.line}: unit '{row['unit'][:40]}' of {marker} is not known, or has no fixed factor to "
        f"{UNITS[marker]}.",
        remedy=f"Give {marker} in {UNITS[marker]}; other units need the factor of the laboratory's own assay.",
        path=path,
    )


def _visit(row: Row, path: str, visits: Sequence[str]) -> str:
    word = row["visit"].lower().replace(" ", "_").replace("-", "_")
    if word not in visits and unscheduled_day(word) is None:
        raise TableError(
            f"Line {row.line}: visit '{row['visit'][:40]}' is not known{or_meant(word[:40], visits)}",
            remedy=f"It is one of: {', '.join(visits)}.",
            path=path,
        )
    return word
