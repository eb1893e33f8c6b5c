"""Figures that matplotlib draws, as inline SVG, PDF or PNG, in the house style. It is imported when one is drawn."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1b1f24"
DPI = 300
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lesion_measure",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "hatch.linewidth": 0.8,
    "text.parse_math": False,
}


def drawn(draw: Callable[[Figure], None], size: tuple[float, float]) -> Markup:
    """What ``draw`` draws on an empty figure of ``size`` inches (width, height), in the house style."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        return inline_svg(figure)


def printed(draw: Callable[[Figure], None], size: tuple[float, float]) -> tuple[bytes, bytes]:
    """The same as PDF, whose letters stay letters, and as PNG of `DPI`; both are the same bytes each time."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({**STYLE, "pdf.fonttype": 42}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        pdf = _saved(figure, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
        png = _saved(figure, format="png", dpi=DPI, metadata={"Software": None})
    return pdf, png


def _saved(figure: Figure, **how: Any) -> bytes:
    """A figure in a format of matplotlib's."""
    stream = io.BytesIO()
    figure.savefig(stream, **how)
    return stream.getvalue()


def inline_svg(figure: Figure) -> Markup:
    """A figure as an SVG element for an HTML page: no prolog, no metadata, no namespace, so nothing external."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    text = text.replace("'DejaVu Sans'", "sans-serif").replace("<svg ", '<svg aria-hidden="true" ', 1)
    # matplotlib escapes every text it is given (subject codes, rule names), so this is safe to embed
    return Markup(text)  # noqa: S704
