"""Stage 6: two visits -> change of every size, lesion by lesion and for the child.

Change is always from baseline. The interval beside it is what measurement error alone would give
(`uncertainty.ratio_ci95`), so a change whose interval holds zero has not been shown to be real. Sums run over every
lesion that was measured at baseline; one that was not measured again makes the sum incomplete, and an incomplete sum is
a refusal, not a smaller number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lesion_measure.combine import longest_diameter
from lesion_measure.measure.uncertainty import ratio_ci95
from lesion_measure.records import (
    Change,
    LesionMeasurement,
    Metric,
    Plane,
    Quantity,
    Refusal,
    Source,
    Visit,
)

UNITS = {Metric.LONGEST_DIAMETER: "mm", Metric.SUM_OF_DIAMETERS: "mm", Metric.VOLUME: "mL"}


def change_of(
    baseline: Quantity,
    followup: Quantity,
    *,
    subject: str,
    lesion: str | None,
    metric: Metric,
    warnings: tuple[str, ...] = (),
) -> Change:
    """Change of one size from baseline to one month.

    A follow-up of exactly zero is a statement that the lesion is gone: -100 %, without an interval.
    """
    gone = followup.value == 0
    interval = None if gone else ratio_ci95(baseline, followup)
    return Change(
        subject=subject,
        lesion=lesion,
        metric=metric,
        visit=Visit.ONE_MONTH,
        unit=UNITS[metric],
        baseline=baseline,
        followup=followup,
        absolute=followup.value - baseline.value,
        percent=100 * (followup.value - baseline.value) / baseline.value,
        percent_ci95=interval,
        exceeds_error=interval is None or not interval[0] <= 0 <= interval[1],
        warnings=warnings,
    )


def compare_subject(
    subject: str, lesions: Sequence[LesionMeasurement]
) -> tuple[tuple[Change, ...], tuple[Refusal, ...]]:
    """Changes from baseline to one month: of each lesion, then of the child; and why others could not be computed.

    Parameters
    ----------
    subject
        Subject code.
    lesions
        The child's lesion measurements of all visits; a lesion has the same name at every visit.
    """
    baseline = {m.lesion: m for m in lesions if m.visit is Visit.BASELINE and m.present}
    followup = {m.lesion: m for m in lesions if m.visit is Visit.ONE_MONTH}
    refusals = [_new_lesion(m) for name, m in followup.items() if name not in baseline and m.present]
    if not baseline or not followup:
        return (), tuple(refusals)
    pairs: list[Pair] = []
    for name, before in baseline.items():
        after = followup.get(name)
        found = _not_found_again(before) if after is None else pair_sizes(before, after)
        if isinstance(found, Refusal):
            refusals.append(found)
        else:
            pairs.append(found)
    changes = [change for pair in pairs for change in _lesion_changes(pair)]
    refusals += [pair.volumes for pair in pairs if isinstance(pair.volumes, Refusal)]
    if len(pairs) == len(baseline):
        changes += _subject_changes(subject, pairs)
    elif len(baseline) > 1:
        refusals.append(_incomplete(subject, sorted(set(baseline) - {pair.lesion for pair in pairs})))
    return tuple(changes), tuple(refusals)


@dataclass(frozen=True, slots=True)
class Pair:
    """One lesion's comparable sizes at both visits; ``volumes`` may be a refusal.

    ``warnings`` concern every size, ``volume_warnings`` volumes alone.
    """

    subject: str
    lesion: str
    diameters: tuple[Quantity, Quantity]
    volumes: tuple[Quantity, Quantity] | Refusal
    warnings: tuple[str, ...]
    volume_warnings: tuple[str, ...] = ()


def pair_sizes(before: LesionMeasurement, after: LesionMeasurement) -> Pair | Refusal:
    """What of two measurements of one lesion may be compared: sizes of the scan planes that both visits have.

    The greatest diameter of three planes against that of one would be a change of planes, not of the lesion.
    """
    warnings = list(_source_warnings(before, after))
    if not after.present:
        diameters = (before.longest_diameter_mm, after.longest_diameter_mm)
    else:
        shared = {p.plane for p in before.planes} & {p.plane for p in after.planes}
        if not shared:
            return _planes_differ(before, after)
        if any({p.plane for p in m.planes} != shared for m in (before, after)):
            names = " and ".join(sorted(shared))
            warnings.append(f"{before.lesion}: only the {names} plane was measured at both visits and is compared")
        if shared <= {Plane.UNKNOWN, Plane.OBLIQUE}:
            warnings.append(f"{before.lesion}: the scan planes are not known; they may differ between the visits")
        diameters = (
            longest_diameter([p for p in before.planes if p.plane in shared]),
            longest_diameter([p for p in after.planes if p.plane in shared]),
        )
    return Pair(
        subject=before.subject,
        lesion=before.lesion,
        diameters=diameters,
        volumes=_comparable_volumes(before, after),
        warnings=tuple(warnings),
        volume_warnings=tuple(_prompted_volume(before, after)),
    )


def _lesion_changes(pair: Pair) -> Iterable[Change]:
    sizes = {
        Metric.LONGEST_DIAMETER: (pair.diameters, pair.warnings),
        Metric.VOLUME: (pair.volumes, (*pair.warnings, *pair.volume_warnings)),
    }
    for metric, (values, warnings) in sizes.items():
        if not isinstance(values, Refusal):
            yield change_of(*values, subject=pair.subject, lesion=pair.lesion, metric=metric, warnings=warnings)


def _subject_changes(subject: str, pairs: Sequence[Pair]) -> Iterable[Change]:
    dominant = max(pairs, key=lambda pair: pair.diameters[0].value)
    warnings = tuple(dict.fromkeys(warning for pair in pairs for warning in pair.warnings))
    yield change_of(
        *dominant.diameters, subject=subject, lesion=None, metric=Metric.LONGEST_DIAMETER, warnings=dominant.warnings
    )
    sums = (total(pair.diameters[0] for pair in pairs), total(pair.diameters[1] for pair in pairs))
    yield change_of(*sums, subject=subject, lesion=None, metric=Metric.SUM_OF_DIAMETERS, warnings=warnings)
    volumes = [pair.volumes for pair in pairs if not isinstance(pair.volumes, Refusal)]
    if len(volumes) == len(pairs):  # else the lesion's own refusal says why the sum would be incomplete
        sums = (total(before for before, _ in volumes), total(after for _, after in volumes))
        marks = (warning for pair in pairs for warning in pair.volume_warnings)
        warnings = tuple(dict.fromkeys((*warnings, *marks)))
        yield change_of(*sums, subject=subject, lesion=None, metric=Metric.VOLUME, warnings=warnings)


def total(quantities: Iterable[Quantity]) -> Quantity:
    """Sum of independent quantities; variances add, by part as well."""
    items = list(quantities)
    parts: dict[str, float] = {}
    for item in items:
        for name, sd in item.parts.items():
            parts[name] = math.hypot(parts.get(name, 0.0), sd)
    return Quantity(value=sum(item.value for item in items), sd=math.hypot(*(item.sd for item in items)), parts=parts)


def _comparable_volumes(before: LesionMeasurement, after: LesionMeasurement) -> tuple[Quantity, Quantity] | Refusal:
    def refuse(code: str, reason: str, remedy: str) -> Refusal:
        return Refusal(
            code=code, reason=f"No change of volume: {reason}.", remedy=remedy, subject=before.subject,
            visit=Visit.ONE_MONTH, lesion=before.lesion,
        )  # fmt: skip

    if before.volume_ml is not None and not after.present:
        return before.volume_ml, Quantity(value=0.0, sd=0.0)
    if before.volume_ml is None or after.volume_ml is None:
        which = before if before.volume_ml is None else after
        return refuse(
            "no_volume",
            f"{which.lesion} has no volume at {which.visit.replace('_', ' ')}",
            "Measure both axes in one plane, or better in two orthogonal planes.",
        )
    if before.volume_method is not after.volume_method:
        return refuse(
            "volume_method_differs",
            f"{before.volume_method} at baseline, {after.volume_method} at one month",
            "Measure the same planes at both visits.",
        )
    if before.volume_planes != after.volume_planes:
        return refuse(
            "volume_planes_differ",
            f"from {_planes(before.volume_planes)} at baseline and {_planes(after.volume_planes)} at one month",
            "Measure the same planes at both visits.",
        )
    if before.source is after.source and before.volume_sources != after.volume_sources:
        # where the whole measurement has another source, every change of the lesion says so (`_source_warnings`)
        first, second = (_origins(m) for m in (before, after))
        return refuse(
            "volume_source_differs",
            f"its diameters are by {first} at baseline, by {second} at one month",
            "Draw the short axis at both visits, or at neither where the network's outline is used at both.",
        )
    return before.volume_ml, after.volume_ml


def _origins(measured: LesionMeasurement) -> str:
    """Whence the diameters of a volume come, in words."""
    return ", ".join(measured.volume_sources)


def _prompted_volume(before: LesionMeasurement, after: LesionMeasurement) -> Iterable[str]:
    """The mark of a volume that is in part the network's."""
    visits = [m for m in (before, after) if Source.PROMPTED in m.volume_sources]
    if visits:
        when = "" if len(visits) == 2 else f" at {visits[0].visit.replace('_', ' ')}"
        yield f"{before.lesion}: the volume{when} rests on the network's outline, prompted by the reader's calipers"


