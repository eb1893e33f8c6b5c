"""How often Python looks for circular objects that nobody uses any more: seldom, and never at what modules made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS_BETWEEN_COLLECTIONS = 20_000
"""Python's own 700 suits programs that make many circular objects; modules make many objects and hardly a circle."""


def collect_seldom() -> None:
    """Let a process that measures look for circles less often."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


@contextmanager
def loading() -> Iterator[None]:
    """While modules are loaded nothing is looked for, and what they made is never looked at again.

    To look through the objects of all modules once takes as long as to measure three images.
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if looked:
            gc.enable()
