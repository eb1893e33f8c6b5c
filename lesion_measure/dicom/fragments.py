"""Where each frame's bytes lie in the file: native pixel data, or encapsulated fragments (PS3.5 A.4).

The fragments are indexed once by their lengths alone, so that any frame of a long cine is one read away.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from lesion_measure.dicom.agreement import check_surplus, disagree
from lesion_measure.dicom.codestream import damaged, starts_image
from lesion_measure.errors import PixelError
from lesion_measure.files.archive import read_some

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_MAX_FRAGMENTS = 200_000
_TRANSFER = "Transfer the file again; it may be cut off."


@dataclass(frozen=True, slots=True)
class Fragment:
    """Position in the stream, length, and offset from the first fragment as the offset tables count it."""

    position: int
    length: int
    offset: int


def cut_off(frame: int) -> PixelError:
    """The error for a frame whose bytes are not all there."""
    return PixelError(f"Frame {frame} is not completely in the file.", remedy=_TRANSFER, code="pixels_truncated")


class Encapsulated:
    """Frames of an encapsulated stream.

    Parameters
    ----------
    stream
        Standing at the basic offset table item.
    length
        Length of the pixel data element where it states one, against the standard; else None.
    frames
        NumberOfFrames.
    extended
        Extended offset table (PS3.3 C.7.6.3.1.8), empty where absent.
    one_each
        True where a frame is always one fragment, as in RLE (PS3.5 A.4.2).
    """

    def __init__(
        self, stream: BinaryIO, length: int | None, frames: int, extended: Sequence[int], one_each: bool
    ) -> None:
        self._stream = stream
        self.warnings: list[str] = []
        basic, fragments = self._index(None if length is None else stream.tell() + length)
        self._frames = self._group(fragments, frames, extended or basic, one_each)
        if len(self._frames) < frames:
            self.warnings.append(f"The header states {frames} frames, the file holds {len(self._frames)}.")

    def frame(self, number: int, limit: int) -> bytes:
        """The bytes of one frame (1-based), of at most ``limit`` bytes.

        Raises
        ------
        PixelError
            The frame is not there, not complete, or too large.
        """
        if number > len(self._frames):
            raise cut_off(number)
        fragments = self._frames[number - 1]
        if sum(fragment.length for fragment in fragments) > limit:
            raise damaged(f"frame {number} is larger packed than limits.frame_bytes")
        parts = []
        for fragment in fragments:
            self._stream.seek(fragment.position)
            part = read_some(self._stream, fragment.length)
            if len(part) < fragment.length:
                raise cut_off(number)
            parts.append(part)
        return b"".join(parts)

    def _index(self, end: int | None) -> tuple[tuple[int, ...], list[Fragment]]:
        """Basic offset table and the fragments after it; a missing end is allowed, since it holds no pixels."""
        offsets: tuple[int, ...] | None = None
        fragments: list[Fragment] = []
        first = 0
        while end is None or self._stream.tell() + 8 <= end:
            head = read_some(self._stream, 8)
            if len(head) < 8 or head[:4] == _END:
                break
            length = struct.unpack("<L", head[4:])[0]
            if head[:4] != _ITEM or length == 0xFFFFFFFF:
                raise damaged("the fragments of the frames are out of order")
            if offsets is None:
                table = read_some(self._stream, length) if length <= 4 * _MAX_FRAGMENTS else b""
                if len(table) < length:
                    raise damaged("the offset table is cut off")
                offsets = struct.unpack(f"<{length // 4}L", table[: length // 4 * 4])
                first = self._stream.tell()
                continue
            position = self._stream.tell()
            if length:
                fragments.append(Fragment(position, length, position - 8 - first))
            if len(fragments) > _MAX_FRAGMENTS:
                raise damaged("there are far too many fragments")
            self._stream.seek(position + length)
        if not fragments:
            raise PixelError("The pixel data are empty.", remedy=_TRANSFER, code="no_pixel_data")
        return offsets or (), fragments

    def _group(
        self, fragments: list[Fragment], frames: int, offsets: Sequence[int], one_each: bool
    ) -> list[list[Fragment]]:
        """Which fragments make up each frame: by where images start, else by the offset table, else one each."""
        if one_each or (len(fragments) == frames and frames > 1):
            if len(fragments) > frames:
                self.warnings.append(f"The header states {frames} frames, the file holds {len(fragments)}.")
            return [[fragment] for fragment in fragments[:frames]]
        starts = [index for index, fragment in enumerate(fragments) if self._starts(fragment)]
        if starts and starts[0] == 0 and (len(starts) >= frames or len(starts) == len(fragments)):
            if len(starts) > frames:
                self.warnings.append(f"The header states {frames} frames, the file holds {len(starts)}.")
            return _slices(fragments, starts)[:frames]
        by_offset = {fragment.offset: index for index, fragment in enumerate(fragments)}
        if len(offsets) == frames and list(offsets) == sorted(set(offsets)) and all(o in by_offset for o in offsets):
            return _slices(fragments, [by_offset[offset] for offset in offsets])
        if frames == 1:
            return [fragments]
        raise PixelError(
            f"{len(fragments)} fragments cannot be told apart into {frames} frames.",
            remedy="Export the file again with an offset table.",
            code="frames_unclear",
        )

    def _starts(self, fragment: Fragment) -> bool:
        self._stream.seek(fragment.position)
        return starts_image(read_some(self._stream, min(fragment.length, 8)))


def _is_vr(code: bytes) -> bool:
    return code.isalpha() and code.isupper()


def _slices(fragments: list[Fragment], starts: Sequence[int]) -> list[list[Fragment]]:
    ends = [*starts[1:], len(fragments)]
    return [fragments[start:end] for start, end in zip(starts, ends, strict=True)]


class Native:
    """Frames of uncompressed pixel data, one after another without padding between them (PS3.5 8.1.1).

    ``swapped`` says that 8-bit pixels were written as 16-bit big-endian words, which turns each pair around.
    """

    def __init__(self, stream: BinaryIO, length: int, frame_bytes: int, swapped: bool) -> None:
        self._stream = stream
        self._start = stream.tell()
        self._length = length
        self._frame_bytes = frame_bytes
        self._swapped = swapped
        self.warnings: list[str] = []

    def check_end(self, explicit: bool, big_endian: bool) -> str:
        """A warning where bytes were lost from or put into the pixels, as what follows them shows; else empty.

        Then lines may lie beside their place, though no number of the header is wrong. After the pixels come the end of
        the file, zeros, or an element with a later tag (PS3.5 7.1).
        """
        here = self._stream.tell()
        self._stream.seek(self._start + max(self._length - 1, 0))
        last = read_some(self._stream, 9)
        self._stream.seek(here)
        if self._length and not last:
            return "The file ends before its pixels do; some may be lost before that, and lines be out of place."
        after = last[1:]
        tag = struct.unpack(">HH" if big_endian else "<HH", after[:4]) if len(after) == 8 else (0, 0)
        if after.strip(b"\0") and (tag <= (0x7FE0, 0x0010) or (explicit and not _is_vr(after[4:6]))):
            return "Bytes that are no element follow the pixels; some may be put in, and lines be out of place."
        return ""

    def check_length(self, whole: int, padding: int) -> str:
        """A warning about padding after the frames, which ask for ``whole`` bytes; empty where there is none.

        Raises
        ------
        PixelError
            Another number of bytes is stated, so that a number of the header is wrong and perhaps every line of the
            picture out of step.
        """
        count = self._length - whole
        if count < 0:
            raise disagree(
                f"rows, columns, samples, bits and frames ask for {whole} bytes, and only {self._length} are there"
            )
        here = self._stream.tell()
        self._stream.seek(self._start + whole)
        surplus = read_some(self._stream, min(count, padding + 1))
        self._stream.seek(here)
        return check_surplus(surplus, count, padding, whole)

    def frame(self, number: int, limit: int) -> bytes:
        """The bytes of one frame (1-based). Raises PixelError where they are not all there."""
        begin = (number - 1) * self._frame_bytes
        end = begin + self._frame_bytes
        if end > self._length or self._frame_bytes > limit:
            raise cut_off(number)
        first, last = (begin - begin % 2, end + end % 2) if self._swapped else (begin, end)
        self._stream.seek(self._start + first)
        data = read_some(self._stream, last - first)
        if self._swapped:
            pairs = bytearray(data[: len(data) // 2 * 2])
            pairs[0::2], pairs[1::2] = pairs[1::2], pairs[0::2]
            data = bytes(pairs)[begin - first :]
        if len(data) < self._frame_bytes:
            raise cut_off(number)
        return data[: self._frame_bytes]
