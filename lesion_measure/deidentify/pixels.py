"""Pixels for the new file: frames of an image, blanked and encoded one at a time; a segmentation's, as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from lesion_measure.config import Limits
from lesion_measure.deidentify import encoding
from lesion_measure.deidentify.writing import Pixels
from lesion_measure.dicom.codestream import unsupported
from lesion_measure.dicom.elements import integer
from lesion_measure.dicom.fragments import cut_off
from lesion_measure.dicom.headers import IMPLICIT_LITTLE, Header
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import PixelError
from lesion_measure.files.archive import read_some

_WITH_LOSS = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
}
"""Encodings that always lose something, and their word in Lossy Image Compression Method (C.7.6.1.1.5.1)."""


def blanked(image: OpenImage, keep: NDArray[np.bool_], header: Dataset) -> Pixels:
    """The frames of an image with all but ``keep`` (rows, columns) blanked; the header is changed to fit.

    Raises
    ------
    PixelError
        A frame cannot be decoded, or is of a kind that is not written.
    """
    instance = image.instance
    stored = encoding.target(instance.transfer_syntax_uid, header, image.frame(1))
    if method := _WITH_LOSS.get(instance.transfer_syntax_uid):
        header.LossyImageCompression = "01"
        header.LossyImageCompressionMethod = header.get("LossyImageCompressionMethod") or method
    size = instance.rows * instance.columns * stored.pixel_bytes
    return Pixels(
        transfer_syntax=stored.transfer_syntax,
        vr=stored.vr,
        frames=_frames(image, keep, stored),
        encapsulated=stored.encapsulated,
        length=size * instance.frames,
    )


def _frames(image: OpenImage, keep: NDArray[np.bool_], stored: encoding.Stored) -> Iterator[bytes]:
    for number in range(1, image.instance.frames + 1):
        yield encoding.encoded(image.frame(number), keep, stored)


def masks(header: Header[Dataset], limits: Limits) -> Pixels | None:
    """The pixels of a segmentation, exactly as many as its header asks for; None where it has none.

    Raises
    ------
    PixelError
        They are compressed, or not all there.
    """
    pixels = header.pixels
    if pixels is None:
        return None
    bits = 1
    for keyword, least in (("Rows", 1), ("Columns", 1), ("BitsAllocated", 1), ("NumberOfFrames", 1)):
        value = integer(header.dataset, keyword)
        if value is None or value < least:
            raise PixelError("The segmentation does not state its size.", code="pixel_header")
        bits *= value
    if pixels.length is None or pixels.big_endian:
        raise unsupported("compressed or big-endian segmentations")
    length = -(-bits // 8)
    if length > limits.zip_member_bytes:
        raise PixelError("The segmentation is too large.", code="frame_too_large")
    data = read_some(pixels.stream, length)
    if len(data) < length:
        raise cut_off(1)
    plain = header.transfer_syntax_uid if header.transfer_syntax_uid == IMPLICIT_LITTLE else "1.2.840.10008.1.2.1"
    return Pixels(plain, "OW" if plain == IMPLICIT_LITTLE else "OB", [data], encapsulated=False, length=length)
