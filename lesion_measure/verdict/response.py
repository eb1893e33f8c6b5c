"""What the disease of a child is called at each time point, by the response rule of the configuration.

The frame is that of RECIST 1.1 (Eisenhauer and others, Eur J Cancer 2009;45:228-247), and every rule is its limits put
into it: target lesions by their size (section 4.3.1), non-target lesions by statement (4.3.3), new lesions beyond doubt
(4.3.5), then the overall response of a time point (tables 1 and 2) and the best one of all (4.4, table 3). Growth
counts from the smallest size so far, baseline included. A rule without a limit for progression never calls growth so.

Where not every target lesion was evaluated, those that were may be enough for progression, and for nothing else
(4.4.3). Disease that is seen again after a complete response has progressed (footnote of table 3), by a rule that has
a limit of growth. One that has none goes by the size, and says so (docs/decisions/0023-verdicts-on-what-is-known.md).

A verdict is certain where every end of the interval that measurement error gives the size leads to the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lesion_measure.config import TINY, AppliedRule
from lesion_measure.records import Assessment, Quantity, Response, ResponseCourse, Status, in_words
from lesion_measure.verdict.growth import growths_of, percent_at, percent_change, progresses, since_nadir
from lesion_measure.verdict.time_point import ObservedVisit, Sizes
from lesion_measure.verdict.why import why

NOT_EVALUABLE = "not evaluable"
OTHER_PLANES = "the smallest size so far was measured on other planes, from which no growth is counted"
BY_ERROR_ALONE = "measurement error alone could change this verdict"
BY_NETWORK_ALONE = "no reader has seen it there, the network alone"
NEITHER = "neither complete response nor progression"


def assess(points: Sequence[ObservedVisit], rule: AppliedRule) -> tuple[Assessment, ...]:
    """The assessment of every time point, in their order; none of them knows of a later one.

    The smallest size so far counts where it was measured alike, from the same planes at baseline. Where one that was
    not would be smaller, and growth counts from there, the assessment is not certain: something may have grown more.
    Progression stays one then, and what is gone has not grown.
    """
    found: list[Assessment] = []
    least: Quantity | None = None
    for place, point in enumerate(points):
        sizes = [p.sizes for p in points[:place] if p.sizes is not None]
        of_lesions = {n: [p.lesions[n] for p in points[:place] if n in p.lesions] for n in point.lesions}
        lesions_since = {name: since_nadir(of_lesions[name], now) for name, now in point.lesions.items()}
        known = point.sizes or point.at_least
        since = None if known is None else since_nadir(sizes, known)
        least = least if point.sizes is None or since is None else since.baseline
        assessment = _assess(point, least, since, lesions_since, rule)
        if complete := first_complete(found):
            assessment = _seen_again(assessment, point, complete, rule)
        if rule.counts_from_nadir and point.sizes and since and assessment.overall is not Status.PD:
            unlike = not point.gone and _unlike(sizes, point.sizes, since.baseline)
            if rule.progression_of == "any_lesion":
                there = {name: now for name, now in point.lesions.items() if now.later.value > 0}
                unlike |= any(_unlike(of_lesions[n], now, lesions_since[n].baseline) for n, now in there.items())
            assessment = _doubted(assessment, unlike)
        found.append(assessment)
    return tuple(found)


def first_complete(before: Iterable[Assessment]) -> str | None:
    """The first visit of a complete response."""
    return next((assessment.visit for assessment in before if assessment.overall is Status.CR), None)


def _seen_again(assessment: Assessment, point: ObservedVisit, complete: str, rule: AppliedRule) -> Assessment:
    """The assessment of a visit after a complete response, where a lesion of baseline is there again.

    Progression that a reader states, of a new lesion or of non-targets, stands whoever saw this one.
    """
    if not point.remains:
        return assessment
    said = assessment.why.removesuffix(f"; {BY_ERROR_ALONE}")
    why = f"{said}; seen again after the complete response at {in_words(complete)}"
    if rule.progression_percent is None:
        limit = f"; the rule has no limit of growth, so that by itself is no {rule.progression_name}"
        return replace(assessment, why=f"{why}{limit}{assessment.why.removeprefix(said)}")
    target = Status.PD if point.remaining else assessment.target
    stated = bool(point.new) or point.non_target is Status.PD
    why = f"{why}; {BY_NETWORK_ALONE}" if point.unread and not stated else why
    return replace(assessment, target=target, overall=Status.PD, certain=stated or not point.unread, why=why)


def _doubted(assessment: Assessment, unlike: bool) -> Assessment:
    """The assessment, not certain where a size that was measured otherwise may be the smallest."""
    if not unlike:
        return assessment
    certain = None if assessment.certain is None else False
    return replace(assessment, certain=certain, why=f"{assessment.why}; {OTHER_PLANES}")


def _unlike(before: Sequence[Sizes], now: Sizes, least: Quantity) -> bool:
    """Whether a size that was measured otherwise is a smaller share of its baseline than the ``least`` alike is."""
    share = least.value / now.baseline.value
    others = (sizes for sizes in before if sizes.baseline.value != now.baseline.value)
    return any(sizes.later.value / sizes.baseline.value < share - TINY / 100 for sizes in others)


def _assess(
    point: ObservedVisit,
    nadir: Quantity | None,
    since: Sizes | None,
    lesions_since: Mapping[str, Sizes],
    rule: AppliedRule,
) -> Assessment:
    target, others = _target(point, since, lesions_since, rule)
    status = overall(target, point.non_target, new=bool(point.new), doubtful=bool(point.doubtful))
    ends = {overall(t, point.non_target, new=bool(point.new), doubtful=bool(point.doubtful)) for t in others}
    sizes = point.sizes
    certain = None if status is Status.NE else ends <= {status}
    because = why(point, target, status, since, lesions_since, rule)
    whole = since if sizes is not None else None
    return Assessment(
        visit=point.visit,
        days=point.days,
        target=target,
        non_target=point.non_target,
        new_lesions=point.new,
        doubtful_lesions=point.doubtful,
        overall=status,
        percent=None if sizes is None else percent_change(sizes.baseline, sizes.later),
        nadir=None if nadir is None else nadir.value,
        percent_from_nadir=None if whole is None else percent_change(whole.baseline, whole.later),
        certain=certain,
        why=f"{because}; {BY_ERROR_ALONE}" if certain is False else because,
    )


def _target(
    point: ObservedVisit, since: Sizes | None, lesions_since: Mapping[str, Sizes], rule: AppliedRule
) -> tuple[Status | None, set[Status | None]]:
    """The target lesions' status, and what it is at the ends of the interval of measurement error."""
    if not point.has_targets:
        return None, {None}
    growths = growths_of(point, point.sizes or point.at_least, since, lesions_since, rule)
    if point.sizes is None:
        middle, low, high = (_of_some(growths.values(), end, rule) for end in (0, -1, 1))
        return middle, {low, high}
    if point.gone:
        return Status.CR, {Status.CR}
    middle, low, high = (
        target_status(
            percent_at(point.sizes, end), [(percent_at(g, end), g.baseline.value) for g in growths.values()], rule
        )
        for end in (0, -1, 1)
    )  # fmt: skip
    return middle, {low, high}


