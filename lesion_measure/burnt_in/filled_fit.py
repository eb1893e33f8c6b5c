"""Whether two filled marks are dots or arrows, which mark points some pixels apart: both are drawn and compared.

A dot at the end of a line looks like an arrow, and an arrow's body like a dot. Both are compared on the same pixels:
those of the blob and around it, without the strip along the line, where line, shaft and number lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

MOST_EVIDENCE = 3.0
"""Of one pair, so that none decides for all others of a frame."""
SIDES = (0, 1, -1)
"""`Figure.side` of dots, of arrows whose bodies lie between their tips, and of those whose bodies lie outside."""
_SEEN, _LESS = 0.7, 0.3
"""Correlation in the sharpest picture from which the others count less, and by how much: compression spoils colour."""
_REACH, _STRIP_PX, _MARGIN_PX, _CORE_PX = 12, 1.5, 3, 2.0
_FEWEST_PX = 12
_COARSE = np.array(list(product(np.arange(-3.0, 3.1), (-0.75, 0.0, 0.75))))
_FINE = np.array(list(product(np.arange(-0.75, 0.8, 0.25), repeat=2)))
_LONGER_PX = np.arange(-1.5, 1.6, 0.5)
_SLIMMER, _SLIM = np.array([-0.1, -0.05, 0.0, 0.05, 0.1]), (0.37, 0.67)
_FEWEST_LONG, _BEFORE_TIP_PX = 5.0, 2.5
_SHAFT, _SHAFTS_PX = 2.2, (0.0, 1.0)
"""How long arrows are with their shafts, in lengths of their heads, and half the widths of thick shafts; 0: none."""
_SOFT_PX, _WIDER_PX = 2.5, 0.5
"""How wide edges are where compression halves the resolution of colour, and by how much it widens a triangle."""
_SHAFT_AT, _SHAFT_LIT, _SHAFT_TELLS = range(5, 10), 0.1, 1.0
"""How far from an arrow's middle there is shaft, the share of its contrast that this has, and how much it tells."""
_SHAFT_PX, _BESIDE_SHAFT_PX, _MOST_BESIDE = 1.0, (3.0, 6.0), 0.8
"""How wide a shaft is to both sides, where nothing is drawn, and the share of this that a shaft is brighter than."""

Floats = NDArray[np.float64]
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """Brightness or colour (rows, columns) in proportion to what is drawn; ``blurred``: compression may blur it."""

    values: Floats
    blurred: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A disc of radius ``size`` px, or a triangle as long as that and 2 x ``slim`` times as wide at its base.

    ``side`` is 0 for a disc; 1 where the triangle's body lies towards the other end, -1 where beyond its tip.
    ``wider_px`` is how much wider a triangle is drawn on all sides, with round corners; ``edge_px`` how wide edges are
    blurred. ``shaft_px`` is half the width of the shaft behind it, 0 for none.
    """

    size: float
    slim: float = 0.0
    side: int = 0
    shaft_px: float = 0.0
    wider_px: float = 0.0
    edge_px: float = 1.0

    def drawn(self, along: Floats, across: Floats) -> Floats:
        """Its coverage, 0 to 1, so far from its middle towards the other end and beside that way."""
        if not self.side:
            return np.asarray(np.clip(0.5 + (self.size - np.hypot(along, across)) / self.edge_px, 0, 1))
        from_tip, beside, half = along * self.side + self.size / 2, np.abs(across), self.slim * self.size
        on_side = np.clip((from_tip * self.size + beside * half) / (self.size**2 + half**2), 0, 1)
        to_side = np.hypot(from_tip - on_side * self.size, beside - on_side * half)
        to_base = np.hypot(from_tip - self.size, beside - np.clip(beside, 0, half))
        inside = (from_tip <= self.size) & (beside <= self.slim * from_tip)
        outside = np.minimum(to_side, to_base) * np.where(inside, -1.0, 1.0)
        if self.shaft_px:
            beyond = np.maximum(self.size - 1 - from_tip, from_tip - _SHAFT * self.size)
            outside = np.minimum(outside, np.maximum(beside - self.shaft_px, beyond))
        return np.asarray(np.clip(0.5 + (self.wider_px - outside) / self.edge_px, 0, 1))


@dataclass(frozen=True, slots=True)
class Fit:
    """Two marks as one figure: the middles (row, column) of both, sub-pixel, and each one's correlation."""

    figure: Figure
    middles: tuple[Place, Place]
    scores: tuple[float, float]

    @property
    def left(self) -> float:
        """Log of the share of variance that it leaves of both, at its finest."""
        return float(_misfit(np.array(self.scores)).sum())


