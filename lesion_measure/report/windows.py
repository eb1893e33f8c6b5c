"""What of a frame a picture shows: the part around the lesion, to scale, and nothing that may hold a patient's name.

Pixels outside the ultrasound region that holds the lesion are left out: names of patients stand there, whatever
BurnedInAnnotation says. Where no region is known, nothing but the lesion's surroundings is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.records import Instance, PlaneMeasurement, Point, Spacing

ASPECT = 4 / 3
CONTEXT = 2.3
LEAST_HEIGHT_MM = 66.0
MARGIN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The rectangle of an image that may be shown: first and last row and column, inclusive.

    ``in_region`` is False where no ultrasound region vouches that there is no text.
    """

    row_min: int
    row_max: int
    col_min: int
    col_max: int
    in_region: bool = True

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.row_max - self.row_min + 1, self.col_max - self.col_min + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The part of an image that a picture shows, and the picture's size.

    ``top``, ``left``, ``height``, ``width`` are in pixels of the image, whose upper left corner is (-0.5, -0.5).
    """

    top: float
    left: float
    height: float
    width: float
    picture_width: int
    picture_height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Picture pixels per image pixel, (down, across)."""
        return self.picture_height / self.height, self.picture_width / self.width

    @property
    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """SVG ``matrix(a b c d e f)`` that carries (column, row) into the picture."""
        down, across = self.scale
        return across, 0.0, 0.0, down, -self.left * across, -self.top * down


def field_of_view_mm(
    planes: Sequence[PlaneMeasurement], images: Mapping[str, Instance] | None = None
) -> tuple[float, float]:
    """Height and width in mm that all pictures of one lesion share.

    The largest measurement with its surroundings, so that vessels and the liver's edge help to find the place again; no
    more than the largest of its images (by SOP instance UID, as far as known) has to show.
    """
    height, most = LEAST_HEIGHT_MM, 0.0
    for plane in planes:
        rows_mm, cols_mm = np.ptp(drawn_points(plane), axis=0) * np.asarray(plane.spacing_mm)
        height = max(height, CONTEXT * float(rows_mm), CONTEXT * float(cols_mm) / ASPECT)
        image = (images or {}).get(plane.sop_instance_uid)
        if image is None:
            most = math.inf
        else:
            high, wide = visible_bounds(plane, image, (image.rows, image.columns)).shape
            most = max(most, high * plane.spacing_mm[0], wide * plane.spacing_mm[1] / ASPECT)
    height = min(height, most)
    return height, height * ASPECT


def drawn_points(plane: PlaneMeasurement) -> NDArray[np.float64]:
    """Every point that is drawn on a frame, (n, 2) as (row, column)."""
    points: list[Point] = [*plane.long_axis_px, *(plane.short_axis_px or ())]
    array = np.asarray(points, dtype=np.float64)
    return array if plane.outline_px is None else np.vstack([array, plane.outline_px])


def visible_bounds(plane: PlaneMeasurement, image: Instance | None, shape: tuple[int, int]) -> Bounds:
    """The largest spatial ultrasound region (PS3.3 C.8.5.5) that holds the whole measurement, else its surroundings."""
    low, high = drawn_points(plane).min(axis=0), drawn_points(plane).max(axis=0)
    found = [
        cut
        for cut in spatial_bounds(image, shape)
        if cut.row_min - 0.5 <= low[0]
        and high[0] <= cut.row_max + 0.5
        and cut.col_min - 0.5 <= low[1]
        and high[1] <= cut.col_max + 0.5
    ]
    return (
        max(found, key=lambda b: math.prod(b.shape))
        if found
        else surroundings(drawn_points(plane), plane.spacing_mm, shape)
    )


def spatial_bounds(image: Instance | None, shape: tuple[int, int]) -> list[Bounds]:
    """The spatial ultrasound regions of an image (PS3.3 C.8.5.5), as far as they lie in it."""
    found: list[Bounds] = []
    for region in image.regions if image else ():
        corners = (region.row_min, region.row_max, region.col_min, region.col_max)
        if None in corners or (region.unit_row, region.unit_col) != (3, 3):
            continue
        row_min, row_max, col_min, col_max = (int(c) for c in corners if c is not None)
        cut = Bounds(
            row_min=max(row_min, 0),
            row_max=min(row_max, shape[0] - 1),
            col_min=max(col_min, 0),
            col_max=min(col_max, shape[1] - 1),
        )
        if cut.row_min <= cut.row_max and cut.col_min <= cut.col_max:
            found.append(cut)
    return found


def surroundings(points: NDArray[np.float64], spacing_mm: Spacing, shape: tuple[int, int]) -> Bounds:
    """The box of (row, column) points, (n, 2), and on each side half of its longer side in mm, within the image.

    Half of the longer side, so that a single caliper along a row still shows the lesion that it crosses.
    """
    spacing = np.asarray(spacing_mm)
    margin = MARGIN * float((np.ptp(points, axis=0) * spacing).max()) / spacing
    last = np.asarray(shape) - 1
    row_min, col_min = np.clip(np.floor(points.min(axis=0) - margin), 0, last).astype(int).tolist()
    row_max, col_max = np.clip(np.ceil(points.max(axis=0) + margin), 0, last).astype(int).tolist()
    return Bounds(row_min=row_min, row_max=row_max, col_min=col_min, col_max=col_max, in_region=False)


def place_window(plane: PlaneMeasurement, bounds: Bounds, view_mm: tuple[float, float], width_px: int) -> Cut:
    """The window of ``view_mm`` (height, width) around the measurement, moved into ``bounds`` where it fits."""
    points = drawn_points(plane)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    height, width = view_mm[0] / plane.spacing_mm[0], view_mm[1] / plane.spacing_mm[1]
    return Cut(
        top=_placed(float(centre[0]), height, bounds.row_min - 0.5, bounds.row_max + 0.5),
        left=_placed(float(centre[1]), width, bounds.col_min - 0.5, bounds.col_max + 0.5),
        height=height,
        width=width,
        picture_width=width_px,
        picture_height=round(width_px * view_mm[0] / view_mm[1]),
    )


def _placed(centre: float, length: float, low: float, high: float) -> float:
    if length >= high - low:
        return (low + high - length) / 2
    return min(max(centre - length / 2, low), high - length)
