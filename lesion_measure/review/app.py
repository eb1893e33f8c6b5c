"""The web application: routes, how refusals are told, and the page's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from lesion_measure.errors import ConflictError, LesionMeasureError, LockedError, WriteError
from lesion_measure.review.messages import Problem, Reading
from lesion_measure.review.refused import RefusedError
from lesion_measure.review.room import Room
from lesion_measure.review.routes import entry, exports, listing, pictures, readings
from lesion_measure.review.security import API, Gate, answer
from lesion_measure.review.view import View

STATIC = Path(__file__).parent / "static"
NO_TELEMETRY: Final[Any] = dict.fromkeys(("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False)
_ROUTERS = (entry.router, listing.router, pictures.router, readings.router, exports.router)

_STATUS = {"no_reading": 404, "not_own": 403}
"""By the code of an error; others are 400."""


def make_app(room: Room) -> ASGIApp:
    """The application of one room.

    The framework's pages about it are off: they load scripts from elsewhere. So is its telemetry, which would send
    messages of errors to wherever the environment says.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY)
    app.state.room = room
    api = APIRouter(prefix=API.rstrip("/"))
    for router in _ROUTERS:
        api.include_router(router)
    app.include_router(api)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(LesionMeasureError, _our_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_status)
    return Gate(app, room.door)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return answer(error.status, error.problem)


def _our_error(request: Request, error: Exception) -> Response:
    """What the package refuses, in its own words as far as they may be told."""
    assert isinstance(error, LesionMeasureError)
    room: Room = request.app.state.room
    reason, remedy = (next(iter(room.naming.notes([text])), "") for text in (error.reason, error.remedy))
    problem = Problem(code=error.code, reason=reason or "It cannot be done.", remedy=remedy)
    if isinstance(error, ConflictError):
        return answer(409, problem.model_copy(update={"current": _current(request, room, error)}))
    if isinstance(error, LockedError):
        return answer(423, problem)
    return answer(500 if isinstance(error, WriteError) else _STATUS.get(error.code, 400), problem)


def _current(request: Request, room: Room, error: ConflictError) -> Reading | None:
    """What is kept now, for whoever was overtaken; their own readings alone can be."""
    session = room.sessions.find(request.cookies.get(room.door.cookie, ""))
    if error.current is None or session is None or room.cases.of_uid(error.current.image_uid) is None:
        return None
    return View(room, session.person).reading(error.current)


def _invalid(request: Request, error: Exception) -> Response:
    """What does not fit the messages; the value is not repeated, since it may say who a child is."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][:6])[:200]
    return answer(422, Problem(code="invalid", reason=f"The request is not understood: {where}: {first['msg'][:200]}."))


def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason = {404: "There is nothing here.", 405: "That cannot be done here."}.get(error.status_code, "Not understood.")
    return answer(error.status_code, Problem(code=f"http_{error.status_code}", reason=reason))
