"""Which short axes a lesion's volume rests on: the reader's, or the widths of the network's prompted outlines.

A reader's short axis is always reported as it was drawn. But a volume of a reader's short axis at one visit and of an
outline's at the other would let the difference between the two enter the change. So each scan plane has one origin of
its short axes at both compared visits where that is possible: the reader's where drawn at both, else the outline's
where there is one at both. Else an outline's short axis serves only a visit that would have no volume without it, and
`verdict.change` refuses the change of volume.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lesion_measure.records import BASELINE, ONE_MONTH, Plane, PlaneMeasurement, Source

Planes = list[PlaneMeasurement]


def by_outline(plane: PlaneMeasurement) -> PlaneMeasurement:
    """The plane with the width of its prompted outline as short axis, whatever the reader drew; else unchanged."""
    outline = plane.prompted
    if outline is None:
        return plane
    return replace(plane, short_axis_mm=outline.width_mm, short_axis_px=outline.width_px, short_axis_prompted=True)


def by_reader(plane: PlaneMeasurement) -> PlaneMeasurement:
    """The plane without a short axis that is an outline's; else unchanged."""
    if not plane.short_axis_prompted:
        return plane
    return replace(plane, short_axis_mm=None, short_axis_px=None, short_axis_prompted=False)


def settle(
    visits: Mapping[str, Sequence[PlaneMeasurement]], compared: Sequence[str] = (BASELINE, ONE_MONTH)
) -> dict[str, Planes]:
    """The planes that the volumes are computed from, with short axes of one origin where that is possible.

    Parameters
    ----------
    visits
        A lesion's caliper planes, one of each scan plane at a visit.
    compared
        The visits whose comparison decides; the others follow them as far as they can.
    """
    deciding = [plane for visit, planes in visits.items() if visit in compared for plane in planes]
    origins = {kind: _origin(group) for kind, group in _by_plane(deciding or _all(visits)).items()}
    return {visit: _with_volume(planes, origins) for visit, planes in visits.items()}


def _with_volume(planes: Sequence[PlaneMeasurement], origins: Mapping[Plane, Source | None]) -> Planes:
    """The planes with short axes as settled; an odd outline's only where there would be no short axis at all."""
    own = [by_outline(p) if origins.get(p.plane) is Source.PROMPTED else p for p in planes]
    without = [by_reader(p) if origins.get(p.plane) is None else p for p in own]
    return without if any(p.short_axis_mm is not None for p in without) else own


def _origin(group: Sequence[PlaneMeasurement]) -> Source | None:
    """Whence the short axes of one scan plane come at all visits; None where there is no one origin."""
    if all(p.short_axis_source is Source.CALIPER for p in group):
        return Source.CALIPER
    return Source.PROMPTED if all(p.prompted for p in group) else None


def _by_plane(planes: Iterable[PlaneMeasurement]) -> dict[Plane, Planes]:
    groups: dict[Plane, Planes] = {}
    for plane in planes:
        groups.setdefault(plane.plane, []).append(plane)
    return groups


def _all(visits: Mapping[str, Sequence[PlaneMeasurement]]) -> Planes:
    return [plane for planes in visits.values() for plane in planes]
