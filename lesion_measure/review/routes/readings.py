"""Keeping, changing, removing and signing readings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from lesion_measure.errors import WriteError
from lesion_measure.review.cases import Picture
from lesion_measure.review.exports import write_calipers
from lesion_measure.review.messages import Change, Comment, Draft, Id, Reading, Removal, Sign, Signature, Why
from lesion_measure.review.refused import RefusedError, unknown
from lesion_measure.review.routes.shared import OfCase, Seen
from lesion_measure.review.view import View

router = APIRouter()
ReadingId = Annotated[Id, Path()]


@router.post("/cases/{id_}/readings")
def add(case: OfCase, draft: Draft, view: Seen) -> Reading:
    """Keep a reading."""
    picture = _picture(draft, view)
    if picture.subject != case.subject:
        raise RefusedError(400, "other_case", "The image is of another case.", "Reload the page.")
    store = view.room.store
    kept = store.add(
        case.subject, picture.visit, picture.instance.sop_instance_uid, _to_keep(draft, picture, view), view.person.name
    )
    return view.reading(kept)


@router.put("/readings/{id_}")
def change(id_: ReadingId, asked: Change, view: Seen) -> Reading:
    """Replace what a reading says."""
    picture = _picture(asked.draft, view)
    draft = _to_keep(asked.draft, picture, view)
    return view.reading(view.room.store.change(id_, draft, asked.version, view.person.name, asked.why))


@router.delete("/readings/{id_}")
def remove(id_: ReadingId, asked: Removal, view: Seen) -> dict[str, str]:
    """Take a reading away."""
    view.room.store.remove(id_, asked.version, view.person.name, asked.why)
    return {}


@router.post("/cases/{id_}/comments")
def comment(case: OfCase, said: Why, view: Seen) -> Comment:
    """Write a comment to a case."""
    return view.room.store.comment(case.subject, view.person.name, said.why)


@router.post("/cases/{id_}/sign")
def sign(case: OfCase, asked: Sign, view: Seen) -> Signature:
    """Sign a case, which locks this reader's readings of it."""
    person = view.person
    if len(view.room.store.readings(case.subject, person.name)) != len(view.own(case.subject)):
        raise RefusedError(
            409,
            "images_missing",
            "Some of your readings of this case lie on images that are not here.",
            "Open the room on all of its scans.",
        )
    looked_at = {each.instance.sop_instance_uid: each.visit for each in case.pictures} if asked.no_lesion else {}
    signature = view.room.store.sign(case.subject, person.name, person.role, asked.versions, asked.statement, looked_at)
    _write(view, "It is signed")
    return signature


@router.post("/cases/{id_}/reopen")
def reopen(case: OfCase, said: Why, view: Seen) -> dict[str, str]:
    """Take this reader's signature of a case back."""
    view.room.store.reopen(case.subject, view.person.name, said.why)
    _write(view, "It is open again")
    return {}


def _write(view: View, done: str) -> None:
    """Write the table that the next run takes; where that fails, what was ``done`` is kept all the same."""
    try:
        write_calipers(view.room.store, view.room.request.run.out)
    except WriteError as error:
        remedy = f"{error.remedy} Then export the signed readings: that writes them again."
        raise RefusedError(500, "not_written", f"{done}, but for the next run: {error.reason}", remedy) from error


def _picture(draft: Draft, view: View) -> Picture:
    picture = view.room.cases.picture(draft.image)
    if picture is None:
        raise unknown("image")
    if draft.frame > picture.instance.frames:
        raise RefusedError(400, "no_such_frame", "The image has no such frame.")
    return picture


def _to_keep(draft: Draft, picture: Picture, view: View) -> Draft:
    """The draft with the image's id that is the same in open and in blinded reading."""
    return draft.model_copy(update={"image": view.room.kept_ids.of("image", picture.instance.sop_instance_uid)})