def _of_some(growths: Iterable[Sizes], end: int, rule: AppliedRule) -> Status:
    """Status of target lesions not all of which were evaluated: those that were can only be enough for progression."""
    enough = any(progresses(percent_at(g, end), g.baseline.value, rule) for g in growths)
    return Status.PD if enough else Status.NE


def target_status(percent: float, growths: Iterable[tuple[float, float]], rule: AppliedRule) -> Status:
    """Status of target lesions that are not all gone.

    Parameters
    ----------
    percent
        Change of their size from baseline.
    growths
        Percent change from the reference size (of the sum, or of each lesion), and that size in mm (or mm2, mL).
    rule
        The limits.
    """
    if any(progresses(growth, reference, rule) for growth, reference in growths):
        return Status.PD
    limit = rule.response_percent + (TINY if rule.response_at_limit else -TINY)
    return Status.PR if percent <= limit else Status.SD


def overall(target: Status | None, non_target: Status | None, *, new: bool, doubtful: bool = False) -> Status:
    """Overall response of a time point: tables 1 and 2 of RECIST 1.1.

    ``target`` and ``non_target`` are None where there were no such lesions at baseline. A lesion that may be new leaves
    everything but progression open: a growing burden of disease must not be called a response.
    """
    if new or Status.PD in (target, non_target):
        return Status.PD
    if doubtful:
        return Status.NE
    if target is None:
        return non_target or Status.NE
    if target is Status.CR and non_target not in (None, Status.CR):
        return Status.PR
    return target


