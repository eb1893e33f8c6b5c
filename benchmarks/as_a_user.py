"""The environment in which benchmarks run a command: a user's, on one thread where processor time is measured."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
_ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def surroundings(checkout: Path = PROJECT, *, one_thread: bool = True) -> dict[str, str]:
    """Environment of a process that runs a checkout of this project.

    Compiled modules are kept, as they are by default: where ``PYTHONDONTWRITEBYTECODE`` forbids it, each start compiles
    them again, which takes half a second.
    """
    environment = os.environ | {"PYTHONPATH": str(checkout)} | (_ONE if one_thread else {})
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment
