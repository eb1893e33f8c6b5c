"""How much likelier two lesions look as they do if they are one and the same than if they are two (nats).

Each feature's difference d is taken for normal: with SD s where the lesion is the same, with a larger SD b where it is
another of the same child. Then the log of the likelihood ratio is log(b / s) - d^2 / 2 (1 / s^2 - 1 / b^2): a feature
that tells little (s near b) counts little, one that was not measured counts nothing, and evidence adds up.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Likeness, Pairing
from lesion_measure.lesions.pairing.alignment import Motion
from lesion_measure.lesions.pairing.lesion import CHANNELS, Features, Numbers
from lesion_measure.records import Plane

SORTED = np.array([kind is not Plane.UNKNOWN for kind in CHANNELS])


class Evidence:
    """Evidence between every lesion of one visit or picture and every lesion of another.

    Parameters
    ----------
    before, after
        n and m lesions.
    likeness, settings
        SDs of one lesion; SDs of different ones and the factor for other planes.
    """

    def __init__(self, before: Features, after: Features, likeness: Likeness, settings: Pairing) -> None:
        self._likeness, self._other = likeness, settings.different
        self._before, self._after = before, after
        shared = ~np.isnan(before.depth)[:, None] & ~np.isnan(after.depth)[None]
        self._shared = shared
        self.together = shared.any(axis=2)
        self._loose = np.where(shared[:, :, SORTED].any(axis=2), 1.0, settings.other_plane)
        self._channel_factor = np.where(SORTED, 1.0, settings.other_plane)
        self._loose_lateral = before.lateral_sd[:, None] ** 2 + after.lateral_sd[None] ** 2
        self._loose_depth = before.depth_sd[:, None] ** 2 + after.depth_sd[None] ** 2
        length = _difference(before.length, after.length, shared)
        shape = _difference(before.shape, after.shape, shared)
        self.size = length - np.where(np.isnan(shape), 0.0, shape) / 2
        self.shape = shape
        self.relative_echo = _difference(before.relative_echo, after.relative_echo, shared)
        self.texture = _difference(before.texture, after.texture, shared)
        self._depth = _difference(before.depth, after.depth, shared)
        self._fixed = _gain(self.shape, likeness.shape_log * self._loose, self._other.shape_log)

    def under(self, motion: Motion) -> Numbers:
        """Evidence (n, m) that row and column are one lesion, the probe's move and the child's change being known."""
        like, other = self._likeness, self._other
        size, relative_echo, texture = motion.shifts
        total = self._fixed + _gain(self.size - size, like.size_log * self._loose, other.size_log)
        total += _gain(self.relative_echo - relative_echo, like.contrast * self._loose, other.contrast)
        total += _gain(self.texture - texture, like.texture * self._loose, other.texture)
        total += np.where(self.together, self._place(motion), self._depth_alone())
        return np.asarray(total)

    def _place(self, motion: Motion) -> Numbers:
        other, before, after = self._other, self._before, self._after
        lateral, depth = motion.carried(before)
        dx, dz = after.lateral[None] - lateral[:, None], after.depth[None] - depth[:, None]
        factor = self._channel_factor**2
        xx = np.minimum(factor * (motion.spread[:, 0, 0] + self._loose_lateral), other.lateral_mm**2)
        zz = np.minimum(factor * (motion.spread[:, 1, 1] + self._loose_depth), other.depth_mm**2)
        xz = factor * motion.spread[:, 0, 1]
        area = np.maximum(xx * zz - xz**2, 1e-3 * xx * zz)
        same = (zz * dx**2 - 2 * xz * dx * dz + xx * dz**2) / area + np.log(area)
        different = (dx / other.lateral_mm) ** 2 + (dz / other.depth_mm) ** 2
        different += 2 * math.log(other.lateral_mm * other.depth_mm)
        return np.asarray(np.where(self._shared, (different - same) / 2, 0.0).sum(axis=2))

    def _depth_alone(self) -> Numbers:
        """Depth is what two planes share; across them it is not tied to the same move."""
        sd = math.hypot(self._likeness.depth_mm, self._likeness.move_depth_mm) * self._loose
        return _gain(self._depth, sd, self._other.depth_mm)


def _difference(before: Numbers, after: Numbers, shared: NDArray[np.bool_]) -> Numbers:
    """After minus before, (n, m): the mean of the planes that both have, else of each one's own planes."""
    every = after[None] - before[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is NaN, which is what is meant
        own = np.nanmean(after, axis=1)[None] - np.nanmean(before, axis=1)[:, None]
        same = np.nanmean(np.where(shared, every, np.nan), axis=2)
    return np.asarray(np.where(np.isnan(same), own, same))


def _gain(difference: Numbers, sd: Numbers | float, other_sd: float) -> Numbers:
    """The log of the likelihood ratio; 0 where a feature was not measured, or tells no more than chance."""
    known = np.minimum(sd, other_sd)
    gain = np.log(other_sd / known) - difference**2 / 2 * (1 / known**2 - 1 / other_sd**2)
    return np.asarray(np.where(np.isnan(gain), 0.0, gain))
