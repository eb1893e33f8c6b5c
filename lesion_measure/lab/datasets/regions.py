"""What a run shows the network of a frame: its calibrated regions. Pictures of frames are cut to them here.

A network that is tried, or trained, on the whole screen sees another picture than in a run: text, bars and black around
a smaller lesion.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.image.automatic import looked_at
from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.pictures import AS_DRAWN, MIN_LESION_PX
from lesion_measure.records import Instance, Spacing

Cut = tuple[slice, slice]
"""Rows and columns of a region in its frame."""

LEAST_INSIDE = 0.5
"""Share of an outline's pixels that has to lie in the regions; what lies beyond is cut off."""


def cuts_of(instance: Instance, config: Config) -> list[tuple[Cut, Spacing]]:
    """The regions of an image's frames that a run looks at, and the size of their pixels.

    Raises
    ------
    InputError
        A run refuses the image: it has no scale.
    """
    scale = calibrate(instance, config.calibration)
    if scale.refusal is not None:
        raise bad(
            f"A run measures nothing on this image: {scale.refusal.reason}",
            instance.path,
            "Take it out with its outlines, or give what a network shall see of it as a picture (layout images/, "
            "masks/, index.csv).",
        )
    return [
        ((slice(region.row_min, region.row_max + 1), slice(region.col_min, region.col_max + 1)), region.spacing_mm)
        for region in looked_at(scale.regions)
    ]


def check_inside(masks: Sequence[NDArray[np.bool_]], cuts: Sequence[Cut], path: Path | str) -> None:
    """Raise InputError where an outlined lesion lies mostly beside the regions: no run would see it."""
    for mask in masks:
        seen = np.zeros(mask.shape, dtype=bool)
        for cut in cuts:
            seen[cut] = True
        parts, count = ndimage.label(mask, structure=AS_DRAWN)
        areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
        inside = np.bincount(parts[seen], minlength=count + 1)[1:]
        off = np.flatnonzero((areas >= MIN_LESION_PX) & (inside < LEAST_INSIDE * areas))
        if len(off):
            row, col = (round(float(each)) for each in ndimage.center_of_mass(parts == off[0] + 1))
            raise bad(
                f"The outline around row {row}, column {col} lies mostly outside of the regions that a run looks at.",
                path,
                "Outline lesions inside of the ultrasound regions, or correct the region.",
            )
