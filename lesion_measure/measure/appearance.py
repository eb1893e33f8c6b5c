"""Where a lesion lies on its picture and how it looks there, for telling lesions apart (docs/pairing.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import skimage
from numpy.typing import NDArray

from lesion_measure.measure.filled import filled
from lesion_measure.records import Appearance, CalibratedRegion, PlaneMeasurement, Point

RIM = 0.5
"""Width of the rim around a lesion whose grey level is taken for its surroundings, as a share of its radius."""
LEAST_PIXELS = 12
FULL_SCALE = 255.0

Bools = NDArray[np.bool_]
Frame = TypeVar("Frame")


def with_appearance(
    planes: Sequence[PlaneMeasurement],
    regions: Sequence[CalibratedRegion],
    luminance: Callable[[int], NDArray[np.uint8] | None],
) -> list[PlaneMeasurement]:
    """The planes of one image with what tells their lesions apart.

    Parameters
    ----------
    planes
        Measurements of one image.
    regions
        Its measurable regions.
    luminance
        Brightness (rows, columns) of a 1-based frame; None where it cannot be decoded.
    """
    return frame_by_frame(
        planes, luminance, lambda plane, gray: replace(plane, appearance=_appearance(plane, regions, gray))
    )


def frame_by_frame(
    planes: Sequence[PlaneMeasurement],
    frame: Callable[[int], Frame],
    told: Callable[[PlaneMeasurement, Frame], PlaneMeasurement],
) -> list[PlaneMeasurement]:
    """The planes of one image, in their order, with what their frames tell; one frame is held at a time.

    ``frame`` gives a frame by its 1-based number; ``told`` adds to a plane what its frame tells.
    """
    done: dict[int, PlaneMeasurement] = {}
    for number in sorted({plane.frame for plane in planes}):
        shown = frame(number)
        done |= {place: told(plane, shown) for place, plane in enumerate(planes) if plane.frame == number}
    return [done[place] for place in range(len(planes))]


def _appearance(
    plane: PlaneMeasurement, regions: Sequence[CalibratedRegion], gray: NDArray[np.uint8] | None
) -> Appearance | None:
    row, column = middle(plane)
    holding = [index for index, region in enumerate(regions) if region.contains((row, column))]
    if not holding:
        return None
    index = max(holding, key=lambda k: _area(regions[k]))  # a colour flow box lies within the tissue's region
    region = regions[index]
    relative_echo, texture = (None, None) if gray is None else _echo(plane, region, gray)
    return Appearance(
        picture=index,
        lateral_mm=(column - (region.col_min + region.col_max) / 2) * plane.spacing_mm[1],
        depth_mm=(row - region.row_min) * plane.spacing_mm[0],
        contrast=relative_echo,
        texture=texture,
    )


def middle(plane: PlaneMeasurement) -> Point:
    """Middle of a lesion on its frame: of its outline's area, else of its long axis, (row, column)."""
    if plane.outline_px is not None:
        inside = _filled(plane.outline_px)
        if inside is not None:
            return inside
    (row1, col1), (row2, col2) = plane.long_axis_px
    return (row1 + row2) / 2, (col1 + col2) / 2


def _filled(outline: NDArray[np.float64]) -> Point | None:
    """Centroid of a closed polygon (the shoelace formula); None where it has no area."""
    first = outline.mean(axis=0)
    (r0, c0), (r1, c1) = (outline[:-1] - first).T, (outline[1:] - first).T
    cross = r0 * c1 - r1 * c0
    area = cross.sum() / 2
    if abs(area) < 1e-9:
        return None
    row, column = ((r0 + r1) * cross).sum() / (6 * area), ((c0 + c1) * cross).sum() / (6 * area)
    return float(first[0] + row), float(first[1] + column)


def _area(region: CalibratedRegion) -> int:
    return (region.row_max - region.row_min) * (region.col_max - region.col_min)


def _echo(
    plane: PlaneMeasurement, region: CalibratedRegion, gray: NDArray[np.uint8]
) -> tuple[float | None, float | None]:
    """Echogenicity relative to the rim, and texture; None where the lesion or its rim has too few pixels."""
    top, left = max(region.row_min, 0), max(region.col_min, 0)
    picture = gray[top : region.row_max + 1, left : region.col_max + 1]
    origin = np.array([top, left])
    inside = _drawn(plane, picture.shape, origin, 1.0)
    near = _drawn(plane, picture.shape, origin, 1.15)  # the edge itself belongs to neither
    rim = _drawn(plane, picture.shape, origin, 1.15 + RIM) & ~near & (picture > 0)  # 0: outside of the fan
    if inside.sum() < LEAST_PIXELS or rim.sum() < LEAST_PIXELS:
        return None, None
    within = picture[inside].astype(np.float64) / FULL_SCALE
    return float(within.mean() - picture[rim].mean() / FULL_SCALE), float(within.std())


def _drawn(plane: PlaneMeasurement, shape: tuple[int, ...], origin: NDArray[np.intp], factor: float) -> Bools:
    """Pixels of the outline, or of the ellipse of the calipers, made larger by ``factor`` about its middle."""
    centre = np.array(middle(plane)) - origin
    if plane.outline_px is not None:
        return filled(centre + factor * (plane.outline_px - origin - centre), (shape[0], shape[1]))
    mask = np.zeros(shape, dtype=bool)
    half = _half_axes(plane)
    row, column = centre
    rows, columns = skimage.draw.ellipse(
        row, column, factor * half[0], factor * half[1], shape, _turn(plane.long_axis_px)
    )
    mask[rows, columns] = True
    return mask


def _half_axes(plane: PlaneMeasurement) -> tuple[float, float]:
    """Half of the long and of the short axis in pixels; a round lesion where no short axis was drawn."""
    long_px, short_px = (
        None if axis is None else float(np.hypot(*np.subtract(*axis))) / 2
        for axis in (plane.long_axis_px, plane.short_axis_px)
    )
    assert long_px is not None
    return long_px, long_px if short_px is None else short_px


def _turn(axis: tuple[Point, Point]) -> float:
    """Angle by which `ellipse` turns its row axis into the line (radians)."""
    (row1, col1), (row2, col2) = axis
    return float(np.arctan2(col2 - col1, row2 - row1))
