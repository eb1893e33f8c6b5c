"""How many threads numpy's products of matrices take in the process of a command."""

from __future__ import annotations

import os

COUNT = "OPENBLAS_NUM_THREADS"


def one_thread() -> None:
    """Let OpenBLAS compute on one thread, as in every worker, unless the user's environment says otherwise.

    It reads this as numpy is loaded. A run's products are small: more threads wait for each other, and cost nearly as
    much processor time again (docs/speed.md). A data card compares all its pictures in one large product.
    """
    os.environ.setdefault(COUNT, "1")
