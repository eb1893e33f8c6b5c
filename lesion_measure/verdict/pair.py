"""The sizes of one lesion at two visits that may be compared, and why others may not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lesion_measure.measure.axes import longest_diameter
from lesion_measure.measure.propagation import product_quantity
from lesion_measure.records import (
    UNSORTED_PLANES,
    LesionMeasurement,
    Metric,
    Plane,
    PlaneMeasurement,
    Quantity,
    Refusal,
    Source,
    in_words,
)
from lesion_measure.verdict.volumes import ComparedVolumes, comparable_volumes


@dataclass(frozen=True, slots=True)
class Pair:
    """One lesion's comparable sizes at both visits; ``volumes`` may be a refusal, ``products`` may be missing.

    ``same_reader`` is True where one reader (or network) measured both visits. ``warnings`` concern every size.
    """

    subject: str
    lesion: str
    visit: str
    diameters: tuple[Quantity, Quantity]
    products: tuple[Quantity, Quantity] | None
    volumes: ComparedVolumes | Refusal
    same_reader: bool
    warnings: tuple[str, ...]


def pair_sizes(before: LesionMeasurement, after: LesionMeasurement) -> Pair | Refusal:
    """What of two measurements of one lesion may be compared: sizes of the scan planes that both visits have.

    The greatest diameter of three planes against that of one would be a change of planes, not of the lesion.
    """
    warnings = list(_source_warnings(before, after))
    first, later = before.planes, after.planes
    if after.present:
        shared = {p.plane for p in first} & {p.plane for p in later}
        if not shared:
            return _planes_differ(before, after)
        if any({p.plane for p in m.planes} != shared for m in (before, after)):
            names = " and ".join(sorted(shared))
            warnings.append(f"{before.lesion}: only the {names} plane was measured at both visits and is compared")
        if shared <= UNSORTED_PLANES:
            warnings.append(f"{before.lesion}: the scan planes are not known; they may differ between the visits")
        first, later = (tuple(p for p in planes if p.plane in shared) for planes in (first, later))
        diameters = longest_diameter(first), longest_diameter(later)
    else:
        diameters = before.longest_diameter_mm, after.longest_diameter_mm
    return Pair(
        subject=before.subject,
        lesion=before.lesion,
        visit=after.visit,
        diameters=diameters,
        products=_products(first, later),
        volumes=comparable_volumes(before, after),
        same_reader=not after.present or _same_reader(before, after),
        warnings=tuple(warnings),
    )


def own_size(measured: LesionMeasurement, metric: Metric) -> Quantity | None:
    """The size that a lesion has at one visit by itself, of a metric of single lesions; None where it has none."""
    if metric is Metric.VOLUME:
        return measured.volume_ml
    if metric is Metric.SUM_OF_PRODUCTS:
        return _product(max(measured.planes, key=lambda p: p.long_axis_mm.value)) if measured.planes else None
    return measured.longest_diameter_mm


def _products(first: Sequence[PlaneMeasurement], later: Sequence[PlaneMeasurement]) -> tuple[Quantity, Quantity] | None:
    """Long x short axis in mm2 at both visits, of the plane with the longest axis; nothing later: gone, a product of 0.

    None where a short axis is missing, or where the two short axes have another origin.
    """
    one = max(first, key=lambda p: p.long_axis_mm.value)
    two = max(later, key=lambda p: p.long_axis_mm.value, default=None)
    before = _product(one)
    after = Quantity(value=0.0, sd=0.0) if two is None else _product(two)
    if before is None or after is None:
        return None
    if two is not None and one.source is two.source and one.short_axis_source is not two.short_axis_source:
        return None
    return before, after


def _product(plane: PlaneMeasurement) -> Quantity | None:
    return None if plane.short_axis_mm is None else product_quantity(plane.long_axis_mm, plane.short_axis_mm)


def _planes(planes: Iterable[Plane]) -> str:
    return " and ".join(sorted(set(planes)))


def _same_reader(before: LesionMeasurement, after: LesionMeasurement) -> bool:
    return (before.source, before.reader) == (after.source, after.reader)


def _source_warnings(before: LesionMeasurement, after: LesionMeasurement) -> Iterable[str]:
    if not after.present and after.source is Source.MODEL:
        when = in_words(after.visit)
        yield f"{before.lesion}: called gone at {when} by an empty result of {after.reader}, by no reader"
    if after.present and not _same_reader(before, after):
        yield (
            f"{before.lesion}: measured by {before.source} ({before.reader}) at {in_words(before.visit)} and by "
            f"{after.source} ({after.reader}) at {in_words(after.visit)}; a systematic difference between the two "
            "enters the change"
        )


def _planes_differ(before: LesionMeasurement, after: LesionMeasurement) -> Refusal:
    first, second = (_planes(p.plane for p in m.planes) for m in (before, after))
    return Refusal(
        code="planes_differ",
        reason=f"No change of {before.lesion}: measured in the {first} plane at {in_words(before.visit)}, {second} at "
        f"{in_words(after.visit)}.",
        remedy="Measure a plane that both visits have, or name the planes in the manifest or the caliper file.",
        subject=before.subject,
        visit=after.visit,
        lesion=before.lesion,
    )
