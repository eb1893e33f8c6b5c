"""Byte access: files and members of (nested) zips, both as untrusted input. `walk` finds them.

Nothing is ever extracted under a name that an archive chose: a member is unpacked, as far as it is asked for, into an
anonymous temporary file. Every bound (`Bounds`) holds for the bytes that really come out, not for what the
archive's directory claims. Links, pipes, sockets and devices are not opened.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, cast

from lesion_measure.errors import ArchiveError, InputError
from lesion_measure.files.spool import Spool
from lesion_measure.records import FileState, Location

# What zipfile and zlib raise on damaged or hostile archives (found by corrupting real ones).
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
    OverflowError,
)  # fmt: skip
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # LZMA lets the archive choose gigabytes of dictionary.
_CHUNK = 1 << 18
# A ratio says little about a small member: an empty screen of 500 kB packs 1000 to 1.
_RATIO_FROM_BYTES = 1 << 24
_DIRECTORY_BYTES_PER_MEMBER = 1024


class Bounds(Protocol):
    """How much may come out of an archive; ``limits`` of the configuration has these."""

    @property
    def zip_total_bytes(self) -> int:
        """Largest sum of unpacked bytes of one archive."""

    @property
    def zip_member_bytes(self) -> int:
        """Largest unpacked member."""

    @property
    def zip_members(self) -> int:
        """Most members of one archive."""

    @property
    def zip_ratio(self) -> float:
        """Largest ratio of unpacked to packed bytes of a member."""

    @property
    def zip_depth(self) -> int:
        """How deep archives inside archives are opened."""


class _Budget:
    """What one outermost archive has unpacked so far, nested archives included."""

    def __init__(self, limits: Bounds) -> None:
        self.limits = limits
        self.unpacked = 0
        self.members = 0

    def add_members(self, count: int) -> None:
        self.members += count
        if self.members > self.limits.zip_members:
            raise ArchiveError(
                f"The archive holds more than {self.limits.zip_members} members.",
                remedy="Unpack it, or raise limits.zip_members.",
                code="archive_too_many",
            )

    def add_bytes(self, count: int, member: int, packed: int) -> None:
        """Count ``count`` more bytes of a member that now has ``member`` bytes from ``packed`` packed ones."""
        self.unpacked += count
        if member > self.limits.zip_member_bytes:
            bound, setting = f"{self.limits.zip_member_bytes} bytes", "limits.zip_member_bytes"
        elif self.unpacked > self.limits.zip_total_bytes:
            bound, setting = f"{self.limits.zip_total_bytes} bytes for the whole archive", "limits.zip_total_bytes"
        elif member > _RATIO_FROM_BYTES and member > self.limits.zip_ratio * max(packed, 1):
            bound, setting = f"{self.limits.zip_ratio:g} times its packed size", "limits.zip_ratio"
        else:
            return
        raise ArchiveError(
            f"The archive member unpacks to more than {bound}.",
            remedy=f"Unpack it by hand if it can be trusted, or raise {setting}.",
            code="archive_too_large",
        )


class OpenZip:
    """One open archive whose members are read under its budget."""

    def __init__(self, location: Location, stream: BinaryIO, budget: _Budget) -> None:
        self.location = location
        self._stream = stream
        self._budget = budget
        try:
            budget.add_members(_count_members(stream, budget.limits))
            self.zip = zipfile.ZipFile(stream)
        except _ZIP_ERRORS as error:
            stream.close()
            raise _damaged(error) from error
        except ArchiveError:
            stream.close()
            raise
        # Not `ZipInfo.is_dir`, which fails on a member without a name.
        files = (info for info in self.zip.infolist() if not info.filename.endswith("/"))
        self.infos = sorted(files, key=lambda info: info.filename)
        self._by_name = {info.filename: info for info in self.infos}

    def open(self, name: str, on_close: Callable[[], None] | None = None) -> BinaryIO:
        info = self._by_name.get(name)
        if info is None:
            raise ArchiveError("The archive has no such member.", code="archive_damaged")
        try:
            member = self.zip.open(info)
        except _ZIP_ERRORS as error:
            raise _damaged(error) from error
        unpacked = 0

        def pull(size: int) -> bytes:
            nonlocal unpacked
            try:
                data = member.read(size)
            except _ZIP_ERRORS as error:
                raise _damaged(error) from error
            unpacked += len(data)
            self._budget.add_bytes(len(data), unpacked, info.compress_size)
            return data

        return cast("BinaryIO", Spool(pull, on_close))

    def close(self) -> None:
        self.zip.close()
        self._stream.close()


class Archives:
    """Opens locations, keeping the archive read last (and those around it) open for the next member.

    A stream is to be closed before one from another archive is asked for.
    """

    def __init__(self, limits: Bounds) -> None:
        self._limits = limits
        self._chain: list[OpenZip] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close every archive that is still open."""
        while self._chain:
            self._chain.pop().close()

    def open(self, location: Location, on_close: Callable[[], None] | None = None) -> BinaryIO:
        """Open a file or archive member for reading; the stream is seekable and bounded.

        Raises
        ------
        InputError
            There is no such regular file, or it cannot be read.
        ArchiveError
            The archive is damaged, encrypted, or over a bound. Reading the stream can raise this too.
        """
        if not location.members:
            return _open_plain(location)
        return self.zip(replace(location, members=location.members[:-1])).open(location.members[-1], on_close)

    def zip(self, location: Location) -> OpenZip:
        """The archive at ``location``, open."""
        depth = len(location.members)
        if depth >= self._limits.zip_depth:
            raise ArchiveError(
                f"Archives are nested more than {self._limits.zip_depth} deep.",
                remedy="Unpack the outer archives, or raise limits.zip_depth.",
                code="archive_too_deep",
            )
        if depth < len(self._chain) and self._chain[depth].location == location:
            return self._chain[depth]
        stream = self.open(location)
        while len(self._chain) > depth:
            self._chain.pop().close()
        budget = self._chain[0]._budget if self._chain else _Budget(self._limits)
        self._chain.append(OpenZip(location, stream, budget))
        return self._chain[-1]


