"""Cases -> the figures of each set, every one with its bootstrap interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from lesion_measure.lab.evaluation.cases import (
    CLEAR_CONTRAST,
    ELLIPSE_OF,
    FOUND_DICE,
    NETWORK_PROMPTED,
    RIGHT_DICE,
    Case,
    Drawn,
    LesionCase,
    Method,
    Placing,
    Size,
    automatic_candidates,
    prompted_candidates,
)
from lesion_measure.lab.evaluation.reliability import Reliability, reliability
from lesion_measure.stats.bootstrap import mean, median, rate, root_mean_square
from lesion_measure.stats.estimates import Estimate

Value = Callable[[LesionCase, Drawn], float | None]
Sum = Callable[[Sequence[float], Sequence[str], int, Sequence[Hashable]], Estimate]
"""Values, their groups, a seed and their lesions -> one figure."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of one outline: its key, its words and unit, how lesions are summed up, and how it is computed."""

    key: str
    label: str
    unit: str
    statistic: Sum
    value: Value


@dataclass(frozen=True, slots=True)
class LesionGroup:
    """The lesions of one class: how many, detection by the network alone, and outlines by method."""

    lesions: int
    detection: Mapping[str, Estimate]
    outlines: Mapping[Method, Mapping[str, Estimate]]


@dataclass(frozen=True, slots=True)
class SetSummary:
    """The figures of one set of pictures; keys are described in ``docs/evaluation.md``.

    What comes from calipers is over all placings of every lesion's, pooled; the counts are of lesions.

    Attributes
    ----------
    pictures, groups, lesions, lesion_free
        Counts; ``lesion_free`` pictures show none.
    placings
        How often each lesion's calipers were placed; 0 where there is no lesion.
    trained_on
        Pictures that the network was trained on, or that share a group with one; None where the bundle does not say.
    chosen_by
        Pictures, of the others, that the network was chosen on, or that share a group with one; None as above.
    detection
        What the network does by itself.
    outlines
        By method, by `MEASURES`; AUTOMATIC are the lesions that were found.
    by_size, by_class
        The same for the lesions of one class of size, and for those on pictures of one class of the set's own.
    over_ellipse
        Dice of the network minus that of the ellipse from the same calipers.
    jitter
        Dice by method and spread; ``jitter_cost`` is what it falls by from unmoved calipers to that spread.
    acceptance
        What the bundle's own thresholds let through.
    automatic, prompted
        Whether the confidence can be believed.
    """

    pictures: int
    groups: int
    lesions: int
    lesion_free: int
    placings: int
    trained_on: int | None
    chosen_by: int | None
    detection: Mapping[str, Estimate]
    outlines: Mapping[Method, Mapping[str, Estimate]]
    by_size: Mapping[Size, LesionGroup]
    by_class: Mapping[str, LesionGroup]
    over_ellipse: Mapping[Method, Estimate]
    jitter: Mapping[Method, Mapping[float, Estimate]]
    jitter_cost: Mapping[Method, Mapping[float, Estimate]]
    acceptance: Mapping[str, Estimate]
    automatic: Reliability
    prompted: Reliability


Summary = Mapping[str, SetSummary]
"""The figures by set."""


def _relative(part: Callable[[Drawn], float | None]) -> Value:
    """A distance in per cent of the true long axis."""

    def value(lesion: LesionCase, drawn: Drawn) -> float | None:
        distance = part(drawn)
        return None if distance is None or lesion.sizes is None else 100 * distance / lesion.sizes.long_axis_px

    return value


def _error(name: str, *, signed: bool) -> Value:
    """Error of a size in per cent of the true one."""

    def value(lesion: LesionCase, drawn: Drawn) -> float | None:
        if lesion.sizes is None or drawn.sizes is None:
            return None
        true = float(getattr(lesion.sizes, name))
        error = 100 * (float(getattr(drawn.sizes, name)) - true) / true
        return error if signed else abs(error)

    return value


def _log_ratio(name: str) -> Value:
    """Logarithm of a size over the true one, in per cent: on the scale that error bars are on."""

    def value(lesion: LesionCase, drawn: Drawn) -> float | None:
        if lesion.sizes is None or drawn.sizes is None:
            return None
        return 100 * math.log(float(getattr(drawn.sizes, name)) / float(getattr(lesion.sizes, name)))

    return value


