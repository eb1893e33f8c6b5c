"""What became of lesions from visit to visit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.records.measurement import Naming
from lesion_measure.records.record import Record, VisitName


class Fate(StrEnum):
    """What became of a lesion from baseline to a later visit. NOT_EVALUABLE: it has no size, and a reader drew it or
    says why."""

    SAME = "same"
    DISAPPEARED = "disappeared"
    NOT_FOUND = "not found"
    NEW = "new"
    MERGED = "merged"
    SPLIT = "split"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionGroup:
    """Lesions that belong together and are compared with no single one: several became one, or one became several.

    ``before`` and ``after`` are their names at the visit before and at ``visit``: from baseline to a later one, or from
    screening to baseline.
    """

    fate: Fate
    visit: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionStatus(Record):
    """What became of one lesion from baseline to ``visit``."""

    lesion: str
    """Name of the lesion."""
    visit: VisitName
    """The later visit."""
    fate: Fate
    """same: measured at both visits; disappeared: a reader states it, or the network's empty result where the protocol
    lets it; not found: no measurement, which does not mean that it is gone; new: not measured at baseline; merged,
    split: see others; not evaluable: it has no size at one of the visits, and a reader drew it there or says why."""
    explanation: str
    """In plain words."""
    naming: Naming
    """Who or what tells that it is this lesion."""
    needs_check: bool = False
    """True where an automatic pairing asks for a person's look."""
    others: tuple[str, ...] = ()
    """Lesions that it merged with or split into."""
