"""The server's process: it listens, says where, and ends in peace at Ctrl-C."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

import uvicorn

from lesion_measure.errors import WriteError
from lesion_measure.review.app import make_app
from lesion_measure.review.patience import Patient
from lesion_measure.review.room import Room
from lesion_measure.review.security import is_address

MOST_CONNECTIONS = 200
_SECONDS_TO_END = 5


def address(room: Room) -> str:
    """What to open in a browser. The token stands behind #, which no browser sends to a server or a log."""
    door = room.door
    every = ipaddress.ip_address(door.host).is_unspecified if is_address(door.host) else False
    host = "127.0.0.1" if every else f"[{door.host}]" if ":" in door.host else door.host
    url = door.public_url.rstrip("/") or f"{'https' if door.tls else 'http'}://{host}:{door.port}"
    return f"{url}/#token={room.token}" if room.token else f"{url}/"


class _WithoutWords(logging.Formatter):
    """Where a defect arose and of which kind it is; its message may quote what a file or a reader says."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, whatever other formatters made of it before."""
        record.exc_text = None
        return super().format(record)

    def formatException(  # noqa: N802 - the library's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """The lines of code that led there, and the name of the error's class."""
        kind, _, at = ei
        return "".join(traceback.format_tb(at)) + (kind.__name__ if kind else "")


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at an address, before the scans are read; nothing is answered yet.

    Raises
    ------
    WriteError
        The port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:  # else asyncio leaves Nagle on
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise WriteError(
                f"Port {port} of {host} cannot be listened at ({error.strerror}).",
                remedy="Give another --port; 0 takes any that is free.",
                code="port_taken",
            ) from error
        yield bound


def make_server(room: Room) -> uvicorn.Server:
    """The server of a room; it writes no log of requests, whose addresses are nobody's business."""
    certificate, key = room.request.tls or (None, None)
    return uvicorn.Server(
        uvicorn.Config(
            make_app(room),
            http=Patient,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=_SECONDS_TO_END,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            ws="none",
        )
    )


def serve(room: Room, listening: socket.socket, told: Callable[[], None]) -> None:
    """Answer requests until the process is interrupted; ``told`` is called when the first can be answered.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C, after the requests that were under way have been answered.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_WithoutWords())
    logging.getLogger("uvicorn.error").addHandler(handler)
    server = make_server(room)
    listening.listen()  # whoever connects from now on is answered, if a moment later
    told()
    asyncio.run(server.serve(sockets=[listening]))