MEASURES: tuple[Measure, ...] = (
    Measure("dice", "Dice", "", mean, lambda _, drawn: drawn.dice),
    Measure("surface_mean_px", "Surface distance, mean", "px", mean, lambda _, drawn: drawn.surface_mean_px),
    Measure(
        "surface_mean_percent", "Surface distance, mean", "% of long axis", mean, _relative(lambda d: d.surface_mean_px)
    ),
    Measure("surface_p95_px", "Surface distance, 95 % Hausdorff", "px", mean, lambda _, drawn: drawn.surface_p95_px),
    Measure(
        "surface_p95_percent", "Surface distance, 95 % Hausdorff", "% of long axis", mean,
        _relative(lambda d: d.surface_p95_px),
    ),
    Measure("long_axis_bias_percent", "Long axis, bias", "%", mean, _error("long_axis_px", signed=True)),
    Measure("long_axis_error_percent", "Long axis, median error", "%", median, _error("long_axis_px", signed=False)),
    Measure("short_axis_bias_percent", "Short axis, bias", "%", mean, _error("short_axis_px", signed=True)),
    Measure("short_axis_error_percent", "Short axis, median error", "%", median, _error("short_axis_px", signed=False)),
    Measure(
        "short_axis_rms_percent", "Short axis, root mean square error", "%", root_mean_square,
        _log_ratio("short_axis_px"),
    ),
    Measure("area_bias_percent", "Area, bias", "%", mean, _error("area_px", signed=True)),
    Measure("area_error_percent", "Area, median error", "%", median, _error("area_px", signed=False)),
)  # fmt: skip


_MEASURE = {measure.key: measure for measure in MEASURES}
_OF_USED = ("dice", "short_axis_error_percent", "area_error_percent")


def summarise(cases: Sequence[Case], *, seed: int = 1) -> dict[str, SetSummary]:
    """The figures of every set among the cases, by name."""
    sources = sorted({case.source for case in cases})
    return {source: _set_summary([case for case in cases if case.source == source], seed=seed) for source in sources}


def _set_summary(own: Sequence[Case], *, seed: int) -> SetSummary:
    """The figures of the cases of one set; without cases every figure is unknown."""
    lesions = [(case, lesion) for case in own for lesion in case.lesions]
    known = [case.trained_on for case in own if case.trained_on is not None]
    chosen = [case.chosen_by for case in own if case.chosen_by is not None]
    return SetSummary(
        pictures=len(own),
        groups=len({case.group for case in own}),
        lesions=len(lesions),
        lesion_free=sum(not case.lesions for case in own),
        placings=max((len(lesion.placings) for _, lesion in lesions), default=0),
        trained_on=sum(known) if known else None,
        chosen_by=sum(chosen) if chosen else None,
        detection=_detection(own, seed),
        outlines=_outlines(lesions, seed),
        by_size={size: _lesion_group([pair for pair in lesions if pair[1].size is size], seed) for size in Size},
        by_class={
            kind: _lesion_group([pair for pair in lesions if pair[0].kind == kind], seed)
            for kind in sorted({case.kind for case, _ in lesions} - {""})
        },
        over_ellipse={method: _over_ellipse(lesions, method, seed) for method in NETWORK_PROMPTED},
        jitter=_jitter(lesions, seed),
        jitter_cost=_jitter_cost(lesions, seed),
        acceptance=_acceptance(own, seed),
        automatic=reliability(automatic_candidates(own), seed),
        prompted=reliability(prompted_candidates(own), seed),
    )


Pairs = Sequence[tuple[Case, LesionCase]]


def _detection(own: Sequence[Case], seed: int) -> dict[str, Estimate]:
    scored = [case for case in own if case.automatic_dice is not None]
    clear = [case for case in scored if all(lesion.contrast >= CLEAR_CONTRAST for lesion in case.lesions)]
    drawn = [(case, one) for case in own for one in case.automatic]
    free = [case for case in own if not case.lesions]
    lesions = [(case, lesion) for case in own for lesion in case.lesions]

    def picture_dice(cases: Sequence[Case]) -> Estimate:
        return mean([case.automatic_dice or 0.0 for case in cases], [case.group for case in cases], seed)

    return {
        "picture_dice": picture_dice(scored),
        "picture_dice_clear": picture_dice(clear),
        **_lesion_detection(lesions, seed),
        "found_clear": _found([pair for pair in lesions if pair[1].contrast >= CLEAR_CONTRAST], seed),
        "drawn_right": rate([one.dice >= FOUND_DICE for _, one in drawn], [case.group for case, _ in drawn], seed),
        "invented_per_picture": mean(
            [float(sum(one.lesion is None for one in case.automatic)) for case in own], [c.group for c in own], seed
        ),
        "lesion_free_drawn": rate([bool(case.automatic) for case in free], [case.group for case in free], seed),
    }


def _lesion_detection(lesions: Pairs, seed: int) -> dict[str, Estimate]:
    best = [case.best(lesion.label) for case, lesion in lesions]
    return {
        "found": _found(lesions, seed),
        "lesion_dice": mean([one.dice if one else 0.0 for one in best], [case.group for case, _ in lesions], seed),
    }


def _found(lesions: Pairs, seed: int) -> Estimate:
    found = [case.found(lesion.label) is not None for case, lesion in lesions]
    return rate(found, [case.group for case, _ in lesions], seed)


