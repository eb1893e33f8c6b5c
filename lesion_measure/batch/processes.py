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
from typing import Any, Generic, TypeVar

from lesion_measure.batch.work import Lost, Measured, Prepare, Tell
from lesion_measure.batch.worker import ONE_THREAD, serve

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
    """The results of tasks that are shared out to processes, in the order in which they are done.

    A task whose process was killed is done once more when all others are, and no other process runs. Where it happens
    again, what ``give_up`` makes of it is done in its place: the task without the part that cannot be done.

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
    pool = _Pool(prepare, list(tasks), tell, give_up, _context(preload))
    try:
        for _ in range(min(jobs, len(tasks))):
            pool.start()
        yield from pool.results()
    finally:
        pool.end()


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


@dataclass(eq=False)
class _Pool(Generic[T, R]):
    prepare: Prepare[T, R]
    tasks: list[T]
    tell: Tell
    give_up: Callable[[Lost[T]], T]
    context: Any
    workers: list[_Worker] = field(default_factory=list)
    waiting: deque[int] = field(default_factory=deque)
    alone: deque[int] = field(default_factory=deque)
    """Tasks that lost their process, which wait until nothing else runs."""
    last_part: dict[int, str] = field(default_factory=dict)
    """At which part a task was lost, of those that are done alone."""

    def start(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        process = self.context.Process(target=serve, args=(self.prepare, theirs), daemon=True)
        with _begun_plainly():
            process.start()
        theirs.close()
        self.workers.append(_Worker(process, ours))

    def results(self) -> Iterator[Measured[R]]:
        self.waiting.extend(range(len(self.tasks)))
        left = len(self.tasks)
        while left:
            if not self.workers:
                self.start()
            self._hand_out()
            by_pipe = {worker.pipe: worker for worker in self.workers}
            for pipe in connection.wait(list(by_pipe)):
                worker = by_pipe[pipe]  # type: ignore[index]
                try:
                    kind, *said = worker.pipe.recv()
                except (EOFError, OSError):
                    self._lost(worker)
                    continue
                if kind == "told":
                    (worker.part,) = said
                    self.tell(worker.part)
                elif kind == "failed":
                    raise said[0]
                else:
                    worker.number, worker.part = None, ""
                    left -= 1
                    yield said[0], said[1]

    def _hand_out(self) -> None:
        """Give idle workers what waits; what has to be done alone, when nothing else is done."""
        for worker in [worker for worker in self.workers if worker.number is None]:
            if self.waiting:
                self._give(worker, self.waiting.popleft())
            elif self.alone and all(each.number is None for each in self.workers):
                self._give(worker, self.alone.popleft())

    def _give(self, worker: _Worker, number: int) -> None:
        worker.number = number
        try:
            worker.pipe.send((number, self.tasks[number]))
        except (BrokenPipeError, ConnectionResetError):
            return  # it is gone, which the wait for it tells

    def _lost(self, worker: _Worker) -> None:
        """A process ended: what it was at is done once more, alone; the second time, another task in its place."""
        self.workers.remove(worker)
        worker.pipe.close()
        how, number = worker.death(), worker.number
        if number is None:
            raise RuntimeError(f"A process that measures {how} before it had anything to do.")
        if number in self.last_part:
            self.tasks[number] = self.give_up(Lost(self.tasks[number], worker.part, how))
            del self.last_part[number]
        else:
            self.last_part[number] = worker.part
        self.alone.append(number)

    def end(self) -> None:
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.end()
            worker.pipe.close()


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
