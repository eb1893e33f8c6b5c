"""Coming in and going out."""

from __future__ import annotations

import hmac
import math
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from lesion_measure import __version__
from lesion_measure.review.messages import Entry, Message, Session
from lesion_measure.review.refused import RefusedError
from lesion_measure.review.room import Room
from lesion_measure.review.routes.shared import InRoom, SignedIn
from lesion_measure.review.sessions import OpenSession, Person

router = APIRouter()
_REMEDY = {False: "Open the address that the server printed.", True: "Check name and password."}


class Login(Message):
    """A token, or a name and a password."""

    token: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[str, Field(max_length=200)] = ""


@router.get("/entry")
def entry(room: InRoom) -> Entry:
    """What opens a session; whoever has none may ask."""
    return Entry(by="token" if room.users is None else "password")


@router.post("/login")
def login(said: Login, request: Request, room: InRoom, response: Response) -> Session:
    """Open a session; its cookie goes with the answer."""
    who = f"{request.client.host if request.client else ''} {said.name}"
    if (seconds := math.ceil(room.attempts.wait(who))) > 0:
        raise RefusedError(429, "wait", f"Too many tries that failed; wait {seconds} s.", after_s=seconds)
    person = _person(said, room)
    if person is None:
        room.attempts.failed(who)
        raise RefusedError(401, "not_known", "That opens nothing.", _REMEDY[room.users is not None])
    room.attempts.succeeded(who)
    cookie, session = room.sessions.open(person)
    response.set_cookie(room.door.cookie, cookie, httponly=True, samesite="strict", secure=room.door.secure, path="/")
    return _told(session, room)


@router.post("/logout")
def logout(request: Request, session: SignedIn, room: InRoom, response: Response) -> dict[str, str]:
    """End the session."""
    room.sessions.close(request.cookies[room.door.cookie])
    response.delete_cookie(room.door.cookie, httponly=True, samesite="strict", secure=room.door.secure, path="/")
    return {}


@router.get("/session")
def session(session: SignedIn, room: InRoom) -> Session:
    """Who is reading, and how."""
    return _told(session, room)


def _person(said: Login, room: Room) -> Person | None:
    if room.users is not None:
        return room.users.person(said.name, said.password)
    fits = hmac.compare_digest(room.token.encode(), said.token.encode())
    return Person(name=room.request.reader, role=room.request.role) if fits else None


def _told(session: OpenSession, room: Room) -> Session:
    return Session(
        reader=session.person.name,
        role=session.person.role,
        blinded=room.request.blinded,
        network=room.network,
        csrf=session.csrf,
        version=__version__,
        tables=room.request.tables,
        command=room.request.next_run(),
    )
