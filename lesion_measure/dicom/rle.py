"""RLE frames (DICOM PS3.5 annex G): each byte of each sample is a segment of packed bits.

Every segment has to give as many bytes as the picture has pixels, no fewer and no more: the segments state no size, and
a wrong number of columns shows nowhere else. A decoder in Rust (pylibjpeg-rle) does what is plainly right. What it does
not find right is decoded here, byte by byte, which tells padding from damage.
"""

from __future__ import annotations

import contextlib
import itertools
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rle.rle import decode_segment

from lesion_measure.dicom import agreement
from lesion_measure.dicom.codestream import damaged, unsupported
from lesion_measure.dicom.pixel_header import Header

_PADDING = (b"\x00", b"\x80")
_MAX_QUICK = 1 << 20  # The decoder in Rust knows no bound: it may make 64 bytes of each.
_MAX_SEGMENT = 1 << 24  # A run packs 128 bytes into 2, and the decoder keeps a whole segment.


def decode(data: bytes, header: Header) -> NDArray[np.integer[Any]]:
    """Samples of a frame, (rows, columns) or (rows, columns, 3).

    Raises
    ------
    PixelError
        The segments are damaged, or hold another number of pixels than the header states.
    """
    width = header.bits_allocated // 8
    pixels = header.rows * header.columns
    planes = np.empty((header.samples, width, pixels), np.uint8)
    for index, (start, end) in enumerate(_segments(data, header.samples * width)):
        found = _unpacked(data[start:end], pixels)
        # The most significant byte of a sample comes first (G.2).
        planes[index // width, width - 1 - index % width] = np.frombuffer(found, np.uint8, pixels)
    samples = np.ascontiguousarray(np.moveaxis(planes, 1, -1)).view(f"<u{width}")[..., 0]
    shaped = samples.reshape(header.samples, header.rows, header.columns)
    return shaped[0] if header.samples == 1 else np.ascontiguousarray(np.moveaxis(shaped, 0, -1))


def _segments(data: bytes, expected: int) -> list[tuple[int, int]]:
    """First byte and end of each segment (G.5): each begins after the last and inside the frame."""
    if len(data) < 64:
        raise damaged("the RLE header is cut off")
    count, *offsets = struct.unpack("<16L", data[:64])
    if count != expected:
        raise damaged(f"{count} RLE segments instead of {expected}")
    used = [*offsets[:count], len(data)]
    if used[0] != 64 or any(one >= two for one, two in itertools.pairwise(used)):
        raise damaged("the RLE segments are out of order or cut off")
    if any(end - start > _MAX_SEGMENT for start, end in itertools.pairwise(used)):
        raise unsupported(f"RLE segments of more than {_MAX_SEGMENT} bytes")
    return list(itertools.pairwise(used))


def unpack(data: bytes, size: int) -> bytes:
    """The bytes of a frame of one segment, of which there are ``size``; raises as `decode`."""
    ((start, end),) = _segments(data, 1)
    return _unpacked(data[start:end], size)


def _unpacked(data: bytes, pixels: int) -> bytes:
    """So many bytes of one segment (G.3.2); raises as `decode`."""
    if len(data) <= _MAX_QUICK:
        with contextlib.suppress(ValueError):
            found = bytes(decode_segment(data))
            # It lets a control byte at the end pass that nothing follows; with a zero behind it that one shows.
            needed = data.endswith(_PADDING) or len(decode_segment(data + b"\0")) == pixels
            if len(found) == pixels and needed:
                return found
    return _unpacked_slowly(data, pixels)


def _unpacked_slowly(data: bytes, pixels: int) -> bytes:
    """Packed bits (G.3.2) of one segment: so many bytes, and nothing after them but padding (zeros, and no-operation).

    Black lines that are too many are no such zeros: an encoder packs them as runs.
    """
    out = bytearray()
    position = 0
    while position < len(data) and len(out) < pixels:
        control = data[position]
        if control < 128:
            out += data[position + 1 : position + 2 + control]
            position += 2 + control
        elif control > 128:
            out += data[position + 1 : position + 2] * (257 - control)
            position += 2
        else:
            position += 1
    if len(out) < pixels or position > len(data):
        raise damaged(f"rows and columns ask for {pixels} bytes in each RLE segment, and one holds {len(out)}")
    if len(out) > pixels or data[position:].strip(b"".join(_PADDING)):
        raise agreement.disagree(f"rows and columns ask for {pixels} bytes in each RLE segment, and one holds more")
    return bytes(out)
