"""Names for the lesions that the network outlined automatically.

Names come first from the reader's calipers, then from the manifest: what they name is never renamed. Where a child
shows one lesion and nothing names it, it is ``L1``. Every other outline is paired with what is known, first on the
images of its visit, then with the other visits (`pairing`, docs/pairing.md); new names are given by size at baseline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from skimage.measure import points_in_poly

from lesion_measure.config import Pairing
from lesion_measure.lesions.follow import follow, sureness
from lesion_measure.lesions.of_visit import Seen
from lesion_measure.lesions.pairing_doubts import unnamed_outline, unsure_name
from lesion_measure.records import (
    BASELINE,
    TRIAL,
    Caliper,
    ImageLabel,
    LesionGroup,
    Look,
    NamedBy,
    Naming,
    Plane,
    PlaneMeasurement,
    Point,
    Refusal,
    Source,
    is_liver,
)

ONLY_LESION = "L1"
ONLY_LESION_WARNING = "taken for the child's only lesion, since no image shows a second one and nothing names it"
SAME_SIZE_RATIO = 1.25
"""Two unnamed pictures of one plane are taken for the same lesion when their long axes agree within this ratio: 1.96 x
sqrt(2) x the default coefficient of variation of a diameter, 8.9 %."""


@dataclass(slots=True)
class VisitReadings:
    """What model and readers measured at one visit. ``model`` planes have an empty lesion name until they are named.

    ``absent`` and ``unassessed`` are readers' statements that a lesion is gone, and that an image does not tell its
    size.
    ``looks`` has one entry for each image, None where the network did not see it.
    """

    model: list[PlaneMeasurement] = field(default_factory=list)
    caliper: list[PlaneMeasurement] = field(default_factory=list)
    absent: list[Caliper] = field(default_factory=list)
    looks: list[Look | None] = field(default_factory=list)
    unassessed: list[Caliper] = field(default_factory=list)

    def planes(self, lesion: str, source: Source) -> list[PlaneMeasurement]:
        """The planes of one lesion that one source measured."""
        return [p for p in (self.model if source is Source.MODEL else self.caliper) if p.lesion == lesion]

    def names(self) -> list[str]:
        """Names of all lesions of the visit, in the order in which they were met."""
        return list(dict.fromkeys([p.lesion for p in (*self.caliper, *self.model)] + [a.lesion for a in self.absent]))

    def without_size(self) -> set[str]:
        """Names of the lesions that readers could not assess and neither measured nor stated to be absent."""
        said = {p.lesion for p in self.caliper} | {a.lesion for a in self.absent}
        return {each.lesion for each in self.unassessed} - said


def set_liver_apart(
    visits: Mapping[str, VisitReadings],
) -> tuple[dict[str, VisitReadings], dict[str, VisitReadings]]:
    """The readings of lesions, and those of the liver alone."""
    lesions: dict[str, VisitReadings] = {}
    liver: dict[str, VisitReadings] = {}
    for visit, readings in visits.items():
        lesions[visit] = VisitReadings(model=readings.model, unassessed=readings.unassessed)
        organ = VisitReadings()
        for planes in readings.caliper:
            (organ if is_liver(planes.lesion) else lesions[visit]).caliper.append(planes)
        for statement in readings.absent:
            (organ if is_liver(statement.lesion) else lesions[visit]).absent.append(statement)
        if organ.caliper or organ.absent:
            liver[visit] = organ
    return lesions, liver


@dataclass(frozen=True, slots=True)
class Named:
    """The readings of every visit, every plane with its name; lesions that merged or split; what asks for review."""

    visits: dict[str, VisitReadings]
    groups: tuple[LesionGroup, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def name_lesions(
    subject: str,
    visits: Mapping[str, VisitReadings],
    labels: Mapping[str, ImageLabel],
    settings: Pairing,
    order: Sequence[str] = TRIAL.names,
    only: str = ONLY_LESION,
) -> Named:
    """Give the network's lesions their names; those that cannot be named are taken out and refused.

    Parameters
    ----------
    subject
        Subject code.
    visits
        The planes of each visit; those of the model have an empty ``lesion``.
    labels
        Plane and lesion by SOP instance UID, from the manifest.
    settings
        How lesions are paired, and how sure a pairing has to be.
    order
        The child's visits in order of time.
    only
        What the child's only lesion is called.
    """
    named: dict[str, VisitReadings] = {}
    unnamed: dict[str, list[PlaneMeasurement]] = {}
    beside: dict[str, list[PlaneMeasurement]] = {}
    refusals: list[Refusal] = []
    for visit, readings in visits.items():
        known, unnamed[visit], beside[visit], several = _name_by_reader(readings, labels)
        refusals += [unnamed_outline(plane, subject, visit) for plane in several]
        named[visit] = VisitReadings(known, readings.caliper, readings.absent, unassessed=readings.unassessed)
    lone = not any(readings.names() for readings in named.values()) and not any(beside.values()) and not refusals
    if lone and all(map(_one_lesion_each, unnamed.values())):
        return _only_lesion(subject, named, unnamed, settings, order, only)
    loose = {visit: [*unnamed[visit], *beside[visit]] for visit in visits}
    if not any(loose.values()):
        return Named(named, refusals=tuple(refusals))
    seen = {v: Seen(named=(*named[v].model, *named[v].caliper), unnamed=tuple(loose[v])) for v in visits}
    # what a person named but the images do not show is no free name either
    taken = {label.lesion for label in labels.values()} | {
        name for readings in named.values() for name in (*readings.names(), *readings.without_size())
    }
    found = follow(subject, seen, taken, settings, order)
    for visit, planes in found.planes.items():
        named[visit].model += planes
    return Named(named, found.groups, (*refusals, *found.refusals))


def _only_lesion(
    subject: str,
    named: dict[str, VisitReadings],
    unnamed: Mapping[str, Sequence[PlaneMeasurement]],
    settings: Pairing,
    order: Sequence[str],
    name: str,
) -> Named:
    """Every outline is of one lesion; where the visits do not look alike, the name asks for review."""
    first = unnamed.get(BASELINE, ())
    refusals = []
    for visit, planes in unnamed.items():
        confidence: float | None = None
        if first and planes and visit != BASELINE:
            earlier = order.index(visit) < order.index(BASELINE)
            before, after = (planes, first) if earlier else (first, planes)
            confidence = sureness(before, after, settings)
            if confidence < settings.min_confidence:
                refusals.append(unsure_name(subject, visit, planes[0], name, confidence))
        naming = Naming(by=NamedBy.ONLY, confidence=confidence)
        named[visit].model += [
            replace(p, lesion=name, naming=naming, warnings=(*p.warnings, ONLY_LESION_WARNING)) for p in planes
        ]
    return Named(named, refusals=tuple(refusals))


def _name_by_reader(readings: VisitReadings, labels: Mapping[str, ImageLabel]) -> tuple[list[PlaneMeasurement], ...]:
    """The model's planes by what people say of them, in four lists.

    Those that caliper or manifest name; those of images of which nobody says anything; those beside a named lesion;
    and those of which one has the name that the manifest gives their image, nobody knows which.
    """
    named: list[PlaneMeasurement] = []
    unnamed: list[PlaneMeasurement] = []
    beside: list[PlaneMeasurement] = []
    several: list[PlaneMeasurement] = []
    for sop, planes in _by_image(readings.model).items():
        left = []
        calipers = [c for c in readings.caliper if c.sop_instance_uid == sop]
        for plane in planes:
            match = _caliper_inside(plane, calipers)
            if match is None:
                left.append(plane)
            else:
                named.append(
                    replace(
                        plane,
                        lesion=match.lesion,
                        plane=match.plane,
                        plane_source=match.plane_source,
                        naming=match.naming,
                    )
                )
        wanted = labels.get(sop, ImageLabel()).lesion
        there = any(p.lesion == wanted for p in named if p.sop_instance_uid == sop)
        if wanted and not there and len(left) == 1:
            named.append(replace(left[0], lesion=wanted, naming=Naming(by=NamedBy.MANIFEST)))
        elif wanted and not there:
            several += left
        else:
            (beside if calipers or wanted else unnamed).extend(left)
    return named, unnamed, beside, several


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
