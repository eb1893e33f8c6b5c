"""What the disease of a child is called at each time point, by the response rule of the configuration.

The frame is that of RECIST 1.1 (Eisenhauer and others, Eur J Cancer 2009;45:228-247), and every rule is its limits put
into it: target lesions by their size (section 4.3.1), non-target lesions by statement (4.3.3), new lesions beyond doubt
(4.3.5), then the overall response of a time point (tables 1 and 2) and the best one of all (4.4, table 3). Growth
counts from the smallest size so far, baseline included. A rule without a limit for progression never calls growth so.

A verdict is certain where every end of the interval that measurement error gives the size leads to the same one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from lesion_measure.config import TINY_PERCENT, AppliedRule, percent_text
from lesion_measure.measure.propagation import ratio_ci95
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Assessment,
    Change,
    LesionMeasurement,
    Metric,
    NonTarget,
    Quantity,
    Response,
    ResponseCourse,
    Status,
)
from lesion_measure.verdict.doubts import Unmeasured

NOT_EVALUABLE = "not evaluable"
OTHER_PLANES = "the smallest size so far was measured on other planes, from which no growth is counted"
NEITHER = "neither complete response nor progression"

_LESION_METRIC = {Metric.SUM_OF_DIAMETERS: Metric.LONGEST_DIAMETER}
"""The size of one lesion that stands for the size of the child."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A size at baseline and at a time point, measured alike. A later size of exactly 0 is a statement: gone.

    ``same_reader`` is False where another reader measured later: then the bias of neither cancels.
    """

    baseline: Quantity
    later: Quantity
    same_reader: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """What is known at one time point after baseline.

    ``days`` from baseline. ``sizes`` of the target lesions together, None where they were not all evaluated;
    ``lesions`` of each. ``has_targets`` and ``non_target`` (None: there are no non-targets) say what there was at
    baseline. ``new`` are new lesions beyond doubt, ``doubtful`` those that may be. ``remaining``: a target lesion is
    still there although the size is 0, which the size of one lesion of several can be.
    """

    visit: str
    days: int | None = None
    sizes: Sizes | None = None
    lesions: Mapping[str, Sizes] = field(default_factory=dict)
    has_targets: bool = True
    non_target: Status | None = None
    new: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    remaining: bool = False

    @property
    def gone(self) -> bool:
        """Whether every target lesion is stated to be gone."""
        return self.sizes is not None and self.sizes.later.value == 0 and not self.remaining


def assess(points: Sequence[TimePoint], rule: AppliedRule) -> tuple[Assessment, ...]:
    """The assessment of every time point, in their order; none of them knows of a later one.

    The smallest size so far counts where it was measured alike, from the same planes at baseline. Where one that was
    not would be smaller, the assessment is not certain.
    """
    found: list[Assessment] = []
    nadir: Quantity | None = None
    for place, point in enumerate(points):
        before = points[:place]
        sizes = [p.sizes for p in before if p.sizes is not None]
        if point.sizes is not None:
            nadir = _nadir(sizes, point.sizes)
        lesion_nadirs = {
            name: _nadir([p.lesions[name] for p in before if name in p.lesions], now)
            for name, now in point.lesions.items()
        }
        assessment = _assess(point, nadir, lesion_nadirs, rule)
        if point.sizes is not None and nadir is not None and _unlike(sizes, point.sizes, nadir):
            certain = None if assessment.certain is None else False
            assessment = replace(assessment, certain=certain, why=f"{assessment.why}; {OTHER_PLANES}")
        found.append(assessment)
    return tuple(found)


def _nadir(before: Sequence[Sizes], now: Sizes) -> Quantity:
    """The smallest size so far, baseline included, of those measured like this one."""
    alike = (sizes.later for sizes in before if sizes.baseline.value == now.baseline.value)
    return min((now.baseline, *alike), key=lambda size: size.value)


def _unlike(before: Sequence[Sizes], now: Sizes, nadir: Quantity) -> bool:
    """Whether a size that was measured otherwise is a smaller share of its baseline than the smallest one is."""
    share = nadir.value / now.baseline.value
    others = (sizes for sizes in before if sizes.baseline.value != now.baseline.value)
    return any(sizes.later.value / sizes.baseline.value < share - TINY_PERCENT / 100 for sizes in others)


def _assess(
    point: TimePoint, nadir: Quantity | None, lesion_nadirs: Mapping[str, Quantity], rule: AppliedRule
) -> Assessment:
    target, others = _target(point, nadir, lesion_nadirs, rule)
    status = overall(target, point.non_target, new=bool(point.new), doubtful=bool(point.doubtful))
    ends = {overall(t, point.non_target, new=bool(point.new), doubtful=bool(point.doubtful)) for t in others}
    sizes = point.sizes
    since = None if sizes is None or nadir is None else _percent(nadir, sizes.later)
    return Assessment(
        visit=point.visit,
        days=point.days,
        target=target,
        non_target=point.non_target,
        new_lesions=point.new,
        doubtful_lesions=point.doubtful,
        overall=status,
        percent=None if sizes is None else _percent(sizes.baseline, sizes.later),
        nadir=None if nadir is None else nadir.value,
        percent_from_nadir=since,
        certain=None if status is Status.NE else ends <= {status},
        why=_why(point, target, status, nadir, lesion_nadirs, rule),
    )


def _target(
    point: TimePoint, nadir: Quantity | None, lesion_nadirs: Mapping[str, Quantity], rule: AppliedRule
) -> tuple[Status | None, set[Status | None]]:
    """The target lesions' status, and what it is at the ends of the interval of measurement error."""
    if not point.has_targets:
        return None, {None}
    if point.sizes is None or nadir is None:
        return Status.NE, {Status.NE}
    if point.gone:
        return Status.CR, {Status.CR}
    growths = _growths(point, point.sizes, nadir, lesion_nadirs, rule)
    middle, low, high = (
        target_status(
            _at(point.sizes, end), [(_at(growth, end), growth.baseline.value) for growth in growths.values()], rule
        )
        for end in (0, -1, 1)
    )  # fmt: skip
    return middle, {low, high}


