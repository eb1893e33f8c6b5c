"""Calipers as scanners draw them: a mark at each end, the line between, a number beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lesion_measure.lab.screens.lettering import text_coverage
from lesion_measure.lab.screens.looks import Line, Look, Mark
from lesion_measure.lab.screens.strokes import Layer, Place

_GAPS = {"dots": (3, 6), "sparse": (18, 28), "dashes": (5, 8)}


@dataclass(frozen=True, slots=True)
class Style:
    """How the calipers of one screen are drawn: what a look leaves open, settled."""

    half: int
    width: int
    line: Line
    gap: int
    font: str
    font_px: int
    inward: bool


def settle(rng: np.random.Generator, look: Look, count: int) -> Style:
    """One choice for a screen with so many calipers; those that could not be told apart get a line."""
    line: Line = look.line[int(rng.integers(len(look.line)))]
    told = {(look.mark(i), look.colour(i)) for i in range(count)}
    if line == "none" and len(told) < count and count > 2:
        line = "dots"
    return Style(
        half=int(rng.integers(look.half_px[0], look.half_px[1] + 1)),
        width=int(rng.choice(look.width_px)),
        line=line,
        gap=int(rng.integers(*_GAPS.get(line, (3, 6)), endpoint=True)),
        font=look.fonts[int(rng.integers(len(look.fonts)))],
        font_px=int(rng.integers(look.font_px[0], look.font_px[1] + 1)),
        inward=bool(rng.random() < 0.5),
    )


def draw_caliper(layer: Layer, ends: tuple[Place, Place], look: Look, style: Style, index: int) -> None:
    """Both marks, the line and the number of the caliper with this index.

    Parameters
    ----------
    layer
        Is drawn on.
    ends
        The points measured.
    look, style
        How the scanner draws, and what of it holds on this screen.
    index
        0 for the first caliper of the screen.
    """
    mark = look.mark(index)
    for end, other in (ends, ends[::-1]):
        draw_mark(layer, mark, end, other, style)
    _line(layer, ends, style, mark)
    for which in {"none": (), "one": (0,), "both": (0, 1)}[look.numbers]:
        _number(layer, str(index + 1), ends[which], ends[1 - which], style)


def draw_mark(layer: Layer, mark: Mark, at: Place, other: Place, style: Style) -> None:
    """One mark at a point; an arrow's direction follows from the ``other`` end.

    Parameters
    ----------
    layer, mark
        What is drawn on, and what.
    at, other
        The point measured, and that at the other end.
    style
        Sizes.
    """
    row, col = at
    half, width = style.half, style.width
    away = np.array([row - other[0], col - other[1]])
    away = away / max(float(np.hypot(*away)), 1e-9)
    match mark:
        case "plus":
            layer.bar((row - half, col), (row + half, col), width)
            layer.bar((row, col - half), (row, col + half), width)
        case "gap":
            for sign in (-1, 1):
                layer.bar((row + 2 * sign, col), (row + half * sign, col), width)
                layer.bar((row, col + 2 * sign), (row, col + half * sign), width)
        case "oblique":
            layer.line((row - half, col - half), (row + half, col + half), width)
            layer.line((row - half, col + half), (row + half, col - half), width)
        case "dot":
            layer.disc(at, half)
        case "diamond":
            corners = [(row - half, col), (row, col + half), (row + half, col), (row, col - half)]
            for one, two in zip(corners, [*corners[1:], corners[0]], strict=True):
                layer.line(one, two, width)
        case "triangle" | "arrow":
            _arrow(layer, at, away if style.inward else -away, style, shaft=mark == "arrow")


def _arrow(
    layer: Layer, tip: Place, back: np.ndarray[tuple[int], np.dtype[np.float64]], style: Style, shaft: bool
) -> None:
    base = np.asarray(tip) + back * style.half * 0.8
    side = np.array([-back[1], back[0]]) * style.half * 0.42
    one, two, end = base + side, base - side, np.asarray(tip) + back * style.half * 1.8
    layer.polygon([tip, (float(one[0]), float(one[1])), (float(two[0]), float(two[1]))])
    if shaft:
        layer.line((float(base[0]), float(base[1])), (float(end[0]), float(end[1])), style.width)


def _line(layer: Layer, ends: tuple[Place, Place], style: Style, mark: Mark) -> None:
    (r0, c0), (r1, c1) = ends
    length = float(np.hypot(r1 - r0, c1 - c0))
    clear = 1.0 if mark == "dot" else style.half + 2.0
    if style.line == "none" or length < 2 * clear + 4:
        return
    unit = (r1 - r0) / length, (c1 - c0) / length

    def at(along: float) -> Place:
        return r0 + along * unit[0], c0 + along * unit[1]

    if style.line == "solid":
        layer.line(at(clear), at(length - clear), 1)
    else:
        dash = style.gap * 0.6 if style.line == "dashes" else 1.0 if style.line == "sparse" else 0.0
        for along in np.arange(clear, length - clear, style.gap):
            layer.line(at(float(along)), at(float(min(along + dash, length - clear))), 1)


def _number(layer: Layer, number: str, at: Place, other: Place, style: Style) -> None:
    """Beside the mark, away from the line."""
    glyph = text_coverage(number, style.font, max(9, style.font_px - 2))
    away = np.array([at[0] - other[0], at[1] - other[1]])
    away = away / max(float(np.hypot(*away)), 1e-9)
    middle = np.asarray(at) + away * (style.half + 0.75 * max(glyph.shape) + 1)
    layer.stamp(glyph, round(middle[0] - glyph.shape[0] / 2), round(middle[1] - glyph.shape[1] / 2))
