"""Measure liver lesions in DICOM ultrasound, and say with honest error bars whether they shrank.

::

    DICOM folder / zip
      -> studies          studies, tables     what is here, whose, when, which visit
      -> frames           dicom, calibration  pixels and millimetres per pixel, or a reason why not
      -> outlines         network             MONAI U-Net, automatic or prompted by a caliper
       | calipers         tables, drawings    a reader's end points, typed or out of SR, PR and SEG
      -> planes           image, measure      one lesion on one frame: diameters, area, error bars
      -> lesions          lesions             the same lesion across planes and visits, volume
      -> verdict          verdict             change, and what it is called
      -> report           report, cohort      people, tables, the trial's answer

The names below are the public interface; `run` does everything.
Research use only; not a medical device.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesion_measure.api import Result, outlines, run
    from lesion_measure.calibration import calibrate
    from lesion_measure.config import Config
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.measure import ellipsoid_volume_ml, measure_mask, measure_volume, percent_change
    from lesion_measure.network import Segmenter
    from lesion_measure.studies import load_studies

__version__ = "0.2.0"

if os.name != "posix":  # locks and the decoders' processes need it, and nothing was tried without
    raise ImportError("lesion-measure runs on Linux, and is not for Windows itself. Install and run it within WSL 2.")

_HOME = {
    "Config": "config",
    "LesionMeasureError": "errors",
    "Result": "api",
    "Segmenter": "network",
    "calibrate": "calibration",
    "ellipsoid_volume_ml": "measure",
    "load_studies": "studies",
    "measure_mask": "measure",
    "measure_volume": "measure",
    "outlines": "api",
    "percent_change": "measure",
    "run": "api",
}

__all__ = [
    "Config",
    "LesionMeasureError",
    "Result",
    "Segmenter",
    "__version__",
    "calibrate",
    "ellipsoid_volume_ml",
    "load_studies",
    "measure_mask",
    "measure_volume",
    "outlines",
    "percent_change",
    "run",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that the command line answers without importing the stages."""
    if name not in _HOME:
        raise AttributeError(f"module 'lesion_measure' has no attribute '{name}'")
    return getattr(import_module(f"lesion_measure.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
