"""Tables from people and spreadsheets: read whole, bounded, every complaint with its line number.

An Excel workbook (.xlsx), or text: UTF-8 (with or without byte order mark) or UTF-16 with one; comma, semicolon or
tabulator (whichever the header line uses most). Column names in any case and any order, blanks in them as underscores.
Empty columns after the last named one, which spreadsheets add to the header and every row alike, are left out; a row
longer than the header line is an error even where its last cell is empty, since a stray delimiter has shifted its
cells. Every cell comes back as composed text (NFC) without surrounding blanks; what it means is the caller's business.
Dates that a spreadsheet made of something else, and numbers that can be read in two ways, are errors that say how to
save.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.files.reading import open_regular, read_regular
from lesion_measure.spelling import nearest, nfc, or_meant
from lesion_measure.tables.cells import DECIMAL_POINT, check_typed, is_like_a_date
from lesion_measure.tables.workbook import DateText, NumberText, Sheet, Unreadable, is_workbook, read_workbook

MAX_TABLE_BYTES = 50_000_000
MAX_CELL = 131_072
"""Characters in a cell. Python's reader has this limit too, but any library in the process may lift it."""
SAVE = "Save the table as 'CSV UTF-8', or give the .xlsx workbook itself."
HEADER_BYTES = 1_000_000
"""Of a text so many bytes are looked at for the names of its columns."""
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
FORMULA_START = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What spreadsheets take for the beginning of a formula; the package writes an apostrophe before such a text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: ``line`` is where it starts in the file (1-based, the header line counts).

    A number or date of a workbook keeps its type, `NumberText` or `DateText`.
    """

    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The cell's text; empty where the cell is empty or an optional column is left out."""
        return self.values[column]


Lines = list[tuple[int, list[str]]]
"""Line numbers and cells, from the header line on."""


def read_table(
    path: str | Path,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    others: bool = False,
    dates: Sequence[str] = (),
) -> list[Row]:
    """Read a table whose columns are exactly ``required`` plus any of ``optional``.

    Parameters
    ----------
    path
        The table: text, or an .xlsx workbook, told by its first bytes. Of several sheets the one that has the columns.
    required, optional
        Column names, in lower case. An optional column that is left out reads as empty text.
    others
        Whether the table may have further columns; they come along under their names.
    dates
        The columns that hold dates; in any other one a date is an error.

    Returns
    -------
    list of Row
        In the order of the file; blank lines are left out.

    Raises
    ------
    TableError
        The file cannot be read, is too large or neither text nor a workbook; a column is missing, unknown or there
        twice; a row has more or fewer cells than the header. The message names the line.
    """
    name = str(path)
    data = _bytes(Path(path), name)
    workbook = is_workbook(data)
    lines = _sheet_lines(read_workbook(data, name), name, required) if workbook else _text_lines(data, name)
    header, width = _header(lines, name, required, optional, others)
    rows = []
    for line, cells in lines[1:]:
        if not any(cells):
            continue
        values = list(cells)
        while len(header) < len(values) <= width and not values[-1]:
            values.pop()
        if workbook:  # which leaves out empty cells at the end of a row
            values += [""] * (len(header) - len(values))
        if len(values) != len(header):
            raise _wrong_length(line, cells, width, name)
        for column, value in zip(header, values, strict=True):
            check_typed(column, value, line, dates, name, workbook=workbook)
        rows.append(Row(line, dict.fromkeys(optional, "") | dict(zip(header, values, strict=True))))
    return rows


def column_names(path: Path) -> list[frozenset[str]]:
    """Names of the columns of each sheet of a workbook, or of a text, whatever its cells hold; none where it is empty.

    Raises
    ------
    TableError
        The file cannot be opened, is too large or an old or damaged workbook.
    """
    name = str(path)
    return columns_of(_bytes(path, name, header=True), name)


