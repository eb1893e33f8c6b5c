"""The networks on all pictures, here or in processes beside each other; the cases do not depend on how many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from lesion_measure.batch import Lost, Tell, Work, measure_here
from lesion_measure.batch.processes import Processes, begin
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.evaluation.cases import Case
from lesion_measure.lab.evaluation.networks import Network
from lesion_measure.lab.evaluation.run import CaliperMoves, PictureTask, Progress, picture_case, picture_tasks
from lesion_measure.network import Segmenter

_PRELOAD = ("lesion_measure.lab.evaluation.shared",)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """A picture before the network at this ``place``, with how its calipers are moved."""

    place: int
    picture: PictureTask
    moves: CaliperMoves


Beside = Processes[_Task, Case] | None
"""Processes that measure pictures; None: this one does."""


def begin_processes(jobs: int) -> None:
    """Begin what the processes of `beside` come from, where there are several: it loads while bundles are loaded here.

    Until it has loaded, `beside` waits for it.
    """
    if jobs > 1:
        begin(_PRELOAD)


@contextmanager
def beside(bundles: Sequence[Path], jobs: int, *, device: str, backend: str) -> Iterator[Beside]:
    """Processes for `cases_of`, where there are several. They load the bundles while this one reads data.

    Parameters
    ----------
    bundles
        Those of the networks, in their order.
    jobs
        How many processes; each takes one thread.
    device, backend
        Where they compute, and by what.
    """
    if jobs == 1:
        yield None
        return
    with Processes(partial(_prepare, tuple(bundles), device, backend), jobs, _PRELOAD) as begun:
        yield begun


def cases_of(
    networks: Sequence[Network],
    pictures: Sequence[Picture],
    moves: CaliperMoves,
    placings: Mapping[str, int],
    *,
    processes: Beside,
    progress: Progress,
    automatic: bool = True,
) -> list[list[Case]]:
    """The cases of each network, in the order of the pictures.

    Parameters
    ----------
    networks
        Loaded bundles.
    pictures
        Of one or several sets.
    moves, placings
        How, and how often, calipers are placed (`run_cases`).
    processes
        From `beside`, of the same bundles.
    progress
        Told after each picture of each network.
    automatic
        Whether pictures are also run without a prompt.

    Raises
    ------
    InputError
        A picture ended the process that measured it, twice.
    """
    tasks = [
        _Task(place, task, moves)
        for place, network in enumerate(networks)
        for task in picture_tasks(pictures, moves, placings, network.trained, automatic=automatic)
    ]
    if processes is None:
        done = measure_here(lambda: partial(_case, [network.segmenter for network in networks]), tasks, _untold)
    else:
        done = processes.results(tasks, _untold, _give_up)
    found: dict[int, Case] = {}
    for number, case in done:
        found[number] = case
        progress(len(found), len(tasks))
    each = len(pictures)
    return [[found[place * each + number] for number in range(each)] for place in range(len(networks))]


def _prepare(bundles: Sequence[Path], device: str, backend: str) -> Work[_Task, Case]:
    return partial(
        _case, [Segmenter.from_bundle(bundle, device=device, backend=backend, threads=1) for bundle in bundles]
    )


def _case(segmenters: Sequence[Segmenter], task: _Task, _: Tell) -> Case:
    return picture_case(segmenters[task.place], task.picture, task.moves)


def _untold(part: str) -> None:
    """Parts of a picture that nobody asked for."""


def _give_up(lost: Lost[_Task]) -> NoReturn:
    raise InputError(
        f"The process that measured this picture {lost.how}, twice.",
        remedy="Take the picture out, or give the program more memory.",
        code="lost_process",
        path=lost.task.picture.item.name,
    )
