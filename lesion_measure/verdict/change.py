"""Two visits -> change of every size, lesion by lesion and for the child.

Change is from baseline, or from screening to baseline for the entry criteria. The interval beside it is what
measurement error alone would give (`propagation.ratio_ci95`), so a change whose interval holds zero has not been shown
to be real. Sums run over the target lesions (`targets`); one that was not measured again makes the sum incomplete, and
an incomplete sum is a refusal, not a smaller number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from lesion_measure.measure.axes import longest_diameter
from lesion_measure.measure.propagation import product_quantity, ratio_ci95, sum_quantity
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Change,
    Fate,
    LesionGroup,
    LesionMeasurement,
    Metric,
    Plane,
    PlaneMeasurement,
    Quantity,
    Refusal,
    Source,
    in_words,
)
from lesion_measure.verdict.doubts import Unmeasured
from lesion_measure.verdict.nadir import nadir_of
from lesion_measure.verdict.volumes import ComparedVolumes, comparable_volumes

UNITS: dict[Metric, Literal["mm", "mm2", "mL"]] = {
    Metric.LONGEST_DIAMETER: "mm",
    Metric.SUM_OF_DIAMETERS: "mm",
    Metric.SUM_OF_PRODUCTS: "mm2",
    Metric.VOLUME: "mL",
}


def change_of(
    baseline: Quantity,
    followup: Quantity,
    *,
    subject: str,
    lesion: str | None,
    metric: Metric,
    visit: str = ONE_MONTH,
    same_reader: bool = True,
    warnings: tuple[str, ...] = (),
) -> Change:
    """Change of one size from an earlier visit to ``visit``.

    A follow-up of exactly zero is a statement that the lesion is gone: -100 %, without an interval.

    Parameters
    ----------
    baseline, followup
        The size at the earlier visit and at ``visit``, in the unit of ``metric``.
    subject
        Code of the subject.
    lesion
        Name of the lesion; None for the whole subject.
    metric
        Which size.
    visit
        The later visit.
    same_reader
        Whether one reader measured both, so that the bias cancels.
    warnings
        What to know of this change.
    """
    gone = followup.value == 0
    interval = None if gone else ratio_ci95(baseline, followup, same_reader=same_reader)
    return Change(
        subject=subject,
        lesion=lesion,
        metric=metric,
        visit=visit,
        unit=UNITS[metric],
        baseline=baseline,
        followup=followup,
        absolute=followup.value - baseline.value,
        percent=100 * (followup.value - baseline.value) / baseline.value,
        percent_ci95=interval,
        exceeds_error=interval is None or not interval[0] <= 0 <= interval[1],
        same_reader=same_reader,
        warnings=warnings,
    )


def with_nadirs(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes in order of time, each with the smallest size before it, baseline included.

    It is the one from which the verdict counts growth.
    """
    before: dict[tuple[str | None, Metric], list[tuple[Quantity, Quantity]]] = defaultdict(list)
    found = []
    for change in changes:
        earlier = before[change.lesion, change.metric]
        least = nadir_of(change.baseline, earlier)
        percent = 100 * (change.followup.value - least.value) / least.value if least.value else None
        found.append(replace(change, nadir=least, percent_from_nadir=percent))
        earlier.append((change.baseline, change.followup))
    return tuple(found)


