"""The child and its disease: enrolment, target lesions, burden, entry criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from lesion_measure.records.comparison import Change
from lesion_measure.records.measurement import LesionMeasurement
from lesion_measure.records.quantity import Quantity
from lesion_measure.records.record import Count, Fraction, Name, Record, VisitName


class Form(StrEnum):
    """Form of the disease."""

    FOCAL = "focal"
    MULTIFOCAL = "multifocal"
    DIFFUSE = "diffuse"


DAYS_PER_MONTH = 30.4375
"""Mean length of a month: 365.25 / 12 days."""


EXCLUSIONS = {
    "hepatoblastoma": "hepatoblastoma",
    "resection": "resection",
    "kasabach_merritt": "Kasabach-Merritt phenomenon",
    "missing_data": "missing data",
}
"""The trial's exclusion criteria: column and words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled(Record):
    """One row of subjects.csv: who it is, who is excluded and why, and what readers state."""

    subject: Name
    """Subject code."""
    age_days: float | None = None
    """Age at the baseline scan, days."""
    form: Form | None = None
    """Form of the disease."""
    excluded: tuple[str, ...] = ()
    """Why the subject is not analysed; empty where it is."""
    flags: Mapping[str, bool | None] = field(default_factory=dict)
    """The trial's exclusion criteria by column; null where the cell is empty."""
    targets: tuple[str, ...] = ()
    """Target lesions that a reader chose."""
    new_lesions: tuple[str, ...] = ()
    """Lesions that a reader states to be new."""
    non_target_progression: bool = False
    """Whether a reader states that lesions which are no targets have progressed."""
    reference_start: date | None = None
    """Reference start date of the subject (DM.RFSTDTC), from which CDISC's study days count."""

    @property
    def age_months(self) -> float | None:
        """Age at the baseline scan in months."""
        return None if self.age_days is None else self.age_days / DAYS_PER_MONTH

    def outside(self, ages_months: tuple[float, float]) -> bool:
        """Whether the age is known and not between the youngest and the oldest that a trial takes."""
        youngest, oldest = ages_months
        return self.age_months is not None and not youngest <= self.age_months <= oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class NonTarget(Record):
    """A lesion of baseline that is no part of the sums, and why."""

    lesion: str
    """Its name."""
    reason: str
    """Why it is no target."""


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """Target lesions by rank, whence the choice comes in words, and the other lesions of baseline."""

    targets: tuple[str, ...]
    source: str
    non_targets: tuple[NonTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden(Record):
    """How much disease there is at one visit."""

    visit: VisitName
    """The visit."""
    lesions: Count
    """Lesions that are there."""
    sum_of_diameters_mm: Quantity | None
    """Sum of the longest diameters of the targets, mm; null where one is missing."""
    sum_of_volumes_ml: Quantity | None
    """Sum of their volumes, mL; null where one is missing."""
    replaced_share: Quantity | None = None
    """Volume of all lesions over that of the liver, 0..1; null without both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease(Record):
    """Form and burden of a child's disease, and the liver itself, measured like a lesion where it was."""

    form: Form | None
    """Form of the disease; null: not known."""
    form_source: str
    """Whence the form is known."""
    targets: tuple[str, ...]
    """Target lesions by rank."""
    targets_source: str
    """Who or what chose them."""
    non_targets: tuple[NonTarget, ...]
    """The other lesions of baseline."""
    burdens: tuple[Burden, ...]
    """One entry per visit."""
    liver: tuple[LesionMeasurement, ...] = ()
    """The liver itself, measured like a lesion, one entry per visit."""
    liver_changes: tuple[Change, ...] = ()
    """Changes of the liver's size."""


class Met(StrEnum):
    """Whether an entry criterion is met."""

    MET = "met"
    NOT_MET = "not met"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion(Record):
    """One entry criterion of the protocol: what it asks for, what was found, and whether that meets it."""

    name: str
    """The criterion."""
    asked: str
    """What the protocol asks for."""
    found: str
    """What was found, with its numbers."""
    met: Met
    """Whether it is met."""
    certain: bool | None = None
    """False where measurement error alone could change it, or where it rests on a pairing of lesions that asks for
    review; null where nothing is known."""
    pairing_confidence: Fraction | None = None
    """That of the least certain automatic pairing of lesions that it rests on; null where there is none."""
