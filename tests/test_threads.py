"""A command computes on one thread where more only wait for each other: counted by the system."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TASKS = """
import os, sys
from lesion_measure.cli import main
sys.argv = ["lesion-measure", *sys.argv[1:], "--help"]
try:
    main()
except SystemExit:
    pass
import numpy as np
np.ones((600, 600)) @ np.ones((600, 600))
print("threads", len(os.listdir("/proc/self/task")))
"""


def threads(command: str, **given: str) -> int:
    """How many threads a process has after a command and a product of numpy."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ran = subprocess.run(
        [sys.executable, "-c", TASKS, command], env=kept | given, capture_output=True, text=True, check=True
    )
    return int(ran.stdout.rpartition("threads ")[2])


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor has one thread anyway")
def test_products_take_one_thread_but_for_data_cards_and_what_the_user_says() -> None:
    assert [threads(command) for command in ("run", "evaluate", "review")] == [1, 1, 1]
    assert threads("data") > 1
    assert threads("run", OPENBLAS_NUM_THREADS="2") == 2
