"""The ellipse that calipers suggest: what a network's answer is added to, and what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesion_measure.records import Point

ELLIPSE_RATIO = 0.75
"""Short over long axis of the ellipse where only the long axis is known."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse on a grid: centre and direction (unit vector) of its first axis as (row, column), axes in pixels."""

    centre: Point
    direction: Point
    long_px: float
    short_px: float

    @property
    def area_px(self) -> float:
        """Area in square pixels."""
        return math.pi / 4 * self.long_px * self.short_px

    def radius(
        self, row: NDArray[np.float64] | NDArray[np.int64], col: NDArray[np.float64] | NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """How far out points lie: 0 at the centre, 1 on the ellipse; ``row`` and ``col`` broadcast."""
        down, right = row - self.centre[0], col - self.centre[1]
        along = down * self.direction[0] + right * self.direction[1]
        across = right * self.direction[0] - down * self.direction[1]
        return np.asarray(np.hypot(2 * along / self.long_px, 2 * across / self.short_px), dtype=np.float64)

    def outline(self) -> NDArray[np.float32]:
        """Its closed outline (n, 2), for drawing."""
        turn = np.linspace(0, 2 * np.pi, 97)[:, None]
        ahead = np.asarray(self.direction)
        aside = np.array([-ahead[1], ahead[0]])
        round_it = self.long_px * np.cos(turn) * ahead + self.short_px * np.sin(turn) * aside
        return np.asarray(np.asarray(self.centre) + 0.5 * round_it, dtype=np.float32)


def suggested_ellipse(calipers: Sequence[ArrayLike]) -> Ellipse:
    """The ellipse along the first caliper, as wide as the second, or 0.75 of the first without one.

    A second caliper also moves it sideways, to that caliper's middle. Each caliper is its two ends, (2, 2).
    """
    start, end = np.asarray(calipers[0], dtype=np.float64)
    length = float(np.hypot(*(end - start)))
    ahead = (end - start) / length
    centre, width = (start + end) / 2, ELLIPSE_RATIO * length
    if len(calipers) > 1:
        first, second = np.asarray(calipers[1], dtype=np.float64)
        aside = np.array([-ahead[1], ahead[0]])
        width = float(np.hypot(*(second - first)))
        centre = centre + (((first + second) / 2 - centre) @ aside) * aside
    return Ellipse((float(centre[0]), float(centre[1])), (float(ahead[0]), float(ahead[1])), length, width)
