"""Frames that the report may show, kept from when their image was open, so that nothing is decoded a second time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Limits
from lesion_measure.dicom.colour import in_gray, is_gray
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.cover import Cover
from lesion_measure.records import Instance

MOST_BYTES = 1 << 30
"""Some 3,500 grey frames of 480 x 640 pixels, a third as many in colour; frames beyond are decoded again when shown."""
IN_MEMORY_BYTES = 1 << 26
"""What is more lies in a temporary file without a name, which goes with the process."""

_Pixels = NDArray[np.uint8]
_Place = tuple[int, tuple[int, ...]]
"""Where the bytes of a frame begin in the file, and their shape."""


class ShownFrames:
    """Frames of all images of a run, as a screen shows them; close it, or use it as a context manager.

    Parameters
    ----------
    limits
        Bounds on what is read and decoded.
    most_bytes
        Room for frames.
    cover
        What of a frame may be shown; all of it where None.
    """

    def __init__(self, limits: Limits, most_bytes: int = MOST_BYTES, cover: Cover | None = None) -> None:
        self._limits = limits
        self._cover = cover or Cover("nothing")
        self._room = most_bytes
        self._here: dict[tuple[str, int], _Pixels] = {}
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._places: dict[tuple[str, int], _Place] = {}
        self._end = 0
        self._open: OpenImage | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let all frames go."""
        self._here.clear()
        self._forget_file()
        if self._open is not None:
            self._open.close()

    def keep(self, image: OpenImage, frames: Iterable[int]) -> None:
        """Keep these of an image's frames (1-based), as far as they are decoded and there is room."""
        for frame in frames:
            key = image.instance.sop_instance_uid, frame
            if key not in self._here and key not in self._places and image.holds(frame):
                self._add(key, self._cover.shown(image, frame))

    def display(self, instance: Instance, frame: int) -> _Pixels:
        """One frame (1-based) in colour, uint8 (rows, columns, 3) RGB; decoded now where it was not kept.

        Raises
        ------
        PixelError
            There is no such frame, or it cannot be decoded.
        InputError
            The file cannot be opened.
        """
        key = instance.sop_instance_uid, frame
        found = self._kept(key)
        if found is None:
            image = self._opened(instance)
            pixels = self._cover.shown(image, frame)
            self.keep(image, [frame])
            found = _unwritable(pixels)  # its bytes may be those that were just kept
        return found if found.ndim == 3 else in_gray(found)

    def _kept(self, key: tuple[str, int]) -> _Pixels | None:
        found = self._here.get(key)
        return self._from_file(key) if found is None else found

    def _from_file(self, key: tuple[str, int]) -> _Pixels | None:
        if key not in self._places or self._file is None:
            return None
        start, shape = self._places[key]
        self._file.seek(start)
        return np.frombuffer(self._file.read(math.prod(shape)), np.uint8).reshape(shape)

    def _opened(self, instance: Instance) -> OpenImage:
        """The image, which stays open until another one is asked for: a volume is shown frame by frame."""
        if self._open is None or self._open.instance is not instance:
            if self._open is not None:
                self._open.close()
            self._open = OpenImage(instance, self._limits)
        return self._open

    def _add(self, key: tuple[str, int], pixels: _Pixels) -> None:
        stored = without_colour(pixels)
        if self._in_memory + self._end + stored.nbytes > self._room:
            return
        if self._in_memory + stored.nbytes <= IN_MEMORY_BYTES:
            self._here[key] = _unwritable(stored)
            self._in_memory += stored.nbytes
            return
        try:
            if self._file is None:
                # Held open for the life of this object, closed in close().
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
            self._file.seek(self._end)
            self._file.write(stored.data)
            self._file.flush()  # or the system would refuse the bytes when a frame is shown
        except OSError:  # no temporary space: what was written may be lost as well, so it is decoded again when shown
            self._room = 0
            self._forget_file()
            return
        self._places[key] = self._end, stored.shape
        self._end += stored.nbytes

    def _forget_file(self) -> None:
        self._places.clear()
        if self._file is not None:
            with suppress(OSError):  # of a full disk: what it holds is not wanted any more
                self._file.close()
        self._file = None


def _unwritable(pixels: _Pixels) -> _Pixels:
    """The same bytes, to be looked at alone; those of a larger array are copied, which would be kept whole."""
    base: object = pixels.base
    small = base is None or (isinstance(base, np.ndarray) and base.nbytes <= pixels.nbytes)
    alone = pixels if small else pixels.copy()
    alone = alone.view()
    alone.flags.writeable = False
    return alone


def without_colour(pixels: _Pixels) -> _Pixels:
    """A picture (rows, columns, 3) as (rows, columns) where all of it is grey; else as it is."""
    return np.ascontiguousarray(pixels[..., 0] if is_gray(pixels) else pixels)
