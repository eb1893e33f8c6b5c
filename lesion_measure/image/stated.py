"""What an object or a row states of a caliper, held against what its points measure: a check, never a measurement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lesion_measure.records import Caliper, Spacing

_VALUE = re.compile(r"[+-]?(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?")
_FACTOR = 10.0
"""OHIF states the centimetres of ultrasound under the unit mm (Cornerstone3D measures regions in cm)."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What there is to say: a warning in plain words, empty where the two agree; and whether somebody has to look."""

    warning: str = ""
    asks: bool = False


def against_stated(caliper: Caliper, measured_mm: float, spacing_mm: Spacing) -> Stated:
    """Hold the length by the image's own scale against the one that the object, or the row of a table, states.

    They agree within the rounding of the stated number and one pixel.
    """
    origin = caliper.origin
    if caliper.stated_mm:
        return _against_row(caliper, measured_mm, max(spacing_mm))
    if origin is None or origin.stated_mm is None:
        return Stated()
    rounding_mm = _rounding(origin.stated, origin.stated_mm)
    pixel_mm = max(spacing_mm)
    if abs(measured_mm - origin.stated_mm) <= rounding_mm + pixel_mm:
        return Stated()
    both = f"{origin.item} of {origin.path} states {origin.stated}, and its points are {measured_mm:.2f} mm apart"
    if abs(measured_mm - _FACTOR * origin.stated_mm) <= _FACTOR * rounding_mm + pixel_mm:
        return Stated(f"{both} by the image's scale: a factor of 10, cm that are called mm, as OHIF writes them")
    return Stated(f"{both} by the image's scale, which counts", asks=True)


def _against_row(caliper: Caliper, measured_mm: float, pixel_mm: float) -> Stated:
    stated = caliper.stated_mm
    if abs(measured_mm - float(stated)) <= _rounding(stated, float(stated)) + pixel_mm:
        return Stated()
    which = f"{caliper.lesion}, {caliper.axis} axis: row {caliper.row_number}"
    row = f"{which} of {caliper.table}" if caliper.table else which
    return Stated(
        f"{row} states a length of {stated} mm, and its ends are {measured_mm:.2f} mm apart by the image's scale, "
        "which counts",
        asks=True,
    )


def _rounding(stated: str, stated_mm: float) -> float:
    """Half of the last digit that is stated, in mm."""
    found = _VALUE.match(stated.strip())
    if found is None or float(found[0]) == 0:
        return 0.0
    half = 0.5 * 10.0 ** (int(found[3] or 0) - len(found[2] or ""))
    return abs(half * stated_mm / float(found[0]))
