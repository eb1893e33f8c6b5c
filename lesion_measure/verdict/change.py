"""Two visits -> change of every size, lesion by lesion and for the child.

Change is from baseline, or from screening to baseline for the entry criteria. The interval beside it is what
measurement error alone would give (`propagation.ratio_ci95`), so a change whose interval holds zero has not been shown
to be real. Sums run over the target lesions (`targets`); one that was not measured again makes the sum incomplete, and
an incomplete sum is a refusal, not a smaller number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from lesion_measure.measure.propagation import ratio_ci95, sum_quantity
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Change,
    LesionGroup,
    LesionMeasurement,
    Metric,
    Quantity,
    Refusal,
)
from lesion_measure.verdict.doubts import Unmeasured
from lesion_measure.verdict.nadir import nadir_of
from lesion_measure.verdict.not_compared import grouped, incomplete, new_lesion, not_found_again
from lesion_measure.verdict.pair import Pair, pair_sizes

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
    refusals = [grouped(subject, group, visits[0]) for group in groups]
    refusals += [new_lesion(m, visits[0]) for m in doubtful]
    if not baseline or not later:
        lost = (baseline[name] for name in not_gone if name in baseline.keys() - drawn_later)
        return (), (*refusals, *(not_found_again(before, visits[1], not_gone[before.lesion]) for before in lost))
    apart = {name for group in groups for name in group.before} | (drawn_later - later.keys())
    pairs, unpaired = _pairs({n: m for n, m in baseline.items() if n not in apart}, later, visits[1], not_gone)
    refusals += unpaired
    changes = [change for pair in pairs for change in _lesion_changes(pair)]
    refusals += [pair.volumes for pair in pairs if isinstance(pair.volumes, Refusal)]
    summed = set(baseline if targets is None else targets)
    if missing := sorted(summed - {pair.lesion for pair in pairs}):
        if len(summed) > 1:
            refusals.append(incomplete(subject, missing, visits[1], drawn | drawn_later))
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
            refusals.append(not_found_again(first, visit, not_gone.get(name, "")))
        elif isinstance(found := pair_sizes(first, after[name]), Refusal):
            refusals.append(found)
        else:
            pairs.append(found)
    return pairs, refusals


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
