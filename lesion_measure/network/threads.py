"""How many threads the network's arithmetic takes; docs/decisions/0012 says why they are shared out by passes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

MOST_BY_DEFAULT = 4
"""As many as one picture has mirrored copies."""


def default_threads() -> int:
    """Processors that this process may use, four at most."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_BY_DEFAULT)


def keep_to_one_thread() -> None:
    """Let the thread that calls this do its own arithmetic alone: none spins beside other work of the machine."""
    torch.set_num_threads(1)


class Passes:
    """Runs a network over a batch, every sample by itself and in one thread, several at once.

    Each sum is made in one order then, so that the answer has the same bits whatever the number of threads, and no
    thread waits for another one within an operation.
    """

    def __init__(self, threads: int | None) -> None:
        self._pool = ThreadPoolExecutor(threads or default_threads(), initializer=keep_to_one_thread)

    def __call__(self, forward: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
        """``forward`` of every sample (1, ...) of a batch, joined again; no gradients."""

        def one(sample: Tensor) -> Tensor:
            with torch.inference_mode():  # which holds for one thread
                return forward(sample)

        return torch.cat(list(self._pool.map(one, torch.split(batch, 1))))


def whole_batch(forward: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
    """``forward`` of a whole batch at once, as a GPU is used best; no gradients."""
    with torch.inference_mode():
        return forward(batch)
