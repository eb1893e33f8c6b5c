"""results.json of a finished run, read back for what is made of it afterwards. Nothing is measured anew.

The file is untrusted like any other: bounded in size, every value checked for its type, no NaN or infinity, and visits,
sizes and sources that are not known are errors. Properties that a later version of the schema adds are left alone;
another main version is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lesion_measure.errors import InputError
from lesion_measure.files.reading import read_regular
from lesion_measure.records import (
    ONE_MONTH,
    Enrolled,
    Fate,
    Form,
    Met,
    Metric,
    Plane,
    Source,
    Status,
    VolumeMethod,
)

FILE, FINISHED = "results.json", "run.json"
MAX_BYTES = 500_000_000
SKIPPED = "skipped"
"""Kind of the listed refusals that concern no ultrasound image."""


VisitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, strict=True)


class Quantity(_Part):
    """A number and one standard deviation of measurement error, in the unit of the property that holds it."""

    value: float | None
    sd: float | None


class Prompted(_Part):
    """The network's outline beside a reader's calipers."""

    model: str


class BodyResult(_Part):
    """A lesion in true 3D data: the greatest diameter of its surface, and two axes perpendicular to it."""

    volume_ml: Quantity
    axes_mm: tuple[Quantity, Quantity, Quantity]


class PlaneResult(_Part):
    """One lesion on one frame."""

    sop_instance_uid: str
    frame: int
    plane: Plane
    source: Source
    reader: str
    long_axis_mm: Quantity
    short_axis_mm: Quantity | None
    short_axis_source: Source | None
    area_mm2: Quantity | None
    outline_source: Source | None
    confidence: float | None
    prompted: Prompted | None
    body: BodyResult | None = None
    axes_swapped: bool = False

    @property
    def drawn(self) -> tuple[Quantity, Quantity | None]:
        """The axes as the reader called them, long and short: a short one that was longer is reported as the long."""
        if self.axes_swapped and self.short_axis_mm is not None:
            return self.short_axis_mm, self.long_axis_mm
        return self.long_axis_mm, self.short_axis_mm


class AlternativeResult(_Part):
    """A measurement that exists but was not chosen; ``difference_mm`` is it minus the chosen one of the same plane."""

    source: Source
    reader: str
    plane: Plane
    long_axis_mm: Quantity
    difference_mm: float | None
    drawn_long_mm: float | None = None


class VolumeResult(_Part):
    """A volume by another method than the reported one, or from other planes."""

    volume_ml: Quantity
    method: VolumeMethod
    planes: tuple[Plane, ...]
    sources: tuple[Source, ...]
    diameters_mm: tuple[float, ...]


class LesionResult(_Part):
    """One lesion at one visit."""

    visit: VisitName
    lesion: str = Field(min_length=1)
    present: bool
    source: Source
    way: str
    reader: str
    planes: tuple[PlaneResult, ...]
    longest_diameter_mm: Quantity
    short_axis_mm: Quantity | None
    short_axis_source: Source | None
    third_diameter_mm: Quantity | None
    volume_ml: Quantity | None
    volume_method: VolumeMethod | None
    volume_planes: tuple[Plane, ...]
    volume_diameters_mm: tuple[float, ...]
    volume_sources: tuple[Source, ...]
    other_volumes: tuple[VolumeResult, ...] = ()
    alternatives: tuple[AlternativeResult, ...]

    @property
    def body(self) -> BodyResult | None:
        """The largest body that its planes belong to, where the data are true 3D."""
        bodies = [plane.body for plane in self.planes if plane.body is not None]
        return max(bodies, key=lambda body: body.volume_ml.value or 0.0, default=None)


class ChangeResult(_Part):
    """Change of one size from baseline to a later visit; ``lesion`` None: of the subject."""

    lesion: str | None
    metric: Metric
    visit: VisitName
    unit: Literal["mm", "mm2", "mL"]
    baseline: Quantity
    followup: Quantity
    absolute: float | None
    percent: float | None
    percent_ci95: tuple[float | None, float | None] | None
    exceeds_error: bool
    pairing_confidence: float | None = None
    volume_method: VolumeMethod | None = None


class ResponseResult(_Part):
    """The rule's verdict on a subject."""

    rule: str
    category: str
    metric: Metric
    certain: bool
    held: tuple[str, ...] = ()


