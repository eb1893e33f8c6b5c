"""The network's lesions in a file, one behind the other: memory holds where each one lies, and not its pixels.

A cine has thousands of frames, and a result takes pixels of a few. So each frame's lesions are written as they are
drawn, and read when they are asked for. Beside the arrays (``NAME.raw``) stands an index (``NAME.json``): its own
SHA-256, then that of the arrays, the frames that were looked at, and of each lesion all but its arrays. It is untrusted
like any other file: what was damaged since, or does not fit its arrays, is as if it were not there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from lesion_measure.errors import OutputError
from lesion_measure.files.reading import open_unbuffered, read_regular
from lesion_measure.files.writing import failing, replacing_bytes, write_bytes
from lesion_measure.image.cine import Masks
from lesion_measure.records import LesionMask
from lesion_measure.records.record import Count, PositiveInt

ARRAYS, INDEX = ".raw", ".json"
_WHAT = "network's outline"
_MAX_INDEX_BYTES = 100_000_000
_MAP, _POINTS = np.dtype("<f4"), np.dtype("<f8")

Keep = Callable[[Iterable[tuple[int, Sequence[LesionMask]]]], Masks]
"""Takes the lesions of frames as they are drawn, and gives them as they are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptLesion:
    """A lesion in a file, which is as a `LesionMask`; its arrays are read whenever they are asked for.

    They begin at ``place``; ``points`` are those of the outline. The file is open; ``path`` is told where it fails.
    """

    file: FileIO
    path: Path
    place: int
    shape: tuple[int, int]
    points: int
    origin: tuple[int, int]
    confidence: float
    accepted: bool

    @property
    def probability(self) -> NDArray[np.float32]:
        """As `LesionMask` has it. Raises OutputError where it cannot be read."""
        return self._array(self.place, self.shape, _MAP)

    @property
    def outline_px(self) -> NDArray[np.float64]:
        """As `LesionMask` has it. Raises OutputError where it cannot be read."""
        rows, columns = self.shape
        return self._array(self.place + rows * columns * _MAP.itemsize, (self.points, 2), _POINTS)

    @property
    def end(self) -> int:
        """Where the next one begins."""
        rows, columns = self.shape
        return self.place + rows * columns * _MAP.itemsize + 2 * self.points * _POINTS.itemsize

    def _array(self, place: int, shape: tuple[int, int], kind: np.dtype[Any]) -> NDArray[Any]:
        found = np.empty(shape, kind)
        try:
            self.file.seek(place)
            whole = self.file.readinto(found.data) == found.nbytes
        except OSError as error:
            raise self._lost() from error
        if not whole:
            raise self._lost()
        return found

    def _lost(self) -> OutputError:
        return OutputError(
            "The network's outlines cannot be read back from the results folder.",
            remedy="Check its disk, and give the command again.",
            code="outlines_lost",
            path=str(self.path),
        )


class _Index(BaseModel):
    """What stands beside the arrays.

    Of each lesion, in the order of the arrays: frame, rows and columns, points of the outline, row and column of the
    upper left pixel, confidence, whether it is accepted.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    sha256: str
    frames: list[PositiveInt]
    lesions: list[tuple[PositiveInt, Count, Count, Count, int, int, float, bool]]


class OutlineWriter:
    """Lesions on their way into ``path``, which ``file`` reads already; ``masks`` are those that are there."""

    def __init__(self, stream: BinaryIO, file: FileIO, path: Path) -> None:
        self._stream, self._file, self._path = stream, file, path
        self._digest = hashlib.sha256()
        self._end = 0
        self.masks: dict[int, list[KeptLesion]] = {}

    def keep(self, drawn: Iterable[tuple[int, Sequence[LesionMask]]]) -> Masks:
        """The lesions of frames as they are kept, each frame written when it is drawn."""
        new = {frame: [self.add(lesion) for lesion in lesions] for frame, lesions in drawn}
        self._stream.flush()  # they are read through another descriptor
        self.masks |= new
        return new

    def add(self, lesion: LesionMask) -> KeptLesion:
        """A lesion, written behind the others."""
        for array, kind in ((lesion.probability, _MAP), (lesion.outline_px, _POINTS)):
            data = np.ascontiguousarray(array, kind).data
            self._stream.write(data)
            self._digest.update(data)
        (row, column), points = lesion.origin, len(lesion.outline_px)
        known = (int(row), int(column)), float(lesion.confidence), bool(lesion.accepted)
        kept = KeptLesion(self._file, self._path, self._end, lesion.shape, points, *known)
        self._end = kept.end
        return kept

    def index(self) -> bytes:
        """What stands beside the arrays (`_Index`), behind its own SHA-256."""
        lesions = [
            (frame, *lesion.shape, lesion.points, *lesion.origin, lesion.confidence, lesion.accepted)
            for frame, drawn in self.masks.items()
            for lesion in drawn
        ]
        known = _Index(sha256=self._digest.hexdigest(), frames=sorted(self.masks), lesions=lesions)
        text = known.model_dump_json().encode()
        return hashlib.sha256(text).hexdigest().encode() + b"\n" + text


@contextmanager
def making(path: Path, make: Callable[[Keep], object]) -> Iterator[Masks]:
    """The lesions that ``make`` gives away to be kept, in ``path`` and its index when all of them are drawn.

    Raises
    ------
    WriteError
        They cannot be written. Whatever ``make`` raises stays what it is.
    """
    arrays = path.with_suffix(ARRAYS)
    with ExitStack() as held:
        with replacing_bytes(arrays, _WHAT, shared=True) as stream:
            with failing(arrays, _WHAT):
                file = held.enter_context(open_unbuffered(Path(stream.name)))  # it stays when the file takes its name
            writer = OutlineWriter(stream, file, arrays)
            make(writer.keep)
        write_bytes(path.with_suffix(INDEX), writer.index(), _WHAT, shared=True)
        yield dict(sorted(writer.masks.items()))


@contextmanager
def kept(path: Path) -> Iterator[Masks | None]:
    """What `making` kept, or None where that is not there whole and as it was written."""
    arrays = path.with_suffix(ARRAYS)
    try:
        stated, file = read_regular(path.with_suffix(INDEX), _MAX_INDEX_BYTES), open_unbuffered(arrays)
    except OSError:
        yield None
        return
    with file:
        yield _masks(stated, file, arrays)


def _masks(stated: bytes, file: FileIO, path: Path) -> Masks | None:
    head, _, text = stated.partition(b"\n")
    if head != hashlib.sha256(text).hexdigest().encode():
        return None
    try:
        known = _Index.model_validate_json(text)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (ValueError, OSError):
        return None
    if digest != known.sha256:
        return None
    masks: dict[int, list[KeptLesion]] = {frame: [] for frame in known.frames}
    end = 0
    for frame, rows, columns, points, row, column, confidence, accepted in known.lesions:
        lesion = KeptLesion(file, path, end, (rows, columns), points, (row, column), confidence, accepted)
        if frame not in masks:
            return None
        masks[frame].append(lesion)
        end = lesion.end
    return masks if end == os.fstat(file.fileno()).st_size else None
