"""What the text of a table's cell can mean: a number or a name, or what a spreadsheet made of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lesion_measure.errors import TableError
from lesion_measure.tables.workbook import DateText, NumberText

DECIMAL_POINT = (
    "Give the .xlsx workbook itself, or set the spreadsheet's decimal separator to a point, without a separator of "
    "thousands, and save again."
)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}([.,' \u00a0\u202f\u2019][0-9]{3})+([.,][0-9]*)?")
_POINTED = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_NO_DECIMAL_POINT = re.compile(r"[+-]?([0-9]*,([0-9]{1,2}|[0-9]{4,})|[0-9]{1,3}(\.[0-9]{3})+(\.[0-9]{3}|,[0-9]*))")
"""A number whose comma parts decimals, or whose points part thousands, beyond doubt."""
_MONTH = r"(jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sept?|oct|okt|nov|de[cz])\.?"
_OTHER_MONTH = (
    r"(janv|févr?|mars|avr|juin|juil|août|déc|fev|abr|ago|set|out|ene|di[cz]|gen|mag|giu|lug|ott|mrt|mei"  # to Dutch
    r"|oca|şub|nis|haz|tem|ağu|eyl|eki|kas|ara)\.?"  # Turkish
)
_DAY = re.compile(
    rf"[0-9]{{1,2}}[-. /]{{1,2}}({_MONTH}|{_OTHER_MONTH})|{_MONTH}[-. /]{{1,2}}[0-9]{{1,4}}"
    r"|([0-9]{4}年)?[0-9]{1,2}月[0-9]{1,2}日",
    re.IGNORECASE,
)
"""A day or month as spreadsheets write it, in several languages; those whose months may be codes, day first."""
_FULL_DATE = re.compile(r"([0-9]{1,2})([./])([0-9]{1,2})\2(19|20)[0-9]{2}")
"""What may be a date that names nothing; 2024-01-02 may be a code."""
_MONTHS, _DAYS = 12, 31
_FAILED = re.compile(r"#(N/?A|NV|REF!?|VALUE!?|NAME\?|DIV/0!?|NULL!?|NUM!?|BEZUG!|WERT!|ZAHL!|#+)|#{2,}", re.IGNORECASE)
"""What a spreadsheet shows where a formula failed, or where a column is too narrow."""

_NAMES = ("subject", "lesion", "reader", "targets", "new_lesions", "patient")
"""Columns for names: a number there is one only if nothing else can have been typed for it."""

_PATHS = ("path", "image", "mask")
"""Columns for names of files and folders, which may look like a day."""


def why_no_number(text: str) -> tuple[str, str] | None:
    """Why a cell is no number, in words, and what would help; None where it is one.

    >>> why_no_number("301.25"), why_no_number("301,25")[0], why_no_number("1,234.5")[0]
    (None, 'has a decimal comma', 'has a separator of thousands')
    """
    if _NUMBER.fullmatch(text):
        return None
    both = _COMMA.fullmatch(text) and _THOUSANDS.fullmatch(text)
    if both:
        return "has a decimal comma, or a separator of thousands: it can be read in two ways", DECIMAL_POINT
    if _COMMA.fullmatch(text):
        return "has a decimal comma", DECIMAL_POINT
    if _THOUSANDS.fullmatch(text):
        return "has a separator of thousands", DECIMAL_POINT
    return "is not a number", "Use a decimal point and no unit."


def why_not_typed(text: str) -> tuple[str, str] | None:
    """Why nobody typed a text so, but a spreadsheet made it, in words, and what would help; None where it may be typed.

    >>> why_not_typed("L1"), why_not_typed("01. Feb")[0]
    (None, "holds the date '01. Feb', as spreadsheets make of a text such as 1-2")
    """
    if isinstance(text, DateText) or _DAY.fullmatch(text):
        reason = f"holds the date '{text}', as spreadsheets make of a text such as 1-2"
        return reason, (
            "Format the column as text before the values are typed in, and type this one in again. Where it is a code, "
            "give the .xlsx workbook with the cell formatted as text."
        )
    if _FAILED.fullmatch(text):
        return f"holds '{text}', which a spreadsheet shows in place of a value", "Put in the value itself."
    return None


def check_typed(column: str, value: str, line: int, dates: Sequence[str], name: str, *, workbook: bool) -> None:
    """Refuse what a spreadsheet has turned into a date or number, as it does with 1-2 and 1.10.

    Parameters
    ----------
    column, value, line
        The cell's column and text, and the line that it stands on.
    dates
        The columns that hold dates, or that nobody reads.
    name
        The table's, for the complaint.
    workbook
        Whether a workbook holds the cell: a text in it was typed as one, even where it looks like a date.

    Raises
    ------
    TableError
        The text was made by a spreadsheet, or is a number that may be another name.
    """
    if column in dates:
        return
    if column in (*_NAMES, *_PATHS) and isinstance(value, NumberText):
        number = value.stored or value
        reason = (
            f"Line {line}: {column} holds the number {number}, which is shown, or was typed, in other ways as well."
        )
        remedy = "Format the column as text, and type this name in again: as numbers 1.1 and 1.10 are one."
        raise TableError(reason, remedy=remedy, path=name)
    if column in _PATHS and not isinstance(value, DateText):
        return
    as_text = workbook and not isinstance(value, DateText) and not _FAILED.fullmatch(value)
    date = DateText(value) if column in _NAMES and _is_date(value) else value
    if not as_text and (why := why_not_typed(date)) is not None:
        raise TableError(f"Line {line}: {column} {why[0]}.", remedy=why[1], path=name)


def is_like_a_date(text: str) -> bool:
    """Whether a text in a column for names may be what a spreadsheet made of another, as 12-Mar is."""
    return why_not_typed(text) is not None or _is_date(text)


def _is_date(text: str) -> bool:
    """Whether a text is a whole date, day or month first: 45.67.1234 is none."""
    if not (found := _FULL_DATE.fullmatch(text)):
        return False
    first, second = sorted((int(found[1]), int(found[3])))
    return 1 <= first <= _MONTHS and second <= _DAYS


def check_points(
    typed: Sequence[tuple[str, str, int]], most: float, name: str, unread: Iterable[str] = (), place: str = "Line"
) -> None:
    """Refuse 1.234 where it may be a thousand and more: its column has no number that tells what its points part.

    A number such as 12.5, 0.234 or 1.2340, or one that were more than ``most`` as thousands, shows that points part
    decimals. A decimal comma, or 1.234.567, shows that they do not.

    Parameters
    ----------
    typed
        Column, text and line of each number that is measured, of one column or of several that are written alike.
    most
        The largest number that may be meant.
    name
        The table's, for the complaint.
    unread
        Further texts of the column: they tell of decimal commas alone.
    place
        What the lines are called in the complaint.

    Raises
    ------
    TableError
        A number can be read in two ways.
    """
    texts = [(column, text.lstrip("<> "), line) for column, text, line in typed if not isinstance(text, NumberText)]
    pointed = [each for each in texts if _POINTED.fullmatch(each[1]) and abs(_as_thousands(each[1])) <= most]
    if not pointed:
        return
    commas = any(_NO_DECIMAL_POINT.fullmatch(text.lstrip("<> ")) for text in (*unread, *(t for _, t, _ in texts)))
    if not commas and any(_has_decimal_point(text, most) for _, text, _ in texts):
        return
    column, text, line = pointed[0]
    raise TableError(
        f"{place} {line}: {column} {text} has decimals, or a separator of thousands: it can be read in two ways.",
        remedy="Give the .xlsx workbook itself, or numbers without a separator of thousands. Where it has "
        f"decimals, write one more: {text}0.",
        path=name,
    )


def _has_decimal_point(text: str, most: float) -> bool:
    if not _NUMBER.fullmatch(text) or "." not in text:
        return False
    return not _POINTED.fullmatch(text) or abs(_as_thousands(text)) > most


def _as_thousands(text: str) -> float:
    return float(text.replace(".", ""))
