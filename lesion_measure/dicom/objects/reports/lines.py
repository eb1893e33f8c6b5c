"""Shapes as what a caliper is: lines with their axes, and closed outlines (PS3.3 C.18.6.1.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lesion_measure.dicom.objects.reports.quantities import LENGTHS, Measure, Quantity
from lesion_measure.dicom.objects.reports.shapes import Fault, Shape, same_place
from lesion_measure.dicom.objects.round_shapes import CIRCLED, ELLIPSED, axes_told, diameter
from lesion_measure.records import Axis, Point

_AXES = {Measure.LONG: Axis.LONG, Measure.SHORT: Axis.SHORT}
# Corners of a rectangle that was drawn with the mouse, in single precision.
_SQUARE_PX = 0.01
_RANKS = {"POLYLINE": 0, "MULTIPOINT": 0, "ELLIPSE": 1, "CIRCLE": 1}
_OUTLINED = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of two points, or an outline of more, with what is stated of it; ``axis`` None where nobody tells.

    ``remark`` is what a reader of the results has to know of how it was drawn.
    """

    points: tuple[Point, ...]
    axis: Axis | None
    stated: Quantity | None
    shape: Shape
    remark: str = ""

    @property
    def frame(self) -> tuple[str, int | None]:
        """Image and frame that it lies on."""
        return self.shape.image_uid, self.shape.frame

    @property
    def rank(self) -> int:
        """How much it says of a lesion's axes, the least number most: a line, an ellipse or circle, an outline."""
        return _OUTLINED if self.axis is Axis.OUTLINE else _RANKS[self.shape.graphic]


def lines_of(quantities: Sequence[Quantity], shape: Shape) -> list[Line] | Fault:
    """What one shape gives, beside the numbers that were taken from it; empty where it is no caliper and no outline.

    An ellipse gives the two axes that were drawn. A circle gives one diameter, through the point that was drawn: how
    short the lesion is, a circle does not say. A rectangle gives none: its diagonal is longer than what it frames.
    """
    if shape.fault is not None:
        return shape.fault
    lengths = [each for each in quantities if each.measure in LENGTHS]
    points = shape.points
    if shape.graphic == "ELLIPSE" and len(points) == 4:
        lines = _ellipse(lengths, shape)
    elif shape.graphic == "CIRCLE" and len(points) == 2:
        lines = [Line(diameter(*points), Axis.LONG, _only(lengths), shape, CIRCLED)]
    elif shape.graphic in ("POLYLINE", "MULTIPOINT"):
        lines = _polyline(quantities, lengths, shape)
    else:
        lines = []
    outline = lines[0].points if len(lines) == 1 else ()
    if len(outline) == 4 and _is_rectangle(outline):
        return Fault.RECTANGLE
    return Fault.POINTS if any(same_place(line.points[0], line.points[1]) for line in lines) else lines


def best_ranks(lines: Sequence[Line]) -> dict[tuple[str, int | None], tuple[int, int]]:
    """For each frame the best and the worst rank of the ways in which one lesion was drawn there."""
    ranks: dict[tuple[str, int | None], tuple[int, int]] = {}
    for line in lines:
        best, worst = ranks.get(line.frame, (line.rank, line.rank))
        ranks[line.frame] = min(best, line.rank), max(worst, line.rank)
    return ranks


def joined(shapes: Sequence[Shape]) -> Shape | None:
    """The line between two points that were drawn one by one on the same frame; None where they are no such pair."""
    if len(shapes) != 2 or any(each.graphic != "POINT" or each.fault or len(each.points) != 1 for each in shapes):
        return None
    first, second = shapes
    if (first.image_uid, first.frame) != (second.image_uid, second.frame):
        return None
    return replace(first, graphic="POLYLINE", points=first.points + second.points)


def _polyline(quantities: Sequence[Quantity], lengths: Sequence[Quantity], shape: Shape) -> list[Line]:
    points = shape.points
    drawn_alone = shape.graphic == "POLYLINE" and not quantities
    if len(points) == 2 and (lengths or drawn_alone):
        stated = _only(lengths)
        return [Line(points, _AXES.get(stated.measure) if stated else None, stated, shape)]
    long, short = _only(_of(Measure.LONG, lengths)), _only(_of(Measure.SHORT, lengths))
    if len(points) == 4 and not shape.is_closed and long and short:
        return [Line(points[:2], Axis.LONG, long, shape), Line(points[2:], Axis.SHORT, short, shape)]
    if shape.graphic == "POLYLINE" and _encloses(quantities, shape):
        return [Line(points[:-1] if shape.is_closed else points, Axis.OUTLINE, None, shape)]
    return []


def _ellipse(lengths: Sequence[Quantity], shape: Shape) -> list[Line]:
    first, second = shape.points[:2], shape.points[2:]
    long, short = axes_told(first, second)
    return [
        Line(first, long, _only(_of(Measure.LONG, lengths)), shape, ELLIPSED),
        Line(second, short, _only(_of(Measure.SHORT, lengths)), shape, ELLIPSED),
    ]


def _encloses(quantities: Sequence[Quantity], shape: Shape) -> bool:
    """Whether a polyline goes round something: it is closed, or an area was taken from it, as older viewers do."""
    return shape.is_closed or (len(shape.points) > 2 and bool(_of(Measure.AREA, quantities)))


def _is_rectangle(corners: tuple[Point, ...]) -> bool:
    """Whether the diagonals of four corners halve one another and are as long as one another."""
    (a, b), (c, d) = (corners[0], corners[2]), (corners[1], corners[3])
    halves = all(abs(a[axis] + b[axis] - c[axis] - d[axis]) < _SQUARE_PX for axis in (0, 1))
    return halves and abs(math.dist(a, b) - math.dist(c, d)) < _SQUARE_PX


def _of(measure: Measure, quantities: Sequence[Quantity]) -> list[Quantity]:
    return [each for each in quantities if each.measure is measure]


def _only(lengths: Sequence[Quantity]) -> Quantity | None:
    return lengths[0] if len(lengths) == 1 else None
