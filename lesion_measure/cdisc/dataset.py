"""A dataset as the standards see one: named, labelled, typed variables in order, and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import overload

from lesion_measure.cdisc.terms import Codelist

LEAST_RECORD = 81
"""Fewest bytes of a record with texts.

A transport file ends in blanks up to 80 bytes. Of shorter records a reader cannot tell them from a record, or from the
blank end of the last one: pandas 3.1 then leaves out the last record, ReadStat takes blank ones for the end.
"""

Value = str | int | float | date | None
Row = Mapping[str, Value]


class VariableType(StrEnum):
    """Type of a variable. ISO_DATE is text in ISO 8601 (SDTM), DATE a number of days (ADaM)."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    ISO_DATE = "date as text"
    DATE = "date"

    @property
    def is_text(self) -> bool:
        """True for character variables."""
        return self in (VariableType.TEXT, VariableType.ISO_DATE)


class Origin(StrEnum):
    """Where values come from, in the words of Define-XML 2.1."""

    COLLECTED = "Collected"
    DERIVED = "Derived"
    ASSIGNED = "Assigned"
    PROTOCOL = "Protocol"
    NOT_AVAILABLE = "Not Available"


@dataclass(frozen=True, slots=True)
class Variable:
    """One column: ``comment`` says how its values came about, ``codelist`` which terms it may hold."""

    name: str
    label: str
    kind: VariableType = VariableType.TEXT
    origin: Origin = Origin.ASSIGNED
    comment: str = ""
    codelist: Codelist | None = None


class Rows(Sequence[Row]):
    """Rows that are kept by column, and equal texts once: those of 3,600 subjects take a fifth of what mappings take.

    ``names`` are those of the columns. A row that is taken out has all of them.
    """

    def __init__(self, names: Iterable[str], rows: Iterable[Row] = ()) -> None:
        self._columns: dict[str, list[Value]] = {name: [] for name in names}
        self._texts: dict[str, str] = {}
        self._count = 0
        self.add(rows)

    def add(self, rows: Iterable[Row]) -> None:
        """More rows below.

        Raises
        ------
        ValueError
            A row has a value of no column.
        """
        for row in rows:
            if strange := row.keys() - self._columns.keys():
                raise ValueError(f"there is no variable {min(strange)}")
            for name, column in self._columns.items():
                value = row.get(name)
                column.append(self._texts.setdefault(value, value) if isinstance(value, str) else value)
            self._count += 1

    def column(self, name: str) -> Sequence[Value]:
        """The values of a column, None where missing."""
        return self._columns[name]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return {name: column[index] for name, column in self._columns.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset: SDTM domain or ADaM analysis dataset. ``keys`` sort it and tell its rows apart.

    ``widths`` are bytes of text variables that other datasets have too, so that a variable is as wide everywhere.
    """

    name: str
    label: str
    standard: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]
    rows: Rows = field(repr=False)
    widths: Mapping[str, int] = field(default_factory=dict)

    def column(self, name: str) -> Sequence[Value]:
        """The values of a variable, None where missing."""
        return self.rows.column(name)

    def length(self, variable: Variable) -> int:
        """Bytes of a variable: the longest text in it (at least 1), 8 for numbers.

        The last text variable takes what a record lacks of `LEAST_RECORD` bytes.
        """
        return self._own_length(variable) + (self._lacking() if variable is self._last_text() else 0)

    def _own_length(self, variable: Variable) -> int:
        if not variable.kind.is_text:
            return 8
        longest = max((len(text(value).encode()) for value in self.column(variable.name)), default=0)
        return max(longest, self.widths.get(variable.name, 0), 1)

    def _last_text(self) -> Variable | None:
        return next((variable for variable in reversed(self.variables) if variable.kind.is_text), None)

    def _lacking(self) -> int:
        return max(0, LEAST_RECORD - sum(self._own_length(variable) for variable in self.variables))


def with_equal_widths(datasets: Sequence[Dataset]) -> tuple[Dataset, ...]:
    """The same datasets, in which a text variable of one name is as wide in each.

    What is merged by such a variable is then not cut off (FDA, Study Data Technical Conformance Guide, on the length of
    columns). Supplemental qualifiers are left out, as there, since their variables hold other things for each domain.
    """
    widths: dict[str, int] = {}
    for dataset in datasets:
        for variable in dataset.variables:
            if variable.kind.is_text and not dataset.name.startswith("SUPP"):
                widths[variable.name] = max(widths.get(variable.name, 0), dataset._own_length(variable))
    return tuple(d if d.name.startswith("SUPP") else replace(d, widths=widths) for d in datasets)


def text(value: Value) -> str:
    """A value as SDTM text: a number as short as it is exact, nothing for a missing one."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def study_day(day: date | None, reference: date | None) -> int | None:
    """Days from the reference date, which is day 1; the day before is -1, there is no day 0 (SDTMIG 4.4.4)."""
    if day is None or reference is None:
        return None
    apart = (day - reference).days
    return apart + 1 if apart >= 0 else apart


def numbered(rows: list[dict[str, Value]], keys: Sequence[str], name: str) -> None:
    """Put rows into the order of ``keys``, missing values first as in SAS, and number those of each subject."""
    rows.sort(key=lambda row: [_rank(row.get(key)) for key in keys])
    last: dict[Value, int] = {}
    for row in rows:
        subject = row["USUBJID"]
        row[name] = last[subject] = last.get(subject, 0) + 1


def _rank(value: Value) -> tuple[bool, float, str]:
    number = value if isinstance(value, int | float) else 0.0
    return value is not None, number, text(value)
