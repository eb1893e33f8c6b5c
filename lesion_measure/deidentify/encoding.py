"""Blanked frames back into bytes, without a loss: in the encoding that they came in where that has no loss itself.

JPEG with loss is decoded once and stored as JPEG-LS without loss: encoding it with loss again would change pixels that
were to be kept. JPEG lossless is stored as JPEG-LS too, since no free encoder of it is safe to call. YBR_FULL, which
colour JPEG decodes to, ultrasound images may hold in RLE alone (PS3.3 C.8.5.6), and RGB would round it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from lesion_measure.dicom.elements import integer
from lesion_measure.dicom.frames import Frame
from lesion_measure.errors import PixelError

_ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
_NATIVE = frozenset((ImplicitVRLittleEndian, ExplicitVRLittleEndian))
_UNCOMPRESSED = frozenset((*_NATIVE, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, _ENCAPSULATED_UNCOMPRESSED))
PAIRS = "YBR_FULL_422"
_PLUGINS: dict[str, tuple[str, ...]] = {
    RLELossless: ("pylibjpeg", "pydicom"),
    JPEGLSLossless: ("pyjpegls",),
    JPEG2000Lossless: ("pylibjpeg",),
}
"""pydicom's encoders by preference; GDCM's, which can end the process, is none of them."""
_SAME: dict[str, str] = {
    RLELossless: RLELossless,
    JPEG2000Lossless: JPEG2000Lossless,
    "1.2.840.10008.1.2.4.91": JPEG2000Lossless,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """How the samples of a file are stored: the attributes of its new header (PS3.3 C.7.6.3)."""

    transfer_syntax: str
    allocated: int
    bits: int
    shift: int
    signed: bool
    photometric: str
    samples: int

    @property
    def encapsulated(self) -> bool:
        """Whether frames are compressed."""
        return self.transfer_syntax not in _NATIVE

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel where frames are not compressed."""
        return 2 if self.photometric == PAIRS else self.samples * self.allocated // 8

    @property
    def vr(self) -> str:
        """VR of Pixel Data (PS3.5 A.1, A.2, A.4)."""
        if self.encapsulated:
            return "OB"
        return "OW" if self.allocated > 8 or self.transfer_syntax == ImplicitVRLittleEndian else "OB"


def target(syntax: str, header: Dataset, first: Frame) -> Stored:
    """How to store the frames of a file, and its new header to match; ``first`` is one of them.

    Raises
    ------
    PixelError
        Colours of more than 8 bits are not stored; or the bits that the header states fit not together.
    """
    allocated, bits = int(header.BitsAllocated), int(header.get("BitsStored") or header.BitsAllocated)
    signed = int(header.get("PixelRepresentation") or 0) == 1
    if isinstance(first.shown, tuple):
        samples, photometric = 1, str(header.PhotometricInterpretation)
    else:
        samples, photometric = 3, "RGB" if first.shown == "rgb" else "YBR_FULL"
        if photometric == "YBR_FULL" and syntax in _UNCOMPRESSED and _in_pairs(first.pixels):
            photometric = PAIRS
        if allocated != 8 or bits != 8:
            raise PixelError("Colours of more than 8 bits are not de-identified.", code="pixels_unsupported")
    wanted = _wanted(syntax, signed)
    if photometric == "YBR_FULL" and wanted not in _NATIVE:
        wanted = RLELossless
    elif wanted == JPEG2000Lossless and photometric == "RGB":
        photometric = "YBR_RCT"
    codec = wanted in (JPEGLSLossless, JPEG2000Lossless)
    stated = integer(header, "HighBit")
    high = bits - 1 if codec or stated is None else stated
    if not bits - 1 <= high < allocated:
        raise PixelError("The header states a high bit that its pixels cannot have.", code="pixel_header")
    header.PhotometricInterpretation, header.HighBit = photometric, high
    if samples == 3:
        header.PlanarConfiguration = 1 if wanted == RLELossless else 0
    return Stored(wanted, allocated, bits, high + 1 - bits, signed, photometric, samples)


def _wanted(syntax: str, signed: bool) -> str:
    if syntax in _NATIVE:
        return syntax
    if signed or syntax in _UNCOMPRESSED:
        return ExplicitVRLittleEndian
    return _SAME.get(syntax, JPEGLSLossless)


def black(frame: Frame) -> NDArray[np.unsignedinteger[Any]]:
    """The sample values that a screen shows darkest, of several those used most: (1,) or (3,), as in `Frame.pixels`."""
    if isinstance(frame.shown, tuple):
        darkest = np.flatnonzero(frame.shown[0] == frame.shown[0].min())
        used = np.bincount(frame.pixels.ravel(), minlength=len(frame.shown[0]))[darkest]
        return np.array([darkest[used.argmax()]], frame.pixels.dtype)
    return np.array((0, 0, 0) if frame.shown == "rgb" else (0, 128, 128), np.uint8)


def encoded(frame: Frame, keep: NDArray[np.bool_], stored: Stored) -> bytes:
    """One frame, blanked where ``keep`` (rows, columns) is False, as it is stored; odd lengths are not padded."""
    pixels = frame.pixels.copy()
    pixels[~keep] = black(frame) if pixels.ndim == 3 else black(frame)[0]
    if stored.photometric == PAIRS:
        return _pairs(frame.pixels, pixels, keep)
    samples = _samples(pixels, stored)
    if not stored.encapsulated:
        return samples.tobytes()
    encoder = get_encoder(stored.transfer_syntax)
    return bytes(
        encoder.encode(
            samples,
            encoding_plugin=next(
                name for name in _PLUGINS[stored.transfer_syntax] if name in encoder.available_plugins
            ),
            rows=samples.shape[0],
            columns=samples.shape[1],
            samples_per_pixel=stored.samples,
            number_of_frames=1,
            bits_allocated=stored.allocated,
            bits_stored=stored.bits,
            pixel_representation=int(stored.signed),
            photometric_interpretation=stored.photometric,
            planar_configuration=0,
        )
    )


def _in_pairs(pixels: NDArray[np.unsignedinteger[Any]]) -> bool:
    """Whether each two pixels of a row share their colour, as in YBR_FULL_422 (C.7.6.3.1.2)."""
    return pixels.shape[1] % 2 == 0 and bool((pixels[:, 0::2, 1:] == pixels[:, 1::2, 1:]).all())


def _pairs(
    before: NDArray[np.unsignedinteger[Any]], pixels: NDArray[np.unsignedinteger[Any]], keep: NDArray[np.bool_]
) -> bytes:
    """Y Y Cb Cr for each two pixels; a pair of which one is blanked keeps the colour of the other."""
    if not _in_pairs(before):
        raise PixelError("The colours of one frame are subsampled, those of another are not.", code="pixels_disagree")
    colour = np.where(keep[:, 1::2, None], pixels[:, 1::2, 1:], pixels[:, 0::2, 1:])
    quads = np.concatenate([pixels[:, 0::2, :1], pixels[:, 1::2, :1], colour], axis=2)
    return quads.astype(np.uint8).tobytes()


def _samples(pixels: NDArray[np.unsignedinteger[Any]], stored: Stored) -> NDArray[np.unsignedinteger[Any]]:
    """Stored values at their place in the allocated bits, little endian; a negative one has its sign above it."""
    wide = pixels.astype(np.uint32)
    if stored.signed:
        top = (1 << stored.allocated) - (1 << stored.bits)
        wide = np.where(wide >> (stored.bits - 1) & 1, wide | top, wide)
    return (wide << stored.shift).astype(f"<u{stored.allocated // 8}")
