"""Two marks of one caliper are drawn alike: one template for both places them better than one for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lesion_measure.burnt_in.filled_fit import SIDES, Fit, Fits, Picture, fit_filled
from lesion_measure.burnt_in.marks import FILLED, LEAST_LENGTH_PX, Mark, correlation, mark_at, windows
from lesion_measure.burnt_in.overlay import Channel
from lesion_measure.burnt_in.surroundings import hue
from lesion_measure.burnt_in.templates import REACH, Bank, Template, arrow, bank, disc

AS_GOOD = 0.07
"""How much worse than its own best template a mark may fit the common one."""
LEAST_FILLED = 0.85
"""Correlation that each of two filled marks has at least."""
SURELY, SURELY_ALONE = 0.3, 0.4
"""How much worse than the best of dots, inward and outward arrows the others have to be, over all pairs of a frame
(`Fits.worse`): one scanner draws one of them. Without a line between them: more."""
MOST_WORSE, LEAST_POSSIBLE = 1.0, 0.75
"""How much worse than the best what two marks may be is at most, and the correlation of each at least."""
AIMED, AIMED_SCORE = 0.9, 0.9
"""The same for arrows that are told by pointing at one another alone, and the correlation of each."""
_NEAR = 1
_ONE_PLACE_PX = 1.0
"""Distance of the middles of filled marks below which they are one blob."""
_LUMINANCE = (0.299, 0.587, 0.114)

Floats = NDArray[np.float32]


class Fitting:
    """Fits pairs of marks on one frame.

    Parameters
    ----------
    rgb
        The frame, (rows, columns, 3).
    channel
        Its overlay channel.
    """

    def __init__(self, rgb: NDArray[np.uint8], channel: Channel) -> None:
        self._rgb, self._channel = rgb, channel
        self._padded = np.pad(channel, REACH)
        self._fits: dict[tuple[int, int], Fits] = {}
        self._told: dict[tuple[int, int], NDArray[np.float64]] = {}

    def weigh(self, pairs: Iterable[tuple[Mark, Mark]]) -> None:
        """Let pairs that may be calipers, the clearest first, tell together whether a frame has dots or arrows.

        Two nearer than `LEAST_LENGTH_PX` tell nothing: they may be parts of one mark.
        """
        weighed: set[int] = set()
        for pair in pairs:
            key = id(pair[0]), id(pair[1])
            apart = float(np.hypot(*np.subtract(pair[0].point, pair[1].point))) >= LEAST_LENGTH_PX
            if apart and pair[0].shape in FILLED and weighed.isdisjoint(key):
                found = self._dots_or_arrows(*pair)
                if max(min(fit.scores) for fit in found.fits) >= LEAST_FILLED:
                    weighed.update(key)
                    self._told[key] = found.worse

    def pair(self, one: Mark, two: Mark, sure: float = SURELY) -> tuple[Mark, Mark] | None:
        """Both marks as the common template fits them best; None where they are not drawn alike.

        ``sure`` is how much worse than what filled marks are taken for all else has to fit.
        """
        if one.shape in FILLED:
            return self._filled(one, two, sure)
        return self._alike(one, two, bank((one.shape,)), _NEAR)

    def aimed(self, one: Mark, two: Mark) -> bool:
        """Whether two marks are surely arrows whose bodies lie on the way beyond both: drawn for one another."""
        if np.hypot(*np.subtract(one.point, two.point)) < LEAST_LENGTH_PX:
            return False
        found = self._dots_or_arrows(one, two)
        outside = SIDES.index(-1)
        others = np.delete(found.worse, outside)
        return found.worse[outside] + AIMED <= min(others) and min(found.fits[outside].scores) >= AIMED_SCORE

    def _filled(self, one: Mark, two: Mark, sure: float) -> tuple[Mark, Mark] | None:
        """Two discs, or two arrows in line that point both outwards or both inwards; None where it may be either.

        None, too, where both are one blob, taken for an arrow this way and that: no way leads from one to the other.
        """
        if _one_blob(one, two):
            return None
        found = self._dots_or_arrows(one, two)
        worse = self._all_worse(one, two)
        first, second = np.argsort(worse)[:2]
        best = found.fits[first]
        if worse[second] - worse[first] < sure or min(best.scores) < LEAST_FILLED:
            return None
        if not best.figure.side and min(fit.left for fit in found.fits) < best.left:
            return None  # finely, arrows with their tips fit better than dots
        return self._ends(best)

    def best_score(self, one: Mark, two: Mark) -> float:
        """The correlation of the worse of two filled marks, as what fits both best; 0 where both are one blob."""
        if _one_blob(one, two):
            return 0.0
        return max(min(fit.scores) for fit in self._dots_or_arrows(one, two).fits)

    def possible(self, one: Mark, two: Mark) -> list[tuple[Mark, Mark]]:
        """Two filled marks as dots, inward and outward arrows, without what is surely none of them."""
        if np.hypot(*np.subtract(one.middle, two.middle)) < LEAST_LENGTH_PX:
            return []
        fits, worse = self._dots_or_arrows(one, two).fits, self._all_worse(one, two)
        told = [(fit, more - min(worse)) for fit, more in zip(fits, worse, strict=True)]
        return [self._ends(fit) for fit, more in told if more <= MOST_WORSE and min(fit.scores) >= LEAST_POSSIBLE]

    def _all_worse(self, one: Mark, two: Mark) -> NDArray[np.float64]:
        """How much worse than the best each of `SIDES` is by these two marks and all that were weighed."""
        own = {(id(one), id(two)): self._dots_or_arrows(one, two).worse}
        return np.asarray(np.sum(list({**self._told, **own}.values()), axis=0))

    def _ends(self, best: Fit) -> tuple[Mark, Mark]:
        """The marks of a fit."""
        step = np.subtract(best.middles[1], best.middles[0])
        way = step * best.figure.side / max(float(np.hypot(*step)), 1e-9)
        ends = []
        for sign, middle, score in zip((1, -1), best.middles, best.scores, strict=True):
            back = float(sign * way[0]), float(sign * way[1])
            shape = arrow(back, best.figure.size, best.figure.slim) if best.figure.side else disc(best.figure.size)
            ends.append(self._finely(shape, middle, score))
        return ends[0], ends[1]

    def _dots_or_arrows(self, one: Mark, two: Mark) -> Fits:
        key = id(one), id(two)
        if key not in self._fits:
            coloured = any(hue(one)) and any(hue(two))
            pictures = (self._chroma, self._luminance) if coloured else (self._drawn,)
            self._fits[key] = fit_filled(self._channel, pictures, (one.middle, two.middle))
        return self._fits[key]

    @cached_property
    def _chroma(self) -> Picture:
        """In proportion to a colour's share even where it was blurred, which the overlay's channels are not."""
        return Picture((self._rgb.max(axis=2) - self._rgb.min(axis=2)).astype(np.float64), blurred=True)

    @cached_property
    def _luminance(self) -> Picture:
        return Picture(self._rgb @ np.array(_LUMINANCE), blurred=False)

    @cached_property
    def _drawn(self) -> Picture:
        return Picture(self._channel.astype(np.float64), blurred=False)

    def _finely(self, template: Template, middle: tuple[float, float], score: float) -> Mark:
        """The mark that a template is with its middle at a place between pixels."""
        row, col = (int(np.clip(round(at), 0, size - 1)) for at, size in zip(middle, self._channel.shape, strict=True))
        mark = mark_at(self._rgb, self._padded, (row, col), template, score)
        return replace(mark, row=middle[0] + template.point[0], col=middle[1] + template.point[1])

    def _alike(self, one: Mark, two: Mark, among: Bank, near: int) -> tuple[Mark, Mark] | None:
        first, second = self._best(one, among, near), self._best(two, among, near)
        common = int((first[0] + second[0]).argmax())
        for scores, mark in ((first[0], one), (second[0], two)):
            own = max(float(scores.max()), mark.score if mark.shape is among.templates[0].shape else 0.0)
            if scores[common] < own - AS_GOOD:
                return None
        template = among.templates[common]
        return self._mark(template, first, common), self._mark(template, second, common)

    def _best(self, mark: Mark, among: Bank, near: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
        """For each template its best correlation near a mark, and at which row and column."""
        steps = np.arange(-near, near + 1)
        centre = mark.point
        rows = np.clip(round(centre[0]) + steps, 0, self._padded.shape[0] - 2 * REACH - 1)
        cols = np.clip(round(centre[1]) + steps, 0, self._padded.shape[1] - 2 * REACH - 1)
        places = [(row, col) for row in rows for col in cols]
        r, c = np.array(places).T
        scores = correlation(windows(self._padded, r, c, among.reach), among)
        best = scores.argmax(axis=0)
        return scores[best, np.arange(scores.shape[1])], r[best], c[best]

    def _mark(self, template: Template, best: tuple[Floats, NDArray[np.intp], NDArray[np.intp]], index: int) -> Mark:
        place = int(best[1][index]), int(best[2][index])
        return mark_at(self._rgb, self._padded, place, template, float(best[0][index]))


def _one_blob(one: Mark, two: Mark) -> bool:
    return float(np.hypot(*np.subtract(one.middle, two.middle))) < _ONE_PLACE_PX
