"""Two lesions whose names may have been swapped at one of two visits.

Nothing in a table contradicts two names that change places. But the sizes may: one lesion would have grown and the
other have shrunk by more than lesions of one child do, while both would have changed alike were the names the other
way round. Shapes and places are weighed along, and speak for the names as well as against them. Nothing is renamed:
the child waits for review.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from lesion_measure.config import Likeness
from lesion_measure.config.rounding import percent_text
from lesion_measure.measure.appearance import middle
from lesion_measure.records import (
    BASELINE,
    Doubt,
    LesionMeasurement,
    NamedBy,
    Plane,
    PlaneMeasurement,
    Refusal,
    in_words,
)

APART_SD = 3.29
"""Changes of two lesions that differ by more SDs than this are apart: by chance once in a thousand times."""
ALIKE_SD = 1.96
"""Those that differ by fewer SDs than this are alike."""
MOST_BY_SIZE = math.log(1000)
"""Sizes alone never say more, since a lesion may change as no other does. Shapes and places can speak against it."""
LEAST_EVIDENCE = math.log(100)
"""The names the other way round have to be this much likelier (log of the likelihood ratio)."""

_LOOK = "Compare the pictures of both lesions at both visits, and correct the names in the rows that are wrong."

GONE = -math.inf
"""Change of a lesion that is gone (log)."""

Couple = tuple[LesionMeasurement, LesionMeasurement]


@dataclass(frozen=True, slots=True)
class Swap:
    """Two lesions of two visits whose names may be swapped.

    ``named`` and ``swapped`` are the changes of the diameters of the first and the second lesion of ``before`` (logs),
    by their names and the other way round.
    """

    before: Couple
    after: Couple
    named: tuple[float, float]
    swapped: tuple[float, float]


def swap_doubts(lesions: Sequence[LesionMeasurement], later: Sequence[str], likeness: Likeness) -> list[Doubt]:
    """What asks for review of names that may be swapped (`perhaps_swapped`): a doubt for each two lesions and visit."""
    return [_doubt(swap) for swap in perhaps_swapped(lesions, later, likeness)]


def perhaps_swapped(lesions: Sequence[LesionMeasurement], later: Sequence[str], likeness: Likeness) -> Iterator[Swap]:
    """The lesions that a person named, whose names may be swapped at baseline or at one of the ``later`` visits.

    ``likeness``: how much the sizes, shapes and places of one lesion differ at two visits.
    """
    by_visit = {visit: _named(lesions, visit) for visit in (BASELINE, *later)}
    first = by_visit[BASELINE]
    for visit in later:
        there = by_visit[visit]
        for one, other in combinations([name for name in first if name in there and first[name].present], 2):
            found = _swap((first[one], first[other]), (there[one], there[other]), likeness)
            if found is not None:
                yield found


def _doubt(swap: Swap) -> Doubt:
    shown = next(m for m in swap.after if m.present)
    return Doubt(
        Refusal(
            code="perhaps_swapped",
            reason=_told(swap),
            remedy=_LOOK,
            path=shown.planes[0].path,
            sop_instance_uid=shown.planes[0].sop_instance_uid,
            subject=shown.subject,
            visit=shown.visit,
            lesion=shown.lesion,
        )
    )


def _told(swap: Swap) -> str:
    """Both readings, in words."""
    names = tuple(m.lesion for m in swap.before)
    before, after = (in_words(couple[0].visit) for couple in (swap.before, swap.after))
    named, swapped = (
        " and ".join(f"{name} {_became(change)}" for name, change in zip(names, changes, strict=True))
        for changes in (swap.named, swap.swapped)
    )
    return (
        f"The names {names[0]} and {names[1]} may be swapped at {before} or {after}. As they stand {named}; the other "
        f"way round {swapped}, which fits better."
    )


def _became(change: float) -> str:
    return "is gone" if change == GONE else f"changed by {percent_text(100 * math.expm1(change))} %"


def _named(lesions: Sequence[LesionMeasurement], visit: str) -> dict[str, LesionMeasurement]:
    """The lesions of a visit that have their name from a person: not what the network, asked for it, did not find."""
    people = (NamedBy.READER, NamedBy.MANIFEST)
    return {m.lesion: m for m in lesions if m.visit == visit and m.naming.by in people}


def _swap(before: Couple, after: Couple, likeness: Likeness) -> Swap | None:
    there = [m for m in (*before, *after) if m.present]
    planes = _shared(there)
    if not planes or len(there) == 2:
        return None
    both = all(m.present for m in after)
    return (_of_two if both else _of_one)(before, after, planes, likeness)


def _of_one(before: Couple, after: Couple, planes: Sequence[Plane], likeness: Likeness) -> Swap | None:
    """One is gone: the one that is left grew by far, and is as the one was that is said to be gone."""
    left = 0 if after[0].present else 1
    sd = math.sqrt(2) * likeness.size_log
    size = _size(after[left], planes)
    own, others = size - _size(before[left], planes), size - _size(before[1 - left], planes)
    if own < APART_SD * sd or abs(others) > ALIKE_SD * sd:
        return None
    if left == 0:
        return Swap(before, after, (own, GONE), (GONE, others))
    return Swap(before, after, (GONE, own), (others, GONE))


def _of_two(before: Couple, after: Couple, planes: Sequence[Plane], likeness: Likeness) -> Swap | None:
    """Both are there: what they have in common cancels, so only how they differ from each other tells."""
    (one, other), (then_one, then_other) = ([_size(m, planes) for m in couple] for couple in (before, after))
    named, swapped = (then_one - one, then_other - other), (then_other - one, then_one - other)
    sd = math.sqrt(2) * likeness.size_log
    if min(named) >= 0 or max(named) <= 0:  # lesions of one child often shrink unalike
        return None
    if abs(named[0] - named[1]) < APART_SD * sd or abs(swapped[0] - swapped[1]) > ALIKE_SD * sd:
        return None
    evidence = min(_gain(other - one, then_other - then_one, likeness.size_log), MOST_BY_SIZE)
    evidence += _of_shape(before, after, planes, likeness)
    for plane in planes:
        evidence += _of_places([_plane(m, plane) for m in before], [_plane(m, plane) for m in after], likeness)
    return Swap(before, after, named, swapped) if evidence >= LEAST_EVIDENCE else None


def _of_shape(before: Couple, after: Couple, planes: Sequence[Plane], likeness: Likeness) -> float:
    """Evidence for a swap from how much longer than wide each is; none where one of them has no short axis."""
    shapes = [_shape(m, planes) for m in (*before, *after)]
    if None in shapes:
        return 0.0
    one, other, then_one, then_other = (shape for shape in shapes if shape is not None)
    return _gain(other - one, then_other - then_one, likeness.shape_log)


def _gain(first: float, then: float, sd: float) -> float:
    """How much likelier it is that a difference of two lesions has turned round than that it stayed (nats)."""
    return ((then - first) ** 2 - (then + first) ** 2) / (4 * sd**2)


def _of_places(before: Sequence[PlaneMeasurement], after: Sequence[PlaneMeasurement], likeness: Likeness) -> float:
    """Evidence from where one lies beside the other: on one picture across and in depth, else in depth alone."""
    (across, depth), (then_across, then_depth) = _offset(before), _offset(after)
    if any(len({(p.sop_instance_uid, p.frame) for p in pair}) > 1 for pair in (before, after)):
        return _gain(depth, then_depth, math.hypot(likeness.depth_mm, likeness.move_depth_mm))
    turn = math.sin(math.radians(likeness.turn_deg))
    in_depth = _gain(depth, then_depth, math.hypot(likeness.depth_mm, turn * across))
    return in_depth + _gain(across, then_across, math.hypot(likeness.lateral_mm, turn * depth))


def _offset(pair: Sequence[PlaneMeasurement]) -> tuple[float, float]:
    (one_across, one_depth), (across, depth) = (_place(plane) for plane in pair)
    return across - one_across, depth - one_depth


def _place(plane: PlaneMeasurement) -> tuple[float, float]:
    """Where the middle of a lesion lies on its picture: across and in depth, mm."""
    row, col = middle(plane)
    return col * plane.spacing_mm[1], row * plane.spacing_mm[0]


def _shared(lesions: Sequence[LesionMeasurement]) -> list[Plane]:
    """The planes in which one source measured all of them; none where several did."""
    if len({lesion.source for lesion in lesions}) > 1:
        return []
    return [p for p in Plane if all(any(m.plane is p for m in lesion.planes) for lesion in lesions)]


def _plane(measured: LesionMeasurement, plane: Plane) -> PlaneMeasurement:
    return next(p for p in measured.planes if p.plane is plane)


def _size(measured: LesionMeasurement, planes: Sequence[Plane]) -> float:
    """Log of the long axis, mean of the planes."""
    return sum(math.log(_plane(measured, plane).long_axis_mm.value) for plane in planes) / len(planes)


def _shape(measured: LesionMeasurement, planes: Sequence[Plane]) -> float | None:
    """Log of long / short axis, mean of the planes; None where one has no short axis."""
    axes = [(p.long_axis_mm, p.short_axis_mm) for p in (_plane(measured, plane) for plane in planes)]
    ratios = [math.log(long.value / short.value) for long, short in axes if short is not None]
    return sum(ratios) / len(ratios) if len(ratios) == len(axes) else None
