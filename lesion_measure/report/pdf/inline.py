"""Running text of our pages in reportlab's paragraph markup: bold, small, code, badges, and letters of other fonts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from lesion_measure.report.pdf import fonts
from lesion_measure.report.pdf.tree import Node

QUIET, ACCENT = "#59626d", "#0b5c8a"
SMALL, CODE = 0.88, 0.86
BADGES = {"good": "#00684c", "bad": "#a84600", "same": "#1f6f9f", "review": "#8a5a00"}
"""Dark enough to be read as text; the page's own colours are those of borders."""
SKIPPED = frozenset({"style", "script", "input", "label", "nav", "svg", "title", "template"})
BLOCKS = frozenset(
    {"div", "p", "ul", "ol", "table", "figure", "section", "dl", "pre", "h1", "h2", "h3", "h4", "main", "footer"}
)
LINE_BREAK = "<br/>"


def markup(nodes: Sequence[Node | str], size: float, *, lines: bool = False) -> str:
    """Nodes as the markup of one paragraph at a font size; with ``lines``, small text begins a line, as in a table."""
    text = "".join(_parts(nodes, size, lines))
    text = re.sub(rf"\s*({re.escape(LINE_BREAK)}\s*)+", LINE_BREAK, re.sub(r"\s+", " ", text))
    return text.removeprefix(LINE_BREAK).removesuffix(LINE_BREAK).strip()


def plain(words: str) -> str:
    """A text without markup."""
    return "".join(
        escape(part, quote=False) if font is None else f'<font name="{font}">{escape(part, quote=False)}</font>'
        for font, part in fonts.runs(words)
    )


def _parts(nodes: Sequence[Node | str], size: float, lines: bool) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield plain(node)
        elif node.tag == "br":
            yield LINE_BREAK
        elif node.tag not in SKIPPED:
            inner = "".join(_parts(node.children, size, lines))
            if inner.strip():
                yield _dressed(node, inner, size, lines)


def _dressed(node: Node, inner: str, size: float, lines: bool) -> str:
    classes = node.classes
    if node.tag in ("b", "strong", "dt"):
        return f"<b>{inner}</b>"
    if node.tag in ("i", "em"):
        return f"<i>{inner}</i>"
    if node.tag == "code":
        return f'<font name="{fonts.MONO}" size="{CODE * size:.2f}">{inner}</font>'
    if node.tag == "small":
        colour = ACCENT if "origin" in classes else QUIET
        small = f'<font name="{fonts.BODY}" size="{SMALL * size:.2f}" color="{colour}">{inner}</font>'
        return f"{LINE_BREAK}{small}" if lines else small
    if "badge" in classes:
        colour = next((BADGES[name] for name in BADGES if name in classes), QUIET)
        return f' <font color="{colour}"><b>{inner}</b></font> '
    if "tag" in classes:
        return f' <font size="{0.8 * size:.2f}" color="{ACCENT}"><b>[{inner}]</b></font>'
    return f" {inner} " if node.tag in BLOCKS else inner
