"""What became of lesions from visit to visit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.records.measurement import Naming


class Fate(StrEnum):
    """What became of a lesion from baseline to a later visit. NOT_EVALUABLE: a reader drew it, and it has no size."""

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

    ``before`` and ``after`` are their names at the visit before and at ``visit``: from baseline to one month, or from
    screening to baseline.
    """

    fate: Fate
    visit: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionStatus:
    """What became of one lesion from baseline to ``visit``.

    ``others`` are the lesions that it merged with or split into. ``naming`` says who or what tells that it is this
    lesion; ``needs_check`` is True where that is an automatic pairing whose confidence asks for review.
    """

    lesion: str
    visit: str
    fate: Fate
    explanation: str
    naming: Naming
    needs_check: bool = False
    others: tuple[str, ...] = ()
