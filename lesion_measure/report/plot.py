"""A plot as SVG within a page: scales, axes, a key and marks. Nothing is imported for it, and it takes a millisecond.

Places are pixels of the drawing. Colours, widths and letters are those of its elements' classes (``style.css``), so a
dark screen and paper have their own. All texts are escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

LETTER = 0.58
"""Mean width of a letter as a share of its height, on the wide side."""
_SHAPES = {
    "circle": "m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z",
    "square": "m-{r} -{r}h{d}v{d}h-{d}z",
    "diamond": "m0 -{d}l{d} {d}l-{d} {d}l-{d} -{d}z",
    "up": "m0 -{d}l{d} {d}h-{d}h-{d}z",
    "down": "m0 {d}l{d} -{d}h-{d}h-{d}z",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where values lie along an axis, from ``start`` to ``end`` in pixels, and where its ticks are."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The place of a value; what lies beyond an end stands there."""
        low, high, own = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, own = math.log(low), math.log(high), math.log(own)
        return self.start + (self.end - self.start) * (own - low) / (high - low)


def linear(low: float, high: float, start: float, end: float, *, most: int = 7, rounded: bool = True) -> Scale:
    """A scale of equal steps of 1, 2, 2.5 or 5 times a power of ten.

    Parameters
    ----------
    low, high
        What it has to hold.
    start, end
        Places of its ends, pixels.
    most
        Of steps.
    rounded
        Whether its ends are ticks; else they are ``low`` and ``high``.
    """
    high = high if high > low else low + 1
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power * most >= (high - low) * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if rounded:
        low, high = first * step, last * step
    ticks = (number * step for number in range(first, last + 1))
    return Scale(low=low, high=high, start=start, end=end, ticks=tuple(t for t in ticks if low <= t <= high))


_FACTORS = ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7))
"""Ticks of a logarithmic scale within a power of ten, from coarse to fine."""


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """A logarithmic scale whose ends lie a little beyond.

    Its ticks lie at powers of ten. Where these are fewer than four, 2 and 5 times them are ticks, too, then others
    between. A narrow scale has round numbers of one distance.
    """
    low, high = low / 1.12, high * 1.12
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in _FACTORS:
        ticks = tuple(t for power in powers for f in factors if low <= (t := f * 10.0**power) <= high)
        if len(ticks) > 3:
            break
    else:
        ticks = linear(low, high, start, end, rounded=False).ticks
    return Scale(low=low, high=high, start=start, end=end, ticks=ticks, logarithmic=True)


class Plot:
    """A drawing of some size in pixels. What is drawn later lies above."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def path(self, data: str, kind: str, **more: str) -> None:
        """A path by its SVG data; ``kind`` is its class, ``more`` are attributes."""
        rest = "".join(f' {name.replace("_", "-")}="{escape(value)}"' for name, value in more.items())
        self._parts.append(f'<path class="{escape(kind)}" d="{escape(data)}"{rest}/>')

    def line(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        """A line through points (x, y)."""
        self.path("M" + "L".join(f"{short(x)} {short(y)}" for x, y in points), kind)

    def mark(self, x: float, y: float, shape: str, kind: str, radius: float = 4.0) -> None:
        """A mark at a place.

        Parameters
        ----------
        x, y
            Its middle.
        shape
            circle, square, diamond, or a triangle that points up or down.
        kind
            Class of the element.
        radius
            Half of its width.
        """
        self.path(f"M{short(x)} {short(y)}" + _SHAPES[shape].format(r=short(radius), d=short(2 * radius)), kind)

    def text(
        self, x: float, y: float, words: str, kind: str = "", *, anchor: str = "start", size: float = 13,
        turned: bool = False,
    ) -> None:  # fmt: skip
        """Words whose base line begins, is centred or ends at a place.

        Parameters
        ----------
        x, y
            The place.
        words
            What it says; a line break parts lines.
        kind
            Class of the element.
        anchor
            start, middle or end.
        size
            Height of the letters.
        turned
            Whether it reads upwards.
        """
        turn = f' transform="rotate(-90 {short(x)} {short(y)})"' if turned else ""
        lines = words.split("\n")
        rows = "".join(
            f'<tspan x="{short(x)}" y="{short(y + size * 1.2 * number)}">{escape(line)}</tspan>'
            for number, line in enumerate(lines)
        )
        inside = rows if len(lines) > 1 else str(escape(words))
        own = f' class="{escape(kind)}"' if kind else ""
        self._parts.append(
            f'<text{own} x="{short(x)}" y="{short(y)}" font-size="{short(size)}" text-anchor="{anchor}"{turn}>'
            f"{inside}</text>"
        )

    def rows(self, scale: Scale, left: float, right: float, texts: Sequence[str]) -> None:
        """The grid of a vertical scale from left to right, with the text of each tick."""
        for tick, words in zip(scale.ticks, texts, strict=True):
            y = scale.at(tick)
            self.line([(left, y), (right, y)], "grid")
            self.text(left - 8, y + 4, words, "size", anchor="end", size=12)

    def columns(self, scale: Scale, top: float, bottom: float, texts: Sequence[str]) -> None:
        """The grid of a horizontal scale from top to bottom, with the text of each tick."""
        for tick, words in zip(scale.ticks, texts, strict=True):
            x = scale.at(tick)
            self.line([(x, top), (x, bottom)], "grid")
            self.text(x, bottom + 17, words, "size", anchor="middle", size=12)

    def key(self, x: float, y: float, entries: Iterable[tuple[str, str, str]]) -> None:
        """The legend in one line: (shape, class, words) each.

        A shape is ``line``, that of a mark on a line, ``bar``, or the name of a pattern over a bar.
        """
        for shape, kind, words in entries:
            if shape not in ("line", *_SHAPES):
                box = f"M{short(x)} {short(y - 10)}h18v11h-18z"
                self.path(box, kind)
                if shape != "bar":
                    self.path(box, "unsure", style=f"fill: url(#{shape})")
            else:
                self.line([(x, y - 4), (x + 18, y - 4)], kind)
                if shape != "line":
                    self.mark(x + 9, y - 4, shape, f"mark {kind.removeprefix('course ')}")
            self.text(x + 24, y, words, size=12)
            x += 24 + LETTER * 12 * len(words) + 22

    def raw(self, markup: Markup) -> None:
        """An element that is none of these."""
        self._parts.append(str(markup))

    def svg(self) -> Markup:
        """The drawing as an element for a page."""
        inside = "\n".join(self._parts)
        return Markup(  # noqa: S704  every text and attribute above is escaped
            f'<svg viewBox="0 0 {short(self.width)} {short(self.height)}" aria-hidden="true"><g class="chart">\n'
            f"{inside}\n</g></svg>"
        )


def short(number: float) -> str:
    """A place with at most two decimals."""
    return f"{number:.2f}".rstrip("0").rstrip(".") if number else "0"
