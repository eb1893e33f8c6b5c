"""AFP and PIVKA-II: change from baseline to 1 month, and of AFP what age alone would have done.

AFP falls by itself in the first year of life, so a fall says little until the expected one is taken off. The expected
values are those of 284 normal infants up to 12 months old, log10(ng/mL) = 7.397 - 2.622 log10(age in days + 10)
(J Pediatr Gastroenterol Nutr 1989;8:19-25, PubMed 2471821); older children have none. They are normal infants of a
country and an assay of their time: a reference, no control group.

A value below detection is known to lie between zero and the limit. Every statistic is therefore computed for both ends
and given as a range, which shrinks to a number where the limits do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from lesion_measure.cohort.paired import Change, paired_change
from lesion_measure.config import TINY
from lesion_measure.records import BASELINE, Enrolled, SubjectResult
from lesion_measure.stats.estimates import Floats
from lesion_measure.stats.signed_ranks import hodges_lehmann, signed_rank_test
from lesion_measure.tables.labs import UNITS, Labs, LabValue, Marker

AFP_INTERCEPT, AFP_SLOPE, AFP_SHIFT_DAYS = 7.397, -2.622, 10
AFP_LAST_DAY = 365
"""Last day of life for which there is an expected AFP: the infants of the source were up to 12 months old."""

PIVKA_CUTOFFS = (32.6, 47.1)
"""mAU/mL: for a hepatic tumour; for hepatoblastoma against hemangioendothelioma (Hepatol Int 2024;18:1326-1335)."""


@dataclass(frozen=True, slots=True)
class Range:
    """Where a statistic lies, whatever the values beyond the limits are; None: without bound, or no such statistic."""

    low: float | None
    high: float | None

    @property
    def known(self) -> bool:
        """Whether it is one number."""
        return self.low is not None and self.low == self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerPair:
    """One subject's values at baseline and 1 month; ``ratio`` is later / first, ``expected_ratio`` by age alone.

    ``beyond_age`` is their quotient: below 1 the marker fell by more than age explains. ``why_not`` says why there is
    no expected ratio.
    """

    subject: str
    first: LabValue
    later: LabValue
    ages_days: tuple[float, float] | None
    ratio: Range
    expected_ratio: float | None = None
    why_not: str = ""

    @property
    def beyond_age(self) -> Range:
        """Observed over expected ratio."""
        if self.expected_ratio is None:
            return Range(None, None)
        return Range(*(None if x is None else x / self.expected_ratio for x in (self.ratio.low, self.ratio.high)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioSummary:
    """Ratios of a group of which some are known only within bounds.

    ``limits`` of the ``count`` ratios rest on a value beyond a limit; ``undetermined`` more have limits at both visits
    and say nothing. ``exact`` is there where no ratio rests on a limit. ``p_value_at_most``: Wilcoxon's signed-rank
    test, the largest that the bounds allow.
    """

    count: int
    limits: int
    undetermined: int
    fell: int
    rose: int
    median: Range
    hodges_lehmann: Range
    hodges_lehmann_ci95: Range
    p_value_at_most: float | None
    exact: Change | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSummary:
    """Values of a marker at one visit. ``over`` gives for each cut-off: above, not above, not known from a limit."""

    visit: str
    count: int
    below: int
    above: int
    median: Range
    smallest: str
    largest: str
    over: Mapping[float, tuple[int, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerResult:
    """Everything about one marker."""

    marker: Marker
    visits: tuple[VisitSummary, ...]
    pairs: tuple[MarkerPair, ...]
    missing: tuple[str, ...]
    change: RatioSummary
    beyond_age: RatioSummary | None

    @property
    def unit(self) -> str:
        """Unit of its values."""
        return UNITS[self.marker]


def expected_afp_ng_ml(age_days: float) -> float | None:
    """Expected AFP of a normal infant; None beyond 12 months of age, where the source has no values."""
    if not 0 <= age_days <= AFP_LAST_DAY:
        return None
    return float(10 ** (AFP_INTERCEPT + AFP_SLOPE * math.log10(age_days + AFP_SHIFT_DAYS)))


def marker_result(
    marker: Marker,
    labs: Labs,
    subjects: Mapping[str, SubjectResult | None],
    enrolled: Mapping[str, Enrolled],
    visits: Sequence[str],
    primary: str | None,
    seed: int,
) -> MarkerResult | None:
    """Statistics of one marker over ``subjects`` (their scans, or None where there are none); None without a value.

    Parameters
    ----------
    marker
        Which laboratory value.
    labs
        The values of all subjects.
    subjects
        The subjects that count, with what was measured of each; None without a scan.
    enrolled
        Rows of the subjects table, for the ages.
    visits, primary
        The planned visits in order; the one that is compared with baseline, None where none is.
    seed
        Of the bootstrap.
    """
    own = [v for (subject, kind, _), v in labs.values.items() if kind is marker and subject in subjects]
    if not own:
        return None
    pairs, missing = [], []
    for code, scans in subjects.items():
        first, later = (labs.values.get((code, marker, v)) for v in (BASELINE, primary or ""))
        if first is None or later is None:
            missing.append(code)
        else:
            pairs.append(_pair(first, later, scans, enrolled.get(code)))
    cutoffs = PIVKA_CUTOFFS if marker is Marker.PIVKA else ()
    with_expected = [pair for pair in pairs if pair.expected_ratio is not None]
    return MarkerResult(
        marker=marker,
        visits=tuple(_visit(visit, [v for v in own if v.visit == visit], cutoffs) for visit in visits
                     if any(v.visit == visit for v in own)),
        pairs=tuple(pairs),
        missing=tuple(missing),
        change=summarise([pair.ratio for pair in pairs], seed),
        beyond_age=summarise([p.beyond_age for p in with_expected], seed) if marker is Marker.AFP else None,
    )  # fmt: skip


def _pair(first: LabValue, later: LabValue, scans: SubjectResult | None, enrolled: Enrolled | None) -> MarkerPair:
    low = first_over(later.low, first.high)
    high = first_over(later.high, first.low)
    ratio = _bounds(low, high)
    ages = _ages_days(first, later, scans, enrolled)
    expected, why_not = _expected_ratio(first.marker, ages, enrolled)
    return MarkerPair(
        subject=first.subject, first=first, later=later, ages_days=ages, ratio=ratio, expected_ratio=expected,
        why_not=why_not,
    )  # fmt: skip


def first_over(numerator: float, denominator: float) -> float:
    """Quotient of two numbers that may be zero (below detection) or infinite (above range), as a bound."""
    if math.isinf(denominator):
        return 0.0
    return math.inf if denominator == 0 else numerator / denominator


def _expected_ratio(
    marker: Marker, ages: tuple[float, float] | None, enrolled: Enrolled | None
) -> tuple[float | None, str]:
    if marker is not Marker.AFP:
        return None, ""
    if enrolled is None or enrolled.age_days is None:
        return None, "age not known"
    if ages is None:
        return None, "dates not known"
    first, later = (expected_afp_ng_ml(age) for age in ages)
    if first is None or later is None:
        return None, "older than 12 months"
    return later / first, ""


def _ages_days(
    first: LabValue, later: LabValue, scans: SubjectResult | None, enrolled: Enrolled | None
) -> tuple[float, float] | None:
    """Ages at both samples: the age at the baseline scan, and the days between. The sample's date, else the scan's."""
    if enrolled is None or enrolled.age_days is None:
        return None
    scanned = [None if scans is None else scans.date(v) for v in (first.visit, later.visit)]
    taken: list[date | None] = [first.date or scanned[0], later.date or scanned[1]]
    counted_from = scanned[0] or taken[0]
    if counted_from is None or taken[1] is None:
        return None
    began = 0 if taken[0] is None else (taken[0] - counted_from).days
    return enrolled.age_days + began, enrolled.age_days + (taken[1] - counted_from).days


def summarise(ratios: Sequence[Range], seed: int) -> RatioSummary:
    """Statistics of ratios that are known within bounds, each of them at both ends."""
    bounds = [(r.low or 0.0, math.inf if r.high is None else r.high) for r in ratios]
    told = [(low, high) for low, high in bounds if low > 0 or high < math.inf]
    ends = np.array(told, dtype=np.float64).reshape(-1, 2).T
    with np.errstate(divide="ignore"):
        lows, highs = np.log(ends)
    limits = int((lows != highs).sum())
    bottom, top = hodges_lehmann(lows), hodges_lehmann(highs)
    return RatioSummary(
        count=len(told),
        limits=limits,
        undetermined=len(bounds) - len(told),
        fell=int((highs < 0).sum()),
        rose=int((lows > 0).sum()),
        median=_bounds(*(float(np.median(end)) for end in ends)) if told else Range(None, None),
        hodges_lehmann=_bounds(*_ratios(bottom.value, top.value)),
        hodges_lehmann_ci95=_bounds(*_ratios(bottom.low, top.high)),
        p_value_at_most=_largest_p(lows, highs),
        exact=paired_change([low for low, _ in told], seed) if not limits else None,
    )


def _ratios(*logs: float | None) -> Iterator[float | None]:
    return (None if log is None else float(np.exp(log)) for log in logs)


def _bounds(low: float | None, high: float | None) -> Range:
    """The range of a statistic; what is infinite is no bound."""
    return Range(*(None if end is None or math.isinf(end) else end for end in (low, high)))


def _largest_p(lows: Floats, highs: Floats) -> float | None:
    """The rank sum of positive values grows with every value, so the bounds of the values are those of the sum.

    The test leaves out what has not changed. A bound that says so, as of '<20' before and 20 later, need not be the
    value itself, which may lie beside it and then counts. So may one of several bounds that tie.
    """
    tests = [signed_rank_test(values) for values in (lows, highs, *_within(lows, highs))]
    if any(test is None for test in tests):
        return None if len(lows) == 0 else 1.0
    sides = {test.statistic > test.count * (test.count + 1) / 4 for test in tests if test}
    return 1.0 if len(sides) > 1 else max(test.p_value for test in tests if test)


_STEPS = 20
"""Numbers of unchanged bounds that are tried beside none: every one in a trial of this size, some in larger ones."""


def _within(lows: Floats, highs: Floats) -> Iterator[Floats]:
    """Values just within their bounds, each by a distance of its own, at the lower and at the upper end.

    Of those whose bound says 'not changed', any number may stay there.
    """
    bounded = lows != highs
    finite = np.concatenate([lows[np.isfinite(lows)], highs[np.isfinite(highs)], [0.0]])
    beyond = float(np.abs(finite).max()) + 1.0  # further away than any number: ranks need no more
    for ends, sign in ((lows, 1), (highs, -1)):
        values = np.clip(ends, -beyond, beyond)
        values[bounded] += sign * TINY * np.arange(1, bounded.sum() + 1)
        unchanged = np.flatnonzero(bounded & (ends == 0))
        for staying in np.unique(np.linspace(0, len(unchanged), min(len(unchanged), _STEPS) + 1).round().astype(int)):
            yield np.where(np.isin(np.arange(len(ends)), unchanged[:staying]), 0.0, values)


def _visit(visit: str, values: Sequence[LabValue], cutoffs: Iterable[float]) -> VisitSummary:
    ordered = sorted(values, key=lambda value: (value.low, value.high))
    middle = (float(np.median([v.low for v in values])), float(np.median([v.high for v in values])))
    return VisitSummary(
        visit=visit,
        count=len(values),
        below=sum(v.low == 0 for v in values),
        above=sum(math.isinf(v.high) for v in values),
        median=_bounds(*middle),
        smallest=str(ordered[0]),
        largest=str(ordered[-1]),
        over={cutoff: _over(cutoff, values) for cutoff in cutoffs},
    )


def _over(cutoff: float, values: Sequence[LabValue]) -> tuple[int, int, int]:
    above = sum(v.low > cutoff or (math.isinf(v.high) and v.low >= cutoff) for v in values)
    not_above = sum(v.high <= cutoff for v in values)
    return above, not_above, len(values) - above - not_above
