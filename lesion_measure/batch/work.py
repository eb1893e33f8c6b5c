"""What is to be done, and what whoever does it tells meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Tell = Callable[[str], None]
"""``tell(part)`` is called before each part of a task, and with "" when the last one is done."""

Track = Callable[[str, int, int], None]
"""``track(what, done, total)`` is called as the whole goes on."""

Work = Callable[[T, Tell], R]
Prepare = Callable[[], Work[T, R]]
"""Called once in each process; what it gives does the tasks there. It is plain data: a function's name with values."""

Measured = tuple[int, R]
"""The number of a task, and its result."""


@dataclass(frozen=True, slots=True)
class Lost(Generic[T]):
    """A task whose process ended twice in its midst, at the same ``part`` of it ("" between two). ``how`` in words."""

    task: T
    part: str
    how: str


def measure_here(prepare: Prepare[T, R], tasks: Sequence[T], tell: Tell) -> Iterator[Measured[R]]:
    """The results of tasks that are done one after another in this process."""
    work = prepare()
    for number, task in enumerate(tasks):
        yield number, work(task, tell)


def counted(track: Track, total: int) -> Tell:
    """Something to tell of parts, which counts those that are done.

    Parameters
    ----------
    track
        Is told of the count, from 0 on.
    total
        Parts of all tasks. Those of a task that is done again count once.
    """
    done = 0
    track("measuring", done, total)

    def tell(part: str) -> None:
        nonlocal done
        if not part and done < total:
            done += 1
            track("measuring", done, total)

    return tell


def usable_processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
