"""Modules that are loaded when something asks for them: libraries name them as they load, and a run uses none of them.

scipy takes every public name of numpy, and so numpy's compiler of Fortran and its tools for tests: a third of what
scipy's filters take to load. pydicom looks whether it could download its examples by requests, and decode by GDCM: two
fifths of what it takes to load.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

LATE = ("numpy.f2py", "numpy.testing")
UNUSED = ("gdcm", "requests")
"""What pydicom does without where it is not installed."""


def load_late() -> None:
    """Put modules in the place of `LATE` that load themselves at their first use, as Python's documentation shows it.

    pydicom is loaded as if nothing of `UNUSED` were installed, and goes without it until the process ends.

    Only the command `run` does this, and the server of the processes that measure: two threads must not use such a
    module for the first time at once, and a script may have pydicom decode by GDCM. Nothing here decodes by pydicom.
    """
    for name in LATE:
        spec = importlib.util.find_spec(name)
        if name in sys.modules or spec is None or spec.loader is None:
            continue
        spec.loader = loader = importlib.util.LazyLoader(spec.loader)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        package, _, last = name.rpartition(".")
        setattr(sys.modules[package], last, module)
    _load_without("pydicom", UNUSED)


def _load_without(name: str, unused: tuple[str, ...]) -> None:
    """Load a module as where others are not installed."""
    hidden: dict[str, Any] = {other: None for other in unused if other not in sys.modules}  # as if it were not there
    sys.modules.update(hidden)
    try:
        importlib.import_module(name)
    finally:
        for other in hidden:
            del sys.modules[other]
