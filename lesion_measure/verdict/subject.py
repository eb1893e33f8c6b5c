"""One child's verdict, from its measured lesions to its record: the order of the stages after measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from lesion_measure.config import AppliedRule, Config
from lesion_measure.records import (
    BASELINE,
    Criterion,
    Doubt,
    Enrolled,
    LesionGroup,
    LesionMeasurement,
    Refusal,
    Scan,
    SubjectResult,
    SubjectVisits,
    is_undated,
)
from lesion_measure.verdict.change import compare_subject, with_nadirs
from lesion_measure.verdict.disease import describe
from lesion_measure.verdict.doubts import lost_statements, of_lesions, unmeasured, why_not_certain
from lesion_measure.verdict.entry import entry_criteria, other_unit
from lesion_measure.verdict.fates import mark_pairings, statuses
from lesion_measure.verdict.judge import NO_PRODUCTS, Known, judge, lacks_products, secondary, set_aside
from lesion_measure.verdict.plausible import implausible
from lesion_measure.verdict.targets import choose_targets, contradictions, no_other_lesion, stated_new


def judge_child(
    child: SubjectVisits,
    lesions: tuple[LesionMeasurement, ...],
    groups: tuple[LesionGroup, ...],
    liver: tuple[LesionMeasurement, ...],
    review: list[Refusal],
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
    subject = child.subject
    rule, name = config.comparison.applied_rule, config.comparison.rule
    earlier = tuple(group for group in groups if group.visit == BASELINE)  # between screening and baseline
    groups = tuple(group for group in groups if group.visit != BASELINE)
    primary = child.schedule.primary
    later = tuple(v for v in child.schedule.later if v in child.visits and not is_undated(v))
    dates = {v: min((s.study_date for s in t if s.study_date), default=None) for v, t in child.visits.items()}
    doubts = [
        *doubts,
        *child.doubts,
        *implausible(lesions, liver, later),
        *contradictions(subject, lesions, enrolled, child.schedule.later),
        *_about_others(subject, lesions, rule, enrolled, manifest),
    ]
    review += [doubt.refusal for doubt in doubts]
    visits = [v for v in child.schedule.names if not is_undated(v)]
    organ = unmeasured(doubts, liver, visits)
    doubts = of_lesions(doubts)
    sizeless = unmeasured(doubts, lesions, visits)
    gone = {v: {**lost_statements(doubts, lesions, v), **not_gone.get(v, {})} for v in later}
    known = Known(
        subject=subject,
        lesions=lesions,
        groups=groups,
        enrolled=enrolled,
        manifest=manifest,
        visits=later if BASELINE in child.visits else (),
        primary=primary,
        new={
            v: stated_new(lesions, enrolled, sizeless.get(BASELINE, {}), later[: n + 1], later[n + 1 :])
            for n, v in enumerate(later)
        },
        not_gone=gone,
        days={v: _days(dates, v) for v in later},
        doubts=doubts,
        unmeasured=sizeless,
    )
    judged = judge(known, name, rule, config.pairing)
    organs = [compare_subject(subject, liver, visits=(BASELINE, v), unmeasured=organ) for v in known.visits]
    disease, unmeasurable, unfit = describe(
        subject, lesions, judged.choice, enrolled, liver=liver,
        liver_changes=with_nadirs([c for changes, _ in organs for c in changes if c.lesion is not None]),
        visits=[v for v in child.schedule.names if v in child.visits], primary=primary,
    )  # fmt: skip
    asked = config.comparison.asked
    missing = [*judged.refusals, *(refusal for _, refusals in organs for refusal in refusals)]
    beside = tuple(r for r in missing if r.visit is not None and not child.schedule.asked(r.visit))
    needed, not_compared = set_aside((r for r in missing if r not in beside), asked)
    review += [*needed, *unmeasurable]
    review += other_unit(enrolled, config.protocol.entry.age_months)
    answer = [change for change in judged.changes if change.visit == primary]
    if primary is not None and known.both and not answer and not review:
        review.append(_no_change(subject, primary))
    if primary is not None and lacks_products(answer, asked):
        review.append(_no_products(subject, primary))
    return SubjectResult(
        subject=subject,
        visits={visit: _scan(child, visit, dates) for visit in child.visits},
        primary_visit=child.schedule.primary,
        lesions=lesions,
        changes=judged.changes,
        response=judged.response,
        review=tuple(dict.fromkeys(review)),
        statuses=tuple(
            status
            for v in known.visits
            for status in statuses(
                lesions,
                child.visits,
                known.groups_until(v),
                known.new[v],
                config.pairing,
                not_gone=gone[v],
                unmeasured=sizeless,
                visit=v,
            )
        ),
        warnings=(*child.warnings, *unfit),
        assessments=judged.assessments,
        best_response=judged.best,
        course=judged.course,
        disease=disease,
        entry=_entry(child, known, earlier, config),
        secondary=secondary(known, config.comparison.other_rules, config.pairing) if known.both else (),
        excluded=enrolled.excluded if enrolled else (),
        not_compared=(*not_compared, *beside),
    )


def _scan(child: SubjectVisits, visit: str, dates: Mapping[str, date | None]) -> Scan:
    first, then, plan = dates.get(BASELINE), dates[visit], child.schedule
    return Scan(
        label=plan.label(visit),
        scheduled=plan.scheduled(visit),
        day=(then - first).days if first and then else None,
        epoch=plan.epoch(visit),
        date=then,
        source=child.sources.get(visit),
    )


def _about_others(
    subject: str,
    lesions: tuple[LesionMeasurement, ...],
    rule: AppliedRule,
    enrolled: Enrolled | None,
    manifest: tuple[str, ...],
) -> tuple[Doubt, ...]:
    """A progression of other lesions that the subjects table states of a child that has none."""
    if enrolled is None or not enrolled.non_target_progression:
        return ()
    choice, _ = choose_targets(subject, lesions, rule.targets, enrolled=enrolled, manifest=manifest)
    return () if choice.non_targets else (no_other_lesion(subject),)


def _entry(
    child: SubjectVisits, known: Known, groups: tuple[LesionGroup, ...], config: Config
) -> tuple[Criterion, ...]:
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
    return entry_criteria(config.protocol.entry, enrolled, shrinkage, why, config.pairing.min_confidence, held)


def _days(dates: Mapping[str, date | None], visit: str) -> int | None:
    first, then = dates.get(BASELINE), dates.get(visit)
    return (then - first).days if first and then else None


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