def compare_subject(
    subject: str,
    lesions: Sequence[LesionMeasurement],
    targets: Collection[str] | None = None,
    *,
    new: Collection[str] = (),
    groups: Sequence[LesionGroup] = (),
    visits: tuple[str, str] = (BASELINE, ONE_MONTH),
    not_gone: Mapping[str, str] = MappingProxyType({}),
    unmeasured: Unmeasured = MappingProxyType({}),
) -> tuple[tuple[Change, ...], tuple[Refusal, ...]]:
    """Changes from one visit to a later one: of each lesion, then of the child; and why others could not be computed.

    Parameters
    ----------
    subject
        Subject code.
    lesions
        The child's lesion measurements of all visits; a lesion has the same name at every visit.
    targets
        Names of the lesions that the child's sums run over; None: all of the first visit.
    new
        Names of the lesions that a reader states to be new; any other one that the first visit lacks is refused.
    groups
        Lesions that merged or split between them; none of them is compared with a single one.
    visits
        The earlier and the later visit.
    not_gone
        Why the lack of a measurement does not say that a lesion is gone, by its name.
    unmeasured
        Lesions that a reader drew and that have no size: neither new nor gone. Why they have none asks for review by
        itself (`doubts`).
    """
    drawn, drawn_later = (unmeasured.get(visit, {}).keys() for visit in visits)
    baseline = {m.lesion: m for m in lesions if m.visit == visits[0] and m.present}
    later = {m.lesion: m for m in lesions if m.visit == visits[1]}
    followed = {name for group in groups for name in group.after}
    doubtful = (m for name, m in later.items() if m.present and name not in {*baseline, *new, *followed, *drawn})
    refusals = [_grouped(subject, group, visits[0]) for group in groups]
    refusals += [_new_lesion(m, visits[0]) for m in doubtful]
    if not baseline or not later:
        lost = (baseline[name] for name in not_gone if name in baseline.keys() - drawn_later)
        return (), (*refusals, *(_not_found_again(before, visits[1], not_gone[before.lesion]) for before in lost))
    apart = {name for group in groups for name in group.before} | (drawn_later - later.keys())
    pairs, unpaired = _pairs({n: m for n, m in baseline.items() if n not in apart}, later, visits[1], not_gone)
    refusals += unpaired
    changes = [change for pair in pairs for change in _lesion_changes(pair)]
    refusals += [pair.volumes for pair in pairs if isinstance(pair.volumes, Refusal)]
    summed = set(baseline if targets is None else targets)
    if missing := sorted(summed - {pair.lesion for pair in pairs}):
        if len(summed) > 1:
            refusals.append(_incomplete(subject, missing, visits[1], drawn | drawn_later))
    elif summed:
        changes += _subject_changes(subject, [pair for pair in pairs if pair.lesion in summed])
    return tuple(changes), tuple(refusals)


def _pairs(
    before: Mapping[str, LesionMeasurement],
    after: Mapping[str, LesionMeasurement],
    visit: str,
    not_gone: Mapping[str, str],
) -> tuple[list[Pair], list[Refusal]]:
    """The lesions that can be compared, and why others cannot."""
    pairs: list[Pair] = []
    refusals: list[Refusal] = []
    for name, first in before.items():
        if name not in after:
            refusals.append(_not_found_again(first, visit, not_gone.get(name, "")))
        elif isinstance(found := pair_sizes(first, after[name]), Refusal):
            refusals.append(found)
        else:
            pairs.append(found)
    return pairs, refusals


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
        if shared <= {Plane.UNKNOWN, Plane.OBLIQUE}:
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


def _lesion_changes(pair: Pair) -> Iterable[Change]:
    volumes = None if isinstance(pair.volumes, Refusal) else pair.volumes
    sizes = {
        Metric.LONGEST_DIAMETER: (pair.diameters, pair.warnings),
        Metric.SUM_OF_PRODUCTS: (pair.products, pair.warnings),
        Metric.VOLUME: (volumes.sizes if volumes else None, (*pair.warnings, *(volumes.warnings if volumes else ()))),
    }
    for metric, (values, warnings) in sizes.items():
        if values is not None:
            change = change_of(
                *values,
                subject=pair.subject,
                lesion=pair.lesion,
                metric=metric,
                visit=pair.visit,
                same_reader=pair.same_reader,
                warnings=warnings,
            )
            yield replace(change, volume_method=volumes.method) if volumes and metric is Metric.VOLUME else change


