"""Shapes as what a caliper is: lines with their axes, and closed outlines (PS3.3 C.18.6.1.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lesion_measure.dicom.objects.reports.quantities import Measure, Quantity
from lesion_measure.dicom.objects.reports.shapes import Shape
from lesion_measure.records import Axis, Point

_AXES = {Measure.LONG: Axis.LONG, Measure.SHORT: Axis.SHORT, Measure.LENGTH: None}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of two points, or an outline of more, with what is stated of it; ``axis`` None where nobody says."""

    points: tuple[Point, ...]
    axis: Axis | None
    quantity: Quantity | None
    shape: Shape


def lines_of(quantities: Sequence[Quantity], shape: Shape) -> list[Line]:
    """What one shape gives, beside the numbers that were taken from it; nothing where it is no caliper and no outline.

    An ellipse gives the two axes that were drawn, its major one first. A circle gives one diameter, through the point
    that was drawn: how short the lesion is, a circle does not say.
    """
    lengths = [each for each in quantities if each.measure in _AXES]
    points = shape.points
    if shape.graphic == "ELLIPSE" and len(points) == 4:
        return _ellipse(lengths, shape)
    if shape.graphic == "CIRCLE" and len(points) == 2:
        (row, column), (rim_row, rim_column) = points
        opposite = (2 * row - rim_row, 2 * column - rim_column)
        return [Line((opposite, points[1]), Axis.LONG, _only(lengths), shape)]
    if shape.graphic in ("POLYLINE", "MULTIPOINT") and len(points) == 2:
        if shape.graphic == "MULTIPOINT" and not lengths:
            return []
        stated = _only(lengths)
        return [Line(points, _AXES[stated.measure] if stated else None, stated, shape)]
    if len(points) == 4 and not shape.is_closed and shape.graphic in ("POLYLINE", "MULTIPOINT"):
        pair = _pair(lengths)
        if pair:
            return [Line(points[:2], Axis.LONG, pair[0], shape), Line(points[2:], Axis.SHORT, pair[1], shape)]
    if shape.graphic == "POLYLINE" and _encloses(quantities, shape):
        outline = points[:-1] if points[0] == points[-1] else points
        return [Line(outline, None, None, shape)]
    return []


def _ellipse(lengths: Sequence[Quantity], shape: Shape) -> list[Line]:
    """Its major axis is drawn first; where it is the shorter one in pixels nobody says which is which."""
    first, second = shape.points[:2], shape.points[2:]
    told = math.dist(*first) >= math.dist(*second)
    long = _only([each for each in lengths if each.measure is Measure.LONG])
    short = _only([each for each in lengths if each.measure is Measure.SHORT])
    return [
        Line(first, Axis.LONG if told else None, long, shape),
        Line(second, Axis.SHORT if told else None, short, shape),
    ]


def _encloses(quantities: Sequence[Quantity], shape: Shape) -> bool:
    """Whether a polyline goes round something: closed, or an area was taken from it (older viewers leave it open)."""
    if shape.is_closed:
        return len(shape.points) >= 4
    return len(shape.points) >= 3 and any(each.measure is Measure.AREA for each in quantities)


def _pair(lengths: Sequence[Quantity]) -> tuple[Quantity, Quantity] | None:
    long = _only([each for each in lengths if each.measure is Measure.LONG])
    short = _only([each for each in lengths if each.measure is Measure.SHORT])
    return (long, short) if long and short else None


def _only(lengths: Sequence[Quantity]) -> Quantity | None:
    return lengths[0] if len(lengths) == 1 else None
