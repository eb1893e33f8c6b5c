"""What a page shows of one lesion: its sizes at every visit, whence they come, and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    Change,
    Instance,
    LesionMeasurement,
    Metric,
    NamedBy,
    Plane,
    PlaneMeasurement,
    Quantity,
    Source,
    VolumeMethod,
    Way,
)
from lesion_measure.report.cells import PictureRow, Pictures, picture_rows
from lesion_measure.report.courses import Course, lesion_course
from lesion_measure.report.cuts import CutRow, cut_rows
from lesion_measure.report.views import SubjectView
from lesion_measure.report.words import NAMED_BY, NOT_MEASURED, NOTHING, ORIGINS, PLANES, fixed

BODY_AXES = ("Longest 3D diameter", "Second 3D axis", "Third 3D axis")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """One quantity of one lesion at every visit, and its change where that is reported.

    ``origins`` says in a word or two whence each of them comes, where these are several; ``lacking`` stands where there
    is none.
    """

    label: str
    unit: str
    quantities: tuple[Quantity | None, ...]
    origins: tuple[str, ...]
    change: Change | None = None
    lacking: str = NOT_MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """One line of the legend of a lesion's pictures: the drawing's style and what it stands for."""

    style: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionView:
    """One lesion, or the liver itself, across the visits of a subject."""

    name: str
    title: str
    measured: dict[str, LesionMeasurement]
    numbers: tuple[NumberRow, ...]
    volume_methods: tuple[str, ...]
    names: tuple[str, ...]
    pictures: tuple[PictureRow, ...]
    cuts: tuple[CutRow, ...]
    course: Course | None
    key: tuple[KeyEntry, ...]
    warnings: tuple[str, ...]


def lesion_views(
    view: SubjectView, images: Mapping[str, Instance], pictures: Pictures, config: Config
) -> Iterator[LesionView]:
    """The lesions of a subject one by one, with their pictures; then the liver, where it was measured."""
    disease = view.record.disease
    parts = [
        (name, f"Lesion {name}", [m for m in view.record.lesions if m.lesion == name], view.record.changes)
        for name in view.lesion_names
    ]
    if disease is not None and view.liver:
        parts.append((view.liver[0].lesion, "The liver itself", list(view.liver), disease.liver_changes))
    for name, title, sizes, changes in parts:
        measured, own = {m.visit: m for m in sizes}, [c for c in changes if c.lesion == name]
        yield LesionView(
            name=name,
            title=title,
            measured=measured,
            numbers=_numbers(view, own, measured),
            volume_methods=tuple(dict.fromkeys(m.volume_method.value for m in measured.values() if m.volume_method)),
            names=tuple(_names(view, measured)),
            pictures=tuple(picture_rows(view.visits, measured, images, pictures, config.report.image_width_px)),
            cuts=tuple(cut_rows(measured, images, pictures, config.report.image_width_px)),
            course=lesion_course(
                view.record, view.visits, view.labels, measured, [c for c in changes if c.lesion == name]
            ),
            key=_key([p for m in measured.values() for p in m.planes]),
            warnings=_warnings(view, own, measured),
        )


def _names(view: SubjectView, measured: Mapping[str, LesionMeasurement]) -> Iterator[str]:
    """How the lesion came by its name at each visit, where that was not a reader's word."""
    for visit in view.visits:
        naming = measured[visit].naming if visit in measured else None
        if naming is not None and naming.by is not NamedBy.READER:
            sure = "" if naming.confidence is None else f", confidence {fixed(naming.confidence, 2)}"
            yield f"{view.label(visit).lower()} {NAMED_BY[naming.by]}{sure}"


def _numbers(
    view: SubjectView, changes: Sequence[Change], measured: Mapping[str, LesionMeasurement]
) -> tuple[NumberRow, ...]:
    change = {c.metric: c for c in changes if c.visit == view.record.primary_visit}
    at = [measured.get(visit) for visit in view.visits]

    def row(
        label: str,
        unit: str,
        size: Callable[[LesionMeasurement], Quantity | None],
        sources: Callable[[LesionMeasurement], Sequence[Source | None]],
        metric: Metric | None = None,
        plane: Callable[[LesionMeasurement], Plane | None] = lambda m: None,
    ) -> NumberRow:
        return NumberRow(
            label=label,
            unit=unit,
            quantities=tuple(size(m) if m else None for m in at),
            origins=tuple(_origin(m, sources(m), plane(m)) if m and size(m) else "" for m in at),
            change=change.get(metric) if metric else None,
        )

    compared = tuple(_compared_volume(view, measured, change.get(Metric.VOLUME)))
    of_planes = tuple(_compared_diameter(view, measured, change.get(Metric.LONGEST_DIAMETER)))
    return (
        row(
            "Longest diameter",
            "mm",
            lambda m: m.longest_diameter_mm,
            lambda m: [m.source],
            None if of_planes else Metric.LONGEST_DIAMETER,
            plane=lambda m: _plane_of(m, "long_axis_mm", m.longest_diameter_mm),
        ),
        *of_planes,
        row(
            "Short axis",
            "mm",
            lambda m: m.short_axis_mm,
            lambda m: [m.short_axis_source],
            plane=lambda m: _plane_of(m, "short_axis_mm", m.short_axis_mm),
        ),
        row("Third diameter", "mm", lambda m: m.third_diameter_mm, lambda m: m.volume_sources[2:], plane=_third_plane),
        row("Volume", "mL", lambda m: m.volume_ml, lambda m: m.volume_sources, None if compared else Metric.VOLUME),
        *compared,
        *(
            row(label, "mm", lambda m, i=i: m.body.axes_mm[i] if m.body else None, lambda m: [m.source])  # type: ignore[misc]
            for i, label in enumerate(BODY_AXES)
            if any(m.body for m in measured.values())
        ),
    )


