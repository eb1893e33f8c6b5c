"""subjects.csv: what is known of each enrolled child besides its scans. docs/cohort.md describes the columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.files.tables import Row, read_csv_rows
from lesion_measure.records import Form as Form

DAYS_PER_MONTH = 30.4375
"""Mean length of a month: 365.25 / 12 days."""

EXCLUSIONS = {
    "hepatoblastoma": "hepatoblastoma",
    "resection": "resection",
    "kasabach_merritt": "Kasabach-Merritt phenomenon",
    "missing_data": "missing data",
}
"""The trial's exclusion criteria: column and words."""

STATEMENTS = ("targets", "new_lesions", "non_target_progression")
"""Columns for what a reader says of the lesions; names are those of the calipers, separated by ``;``."""

_MAX_TEXT = 200
_MAX_NAMES = 100
_MAX_AGE_MONTHS = 120 * 12
_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """One row of subjects.csv. ``age_days`` is the age at the baseline scan; ``excluded`` are the reasons given.

    ``flags`` are the exclusion criteria of the table, None where a cell is empty. A reader's statements: ``targets``,
    the target lesions; ``new_lesions``, those that are new beyond doubt; ``non_target_progression``, that the lesions
    that are no targets have unequivocally progressed.
    """

    subject: str
    age_days: float | None = None
    form: Form | None = None
    excluded: tuple[str, ...] = ()
    flags: Mapping[str, bool | None] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    new_lesions: tuple[str, ...] = ()
    non_target_progression: bool = False

    @property
    def age_months(self) -> float | None:
        """Age at the baseline scan in months."""
        return None if self.age_days is None else self.age_days / DAYS_PER_MONTH

    def outside(self, ages_months: tuple[float, float]) -> bool:
        """Whether the age is known and not between the youngest and the oldest that a trial takes."""
        youngest, oldest = ages_months
        return self.age_months is not None and not youngest <= self.age_months <= oldest


def read_subjects(path: str | Path) -> dict[str, Enrolled]:
    """Read subjects.csv, by subject code.

    Raises
    ------
    TableError
        The table cannot be read, a subject is there twice, or a cell cannot be meant; names the line.
    """
    name = str(path)
    rows = read_csv_rows(
        path, required=("subject",), optional=("age_months", "age_days", "form", *EXCLUSIONS, "excluded", *STATEMENTS)
    )
    found: dict[str, Enrolled] = {}
    lines: dict[str, int] = {}
    for row in rows:
        subject = subject_code(row, name)
        if subject in found:
            raise TableError(
                f"Lines {lines[subject]} and {row.line} both describe subject {subject}.",
                remedy="Leave one of them out.",
                path=name,
            )
        found[subject] = Enrolled(
            subject=subject,
            age_days=_age_days(row, name),
            form=_form(row, name),
            excluded=_exclusions(row, name),
            flags={column: _flag(row, column, name) for column in EXCLUSIONS},
            targets=_names(row, "targets", name),
            new_lesions=_names(row, "new_lesions", name),
            non_target_progression=bool(_flag(row, "non_target_progression", name)),
        )
        lines[subject] = row.line
    if not found:
        raise TableError("The table has no rows.", remedy="Give one row for each enrolled subject.", path=name)
    return found


def subject_code(row: Row, path: str) -> str:
    """The subject code of a row.

    Raises
    ------
    TableError
        It is empty, too long or not printable.
    """
    code = row["subject"]
    if not code or len(code) > _MAX_TEXT or not code.isprintable():
        raise TableError(
            f"Line {row.line}: subject is not printable text of 1 to {_MAX_TEXT} characters.",
            remedy="Give the code under which the subject stands in results.json.",
            path=path,
        )
    return code


def number(row: Row, column: str, path: str, text: str | None = None) -> float:
    """A cell (or a part of it, ``text``) as a finite number.

    Raises
    ------
    TableError
        It is none.
    """
    shown = row[column] if text is None else text
    try:
        value = float(shown)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TableError(
            f"Line {row.line}: {column} '{row[column][:40]}' is not a number.",
            remedy="Use a decimal point and no unit in this column.",
            path=path,
        )
    return value


def _age_days(row: Row, path: str) -> float | None:
    if row["age_months"] and row["age_days"]:
        raise TableError(
            f"Line {row.line}: both age_months and age_days are given.", remedy="Give one of them.", path=path
        )
    column = "age_days" if row["age_days"] else "age_months"
    if not row[column]:
        return None
    days = number(row, column, path) * (1 if column == "age_days" else DAYS_PER_MONTH)
    if not 0 <= days <= _MAX_AGE_MONTHS * DAYS_PER_MONTH:
        raise TableError(
            f"Line {row.line}: {column} {row[column][:40]} is not an age.",
            remedy="Give the age at the baseline scan; decimals are welcome.",
            path=path,
        )
    return days


def _form(row: Row, path: str) -> Form | None:
    word = row["form"].lower()
    if not word:
        return None
    if word not in list(Form):
        raise TableError(
            f"Line {row.line}: form '{row['form'][:40]}' is not known.",
            remedy=f"It is one of: {', '.join(Form)}.",
            path=path,
        )
    return Form(word)


def _exclusions(row: Row, path: str) -> tuple[str, ...]:
    reasons = [words for column, words in EXCLUSIONS.items() if _flag(row, column, path)]
    text = row["excluded"]
    if text.lower() in _YES:
        raise TableError(
            f"Line {row.line}: excluded says '{text}' and not why.", remedy="Write the reason in this cell.", path=path
        )
    if text.lower() in _NO:
        return tuple(reasons)
    if len(text) > _MAX_TEXT or not text.isprintable():
        raise TableError(
            f"Line {row.line}: excluded is not printable text of at most {_MAX_TEXT} characters.", path=path
        )
    return (*reasons, text)


def _flag(row: Row, column: str, path: str) -> bool | None:
    """Yes, no, or None where the cell is empty."""
    word = row[column].lower()
    if word not in (*_YES, *_NO):
        raise TableError(
            f"Line {row.line}: {column} '{row[column][:40]}' is neither yes nor no.",
            remedy="Write yes, no, or leave it empty.",
            path=path,
        )
    return word in _YES if word else None


def _names(row: Row, column: str, path: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in row[column].split(";") if name.strip()))
    if len(names) > _MAX_NAMES or any(len(name) > _MAX_TEXT or not name.isprintable() for name in names):
        raise TableError(
            f"Line {row.line}: {column} is not at most {_MAX_NAMES} printable names.",
            remedy="Separate the names of the lesions by ';'.",
            path=path,
        )
    return names
