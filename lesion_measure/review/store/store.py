"""The store itself: one method for each thing that a reader does; `looking` has those that look."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesion_measure.errors import ReviewError
from lesion_measure.review.messages import Comment, Draft, Role, Signature
from lesion_measure.review.store import chain
from lesion_measure.review.store.database import open_engine, speaking_plainly, writing
from lesion_measure.review.store.drafts import checked, name, written
from lesion_measure.review.store.kept import Kept
from lesion_measure.review.store.looking import Looking, of_whom
from lesion_measure.review.store.models import CommentRow, ReadingRow, SettingRow, SignatureRow
from lesion_measure.review.store.readings import (
    audited,
    fill,
    kept_of,
    overtaken,
    own_row,
    refuse_another,
    refuse_signed,
)

_SECRET = "secret"  # noqa: S105 the name of the setting, not its value
_SECRET_BYTES = 32
NOWHERE: Mapping[str, str] = MappingProxyType({})


class Store(Looking):
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
        super().__init__(open_engine(url))
        self._writer = writing(self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

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
            refuse_signed(session, subject, reader)
            refuse_another(session, row, draft)
            fill(row, draft)
            row.changed = audited(session, row, "add", after=draft)
            session.add(row)
            return kept_of(row, signed=False)

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
            row = own_row(session, reading, version, reader)
            before = Draft.model_validate(row.draft)
            if draft.image != before.image:
                raise ReviewError("A reading stays on its image.", remedy="Add one there.", code="other_image")
            refuse_another(session, row, draft)
            fill(row, draft)
            row.version += 1
            row.changed = audited(session, row, "change", before=before, after=draft, why=why)
            return kept_of(row, signed=False)

    def remove(self, reading: str, version: int, reader: str, why: str = "") -> None:
        """Take a reading away; the audit keeps it. Parameters and errors as of `change`."""
        with self._write() as session:
            row = own_row(session, reading, version, reader)
            audited(session, row, "remove", before=Draft.model_validate(row.draft), why=written(why, "reason"))
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
            refuse_signed(session, subject, reader)
            found = session.scalars(select(ReadingRow).where(of_whom(subject, reader))).all()
            if not found and not versions and not statement:
                raise ReviewError("There is no reading to sign.", remedy="Read first.", code="nothing_to_sign")
            if found and no_lesion:
                raise ReviewError("There are readings of lesions.", remedy="Remove them first.", code="lesion_drawn")
            for row in found:
                if versions.get(row.id) != row.version:
                    raise overtaken(kept_of(row, signed=False))
            if len(found) != len(versions):
                raise overtaken(None)
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

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with speaking_plainly(self._engine), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session
