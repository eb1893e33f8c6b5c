"""Work shared out to processes of this machine. One that the system kills costs what it was at, and not the run.

A process that is started forks off nothing that has threads: each comes from a server that imported the program and
began no thread (fork server), or is begun anew (spawn) where there is none.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, Generic, Self, TypeVar

from lesion_measure.batch.work import Lost, Measured, Prepare, Tell
from lesion_measure.batch.worker import ONE_THREAD, serve
from lesion_measure.errors import InputError

T = TypeVar("T")
R = TypeVar("R")

_GRACE_S = 2.0
"""How long a process may take to end when it is asked to."""


def in_processes(
    prepare: Prepare[T, R],
    tasks: Sequence[T],
    jobs: int,
    tell: Tell,
    give_up: Callable[[Lost[T]], T],
    preload: Sequence[str] = (),
) -> Iterator[Measured[R]]:
    """The results of tasks that are shared out to processes begun for them (`Processes.results`).

    Parameters
    ----------
    prepare, tasks
        The work, and what it is to be done on.
    jobs
        How many processes, at most one a task.
    tell
        Is told of the parts of all tasks.
    give_up
        Makes another task of one that was lost twice; it has to end, so that each call leaves more out.
    preload
        Modules that the work imports.
    """
    with Processes(prepare, min(jobs, len(tasks)), preload) as begun:
        yield from begun.results(tasks, tell, give_up)


def begin(preload: Sequence[str]) -> None:
    """Begin the server that processes come from, where there is one: it loads these modules while others work."""
    context = _context(preload)
    if context.get_start_method() == "forkserver":
        from multiprocessing import forkserver  # which not every system has

        with _begun_plainly():
            forkserver.ensure_running()


@dataclass(eq=False)
class _Worker:
    """A process with our end of its pipe, the number of the task that it is at, and the part of it."""

    process: Any
    pipe: Connection
    number: int | None = None
    part: str = ""

    def take(self, number: int, tasks: Sequence[object]) -> None:
        """Be given one of the tasks."""
        self.number = number
        try:
            self.pipe.send((number, tasks[number]))
        except (BrokenPipeError, ConnectionResetError):
            return  # it is gone, which the wait for it tells

    def death(self) -> str:
        """How it ended, in words. One that closed its pipe and goes on, as where a library hangs in it, is killed."""
        if self.end():
            return "closed its pipe, did not end, and was killed by us"
        code = self.process.exitcode or 0
        if code >= 0:
            return f"ended by itself (exit code {code})"
        why = ", as systems do where memory runs out" if code == -signal.SIGKILL else ""
        return f"was killed ({signal.Signals(-code).name}{why})"

    def end(self) -> bool:
        """Wait for its end, which it is to come to by itself. Where it does not, kill it, and say so."""
        self.process.join(_GRACE_S)
        if not self.process.is_alive():
            return False
        self.process.kill()
        self.process.join()
        return True


class Processes(Generic[T, R]):
    """Processes that do one work on many tasks. They prepare it while whoever began them still gathers the tasks.

    Of a ``with`` statement, which ends them. ``prepare`` and ``preload`` are as in `in_processes`.
    """

    def __init__(self, prepare: Prepare[T, R], jobs: int, preload: Sequence[str] = ()) -> None:
        self._prepare = prepare
        self._context = _context(preload)
        self._workers: list[_Worker] = []
        try:
            for _ in range(jobs):
                self._start()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def results(self, tasks: Sequence[T], tell: Tell, give_up: Callable[[Lost[T]], T]) -> Iterator[Measured[R]]:
        """The results of tasks, in the order in which they are done; to be asked for to the last one.

        A task whose process was killed is done once more when all others are, and no other process runs. Where it
        happens again, what ``give_up`` makes of it is done in its place: the task without the part that cannot be done.

        Raises
        ------
        InputError
            The processes end whatever they are given, as where there is no memory to begin one.
        """
        round_ = _Round(list(tasks), give_up, deque(range(len(tasks))))
        left = len(tasks)
        while left:
            if not self._workers:
                self._start()
            self._hand_out(round_)
            by_pipe = {worker.pipe: worker for worker in self._workers}
            for pipe in connection.wait(list(by_pipe)):
                worker = by_pipe[pipe]  # type: ignore[index]
                try:
                    kind, *said = worker.pipe.recv()
                except (EOFError, OSError):
                    self._lost(worker, round_)
                    continue
                if kind == "told":
                    (worker.part,) = said
                    tell(worker.part)
                elif kind == "failed":
                    raise said[0]
                else:
                    worker.number, worker.part = None, ""
                    left -= 1
                    yield said[0], said[1]

    def _start(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        process = self._context.Process(target=serve, args=(self._prepare, theirs), daemon=True)
        with _begun_plainly():
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _hand_out(self, round_: _Round[T]) -> None:
        """Give idle workers what waits; what has to be done alone, when nothing else is done."""
        for worker in [worker for worker in self._workers if worker.number is None]:
            if round_.waiting:
                worker.take(round_.waiting.popleft(), round_.tasks)
            elif round_.alone and all(each.number is None for each in self._workers):
                worker.take(round_.alone.popleft(), round_.tasks)

    def _lost(self, worker: _Worker, round_: _Round[T]) -> None:
        """A process ended. What it was at, if anything, is done once more."""
        self._workers.remove(worker)
        worker.pipe.close()
        how = worker.death()
        if worker.number is not None:
            round_.lost(worker.number, worker.part, how)

    def _end(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.end()
            worker.pipe.close()


@dataclass(eq=False)
class _Round(Generic[T]):
    """Tasks that are being done, and which of them, by number, wait for it."""

    tasks: list[T]
    give_up: Callable[[Lost[T]], T]
    waiting: deque[int]
    alone: deque[int] = field(default_factory=deque)
    """Tasks that lost their process, which wait until nothing else runs."""
    last_part: dict[int, str] = field(default_factory=dict)
    """At which part a task was lost, of those that are done alone."""
    left_out: set[tuple[int, str]] = field(default_factory=set)
    """Tasks with a part that was given up."""

    def lost(self, number: int, part: str, how: str) -> None:
        """A process ended at a task: it is done once more, alone; the second time, another task in its place.

        Raises
        ------
        InputError
            That part was left out already, so that the task is not what ends its processes.
        """
        if number in self.last_part:
            if (number, part) in self.left_out:
                raise InputError(
                    f"Each process that is begun for this work {how}, whatever it is given.",
                    remedy="Give the program more memory, or use fewer --jobs.",
                    code="lost_process",
                )
            self.left_out.add((number, part))
            self.tasks[number] = self.give_up(Lost(self.tasks[number], part, how))
            del self.last_part[number]
        else:
            self.last_part[number] = part
        self.alone.append(number)


def _context(preload: Sequence[str]) -> Any:
    """How processes begin: never as a copy of this one, which may have threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


@contextmanager
def _begun_plainly() -> Iterator[None]:
    """How a process begins: with one thread for each library, and without the user's script.

    multiprocessing lets each process read the script again, for functions that are defined in it. Ours never are; and a
    script that calls a run outside of ``if __name__ == "__main__":`` would begin it once more in each process.
    """
    before, main = {name: os.environ.get(name) for name in ONE_THREAD}, sys.modules["__main__"]
    os.environ.update(ONE_THREAD)
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
