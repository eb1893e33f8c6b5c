"""Where children are measured: in this process, or in several beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from lesion_measure.batch import Measured, Tell, Work, measure_here, usable_processors
from lesion_measure.batch.processes import in_processes
from lesion_measure.job.measuring import ChildTask, MeasuredChild, prepare, without_lost
from lesion_measure.job.request import RunRequest

PAYS_FROM = 150
"""Images from which on several processes are faster, where calipers alone measure (benchmarks/growth.py)."""
PAYS_FROM_NETWORK = 16
"""The same with the network, which takes longer of an image and longer to load."""

_PRELOAD = ("lesion_measure.job.measuring",)


def measured(
    tasks: Sequence[ChildTask],
    request: RunRequest,
    bundle: Path | None,
    here: Work[ChildTask, MeasuredChild],
    tell: Tell,
) -> Iterator[Measured[MeasuredChild]]:
    """The children's results, in the order in which they are done.

    Parameters
    ----------
    tasks
        The children.
    request, bundle
        What the user asked for, and the network that each process loads.
    here
        Measures in this process, where that is as fast.
    tell
        Is told of the images.
    """
    jobs = jobs_for(tasks, request, network=bundle is not None)
    if jobs == 1:
        return measure_here(lambda: here, tasks, tell)
    return in_processes(partial(prepare, request, bundle), tasks, jobs, tell, without_lost, _PRELOAD)


def jobs_for(tasks: Sequence[ChildTask], request: RunRequest, *, network: bool) -> int:
    """How many processes: as many as were asked for; else one a processor, where there is enough to do for them."""
    most = max(len(tasks), 1)
    if request.jobs is not None:
        return min(request.jobs, most)
    pays_from = PAYS_FROM_NETWORK if network else PAYS_FROM
    if request.device != "cpu" or sum(len(task.images) for task in tasks) < pays_from:
        return 1
    return min(usable_processors(), most)
