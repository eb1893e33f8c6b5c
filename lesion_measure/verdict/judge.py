"""What a child's lesions come to under a response rule: targets, changes, assessments, verdict. Part of the pipeline.

The trial's rule gives the answer. Every other named rule is applied to the same measurements, each with the target
lesions that it would have chosen itself, so that a reader sees what hangs on the choice of the rule: secondary, and no
part of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lesion_measure.config import AppliedRule, Pairing
from lesion_measure.records import (
    BASELINE,
    Assessment,
    Change,
    Metric,
    Refusal,
    Response,
    ResponseCourse,
    SecondaryVerdict,
    Source,
    Status,
    TargetChoice,
)
from lesion_measure.verdict.change import compare_subject, with_nadirs
from lesion_measure.verdict.fates import (
    held_back,
    held_for_a_reader,
    held_for_doubts,
    mark_pairings,
    pairing_confidences,
)
from lesion_measure.verdict.known import Known
from lesion_measure.verdict.response import (
    assess,
    best_overall,
    first_complete,
    name_of,
    respond,
    response_course,
)
from lesion_measure.verdict.targets import choose_targets
from lesion_measure.verdict.time_point import time_point
from lesion_measure.verdict.volumes import REFUSALS as VOLUME_REFUSALS

NO_PRODUCTS = "a target lesion lacks a short axis at one of the visits, or its two short axes have different origins"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleApplied:
    """What one rule makes of it; ``refusals`` say why targets or changes are missing.

    ``changes`` and ``assessments`` are of every visit after baseline, in order; ``response`` is the primary visit's.
    """

    choice: TargetChoice
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    assessments: tuple[Assessment, ...]
    response: Response | None
    best: str | None
    course: ResponseCourse | None = None


def apply_rule(known: Known, name: str, rule: AppliedRule, pairing: Pairing) -> RuleApplied:
    """Apply a rule.

    Parameters
    ----------
    known
        The child.
    name, rule
        The rule, and what the configuration calls it.
    pairing
        How sure an automatic pairing has to be for a certain verdict.
    """
    subject, lesions, enrolled = known.subject, known.lesions, known.enrolled
    choice, not_there = choose_targets(
        subject, lesions, rule.targets, enrolled=enrolled, manifest=known.manifest,
        unmeasured=known.unmeasured.get(BASELINE, {}),
    )  # fmt: skip
    compared = {visit: _compared(known, choice, visit) for visit in known.visits}
    changes = with_nadirs([change for found, _ in compared.values() for change in found])
    points = [
        time_point(
            changes, lesions, rule, targets=choice.targets, non_targets=choice.non_targets, new=known.new[visit],
            non_target_progression=_others_progressed(known, visit), days=known.days[visit], visit=visit,
            unmeasured=known.unmeasured,
        )
        for visit in known.visits
    ]  # fmt: skip
    found = assess(points, rule) if lesions else ()
    judged = [
        _verdict(known, assessment, found[:place], changes, choice, name, rule, pairing)
        for place, assessment in enumerate(found)
    ]
    assessments = tuple(assessment for _, assessment in judged)
    response = next((found for found, assessment in judged if assessment.visit == known.primary), None)
    course = response_course(assessments, rule)
    answered = any(assessment.overall is not Status.NE for assessment in assessments)
    return RuleApplied(
        choice=choice,
        changes=changes,
        refusals=(*not_there, *(refusal for _, missing in compared.values() for refusal in missing)),
        assessments=assessments,
        response=response,
        best=name_of(best_overall([(a.days, a.overall) for a in assessments], rule), rule) if answered else None,
        course=course,
    )


def _compared(known: Known, choice: TargetChoice, visit: str) -> tuple[tuple[Change, ...], tuple[Refusal, ...]]:
    """Changes from baseline to one visit, and why others are missing."""
    visits = (BASELINE, visit)
    changes, missing = compare_subject(
        known.subject, known.lesions, choice.targets, new=known.new[visit], visits=visits,
        groups=known.groups_until(visit), not_gone=known.not_gone.get(visit, {}),
        unmeasured=known.unmeasured,
    )  # fmt: skip
    return mark_pairings(changes, known.lesions, choice.targets, visits), missing


def _others_progressed(known: Known, visit: str) -> bool:
    """Whether the table's word that other lesions progressed counts here: it names no visit, so from the primary on."""
    if known.enrolled is None or not known.enrolled.non_target_progression:
        return False
    told = known.primary if known.primary in known.visits else known.visits[-1]
    return known.visits.index(visit) >= known.visits.index(told)


def _rests_on(known: Known, before: Sequence[Assessment], rule: AppliedRule) -> tuple[str, ...]:
    """The visits that a verdict rests on, after those ``before``; never a later one.

    It is every visit until then where growth counts from the smallest size so far, and after a complete response.
    """
    place = len(before)
    whole = rule.counts_from_nadir or _gone_before(before, rule)
    return known.visits[0 if whole else place : place + 1]


def _gone_before(before: Sequence[Assessment], rule: AppliedRule) -> bool:
    """Whether all was gone, so that a lesion of baseline that is there again has progressed by the rule."""
    return rule.progression_percent is not None and first_complete(before) is not None


