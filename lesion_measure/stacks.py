"""Stage 4b: outlines on several frames of one image -> the same lesion from frame to frame, and in 3D its volume.

A lesion outlined on one frame is followed to the next frame that was looked at as long as its outlines overlap; where
several do, the pair that shares most pixels belongs together. The frames of an Enhanced US Volume are parallel slices
at a known distance: there a lesion that was followed is a body, whose voxels can be summed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Uncertainty
from lesion_measure.measure import measure_volume
from lesion_measure.measure.uncertainty import size_quantity
from lesion_measure.records import LesionMask, PlaneMeasurement, Quantity, Spacing

Track = dict[int, LesionMask]
"""One lesion's masks by frame number."""


def tracks(masks: Mapping[int, Sequence[LesionMask]], *, gaps: bool) -> list[Track]:
    """Every lesion of an image, each with its masks by frame number.

    With ``gaps`` a lesion may be missing on some frames, as where a network wavers in a cine; else a frame without it
    ends it, since a body has no gaps.
    """
    found: list[Track] = []
    active: list[Track] = []
    for frame in sorted(masks):
        left = list(masks[frame])
        following: list[Track] = []
        # Numbers in the sort key keep the order fixed where pixels are equal; tracks themselves cannot be compared.
        pairs = [
            (-shared_pixels(list(track.values())[-1], mask), i, j)
            for i, track in enumerate(active)
            for j, mask in enumerate(left)
        ]
        taken: set[int] = set()
        continued: set[int] = set()
        for negative, i, j in sorted(pairs):
            if negative < 0 and i not in continued and j not in taken:
                active[i][frame] = left[j]
                following.append(active[i])
                continued.add(i)
                taken.add(j)
        new = [{frame: mask} for j, mask in enumerate(left) if j not in taken]
        found += new
        active = found if gaps else following + new
    return found


def voxel_volume(
    body: Track,
    plane: PlaneMeasurement,
    *,
    slice_spacing_mm: float,
    spacing_mm: Spacing,
    settings: Uncertainty,
) -> Quantity:
    """Volume in mL of a lesion that was followed through neighbouring frames.

    Parameters
    ----------
    body
        Its masks by frame number, without gaps (`tracks` of all frames).
    plane
        Its measurement on one frame: the outline's relative error is taken three times, since an edge that is too far
        out is so all round.
    slice_spacing_mm, spacing_mm
        Distance of the frames; (row, column) distance of pixels.
    settings
        Repeatability of a volume.

    Raises
    ------
    MeasurementError
        A spacing is not positive and finite.
    """
    volume_ml = measure_volume(_stack(body), spacing_mm=(slice_spacing_mm, *spacing_mm)).volume_ml
    outline = 3 * plane.long_axis_mm.parts.get("outline", 0.0) / plane.long_axis_mm.value
    return size_quantity(volume_ml, repeatability_cv=settings.repeatability.volume_cv, outline=outline * volume_ml)


def _stack(body: Track) -> NDArray[np.float32]:
    """Probability (frame, row, column) of the smallest box that holds all masks."""
    corners = [(m.origin, np.add(m.origin, m.probability.shape)) for m in body.values()]
    first = np.min([start for start, _ in corners], axis=0)
    last = np.max([end for _, end in corners], axis=0)
    stack = np.zeros((len(body), *(last - first)), dtype=np.float32)
    for layer, mask in zip(stack, body.values(), strict=True):
        row, col = np.subtract(mask.origin, first)
        rows, cols = mask.probability.shape
        layer[row : row + rows, col : col + cols] = mask.probability
    return stack


def shared_pixels(one: LesionMask, two: LesionMask) -> int:
    """How many pixels two masks have in common, wherever on whichever frame they lie."""
    first = np.maximum(one.origin, two.origin)
    last = np.minimum(np.add(one.origin, one.probability.shape), np.add(two.origin, two.probability.shape))
    if (last <= first).any():
        return 0
    inside = []
    for mask in (one, two):
        (row, col), (row_end, col_end) = first - mask.origin, last - mask.origin
        inside.append(mask.probability[row:row_end, col:col_end] >= 0.5)
    return int(np.count_nonzero(inside[0] & inside[1]))
