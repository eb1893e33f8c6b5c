"""OpenVINO without what converts models of other kinds, which takes longer to load than all the rest of it.

Its package loads the converter where that can be imported, and does without it where not. Whoever asks for
``openvino.convert_model`` later gets it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_CONVERTER = "openvino.tools.ovc"


def _converter(name: str) -> Any:
    if name == "convert_model":
        return import_module(_CONVERTER).convert_model
    raise AttributeError(f"module 'openvino' has no attribute '{name}'")


def _load() -> None:
    """Import it while its converter cannot be imported."""
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # so Python says that a module is not there
    try:
        loaded = import_module("openvino")
    finally:
        del sys.modules[_CONVERTER]
    loaded.__dict__.setdefault("__getattr__", _converter)


if "openvino" not in sys.modules:
    _load()

import openvino  # noqa: E402

__all__ = ["openvino"]