def _planes(planes: Iterable[Plane]) -> str:
    return " and ".join(sorted(set(planes)))


def _source_warnings(before: LesionMeasurement, after: LesionMeasurement) -> Iterable[str]:
    if after.present and (before.source, before.reader) != (after.source, after.reader):
        yield (
            f"{before.lesion}: measured by {before.source} ({before.reader}) at baseline and by {after.source} "
            f"({after.reader}) at one month; a systematic difference between the two enters the change"
        )


def _planes_differ(before: LesionMeasurement, after: LesionMeasurement) -> Refusal:
    first, second = (_planes(p.plane for p in m.planes) for m in (before, after))
    return Refusal(
        code="planes_differ",
        reason=f"No change of {before.lesion}: measured in the {first} plane at baseline, {second} at one month.",
        remedy="Measure a plane that both visits have, or name the planes in the manifest or the caliper file.",
        subject=before.subject,
        visit=Visit.ONE_MONTH,
        lesion=before.lesion,
    )


def _incomplete(subject: str, missing: Sequence[str]) -> Refusal:
    return Refusal(
        code="incomplete_sum",
        reason=f"No change of the child's sums: {', '.join(missing)} could not be compared.",
        remedy="Measure the missing lesion with calipers, or state that it is absent.",
        subject=subject,
        visit=Visit.ONE_MONTH,
    )


def _not_found_again(before: LesionMeasurement) -> Refusal:
    return Refusal(
        code="not_found_at_followup",
        reason=f"{before.lesion} was measured at baseline and not at one month; that does not mean it disappeared.",
        remedy="Place calipers on it, or add an 'absent' row to the caliper file where a reader finds it gone.",
        subject=before.subject,
        visit=Visit.ONE_MONTH,
        lesion=before.lesion,
    )


def _new_lesion(after: LesionMeasurement) -> Refusal:
    return Refusal(
        code="not_found_at_baseline",
        reason=f"{after.lesion} was measured at one month and not at baseline: new, or missed before. "
        "Until that is settled there is no verdict on the response.",
        remedy="Look at the baseline images and place calipers there, or take the lesion out where it is none.",
        subject=after.subject,
        visit=Visit.ONE_MONTH,
        lesion=after.lesion,
    )
