"""Connections that ask for something in time, or are closed: the server takes a bounded number of them."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 60.0
"""How long a request may take to come, head and body, from the opening of its connection or the answer before."""


class Patient(H11Protocol):
    """uvicorn's HTTP, which waits for the rest of a request for ever.

    A laptop that loses its network in the middle of an edit would hold a connection until the server is started again.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class above
        """A browser connects."""
        super().connection_made(transport)
        self._await_request()

    def on_response_complete(self) -> None:
        """A request was answered; the next one may follow."""
        super().on_response_complete()
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(REQUEST_S, self._close_late)

    def _close_late(self) -> None:
        """Close the connection unless a whole request came, which is being answered."""
        if self.conn.their_state not in (h11.DONE, h11.MUST_CLOSE):
            self.transport.close()
