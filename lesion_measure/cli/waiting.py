"""Threads that wait for work sleep: set where the process starts, before the library that reads it is loaded."""

from __future__ import annotations

import os


def wait_asleep() -> None:
    """Let OpenMP's threads sleep while they wait, where the user's environment does not say otherwise.

    By default they spin, each on a processor that another process may need: two runs on two processors then hinder each
    other tenfold. OpenMP reads this variable once, when its library is loaded; no option or call can change it later.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
