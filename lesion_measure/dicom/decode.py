"""Bytes of one frame to its samples: integers (rows, columns) or (rows, columns, 3), colours as they were stored.

Native code decodes JPEG of 8 bits (libjpeg-turbo), JPEG-LS (CharLS) and JPEG 2000 (OpenJPEG) in a process of its own
(`decoder`), each after the size in the stream was compared with the header's.
"""

from __future__ import annotations

import numpy as np

from lesion_measure.config import Limits
from lesion_measure.dicom import codestream, decoder, lossless
from lesion_measure.dicom.codestream import Codestream, Family, damaged
from lesion_measure.dicom.native import Samples
from lesion_measure.dicom.pixel_header import Header
from lesion_measure.errors import PixelError


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


def compressed(data: bytes, found: Codestream, limits: Limits) -> Samples:
    """Samples of a JPEG, JPEG-LS or JPEG 2000 frame that `inspect` has passed; YBR components stay as they are."""
    if found.family is Family.JPEG_2000:
        return _native("jpeg-2000", data, found, limits)
    data = codestream.with_end(data)
    if found.family is Family.JPEG_LS:
        return _native("jpeg-ls", data, found, limits)
    if found.precision > 8:
        return lossless.decode(data, found)
    if found.precision < 8:
        raise codestream.unsupported(f"JPEG of {found.precision} bits")
    if found.components == 1:
        return _native("gray", data, found, limits)
    return _native("rgb", codestream.without_colour(data), found, limits)


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


def _native(way: str, data: bytes, found: Codestream, limits: Limits) -> Samples:
    """Samples by a native decoder, (rows, columns) or (rows, columns, components)."""
    shape = (found.rows, found.columns) if found.components == 1 else (found.rows, found.columns, found.components)
    room = found.rows * found.columns * found.components * (1 if found.precision <= 8 else 2)
    try:
        samples = decoder.decode(way, data, room, limits)
    except ValueError as error:
        raise damaged(str(error).strip().rstrip(".")) from error
    if samples.shape == (*shape, 1):
        samples = samples[..., 0]
    if samples.shape != shape:
        raise damaged("the decoded size is not the stated one")
    return samples


def _pixels_last(planes: Samples) -> Samples:
    return planes[0] if len(planes) == 1 else np.ascontiguousarray(np.moveaxis(planes, 0, -1))
