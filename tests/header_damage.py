"""Headers damaged by a seeded hand, and what a header says, for the tests of reading them."""

from __future__ import annotations

import io
import random
import warnings
from collections.abc import Callable, Sequence
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
