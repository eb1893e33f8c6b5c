"""highdicom's remarks quote what it is given, a patient's name among it: they go nowhere."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LIBRARY = "highdicom"


@contextmanager
def quietly() -> Iterator[None]:
    """Without warnings and log lines of highdicom."""
    logger = logging.getLogger(_LIBRARY)
    before = logger.propagate
    silent = logging.NullHandler()
    logger.propagate = False
    logger.addHandler(silent)  # without any, Python itself would print what is serious
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(silent)
        logger.propagate = before
