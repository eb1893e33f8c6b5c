"""Whether a scanner drew a line between two marks: dotted, dashed or solid.

Echoes along the way are told from it by ways beside and parallel to it, which cross the same tissue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.burnt_in.marks import Mark
from lesion_measure.burnt_in.overlay import Channel
from lesion_measure.burnt_in.templates import Shape

LEAST_WAY_PX = 8.0
"""Ways shorter than this hold too few dots to tell a line from speckle."""
FEWEST_REGULAR, MOST_UNEVEN = 4, 0.35
"""How many dots are regular at least, and the greatest `Way.evenness` of such."""
_STEP_PX = 0.5
_BESIDE_PX = np.array([-11.0, -9.5, -8.0, -6.5, -5.0, -3.5, 3.5, 5.0, 6.5, 8.0, 9.5, 11.0])
_BEYOND_PX = 14.0, 26.0  # a number beside a mark is nearer
_WITHIN_PX = np.array([-0.7, 0.0, 0.7])
_UNEVEN = 2.0
_SIDE_PX = 3.0
_LIT = 0.45
"""Share of the marks' contrast from which a pixel of the way is drawn."""
_LEAST_LIT, _USUAL, _ABOVE_USUAL = 0.18, 0.95, 10.0
"""The least such share: thin dots are fainter than marks, where nothing around is as bright as they are."""


@dataclass(frozen=True, slots=True)
class Way:
    """What lies between two marks.

    ``dots`` are lit stretches, ``beside`` the mean number of those on parallel ways, ``lit`` the share of the way that
    is lit, ``hole`` the longest unlit stretch as a share, ``evenness`` the SD of the dots' distances over their mean.
    ``brighter`` is how far the way's mean is above those beside it, in SDs of these; ``ridge`` the same of its height
    above what is next to it on both sides; ``beyond`` the share that is lit where the way would go on behind the marks.
    """

    length_px: float
    dots: int
    beside: float
    lit: float
    lit_beside: float
    hole: float
    evenness: float
    brighter: float
    ridge: float
    beyond: float

    @property
    def strength(self) -> float:
        """How far the dots are more than chance, in SDs of their number on ways beside."""
        return (self.dots - self.beside) / float(np.sqrt(self.beside + 1.0))

    @property
    def regular(self) -> bool:
        """Whether there are dots at even distances: those of chance are not."""
        return self.dots >= FEWEST_REGULAR and self.evenness <= MOST_UNEVEN


def way_between(channel: Channel, one: Mark, two: Mark) -> Way | None:
    """The way between two marks, None where it is too short to tell.

    Parameters
    ----------
    channel
        The overlay channel of the frame.
    one, two
        The marks; what they cover themselves is left out.
    """
    start, end = np.asarray(one.point), np.asarray(two.point)
    length = float(np.hypot(*(end - start)))
    first, last = _clear(one, end - start), length - _clear(two, start - end)
    if last - first < LEAST_WAY_PX:
        return None
    along = np.arange(first, last, _STEP_PX)
    unit = (end - start) / length
    aside = np.array([-unit[1], unit[0]])
    offsets = np.concatenate([[0.0], _BESIDE_PX])
    ways = _profiles(channel, start, unit, aside, along, offsets)
    ground, contrast = (one.ground + two.ground) / 2, (one.level + two.level - one.ground - two.ground) / 2
    usual = float(np.quantile(ways[1:], _USUAL)) + _ABOVE_USUAL
    level = float(np.clip(usual, ground + _LEAST_LIT * contrast, ground + _LIT * contrast))
    lit = (ways >= level) & (ways >= np.median(ways[1:], axis=0) + 0.3 * (level - ground))
    counts = [_stretches(row) for row in lit]
    middles = counts[0]
    means = ways.mean(axis=1)
    gaps = np.diff(middles) if len(middles) > 2 else np.array([])
    edges = np.flatnonzero(np.concatenate([[True], lit[0], [True]]))
    return Way(
        length_px=last - first,
        dots=len(middles),
        beside=float(np.mean([len(each) for each in counts[1:]])),
        lit=float(lit[0].mean()),
        lit_beside=float(lit[1:].mean()),
        hole=float(np.diff(edges).max() - 1) * _STEP_PX / (last - first),
        evenness=float(gaps.std() / gaps.mean()) if len(gaps) else 1.0,
        beyond=_beyond(channel, start, unit, aside, length, (one, two), level),
        brighter=_above(means),
        ridge=_above(_ridges(channel, start, unit, aside, along, offsets, ways)),
    )