def _verdict(
    known: Known,
    assessment: Assessment,
    before: Sequence[Assessment],
    changes: Sequence[Change],
    choice: TargetChoice,
    name: str,
    rule: AppliedRule,
    pairing: Pairing,
) -> tuple[Response | None, Assessment]:
    """The verdict of one visit and its assessment, not certain where they rest on what nobody has settled.

    Parameters
    ----------
    known, assessment, before
        The child; what the visit is called, and what those before it are.
    changes, choice
        All changes; targets and other lesions of baseline.
    name, rule, pairing
        The rule and its name; how sure an automatic pairing has to be.
    """
    until = _rests_on(known, before, rule)
    response = respond(assessment, name, rule)
    found: tuple[Assessment, ...] = (assessment,)
    parts = assessment.visit if assessment.percent is None and assessment.target is Status.PD else None
    rests_on = [
        c.pairing_confidence
        for c in changes
        if (c.visit in until and c.lesion is None) or (c.visit == parts and c.lesion in choice.targets)
    ]
    rests_on += _of_others(known, assessment, choice)
    rests_on += _of_returned(known, assessment) if _gone_before(before, rule) else []
    response, found = held_back(response, found, [sure for sure in rests_on if sure is not None], pairing)
    response, found = held_for_a_reader(response, found, [m for m in known.lesions if m.visit in until])
    response, found = held_for_doubts(response, found, known.doubts, (BASELINE, *until))
    return response, found[0]


def _of_others(known: Known, assessment: Assessment, choice: TargetChoice) -> list[float]:
    """Confidence in the pairings of the lesions beside the targets that are there at a visit.

    Where a pairing is wrong its lesion may be new, which leaves all but progression open.
    """
    if assessment.overall is Status.PD:
        return []
    sure = pairing_confidences(known.lesions, (BASELINE, assessment.visit))
    there = {m.lesion for m in known.lesions if m.visit == assessment.visit and m.present}
    return [sure[other.lesion] for other in choice.non_targets if other.lesion in sure and other.lesion in there]


def _of_returned(known: Known, assessment: Assessment) -> list[float]:
    """Confidence that a lesion of baseline is there again at a visit, where it is progression by nothing else.

    One lesion is enough: the one whose pairing is most sure of those that a reader saw. A name that a reader gave is
    sure.
    """
    if assessment.overall is not Status.PD or assessment.new_lesions or assessment.non_target is Status.PD:
        return []
    sure = pairing_confidences(known.lesions, (BASELINE, assessment.visit))
    at_first = {m.lesion for m in known.lesions if m.visit == BASELINE and m.present}
    there = [m for m in known.lesions if m.visit == assessment.visit and m.present and m.lesion in at_first]
    read = [m for m in there if m.source is not Source.MODEL] or there
    return [max(sure.get(m.lesion, 1.0) for m in read)] if read else []


def secondary(known: Known, rules: Mapping[str, AppliedRule], pairing: Pairing) -> tuple[SecondaryVerdict, ...]:
    """What each of these rules would say of the child; none of it is the answer."""
    return tuple(
        _secondary(apply_rule(known, name, rule, pairing), name, rule, known.primary) for name, rule in rules.items()
    )


def _secondary(judged: RuleApplied, name: str, rule: AppliedRule, primary: str | None) -> SecondaryVerdict:
    response = judged.response
    answer = [c for c in judged.changes if c.visit == primary]
    change = next((c for c in answer if c.lesion is None and c.metric is rule.metric), None)
    if response is not None:
        why = response.explanation
    elif lacks_products(answer, {rule.metric}):
        why = NO_PRODUCTS
    else:
        why = next((a.why for a in judged.assessments if a.visit == primary), "not measured at both visits")
    return SecondaryVerdict(
        rule=name,
        metric=rule.metric,
        category=response.category if response else None,
        responds=response is not None and rule.is_response(response.category),
        percent=change.percent if change else None,
        percent_ci95=change.percent_ci95 if change else None,
        certain=response.certain if response else None,
        targets=judged.choice.targets,
        explanation=why,
        pairing_confidence=change.pairing_confidence if change else None,
        held=response.held if response else (),
    )


def lacks_products(changes: Sequence[Change], asked: Collection[Metric]) -> bool:
    """Whether products are asked for, which the child lacks although its sum of diameters is known."""
    whole = {change.metric for change in changes if change.lesion is None}
    return Metric.SUM_OF_PRODUCTS in asked and bool(whole) and Metric.SUM_OF_PRODUCTS not in whole


def set_aside(refusals: Iterable[Refusal], asked: Collection[Metric]) -> tuple[list[Refusal], tuple[Refusal, ...]]:
    """Refusals that somebody has to look at, and those of sizes that neither the trial nor its rule asks for."""
    others = VOLUME_REFUSALS if Metric.VOLUME not in asked else frozenset()
    listed = list(refusals)
    return [r for r in listed if r.code not in others], tuple(r for r in listed if r.code in others)
