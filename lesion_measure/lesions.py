"""Stage 4: the measured planes of a child -> lesions, visit by visit.

Names come first from the reader's calipers, then from the manifest; a lesion of the network that neither names is
called ``L1`` only where the visit shows a single lesion. Anything else is refused with the candidates named.

One source, model or caliper, is used for a lesion at all its visits where that is possible, so that a systematic
difference between the two does not enter the change; what was not used is kept as an alternative.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from skimage.measure import points_in_poly

from lesion_measure.combine import longest_diameter, orthogonal_pair, third_axis, third_diameter, volume
from lesion_measure.config import Config
from lesion_measure.records import (
    Alternative,
    Axis,
    Caliper,
    ImageLabel,
    LesionMeasurement,
    Plane,
    PlaneMeasurement,
    Point,
    Quantity,
    Refusal,
    Source,
    Visit,
    VolumeMethod,
)

ONLY_LESION = "L1"
ONLY_LESION_WARNING = "taken for the child's only lesion, since no image shows a second one and nothing names it"
SAME_SIZE_RATIO = 1.25
"""Two unnamed pictures of one plane are taken for the same lesion when their long axes agree within this ratio: 1.96 x
sqrt(2) x the default coefficient of variation of a diameter, 8.9 %."""
UNSORTED_PLANES = frozenset({Plane.UNKNOWN, Plane.OBLIQUE})
"""Two pictures of these need not show the same cut."""


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


def assemble(
    subject: str, visits: Mapping[Visit, VisitReadings], config: Config
) -> tuple[tuple[LesionMeasurement, ...], tuple[Refusal, ...]]:
    """The child's lesions at all visits, in the order of the visits; and why others are missing.

    Parameters
    ----------
    subject
        Subject code.
    visits
        Named readings of every visit.
    config
        Policy (`segment.policy`), readers (`calipers`), error bars (`uncertainty`).
    """
    order = [v for v in (Visit.BASELINE, Visit.SCREENING, Visit.ONE_MONTH) if v in visits]
    names = list(dict.fromkeys(name for visit in order for name in visits[visit].names()))
    lesions: list[LesionMeasurement] = []
    refusals: list[Refusal] = []
    for name in names:
        readings = {visit: _one_lesion(subject, visit, name, visits[visit], config, refusals) for visit in order}
        lesions += _measure_lesion(subject, name, readings, config)
    place = {visit: index for index, visit in enumerate(Visit)}
    return tuple(sorted(lesions, key=lambda m: place[m.visit])), tuple(refusals)


@dataclass(slots=True)
class _Lesion:
    """One lesion at one visit: one measurement per scan plane of each source, or a reader's word that it is gone."""

    planes: dict[Source, list[PlaneMeasurement]] = field(default_factory=dict)
    absent: Caliper | None = None


def _one_lesion(
    subject: str, visit: Visit, name: str, readings: VisitReadings, config: Config, refusals: list[Refusal]
) -> _Lesion:
    def refuse(code: str, reason: str, remedy: str) -> None:
        refusals.append(Refusal(code=code, reason=reason, remedy=remedy, subject=subject, visit=visit, lesion=name))

    lesion = _Lesion()
    if model := readings.planes(name, Source.MODEL):
        lesion.planes[Source.MODEL] = _largest_of_each_plane(model)
    statements = [a for a in readings.absent if a.lesion == name]
    calipers = readings.planes(name, Source.CALIPER)
    if config.calipers.reader is not None:
        statements = [a for a in statements if a.reader == config.calipers.reader]
        calipers = [c for c in calipers if c.reader == config.calipers.reader]
    readers = sorted({c.reader for c in calipers} | {a.reader for a in statements})
    if len(readers) > 1:
        refuse(
            "several_readers",
            f"{name} was measured by {' and '.join(readers)}, and no reader is named.",
            "Name the one who counts: calipers.reader in the configuration.",
        )
        return lesion
    if statements and calipers:
        refuse(
            "absent_and_measured",
            f"{name} is called absent by {readers[0]} (row {statements[0].row_number}) and measured at the same visit.",
            "Take out the row that is wrong.",
        )
        return lesion
    if statements:
        lesion.absent = statements[0]
    if calipers:
        repeated = _repeats(calipers)
        if repeated and config.calipers.repeats == "refuse":
            refuse(
                "repeated_caliper",
                f"{name} was measured {len(repeated)} times in the {repeated[0].plane} plane: "
                + ", ".join(f"{c.long_axis_mm.value:.1f} mm on {c.path} frame {c.frame}" for c in repeated)
                + ".",
                "Keep one, or set calipers.repeats to mean.",
            )
        else:
            lesion.planes[Source.CALIPER] = _mean_of_each_plane(calipers)
    return lesion


