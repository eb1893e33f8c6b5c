"""The stated scale against the depth scale drawn in the picture, which was enlarged with its pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from lesion_measure.burnt_in.depth_scale import DepthScale, depth_scale
from lesion_measure.calibration.regions import CM
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.records import RESCALED, Calibration, Instance, Spacing

LEAST_FACTOR = 0.02
"""Difference from 1 up to which a factor is none: ticks are drawn on whole pixels, scales stated in few digits."""
_ERRORS = 3
"""Standard errors of the ticks' distance that a factor exceeds."""
_DRAWN: WeakKeyDictionary[OpenImage, DepthScale | None] = WeakKeyDictionary()
_SAID = {"numbers": "its numbers", "depth": "its ticks and the printed depth"}


@dataclass(frozen=True, slots=True)
class DepthWitness:
    """What the depth scale says of the stated scale.

    ``factor`` is how many times as large the picture is as the stated scale has it; ``differs`` whether that is none by
    chance; ``warning`` says so in a sentence.
    """

    factor: float
    differs: bool
    warning: str


def depth_scale_warning(image: OpenImage, calibration: Calibration) -> str | None:
    """A sentence where the depth scale on an image's first frame contradicts the stated scale of all its regions.

    None where they agree, where no depth scale is read, or where there is no stated scale or no picture.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """
    found = depth_witness(image, calibration)
    return found.warning if found is not None and found.differs else None


def depth_witness(image: OpenImage, calibration: Calibration) -> DepthWitness | None:
    """The depth scale on an image's first frame against the stated scale of its regions, the nearest of several.

    None where no depth scale is read, or where there is no stated scale or no picture. A scale that is stated and
    not believed counts, too, as that of regions that reach over the picture.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """
    stated = [(region.spacing_mm, region.source) for region in calibration.regions]
    if not stated and (doubted := doubted_spacing(image.instance)) is not None:
        stated = [(doubted, "the regions")]
    if not stated:
        return None
    try:
        found = _drawn_on(image)
    except InputError:
        return None  # a caliper's length holds without its pixels, and says that they cannot be shown
    if found is None:
        return None
    spacing_mm, source = min(stated, key=lambda each: abs(math.log(found.enlarged(each[0]))))
    factor = found.enlarged(spacing_mm)
    differs = abs(math.log(factor)) > max(LEAST_FACTOR, _ERRORS * found.error)
    return DepthWitness(factor, differs, _words(found, source, factor))


def _drawn_on(image: OpenImage) -> DepthScale | None:
    """The depth scale on an image's first frame, read once as long as the image is open: it takes a second.

    The reading room measures an open image with each move of the hand.
    """
    if image not in _DRAWN:
        _DRAWN[image] = depth_scale(image.frame(1).display())
    return _DRAWN[image]


def doubted_spacing(instance: Instance) -> Spacing | None:
    """What the regions of a picture state, in mm, where they agree; whether they are believed is `calibration`'s."""
    stated = {
        (abs(region.delta_row) * 10, abs(region.delta_col) * 10)
        for region in instance.regions
        if region.unit_row == region.unit_col == CM and region.delta_row and region.delta_col
    }
    return stated.pop() if len(stated) == 1 else None


def _words(found: DepthScale, source: str, factor: float) -> str:
    stated_mm = found.mm_per_px * factor
    return (
        f"{RESCALED}: the depth scale in the picture ({_SAID[found.said]}) says {found.mm_per_px:.4g} mm per pixel, "
        f"{source} {stated_mm:.4g}. The picture is {factor:.3g} times as large as the stated scale has it."
    )
