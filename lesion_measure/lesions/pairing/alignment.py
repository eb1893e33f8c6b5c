"""How the probe was moved between two pictures or visits, and how the child's lesions changed as a whole.

The probe is never put down twice alike: all lesions of a plane move together, turn together, and are stretched a
little. So does all size change under treatment, and all echogenicity under another gain. Only what is left beside these
common parts tells one lesion from another. They are fitted to an assignment by least squares, held back by how large
such moves are (their SDs): one pair of lesions cannot explain any place by a move.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Likeness
from lesion_measure.lesions.pairing.lesion import CHANNELS, Features, Numbers

Pairs = NDArray[np.intp]
"""(k, 2) row of `before`, row of `after`."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What is common to all lesions, from before to after.

    ``place`` (channels, 4): move across and in depth (mm), turn (radians, small), relative stretch, about ``pivot``
    (channels, 2). ``spread`` (channels, 2, 2): covariance (mm2) of what is left of lateral and depth. ``shifts``: log
    of diameters, relative echogenicity, texture. ``penalty``: how unusual all that is, in nats.
    """

    place: Numbers
    pivot: Numbers
    spread: Numbers
    shifts: tuple[float, float, float]
    penalty: float

    def carried(self, features: Features) -> tuple[Numbers, Numbers]:
        """Lateral and depth (n, channels) where the lesions are expected afterwards."""
        x, z = features.lateral - self.pivot[:, 0], features.depth - self.pivot[:, 1]
        across, down, turn, stretch = self.place.T
        return features.lateral + across - turn * z + stretch * x, features.depth + down + turn * x + stretch * z


@dataclass(frozen=True, slots=True)
class Differences:
    """What `fit` takes of a pair of visits: differences (n, m) of scalars."""

    size: Numbers
    relative_echo: Numbers
    texture: Numbers


def fit(before: Features, after: Features, pairs: Pairs, known: Differences, likeness: Likeness) -> Motion:
    """The most probable common motion, given which lesions are the same.

    Parameters
    ----------
    before, after
        n and m lesions.
    pairs
        Rows that are taken for one lesion.
    known
        Their differences.
    likeness
        SDs of the lesions' own and of the common differences.
    """
    pivot = _pivot(before)
    place = np.zeros((len(CHANNELS), 4))
    usual = np.diag([likeness.lateral_mm**2, likeness.depth_mm**2])
    spread = np.repeat(usual[None], len(CHANNELS), axis=0)
    weight = 1 / np.square(
        (likeness.move_lateral_mm, likeness.move_depth_mm, math.radians(likeness.turn_deg), likeness.stretch)
    )
    penalty = 0.0
    rows, columns = pairs[:, 0], pairs[:, 1]
    for c in range(len(CHANNELS)):
        seen = ~np.isnan(before.depth[rows, c]) & ~np.isnan(after.depth[columns, c])
        if not seen.any():
            continue
        i, j = rows[seen], columns[seen]
        start = np.stack([before.lateral[i, c], before.depth[i, c]]) - pivot[c][:, None]
        moved = np.stack([after.lateral[j, c] - before.lateral[i, c], after.depth[j, c] - before.depth[i, c]])
        loose = np.stack([
            before.lateral_sd[i, c] ** 2 + after.lateral_sd[j, c] ** 2,
            before.depth_sd[i, c] ** 2 + after.depth_sd[j, c] ** 2,
        ])  # fmt: skip
        place[c], left = _rigid(start, moved, 1 / (usual.diagonal()[:, None] + loose), weight)
        tied = loose[0] < likeness.lateral_mm**2
        spread[c], unusual = _spread(left[:, tied], usual, likeness.place_prior)
        penalty += float((weight * place[c] ** 2).sum()) / 2 + unusual
    shifts = []
    for values, sd, expected, common in (
        (known.size, likeness.size_log, likeness.change_log, likeness.change_log_sd),
        (known.relative_echo, likeness.contrast, 0.0, likeness.contrast_shift),
        (known.texture, likeness.texture, 0.0, likeness.texture_shift),
    ):
        own = values[rows, columns]
        own = own[~np.isnan(own)]
        shift = (own.sum() / sd**2 + expected / common**2) / (len(own) / sd**2 + 1 / common**2)
        shifts.append(float(shift))
        penalty += (shift - expected) ** 2 / common**2 / 2
    return Motion(place, pivot, spread, (shifts[0], shifts[1], shifts[2]), penalty)


def _pivot(features: Features) -> Numbers:
    """Mean place of the lesions of each plane; 0 where there are none."""
    place = np.stack([features.lateral, features.depth], axis=2)
    known = ~np.isnan(place)
    counts = np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.where(known, place, 0.0).sum(axis=0) / counts)


def _rigid(start: Numbers, moved: Numbers, precision: Numbers, prior: Numbers) -> tuple[Numbers, Numbers]:
    """Weighted ridge fit of dx = across - turn z + stretch x, dz = down + turn x + stretch z; and what it leaves.

    ``start``, ``moved``, ``precision`` are (2, k): lateral and depth.
    """
    x, z = start
    one, none = np.ones_like(x), np.zeros_like(x)
    design = np.concatenate([np.stack([one, none, -z, x], axis=1), np.stack([none, one, x, z], axis=1)])
    weighted = design * precision.reshape(-1, 1)
    place = np.linalg.solve(weighted.T @ design + np.diag(prior), weighted.T @ moved.reshape(-1))
    return np.asarray(place), np.asarray(moved - (design @ place).reshape(2, -1))


def _spread(left: Numbers, usual: Numbers, prior: float) -> tuple[Numbers, float]:
    """Covariance of what the move leaves, (2, k), held to the usual one as by ``prior`` more lesions; its penalty.

    A probe tilted out of its plane moves each lesion by where it lies across that plane, which no picture shows: such
    visits spread more, and in one direction. (The mode of an inverse Wishart distribution.)
    """
    spread = (left @ left.T + prior * usual) / (left.shape[1] + prior)
    ratio = np.linalg.solve(spread, usual)
    return np.asarray(spread), prior / 2 * float(np.trace(ratio) - 2 - np.log(np.linalg.det(ratio)))
