"""Change from baseline, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from lesion_measure.records.measurement import VolumeMethod
from lesion_measure.records.quantity import Quantity
from lesion_measure.records.record import Fraction, Number, Record, VisitName


class Metric(StrEnum):
    """Sizes whose change is reported. Both a diameter and a volume are always computed."""

    LONGEST_DIAMETER = "longest_diameter"
    SUM_OF_DIAMETERS = "sum_of_diameters"
    SUM_OF_PRODUCTS = "sum_of_products"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Record):
    """Change of one size from baseline to a later visit: of one lesion, or of the subject where ``lesion`` is None."""

    subject: str
    """Subject code."""
    lesion: str | None
    """Name of the lesion; null for the subject as a whole."""
    metric: Metric
    """Which size."""
    visit: VisitName
    """The later visit."""
    unit: Literal["mm", "mm2", "mL"]
    """Unit of baseline, followup and absolute."""
    baseline: Quantity
    """Size at baseline."""
    followup: Quantity
    """Size at the later visit."""
    absolute: Number
    """followup - baseline."""
    percent: Number
    """100 (followup - baseline) / baseline."""
    percent_ci95: tuple[Number, Number] | None
    """Interval that measurement error alone gives the percent change; null for a statement."""
    exceeds_error: bool
    """True where that interval leaves out zero, or where there is none."""
    pairing_confidence: Fraction | None = None
    """Confidence of the least certain automatic pairing that it rests on; null where people named every lesion."""
    volume_method: VolumeMethod | None = None
    """Method of both volumes of a lesion's change of volume, which need not be the one that a visit reports; null for
    other sizes, sums and statements."""
    same_reader: bool = True
    """False where a size of it was measured by one reader at baseline and by another later: then their biases do not
    cancel."""
    warnings: tuple[str, ...] = ()
    """Warnings in plain words."""
    nadir: Quantity | None = None
    """Smallest size before this visit that was measured alike, baseline included."""
    percent_from_nadir: Number | None = None
    """100 (followup - nadir) / nadir; null where the nadir is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Record):
    """The verdict of a named rule on one subject, with the change that it rests on."""

    rule: str
    """Name of the rule."""
    category: str
    """The verdict, in the rule's own words."""
    metric: Metric
    """The size that the rule looks at."""
    percent: float | None
    """Percent change it rests on; null where it rests on a new lesion, on non-target lesions, or on the growth of
    some target lesions while others were not evaluated."""
    certain: bool
    """False where measurement error alone could change the verdict, or where something holds it back (held)."""
    explanation: str
    """Why, in one sentence."""
    held: tuple[str, ...] = ()
    """What besides measurement error keeps the verdict from being certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCourse(Record):
    """When a response began that counts by the rule, and how long it lasted, in days by the dates of the scans."""

    visit: VisitName
    """Visit at which it was seen first."""
    days: int | None
    """Days from baseline to that visit: the time to response."""
    duration_days: int | None
    """Days from that visit to its end, or to the last visit that could be judged."""
    ended: bool
    """Whether it ended: by progression, or, where the rule has no limit of growth, at a visit that is no response."""
    confirmed: bool | None
    """Whether it was confirmed; null where the rule asks for no confirmation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryVerdict(Record):
    """What a rule that is not the trial's would have said of a subject."""

    rule: str
    """Its name."""
    metric: Metric
    """The size it looks at."""
    category: str | None
    """Its verdict; null where it would have said nothing."""
    responds: bool
    """Whether that is a response, partial or complete."""
    percent: float | None
    """Change of that size over its own target lesions, %."""
    percent_ci95: tuple[Number, Number] | None
    """Interval that measurement error alone gives it."""
    certain: bool | None
    """False where measurement error or an unsure pairing could change it; null without a verdict."""
    targets: tuple[str, ...]
    """The target lesions that it would have chosen."""
    explanation: str
    """The numbers behind it, or why there is none."""
    pairing_confidence: Fraction | None = None
    """That of the least certain automatic pairing of lesions that it rests on; null where there is none."""
    held: tuple[str, ...] = ()
    """What besides measurement error keeps the verdict from being certain."""


class Status(StrEnum):
    """What a part of the disease, or all of it, is called at one time point: the words of RECIST 1.1."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NON_CR_NON_PD = "non-CR/non-PD"
    NE = "NE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment(Record):
    """The disease at one time point after baseline, in the words of RECIST 1.1, and what follows."""

    visit: VisitName
    """The visit."""
    days: int | None
    """Days from baseline."""
    target: Status | None
    """Target lesions; null: there are none."""
    non_target: Status | None
    """Non-target lesions; null: there are none."""
    new_lesions: tuple[str, ...]
    """New beyond doubt, by a reader."""
    doubtful_lesions: tuple[str, ...]
    """Perhaps new; a reader has to say."""
    overall: Status
    """What follows for the time point."""
    percent: float | None
    """Change of the rule's size from baseline, %."""
    nadir: float | None
    """Smallest size so far, baseline included, in the unit of the rule's size."""
    percent_from_nadir: float | None
    """Change from there, %."""
    certain: bool | None
    """False where measurement error alone could change it; null where the time point is not evaluable (NE)."""
    why: str
    """Why, in one sentence."""
