"""A seekable stream over bytes that can only be read onwards, such as an archive member or a deflated data set."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable

from lesion_measure.errors import InputError

_CHUNK = 1 << 18
_IN_MEMORY_BYTES = 1 << 24


class Spool(io.BufferedIOBase):
    """A seekable stream over a source that can only be read onwards; it pulls no more than was asked for.

    ``pull(n)`` returns the next at most ``n`` bytes, empty at the end. It bounds what it returns, and raises only our
    own errors.
    """

    def __init__(self, pull: Callable[[int], bytes], on_close: Callable[[], None] | None = None) -> None:
        self._pull = pull
        self._on_close = on_close
        # Held open for the life of this stream, closed in close().
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
        self._have = 0
        self._ended = False
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            while not self._ended:
                self._fill(self._have + _CHUNK)
            offset += self._have
        elif whence == io.SEEK_CUR:
            offset += self._position
        if offset < 0:
            raise ValueError("negative seek position")
        self._position = offset
        return offset

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            here = self._position
            size = max(0, self.seek(0, io.SEEK_END) - here)
            self._position = here
        self._fill(self._position + size)
        self._file.seek(self._position)
        data = self._file.read(size) if self._position < self._have else b""
        self._position += len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            super().close()
            if self._on_close is not None:
                self._on_close()

    def _fill(self, end: int) -> None:
        """Pull until ``end`` bytes are here, or there are no more."""
        while self._have < end and not self._ended:
            data = self._pull(min(_CHUNK, end - self._have + 4096))
            self._ended = not data
            try:
                self._file.seek(self._have)
                self._file.write(data)
            except OSError as error:
                raise InputError(
                    f"There is no temporary space to unpack to ({error.strerror}).", remedy="Free some disk space."
                ) from error
            self._have += len(data)
