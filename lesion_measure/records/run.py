"""One child's results, and those of the whole run."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from lesion_measure.records.comparison import Assessment, Change, Metric, Response, ResponseCourse, SecondaryVerdict
from lesion_measure.records.frames import MeasuredCaliper
from lesion_measure.records.images import Instance
from lesion_measure.records.measurement import LesionMeasurement
from lesion_measure.records.record import Name, Record, VisitName
from lesion_measure.records.refusal import Refusal
from lesion_measure.records.statuses import LesionStatus
from lesion_measure.records.subject import Criterion, Disease, Enrolled
from lesion_measure.records.visits import ONE_MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan(Record):
    """One visit of a subject."""

    label: str
    """The visit in words for people."""
    scheduled: bool = True
    """Whether the protocol's schedule asks for it."""
    day: int | None = None
    """Days from baseline by the dates of the scans; null where one is not known."""
    epoch: str = ""
    """Epoch of the trial in which it lies; empty: not said."""
    date: datetime.date | None = None
    """Date of the scan, ISO 8601; null where the files have none."""
    source: str | None = None
    """How the visit was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult(Record):
    """Everything about one subject. One that is ``excluded`` is measured all the same, and counts nowhere."""

    subject: Name
    """Subject code."""
    visits: dict[VisitName, Scan]
    """Visits by name, in order of time; unscheduled ones are called day_N, those without a date undated."""
    primary_visit: VisitName | None = ONE_MONTH
    """Visit whose change from baseline is the answer; null where there is none."""
    lesions: tuple[LesionMeasurement, ...]
    """Its lesions, one entry per lesion and visit."""
    changes: tuple[Change, ...]
    """Changes of its lesions and of the subject."""
    response: Response | None
    """The verdict, or null where none can be given."""
    review: tuple[Refusal, ...]
    """What a person has to look at."""
    statuses: tuple[LesionStatus, ...] = ()
    """What became of each lesion; empty where one of the two visits is missing."""
    warnings: tuple[str, ...] = ()
    """Warnings in plain words."""
    assessments: tuple[Assessment, ...] = ()
    """The disease at every time point after baseline."""
    best_response: str | None = None
    """Best overall response, in the rule's own words; null where there is no verdict."""
    course: ResponseCourse | None = None
    """When a response began that counts, and how long it lasted; null where none does."""
    disease: Disease | None = None
    """Form, targets and burden."""
    entry: tuple[Criterion, ...] = ()
    """The protocol's entry criteria."""
    secondary: tuple[SecondaryVerdict, ...] = ()
    """What other rules would have said, for comparison; the answer is `response`."""
    excluded: tuple[str, ...] = ()
    """Why the subject is not analysed, by the subjects table; empty where it is."""
    calipers: tuple[MeasuredCaliper, ...] = ()
    """Every line and outline that readers drew on its images, where it comes from and what it measures."""
    not_compared: tuple[Refusal, ...] = ()
    """Why sizes that neither the primary metric nor the rule asks for have no change; nothing to look at."""

    def change(self, metric: Metric, visit: str | None = None) -> Change | None:
        """The subject's own change of one size from baseline to a visit (the primary one), where it has a number."""
        when = visit or self.primary_visit
        found = (c for c in self.changes if c.lesion is None and c.metric is metric and c.visit == when)
        return next((c for c in found if math.isfinite(c.percent)), None)

    def date(self, visit: str) -> datetime.date | None:
        """Date of a visit's scan, where it is known."""
        return self.visits[visit].date if visit in self.visits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made this run: enough to repeat it and to trace every number.

    ``model_backend`` is what computed the model, with its version and precision. ``children`` counts those that were
    ``measured`` now and ``reused`` from an earlier run of this folder, ``outlines`` the network's outlines that were
    ``made`` for the first, and ``reused``. ``readings_sha256`` is that of the readings that were signed in the reading
    room, None where none were taken.
    """

    package_version: str
    config_sha256: str
    model: str | None
    model_sha256: str | None
    model_settings_sha256: str | None
    model_backend: str | None = None
    inputs: dict[str, str]
    versions: dict[str, str]
    started: str
    seconds: dict[str, float]
    command: str
    outlines: dict[str, int] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)
    readings_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A whole run: subjects, every file that gave no number, and where it all came from.

    ``subjects`` may be read from a folder, each when it is asked for. ``instances`` are the images of the subjects'
    visits; no two of them share a SOPInstanceUID. ``enrolled`` are the rows of the subjects table, None where none was
    given.
    """

    subjects: Sequence[SubjectResult]
    refusals: tuple[Refusal, ...]
    instances: tuple[Instance, ...]
    provenance: Provenance
    enrolled: tuple[Enrolled, ...] | None = None
