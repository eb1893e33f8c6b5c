"""Native decoders: bytes of a frame to samples by libjpeg-turbo, CharLS and OpenJPEG, in whatever process calls them.

`dicom.decoder` calls them in a process of their own, which imports this module and little else. What they complain
about is a `ValueError`.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.integer[Any]]

# Complaints of libjpeg about bytes that hold no pixels; every other complaint means damaged pixels. Bytes between the
# last pixel and the end marker are harmless where they are padding; else the decoder lost its step before.
_HARMLESS = ("Invalid SOS parameters",)
_SURPLUS = re.compile(r"([0-9]+) extraneous bytes before marker 0xd9")
MOST_PADDING = 64
"""Bytes between the last pixel of a JPEG image and the marker after it."""
_J2K_ENDING = 16
_J2K_LEAST = 200


def decode(way: str, data: bytes) -> Samples:
    """Samples of a whole codestream, as its decoder gives them.

    Parameters
    ----------
    way
        "gray" or "rgb" (JPEG of 8 bits), "jpeg-ls" or "jpeg-2000".
    data
        The codestream.

    Raises
    ------
    ValueError
        It is damaged, in the decoder's words.
    """
    if way == "jpeg-ls":
        return _jpeg_ls(data)
    if way == "jpeg-2000":
        return _jpeg_2000(data)
    return _turbo(data, way.upper())


def _turbo(data: bytes, colours: str) -> NDArray[np.uint8]:
    import simplejpeg

    try:
        return np.asarray(simplejpeg.decode_jpeg(data, colours))
    except ValueError as error:
        if not any(harmless in str(error) for harmless in _HARMLESS) and not _padded(data, str(error)):
            raise
        return np.asarray(simplejpeg.decode_jpeg(data, colours, strict=False))


def _padded(data: bytes, complaint: str) -> bool:
    """True for a complaint about few bytes before the end marker that are zeros or fill bytes."""
    found = _SURPLUS.search(complaint)
    end = data.rfind(b"\xff\xd9")
    count = int(found[1]) if found else MOST_PADDING + 1
    return count <= MOST_PADDING and not data[end - count : end].strip(b"\x00\xff")


def _jpeg_ls(data: bytes) -> Samples:
    import jpeg_ls

    try:
        raw, meta = jpeg_ls.decode_buffer(data)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    samples = np.frombuffer(raw, "<u1" if meta["bits_per_sample"] <= 8 else "<u2")
    rows, columns, components = meta["height"], meta["width"], meta["components"]
    if components == 1:
        return samples.reshape(rows, columns)
    if meta["interleave_mode"] == 0:
        return np.ascontiguousarray(np.moveaxis(samples.reshape(components, rows, columns), 0, -1))
    return samples.reshape(rows, columns, components)


def _jpeg_2000(data: bytes) -> Samples:
    from openjpeg.utils import decode as openjpeg_decode

    try:
        samples: Samples = openjpeg_decode(data, 0)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    if _decodes_without_its_end(data):
        raise ValueError("bytes of the JPEG 2000 image belong to no part of the picture")
    return samples


def _decodes_without_its_end(data: bytes) -> bool:
    """Whether the last bytes of the last tile are not needed, so that the decoder lost its step before them.

    An entropy-coded stream holds no checksum. But the decoder (which is strict) refuses a whole stream that lacks its
    last bytes, and takes one in which zeros or other bytes ended the picture too early.
    """
    from openjpeg.utils import decode as openjpeg_decode

    start = data.rfind(b"\xff\x90\x00\x0a")
    end = data.rfind(b"\xff\xd9")
    if start < 0 or end - start < _J2K_LEAST:
        return False
    short = bytearray(data[: end - _J2K_ENDING])
    short[start + 6 : start + 10] = struct.pack(">L", len(short) - start)
    try:
        openjpeg_decode(bytes(short + b"\xff\xd9"), 0)
    except (RuntimeError, ValueError):
        return False
    return True
