"""Excel workbooks (.xlsx) as rows of text, by 300 lines of our own (docs/decisions/0002-dependencies.md).

A workbook is a zip of XML parts (ECMA-376). Read are the sheets, the shared texts, and of the styles which number
formats are dates. Everything is bounded, nothing is computed: a formula counts with the value that was stored with it,
and without one it is refused by its cell's name. What a sheet that nobody asks for holds is nobody's business.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self
from xml.etree import ElementTree

from lesion_measure.errors import TableError
from lesion_measure.files.reading import parse_xml

MAX_PART_BYTES = 20_000_000
"""Most bytes of one part when it is unpacked."""

MAX_CELLS = 2_000_000

_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Built-in number formats that show a date or a time (ECMA-376, 18.8.30)."""

_LAST_DAY = 2_950_000
"""A day in the year 9976, or 9980: less than the last that a date holds."""

_TIME_FORMATS = frozenset({*range(18, 22), *range(45, 48)})
"""Those of them that show a time without a day."""

_LETTER_FORMATS = frozenset(range(9, 14))
"""Those that show more than a whole number's digits: percent, powers of ten, fractions."""

_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_NOT_SHOWN = re.compile(r"\[[^\]]*\]|_.|\*.")
_LETTERS = re.compile(r'"[^"]*\w[^"]*"|\\\w|[%/]|[eE][+-]|[0#?.],+(?![0#?,])')
"""The same in formats of one's own: letters, percent, fractions, powers of ten, thousands left out."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_FIRST_PRINTED = 0x20
_ALSO_ESCAPED = (0x5F, 0xFFFE, 0xFFFF)
_MOST_EXACT = 1e15
"""Spreadsheets keep 15 digits of a number."""
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_SAVE = "Save the table as CSV (UTF-8), or as an .xlsx workbook."


class DateText(str):
    """The text of a cell that holds a date, in ISO 8601."""

    __slots__ = ()


class NumberText(str):
    """The text of a number that may be shown, or was typed, as another one: 1.1 as 1.10, 1 as L1, or of 16 digits.

    ``stored`` is how the workbook holds it.
    """

    __slots__ = ("stored",)
    stored: str

    def __new__(cls, text: str, stored: str = "") -> Self:
        made = super().__new__(cls, text)
        made.stored = stored
        return made


class Unreadable(str):
    """Why a cell cannot be read, and what would help."""

    __slots__ = ("remedy",)
    remedy: str

    def __new__(cls, reason: str, remedy: str = _SAVE) -> Self:
        made = super().__new__(cls, reason)
        made.remedy = remedy
        return made


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows as (number, texts), cells that are merged, as ranges, and whether it is hidden."""

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    merged: tuple[str, ...]
    hidden: bool = False


def is_workbook(data: bytes) -> bool:
    """Whether these are the bytes of a zip file, as every .xlsx is."""
    return data.startswith(b"PK\x03\x04")


