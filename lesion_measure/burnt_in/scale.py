"""The scale that an image's own printed values speak for, where its file states none."""

from __future__ import annotations

import math

from lesion_measure.burnt_in.read import read_frame
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.records import PrintedScale

_MOST_APART = 3.0
"""Standard deviations by which the scales of two frames may differ."""


def printed_scale(image: OpenImage, config: Config) -> PrintedScale | None:
    """The most precise scale that two values or more of one frame agree on.

    None where no frame has one, or where those of two frames differ: the picture was zoomed between them.

    Raises
    ------
    InputError
        A frame cannot be decoded.
    ConfigError
        The extra ``read`` is not installed.
    """
    frames = (read_frame(image, number, config).proposed for number in range(1, image.instance.frames + 1))
    found = [scale for scale in frames if scale is not None and scale.values > 1]
    best = min(found, key=lambda scale: scale.cv, default=None)
    return None if best is None or any(_differ(best, other) for other in found) else best


def _differ(one: PrintedScale, other: PrintedScale) -> bool:
    apart = abs(one.spacing_mm - other.spacing_mm)
    return apart > _MOST_APART * math.hypot(one.sd_mm, other.sd_mm)
