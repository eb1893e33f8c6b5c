"""Every file that this package writes is written here: whole or not at all, and what the disk refuses is said.

A file is written under a temporary name beside its place and renamed when it is complete. Whoever is killed meanwhile
leaves the old file or the new one. Whatever the file system refuses becomes a `WriteError`: what, where, why, and what
to do about it. An error of whoever makes what is written stays what it is.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO
from uuid import uuid4

from lesion_measure.errors import WriteError

STAGE = ".lesion_measure.partial"
"""The folder in which files wait that `together` writes."""
OWN_MARK = r"(\.\d+(-[0-9a-f]{12})?)?"
"""Pattern of what makes a temporary name one writer's own, before ``.partial``; earlier versions: the PID alone."""

_FULL = ("disk_full", "the disk is full", "Free some space, or choose another folder.")
_READ_ONLY = ("read_only", "the file system is read-only", "Choose a folder on another disk.")
_FORBIDDEN = ("no_permission", "permission is denied", "Choose a folder that you may write to.")
_GONE = ("folder_gone", "its folder is not there", "Check the path, and that nobody removes the folder meanwhile.")
_IN_THE_WAY = ("in_the_way", "something else of this name is in the way", "Choose another name.")
_CAUSES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("disk_full", "the disk quota is used up", "Free some space, or choose another folder."),
    errno.EFBIG: ("disk_full", "the file would be larger than allowed here", "Choose another folder."),
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOENT: _GONE,
    errno.ENOTDIR: ("in_the_way", "a part of its path is no folder", "Choose another folder."),
    errno.EISDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTEMPTY: _IN_THE_WAY,
    errno.ENAMETOOLONG: ("name_too_long", "its name or path is too long", "Choose a shorter one."),
}


@contextmanager
def failing(path: Path, what: str = "file") -> Iterator[None]:
    """Whatever the file system refuses inside is told of ``path``; ``what`` is a word for it, such as ``"table"``.

    Raises
    ------
    WriteError
        In the place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise as_write_error(error, path, what) from error


def as_write_error(error: OSError, path: Path, what: str = "file") -> WriteError:
    """What could not be written, where and why, and what to do about it."""
    otherwise = ("write", error.strerror or str(error), "Check the disk, or choose another folder.")
    code, why, remedy = _CAUSES.get(error.errno or 0, otherwise)
    where = path.parent.parent / path.name if path.parent.name == STAGE else path
    return WriteError(f"The {what} cannot be written: {why}.", remedy=remedy, code=code, path=str(where))


@contextmanager
def replacing(path: Path, what: str = "file", *, private: bool = False) -> Iterator[TextIO]:
    """A UTF-8 text file to write to, which takes its name when it is complete. Raises as `failing`.

    ``private``: its owner alone may read it (mode 600).
    """
    opener = _owners if private else None
    with (
        _renamed(path, what) as partial,
        io.BufferedWriter(_Raw(partial, "w", (path, what), opener)) as bytes_,
        io.TextIOWrapper(bytes_, encoding="utf-8", newline="") as stream,
    ):
        yield stream
        _to_disk(stream, path, what)


def write_bytes(
    path: Path, data: bytes | memoryview, what: str = "file", *, shared: bool = False, private: bool = False
) -> None:
    """Write a file of bytes. Raises as `failing`.

    Parameters
    ----------
    path, data, what
        Its place and content, and a word for it, such as ``"table"``.
    shared
        Other processes may write the same file at the same time, so that the temporary name is this one's own.
    private
        Its owner alone may read it (mode 600).
    """
    with replacing_bytes(path, what, shared=shared, private=private) as stream:
        stream.write(data)


@contextmanager
def replacing_bytes(
    path: Path, what: str = "file", *, shared: bool = False, private: bool = False
) -> Iterator[BinaryIO]:
    """A file of bytes to write to, which takes its name when it is complete. As `write_bytes`, for more than fits."""
    mark, opener = _own_mark() if shared else "", _owners if private else None
    with (
        _renamed(path, what, mark) as partial,
        io.BufferedWriter(_Raw(partial, "x" if shared else "w", (path, what), opener)) as stream,
    ):
        yield stream
        _to_disk(stream, path, what)


def write_text(path: Path, text: str, what: str = "file") -> None:
    """Write a UTF-8 text. Raises as `failing`."""
    write_bytes(path, text.encode(), what)


def write_json(path: Path, document: Mapping[str, Any], *, indent: int = 1) -> None:
    """Write a JSON document; NaN and infinity are no JSON and may not be in it. Raises as `failing`."""
    with replacing(path) as stream:
        json.dump(document, stream, indent=indent, ensure_ascii=False, allow_nan=False)
        stream.write("\n")


def _own_mark() -> str:
    """One writer's own: in two containers, or on two machines, processes may have one PID."""
    return f"{os.getpid()}-{uuid4().hex[:12]}"


