"""Single marks on a frame: crosses, discs and arrows, each with the point that it marks, sub-pixel.

A few comparisons of shifted copies of the frame tell the pixels that may be a mark's middle; a frame without marks has
hardly any, and costs milliseconds. What is there is compared with every template by normalised correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.burnt_in.overlay import Channel
from lesion_measure.burnt_in.templates import REACH, Bank, Shape, Template, bank

LEAST_CONTRAST = 25
"""Gray levels by which a mark's arms stand out of the corners between them."""
LEAST_SOLID_CONTRAST = 60
"""The same for filled marks above what surrounds them: grains of speckle are filled, too."""
LEAST_SCORE = 0.5
LEAST_SOLID_SCORE = 0.74
"""Correlation with a template from which something may be a cross, or a filled mark."""
LEAST_LEVEL, LEAST_SOLID_LEVEL = 120.0, 200.0
LEAST_CLEARANCE = 22.0
"""Marks are drawn bright, and brighter than nearly all echoes around them."""
APART_PX = 6.0
"""Two marks are not nearer to one another."""
MOST_PLACES = 6000
"""Pixels that are compared with the templates, the clearest first: a bound on the work of hostile frames."""
FILLED = (Shape.DISC, Shape.ARROW)
"""Shapes that grains of echoes have, too."""
_BEFORE_FILLED = {Shape.DIAMOND: 0.15}
_DARK = 6
_EDGE = 10
_CHUNK = 512

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark at (``row``, ``col``), pixel centres at integers, sub-pixel.

    ``half_px`` is how far its strokes reach from there, ``score`` its correlation with the template (1: drawn so),
    ``level`` and ``spread`` mean and SD of its strokes in the overlay channel, ``ground`` the mean around them,
    ``clearance`` how far its level is above nearly all (90 %) of its surroundings, ``dark`` the share of these without
    echoes.
    ``colour`` is the mean of its strokes, RGB. ``back`` is as of the template.
    """

    row: float
    col: float
    shape: Shape
    half_px: float
    score: float
    level: float
    spread: float
    ground: float
    clearance: float
    dark: float
    colour: tuple[float, float, float]
    back: tuple[float, float] = (0.0, 0.0)

    @property
    def point(self) -> tuple[float, float]:
        """(row, column)."""
        return self.row, self.col


def find_marks(rgb: NDArray[np.uint8], channel: Channel) -> tuple[Mark, ...]:
    """Everything on a frame that looks like a mark, the clearest first; text, ticks and signs may be among it.

    Parameters
    ----------
    rgb
        The frame, (rows, columns, 3).
    channel
        Its `overlay_channel`.
    """
    if min(channel.shape) <= 2 * _EDGE:
        return ()
    padded = np.pad(channel, REACH)
    found: list[Mark] = []
    for shapes, contrast in _contrasts(channel):
        solid = Shape.DISC in shapes
        rows, cols = np.nonzero(contrast >= (LEAST_SOLID_CONTRAST if solid else LEAST_CONTRAST))
        if len(rows) > MOST_PLACES:
            first = np.argsort(contrast[rows, cols], kind="stable")[::-1][:MOST_PLACES]
            rows, cols = rows[first], cols[first]
        found += _compared(
            rgb, padded, rows + _EDGE, cols + _EDGE, bank(shapes), LEAST_SOLID_SCORE if solid else LEAST_SCORE
        )
    return tuple(_apart([mark for mark in found if mark.clearance >= LEAST_CLEARANCE]))


def _contrasts(channel: Channel) -> list[tuple[tuple[Shape, ...], Channel]]:
    """For each kind of shape how far every pixel looks like its middle, without a margin of ``_EDGE`` pixels."""

    def moved(row: int, col: int) -> Channel:
        rows, cols = channel.shape
        return channel[_EDGE + row : rows - _EDGE + row, _EDGE + col : cols - _EDGE + col]

    upright, oblique = ((0, 1), (1, 0), (0, -1), (-1, 0)), ((1, 1), (1, -1), (-1, 1), (-1, -1))
    crosses = []
    for shape, arms, corners in ((Shape.PLUS, upright, oblique), (Shape.OBLIQUE, oblique, upright)):
        arm = [_least([moved(far * row, far * col) for row, col in arms for far in some]) for some in ((2, 3), (3, 4))]
        least = np.maximum(arm[0], arm[1])  # the second for a cross with a gap in its middle
        crosses.append(((shape,), _above(least, _mean([moved(3 * row, 3 * col) for row, col in corners]))))
    for half in range(4, 10):
        side = half // 2
        drawn = [moved(half * row, half * col) for row, col in upright]
        drawn += [moved(side * row, (half - side) * col) for row, col in oblique]
        inside = _mean([moved(0, 0), *(moved(2 * row, 2 * col) for row, col in upright)])
        crosses.append(((Shape.DIAMOND,), _above(_least(drawn), inside)))
    middle = _least([moved(row, col) for row in (-1, 0, 1) for col in (-1, 0, 1)])
    around = _mean(
        [moved(7 * row, 7 * col) for row, col in upright] + [moved(5 * row, 5 * col) for row, col in oblique]
    )
    return [*crosses, ((Shape.DISC, Shape.ARROW), _above(middle, around))]


def _least(parts: Sequence[Channel]) -> Channel:
    least = parts[0].copy()
    for part in parts[1:]:
        np.minimum(least, part, out=least)
    return least


def _mean(parts: Sequence[Channel]) -> Channel:
    total = parts[0].astype(np.uint16)
    for part in parts[1:]:
        total += part
    return (total // len(parts)).astype(np.uint8)


def _above(one: Channel, other: Channel) -> Channel:
    return np.where(one > other, one - other, 0).astype(np.uint8)


def _compared(
    rgb: NDArray[np.uint8], padded: Channel, rows: NDArray[np.intp], cols: NDArray[np.intp], among: Bank, least: float
) -> list[Mark]:
    """The best template at each place, where it is like enough."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * REACH + 1, 2 * REACH + 1))
    found: list[Mark] = []
    for start in range(0, len(rows), _CHUNK):
        r, c = rows[start : start + _CHUNK], cols[start : start + _CHUNK]
        parts = windows[r, c].reshape(len(r), -1).astype(np.float32)
        scores = correlation(parts, among)
        best = scores.argmax(axis=1)
        for index in np.nonzero(scores[np.arange(len(r)), best] >= least)[0]:
            template = among.templates[best[index]]
            mark = mark_at(rgb, padded, (int(r[index]), int(c[index])), template, float(scores[index, best[index]]))
            if mark.level >= (LEAST_SOLID_LEVEL if least > LEAST_SCORE else LEAST_LEVEL):
                found.append(mark)
    return found


