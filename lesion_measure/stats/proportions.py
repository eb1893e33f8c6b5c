"""Shares of subjects: exact interval, exact test against a historical rate, and counts of uncertain events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from lesion_measure.stats.estimates import Estimate, above_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Responders out of ``count`` subjects, in percent with the Clopper-Pearson interval.

    ``p_two_sided`` and ``p_greater`` are those of the exact binomial test against the historical rate; None for no
    subject, or where no historical rate is known.
    """

    responders: int
    count: int
    percent: Estimate
    p_two_sided: float | None
    p_greater: float | None


def response_rate(responders: int, count: int, historical_rate: float | None) -> Rate:
    """The rate of responders, its interval, and whether it differs from a historical rate (a fraction; None: none)."""
    if historical_rate is None or not count:
        two_sided = greater = None
    else:
        two_sided = above_zero(_as_unlikely(responders, count, historical_rate))
        greater = above_zero(_at_least(responders, count, historical_rate))
    return Rate(
        responders=responders,
        count=count,
        percent=clopper_pearson(responders, count).map(lambda share: 100 * share),
        p_two_sided=two_sided,
        p_greater=greater,
    )


def _at_least(successes: int, count: int, rate: float) -> float:
    """Chance of so many successes or more."""
    return float(scipy.special.betainc(successes, count - successes + 1, rate)) if successes > 0 else 1.0


def _as_unlikely(successes: int, count: int, rate: float) -> float:
    """Chance of a number of successes that is as unlikely as this one, or more: the exact test's two-sided p.

    Chances that differ by rounding alone are alike.
    """
    numbers = np.arange(count + 1)
    failures = count - numbers
    ways = scipy.special.gammaln(count + 1) - scipy.special.gammaln(numbers + 1) - scipy.special.gammaln(failures + 1)
    chances = ways + numbers * np.log(rate) + failures * np.log1p(-rate)  # logarithms
    likelier = np.flatnonzero(chances > chances[successes] + 1e-7)
    if len(likelier) == 0:
        return 1.0
    first, last = int(likelier[0]), int(likelier[-1])
    fewer = float(scipy.special.betainc(count - first + 1, first, 1 - rate)) if first else 0.0
    more = _at_least(last + 1, count, rate) if last < count else 0.0
    return fewer + more


def clopper_pearson(successes: int, count: int) -> Estimate:
    """A share with its exact 95 % interval (Clopper and Pearson 1934)."""
    if count == 0:
        return Estimate(None)
    low = float(scipy.special.betaincinv(successes, count - successes + 1, 0.025)) if successes else 0.0
    high = float(scipy.special.betaincinv(successes + 1, count - successes, 0.975)) if successes < count else 1.0
    return Estimate(successes / count, low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCount:
    """A count of independent events with different chances: its mean, and the range that holds it with 95 %."""

    mean: float
    low: int
    high: int


def expected_count(chances: Sequence[float]) -> ExpectedCount:
    """How many of independent events happen (Poisson-binomial distribution, exact)."""
    distribution = np.ones(1)
    for chance in chances:
        distribution = np.convolve(distribution, [1 - chance, chance])
    below = np.cumsum(distribution)
    low, high = np.searchsorted(below, [0.025, 0.975])
    return ExpectedCount(mean=float(sum(chances)), low=int(low), high=int(min(high, len(chances))))
