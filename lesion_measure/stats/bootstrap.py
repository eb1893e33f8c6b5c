"""Estimates with 95 % bootstrap intervals: whole groups (patients, near-duplicates) are redrawn, never pictures."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np

from lesion_measure.stats.estimates import NONE, Estimate, Floats
from lesion_measure.stats.proportions import clopper_pearson

RESAMPLES = 2000
_MOST_WEIGHTS = 4_000_000

Statistic = Callable[[Floats], Floats]
"""Weights (k, n) of n values -> the k weighted statistics; NaN where the weights leave nothing."""


def mean(
    values: Sequence[float], groups: Sequence[str], seed: int, lesions: Sequence[Hashable] | None = None
) -> Estimate:
    """Mean of the values; for ``lesions`` see `bootstrap`."""
    array = np.asarray(values, dtype=np.float64)
    return bootstrap(lambda weights: weights @ array / weights.sum(axis=1), groups, seed, lesions)


def root_mean_square(
    values: Sequence[float], groups: Sequence[str], seed: int, lesions: Sequence[Hashable] | None = None
) -> Estimate:
    """Root of the mean of the values' squares; for ``lesions`` see `bootstrap`."""
    squares = np.asarray(values, dtype=np.float64) ** 2
    return bootstrap(lambda weights: np.sqrt(weights @ squares / weights.sum(axis=1)), groups, seed, lesions)


def median(
    values: Sequence[float], groups: Sequence[str], seed: int, lesions: Sequence[Hashable] | None = None
) -> Estimate:
    """Median of the values; for ``lesions`` see `bootstrap`."""
    order = np.argsort(np.asarray(values, dtype=np.float64), kind="stable")
    array = np.asarray(values, dtype=np.float64)[order]

    def statistic(weights: Floats) -> Floats:
        below = np.cumsum(weights[:, order], axis=1)
        half = below[:, -1:] / 2
        lower, upper = (below < half).sum(axis=1), (below <= half).sum(axis=1)
        middle: Floats = (array[lower] + array[np.minimum(upper, len(array) - 1)]) / 2
        return middle

    return bootstrap(statistic, groups, seed, lesions)


def rate(
    values: Sequence[bool], groups: Sequence[str], seed: int, lesions: Sequence[Hashable] | None = None
) -> Estimate:
    """Share of the values that are true.

    Where all are alike the bootstrap would claim certainty: there the interval is Clopper and Pearson's, with each
    group counted once.
    """
    plain = mean([float(value) for value in values], groups, seed, lesions)
    apart = len(set(groups))
    if plain.value not in (0.0, 1.0) or apart == 0:
        return plain
    return replace(clopper_pearson(round(plain.value * apart), apart), count=plain.count)


def bootstrap(
    statistic: Statistic, groups: Sequence[str], seed: int, lesions: Sequence[Hashable] | None = None
) -> Estimate:
    """A statistic of values that belong to ``groups``, with its percentile interval over redrawn groups.

    One group alone gives no interval; a draw for which the statistic does not exist is left out. ``lesions`` says what
    each value is of, where several may be of the same: the estimate's count is that of different ones.
    """
    values = len(groups)
    if values == 0:
        return NONE
    count = values if lesions is None else len(set(lesions))
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    value = float(statistic(np.ones((1, values)))[0])
    if not np.isfinite(value):
        return NONE
    if len(names) < 2:
        return Estimate(value, None, None, count)
    rng = np.random.default_rng((seed, 17))
    step = max(1, _MOST_WEIGHTS // values)
    drawn = []
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rows)
        drawn.append(statistic(times[:, index].astype(np.float64)))
    low, high = np.nanpercentile(np.concatenate(drawn), [2.5, 97.5])
    return Estimate(value, float(low), float(high), count)
