"""How well two raters (readers, or reader and model) who measured the same lesions agree.

Bland and Altman's bias and limits of agreement, the intraclass correlation ICC(2,1) of Shrout and Fleiss, and the
repeatability coefficient; each in the size's own unit and on the log scale, where a difference is a percentage and
large lesions do not outweigh small ones.

Exact intervals take the measurements as independent. Lesions, planes and visits of one child are not: where a child has
several, the intervals are those of a bootstrap that draws whole children.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lesion_measure.cohort.estimates import NONE, Estimate, Floats, quantile_interval
from lesion_measure.records import NORMAL_975

MIN_PAIRS = 3
"""Fewest pairs for which agreement is stated."""

RESAMPLES = 2000
_REPEAT = math.sqrt(2) * NORMAL_975


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The same things measured by two raters: ``first`` and ``second`` (n,), all positive, and each one's subject."""

    measure: str
    unit: str
    first_rater: str
    second_rater: str
    first: Floats
    second: Floats
    subjects: tuple[str, ...]

    @property
    def clustered(self) -> bool:
        """Whether a subject has more than one pair."""
        return len(set(self.subjects)) < len(self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Agreement on one scale. Differences are second minus first rater.

    ``within_sd`` is a measurement's own standard deviation, its rater's bias included: the root of half the mean square
    difference. ``repeatability`` is 1.96 sqrt(2) times it: two measurements of an unchanged lesion by different raters
    differ by less, 95 times in 100. ``random_sd`` is the same without the bias, as where one rater reads both visits.
    """

    bias: Estimate
    sd: float
    lower: Estimate
    upper: Estimate
    icc: Estimate
    within_sd: Estimate
    repeatability: Estimate
    random_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement of two raters on one measure: in its unit, and of its natural logarithm."""

    pairs: Pairs
    absolute: Scale
    log: Scale

    @property
    def coefficient_of_variation(self) -> float:
        """What `config.Repeatability` takes: the within SD of the logarithm, about SD / mean."""
        return self.log.within_sd.value or 0.0


def agreement(pairs: Pairs, seed: int) -> Agreement | None:
    """Agreement of two raters; None for fewer than three pairs."""
    if len(pairs.first) < MIN_PAIRS:
        return None
    return Agreement(
        pairs=pairs,
        absolute=_scale(pairs.first, pairs.second, pairs, seed),
        log=_scale(np.log(pairs.first), np.log(pairs.second), pairs, seed),
    )


def _scale(first: Floats, second: Floats, pairs: Pairs, seed: int) -> Scale:
    ratings = np.stack([first, second], axis=1)
    differences = second - first
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    if pairs.clustered:
        bias_, lower, upper, icc, within = _bootstrap(ratings, pairs.subjects, seed)
    else:
        bias_ = quantile_interval(bias, sd, len(differences), deviates=0)
        lower = quantile_interval(bias, sd, len(differences), deviates=-NORMAL_975)
        upper = quantile_interval(bias, sd, len(differences), deviates=NORMAL_975)
        icc, within = icc_agreement(ratings), within_subject_sd(ratings)
    return Scale(
        bias=bias_,
        sd=sd,
        lower=lower,
        upper=upper,
        icc=icc,
        within_sd=within,
        repeatability=within.map(lambda x: _REPEAT * x),
        random_sd=sd / math.sqrt(2),
    )


def within_subject_sd(ratings: Floats) -> Estimate:
    """Standard deviation of one measurement from pairs (n, 2), with the chi-square interval of n degrees of freedom."""
    count = len(ratings)
    squares = float(((ratings[:, 0] - ratings[:, 1]) ** 2).sum()) / 2
    low, high = (math.sqrt(squares / float(stats.chi2.ppf(tail, count))) for tail in (0.975, 0.025))
    return Estimate(math.sqrt(squares / count), low, high)


def icc_agreement(ratings: Floats) -> Estimate:
    """ICC(2,1): two-way random effects, absolute agreement, one measurement (Shrout and Fleiss 1979).

    The interval is McGraw and Wong's (1996) for ICC(A,1).

    Parameters
    ----------
    ratings
        (targets, raters), complete; at least two of each.
    """
    targets, raters = ratings.shape
    between, columns, error = mean_squares(ratings)
    value = _icc(between, columns, error, targets, raters)
    if value is None:
        return NONE
    if error <= 0:
        return Estimate(value)
    a = raters * value / (targets * (1 - value))
    b = 1 + raters * value * (targets - 1) / (targets * (1 - value))
    freedom = (a * columns + b * error) ** 2 / (
        (a * columns) ** 2 / (raters - 1) + (b * error) ** 2 / ((targets - 1) * (raters - 1))
    )
    upper_f = float(stats.f.ppf(0.975, targets - 1, freedom))
    lower_f = float(stats.f.ppf(0.975, freedom, targets - 1))
    rest = raters * columns + (raters * targets - raters - targets) * error
    low = targets * (between - upper_f * error) / (upper_f * rest + targets * between)
    high = targets * (lower_f * between - error) / (rest + targets * lower_f * between)
    return Estimate(value, low, high)


def mean_squares(ratings: Floats) -> tuple[float, float, float]:
    """Mean squares between targets, between raters, and of the residual of a complete table (targets, raters)."""
    targets, raters = ratings.shape
    whole = ratings.mean()
    rows, columns = ratings.mean(axis=1), ratings.mean(axis=0)
    residual = ratings - rows[:, None] - columns[None, :] + whole
    return (
        float(raters * ((rows - whole) ** 2).sum() / (targets - 1)),
        float(targets * ((columns - whole) ** 2).sum() / (raters - 1)),
        float((residual**2).sum() / ((targets - 1) * (raters - 1))),
    )


def _icc(between: float, columns: float, error: float, targets: int, raters: int) -> float | None:
    below = between + (raters - 1) * error + raters * (columns - error) / targets
    return (between - error) / below if below > 0 else None


def _bootstrap(ratings: Floats, subjects: Sequence[str], seed: int) -> tuple[Estimate, ...]:
    """Bias, both limits, ICC and within SD with percentile intervals over redrawn subjects."""
    names, index = np.unique(np.asarray(subjects), return_inverse=True)
    members = [np.flatnonzero(index == number) for number in range(len(names))]
    values = _point(ratings)
    if len(names) < MIN_PAIRS:
        return tuple(Estimate(value) for value in values)
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(names), (RESAMPLES, len(names)))
    drawn = np.array([_point(ratings[np.concatenate([members[i] for i in draw])]) for draw in draws], dtype=np.float64)
    ends = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    return tuple(
        Estimate(value, float(low), float(high)) if value is not None else NONE
        for value, low, high in zip(values, *ends, strict=True)
    )


def _point(ratings: Floats) -> tuple[float | None, ...]:
    differences = ratings[:, 1] - ratings[:, 0]
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    within = math.sqrt(float((differences**2).mean()) / 2)
    icc = _icc(*mean_squares(ratings), len(ratings), 2)
    return bias, bias - NORMAL_975 * sd, bias + NORMAL_975 * sd, icc, within


def percent_of(log: Estimate) -> Estimate:
    """A difference of logarithms in percent."""
    return log.map(lambda x: 100 * math.expm1(x))


def repeatability_percent(log: Scale) -> tuple[float, float]:
    """The change, down and up in percent, that two measurements of an unchanged lesion stay within 95 times in 100."""
    half = log.repeatability.value or 0.0
    return 100 * math.expm1(-half), 100 * math.expm1(half)
