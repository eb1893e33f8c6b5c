"""One lesion on one frame by its outline, whoever drew it: millimetres, with error bars and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Uncertainty
from lesion_measure.errors import CalibrationError
from lesion_measure.measure import MaskMeasurement, measure_mask
from lesion_measure.measure.outline import TOUCHES_EDGE
from lesion_measure.measure.short_axes import by_outline
from lesion_measure.measure.uncertainty import (
    OutlineQuantities,
    automatic_quantities,
    prompted_quantities,
    spacing_cv_of,
    with_scale,
)
from lesion_measure.records import (
    CUT_OFF,
    CalibratedRegion,
    Calibration,
    DrawnLesion,
    Instance,
    Plane,
    PlaneMeasurement,
    Point,
    PromptedOutline,
    Source,
    is_liver,
)

LIVER_GOES_ON = "the liver goes on beyond the edge of the image region, by how much is not known"


def measured_by_network(
    instance: Instance,
    frame: int,
    mask: DrawnLesion,
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
    region = calibrated_region(instance, calibration)
    sizes = measure_mask(mask.probability, spacing_mm=region.spacing_mm)
    quantities = automatic_quantities(mask.probability, sizes, spacing_mm=region.spacing_mm, settings=settings)
    outline_px = sizes.outline_px + np.array(mask.origin, dtype=np.float64)
    warnings = [*instance.warnings, *calibration.warnings, *size_doubts(sizes)]
    warnings += cut_off("", outline_px, region, "its outline touches it")
    return outline_measurement(
        instance,
        region,
        sizes,
        quantities,
        origin=mask.origin,
        frame=frame,
        lesion="",
        plane=plane,
        source=Source.MODEL,
        reader=model,
        confidence=mask.confidence,
        warnings=tuple(warnings),
    )


def outline_measurement(
    instance: Instance,
    region: CalibratedRegion,
    sizes: MaskMeasurement,
    quantities: OutlineQuantities,
    *,
    frame: int,
    lesion: str,
    plane: Plane,
    source: Source,
    reader: str,
    warnings: tuple[str, ...],
    origin: tuple[int, int] = (0, 0),
    confidence: float | None = None,
) -> PlaneMeasurement:
    """What an outline gives.

    Parameters
    ----------
    instance, region, frame
        The image, its calibrated region, and the 1-based frame.
    sizes, quantities
        The outline in pixels of its cut-out; its sizes with their error bars.
    lesion, plane, source, reader
        What the lesion is called, the scan plane, and who drew the outline.
    warnings
        What is odd about it, in words.
    origin
        Place in the image (row, column) of the cut-out that ``sizes`` were measured in.
    confidence
        The network's; None where a reader drew.
    """
    cv = region.spacing_cv
    return PlaneMeasurement(
        path=instance.path,
        sop_instance_uid=instance.sop_instance_uid,
        study_instance_uid=instance.study_instance_uid,
        frame=frame,
        lesion=lesion,
        plane=plane,
        source=source,
        reader=reader,
        spacing_mm=region.spacing_mm,
        calibration_source=region.source,
        long_axis_mm=with_scale(quantities.long_axis_mm, cv),
        long_axis_px=_shift(sizes.long_axis_px, origin),
        short_axis_mm=with_scale(quantities.short_axis_mm, cv),
        short_axis_px=_shift(sizes.short_axis_px, origin),
        area_mm2=with_scale(quantities.area_mm2, cv, diameters=2),
        perimeter_mm=with_scale(quantities.perimeter_mm, cv),
        outline_px=sizes.outline_px + np.array(origin, dtype=np.float64),
        confidence=confidence,
        warnings=warnings,
    )


def no_such_frame(instance: Instance, frame: int, what: str) -> CalibrationError:
    return CalibrationError(
        f"{what} names frame {frame}; the image has {instance.frames}.",
        remedy="Frames are numbered from 1.",
        code="no_such_frame",
        path=instance.path,
    )


def with_network_outline(
    plane: PlaneMeasurement, mask: DrawnLesion, *, model: str, settings: Uncertainty
) -> PlaneMeasurement:
    """A reader's plane with what the network's outline of the same lesion adds; the reader's lengths stay.

    Parameters
    ----------
    plane
        What a reader's calipers gave (`caliper_pairs.measured_by_calipers`).
    mask
        The outline that the network drew from these calipers, and where it stands in the image.
    model, settings
        Name of the bundle; what goes into the error bars.

    Raises
    ------
    MeasurementError
        Nothing in the map reaches a probability of 0.5.
    """
    sizes = measure_mask(mask.probability, spacing_mm=plane.spacing_mm, across_px=plane.long_axis_px)
    quantities = prompted_quantities(mask.probability, sizes, caliper_mm=plane.long_axis_mm.value, settings=settings)
    cv = spacing_cv_of(plane.long_axis_mm)
    outline = PromptedOutline(
        model=model,
        long_axis_mm=sizes.long_axis_mm,
        width_mm=with_scale(quantities.short_axis_mm, cv),
        width_px=_shift(sizes.short_axis_px, mask.origin),
    )
    warnings = [*plane.warnings, *size_doubts(sizes)]
    if outline.width_mm.value > plane.long_axis_mm.value:
        warnings.append(
            f"{plane.plane} plane: the outline is {outline.width_mm.value:.1f} mm wide across the long-axis caliper of "
            f"{plane.long_axis_mm.value:.1f} mm: the caliper may not lie along the longest diameter"
        )
    measured = replace(
        plane,
        area_mm2=with_scale(quantities.area_mm2, cv, diameters=2),
        perimeter_mm=with_scale(quantities.perimeter_mm, cv),
        outline_px=sizes.outline_px + np.array(mask.origin, dtype=np.float64),
        confidence=mask.confidence,
        prompted=outline,
        warnings=tuple(warnings),
    )
    return measured if plane.short_axis_mm is not None else by_outline(measured)


def calibrated_region(instance: Instance, calibration: Calibration) -> CalibratedRegion:
    """The calibrated region, or its refusal as an error."""
    refusal = calibration.refusal
    if refusal is not None:
        raise CalibrationError(refusal.reason, remedy=refusal.remedy, code=refusal.code, path=instance.path)
    if calibration.region is None:
        raise CalibrationError("The image has no calibration.", path=instance.path)
    return calibration.region


def outline_points(mask: DrawnLesion, most: int = 200) -> list[Point]:
    """Points along an outline, for finding the region that holds them."""
    step = max(1, len(mask.outline_px) // most)
    return [(float(row), float(col)) for row, col in mask.outline_px[::step]]


def _shift(axis: tuple[Point, Point], origin: tuple[int, int]) -> tuple[Point, Point]:
    (row1, col1), (row2, col2) = axis
    return (row1 + origin[0], col1 + origin[1]), (row2 + origin[0], col2 + origin[1])


def size_doubts(sizes: MaskMeasurement) -> list[str]:
    # The map is cut out around the lesion: that it reaches the cut-out's edge means nothing, the region's edge does.
    return [warning for warning in sizes.warnings if warning != TOUCHES_EDGE]


def cut_off(lesion: str, points_px: NDArray[np.float64], region: CalibratedRegion, how: str) -> Iterator[str]:
    """What there is to say where an outline, or the ends of calipers (n, 2), reach the edge of their region.

    Parameters
    ----------
    lesion
        Its name, which may be that of the liver.
    points_px, region
        Points (row, column), and the calibrated region that holds them.
    how
        What they do there, in words.
    """
    if touches_edge(points_px, region):
        yield f"{LIVER_GOES_ON if is_liver(lesion) else CUT_OFF}: {how}"


def touches_edge(outline_px: NDArray[np.float64], region: CalibratedRegion) -> bool:
    """True where points (n, 2) reach the outermost pixels of a region: what they lie on may go on beyond it."""
    (top, left), (bottom, right) = outline_px.min(axis=0), outline_px.max(axis=0)
    return bool(top <= region.row_min or left <= region.col_min or bottom >= region.row_max or right >= region.col_max)
