"""The values of one frame of a segmentation: uncompressed, or in any encoding that loses nothing.

Bytes go through the decoders of `dicom`, which are told first how large a frame may be. Lossy encodings are refused:
they move the edge of a mask, and turn the numbers of a label map into others.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from lesion_measure.config import Limits
from lesion_measure.dicom import codestream, decode, rle
from lesion_measure.dicom.boundary import as_pixel_errors
from lesion_measure.dicom.fragments import Encapsulated
from lesion_measure.dicom.headers import EXPLICIT_LITTLE, IMPLICIT_LITTLE, PixelElement
from lesion_measure.dicom.headers import Header as DicomHeader
from lesion_measure.dicom.objects.segmentation.layout import Kind, unusable
from lesion_measure.dicom.pixel_header import Header, extended_offsets
from lesion_measure.errors import InputError

Values = NDArray[np.integer[Any]]
"""(rows, columns)."""
_DEFLATED = "1.2.840.10008.1.2.1.99"
_RLE = "1.2.840.10008.1.2.5"
_ENCAPSULATED = "1.2.840.10008.1.2.1.98"
_DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
_JPEG = "1.2.840.10008.1.2.4."
_LOSSLESS = {f"{_JPEG}{ending}" for ending in (57, 70, 80, 90, 201, 202)}
"""JPEG lossless, JPEG-LS, JPEG 2000 and HTJ2K, where the syntax itself says that nothing is lost."""
_UNCOMPRESSED = "Save it uncompressed (Explicit VR Little Endian)."


class PixelSource:
    """The frames of one segmentation.

    Parameters
    ----------
    header, kind
        As `layout` has read them; ``header.pixels`` stands at the pixels.
    limits
        Bounds on what is decoded.
    path
        The file, for errors.

    Raises
    ------
    InputError
        There are no pixels, too few or too many, or in an encoding that is not read.
    """

    def __init__(self, header: DicomHeader[Dataset], kind: Kind, limits: Limits, path: str) -> None:
        self._kind, self._limits, self._path = kind, limits, path
        pixels = header.pixels
        if pixels is None or pixels.keyword != "PixelData":
            raise unusable("The segmentation has no pixels.", "Transfer the file again.")
        if kind.rows * kind.columns * 2 > limits.frame_bytes:
            raise unusable("A frame of the segmentation is larger than limits.frame_bytes.")
        self._syntax = header.transfer_syntax_uid
        self._stream: BinaryIO = pixels.stream
        self._start = pixels.stream.tell()
        self._fragments: Encapsulated | None = None
        if self._syntax in (IMPLICIT_LITTLE, EXPLICIT_LITTLE, _DEFLATED):
            self._check_length(pixels)
        elif self._syntax in (_RLE, _ENCAPSULATED, _DEFLATED_FRAMES) or self._syntax in _LOSSLESS:
            one_each = self._syntax not in _LOSSLESS
            with as_pixel_errors(path):
                offsets = extended_offsets(header.dataset)
                self._fragments = Encapsulated(pixels.stream, pixels.length, kind.frames, offsets, one_each)
        else:
            lossy = self._syntax.startswith(_JPEG)
            what = "is compressed with loss, which moves edges" if lossy else "is in an encoding that is not read"
            raise unusable(f"The segmentation {what}.", _UNCOMPRESSED)

    def values(self, number: int) -> Values:
        """The values of one frame (1-based), (rows, columns).

        Raises
        ------
        InputError
            The frame is not there, damaged, or holds values that it may not hold.
        """
        with as_pixel_errors(self._path):
            found = self._native(number) if self._fragments is None else self._decoded(self._fragments, number)
            if self._kind.segmentation != "LABELMAP" and found.max(initial=0) > self._kind.most:
                raise unusable("The segmentation holds values above its maximum.", "Write it anew.")
            return found

    def _check_length(self, pixels: PixelElement) -> None:
        """Frames follow each other without a gap, and an even number of bytes ends them (PS3.5 8.1.1, 7.1.1).

        Some writers begin each frame of single bits at a whole byte: their masks would be out of step.
        """
        kind = self._kind
        needed = math.ceil(kind.frames * kind.rows * kind.columns * kind.bits / 8)
        if pixels.length is None:
            raise unusable("The segmentation's pixels have no length.", "Transfer the file again.")
        if pixels.length < needed:
            raise unusable("The segmentation's pixels are shorter than its header says.", "Transfer the file again.")
        if pixels.length > needed + needed % 2:
            raise unusable("The segmentation's pixels are longer than its header says.", "Write it anew.")

    def _native(self, number: int) -> Values:
        """Bit by bit where a pixel is one, the first pixel in the lowest bit (PS3.5 8.1.1, annex D)."""
        size, bits = self._kind.rows * self._kind.columns, self._kind.bits
        first, last = (number - 1) * size * bits, number * size * bits
        self._stream.seek(self._start + first // 8)
        data = self._stream.read(math.ceil(last / 8) - first // 8)
        if len(data) * 8 < last - first // 8 * 8:
            raise unusable("The segmentation is cut off.", "Transfer the file again.")
        return self._shaped(data, first % 8)

    def _shaped(self, data: bytes, skipped_bits: int = 0) -> Values:
        kind = self._kind
        if kind.bits == 1:
            bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
            return bits[skipped_bits : skipped_bits + kind.rows * kind.columns].reshape(kind.rows, kind.columns)
        return np.frombuffer(data, f"<u{kind.bits // 8}").reshape(kind.rows, kind.columns)

    def _decoded(self, fragments: Encapsulated, number: int) -> Values:
        data = fragments.frame(number, self._limits.frame_bytes)
        kind = self._kind
        packed = math.ceil(kind.rows * kind.columns * kind.bits / 8)
        if self._syntax == _RLE:
            return rle.decode(data, self._header()) if kind.bits > 1 else self._run_lengths(data, packed)
        if self._syntax == _DEFLATED_FRAMES:
            return self._shaped(_inflated(data, packed))
        if self._syntax == _ENCAPSULATED:
            if not packed <= len(data) <= packed + packed % 2:
                raise unusable("A frame of the segmentation has another length than its header says.", _UNCOMPRESSED)
            return self._shaped(data[:packed])
        data = codestream.bare(data)
        samples = decode.compressed(data, decode.inspect(data, self._header()), self._limits)
        if samples.ndim != 2:
            raise unusable("A frame of the segmentation has colours.", _UNCOMPRESSED)
        return samples

    def _run_lengths(self, data: bytes, packed: int) -> Values:
        """Single bits in run lengths: packed as if uncompressed (OHIF), or a byte each."""
        kind = self._kind
        try:
            return self._shaped(rle.unpack(data, packed))
        except InputError:
            values = np.frombuffer(rle.unpack(data, kind.rows * kind.columns), np.uint8)
            return values.reshape(kind.rows, kind.columns)

    def _header(self) -> Header:
        """The header that the decoders compare a frame with."""
        kind = self._kind
        return Header(
            transfer_syntax=self._syntax, rows=kind.rows, columns=kind.columns, frames=kind.frames, samples=1,
            photometric="MONOCHROME2", planar=0, bits_allocated=kind.bits, bits_stored=kind.bits,
            high_bit=kind.bits - 1, signed=False, big_endian=False, vr="OB", length=None, palette=(), window=None,
            offsets=(),
        )  # fmt: skip


def _inflated(data: bytes, size: int) -> bytes:
    """A frame of the syntax Deflated Image Frame Compression, and no more of it than a frame has."""
    found = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 2)
    if not size <= len(found) <= size + size % 2:
        raise unusable("A frame of the segmentation unpacks to another size than its header says.", _UNCOMPRESSED)
    return found[:size]
