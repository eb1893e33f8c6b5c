"""The planes of one lesion at one visit -> its longest diameter, its three diameters and its volume.

Three diameters need two planes that are known to be orthogonal. The first plane (transverse before sagittal before
coronal) gives long and short axis, the second gives the third diameter: the one of its two axes that lies across the
direction that both planes share. A probe turned by 90 degrees keeps the depth direction, so for transverse with
sagittal or coronal that is the axis nearer to the horizontal. An oblique lesion, whose axes lie near 45 degrees, leaves
that open: then the axis that baseline took (its long or its short one) is kept at the later visits.

Outlines of both planes give a biplane volume as well, and each plane one that takes the lesion for rotation symmetric.
Every volume that the planes allow is kept, so that two visits can be compared by one that they share (`volumes`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lesion_measure.config import Uncertainty, Volumes
from lesion_measure.measure import geometry
from lesion_measure.measure.propagation import (
    area_length_volume_quantity,
    biplane_volume_quantity,
    ellipsoid_volume_quantity,
    rotation_volume_quantity,
)
from lesion_measure.measure.uncertainty import diameter_of_outline
from lesion_measure.records import Axis, Plane, PlaneMeasurement, Point, Quantity, Source, VolumeEstimate, VolumeMethod

ORTHOGONAL_PAIRS = {
    (Plane.TRANSVERSE, Plane.SAGITTAL): "horizontal",
    (Plane.TRANSVERSE, Plane.CORONAL): "horizontal",
    (Plane.SAGITTAL, Plane.CORONAL): "vertical",
}
"""Pairs of planes known to be orthogonal, in order of preference, and the direction in the second plane's image that
the first plane does not show."""

CLEAR_DEG = 15.0
"""An axis within so many degrees of 45 lies obliquely."""


def orthogonal_pair(planes: Sequence[PlaneMeasurement]) -> tuple[PlaneMeasurement, PlaneMeasurement] | None:
    """The two planes that together give three diameters, or None. Unknown planes are never assumed orthogonal."""
    by_plane = {p.plane: p for p in planes}
    for first, second in ORTHOGONAL_PAIRS:
        if first in by_plane and second in by_plane and by_plane[first].short_axis_mm is not None:
            return by_plane[first], by_plane[second]
    return None


def third_axis(first: PlaneMeasurement, second: PlaneMeasurement) -> tuple[Axis, bool]:
    """Which axis of the second plane is the third diameter, and whether its direction says so clearly."""
    if second.short_axis_px is None:
        return Axis.LONG, False
    long_steepness = _steepness(second.long_axis_px, second.spacing_mm)
    wanted = 0.0 if ORTHOGONAL_PAIRS[first.plane, second.plane] == "horizontal" else math.pi / 2
    axis = Axis.LONG if abs(long_steepness - wanted) <= math.pi / 4 else Axis.SHORT
    return axis, abs(long_steepness - math.pi / 4) >= math.radians(CLEAR_DEG)


def third_diameter(second: PlaneMeasurement, axis: Axis) -> Quantity | None:
    """The third diameter, or None where the second plane lacks the axis that baseline used."""
    return second.long_axis_mm if axis is Axis.LONG else second.short_axis_mm


def volumes(
    planes: Sequence[PlaneMeasurement], third: Axis | None, errors: Uncertainty, settings: Volumes
) -> list[VolumeEstimate]:
    """Every volume that a lesion's planes give, by preference; of one method the plane with the longest axis first.

    Parameters
    ----------
    planes
        The lesion's planes at one visit.
    third
        Axis of the second plane that is the third diameter (see `third_axis`); None where there is no second plane.
    errors, settings
        What goes into the error bars; which methods are used.
    """
    ordered = sorted(planes, key=lambda p: -p.long_axis_mm.value)
    found = {
        VolumeMethod.VOXELS: [_voxels(p) for p in ordered],
        VolumeMethod.ELLIPSOID: [_ellipsoid(planes, third, errors)],
        VolumeMethod.BIPLANE: [_biplane(planes, errors, settings.shared_diameter_tolerance)],
        VolumeMethod.ROTATION: [_rotation(p, errors) for p in ordered],
        VolumeMethod.AREA_LENGTH: [_area_length(p, errors) for p in ordered],
    }
    return [estimate for method in settings.methods for estimate in found[method] if estimate is not None]


def _voxels(plane: PlaneMeasurement) -> VolumeEstimate | None:
    if plane.volume_ml is None:
        return None
    return VolumeEstimate(
        volume_ml=plane.volume_ml, method=VolumeMethod.VOXELS, planes=(plane.plane,), sources=(plane.source,)
    )


def _ellipsoid(planes: Sequence[PlaneMeasurement], third: Axis | None, errors: Uncertainty) -> VolumeEstimate | None:
    pair = orthogonal_pair(planes)
    if pair is None or third is None:
        return None
    first, second = pair
    long, short, last = first.long_axis_mm, first.short_axis_mm, third_diameter(second, third)
    if short is None or last is None:
        return None
    last_source = second.source if third is Axis.LONG else second.short_axis_source
    return VolumeEstimate(
        volume_ml=ellipsoid_volume_quantity(long, short, last, errors),
        method=VolumeMethod.ELLIPSOID,
        planes=(first.plane, second.plane),
        sources=_known(first.source, first.short_axis_source, last_source),
        diameters_mm=(long.value, short.value, last.value),
    )


def _rotation(plane: PlaneMeasurement, errors: Uncertainty) -> VolumeEstimate | None:
    long, short = plane.long_axis_mm, plane.short_axis_mm
    if short is None:
        return None
    return VolumeEstimate(
        volume_ml=rotation_volume_quantity(long, short, errors),
        method=VolumeMethod.ROTATION,
        planes=(plane.plane,),
        sources=_known(plane.source, plane.short_axis_source),
        diameters_mm=(long.value, short.value),
    )


def _area_length(plane: PlaneMeasurement, errors: Uncertainty) -> VolumeEstimate | None:
    area, long = plane.area_mm2, plane.long_axis_mm
    if area is None:
        return None
    return VolumeEstimate(
        volume_ml=area_length_volume_quantity(area, long, errors),
        method=VolumeMethod.AREA_LENGTH,
        planes=(plane.plane,),
        sources=_known(plane.outline_source, plane.source),
        diameters_mm=(long.value,),
        areas_mm2=(area.value,),
    )


def _biplane(planes: Sequence[PlaneMeasurement], errors: Uncertainty, tolerance: float) -> VolumeEstimate | None:
    """From the outlines of two orthogonal planes, where both show the diameter that they share alike."""
    by_plane = {p.plane: p for p in planes if p.area_mm2 is not None}
    pair = next((pair for pair in ORTHOGONAL_PAIRS if by_plane.keys() >= set(pair)), None)
    if pair is None:
        return None
    first, second = (by_plane[plane] for plane in pair)
    along = (1.0, 0.0) if ORTHOGONAL_PAIRS[pair] == "horizontal" else (0.0, 1.0)
    sizes = [size for p in (first, second) if (size := _area_and_diameter(p, along, errors)) is not None]
    if len(sizes) < 2:
        return None
    diameters = [diameter.value for _, diameter in sizes]
    if max(diameters) > (1 + tolerance) * min(diameters):
        return None
    return VolumeEstimate(
        volume_ml=biplane_volume_quantity(sizes[0], sizes[1], errors),
        method=VolumeMethod.BIPLANE,
        planes=pair,
        sources=_known(first.outline_source, second.outline_source),
        diameters_mm=(math.sqrt(diameters[0] * diameters[1]),),
        areas_mm2=tuple(area.value for area, _ in sizes),
    )


def _area_and_diameter(
    plane: PlaneMeasurement, along: tuple[float, float], errors: Uncertainty
) -> tuple[Quantity, Quantity] | None:
    """Area of an outline and its diameter through its centre in a direction of the picture (row, column)."""
    if plane.outline_px is None or plane.area_mm2 is None or plane.perimeter_mm is None:
        return None
    outline = plane.outline_px[:-1] * plane.spacing_mm
    length = geometry.chord_through(outline, geometry.centroid(outline), np.array(along))
    if length <= 0:
        return None
    return plane.area_mm2, diameter_of_outline(length, plane.area_mm2, plane.perimeter_mm.value, errors)


def _known(*sources: Source | None) -> tuple[Source, ...]:
    return tuple(source for source in sources if source is not None)


def _steepness(axis: tuple[Point, Point], spacing: tuple[float, float]) -> float:
    """Angle of a line against the horizontal in millimetre space, 0..pi/2."""
    (row1, col1), (row2, col2) = axis
    return math.atan2(abs(row2 - row1) * spacing[0], abs(col2 - col1) * spacing[1])
