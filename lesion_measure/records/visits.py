"""Visits, and which studies they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.records.images import Plane, Study
from lesion_measure.records.refusal import Doubt


class Visit(StrEnum):
    """The visits that the trial compares."""

    SCREENING = "screening"
    BASELINE = "baseline"
    ONE_MONTH = "one_month"


@dataclass(frozen=True, slots=True)
class ImageLabel:
    """What a manifest says of one image; empty or None where it says nothing. ``target``: the lesion is a target."""

    plane: Plane | None = None
    lesion: str = ""
    target: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectVisits:
    """One child's studies by visit. A visit may hold several studies of the same day.

    ``doubts`` are what a manifest says of it and the files contradict.
    """

    subject: str
    visits: dict[Visit, tuple[Study, ...]]
    sources: dict[Visit, str]
    warnings: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


EPOCHS = {Visit.SCREENING: "SCREENING", Visit.BASELINE: "SCREENING", Visit.ONE_MONTH: "TREATMENT"}
"""Epoch of each visit: the baseline scan is made before the first dose."""
