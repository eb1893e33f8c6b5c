"""Which requests are answered at all, and what every answer tells the browser to refuse.

The page holds children's scans, so nobody but it may talk to the server: not another site in the same browser, not a
name that somebody points at this machine, and nothing that is too big to be meant.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesion_measure.config.pacs import is_loopback
from lesion_measure.review.messages import Problem

MOST_BODY = 1 << 20
"""Bytes of a request; a contour of most points takes a tenth."""
API = "/api/"
SAFE = frozenset(("GET", "HEAD"))
"""Methods that change nothing."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Under which names the server is reached.

    ``host`` and ``port`` as it listens, ``tls`` whether it speaks TLS itself, ``public_url`` the address that browsers
    know where a proxy stands before it.
    """

    host: str
    port: int
    tls: bool = False
    public_url: str = ""
    _names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = {"127.0.0.1", "localhost", "[::1]"} if is_loopback(self.host) else {self.host}
        known = {f"{name}:{self.port}" for name in names} | ({*names} if self.port in (80, 443) else set())
        known |= {urlsplit(self.public_url).netloc} if self.public_url else set()
        object.__setattr__(self, "_names", frozenset(name.lower() for name in known))

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS, so that the cookie may ask for it."""
        return self.tls or self.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie. Browsers tell cookies of one machine apart by name, and not by port."""
        return f"{'__Host-' if self.secure else ''}review-{self.port}"

    def knows(self, host: str) -> bool:
        """Whether a Host header names this server.

        A name that is not known may be another site's that points here (DNS rebinding). A bare address cannot be: where
        the server listens beyond this machine, those are its own.
        """
        return host.lower() in self._names or (not is_loopback(self.host) and is_address(_bare(host)))

    def is_own(self, origin: str, host: str) -> bool:
        """Whether an Origin header names the page that this server gave out under that Host."""
        if self.public_url and urlsplit(self.public_url).netloc == host:
            return origin == self.public_url.rstrip("/")
        return origin == f"{'https' if self.tls else 'http'}://{host}"


def is_address(host: str) -> bool:
    """Whether a host is an address, and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _bare(host: str) -> str:
    """A Host header without its port and brackets."""
    name, _, port = host.rpartition(":")
    return (name if port.isdigit() and name else host).strip("[]")


class Gate:
    """ASGI middleware before everything else.

    Parameters
    ----------
    app
        What answers the requests that are let through.
    door
        The server's own names.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        send = _with_headers(send, scope["path"])
        headers = Headers(scope=scope)
        refused = self._refused(scope["method"], scope["path"], headers)
        body = b"" if refused else await _body(receive)
        if body is None:
            refused = 413, Problem(code="too_large", reason="The request is too large.")
        if refused:
            status, problem = refused
            await answer(status, problem)(scope, receive, send)
            return
        await self._app(scope, _replayed(body or b"", receive), send)

    def _refused(self, method: str, path: str, headers: Headers) -> tuple[int, Problem] | None:
        host, origin, site = (headers.get(name) for name in ("host", "origin", "sec-fetch-site"))
        if host is None or not self._door.knows(host):
            return 400, Problem(
                code="unknown_host",
                reason="The address is not one of this server's.",
                remedy="Open the address that the server printed.",
            )
        writes = method not in SAFE
        foreign = (origin is not None and not self._door.is_own(origin, host)) or (
            site is not None and site != "same-origin" and (writes or site != "none")
        )
        if foreign and (writes or path.startswith(API)):
            return 403, Problem(code="cross_origin", reason="The request comes from another site.")
        return None


def answer(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as an answer."""
    return Response(problem.model_dump_json(), status, headers, media_type="application/json")


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None where it is larger than any that is meant."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""  # whoever asked has gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_headers(send: Send, path: str) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers["Cache-Control"] = "no-store" if path.startswith(API) else "no-cache"
        await send(message)

    return guarded
