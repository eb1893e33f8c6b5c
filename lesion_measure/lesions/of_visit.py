"""The lesions that the planes of one visit show, in the numbers of `pairing`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lesion_measure.config import Pairing as Settings
from lesion_measure.lesions.pairing import (
    ImageSights,
    LesionSight,
    Outline,
    PairedLesion,
    VisitLesion,
    channel,
    lesions_of_visit,
)
from lesion_measure.measure.appearance import middle
from lesion_measure.records import Plane, PlaneMeasurement, Source


@dataclass(frozen=True, slots=True)
class Seen:
    """The planes of one visit that have names, and those that have none."""

    named: tuple[PlaneMeasurement, ...]
    unnamed: tuple[PlaneMeasurement, ...]


@dataclass(slots=True)
class FoundLesion:
    """One lesion of one visit while names are looked for. ``confidence``: that its outlines and its name are right."""

    paired: PairedLesion
    unnamed: tuple[PlaneMeasurement, ...]
    size_mm: float
    name: str
    confidence: float


def only_lesion(planes: Sequence[PlaneMeasurement]) -> PairedLesion:
    """Planes of one lesion, the largest cut of each kind."""
    largest = {channel(p.plane): p for p in sorted(planes, key=lambda p: p.long_axis_mm.value)}
    return PairedLesion(sights=tuple(_sight(plane) for plane in largest.values()))


def lesions_of(seen: Seen, settings: Settings) -> tuple[list[FoundLesion], list[PlaneMeasurement]]:
    """The lesions of a visit, and the unnamed planes that cannot be told to belong to one."""
    planes = [*seen.named, *_sorted_by_neighbours(seen)]
    lesions, aside = lesions_of_visit(_pictures(planes), settings)
    named = len(seen.named)
    return (
        [_found(lesion, [planes[k] for k in lesion.keys], [planes[k] for k in lesion.keys if k >= named])
         for lesion in lesions],
        [planes[k] for k in aside if k >= named],
    )  # fmt: skip


def _found(lesion: VisitLesion, planes: Sequence[PlaneMeasurement], unnamed: Sequence[PlaneMeasurement]) -> FoundLesion:
    return FoundLesion(
        paired=lesion.lesion,
        unnamed=tuple(unnamed),
        size_mm=max(plane.long_axis_mm.value for plane in planes),
        name=lesion.lesion.name,
        confidence=lesion.confidence,
    )


def _sorted_by_neighbours(seen: Seen) -> list[PlaneMeasurement]:
    """The unnamed planes; where a reader states the plane of a picture, that is the plane of all that it shows."""
    stated: dict[tuple[str, int], set[Plane]] = defaultdict(set)
    for plane in seen.named:
        stated[plane.sop_instance_uid, plane.frame].add(plane.plane)
    result = []
    for plane in seen.unnamed:
        words = stated.get((plane.sop_instance_uid, plane.frame), set()) - {Plane.UNKNOWN}
        result.append(replace(plane, plane=words.pop()) if len(words) == 1 else plane)
    return result


def _pictures(planes: Sequence[PlaneMeasurement]) -> list[ImageSights]:
    """Planes by the picture whose coordinates they share: both halves of a dual image are two pictures.

    The lesions of a cine, followed from frame to frame, share one; where a reader drew on several frames, each frame
    is a picture, since a lesion may be on more than one.
    """
    drawn = {plane.sop_instance_uid for plane in planes if plane.source is Source.CALIPER}
    groups: dict[tuple[str, int, int, Plane], list[Outline]] = defaultdict(list)
    for key, plane in sorted(enumerate(planes), key=lambda item: item[1].source is Source.CALIPER):
        frame = plane.frame if plane.sop_instance_uid in drawn else 0
        part = plane.appearance.picture if plane.appearance else 0
        outlines = groups[plane.sop_instance_uid, frame, part, plane.plane]
        # caliper and outline of one lesion on one frame are one sight of it, the outline's
        if not plane.lesion or plane.lesion not in [o.name for o in outlines]:
            outlines.append(Outline(key=key, sight=_sight(plane), name=plane.lesion))
    return [ImageSights(tuple(outlines)) for outlines in groups.values()]


def _sight(plane: PlaneMeasurement) -> LesionSight:
    row, column = middle(plane)
    look = plane.appearance
    return LesionSight(
        plane=plane.plane,
        lateral_mm=look.lateral_mm if look else column * plane.spacing_mm[1],
        depth_mm=look.depth_mm if look else row * plane.spacing_mm[0],
        long_axis_mm=plane.long_axis_mm.value,
        short_axis_mm=plane.short_axis_mm.value if plane.short_axis_mm else None,
        relative_echo=look.contrast if look else None,
        texture=look.texture if look else None,
    )
