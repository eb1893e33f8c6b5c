"""Why there is no number, and what keeps a verdict from being certain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import LesionMeasureError
from lesion_measure.records.record import Hidden, Record, VisitName


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """The frame (1-based) that a person has to look at to judge a refusal, and what was drawn on it.

    ``outlines`` are the network's proposals, (n, 2) each, ``lines`` a reader's, both in pixels as (row, column).
    ``spacing_mm`` is (row, column), None where the image has no scale. ``frames`` counts those that were looked at.
    """

    frame: int = 1
    frames: int = 1
    spacing_mm: tuple[float, float] | None = None
    outlines: tuple[NDArray[np.float64], ...] = ()
    lines: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Record):
    """Why something has no number, and what would give it one; what it concerns, as far as that is known."""

    code: str
    """Stable machine-readable word."""
    reason: str
    """What is wrong."""
    remedy: str = ""
    """What would give it a number."""
    path: str | None = None
    """File, relative to the input folder."""
    sop_instance_uid: str | None = None
    """SOP Instance UID."""
    subject: str | None = None
    """Subject code."""
    visit: VisitName | None = None
    """Visit."""
    lesion: str | None = None
    """Lesion."""
    sight: Hidden[Sight | None] = field(default=None, compare=False, repr=False)
    """What its picture in the report shows."""

    @classmethod
    def from_error(cls, error: LesionMeasureError, **known: str | None) -> Refusal:
        """The refusal that an expected error stands for; ``known`` fills path, subject, visit and so on."""
        what: dict[str, Any] = {"path": error.path, **known}
        return cls(code=error.code, reason=error.reason, remedy=error.remedy, **what)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a person wrote and the program could not use or believe: no verdict that it may change is certain.

    ``refusal`` says what it is and asks for review. ``seen``: a reader drew the lesion at that visit, so it was there,
    and only its size is not known; without a visit, at any where it has no size. ``perhaps``: it may be another child's
    or another lesion, so it says nothing of a lesion that this child has at no visit.
    """

    refusal: Refusal
    seen: bool = False
    perhaps: bool = False


NO_SCANS = "no_scans"
"""Code of the refusal that the table names a subject of whom the input holds no image."""
