"""The store itself: one method for each thing that a reader does, and those that look."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lesion_measure.errors import ConflictError, LockedError, ReviewError
from lesion_measure.review.messages import Comment, Draft, Role, Signature
from lesion_measure.review.store import chain
from lesion_measure.review.store.database import open_engine, speaking_plainly, writing
from lesion_measure.review.store.drafts import checked, name, written
from lesion_measure.review.store.kept import Kept, Mark, Signed, Step
from lesion_measure.review.store.models import AuditRow, CommentRow, ReadingRow, SettingRow, SignatureRow

_SECRET = "secret"  # noqa: S105 the name of the setting, not its value
_SECRET_BYTES = 32
NOWHERE: Mapping[str, str] = MappingProxyType({})
_STEPS_AT_ONCE = 500
"""Steps of the audit in memory; one that changes an outline of most points takes half a megabyte."""
_SIGNED = and_(SignatureRow.subject == ReadingRow.subject, SignatureRow.reader == ReadingRow.reader)
_ORDER = (ReadingRow.subject, ReadingRow.image_uid, ReadingRow.frame, ReadingRow.lesion, ReadingRow.reader)


class Store:
    """Readings, comments, signatures and the audit of them.

    Several threads may use one store, and several processes one database. A method that writes returns when it is on
    disk. Opening makes the database where there is none, and migrates an older one.

    Parameters
    ----------
    url
        ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``; `beside` gives that of a results folder.

    Raises
    ------
    ConfigError, InputError, WriteError
        The database cannot be used (`review.store.database.open_engine`). Every method may raise `WriteError`.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._writer = writing(self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    # --- what readers do ----------------------------------------------------------------------------------------------

    def add(self, subject: str, visit: str, image_uid: str, draft: Draft, reader: str) -> Kept:
        """Keep a reading.

        Parameters
        ----------
        subject, visit, image_uid
            The child, its visit and the image (SOPInstanceUID) that it was drawn on.
        draft
            What the reader says.
        reader
            Who says it.

        Raises
        ------
        ConflictError
            The reader has a reading of this lesion on this frame already, which is its ``current``.
        LockedError
            The reader has signed the child.
        ReviewError
            The draft is none that can be kept (code ``draft``).
        """
        draft, reader = checked(draft), name(reader, "reader")
        row = ReadingRow(id=secrets.token_hex(16), version=1, subject=subject, visit=visit, image_uid=image_uid)
        row.reader, row.changed = reader, datetime.now(UTC)
        with self._write() as session:
            _refuse_signed(session, subject, reader)
            _refuse_another(session, row, draft)
            _fill(row, draft)
            row.changed = _audited(session, row, "add", after=draft)
            session.add(row)
            return _kept(row, signed=False)

    def change(self, reading: str, draft: Draft, version: int, reader: str, why: str = "") -> Kept:
        """Replace what a reading says.

        Parameters
        ----------
        reading
            Its id.
        draft
            What it says from now on, on the same image.
        version
            That of the reading which the reader saw.
        reader, why
            Who changes it, which is who made it, and why.

        Raises
        ------
        ConflictError
            It is another version by now, or gone; or the reader has another reading of that lesion on that frame.
        LockedError, ReviewError
            As `add`; also codes ``no_reading``, ``not_own`` and ``other_image``.
        """
        draft, why = checked(draft), written(why, "reason")
        with self._write() as session:
            row = _own(session, reading, version, reader)
            before = Draft.model_validate(row.draft)
            if draft.image != before.image:
                raise ReviewError("A reading stays on its image.", remedy="Add one there.", code="other_image")
            _refuse_another(session, row, draft)
            _fill(row, draft)
            row.version += 1
            row.changed = _audited(session, row, "change", before=before, after=draft, why=why)
            return _kept(row, signed=False)

    def remove(self, reading: str, version: int, reader: str, why: str = "") -> None:
        """Take a reading away; the audit keeps it. Parameters and errors as of `change`."""
        with self._write() as session:
            row = _own(session, reading, version, reader)
            _audited(session, row, "remove", before=Draft.model_validate(row.draft), why=written(why, "reason"))
            session.delete(row)

    def comment(self, subject: str, reader: str, text: str) -> Comment:
        """Write a comment to a child. It is no reading, and a signature does not lock it."""
        reader, text = name(reader, "reader"), written(text, "comment")
        if not text.strip():
            raise ReviewError("The comment is empty.", code="draft")
        with self._write() as session:
            at = chain.add_step(session, reader=reader, action="comment", subject=subject, after={"text": text})
            session.add(CommentRow(subject=subject, reader=reader, at=at, text=text))
            return Comment(reader=reader, at=at, text=text)

    def sign(
        self,
        subject: str,
        reader: str,
        role: Role,
        versions: Mapping[str, int],
        statement: str = "",
        no_lesion: Mapping[str, str] = NOWHERE,
    ) -> Signature:
        """Sign all of a reader's readings of a child, which locks them.

        Parameters
        ----------
        subject, reader, role
            Whose readings, of which child, and as what the reader signs.
        versions
            The version of each of them that the reader saw, by id.
        statement
            What the reader says by signing.
        no_lesion
            Where the reader says that there is no lesion: the visits of all images looked at, by their UIDs.

        Raises
        ------
        ConflictError
            They are others by now; ``current`` is one that differs, or None where one is gone.
        LockedError
            They are signed already.
        ReviewError
            There are none, and no statement says that there is nothing to read (code ``nothing_to_sign``); or there are
            some, and it is said that there is no lesion (code ``lesion_drawn``).
        """
        reader, statement = name(reader, "reader"), written(statement, "statement")
        with self._write() as session:
            _refuse_signed(session, subject, reader)
            found = session.scalars(select(ReadingRow).where(_of(subject, reader))).all()
            if not found and not versions and not statement:
                raise ReviewError("There is no reading to sign.", remedy="Read first.", code="nothing_to_sign")
            if found and no_lesion:
                raise ReviewError("There are readings of lesions.", remedy="Remove them first.", code="lesion_drawn")
            for row in found:
                if versions.get(row.id) != row.version:
                    raise _overtaken(_kept(row, signed=False))
            if len(found) != len(versions):
                raise _overtaken(None)
            signed = {"role": role.value, "statement": statement, "no_lesion": dict(no_lesion) or None}
            after = {"versions": dict(versions), **{key: value for key, value in signed.items() if value is not None}}
            at = chain.add_step(session, reader=reader, action="sign", subject=subject, after=after)
            session.add(SignatureRow(subject=subject, reader=reader, at=at, **signed))
            return Signature(reader=reader, role=role, at=at, no_lesion=bool(no_lesion))

    def reopen(self, subject: str, reader: str, why: str) -> None:
        """Take a reader's own signature of a child back.

        Raises
        ------
        ReviewError
            There is no signature (code ``not_signed``), or no reason (code ``no_reason``).
        """
        reader = name(reader, "reader")
        if not written(why, "reason").strip():
            raise ReviewError("Reopening needs a reason.", code="no_reason")
        with self._write() as session:
            row = session.get(SignatureRow, (subject, reader))
            if row is None:
                raise ReviewError("It is not signed by this reader.", code="not_signed")
            before = {
                "role": row.role,
                "statement": row.statement,
                "at": row.at.isoformat(),
                "no_lesion": row.no_lesion,
            }
            before = {key: value for key, value in before.items() if value is not None}
            chain.add_step(session, reader=reader, action="reopen", subject=subject, before=before, why=why)
            session.delete(row)

    def secret(self) -> bytes:
        """32 random bytes that belong to this database, made once."""
        with self._write() as session:
            row = session.get(SettingRow, _SECRET)
            if row is None:
                row = SettingRow(name=_SECRET, value=secrets.token_bytes(_SECRET_BYTES))
                session.add(row)
            return row.value

    # --- looking ------------------------------------------------------------------------------------------------------

    def get(self, reading: str) -> Kept:
        """A reading by its id. Raises `ReviewError` (code ``no_reading``) where there is none."""
        with self._read() as session:
            row = session.get(ReadingRow, reading)
            if row is None:
                raise _no_reading()
            return _kept(row, signed=session.get(SignatureRow, (row.subject, row.reader)) is not None)

    def readings(self, subject: str | None = None, reader: str | None = None) -> list[Kept]:
        """Readings as they are now, of one child or reader or of all, by child, image, frame and lesion."""
        asked = (
            select(ReadingRow, SignatureRow.reader)
            .outerjoin(SignatureRow, _SIGNED)
            .where(_of(subject, reader))
            .order_by(*_ORDER)
        )
        with self._read() as session:
            return [_kept(row, signed=by is not None) for row, by in session.execute(asked)]

    def marks(self, reader: str | None = None) -> list[Mark]:
        """The readings of one reader or of all, without what they draw, in the order of `readings`."""
        names = ("id", "version", "subject", "visit", "image_uid", "lesion", "reader", "changed")
        asked = (
            select(*(getattr(ReadingRow, name) for name in names), SignatureRow.reader)
            .outerjoin(SignatureRow, _SIGNED)
            .where(_of(None, reader))
            .order_by(*_ORDER)
        )
        with self._read() as session:
            return [
                Mark(**dict(zip(names, row, strict=True)), signed=by is not None) for *row, by in session.execute(asked)
            ]

    def comments(self, subject: str) -> list[Comment]:
        """The comments to a child in the order of their times."""
        asked = select(CommentRow).where(CommentRow.subject == subject).order_by(CommentRow.number)
        with self._read() as session:
            return [Comment(reader=row.reader, at=row.at, text=row.text) for row in session.scalars(asked)]

    def signatures(self, subject: str | None = None) -> list[Signed]:
        """The signatures in force, of one child or of all, by child and time."""
        asked = select(SignatureRow).order_by(SignatureRow.subject, SignatureRow.at)
        if subject is not None:
            asked = asked.where(SignatureRow.subject == subject)
        with self._read() as session:
            return [
                Signed(
                    subject=row.subject,
                    reader=row.reader,
                    role=Role(row.role),
                    at=row.at,
                    statement=row.statement,
                    no_lesion=row.no_lesion or {},
                )
                for row in session.scalars(asked)
            ]

    def audit(self, subject: str | None = None, reader: str | None = None) -> list[Step]:
        """The steps so far, of one child or reader or of all, in order."""
        return list(self.each_step(subject, reader))

    def each_step(self, subject: str | None = None, reader: str | None = None) -> Iterator[Step]:
        """The steps as of `audit`, read as they are asked for: all of them may be more than fit into memory."""
        asked = select(AuditRow).order_by(AuditRow.number).limit(_STEPS_AT_ONCE)
        if subject is not None:
            asked = asked.where(AuditRow.subject == subject)
        if reader is not None:
            asked = asked.where(AuditRow.reader == reader)
        last = 0
        while True:
            with self._read() as session:
                steps = [chain.step_of(row) for row in session.scalars(asked.where(AuditRow.number > last))]
            yield from steps
            if len(steps) < _STEPS_AT_ONCE:
                return
            last = steps[-1].number

    def last_step(self) -> Step | None:
        """The latest step of the audit; None where there is none."""
        with self._read() as session:
            row = chain.last_row(session)
            return None if row is None else chain.step_of(row)

    def first_broken(self) -> int | None:
        """The number of the first step of the audit that is not what was written (`chain.first_broken`)."""
        return chain.first_broken(self.each_step())

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with speaking_plainly(self._engine), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with speaking_plainly(self._engine), Session(self._engine, expire_on_commit=False) as session:
            yield session


def _of(subject: str | None, reader: str | None) -> Any:
    wanted = [] if subject is None else [ReadingRow.subject == subject]
    return and_(True, *wanted, *([] if reader is None else [ReadingRow.reader == reader]))


def _own(session: Session, reading: str, version: int, reader: str) -> ReadingRow:
    """The reading that its reader may change now."""
    row = session.get(ReadingRow, reading)
    if row is None:
        known = session.scalars(select(AuditRow.number).where(AuditRow.reading == reading).limit(1)).first()
        raise _no_reading() if known is None else _overtaken(None)
    reader = name(reader, "reader")
    if row.reader != reader:
        raise ReviewError("The reading is another reader's.", remedy="Add one of your own.", code="not_own")
    _refuse_signed(session, row.subject, reader)
    if row.version != version:
        raise _overtaken(_kept(row, signed=False))
    return row


def _refuse_signed(session: Session, subject: str, reader: str) -> None:
    if session.get(SignatureRow, (subject, reader)) is not None:
        raise LockedError("The readings are signed.", remedy="Reopen them, with a reason.")


def _refuse_another(session: Session, row: ReadingRow, draft: Draft) -> None:
    """Of one lesion on one frame a reader has one reading."""
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
            f"There is a reading of {draft.lesion} on this frame already.",
            remedy="Change that one.",
            current=_kept(other, signed=False),
        )


def _overtaken(current: Kept | None) -> ConflictError:
    gone = "The reading was removed meanwhile." if current is None else "The reading was changed meanwhile."
    return ConflictError(gone, remedy="Look at what is kept now.", current=current)


def _no_reading() -> ReviewError:
    return ReviewError("There is no such reading.", code="no_reading")


def _fill(row: ReadingRow, draft: Draft) -> None:
    row.frame, row.lesion, row.draft = draft.frame, draft.lesion, draft.model_dump(mode="json")


def _audited(
    session: Session,
    row: ReadingRow,
    action: str,
    *,
    before: Draft | None = None,
    after: Draft | None = None,
    why: str = "",
) -> datetime:
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


def _kept(row: ReadingRow, *, signed: bool) -> Kept:
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
