"""The network: verify and load a bundle, the one preprocessing path, inference.

`bundle` reads and checks, `window` and `preprocess` are shared with training, `inference` runs, `confidence` says how
sure it is, `segment` outlines one calibrated frame. Names load when they are used, so that torch is imported by whoever
needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesion_measure.network.inference import Segmenter
    from lesion_measure.network.segmentation import Segmentation, SegmentedLesion
    from lesion_measure.network.window import CaliperLine, Preprocessing

__all__ = ["CaliperLine", "Preprocessing", "Segmentation", "SegmentedLesion", "Segmenter"]

_HOME = {
    "CaliperLine": "window",
    "Preprocessing": "window",
    "Segmentation": "segmentation",
    "SegmentedLesion": "segmentation",
    "Segmenter": "inference",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'lesion_measure.network' has no attribute '{name}'")
    return getattr(import_module(f"lesion_measure.network.{_HOME[name]}"), name)
