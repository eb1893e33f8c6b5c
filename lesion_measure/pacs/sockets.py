"""Sockets of associations, which end: pynetdicom waits for the rest of a PDU for ever, and takes one of any length.

A peer that loses its power in the middle of an object says no more and closes nothing. Its association would stay, and
a node takes few at a time: after some of them nobody could send.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from queue import Empty
from typing import Any

from pynetdicom import evt
from pynetdicom.association import Association

_MOST_PDU_BYTES = 1 << 20
"""Larger than any that is meant: PDUs of data are of the size that we state, and requests have some 128 contexts."""
_PIECE = 1 << 16
_LEAST_BYTES = 1000
"""Bytes that have to come within the time of an answer; fewer are a connection that is kept open for nothing."""
_BEFORE_A_REQUEST = "Sta2"  # PS3.8 9.2.2
_END_S = 1.0
"""How long an association may take to end when it is told to."""


class Line:
    """What bounds the sockets of associations, and counts the bytes that come over them.

    Parameters
    ----------
    seconds
        Time without a byte, and time for one PDU, after which an association is lost.
    most
        Bytes that may come until an answer is there; pynetdicom keeps them in memory.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._count = 0

    def handlers(self) -> list[tuple[Any, Any]]:
        """What pynetdicom has to call for each association."""
        return [(evt.EVT_CONN_OPEN, self._opened), (evt.EVT_CONN_CLOSE, self._closed)]

    def _opened(self, event: evt.Event) -> None:
        own: Any = event.assoc.dul.socket
        own.socket.settimeout(self._seconds)
        own.recv = partial(self._received, own)

    def _closed(self, event: evt.Event) -> None:
        """Let go at once of whoever came, asked for nothing and left, such as a check whether the port is open."""
        dul: Any = event.assoc.dul
        if dul.state_machine.current_state == _BEFORE_A_REQUEST:
            dul.to_user_queue.put(None)  # pynetdicom's own word for one that did not come in time

    def _received(self, own: Any, count: int) -> bytearray:
        """``count`` bytes, fewer where the peer closes the connection; what this raises closes it on our side."""
        if count > _MOST_PDU_BYTES:
            raise OSError("The PDU is too large.")
        data, until = bytearray(), time.monotonic() + self._seconds
        while len(data) < count:
            piece = own.socket.recv(min(count - len(data), _PIECE))
            if not piece:
                break
            data += piece
            self._count += len(piece)
            if time.monotonic() > until:
                raise TimeoutError
        return data

    def answers_may_be_long(self, association: Association) -> None:
        """Let an answer come for as long as bytes do: pynetdicom gives a whole object the time of one answer."""
        queue = association.dimse.msg_queue

        def message(block: bool = False) -> Any:
            began = self._count
            while True:
                had = self._count
                try:
                    return queue.get(block, self._seconds)
                except Empty:
                    if not block or self._count - had < _LEAST_BYTES or self._count - began > self._most:
                        return None, None

        association.dimse.get_msg = message  # type: ignore[method-assign]


def end(associations: Iterable[Association], grace_s: float) -> None:
    """End associations with our node, so that nothing comes in when this returns.

    Parameters
    ----------
    associations
        Those that are open.
    grace_s
        How long each may go on, so that a peer gets the answer to what it asked.
    """
    for association in associations:
        association.join(grace_s)
        association.abort(block=False)
        association.join(_END_S)
        own = association.dul.socket
        if association.is_alive() and own is not None and own.socket is not None:  # it waits for the rest of a PDU
            with suppress(OSError):  # that came, and it closed the socket itself
                own.socket.shutdown(socket.SHUT_RDWR)
            association.join(_END_S)


def hands_shaken_later(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context for a server that greets each peer in the thread of its association.

    pynetdicom would do it in the thread that takes connections: whoever connects and says nothing would shut the door.
    """
    context.wrap_socket = partial(context.wrap_socket, do_handshake_on_connect=False)  # type: ignore[method-assign]
    return context
