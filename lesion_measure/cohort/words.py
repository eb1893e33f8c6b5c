"""Estimates and tests as people read them: the same wording on the page, in the terminal and in the tables."""

from __future__ import annotations

from lesion_measure.cohort.markers import Range
from lesion_measure.cohort.paired import Change
from lesion_measure.cohort.record import Cohort
from lesion_measure.report.words import METRICS, NOTHING, finite, fixed, p_value, plural
from lesion_measure.stats.estimates import BCA_HOLDS_FROM, Estimate
from lesion_measure.stats.proportions import Rate

RATES = {
    "evaluable": "Subjects with a verdict",
    "missing_fail": "All subjects, missing = no response",
    "missing_respond": "All subjects, missing = response",
    "least": "Certain responders alone",
    "most": "All who may have responded",
}
"""The ways of counting responders, by the names of `responders.Responders`."""


def p_at_most(p: float | None, *, bound: bool) -> str:
    """A p value of which only an upper bound may be known, e.g. '≤ 0.034'."""
    text = p_value(p)
    return f"≤ {text}" if bound and p is not None else text


def estimate(value: Estimate, digits: int = 1, unit: str = "", *, signed: bool = False) -> str:
    """An estimate with its interval, e.g. '−31.2 (−38.0 to −23.9) %', or '−31.2 % (no interval)'."""
    if finite(value.value) is None:
        return NOTHING
    number, between = fixed(value.value, digits, signed=signed), interval(value, digits, signed=signed)
    words = (number, unit, between) if value.low is None or value.high is None else (number, between, unit)
    return " ".join(filter(None, words))


def interval(value: Estimate, digits: int = 1, *, signed: bool = False) -> str:
    """The interval of an estimate in brackets."""
    if value.low is None or value.high is None:
        return "(no interval)"
    return f"({fixed(value.low, digits, signed=signed)} to {fixed(value.high, digits, signed=signed)})"


def answer(cohort: Cohort) -> tuple[str, ...]:
    """The trial's answer in sentences; without a change of the primary size it is that there is none."""
    results, found, change = cohort.results, cohort.responders, cohort.primary.change
    size = METRICS[results.primary_metric].lower()
    if not change.count:
        return ("No subject has a change of the primary size, so there is no answer.",)
    sentences = [f"The {size} of {plural(change.count, 'subject')} changed by {_average(change)}."]
    if not found.evaluable.count:
        return (*sentences, "No subject has a verdict of the rule.")
    against = f", against a historical {compared}" if (compared := historical(cohort, found.evaluable)) else ""
    sentences.append(f"{rate(found.evaluable)} of the subjects with a verdict responded{against}.")
    sure = found.certainty
    if sure.uncertain_responders + sure.uncertain_others:
        sentences.append(
            f"{sure.certain_responders} of the responders {'is' if sure.certain_responders == 1 else 'are'} certain: "
            "were every verdict that measurement error could turn counted against, or for, a response, there would be "
            f"{found.least.responders} or {found.most.responders}."
        )
    else:
        sentences.append("No verdict could be turned by measurement error.")
    return tuple(sentences)


def _average(change: Change) -> str:
    """Mean and geometric mean; of few subjects the latter first, whose t interval holds what it promises.

    The mean has no interval then: its bootstrap is too short, and could contradict the p value beside it.
    """
    test = change.paired_t
    if test is None:
        return f"{mean_percent(change)} on average"
    ratio, p = estimate(change.geometric_mean, 2), f"paired t test, p = {p_value(test.p_value)}"
    if change.count >= BCA_HOLDS_FROM:
        return f"{mean_percent(change)} on average, and by a factor of {ratio} (geometric mean; {p})"
    left_out = f"; without {change.gone} whose lesions are gone" if change.gone else ""
    return (
        f"a factor of {ratio} (geometric mean with its t interval; {p}{left_out}), on average by {mean_percent(change)}"
    )


def mean_percent(change: Change) -> str:
    """The mean percent change, e.g. '−31.2 (−38.0 to −23.9) %'; of few subjects without the interval."""
    if not change.count or change.count >= BCA_HOLDS_FROM:
        return estimate(change.mean_percent, 1, "%", signed=True)
    return f"{fixed(change.mean_percent.value, 1, signed=True)} % (no interval: fewer than {BCA_HOLDS_FROM} subjects)"


def as_percent(ratio: Estimate) -> Estimate:
    """A ratio as a percent change."""
    return ratio.map(percent_change)


def percent_change(ratio: float) -> float:
    """A ratio as a percent change: 0.7 is -30."""
    return 100 * (ratio - 1)


def historical(cohort: Cohort, found: Rate) -> str:
    """The historical rate and the test of a rate against it; empty where none is known."""
    if cohort.historical_rate is None:
        return ""
    known = fixed(100 * cohort.historical_rate, 1)
    return f"{known} % (exact binomial test, p = {p_value(found.p_two_sided)})"


def rate(value: Rate) -> str:
    """A response rate, e.g. '22 of 26, 84.6 % (65.1 to 95.6)'."""
    if not value.count:
        return "no subject"
    return f"{value.responders} of {value.count}, {fixed(value.percent.value, 1)} % {interval(value.percent)}"


def bounds(value: Range, digits: int = 1, *, percent: bool = False) -> str:
    """A statistic that is known within bounds: one number, 'at most', 'at least' or a range.

    ``percent``: it is a ratio, shown as a percent change.

    >>> bounds(Range(0.5, 0.8), percent=True), bounds(Range(0.0, 0.8), percent=True), bounds(Range(None, None))
    ('−50.0 to −20.0 %', 'at most −20.0 %', '–')
    """
    words = _bounds(value, digits, percent=percent)
    return f"{words} %" if percent and words != NOTHING else words


def _bounds(value: Range, digits: int, *, percent: bool) -> str:
    low, high = (None if x is None else percent_change(x) if percent else x for x in (value.low, value.high))
    if low is None and high is None:
        return NOTHING
    if high is None:
        return f"at least {fixed(low, digits, signed=percent)}"
    if low is None or (value.low == 0 and value.low != value.high):
        return f"at most {fixed(high, digits, signed=percent)}"
    if fixed(low, digits) == fixed(high, digits):
        return fixed(high, digits, signed=percent)
    return f"{fixed(low, digits, signed=percent)} to {fixed(high, digits, signed=percent)}"