def columns_of(data: bytes, name: str) -> list[frozenset[str]]:
    """As `column_names`, of what a file called ``name`` holds: all of a workbook, of a text the beginning."""
    _check_new(data, name)
    if is_workbook(data):
        return [frozenset(_names(_used(sheet)[0][1])) for sheet in read_workbook(data, name)]
    text = data.decode(_coding(data), "replace").replace("\x00", "")  # other encodings have the same letters A to Z
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    start, delimiter = _start(text)
    header = text.split("\n")[start - 1][:MAX_CELL] if start else ""
    return [frozenset(_names(cells)) for cells in csv.reader([header], delimiter=delimiter) if cells]


def guarded(text: str) -> str:
    """A text as it stands in a table, no formula to a spreadsheet; reading takes the apostrophe away again."""
    return f"'{text}" if _like_a_formula(text) else text


def _like_a_formula(text: str) -> bool:
    """Whether a text begins a formula, or would after the apostrophes that somebody wrote before it."""
    if not text or text[0].isalnum():  # as nearly all do
        return False
    return text.lstrip("'").lstrip().startswith(FORMULA_START)


def without_apostrophe(text: str) -> str:
    """A text as it was before it was made safe for spreadsheets.

    >>> without_apostrophe("'-1"), without_apostrophe("'MAR-12"), without_apostrophe("'L1")
    ('-1', 'MAR-12', "'L1")
    """
    made_safe = text.startswith("'") and (_like_a_formula(text) or is_like_a_date(text.lstrip("'")))
    return text[1:] if made_safe else text


def typed(name: str) -> str:
    """A name for a table that is given back: with an apostrophe where it would be taken for a spreadsheet's date."""
    return f"'{name}" if is_like_a_date(name.lstrip("'")) else name


def _bytes(path: Path, name: str, *, header: bool = False) -> bytes:
    """What a file holds; of a text alone the beginning, where the ``header`` is asked for."""
    try:
        data = _beginning(path) if header else b""
        if not header or is_workbook(data):
            data = read_regular(path, MAX_TABLE_BYTES)
    except FileNotFoundError as error:
        raise TableError("There is no such file.", remedy="Check the path.", path=name) from error
    except OSError as error:
        raise TableError(f"The table cannot be read ({error.strerror}).", path=name) from error
    _check_new(data, name)
    return data


def _check_new(data: bytes, name: str) -> None:
    if data.startswith(_OLD_EXCEL):
        raise TableError(
            "This is an old Excel workbook (.xls), or one that is protected by a password.", remedy=SAVE, path=name
        )


def _beginning(path: Path) -> bytes:
    with open_regular(path) as stream:
        return stream.read(HEADER_BYTES)


def _coding(data: bytes) -> str:
    return "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _text(data: bytes, name: str) -> str:
    coding = _coding(data)
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = "UTF-16" if coding == "utf-16" else "UTF-8"
        raise TableError(f"Line {line} is not {what} text.", remedy=SAVE, path=name) from error
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise TableError(f"Line {line} holds a NUL character.", remedy=SAVE, path=name)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _text_lines(data: bytes, name: str) -> Lines:
    """The lines of a text, from the header line on; none where all are empty."""
    text = _text(data, name)
    start, delimiter = _start(text)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    lines: Lines = []
    line = 1
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1
            if any(len(cell) > MAX_CELL for cell in cells):
                raise csv.Error(f"a cell of more than {MAX_CELL:,} characters")
            if start and first >= start:
                lines.append((first, [nfc(cell.strip()) for cell in cells]))
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num} is not valid CSV ({error}).", remedy=SAVE, path=name) from error
    return lines


def _start(text: str) -> tuple[int, str]:
    """Number of the header line, 0 where there is none, and the delimiter: the line's own, or that of 'sep=;'."""
    told = ""
    for number, content in enumerate(text.split("\n"), start=1):
        if content.lower().startswith("sep=") and not told:  # which some spreadsheets put before the header
            told = content[4:5]
        elif content.strip(" \t,;"):
            most = max(",;\t", key=content.count)
            return number, told if told in (";", "\t", ",") and told else most
    return 0, ","


