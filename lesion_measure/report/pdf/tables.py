"""Tables of our pages on paper: columns as wide as what stands in them, heads repeated on every page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Table

from lesion_measure.report.pdf import fonts
from lesion_measure.report.pdf.drawing import Box, draw_svg, size_of
from lesion_measure.report.pdf.inline import ACCENT, LINE_BREAK, QUIET, SMALL, markup
from lesion_measure.report.pdf.tree import Node

PRIMARY, LINE, HEAD_LINE, INK = "#eef5fa", "#dfe3e8", "#aab2bb", "#1b1f24"
PAD = 2.6
SMALLEST = 5.6
STRIP_POINTS = 74.0
"""Width of the interval chart in a row."""

MOST_WHOLE = 9
"""Most rows of a table that is never parted by the end of a sheet."""

FIRST_ROWS = 3
"""Least rows of a longer table before the end of a sheet parts it."""

_MARKUP = re.compile(r"<[^>]+>")


@dataclass(slots=True)
class Cell:
    """One cell: its words in paragraph markup, a drawing, and where it lies."""

    node: Node
    row: int
    column: int
    rows: int
    columns: int
    head: bool

    @property
    def right(self) -> bool:
        """Whether it holds numbers, set to the right."""
        return "n" in self.node.classes


class Strip(Flowable):  # type: ignore[misc]
    """The interval chart of a row."""

    def __init__(self, svg: Node) -> None:
        super().__init__()
        across, down = size_of(svg)
        self.svg, self.width, self.height = svg, STRIP_POINTS, STRIP_POINTS * down / across

    def draw(self) -> None:
        """Draw it."""
        draw_svg(self.canv, self.svg, Box(0, 0, self.width, self.height))


def table(node: Node, width: float, size: float, *, plain_look: bool = False) -> Table | None:
    """A table as wide as the column, or as wide as it needs with ``plain_look``; None where it has no rows.

    Where the words of all columns do not fit side by side, they are set smaller.
    """
    rows = [row for row in node.all("tr") if any(cell.tag in ("td", "th") for cell in row.elements)]
    if not rows:
        return None
    heads = {id(row) for head in node.all("thead") for row in head.all("tr")}
    cells, columns = _cells(rows, heads)
    widths, size = _widths(cells, columns, width, size, fill=not plain_look)
    grid: list[list[Any]] = [[""] * columns for _ in rows]
    look: list[tuple[Any, ...]] = list(_look(plain_look, len(heads), rows))
    for cell in cells:
        own = sum(widths[cell.column : cell.column + cell.columns])
        grid[cell.row][cell.column] = _content(cell, size, own, plain_look)
        if cell.rows > 1 or cell.columns > 1:
            last = cell.column + cell.columns - 1, cell.row + cell.rows - 1
            look.append(("SPAN", (cell.column, cell.row), last))
    if len(rows) <= MOST_WHOLE and not node.all("li"):
        look.append(("NOSPLIT", (0, 0), (-1, -1)))
    return Table(
        grid, widths, style=look, repeatRows=len(heads), spaceBefore=3, spaceAfter=3, hAlign="LEFT", splitInRow=1
    )


def room_to_begin(made: Table, width: float) -> float | None:
    """Height of a table's head and first rows, below which it is not begun on a sheet; None: it is never parted."""
    if made._nosplitCmds:
        return None
    made.wrap(width, 1e6)
    return float(sum(made._rowHeights[: made.repeatRows + FIRST_ROWS]))


def _cells(rows: list[Node], heads: set[int]) -> tuple[list[Cell], int]:
    """Every cell with its place, and the number of columns (HTML living standard 4.9.12, forming a table)."""
    taken: set[tuple[int, int]] = set()
    cells = []
    for number, row in enumerate(rows):
        column = 0
        for child in row.elements:
            if child.tag not in ("td", "th"):
                continue
            while (number, column) in taken:
                column += 1
            across, down = _span(child, "colspan"), min(_span(child, "rowspan"), len(rows) - number)
            cells.append(Cell(child, number, column, down, across, id(row) in heads))
            taken |= {(number + d, column + a) for d in range(down) for a in range(across)}
            column += across
    return cells, max((column for _, column in taken), default=0) + 1


def _span(node: Node, name: str) -> int:
    text = node.attributes.get(name, "1")
    return min(int(text), 50) if text.isdecimal() and int(text) > 0 else 1