class _Raw(io.FileIO):
    """An open file whose refusals are told as `failing` does, of ``told``: the place that it is for, and a word."""

    def __init__(
        self, path: Path, mode: str, told: tuple[Path, str], opener: Callable[[str, int], int] | None = None
    ) -> None:
        self._told = told
        with failing(*told):
            super().__init__(str(path), mode, opener=opener)

    def write(self, data: Any, /) -> int:
        with failing(*self._told):
            return super().write(data)

    def close(self) -> None:
        with failing(*self._told):
            super().close()


def _to_disk(stream: IO[Any], path: Path, what: str) -> None:
    stream.flush()
    with failing(path, what):
        os.fsync(stream.fileno())


def _owners(path: str, flags: int) -> int:
    """Open a new file that its owner alone may read; a file that somebody else left there is not taken."""
    with suppress(FileNotFoundError):
        Path(path).unlink()
    return os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


@contextmanager
def streaming(path: Path, what: str = "file", *, behind: bool = False) -> Iterator[BinaryIO]:
    """A file of bytes to write to as they come, under a name that is temporary already. Raises as `failing`.

    ``behind``: what the file holds stays, as in a log.
    """
    with io.BufferedWriter(_Raw(path, "a" if behind else "w", (path, what))) as stream:
        yield stream


def take_name(arrived: Path, path: Path, what: str = "file") -> None:
    """Give a complete file its name, in the place of an earlier one. Raises as `failing`."""
    with failing(path, what):
        arrived.replace(path)


def append(path: Path, data: bytes, what: str = "file") -> None:
    """Write bytes behind those of a file, on disk when this returns. Raises as `failing`."""
    with failing(path, what), path.open("ab") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def make_folder(path: Path, what: str = "output folder") -> None:
    """Make a folder and those above it, where they are not there. Raises as `failing`."""
    with failing(path, what):
        path.mkdir(parents=True, exist_ok=True)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; nothing where there is none. Raises as `failing`."""
    with failing(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder in which there is nothing. Raises as `failing`."""
    with failing(folder):
        if not any(folder.iterdir()):
            folder.rmdir()


def open_shared(path: Path) -> int:
    """A descriptor of a file that several processes look at and write to, such as a lock; made where it is not there.

    It is not passed on to other programs.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


@contextmanager
def appending(path: Path, what: str = "file") -> Iterator[Callable[[str], None]]:
    """A text file that grows by a line at a time, each on disk when the call ends. Raises as `failing`."""
    with failing(path, what):
        stream = path.open("a", encoding="utf-8")  # closed below, where a full disk is told of too

    def add(line: str) -> None:
        with failing(path, what):
            stream.write(line + "\n")
            stream.flush()

    try:
        yield add
    finally:
        with failing(path, what):
            stream.close()


@contextmanager
def together(folder: Path, instead_of: Iterable[str] = ()) -> Iterator[Path]:
    """A set of files that appears in ``folder`` when all of it is complete; yields the folder to write them to.

    Parameters
    ----------
    folder
        Made where it is not there.
    instead_of
        Names of an earlier set's files: those that are not written anew are removed with the change.

    Raises
    ------
    WriteError
        A file cannot be written; the earlier set is as it was.
    """
    stage = folder / STAGE
    make_folder(folder)
    remove(stage)
    make_folder(stage)
    try:
        yield stage
        with failing(folder, "folder"):
            for name in instead_of:
                if not (stage / name).exists():
                    (folder / name).unlink(missing_ok=True)
            for file in sorted(stage.iterdir()):
                file.replace(folder / file.name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def replacing_folder(path: Path, what: str = "folder") -> Iterator[Path]:
    """A folder that takes its name, in the place of an earlier one, when it is complete; yields the one to fill.

    Raises
    ------
    WriteError
        It cannot be written; the earlier one is as it was.
    """
    partial, old = path.with_name(f".{path.name}.partial"), path.with_name(f".{path.name}.old")
    with failing(path, what):
        if old.is_dir() and not path.exists():  # somebody was killed between the two renamings below
            old.rename(path)
    remove(old)
    remove(partial)
    make_folder(partial, what)
    try:
        yield partial
        with failing(path, what):
            if path.exists():
                path.rename(old)
            partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _renamed(path: Path, what: str, own: str = "") -> Iterator[Path]:
    partial = path.with_name(f".{path.name}.{own}{'.' if own else ''}partial")
    try:
        yield partial
        with failing(path, what):
            partial.replace(path)
    finally:
        with suppress(OSError):  # on a disk that is read-only even taking away what is not there is refused
            partial.unlink(missing_ok=True)
