"""How many threads the network's arithmetic takes; docs/decisions/0012 says why they are shared out by passes."""

from __future__ import annotations

import os

MOST_BY_DEFAULT = 4
"""As many as one picture has mirrored copies."""


def default_threads() -> int:
    """Processors that this process may use, four at most."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_BY_DEFAULT)
