"""The networks on all pictures, here or in processes beside each other; the cases do not depend on how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from lesion_measure.batch import Lost, Tell, Work, measure_here
from lesion_measure.batch.processes import begin, in_processes
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.evaluation.cases import Case
from lesion_measure.lab.evaluation.networks import Network
from lesion_measure.lab.evaluation.run import CaliperMoves, PictureTask, Progress, picture_case, picture_tasks
from lesion_measure.network import Segmenter

_PRELOAD = ("lesion_measure.lab.evaluation.shared",)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """A picture before the network at this ``place``."""

    place: int
    picture: PictureTask


def begin_processes(jobs: int) -> None:
    """Begin what the processes of `cases_of` come from, where there are several: it loads while data are read."""
    if jobs > 1:
        begin(_PRELOAD)


def cases_of(
    networks: Sequence[Network],
    pictures: Sequence[Picture],
    moves: CaliperMoves,
    placings: Mapping[str, int],
    *,
    jobs: int,
    device: str,
    backend: str,
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
    jobs
        How many processes; each loads the bundles, and takes one thread.
    device, backend
        Where they compute, and by what.
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
        _Task(place, task)
        for place, network in enumerate(networks)
        for task in picture_tasks(pictures, moves, placings, network.trained, automatic=automatic)
    ]
    work: Work[_Task, Case] = partial(_case, [network.segmenter for network in networks], moves)
    if jobs == 1:
        done = measure_here(lambda: work, tasks, _untold)
    else:
        prepare = partial(_prepare, [network.bundle for network in networks], device, backend, moves)
        done = in_processes(prepare, tasks, jobs, _untold, _give_up, _PRELOAD)
    found: dict[int, Case] = {}
    for number, case in done:
        found[number] = case
        progress(len(found), len(tasks))
    each = len(pictures)
    return [[found[place * each + number] for number in range(each)] for place in range(len(networks))]


def _prepare(bundles: Sequence[Path], device: str, backend: str, moves: CaliperMoves) -> Work[_Task, Case]:
    loaded = [Segmenter.from_bundle(bundle, device=device, backend=backend, threads=1) for bundle in bundles]
    return partial(_case, loaded, moves)


def _case(segmenters: Sequence[Segmenter], moves: CaliperMoves, task: _Task, _: Tell) -> Case:
    return picture_case(segmenters[task.place], task.picture, moves)


def _untold(part: str) -> None:
    """Parts of a picture that nobody asked for."""


def _give_up(lost: Lost[_Task]) -> NoReturn:
    raise InputError(
        f"The process that measured this picture {lost.how}, twice.",
        remedy="Take the picture out, or give the program more memory.",
        code="lost_process",
        path=lost.task.picture.item.name,
    )
