"""What a process does that works for a run: it takes tasks from a pipe, and sends back results and what it is at."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import Any

from lesion_measure.batch.garbage import collect_seldom, loading
from lesion_measure.batch.work import Prepare
from lesion_measure.errors import LesionMeasureError

_COUNTS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)  # fmt: skip
ONE_THREAD = dict.fromkeys(_COUNTS, "1") | {"OMP_WAIT_POLICY": "PASSIVE"}
"""The environment of a worker: its libraries take one thread each, since there are as many workers as processors."""


def serve(prepare: Prepare[Any, Any], pipe: Connection) -> None:
    """Do the tasks that come through a pipe until it is closed.

    Ctrl-C is the run's affair, which ends its workers; a worker whose run is gone ends at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    with suppress(EOFError, BrokenPipeError):
        try:
            collect_seldom()
            with loading():
                work = prepare()
            while (asked := pipe.recv()) is not None:
                number, task = asked
                pipe.send(("done", number, work(task, lambda part: pipe.send(("told", part)))))
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001  the run raises it
            pipe.send(("failed", _sendable(error)))


def _sendable(error: Exception) -> Exception:
    """The error where it is ours, which every process can have; of a library's, which may hold anything, the words."""
    return error if isinstance(error, LesionMeasureError) else RuntimeError(f"{type(error).__name__}: {error}")


def _end_with_the_run() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