class AssessmentResult(_Part):
    """The disease at one time point after baseline; a status is None where there are no such lesions."""

    visit: VisitName
    target: Status | None
    non_target: Status | None
    new_lesions: tuple[str, ...]
    doubtful_lesions: tuple[str, ...]
    overall: Status
    nadir: float | None = None
    percent_from_nadir: float | None = None
    certain: bool | None


class DiseaseResult(_Part):
    """Form of the disease, its target lesions, and the liver itself, measured like a lesion where it was."""

    form: Form | None
    targets: tuple[str, ...]
    liver: tuple[LesionResult, ...] = ()
    liver_changes: tuple[ChangeResult, ...] = ()


class NamingResult(_Part):
    """How a lesion came by its name."""

    confidence: float | None


class StatusResult(_Part):
    """What became of a lesion; ``others`` are those that it merged with and into, or split into."""

    lesion: str
    visit: VisitName
    fate: Fate
    naming: NamingResult
    others: tuple[str, ...]


class SecondaryResult(_Part):
    """What a rule that is not the trial's would have said of a subject."""

    rule: str
    category: str | None
    responds: bool
    percent_ci95: tuple[float | None, float | None] | None = None
    certain: bool | None
    pairing_confidence: float | None = None
    held: tuple[str, ...] = ()


class CriterionResult(_Part):
    """One entry criterion of the protocol."""

    name: str
    asked: str
    found: str
    met: Met


class RefusalResult(_Part):
    """Why something has no number."""

    code: str
    reason: str
    subject: str | None
    visit: VisitName | None
    lesion: str | None


class ListedRefusal(RefusalResult):
    """A refusal in the list of the whole run."""

    kind: str


class VisitResult(_Part):
    """One visit of a subject; ``day`` from baseline, by the dates of the scans."""

    label: str
    scheduled: bool
    day: int | None
    epoch: str
    date: date | None


class SubjectResult(_Part):
    """Everything about one subject."""

    subject: str = Field(min_length=1)
    visits: dict[VisitName, VisitResult]
    primary_visit: VisitName | None = None
    lesions: tuple[LesionResult, ...]
    changes: tuple[ChangeResult, ...]
    response: ResponseResult | None
    review: tuple[RefusalResult, ...]
    assessments: tuple[AssessmentResult, ...] = ()
    best_response: str | None = None
    disease: DiseaseResult | None = None
    entry: tuple[CriterionResult, ...] = ()
    secondary: tuple[SecondaryResult, ...] = ()
    statuses: tuple[StatusResult, ...] = ()
    not_compared: tuple[RefusalResult, ...] = ()

    def change(self, metric: Metric, visit: str = ONE_MONTH) -> ChangeResult | None:
        """The subject's own change of one size, where it exists."""
        found = (c for c in self.changes if c.lesion is None and c.metric is metric and c.visit == visit)
        return next((c for c in found if c.percent is not None), None)

    def date(self, visit: str) -> date | None:
        """Date of a visit's scan, where it is known."""
        return self.visits[visit].date if visit in self.visits else None


class ImageResult(_Part):
    """One image that was read."""

    sop_instance_uid: str
    study_date: date | None


class RuleResult(_Part):
    """The response rule that was applied."""

    name: str
    metric: Metric
    response_percent: float
    response_at_limit: bool = True
    response_name: str
    complete_name: str
    stable_name: str = "stable disease"
    progression_name: str = "progression"
    source: str


class EntryResult(_Part):
    """The entry criteria that the protocol names."""

    age_months: tuple[float, float] | None


class TimePointResult(_Part):
    """One visit of the schedule; days count from baseline."""

    name: VisitName
    label: str
    day: int
    window: tuple[int, int]
    primary: bool
    epoch: str | None


class ProtocolResult(_Part):
    """What the protocol says beside the sizes."""

    name: str
    entry: EntryResult
    historical_rate: float
    historical_source: str
    age_groups_months: tuple[float, ...]
    schedule: tuple[TimePointResult, ...] | None


class EnrolledResult(_Part):
    """One row of the subjects table that the run was given."""

    subject: str = Field(min_length=1)
    age_days: float | None
    form: Form | None
    excluded: tuple[str, ...]
    flags: dict[str, bool | None]
    targets: tuple[str, ...]
    new_lesions: tuple[str, ...]
    non_target_progression: bool
    reference_start: date | None = None

    def row(self) -> Enrolled:
        """The row as it was read."""
        return Enrolled(**dict(self))


