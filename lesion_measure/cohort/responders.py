"""How many subjects responded, and how much that depends on who is missing, on the size looked at and on its error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import scipy

from lesion_measure.config import TINY
from lesion_measure.records import NORMAL_975, Change, Metric, Response, SecondaryVerdict, SubjectResult
from lesion_measure.results import NamedRule, Results
from lesion_measure.stats.proportions import ExpectedCount, Rate, expected_count, response_rate

POWERS = {
    Metric.LONGEST_DIAMETER: 1,
    Metric.SUM_OF_DIAMETERS: 1,
    Metric.SUM_OF_PRODUCTS: 2,
    Metric.VOLUME: 3,
}
"""With which power of a diameter a size goes."""

_KINDS = {1: "a diameter", 2: "a product of two axes", 3: "a volume"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """Verdicts by whether the 95 % interval that measurement error gives the change could turn them."""

    certain_responders: int
    uncertain_responders: int
    uncertain_others: int
    certain_others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Responders:
    """Responders by the rule of the run.

    ``evaluable``: of the subjects with a verdict. ``missing_fail`` and ``missing_respond``: of all, those without a
    verdict counted as not responding and as responding. ``least`` and ``most``: of the subjects with a verdict, where
    every uncertain verdict is turned against and for the response. ``withheld``: subjects whose change is known, but
    for whom the run gave no verdict (e.g. a new lesion).
    """

    evaluable: Rate
    missing_fail: Rate
    missing_respond: Rate
    least: Rate
    most: Rate
    certainty: Certainty
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRule:
    """Responders by one rule, of the subjects for whom it has a verdict; ``primary``: it is the trial's own.

    ``certain`` and ``uncertain_others``: responders beyond doubt, and others that may be responders.
    """

    rule: str
    metric: Metric
    response_percent: float
    primary: bool
    rate: Rate
    certain: int
    uncertain_others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimit:
    """The rule's limit applied to one size. ``expected`` is the count that the changes' own error bars would give."""

    metric: Metric
    limit_percent: float
    meaning: str
    rate: Rate
    certainty: Certainty
    expected: ExpectedCount


@dataclass(frozen=True, slots=True)
class Verdict:
    """One change against a limit: whether it is beyond it, surely so, and the chance that the true change is."""

    responds: bool
    certain: bool
    chance: float


def ratio_of(change: Change) -> float | None:
    """Later size over size at baseline; 0 where every lesion is gone."""
    before, after = change.baseline.value, change.followup.value
    return after / before if before > 0 and math.isfinite(after) else None


def log_error_sd(interval: tuple[float, float] | None) -> float | None:
    """Standard deviation of the log ratio that gives a percent change this 95 % interval.

    None where there is no interval, since the change rests on a statement, or where it reaches -100 %.
    """
    low, high = interval or (math.nan, math.nan)
    if not (math.isfinite(low) and math.isfinite(high)) or low <= -100:
        return None
    return (math.log1p(high / 100) - math.log1p(low / 100)) / (2 * NORMAL_975)


def count_responders(
    percent: float,
    interval: tuple[float, float] | None,
    limit_percent: float,
    *,
    at_limit: bool = True,
) -> Verdict:
    """Verdict of one change with its 95 % interval; ``at_limit``: a change of exactly the limit is a response.

    The chance takes the true log ratio as normal about the measured one: it knows nothing of the other subjects.
    """
    responds = percent <= limit_percent + (TINY if at_limit else -TINY)
    low, high = interval or (math.nan, math.nan)
    sd = log_error_sd(interval)
    if not sd or limit_percent <= -100:
        return Verdict(responds, True, float(responds))
    away = math.log1p(limit_percent / 100) - math.log1p(percent / 100)
    return Verdict(responds, (low <= limit_percent) == (high <= limit_percent), float(scipy.special.ndtr(away / sd)))


def responders(
    results: Results, subjects: Sequence[SubjectResult], everyone: int, historical_rate: float | None
) -> Responders:
    """Responders by the run's own verdicts.

    Parameters
    ----------
    results
        The run, for its rule.
    subjects
        The subjects of the analysis that have scans.
    everyone
        Number of all subjects of the analysis, those without scans included.
    historical_rate
        The fraction that the exact test compares with; None: nothing to compare with.
    """
    verdicts = [_own_verdict(s, s.response, results.rule) for s in subjects if s.response is not None]
    found = certainty(verdicts)
    count, missing = len(verdicts), everyone - len(verdicts)
    yes = found.certain_responders + found.uncertain_responders

    def rate(number: int, of: int) -> Rate:
        return response_rate(number, of, historical_rate)

    return Responders(
        evaluable=rate(yes, count),
        missing_fail=rate(yes, everyone),
        missing_respond=rate(yes + missing, everyone),
        least=rate(found.certain_responders, count),
        most=rate(yes + found.uncertain_others, count),
        certainty=found,
        withheld=tuple(s.subject for s in subjects if s.response is None and s.change(results.rule.metric)),
    )


def by_rules(results: Results, subjects: Sequence[SubjectResult], historical_rate: float | None) -> tuple[ByRule, ...]:
    """Responders by the trial's rule and by each other rule whose verdicts the run holds; empty without such."""
    if not any(subject.secondary for subject in subjects):
        return ()
    own = [_own_verdict(s, s.response, results.rule) for s in subjects if s.response is not None]
    rows = [_by_rule(results.rule, own, historical_rate, primary=True)]
    for rule in results.secondary_rules:
        found = [one for s in subjects for one in s.secondary if one.rule == rule.name and one.category is not None]
        rows.append(_by_rule(rule, [_other_verdict(one, rule) for one in found], historical_rate, primary=False))
    return tuple(rows)