def _growths(
    point: TimePoint, whole: Sizes, nadir: Quantity, lesion_nadirs: Mapping[str, Quantity], rule: AppliedRule
) -> dict[str, Sizes]:
    """What may have grown to a progression, from the size that growth counts from: every lesion, or '', the whole."""
    from_nadir = rule.progression_from == "nadir"
    if rule.progression_of == "any_lesion":
        return {n: replace(s, baseline=lesion_nadirs[n]) if from_nadir else s for n, s in point.lesions.items()}
    return {"": replace(whole, baseline=nadir) if from_nadir else whole}


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
    if any(_progresses(growth, reference, rule) for growth, reference in growths):
        return Status.PD
    limit = rule.response_percent + (TINY_PERCENT if rule.response_at_limit else -TINY_PERCENT)
    return Status.PR if percent <= limit else Status.SD


def _progresses(percent: float, reference: float, rule: AppliedRule) -> bool:
    """Whether growth reaches the limit in percent and, for a diameter, in mm. After 0 any size is a reappearance."""
    if rule.progression_percent is None or percent < rule.progression_percent - TINY_PERCENT:
        return False
    if not _in_mm(rule) or math.isinf(percent):
        return True
    return percent / 100 * reference >= rule.progression_min_mm - TINY_PERCENT


def _in_mm(rule: AppliedRule) -> bool:
    """Whether the rule looks at a diameter, so that a limit in mm applies to it."""
    return rule.metric in (Metric.LONGEST_DIAMETER, Metric.SUM_OF_DIAMETERS)


def _percent(before: Quantity, after: Quantity) -> float:
    if before.value == 0:
        return math.inf if after.value > 0 else 0.0
    return 100 * (after.value - before.value) / before.value