class Results(_Part):
    """A finished run. ``sha256`` is that of the file; ``enrolled`` is the subjects table, None where there was none."""

    kind: Literal["lesion_measure results"] = Field(alias="schema")
    schema_version: str = Field(pattern=r"^2(\.\d+)*$")
    package_version: str
    config_sha256: str
    model: str | None
    model_sha256: str | None
    primary_metric: Metric
    rule: RuleResult
    secondary_rules: tuple[RuleResult, ...] = ()
    protocol: ProtocolResult | None = None
    enrolled: tuple[EnrolledResult, ...] | None = None
    subjects: tuple[SubjectResult, ...]
    refusals: tuple[ListedRefusal, ...]
    images: tuple[ImageResult, ...]
    sha256: str = ""

    @property
    def schedule(self) -> tuple[TimePointResult, ...]:
        """The visits of the run's protocol in order; none where each study day is a visit."""
        return () if self.protocol is None else self.protocol.schedule or ()

    @property
    def epochs(self) -> dict[str, str]:
        """Epoch of each visit of the schedule; empty where the protocol says none."""
        return {point.name: point.epoch or "" for point in self.schedule}

    def table(self) -> dict[str, Enrolled] | None:
        """The subjects table by subject code; None where there was none."""
        return None if self.enrolled is None else {row.subject: row.row() for row in self.enrolled}

    def with_table(self, rows: Iterable[Enrolled]) -> Results:
        """The same results with another subjects table."""
        names = EnrolledResult.model_fields
        table = tuple(EnrolledResult.model_construct(**{name: getattr(row, name) for name in names}) for row in rows)
        return self.model_copy(update={"enrolled": table})

    def refusals_of(self, subject: str) -> tuple[RefusalResult, ...]:
        """What was refused of a subject or needs review, each once."""
        return tuple(r for r in self.refusals if r.subject == subject and r.kind != SKIPPED)


def read_results(folder: Path) -> Results:
    """Read results.json of a results folder.

    Raises
    ------
    InputError
        There is none, it cannot be read, or it is not what ``lesion-measure run`` of this main version writes.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            "The folder holds no results.json.",
            remedy="Give the output folder of a finished 'lesion-measure run'.",
            code="no_results",
            path=str(folder),
        )
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise InputError(f"The results cannot be read ({error.strerror}).", code="results", path=str(path)) from error
    try:
        results = Results.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise InputError(
            f"The results are not those of this program: '{where}': {first['msg']}.",
            remedy="Run 'lesion-measure run' again with this version.",
            code="results",
            path=str(path),
        ) from error
    _check_names(results, path)
    _check_visits(results, path)
    return results.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})


def read_finished(folder: Path) -> Results:
    """As `read_results`, of a run that came to its end: what it leaves last is run.json.

    Raises
    ------
    InputError
        As `read_results`, or the run did not finish.
    """
    results = read_results(folder)
    if not (folder / FINISHED).is_file():
        raise InputError(
            f"The run did not finish: the folder holds results.json and no {FINISHED}.",
            remedy="Give the command of the run again (it goes on where it stopped), then this one.",
            code="unfinished_run",
            path=str(folder),
        )
    return results


def _check_names(results: Results, path: Path) -> None:
    """A subject code, and a lesion at a visit, must each be there once: everything is looked up by them."""
    keys: list[tuple[str, Sequence[object]]] = [
        ("subject", [s.subject for s in results.subjects]),
        ("subject of the subjects table", [row.subject for row in results.enrolled or ()]),
        *(("lesion", [(x.visit, x.lesion) for x in s.lesions]) for s in results.subjects),
    ]
    for what, names in keys:
        if len(set(names)) != len(names):
            raise InputError(f"The results hold a {what} twice.", code="results", path=str(path))


def _check_visits(results: Results, path: Path) -> None:
    """What is said of a visit is about one of the child's or of the schedule."""
    scheduled = {point.name for point in results.schedule}
    for subject in results.subjects:
        stated: list[LesionResult | ChangeResult | AssessmentResult] = [
            *subject.lesions, *subject.changes, *subject.assessments,
        ]  # fmt: skip
        for record in stated:
            if record.visit not in subject.visits and record.visit not in scheduled:
                raise InputError(f"The visit '{record.visit}' is not known.", code="results", path=str(path))