def best_overall(points: Sequence[tuple[int | None, Status]], rule: AppliedRule) -> Status:
    """Best overall response of (days from baseline, overall response) in order of time: section 4.4 and table 3.

    What comes after progression does not count. Where the rule asks for confirmation, a response counts when it is
    seen again after `confirmation_days`.
    """
    until = until_progression(points)
    for wanted, enough in ((Status.CR, {Status.CR}), (Status.PR, {Status.CR, Status.PR})):
        for place, (days, status) in enumerate(until):
            if status in enough and _confirmed(days, until[place + 1 :], enough, rule):
                return wanted
    stable = {Status.CR, Status.PR, Status.SD}
    if any(
        s in stable and (days is not None or not rule.stable_days) and (days or 0) >= rule.stable_days
        for days, s in until
    ):
        return Status.SD
    every = {status for _, status in until}
    return next((s for s in (Status.NON_CR_NON_PD, Status.PD) if s in every), Status.NE)


def until_progression(points: Sequence[tuple[int | None, Status]]) -> list[tuple[int | None, Status]]:
    """The time points (days from baseline, overall response) up to the first progression."""
    end = next((place for place, (_, status) in enumerate(points) if status is Status.PD), len(points))
    return list(points[: end + 1])


def response_course(assessments: Sequence[Assessment], rule: AppliedRule) -> ResponseCourse | None:
    """When the response began that counts, and how long it lasted (section 4.4: first seen, until progression).

    By a rule without a limit of growth it lasts until a visit that is no response any more: nothing else would end it.
    None where no response counts: there is none, or the rule asks for a confirmation that it does not have.
    """
    until = until_progression([(a.days, a.overall) for a in assessments])
    enough = {Status.CR, Status.PR}
    ends = {Status.PD} if rule.progression_percent is not None else set(Status) - {*enough, Status.NE}
    for place, (days, status) in enumerate(until):
        if status in enough and _confirmed(days, until[place + 1 :], enough, rule):
            judged = [(d, s) for d, s in until[place:] if s is not Status.NE]
            last, ending = next(((d, s) for d, s in judged if s in ends), judged[-1])
            return ResponseCourse(
                visit=assessments[place].visit,
                days=days,
                duration_days=None if days is None or last is None else last - days,
                ended=ending in ends,
                confirmed=None if rule.confirmation_days is None else True,
            )
    return None


def _confirmed(
    days: int | None, later: Iterable[tuple[int | None, Status]], enough: set[Status], rule: AppliedRule
) -> bool:
    if rule.confirmation_days is None:
        return True
    return any(
        status in enough and day is not None and days is not None and day - days >= rule.confirmation_days
        for day, status in later
    )


def name_of(status: Status, rule: AppliedRule) -> str:
    """A status in the rule's own words."""
    return {
        Status.CR: rule.complete_name,
        Status.PR: rule.response_name,
        Status.SD: rule.stable_name,
        Status.PD: rule.progression_name,
        Status.NON_CR_NON_PD: NEITHER,
        Status.NE: NOT_EVALUABLE,
    }[status]


def respond(assessment: Assessment | None, rule_name: str, rule: AppliedRule) -> Response | None:
    """The verdict of a time point; None where there is none, and where the rule's sizes were not to be had."""
    if assessment is None or assessment.overall in (Status.NE, Status.NON_CR_NON_PD):
        return None
    return Response(
        rule=rule_name,
        category=name_of(assessment.overall, rule),
        metric=rule.metric,
        percent=assessment.percent,
        certain=bool(assessment.certain),
        explanation=assessment.why,
    )
