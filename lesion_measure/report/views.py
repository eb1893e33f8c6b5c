"""What a page shows of one subject beside its lesions: records paired across visits, and the words about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lesion_measure.config import Config
from lesion_measure.records import (
    Change,
    LesionMeasurement,
    LesionStatus,
    MeasuredCaliper,
    Metric,
    Refusal,
    SubjectResult,
)
from lesion_measure.report.courses import Course, subject_course
from lesion_measure.report.rows import page_name
from lesion_measure.report.visits import labels_of, visits_of
from lesion_measure.report.ways import WayRow, way_rows, ways_in_short
from lesion_measure.report.words import NOT_MEASURED
from lesion_measure.results import EACH_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """One subject; what is said of single lesions is in `lesion_views`."""

    anchor: str
    record: SubjectResult
    visits: tuple[str, ...]
    changes: tuple[tuple[Metric, Change | None], ...]
    lacking: dict[Metric, str]
    measured_by: str
    ways: tuple[WayRow, ...]
    fates: dict[str, LesionStatus]
    lesion_names: tuple[str, ...]
    liver: tuple[LesionMeasurement, ...]
    review: tuple[Refusal, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    days: int | None
    course: Course | None
    labels: Mapping[str, str]
    from_objects: tuple[MeasuredCaliper, ...]

    def label(self, visit: str) -> str:
        """A visit in words."""
        return self.labels[visit]


def subject_view(subject: SubjectResult, refused: tuple[Refusal, ...], config: Config) -> SubjectView:
    """What tables and headings say about a subject; no picture is touched. ``refused`` are the run's refusals of it."""
    schedule = config.protocol.timetable() or EACH_DAY
    visits, primary = visits_of(subject, schedule.names), subject.primary_visit
    named = {*visits, *schedule.names, *(r.visit for r in (*subject.review, *refused) if r.visit)}
    labels = labels_of(subject, named, schedule)
    warnings = [*subject.warnings, *(w for c in subject.changes if c.lesion is None for w in c.warnings)]
    return SubjectView(
        anchor=f"subject-{page_name(subject.subject)}",
        record=subject,
        visits=visits,
        changes=tuple((metric, subject.change(metric)) for metric in Metric),
        lacking={metric: _lacking(subject, metric, refused, config.comparison.asked) for metric in Metric},
        measured_by=ways_in_short(subject),
        ways=way_rows(subject, schedule.names),
        fates={one.lesion: one for one in subject.statuses if one.visit == subject.primary_visit},
        lesion_names=tuple(dict.fromkeys(m.lesion for m in subject.lesions)),
        liver=subject.disease.liver if subject.disease else (),
        review=subject.review,
        refused=refused,
        warnings=tuple(dict.fromkeys(warnings)),
        days=subject.visits[primary].day if primary in subject.visits else None,
        course=subject_course(subject, visits, labels, config.comparison),
        labels=labels,
        from_objects=tuple(each for each in subject.calipers if each.origin is not None),
    )


def _lacking(subject: SubjectResult, metric: Metric, refused: Sequence[Refusal], asked: Collection[Metric]) -> str:
    """Why a size of the whole subject has no change, in a few words."""
    if subject.primary_visit is None:
        return "no comparison"
    if metric in asked or not any(change.lesion is None for change in subject.changes):
        where = ": see what needs review" if subject.review else ": see what was refused" if refused else ""
        return f"not available{where}"
    whys = [refusal.reason for refusal in subject.not_compared] if metric is Metric.VOLUME else []
    return " ".join([f"{NOT_MEASURED}, and not asked for by the protocol.", *whys])
