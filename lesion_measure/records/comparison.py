"""Change from baseline, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.records.measurement import VolumeMethod
from lesion_measure.records.quantity import Quantity


class Metric(StrEnum):
    """Sizes whose change is reported. Both a diameter and a volume are always computed."""

    LONGEST_DIAMETER = "longest_diameter"
    SUM_OF_DIAMETERS = "sum_of_diameters"
    SUM_OF_PRODUCTS = "sum_of_products"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change of one size from baseline to a later visit: of one lesion, or of the subject where ``lesion`` is None.

    ``percent`` is 100 (followup - baseline) / baseline. ``percent_ci95`` is the interval that measurement error alone
    gives it, None where it has none (an absent lesion is a statement). ``exceeds_error`` is True where that interval
    leaves out zero. ``pairing_confidence`` is that of the least certain automatic pairing that it rests on; None where
    people named every lesion. ``volume_method`` is that of both volumes of a lesion's change of volume, which need not
    be the one that either visit reports; None for other sizes and for sums. ``same_reader`` is False where a size of it
    was measured by one reader at baseline and by another later, so that their biases do not cancel.
    """

    subject: str
    lesion: str | None
    metric: Metric
    visit: str
    unit: str
    baseline: Quantity
    followup: Quantity
    absolute: float
    percent: float
    percent_ci95: tuple[float, float] | None
    exceeds_error: bool
    pairing_confidence: float | None = None
    volume_method: VolumeMethod | None = None
    same_reader: bool = True
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The verdict of a named rule on one subject, with the change that it rests on.

    ``percent`` is None where it rests on something else: a new lesion, or non-target lesions alone. ``held`` says what
    besides measurement error keeps the verdict from being certain.
    """

    rule: str
    category: str
    metric: Metric
    percent: float | None
    certain: bool
    explanation: str
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryVerdict:
    """What a rule that is not the trial's would have said, with the target lesions that it would have chosen.

    ``category`` and ``certain`` are None where it would have said nothing, and ``explanation`` says why. ``responds``:
    the category is a response, partial or complete. ``pairing_confidence`` is that of its change;
    ``held`` as in `Response`.
    """

    rule: str
    metric: Metric
    category: str | None
    responds: bool
    percent: float | None
    percent_ci95: tuple[float, float] | None
    certain: bool | None
    targets: tuple[str, ...]
    explanation: str
    pairing_confidence: float | None = None
    held: tuple[str, ...] = ()


class Status(StrEnum):
    """What a part of the disease, or all of it, is called at one time point: the words of RECIST 1.1."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NON_CR_NON_PD = "non-CR/non-PD"
    NE = "NE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The disease at one time point after baseline: target, non-target and new lesions, and what follows from them.

    ``target`` and ``non_target`` are None where there are no such lesions. ``new_lesions`` are beyond doubt by a
    reader's statement, ``doubtful_lesions`` wait for one. ``nadir`` is the smallest size so far (baseline included), in
    the unit of the rule's metric; ``certain``: measurement error alone could not change ``overall``; None where that is
    not evaluable.
    """

    visit: str
    days: int | None
    target: Status | None
    non_target: Status | None
    new_lesions: tuple[str, ...]
    doubtful_lesions: tuple[str, ...]
    overall: Status
    percent: float | None
    nadir: float | None
    percent_from_nadir: float | None
    certain: bool | None
    why: str
