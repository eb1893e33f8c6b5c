"""The scale that an image's own printed values speak for, where its file states none."""

from __future__ import annotations

import math

from lesion_measure.burnt_in.found import BurntInFrame
from lesion_measure.burnt_in.read import Seen, read_frame
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.records import PrintedScale

_MOST_APART = 3.0
"""Standard deviations by which the scales of two frames may differ."""


def printed_scale(image: OpenImage, config: Config, seen: Seen | None = None) -> PrintedScale | None:
    """The most precise scale that two values or more of one frame agree on.

    None where no frame has one, or where a frame contradicts it: the picture was zoomed between them. A frame does so
    by a scale of its own that differs, and by values of which none is a caliper's by this scale. ``seen`` is as of
    `read_frame`.

    Raises
    ------
    InputError
        A frame cannot be decoded.
    ConfigError
        The extra ``read`` is not installed.
    """
    frames = [read_frame(image, number, config, seen=seen) for number in range(1, image.instance.frames + 1)]
    found = [frame.proposed for frame in frames if frame.proposed is not None and frame.proposed.values > 1]
    best = min(found, key=lambda scale: scale.cv, default=None)
    return None if best is None or any(_contradicts(frame, best) for frame in frames) else best


def _contradicts(frame: BurntInFrame, scale: PrintedScale) -> bool:
    if frame.proposed is not None and _differ(frame.proposed, scale):
        return True
    return bool(frame.possible) and all(_differ(each, scale) for each in frame.possible)


def _differ(one: PrintedScale, other: PrintedScale) -> bool:
    """By the errors that each frame has for itself: a pixel's shape is the same in both."""
    apart = abs(one.spacing_mm - other.spacing_mm)
    return apart > _MOST_APART * math.hypot(one.own_sd_mm, other.own_sd_mm)
