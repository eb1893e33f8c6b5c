"""Frames that the report may show, kept from when their image was open, so that nothing is decoded a second time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from types import TracebackType
from typing import Self

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
"""Where the bytes of a frame begin, and their shape."""


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
        # Held open for the life of this object, closed in close().
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        self._places: dict[tuple[str, int], _Place] = {}
        self._end = 0
        self._open: OpenImage | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let all frames go."""
        self._file.close()
        if self._open is not None:
            self._open.close()

    def keep(self, image: OpenImage, frames: Iterable[int]) -> None:
        """Keep these of an image's frames (1-based), as far as they are decoded and there is room."""
        for frame in frames:
            key = image.instance.sop_instance_uid, frame
            if key not in self._places and image.holds(frame):
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
        if key not in self._places:
            image = self._opened(instance)
            pixels = self._cover.shown(image, frame)
            self.keep(image, [frame])
            return pixels
        start, shape = self._places[key]
        self._file.seek(start)
        pixels = np.frombuffer(self._file.read(int(np.prod(shape))), np.uint8).reshape(shape)
        return pixels if len(shape) == 3 else in_gray(pixels)

    def _opened(self, instance: Instance) -> OpenImage:
        """The image, which stays open until another one is asked for: a volume is shown frame by frame."""
        if self._open is None or self._open.instance is not instance:
            if self._open is not None:
                self._open.close()
            self._open = OpenImage(instance, self._limits)
        return self._open

    def _add(self, key: tuple[str, int], pixels: _Pixels) -> None:
        stored = without_colour(pixels)
        if self._end + stored.nbytes > self._room:
            return
        try:
            self._file.seek(self._end)
            self._file.write(stored.data)
            self._file.flush()  # or the system would refuse the bytes when a frame is shown
        except OSError:  # no temporary space: what was kept may be lost as well, so all are decoded again when shown
            self._places.clear()
            self._room = 0
            return
        self._places[key] = self._end, stored.shape
        self._end += stored.nbytes


def without_colour(pixels: _Pixels) -> _Pixels:
    """A picture (rows, columns, 3) as (rows, columns) where all of it is grey; else as it is."""
    return np.ascontiguousarray(pixels[..., 0] if is_gray(pixels) else pixels)