def _outlines(lesions: Pairs, seed: int) -> dict[Method, dict[str, Estimate]]:
    table = {}
    for method in Method:
        rows = [(case.group, lesion, drawn) for case, lesion in lesions for drawn in case.outlines_of(lesion, method)]
        table[method] = {measure.key: _measured(measure, rows, seed) for measure in MEASURES}
    return table


def _measured(measure: Measure, rows: Sequence[tuple[str, LesionCase, Drawn]], seed: int) -> Estimate:
    values = [(measure.value(lesion, drawn), group, lesion) for group, lesion, drawn in rows]
    return _estimate(measure.statistic, [(value, group, of) for value, group, of in values if value is not None], seed)


def _estimate(statistic: Sum, rows: Sequence[tuple[float, str, LesionCase]], seed: int) -> Estimate:
    """From value, group and lesion of each placing."""
    return statistic([row[0] for row in rows], [row[1] for row in rows], seed, [row[2] for row in rows])


def _lesion_group(lesions: Pairs, seed: int) -> LesionGroup:
    return LesionGroup(len(lesions), _lesion_detection(lesions, seed), _outlines(lesions, seed))


def _over_ellipse(lesions: Pairs, method: Method, seed: int) -> Estimate:
    rows = [
        (one.dice - two.dice, case.group, lesion)
        for case, lesion, placing in _placings(lesions)
        if (one := placing.drawn.get(method)) and (two := placing.drawn.get(ELLIPSE_OF[method]))
    ]
    return _estimate(mean, rows, seed)


def _placings(lesions: Pairs) -> list[tuple[Case, LesionCase, Placing]]:
    return [(case, lesion, placing) for case, lesion in lesions for placing in lesion.placings]


def _spreads(lesions: Pairs, method: Method) -> list[float]:
    return sorted({spread for _, _, placing in _placings(lesions) for spread in placing.dice_at.get(method, {})})


def _jitter(lesions: Pairs, seed: int) -> dict[Method, dict[float, Estimate]]:
    return {
        method: {spread: _dice_change(lesions, method, None, spread, seed) for spread in _spreads(lesions, method)}
        for method in Method
        if method is not Method.AUTOMATIC
    }


def _jitter_cost(lesions: Pairs, seed: int) -> dict[Method, dict[float, Estimate]]:
    """What the Dice falls by from unmoved calipers, where these were run."""
    return {
        method: {spread: _dice_change(lesions, method, spread, 0.0, seed) for spread in spreads if spread > 0}
        for method in Method
        if 0.0 in (spreads := _spreads(lesions, method))
    }


def _dice_change(lesions: Pairs, method: Method, start: float | None, end: float, seed: int) -> Estimate:
    """Mean Dice at spread ``end``, minus that at ``start`` where one is given."""
    rows = [
        (at[end] - (0.0 if start is None else at[start]), case.group, lesion)
        for case, lesion, placing in _placings(lesions)
        if (at := placing.dice_at.get(method))
    ]
    return _estimate(mean, rows, seed)


def _long_axis_rms(accepted: Sequence[tuple[Case, Drawn]], seed: int) -> Estimate:
    """What an accepted outline's long axis errs by; one that touches no lesion has no true size."""
    error = _log_ratio("long_axis_px")
    known = []
    for case, drawn in accepted:
        lesion = next((one for one in case.lesions if one.label == drawn.lesion), None)
        if lesion is not None and (value := error(lesion, drawn)) is not None:
            known.append((value, case.group))
    return root_mean_square([value for value, _ in known], [group for _, group in known], seed)


def _acceptance(own: Sequence[Case], seed: int) -> dict[str, Estimate]:
    shown, free = [c for c in own if c.lesions], [c for c in own if not c.lesions]
    accepted = [(case, one) for case in own for one in case.automatic if one.accepted]
    prompted = [(c.group, x, d) for c in own for x in c.lesions for d in c.outlines_of(x, Method.LONG_AXIS)]
    used = [(group, lesion, one) for group, lesion, one in prompted if one.used]
    groups = [case.group for case, _ in accepted]

    def has_accepted(cases: Sequence[Case]) -> Estimate:
        return rate([any(d.accepted for d in c.automatic) for c in cases], [c.group for c in cases], seed)

    def share(values: Sequence[bool]) -> Estimate:
        return rate(values, [group for group, _, _ in prompted], seed, [lesion for _, lesion, _ in prompted])

    return {
        "pictures_accepted": has_accepted(shown),
        "accepted_dice": mean([one.dice for _, one in accepted], groups, seed),
        "accepted_wrong": rate([one.dice < RIGHT_DICE for _, one in accepted], groups, seed),
        "accepted_long_axis_rms_percent": _long_axis_rms(accepted, seed),
        "lesion_free_accepted": has_accepted(free),
        "long_axis_accepted": share([one.accepted for _, _, one in prompted]),
        "long_axis_used": share([one.used for _, _, one in prompted]),
        **{f"long_axis_used_{key}": _measured(_MEASURE[key], used, seed) for key in _OF_USED},
    }
