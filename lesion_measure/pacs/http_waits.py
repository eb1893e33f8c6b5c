"""Times within which the head of an answer, and each part of its body, have to be there as a whole.

A timeout of HTTP libraries is one for the next byte. A server that sends a byte now and then in the head, or in what
stands between the chunks of a body, would never be over.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
    """Calls ``end`` after some seconds, in a thread of its own, unless `again` or `over` come first."""

    def __init__(self, seconds: float, end: Callable[[], object]) -> None:
        self._seconds, self._end = seconds, end
        self.passed = False
        self._start()

    def again(self) -> None:
        """Begin to count anew."""
        self._timer.cancel()
        self._start()

    def over(self) -> None:
        """Count no more."""
        self._timer.cancel()

    def _start(self) -> None:
        self._timer = threading.Timer(self._seconds, self._pass)
        self._timer.daemon = True
        self._timer.start()

    def _pass(self) -> None:
        self.passed = True
        with suppress(OSError, ValueError, RuntimeError):  # it is closed already
            self._end()


@contextmanager
def _head_within(connection: HTTPConnection) -> Iterator[None]:
    sock, seconds = connection.sock, connection.timeout
    assert isinstance(seconds, int | float)  # of `patience`, which every request is given
    assert sock is not None
    deadline = Deadline(seconds, lambda: sock.shutdown(socket.SHUT_RDWR))
    try:
        yield
    finally:
        deadline.over()


class _Plain(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the class above
        with _head_within(self):
            return super().getresponse()


class _Secured(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the class above
        with _head_within(self):
            return super().getresponse()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecuredPool(HTTPSConnectionPool):
    ConnectionCls = _Secured


class Adapter(HTTPAdapter):
    """Requests whose answers have a head within the time of an answer."""

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        """As the class above, with connections of our own."""
        super().init_poolmanager(*sizes, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecuredPool}


@contextmanager
def body_within(answer: requests.Response, seconds: float) -> Iterator[Deadline]:
    """A deadline for what comes next of a body; whoever reads it says when that is there.

    Raises
    ------
    TimeoutError
        It did not come; the connection was shut down, which looks like the end of a body that states no length.
    """
    deadline = Deadline(seconds, answer.raw.shutdown)
    try:
        yield deadline
    finally:
        deadline.over()
    if deadline.passed:
        raise TimeoutError
