"""Calipers that were measured and can hardly be meant: slips of hand and pen that a careful reader would see.

Sizes by whomever are doubted here as well: of an image whose pixels may have been rescaled, of a lesion at the edge of
the picture, and of visits of which one has planes or pictures that the other lacks.

None of them is taken out: the number stands, asks for review, and no verdict that rests on it is certain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from lesion_measure.config.rounding import percent_text
from lesion_measure.measure.axes import PERPENDICULAR_WITHIN_DEG, SHORT_IS_LONGER, angle_deg, cross
from lesion_measure.records import (
    BASELINE,
    CUT_OFF,
    ONE_MONTH,
    RESCALED,
    SHALLOW,
    SORTED_PLANES,
    UNSORTED_PLANES,
    Doubt,
    LesionMeasurement,
    PlaneMeasurement,
    Point,
    Refusal,
    Source,
    in_words,
)

UNLIKELY_SD = 3.29
"""Axes whose changes differ by more SDs of measurement error than that differ by chance once in a thousand times."""

_LOOK = "Look at the calipers in the report, and correct the rows that are wrong."
_DRAW = "Look at the outlines in the report, and measure by caliper where they are wrong or lacking."
_WHOLE = "Measure on a picture that shows the lesion whole, or state that its size is not assessable there."
_NAME_PLANES = "Name the scan planes, or measure as many pictures at both visits."
_COPY = "Find out which visit the picture is of, and export the other visit's own images again."
_ORIGINAL = "Compare a printed value or the depth scale with `lesion-measure ruler`, or export the scanner's own image."

LEAST_LIVER_MM = 40.0
"""A liver is longer: at 1 to 3 months 64 mm, SD 10.4 (Konus and others, AJR 1998;171:1693-1698)."""


def implausible(
    lesions: Sequence[LesionMeasurement],
    liver: Sequence[LesionMeasurement] = (),
    later: Sequence[str] = (ONE_MONTH,),
) -> list[Doubt]:
    """What is odd about a child's sizes: axes that do not belong together, planes that tell different stories.

    Visits are held against one another where both sizes are a reader's, or both the network's.

    ``liver``: what was measured under the name that is kept for the organ. ``later``: the visits that are compared with
    baseline.
    """
    found: list[Doubt] = [*_no_organ(liver, lesions), *_copied(lesions), *_one_picture([*lesions, *liver])]
    for measured in lesions:
        for plane in measured.planes:
            found += [*_rescaled(measured, plane), *_cut_off(measured, plane), *_odd_axes(measured, plane)]
    by_name = {(m.visit, m.lesion): m for m in lesions if m.present}
    for name in dict.fromkeys(m.lesion for m in lesions):
        before = by_name.get((BASELINE, name))
        for after in (by_name.get((visit, name)) for visit in later):
            if before is not None and after is not None and before.source is after.source:
                found += [*_planes_lost(before, after), *_pictures_lost(before, after)]
                found += _disproportion(before, after)
    return found


def _no_organ(liver: Sequence[LesionMeasurement], lesions: Sequence[LesionMeasurement]) -> Iterator[Doubt]:
    """A lesion that was named like the organ, and so is in no sum."""
    for organ in (m for m in liver if m.present):
        size = organ.longest_diameter_mm.value
        most = max((m.longest_diameter_mm.value for m in lesions if m.visit == organ.visit), default=0.0)
        if size < max(LEAST_LIVER_MM, most):
            reason = f"'{organ.lesion}' is kept for the whole organ, and {size:.0f} mm is no liver: is it a lesion?"
            doubt = _doubt("no_liver", reason, organ, organ.planes[0] if organ.planes else None)
            yield replace(doubt, refusal=replace(doubt.refusal, lesion=None))  # the verdict lacks it


def _rescaled(measured: LesionMeasurement, plane: PlaneMeasurement) -> Iterator[Doubt]:
    """A size whose scale may be that of other pixels."""
    for warning in plane.warnings:
        if warning.startswith(RESCALED):
            reason = f"{measured.lesion}, {plane.plane} plane: {warning}"
            yield _doubt("perhaps_rescaled", reason, measured, plane, _ORIGINAL)
        elif warning.startswith(SHALLOW):
            reason = f"{measured.lesion}, {plane.plane} plane: {warning}"
            yield _doubt("implausibly_shallow", reason, measured, plane, _ORIGINAL)


def _cut_off(measured: LesionMeasurement, plane: PlaneMeasurement) -> Iterator[Doubt]:
    """A size that the edge of the picture may have made too small."""
    for warning in plane.warnings:
        if warning.startswith(CUT_OFF):
            reason = f"{measured.lesion}, {plane.plane} plane: {warning}."
            yield _doubt("perhaps_cut_off", reason, measured, plane, _WHOLE)


def _copied(lesions: Sequence[LesionMeasurement]) -> Iterator[Doubt]:
    """The same end points on two pictures: copied rows with another image. Nobody knows which were drawn: both wait."""
    seen: dict[frozenset[Point], tuple[LesionMeasurement, PlaneMeasurement]] = {}
    for measured in lesions:
        for plane in measured.planes:
            ends = frozenset((float(row), float(col)) for row, col in plane.long_axis_px)
            if plane.source is not Source.CALIPER or all(value.is_integer() for end in ends for value in end):
                continue
            first, other = seen.setdefault(ends, (measured, plane))
            if (other.sop_instance_uid, other.frame) != (plane.sop_instance_uid, plane.frame):
                reason = (
                    f"{measured.lesion}: the long axis has the same end points, to the last digit, as that of "
                    f"{first.lesion} at {in_words(first.visit)} on another picture: were its rows copied?"
                )
                yield _doubt("same_points", reason, first, other)
                yield _doubt("same_points", reason, measured, plane)


def _one_picture(measured: Sequence[LesionMeasurement]) -> Iterator[Doubt]:
    """A picture of several visits, pixel by pixel: no two scans give one, and nobody knows whose it is. All wait."""
    found: dict[str, dict[str, tuple[LesionMeasurement, PlaneMeasurement]]] = {}
    for lesion in measured:
        for plane in lesion.planes:
            if plane.picture_sha256:
                found.setdefault(plane.picture_sha256, {}).setdefault(lesion.visit, (lesion, plane))
    for visits in found.values():
        if len(visits) > 1:
            names = " and ".join(f"{lesion.lesion} at {in_words(visit)}" for visit, (lesion, _) in visits.items())
            reason = f"{names} were measured on one picture, pixel by pixel: it can be of one visit alone."
            for lesion, plane in visits.values():
                yield _doubt("one_picture", reason, lesion, plane, _COPY)


def _doubt(
    code: str, reason: str, measured: LesionMeasurement, plane: PlaneMeasurement | None = None, remedy: str = ""
) -> Doubt:
    return Doubt(
        Refusal(
            code=code,
            reason=reason,
            remedy=remedy or (_DRAW if measured.source is Source.MODEL else _LOOK),
            path=plane.path if plane else None,
            sop_instance_uid=plane.sop_instance_uid if plane else None,
            subject=measured.subject,
            visit=measured.visit,
            lesion=measured.lesion,
        )
    )


def _odd_axes(measured: LesionMeasurement, plane: PlaneMeasurement) -> Iterator[Doubt]:
    """Long and short axis of one picture, where a reader drew both."""
    short = plane.short_axis_px
    by_mask = plane.outline_px is not None and plane.prompted is None
    if plane.source is not Source.CALIPER or short is None or plane.short_axis_prompted or by_mask:
        return
    where = f"{measured.lesion}, {plane.plane} plane"
    if SHORT_IS_LONGER in plane.warnings:
        yield _doubt("short_axis_longer", f"{where}: {SHORT_IS_LONGER}.", measured, plane)
    angle = angle_deg(plane.long_axis_px, short, plane.spacing_mm)
    if angle < 90 - PERPENDICULAR_WITHIN_DEG:
        reason = f"{where}: long and short axis meet at {angle:.0f} degrees, not at a right angle."
        yield _doubt("axes_not_perpendicular", reason, measured, plane)
    elif not cross(plane.long_axis_px, short):
        yield _doubt("axes_apart", f"{where}: long and short axis do not cross each other.", measured, plane)


def _planes_lost(before: LesionMeasurement, after: LesionMeasurement) -> Iterator[Doubt]:
    """Planes that were drawn at one visit alone: the longest diameter may lie there."""
    first, later = ({p.plane for p in m.planes} for m in (before, after))
    if first & later and first != later:
        names = " and ".join(sorted(first ^ later))
        reason = f"{before.lesion}: the {names} plane was drawn at one of the visits alone, and is not compared."
        yield _doubt("plane_at_one_visit", reason, after)


def _pictures_lost(before: LesionMeasurement, after: LesionMeasurement) -> Iterator[Doubt]:
    """More pictures of planes without a name at one visit: the largest of many is larger than that of few."""
    first, later = ({p.plane: p.pictures for p in m.planes if p.plane in UNSORTED_PLANES} for m in (before, after))
    for plane in sorted(first.keys() & later.keys()):
        if first[plane] != later[plane]:
            reason = (
                f"{before.lesion}, {plane} planes: the largest of {first[plane]} at {in_words(before.visit)} is held "
                f"against the largest of {later[plane]} at {in_words(after.visit)}, which need not be the same plane."
            )
            yield _doubt("other_pictures", reason, after, remedy=_NAME_PLANES)


def _disproportion(before: LesionMeasurement, after: LesionMeasurement) -> Iterator[Doubt]:
    """Axes of one lesion that changed by more different factors than measurement error explains."""
    changes = []
    for plane in SORTED_PLANES & {p.plane for p in before.planes} & {p.plane for p in after.planes}:
        one, two = (next(p for p in m.planes if p.plane is plane) for m in (before, after))
        pairs = [("long", one.long_axis_mm, two.long_axis_mm)]
        if one.short_axis_mm and two.short_axis_mm and one.short_axis_source is two.short_axis_source is Source.CALIPER:
            pairs.append(("short", one.short_axis_mm, two.short_axis_mm))
        changes += [
            (f"{plane} {axis} axis", math.log(y.value / x.value), math.hypot(x.sd / x.value, y.sd / y.value))
            for axis, x, y in pairs
        ]
    for (name, change, sd), (other, its_change, its_sd) in combinations(sorted(changes), 2):
        if abs(change - its_change) > UNLIKELY_SD * math.hypot(sd, its_sd):
            reason = (
                f"{before.lesion}: the {name} changed by {_percent(change)}, the {other} by {_percent(its_change)}: "
                "more apart than measurement error explains."
            )
            yield _doubt("axes_disagree", reason, after)
            return


def _percent(log: float) -> str:
    return f"{percent_text(100 * math.expm1(log))} %"
