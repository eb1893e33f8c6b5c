"""Change of the primary size from baseline to every planned visit. The answer is that of the primary visit alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from lesion_measure.cohort.paired import Change, paired_change
from lesion_measure.cohort.responders import ratio_of
from lesion_measure.records import BASELINE, SubjectResult
from lesion_measure.report.words import followup as words_of_followup
from lesion_measure.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitChange:
    """The subjects with a change at one visit; ``days`` is the median from baseline of those whose dates are known."""

    visit: str
    label: str
    primary: bool
    days: float | None
    change: Change


def followup(results: Results) -> str:
    """The visit whose comparison with baseline is the answer, in words."""
    return words_of_followup(results.protocol.timetable())


def visit_label(results: Results, visit: str) -> str:
    """A visit of the schedule in words."""
    return results.schedule.label(visit)


def primary_visit(results: Results) -> str | None:
    """The planned visit whose comparison with baseline is the answer; None where the protocol names none."""
    return results.schedule.primary


def changes_by_visit(results: Results, subjects: Sequence[SubjectResult], seed: int) -> tuple[VisitChange, ...]:
    """A summary of each planned visit after baseline at which somebody has a change of the primary size."""
    found = []
    for point in results.schedule.points:
        ratios, days = [], []
        for subject in subjects:
            change = subject.change(results.primary_metric, point.name)
            if change is None or (ratio := ratio_of(change)) is None:
                continue
            ratios.append(ratio)
            first, then = subject.date(BASELINE), subject.date(point.name)
            days += [(then - first).days] if first and then else []
        if ratios:
            found.append(
                VisitChange(
                    visit=point.name, label=point.label, primary=point.name == results.schedule.primary,
                    days=median(days) if days else None, change=paired_change(ratios, seed),
                )
            )  # fmt: skip
    return tuple(found)


def unplanned(results: Results, subjects: Sequence[SubjectResult]) -> int:
    """How many changes of the primary size are to a visit that is not planned."""
    planned = results.schedule.names
    own = (c for s in subjects for c in s.changes if c.lesion is None and c.metric is results.primary_metric)
    return sum(change.visit not in planned for change in own)
