"""Stage 4a: names for the lesions that the network outlined by itself.

Names come first from the reader's calipers, then from the manifest; a lesion of the network that neither names is
called ``L1`` only where the child shows a single lesion. Anything else is refused with its place named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from skimage.measure import points_in_poly

from lesion_measure.records import Caliper, ImageLabel, Plane, PlaneMeasurement, Point, Refusal, Source, Visit

ONLY_LESION = "L1"
ONLY_LESION_WARNING = "taken for the child's only lesion, since no image shows a second one and nothing names it"
SAME_SIZE_RATIO = 1.25
"""Two unnamed pictures of one plane are taken for the same lesion when their long axes agree within this ratio: 1.96 x
sqrt(2) x the default coefficient of variation of a diameter, 8.9 %."""


@dataclass(slots=True)
class VisitReadings:
    """What model and readers measured at one visit. ``model`` planes have an empty lesion name until they are named."""

    model: list[PlaneMeasurement] = field(default_factory=list)
    caliper: list[PlaneMeasurement] = field(default_factory=list)
    absent: list[Caliper] = field(default_factory=list)

    def planes(self, lesion: str, source: Source) -> list[PlaneMeasurement]:
        """The planes of one lesion that one source measured."""
        return [p for p in (self.model if source is Source.MODEL else self.caliper) if p.lesion == lesion]

    def names(self) -> list[str]:
        """Names of all lesions of the visit, in the order in which they were met."""
        return list(dict.fromkeys([p.lesion for p in (*self.caliper, *self.model)] + [a.lesion for a in self.absent]))


def name_model_lesions(
    subject: str, visits: Mapping[Visit, VisitReadings], labels: Mapping[str, ImageLabel]
) -> tuple[dict[Visit, VisitReadings], tuple[Refusal, ...]]:
    """Give the network's lesions their names; those that cannot be named are taken out and refused.

    A lesion that neither a caliper nor the manifest names is the child's only lesion, or nobody knows which. It is
    called `ONLY_LESION` where no image of any visit shows a second one and nothing else of the child has a name.

    Parameters
    ----------
    subject
        Subject code.
    visits
        The planes of each visit; those of the model have an empty ``lesion``.
    labels
        Plane and lesion by SOP instance UID, from the manifest.
    """
    named: dict[Visit, VisitReadings] = {}
    unnamed: dict[Visit, list[PlaneMeasurement]] = {}
    refusals: list[Refusal] = []
    for visit, readings in visits.items():
        known, unnamed[visit], extra = _name_by_reader(readings, labels)
        named[visit] = VisitReadings(known, readings.caliper, readings.absent)
        refusals += [_unnamed(plane, subject, visit) for plane in extra]
    if any(readings.names() for readings in named.values()) or not all(map(_one_lesion_each, unnamed.values())):
        refusals += [_unnamed(plane, subject, visit) for visit, planes in unnamed.items() for plane in planes]
    else:
        for visit, planes in unnamed.items():
            named[visit].model += [
                replace(plane, lesion=ONLY_LESION, warnings=(*plane.warnings, ONLY_LESION_WARNING)) for plane in planes
            ]
    return named, tuple(refusals)


def _name_by_reader(
    readings: VisitReadings, labels: Mapping[str, ImageLabel]
) -> tuple[list[PlaneMeasurement], list[PlaneMeasurement], list[PlaneMeasurement]]:
    """The model's planes that caliper or manifest name, those of unnamed images, and those beside a named lesion."""
    named: list[PlaneMeasurement] = []
    unnamed: list[PlaneMeasurement] = []
    extra: list[PlaneMeasurement] = []
    for sop, planes in _by_image(readings.model).items():
        left = []
        calipers = [c for c in readings.caliper if c.sop_instance_uid == sop]
        for plane in planes:
            match = _caliper_inside(plane, calipers)
            if match is None:
                left.append(plane)
            else:
                named.append(replace(plane, lesion=match.lesion, plane=match.plane))
        wanted = labels.get(sop, ImageLabel()).lesion
        if wanted and len(left) == 1 and not any(p.lesion == wanted for p in named if p.sop_instance_uid == sop):
            named.append(replace(left[0], lesion=wanted))
        elif calipers or wanted:
            extra += left
        else:
            unnamed += left
    return named, unnamed, extra


def _by_image(planes: Iterable[PlaneMeasurement]) -> dict[str, list[PlaneMeasurement]]:
    groups: dict[str, list[PlaneMeasurement]] = defaultdict(list)
    for plane in planes:
        groups[plane.sop_instance_uid].append(plane)
    return groups


def _middle(axis: tuple[Point, Point]) -> Point:
    (row1, col1), (row2, col2) = axis
    return (row1 + row2) / 2, (col1 + col2) / 2


def _caliper_inside(plane: PlaneMeasurement, calipers: Sequence[PlaneMeasurement]) -> PlaneMeasurement | None:
    """The one caliper measurement of this frame whose middle lies inside the network's outline."""
    if plane.outline_px is None:
        return None
    inside = [
        c
        for c in calipers
        if c.frame == plane.frame and points_in_poly(np.array([_middle(c.long_axis_px)]), plane.outline_px)[0]
    ]
    return inside[0] if len({c.lesion for c in inside}) == 1 else None


def _one_lesion_each(planes: Sequence[PlaneMeasurement]) -> bool:
    """True where every image shows one lesion, and pictures of one plane show one of about the same size."""
    sizes: dict[Plane, list[float]] = defaultdict(list)
    for plane in planes:
        sizes[plane.plane].append(plane.long_axis_mm.value)
    alike = all(max(group) <= SAME_SIZE_RATIO * min(group) for group in sizes.values())
    return alike and all(len(group) == 1 for group in _by_image(planes).values())


def _unnamed(plane: PlaneMeasurement, subject: str, visit: Visit) -> Refusal:
    row, col = _middle(plane.long_axis_px)
    return Refusal(
        code="lesion_not_named",
        reason=f"The model outlines a lesion of {plane.long_axis_mm.value:.1f} mm around column {col:.0f}, row "
        f"{row:.0f} of frame {plane.frame}, and nothing says which lesion it is.",
        remedy="Name it: a row for this image in the manifest, or a caliper across it.",
        path=plane.path,
        sop_instance_uid=plane.sop_instance_uid,
        subject=subject,
        visit=visit,
    )
