"""Shares of subjects: exact interval, exact test against a historical rate, and counts of uncertain events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lesion_measure.stats.estimates import Estimate, above_zero

HISTORICAL_RATE = 0.577
"""Rate under propranolol alone in the earlier series that the trial refers to (15 of 26)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Responders out of ``count`` subjects, in percent with the Clopper-Pearson interval.

    ``p_two_sided`` and ``p_greater`` are those of the exact binomial test against the historical rate; None for no
    subject.
    """

    responders: int
    count: int
    percent: Estimate
    p_two_sided: float | None
    p_greater: float | None


def response_rate(responders: int, count: int, historical_rate: float) -> Rate:
    """The rate of responders, its interval, and whether it differs from a historical rate (a fraction)."""
    tested = None
    if count:
        tested = tuple(
            above_zero(float(stats.binomtest(responders, count, historical_rate, alternative=side).pvalue))
            for side in ("two-sided", "greater")
        )
    return Rate(
        responders=responders,
        count=count,
        percent=clopper_pearson(responders, count).map(lambda share: 100 * share),
        p_two_sided=tested[0] if tested else None,
        p_greater=tested[1] if tested else None,
    )


def clopper_pearson(successes: int, count: int) -> Estimate:
    """A share with its exact 95 % interval (Clopper and Pearson 1934)."""
    if count == 0:
        return Estimate(None)
    low = float(stats.beta.ppf(0.025, successes, count - successes + 1)) if successes else 0.0
    high = float(stats.beta.ppf(0.975, successes + 1, count - successes)) if successes < count else 1.0
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
