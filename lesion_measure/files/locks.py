"""One process at a time writes into a folder.

A lock file in the folder names its holder. The lock itself is the operating system's (`flock`), which ends it with the
process, however that ends: a file that a killed process left holds nobody up. Where a file system has no such locks,
the holder that the file names counts, as long as a process of that number and start time runs on that machine.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lesion_measure.errors import WriteError
from lesion_measure.files.writing import failing, make_folder, open_shared, remove

LOCK = ".lesion_measure.lock"
LOCKED = "locked"
"""Code of the error where another process holds a folder."""
_HELD = {errno.EAGAIN, errno.EACCES}
_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes of this program; it is made where it is not there.

    Raises
    ------
    WriteError
        Another process holds it (code `LOCKED`), or the lock cannot be written.
    """
    make_folder(folder)
    path = folder / LOCK
    with failing(folder, "output folder"):
        descriptor = _locked(path)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(_self()).encode(), 0)
        except BaseException:
            _release(descriptor, path)
            raise
    try:
        yield
    finally:
        _release(descriptor, path)


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Wait until no other process is in this block with the same file; where a disk has no locks, it does not wait."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        yield


def mark_in_use(descriptor: int) -> None:
    """Lock an open file for as long as any process has it open: also those that are given it as their output."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _UNSUPPORTED | _HELD:
            raise


def in_use(path: Path) -> bool:
    """Whether a process has a file open that was marked so; where a disk has no locks, none is known to."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _UNSUPPORTED | _HELD:
                raise
            return error.errno in _HELD
    return False


def _release(descriptor: int, path: Path) -> None:
    with suppress(WriteError):  # the folder may be gone, or its disk read-only by now; the lock ends all the same
        remove(path)
    os.close(descriptor)


def check_free(folder: Path) -> None:
    """Refuse a folder that another process holds, and touch nothing: for before the work. Raises as `holding`."""
    path = folder / LOCK
    if not path.is_file():
        return
    with failing(folder, "output folder"):
        descriptor = open_shared(path)
        try:
            _take(descriptor, path)
        finally:
            os.close(descriptor)


def _locked(path: Path) -> int:
    """An open descriptor of the lock file, locked; of the file that lies there now and not of one that was removed."""
    while True:
        descriptor = open_shared(path)
        try:
            _take(descriptor, path)
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    holder = _read(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            raise _refusal(path, holder) from error
        if error.errno not in _UNSUPPORTED:
            raise
    else:
        return
    if holder and not _is_dead(holder):
        raise _refusal(path, holder)


def _refusal(path: Path, holder: dict[str, Any]) -> WriteError:
    who = f"process {holder['pid']} on {holder['host']}, since {holder['since']}" if holder else "its name is not known"
    return WriteError(
        f"Another lesion-measure writes into this folder ({who}).",
        remedy=f"Wait for it, or choose another folder. If it runs no more, delete {path.name} in the folder.",
        code=LOCKED,
        path=str(path.parent),
    )


def _self() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "began": _began(os.getpid()),
    }


def _read(descriptor: int) -> dict[str, Any]:
    """What a lock file says of its holder; empty where it is damaged or says nothing."""
    try:
        found = json.loads(os.pread(descriptor, 1000, 0))
        known = isinstance(found["pid"], int) and all(isinstance(found[key], str) for key in ("host", "since", "began"))
    except (ValueError, KeyError, TypeError):
        return {}
    return found if known else {}


def _is_dead(holder: dict[str, Any]) -> bool:
    """Whether a holder on this machine runs no more; of one on another machine nothing is known."""
    if holder["host"] != socket.gethostname():
        return False
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(_began(holder["pid"]) != holder["began"])  # another process has its number now


def _began(pid: int) -> str:
    """When a process began, in the system's own words; empty where these are not to be had."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError, ValueError):
        return ""
