"""What a reader of the trial's answer has to know beside it, in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from lesion_measure.cohort.record import Member
from lesion_measure.records import BASELINE, Metric, Status, SubjectResult, in_words
from lesion_measure.report.words import plural, some
from lesion_measure.results import Results
from lesion_measure.tables.labs import Labs
from lesion_measure.verdict.disease import form_contradiction

MOST_DAYS_APART = 30
"""Days between a sample and the scan of its visit beyond which the dates are told."""


def _not_their_best(results: Results, members: Sequence[Member]) -> Iterator[str]:
    """Responders whose best overall response is none: their disease had progressed before, or nothing confirms it."""
    rule = results.rule
    scanned = [m.scans for m in members if m.scans is not None and not m.excluded]
    found = [
        s
        for s in scanned
        if s.response is not None
        and rule.is_response(s.response.category)
        and s.best_response is not None
        and not rule.is_response(s.best_response)
    ]
    if progressed := [s.subject for s in found if _progressed_before(s)]:
        yield (
            f"Counted as responders although the disease had progressed before: {', '.join(progressed)}. Their best "
            f"overall response is none."
        )
    if unconfirmed := [s.subject for s in found if s.subject not in progressed]:
        yield (
            f"Counted as responders without a confirmation, which the rule '{rule.name}' asks for: "
            f"{', '.join(unconfirmed)}. No later visit shows the response again after {rule.confirmation_days} days."
        )


def _progressed_before(subject: SubjectResult) -> bool:
    """Whether the primary visit comes after a progression."""
    before = itertools.takewhile(lambda a: a.visit != subject.primary_visit, subject.assessments)
    return any(assessment.overall is Status.PD for assessment in before)


def notes_of(results: Results, members: Sequence[Member], labs: Labs | None) -> list[str]:
    """What a reader must know before believing the figures."""
    notes = []
    rule = results.rule
    if rule.metric is not results.primary_metric:
        notes.append(
            f"The rule '{rule.name}' looks at {_words(rule.metric)}, the primary size is "
            f"{_words(results.primary_metric)}: responders and mean change answer different questions."
        )
    notes += _not_their_best(results, members)
    if results.enrolled is None:
        notes.append(
            "No subjects table was given: nobody is excluded here, and who was never scanned may be missing from the "
            "count."
        )
    else:
        if unlisted := [m.code for m in members if m.enrolled is None]:
            notes.append(f"Not in the subjects table, and counted all the same: {', '.join(unlisted)}.")
        notes += [
            f"{m.code}: {words}; it counts in the subgroups as the table says." for m, words in _contradictions(members)
        ]
        ages = results.protocol.entry.age_months
        if ages and (
            outside := [m.code for m in members if m.enrolled and m.enrolled.outside(ages) and not m.excluded]
        ):
            notes.append(
                f"Older or younger than the trial's {ages[0]:g} to {ages[1]:g} months, and counted all the same: "
                f"{', '.join(outside)}."
            )
    if labs is not None:
        notes += _far_samples(members, labs)
    if labs is not None and labs.other_tests:
        names = ", ".join(f"{name or 'without a name'} ({number})" for name, number in labs.other_tests.items())
        notes.append(f"Rows of other tests in the laboratory table were left alone: {names}.")
    return notes


def _far_samples(members: Sequence[Member], labs: Labs) -> Iterator[str]:
    """Samples whose date is far from that of their visit's scan: a slip of the year makes another age of the child."""
    dates = {member.code: member.scans.date for member in members if member.scans is not None}
    found = []
    for (code, marker, visit), value in sorted(labs.values.items()):
        scan = dates[code](visit) if code in dates else None
        if value.date is not None and scan is not None and abs((value.date - scan).days) > MOST_DAYS_APART:
            found.append(f"{code} ({marker}, {in_words(visit)}: {plural(abs((value.date - scan).days), 'day')})")
    if found:
        yield (
            f"Laboratory samples more than {MOST_DAYS_APART} days from the scan of their visit, by the dates in the "
            f"table: {some(found)}. What AFP is expected hangs on these dates."
        )


def _contradictions(members: Sequence[Member]) -> Iterator[tuple[Member, str]]:
    """Members that are not excluded, whose form does not fit the lesions measured."""
    for member in members:
        if member.scans is not None and not member.excluded:
            visits = [m.visit for m in member.scans.lesions if m.present]
            given = member.enrolled.form if member.enrolled else None
            primary = member.scans.primary_visit or ""
            if words := form_contradiction(given, visits.count(BASELINE), visits.count(primary), primary):
                yield member, words


def _words(metric: Metric) -> str:
    return metric.replace("_", " ")
