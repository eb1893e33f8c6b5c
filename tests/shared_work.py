"""Work for the processes of the tests: they import this module, and no test."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.batch import Tell, Work
from lesion_measure.errors import ModelError


@dataclass(frozen=True)
class Sum:
    """A task of some parts, of which some end the process: for good, or the first time alone."""

    numbers: tuple[int, ...]
    deadly: tuple[int, ...] = ()
    once: Path | None = None


def add(task: Sum, tell: Tell) -> int:
    for number in task.numbers:
        tell(str(number))
        first = task.once is not None and not task.once.exists()
        if first and task.once is not None:
            task.once.touch()
        if number in task.deadly or first:
            os.kill(os.getpid(), signal.SIGKILL)
        tell("")
    return sum(task.numbers)


def adding() -> Work[Sum, int]:
    return add


def failing() -> Work[Sum, int]:
    raise ModelError("The bundle is damaged.", remedy="Copy it anew.", path="model.pt")


def threads(task: str, tell: Tell) -> str:
    return os.environ[task]


def telling_threads() -> Work[str, str]:
    return threads
