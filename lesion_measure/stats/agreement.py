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
import scipy

from lesion_measure.records import NORMAL_975
from lesion_measure.stats.bootstrap import RESAMPLES
from lesion_measure.stats.estimates import NONE, Estimate, Floats, quantile_interval

MIN_PAIRS = 3
"""Fewest pairs for which agreement is stated."""

_REPEAT = math.sqrt(2) * NORMAL_975


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The same things measured by two raters: ``first`` and ``second`` (n,), all positive, and each one's subject.

    ``same`` of them are by one rater on one picture in both: not two measurements, or one rater reading twice. In
    ``by_network`` of them one side, or both, is the network's own.
    """

    measure: str
    unit: str
    first_rater: str
    second_rater: str
    first: Floats
    second: Floats
    subjects: tuple[str, ...]
    same: int = 0
    by_network: int = 0

    @property
    def clustered(self) -> bool:
        """Whether a subject has more than one pair."""
        return len(set(self.subjects)) < len(self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementScale:
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
    absolute: AgreementScale
    log: AgreementScale

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


def _scale(first: Floats, second: Floats, pairs: Pairs, seed: int) -> AgreementScale:
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
    return AgreementScale(
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
    low, high = (
        math.sqrt(squares / (2 * float(scipy.special.gammaincinv(count / 2, tail)))) for tail in (0.975, 0.025)
    )
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
    if error <= 0 or value >= 1:
        return Estimate(value)
    a = raters * value / (targets * (1 - value))
    b = 1 + raters * value * (targets - 1) / (targets * (1 - value))
    freedom = (a * columns + b * error) ** 2 / (
        (a * columns) ** 2 / (raters - 1) + (b * error) ** 2 / ((targets - 1) * (raters - 1))
    )
    upper_f = float(scipy.special.fdtri(targets - 1, freedom, 0.975))
    lower_f = float(scipy.special.fdtri(freedom, targets - 1, 0.975))
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
    """Bias, both limits, ICC and within SD of pairs (n, 2) with percentile intervals over redrawn subjects."""
    names, index = np.unique(np.asarray(subjects), return_inverse=True)
    differences = ratings[:, 1] - ratings[:, 0]
    middles = ratings.mean(axis=1) - ratings.mean()
    terms = np.stack([np.ones_like(middles), differences, differences**2, middles, middles**2])
    sums = np.stack([np.bincount(index, term, len(names)) for term in terms], axis=1)
    values = _from_sums(sums.sum(axis=0)[None, :])[0]
    times = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    drawn = _from_sums(times.astype(np.float64) @ sums)
    found = []
    for value, column in zip(values, drawn.T, strict=True):
        some = column[np.isfinite(column)]
        if not np.isfinite(value) or len(names) < MIN_PAIRS or len(some) == 0:
            found.append(Estimate(float(value)) if np.isfinite(value) else NONE)
            continue
        low, high = np.percentile(some, [2.5, 97.5])
        found.append(Estimate(float(value), float(low), float(high)))
    return tuple(found)


def _from_sums(sums: Floats) -> Floats:
    """Bias, both limits, ICC(2,1) and within SD (k, 5) from sums (k, 5) over pairs.

    The sums are of one, of the difference and its square, and of the pair's mean and its square.
    """
    count, difference, difference_2, middle, middle_2 = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        bias = difference / count
        variance = np.maximum(difference_2 - count * bias**2, 0) / (count - 1)
        between = 2 * (middle_2 - middle**2 / count) / (count - 1)
        columns, error = count * bias**2 / 2, variance / 2
        icc = (between - error) / (between + error + 2 * (columns - error) / count)
    half = NORMAL_975 * np.sqrt(variance)
    return np.stack([bias, bias - half, bias + half, icc, np.sqrt(difference_2 / count / 2)], axis=1)


def percent_of(log: Estimate) -> Estimate:
    """A difference of logarithms in percent."""
    return log.map(lambda x: 100 * math.expm1(x))


def repeatability_percent(log: AgreementScale) -> tuple[float, float]:
    """The change, down and up in percent, that two measurements of an unchanged lesion stay within 95 times in 100."""
    half = log.repeatability.value or 0.0
    return 100 * math.expm1(-half), 100 * math.expm1(half)
