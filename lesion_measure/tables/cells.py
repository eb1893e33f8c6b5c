"""What the text of a table's cell can mean: a number or a name, or what a spreadsheet made of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lesion_measure.errors import TableError
from lesion_measure.tables.workbook import DateText, NumberText

DECIMAL_POINT = (
    "Give the .xlsx workbook itself, or set the spreadsheet's decimal separator to a point, without a separator of "
    "thousands, and save again."
)


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}([.,' \u00a0\u202f\u2019][0-9]{3})+([.,][0-9]*)?")
_POINTED, _BELOW_1000 = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}"), re.compile(r"0|[1-9][0-9]{0,2}")
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
_FULL_DATE = re.compile(r"[0-9]{1,2}(?P<between>[./])[0-9]{1,2}(?P=between)[0-9]{4}")
"""A date that names nothing; 2024-01-02 may be a code."""
_FAILED = re.compile(r"#(N/?A|NV|REF!?|VALUE!?|NAME\?|DIV/0!?|NULL!?|NUM!?|BEZUG!|WERT!|ZAHL!|#+)|#{2,}", re.IGNORECASE)
"""What a spreadsheet shows where a formula failed, or where a column is too narrow."""

_NAMES = ("subject", "lesion", "reader", "targets", "new_lesions")
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
        return reason, "Format the column as text before the values are typed in, and type this one in again."
    if _FAILED.fullmatch(text):
        return f"holds '{text}', which a spreadsheet shows in place of a value", "Put in the value itself."
    return None


def check_typed(column: str, value: str, line: int, dates: Sequence[str], name: str) -> None:
    """Refuse what a spreadsheet has turned into a date or number, as it does with 1-2 and 1.10.

    Parameters
    ----------
    column, value, line
        The cell's column and text, and the line that it stands on.
    dates
        The columns that hold dates.
    name
        The table's, for the complaint.

    Raises
    ------
    TableError
        The text was made by a spreadsheet, or is a number that may be another name.
    """
    if column in _NAMES and isinstance(value, NumberText):
        reason = f"Line {line}: {column} holds the number {value}, which is shown, or was typed, in other ways as well."
        remedy = "Format the column as text, and type this name in again: as numbers 1.1 and 1.10 are one."
        raise TableError(reason, remedy=remedy, path=name)
    if column in dates or (column in _PATHS and not isinstance(value, DateText)):
        return
    date = DateText(value) if column in _NAMES and _FULL_DATE.fullmatch(value) else value
    if (why := why_not_typed(date)) is not None:
        raise TableError(f"Line {line}: {column} {why[0]}.", remedy=why[1], path=name)


def check_points(typed: Sequence[tuple[str, str, int]], most: Mapping[str, float], name: str) -> None:
    """Refuse 1.234 where every other number of a text is a whole one below 1000: it may be a thousand and more.

    Who writes decimals has some of one or two digits or of three alone; who separates thousands has neither.
    """
    pointed = [each for each in typed if _POINTED.fullmatch(each[1])]
    others = [text for _, text, _ in typed if not _POINTED.fullmatch(text)]
    if not pointed or not others or not all(_BELOW_1000.fullmatch(text) for text in others):
        return
    if all(float(text.replace(".", "")) <= most[column] for column, text, _ in pointed):
        column, text, line = pointed[0]
        raise TableError(
            f"Line {line}: {column} {text} has decimals, or a separator of thousands: it can be read in two ways.",
            remedy="Give the .xlsx workbook itself, or numbers without a separator of thousands. Where it has "
            f"decimals, write one more: {text}0.",
            path=name,
        )