def _at(sizes: Sizes, end: int) -> float:
    """Percent change: as measured (0), or at the lower (-1) or upper (1) end of its 95 % interval."""
    before, after = sizes.baseline, sizes.later
    if end == 0 or before.value == 0 or after.value == 0 or before is after:
        return _percent(before, after)
    return ratio_ci95(before, after, same_reader=sizes.same_reader)[0 if end < 0 else 1]


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

    What comes after progression does not count. Disease that is seen again after a complete response has progressed.
    Where the rule asks for confirmation, a response counts when it is seen again after `confirmation_days`.
    """
    until = _until_progression(points)
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


def _until_progression(points: Sequence[tuple[int | None, Status]]) -> list[tuple[int | None, Status]]:
    """The time points up to the first progression. Disease seen again after a complete response has progressed."""
    until: list[tuple[int | None, Status]] = []
    for days, status in points:
        again = any(s is Status.CR for _, s in until) and status in (Status.PR, Status.SD, Status.NON_CR_NON_PD)
        until.append((days, Status.PD if again else status))
        if until[-1][1] is Status.PD:
            break
    return until


def response_course(assessments: Sequence[Assessment], rule: AppliedRule) -> ResponseCourse | None:
    """When the response began that counts, and how long it lasted (section 4.4: first seen, until progression).

    None where no response counts: there is none, or the rule asks for a confirmation that it does not have.
    """
    until = _until_progression([(a.days, a.overall) for a in assessments])
    enough = {Status.CR, Status.PR}
    for place, (days, status) in enumerate(until):
        if status in enough and _confirmed(days, until[place + 1 :], enough, rule):
            last, ending = next((d, s) for d, s in reversed(until) if s is not Status.NE)
            return ResponseCourse(
                visit=assessments[place].visit,
                days=days,
                duration_days=None if days is None or last is None else last - days,
                ended=ending is Status.PD,
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


def time_point(
    changes: Sequence[Change],
    lesions: Sequence[LesionMeasurement],
    rule: AppliedRule,
    *,
    targets: Sequence[str],
    non_targets: Sequence[NonTarget] = (),
    new: Iterable[str] = (),
    non_target_progression: bool = False,
    days: int | None = None,
    visit: str = ONE_MONTH,
    unmeasured: Unmeasured = MappingProxyType({}),
) -> TimePoint:
    """What the changes to one visit and the lesions of baseline and that visit say, in the terms of `assess`.

    ``unmeasured`` lesions, which a reader drew and that have no size, were there as well.

    Parameters
    ----------
    changes
        All changes of the subject.
    lesions
        All lesions at all visits.
    rule
        The response rule that is applied.
    targets, non_targets
        The lesions of baseline in the sums, and the others.
    new
        Lesions that are new beyond doubt, by a reader's statement.
    non_target_progression
        Whether a reader states that non-targets have progressed.
    days
        From baseline to the visit; None where a date is missing.
    visit
        The visit.
    unmeasured
        Lesions that a reader drew and that have no size, by visit. They were there as well.
    """
    here = [c for c in changes if c.visit == visit]
    whole = next((c for c in here if c.lesion is None and c.metric is rule.metric), None)
    own = _LESION_METRIC.get(rule.metric, rule.metric)
    later = {m.lesion: m for m in lesions if m.visit == visit}
    at_baseline = {m.lesion for m in lesions if m.visit == BASELINE and m.present}
    at_baseline |= unmeasured.get(BASELINE, {}).keys()
    stated = tuple(sorted(name for name in new if name not in at_baseline))
    return TimePoint(
        visit=visit,
        days=days,
        sizes=None if whole is None else Sizes(whole.baseline, whole.followup, whole.same_reader),
        lesions={
            c.lesion: Sizes(c.baseline, c.followup, c.same_reader)
            for c in here
            if c.lesion is not None and c.lesion in targets and c.metric is own
        },
        has_targets=bool(targets),
        non_target=_non_target([later.get(other.lesion) for other in non_targets], progression=non_target_progression),
        new=stated,
        remaining=any(name in later and later[name].present for name in targets),
        doubtful=tuple(sorted(name for name, m in later.items() if m.present and name not in {*at_baseline, *stated})),
    )


def _non_target(later: Sequence[LesionMeasurement | None], *, progression: bool) -> Status | None:
    """Non-target lesions as their measurements say; only a reader can say that they progressed."""
    if progression:
        return Status.PD
    if not later:
        return None
    if any(m is not None and m.present for m in later):
        return Status.NON_CR_NON_PD
    return Status.NE if any(m is None for m in later) else Status.CR


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
        explanation=assessment.why
        + ("" if assessment.certain else "; measurement error alone could change this verdict"),
    )


def _why(
    point: TimePoint,
    target: Status | None,
    status: Status,
    nadir: Quantity | None,
    lesion_nadirs: Mapping[str, Quantity],
    rule: AppliedRule,
) -> str:
    """The size, the limit that decided (of a progression the one that growth crossed), and what else counted."""
    parts = []
    if point.sizes is not None:
        sizes = point.sizes
        low, middle, high = (percent_text(_at(sizes, end), rule.limits_percent) for end in (-1, 0, 1))
        interval = "" if sizes.later.value == 0 else f" (95 % interval {low} to {high} %)"
        parts.append(f"{rule.metric.replace('_', ' ')} changed by {middle} %{interval}")
        if status is not Status.PD:
            limit = f"{rule.response_percent:+g} %"
            parts.append(f"the rule asks for {f'{limit} or less' if rule.response_at_limit else f'less than {limit}'}")
        if nadir is not None and nadir.value < sizes.baseline.value:
            parts.append(f"{_grown(replace(sizes, baseline=nadir), rule)} from the smallest size so far")
        if target is Status.PD and nadir is not None:
            parts += _crossed(_growths(point, sizes, nadir, lesion_nadirs, rule), rule)
    elif target is Status.NE:
        parts.append("not every target lesion was evaluated")
    if point.new:
        parts.append(f"new beyond doubt by a reader: {', '.join(point.new)}")
    if point.doubtful:
        parts.append(f"perhaps new: {', '.join(point.doubtful)}")
    if point.non_target is Status.PD:
        parts.append("a reader states that non-target lesions progressed")
    elif target is Status.CR and status is Status.PR:
        parts.append("every target lesion is gone, but not every other one")
    return "; ".join(parts) or "no lesion was followed"


def _crossed(growths: Mapping[str, Sizes], rule: AppliedRule) -> list[str]:
    """The lesions that grew to a progression, where each counts by itself, and the limit that was reached."""
    reached = {n: s for n, s in growths.items() if _progresses(_percent(s.baseline, s.later), s.baseline.value, rule)}
    whose = [f"{name} changed by {_grown(sizes, rule)}" for name, sizes in reached.items() if name]
    least = f" and at least {rule.progression_min_mm:g} mm" if rule.progression_min_mm and _in_mm(rule) else ""
    of = " of any target lesion" if rule.progression_of == "any_lesion" else ""
    since = "the smallest size so far" if rule.progression_from == "nadir" else "baseline"
    return [*whose, f"the limit of {rule.progression_name} is {rule.progression_percent:+g} %{least}{of} from {since}"]


def _grown(sizes: Sizes, rule: AppliedRule) -> str:
    """Growth in percent, with as many decimals as it takes to see its side of the rule's limits, and in mm."""
    percent = _percent(sizes.baseline, sizes.later)
    text = "new growth after 0" if math.isinf(percent) else f"{percent_text(percent, rule.limits_percent)} %"
    grown = sizes.later.value - sizes.baseline.value
    return f"{text} ({grown:+.1f} mm)" if rule.progression_min_mm and _in_mm(rule) else text
