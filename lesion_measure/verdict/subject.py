"""One child's verdict, from its measured lesions to its record: the order of the stages after measuring."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from lesion_measure.config import Config, Pairing
from lesion_measure.records import (
    BASELINE,
    Change,
    Criterion,
    Disease,
    Doubt,
    Enrolled,
    LesionGroup,
    LesionMeasurement,
    LesionStatus,
    Metric,
    Refusal,
    Scan,
    SubjectResult,
    SubjectVisits,
)
from lesion_measure.verdict.change import compare_subject, with_nadirs
from lesion_measure.verdict.disease import describe
from lesion_measure.verdict.doubts import unmeasured, why_not_certain
from lesion_measure.verdict.entry import entry_criteria, other_unit
from lesion_measure.verdict.fates import mark_pairings, statuses
from lesion_measure.verdict.judge import NO_PRODUCTS, RuleApplied, apply_rule, lacks_products, secondary, set_aside
from lesion_measure.verdict.known import Known, contradicted, dated, what_is_known
from lesion_measure.verdict.targets import choose_targets


def judge_child(
    child: SubjectVisits,
    lesions: tuple[LesionMeasurement, ...],
    groups: tuple[LesionGroup, ...],
    liver: tuple[LesionMeasurement, ...],
    review: Sequence[Refusal],
    *,
    config: Config,
    enrolled: Enrolled | None = None,
    manifest: tuple[str, ...] = (),
    not_gone: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    doubts: Sequence[Doubt] = (),
) -> SubjectResult:
    """The measured lesions of one child: targets, change, form and burden, entry criteria, response.

    Parameters
    ----------
    child
        Its studies by visit.
    lesions, groups, liver
        Every lesion at every visit; those that merged or split; the liver itself.
    review
        What asks for review so far.
    config, enrolled, manifest
        The settings; the child's row of the subjects table; the lesions that the manifest calls targets.
    not_gone
        Why an empty result of the network does not say that a lesion is gone, by visit and name.
    doubts
        What a person wrote and could not be used.
    """
    comparison = config.comparison
    rule = comparison.applied_rule
    doubts = (*doubts, *contradicted(child, lesions, liver, config, enrolled=enrolled, manifest=manifest))
    known = what_is_known(child, lesions, groups, doubts, enrolled=enrolled, manifest=manifest, not_gone=not_gone)
    judged = apply_rule(known, comparison.rule, rule, config.pairing)
    changes, missing = _of_liver(child, known, liver, doubts)
    disease, unmeasurable, unfit = _described(child, known, judged, liver, changes)
    needed, not_compared = _missing((*judged.refusals, *missing), child, comparison.asked)
    asks = [*review, *(doubt.refusal for doubt in doubts), *needed, *unmeasurable]
    asks += other_unit(enrolled, config.protocol.entry.age_months)
    asks += _without_answer(known, judged, comparison.asked, silent=not asks)
    return SubjectResult(
        subject=child.subject,
        visits={visit: _scan(child, visit) for visit in child.visits},
        primary_visit=known.primary,
        lesions=lesions,
        changes=judged.changes,
        response=judged.response,
        review=tuple(dict.fromkeys(asks)),
        statuses=tuple(_statuses(known, child, config.pairing)),
        warnings=(*child.warnings, *unfit),
        assessments=judged.assessments,
        best_response=judged.best,
        course=judged.course,
        disease=disease,
        entry=_entry(child, known, [group for group in groups if group.visit == BASELINE], config),
        secondary=secondary(known, comparison.other_rules, config.pairing) if known.both else (),
        excluded=enrolled.excluded if enrolled else (),
        not_compared=not_compared,
    )


def _described(
    child: SubjectVisits,
    known: Known,
    judged: RuleApplied,
    liver: tuple[LesionMeasurement, ...],
    liver_changes: Sequence[Change],
) -> tuple[Disease, tuple[Refusal, ...], tuple[str, ...]]:
    """Form and burden of the disease at the visits of which there are scans (`disease.describe`)."""
    visits = [v for v in child.schedule.names if v in child.visits]
    return describe(
        child.subject, known.lesions, judged.choice, known.enrolled, liver=liver, liver_changes=liver_changes,
        visits=visits, primary=known.primary,
    )  # fmt: skip


def _missing(
    refusals: Sequence[Refusal], child: SubjectVisits, asked: Collection[Metric]
) -> tuple[Sequence[Refusal], tuple[Refusal, ...]]:
    """Changes that are missing: those that ask for review, and those that nobody asked for."""
    beside = tuple(r for r in refusals if r.visit is not None and not child.schedule.asked(r.visit))
    needed, not_compared = set_aside((r for r in refusals if r not in beside), asked)
    return needed, (*not_compared, *beside)


def _of_liver(
    child: SubjectVisits, known: Known, liver: tuple[LesionMeasurement, ...], doubts: Sequence[Doubt]
) -> tuple[tuple[Change, ...], list[Refusal]]:
    """Changes of the liver's own size at every visit, and why others are missing."""
    lost = unmeasured(doubts, liver, dated(child))
    found = [compare_subject(child.subject, liver, visits=(BASELINE, v), unmeasured=lost) for v in known.visits]
    changes = with_nadirs([c for changes, _ in found for c in changes if c.lesion is not None])
    return changes, [refusal for _, refusals in found for refusal in refusals]


