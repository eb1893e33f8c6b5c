"""Plane geometry of closed polygons, and the exact farthest pair of points in two or three dimensions.

Polygons are (n, 2) arrays of (row, column) vertices, the last one joined to the first (open list, closed figure). No
spacing and no masks here: the callers scale to millimetres.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.measure.hull import hull_corners

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_PAIR_BLOCK = 1 << 21
_PAIR_ROWS = 64
_CROSSING_BLOCK = 1 << 21
_MOST_CROSSINGS = 50_000_000
_MOST_TRIED, _TRIED_ROWS = 4_000, 256


class Chord(NamedTuple):
    """A straight line between two points, and its length in the points' unit."""

    length: float
    start: Floats
    end: Floats


def signed_area(polygon: Floats) -> float:
    """Area enclosed, positive where rows x columns turn from the row axis to the column axis."""
    following = np.roll(polygon, -1, axis=0)
    # relative to the first vertex, so that far-away coordinates cost no digits
    a, b = polygon - polygon[0], following - polygon[0]
    return 0.5 * float(np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))


def perimeter(polygon: Floats) -> float:
    """Length of the closed outline."""
    return float(np.sum(edge_lengths(polygon)))


def edge_lengths(polygon: Floats) -> Floats:
    """Length of the edge that leaves each vertex."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    return np.hypot(edges[:, 0], edges[:, 1])


def oriented(polygon: Floats) -> Floats:
    """The same polygon with positive signed area."""
    return polygon if signed_area(polygon) > 0 else polygon[::-1]


def crosses_itself(polygon: Floats) -> bool:
    """Whether edges of the closed outline (n, 2) that are no neighbours cross or touch, by trying all pairs.

    Vertices that follow on themselves count once. An outline of more than 4,000 vertices is not tried, and is said to.
    """
    distinct = polygon[np.any(polygon != np.roll(polygon, 1, axis=0), axis=1)]
    count = len(distinct)
    if count > _MOST_TRIED:
        return True
    ends = np.roll(distinct, -1, axis=0)
    for first in range(0, count - 2, _TRIED_ROWS):
        one = np.arange(first, min(first + _TRIED_ROWS, count - 2))
        start, end = distinct[one, None], ends[one, None]
        meet = (_side(start, end, distinct) * _side(start, end, ends) <= 0) & (
            _side(distinct, ends, start) * _side(distinct, ends, end) <= 0
        )
        for axis in range(2):  # edges on one line meet where their stretches do
            low, high = np.minimum(distinct, ends)[:, axis], np.maximum(distinct, ends)[:, axis]
            meet &= (low[one, None] <= high) & (low <= high[one, None])
        apart = np.arange(count) - one[:, None]
        if np.any(meet & (apart > 1) & (apart < count - 1)):
            return True
    return False


def _side(start: Floats, end: Floats, points: Floats) -> Floats:
    """On which side of the lines from ``start`` to ``end`` points lie: -1, 0 or 1."""
    along, away = end - start, points - start
    return np.sign(along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0])


def distances(points: Floats, polygon: Floats) -> Floats:
    """How far each of the points (n, 2) lies from the closed outline, inside or outside."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    away = points[:, None] - polygon
    squares = np.maximum(np.sum(edges**2, axis=1), np.finfo(np.float64).tiny)
    along = np.clip(np.sum(away * edges, axis=2) / squares, 0.0, 1.0)
    apart: Floats = np.linalg.norm(away - along[..., None] * edges, axis=2).min(axis=1)
    return apart


def resampled(polygon: Floats, step: float, *, least: int = 16) -> Floats:
    """The polygon walked in equal steps of about ``step``, in at least ``least`` of them."""
    closed = np.vstack([polygon, polygon[:1]])
    along = np.concatenate([[0.0], np.cumsum(edge_lengths(polygon))])
    count = max(least, round(along[-1] / step))
    at = np.arange(count) * (along[-1] / count)
    return np.column_stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)])


def outward_normals(polygon: Floats) -> Floats:
    """Unit normal at each vertex, pointing out of a polygon of positive signed area."""
    tangent = np.roll(polygon, -1, axis=0) - np.roll(polygon, 1, axis=0)
    length = np.hypot(tangent[:, 0], tangent[:, 1])
    # a hairpin has no tangent at its tip; the vertex stays where it is
    length[length == 0] = 1.0
    return np.column_stack([tangent[:, 1], -tangent[:, 0]]) / length[:, None]


def turning_angles(polygon: Floats) -> Floats:
    """Angle in radians by which the walk turns at each vertex; they add up to a full turn."""
    leaving = np.roll(polygon, -1, axis=0) - polygon
    arriving = np.roll(leaving, 1, axis=0)
    cross = arriving[:, 0] * leaving[:, 1] - arriving[:, 1] * leaving[:, 0]
    angles: Floats = np.arctan2(cross, np.sum(arriving * leaving, axis=1))
    return angles