def _subject_changes(subject: str, pairs: Sequence[Pair]) -> Iterable[Change]:
    def change(metric: Metric, sizes: tuple[Quantity, Quantity], warnings: Iterable[str], *, alike: bool) -> Change:
        return change_of(
            *sizes, subject=subject, lesion=None, metric=metric, visit=pairs[0].visit, same_reader=alike,
            warnings=tuple(dict.fromkeys(warnings)),
        )  # fmt: skip

    alike = all(pair.same_reader for pair in pairs)
    dominant = max(pairs, key=lambda pair: pair.diameters[0].value)
    warnings = [warning for pair in pairs for warning in pair.warnings]
    yield change(Metric.LONGEST_DIAMETER, dominant.diameters, dominant.warnings, alike=dominant.same_reader)
    yield change(Metric.SUM_OF_DIAMETERS, _totals(pair.diameters for pair in pairs), warnings, alike=alike)
    products = [pair.products for pair in pairs if pair.products is not None]
    if len(products) == len(pairs):
        yield change(Metric.SUM_OF_PRODUCTS, _totals(products), warnings, alike=alike)
    volumes = [pair.volumes for pair in pairs if not isinstance(pair.volumes, Refusal)]
    if len(volumes) == len(pairs):  # else the lesion's own refusal says why the sum would be incomplete
        marks = [warning for each in volumes for warning in each.warnings]
        yield change(Metric.VOLUME, _totals(each.sizes for each in volumes), [*warnings, *marks], alike=alike)


def _totals(sizes: Iterable[tuple[Quantity, Quantity]]) -> tuple[Quantity, Quantity]:
    before, after = zip(*sizes, strict=True)
    return sum_quantity(before), sum_quantity(after)


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


def _incomplete(subject: str, missing: Sequence[str], visit: str, drawn: Collection[str]) -> Refusal:
    """``drawn``: the lesions that a reader drew and that have no size, which must not be called absent for that."""
    return Refusal(
        code="incomplete_sum",
        reason=f"No change of the child's sums: {', '.join(missing)} could not be compared.",
        remedy="Settle first why its calipers gave no size."
        if set(missing) <= {*drawn}
        else "Measure the missing lesion with calipers, or state that it is absent.",
        subject=subject,
        visit=visit,
    )


def _not_found_again(before: LesionMeasurement, visit: str, not_gone: str) -> Refusal:
    return Refusal(
        code="not_found_at_followup",
        reason=f"{before.lesion} was measured at {in_words(before.visit)} and not at {in_words(visit)}; that does not "
        f"mean it disappeared{'; ' if not_gone else ''}{not_gone}.",
        remedy="Place calipers on it, or add an 'absent' row to the caliper file where a reader finds it gone.",
        subject=before.subject,
        visit=visit,
        lesion=before.lesion,
    )


def _grouped(subject: str, group: LesionGroup, first: str) -> Refusal:
    before, after = " and ".join(group.before), " and ".join(group.after)
    what = "merged into" if group.fate is Fate.MERGED else "split into"
    return Refusal(
        code=group.fate.value,
        reason=f"{before} of {in_words(first)} seems to have {what} {after} (confidence {group.confidence:.2f}). "
        "Neither is compared with a single one.",
        remedy="Compare the pictures; where it is not so, name each lesion by a caliper.",
        subject=subject,
        visit=group.visit,
        lesion=group.after[0],
    )


def _new_lesion(after: LesionMeasurement, first: str) -> Refusal:
    return Refusal(
        code="not_found_at_baseline",
        reason=f"{after.lesion} was measured at {in_words(after.visit)} and not at {in_words(first)}: new, or missed "
        "before. Until that is settled there is no verdict on the response.",
        remedy=f"Look at the {in_words(first)} images: place calipers on it there, state that it is absent there (then "
        "it is new), or take it out where it is no lesion.",
        subject=after.subject,
        visit=after.visit,
        lesion=after.lesion,
    )