def _widths(cells: list[Cell], columns: int, width: float, size: float, *, fill: bool) -> tuple[list[float], float]:
    """Width of each column, and the font size at which they fit."""
    while True:
        least, most = [2 * PAD + 4] * columns, [2 * PAD + 4] * columns
        for cell in cells:
            if cell.columns == 1:
                narrow, wide = _needs(cell, size)
                least[cell.column] = max(least[cell.column], narrow + 2 * PAD)
                most[cell.column] = max(most[cell.column], wide + 2 * PAD)
        if sum(least) <= width or size <= SMALLEST:
            break
        size -= 0.2
    if sum(most) <= width:
        spare = width - sum(most) if fill else 0.0
        return [one + spare * one / sum(most) for one in most], size
    if sum(least) >= width:
        return [one * width / sum(least) for one in least], size
    share = (width - sum(least)) / (sum(most) - sum(least))
    return [low + share * (high - low) for low, high in zip(least, most, strict=True)], size


def _needs(cell: Cell, size: float) -> tuple[float, float]:
    """The least width and the one at which no line is broken, without padding."""
    narrow = wide = 0.0
    for line, small in _lines(cell, size):
        face = f"{fonts.BODY}-Bold" if cell.node.tag == "th" or "<b>" in line else fonts.BODY
        words = _plain(line)
        own = fonts.width(words, face, small) + 0.5
        wide = max(wide, own)
        whole = cell.right or bool(cell.node.classes & {"w", "strip-cell"})
        parts = [words] if whole else words.split()
        narrow = max(narrow, *(fonts.width(part, face, small) + 0.5 for part in parts), 0.0) if parts else narrow
    if cell.node.first("svg") is not None:
        narrow, wide = max(narrow, STRIP_POINTS), max(wide, STRIP_POINTS)
    return min(narrow, 190.0), wide


def _lines(cell: Cell, size: float) -> list[tuple[str, float]]:
    lists = cell.node.all("li")
    if lists:
        return [(markup(item.children, size), size) for item in lists]
    parts = markup(cell.node.children, size, lines=True).split(LINE_BREAK)
    return [(part, SMALL * size if part.startswith("<font") else size) for part in parts]


def _plain(text: str) -> str:
    words = _MARKUP.sub("", text)
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _content(cell: Cell, size: float, width: float, plain_look: bool) -> list[Flowable]:
    bold = cell.node.tag == "th" and not plain_look
    quiet = cell.head or (plain_look and cell.node.tag == "th")
    own = ParagraphStyle(
        "cell", fontName=f"{fonts.BODY}-Bold" if bold else fonts.BODY, fontSize=size, leading=1.22 * size,
        alignment=TA_RIGHT if cell.right and not plain_look else TA_LEFT,
        textColor=HexColor(ACCENT if "origin" in cell.node.classes else QUIET if quiet else INK), splitLongWords=1,
    )  # fmt: skip
    found: list[Flowable] = [Strip(svg) for svg in cell.node.all("svg")]
    lists = cell.node.all("li")
    if lists:
        return [*found, *(Paragraph(markup(item.children, size), own) for item in lists)]
    words = markup(cell.node.children, size, lines=True)
    return [*found, Paragraph(words, own)] if words else found


def _look(plain_look: bool, heads: int, rows: list[Node]) -> list[tuple[Any, ...]]:
    whole = (0, 0), (-1, -1)
    side = 0.0 if plain_look else PAD
    look: list[tuple[Any, ...]] = [
        ("FONTNAME", *whole, fonts.BODY),
        ("VALIGN", *whole, "TOP"),
        ("LEFTPADDING", *whole, side),
        ("RIGHTPADDING", *whole, 2 * PAD if plain_look else side),
        ("TOPPADDING", *whole, 0.3 if plain_look else 1.8),
        ("BOTTOMPADDING", *whole, 0.3 if plain_look else 2.2),
    ]
    if plain_look:
        return look
    look.append(("LINEBELOW", *whole, 0.4, HexColor(LINE)))
    if heads:
        look += [("VALIGN", (0, 0), (-1, heads - 1), "BOTTOM"),
                 ("LINEBELOW", (0, heads - 1), (-1, heads - 1), 0.8, HexColor(HEAD_LINE))]  # fmt: skip
    for number, row in enumerate(rows):
        if "primary" in row.classes:
            look.append(("BACKGROUND", (0, number), (-1, number), HexColor(PRIMARY)))
    return look
