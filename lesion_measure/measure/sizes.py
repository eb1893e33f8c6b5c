"""Pure geometry: pixels and millimetres per pixel in, sizes in mm, mm2 and mL out.

One sub-pixel outline (`outline`) gives every number of a mask, so that they belong to the same shape:

- long axis: greatest distance between two points of the outline;
- short axis: longest segment inside the outline perpendicular to the long axis;
- area, perimeter: of the polygon; equivalent diameter: of the circle of that area.

Where the lesion may be measured at all (calibration, regions) is not decided here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.measure import geometry
from lesion_measure.measure.outline import checked_mask, checked_spacing, largest_part, sub_pixel_outline
from lesion_measure.records import Point, Spacing

Line = tuple[Point, Point]

_FEW_PIXELS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskMeasurement:
    """Sizes of one lesion in one plane.

    ``long_axis_px``, ``short_axis_px`` are end points and ``outline_px`` is the closed outline (n, 2; first row
    repeated at the end), all as (row, column) of the mask with pixel centres at integers. ``hard`` is True where the
    mask held no sub-pixel information (booleans, labels, probabilities of 0 and 1). Where ``across_px`` is given, the
    short axis is perpendicular to that line, not to the long axis.
    """

    long_axis_mm: float
    short_axis_mm: float
    area_mm2: float
    perimeter_mm: float
    equivalent_diameter_mm: float
    long_axis_px: Line
    short_axis_px: Line
    outline_px: NDArray[np.float64]
    spacing_mm: Spacing
    hard: bool
    across_px: Line | None = None
    warnings: tuple[str, ...] = ()


def measure_mask(
    mask_or_probability: ArrayLike, *, spacing_mm: Spacing, across_px: Line | None = None
) -> MaskMeasurement:
    """Measure the largest connected part of a mask.

    Parameters
    ----------
    mask_or_probability
        (rows, columns). Boolean or integer: non-zero is lesion. Floating point: probability in 0..1, outlined at 0.5.
        Never modified.
    spacing_mm
        (row, column) distance of pixel centres in mm.
    across_px
        A line, (row, column) of both ends, to which the short axis shall be perpendicular; only its direction matters.
        None: to the mask's own long axis.

    Raises
    ------
    MeasurementError
        Not 2D, no numbers, NaN, outside 0..1, empty, a line without direction, or a spacing that is not two positive
        finite numbers.
    """
    array = checked_mask(mask_or_probability, 2)
    spacing = checked_spacing(spacing_mm, 2)
    part = largest_part(array)
    outline, hard, doubts = sub_pixel_outline(part)
    measured = measure_outline(outline, spacing_mm=(float(spacing[0]), float(spacing[1])), across_px=across_px)
    return replace(measured, hard=hard, warnings=(*part.warnings, *doubts, *few_pixels(measured)))


def few_pixels(measured: MaskMeasurement) -> tuple[str, ...]:
    """A warning where an outline is hardly wider than the pixels that it was seen in."""
    (r0, c0), (r1, c1) = measured.short_axis_px
    narrow = math.hypot(r1 - r0, c1 - c0) < _FEW_PIXELS
    return ("The lesion is less than 3 pixels wide: its sizes are uncertain by a pixel.",) if narrow else ()


def measure_outline(outline_px: ArrayLike, *, spacing_mm: Spacing, across_px: Line | None = None) -> MaskMeasurement:
    """Measure a closed outline given as (n, 2) vertices (row, column) in pixels, first one repeated or not.

    ``across_px`` as for `measure_mask`.

    Raises
    ------
    MeasurementError
        Fewer than three vertices, coordinates that are not finite, no area, a line without direction, or a bad
        spacing.
    """
    spacing = checked_spacing(spacing_mm, 2)
    outline = np.array(outline_px, dtype=np.float64)
    if outline.ndim != 2 or outline.shape[1] != 2 or not np.all(np.isfinite(outline)):
        raise MeasurementError("An outline is a list of finite (row, column) points.", code="outline")
    if len(outline) > 1 and np.array_equal(outline[0], outline[-1]):
        outline = outline[:-1]
    if len(outline) < 3 or geometry.signed_area(outline) == 0:
        raise MeasurementError("The outline encloses no area.", code="outline")
    in_mm = geometry.oriented(outline * spacing)
    long_axis = geometry.farthest_pair(in_mm)
    direction = long_axis.end - long_axis.start if across_px is None else _direction_mm(across_px, spacing)
    short_axis = geometry.longest_perpendicular_chord(in_mm, direction)
    area = geometry.signed_area(in_mm)
    return MaskMeasurement(
        long_axis_mm=long_axis.length,
        short_axis_mm=short_axis.length,
        area_mm2=area,
        perimeter_mm=geometry.perimeter(in_mm),
        equivalent_diameter_mm=2 * math.sqrt(area / math.pi),
        long_axis_px=_line_px(long_axis, spacing),
        short_axis_px=_line_px(short_axis, spacing),
        outline_px=np.vstack([outline, outline[:1]]),
        spacing_mm=(float(spacing[0]), float(spacing[1])),
        hard=False,
        across_px=across_px,
    )


def _direction_mm(line_px: Line, spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    caliper_length_mm(*line_px, (float(spacing[0]), float(spacing[1])))
    return (np.asarray(line_px[1], dtype=np.float64) - np.asarray(line_px[0], dtype=np.float64)) * spacing


def _line_px(chord: geometry.Chord, spacing: NDArray[np.float64]) -> Line:
    start, end = chord.start / spacing, chord.end / spacing
    return (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))


def caliper_length_mm(start_px: Point, end_px: Point, spacing_mm: Spacing) -> float:
    """Length of a straight line between two (row, column) points in mm.

    Raises
    ------
    MeasurementError
        A coordinate is not finite, the points coincide, or the spacing is not two positive finite numbers.
    """
    spacing = checked_spacing(spacing_mm, 2)
    length = math.hypot(
        (float(end_px[0]) - float(start_px[0])) * spacing[0], (float(end_px[1]) - float(start_px[1])) * spacing[1]
    )
    if not math.isfinite(length):
        raise MeasurementError("A caliper's end points must be finite numbers.", code="caliper")
    if length == 0:
        raise MeasurementError("The caliper's two ends coincide.", code="caliper")
    return length


def ellipsoid_volume_ml(a_mm: float, b_mm: float, c_mm: float) -> float:
    """Volume of the ellipsoid of three diameters in mm: pi/6 a b c, in mL.

    Raises
    ------
    MeasurementError
        A diameter is not positive and finite.
    """
    for diameter in (a_mm, b_mm, c_mm):
        if not (math.isfinite(diameter) and diameter > 0):
            raise MeasurementError(
                f"A diameter must be a positive, finite number in mm, not {diameter!r}.", code="diameter"
            )
    return math.pi / 6 * a_mm * b_mm * c_mm / 1000


def rotation_volume_ml(long_mm: float, short_mm: float) -> float:
    """Volume in mL of an ellipsoid of one plane, taken as rotation symmetric about its long axis: pi/6 L S S."""
    return ellipsoid_volume_ml(long_mm, short_mm, short_mm)


def biplane_volume_ml(first_area_mm2: float, second_area_mm2: float, shared_mm: float) -> float:
    """Volume in mL by area and length of two orthogonal planes: 8 A1 A2 / (3 pi L).

    L is the diameter along the line that the planes share. Exact for an ellipsoid that both planes cut through its
    middle, where one of its axes is normal to one of the planes; turned otherwise it is too small
    (docs/measurement.md).

    Raises
    ------
    MeasurementError
        An area or the length is not positive and finite.
    """
    for size in (first_area_mm2, second_area_mm2, shared_mm):
        if not (math.isfinite(size) and size > 0):
            raise MeasurementError(f"An area or length must be positive and finite, not {size!r}.", code="area_length")
    return 8 / (3 * math.pi) * first_area_mm2 * second_area_mm2 / shared_mm / 1000


def area_length_volume_ml(area_mm2: float, long_mm: float) -> float:
    """Volume in mL by area and length of one plane, taken as rotation symmetric about L: 8 A A / (3 pi L).

    Raises
    ------
    MeasurementError
        The area or the length is not positive and finite.
    """
    return biplane_volume_ml(area_mm2, area_mm2, long_mm)


def percent_change(baseline: float, followup: float) -> float:
    """100 (followup - baseline) / baseline.

    Raises
    ------
    MeasurementError
        The baseline is not positive and finite, or the follow-up is negative or not finite.
    """
    if not (math.isfinite(baseline) and baseline > 0):
        raise MeasurementError(f"The baseline must be a positive, finite size, not {baseline!r}.", code="baseline")
    if not (math.isfinite(followup) and followup >= 0):
        raise MeasurementError(f"The follow-up must be a finite size of 0 or more, not {followup!r}.", code="followup")
    return 100 * (followup - baseline) / baseline
