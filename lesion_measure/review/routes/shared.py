"""What a route is given: the room, and who asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from lesion_measure.review.cases import Picture, ReadingCase
from lesion_measure.review.messages import Id
from lesion_measure.review.refused import RefusedError, unknown
from lesion_measure.review.room import Room
from lesion_measure.review.security import SAFE
from lesion_measure.review.sessions import TOKEN_HEADER, OpenSession
from lesion_measure.review.view import View


def _room(request: Request) -> Room:
    room: Room = request.app.state.room
    return room


InRoom = Annotated[Room, Depends(_room)]


def _session(request: Request, room: InRoom) -> OpenSession:
    found = room.sessions.find(request.cookies.get(room.door.cookie, ""))
    if found is None:
        raise RefusedError(401, "no_session", "Nobody is signed in.", "Open the address that the server printed.")
    if request.method not in SAFE and not found.says(request.headers.get(TOKEN_HEADER, "")):
        raise RefusedError(403, "no_token", "The request does not come from this session's page.", "Reload the page.")
    return found


SignedIn = Annotated[OpenSession, Depends(_session)]


def _view(session: SignedIn, room: InRoom) -> View:
    return View(room, session.person)


Seen = Annotated[View, Depends(_view)]


def _case(id_: Id, room: InRoom) -> ReadingCase:
    found = room.cases.case(id_)
    if found is None:
        raise unknown("case")
    return found


def _picture(id_: Id, room: InRoom) -> Picture:
    found = room.cases.picture(id_)
    if found is None:
        raise unknown("image")
    return found


OfCase = Annotated[ReadingCase, Depends(_case)]
OfPicture = Annotated[Picture, Depends(_picture)]
