"""The trial's answer from a run's results: who counts, how the sizes changed, who responded, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from lesion_measure.cohort.by_visit import changes_by_visit, primary_visit, unplanned, visit_label
from lesion_measure.cohort.markers import MarkerResult, marker_result
from lesion_measure.cohort.notes import notes_of
from lesion_measure.cohort.paired import paired_change
from lesion_measure.cohort.readers import agreements, readings_within
from lesion_measure.cohort.record import Cohort, MeasurementError, Member, SizeResult, Subgroup, VisitCount
from lesion_measure.cohort.responders import by_rules, log_error_sd, ratio_of, responders, size_limits
from lesion_measure.records import BASELINE, Form, Metric, Refusal, SubjectResult
from lesion_measure.report.enrolment import subjects_of
from lesion_measure.results import Results
from lesion_measure.stats.proportions import response_rate
from lesion_measure.tables.labs import Labs, Marker

SEED = 1
"""Of the bootstrap, where none is given."""


def analyse(
    results: Results,
    *,
    labs: Labs | None,
    historical_rate: float | None = None,
    seed: int = SEED,
    age_splits_months: Sequence[float] | None = None,
    notes: Sequence[str] = (),
) -> Cohort:
    """The whole analysis.

    Parameters
    ----------
    results
        The run. Its protocol gives the historical rate and the age groups where the parameters are None; its subjects
        table says who is excluded.
    labs
        None where there is no such table.
    historical_rate
        Share of responders that the exact test compares with, as a fraction.
    seed
        Of the bootstrap.
    age_splits_months
        Ages that divide the age groups, ascending.
    notes
        What a reader must know besides.
    """
    protocol = results.protocol
    if historical_rate is None:
        historical_rate = protocol.historical_rate
    if age_splits_months is None:
        age_splits_months = protocol.age_groups_months
    members = join(results)
    analysed = [member for member in members if not member.excluded]
    scanned = [member.scans for member in analysed if member.scans is not None]
    found = responders(results, scanned, len(analysed), historical_rate)
    known = _ratios(results.primary_metric, scanned)
    missing = len(analysed) - len(known)
    return Cohort(
        results=results,
        historical_rate=historical_rate,
        seed=seed,
        members=tuple(members),
        visits=tuple(count_visit(visit, scanned) for visit in results.schedule.names),
        sizes=tuple(size_result(metric, scanned, seed) for metric in Metric),
        by_visit=changes_by_visit(results, scanned, seed),
        unplanned=unplanned(results, scanned),
        missing_unchanged=paired_change([*known, *[1.0] * missing], seed) if missing and known else None,
        responders=found,
        by_rules=by_rules(results, scanned, historical_rate),
        size_limits=size_limits(results.rule, scanned, found.withheld, historical_rate),
        subgroups=tuple(_subgroups(results, analysed, historical_rate, seed, age_splits_months)),
        markers=tuple(_markers(results, analysed, labs, seed)) if labs else (),
        readers=agreements(readings_within(results), seed),
        notes=(*notes, *notes_of(results, members, labs)),
    )


def join(results: Results) -> list[Member]:
    """Subjects of the results, those of whom the run has refusals alone, and those of the table, by code."""
    scans = {subject.subject: subject for subject in results.subjects}
    table, refused = results.table() or {}, results.refused()
    members = []
    for code in subjects_of(results):
        row = table.get(code)
        members.append(
            Member(
                code=code,
                scans=scans.get(code),
                enrolled=row,
                excluded=row.excluded if row else (),
                missing=_why_missing(scans.get(code), refused[code], results),
            )
        )
    return members


def _why_missing(scans: SubjectResult | None, refused: Sequence[Refusal], results: Results) -> tuple[str, ...]:
    """Why a subject has no change of the primary size; empty where it has one."""
    if scans is not None and scans.change(results.primary_metric) is not None:
        return ()
    reasons = [] if scans is None else list(_not_measured(scans, results))
    by_code: dict[str, list[str]] = {}
    for refusal in refused:
        by_code.setdefault(refusal.code, []).append(refusal.reason)
    for same in by_code.values():
        more = len(set(same)) - 1
        reasons.append(f"{same[0]} (And {more} more like it.)" if more else same[0])
    return tuple(dict.fromkeys(reasons)) or ("No study: no image of this subject is in the results.",)


def _not_measured(scans: SubjectResult, results: Results) -> Iterator[str]:
    for visit in (BASELINE, scans.primary_visit):
        if visit is not None and not any(lesion.visit == visit for lesion in scans.lesions):
            yield f"No lesion was measured at {visit_label(results, visit).lower()}."
    if scans.primary_visit is None:
        yield "No comparison: no visit is compared with baseline."


def count_visit(visit: str, subjects: Sequence[SubjectResult]) -> VisitCount:
    """Scans and measurements of one visit."""
    lesions = [sum(x.visit == visit for x in subject.lesions) for subject in subjects]
    return VisitCount(
        visit=visit,
        scanned=sum(visit in subject.visits for subject in subjects),
        measured=sum(number > 0 for number in lesions),
        lesions=sum(lesions),
    )


def size_result(metric: Metric, subjects: Sequence[SubjectResult], seed: int) -> SizeResult:
    """Statistics of one size."""
    changes = [change for subject in subjects if (change := subject.change(metric)) is not None]
    found = paired_change(_ratios(metric, subjects), seed)
    errors = [sd for c in changes if (sd := log_error_sd(c.percent_ci95)) is not None]
    error_sd = math.sqrt(sum(sd**2 for sd in errors) / len(errors)) if errors else None
    observed_sd = found.log_sd
    return SizeResult(
        metric=metric,
        change=found,
        error=MeasurementError(
            count=len(errors),
            exceed=sum(c.exceeds_error for c in changes if c.percent_ci95 is not None),
            error_sd=error_sd,
            observed_sd=observed_sd,
            share=(error_sd / observed_sd) ** 2 if error_sd is not None and observed_sd else None,
        ),
    )


def _ratios(metric: Metric, subjects: Sequence[SubjectResult]) -> list[float]:
    changes = (subject.change(metric) for subject in subjects)
    return [ratio for c in changes if c is not None and (ratio := ratio_of(c)) is not None]


def _subgroups(
    results: Results, analysed: Sequence[Member], historical_rate: float | None, seed: int, splits: Sequence[float]
) -> list[Subgroup]:
    groups: dict[tuple[str, str], list[Member]] = {}
    if any(_age(member) is not None for member in analysed):
        for member in sorted(analysed, key=lambda m: math.inf if (age := _age(m)) is None else age):
            groups.setdefault(("age", age_group(_age(member), splits)), []).append(member)
    if any(member.form for member in analysed):
        for form in (*Form, None):
            own = [member for member in analysed if member.form is form]
            if own:
                groups["form", form or "not known"] = own
    found = []
    for (by, name), members in groups.items():
        scanned = [member.scans for member in members if member.scans is not None]
        verdicts = [s.response for s in scanned if s.response is not None]
        found.append(
            Subgroup(
                by=by,
                name=name,
                subjects=len(members),
                change=paired_change(_ratios(results.primary_metric, scanned), seed),
                rate=response_rate(
                    sum(results.rule.is_response(v.category) for v in verdicts), len(verdicts), historical_rate
                ),
            )
        )
    return found


def _age(member: Member) -> float | None:
    return member.enrolled.age_months if member.enrolled else None


def age_group(age_months: float | None, splits: Sequence[float]) -> str:
    """The name of the age group that an age belongs to; ``splits`` are ascending ages in months.

    >>> [age_group(age, (6, 14)) for age in (3, 6, 14, None)]
    ['under 6 months', '6 to under 14 months', '14 months and older', 'not given']
    """
    if age_months is None:
        return "not given"
    below = [split for split in splits if split <= age_months]
    above = [split for split in splits if split > age_months]
    if not below:
        return f"under {above[0]:g} months"
    return f"{below[-1]:g} to under {above[0]:g} months" if above else f"{below[-1]:g} months and older"


def _markers(results: Results, analysed: Sequence[Member], labs: Labs, seed: int) -> list[MarkerResult]:
    subjects = {member.code: member.scans for member in analysed}
    enrolled = {member.code: member.enrolled for member in analysed if member.enrolled}
    visits, primary = results.schedule.names, primary_visit(results)
    found = (marker_result(marker, labs, subjects, enrolled, visits, primary, seed) for marker in Marker)
    return [result for result in found if result is not None]
