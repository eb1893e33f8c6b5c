"""Stage 5: one lesion on one frame -> millimetres, with error bars and where they come from."""

from __future__ import annotations

import re

import numpy as np

from lesion_measure.config import Uncertainty
from lesion_measure.errors import CalibrationError
from lesion_measure.measure import caliper_length_mm, measure_mask
from lesion_measure.measure.outline import TOUCHES_EDGE
from lesion_measure.measure.uncertainty import caliper_quantity, outline_quantities
from lesion_measure.records import (
    CalibratedRegion,
    Calibration,
    CaliperPair,
    ImageLabel,
    Instance,
    LesionMask,
    Plane,
    PlaneMeasurement,
    Point,
    Source,
)

PLANE_WORDS = {
    Plane.TRANSVERSE: r"transverse|trans|axial|transversal",
    Plane.SAGITTAL: r"sagittal|sag|longitudinal|parasagittal",
    Plane.CORONAL: r"coronal",
    Plane.OBLIQUE: r"oblique|subcostal oblique|intercostal",
}
PERPENDICULAR_WITHIN_DEG = 15.0


def plane_of(instance: Instance, label: ImageLabel | None = None) -> Plane:
    """Scan plane: the manifest's word, else the one plane that the header's view text names, else unknown."""
    if label is not None and label.plane is not None:
        return label.plane
    named = [
        plane for plane, words in PLANE_WORDS.items() if re.search(rf"\b(?:{words})\b", instance.view, re.IGNORECASE)
    ]
    return named[0] if len(named) == 1 else Plane.UNKNOWN


def plane_from_mask(
    instance: Instance,
    frame: int,
    mask: LesionMask,
    calibration: Calibration,
    *,
    plane: Plane,
    model: str,
    settings: Uncertainty,
) -> PlaneMeasurement:
    """Measure the network's outline of one lesion.

    Parameters
    ----------
    instance, frame
        The image and its 1-based frame.
    mask
        The lesion's probability map and where it stands in the image.
    calibration
        Of the region that holds the outline (`calibration.calibrate_at`).
    plane, model
        Scan plane; name of the bundle.
    settings
        What goes into the error bars.

    Raises
    ------
    CalibrationError
        The calibration is a refusal.
    MeasurementError
        Nothing in the map reaches a probability of 0.5.
    """
    region = _region(instance, calibration)
    sizes = measure_mask(mask.probability, spacing_mm=region.spacing_mm)
    quantities = outline_quantities(mask.probability, sizes, spacing_mm=region.spacing_mm, settings=settings)
    # The map is cut out around the lesion: that it reaches the cut-out's edge means nothing, the region's edge does.
    warnings = [*instance.warnings, *calibration.warnings, *(w for w in sizes.warnings if w != TOUCHES_EDGE)]
    if _touches_edge(sizes.outline_px, mask.origin, region):
        warnings.append(
            "the outline touches the edge of the image region: the lesion may be cut off, sizes are too small"
        )
    return PlaneMeasurement(
        path=instance.path,
        sop_instance_uid=instance.sop_instance_uid,
        study_instance_uid=instance.study_instance_uid,
        frame=frame,
        lesion="",
        plane=plane,
        source=Source.MODEL,
        reader=model,
        spacing_mm=region.spacing_mm,
        calibration_source=region.source,
        long_axis_mm=quantities.long_axis_mm,
        long_axis_px=_shift(sizes.long_axis_px, mask.origin),
        short_axis_mm=quantities.short_axis_mm,
        short_axis_px=_shift(sizes.short_axis_px, mask.origin),
        area_mm2=quantities.area_mm2,
        perimeter_mm=quantities.perimeter_mm,
        outline_px=sizes.outline_px + np.array(mask.origin, dtype=np.float64),
        confidence=mask.confidence,
        warnings=tuple(warnings),
    )


