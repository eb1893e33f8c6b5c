"""Frames of images, and what is measured and outlined on them without being kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from lesion_measure.records import Point
from lesion_measure.review.messages import Earlier, Measure, Measured, Outlined, Prompt
from lesion_measure.review.refused import RefusedError, unknown
from lesion_measure.review.routes.shared import InRoom, OfPicture, Seen, SignedIn

router = APIRouter()


@router.get("/images/{id_}/frames/{frame}.png")
def get_frame(picture: OfPicture, frame: Annotated[int, Path(ge=1)], room: InRoom, session: SignedIn) -> Response:
    """One frame (from 1), every grey level as it was decoded."""
    return Response(room.frames.png(picture.instance, frame), media_type="image/png")


@router.get("/images/{id_}/frames/{frame}/burnt-in")
def get_burnt_in(
    picture: OfPicture, frame: Annotated[int, Path(ge=1)], room: InRoom, session: SignedIn
) -> list[Earlier]:
    """Calipers that the scanner burnt into a frame; none in blinded reading."""
    return list(room.suggested.burnt_in(picture, frame))


@router.get("/images/{id_}/area")
def get_area(picture: OfPicture, room: InRoom, session: SignedIn) -> dict[str, list[list[Point]]]:
    """Lines around what was insonated."""
    return {"outlines": room.frames.area(picture.instance)}


@router.post("/measure")
def measure(asked: Measure, view: Seen) -> Measured:
    """Measure a drawing that is not kept."""
    picture = view.room.cases.picture(asked.image)
    if picture is None:
        raise unknown("image")
    return view.measured(picture, asked)


@router.post("/outline")
def outline(asked: Prompt, room: InRoom, session: SignedIn) -> Outlined:
    """What the network draws where somebody clicks, draws a box or calipers."""
    picture = room.cases.picture(asked.image)
    if picture is None:
        raise unknown("image")
    if room.outliner is None:
        raise RefusedError(400, "no_network", "There is no network in this room.", "Leave out --no-network.")
    return room.told_outline(room.outliner.outline(picture.instance, asked, session.csrf))
