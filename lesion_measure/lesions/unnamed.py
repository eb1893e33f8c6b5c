"""Names for what readers drew in DICOM objects without naming it (`records.unnamed`), before the network's outlines.

What lies where a named caliper lies on the same frame is that lesion. What an object says to be one lesion is one, on
all its images. The rest is paired like the network's outlines (docs/pairing.md). What cannot be told is doubted, never
guessed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from lesion_measure.config import Pairing
from lesion_measure.lesions.follow import fresh_names
from lesion_measure.lesions.naming import Named, VisitReadings, name_lesions
from lesion_measure.measure.appearance import middle
from lesion_measure.records import (
    TRIAL,
    Doubt,
    ImageLabel,
    LesionGroup,
    NamedBy,
    Naming,
    PlaneMeasurement,
    Refusal,
    is_unnamed,
)

MOST_RATIO = 2.0
"""Two lines in one place are of one lesion where the longer is at most so many times the other."""


@dataclass(slots=True)
class _Lesion:
    """Drawings that are of one lesion, on any frames and visits, and the names that lie in their places."""

    planes: list[tuple[str, PlaneMeasurement]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class NamedDrawings:
    """The readings with every drawing named or taken out; the name of each stand-in; what merged; what asks."""

    visits: dict[str, VisitReadings]
    names: dict[str, str] = field(default_factory=dict)
    groups: tuple[LesionGroup, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def name_drawings(
    subject: str,
    visits: Mapping[str, VisitReadings],
    labels: Mapping[str, ImageLabel],
    settings: Pairing,
    order: Sequence[str] = TRIAL.names,
) -> NamedDrawings:
    """Name the lesions that readers drew and did not name.

    Parameters
    ----------
    subject
        Subject code.
    visits
        The planes of each visit, in millimetres.
    labels
        Plane and lesion by SOP Instance UID, from the manifest.
    settings
        How lesions are paired, and how sure a pairing has to be.
    order
        The child's visits in order of time.
    """
    loose = _lesions(visits)
    if not loose:
        return NamedDrawings(dict(visits))
    told, names = _told(loose, visits, labels, order)
    rest = [lesion for lesion in loose if len(lesion.names) == 0 and not _stand_ins(lesion) & names.keys()]
    shown = {_key(visit, plane): lesion for lesion in rest for visit, plane in lesion.planes[:1]}
    asked = {
        visit: VisitReadings(
            model=[replace(plane, lesion="") for _, plane in _first_of(rest, visit)],
            caliper=told[visit],
            absent=readings.absent,
        )
        for visit, readings in visits.items()
    }
    found = _only_one(subject, asked, settings, order) or name_lesions(subject, asked, labels, settings, order)
    paired = {_key(v, p): p for v, readings in found.visits.items() for p in readings.model}
    for key, plane in paired.items():
        names |= dict.fromkeys(_stand_ins(shown[key]), plane.lesion)
    named = {
        visit: _with(readings, list(_renamed(visit, readings.caliper, names, paired)))
        for visit, readings in visits.items()
    }
    return NamedDrawings(
        named,
        names,
        found.groups,
        tuple(refusal for refusal in found.refusals if refusal.code != "lesion_not_named"),
        tuple(_not_named(lesion, subject) for lesion in loose if not _stand_ins(lesion) & names.keys()),
    )


def _only_one(
    subject: str, asked: Mapping[str, VisitReadings], settings: Pairing, order: Sequence[str]
) -> Named | None:
    """The drawings as those of the one lesion that has a name, where no image shows a second one; else None."""
    names = {name for readings in asked.values() for name in readings.names() if name}
    if len(names) != 1:
        return None
    everything = {
        visit: VisitReadings(model=[replace(p, lesion="") for p in (*readings.model, *readings.caliper)])
        for visit, readings in asked.items()
    }
    found = name_lesions(subject, everything, {}, settings, order, only=names.pop())
    if any(plane.naming.by is not NamedBy.ONLY for r in found.visits.values() for plane in r.model):
        return None
    own = {_key(visit, plane) for visit, readings in asked.items() for plane in readings.model}
    loose = {
        visit: VisitReadings(model=[plane for plane in readings.model if _key(visit, plane) in own])
        for visit, readings in found.visits.items()
    }
    return Named(loose, refusals=tuple(r for r in found.refusals if r.visit and asked[r.visit].model))


def without_other_readers(readings: VisitReadings, reader: str | None) -> VisitReadings:
    """The readings without unnamed drawings of readers who do not count, where the one who does drew at that visit."""
    own = [plane for plane in readings.caliper if not is_unnamed(plane.lesion) or plane.reader == reader]
    if reader is None or not any(plane.reader == reader for plane in own):
        return readings
    return _with(readings, own)


def _with(readings: VisitReadings, caliper: list[PlaneMeasurement]) -> VisitReadings:
    return replace(readings, caliper=caliper)


def _lesions(visits: Mapping[str, VisitReadings]) -> list[_Lesion]:
    """The unnamed drawings of a child by lesion: of one stand-in, or in one place of a frame."""
    of: dict[str, _Lesion] = {}
    for visit, readings in visits.items():
        for plane in readings.caliper:
            if is_unnamed(plane.lesion):
                of.setdefault(plane.lesion, _Lesion()).planes.append((visit, plane))
    for one, other in _same_places(visits):
        if not is_unnamed(other.lesion):
            of[one.lesion].names.add(other.lesion)
        elif of[one.lesion] is not of[other.lesion]:
            into, gone = of[one.lesion], of[other.lesion]
            into.planes += gone.planes
            into.names |= gone.names
            of |= {name: into for name, lesion in of.items() if lesion is gone}
    lesions = list({id(lesion): lesion for lesion in of.values()}.values())
    for lesion in lesions:
        lesion.planes.sort(key=lambda item: (item[1].sop_instance_uid, item[1].frame, item[1].reader, item[1].lesion))
    return lesions


def _same_places(visits: Mapping[str, VisitReadings]) -> Iterator[tuple[PlaneMeasurement, PlaneMeasurement]]:
    """Pairs of drawings in one place of a frame, an unnamed one first."""
    frames: dict[tuple[str, int], list[PlaneMeasurement]] = defaultdict(list)
    for plane in (plane for readings in visits.values() for plane in readings.caliper):
        frames[plane.sop_instance_uid, plane.frame].append(plane)
    for planes in frames.values():
        for one, other in combinations(planes, 2):
            if _in_one_place(one, other):
                if is_unnamed(one.lesion):
                    yield one, other
                elif is_unnamed(other.lesion):
                    yield other, one


def _in_one_place(one: PlaneMeasurement, other: PlaneMeasurement) -> bool:
    """Whether the middle of each lies in the disc on the other's long axis, and they are of about one size."""
    (row, col), (its_row, its_col) = middle(one), middle(other)
    apart = math.hypot((row - its_row) * one.spacing_mm[0], (col - its_col) * one.spacing_mm[1])
    short, long = sorted((one.long_axis_mm.value, other.long_axis_mm.value))
    return apart <= short / 2 and long <= MOST_RATIO * short


