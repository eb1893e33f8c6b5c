"""Everything that the routes of one running server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from lesion_measure.review.cases import Cases
from lesion_measure.review.request import ReviewRequest
from lesion_measure.review.security import Door
from lesion_measure.review.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything that the routes of one running server share. ``token`` opens it where there is no file of users."""

    request: ReviewRequest
    door: Door
    token: str
    cases: Cases
    sessions: Sessions = field(default_factory=Sessions)