def _repeats(planes: Sequence[PlaneMeasurement]) -> list[PlaneMeasurement]:
    """The calipers of one scan plane that was measured more than once; pictures of unsorted planes are no repeats."""
    for plane, group in _by_plane(planes).items():
        if len(group) > 1 and plane not in UNSORTED_PLANES:
            return group
    return []


def _by_plane(planes: Iterable[PlaneMeasurement]) -> dict[Plane, list[PlaneMeasurement]]:
    groups: dict[Plane, list[PlaneMeasurement]] = defaultdict(list)
    for plane in planes:
        groups[plane.plane].append(plane)
    return groups


def _largest_of_each_plane(planes: Iterable[PlaneMeasurement]) -> list[PlaneMeasurement]:
    """Of several pictures of one plane the one that cuts the lesion at its largest, as a reader would choose it."""
    chosen = []
    for group in _by_plane(planes).values():
        largest = max(group, key=lambda p: p.long_axis_mm.value)
        note = (f"the largest of {len(group)} {largest.plane} pictures is taken",) if len(group) > 1 else ()
        chosen.append(replace(largest, warnings=(*largest.warnings, *note)))
    return chosen


def _mean_of_each_plane(planes: Iterable[PlaneMeasurement]) -> list[PlaneMeasurement]:
    groups = _by_plane(planes)
    unsorted = _largest_of_each_plane(p for plane in UNSORTED_PLANES for p in groups.pop(plane, []))
    return [group[0] if len(group) == 1 else _mean(group) for group in groups.values()] + unsorted


def _mean(group: Sequence[PlaneMeasurement]) -> PlaneMeasurement:
    """Mean of repeated calipers, drawn where the first one lies."""
    shorts = [p.short_axis_mm for p in group if p.short_axis_mm is not None]
    return replace(
        group[0],
        long_axis_mm=_mean_quantity([p.long_axis_mm for p in group]),
        short_axis_mm=_mean_quantity(shorts) if len(shorts) == len(group) else None,
        short_axis_px=group[0].short_axis_px if len(shorts) == len(group) else None,
        warnings=(*group[0].warnings, f"mean of {len(group)} repeated calipers"),
    )


def _mean_quantity(items: Sequence[Quantity]) -> Quantity:
    """Pixel errors of repeats average out; a reader's repeatability was found between readings and stays whole."""
    n = len(items)
    names = sorted({name for item in items for name in item.parts})
    parts = {
        name: sum(item.parts.get(name, 0.0) for item in items) / n
        if name == "repeatability"
        else math.hypot(*(item.parts.get(name, 0.0) for item in items)) / n
        for name in names
    }
    return Quantity(value=sum(item.value for item in items) / n, sd=math.hypot(*parts.values()), parts=parts)


def _measure_lesion(
    subject: str, name: str, readings: Mapping[Visit, _Lesion], config: Config
) -> Iterable[LesionMeasurement]:
    order = _source_order([readings[v] for v in (Visit.BASELINE, Visit.ONE_MONTH) if v in readings], config)
    at_baseline: tuple[Axis, bool] | None = None
    for visit, lesion in readings.items():  # baseline comes first: an oblique lesion keeps the axis it took there
        source = next((s for s in order if s in lesion.planes), None)
        if lesion.absent is not None and (source is None or config.segment.policy != "model_only"):
            yield _absent(subject, visit, lesion.absent, lesion.planes.get(Source.MODEL, []))
        elif source is not None:
            planes = lesion.planes[source]
            pair = orthogonal_pair(planes)
            third: Axis | None = None
            if pair is not None:
                here = third_axis(*pair)
                at_baseline = at_baseline or here
                third = here[0] if here[1] and at_baseline[1] else at_baseline[0]
            others = [p for s in order if s is not source for p in lesion.planes.get(s, [])]
            yield _combined(subject, visit, name, planes, others, third, config)