def _compared_diameter(
    view: SubjectView, measured: Mapping[str, LesionMeasurement], change: Change | None
) -> Iterator[NumberRow]:
    """A row of its own for the diameters that are compared, where a visit's longest one lies in another plane."""
    if change is None:
        return
    compared = {BASELINE: change.baseline, change.visit: change.followup}
    if any(m.longest_diameter_mm.value != compared[visit].value for visit, m in measured.items() if visit in compared):
        yield _compared_row(view, "Longest diameter of the planes compared", "mm", compared, change)


def _compared_row(
    view: SubjectView, label: str, unit: str, compared: Mapping[str, Quantity], change: Change
) -> NumberRow:
    return NumberRow(
        label=label,
        unit=unit,
        quantities=tuple(compared.get(visit) for visit in view.visits),
        origins=("",) * len(view.visits),
        change=change,
        lacking=NOTHING,
    )


def _compared_volume(
    view: SubjectView, measured: Mapping[str, LesionMeasurement], change: Change | None
) -> Iterator[NumberRow]:
    """A row of its own for the volumes that are compared, where a visit reports one by another method."""
    if change is None or change.volume_method is None:
        return
    compared = {BASELINE: change.baseline, change.visit: change.followup}
    if any(m.volume_ml != compared[visit] for visit, m in measured.items() if visit in compared):
        yield _compared_row(view, f"Volume compared by: {change.volume_method}", "mL", compared, change)


def _origin(measured: LesionMeasurement, sources: Sequence[Source | None], plane: Plane | None) -> str:
    """Whence a number comes: its scan plane where there are several, and its source where a lesion was prompted."""
    words = [PLANES[plane].lower()] if plane is not None and len(measured.planes) > 1 else []
    if measured.way is Way.PROMPTED:
        words.append(" and ".join(dict.fromkeys(ORIGINS[source] for source in sources if source is not None)))
    return ", ".join(word for word in words if word)


def _plane_of(measured: LesionMeasurement, axis: str, size: Quantity | None) -> Plane | None:
    """The scan plane whose axis is reported as this size of the lesion."""
    return next((p.plane for p in measured.planes if size is not None and getattr(p, axis) == size), None)


def _third_plane(measured: LesionMeasurement) -> Plane | None:
    """The second plane of the three diameters, whichever method's volume is reported."""
    planes = {measured.volume_method: measured.volume_planes} | {v.method: v.planes for v in measured.other_volumes}
    return next(iter(planes.get(VolumeMethod.ELLIPSOID, ())[1:]), None)


def _key(planes: Sequence[PlaneMeasurement]) -> tuple[KeyEntry, ...]:
    """The legend of what is drawn on these planes, and of nothing else."""
    outlines = {p.outline_source for p in planes if p.outline_px is not None}
    entries = []
    if outlines:
        prompted = outlines == {Source.PROMPTED}
        entries.append(KeyEntry(style="outline", label="network's outline" if prompted else "outline"))
    drawn = planes and all(p.source is Source.CALIPER for p in planes)
    caliper = " (caliper)" if drawn and Source.PROMPTED in outlines else ""
    entries.append(KeyEntry(style="long", label=f"long axis{caliper}"))
    if any(p.short_axis_px is not None and not p.short_axis_prompted for p in planes):
        entries.append(KeyEntry(style="short", label=f"short axis{caliper}"))
    if any(p.short_axis_prompted for p in planes):
        entries.append(KeyEntry(style="width", label="short axis (width of the outline)"))
    return tuple(entries)


def _warnings(
    view: SubjectView, changes: Sequence[Change], measured: Mapping[str, LesionMeasurement]
) -> tuple[str, ...]:
    words: list[str] = []
    for visit in view.visits:
        if visit in measured:
            own = [*measured[visit].warnings, *(w for p in measured[visit].planes for w in p.warnings)]
            words += [f"{view.label(visit)}: {text}" for text in own]
    words += [w for c in changes for w in c.warnings]
    return tuple(dict.fromkeys(words))


def chosen_in(measured: LesionMeasurement, plane: Plane) -> PlaneMeasurement | None:
    """The measurement that was chosen in a plane, for a comparison with one that was not."""
    return next((p for p in measured.planes if p.plane is plane), None)