def _told(
    loose: Sequence[_Lesion],
    visits: Mapping[str, VisitReadings],
    labels: Mapping[str, ImageLabel],
    order: Sequence[str],
) -> tuple[dict[str, list[PlaneMeasurement]], dict[str, str]]:
    """The drawings with names by visit, and the name of each stand-in that has one without pairing.

    Where an object says that drawings on several frames are of one lesion, it has said what a name would.
    """
    taken = {label.lesion for label in labels.values()} | {
        name for readings in visits.values() for name in readings.names() if not is_unnamed(name)
    }
    names: dict[str, str] = {}
    fresh = fresh_names(taken)
    for lesion in sorted(loose, key=lambda each: _by_size(each, order)):
        if len(lesion.names) == 1:
            names |= dict.fromkeys(_stand_ins(lesion), next(iter(lesion.names)))
        elif not lesion.names and len({_frame(plane) for _, plane in lesion.planes}) > 1:
            names |= dict.fromkeys(_stand_ins(lesion), next(fresh))
    told = {
        visit: [
            replace(plane, lesion=names.get(plane.lesion, plane.lesion))
            for plane in readings.caliper
            if plane.lesion in names or not is_unnamed(plane.lesion)
        ]
        for visit, readings in visits.items()
    }
    return told, names


def _by_size(lesion: _Lesion, order: Sequence[str]) -> tuple[int, float, str]:
    """Lesions seen first come first, the larger before the smaller."""
    first = min(order.index(visit) if visit in order else len(order) for visit, _ in lesion.planes)
    size = max(plane.long_axis_mm.value for _, plane in lesion.planes)
    return first, -size, min(_stand_ins(lesion))


def _renamed(
    visit: str,
    planes: Iterable[PlaneMeasurement],
    names: Mapping[str, str],
    paired: Mapping[tuple[object, ...], PlaneMeasurement],
) -> Iterator[PlaneMeasurement]:
    naming: dict[str, Naming] = {plane.lesion: plane.naming for plane in paired.values()}
    for plane in planes:
        known = paired.get(_key(visit, plane))
        warnings = tuple(_with_names(warning, names) for warning in plane.warnings)
        if not is_unnamed(plane.lesion):
            yield replace(plane, warnings=warnings)
        elif known is not None:
            yield replace(known, warnings=tuple(_with_names(warning, names) for warning in known.warnings))
        elif plane.lesion in names:
            name = names[plane.lesion]
            yield replace(plane, lesion=name, naming=naming.get(name, Naming(by=NamedBy.READER)), warnings=warnings)


def _with_names(text: str, names: Mapping[str, str]) -> str:
    for stand_in, name in names.items():
        text = text.replace(stand_in, name)
    return text


def _first_of(lesions: Iterable[_Lesion], visit: str) -> list[tuple[str, PlaneMeasurement]]:
    """The drawing that stands for each lesion, where it is of this visit."""
    return [lesion.planes[0] for lesion in lesions if lesion.planes[0][0] == visit]


def _stand_ins(lesion: _Lesion) -> set[str]:
    return {plane.lesion for _, plane in lesion.planes}


def _frame(plane: PlaneMeasurement) -> tuple[str, int]:
    return plane.sop_instance_uid, plane.frame


def _key(visit: str, plane: PlaneMeasurement) -> tuple[object, ...]:
    return visit, *_frame(plane), plane.reader, plane.long_axis_px


def _not_named(lesion: _Lesion, subject: str) -> Doubt:
    """A drawing of which nothing says which lesion it is."""
    visit, plane = lesion.planes[0]
    row, column = middle(plane)
    could = f" (it lies where {' and '.join(sorted(lesion.names))} were drawn)" if lesion.names else ""
    return Doubt(
        Refusal(
            code="lesion_not_named",
            reason=f"{plane.reader} drew a lesion of {plane.long_axis_mm.value:.1f} mm around column {column:.0f}, row "
            f"{row:.0f} of frame {plane.frame}, and nothing says which lesion it is{could}.",
            remedy="Name it in the viewer, or give its calipers in a caliper file, or a row for its image in the "
            "manifest where the image shows one lesion.",
            path=plane.path,
            sop_instance_uid=plane.sop_instance_uid,
            subject=subject,
            visit=visit,
        )
    )