def farthest_pair(points: Floats) -> Chord:
    """The two points farthest apart, exactly, from (n, 2) or (n, 3) points; memory is bounded for any n.

    Only vertices of the convex hull can be farthest. The search goes from the points farthest off the centre inwards
    and stops as soon as no remaining pair can be longer.
    """
    extreme = points[_hull_vertices(points)]
    radius = np.linalg.norm(extreme - extreme.mean(axis=0), axis=1)
    order = np.argsort(-radius, kind="stable")
    extreme, radius = extreme[order], radius[order]
    block = max(1, min(_PAIR_ROWS, _PAIR_BLOCK // len(extreme)))
    best, ends = -1.0, (0, 0)
    for first in range(0, len(extreme), block):
        if radius[first] + radius[0] < best:
            break
        apart = np.zeros((min(block, len(extreme) - first), len(extreme)))
        for axis in range(points.shape[1]):
            apart += np.subtract.outer(extreme[first : first + block, axis], extreme[:, axis]) ** 2
        flat = int(np.argmax(apart))
        length = float(np.sqrt(apart.flat[flat]))
        if length > best:
            best, ends = length, (first + flat // len(extreme), flat % len(extreme))
    return Chord(best, extreme[ends[0]], extreme[ends[1]])


def _hull_vertices(points: Floats) -> Indices:
    if points.shape[1] == 2:
        return hull_corners(points)
    if len(points) <= points.shape[1] + 1:
        return np.arange(len(points))
    try:
        return np.asarray(scipy.spatial.ConvexHull(points).vertices, dtype=np.intp)
    except scipy.spatial.QhullError:
        # all on one plane: no hull, every point is a candidate
        return np.arange(len(points))


def longest_perpendicular_chord(polygon: Floats, axis: Floats) -> Chord:
    """The longest segment inside the polygon that is perpendicular to the direction ``axis``. Exact.

    Between two neighbouring vertex positions along the axis the same edges are crossed and every chord's length is a
    linear function of position, so the longest chord lies at one of these slabs' ends. Crossings are sorted and taken
    in pairs (inside between the first and second, third and fourth, ...), so a concave outline is not bridged.

    Raises
    ------
    MeasurementError
        The outline is so ragged that the search would not end in reasonable time; no lesion looks like that.
    """
    along_axis = axis / np.linalg.norm(axis)
    across_axis = np.array([-along_axis[1], along_axis[0]])
    along, across = polygon @ along_axis, polygon @ across_axis
    cuts, rank = np.unique(along, return_inverse=True)
    following = np.roll(rank, -1)
    low, high = np.minimum(rank, following), np.maximum(rank, following)
    begun, ended = np.bincount(low, minlength=len(cuts)), np.bincount(high, minlength=len(cuts))
    # edges over each slab, from one vertex position to the next
    crossings = np.cumsum(begun - ended)[:-1]
    if int(np.sum(crossings)) > _MOST_CROSSINGS:
        raise MeasurementError(
            f"The outline has {len(polygon)} vertices and folds back on itself all over.",
            remedy="This is noise or a pattern, not a lesion's mask.",
            code="outline_ragged",
        )
    blocks = np.cumsum(crossings) // _CROSSING_BLOCK
    best, where = -1.0, (0.0, 0.0, 0.0)
    for block in np.unique(blocks):
        first, last = np.searchsorted(blocks, [block, block + 1])
        length, found = _longest_in_slabs(along, across, cuts, (low, high), (int(first), int(last)))
        if length > best:
            best, where = length, found
    at, start, end = where
    return Chord(best, at * along_axis + start * across_axis, at * along_axis + end * across_axis)


def chord_through(polygon: Floats, point: Floats, axis: Floats) -> float:
    """Length inside the polygon of the straight line through ``point`` in the direction ``axis``; 0 where it misses."""
    along_axis = axis / np.linalg.norm(axis)
    away = polygon - point
    along, across = away @ along_axis, away[:, 1] * along_axis[0] - away[:, 0] * along_axis[1]
    beyond = across > 0
    crossed = np.flatnonzero(beyond != np.roll(beyond, -1))
    following = (crossed + 1) % len(polygon)
    share = across[crossed] / (across[crossed] - across[following])
    places = np.sort(along[crossed] + share * (along[following] - along[crossed]))
    return float(np.sum(places[1::2] - places[0::2]))


def centroid(polygon: Floats) -> Floats:
    """Centre of the area enclosed."""
    a = polygon - polygon[0]
    b = np.roll(a, -1, axis=0)
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    middle: Floats = polygon[0] + ((a + b) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    return middle


def _longest_in_slabs(
    along: Floats, across: Floats, cuts: Floats, ranks: tuple[Indices, Indices], slabs: tuple[int, int]
) -> tuple[float, tuple[float, float, float]]:
    """Longest chord among slabs first..last-1: its length, position along the axis and two positions across."""
    low, high = np.maximum(ranks[0], slabs[0]), np.minimum(ranks[1], slabs[1])
    crossing = np.flatnonzero(high > low)
    counts = (high - low)[crossing]
    edge = np.repeat(crossing, counts)
    slab = np.repeat(low[crossing], counts) + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    following = (edge + 1) % len(along)
    slope = (across[following] - across[edge]) / (along[following] - along[edge])
    left = across[edge] + (cuts[slab] - along[edge]) * slope
    right = across[edge] + (cuts[slab + 1] - along[edge]) * slope
    order = np.lexsort((left + right, slab))
    slab, left, right = slab[order], left[order], right[order]
    at_left, at_right = left[1::2] - left[0::2], right[1::2] - right[0::2]
    i, j = int(np.argmax(at_left)), int(np.argmax(at_right))
    if at_left[i] >= at_right[j]:
        return float(at_left[i]), (float(cuts[slab[2 * i]]), float(left[2 * i]), float(left[2 * i + 1]))
    return float(at_right[j]), (float(cuts[slab[2 * j] + 1]), float(right[2 * j]), float(right[2 * j + 1]))


def summed(index: Indices, values: Floats, count: int) -> Floats:
    """Sum of the values booked on each index 0..count-1."""
    return np.bincount(index, values, count).astype(np.float64, copy=False)
