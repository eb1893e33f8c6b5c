"""Several measurements of a lesion in one scan plane: the largest, or their mean."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from lesion_measure.measure.short_axes import by_outline
from lesion_measure.records import CUT_OFF, RESCALED, UNSORTED_PLANES, Plane, PlaneMeasurement, Quantity

_PERHAPS_LARGER = (CUT_OFF, RESCALED)
"""Beginnings of warnings that a size may be smaller than the lesion."""


def repeats(planes: Sequence[PlaneMeasurement]) -> list[PlaneMeasurement]:
    """The calipers of one cut that was measured more than once; several pictures of unsorted planes are no repeats."""
    return next((group for group in _by_cut(planes) if len(group) > 1), [])


def _by_cut(planes: Iterable[PlaneMeasurement]) -> list[list[PlaneMeasurement]]:
    """What shows one cut of a lesion: all of a named plane, and of planes without a name one picture."""
    groups: dict[Hashable, list[PlaneMeasurement]] = defaultdict(list)
    for plane in planes:
        picture = (plane.sop_instance_uid, plane.frame) if plane.plane in UNSORTED_PLANES else ()
        groups[plane.plane, picture].append(plane)
    return list(groups.values())


def _by_plane(planes: Iterable[PlaneMeasurement]) -> dict[Plane, list[PlaneMeasurement]]:
    groups: dict[Plane, list[PlaneMeasurement]] = defaultdict(list)
    for plane in planes:
        groups[plane.plane].append(plane)
    return groups


def largest_of_each_plane(planes: Iterable[PlaneMeasurement]) -> list[PlaneMeasurement]:
    """Of several pictures of one plane the one that cuts the lesion at its largest, as a reader would choose it.

    A smaller one whose size may be too small, since it is cut off or rescaled, may be the larger one in truth: its
    warning stays.
    """
    chosen = []
    for group in _by_plane(planes).values():
        largest = max(group, key=lambda p: p.long_axis_mm.value)
        note = (f"the largest of {len(group)} {largest.plane} pictures is taken",) if len(group) > 1 else ()
        doubted = dict.fromkeys(
            w for p in group if p is not largest for w in p.warnings if w.startswith(_PERHAPS_LARGER)
        )
        other = (f"{warning} (on another {largest.plane} picture, of which the size is smaller)" for warning in doubted)
        chosen.append(replace(largest, pictures=len(group), warnings=(*largest.warnings, *other, *note)))
    return chosen


def mean_of_each_plane(planes: Iterable[PlaneMeasurement]) -> list[PlaneMeasurement]:
    """One measurement of each plane: the mean of repeats, and of several pictures of an unsorted plane the largest."""
    cuts = [group[0] if len(group) == 1 else _mean(group) for group in _by_cut(planes)]
    known = [cut for cut in cuts if cut.plane not in UNSORTED_PLANES]
    return known + largest_of_each_plane(cut for cut in cuts if cut.plane in UNSORTED_PLANES)


def _mean(group: Sequence[PlaneMeasurement]) -> PlaneMeasurement:
    """Mean of repeated calipers, and of their outlines where each has one; drawn where the first one lies."""
    if any(p.short_axis_prompted for p in group):  # short axes of one origin, or none
        group = [by_outline(p) for p in group]
    outlines = _mean_outline(group)
    origins = {p.short_axis_source for p in group}
    shorts = [p.short_axis_mm for p in group if p.short_axis_mm is not None]
    alike = len(shorts) == len(group) and len(origins) == 1
    return replace(
        outlines,
        long_axis_mm=mean_quantity([p.long_axis_mm for p in group]),
        short_axis_mm=mean_quantity(shorts) if alike else None,
        short_axis_px=group[0].short_axis_px if alike else None,
        short_axis_prompted=alike and group[0].short_axis_prompted,
        axes_swapped=False,
        warnings=(*dict.fromkeys(w for p in group for w in p.warnings), f"mean of {len(group)} repeated calipers"),
    )


def _mean_outline(group: Sequence[PlaneMeasurement]) -> PlaneMeasurement:
    """The first plane with the mean sizes of all outlines; without an outline where one of the planes has none."""
    outlines = [p.prompted for p in group if p.prompted is not None]
    areas = [p.area_mm2 for p in group if p.area_mm2 is not None]
    around = [p.perimeter_mm for p in group if p.perimeter_mm is not None]
    if not len(outlines) == len(areas) == len(around) == len(group):
        return replace(group[0], prompted=None, outline_px=None, area_mm2=None, perimeter_mm=None, confidence=None)
    prompted = replace(
        outlines[0],
        long_axis_mm=sum(o.long_axis_mm for o in outlines) / len(outlines),
        width_mm=mean_quantity([o.width_mm for o in outlines]),
    )
    return replace(group[0], prompted=prompted, area_mm2=mean_quantity(areas), perimeter_mm=mean_quantity(around))


def mean_quantity(items: Sequence[Quantity]) -> Quantity:
    """Pixel errors of repeats average out; a reader's repeatability was found between readings and stays whole.

    So do an outline's errors: repeats on one frame outline the same edge.
    """
    n = len(items)
    names = sorted({name for item in items for name in item.parts})
    parts = {
        name: math.hypot(*(item.parts.get(name, 0.0) for item in items)) / n
        if name == "pixel"
        else sum(item.parts.get(name, 0.0) for item in items) / n
        for name in names
    }
    return Quantity(value=sum(item.value for item in items) / n, sd=math.hypot(*parts.values()), parts=parts)
