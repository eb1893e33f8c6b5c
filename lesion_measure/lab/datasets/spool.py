"""Pixels of many pictures, beyond some in memory, in temporary files that the system may page out.

Ten thousand ultrasound pictures are several gigabytes. What is mapped from a file costs memory while it is looked at.
The files have no names, and their space is taken before they are used: a full disk would end the process otherwise.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Values = TypeVar("Values", bound=np.generic)

IN_MEMORY_BYTES = 1 << 24
"""What is kept in memory before the first file is made."""
_ZEROS_IN_MEMORY_BYTES = 1 << 23
"""Largest array of zeros that needs no file."""
_FILE_BYTES = 1 << 26
_LOOKED_AT_BYTES = 1 << 24
_ALIGNED = 64
_MAPPED: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


class Spool:
    """Keeps arrays; several threads may use one."""

    def __init__(self, in_memory: int = IN_MEMORY_BYTES) -> None:
        self._left = in_memory
        self._file: mmap.mmap | None = None
        self._at = _FILE_BYTES
        self._written = 0
        self._lock = threading.Lock()

    def keep(self, values: NDArray[Values]) -> NDArray[Values]:
        """The same values, which nobody may write to where they lie in a file; as they are where none can be made."""
        with self._lock:
            if values.nbytes <= self._left:
                self._left -= values.nbytes
                return values
            place = self._room(values.nbytes)
            if place is None:
                return values
            file, start = place
        kept = np.frombuffer(file, values.dtype, values.size, start).reshape(values.shape)
        kept[...] = values
        kept.flags.writeable = False
        return kept

    def _room(self, size: int) -> tuple[mmap.mmap, int] | None:
        """A file with room for so many bytes, and where in it they go."""
        if size > _FILE_BYTES:
            return None
        if self._at + size > _FILE_BYTES:
            self._file, self._at = _mapped(_FILE_BYTES), 0
        if self._file is None:
            self._at = _FILE_BYTES
            return None
        start = self._at
        self._at += -(-size // _ALIGNED) * _ALIGNED
        self._written += size
        if self._written >= _LOOKED_AT_BYTES:
            let_go()
            self._written = 0
        return self._file, start


def let_go() -> None:
    """Let the system have the memory in which files were looked at; they are read again where they are looked at again.

    For who goes through all pictures (`looked_at`), so that memory does not grow with their number.
    """
    if hasattr(mmap, "MADV_DONTNEED"):
        for file in list(_MAPPED):
            file.madvise(mmap.MADV_DONTNEED)


def looked_at(arrays: Iterable[NDArray[Values]]) -> Iterator[NDArray[Values]]:
    """The same arrays one after the other, of which what was looked at is let go."""
    size = 0
    for one in arrays:
        yield one
        size += one.nbytes
        if size >= _LOOKED_AT_BYTES:
            let_go()
            size = 0


def spooled_zeros(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array of zeros to write to, in a file where it is larger than what is kept in memory."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    file = _mapped(size) if size > _ZEROS_IN_MEMORY_BYTES else None
    if file is None:
        return np.zeros(shape, dtype)
    return np.frombuffer(file, dtype).reshape(shape)


def _mapped(size: int) -> mmap.mmap | None:
    """A temporary file of zeros without a name; None where there is no room for it."""
    try:
        with tempfile.TemporaryFile() as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            mapped = mmap.mmap(file.fileno(), size)
            _MAPPED.add(mapped)
            return mapped
    except OSError:
        return None  # then the pixels stay in memory, as they were