def plane_from_calipers(
    instance: Instance, pair: CaliperPair, calibration: Calibration, settings: Uncertainty
) -> PlaneMeasurement:
    """Measure what a reader's calipers span.

    Parameters
    ----------
    instance, pair
        The image, and the long and short axis drawn on one of its frames.
    calibration
        Of the region that holds all their ends (`calibrate.calibrate_at`).
    settings
        What goes into the error bars.

    Raises
    ------
    CalibrationError
        The calibration is a refusal, or the image has no such frame.
    """
    region = _region(instance, calibration)
    if pair.frame > instance.frames:
        raise CalibrationError(
            f"The caliper names frame {pair.frame}; the image has {instance.frames}.",
            remedy="Frames are numbered from 1.",
            code="no_such_frame",
            path=instance.path,
        )
    spacing = region.spacing_mm
    axes = [ends for c in (pair.long, pair.short) if c is not None and (ends := _ends(c.start, c.end))]
    warnings = [*instance.warnings, *calibration.warnings]
    lengths = [caliper_length_mm(*ends, spacing) for ends in axes]
    if len(axes) == 2:
        if lengths[1] > lengths[0]:
            axes.reverse()
            warnings.append("the caliper called short is the longer one: it is taken as the long axis")
        if (angle := _angle_deg(axes[0], axes[1], spacing)) < 90 - PERPENDICULAR_WITHIN_DEG:
            warnings.append(f"the two calipers meet at {angle:.0f} degrees, not at a right angle")
    quantities = [caliper_quantity(*ends, spacing, settings) for ends in axes]
    return PlaneMeasurement(
        path=instance.path,
        sop_instance_uid=instance.sop_instance_uid,
        study_instance_uid=instance.study_instance_uid,
        frame=pair.frame,
        lesion=pair.lesion,
        plane=pair.plane,
        source=Source.CALIPER,
        reader=pair.reader,
        spacing_mm=spacing,
        calibration_source=region.source,
        long_axis_mm=quantities[0],
        long_axis_px=axes[0],
        short_axis_mm=quantities[1] if len(axes) == 2 else None,
        short_axis_px=axes[1] if len(axes) == 2 else None,
        warnings=tuple(warnings),
    )


def _region(instance: Instance, calibration: Calibration) -> CalibratedRegion:
    """The calibrated region, or its refusal as an error."""
    refusal = calibration.refusal
    if refusal is not None:
        raise CalibrationError(refusal.reason, remedy=refusal.remedy, code=refusal.code, path=instance.path)
    if calibration.region is None:
        raise CalibrationError("The image has no calibration.", path=instance.path)
    return calibration.region


def outline_points(mask: LesionMask, most: int = 200) -> list[Point]:
    """Points along an outline, for finding the region that holds them."""
    step = max(1, len(mask.outline_px) // most)
    return [(float(row), float(col)) for row, col in mask.outline_px[::step]]


def caliper_points(pair: CaliperPair) -> list[Point]:
    """All end points of a pair, for finding the region that holds them."""
    return [p for c in (pair.long, pair.short) if c is not None for p in (c.start, c.end) if p is not None]


def _ends(start: Point | None, end: Point | None) -> tuple[Point, Point] | None:
    return None if start is None or end is None else (start, end)


def _shift(axis: tuple[Point, Point], origin: tuple[int, int]) -> tuple[Point, Point]:
    (row1, col1), (row2, col2) = axis
    return (row1 + origin[0], col1 + origin[1]), (row2 + origin[0], col2 + origin[1])


def _angle_deg(one: tuple[Point, Point], two: tuple[Point, Point], spacing: tuple[float, float]) -> float:
    """Angle between two lines in millimetre space, 0..90 degrees."""
    a, b = ((np.array(end) - np.array(start)) * np.array(spacing) for start, end in (one, two))
    cosine = abs(float(a @ b)) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(min(1.0, cosine))))


def _touches_edge(outline: np.ndarray, origin: tuple[int, int], region: CalibratedRegion) -> bool:
    rows, cols = outline[:, 0] + origin[0], outline[:, 1] + origin[1]
    return bool(
        rows.min() <= region.row_min
        or cols.min() <= region.col_min
        or rows.max() >= region.row_max
        or cols.max() >= region.col_max
    )
