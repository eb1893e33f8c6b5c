"""Readers of simulated pictures, whose calipers are off by an error of a known size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lesion_measure.lab.phantom.children import Exposure
from lesion_measure.lab.phantom.shapes import OutlineAxes, Vector
from lesion_measure.lab.phantom.visits import visit_seed
from lesion_measure.records import Plane

MOST_READERS = 9


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader and the standard deviation of the natural logarithm of a length that it reads (about SD / mean).

    Every caliper errs by itself: two axes, planes, visits or readers share no error.
    """

    number: int = 1
    cv: float = 0.0

    @property
    def name(self) -> str:
        """As in the column ``reader`` of the caliper file."""
        return f"reader-{self.number}"

    def draws(self, seed: int, exposure: Exposure) -> OutlineAxes | None:
        """The axes as this reader draws them, longer or shorter about their middles; None where the lesion is gone.

        Parameters
        ----------
        seed
            Of the child (`ChildPlan.seed`): the same picture is always read alike, whatever else is read.
        exposure
            The picture, with the true axes.
        """
        if exposure.axes is None:
            return None
        picture = [*visit_seed(exposure.visit), list(Plane).index(exposure.plane), *exposure.lesion.encode()]
        long, short = np.exp(self.cv * np.random.default_rng([seed, 13, self.number, *picture]).normal(size=2))
        return OutlineAxes(_stretched(exposure.axes.long, long), _stretched(exposure.axes.short, short))


def _stretched(ends: Vector, factor: float) -> Vector:
    middle = ends.mean(axis=0)
    return np.asarray(middle + factor * (ends - middle))
