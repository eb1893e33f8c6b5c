"""Two marks of one caliper are drawn alike: one template for both places them better than one for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lesion_measure.burnt_in.marks import Mark, correlation, mark_at, windows
from lesion_measure.burnt_in.overlay import Channel
from lesion_measure.burnt_in.templates import REACH, Bank, Shape, Template, arrows_towards, bank, bank_of, discs_towards

AS_GOOD = 0.07
"""How much worse than its own best template a mark may fit the common one."""
LEAST_FILLED = 0.82
AS_ARROW, AS_DISC, CLEARLY_DISC = 0.06, 0.05, 0.15
"""How much better discs may fit, over both marks, where they are arrows all the same, as one looked at first; and how
much better they have to where both looked like discs, and where one did not."""
_NEAR, _NEAR_FILLED = 1, 5

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
        self._rgb = rgb
        self._padded = np.pad(channel, REACH)

    def pair(self, one: Mark, two: Mark) -> tuple[Mark, Mark] | None:
        """Both marks as the common template fits them best; None where they are not drawn alike."""
        if one.shape in (Shape.DISC, Shape.ARROW):
            return self._filled(one, two)
        return self._alike(one, two, bank((one.shape,)), _NEAR)

    def _filled(self, one: Mark, two: Mark) -> tuple[Mark, Mark] | None:
        """Two discs, or two arrows in line that point both outwards or both inwards; None where it may be either.

        A disc on a line looks like an arrow, and an arrow's body like a disc; what they mark is some pixels apart.
        """
        step = np.subtract(two.point, one.point)
        way = float(step[0] / np.hypot(*step)), float(step[1] / np.hypot(*step))
        discs = self._alike(one, two, bank_of(discs_towards(way)), _NEAR_FILLED)
        arrows = max((self._arrows(one, two, way, sign) for sign in (1.0, -1.0)), key=_fit)
        better = _fit(discs) - _fit(arrows) if discs else -1.0
        seen_as_arrow = Shape.ARROW in (one.shape, two.shape)
        if better <= (AS_ARROW if seen_as_arrow else 0.0):
            best: tuple[Mark, Mark] | None = arrows
        else:
            best = discs if better >= (CLEARLY_DISC if seen_as_arrow else AS_DISC) else None
        return best if best is not None and min(mark.score for mark in best) >= LEAST_FILLED else None

    def _alike(self, one: Mark, two: Mark, among: Bank, near: int) -> tuple[Mark, Mark] | None:
        first, second = self._best(one, among, near), self._best(two, among, near)
        common = int((first[0] + second[0]).argmax())
        for scores, mark in ((first[0], one), (second[0], two)):
            own = max(float(scores.max()), mark.score if mark.shape is among.templates[0].shape else 0.0)
            if scores[common] < own - AS_GOOD:
                return None
        template = among.templates[common]
        return self._mark(template, first, common), self._mark(template, second, common)

    def _arrows(self, one: Mark, two: Mark, way: tuple[float, float], sign: float) -> tuple[Mark, Mark] | None:
        """Two arrows whose bodies lie on the way between (1) or beyond it (-1)."""
        banks = [bank_of(arrows_towards((float(s * way[0]), float(s * way[1])))) for s in (sign, -sign)]
        first, second = (self._best(mark, b, _NEAR_FILLED) for mark, b in zip((one, two), banks, strict=True))
        common = int((first[0] + second[0]).argmax())
        return (
            self._mark(banks[0].templates[common], first, common),
            self._mark(banks[1].templates[common], second, common),
        )

    def _best(self, mark: Mark, among: Bank, near: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
        """For each template its best correlation near a mark, and at which row and column."""
        steps = np.arange(-near, near + 1)
        centre = np.array(mark.point) + (np.array(mark.back) * mark.half_px / 2)
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


def _fit(pair: tuple[Mark, Mark] | None) -> float:
    return pair[0].score + pair[1].score if pair else 0.0
