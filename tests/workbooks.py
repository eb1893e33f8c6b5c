"""Excel workbooks for the tests, part by part: what a spreadsheet stores, and what it should not."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Cell = str | int | float | None | tuple[str, str]
"""A text, a number, nothing, or (attributes of the cell, its content) as XML."""

DATE, ZEROS, _DAY_AND_MONTH, LETTER, HOURS, TWO_DECIMALS = range(1, 7)
"""Styles: a date, a number that is filled up to five digits, 1-Jan, L1 for 1, hours and minutes, 1.00 for 1."""

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STYLES = f"""<styleSheet {_MAIN}><numFmts count="4"><numFmt numFmtId="164" formatCode="[$-409]d\\-mmm;@"/>
<numFmt numFmtId="165" formatCode="00000"/><numFmt numFmtId="166" formatCode="&quot;L&quot;0"/>
<numFmt numFmtId="167" formatCode="[h]:mm"/></numFmts><cellXfs count="7"><xf numFmtId="0"/><xf numFmtId="14"/>
<xf numFmtId="165"/><xf numFmtId="164"/><xf numFmtId="166"/><xf numFmtId="167"/>
<xf numFmtId="2"/></cellXfs></styleSheet>"""


def letters(column: int) -> str:
    return chr(65 + column) if column < 26 else letters(column // 26 - 1) + letters(column % 26)


def styled(number: float, style: int) -> tuple[str, str]:
    return f's="{style}"', f"<v>{number}</v>"


def workbook(
    path: Path,
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    *,
    since_1904: bool = False,
    merged: str = "",
    hidden: Collection[str] = (),
    parts: Mapping[str, str] | None = None,
) -> Path:
    """Write a workbook, of which some sheets are ``hidden``; ``parts`` take the place of parts of it, by path."""
    texts: list[str] = []
    files = {"[Content_Types].xml": "<Types/>", "xl/styles.xml": _STYLES}
    state = {name: 'state="hidden" ' if name in hidden else "" for name in sheets}
    names = "".join(
        f'<sheet name="{escape(n)}" {state[n]}sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(sheets, 1)
    )
    files["xl/workbook.xml"] = (
        f'<workbook {_MAIN} xmlns:r="{_RELATIONS}"><workbookPr date1904="{int(since_1904)}"/>'
        f"<sheets>{names}</sheets></workbook>"
    )
    targets = "".join(f'<Relationship Id="rId{i}" Target="worksheets/s{i}.xml"/>' for i in range(1, len(sheets) + 1))
    files["xl/_rels/workbook.xml.rels"] = f"<Relationships>{targets}</Relationships>"
    for place, rows in enumerate(sheets.values(), 1):
        body = "".join(_row(number, row, texts) for number, row in enumerate(rows, 1))
        end = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
        files[f"xl/worksheets/s{place}.xml"] = f"<worksheet {_MAIN}><sheetData>{body}</sheetData>{end}</worksheet>"
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    files["xl/sharedStrings.xml"] = f"<sst {_MAIN}>{shared}</sst>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (files | dict(parts or {})).items():
            archive.writestr(name, content)
    return path


def _row(number: int, row: Sequence[Cell], texts: list[str]) -> str:
    cells = []
    for column, cell in enumerate(row):
        place = f'r="{letters(column)}{number}"'
        if isinstance(cell, tuple):
            cells.append(f"<c {place} {cell[0]}>{cell[1]}</c>")
        elif isinstance(cell, str):
            texts.append(cell)
            cells.append(f'<c {place} t="s"><v>{len(texts) - 1}</v></c>')
        elif cell is not None:
            cells.append(f"<c {place}><v>{cell!r}</v></c>")
    return f'<row r="{number}">{"".join(cells)}</row>'
