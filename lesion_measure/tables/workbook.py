"""Excel workbooks (.xlsx) as rows of text, by 200 lines of our own (docs/decisions/0002-dependencies.md).

A workbook is a zip of XML parts (ECMA-376). Read are the sheets, the shared texts, and of the styles which number
formats are dates. Everything is bounded, nothing is computed: a formula counts with the value that was stored with it,
and without one it is refused by its cell's name.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
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

_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_SAVE = "Save the table as CSV (UTF-8), or as an .xlsx workbook."


class DateText(str):
    """The text of a cell that holds a date, in ISO 8601."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows as (number, texts); cells that are merged, as ranges."""

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    merged: tuple[str, ...]


def is_workbook(data: bytes) -> bool:
    """Whether these are the bytes of a zip file, as every .xlsx is."""
    return data.startswith(b"PK\x03\x04")


def read_workbook(data: bytes, name: str) -> list[Sheet]:
    """The sheets of a workbook that hold anything; ``name`` is the file's, for messages.

    Raises
    ------
    TableError
        It is no workbook, a part is too large, or a cell cannot be read; names the cell.
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
            found = self._sheet(self.part(path), sheet.get("name", ""))
            if any(cell for _, cells in found.rows for cell in cells):
                yield found

    def _shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self.archive.namelist():
            return []
        return [_text(item) for item in self.part("xl/sharedStrings.xml").iter("si")]

    def _formats(self) -> list[str | None]:
        """For each cell style: 'date', a number of zeros to fill up to, or None."""
        if "xl/styles.xml" not in self.archive.namelist():
            return []
        styles = self.part("xl/styles.xml")
        codes = {each.get("numFmtId", ""): each.get("formatCode", "") for each in styles.iter("numFmt")}
        known = styles.find("cellXfs")
        return [] if known is None else [_kind(each.get("numFmtId", "0"), codes) for each in known]

    def _sheet(self, root: ElementTree.Element, name: str) -> Sheet:
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
        return Sheet(name, tuple(rows), merged)

    def _cell(self, cell: ElementTree.Element, place: str) -> str:
        kind, value = cell.get("t", "n"), cell.find("v")
        stored = "" if value is None or value.text is None else value.text
        if cell.find("f") is not None and not stored and kind != "str":  # a text may be empty
            raise self.fail(
                f"Cell {place} holds a formula without a stored value.",
                "Open the workbook in a spreadsheet and save it there, or put the value in place of the formula.",
            )
        if kind == "e":
            raise self.fail(f"Cell {place} holds the error {stored[:20]}.", "Put a value in place of the formula.")
        if kind == "inlineStr":
            inline = cell.find("is")
            return "" if inline is None else _text(inline)
        if kind == "s":
            return self._shared_text(stored, place)
        if kind == "b":
            return "true" if stored == "1" else "false"
        if kind == "d":
            return DateText(stored[:10])
        return self._number(stored, cell.get("s", "0"), place) if kind == "n" else stored

    def _shared_text(self, stored: str, place: str) -> str:
        try:
            return self.texts[int(stored)]
        except (ValueError, IndexError) as error:
            raise self.fail(f"Cell {place} names a text that the workbook does not hold.") from error

    def _number(self, stored: str, style: str, place: str) -> str:
        if not stored:
            return ""
        try:
            number = float(stored)
            shown = self.formats[int(style)] if int(style) < len(self.formats) else None
        except ValueError as error:
            raise self.fail(f"Cell {place} holds no number: '{stored[:20]}'.") from error
        if shown == "date":
            return self._day(number, place)
        whole = number.is_integer() and abs(number) < 1e15
        text = str(int(number)) if whole else repr(number)
        return text.zfill(len(shown)) if shown and whole and number >= 0 else text

    def _day(self, number: float, place: str) -> str:
        """A day's number as a date: from 1904-01-01, or from 1900-01-01 with a 29 February 1900 that never was."""
        days = int(number)
        first = date(1899, 12, 30) if days > 60 else date(1899, 12, 31)
        begin = date(1904, 1, 1) if self.since_1904 else first
        leap = days == 60 and not self.since_1904
        if leap or not (0 if self.since_1904 else 1) <= days <= _LAST_DAY:
            raise self.fail(f"Cell {place} holds a time or a day that is no date.", "Write the date as 2024-03-31.")
        return DateText((begin + timedelta(days=days)).isoformat())


def _kind(number: str, codes: dict[str, str]) -> str | None:
    """What a number format shows: 'date', zeros that fill a number up, or None."""
    code = codes.get(number)
    if code is None:
        return "date" if number.isdigit() and int(number) in _DATE_FORMATS else None
    if re.fullmatch("0{2,}", code):
        return code
    plain = _NOT_FORMAT.sub("", code.partition(";")[0]).lower()
    return "date" if "general" not in plain and re.search("[dmyhs]", plain) else None


def _text(item: ElementTree.Element) -> str:
    """The text of a shared or inline string, without its phonetic reading."""
    reading = {id(text) for each in item.iter("rPh") for text in each.iter("t")}
    return "".join(text.text or "" for text in item.iter("t") if id(text) not in reading)


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
