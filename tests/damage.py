"""Files damaged by a seeded hand: bytes, structure, numbers that lie, bombs; and what a header says all the same."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from lesion_measure.dicom.elements import Elements, items, numbers, raw_text, text, texts
from lesion_measure.dicom.headers import Header
from lesion_measure.dicom.stored import vr_of
from lesion_measure.errors import InputError

MARKS = (
    b"\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0", b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"SQ\0\0", b"UN\0\0", b"OB\0\0",
    b"\0\0\0\0", b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 192", b"\xe0\x7f\x10\x00", b"\\\\",
)  # fmt: skip
"""What headers are made of, in the wrong place."""


def damaged(data: bytes, rng: random.Random, first: int = 0) -> bytes:
    """The bytes with some overwritten, put in, taken out or cut off behind ``first``."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(first, max(len(found), first + 1))
        kind = rng.randrange(5)
        if kind == 0:
            found[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            found[at : at + 1] = bytes([found[at] ^ 1 << rng.randrange(8)] if at < len(found) else b"")
        elif kind == 2:
            mark = rng.choice(MARKS)
            found[at : at + rng.choice((0, len(mark)))] = mark
        elif kind == 3:
            del found[at : at + rng.choice((1, 2, 8, 100))]
        elif rng.random() < 0.2:
            del found[at:]
    return bytes(found)


_WHOLE_NUMBERS = (
    b"\x28\x00\x02\x00", b"\x28\x00\x06\x00", b"\x28\x00\x10\x00", b"\x28\x00\x11\x00", b"\x28\x00\x00\x01",
    b"\x28\x00\x01\x01", b"\x28\x00\x02\x01", b"\x28\x00\x03\x01",
)  # fmt: skip
"""Samples, planar configuration, rows, columns, bits allocated and stored, high bit, representation."""
_SYNTAXES = ("", ".1", ".1.99", ".2", ".5", ".1.98", *(f".4.{ending}" for ending in (50, 57, 70, 80, 90, 91, 100, 999)))
_PRIVATE = b"\x21\x00\x01\x10"
_BEFORE_PIXELS = b"\x28\x00\x02\x00"


def lying_number(data: bytes, rng: random.Random) -> bytes:
    """One of the numbers that say how pixels are stored, changed."""
    at = data.find(rng.choice(_WHOLE_NUMBERS) + b"US\x02\x00", 132)
    (stated,) = struct.unpack_from("<H", data, at + 8)
    new = rng.choice((0, 1, 2, 3, 7, 8, 9, 16, 32, 64, stated + 1, stated - 1, stated * 2, stated // 2, 4096, 65535))
    return data[: at + 8] + struct.pack("<H", new & 0xFFFF) + data[at + 10 :] if at > 0 else damaged(data, rng)


def lying_frames(data: bytes, rng: random.Random) -> bytes:
    """Another number of frames, put in where there is none."""
    stated = rng.choice((b"0 ", b"2 ", b"3 ", b"-1", b"1e6 ", b"999999", b"2147483647", b"1\\2 ", b"x "))
    return _put_in(data, b"\x28\x00\x08\x00IS" + struct.pack("<H", len(stated)) + stated)


def lying_length(data: bytes, rng: random.Random) -> bytes:
    """The length of one element changed, that of the pixels among them."""
    at = rng.choice([data.find(tag, 132) for tag in (*_WHOLE_NUMBERS, b"\x18\x00\x11\x60SQ", b"\xe0\x7f\x10\x00")])
    if at < 0:
        return damaged(data, rng)
    wide = data[at + 4 : at + 6] in (b"SQ", b"OB", b"OW")
    new = rng.choice((0, 1, 7, 0xFF, 0xFFFF, 0xFFFFFFFE, 0xFFFFFFFF, len(data), len(data) * 2))
    place, code = (at + 8, "<L") if wide else (at + 6, "<H")
    written = struct.pack(code, new & (0xFFFFFFFF if wide else 0xFFFF))
    return data[:place] + written + data[place + len(written) :]


def nested(data: bytes, rng: random.Random) -> bytes:
    """Sequences in sequences, of undefined length, closed or not."""
    depth = rng.choice((3, 20, 300, 5000))
    opened = (_PRIVATE + b"SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * depth
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return _put_in(data, opened + closed * rng.choice((depth, depth, 0, depth // 2)))


def gigantic(data: bytes, rng: random.Random) -> bytes:
    """A header of many elements, of a large one, or of one that claims to be large."""
    kind = rng.randrange(3)
    if kind == 0:
        return _put_in(data, (_PRIVATE + b"LO\0\0") * rng.choice((1000, 300_000)))
    if kind == 1:
        return _put_in(data, _PRIVATE + b"OB\0\0" + struct.pack("<L", 5_000_000) + bytes(5_000_000))
    return _put_in(data, _PRIVATE + b"UN\0\0" + struct.pack("<L", rng.choice((1 << 20, 1 << 31, 0xFFFFFFF0))))


def other_syntax(data: bytes, rng: random.Random) -> bytes:
    """A transfer syntax that the data are not in."""
    at = data.find(b"\x02\x00\x10\x00UI")
    if at < 0:
        return damaged(data, rng)
    size = struct.unpack_from("<H", data, at + 6)[0]
    new = f"1.2.840.10008.1.2{rng.choice(_SYNTAXES)}".encode().ljust(size, b"\0")[:size]
    return data[: at + 8] + new + data[at + 8 + size :]


def cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def deflated_bomb(data: bytes, rng: random.Random) -> bytes:
    """A deflated data set that unpacks to half a gigabyte, before its pixels or in them."""
    start = data.find(b"\x08\x00\x08\x00")
    at = rng.choice((data.find(_BEFORE_PIXELS), len(data)))
    if start < 0 or at < start:
        return damaged(data, rng)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data[start:at] + _PRIVATE + b"OB\0\0" + struct.pack("<L", 1 << 29))
    packed += packer.flush(zlib.Z_FULL_FLUSH) + _deflated_zeros() * 512
    head = other_syntax(data[:start], _Always(".1.99"))
    return head + packed + packer.compress(data[at:]) + packer.flush()


class _Always(random.Random):
    """Chooses what it was made for."""

    def __init__(self, choice: str) -> None:
        super().__init__(0)
        self._choice = choice

    def choice(self, seq: Any) -> Any:
        return self._choice


@cache
def _deflated_zeros() -> bytes:
    """A megabyte of zeros, deflated so that it can stand between other blocks."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)


def zipped(data: bytes, rng: random.Random) -> bytes:
    """The file in a zip: under a name that climbs, many levels deep, beside a bomb, or in a damaged archive."""
    kind = rng.randrange(4)
    if kind == 0:
        return _zip(rng.choice(("../../up.dcm", "/etc/up.dcm", "C:\\up.dcm", "..\\up.dcm")), data)
    if kind == 1:
        for _ in range(rng.choice((2, 3, 9))):
            data = _zip("inner.zip", data)
        return data
    if kind == 2:
        return _zip("bomb.dcm", data[:300] + bytes(1 << 26))
    return damaged(_zip("image.dcm", data), rng)


def _zip(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


def _put_in(data: bytes, elements: bytes) -> bytes:
    at = data.find(_BEFORE_PIXELS, 132)
    return data[:at] + elements + data[at:] if at > 0 else data + elements


WAYS: dict[Callable[[bytes, random.Random], bytes], int] = {
    damaged: 40, cut_off: 8, lying_number: 15, lying_frames: 5, lying_length: 10, nested: 5, gigantic: 5,
    other_syntax: 6, zipped: 5, deflated_bomb: 1,
}  # fmt: skip
"""Ways to damage a file, and how often each is taken."""


def mutated(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """A file damaged in one way, and the name of the way."""
    (way,) = rng.choices([*WAYS], [*WAYS.values()])
    return way.__name__, way(data, rng)


def said(read: Callable[..., Header[Any]], data: bytes, keywords: Sequence[str], header_bytes: int) -> object:
    """All that a reader makes of a header, or the code of its refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = read(io.BytesIO(data), keywords, header_bytes)
        except InputError as error:
            return error.code
        pixels = header.pixels and (header.pixels.keyword, header.pixels.length, header.pixels.stream.tell())
        stated = _values(header.dataset, keywords)
        return header.transfer_syntax_uid, header.warnings, header.sha256, pixels, stated


def _values(dataset: Elements, keywords: Sequence[str], depth: int = 3) -> dict[str, object]:
    found: dict[str, object] = {}
    for keyword in keywords:
        if keyword not in dataset:
            continue
        if "Sequence" in keyword:
            held = items(dataset, keyword)
            found[keyword] = depth and held and [_values(item, [*keywords, *_OF_ITEMS], depth - 1) for item in held]
        else:
            vr = vr_of(keyword)
            # These two first, since texts make pydicom convert the element. The bytes of a binary number are no text.
            raw = raw_text(dataset, keyword) if vr in ("DA", "DS", "IS", "LO") else None
            values = numbers(dataset, keyword) if vr in ("DS", "IS", "US", "UL", "SL", "FD") else None
            found[keyword] = raw, values, text(dataset, keyword), texts(dataset, keyword)
    return found


_OF_ITEMS = (
    "RegionSpatialFormat", "RegionDataType", "RegionLocationMinX0", "RegionLocationMaxY1", "PhysicalDeltaX",
    "CodeMeaning", "CodeValue", "PixelMeasuresSequence", "PlanePositionSequence", "ImagePositionPatient",
)  # fmt: skip
