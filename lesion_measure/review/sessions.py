"""Who is at the door: a token or a password becomes a session, which a cookie and a header then stand for."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from lesion_measure.review.messages import Role
from lesion_measure.spelling import nfc

TOKEN_HEADER = "X-Review-Token"  # noqa: S105 - a header's name
MOST_SESSIONS = 200
IDLE_SECONDS = 12 * 3600.0
"""A session that is not used for so long ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may read. The name is composed, as the store keeps it: é is one letter, however it was typed."""

    name: str
    role: Role

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", nfc(self.name.strip()))


@dataclass(slots=True, kw_only=True)
class OpenSession:
    """One browser of one person. ``csrf`` is told to the page alone, which says it in a header of every write."""

    person: Person
    csrf: str
    used: float

    def says(self, csrf: str) -> bool:
        """Whether that is what the page was told."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """The open sessions, by the secret in the browser's cookie. They are in memory: a new server begins without any.

    Parameters
    ----------
    clock
        Seconds; tests give one of their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, OpenSession] = {}

    def open(self, person: Person) -> tuple[str, OpenSession]:
        """A new session, and what goes into the cookie; the one longest unused ends where there are too many."""
        while len(self._open) >= MOST_SESSIONS:
            del self._open[min(self._open, key=lambda each: self._open[each].used)]
        cookie = secrets.token_urlsafe(32)
        self._open[cookie] = OpenSession(person=person, csrf=secrets.token_urlsafe(32), used=self._clock())
        return cookie, self._open[cookie]

    def find(self, cookie: str) -> OpenSession | None:
        """The session of a cookie; None where there is none or it was not used for too long."""
        found = self._open.get(cookie)
        if found is None:
            return None
        if self._clock() - found.used > IDLE_SECONDS:
            self.close(cookie)
            return None
        found.used = self._clock()
        return found

    def close(self, cookie: str) -> None:
        """End a session."""
        self._open.pop(cookie, None)
