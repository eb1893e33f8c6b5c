"""Stage 5b: the planes of one lesion at one visit -> its longest diameter, its three diameters and its volume.

Three diameters need two planes that are known to be orthogonal. The first plane (transverse before sagittal before
coronal) gives long and short axis, the second gives the third diameter: the one of its two axes that lies across the
direction that both planes share. A probe turned by 90 degrees keeps the depth direction, so for transverse with
sagittal or coronal that is the axis nearer to the horizontal. An oblique lesion, whose axes lie near 45 degrees, leaves
that open: then the axis that baseline took (its long or its short one) is kept at the later visits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lesion_measure.config import Uncertainty
from lesion_measure.measure.uncertainty import ellipsoid_volume_quantity, rotation_volume_quantity
from lesion_measure.records import Axis, Plane, PlaneMeasurement, Point, Quantity, Source, VolumeMethod

ORTHOGONAL_PAIRS = {
    (Plane.TRANSVERSE, Plane.SAGITTAL): "horizontal",
    (Plane.TRANSVERSE, Plane.CORONAL): "horizontal",
    (Plane.SAGITTAL, Plane.CORONAL): "vertical",
}
"""Pairs of planes known to be orthogonal, in order of preference, and the direction in the second plane's image that
the first plane does not show."""

CLEAR_DEG = 15.0
"""An axis within so many degrees of 45 lies obliquely."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume in mL, how it was computed, from which planes and diameters (mm), and whence each of these comes."""

    quantity: Quantity
    method: VolumeMethod
    planes: tuple[Plane, ...]
    sources: tuple[Source, ...]
    diameters_mm: tuple[float, ...] = ()


def longest_diameter(planes: Sequence[PlaneMeasurement]) -> Quantity:
    """The greatest long axis of the planes measured (at least one)."""
    return max((p.long_axis_mm for p in planes), key=lambda q: q.value)


def total(quantities: Iterable[Quantity]) -> Quantity:
    """Sum of independent quantities; variances add, by part as well."""
    items = list(quantities)
    parts: dict[str, float] = {}
    for item in items:
        for name, sd in item.parts.items():
            parts[name] = math.hypot(parts.get(name, 0.0), sd)
    return Quantity(value=sum(item.value for item in items), sd=math.hypot(*(item.sd for item in items)), parts=parts)


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


def volume(planes: Sequence[PlaneMeasurement], third: Axis | None, settings: Uncertainty) -> Volume | None:
    """Volume of a lesion, or None where no plane has both axes. Voxels, where there are, come first.

    Parameters
    ----------
    planes
        The lesion's planes at one visit.
    third
        Axis of the second plane that is the third diameter (see `third_axis`); None where there is no second plane.
    settings
        Repeatability of a volume.
    """
    bodies = [(p.volume_ml, p) for p in planes if p.volume_ml is not None]
    if bodies:
        quantity, body = max(bodies, key=lambda each: each[0].value)
        return Volume(quantity, VolumeMethod.VOXELS, (body.plane,), (body.source,))
    pair = orthogonal_pair(planes)
    if pair is not None and third is not None:
        first, second = pair
        long, short, last = first.long_axis_mm, first.short_axis_mm, third_diameter(second, third)
        if short is not None and last is not None:
            last_source = second.source if third is Axis.LONG else second.short_axis_source
            return Volume(
                ellipsoid_volume_quantity(long, short, last, settings),
                VolumeMethod.ELLIPSOID,
                (first.plane, second.plane),
                _known(first.source, first.short_axis_source, last_source),
                (long.value, short.value, last.value),
            )
    both = [(p, p.short_axis_mm) for p in planes if p.short_axis_mm is not None]
    if not both:
        return None
    largest, short = max(both, key=lambda each: each[0].long_axis_mm.value)
    long = largest.long_axis_mm
    return Volume(
        rotation_volume_quantity(long, short, settings),
        VolumeMethod.ROTATION,
        (largest.plane,),
        _known(largest.source, largest.short_axis_source),
        (long.value, short.value),
    )


def _known(*sources: Source | None) -> tuple[Source, ...]:
    return tuple(source for source in sources if source is not None)


def _steepness(axis: tuple[Point, Point], spacing: tuple[float, float]) -> float:
    """Angle of a line against the horizontal in millimetre space, 0..pi/2."""
    (row1, col1), (row2, col2) = axis
    return math.atan2(abs(row2 - row1) * spacing[0], abs(col2 - col1) * spacing[1])
