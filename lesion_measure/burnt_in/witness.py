"""The stated scale against the depth scale drawn in the picture, which was enlarged with its pixels."""

from __future__ import annotations

import math

from lesion_measure.burnt_in.depth_scale import DepthScale, depth_scale
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.records import RESCALED, CalibratedRegion, Calibration

LEAST_FACTOR = 0.02
"""Difference from 1 up to which a factor is none: ticks are drawn on whole pixels, scales stated in few digits."""
_ERRORS = 3
"""Standard errors of the ticks' distance that a factor exceeds."""
_SAID = {"numbers": "its numbers", "depth": "its ticks and the printed depth"}


def depth_scale_warning(image: OpenImage, calibration: Calibration) -> str | None:
    """A sentence where the depth scale on an image's first frame contradicts the stated scale of all its regions.

    None where they agree, where no depth scale is read, or where there is no stated scale or no picture.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """
    if not calibration.regions:
        return None
    try:
        found = depth_scale(image.frame(1).display())
    except InputError:
        return None  # a caliper's length holds without its pixels, and says that they cannot be shown
    if found is None:
        return None
    nearest = min(calibration.regions, key=lambda region: abs(math.log(found.enlarged(region.spacing_mm))))
    factor = found.enlarged(nearest.spacing_mm)
    differs = abs(math.log(factor)) > max(LEAST_FACTOR, _ERRORS * found.error)
    return _words(found, nearest, factor) if differs else None


def _words(found: DepthScale, region: CalibratedRegion, factor: float) -> str:
    stated_mm = found.mm_per_px * factor
    return (
        f"{RESCALED}: the depth scale in the picture ({_SAID[found.said]}) says {found.mm_per_px:.4g} mm per pixel, "
        f"{region.source} {stated_mm:.4g}. The picture is {factor:.3g} times as large as the stated scale has it."
    )
