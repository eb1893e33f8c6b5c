"""The named planes of a child (`naming`) -> lesions, visit by visit.

One source, model or caliper, is used for a lesion at all its visits where that is possible, so that a systematic
difference between the two does not enter the change; what was not used is kept as an alternative. Where the calipers
are the source, the short axes of the volumes have one origin too (`short_axes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lesion_measure.config import Config
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.lesions.repeats import largest_of_each_plane, mean_of_each_plane, repeats
from lesion_measure.lesions.volumes import orthogonal_pair, third_axis, third_diameter, volumes
from lesion_measure.measure.axes import longest_diameter
from lesion_measure.measure.short_axes import settle
from lesion_measure.records import (
    BASELINE,
    TRIAL,
    Alternative,
    Axis,
    Caliper,
    LesionMeasurement,
    Plane,
    PlaneMeasurement,
    Quantity,
    Refusal,
    Schedule,
    Source,
    VolumeEstimate,
    VolumeMethod,
)


def assemble(
    subject: str,
    visits: Mapping[str, VisitReadings],
    config: Config,
    schedule: Schedule = TRIAL,
    *,
    signed: bool = False,
) -> tuple[tuple[LesionMeasurement, ...], tuple[Refusal, ...]]:
    """The child's lesions at all visits, in the order of the visits; and why others are missing.

    Parameters
    ----------
    subject
        Subject code.
    visits
        Named readings of every visit.
    config
        Policy (``segment.policy``), readers (``calipers``), error bars (``uncertainty``).
    schedule
        The child's visits in order of time.
    signed
        The readers' measurements were signed in the reading room: the network's stand for none of them at any visit.
    """
    order = [v for v in dict.fromkeys((BASELINE, *schedule.names)) if v in visits]
    compared = (BASELINE, _deciding(schedule, order))
    names = list(dict.fromkeys(name for visit in order for name in visits[visit].names()))
    lesions: list[LesionMeasurement] = []
    refusals: list[Refusal] = []
    for name in names:
        readings = {visit: _one_lesion(subject, visit, name, visits[visit], config, refusals) for visit in order}
        sources = _source_order([readings[v] for v in compared if v in readings], config, signed=signed)
        lesions += _measure_lesion(subject, name, readings, config, compared, sources)
    place = {visit: index for index, visit in enumerate(schedule.names)}
    return tuple(sorted(lesions, key=lambda m: place[m.visit])), tuple(refusals)


def _deciding(schedule: Schedule, there: Sequence[str]) -> str:
    """The later visit that, with baseline, decides whose sizes are taken at all visits.

    The protocol's primary one, else the first: a scan that comes later must not change what was measured before.
    """
    if schedule.primary is not None and schedule.scheduled(schedule.primary):
        return schedule.primary
    return next((visit for visit in schedule.later if visit in there), BASELINE)


@dataclass(slots=True)
class _Lesion:
    """One lesion at one visit: one measurement per scan plane of each source, or a reader's word that it is gone."""

    planes: dict[Source, list[PlaneMeasurement]] = field(default_factory=dict)
    absent: Caliper | None = None


