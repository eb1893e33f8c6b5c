"""One graphic object, or one compound graphic, of a presentation state to lines and contours (PS3.3 C.10.5.1.2, .3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pydicom import Dataset

from lesion_measure.dicom.elements import integer, number, numbers, text, uid
from lesion_measure.dicom.objects.presentation.display import Display, Place, Points, unusable
from lesion_measure.dicom.objects.round_shapes import CIRCLED, ELLIPSED, axes_told, diameter
from lesion_measure.errors import InputError
from lesion_measure.records import Axis

NOT_MEASURED = "drawing_not_measured"
"""Code of what is drawn and measures nothing, as an arrow."""
MOST_POINTS = 20_000
_FEWEST_CORNERS = 5
"""Corners that an outline of a lesion has; a rectangle or an arrow head has fewer."""
_CLOSED_PX = 1.0
_FEWEST_PX = 1e-3
_STEPS, _CURVE_POINTS = 8, 1000
_LINES = ("RULER", "MULTILINE")
_DRAW_LINE = "Draw a line from edge to edge."


@dataclass(frozen=True, slots=True)
class Figure:
    """What one graphic draws, (row, column) with pixel centres at integers.

    ``parts`` are lines (2, 2) or contours (n, 2): one, or the two axes of an ellipse; ``axes`` says which is which,
    where the kind of graphic does. ``open_end`` are the points of a line that is bent, which may be the head of an
    arrow. ``group`` is the graphic group's number, ``remark`` what there is to know of how it was drawn.
    """

    parts: tuple[Points, ...] = ()
    axes: tuple[Axis | None, ...] = (None,)
    remark: str = ""
    open_end: Points | None = None
    group: int | None = None
    tracking_identifier: str = ""
    tracking_uid: str = ""

    @property
    def line(self) -> Points | None:
        """The line, where it is one line and nothing else."""
        return self.parts[0] if len(self.parts) == 1 and len(self.parts[0]) == 2 else None

    @property
    def marks(self) -> Points:
        """Where a text beside it may stand: its ends or corners, and its middle."""
        points = np.concatenate(self.parts)
        return np.vstack([points, points.mean(axis=0)])


def simple_figure(item: Dataset, display: Display, place: Place) -> Figure:
    """The figure of an item of Graphic Object Sequence.

    Raises
    ------
    InputError
        Code `NOT_MEASURED` where it measures nothing; another where it cannot be used.
    """
    kind = text(item, "GraphicType").upper()
    points = _points(item, display, text(item, "GraphicAnnotationUnits").upper(), place)
    parts: tuple[Points, ...] = ()
    bent: Points | None = None
    if kind == "POLYLINE" or (kind == "INTERPOLATED" and len(points) == 2):
        if len(points) == 2:
            parts = (points,)
        elif _closed(points):
            parts = (_contour(points),)
        else:
            bent = points
    elif kind == "INTERPOLATED":
        if not _closed(points):
            raise _nothing("a curve that is not closed")
        parts = (_curve(_contour(points)),)
    elif kind == "CIRCLE":
        parts = (np.array(diameter(*_pairs(_exactly(points, 2, kind)))),)
        return replace(_figure(item, parts), axes=(Axis.LONG,), remark=CIRCLED)
    elif kind == "ELLIPSE":
        _exactly(points, 4, kind)
        return _ellipse(item, (points[:2], points[2:]))
    elif kind == "MULTIPOINT" and len(points) == 2:
        raise unusable(
            "points_unclear", "Two points are marked, and nothing says that they are the ends of one line.", _DRAW_LINE
        )
    elif kind in ("POINT", "MULTIPOINT"):
        raise _nothing("a point" if kind == "POINT" else "points")
    else:
        raise unusable("drawing_damaged", "It does not say what kind of graphic it is.", _DRAW_LINE)
    return _figure(item, parts, bent)


def compound_figure(item: Dataset, display: Display, place: Place) -> Figure:
    """The figure of an item of Compound Graphic Sequence; raises as `simple_figure`.

    A ruler and a line of two points are lines. An ellipse is given by the corners of its upright box, and may be
    rotated (C.10.5.1.3.2, .3). Cut lines and infinite lines end nowhere (C.10.5.1.3.6).
    """
    kind = text(item, "CompoundGraphicType").upper()
    if kind not in (*_LINES, "ELLIPSE"):
        raise _nothing(kind.lower() if kind.isalpha() and kind.isascii() and kind else "a compound graphic")
    units = text(item, "CompoundGraphicUnits").upper()
    points = _points(item, display, units, place)
    if kind == "MULTILINE" and len(points) != 2:
        raise _nothing("several lines in one")
    _exactly(points, 2, kind)
    parts: tuple[Points, ...] = (points,)
    if kind == "ELLIPSE":
        (top, left), (bottom, right) = points
        row, col = points.mean(axis=0)
        parts = (np.array([[row, left], [row, right]]), np.array([[top, col], [bottom, col]]))
    angle = number(item, "RotationAngle") if "RotationAngle" in item else 0.0
    if angle:
        about = numbers(item, "RotationPoint")
        if units != "PIXEL" or len(about) != 2 or None in about:
            raise unusable("drawing_damaged", "It is rotated about a point that is not stated in pixels.", _DRAW_LINE)
        centre = display.to_pixels(np.array([about], dtype=np.float64), units, place)[0]
        parts = tuple(_rotated(part, centre, angle) for part in parts)
    elif angle is None:
        raise unusable("drawing_damaged", "Its angle of rotation is no number.", _DRAW_LINE)
    return _ellipse(item, parts) if kind == "ELLIPSE" else _figure(item, parts)


def _ellipse(item: Dataset, parts: tuple[Points, ...]) -> Figure:
    first, second = parts
    return replace(_figure(item, parts), axes=axes_told(_pairs(first), _pairs(second)), remark=ELLIPSED)


def _pairs(points: Points) -> list[tuple[float, float]]:
    return [(float(row), float(col)) for row, col in points]


def _figure(item: Dataset, parts: tuple[Points, ...], bent: Points | None = None) -> Figure:
    for part in parts:
        if len(part) == 2 and float(np.hypot(*(part[1] - part[0]))) < _FEWEST_PX:
            raise unusable("drawing_damaged", "Both ends of the line are the same point.", _DRAW_LINE)
    return Figure(
        parts=parts,
        open_end=bent,
        group=integer(item, "GraphicGroupID"),
        tracking_identifier=text(item, "TrackingID")[:64],
        tracking_uid=uid(item, "TrackingUID"),
    )


def _points(item: Dataset, display: Display, units: str, place: Place) -> Points:
    values = numbers(item, "GraphicData")
    stated = integer(item, "NumberOfGraphicPoints") if "NumberOfGraphicPoints" in item else len(values) // 2
    dimensions = integer(item, "GraphicDimensions") if "GraphicDimensions" in item else 2
    if not values or None in values or len(values) % 2 or stated != len(values) // 2 or dimensions != 2:
        raise unusable("drawing_damaged", "Its points are missing, damaged, or not as many as it states.", _DRAW_LINE)
    if len(values) > 2 * MOST_POINTS:
        raise unusable("drawing_damaged", f"It has more than {MOST_POINTS} points.", _DRAW_LINE)
    return display.to_pixels(np.array(values, dtype=np.float64).reshape(-1, 2), units, place)


def _exactly(points: Points, count: int, kind: str) -> Points:
    if len(points) != count:
        raise unusable("drawing_damaged", f"A graphic of the type {kind} has {len(points)} points.", _DRAW_LINE)
    return points


def _closed(points: Points) -> bool:
    return len(points) > 3 and float(np.hypot(*(points[-1] - points[0]))) <= _CLOSED_PX


def _contour(points: Points) -> Points:
    """The corners of a closed line, each once.

    Raises
    ------
    InputError
        It has too few for the outline of a lesion.
    """
    corners = [points[0]]
    for point in points[1:]:
        if float(np.hypot(*(point - corners[-1]))) > _FEWEST_PX:
            corners.append(point)
    if len(corners) > 1 and float(np.hypot(*(corners[-1] - corners[0]))) <= _CLOSED_PX:
        corners.pop()
    if len(corners) < _FEWEST_CORNERS:
        raise _nothing("a closed figure of few corners, as a box or the head of an arrow")
    return np.stack(corners)


def _curve(corners: Points) -> Points:
    """A smooth closed curve through the corners.

    The standard leaves open how INTERPOLATED is interpolated, and asks that it passes through every point. This is
    the closed Catmull-Rom spline; straight lines would cut off a part of the lesion between any two points.
    """
    before, after, second = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0), np.roll(corners, -2, axis=0)
    parts = []
    steps = min(_STEPS, max(_CURVE_POINTS // len(corners), 1))
    for t in np.arange(steps) / steps:
        linear, square = after - before, 2 * before - 5 * corners + 4 * after - second
        cube = -before + 3 * corners - 3 * after + second
        parts.append(0.5 * (2 * corners + linear * t + square * t**2 + cube * t**3))
    return np.stack(parts, axis=1).reshape(-1, 2)


def _rotated(points: Points, centre: Points, degrees: float) -> Points:
    """Points (row, column) turned counterclockwise on the screen, on which rows count downwards."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    rows, cols = (points - centre).T
    return np.stack([rows * cosine - cols * sine, cols * cosine + rows * sine], axis=1) + centre


def _nothing(what: str) -> InputError:
    return unusable(NOT_MEASURED, f"It is {what}, which measures no lesion.")
