"""What a compressed frame says of itself, read before any decoder sees it.

Decoders allocate what the stream asks for, so its size is compared with Rows and Columns first. Sources: ITU-T T.81 B.2
(JPEG), T.87 C.1 (JPEG-LS), T.800 A.4 to A.6 (JPEG 2000).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.dicom import jpeg_tables
from lesion_measure.errors import PixelError

_REMEDY = "Export the image again, if possible uncompressed."
_OTHER_ENCODING = "Export the image again, uncompressed or as JPEG lossless."
_DCT = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_END = b"\xff\xd9"
_NO_FRAME = {0xC4, 0xC8, 0xCC}
_MAX_SCANS = 64  # A progressive stream may repeat passes over the image without end.
_MAX_TILES = 4096


class Family(StrEnum):
    """Kinds of codestream, by what decodes them."""

    DCT = "JPEG"
    LOSSLESS = "JPEG lossless"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"


@dataclass(frozen=True, slots=True)
class Codestream:
    """A frame header. ``colour`` is what the markers say the decoded components are: "rgb", "ybr" or None."""

    family: Family
    rows: int
    columns: int
    components: int
    precision: int
    colour: str | None = None
    subsampled: bool = False
    signed: bool = False


def damaged(what: str) -> PixelError:
    """The error for a stream that cannot be what it says."""
    return PixelError(f"The compressed pixel data are damaged: {what}.", remedy=_REMEDY, code="pixels_damaged")


def unsupported(what: str) -> PixelError:
    """The error for an encoding that is not read."""
    return PixelError(
        f"The pixel encoding is not supported: {what}.", remedy=_OTHER_ENCODING, code="pixels_unsupported"
    )


def starts_image(head: bytes) -> bool:
    """True for the first bytes of a JPEG, JPEG-LS or JPEG 2000 image (bare, or in a JP2 file)."""
    return head.startswith((b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "))


def bare(data: bytes) -> bytes:
    """The codestream without the JP2 file that PS3.5 A.4.4 forbids around it."""
    if not data.startswith(b"\x00\x00\x00\x0cjP  "):
        return data
    start = data.find(b"\xff\x4f\xff\x51")
    if start < 0:
        raise damaged("the JP2 file holds no codestream")
    return data[start:]


def inspect(data: bytes) -> Codestream:
    """Read the header of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Raises
    ------
    PixelError
        It is none of these, is cut off, or is of a kind that is not read.
    """
    if data.startswith(b"\xff\x4f\xff\x51"):
        return _jpeg_2000(data)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    raise damaged("no image starts where a frame should")


def segments(data: bytes) -> list[tuple[int, int, int]]:
    """The marker segments of a JPEG header up to and including SOS, as (marker, first byte of the marker, end)."""
    found = []
    position = 2
    while True:
        start = position
        while data[position : position + 1] == b"\xff":
            position += 1
        marker_and_length = data[position : position + 3]
        if position == start or len(marker_and_length) < 3:
            raise damaged("the JPEG header is cut off")
        marker, length = struct.unpack(">BH", marker_and_length)
        end = position + 1 + length
        if length < 2 or end > len(data):
            raise damaged("a JPEG marker segment is cut off")
        found.append((marker, start, end))
        if marker == 0xDA:
            return found
        position = end


def without_colour(data: bytes) -> bytes:
    """The JPEG stream with an Adobe marker (APP14) by which its components are given as they are, and no other."""
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    parts = [b"\xff\xd8", adobe]
    end = 2
    for marker, start, end in segments(data):
        if marker not in (0xE0, 0xEE):
            parts.append(data[start:end])
    parts.append(data[end:])
    return b"".join(parts)


def with_end(data: bytes) -> bytes:
    """The JPEG stream with an end marker."""
    return data if _END in data[-1024:] else data + _END


def doubtful_end(data: bytes) -> str:
    """What is odd about the end of a compressed frame, as a warning; empty where it ends as it should.

    Every kind of stream ends with the marker FFD9 (EOI, EOC), and padding may follow (PS3.5 A.4).
    """
    end = data.rfind(_END)
    if end < 0:
        return "The compressed image has no end marker; its last part may be missing."
    if data[end + len(_END) :].strip(b"\x00\xff"):
        return "Bytes that belong to no image follow the end of the compressed one."
    return ""


def _jpeg(data: bytes) -> Codestream:
    header: Codestream | None = None
    jfif, adobe = False, None
    ids: tuple[int, ...] = ()
    for marker, start, end in segments(data):
        body = data[data.index(marker, start) + 3 : end]
        if marker == 0xE0 and body.startswith(b"JFIF\x00"):
            jfif = True
        elif fault := jpeg_tables.fault(marker, body):
            raise damaged(fault)
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == 0xF7:
            if header is not None:
                raise damaged("two frame headers in one image")
            header, ids = _jpeg_frame(marker, body)
    if header is None:
        raise damaged("the JPEG image has no frame header")
    if header.family is Family.DCT and data.count(b"\xff\xda") > _MAX_SCANS:
        raise damaged(f"more than {_MAX_SCANS} JPEG scans")
    if header.components != 3:
        return header
    colour = _jpeg_colour(header, jfif, adobe, ids)
    return Codestream(
        header.family, header.rows, header.columns, header.components, header.precision, colour, header.subsampled
    )


def _jpeg_frame(marker: int, body: bytes) -> tuple[Codestream, tuple[int, ...]]:
    if marker in _DCT:
        family = Family.DCT
    elif marker == 0xC3:
        family = Family.LOSSLESS
    elif marker == 0xF7:
        family = Family.JPEG_LS
    else:
        raise unsupported(f"JPEG frame type SOF{marker - 0xC0}")
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise damaged("the JPEG frame header is cut off")
    precision, rows, columns, count = struct.unpack(">BHHB", body[:6])
    if precision not in ((8,) if family is Family.DCT else range(2, 17)):
        raise unsupported(f"{family} of {precision} bits")
    ids = tuple(body[6 + 3 * index] for index in range(count))
    subsampled = any(body[7 + 3 * index] != body[7] for index in range(count))
    return Codestream(family, rows, columns, count, precision, None, subsampled), ids


def _jpeg_colour(header: Codestream, jfif: bool, adobe: int | None, ids: tuple[int, ...]) -> str | None:
    if header.family is Family.JPEG_LS:
        return None
    if adobe is not None:
        return "ybr" if adobe == 1 else "rgb"
    if ids == tuple(b"RGB"):
        return "rgb"
    if jfif or header.subsampled:
        return "ybr"
    return None


def _jpeg_2000(data: bytes) -> Codestream:
    size = data[4:42]
    if len(size) < 38:
        raise damaged("the JPEG 2000 header is cut off")
    length, _, x1, y1, x0, y0, tile_x, tile_y, _, _, count = struct.unpack(">HH8LH", size)
    parts = [tuple(data[42 + 3 * i : 45 + 3 * i]) for i in range(count)] if length == 38 + 3 * count else []
    if not parts or len(parts[-1]) < 3 or x1 <= x0 or y1 <= y0 or not tile_x or not tile_y:
        raise damaged("the JPEG 2000 size is impossible")
    if len(set(parts)) > 1 or parts[0][1:] != (1, 1):
        raise unsupported("JPEG 2000 components of different size or depth")
    if -(-x1 // tile_x) * -(-y1 // tile_y) > _MAX_TILES:
        raise unsupported(f"more than {_MAX_TILES} JPEG 2000 tiles")
    transformed = _check_tiles(data, 4 + length)
    depth = parts[0][0]
    colour = "rgb" if count == 3 and transformed else None
    return Codestream(Family.JPEG_2000, y1 - y0, x1 - x0, count, (depth & 0x7F) + 1, colour, signed=bool(depth & 0x80))


def _check_tiles(data: bytes, position: int) -> bool:
    """Walk the main header and the tile parts: True for a multiple component transform; a cut-off stream is refused."""
    transformed = False
    while data[position : position + 2] != b"\xff\x90":
        marker, length = struct.unpack(">HH", _exactly(data, position, 4))
        if marker == 0xFF52:
            transformed = _exactly(data, position, 9)[8] == 1
        if marker < 0xFF00 or length < 2:
            raise damaged("the JPEG 2000 header is out of order")
        position += 2 + length
    while data[position : position + 2] == b"\xff\x90":
        length = struct.unpack(">L", _exactly(data, position + 6, 4))[0]
        position = position + length if length else max(position + 12, len(data))
    if position > len(data):
        raise damaged("the JPEG 2000 image is cut off")
    return transformed


def _exactly(data: bytes, position: int, count: int) -> bytes:
    part = data[position : position + count]
    if len(part) < count:
        raise damaged("the JPEG 2000 header is cut off")
    return part
