"""A JSON file whose long lists have a line for each item, read item by item: all of it may be more than memory holds.

What a run writes looks like this, each value on its line. Any other layout of the same JSON is told from it::

    {
     "name": value,
     "list": [
      item,
      item
     ]
    }
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list: its JSON, and where that begins in the file, in bytes."""

    text: bytes
    place: int


@dataclass(frozen=True, slots=True)
class Listed:
    """The file with the lists empty that were read item by item, and the SHA-256 of all its bytes."""

    rest: bytes
    sha256: str


class _LayoutError(Exception):
    """The file is none that a run writes."""


def read_listed(stream: BinaryIO, lists: Mapping[str, Callable[[Item], None]], most: int) -> Listed | None:
    """Read a file whose ``lists`` have a line for each item, which is given to the list's function.

    Parameters
    ----------
    stream
        The file from its beginning.
    lists
        What takes the items of each list, by its name.
    most
        Bytes that a file may have.

    Returns
    -------
    None where the file is larger or has another layout. Items may have been given by then.
    """
    try:
        return _Reader(lists, most).read(stream)
    except _LayoutError:
        return None


class _Reader:
    def __init__(self, lists: Mapping[str, Callable[[Item], None]], most: int) -> None:
        self._lists, self._most = lists, most
        self._rest: list[bytes] = []
        self._names: set[str] = set()
        self._take: Callable[[Item], None] | None = None
        self._more: bool | None = None
        """Whether the last item announced another one; None before the first."""

    def read(self, stream: BinaryIO) -> Listed:
        digest, place = hashlib.sha256(), 0
        while line := stream.readline(self._most + 1):
            digest.update(line)
            if place + len(line) > self._most:
                raise _LayoutError
            self._line(line, place)
            place += len(line)
        return Listed(b"".join(self._rest), digest.hexdigest())

    def _line(self, line: bytes, place: int) -> None:
        if self._take is None:
            self._outside(line)
        elif line in (b" ],\n", b" ]\n"):
            self._next(ends=True)
            self._rest.append(line)
            self._take = None
        else:
            self._next(ends=False)
            self._more = line.endswith(b",\n")
            self._take(Item(line[: -2 if self._more else -1], place))

    def _next(self, *, ends: bool) -> None:
        """Refuse an item without a comma before it, and an end with one."""
        if self._more is ends:
            raise _LayoutError

    def _outside(self, line: bytes) -> None:
        """A line of the object itself: its braces, or one name with its value."""
        self._rest.append(line)
        if line in (b"{\n", b"}\n"):
            return
        begins = line.endswith(b": [\n")
        try:
            ((name, value),) = json.loads(b"{" + (line[:-1] + b"]" if begins else line.rstrip(b",\n")) + b"}").items()
        except (ValueError, RecursionError) as error:
            raise _LayoutError from error
        if name in self._names or (begins and name not in self._lists):
            raise _LayoutError
        if not begins and name in self._lists and value != []:  # its items are not on lines of their own
            raise _LayoutError
        self._names.add(name)
        if begins:
            self._take, self._more = self._lists[name], None
