"""The one part of a multipart body (RFC 2046, 5.1), handed on as it comes: nothing is kept but a few bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import Message

from lesion_measure.errors import PacsError
from lesion_measure.pacs.retry import Transient

_MOST_BEFORE, _MOST_HEADERS = 1 << 16, 1 << 14


def media_type(content_type: str) -> tuple[str, str]:
    """The media type in lower case, and the boundary, empty where none is stated."""
    message = Message()
    message["Content-Type"] = content_type
    return message.get_content_type(), message.get_boundary() or ""


def write_part(pieces: Iterator[bytes], boundary: str, write: Callable[[bytes], object]) -> str:
    """Hand on the content of the one part; returns its media type.

    Parameters
    ----------
    pieces
        The body.
    boundary
        As the header of the answer states it.
    write
        Called with the content, piece by piece.

    Raises
    ------
    Transient
        The body ends before the closing boundary.
    PacsError
        The body is no multipart body of this boundary, or has more than one part.
    """
    if not boundary or len(boundary) > 200 or not boundary.isascii():
        raise _wrong("a multipart body without a boundary")
    body = _Body(pieces)
    mark = b"\r\n--" + boundary.encode()
    body.unread(b"\r\n")  # the first boundary may stand at the very start
    if not body.pass_on(mark, most=_MOST_BEFORE):
        raise _wrong("a body in which the boundary that it names does not occur")
    if body.take(2) != b"\r\n":
        raise _wrong("a multipart body without a part")
    stated = bytearray()
    body.unread(b"\r\n")  # a part may have no header
    if not body.pass_on(b"\r\n\r\n", stated.extend, most=_MOST_HEADERS):
        raise _wrong("a part whose header does not end")
    if not body.pass_on(mark, write):
        raise cut_off()
    end = body.take(2)
    if len(end) < 2:
        raise cut_off()
    if end != b"--":
        raise _wrong("several parts in the place of one")
    return _part_type(bytes(stated))


def cut_off() -> Transient:
    """What an answer that ends too soon comes to."""
    return Transient(
        PacsError("The PACS' answer is cut off.", remedy="Give the same command again.", code="pacs_incomplete")
    )


def _part_type(stated: bytes) -> str:
    for line in stated.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-type":
            return media_type(value.strip())[0]
    return ""


def _wrong(what: str) -> PacsError:
    return PacsError(f"The PACS answers with {what}.", remedy="Its log may say why.", code="pacs_answer")


class _Body:
    """A body with as many bytes at hand as a search for a mark needs."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._have = b""

    def unread(self, data: bytes) -> None:
        self._have = data + self._have

    def take(self, count: int) -> bytes:
        while len(self._have) < count and self._more():
            pass
        data, self._have = self._have[:count], self._have[count:]
        return data

    def pass_on(self, mark: bytes, write: Callable[[bytes], object] | None = None, most: int | None = None) -> bool:
        """Hand on what stands before the mark, and step over that; False where it does not come, or not within."""
        passed = 0
        while (at := self._have.find(mark)) < 0:
            ready = len(self._have) - len(mark) + 1
            if ready > 0:
                if write:
                    write(self._have[:ready])
                passed += ready
                self._have = self._have[ready:]
            if (most is not None and passed > most) or not self._more():
                return False
        if write:
            write(self._have[:at])
        self._have = self._have[at + len(mark) :]
        return True

    def _more(self) -> bool:
        data = next(self._pieces, b"")
        self._have += data
        return bool(data)