def _sheet_lines(sheets: Sequence[Sheet], name: str, required: Sequence[str]) -> Lines:
    """The lines of the workbook's only sheet, or of the only one that has the columns."""
    having = [sheet for sheet in sheets if set(required) <= set(_names(_used(sheet)[0][1]))]
    if len(having) == 1 and having[0].hidden:
        raise TableError(
            f"Only the sheet '{having[0].name[:31]}' has the columns of this table, and it is hidden.",
            remedy="Show the sheet if its rows are meant, or remove it.",
            path=name,
        )
    if len(sheets) > 1 and len(having) != 1:
        titles = ", ".join(f"'{each.name[:31]}'" + " (hidden)" * each.hidden for each in (having or sheets))
        which = "Several sheets have the columns of this table" if having else "No sheet has the columns of this table"
        raise TableError(f"{which}: {titles}.", remedy="Keep the table alone in its workbook.", path=name)
    if not sheets:
        return []
    sheet = having[0] if having else sheets[0]
    lines = _used(sheet)
    for merged in sheet.merged:
        if int(re.sub("[^0-9].*", "", re.sub("^[^0-9]+", "", merged.rpartition(":")[2])) or 0) >= lines[0][0]:
            raise TableError(
                f"Cells {merged} are merged, so that it is not known whose their text is.",
                remedy="Undo the merging, and write the text into every cell that it is meant for.",
                path=name,
            )
    for cell in (cell for _, cells in lines for cell in cells if isinstance(cell, Unreadable)):
        raise TableError(cell, remedy=cell.remedy, path=name)
    return lines


def _used(sheet: Sheet) -> Lines:
    rows = [(number, [_stripped(cell) for cell in cells]) for number, cells in sheet.rows]
    first = next(place for place, (_, cells) in enumerate(rows) if any(cells))
    return rows[first:]


def _stripped(cell: str) -> str:
    return cell if isinstance(cell, DateText | NumberText | Unreadable) else nfc(cell.strip())


def _names(cells: Iterable[str]) -> list[str]:
    """Column names in lower case, with underscores for blanks."""
    return [re.sub(r"\s+", "_", cell.strip().lower()) for cell in cells]


def _wrong_length(line: int, cells: Sequence[str], width: int, name: str) -> TableError:
    remedy = "Give every row one cell for each column; put text that holds the delimiter in quotes."
    if len(cells) > width and any(cell.isdigit() for cell in cells):
        remedy += f" Has it decimal commas? {DECIMAL_POINT}"
    return TableError(f"Line {line} has {len(cells)} cells, the header line has {width}.", remedy=remedy, path=name)


def _header(
    lines: Lines, name: str, required: Sequence[str], optional: Sequence[str], others: bool
) -> tuple[list[str], int]:
    """Column names, and the number of cells of the line that they stand on."""
    if not lines:
        raise TableError("The table is empty.", remedy=f"Its columns are: {', '.join(required)}.", path=name)
    line, cells = lines[0]
    columns = _names(cells)
    width = len(columns)
    while not columns[-1]:
        columns.pop()
    allowed = [*required, *optional]
    remedy = f"The columns are: {', '.join(required)}" + (f"; optional: {', '.join(optional)}." if optional else ".")
    for column in columns:
        if column not in allowed and not others:
            left = [each for each in allowed if each not in columns]
            meant = or_meant(column[:80], left)
            raise TableError(f"Line {line}: column '{column[:80]}' is not known{meant}", remedy=remedy, path=name)
        if columns.count(column) > 1:
            raise TableError(f"Line {line}: column '{column}' is there twice.", remedy=remedy, path=name)
    if missing := [column for column in required if column not in columns]:
        others_here = (column[:80] for column in columns if column not in allowed)
        near = next((column for column in others_here if nearest(column, missing[:1])), None)
        meant = f"; is it '{near}'?" if near else "."
        raise TableError(f"Line {line}: column '{missing[0]}' is missing{meant}", remedy=remedy, path=name)
    return columns, width
