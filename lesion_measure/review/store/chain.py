"""The audit: steps that are added and never changed, each bound to all before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesion_measure.review.store.kept import Step
from lesion_measure.review.store.models import AuditRow, canonical

ACTIONS: Final = ("add", "change", "remove", "comment", "sign", "reopen")
BEGINNING: Final = "0" * 64
"""What stands for the chain before the first step."""


def add_step(
    session: Session,
    *,
    reader: str,
    action: str,
    subject: str,
    visit: str = "",
    image_uid: str = "",
    reading: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    why: str = "",
) -> datetime:
    """Add a step to the audit within a transaction that holds off other writers; returns its time.

    Parameters
    ----------
    session
        The transaction.
    reader, action, subject, visit, image_uid, reading, before, after, why
        As in `Step`.
    """
    last = last_row(session)
    step = Step(
        number=1 if last is None else last.number + 1,
        at=datetime.now(UTC),
        reader=reader,
        action=action,
        subject=subject,
        visit=visit,
        image_uid=image_uid,
        reading=reading,
        before=before,
        after=after,
        why=why,
        chain="",
    )
    chain = link(BEGINNING if last is None else last.chain, step)
    row = AuditRow(**{**_content(step), "at": step.at}, chain=chain)
    session.add(row)
    return step.at


def last_row(session: Session) -> AuditRow | None:
    """The row of the latest step; None where there is none."""
    return session.scalars(select(AuditRow).order_by(AuditRow.number.desc()).limit(1)).first()


def link(previous: str, step: Step) -> str:
    """SHA-256 (hex) of the previous chain, a line break and the step's content as canonical JSON."""
    return hashlib.sha256(f"{previous}\n{content(step)}".encode()).hexdigest()


def content(step: Step) -> str:
    """What the chain binds of a step: all of it but the chain, as canonical JSON."""
    return canonical(_content(step))


def step_of(row: AuditRow) -> Step:
    """The step that a row holds."""
    return Step(
        number=row.number,
        at=row.at,
        reader=row.reader,
        action=row.action,
        subject=row.subject,
        visit=row.visit,
        image_uid=row.image_uid,
        reading=row.reading,
        before=row.before,
        after=row.after,
        why=row.why,
        chain=row.chain,
    )


def first_broken(steps: Iterable[Step]) -> int | None:
    """The number of the first step that is not what was written, or that follows a gap; None where all hold.

    ``steps`` is the whole audit in order. Steps that were cut off its end leave no trace in it: compare its length and
    last chain with those of an earlier export.
    """
    previous = BEGINNING
    for number, step in enumerate(steps, start=1):
        if step.number != number or step.chain != link(previous, step):
            return number
        previous = step.chain
    return None


def _content(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "at": step.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "reader": step.reader,
        "action": step.action,
        "subject": step.subject,
        "visit": step.visit,
        "image_uid": step.image_uid,
        "reading": step.reading,
        "before": step.before,
        "after": step.after,
        "why": step.why,
    }
