"""A frame as the network is shown it: its luminance, without burnt-in calipers where the settings ask for that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Segment
from lesion_measure.dicom.open_image import OpenImage


def network_frame(image: OpenImage, number: int, settings: Segment) -> NDArray[np.uint8]:
    """Luminance (rows, columns) of a frame, from 1. What people are shown is never changed.

    Raises
    ------
    InputError
        There is no such frame, or it cannot be decoded.
    """
    frame = image.frame(number)
    if not settings.inpaint_marks:
        return frame.luminance()
    from lesion_measure.burnt_in.grouping import find_pairs
    from lesion_measure.burnt_in.painted import drawn_pixels, filled

    rgb = frame.display()
    return filled(frame.luminance(), drawn_pixels(rgb, find_pairs(rgb)))