def correlation(parts: Floats, among: Bank) -> Floats:
    """Normalised correlation (places, templates), each over its template's own support."""
    size = among.support.sum(axis=0)
    total, squares = parts @ among.support, (parts * parts) @ among.support
    spread = np.sqrt(np.maximum(squares - total * total / size, 1.0))
    return np.asarray((parts @ among.weights) / spread, np.float32)


def mark_at(rgb: NDArray[np.uint8], padded: Channel, place: tuple[int, int], template: Template, score: float) -> Mark:
    """The mark that a template is at a place.

    Parameters
    ----------
    rgb, padded
        The frame, and its overlay channel with a margin of `REACH` pixels.
    place
        Row and column of the template's middle.
    template, score
        The template, and its correlation there.
    """
    row, col = place
    part = padded[row : row + 2 * REACH + 1, col : col + 2 * REACH + 1]
    drawn, ground = part[template.strokes], part[template.ground]
    rows, cols = np.nonzero(template.strokes)
    rows, cols = rows + row - REACH, cols + col - REACH
    inside = (rows >= 0) & (cols >= 0) & (rows < rgb.shape[0]) & (cols < rgb.shape[1])
    colour = rgb[rows[inside], cols[inside]].mean(axis=0)
    level = float(drawn.mean())
    around = part[~ndimage.binary_dilation(template.strokes, iterations=2)]
    return Mark(
        row=row + template.point[0],
        col=col + template.point[1],
        shape=template.shape,
        half_px=template.half_px,
        score=score,
        level=level,
        spread=float(drawn.std()),
        ground=float(ground.mean()),
        clearance=level - float(np.percentile(around, 90)),
        dark=float(np.mean(around < _DARK)),
        colour=(float(colour[0]), float(colour[1]), float(colour[2])),
        back=template.back,
    )


def _apart(found: list[Mark]) -> list[Mark]:
    """The best mark of each place; filled ones come after crosses, whose arms and lines are like them."""
    kept: list[Mark] = []
    middles: list[tuple[float, float]] = []
    for mark in sorted(found, key=lambda each: -each.score - _BEFORE_FILLED.get(each.shape, 0.0)):
        middle = mark.row + mark.back[0] * mark.half_px / 2, mark.col + mark.back[1] * mark.half_px / 2
        if all(
            np.hypot(middle[0] - row, middle[1] - col) >= _own(other)
            for (row, col), other in zip(middles, kept, strict=True)
        ):
            kept.append(mark)
            middles.append(middle)
    return sorted(kept, key=lambda mark: -mark.score)


def _own(mark: Mark) -> float:
    if mark.shape is Shape.DIAMOND:
        return mark.half_px + 3.0
    return max(APART_PX, mark.half_px) if mark.shape in FILLED else APART_PX
