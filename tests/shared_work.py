"""Work for the processes of the tests: they import this module, and no test."""

from __future__ import annotations

import os
import signal
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from lesion_measure.batch import Lost, Tell, Work
from lesion_measure.errors import ModelError


@dataclass(frozen=True)
class Sum:
    """A task of some parts, of which some end the process: for good, or the first time alone."""

    numbers: tuple[int, ...]
    deadly: tuple[int, ...] = ()
    once: Path | None = None
    after_s: float = 0
    """How long a part takes before it ends its process. Dask's nanny does not mend a worker that dies at its start."""


def add(task: Sum, tell: Tell) -> int:
    for number in task.numbers:
        tell(str(number))
        first = task.once is not None and not task.once.exists()
        if first and task.once is not None:
            task.once.touch()
        if number in task.deadly or first:
            time.sleep(task.after_s)
            os.kill(os.getpid(), signal.SIGKILL)
        tell("")
    return sum(task.numbers)


def adding() -> Work[Sum, int]:
    return add


def adding_once_noted(note: Path) -> Work[Sum, int]:
    note.touch()
    return add


def dying() -> Work[Sum, int]:
    """As where the system has no memory for what a process loads."""
    os.kill(os.getpid(), signal.SIGKILL)
    return add


def failing() -> Work[Sum, int]:
    raise ModelError("The bundle is damaged.", remedy="Copy it anew.", path="model.pt")


class UnsendableError(Exception):
    """An error of a library that holds a lock, which no other process can have."""

    def __init__(self) -> None:
        super().__init__("no way")
        self.lock = Lock()


def failing_unsendably() -> Work[Sum, int]:
    raise UnsendableError


class UnmakeableError(Exception):
    """An error whose class wants more than its message, which is all that pickle gives it."""

    def __init__(self, *, place: str) -> None:
        super().__init__(f"nowhere else: {place}")


def failing_unmakeably() -> Work[Sum, int]:
    raise UnmakeableError(place="here")


def closing() -> Work[Sum, int]:
    """Work that lets go of its pipe and goes on, as a library may that hangs at its end."""
    return close


def close(task: Sum, tell: Tell) -> int:
    if task.deadly:
        for number in range(3, 64):
            with suppress(OSError):
                if stat.S_ISSOCK(os.fstat(number).st_mode):
                    os.close(number)
        time.sleep(600)
    return sum(task.numbers)


def threads(task: str, tell: Tell) -> str:
    return os.environ[task]


def telling_threads() -> Work[str, str]:
    return threads


def itself(task: str, tell: Tell) -> int:
    return os.getpid()


def telling_itself() -> Work[str, int]:
    return itself


def give_up(lost: Lost[Sum], seen: list[Lost[Sum]]) -> Sum:
    """The task without the number that it was lost at, which is noted."""
    seen.append(lost)
    return replace(lost.task, numbers=tuple(n for n in lost.task.numbers if str(n) != lost.part))
