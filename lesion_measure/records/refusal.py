"""Why there is no number, and what keeps a verdict from being certain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import LesionMeasureError


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
class Refusal:
    """Why a file, image or lesion has no number, and what would give it one.

    Attributes
    ----------
    code
        Stable machine-readable word.
    reason, remedy
        One sentence each, for people.
    path
        File, relative to the input folder.
    sop_instance_uid, subject, visit, lesion
        What it concerns, as far as it is known.
    sight
        For the report's picture alone: no part of what the refusal says, nor of results.json.
    """

    code: str
    reason: str
    remedy: str = ""
    path: str | None = None
    sop_instance_uid: str | None = None
    subject: str | None = None
    visit: str | None = None
    lesion: str | None = None
    sight: Sight | None = field(default=None, compare=False, repr=False)

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
