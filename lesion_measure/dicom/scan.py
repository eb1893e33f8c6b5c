"""Headers of images, thousands of them: the stored elements that are asked for, without pydicom where it is not needed.

`scan_header` reads what `headers.read_header` reads, of common files ten times faster. Whatever is unusual about a file
(its encoding, a length that does not fit, a header of more than a megabyte) leaves it to `read_header`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import BinaryIO

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import Elements, uid
from lesion_measure.dicom.headers import (
    CHARACTER_SET_NOTE,
    EXPLICIT_BIG,
    IMPLICIT_LITTLE,
    PIXEL_TAGS,
    Header,
    PixelElement,
    names_itself,
    read_header,
    too_large,
)
from lesion_measure.dicom.inflated import DEFLATED
from lesion_measure.dicom.stored import (
    CHARACTER_SET,
    KEEP,
    MOST_CHARACTER_SET_BYTES,
    STOP,
    VRS,
    StoredElements,
    Unusual,
    encodings_of,
    tag_of,
    walk,
)

_FIRST_BYTES, _MOST_BYTES = 1 << 13, 1 << 20
_META_START, _PREFIX = 132, b"DICM"
_GROUP_0002, _GROUP_0008 = b"\x02\x00", b"\x08\x00"
_META_LENGTH = struct.Struct("<4s2sHL")
_PIXELS = {struct.pack("<HH", tag >> 16, tag & 0xFFFF): keyword for tag, keyword in PIXEL_TAGS.items()}


def scan_header(
    stream: BinaryIO,
    tags: Sequence[str],
    header_bytes: int,
    *,
    inflated_bytes: int | None = None,
    before_pixels_bytes: int = Limits().before_pixels_bytes,
) -> Header[Elements]:
    """Read the elements named by ``tags`` (keywords) up to the pixel data. Errors are those of `read_header`.

    Parameters
    ----------
    stream, tags, header_bytes, inflated_bytes, before_pixels_bytes
        As of `read_header`.
    """
    data = stream.read(min(_FIRST_BYTES, header_bytes))
    named = _named(tuple(tags))
    while True:
        try:
            header = _scanned(stream, data, named)
        except (Unusual, struct.error):
            more = b""
            if data[128:_META_START] == _PREFIX and len(data) < min(_MOST_BYTES, header_bytes):
                stream.seek(len(data))
                more = stream.read(min(7 * len(data), header_bytes - len(data)))
            if more:  # what was walked over may go on there
                data += more
                continue
            stream.seek(0)
            return read_header(
                stream, tags, header_bytes, inflated_bytes=inflated_bytes, before_pixels_bytes=before_pixels_bytes
            )
        if header.pixels is not None and stream.tell() > before_pixels_bytes:
            raise too_large(before_pixels_bytes, "before_pixels_bytes")
        return header


@cache
def _named(tags: tuple[str, ...]) -> Mapping[bytes, int]:
    kept = dict.fromkeys((CHARACTER_SET, *map(tag_of, tags)), KEEP)
    return MappingProxyType(kept | dict.fromkeys(_PIXELS, STOP))


def _scanned(stream: BinaryIO, data: bytes, named: Mapping[bytes, int]) -> Header[StoredElements]:
    """The header in the first bytes of a file. Raises Unusual or struct.error where it is not plainly there."""
    if data[128:_META_START] != _PREFIX:
        raise Unusual
    start = _after_meta(data)
    stored, _ = walk(data, _META_START, start, explicit=True)
    if any(tag[:2] != _GROUP_0002 for tag in stored) or not data[_META_START + _META_LENGTH.size : start].isascii():
        raise Unusual
    meta = StoredElements(stored, explicit=True)
    declared = uid(meta, "TransferSyntaxUID")
    explicit = data[start + 4 : start + 6] in VRS
    unlike = explicit == (declared == IMPLICIT_LITTLE)
    if data[start : start + 2] != _GROUP_0008 or unlike or declared in ("", EXPLICIT_BIG, *DEFLATED):
        raise Unusual
    found, end = walk(data, start, len(data), explicit, named)
    vr, character_set = found.get(CHARACTER_SET, ("CS", b""))
    if vr != "CS" or len(character_set) > MOST_CHARACTER_SET_BYTES:
        raise Unusual
    pixels = _pixels(stream, data, end, explicit)
    if pixels is None and stream.read(1):
        raise Unusual  # the bytes end where an element does, and the file goes on
    _, known = encodings_of(character_set)
    elements = StoredElements(found, explicit)
    if not elements.is_readable():  # whether they can be left out, or nothing can be trusted, is pydicom's to say
        raise Unusual
    header = Header(
        elements, meta, declared, pixels,
        () if known else (CHARACTER_SET_NOTE,), hashlib.sha256(data[: stream.tell()]).hexdigest() if pixels else "",
    )  # fmt: skip
    if not names_itself(header):
        raise Unusual
    return header


def _after_meta(data: bytes) -> int:
    """Position after the file meta information (PS3.10 7.1), by its group length where that is true."""
    tag, vr, length, size = _META_LENGTH.unpack_from(data, _META_START)
    end = int(_META_START + _META_LENGTH.size + size)
    if (tag, vr, length) != (b"\x02\x00\x00\x00", b"UL", 4) or data[end : end + 2] == _GROUP_0002:
        raise Unusual
    return end


def _pixels(stream: BinaryIO, data: bytes, at: int, explicit: bool) -> PixelElement | None:
    """The pixel data element at a position, with ``stream`` at its value; None at the end of the bytes."""
    if at >= len(data):
        return None
    vr = VRS.get(data[at + 4 : at + 6]) if explicit else "OW"
    if vr not in ("OB", "OW", "OF", "OD", "UN"):
        raise Unusual
    start = at + 12 if explicit else at + 8
    (length,) = struct.unpack_from("<L", data, start - 4)
    stream.seek(start)
    return PixelElement(_PIXELS[data[at : at + 4]], vr, None if length == 0xFFFFFFFF else length, False, stream)
