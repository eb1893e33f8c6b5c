"""A reader's calipers on one image, joined (the long axis of a lesion and the short one across it) and measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from lesion_measure.config import Uncertainty
from lesion_measure.image.measured import calibrated_region, cut_off, no_such_frame
from lesion_measure.measure import caliper_length_mm
from lesion_measure.measure.axes import PERPENDICULAR_WITHIN_DEG, SHORT_IS_LONGER, angle_deg
from lesion_measure.measure.uncertainty import caliper_quantity, with_scale
from lesion_measure.records import (
    Axis,
    Calibration,
    Caliper,
    CaliperPair,
    Instance,
    Plane,
    PlaneMeasurement,
    Point,
    Refusal,
    Source,
    Spacing,
    shown_name,
)
from lesion_measure.tables.matching import rows_in_words


def pair_axes(
    sop_instance_uid: str, calipers: Iterable[Caliper], *, subject: str, visit: str
) -> tuple[tuple[CaliperPair, ...], tuple[Refusal, ...]]:
    """Join the long and the short axis that one reader drew of one lesion on one frame.

    A second caliper of the same axis on the same frame starts a second pair (a repeat); a short axis alone is refused.
    """
    groups: dict[tuple[int, str, Plane, str], dict[Axis, list[Caliper]]] = defaultdict(lambda: defaultdict(list))
    for caliper in calipers:
        if caliper.axis in (Axis.LONG, Axis.SHORT):
            key = (caliper.frame, caliper.lesion, caliper.plane, caliper.reader)
            groups[key][caliper.axis].append(caliper)
    pairs = []
    refusals = []
    for (frame, lesion, plane, reader), axes in groups.items():
        longs, shorts = axes[Axis.LONG], axes[Axis.SHORT]
        if len(shorts) > len(longs):
            refusals.append(_short_alone(shorts[-1], subject, visit))
        for index, long in enumerate(longs):
            pairs.append(
                CaliperPair(
                    sop_instance_uid=sop_instance_uid,
                    frame=frame,
                    lesion=lesion,
                    plane=plane,
                    reader=reader,
                    long=long,
                    short=shorts[index] if index < len(shorts) else None,
                )
            )
    return tuple(pairs), tuple(refusals)


def _short_alone(caliper: Caliper, subject: str, visit: str) -> Refusal:
    return Refusal(
        code="short_axis_alone",
        reason=f"{rows_in_words([caliper])} is a short axis without a long axis on the same frame.",
        remedy="Add the long axis by the same reader on that frame.",
        path=caliper.image,
        subject=subject,
        visit=visit,
        lesion=shown_name(caliper.lesion),
    )


def measured_by_calipers(
    instance: Instance, pair: CaliperPair, calibration: Calibration, settings: Uncertainty
) -> PlaneMeasurement:
    """Measure what a reader's calipers span.

    Parameters
    ----------
    instance, pair
        The image, and the long and short axis drawn on one of its frames.
    calibration
        Of the region that holds all their ends (`calibration.calibrate_at`).
    settings
        What goes into the error bars.

    Raises
    ------
    CalibrationError
        The calibration is a refusal, or the image has no such frame.
    """
    region = calibrated_region(instance, calibration)
    if pair.frame > instance.frames:
        raise no_such_frame(instance, pair.frame, "The caliper")
    spacing = region.spacing_mm
    axes, swapped, doubts = _axes(pair, spacing)
    beyond = cut_off(pair.lesion, np.rint(axes).reshape(-1, 2), region, "a caliper ends there")
    quantities = [with_scale(caliper_quantity(*ends, spacing, settings), region.spacing_cv) for ends in axes]
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
        axes_swapped=swapped,
        warnings=(*instance.warnings, *calibration.warnings, *doubts, *beyond),
    )


def _axes(pair: CaliperPair, spacing: Spacing) -> tuple[list[tuple[Point, Point]], bool, list[str]]:
    """The ends of the long and, where drawn, of the short axis, whether the reader drew them the other way, and doubts.

    What is odd about the two is a doubt, in words.
    """
    axes = [ends for c in (pair.long, pair.short) if c is not None and (ends := _ends(c.start, c.end))]
    if len(axes) < 2:
        return axes, False, []
    doubts = []
    long_mm, short_mm = (caliper_length_mm(*ends, spacing) for ends in axes)
    swapped = short_mm > long_mm
    if swapped:
        axes.reverse()
        doubts.append(SHORT_IS_LONGER)
    if (angle := angle_deg(axes[0], axes[1], spacing)) < 90 - PERPENDICULAR_WITHIN_DEG:
        doubts.append(f"the two calipers meet at {angle:.0f} degrees, not at a right angle")
    return axes, swapped, doubts


def caliper_points(pair: CaliperPair) -> list[Point]:
    """All end points of a pair, for finding the region that holds them."""
    return [p for c in (pair.long, pair.short) if c is not None for p in (c.start, c.end) if p is not None]


def _ends(start: Point | None, end: Point | None) -> tuple[Point, Point] | None:
    return None if start is None or end is None else (start, end)
