"""subjects.csv: what is known of each enrolled child besides its scans. docs/cohort.md describes the columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.records import DAYS_PER_MONTH, EXCLUSIONS, Doubt, Enrolled, Form, Refusal
from lesion_measure.spelling import LETTERS_PER_SLIP, look_alike, or_meant, slips, unprintable
from lesion_measure.tables.cells import check_points, why_no_number
from lesion_measure.tables.rows import Row, read_table

STATEMENTS = ("targets", "new_lesions", "non_target_progression")
"""Columns for what a reader says of the lesions; names are those of the calipers, separated by ``;``."""

REFERENCE = ("reference_start", "rfstdtc")
"""Columns, of which one is used, for the subject's reference start date: DM.RFSTDTC."""

COLUMNS = ("subject", "age_months", "age_days", "form", *EXCLUSIONS, "excluded", *STATEMENTS, *REFERENCE)

_NUMBER = re.compile(r"[0-9]{1,64}([.][0-9]{1,64})?([eE][+-]?[0-9]{1,2})?")
_MAX_TEXT = 200
_MAX_NAMES = 100
_MAX_AGE_MONTHS = 120 * 12
_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0", "")


def read_subjects(path: str | Path) -> dict[str, Enrolled]:
    """Read subjects.csv, by subject code.

    Raises
    ------
    TableError
        The table cannot be read, a subject is there twice, or a cell cannot be meant; names the line.
    """
    name = str(path)
    rows = read_table(
        path,
        required=("subject",),
        optional=COLUMNS[1:],
        dates=REFERENCE,
    )
    for column, most in (("age_months", _MAX_AGE_MONTHS), ("age_days", _MAX_AGE_MONTHS * DAYS_PER_MONTH)):
        check_points([(column, row[column], row.line) for row in rows], most, name)
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
            reference_start=_reference(row, name),
        )
        lines[subject] = row.line
    if not found:
        raise TableError("The table has no rows.", remedy="Give one row for each enrolled subject.", path=name)
    return found


def not_in_table(table: Mapping[str, Enrolled], scanned: Sequence[str]) -> list[Doubt]:
    """The children with scans whose row in a subjects table seems to be lost, so that nobody knows what it says.

    A table may list a few children only. A child's row seems lost where the table lists most of the others, or has a
    row that fits no scan: that of a code that this child's may be a misspelling of, or of any where none is.
    """
    unlisted = [code for code in scanned if code not in table]
    unscanned = [code for code in table if code not in scanned]
    meant = {code for other in unscanned for code in _meant(other, unlisted)}
    if 2 * len(unlisted) >= len(scanned):
        unlisted = [code for code in unlisted if unscanned and (code in meant or not meant)]
    return [
        Doubt(
            Refusal(
                code="not_in_subjects_table",
                reason=f"The subjects table has no row for {code}{or_meant(code, unscanned)}",
                remedy=f"{_made_of(code, unscanned)}Give it a row: whether it is excluded, and which lesions a "
                "reader chose, is not known.",
                subject=code,
            )
        )
        for code in unlisted
    ]


def _made_of(code: str, unscanned: Sequence[str]) -> str:
    """A hint at the table's code that a spreadsheet made of this one; empty where there is none."""
    return next(filter(None, (taken_for_a_number(other, [code]) for other in unscanned)), "")


def _meant(code: str, others: Sequence[str]) -> list[str]:
    """The codes that one without scans may be a misspelling of: the nearest alone."""
    far = {
        other: 0 if look_alike(code, other) or _one_number(code, other) else slips(code.casefold(), other.casefold())
        for other in others
    }
    best = min(far.values(), default=len(code))
    return [other for other in others if far[other] == best] if best <= max(1, len(code) // LETTERS_PER_SLIP) else []


def taken_for_a_number(code: str, known: Iterable[str]) -> str:
    """A hint that a spreadsheet took a known code for a number; empty where none is the same number as this code.

    >>> taken_for_a_number("123", ["00123", "0124"]), taken_for_a_number("1E+05", ["124"])
    ("Is '123' perhaps '00123', which a spreadsheet took for a number? Format the column as text. ", '')
    """
    like = next((each for each in sorted(known) if each != code and _one_number(each, code)), None)
    if like is None:
        return ""
    return f"Is '{code}' perhaps '{like}', which a spreadsheet took for a number? Format the column as text. "


def _one_number(code: str, other: str) -> bool:
    """Whether two codes are one number to a spreadsheet, such as 00123 and 123, or 1E5 and 100000."""
    return all(map(_NUMBER.fullmatch, (code, other))) and Decimal(code) == Decimal(other)


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
            f"Line {row.line}: subject is not printable text of 1 to {_MAX_TEXT} characters{unprintable(code)}.",
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
    why = why_no_number(shown) or (None if math.isfinite(float(shown)) else ("is not finite", "Give a number."))
    if why is not None:
        reason, remedy = why
        raise TableError(f"Line {row.line}: {column} '{row[column][:40]}' {reason}.", remedy=remedy, path=path)
    return float(shown)


def day(row: Row, column: str, path: str) -> date | None:
    """A cell as a date in ISO 8601; None where it is empty.

    Raises
    ------
    TableError
        It is none.
    """
    if not row[column]:
        return None
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        raise TableError(
            f"Line {row.line}: {column} '{row[column][:40]}' is not a date.",
            remedy="Write it as 2024-03-31.",
            path=path,
        ) from None


def _reference(row: Row, path: str) -> date | None:
    given = {column: found for column in REFERENCE if (found := day(row, column, path)) is not None}
    if len(set(given.values())) > 1:
        raise TableError(
            f"Line {row.line}: {' and '.join(REFERENCE)} are different dates.", remedy="Give one of them.", path=path
        )
    return next(iter(given.values()), None)


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
    return round(days, 6)  # as results.json keeps it


def _form(row: Row, path: str) -> Form | None:
    word = row["form"].lower()
    if not word:
        return None
    if word not in list(Form):
        raise TableError(
            f"Line {row.line}: form '{row['form'][:40]}' is not known{or_meant(word[:40], Form)}",
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
            f"Line {row.line}: excluded is not printable text of at most {_MAX_TEXT} characters{unprintable(text)}.",
            path=path,
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
            f"Line {row.line}: {column} is not at most {_MAX_NAMES} printable names{unprintable(row[column])}.",
            remedy="Separate the names of the lesions by ';'.",
            path=path,
        )
    return names
