"""One calibrated frame, and a caliper if there is one -> the lesions in it, each with a confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Segment
from lesion_measure.measure.contours import contours
from lesion_measure.records import CalibratedRegion, LesionMask, Point, Spacing

if TYPE_CHECKING:
    from lesion_measure.network import SegmentedLesion, Segmenter

CONTOUR_LEVEL = 0.5


def segment_frame(
    segmenter: Segmenter,
    luminance: NDArray[np.generic],
    region: CalibratedRegion,
    settings: Segment,
    prompt: Sequence[tuple[Point, Point]] | None = None,
) -> tuple[LesionMask, ...]:
    """Outline the lesions inside one measurable region of a frame.

    Parameters
    ----------
    segmenter
        The loaded model bundle.
    luminance
        (rows, columns) of the whole frame, black at 0.
    region
        The rectangle that is looked at; its spacing decides which lesions are too small.
    settings
        The ``segment`` section of the configuration.
    prompt
        The calipers of one lesion, in pixels (row, column) of the whole frame; then only that lesion is outlined.

    Returns
    -------
    tuple of LesionMask
        Most confident first, in coordinates of the whole frame; at most one for a prompt, however small, since a reader
        says that it is a lesion. The outline is drawn at ``settings.threshold``; ``probability`` is shifted (in logits)
        so that this is its 0.5 contour.

    Raises
    ------
    MeasurementError
        The region is too small for an image, or the prompt is refused (`Segmenter.segment`).
    """
    moved = None if prompt is None else [(in_region(start, region), in_region(end, region)) for start, end in prompt]
    found = segmenter.segment(
        shown_part(luminance, region), moved, level=settings.threshold, flips=settings.test_time_flips
    )
    if prompt is not None:
        return prompted_masks(found.lesions, region, settings)
    return _masks(found.lesions, region, settings.threshold, settings.min_confidence, settings.min_lesion_mm)


def shown_part(luminance: NDArray[np.generic], region: CalibratedRegion) -> NDArray[np.generic]:
    """What of a frame (rows, columns) the network is shown."""
    return luminance[region.row_min : region.row_max + 1, region.col_min : region.col_max + 1]


def in_region(point: Point, region: CalibratedRegion) -> Point:
    """A point (row, column) of the frame in the region's own pixels."""
    return point[0] - region.row_min, point[1] - region.col_min


def prompted_masks(
    lesions: Sequence[SegmentedLesion], region: CalibratedRegion, settings: Segment
) -> tuple[LesionMask, ...]:
    """What the network drew in a region for a prompt, however small, in coordinates of the whole frame."""
    return _masks(lesions, region, settings.threshold, settings.min_prompted_confidence, 0.0)


def _masks(
    lesions: Sequence[SegmentedLesion],
    region: CalibratedRegion,
    threshold: float,
    limit: float | None,
    least_mm: float,
) -> tuple[LesionMask, ...]:
    corner = (region.row_min, region.col_min)
    masks = (_mask(lesion, corner, threshold, limit) for lesion in lesions)
    kept = [m for m in masks if len(m.outline_px) and longest_mm(m.outline_px, region.spacing_mm) >= least_mm]
    return tuple(sorted(kept, key=lambda mask: -mask.confidence))


def longest_mm(outline_px: NDArray[np.float64], spacing_mm: Spacing) -> float:
    """Greatest distance in mm between two points (row, column) of an outline; 0 for an empty one."""
    points = outline_px * np.asarray(spacing_mm)
    if len(points) == 0:
        return 0.0
    # The two points farthest apart are each the extreme one in some direction: half a degree is fine enough for a
    # lower limit on size (relative error below 1e-5), and needs no hull, which degenerate outlines do not have.
    angles = np.linspace(0, np.pi, 360, endpoint=False)
    along = points @ np.stack([np.sin(angles), np.cos(angles)])
    return float((along.max(axis=0) - along.min(axis=0)).max())


def _mask(lesion: SegmentedLesion, corner: tuple[int, int], threshold: float, limit: float | None) -> LesionMask:
    """One lesion of the network as a record, moved to the frame's coordinates; ``limit`` None: the bundle's own."""
    probability = _shift(lesion.probability, threshold)
    origin = (lesion.origin[0] + corner[0], lesion.origin[1] + corner[1])
    return LesionMask(
        probability=probability,
        origin=origin,
        outline_px=outline_of(probability) + np.asarray(origin, dtype=np.float64),
        confidence=lesion.confidence,
        accepted=lesion.accepted if limit is None else lesion.confidence >= limit,
    )


def _shift(probability: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Probabilities whose odds are divided by those of ``threshold``, so that it becomes 0.5."""
    odds = (1 - threshold) / threshold
    return (probability * odds / (probability * odds + (1 - probability))).astype(np.float32)


def outline_of(probability: NDArray[np.float32]) -> NDArray[np.float64]:
    """The longest closed 0.5 contour (n, 2) of a cut-out; lesions at its edge are closed half a pixel beyond it."""
    found = contours(np.pad(probability, 1), CONTOUR_LEVEL)
    if not found:
        return np.empty((0, 2))
    return np.asarray(max(found, key=len) - 1.0, dtype=np.float64)
