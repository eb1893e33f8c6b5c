"""Where children are measured: in this process, or in several beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from lesion_measure.batch import Measured, Tell, Work, measure_here, processes, usable_processors
from lesion_measure.job.measuring import ChildTask, MeasuredChild, Setting, prepare, prepare_elsewhere, without_lost
from lesion_measure.job.request import RunRequest
from lesion_measure.job.server import PRELOAD

PAYS_FROM = 150
"""Images from which on a run by calipers alone takes several processes. An estimate: 284 images took 20 s with one
process and 13 s with two, on a busy machine. Where both take the same is seen on a quiet one by
``python benchmarks/growth.py --children 6 12 24 48 --without-dask`` (some 7 images a child)."""
PAYS_FROM_NETWORK = 48
"""The same with the network, an estimate too: it takes long to load, and its passes are shared out to threads. By
``lesion-measure run INPUT -o OUT --jobs 1``, and ``--jobs 2``, of inputs of so many images."""


def measured(
    tasks: Sequence[ChildTask],
    setting: Setting,
    here: Work[ChildTask, MeasuredChild],
    tell: Tell,
) -> Iterator[Measured[MeasuredChild]]:
    """The children's results, in the order in which they are done.

    Parameters
    ----------
    tasks
        The children.
    setting
        What they have in common.
    here
        Measures in this process, where that is as fast.
    tell
        Is told of the images.
    """
    address = setting.request.scheduler
    if address is not None:
        from lesion_measure.batch.cluster import on_cluster  # which is optional

        return on_cluster(
            partial(prepare_elsewhere, setting), tasks, address, tell, without_lost, setting.request.worker_wait_s
        )
    jobs = jobs_for(tasks, setting.request, network=setting.bundle is not None)
    if jobs == 1:
        return measure_here(lambda: here, tasks, tell)
    return processes.in_processes(partial(prepare, setting), tasks, jobs, tell, without_lost, PRELOAD)


def in_order(found: Iterable[Measured[MeasuredChild]], number: int) -> list[MeasuredChild]:
    """The results in the order of the children, whoever was done first."""
    by_number = dict(found)
    return [by_number[place] for place in range(number)]


def jobs_for(tasks: Sequence[ChildTask], request: RunRequest, *, network: bool) -> int:
    """How many processes: as many as were asked for; else one a processor, where there is enough to do for them."""
    most = max(len(tasks), 1)
    if request.jobs is not None:
        return min(request.jobs, most)
    pays_from = PAYS_FROM_NETWORK if network else PAYS_FROM
    if request.device != "cpu" or sum(len(task.images) for task in tasks) < pays_from:
        return 1
    return min(usable_processors(), most)
