"""A closed contour in one cell of a table: ``col row;col row;...``, in pixels with pixel centres at integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lesion_measure.errors import TableError
from lesion_measure.records import Point
from lesion_measure.tables.cells import why_no_number

FEWEST_POINTS, MOST_POINTS = 3, 4_000
DIGITS = 3
"""Decimals of a coordinate that is written: a thousandth of a pixel."""
FARTHEST_PX = 100_000
"""Coordinates beyond are of no image."""


def contour_text(points: Iterable[Point]) -> str:
    """The cell that holds (row, column) points.

    >>> contour_text([(1.0, 2.5), (3.25, 4.0), (1 / 3, 0.0)])
    '2.5 1;4 3.25;0 0.333'
    """
    return ";".join(f"{_number(col)} {_number(row)}" for row, col in points)


def thinned(points: Sequence[Point]) -> Sequence[Point]:
    """As many of a contour's points, evenly taken, as a cell may hold."""
    return points[:: -(-len(points) // MOST_POINTS) or 1]


def contour_points(text: str) -> tuple[Point, ...]:
    """The (row, column) points of a cell; a last point that repeats the first one is left out.

    Raises
    ------
    TableError
        It is no list of such points, or has fewer than three or more than 4,000; the reason goes behind a column's
        name.

    >>> contour_points("2.5 1;4 3.25;0 0.333")
    ((1.0, 2.5), (3.25, 4.0), (0.333, 0.0))
    """
    points = tuple(_point(each, number) for number, each in enumerate(text.strip(" ;").split(";"), start=1))
    if len(points) > 1 and points[0] == points[-1]:
        points = points[:-1]
    if not FEWEST_POINTS <= len(points) <= MOST_POINTS:
        raise TableError(f"has {len(points)} points, and a contour has {FEWEST_POINTS} to {MOST_POINTS}")
    return points


def _point(text: str, number: int) -> Point:
    words = text.split()
    if len(words) != 2 or any(why_no_number(word) for word in words):
        raise TableError(f"has a point {number} that is no column and row with a blank between: {text.strip()[:64]!r}")
    col, row = map(float, words)
    if not max(abs(col), abs(row)) <= FARTHEST_PX:
        raise TableError(f"has a point {number} that lies in no image: {text.strip()[:64]!r}")
    return row, col


def _number(value: float) -> str:
    return f"{round(value, DIGITS) + 0.0:.{DIGITS}f}".rstrip("0").rstrip(".")
