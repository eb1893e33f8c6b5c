"""Work shared out to the workers of a Dask cluster, which may be other machines.

Dask sends tasks and results as Python objects (pickle) between processes that trust one another: whoever reaches the
scheduler's port can run code in its workers. A cluster therefore listens where its own machines alone can reach it.

What Dask does by itself is left to it. It gives a task whose worker died to another worker, three times, before it
tells us; and it computes anew what lay on a worker that is gone. Both are why a task has to give the same each time.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from lesion_measure.batch.work import Lost, Measured, Prepare, Tell, Work
from lesion_measure.errors import ClusterError, check_extra

T = TypeVar("T")
R = TypeVar("R")

EXTRA = "cluster"
_AHEAD = 3
"""Tasks that a thread of a worker has waiting, so that it need not wait for us."""
_CONNECT_S = 10
_LOOK_S = 5.0
"""How often a run that waits looks whether there is a worker left."""
_DIED = "died with each worker that tried it"
_AGAIN = ("pending", "lost")
"""What Dask calls a task that was done, and whose result went with its worker: it is computed anew."""
_works: dict[str, Work[Any, Any]] = {}
_one_at_a_time = threading.Lock()


def on_cluster(
    prepare: Prepare[T, R],
    tasks: Sequence[T],
    scheduler: str,
    tell: Tell,
    give_up: Callable[[Lost[T]], T],
    wait_s: float,
) -> Iterator[Measured[R]]:
    """The results of tasks that the workers of a cluster do, in the order in which they are done.

    Parameters
    ----------
    prepare, tasks
        The work, and what it is to be done on. Workers need the same version of this program and the same folders.
    scheduler
        Where the cluster's scheduler listens, such as ``tcp://10.0.0.1:8786``.
    tell
        Is told of the parts of all tasks.
    give_up
        Makes another task of one whose worker died each time; it has to end, so that each call leaves more out.
    wait_s
        How long to wait for a worker where none is left: one that fell over is begun anew by its nanny, or by people.

    Raises
    ------
    ClusterError
        There is no scheduler there, it has no worker, or all of them are gone for too long.
    """
    check_extra(EXTRA, ("distributed",), "A run on a cluster")
    from distributed import Client

    told = _Told(tell)
    with _connected(Client, scheduler) as client:
        client.subscribe_topic(told.topic, told)
        most = _AHEAD * sum(client.nthreads().values())
        if not most:
            raise ClusterError("The cluster has no worker.", remedy="Start some: dask worker.", path=scheduler)
        shared = _Shared(client, prepare, list(tasks), told, scheduler, wait_s)
        yield from shared.results(range(len(tasks)), most)
        for number in shared.take_lost():  # nothing else runs now
            yield from shared.results([number], 1)
            while shared.take_lost():
                part = told.parts.get(number, "")
                shared.tasks[number] = give_up(Lost(shared.tasks[number], part, _DIED))
                yield from shared.results([number], 1)


@dataclass(eq=False)
class _Shared(Generic[T, R]):
    """Tasks on a cluster. Dask blames a task for the end of a worker on which it only waited: it is tried once more."""

    client: Any
    prepare: Prepare[T, R]
    tasks: list[T]
    told: _Told
    scheduler: str
    wait_s: float
    lost: list[int] = field(default_factory=list)
    """Tasks whose workers died."""

    def take_lost(self) -> list[int]:
        """The tasks that were lost since this was asked."""
        taken, self.lost = self.lost, []
        return taken

    def results(self, numbers: Iterable[int], most: int) -> Iterator[Measured[R]]:
        """The results of some tasks, no more than ``most`` of which are on the cluster at a time."""
        from distributed import KilledWorker

        waiting, running = iter(numbers), dict[Any, int]()

        def submit(some: Iterable[int]) -> None:
            for number in some:
                self.told.parts.pop(number, None)
                future = self.client.submit(
                    _done, self.told.topic, self.prepare, number, self.tasks[number], pure=False
                )
                running[future] = number

        submit(itertools.islice(waiting, most))
        while running:
            future = self._while_workers(partial(_first_done, self.client, running))
            number = running.pop(future)
            if future.status == "finished":
                # It lay on a worker, which may be gone meanwhile: then it is computed anew, where another one comes.
                try:
                    result = self._while_workers(partial(future.result, timeout=_LOOK_S))
                except KilledWorker:
                    self.lost.append(number)
                else:
                    yield number, result
            elif future.status == "error" and isinstance(error := future.exception(), KilledWorker):
                self.lost.append(number)
            elif future.status == "error":
                raise error
            else:
                raise self._gone()
            submit(itertools.islice(waiting, 1))

    def _while_workers(self, ask: Callable[[], Any]) -> Any:
        """What ``ask`` gives once it has it; it raises where it does not know yet. Dask would wait for ever."""
        none_since = None
        while True:
            try:
                return ask()
            except TimeoutError:
                now = time.monotonic()
                workers = self._workers()
                none_since = None if workers else none_since or now
            if none_since is not None and now - none_since >= self.wait_s:
                raise self._none(workers)

    def _none(self, workers: int | None) -> ClusterError:
        what, how = ("has had no worker", "Start some (dask worker)") if workers == 0 else (
            "has not answered", "Look after its scheduler"
        )  # fmt: skip
        return ClusterError(
            f"The cluster {what} for {self.wait_s:g} seconds.",
            remedy=f"{how} and give the command again: what was measured is kept.",
            code="no_worker" if workers == 0 else "no_scheduler",
            path=self.scheduler,
        )

    def _workers(self) -> int | None:
        """How many there are; None where the scheduler does not say, as where its machine lost power."""
        try:
            return len(self.client.sync(self.client.scheduler.ncores, callback_timeout=_LOOK_S))
        except TimeoutError:
            return None
        except OSError as error:
            raise self._gone() from error

    def _gone(self) -> ClusterError:
        return ClusterError("The scheduler is gone.", remedy="Start it and run again.", path=self.scheduler)


def _first_done(client: Any, futures: Iterable[Any]) -> Any:
    """One of some futures that is no longer at work; a TimeoutError where there is none within the time of a look.

    Dask's own callback of a future is of no use here: it calls at once, and again each time, for a lost result.
    """
    from distributed import CancelledError, wait

    futures = list(futures)
    with client.as_current(), contextlib.suppress(CancelledError):  # the future's status says so
        wait(futures, timeout=_LOOK_S, return_when="FIRST_COMPLETED")
    for future in futures:
        if future.status not in _AGAIN:
            return future
    raise TimeoutError


class _Told:
    """What workers tell of the tasks that they are at."""

    def __init__(self, tell: Tell) -> None:
        self.topic = f"lesion_measure {uuid.uuid4()}"
        self.parts: dict[int, str] = {}
        self._tell = tell

    def __call__(self, event: tuple[float, tuple[int, str]]) -> None:
        number, part = event[1]
        self.parts[number] = part
        self._tell(part)


def _done(topic: str, prepare: Prepare[Any, Any], number: int, task: Any) -> Any:
    """Do a task in a worker, which prepares the work once for each run, and does one task at a time."""
    from distributed import get_worker

    worker = get_worker()
    with _one_at_a_time:
        if topic not in _works:
            _works.clear()
            _works[topic] = prepare()
        return _works[topic](task, lambda part: worker.log_event(topic, (number, part)))


def _connected(client: Any, scheduler: str) -> Any:
    try:
        return client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(
            f"No scheduler answers at {scheduler}.", remedy="Start one: dask scheduler.", path=scheduler
        ) from error
