"""What looks at the store, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Engine, and_, select
from sqlalchemy.orm import Session

from lesion_measure.review.messages import Comment, Role
from lesion_measure.review.store import chain
from lesion_measure.review.store.database import speaking_plainly
from lesion_measure.review.store.kept import Kept, Mark, Signed, Step
from lesion_measure.review.store.models import AuditRow, CommentRow, ReadingRow, SignatureRow
from lesion_measure.review.store.readings import kept_of, no_reading

_STEPS_AT_ONCE = 500
"""Steps of the audit in memory; one that changes an outline of most points takes half a megabyte."""
_SIGNED = and_(SignatureRow.subject == ReadingRow.subject, SignatureRow.reader == ReadingRow.reader)
_ORDER = (ReadingRow.subject, ReadingRow.image_uid, ReadingRow.frame, ReadingRow.lesion, ReadingRow.reader)


class Looking:
    """The readings, comments, signatures and steps of an open database as they are now.

    Parameters
    ----------
    engine
        The database (`review.store.database.open_engine`). Every method may raise `WriteError`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, reading: str) -> Kept:
        """A reading by its id. Raises `ReviewError` (code ``no_reading``) where there is none."""
        with self._read() as session:
            row = session.get(ReadingRow, reading)
            if row is None:
                raise no_reading()
            return kept_of(row, signed=session.get(SignatureRow, (row.subject, row.reader)) is not None)

    def readings(self, subject: str | None = None, reader: str | None = None) -> list[Kept]:
        """Readings as they are now, of one child or reader or of all, by child, image, frame and lesion."""
        asked = (
            select(ReadingRow, SignatureRow.reader)
            .outerjoin(SignatureRow, _SIGNED)
            .where(of_whom(subject, reader))
            .order_by(*_ORDER)
        )
        with self._read() as session:
            return [kept_of(row, signed=by is not None) for row, by in session.execute(asked)]

    def marks(self, reader: str | None = None) -> list[Mark]:
        """The readings of one reader or of all, without what they draw, in the order of `readings`."""
        names = ("id", "version", "subject", "visit", "image_uid", "lesion", "reader", "changed")
        asked = (
            select(*(getattr(ReadingRow, name) for name in names), SignatureRow.reader)
            .outerjoin(SignatureRow, _SIGNED)
            .where(of_whom(None, reader))
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
    def _read(self) -> Iterator[Session]:
        with speaking_plainly(self._engine), Session(self._engine, expire_on_commit=False) as session:
            yield session


def of_whom(subject: str | None, reader: str | None) -> ColumnElement[bool]:
    """Which readings are of one child or reader; None: of all."""
    wanted = [] if subject is None else [ReadingRow.subject == subject]
    return and_(True, *wanted, *([] if reader is None else [ReadingRow.reader == reader]))
