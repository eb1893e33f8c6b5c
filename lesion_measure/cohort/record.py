"""A cohort in numbers: who counts, how the sizes changed, who responded."""

from __future__ import annotations

from dataclasses import dataclass

from lesion_measure.cohort.by_visit import VisitChange
from lesion_measure.cohort.markers import MarkerResult
from lesion_measure.cohort.paired import Change
from lesion_measure.cohort.responders import ByRule, Responders, SizeLimit
from lesion_measure.records import Enrolled, Form, Metric, SubjectResult
from lesion_measure.results import Results
from lesion_measure.stats.agreement import Agreement
from lesion_measure.stats.proportions import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One subject of the cohort. ``missing``: why it has no change of the primary size; ``excluded``: why it is out."""

    code: str
    scans: SubjectResult | None
    enrolled: Enrolled | None
    excluded: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def form(self) -> Form | None:
        """Form of the disease: that of the subjects table, else what the run made of the lesions at baseline."""
        if self.enrolled is not None and self.enrolled.form is not None:
            return self.enrolled.form
        return self.scans.disease.form if self.scans is not None and self.scans.disease is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCount:
    """Subjects of the analysis with a scan at a visit, with a measured lesion there, and the lesions measured."""

    visit: str
    scanned: int
    measured: int
    lesions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementError:
    """How much of the spread of the log ratios is error of measurement.

    ``error_sd`` is the root mean square of the changes' own SDs, ``observed_sd`` the SD of the log ratios, ``share``
    the quotient of their squares; ``exceed`` of the ``count`` changes with an interval leave out zero.
    """

    count: int
    exceed: int
    error_sd: float | None
    observed_sd: float | None
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeResult:
    """Change of one size from baseline to 1 month."""

    metric: Metric
    change: Change
    error: MeasurementError


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """The primary size and the responders of a part of the cohort."""

    by: str
    name: str
    subjects: int
    change: Change
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Everything that the cohort's files and page show.

    ``missing_unchanged`` is the change of the primary size where every missing subject counts as unchanged (the ratio
    1); None where nobody is missing. ``by_visit`` are the changes to
    every planned visit; ``unplanned`` counts those to others.
    """

    results: Results
    historical_rate: float | None
    seed: int
    members: tuple[Member, ...]
    visits: tuple[VisitCount, ...]
    sizes: tuple[SizeResult, ...]
    by_visit: tuple[VisitChange, ...]
    unplanned: int
    missing_unchanged: Change | None
    responders: Responders
    by_rules: tuple[ByRule, ...]
    size_limits: tuple[SizeLimit, ...]
    subgroups: tuple[Subgroup, ...]
    markers: tuple[MarkerResult, ...]
    readers: tuple[Agreement, ...]
    notes: tuple[str, ...]

    @property
    def analysed(self) -> tuple[Member, ...]:
        """The members that are not excluded."""
        return tuple(member for member in self.members if not member.excluded)

    @property
    def scanned(self) -> tuple[SubjectResult, ...]:
        """The scans of those."""
        return tuple(member.scans for member in self.analysed if member.scans is not None)

    @property
    def measured(self) -> bool:
        """Whether any size of any subject has a change."""
        return any(size.change.count for size in self.sizes)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Number of all members, of those measured (a change of the primary size), and of those excluded."""
        measured = sum(not member.missing for member in self.analysed)
        return len(self.members), measured, len(self.members) - len(self.analysed)

    @property
    def primary(self) -> SizeResult:
        """Change of the trial's size metric."""
        return next(size for size in self.sizes if size.metric is self.results.primary_metric)
