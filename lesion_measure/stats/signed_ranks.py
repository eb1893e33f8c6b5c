"""Wilcoxon's signed-rank test and the Hodges-Lehmann estimate that belongs to it, both exact.

scipy's exact test knows no ties, and has no estimate or interval. Here a value may also be minus or plus infinity (a
lesion that is gone has no finite log ratio): ranks need an order, no distances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from lesion_measure.stats.estimates import NONE, Estimate, Floats, above_zero

MOST_EXACT = 500
"""Most values for which the distribution is computed in full; beyond it is normal for all purposes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRank:
    """Wilcoxon's signed-rank test: sum of the ranks of positive values, how many values are not zero, two-sided p."""

    statistic: float
    count: int
    zeros: int
    p_value: float


def signed_rank_test(values: Floats) -> SignedRank | None:
    """Wilcoxon's signed-rank test; None where no value differs from zero.

    Zeros are left out (Wilcoxon), ties share their mean rank, and p is exact given these ranks.
    """
    moved = values[values != 0]
    if len(moved) == 0:
        return None
    ranks = _ranks(np.abs(moved))
    statistic = float(ranks[moved > 0].sum())
    return SignedRank(
        statistic=statistic,
        count=len(moved),
        zeros=len(values) - len(moved),
        p_value=above_zero(_two_sided(ranks, statistic)),
    )


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; ties share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[place]
    return ranks


def _two_sided(ranks: Floats, statistic: float) -> float:
    """Chance of a rank sum at least as far from its mean."""
    if len(ranks) > MOST_EXACT:
        sd = math.sqrt(float((ranks**2).sum()) / 4)
        away = max(0.0, abs(statistic - float(ranks.sum()) / 2) - 0.5)
        return float(min(1.0, 2 * scipy.special.ndtr(-away / sd)))
    chances = _distribution(ranks)
    place = round(2 * statistic)
    return float(min(1.0, 2 * min(chances[: place + 1].sum(), chances[place:].sum())))


def _distribution(ranks: Floats) -> Floats:
    """Chance of every rank sum, in steps of one half, where each rank counts or not with equal chance."""
    doubled = np.rint(2 * ranks).astype(int)
    chances = np.zeros(int(doubled.sum()) + 1)
    chances[0] = 1.0
    for rank in doubled:
        moved = np.zeros_like(chances)
        moved[rank:] = chances[: len(chances) - rank]
        chances = (chances + moved) / 2
    return chances


def hodges_lehmann(values: Floats) -> Estimate:
    """Median of the mean of all pairs of values, each also paired with itself, and its 95 % interval.

    The interval holds every shift that the signed-rank test at 5 % does not reject (Hollander and Wolfe, Nonparametric
    Statistical Methods, chapter 3). There is none for fewer than six values: the test could reject nothing.
    """
    count = len(values)
    if count == 0:
        return NONE
    means = _means_of_pairs(values)
    cut = _least_rejected(count)
    ends = (float(means[cut - 1]), float(means[len(means) - cut])) if cut else (None, None)
    return Estimate(float(np.median(means, overwrite_input=True)), *ends)  # which puts them out of order


def _means_of_pairs(values: Floats) -> Floats:
    """The mean of every two values, each also with itself, in order; 52 MB of 3,600 values, and nothing beside them."""
    count = len(values)
    means = np.empty(count * (count + 1) // 2)
    start = 0
    for place in range(count):
        stop = start + count - place
        np.add(values[place], values[place:], out=means[start:stop])
        start = stop
    means /= 2
    means.sort()
    return means


def _least_rejected(count: int) -> int:
    """Number of rank sums, from zero up, whose chance together stays within 2.5 %."""
    if count > MOST_EXACT:
        mean, sd = count * (count + 1) / 4, math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
        return math.floor(mean - float(scipy.special.ndtri(0.975)) * sd)
    below = np.cumsum(_distribution(np.arange(1.0, count + 1))[::2])
    return int((below <= 0.025).sum())
