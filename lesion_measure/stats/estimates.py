"""An estimate with its 95 % interval, and two ways of making an interval: bootstrap and noncentral t."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from lesion_measure.records import NORMAL_975

RESAMPLES = 9999
MIN_RESAMPLED = 5
"""Fewest values that are redrawn for an interval: of fewer there are too few different draws."""

BCA_HOLDS_FROM = 15
"""Fewest values for which the BCa interval of a mean may stand in the answer: of fewer it is too short.

Of 6 lognormal ratios it holds the true mean in 85 of 100 samples, of 10 in 89 (benchmarks/mean_interval.py).
"""

_MOST_DRAWN = 200_000
"""Values that are drawn at once: more take memory and no less time."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Samples (k, n) -> their k statistics."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval; None where there is none.

    ``count`` is the number of values that a bootstrap over groups saw, and elsewhere 0. Values of one lesion, from
    several placings of its calipers, count as one.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int = 0

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (one group: no interval; n = {self.count})"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}; n = {self.count})"

    @property
    def off_zero(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def map(self, function: Callable[[float], float]) -> Estimate:
        """The estimate on another scale; ``function`` must increase."""
        value, low, high = (None if x is None else function(x) for x in (self.value, self.low, self.high))
        return Estimate(value, low, high, self.count)


NONE = Estimate(None)


def above_zero(p: float) -> float:
    """A p value that is smaller than floating point holds (2e-308) as the smallest that it holds: none is 0."""
    return max(p, sys.float_info.min)


def mean_of(samples: Floats) -> Floats:
    """Mean of each row."""
    means: Floats = samples.mean(axis=1)
    return means


def median_of(samples: Floats) -> Floats:
    """Median of each row."""
    medians: Floats = np.median(samples, axis=1)
    return medians


def bca(values: Floats, statistic: Statistic, seed: int) -> Estimate:
    """A statistic with its bias-corrected and accelerated bootstrap interval (Efron 1987; 9999 draws).

    No interval where fewer than five values are given or all are alike. Ties of the draws with the estimate count half.
    The order of the values does not matter: they are sorted before the draw.
    """
    values = np.sort(values)
    count = len(values)
    if count == 0:
        return NONE
    value = float(statistic(values[None, :])[0])
    if count < MIN_RESAMPLED or np.ptp(values) == 0:
        return Estimate(value)
    drawn = _redraw(values, statistic, seed)
    share = float(((drawn < value).sum() + (drawn <= value).sum()) / (2 * len(drawn)))
    if not 0 < share < 1:
        return Estimate(value)
    left_out = _without_each(values, statistic)
    away = left_out.mean() - left_out
    spread = float((away**2).sum())
    acceleration = float((away**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    bias = float(scipy.special.ndtri(share))
    ends = []
    for quantile in (-NORMAL_975, NORMAL_975):
        shifted = bias + quantile
        ends.append(float(scipy.special.ndtr(bias + shifted / (1 - acceleration * shifted))))
    low, high = np.quantile(drawn, ends)
    return Estimate(value, float(low), float(high))


def _without_each(values: Floats, statistic: Statistic) -> Floats:
    """The statistic without each of the values in turn."""
    step = max(1, _MOST_DRAWN // len(values))
    rows = (
        [np.delete(values, i) for i in range(len(values))[start : start + step]]
        for start in range(0, len(values), step)
    )
    return np.concatenate([statistic(np.stack(some)) for some in rows])


def _redraw(values: Floats, statistic: Statistic, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    step = max(1, _MOST_DRAWN // len(values))
    drawn = []
    for start in range(0, RESAMPLES, step):
        index = rng.integers(0, len(values), (min(step, RESAMPLES - start), len(values)))
        drawn.append(statistic(values[index]))
    return np.concatenate(drawn)


def quantile_interval(mean: float, sd: float, count: int, *, deviates: float) -> Estimate:
    """Exact 95 % interval of the point ``mean + deviates sd`` of a normal distribution (noncentral t).

    Carkeet 2015 gives it for limits of agreement; ``deviates`` 0 is the t interval of the mean.
    """
    value = mean + deviates * sd
    if count < 2:
        return Estimate(value)
    root = math.sqrt(count)
    low, high = (float(scipy.special.nctdtrit(count - 1, deviates * root, tail)) for tail in (0.025, 0.975))
    return Estimate(value, mean + sd * low / root, mean + sd * high / root)
