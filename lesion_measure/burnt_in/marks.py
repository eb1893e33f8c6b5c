"""Single marks on a frame: crosses, discs and arrows, each with the point that it marks, sub-pixel.

`places` tells the pixels that may be a mark's middle. What is there is compared with every template by normalised
correlation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.burnt_in.overlay import Channel
from lesion_measure.burnt_in.places import EDGE_PX, places
from lesion_measure.burnt_in.templates import REACH, Bank, Shape, Template, banks_by_size

LEAST_SCORE, LEAST_EVEN_SCORE = 0.5, 0.42
LEAST_SOLID_SCORE = 0.74
"""Correlation with a template from which something may be a cross, one of quite even strokes, or a filled mark."""
LEAST_LEVEL, LEAST_SOLID_LEVEL = 120.0, 200.0
ON_BLACK = 90.0
EVEN, QUITE_EVEN, UNEVEN = 5.0, 12.0, 2.5
"""`Mark.evenness` from which strokes are drawn, and surely so; and up to which they are grains of echoes, unless they
are brighter than what is around."""
LEAST_CLEARANCE = 22.0
"""Marks are drawn bright, and brighter than nearly all echoes around them."""
APART_PX, LEAST_LENGTH_PX = 6.0, 12.0
"""Two marks are not nearer to one another, and the two of one caliper not nearer than the greater."""
FILLED = (Shape.DISC, Shape.ARROW)
"""Shapes that grains of echoes have, too."""
_BEFORE_FILLED = {Shape.DIAMOND: 0.15}
_DARK = 6
_LEAST_SPREAD = 3.0
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

    @property
    def middle(self) -> tuple[float, float]:
        """(row, column) of what is drawn: an arrow's is behind its tip."""
        return self.row + self.back[0] * self.half_px / 2, self.col + self.back[1] * self.half_px / 2

    @property
    def evenness(self) -> float:
        """Its contrast over the SD of its strokes: drawn ones have one brightness, those in echoes do not."""
        return (self.level - self.ground) / (self.spread + _LEAST_SPREAD)


def find_marks(
    rgb: NDArray[np.uint8], channel: Channel, on_black: bool = False, filled: bool = True
) -> tuple[Mark, ...]:
    """Everything on a frame that looks like a mark, the clearest first; text, ticks and signs may be among it.

    Parameters
    ----------
    rgb
        The frame, (rows, columns, 3).
    channel
        One of its overlay.
    on_black
        Whether the channel is black but for what is drawn, so that a mark may be less bright.
    filled
        Whether to look for filled marks, too.
    """
    if min(channel.shape) <= 2 * EDGE_PX:
        return ()
    padded = np.pad(channel, REACH)
    found: list[Mark] = []
    for shapes, (rows, cols) in places(padded):
        solid = Shape.DISC in shapes
        if solid and not filled:
            continue
        least = LEAST_SOLID_SCORE if solid else LEAST_EVEN_SCORE
        for row, col, template, score in _best(padded, rows, cols, banks_by_size(shapes), least):
            mark = mark_at(rgb, padded, (row, col), template, score)
            if score < LEAST_SCORE and mark.evenness < QUITE_EVEN:
                continue
            if mark.level >= (ON_BLACK if on_black else LEAST_SOLID_LEVEL if solid else LEAST_LEVEL):
                found.append(mark)
    return tuple(_apart([mark for mark in found if _stands_out(mark)]))


def _stands_out(mark: Mark) -> bool:
    """Whether a mark is brighter than nearly all around it; a clear cross may be less so, on bright and even tissue.

    One of surely drawn strokes need not be: the scanner's other lines around are as bright.
    """
    if mark.clearance >= LEAST_CLEARANCE or (mark.shape not in FILLED and mark.evenness >= QUITE_EVEN):
        return True
    return mark.shape not in FILLED and mark.clearance >= 5 and mark.evenness > (UNEVEN if mark.score >= 0.6 else EVEN)


def _best(
    padded: Channel, rows: NDArray[np.intp], cols: NDArray[np.intp], banks: Sequence[Bank], least: float
) -> Iterator[tuple[int, int, Template, float]]:
    """At each place the best template, where it is like enough."""
    for start in range(0, len(rows), _CHUNK):
        r, c = rows[start : start + _CHUNK], cols[start : start + _CHUNK]
        scores = [correlation(windows(padded, r, c, among.reach), among) for among in banks]
        which = np.array([each.argmax(axis=1) for each in scores])
        best = np.array([each.max(axis=1) for each in scores])
        bank_of_place = best.argmax(axis=0)
        for index in np.flatnonzero(best.max(axis=0) >= least):
            of = int(bank_of_place[index])
            yield int(r[index]), int(c[index]), banks[of].templates[which[of, index]], float(best[of, index])


def windows(padded: Channel, rows: NDArray[np.intp], cols: NDArray[np.intp], reach: int) -> Floats:
    """The squares of ``reach`` pixels around places of the frame, each as a row."""
    side = 2 * reach + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    margin = REACH - reach
    return windows[rows + margin, cols + margin].reshape(len(rows), -1).astype(np.float32)


def correlation(parts: Floats, among: Bank) -> Floats:
    """Normalised correlation (places, templates), each over its template's own support."""
    size = among.support.sum(axis=0)
    total, squares = parts @ among.support, (parts * parts) @ among.support
    spread = np.sqrt(np.maximum(squares - total * total / size, 1.0))
    return np.asarray((parts @ among.weights) / spread[:, among.own], np.float32)


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
        dark=_dark(rgb, row, col),
        colour=(float(colour[0]), float(colour[1]), float(colour[2])),
        back=template.back,
    )


def _dark(rgb: NDArray[np.uint8], row: int, col: int) -> float:
    """The share of a square of `REACH` pixels around a place that has no echoes; what is beyond the frame has none."""
    part = rgb[max(row - REACH, 0) : row + REACH + 1, max(col - REACH, 0) : col + REACH + 1]
    return 1 - int(np.count_nonzero(part.max(axis=2) >= _DARK)) / (2 * REACH + 1) ** 2


def _apart(found: list[Mark]) -> list[Mark]:
    """The best mark of each place; filled ones come after crosses, whose arms and lines are like them."""
    kept: list[Mark] = []
    for mark in sorted(found, key=lambda each: -each.score - _BEFORE_FILLED.get(each.shape, 0.0)):
        row, col = mark.middle
        if all(np.hypot(row - other.middle[0], col - other.middle[1]) >= _own(other) for other in kept):
            kept.append(mark)
    return sorted(kept, key=lambda mark: -mark.score)


def _own(mark: Mark) -> float:
    if mark.shape is Shape.DIAMOND:
        return mark.half_px + 3.0
    return max(APART_PX, mark.half_px) if mark.shape in FILLED else APART_PX
