"""How the sizes (or laboratory values) of a group changed: description, estimates with intervals, and paired tests.

The subject is the unit. A change is the ratio of the later value to the first; tests and the geometric mean work on its
logarithm, which treats halving and doubling alike. A ratio of zero (every lesion gone) has no logarithm. It counts in
mean and median, in Wilcoxon's test and in the Hodges-Lehmann estimate; geometric mean and t test leave it out, and its
count is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from lesion_measure.stats.estimates import (
    NONE,
    Estimate,
    Floats,
    above_zero,
    bca,
    mean_of,
    median_of,
    quantile_interval,
)
from lesion_measure.stats.signed_ranks import SignedRank, hodges_lehmann, signed_rank_test


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedT:
    """Paired t test on the log ratio."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change of one quantity in a group. Ratios are later / first: 0.7 is a fall by 30 %.

    ``gone`` subjects have the ratio zero. ``log_sd`` is the standard deviation of the log ratios. ``geometric_mean``
    has the t interval, ``geometric_mean_bca`` the bootstrap's.
    """

    count: int
    gone: int
    mean_percent: Estimate
    median_percent: Estimate
    sd_percent: float | None
    quartiles_percent: tuple[float, float] | None
    geometric_mean: Estimate
    geometric_mean_bca: Estimate
    log_sd: float | None
    paired_t: PairedT | None
    hodges_lehmann: Estimate
    wilcoxon: SignedRank | None


def paired_change(ratios: Sequence[float], seed: int) -> Change:
    """Statistics of the ratios later / first of a group, one for each subject; each is zero or more."""
    values = np.sort(np.asarray(ratios, dtype=np.float64))  # so that the order of the subjects changes no last digit
    percents = 100 * (values - 1)
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    measured = logs[np.isfinite(logs)]
    quartiles = np.quantile(percents, [0.25, 0.75]) if len(values) else None
    return Change(
        count=len(values),
        gone=len(values) - len(measured),
        mean_percent=bca(percents, mean_of, seed),
        median_percent=bca(percents, median_of, seed),
        sd_percent=float(percents.std(ddof=1)) if len(values) > 1 else None,
        quartiles_percent=None if quartiles is None else (float(quartiles[0]), float(quartiles[1])),
        geometric_mean=mean_with_t_interval(measured).map(math.exp),
        geometric_mean_bca=bca(measured, mean_of, seed).map(math.exp),
        log_sd=float(measured.std(ddof=1)) if len(measured) > 1 else None,
        paired_t=paired_t(measured),
        hodges_lehmann=hodges_lehmann(logs).map(math.exp),
        wilcoxon=signed_rank_test(logs),
    )


def mean_with_t_interval(values: Floats) -> Estimate:
    """Mean and its t interval; no interval for one value, or where all are alike."""
    if len(values) == 0:
        return NONE
    mean = float(values.mean())
    if np.ptp(values) == 0:
        return Estimate(mean)
    return quantile_interval(mean, float(values.std(ddof=1)), len(values), deviates=0)


def paired_t(logs: Floats) -> PairedT | None:
    """The t test that the mean log ratio is zero; None for fewer than two values, or where all are alike."""
    if len(logs) < 2 or np.ptp(logs) == 0:
        return None
    degrees = len(logs) - 1
    t = float(logs.mean() / np.sqrt(logs.var() * (len(logs) / degrees) / len(logs)))
    return PairedT(statistic=t, degrees=degrees, p_value=above_zero(2 * float(scipy.special.stdtr(degrees, -abs(t)))))
