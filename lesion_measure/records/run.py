"""One child's results, and those of the whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from lesion_measure.records.comparison import Assessment, Change, Response, SecondaryVerdict
from lesion_measure.records.images import Instance
from lesion_measure.records.measurement import LesionMeasurement
from lesion_measure.records.refusal import Refusal
from lesion_measure.records.statuses import LesionStatus
from lesion_measure.records.subject import Criterion, Disease, Enrolled
from lesion_measure.records.visits import BASELINE, TRIAL, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult:
    """Everything that is known about one child at the end of a run.

    ``response`` is the verdict at the primary visit, ``best_response`` the best overall one of all ``assessments``, in
    the rule's own words; None where there is none. ``secondary`` is what other rules would have said: no part of the
    answer. ``excluded`` are the subjects table's reasons why the child is not analysed: it is measured all the same,
    and counts nowhere. ``not_compared`` says why sizes that nobody asked for have no change: no reason for a review.
    ``schedule`` has the protocol's visits and those of this child beside it.
    """

    subject: str
    visit_dates: dict[str, date | None]
    visit_sources: dict[str, str]
    lesions: tuple[LesionMeasurement, ...]
    changes: tuple[Change, ...]
    response: Response | None
    review: tuple[Refusal, ...]
    statuses: tuple[LesionStatus, ...] = ()
    warnings: tuple[str, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    best_response: str | None = None
    disease: Disease | None = None
    entry: tuple[Criterion, ...] = ()
    secondary: tuple[SecondaryVerdict, ...] = ()
    excluded: tuple[str, ...] = ()
    not_compared: tuple[Refusal, ...] = ()
    schedule: Schedule = TRIAL

    @property
    def visits(self) -> tuple[str, ...]:
        """The visits of which there are scans, in order of time."""
        known = {*self.visit_dates, *self.visit_sources}
        ordered = (*self.schedule.names, *self.visit_dates, *self.visit_sources)
        return tuple(name for name in dict.fromkeys(ordered) if name in known)

    def day(self, visit: str) -> int | None:
        """Days from baseline to a visit by the dates of the scans; None where one of them is not known."""
        first, then = self.visit_dates.get(BASELINE), self.visit_dates.get(visit)
        return (then - first).days if first and then else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made this run: enough to repeat it and to trace every number.

    ``outlines`` counts the network's outlines that were ``made`` now and ``reused`` from an earlier run of this folder.
    """

    package_version: str
    config_sha256: str
    model: str | None
    model_sha256: str | None
    model_settings_sha256: str | None
    inputs: dict[str, str]
    versions: dict[str, str]
    started: str
    seconds: dict[str, float]
    command: str
    outlines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A whole run: subjects, every file that gave no number, and where it all came from.

    ``instances`` are the images of the subjects' visits; no two of them share a SOPInstanceUID. ``enrolled`` are the
    rows of the subjects table, None where none was given.
    """

    subjects: tuple[SubjectResult, ...]
    refusals: tuple[Refusal, ...]
    instances: tuple[Instance, ...]
    provenance: Provenance
    enrolled: tuple[Enrolled, ...] | None = None
