"""Modules that are loaded when something asks for them: scipy names them as it loads, and a run uses none of them.

scipy takes every public name of numpy, and so numpy's compiler of Fortran and its tools for tests: a third of what
scipy's filters take to load.
"""

from __future__ import annotations

import importlib.util
import sys

LATE = ("numpy.f2py", "numpy.testing")


def load_late() -> None:
    """Put modules in the place of `LATE` that load themselves at their first use, as Python's documentation shows it.

    Only a command does this: two threads must not use such a module for the first time at once.
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
