"""What the store hands out: readings, signatures and steps of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lesion_measure.review.messages import AuditEntry, Draft, Role, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A reading without what it draws and says: enough to tell how far a child is, and quick for thousands."""

    id: str
    version: int
    subject: str
    visit: str
    image_uid: str
    lesion: str
    reader: str
    changed: datetime
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One reading: what ``reader`` says of one lesion on one frame.

    ``version`` grows by one with each change. ``signed``: its reader has signed the child, and it is locked.
    """

    id: str
    version: int
    subject: str
    visit: str
    image_uid: str
    reader: str
    changed: datetime
    signed: bool
    draft: Draft

    @property
    def mark(self) -> Mark:
        """The same without what it draws and says."""
        return Mark(
            id=self.id,
            version=self.version,
            subject=self.subject,
            visit=self.visit,
            image_uid=self.image_uid,
            lesion=self.draft.lesion,
            reader=self.reader,
            changed=self.changed,
            signed=self.signed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature in force: ``reader``'s readings of ``subject`` are locked.

    ``no_lesion``: the visits, by the UIDs of their images, of images on none of which the reader saw a lesion; empty
    where the signature does not say so.
    """

    subject: str
    reader: str
    role: Role
    at: datetime
    statement: str
    no_lesion: Mapping[str, str] = field(default_factory=dict)

    def signature(self) -> Signature:
        """What the page is told of it."""
        return Signature(reader=self.reader, role=self.role, at=self.at, no_lesion=bool(self.no_lesion))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the audit: who did what, when and why, with the content before and after.

    ``action`` is one of `review.store.chain.ACTIONS`. ``reading`` is empty for what concerns a whole child. ``chain``
    is the SHA-256 (hex) of the chain of the step before and of this one's content.
    """

    number: int
    at: datetime
    reader: str
    action: str
    subject: str
    visit: str
    image_uid: str
    reading: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    why: str
    chain: str

    def entry(self, case: str) -> AuditEntry:
        """What the page is told of it; ``case`` is the id under which the page knows the child."""
        return AuditEntry(
            number=self.number,
            at=self.at,
            reader=self.reader,
            action=self.action,
            case=case,
            reading=self.reading,
            before=self.before,
            after=self.after,
            why=self.why,
            chain=self.chain,
        )