def open_location(location: Location, limits: Bounds) -> BinaryIO:
    """Open one file or archive member; closing the stream closes the archives around it. Raises as `Archives.open`."""
    archives = Archives(limits)
    try:
        return archives.open(location, on_close=archives.close)
    except InputError:
        archives.close()
        raise


def sha256(location: Location, limits: Bounds) -> str:
    """SHA-256 of the file's bytes, as hexadecimal text. Raises as `Archives.open`."""
    with open_location(location, limits) as stream:
        return stream_sha256(stream)


def stream_sha256(stream: BinaryIO) -> str:
    """SHA-256 of what is left of a stream, as hexadecimal text."""
    digest = hashlib.sha256()
    while data := read_some(stream, _CHUNK):
        digest.update(data)
    return digest.hexdigest()


def read_some(stream: BinaryIO, size: int) -> bytes:
    """At most ``size`` bytes; a failing disk becomes an InputError."""
    try:
        return stream.read(size)
    except OSError as error:
        raise cannot_read(error) from error


def _count_members(stream: BinaryIO, limits: Bounds) -> int:
    """Members in the central directory, counted before anything is built from it (APPNOTE.TXT 4.3.12, 4.3.14, 4.3.16).

    Raises
    ------
    ArchiveError
        The directory is out of proportion, which would cost memory before a member is looked at.
    zipfile.BadZipFile
        There is no directory: not a zip, or cut off.
    """
    size = stream.seek(0, io.SEEK_END)
    tail_start = max(0, size - 65_557)
    stream.seek(tail_start)
    tail = stream.read(65_557)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 > len(tail):
        raise zipfile.BadZipFile("no end of central directory")
    directory_size = int(struct.unpack_from("<L", tail, end + 12)[0])
    directory_end = tail_start + end
    if directory_size == 0xFFFFFFFF and end >= 20 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        directory_end -= 20 + 56
        stream.seek(max(0, directory_end))
        record = stream.read(56)
        if len(record) < 56 or not record.startswith(b"PK\x06\x06"):
            raise zipfile.BadZipFile("no zip64 end of central directory")
        directory_size = int(struct.unpack_from("<Q", record, 40)[0])
    if directory_size > limits.zip_members * _DIRECTORY_BYTES_PER_MEMBER:
        raise ArchiveError(
            "The archive's directory is out of proportion.", remedy="Unpack it by hand.", code="archive_too_many"
        )
    stream.seek(max(0, directory_end - directory_size))
    count = stream.read(directory_size).count(b"PK\x01\x02")
    stream.seek(0)
    return count


def _damaged(error: Exception) -> ArchiveError:
    if isinstance(error, RuntimeError) and "password" in str(error):
        return ArchiveError(
            "The archive member is encrypted.", remedy="Unpack it with its password.", code="archive_encrypted"
        )
    return ArchiveError(
        "The archive is damaged or cut off.", remedy="Copy or make it anew, or unpack it by hand.",
        code="archive_damaged",
    )  # fmt: skip


def located(file: Path, entry: os.DirEntry[str] | None = None) -> Location:
    """A file on disk, and how it stands now; from here on it is refused where it changes. ``entry``: of its folder."""
    try:
        found = file.stat() if entry is None else entry.stat(follow_symlinks=False)
    except OSError:
        return Location(file)  # opening it says why
    return Location(file, state=_state(found))


def _state(found: os.stat_result) -> FileState:
    return FileState(found.st_size, found.st_mtime_ns)


def changed() -> InputError:
    """The error for a file that is not the one whose header was read."""
    return InputError(
        "The file was changed or replaced since its header was read.",
        remedy="Run again when nothing writes to the input any more.",
        code="file_changed",
    )


def _open_plain(location: Location) -> BinaryIO:
    """Open a regular file. Looking before opening is what keeps a pipe without a writer from blocking for ever."""
    file = location.file
    try:
        mode = file.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise InputError(
                "Symbolic links are not followed.", remedy="Put the file itself in the folder.", code="symbolic_link"
            )
        if not stat.S_ISREG(mode):
            raise InputError("This is no regular file (pipe, socket or device).", code="special_file")
        stream = file.open("rb")
        if location.state is not None and _state(os.fstat(stream.fileno())) != location.state:
            stream.close()
            raise changed()
        return stream
    except OSError as error:
        raise cannot_read(error) from error


def cannot_read(error: OSError, what: str = "file") -> InputError:
    """The error for what the operating system does not let us read."""
    reason = f"The {what} cannot be read ({error.strerror or 'input/output error'})."
    return InputError(reason, remedy="Check that it is there and its permissions.", code="unreadable")
