"""Where each top-level element of a DICOM file lies, found by lengths alone: no value is read, whatever its size.

Sequences and fragments of undefined length are walked to their delimiters (PS3.5 7.5 and A.4). A file that ends before
an element does is cut off, which a reader of values may not notice.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from lesion_measure.config import Limits
from lesion_measure.dicom.headers import EXPLICIT_BIG, IMPLICIT_LITTLE
from lesion_measure.errors import InputError

PIXEL_DATA = 0x7FE00010
TRAILING_PADDING = 0xFFFCFFFC
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_PREAMBLE = 128
_MOST_ELEMENTS = 2_000_000  # of 2,000 frames with twenty groups of elements each, all of undefined length


@dataclass(frozen=True, slots=True)
class Span:
    """One top-level element: bytes ``start`` to ``end`` are its value, with all delimiters.

    ``fragments`` counts the non-empty fragments of encapsulated pixel data, without the offset table; None elsewhere.
    """

    tag: int
    vr: bytes
    start: int
    end: int
    fragments: int | None = None


def cut_off(what: str = "It ends in the middle of an element.") -> InputError:
    """The error for a file that is not whole."""
    return InputError(f"The file is cut off. {what}", remedy="Transfer it again.", code="incomplete")


def dataset_start(stream: BinaryIO) -> int:
    """Position of the first element after the file meta information (PS3.10 7.1).

    Raises
    ------
    InputError
        Code ``no_file_meta``: the file has no preamble with DICM, or no group 0002; ``incomplete``: it ends there.
    """
    stream.seek(0)
    if stream.read(_PREAMBLE + 4)[_PREAMBLE:] != b"DICM":
        raise InputError(
            "The file has no file meta information.", remedy="Export it again as a DICOM file (PS3.10).",
            code="no_file_meta",
        )  # fmt: skip
    walker = _Walker(stream, implicit=False, little=True)
    while True:
        position = stream.tell()
        start = stream.read(2)
        stream.seek(position)
        if start != b"\x02\x00":
            return position
        walker.element()


def spans(stream: BinaryIO, start: int, transfer_syntax: str, nesting: int = Limits().nesting) -> Iterator[Span]:
    """The top-level elements from ``start`` to the end of the file; zeros after the last one are no element.

    Raises
    ------
    InputError
        Code ``incomplete``: the file ends inside an element; ``unreadable``: lengths or delimiters cannot be.
    """
    walker = _Walker(
        stream, implicit=transfer_syntax == IMPLICIT_LITTLE, little=transfer_syntax != EXPLICIT_BIG, nesting=nesting
    )
    stream.seek(start)
    while not walker.at_end():
        yield walker.element()


class _Walker:
    """Steps over elements; nothing is read but tags, representations and lengths."""

    def __init__(self, stream: BinaryIO, *, implicit: bool, little: bool, nesting: int = Limits().nesting) -> None:
        self._stream = stream
        here = stream.tell()
        self._size = stream.seek(0, 2)
        stream.seek(here)
        self._implicit = implicit
        self._order = "<" if little else ">"
        self._nesting = nesting
        self._left = _MOST_ELEMENTS

    def at_end(self) -> bool:
        """Whether no element follows: the file ends here, or holds zeros alone."""
        here = self._stream.tell()
        head = self._stream.read(8)
        self._stream.seek(here)
        if not head:
            return True
        if head.strip(b"\0"):
            return False
        while chunk := self._stream.read(1 << 16):
            if chunk.strip(b"\0"):
                raise cut_off("Zeros stand in the place of elements.")
        return True

    def element(self) -> Span:
        tag, vr, length = self._head(self._implicit)
        start = self._stream.tell()
        if length != _UNDEFINED:
            self._skip(length)
            return Span(tag, vr, start, start + length)
        if tag == PIXEL_DATA:
            fragments = self._fragments()
            return Span(tag, vr, start, self._stream.tell(), fragments)
        self._sequence(self._implicit or vr == b"UN", 1)
        return Span(tag, vr, start, self._stream.tell())

    def _head(self, implicit: bool) -> tuple[int, bytes, int]:
        """Tag, representation and length of what follows; items and delimiters have no representation."""
        self._left -= 1
        if self._left < 0:
            raise _impossible("it has far too many elements")
        group, number = struct.unpack(f"{self._order}HH", self._exactly(4))
        tag = group << 16 | number
        if implicit or group == 0xFFFE:
            return tag, b"", struct.unpack(f"{self._order}L", self._exactly(4))[0]
        vr = self._exactly(2)
        if not (vr.isalpha() and vr.isupper()):
            raise _impossible("an element has no value representation")
        if vr in _LONG_VRS:
            return tag, vr, struct.unpack(f"{self._order}xxL", self._exactly(6))[0]
        return tag, vr, struct.unpack(f"{self._order}H", self._exactly(2))[0]

    def _sequence(self, implicit: bool, depth: int) -> None:
        """Step over the items of a sequence of undefined length, and its delimiter."""
        if depth > self._nesting:
            raise _impossible("its sequences are nested too deeply")
        while True:
            tag, _, length = self._head(True)
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise _impossible("a sequence holds what is no item")
            if length != _UNDEFINED:
                self._skip(length)
            else:
                self._item(implicit, depth)

    def _item(self, implicit: bool, depth: int) -> None:
        while True:
            tag, vr, length = self._head(implicit)
            if tag == _ITEM_END:
                return
            if length == _UNDEFINED:
                self._sequence(implicit or vr == b"UN", depth + 1)
            else:
                self._skip(length)

    def _fragments(self) -> int:
        count = -1  # the first item is the offset table
        while True:
            tag, _, length = self._head(True)
            if tag == _SEQUENCE_END:
                return max(count, 0)
            if tag != _ITEM or length == _UNDEFINED:
                raise _impossible("the fragments of the frames are out of order")
            self._skip(length)
            count += 1 if length or count < 0 else 0

    def _exactly(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) < count:
            raise cut_off()
        return data

    def _skip(self, length: int) -> None:
        if self._stream.tell() + length > self._size:
            raise cut_off()
        self._stream.seek(length, 1)


def _impossible(what: str) -> InputError:
    return InputError(f"This is DICOM, and damaged: {what}.", remedy="Transfer it again.", code="unreadable")