def _source_order(compared: Sequence[_Lesion], config: Config) -> list[Source]:
    """Sources by preference: the policy's first, unless only the other measured the same planes at both visits."""
    policy = config.segment.policy
    if policy == "model_only":
        return [Source.MODEL]
    if policy == "calipers_only":
        return [Source.CALIPER]
    order = [Source.MODEL, Source.CALIPER] if policy == "model_first" else [Source.CALIPER, Source.MODEL]
    present = [lesion for lesion in compared if lesion.planes]
    preferred, other = ({_plane_names(lesion, s) for lesion in present} for s in order)
    complete = [len(kinds) == 1 and frozenset() not in kinds for kinds in (preferred, other)]
    return order[::-1] if complete[1] and not complete[0] else order


def _plane_names(lesion: _Lesion, source: Source) -> frozenset[Plane]:
    return frozenset(p.plane for p in lesion.planes.get(source, []))


def _absent(subject: str, visit: Visit, row: Caliper, seen: Sequence[PlaneMeasurement]) -> LesionMeasurement:
    nothing = Quantity(value=0.0, sd=0.0)
    warnings = tuple(
        f"the model outlines a lesion of {p.long_axis_mm.value:.1f} mm on {p.path} where the reader finds none"
        for p in seen
    )
    return LesionMeasurement(
        subject=subject,
        visit=visit,
        lesion=row.lesion,
        present=False,
        source=Source.READER_STATEMENT,
        reader=row.reader,
        planes=(),
        longest_diameter_mm=nothing,
        short_axis_mm=None,
        third_diameter_mm=None,
        volume_ml=nothing,
        volume_method=None,
        warnings=warnings,
    )


def _combined(
    subject: str,
    visit: Visit,
    name: str,
    planes: Sequence[PlaneMeasurement],
    others: Sequence[PlaneMeasurement],
    third: Axis | None,
    config: Config,
) -> LesionMeasurement:
    main = max(planes, key=lambda p: p.long_axis_mm.value)
    pair = orthogonal_pair(planes)
    sized = volume(planes, third, config.uncertainty)
    warnings = list(dict.fromkeys(w for p in planes for w in p.warnings))
    if sized is not None and sized.method is VolumeMethod.ROTATION:
        warnings.append(
            "volume from one plane: it assumes that the lesion is as deep as it is wide (rotation symmetry)"
        )
    return LesionMeasurement(
        subject=subject,
        visit=visit,
        lesion=name,
        present=True,
        source=main.source,
        reader=main.reader,
        planes=tuple(sorted(planes, key=lambda p: list(Plane).index(p.plane))),
        longest_diameter_mm=longest_diameter(planes),
        short_axis_mm=(pair[0] if pair else main).short_axis_mm,
        third_diameter_mm=third_diameter(pair[1], third) if pair and third else None,
        volume_ml=sized.quantity if sized else None,
        volume_method=sized.method if sized else None,
        volume_planes=sized.planes if sized else (),
        volume_diameters_mm=sized.diameters_mm if sized else (),
        alternatives=tuple(_alternative(p, planes) for p in others),
        warnings=tuple(warnings),
    )


def _alternative(other: PlaneMeasurement, chosen: Sequence[PlaneMeasurement]) -> Alternative:
    same = next((p for p in chosen if p.plane is other.plane), None)
    difference = None if same is None else other.long_axis_mm.value - same.long_axis_mm.value
    return Alternative(
        source=other.source,
        reader=other.reader,
        plane=other.plane,
        long_axis_mm=other.long_axis_mm,
        difference_mm=difference,
        difference_percent=None if difference is None or same is None else 100 * difference / same.long_axis_mm.value,
    )