@dataclass(frozen=True, slots=True)
class Fits:
    """Two marks as each of `SIDES`, and how much worse than the best each is: log of the variance that it leaves."""

    fits: tuple[Fit, ...]
    worse: NDArray[np.float64]


@cache
def _figures() -> tuple[Figure, ...]:
    radii, lengths, sharpness = np.arange(1.75, 6.1, 0.25), (6.0, 6.9, 7.8, 8.7, 9.6, 10.5, 11.4), (1.0, _SOFT_PX)
    discs = [Figure(float(radius), edge_px=edge) for radius, edge in product(radii, sharpness)]
    triangles = product(lengths, (0.42, 0.52, 0.62), (1, -1), _SHAFTS_PX, ((0.0, 1.0), (_WIDER_PX, _SOFT_PX)))
    return (*discs, *(Figure(*each[:4], *each[4]) for each in triangles))


def fit_filled(channel: NDArray[np.uint8], pictures: Sequence[Picture], ends: tuple[Place, Place]) -> Fits:
    """Two marks alike as dots, and as arrows along the way between them.

    Parameters
    ----------
    channel
        The overlay channel (rows, columns) that the marks were found on, which tells the pixels that are theirs.
    pictures
        The same frame, each in proportion to what is drawn, the sharpest one last.
    ends
        About the middles of both marks, (row, column): two places.
    """
    step = np.subtract(ends[1], ends[0])
    way = step / max(float(np.hypot(*step)), 1e-9)
    blobs = [_Blob(channel, pictures, end, towards) for end, towards in zip(ends, (way, -way), strict=True)]
    figures = _figures()
    scores = np.mean([blob.scores(figures) for blob in blobs], axis=0)
    for row, picture in enumerate(pictures):
        scores[row, [figure.edge_px > 1 and not picture.blurred for figure in figures]] = 0.0
    weights = np.ones(len(pictures))
    weights[:-1] = _LESS if scores[-1].max() >= _SEEN else 1.0
    misfits = _misfit(scores) * weights[:, None]
    sides = np.array([figure.side for figure in figures])
    least, fits = [], []
    for side in SIDES:
        own = np.where(sides == side, misfits, 0.0)
        least.append(float(own.min(axis=1).sum()))
        fits.append(_finely(blobs, figures[int(own.sum(axis=0).argmin())], weights))
    if min(blob.shaft_outside() for blob in blobs) >= _SHAFT_LIT:
        least[SIDES.index(-1)] -= _SHAFT_TELLS
    return Fits(tuple(fits), np.minimum(np.array(least) - min(least), MOST_EVIDENCE))


def _finely(blobs: Sequence[_Blob], figure: Figure, weights: Floats) -> Fit:
    """The fit of a figure to a part of a pixel, an arrow's with its tip, which tells how long it is."""

    def misfit(each: Figure) -> float:
        return sum(blob.finely(each, weights)[1] for blob in blobs)

    places = [blob.place(figure, weights) for blob in blobs]
    if figure.side:
        for blob, place in zip(blobs, places, strict=True):
            blob.show_tip(figure, place)
        for _ in range(2):  # how long it is and how slim go together
            slimmer = [replace(figure, slim=float(np.clip(figure.slim + more, *_SLIM))) for more in _SLIMMER]
            figure = min(slimmer, key=misfit)
            longer = [replace(figure, size=max(figure.size + more, _FEWEST_LONG)) for more in _LONGER_PX]
            figure = min(longer, key=misfit)
    one, two = (blob.finely(figure, weights) for blob in blobs)
    return Fit(figure, (one[0], two[0]), (one[2], two[2]))


def _misfit(scores: Floats) -> Floats:
    """Log of the share of variance that a figure leaves: less is better, 0 for none."""
    return np.asarray(np.log(np.clip(1 - np.maximum(scores, 0) ** 2, 1e-4, 1.0)))