def _without_answer(known: Known, judged: RuleApplied, asked: Collection[Metric], *, silent: bool) -> Iterator[Refusal]:
    """Why the primary visit has no answer, where nothing else asks for review and where products are missing."""
    if known.primary is None:
        return
    answer = [change for change in judged.changes if change.visit == known.primary]
    if known.both and not answer and silent:
        yield _no_change(known.subject, known.primary)
    if lacks_products(answer, asked):
        yield _no_products(known.subject, known.primary)


def _statuses(known: Known, child: SubjectVisits, settings: Pairing) -> Iterator[LesionStatus]:
    """What became of every lesion of baseline, and which are new, at each visit after it."""
    for visit in known.visits:
        yield from statuses(
            known.lesions,
            child.visits,
            known.groups_until(visit),
            known.new[visit],
            settings,
            not_gone=known.not_gone[visit],
            unmeasured=known.unmeasured,
            visit=visit,
        )


def _scan(child: SubjectVisits, visit: str) -> Scan:
    plan = child.schedule
    return Scan(
        label=plan.label(visit),
        scheduled=plan.scheduled(visit),
        day=child.day(visit),
        epoch=plan.epoch(visit),
        date=child.date(visit),
        source=child.sources.get(visit),
    )


def _entry(child: SubjectVisits, known: Known, groups: Sequence[LesionGroup], config: Config) -> tuple[Criterion, ...]:
    """The entry criteria; the shrinkage before entry runs over the lesions that screening would have chosen."""
    lesions, enrolled, rule = known.lesions, known.enrolled, config.comparison.applied_rule
    before = next((v for v in child.schedule.earlier if child.schedule.scheduled(v)), None)
    visits = (before or "", BASELINE)
    choice, _ = choose_targets(
        child.subject, lesions, rule.targets, enrolled=enrolled, manifest=known.manifest,
        visit=visits[0], unmeasured=known.unmeasured.get(visits[0], {}),
    )  # fmt: skip
    changes, reasons = compare_subject(
        child.subject, lesions, choice.targets, visits=visits, groups=groups, unmeasured=known.unmeasured
    )
    changes = mark_pairings(changes, lesions, choice.targets, visits)
    metric = config.comparison.primary_metric
    shrinkage = next((c for c in changes if c.lesion is None and c.metric is metric), None)
    why = next((r.reason for r in reasons if r.code != "not_found_at_baseline"), "no lesion was measured at both scans")
    if before is None or before not in child.visits:
        why = f"there is no {child.schedule.label(before).lower() if before else 'earlier'} scan"
    held = why_not_certain(known.doubts, visits)
    first = child.schedule.label(before).lower() if before else ""
    return entry_criteria(config.protocol.entry, enrolled, shrinkage, why, config.pairing.min_confidence, held, first)


def _no_products(subject: str, visit: str) -> Refusal:
    return Refusal(
        code="no_products",
        reason=f"The rule or the primary size is a product of two axes, and {NO_PRODUCTS}.",
        remedy="Draw the short axis at both visits, across the long one.",
        subject=subject,
        visit=visit,
    )


def _no_change(subject: str, visit: str) -> Refusal:
    return Refusal(
        code="no_change",
        reason="Both visits are there, and no lesion was measured at both.",
        remedy="Look at what was measured at each visit; place calipers on the lesion that is missing.",
        subject=subject,
        visit=visit,
    )
