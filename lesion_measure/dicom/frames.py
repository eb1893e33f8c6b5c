"""Frames of one image, decoded one at a time, as luminance or as RGB.

`FrameReader` decodes whenever it is asked; a run asks `open_image`, which decodes each frame once. Inside:
`pixel_header` (how the pixels are stored), `fragments` (where a frame's bytes lie), `codestream` (what a compressed
frame says of itself), `decode` (bytes to samples), `rle` and `lossless` (RLE, and JPEG lossless of more than 8 bits),
`agreement` (whether header and pixels fit), `colour` (samples to what a screen shows).

Whatever goes wrong in here is a `PixelError` to the caller, and so costs one image.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lesion_measure import config
from lesion_measure.dicom import agreement, codestream, colour, decode, rle
from lesion_measure.dicom.boundary import as_pixel_errors
from lesion_measure.dicom.codestream import Codestream
from lesion_measure.dicom.colour import Frame
from lesion_measure.dicom.fragments import Encapsulated, Native
from lesion_measure.dicom.headers import IMPLICIT_LITTLE
from lesion_measure.dicom.native import Samples
from lesion_measure.dicom.pixel_header import Header, read_header
from lesion_measure.errors import PixelError
from lesion_measure.files.archive import changed, open_location
from lesion_measure.records import Instance

__all__ = ["Frame", "FrameReader"]

_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
_ENCAPSULATED_NATIVE = "1.2.840.10008.1.2.1.98"
_RLE = "1.2.840.10008.1.2.5"
_JPEG = "1.2.840.10008.1.2.4."
_JPEG_ENDINGS = {*range(50, 67), 70, 80, 81, 90, 91, 201, 202, 203}
_PACKED = ("YBR_FULL_422", "YBR_PARTIAL_422")
_MONOCHROME = ("MONOCHROME1", "MONOCHROME2")


class FrameReader:
    """Reads single frames of an image; close it, or use it as a context manager.

    Parameters
    ----------
    instance
        The image. Its location is opened here; the file must be the one whose header was read.
    limits
        Bounds on what is read and decoded; the defaults where left out.

    Attributes
    ----------
    rows, columns, frames
        Size of the image.

    Raises
    ------
    PixelError
        The pixel data are missing, damaged, too large or of an encoding that is not read.
    InputError
        The file cannot be opened.
    """

    def __init__(self, instance: Instance, limits: config.Limits | None = None) -> None:
        self._limits = limits or config.Limits()
        self._path = instance.path
        self._warnings: dict[str, None] = {}
        self._lines_fit = False
        self._spaces: dict[str, str] = {}
        self._tables: tuple[colour.Gray, colour.Gray] | None = None
        self._file = open_location(instance.location, self._limits)
        try:
            with self._boundary():
                self._header, self._stream = read_header(self._file, self._limits)
                self._syntax = self._header.transfer_syntax
                if (self._header.rows, self._header.columns) != (instance.rows, instance.columns):
                    raise changed()
                if instance.header_sha256 and self._header.sha256 != instance.header_sha256:
                    raise changed()
                self._source = self._open_source()
        except PixelError:
            self._file.close()
            raise
        self.rows, self.columns, self.frames = self._header.rows, self._header.columns, self._header.frames

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._file.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was doubtful in the frames read so far."""
        return tuple(dict.fromkeys([*self._header.warnings, *self._source.warnings, *self._warnings]))

    def decoded(self, frame: int) -> Frame:
        """One frame (1-based), decoded.

        Raises
        ------
        PixelError
            There is no such frame, or it cannot be decoded.
        """
        if not 1 <= frame <= self.frames:
            raise PixelError(
                f"There is no frame {frame}; the image has {self.frames}.",
                remedy="Frames count from 1.",
                code="no_such_frame",
                path=self._path,
            )
        with self._boundary():
            return self._frame(self._source.frame(frame, self._limits.frame_bytes))

    def luminance(self, frame: int) -> NDArray[np.uint8]:
        """Brightness of one frame (1-based), uint8 (rows, columns); see `Frame.luminance`, and `decoded` for errors."""
        return self.decoded(frame).luminance()

    def display(self, frame: int) -> NDArray[np.uint8]:
        """One frame (1-based) in colour, uint8 (rows, columns, 3) RGB; raises as `decoded`."""
        return self.decoded(frame).display()

    def _frame(self, data: bytes) -> Frame:
        found = None
        if self._syntax.startswith(_JPEG):
            data = codestream.bare(data)
            found = decode.inspect(data, self._header)
            self._warn(codestream.doubtful_end(data))
        samples = self._samples(data, found)
        if found is None and not self._lines_fit:
            first = samples if samples.ndim == 2 else samples[..., 0]
            agreement.check_lines(colour.to_8_bits(first, self._header.bits_allocated), self.columns)
            self._lines_fit = True
        agreement.check_bits(samples, self._header, self._shift(found))
        if samples.ndim == 2:
            bits = self._header.bits_stored
            index = (samples.astype(np.uint16) >> self._shift(found)) & ((1 << bits) - 1)
            return Frame(index.astype(np.uint8 if bits <= 8 else np.uint16), self._lookup())
        return self._colours(samples, found)

    def _samples(self, data: bytes, found: Codestream | None) -> Samples:
        header = self._header
        if found is not None:
            return decode.compressed(data, found, self._limits)
        if self._syntax == _RLE:
            return rle.decode(data, header)
        if header.photometric in _PACKED and len(data) < header.frame_samples:
            return decode.native_422(data, header, len(data) == _packed_bytes(header, padded_rows=True))
        size = header.frame_samples * header.bits_allocated // 8
        if len(data) < size:
            raise agreement.disagree(f"a frame has {len(data)} bytes, and rows and columns ask for {size}")
        self._warn(agreement.check_surplus(data[size:], len(data) - size, agreement.padding(header), size))
        samples = decode.native(data[:size], header)
        if samples.ndim == 3:
            agreement.check_planar(samples, header)
        return samples

    def _shift(self, found: Codestream | None) -> int:
        """Bits below the stored ones; codecs give samples that are shifted down already."""
        return self._header.high_bit + 1 - self._header.bits_stored if found is None else 0

    def _lookup(self) -> tuple[colour.Gray, colour.Gray]:
        """8-bit luminance and RGB for every stored value of a one-sample image, made once."""
        if self._tables is None:
            if self._header.photometric == "PALETTE COLOR":
                rgb = colour.palette_table(self._header)
                self._tables = colour.luminance(rgb), rgb
            elif self._header.photometric in _MONOCHROME:
                gray = colour.gray_table(self._header)
                self._tables = gray, colour.in_gray(gray)
            else:
                raise codestream.unsupported(f"{self._header.photometric} with one sample per pixel")
        return self._tables

    def _colours(self, samples: Samples, found: Codestream | None) -> Frame:
        pixels = colour.to_8_bits(samples, found.precision if found is not None else self._header.bits_stored)
        if self._space(pixels, found) == "rgb":
            return Frame(pixels, "rgb")
        if "PARTIAL" in self._header.photometric:
            if colour.uses_full_range(pixels):
                self._warn("The image is labelled as partial range, and its pixels use the full range.")
            else:
                pixels = colour.full_range(pixels)
        return Frame(pixels, "ybr")

    def _space(self, pixels: NDArray[np.uint8], found: Codestream | None) -> str:
        """Whether three components are "rgb" or "ybr": what the picture shows, else the stream, else the header."""
        evidence = _evidence(found)
        if evidence in self._spaces:
            return self._spaces[evidence]
        photometric = self._header.photometric
        labelled = "ybr" if photometric.startswith(("YBR_FULL", "YBR_PARTIAL")) else "rgb"
        marked = found.colour if found is not None else None
        seen = colour.look(pixels)
        space = seen or marked or labelled
        if space != labelled:
            self._warn(f"The image is labelled {photometric}, and its pixels are {space.upper()}.")
        if marked is not None and space != marked:
            self._warn(f"The compressed stream is marked as {marked.upper()}, and its pixels are {space.upper()}.")
        if seen is not None:
            self._spaces[evidence] = space
        return space

    def _open_source(self) -> Encapsulated | Native:
        header, syntax = self._header, self._syntax
        if header.samples == 3 and not header.photometric.startswith(("RGB", "YBR_")):
            raise codestream.unsupported(f"{header.photometric} with three samples per pixel")
        if syntax in _NATIVE:
            if header.length is None:
                raise codestream.damaged("uncompressed pixel data have no length")
            swapped = header.big_endian and header.bits_allocated == 8 and header.vr == "OW"
            size = self._native_bytes(header.length)
            source = Native(self._stream, header.length, size, swapped)
            self._warn(source.check_length(size * header.frames, agreement.padding(header)))
            self._warn(source.check_end(syntax != IMPLICIT_LITTLE, header.big_endian))
            return source
        ending = syntax.removeprefix(_JPEG)
        known = syntax in (_RLE, _ENCAPSULATED_NATIVE) or (ending.isdigit() and int(ending) in _JPEG_ENDINGS)
        if not known:
            raise codestream.unsupported(f"transfer syntax {syntax}")
        one_each = syntax in (_RLE, _ENCAPSULATED_NATIVE)
        return Encapsulated(self._stream, header.length, header.frames, header.offsets, one_each)

    def _native_bytes(self, length: int) -> int:
        """Bytes of one uncompressed frame; those of YBR_FULL_422 depend on how odd rows are written."""
        header = self._header
        whole = header.frame_samples * header.bits_allocated // 8
        if header.photometric not in _PACKED:
            if header.photometric == "YBR_PARTIAL_420":
                raise codestream.unsupported("uncompressed YBR_PARTIAL_420")
            return whole
        if header.bits_allocated != 8:
            raise codestream.unsupported(f"{header.photometric} of {header.bits_allocated} bits")
        for size in (_packed_bytes(header, False), _packed_bytes(header, True), whole):
            if 0 <= length - size * header.frames <= 1:
                if size == whole:
                    self._warn(f"The image is labelled {header.photometric}, and its colours are not subsampled.")
                return size
        return _packed_bytes(header, False)

    def _warn(self, text: str) -> None:
        if text:
            self._warnings[text] = None

    def _boundary(self) -> AbstractContextManager[None]:
        return as_pixel_errors(self._path)


def _packed_bytes(header: Header, padded_rows: bool) -> int:
    """Bytes of a frame with two bytes per pixel, in whole pairs of pixels."""
    if padded_rows:
        return header.rows * -(-header.columns // 2) * 4
    return -(-header.rows * header.columns // 2) * 4


def _evidence(found: Codestream | None) -> str:
    """What the colours of a frame depend on; frames alike in it are alike in their colours."""
    return "" if found is None else f"{found.family} {found.colour} {found.subsampled}"