class _Blob:
    """The pixels of one mark and around it in all pictures."""

    def __init__(self, channel: NDArray[np.uint8], pictures: Sequence[Picture], middle: Place, towards: Floats) -> None:
        self._towards = towards
        rows, cols = np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1].astype(float)
        along, across = rows * towards[0] + cols * towards[1], rows * towards[1] - cols * towards[0]
        far = np.hypot(rows, cols)
        place = round(middle[0]), round(middle[1])
        blob = _beside_line(_window(channel, place), far, across)
        if blob.any():  # what was found may be its tip or shaft
            moved = float(along[blob].mean())
            place = round(place[0] + moved * towards[0]), round(place[1] + moved * towards[1])
        parts = [_window(each.values, place) for each in pictures]
        strip = np.abs(across) <= _STRIP_PX
        blob = _beside_line(_window(channel, place), far, across)
        used = ndimage.binary_dilation(blob, iterations=_MARGIN_PX) & ~strip
        if np.count_nonzero(used) < _FEWEST_PX:
            used = (far <= _REACH / 2) & ~strip
        self._place, self._parts, self._used, self._far = place, parts, used, (along, across)
        self._take(used)

    def shaft_outside(self) -> float:
        """By which share of the mark's contrast a narrow stroke without a gap leaves it away from the other end."""
        drawn, (along, across) = self._parts[0], self._far
        ground, level = float(np.median(drawn)), float(np.median(drawn[np.hypot(along, across) <= _CORE_PX]))
        at, aside = np.rint(-along), np.abs(across)
        least = min(float(drawn[(at == step) & (aside <= _SHAFT_PX)].max()) for step in _SHAFT_AT)
        beside = (aside >= _BESIDE_SHAFT_PX[0]) & (aside <= _BESIDE_SHAFT_PX[1]) & np.isin(at, _SHAFT_AT)
        return (least - float(np.quantile(drawn[beside], _MOST_BESIDE))) / max(level - ground, 1.0)

    def _take(self, used: NDArray[np.bool_]) -> None:
        self._along, self._across = (each[used] for each in self._far)
        self._values = np.stack([_normalised(part[used]) for part in self._parts])

    def scores(self, figures: Sequence[Figure]) -> Floats:
        """Each figure's correlation (pictures, figures), where it fits best."""
        return np.stack([self._at(figure, _COARSE).max(axis=1) for figure in figures], axis=1)

    def place(self, figure: Figure, weights: Floats) -> Floats:
        """How far along and across a figure's middle lies, in steps."""
        return np.asarray(_COARSE[(weights @ _misfit(self._at(figure, _COARSE))).argmin()])

    def show_tip(self, figure: Figure, place: Floats) -> None:
        """Count in the strip where an arrow's tip and body are, and a little before, where a line may not begin yet."""
        from_tip = (self._far[0] - place[0]) * figure.side + figure.size / 2
        strip = np.abs(self._far[1]) <= _STRIP_PX
        self._take(self._used | (strip & (from_tip >= -_BEFORE_TIP_PX) & (from_tip <= figure.size - 1)))

    def finely(self, figure: Figure, weights: Floats) -> tuple[Place, float, float]:
        """The middle of a figure to a part of a pixel by all pictures, its misfit there, and the best correlation."""
        fine = self.place(figure, weights) + _FINE
        scores = self._at(figure, fine)
        misfits = weights @ _misfit(scores)
        best = int(misfits.argmin())
        along, across = fine[best]
        (row, col), (down, right) = self._place, self._towards
        middle = float(row + along * down + across * right), float(col + along * right - across * down)
        return middle, float(misfits[best]), float(scores[:, best].max())

    def _at(self, figure: Figure, moved: Floats) -> Floats:
        """Correlation (pictures, places) of a figure that is moved so far along and across the way."""
        drawn = figure.drawn(self._along - moved[:, :1], self._across - moved[:, 1:])
        drawn -= drawn.mean(axis=1, keepdims=True)
        drawn /= np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-6)
        return np.asarray(self._values @ drawn.T)


def _window(values: NDArray[np.uint8] | Floats, place: tuple[int, int]) -> Floats:
    rows, cols = (
        np.clip(np.arange(at - _REACH, at + _REACH + 1), 0, size - 1)
        for at, size in zip(place, values.shape, strict=True)
    )
    return values[np.ix_(rows, cols)].astype(np.float64)


def _beside_line(part: Floats, far: Floats, across: Floats) -> NDArray[np.bool_]:
    """The pixels of the blob in the middle, without the strip along the line."""
    core, strip = far <= _CORE_PX, np.abs(across) <= _STRIP_PX
    lit = part >= (np.median(part) + np.median(part[core])) / 2
    labels, _ = ndimage.label(lit & (~strip | core), np.ones((3, 3)))
    return np.asarray(np.isin(labels, np.setdiff1d(labels[core], 0)) & ~strip)


def _normalised(values: Floats) -> Floats:
    centred = values - values.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6))