def read_workbook(data: bytes, name: str) -> list[Sheet]:
    """The sheets of a workbook that hold anything; ``name`` is the file's, for messages.

    Raises
    ------
    TableError
        It is no workbook, or a part is too large. A cell that cannot be read is `Unreadable`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return list(_Workbook(archive, name).sheets())
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise TableError("The workbook is damaged or protected.", remedy=_SAVE, path=name) from error


class _Workbook:
    """The parts of one workbook."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.archive, self.name = archive, name
        self.cells = 0

    def fail(self, reason: str, remedy: str = _SAVE) -> TableError:
        return TableError(reason, remedy=remedy, path=self.name)

    def part(self, path: str) -> ElementTree.Element:
        """The root of an XML part, whose names have lost their namespaces."""
        try:
            with self.archive.open(path) as stream:
                data = stream.read(MAX_PART_BYTES + 1)
        except KeyError as error:
            raise self.fail("This is a zip file and no .xlsx workbook.") from error
        if len(data) > MAX_PART_BYTES:
            raise self.fail(f"The workbook holds more than {MAX_PART_BYTES // 1_000_000} MB in one sheet.")
        try:
            return parse_xml(data)
        except ValueError as error:
            entities = "declares" in str(error)
            raise self.fail(
                "The workbook defines entities, which no spreadsheet does." if entities else "The workbook is damaged."
            ) from error

    def sheets(self) -> Iterator[Sheet]:
        book = self.part("xl/workbook.xml")
        targets = {each.get("Id"): each.get("Target", "") for each in self.part("xl/_rels/workbook.xml.rels")}
        properties = book.find("workbookPr")
        self.since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self.texts = self._shared()
        self.formats = self._formats()
        for sheet in book.iter("sheet"):
            target = targets.get(sheet.get("id"), "")
            if "worksheets/" not in target:  # a sheet of charts or of dialogues
                continue
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            hidden = sheet.get("state", "visible") != "visible"
            found = self._sheet(self.part(path), sheet.get("name", ""), hidden=hidden)
            if any(cell for _, cells in found.rows for cell in cells):
                yield found

    def _shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self.archive.namelist():
            return []
        return [_text(item) for item in self.part("xl/sharedStrings.xml").iter("si")]

    def _formats(self) -> list[str | None]:
        """For each cell style what `_kind` tells of its format."""
        if "xl/styles.xml" not in self.archive.namelist():
            return []
        styles = self.part("xl/styles.xml")
        codes = {each.get("numFmtId", ""): each.get("formatCode", "") for each in styles.iter("numFmt")}
        known = styles.find("cellXfs")
        return [] if known is None else [_kind(each.get("numFmtId", "0"), codes) for each in known]

    def _sheet(self, root: ElementTree.Element, name: str, *, hidden: bool) -> Sheet:
        rows = []
        above = 0
        for row in root.iter("row"):
            number = int(row.get("r") or above + 1)
            above = number
            cells: list[str] = []
            for cell in row.iter("c"):
                column = _column(cell.get("r", "")) or len(cells) + 1
                if column <= len(cells):
                    raise self.fail("The workbook is damaged: cells are out of order.")
                self.cells += max(1, column - len(cells))
                if self.cells > MAX_CELLS:
                    raise self.fail(f"The workbook holds more than {MAX_CELLS // 1_000_000} million cells.")
                cells += [""] * (column - 1 - len(cells))
                cells.append(self._cell(cell, f"{_letters(column)}{number}"))
            rows.append((number, tuple(cells)))
        merged = tuple(each.get("ref", "") for each in root.iter("mergeCell"))
        return Sheet(name, tuple(rows), merged, hidden)

    def _cell(self, cell: ElementTree.Element, place: str) -> str:
        kind, value = cell.get("t", "n"), cell.find("v")
        stored = "" if value is None or value.text is None else value.text
        if cell.find("f") is not None and not stored and kind != "str":  # a text may be empty
            return Unreadable(
                f"Cell {place} holds a formula without a stored value.",
                "Open the workbook in a spreadsheet and save it there, or put the value in place of the formula.",
            )
        if kind == "e":
            return Unreadable(f"Cell {place} holds the error {stored[:20]}.", "Put a value in place of the formula.")
        if kind == "inlineStr":
            inline = cell.find("is")
            return "" if inline is None else _text(inline)
        if kind == "s":
            return self._shared_text(stored, place)
        if kind == "b":
            return "true" if stored == "1" else "false"
        if kind == "d":
            return DateText(stored[:10])
        return self._number(stored, cell.get("s", "0"), place) if kind == "n" else _unescaped(stored)

    def _shared_text(self, stored: str, place: str) -> str:
        try:
            return self.texts[int(stored)]
        except (ValueError, IndexError):
            return Unreadable(f"Cell {place} names a text that the workbook does not hold.")

    def _number(self, stored: str, style: str, place: str) -> str:
        if not stored:
            return ""
        try:
            number = float(stored)
            shown = self.formats[int(style)] if int(style) < len(self.formats) else None
        except ValueError:
            return Unreadable(f"Cell {place} holds no number: '{stored[:20]}'.")
        if shown in ("date", "time"):
            return self._day(number if shown == "date" else 0, place)
        if not number.is_integer() or abs(number) >= _MOST_EXACT:
            return NumberText(repr(number), stored)
        text = str(int(number))
        if shown == "letters":
            return NumberText(text)
        return text.zfill(len(shown)) if shown and number >= 0 else text

    def _day(self, number: float, place: str) -> str:
        """A day's number as a date: from 1904-01-01, or from 1900-01-01 with a 29 February 1900 that never was."""
        days = int(number)
        first = date(1899, 12, 30) if days > 60 else date(1899, 12, 31)
        begin = date(1904, 1, 1) if self.since_1904 else first
        leap = days == 60 and not self.since_1904
        if leap or not 1 <= days <= _LAST_DAY:
            return Unreadable(f"Cell {place} holds a time or a day that is no date.", "Write the date as 2024-03-31.")
        return DateText((begin + timedelta(days=days)).isoformat())


def _kind(number: str, codes: dict[str, str]) -> str | None:
    """What a number format shows: a 'date', a 'time', zeros that fill a number up, 'letters' beside digits, or None."""
    code = codes.get(number)
    built_in = int(number) if number.isdigit() else 0
    if code is None and built_in in _LETTER_FORMATS:
        return "letters"
    if code is None:
        return ("time" if built_in in _TIME_FORMATS else "date") if built_in in _DATE_FORMATS else None
    if re.fullmatch("0{2,}", code):
        return code
    first = code.partition(";")[0]
    plain = _NOT_FORMAT.sub("", first).lower()
    if "general" not in plain and re.search("[dmyhs]", plain):
        return "date" if re.search("[dy]", plain) or not re.search("[hs]", code.lower()) else "time"
    return "letters" if _LETTERS.search(_NOT_SHOWN.sub("", first)) else None


def _text(item: ElementTree.Element) -> str:
    """The text of a shared or inline string, without its phonetic reading."""
    reading = {id(text) for each in item.iter("rPh") for text in each.iter("t")}
    return _unescaped("".join(text.text or "" for text in item.iter("t") if id(text) not in reading))


def _unescaped(text: str) -> str:
    """A text without the escapes that stand for what XML cannot hold, such as ``_x000D_`` for a line's end.

    ``_x005F_`` stands for the line that would begin one. A file's name may hold ``_x1024_``, which stays as it is.
    """
    return _ESCAPED.sub(_letter, text)


def _letter(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return chr(code) if code < _FIRST_PRINTED or code in _ALSO_ESCAPED else escape[0]


def _column(place: str) -> int:
    """Number of a cell's column, from 1; 0 where the cell does not say its place."""
    found = _CELL.fullmatch(place)
    number = 0
    for letter in found.group(1) if found else "":
        number = 26 * number + ord(letter) - 64
    return number


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
