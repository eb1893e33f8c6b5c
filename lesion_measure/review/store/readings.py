"""Rows of readings within a transaction: whether one may change now, and what is audited of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesion_measure.errors import ConflictError, LockedError, ReviewError
from lesion_measure.review.messages import Draft
from lesion_measure.review.store import chain
from lesion_measure.review.store.drafts import name
from lesion_measure.review.store.kept import Kept
from lesion_measure.review.store.models import AuditRow, ReadingRow, SignatureRow

_LOOK = "Look at what is kept now."


def own_row(session: Session, reading: str, version: int, reader: str) -> ReadingRow:
    """The reading that its reader may change now.

    Raises
    ------
    ReviewError
        There never was one (code ``no_reading``), or it is another reader's (``not_own``).
    LockedError
        Its reader has signed the child.
    ConflictError
        It was changed or removed since ``version``.
    """
    row = session.get(ReadingRow, reading)
    if row is None:
        known = session.scalars(select(AuditRow.number).where(AuditRow.reading == reading).limit(1)).first()
        raise no_reading() if known is None else overtaken(None)
    reader = name(reader, "reader")
    if row.reader != reader:
        raise ReviewError("The reading is another reader's.", remedy="Add one of your own.", code="not_own")
    refuse_signed(session, row.subject, reader)
    if row.version != version:
        raise overtaken(kept_of(row, signed=False))
    return row


def refuse_signed(session: Session, subject: str, reader: str) -> None:
    """Raise `LockedError` where the reader has signed the child."""
    if session.get(SignatureRow, (subject, reader)) is not None:
        raise LockedError("The readings are signed.", remedy="Reopen them, with a reason.")


def refuse_another(session: Session, row: ReadingRow, draft: Draft) -> None:
    """Raise `ConflictError` where another reading says what this one would: one reader, lesion and frame have one."""
    asked = select(ReadingRow).where(
        ReadingRow.image_uid == row.image_uid,
        ReadingRow.frame == draft.frame,
        ReadingRow.lesion == draft.lesion,
        ReadingRow.reader == row.reader,
        ReadingRow.id != row.id,
    )
    with session.no_autoflush:
        other = session.scalars(asked).first()
    if other is not None:
        raise ConflictError(
            "There is a reading of this lesion on this frame already.",
            remedy="Change that one.",
            code="reading_there",
            current=kept_of(other, signed=False),
        )


def overtaken(current: Kept | None) -> ConflictError:
    """What whoever saw an older version is told; ``current`` is what is kept now, None where that is nothing."""
    if current is None:
        return ConflictError("The reading was removed meanwhile.", remedy=_LOOK, code="reading_removed")
    return ConflictError("The reading was changed meanwhile.", remedy=_LOOK, code="reading_changed", current=current)


def no_reading() -> ReviewError:
    """What whoever asks for a reading that never was is told."""
    return ReviewError("There is no such reading.", code="no_reading")


def fill(row: ReadingRow, draft: Draft) -> None:
    """Have a row say what a draft says."""
    row.frame, row.lesion, row.draft = draft.frame, draft.lesion, draft.model_dump(mode="json")


def audited(
    session: Session,
    row: ReadingRow,
    action: str,
    *,
    before: Draft | None = None,
    after: Draft | None = None,
    why: str = "",
) -> datetime:
    """Add the step that a reading goes through to the audit; returns its time.

    Parameters
    ----------
    session, row
        The transaction, and the reading.
    action, why
        What is done (`review.store.chain.ACTIONS`), and the reader's reason.
    before, after
        What the reading said and says; None where it was not, or is gone.
    """
    return chain.add_step(
        session,
        reader=row.reader,
        action=action,
        subject=row.subject,
        visit=row.visit,
        image_uid=row.image_uid,
        reading=row.id,
        before=None if before is None else before.model_dump(mode="json"),
        after=None if after is None else after.model_dump(mode="json"),
        why=why,
    )


def kept_of(row: ReadingRow, *, signed: bool) -> Kept:
    """A row as the store hands it out."""
    return Kept(
        id=row.id,
        version=row.version,
        subject=row.subject,
        visit=row.visit,
        image_uid=row.image_uid,
        reader=row.reader,
        changed=row.changed,
        signed=signed,
        draft=Draft.model_validate(row.draft),
    )
