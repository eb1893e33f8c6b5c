"""Everything that the routes of one running server share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lesion_measure.config.pacs import is_loopback
from lesion_measure.job.readings import FOLDER
from lesion_measure.review.attempts import Attempts
from lesion_measure.review.blinding import Naming
from lesion_measure.review.cases import Cases
from lesion_measure.review.frames import FrameServer
from lesion_measure.review.ids import Ids
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.messages import Measured, Outlined
from lesion_measure.review.outlining import Outliner
from lesion_measure.review.request import ReviewRequest
from lesion_measure.review.result import Results
from lesion_measure.review.security import Door
from lesion_measure.review.sessions import Sessions
from lesion_measure.review.sizes import Sizes
from lesion_measure.review.store import Store
from lesion_measure.review.users import Users

if TYPE_CHECKING:
    from lesion_measure.review.earlier import Suggested

_HIDDEN = "It cannot be measured here."
_NO_OUTLINE = "The network cannot outline it here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything that the routes of one running server share.

    ``token`` opens the room where there is no file of ``users``. ``ids`` are those of the page, ``kept_ids`` those of
    images in the store, which are the same in open and in blinded reading. ``network`` is the name of the outliner's.
    ``left_out`` subjects are refused as a whole, and are no cases.
    """

    request: ReviewRequest
    door: Door
    token: str
    users: Users | None
    naming: Naming
    ids: Ids
    kept_ids: Ids
    left_out: int
    cases: Cases
    store: Store
    measurer: Measurer
    results: Results
    frames: FrameServer
    outliner: Outliner | None
    network: str | None
    suggested: Suggested
    sizes: Sizes
    sessions: Sessions = field(default_factory=Sessions)
    attempts: Attempts = field(default_factory=Attempts)

    def notes(self) -> Iterator[str]:
        """What whoever opened the room has to know of it."""
        cases = len(self.cases.all)
        yield f"{cases} case{'s' * (cases != 1)} to read; readings are kept in {self.kept_in}"
        if self.left_out:
            subjects = f"{self.left_out} subject{'s' * (self.left_out != 1)}"
            yield f"{subjects} cannot be read at all: 'lesion-measure inspect' says why."
        if is_loopback(self.door.host):
            return
        yield "Other machines reach it by an address of this machine, or by --public-url."
        if not self.door.secure:
            yield "Without TLS whoever is on the network can listen in: give --tls-cert and --tls-key, or a proxy."
        if self.users is None:
            yield "Whoever has the address below may read: --users gives people names and passwords."

    @property
    def kept_in(self) -> str:
        """Where the readings are, for people; a URL of a database may hold a password, and is not repeated."""
        return "the database that was given" if self.request.database else str(self.request.run.out / FOLDER)

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

    def told_outline(self, outlined: Outlined) -> Outlined:
        """The network's answer with the notes that may be told."""
        measured = None if outlined.measured is None else self.told(outlined.measured)
        reason = outlined.reason and next(iter(self.naming.notes([outlined.reason])), _NO_OUTLINE)
        return outlined.model_copy(update={"measured": measured, "reason": reason})
