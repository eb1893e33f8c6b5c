"""CSV tables from people and spreadsheets: read whole, bounded, every complaint with its line number.

UTF-8 (with or without byte order mark), comma or semicolon (whichever the header line uses), column names in any case
and any order. Empty columns after the last named one, which spreadsheets add to the header and every row alike, are
left out; a row longer than the header line is an error even where its last cell is empty, since a stray delimiter has
shifted its cells. Every cell comes back as composed text (NFC)
without surrounding blanks; what it means is the caller's business.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.errors import TableError
from lesion_measure.names import nfc
from lesion_measure.nearest import nearest, or_meant
from lesion_measure.reading import read_regular

MAX_TABLE_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: ``line`` is where it starts in the file (1-based, the header line counts)."""

    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The cell's text; empty where the cell is empty or an optional column is left out."""
        return self.values[column]


def read_csv_rows(
    path: str | Path, *, required: Sequence[str], optional: Sequence[str] = (), others: bool = False
) -> list[Row]:
    """Read a CSV file whose columns are exactly ``required`` plus any of ``optional``.

    Parameters
    ----------
    path
        The table.
    required, optional
        Column names, in lower case. An optional column that is left out reads as empty text.
    others
        Whether the table may have further columns; they come along under their names.

    Returns
    -------
    list of Row
        In the order of the file; blank lines are left out.

    Raises
    ------
    TableError
        The file cannot be read, is too large or not UTF-8 text; a column is missing, unknown or there twice; a row has
        more or fewer cells than the header. The message names the line.
    """
    name = str(path)
    text = _read_text(Path(path), name)
    header, width, start, delimiter = _header(text, name, required, optional, others)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1
            values = [nfc(cell.strip()) for cell in cells]
            if first <= start or not any(values):
                continue
            count = len(values)
            while len(header) < len(values) <= width and not values[-1]:
                values.pop()
            if len(values) != len(header):
                raise TableError(
                    f"Line {first} has {count} cells, the header line has {width}.",
                    remedy="Give every row one cell for each column; put text that holds the delimiter in quotes.",
                    path=name,
                )
            rows.append(Row(first, dict.fromkeys(optional, "") | dict(zip(header, values, strict=True))))
    except csv.Error as error:
        raise TableError(
            f"Line {reader.line_num} is not valid CSV ({error}).", remedy="Save the table as CSV (UTF-8).", path=name
        ) from error
    return rows


def _read_text(path: Path, name: str) -> str:
    try:
        data = read_regular(path, MAX_TABLE_BYTES)
    except FileNotFoundError as error:
        raise TableError("There is no such file.", remedy="Check the path.", path=name) from error
    except OSError as error:
        raise TableError(f"The table cannot be read ({error.strerror}).", path=name) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"Line {line} is not UTF-8 text.", remedy="Save the table as CSV (UTF-8).", path=name
        ) from error
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise TableError(f"Line {line} holds a NUL character.", remedy="Save the table as CSV (UTF-8).", path=name)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _header(
    text: str, name: str, required: Sequence[str], optional: Sequence[str], others: bool
) -> tuple[list[str], int, int, str]:
    """Column names, the number of cells of the line that they stand on, its number, and the delimiter."""
    line, first = next(
        (
            (number, content)
            for number, content in enumerate(text.split("\n"), start=1)
            # Some spreadsheets put a line 'sep=;' before the header.
            if content.strip(" \t,;") and not content.lower().startswith("sep=")
        ),
        (0, ""),
    )
    if not first:
        raise TableError("The table is empty.", remedy=f"Its columns are: {', '.join(required)}.", path=name)
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        columns = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter, strict=True))]
    except csv.Error as error:
        raise TableError(f"Line {line}, the header, is not valid CSV ({error}).", path=name) from error
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
    return columns, width, line, delimiter
