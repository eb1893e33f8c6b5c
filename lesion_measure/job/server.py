"""The server that the processes of a run come from. It loads what they need while the run itself is loaded.

Both take as long, and no process measures before its server has loaded. So it is begun first, by a module that loads
next to nothing.
"""

from __future__ import annotations

from lesion_measure.batch import processes

PRELOAD = ("lesion_measure.job.preloaded",)


def begin_processes(jobs: int | None, scheduler: str | None) -> None:
    """Begin it where several processes of this machine are asked for; a second time nothing happens."""
    if scheduler is None and (jobs or 1) > 1:
        processes.begin(PRELOAD)
