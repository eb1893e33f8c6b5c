"""Estimates with 95 % bootstrap intervals: whole groups (patients, near-duplicates) are redrawn, never pictures."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lesion_measure.stats.estimates import NONE, Estimate, Floats
from lesion_measure.stats.proportions import clopper_pearson

RESAMPLES = 2000
_MOST_WEIGHTS = 4_000_000
_MOST_KEPT = 4_000_000
"""Largest table of draws that is kept, in numbers of 16 bits."""

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


def _redrawn(groups: int, seed: int, step: int) -> Iterator[NDArray[np.integer]]:
    """How often each of so many groups is drawn, in `RESAMPLES` rows, at most ``step`` at a time."""
    if RESAMPLES * groups <= _MOST_KEPT:
        times = _kept(groups, seed)
        yield from (times[start : start + step] for start in range(0, RESAMPLES, step))
        return
    rng = np.random.default_rng((seed, 17))
    for start in range(0, RESAMPLES, step):
        yield _times(rng, groups, min(step, RESAMPLES - start))


@lru_cache(maxsize=8)
def _kept(groups: int, seed: int) -> NDArray[np.uint16]:
    """All rows, kept for the next figures of as many groups: to draw them takes far longer than to weight by them."""
    times = _times(np.random.default_rng((seed, 17)), groups, RESAMPLES).astype(np.uint16)
    times.flags.writeable = False
    return times


def _times(rng: np.random.Generator, groups: int, rows: int) -> NDArray[np.int64]:
    return rng.multinomial(groups, np.full(groups, 1 / groups), size=rows)


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
    step = max(1, _MOST_WEIGHTS // values)
    drawn = [statistic(times[:, index].astype(np.float64)) for times in _redrawn(len(names), seed, step)]
    low, high = np.nanpercentile(np.concatenate(drawn), [2.5, 97.5])
    return Estimate(value, float(low), float(high), count)