def _above(means: NDArray[np.float64]) -> float:
    """How far the first is above the others, in SDs of these."""
    return float((means[0] - means[1:].mean()) / (means[1:].std() + _UNEVEN))


def _ridges(
    channel: Channel,
    start: NDArray[np.float64],
    unit: NDArray[np.float64],
    aside: NDArray[np.float64],
    along: NDArray[np.float64],
    offsets: NDArray[np.float64],
    ways: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How far each way that is not next to the first is above the brighter one of its two sides, on average."""
    apart = (offsets == 0) | (np.abs(offsets) > _SIDE_PX + 1.0)
    sides = [offsets[apart, None, None] + sign * _SIDE_PX for sign in (-1, 1)]
    beside = [
        _sampled(channel, *(start[axis] + along * unit[axis] + side * aside[axis] for axis in (0, 1)))[:, 0]
        for side in sides
    ]
    return np.asarray((ways[apart] - np.maximum(*beside)).mean(axis=1), np.float64)


def _beyond(
    channel: Channel,
    start: NDArray[np.float64],
    unit: NDArray[np.float64],
    aside: NDArray[np.float64],
    length: float,
    marks: tuple[Mark, Mark],
    level: float,
) -> float:
    """The greater of the lit shares behind both marks, as far as a frame's edge or a bar would go on there."""
    shares = []
    for origin, mark, sign in ((0.0, marks[0], -1.0), (length, marks[1], 1.0)):
        own = _reach_px(mark)
        along = origin + sign * (own + np.arange(*_BEYOND_PX, _STEP_PX))
        shares.append(float(np.mean(_profiles(channel, start, unit, aside, along, np.zeros(1)) >= level)))
    return max(shares)


def _reach_px(mark: Mark) -> float:
    """How far a mark goes from its point: an arrow's point is its tip, any other's its middle."""
    return mark.half_px * (2.2 if mark.shape is Shape.ARROW else 1.0)


def goes_on(channel: Channel, mark: Mark, towards: tuple[float, float]) -> bool:
    """Whether something as bright as a mark goes on behind it, seen from ``towards``: then it is a piece of that.

    Parameters
    ----------
    channel
        The overlay channel of the frame.
    mark
        A filled mark.
    towards
        The point at the other end.
    """
    way = np.arctan2(towards[0] - mark.row, towards[1] - mark.col)
    turns = way + np.radians(np.arange(105, 256, 10))
    own = _reach_px(mark)
    along = own + np.arange(4.0, 9.0, _STEP_PX)
    level = _LIT * mark.level + (1 - _LIT) * mark.ground
    values = _sampled(channel, mark.row + np.sin(turns)[:, None] * along, mark.col + np.cos(turns)[:, None] * along)
    return bool((np.mean(values >= level, axis=1) >= 0.8).any())


def _clear(mark: Mark, towards: NDArray[np.float64]) -> float:
    """How much of the way from a mark is its own: an arrow's body may lie on it or beyond its tip."""
    if mark.shape is not Shape.ARROW:
        return mark.half_px + 2.0
    along = float(np.dot(mark.back, towards)) / max(float(np.hypot(*towards)), 1e-9)
    return 3.0 + max(0.0, along) * mark.half_px * 1.2


def _profiles(
    channel: Channel,
    start: NDArray[np.float64],
    unit: NDArray[np.float64],
    aside: NDArray[np.float64],
    along: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The channel (offsets, steps) along parallel ways, each at its brightest within a pixel to both sides."""
    off = (offsets[:, None] + _WITHIN_PX[None, :])[..., None]
    places = [start[axis] + along * unit[axis] + off * aside[axis] for axis in (0, 1)]
    return np.asarray(_sampled(channel, places[0], places[1]).max(axis=1), np.float64)


def _sampled(channel: Channel, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest pixels, those of the frame's edge beyond it."""
    inside = [
        np.clip(np.rint(at), 0, size - 1).astype(np.intp) for at, size in zip((rows, cols), channel.shape, strict=True)
    ]
    return channel[inside[0], inside[1]].astype(np.float64)


def _stretches(lit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Middles of the lit stretches, in steps."""
    edges = np.diff(np.concatenate([[0], lit.astype(np.int8), [0]]))
    return (np.flatnonzero(edges == 1) + np.flatnonzero(edges == -1)) / 2.0
