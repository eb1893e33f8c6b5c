"""Everything that the routes of one running server share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lesion_measure.review.attempts import Attempts
from lesion_measure.review.blinding import Naming
from lesion_measure.review.cases import Cases
from lesion_measure.review.frames import FrameServer
from lesion_measure.review.ids import Ids
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.messages import Measured
from lesion_measure.review.request import ReviewRequest
from lesion_measure.review.security import Door
from lesion_measure.review.sessions import Sessions
from lesion_measure.review.store import Store
from lesion_measure.review.users import Users

if TYPE_CHECKING:
    from lesion_measure.review.earlier import Suggested

_HIDDEN = "It cannot be measured here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything that the routes of one running server share.

    ``token`` opens the room where there is no file of ``users``. ``ids`` are those of the page, ``kept_ids`` those of
    images in the store, which are the same in open and in blinded reading.
    """

    request: ReviewRequest
    door: Door
    token: str
    users: Users | None
    naming: Naming
    ids: Ids
    kept_ids: Ids
    cases: Cases
    store: Store
    measurer: Measurer
    frames: FrameServer
    suggested: Suggested
    sessions: Sessions = field(default_factory=Sessions)
    attempts: Attempts = field(default_factory=Attempts)

    def told(self, measured: Measured) -> Measured:
        """A measurement with the notes that may be told."""
        if not self.request.blinded:
            return measured
        said = measured.refusal
        refusal = said and (next(iter(self.naming.notes([said])), _HIDDEN))
        remedy = next(iter(self.naming.notes([measured.remedy])), None) if measured.remedy else None
        return measured.model_copy(
            update={"warnings": self.naming.notes(measured.warnings), "refusal": refusal, "remedy": remedy}
        )