def _one_lesion(
    subject: str, visit: str, name: str, readings: VisitReadings, config: Config, refusals: list[Refusal]
) -> _Lesion:
    def refuse(code: str, reason: str, remedy: str) -> None:
        refusals.append(Refusal(code=code, reason=reason, remedy=remedy, subject=subject, visit=visit, lesion=name))

    lesion = _Lesion()
    if model := readings.planes(name, Source.MODEL):
        lesion.planes[Source.MODEL] = largest_of_each_plane(model)
    statements = [a for a in readings.absent if a.lesion == name]
    calipers = readings.planes(name, Source.CALIPER)
    if config.calipers.reader is not None:
        others = sorted({c.reader for c in calipers} | {a.reader for a in statements})
        statements = [a for a in statements if a.reader == config.calipers.reader]
        calipers = [c for c in calipers if c.reader == config.calipers.reader]
        if others and not statements and not calipers and not model:
            refuse(
                "other_readers_only",
                f"{name} was drawn by {' and '.join(others)} alone, and {config.calipers.reader} counts.",
                "Correct the reader's name, let the reader who counts measure the lesion too, or name who decided as "
                "calipers.adjudicator in the configuration.",
            )
    readers = sorted({c.reader for c in calipers} | {a.reader for a in statements})
    if len(readers) > 1:
        refuse(
            "several_readers",
            f"{name} was measured by {' and '.join(readers)}, and no reader is named.",
            "Name the one who counts: calipers.reader in the configuration, or calipers.adjudicator for the children "
            "whom an adjudicator read.",
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
        repeated = repeats(calipers)
        if repeated and config.calipers.repeats == "refuse":
            refuse(
                "repeated_caliper",
                f"{name} was measured {len(repeated)} times in the {repeated[0].plane} plane: "
                + ", ".join(f"{c.long_axis_mm.value:.1f} mm on {c.path} frame {c.frame}" for c in repeated)
                + ".",
                "Keep one, or set calipers.repeats to mean.",
            )
        else:
            lesion.planes[Source.CALIPER] = mean_of_each_plane(calipers)
    return lesion


def _measure_lesion(
    subject: str,
    name: str,
    readings: Mapping[str, _Lesion],
    config: Config,
    compared: Sequence[str],
    order: Sequence[Source],
) -> Iterable[LesionMeasurement]:
    chosen = {visit: _chosen(lesion, order, config) for visit, lesion in readings.items()}
    settled = settle({v: readings[v].planes[s] for v, s in chosen.items() if s is Source.CALIPER}, compared)
    at_baseline: tuple[Axis, bool] | None = None
    for visit, lesion in readings.items():  # baseline comes first: an oblique lesion keeps the axis it took there
        source = chosen[visit]
        if source is None:
            if lesion.absent is not None:
                yield _absent(subject, visit, lesion.absent, lesion.planes.get(Source.MODEL, []))
            continue
        sized = settled.get(visit, lesion.planes[source])
        pair = orthogonal_pair(sized)
        third: Axis | None = None
        if pair is not None:
            here = third_axis(*pair)
            at_baseline = at_baseline or here
            third = here[0] if here[1] and at_baseline[1] else at_baseline[0]
        others = [p for s in order if s is not source for p in lesion.planes.get(s, [])]
        yield _combined(subject, visit, name, (lesion.planes[source], sized), others, third, config)


def _chosen(lesion: _Lesion, order: Sequence[Source], config: Config) -> Source | None:
    """The source of a visit; None where there is none, or where a reader's word that the lesion is gone counts."""
    if lesion.absent is not None and config.segment.policy != "model_only":
        return None
    return next((source for source in order if source in lesion.planes), None)


def _source_order(compared: Sequence[_Lesion], config: Config, *, signed: bool) -> list[Source]:
    """Sources by preference: the policy's first, unless only the other measured the same planes at both visits."""
    policy = config.segment.policy
    if policy == "model_only":
        return [Source.MODEL]
    if policy == "calipers_only":
        return [Source.CALIPER]
    if signed:
        return [Source.CALIPER, Source.MODEL]
    order = [Source.MODEL, Source.CALIPER] if policy == "model_first" else [Source.CALIPER, Source.MODEL]
    present = [lesion for lesion in compared if lesion.planes]
    preferred, other = ({_plane_names(lesion, s) for lesion in present} for s in order)
    complete = [len(kinds) == 1 and frozenset() not in kinds for kinds in (preferred, other)]
    return order[::-1] if complete[1] and not complete[0] else order


def _plane_names(lesion: _Lesion, source: Source) -> frozenset[Plane]:
    return frozenset(p.plane for p in lesion.planes.get(source, []))


def _absent(subject: str, visit: str, row: Caliper, seen: Sequence[PlaneMeasurement]) -> LesionMeasurement:
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
    visit: str,
    name: str,
    planes_and_sized: tuple[Sequence[PlaneMeasurement], Sequence[PlaneMeasurement]],
    others: Sequence[PlaneMeasurement],
    third: Axis | None,
    config: Config,
) -> LesionMeasurement:
    """One visit of a lesion: its planes as they are reported, and as the volume takes them (`short_axes.settle`)."""
    planes, sized = planes_and_sized
    main = max(planes, key=lambda p: p.long_axis_mm.value)
    pair = orthogonal_pair(sized)
    bodies = volumes(sized, third, config.uncertainty, config.volumes)
    body = bodies[0] if bodies else None
    reported = main if pair is None else next(p for p in planes if p.plane is pair[0].plane)
    return LesionMeasurement(
        subject=subject,
        visit=visit,
        lesion=name,
        present=True,
        source=main.source,
        reader=main.reader,
        planes=tuple(sorted(planes, key=lambda p: list(Plane).index(p.plane))),
        longest_diameter_mm=longest_diameter(planes),
        short_axis_mm=reported.short_axis_mm,
        third_diameter_mm=third_diameter(pair[1], third) if pair and third else None,
        volume_ml=body.volume_ml if body else None,
        volume_method=body.method if body else None,
        volume_planes=body.planes if body else (),
        volume_diameters_mm=body.diameters_mm if body else (),
        volume_areas_mm2=body.areas_mm2 if body else (),
        volume_sources=body.sources if body else (),
        other_volumes=tuple(bodies[1:]),
        short_axis_source=reported.short_axis_source,
        alternatives=tuple(_alternative(p, planes) for p in others),
        warnings=tuple(_warnings(planes, sized, body)),
    )


def _warnings(
    planes: Sequence[PlaneMeasurement], sized: Sequence[PlaneMeasurement], body: VolumeEstimate | None
) -> Iterable[str]:
    yield from dict.fromkeys(w for p in planes for w in p.warnings)
    if body is not None and body.method in (VolumeMethod.ROTATION, VolumeMethod.AREA_LENGTH):
        yield "volume from one plane: it assumes that the lesion is as deep as it is wide (rotation symmetry)"
    if body is None:
        return
    used = {p.plane: p.short_axis_source for p in sized if p.plane in body.planes}
    drawn = {p.plane for p in planes if p.short_axis_source is Source.CALIPER}
    if any(source is Source.PROMPTED and plane in drawn for plane, source in used.items()):
        yield (
            "the volume rests on the width of the network's outline where the reader drew a short axis too, since the "
            "reader did not draw it at every visit and the visits are compared"
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
        drawn_long_mm=other.drawn[0].value,
    )
