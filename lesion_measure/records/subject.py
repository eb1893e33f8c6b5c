"""The child and its disease: enrolment, target lesions, burden, entry criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from lesion_measure.records.comparison import Change
from lesion_measure.records.measurement import LesionMeasurement
from lesion_measure.records.quantity import Quantity


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
class Enrolled:
    """One row of subjects.csv. ``age_days`` is the age at the baseline scan; ``excluded`` are the reasons given.

    ``flags`` are the exclusion criteria of the table, None where a cell is empty. A reader's statements: ``targets``,
    the target lesions; ``new_lesions``, those that are new beyond doubt; ``non_target_progression``, that the lesions
    that are no targets have unequivocally progressed. ``reference_start`` is DM.RFSTDTC, from which CDISC's study days
    count.
    """

    subject: str
    age_days: float | None = None
    form: Form | None = None
    excluded: tuple[str, ...] = ()
    flags: Mapping[str, bool | None] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    new_lesions: tuple[str, ...] = ()
    non_target_progression: bool = False
    reference_start: date | None = None

    @property
    def age_months(self) -> float | None:
        """Age at the baseline scan in months."""
        return None if self.age_days is None else self.age_days / DAYS_PER_MONTH

    def outside(self, ages_months: tuple[float, float]) -> bool:
        """Whether the age is known and not between the youngest and the oldest that a trial takes."""
        youngest, oldest = ages_months
        return self.age_months is not None and not youngest <= self.age_months <= oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class NonTarget:
    """A lesion of baseline that is no part of the sums, and why."""

    lesion: str
    reason: str


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """Target lesions by rank, whence the choice comes in words, and the other lesions of baseline."""

    targets: tuple[str, ...]
    source: str
    non_targets: tuple[NonTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """How much disease there is at one visit.

    ``lesions`` counts those that are there; the sums run over the target lesions and are None where one of them has no
    such size. ``replaced_share`` is the volume of all lesions over that of the liver (0..1), None without both.
    """

    visit: str
    lesions: int
    sum_of_diameters_mm: Quantity | None
    sum_of_volumes_ml: Quantity | None
    replaced_share: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """Form and burden of a child's disease. ``liver`` is the organ itself, measured like a lesion where it was.

    ``form_source`` and ``targets_source`` say in words whence each comes.
    """

    form: Form | None
    form_source: str
    targets: tuple[str, ...]
    targets_source: str
    non_targets: tuple[NonTarget, ...]
    burdens: tuple[Burden, ...]
    liver: tuple[LesionMeasurement, ...] = ()
    liver_changes: tuple[Change, ...] = ()


class Met(StrEnum):
    """Whether an entry criterion is met."""

    MET = "met"
    NOT_MET = "not met"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One entry criterion of the protocol: what it asks for, what was found, and whether that meets it.

    ``certain`` is False where measurement error alone could change ``met``, or where it rests on a pairing of lesions
    that asks for review; None where nothing was measured. ``pairing_confidence`` is that of the least certain automatic
    pairing behind it, None where there is none.
    """

    name: str
    asked: str
    found: str
    met: Met
    certain: bool | None = None
    pairing_confidence: float | None = None
