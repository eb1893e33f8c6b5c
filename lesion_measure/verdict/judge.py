"""What a child's lesions come to under a response rule: targets, changes, assessments, verdict. Part of the pipeline.

The trial's rule gives the answer. Every other named rule is applied to the same measurements, each with the target
lesions that it would have chosen itself, so that a reader sees what hangs on the choice of the rule: secondary, and no
part of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lesion_measure.config import AppliedRule, Pairing
from lesion_measure.records import (
    BASELINE,
    Assessment,
    Change,
    Doubt,
    Enrolled,
    LesionGroup,
    LesionMeasurement,
    Metric,
    Refusal,
    Response,
    SecondaryVerdict,
    TargetChoice,
)
from lesion_measure.verdict.change import compare_subject
from lesion_measure.verdict.doubts import Unmeasured
from lesion_measure.verdict.fates import held_back, held_for_a_reader, held_for_doubts, mark_pairings
from lesion_measure.verdict.response import assess, best_overall, name_of, respond, time_point
from lesion_measure.verdict.targets import choose_targets
from lesion_measure.verdict.volumes import REFUSALS as VOLUME_REFUSALS

NO_PRODUCTS = "a target lesion lacks a short axis at one of the visits, or its two short axes have different origins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a child before any rule is applied.

    ``manifest`` are the targets that the manifest names, ``new`` the lesions that a reader states to be new, ``days``
    those from baseline to one month. ``both``: there are scans of both visits. ``doubts`` are what a person wrote and
    could not be used or believed, ``unmeasured`` the lesions that a reader drew and that have no size.
    """

    subject: str
    lesions: tuple[LesionMeasurement, ...]
    groups: Sequence[LesionGroup]
    enrolled: Enrolled | None
    manifest: tuple[str, ...]
    new: Collection[str]
    not_gone: Mapping[str, str]
    days: int | None
    both: bool
    doubts: Sequence[Doubt] = ()
    unmeasured: Unmeasured = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one rule makes of it; ``refusals`` say why targets or changes are missing."""

    choice: TargetChoice
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    assessments: tuple[Assessment, ...]
    response: Response | None
    best: str | None


def judge(known: Known, name: str, rule: AppliedRule, pairing: Pairing) -> Judged:
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
    changes, missing = compare_subject(
        subject, lesions, choice.targets, new=known.new, groups=known.groups, not_gone=known.not_gone,
        unmeasured=known.unmeasured,
    )  # fmt: skip
    changes = mark_pairings(changes, lesions, choice.targets)
    point = time_point(
        changes, lesions, rule, targets=choice.targets, non_targets=choice.non_targets, new=known.new,
        non_target_progression=enrolled is not None and enrolled.non_target_progression, days=known.days,
        unmeasured=known.unmeasured,
    )  # fmt: skip
    assessments = assess([point], rule) if known.both and lesions else ()
    best = best_overall([(a.days, a.overall) for a in assessments], rule)
    response = respond(assessments[-1] if assessments else None, name, rule)
    response, assessments = held_back(response, assessments, changes, pairing)
    response, assessments = held_for_a_reader(response, assessments, lesions)
    response, assessments = held_for_doubts(response, assessments, known.doubts)
    return Judged(
        choice=choice,
        changes=changes,
        refusals=(*not_there, *missing),
        assessments=assessments,
        response=response,
        best=name_of(best, rule) if response else None,
    )


def secondary(known: Known, rules: Mapping[str, AppliedRule], pairing: Pairing) -> tuple[SecondaryVerdict, ...]:
    """What each of these rules would say of the child; none of it is the answer."""
    return tuple(_secondary(judge(known, name, rule, pairing), name, rule) for name, rule in rules.items())


def _secondary(judged: Judged, name: str, rule: AppliedRule) -> SecondaryVerdict:
    response = judged.response
    change = next((c for c in judged.changes if c.lesion is None and c.metric is rule.metric), None)
    if response is not None:
        why = response.explanation
    elif lacks_products(judged.changes, {rule.metric}):
        why = NO_PRODUCTS
    else:
        why = judged.assessments[-1].why if judged.assessments else "not measured at both visits"
    return SecondaryVerdict(
        rule=name,
        metric=rule.metric,
        category=response.category if response else None,
        responds=response is not None and response.category in (rule.response_name, rule.complete_name),
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
