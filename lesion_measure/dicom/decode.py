"""Bytes of one frame to its samples: integers (rows, columns) or (rows, columns, 3), colours as they were stored.

Native code decodes JPEG of 8 bits (libjpeg-turbo), JPEG-LS (CharLS) and JPEG 2000 (OpenJPEG), each after the size in
the stream was compared with the header's.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import jpeg_ls
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from openjpeg.utils import decode as openjpeg_decode

from lesion_measure.dicom import codestream, lossless
from lesion_measure.dicom.codestream import Codestream, Family, damaged
from lesion_measure.dicom.pixel_header import Header
from lesion_measure.errors import PixelError

Samples = NDArray[np.integer[Any]]

# Complaints of libjpeg about bytes that hold no pixels; every other complaint means damaged pixels. Bytes between the
# last pixel and the end marker are harmless where they are padding; else the decoder lost its step before.
_HARMLESS = ("Invalid SOS parameters",)
_SURPLUS = re.compile(r"([0-9]+) extraneous bytes before marker 0xd9")
_J2K_ENDING = 16
_J2K_LEAST = 200


def inspect(data: bytes, header: Header) -> Codestream:
    """Header of a compressed frame, once it is known to be the image that the DICOM header describes.

    Raises
    ------
    PixelError
        It is damaged, or of another size, depth or number of components.
    """
    found = codestream.inspect(data)
    size = f"{found.rows} x {found.columns} x {found.components}"
    wanted = f"{header.rows} x {header.columns} x {header.samples}"
    if size != wanted:
        raise PixelError(
            f"The compressed image is {size} (rows x columns x samples), the header says {wanted}.",
            remedy="Export the image again; header and pixels do not belong together.",
            code="pixels_disagree",
        )
    if found.precision > header.bits_allocated:
        raise damaged(f"{found.precision} bits per sample in {header.bits_allocated}")
    return found


def compressed(data: bytes, found: Codestream) -> Samples:
    """Samples of a JPEG, JPEG-LS or JPEG 2000 frame that `inspect` has passed; YBR components stay as they are."""
    if found.family is Family.JPEG_2000:
        return _jpeg_2000(data, found)
    data = codestream.with_end(data)
    if found.family is Family.JPEG_LS:
        return _jpeg_ls(data, found)
    if found.precision > 8:
        return lossless.decode(data, found)
    if found.precision < 8:
        raise codestream.unsupported(f"JPEG of {found.precision} bits")
    if found.components == 1:
        return _turbo(data, "GRAY", found)[..., 0]
    return _turbo(codestream.without_colour(data), "RGB", found)


def native(data: bytes, header: Header) -> Samples:
    """Samples of an uncompressed frame, in this machine's byte order."""
    samples = np.frombuffer(data, f"{'>' if header.big_endian else '<'}u{header.bits_allocated // 8}")
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if header.samples == 1:
        return samples.reshape(header.rows, header.columns)
    if header.planar == 1:
        return _pixels_last(samples.reshape(header.samples, header.rows, header.columns))
    return samples.reshape(header.rows, header.columns, header.samples)


def native_422(data: bytes, header: Header, padded_rows: bool) -> Samples:
    """Samples of YBR_FULL_422 or YBR_PARTIAL_422 (PS3.3 C.7.6.3.1.2): Y Y Cb Cr for each two pixels of a row.

    With an odd number of columns a pair runs on into the next row, unless rows are padded.
    """
    quads = np.frombuffer(data, np.uint8).reshape(-1, 4)
    pixels = np.empty((len(quads), 2, 3), np.uint8)
    pixels[..., 0] = quads[:, :2]
    pixels[..., 1:] = quads[:, None, 2:]
    if padded_rows:
        return pixels.reshape(header.rows, -1, 3)[:, : header.columns]
    return pixels.reshape(-1, 3)[: header.rows * header.columns].reshape(header.rows, header.columns, 3)


def _turbo(data: bytes, colours: str, found: Codestream) -> NDArray[np.uint8]:
    try:
        samples: NDArray[np.uint8] = _turbo_checked(data, colours)
    except ValueError as error:
        raise damaged(str(error).strip().rstrip(".")) from error
    if samples.shape[:2] != (found.rows, found.columns):
        raise damaged("the decoded size is not the stated one")
    return samples


def _turbo_checked(data: bytes, colours: str) -> NDArray[np.uint8]:
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
    count = int(found[1]) if found else lossless.MOST_PADDING + 1
    return count <= lossless.MOST_PADDING and not data[end - count : end].strip(b"\x00\xff")


def _jpeg_ls(data: bytes, found: Codestream) -> Samples:
    try:
        raw, meta = jpeg_ls.decode_buffer(data)
    except (RuntimeError, ValueError) as error:
        raise damaged(str(error)) from error
    samples = np.frombuffer(raw, "<u1" if found.precision <= 8 else "<u2")
    if samples.size != found.rows * found.columns * found.components:
        raise damaged("the decoded size is not the stated one")
    if found.components == 1:
        return samples.reshape(found.rows, found.columns)
    if meta["interleave_mode"] == 0:
        return _pixels_last(samples.reshape(found.components, found.rows, found.columns))
    return samples.reshape(found.rows, found.columns, found.components)


def _jpeg_2000(data: bytes, found: Codestream) -> Samples:
    try:
        samples: Samples = openjpeg_decode(data, 0)
    except (RuntimeError, ValueError) as error:
        raise damaged(str(error)) from error
    if _decodes_without_its_end(data):
        raise damaged("bytes of the JPEG 2000 image belong to no part of the picture")
    shape = (found.rows, found.columns) if found.components == 1 else (found.rows, found.columns, found.components)
    if samples.shape != shape:
        raise damaged("the decoded size is not the stated one")
    return samples


def _decodes_without_its_end(data: bytes) -> bool:
    """Whether the last bytes of the last tile are not needed, so that the decoder lost its step before them.

    An entropy-coded stream holds no checksum. But the decoder (which is strict) refuses a whole stream that lacks its
    last bytes, and takes one in which zeros or other bytes ended the picture too early.
    """
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


def _pixels_last(planes: Samples) -> Samples:
    return planes[0] if len(planes) == 1 else np.ascontiguousarray(np.moveaxis(planes, 0, -1))
