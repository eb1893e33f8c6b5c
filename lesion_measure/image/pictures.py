"""What tells whether two lesions were measured on one picture: a picture of two visits is a copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.measure.appearance import frame_by_frame, middle
from lesion_measure.measure.insonation import has_signal
from lesion_measure.records import CalibratedRegion, PlaneMeasurement

Pixels = NDArray[np.generic]


def with_picture(
    planes: Sequence[PlaneMeasurement],
    regions: Sequence[CalibratedRegion],
    pixels: Callable[[int], Pixels | None],
) -> list[PlaneMeasurement]:
    """The planes of one image with the SHA-256 of the pixels around each lesion.

    Those of the smallest region that holds it: the words around the scan differ where a copy was exported anew.

    Parameters
    ----------
    planes
        Measurements of one image.
    regions
        Its measurable regions.
    pixels
        A 1-based frame as decoded, (rows, columns) or with a channel axis behind; None where it cannot be decoded.
    """
    return frame_by_frame(
        planes, pixels, lambda plane, frame: replace(plane, picture_sha256=_digest(plane, regions, frame))
    )


def _digest(plane: PlaneMeasurement, regions: Sequence[CalibratedRegion], frame: Pixels | None) -> str:
    """SHA-256 of the region's pixels, row by row, bytes little-endian; empty where no echoes tell it from others."""
    holding = [region for region in regions if region.contains(middle(plane))]
    if frame is None or not holding:
        return ""
    region = min(holding, key=lambda r: (r.row_max - r.row_min) * (r.col_max - r.col_min))
    part = frame[region.row_min : region.row_max + 1, region.col_min : region.col_max + 1]
    if not _echoes(part):
        return ""
    return hashlib.sha256(part.astype(part.dtype.newbyteorder("<"), copy=False).tobytes()).hexdigest()


def _echoes(part: Pixels) -> bool:
    """Whether a channel holds more than a ruler, crosses or letters: on blackened pictures these are the same twice."""
    channels = [part] if part.ndim == 2 else [part[..., number] for number in range(part.shape[2])]
    return any(has_signal(_of_white(channel)) for channel in channels if channel.size)


def _of_white(values: Pixels) -> Pixels:
    """Stored values of more than 8 bits as a share of their own range."""
    if values.dtype == np.uint8:
        return values
    numbers = values.astype(np.float32)
    return np.asarray((numbers - numbers.min()) / max(float(np.ptp(numbers)), 1.0))
