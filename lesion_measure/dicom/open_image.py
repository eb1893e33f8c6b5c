"""One image while it is read: opened once, when a frame is first asked for, and each frame decoded once."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from lesion_measure.config import Limits
from lesion_measure.dicom.frames import Frame, FrameReader
from lesion_measure.errors import InputError
from lesion_measure.records import Instance

KEPT_BYTES = 1 << 25
"""Decoded frames that stay in memory: some 36 in colour of 480 x 640 pixels. A search of all frames asks for each once;
those that are measured are decoded again."""

_Any = TypeVar("_Any")


class OpenImage:
    """The frames of one image; close it, or use it as a context manager.

    What cannot be opened or decoded is not tried again: the same error is raised whenever it is asked for. The frames
    longest unused are let go above ``kept_bytes``, and would be decoded again.

    Parameters
    ----------
    instance
        The image. Nothing is opened before a frame is asked for.
    limits
        Bounds on what is read and decoded.
    kept_bytes
        Memory for decoded frames; the last one asked for stays in any case.

    Attributes
    ----------
    instance
        As given.
    """

    def __init__(self, instance: Instance, limits: Limits, kept_bytes: int = KEPT_BYTES) -> None:
        self.instance = instance
        self._limits = limits
        self._most = kept_bytes
        self._reader: FrameReader | InputError | None = None
        self._frames: dict[int, Frame | InputError] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, where it was opened, and let the frames go."""
        if isinstance(self._reader, FrameReader):
            self._reader.close()
        self._reader = None
        self._frames.clear()

    def holds(self, frame: int) -> bool:
        """Whether a frame is decoded and still there."""
        return isinstance(self._frames.get(frame), Frame)

    def frame(self, number: int) -> Frame:
        """One frame (1-based), decoded.

        Raises
        ------
        PixelError
            There is no such frame, or it cannot be decoded.
        InputError
            The file cannot be opened.
        """
        found = self._frames.pop(number, None)
        if found is None:
            found = _or_error(lambda: self._opened().decoded(number))
        self._frames[number] = found  # at the end: the one used last
        while self._bytes() > self._most and len(self._frames) > 1:
            del self._frames[next(iter(self._frames))]
        return _raised(found)

    def _opened(self) -> FrameReader:
        if self._reader is None:
            self._reader = _or_error(lambda: FrameReader(self.instance, self._limits))
        return _raised(self._reader)

    def _bytes(self) -> int:
        return sum(frame.pixels.nbytes for frame in self._frames.values() if isinstance(frame, Frame))


def _or_error(make: Callable[[], _Any]) -> _Any | InputError:
    try:
        return make()
    except InputError as error:
        return error


def _raised(found: _Any | InputError) -> _Any:
    if isinstance(found, InputError):
        raise found
    return found