def _other_verdict(one: SecondaryVerdict, rule: NamedRule) -> Verdict:
    """As `_own_verdict`, for a rule that is not the trial's."""
    interval = None if one.held or one.pairing_confidence is not None else one.percent_ci95
    no_chance = not one.responds and interval is not None and interval[0] > rule.response_percent
    return Verdict(one.responds, bool(one.certain) or no_chance, 0.0)


def _by_rule(rule: NamedRule, verdicts: Sequence[Verdict], historical_rate: float | None, *, primary: bool) -> ByRule:
    counts = certainty(verdicts)
    yes = counts.certain_responders + counts.uncertain_responders
    return ByRule(
        rule=rule.name,
        metric=rule.metric,
        response_percent=rule.response_percent,
        primary=primary,
        rate=response_rate(yes, len(verdicts), historical_rate),
        certain=counts.certain_responders,
        uncertain_others=counts.uncertain_others,
    )


def _own_verdict(subject: SubjectResult, response: Response, rule: NamedRule) -> Verdict:
    """Whether the run calls a subject a responder, and whether measurement error could turn just that.

    The run's own certainty is that of the whole verdict: one that could only turn into progression, since the interval
    does not reach the limit of a response, is certainly none. What holds it back for another reason leaves all open: an
    automatic pairing that may be wrong, or what a reader wrote and could not be used.
    """
    responds = rule.is_response(response.category)
    change = subject.change(rule.metric)
    open_ = bool(response.held) or change is None or change.pairing_confidence is not None
    interval = None if open_ or change is None else change.percent_ci95
    no_chance = not responds and interval is not None and interval[0] > rule.response_percent
    return Verdict(responds, response.certain or no_chance, 0.0)


def certainty(verdicts: Iterable[Verdict]) -> Certainty:
    """Counts of verdicts by answer and certainty."""
    pairs = [(v.responds, v.certain) for v in verdicts]
    return Certainty(
        certain_responders=pairs.count((True, True)),
        uncertain_responders=pairs.count((True, False)),
        uncertain_others=pairs.count((False, False)),
        certain_others=pairs.count((False, True)),
    )


def size_limits(
    rule: NamedRule, subjects: Sequence[SubjectResult], withheld: Sequence[str], historical_rate: float | None
) -> tuple[SizeLimit, ...]:
    """The rule's limit on every size, as it stands and as what it means for a diameter or a volume.

    Subjects whose verdict the run withheld are left out here as well. A ball whose diameter falls to r of itself keeps
    r squared of a product of two axes, and r cubed of its volume.
    """
    judged = [s for s in subjects if s.subject not in withheld]
    return tuple(
        _size_limit(metric, limit, meaning, judged, historical_rate, at_limit=rule.response_at_limit)
        for metric, limit, meaning in _limits(rule)
    )


def _limits(rule: NamedRule) -> Iterable[tuple[Metric, float, str]]:
    """Size, limit in percent and meaning."""
    direct = rule.response_percent
    for metric in Metric:
        yield metric, direct, "the limit as it stands"
    left = 1 + direct / 100
    if not 0 < left < 1:
        return
    for meant in sorted({1, 3, POWERS[rule.metric]}):
        for metric, power in POWERS.items():
            if power != meant:
                limit = 100 * (left ** (power / meant) - 1)
                yield metric, limit, f"the limit meant for {_KINDS[meant]}, as {_KINDS[power]}"


def _size_limit(
    metric: Metric,
    limit: float,
    meaning: str,
    subjects: Sequence[SubjectResult],
    historical_rate: float | None,
    *,
    at_limit: bool,
) -> SizeLimit:
    verdicts = []
    for subject in subjects:
        change = subject.change(metric)
        if change is not None:
            verdict = count_responders(change.percent, change.percent_ci95, limit, at_limit=at_limit)
            held = subject.response is not None and bool(subject.response.held)
            verdicts.append(replace(verdict, certain=verdict.certain and not held))
    return SizeLimit(
        metric=metric,
        limit_percent=limit,
        meaning=meaning,
        rate=response_rate(sum(v.responds for v in verdicts), len(verdicts), historical_rate),
        certainty=certainty(verdicts),
        expected=expected_count([v.chance for v in verdicts]),
    )
