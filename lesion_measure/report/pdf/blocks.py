"""Elements of our pages as what reportlab sets on paper."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Paragraph, Preformatted, Spacer, Table

from lesion_measure.errors import InputError
from lesion_measure.report.pdf import fonts
from lesion_measure.report.pdf.drawing import Box, draw_svg, size_of
from lesion_measure.report.pdf.inline import ACCENT, BLOCKS, QUIET, SKIPPED, markup, plain
from lesion_measure.report.pdf.tables import table
from lesion_measure.report.pdf.tree import Node

INK, LINE, SOFT, REVIEW = "#1b1f24", "#dfe3e8", "#f5f7f9", "#e69f00"
SIZE = 8.6
HEADINGS = {"h1": 17.0, "h2": 13.0, "h3": 10.4, "h4": 9.0}
BESIDE_MM = 80.0
"""A column at least this wide, in mm, has the numbers beside the picture."""
MM = 72 / 25.4
DATA = "data:image/jpeg;base64,"


def style(size: float = SIZE, **more: Any) -> ParagraphStyle:
    """The style of a paragraph of a font size."""
    known: dict[str, Any] = {
        "name": "text", "fontName": fonts.BODY, "fontSize": size, "leading": 1.32 * size, "textColor": HexColor(INK),
        "spaceBefore": 2, "spaceAfter": 2, "splitLongWords": 1, "allowWidows": 0, "allowOrphans": 0,
        "bulletFontName": fonts.BODY,
    }  # fmt: skip
    return ParagraphStyle(**(known | more))


class Mark(Flowable):  # type: ignore[misc]
    """Nothing to be seen: an entry of the outline, and what the head of the page says from here on.

    It stays on the sheet of what follows.
    """

    keepWithNext = 1  # noqa: N815  reportlab's name

    def __init__(self, words: str, level: int) -> None:
        super().__init__()
        self.words, self.level = words, level
        self.width = self.height = 0

    def draw(self) -> None:
        """Tell the canvas."""
        self.canv.mark(self.words, self.level)


class Drawing(Flowable):  # type: ignore[misc]
    """An SVG of the page, ``width`` points wide."""

    def __init__(self, svg: Node, width: float, ground: str | None = None) -> None:
        super().__init__()
        across, down = size_of(svg)
        self.svg, self.ground = svg, ground
        self.width, self.height = width, width * down / across

    def draw(self) -> None:
        """Draw it."""
        if self.ground:
            self.canv.setFillColor(HexColor(self.ground))
            self.canv.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        draw_svg(self.canv, self.svg, Box(0, 0, self.width, self.height))


class Picture(Flowable):  # type: ignore[misc]
    """An ultrasound picture and what is drawn on it."""

    def __init__(self, node: Node, width: float) -> None:
        super().__init__()
        image = node.first("img")
        source = image.attributes.get("src", "") if image else ""
        if image is None or not source.startswith(DATA):
            raise InputError("A picture of the page is none of this program.", code="picture")
        try:
            self.data = base64.b64decode(source[len(DATA) :], validate=True)
            across, down = (float(image.attributes.get(name, "")) for name in ("width", "height"))
        except (binascii.Error, ValueError) as error:
            raise InputError("A picture of the page cannot be read.", code="picture") from error
        self.svg = node.first("svg")
        self.width, self.height = width, width * down / across

    def draw(self) -> None:
        """Draw it."""
        self.canv.drawImage(ImageReader(io.BytesIO(self.data)), 0, 0, self.width, self.height)
        if self.svg is not None:
            draw_svg(self.canv, self.svg, Box(0, 0, self.width, self.height))


def flow(nodes: Sequence[Node | str], width: float, size: float = SIZE) -> list[Flowable]:
    """The flowables of nodes in a column ``width`` points wide: each block by itself, running text as paragraphs."""
    found: list[Flowable] = []
    for is_block, group in groupby(nodes, _is_block):
        own = list(group)
        if is_block:
            for node in own:
                if isinstance(node, Node):
                    found += block(node, width, size)
        elif text := markup(own, size):
            found.append(Paragraph(text, style(size)))
    return found


def _is_block(node: Node | str) -> bool:
    return isinstance(node, Node) and (node.tag in BLOCKS or node.tag in SKIPPED)


def block(node: Node, width: float, size: float = SIZE) -> list[Flowable]:
    """The flowables of one element."""
    for name, make in _BY_CLASS.items():
        if name in node.classes:
            return make(node, width, size)
    make_tag = _BY_TAG.get(node.tag)
    if make_tag is not None:
        return make_tag(node, width, size)
    if node.tag in SKIPPED:
        return [Drawing(node, min(width, size_of(node)[0]))] if node.tag == "svg" else []
    return flow(node.children, width, size)


def _heading(node: Node, width: float, size: float) -> list[Flowable]:
    large = HEADINGS[node.tag] * (size / SIZE if node.tag == "h4" else 1)
    text = markup(node.children, large)
    own = style(large, fontName=f"{fonts.BODY}-Bold", keepWithNext=1, spaceBefore=0.6 * large, spaceAfter=2.5)
    marks = [Mark(node.text(), 0)] if node.tag == "h2" else []
    return [*marks, Paragraph(text, own)] if text else []


def _paragraph(node: Node, width: float, size: float) -> list[Flowable]:
    classes = node.classes
    if "kicker" in classes:
        words = markup([node.text().upper()], 0.8 * size)
        return [Paragraph(words, style(0.8 * size, textColor=HexColor(QUIET), keepWithNext=1))]
    if classes & {"small", "running", "source"}:
        size *= 0.8 if "source" in classes else 0.92
        return _text(
            node, style(size, textColor=HexColor(QUIET), leading=1.25 * size, keepWithNext=int("running" in classes))
        )
    if "measure" in classes:
        return [_boxed([[Paragraph(markup(node.children, size), style(size))]], width, ACCENT, SOFT)]
    if "answer" in classes:
        return _text(node, style(1.16 * size, spaceBefore=4, spaceAfter=5))
    return _text(node, style(size))


def _text(node: Node, own: ParagraphStyle) -> list[Flowable]:
    words = markup(node.children, own.fontSize)
    return [Paragraph(words, own)] if words else []


def _list(node: Node, width: float, size: float) -> list[Flowable]:
    bare = "files" in node.classes
    own = style(size, leftIndent=0 if bare else 9, spaceBefore=0.5, spaceAfter=1)
    bullet = None if bare else "•"
    return [Paragraph(markup(item.children, size), own, bulletText=bullet) for item in node.elements]


def _facts(node: Node, width: float, size: float) -> list[Flowable]:
    small = 0.94 * size
    rows, left = [], min(0.24 * width, 105)
    terms = [child for child in node.elements if child.tag == "dt"]
    values = [child for child in node.elements if child.tag == "dd"]
    for term, value in zip(terms, values, strict=True):
        quiet = style(small, textColor=HexColor(QUIET))
        rows.append([Paragraph(plain(term.text()), quiet), Paragraph(markup(value.children, small), style(small))])
    return [Table(rows, [left, width - left], style=_tight(1.2), hAlign="LEFT")] if rows else []


def _tight(space: float) -> list[tuple[Any, ...]]:
    whole = (0, 0), (-1, -1)
    return [
        ("FONTNAME", *whole, fonts.BODY),
        ("VALIGN", *whole, "TOP"),
        ("LEFTPADDING", *whole, 0),
        ("RIGHTPADDING", *whole, 3),
        ("TOPPADDING", *whole, space),
        ("BOTTOMPADDING", *whole, space),
    ]


def _boxed(rows: list[list[Any]], width: float, edge: str, ground: str) -> Table:
    """Rows on a coloured ground with a bar at their left; it may go on over the next page."""
    whole = (0, 0), (-1, -1)
    look = [
        ("FONTNAME", *whole, fonts.BODY),
        ("BACKGROUND", *whole, HexColor(ground)),
        ("LINEBEFORE", (0, 0), (0, -1), 2.4, HexColor(edge)),
        ("LEFTPADDING", *whole, 7),
        ("RIGHTPADDING", *whole, 5),
        ("TOPPADDING", *whole, 1.2),
        ("BOTTOMPADDING", *whole, 1.8),
    ]
    return Table(rows, [width], style=look, spaceBefore=4, spaceAfter=4, splitInRow=1)


def _notes(node: Node, width: float, size: float) -> list[Flowable]:
    small = 0.95 * size
    rows = [[one] for one in flow(node.children, width - 12, small)]
    look = "look" in node.classes
    return [_boxed(rows, width, REVIEW if look else "#9aa0a6", "#fef8ea" if look else SOFT)] if rows else []


def _tiles(node: Node, width: float, size: float) -> list[Flowable]:
    tiles = list(node.elements)
    columns = min(4, max(1, len(tiles)))
    gap = 5.0
    each = (width - gap * (columns - 1)) / columns
    edges = {"ok": "#009e73", "look": REVIEW, "out": "#9aa0a6"}
    cells = []
    for tile in tiles:
        lines: list[Flowable] = []
        for part in tile.elements:
            large = 15.0 if part.tag == "b" else 0.92 * size
            own = style(large, spaceBefore=0, spaceAfter=0, leading=1.2 * large)
            own.textColor = HexColor(QUIET if part.tag == "small" else INK)
            own.fontName = f"{fonts.BODY}-Bold" if part.tag == "b" else fonts.BODY
            lines.append(Paragraph(markup(part.children, large), own))
        edge = next((edges[name] for name in edges if name in tile.classes), "#9aa0a6")
        look = [("BOX", (0, 0), (-1, -1), 0.6, HexColor(LINE)), ("LINEABOVE", (0, 0), (-1, 0), 2.4, HexColor(edge))]
        cells.append(Table([[lines]], [each], style=[*_tight(3.5), ("LEFTPADDING", (0, 0), (-1, -1), 5), *look]))
    return [_grid(cells, columns, each, gap)] if cells else []


def _grid(cells: Sequence[Any], columns: int, each: float, gap: float) -> Table:
    rows = [list(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    rows[-1] += [""] * (columns - len(rows[-1]))
    look = [*_tight(0), ("RIGHTPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), gap / 2)]
    spaced: list[list[Any]] = []
    for row in rows:
        whole: list[Any] = []
        for cell in row:
            whole += [cell, ""]
        spaced.append(whole[:-1])
    widths = [each, gap] * columns
    return Table(spaced, widths[:-1], style=look, spaceBefore=4, spaceAfter=4, hAlign="LEFT")


def _plot(node: Node, width: float, size: float) -> list[Flowable]:
    svg = node.first("svg")
    if svg is None:
        return flow(node.children, width, size)
    caption = node.first("figcaption")
    parts: list[Flowable] = [Spacer(1, 3), Drawing(svg, width)]
    if caption is not None:
        parts += _text(caption, style(0.88 * size, textColor=HexColor(QUIET)))
    return [_grid([[*parts, Spacer(1, 3)]], 1, width, 0.0)]


def _pair(node: Node, width: float, size: float) -> list[Flowable]:
    figures = list(node.elements)
    gap, count = 8.0, max(1, min(2, len(figures)))
    each = (width - gap * (count - 1)) / count
    cells = [block(figure, each, size) for figure in figures]
    return [_grid(cells, count, each, gap)] if cells else []


def _subject_head(node: Node, width: float, size: float) -> list[Flowable]:
    heading = node.first("h2")
    if heading is None:
        return flow(node.children, width, size)
    badges = [child for child in node.elements if child is not heading]
    large = HEADINGS["h2"]
    words = f"{markup(heading.children, large)}&nbsp;&nbsp;" + markup(badges, size).replace(
        "<font color=", f'<font size="{1.05 * size:.2f}" color='
    )
    own = style(large, fontName=f"{fonts.BODY}-Bold", keepWithNext=1)
    return [Mark(heading.text(), 1), Paragraph(words, own)]


def _lesion_head(node: Node, width: float, size: float) -> list[Flowable]:
    heading, key = node.first("h3"), node.first("div", "key")
    own = style(HEADINGS["h3"], fontName=f"{fonts.BODY}-Bold", spaceBefore=0, spaceAfter=0)
    cells: list[Any] = [Paragraph(markup(heading.children, own.fontSize), own) if heading else ""]
    widths = [0.3 * width]
    small = style(0.85 * size, textColor=HexColor(QUIET), spaceBefore=0, spaceAfter=0)
    for entry in key.all("span") if key else []:
        svg = entry.first("svg")
        if svg is not None:
            cells += [Drawing(svg, 20, "#2a2f35"), Paragraph(plain(entry.text()), small)]
            widths += [24, fonts.width(entry.text(), fonts.BODY, 0.85 * size) + 8]
    look = [*_tight(1.5), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("LINEBELOW", (0, 0), (-1, -1), 0.6, HexColor(LINE))]
    widths[0] = max(widths[0], width - sum(widths[1:]))
    made = Table([cells], widths, style=look, spaceBefore=8, spaceAfter=2, hAlign="LEFT")
    made.keepWithNext = 1
    return [made]


def _pictures(node: Node, width: float, size: float) -> list[Flowable]:
    figures = [child for child in node.elements if child.tag == "figure"]
    gap, count = 8.0, max(1, len(figures))
    each = (width - gap * (count - 1)) / count
    return [_grid([_figure(figure, each, size) for figure in figures], count, each, gap)]


def _figure(node: Node, width: float, size: float) -> list[Flowable]:
    """A picture with its visit above, and its numbers beside it where there is room, else below."""
    small = 0.84 * size
    visit, frame, caption = node.first("div", "visit"), node.first("div", "frame"), node.first("figcaption")
    found: list[Flowable] = []
    if visit is not None:
        name, day = ([*(child.text() for child in visit.elements), "", ""])[:2]
        right = style(small, alignment=TA_RIGHT)
        cells = [Paragraph(f"<b>{plain(name)}</b>", style(small)), Paragraph(plain(day), right)]
        found.append(Table([cells], [width / 2, width / 2], style=_tight(0.5)))
    if frame is None:
        return found
    beside = width >= BESIDE_MM * MM and caption is not None
    across = 0.56 * width if beside else width
    picture = _frame(frame, across, small)
    if beside and caption is not None:
        caption = _stacked(caption)
    numbers = flow(caption.children, width - across - 5 if beside else width, small) if caption else []
    if not beside:
        return [*found, picture, *numbers]
    return [*found, Table([[picture, numbers]], [across + 5, width - across - 5], style=_tight(0))]


def _stacked(node: Node) -> Node:
    """The numbers of a picture with their intervals below and not beside them."""
    if node.tag == "tr":
        first, *others = list(node.elements)
        lines: list[Node | str] = []
        for place, cell in enumerate(others):
            lines += cell.children if not place else [Node("small", cell.attributes, cell.children)]
        return Node("tr", node.attributes, [first, Node("td", {}, lines)])
    children = [child if isinstance(child, str) else _stacked(child) for child in node.children]
    return Node(node.tag, node.attributes, children)


def _frame(node: Node, width: float, size: float) -> Flowable:
    if node.first("img") is not None:
        return Picture(node, width)
    words = [Paragraph(markup(child.children, size), style(size)) for child in node.elements]
    whole = (0, 0), (-1, -1)
    look = [
        *_tight(3),
        ("VALIGN", *whole, "MIDDLE"),
        ("BACKGROUND", *whole, HexColor(SOFT)),
        ("BOX", *whole, 0.8, HexColor("#b8c0c8"), None, (3, 2)),
        ("LEFTPADDING", *whole, 6),
    ]
    return Table([[words]], [width], [0.5 * width], style=look)


def _pre(node: Node, width: float, size: float) -> list[Flowable]:
    words = "".join(child if isinstance(child, str) else child.text() for child in node.children)
    own = style(0.8 * size, fontName=fonts.MONO)
    letters = max(20, int(width / (0.61 * own.fontSize)))
    return [Preformatted(plain(words), own, maxLineLength=letters)]


def _table(node: Node, width: float, size: float) -> list[Flowable]:
    numbers = "numbers" in node.classes
    made = table(node, width, 0.86 * size if not numbers else 0.96 * size, plain_look=numbers)
    return [made] if made is not None else []


_Make = Callable[[Node, float, float], list[Flowable]]
_BY_CLASS: dict[str, _Make] = {
    "skip": lambda node, width, size: [],
    "tiles": _tiles,
    "notes": _notes,
    "subject-head": _subject_head,
    "lesion-head": _lesion_head,
    "pictures": _pictures,
    "plot": _plot,
    "pair": _pair,
}
_BY_TAG: dict[str, _Make] = {
    "h1": _heading, "h2": _heading, "h3": _heading, "h4": _heading, "p": _paragraph, "ul": _list, "ol": _list,
    "dl": _facts, "table": _table, "pre": _pre,
}  # fmt: skip
