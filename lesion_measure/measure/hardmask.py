"""The sub-pixel outline of a hard mask: the smoothest closed curve that keeps every pixel on its side.

A hard mask says of every pixel centre only whether it lies inside. The plain 0.5 contour of it is a staircase, its
perimeter several per cent too long and its diameter off by up to a pixel. Here the outline is the most probable curve
under two statements, both local and neither about a particular shape:

- *the mask is right*: each pixel centre next to the border lies on its own side (logistic in its distance to the curve,
  of a scale well under a pixel);
- *outlines are smooth*: curvature changes slowly along the curve, on the scale of the lesion's own radius
  (of 20 pixels at most: a larger lesion shows more detail, not a smoother outline). The penalty is lifted where the
  outline turns sharply, so that a corner stays a corner. A circle costs nothing, whatever its radius, so the curve
  neither shrinks nor swells.

Solved by Newton steps on the displacement of the vertices along their normals; every matrix is cyclic and banded.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from lesion_measure.measure import geometry

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]

# chosen on analytic shapes and checked on real masks (benchmarks/geometry.py, docs/decisions/0003-outline.md)
STEP_PX = 0.75
SIDE_SCALE_PX = 0.07
STIFFNESS = 0.3
CENTRING = 0.5
LARGEST_RADIUS_PX = 20.0
CORNER_CHANGE = 5.0
CORNER_CHANGE_PX = 0.03
CORNER_REACH = 1
CORNER_TURN_RAD = 0.4
CORNER_CURVATURE = 4.0
ROUNDS = 6
NEWTON_STEPS = 8
MAX_SHIFT_PX = 0.5
MAX_VIOLATION_PX = 0.75
MAX_AREA_CHANGE = 0.25
MOST_VERTICES = 40_000

_BAND = 3


def smooth_outline(inside: Bools, staircase: Floats) -> Floats | None:
    """Sub-pixel outline of one filled, connected part.

    Parameters
    ----------
    inside
        (rows, columns) mask with at least one free pixel on every side.
    staircase
        (n, 2) its plain 0.5 contour, positive area.

    Returns
    -------
    (m, 2) outline, or None, so that the staircase stands, where no smooth curve keeps within 0.75 pixels of the mask
    or the mask is too ragged to try.
    """
    if len(staircase) > MOST_VERTICES:
        return None
    centres, sides = _border(inside)
    radius = min(float(np.sqrt(np.count_nonzero(inside) / np.pi)), LARGEST_RADIUS_PX)
    outline = geometry.resampled(_without_steps(geometry.resampled(staircase, STEP_PX)), STEP_PX)
    for turn in range(ROUNDS):
        scale = max(SIDE_SCALE_PX, 0.5 * 0.5**turn)
        shift = _Displacement(outline, centres, sides, radius, scale).solve()
        outline = outline + geometry.outward_normals(outline) * np.clip(shift, -MAX_SHIFT_PX, MAX_SHIFT_PX)[:, None]
        outline = geometry.resampled(outline, STEP_PX)
    # a full turn to the left, once: anything else has loops
    if abs(float(np.sum(geometry.turning_angles(outline))) - 2 * np.pi) > 1.0:
        return None
    if abs(geometry.signed_area(outline) / np.count_nonzero(inside) - 1) > MAX_AREA_CHANGE:
        return None
    _, _, offset = _foot_points(outline, centres)
    return None if float(np.max(offset * sides)) > MAX_VIOLATION_PX else outline


def _border(inside: Bools) -> tuple[Floats, Floats]:
    """Centres of the pixels next to the border, and their side: +1 inside, -1 outside."""
    inner = inside & ~scipy.ndimage.binary_erosion(inside)
    outer = ~inside & scipy.ndimage.binary_dilation(inside)
    centres = np.argwhere(inner | outer)
    return centres.astype(np.float64), np.where(inside[centres[:, 0], centres[:, 1]], 1.0, -1.0)


def _without_steps(outline: Floats) -> Floats:
    """Take the one-pixel steps out of a staircase: pairs of smoothing passes that cancel each other's shrinkage."""
    for _ in range(6):
        for weight in (0.5, -0.53):
            mean = 0.5 * (np.roll(outline, 1, axis=0) + np.roll(outline, -1, axis=0))
            outline = outline + weight * (mean - outline)
    return outline


def _foot_points(outline: Floats, centres: Floats) -> tuple[Indices, Floats, Floats]:
    """For each centre the nearest edge, the fraction along it and the signed distance (positive outside)."""
    nearest = np.asarray(scipy.spatial.cKDTree(outline).query(centres)[1], dtype=np.intp)
    before = (nearest - 1) % len(outline)
    part, distance = _edge_distance(outline, centres, nearest)
    part_before, distance_before = _edge_distance(outline, centres, before)
    closer = np.abs(distance_before) < np.abs(distance)
    return (
        np.where(closer, before, nearest),
        np.where(closer, part_before, part),
        np.where(closer, distance_before, distance),
    )


def _edge_distance(outline: Floats, centres: Floats, edge: Indices) -> tuple[Floats, Floats]:
    """Fraction along the given edge of the point nearest to each centre, and the signed distance to it."""
    begin = outline[edge]
    step = outline[(edge + 1) % len(outline)] - begin
    length = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-12)
    part = np.clip(np.sum((centres - begin) * step, axis=1) / length**2, 0.0, 1.0)
    gap = centres - begin - step * part[:, None]
    outside = gap[:, 0] * step[:, 1] - gap[:, 1] * step[:, 0] >= 0
    return part, np.hypot(gap[:, 0], gap[:, 1]) * np.where(outside, 1.0, -1.0)


def _smoothness(turning: Floats, change: Floats, radius: float, step: float) -> Floats:
    """1 along smooth stretches, near 0 where the outline turns a corner.

    ``turning`` angle at each vertex, ``change`` of curvature after it. Both limits lie above what the tip of an ellipse
    of aspect 1:2 needs and, in pixels, above the wobble of pixel steps.
    """
    jump = change / max(CORNER_CHANGE / radius**2, CORNER_CHANGE_PX)
    reach = range(-CORNER_REACH, CORNER_REACH + 2)
    turned = np.sum([np.roll(turning, -k) for k in reach], axis=0)
    bend = turned / max(CORNER_CURVATURE / radius * step * len(reach), CORNER_TURN_RAD)
    return np.asarray(1 / (1 + jump**2 + bend**8))


class _Displacement:
    """One linearised problem: by how much each vertex moves along its normal."""

    def __init__(self, outline: Floats, centres: Floats, sides: Floats, radius: float, scale: float) -> None:
        self.edge, self.part, self.offset = _foot_points(outline, centres)
        self.count, self.sides, self.scale = len(outline), sides, scale
        step = float(np.mean(geometry.edge_lengths(outline)))
        turning = geometry.turning_angles(outline)
        curvature = turning / step
        self.change = (np.roll(curvature, -1) - curvature) / step
        # change of curvature at i by the displacement of vertices i-1 .. i+2
        square = curvature**2
        self.rows = np.stack(
            [
                np.full(self.count, 1 / step**2),
                square - 3 / step**2,
                3 / step**2 - np.roll(square, -1),
                np.full(self.count, -1 / step**2),
            ]
        ) / step  # fmt: skip
        self.weight = STIFFNESS * radius**3 * step * _smoothness(turning, self.change, radius, step)
        self.penalty = self._penalty_bands()

    def _penalty_bands(self) -> Floats:
        bands = np.full((_BAND + 1, self.count), 0.0)
        bands[0] += 1e-6
        for i in range(4):
            for j in range(i, 4):
                bands[j - i] += np.roll(self.weight * self.rows[i] * self.rows[j], i - 1)
        return bands

    def _bend(self, shift: Floats) -> Floats:
        change = self.change
        for i in range(4):
            change = change + self.rows[i] * np.roll(shift, 1 - i)
        return change

    def _inside_by(self, shift: Floats) -> Floats:
        """How far inside the moved outline each centre lies, in pixels."""
        there = shift[self.edge] * (1 - self.part) + shift[(self.edge + 1) % self.count] * self.part
        return np.asarray(there - self.offset)

    def _cost(self, shift: Floats) -> float:
        depth = self._inside_by(shift)
        doubt = np.sum(np.logaddexp(0.0, -self.sides * depth / self.scale))
        return float(doubt + 0.5 * CENTRING * np.sum(depth**2) + 0.5 * np.sum(self.weight * self._bend(shift) ** 2))

    def _spread(self, values: Floats) -> Floats:
        """Book values at the centres' foot points on the two vertices of their edge."""
        first = geometry.summed(self.edge, values * (1 - self.part), self.count)
        return first + np.roll(geometry.summed(self.edge, values * self.part, self.count), 1)

    def _newton_step(self, shift: Floats) -> Floats:
        depth = self._inside_by(shift)
        doubt = 1 / (1 + np.exp(np.clip(self.sides * depth / self.scale, -50.0, 50.0)))
        bend = self.weight * self._bend(shift)
        gradient = self._spread(CENTRING * depth - self.sides * doubt / self.scale)
        for i in range(4):
            gradient += np.roll(self.rows[i] * bend, i - 1)
        bands = self.penalty.copy()
        grip = np.maximum(doubt * (1 - doubt), 1e-3) / self.scale**2 + CENTRING
        bands[0] += geometry.summed(self.edge, grip * (1 - self.part) ** 2, self.count)
        bands[0] += np.roll(geometry.summed(self.edge, grip * self.part**2, self.count), 1)
        bands[1] += geometry.summed(self.edge, grip * self.part * (1 - self.part), self.count)
        return -solve_cyclic(bands, gradient)

    def solve(self) -> Floats:
        """Displacements of least cost, by damped Newton steps."""
        shift = np.zeros(self.count)
        cost = self._cost(shift)
        for _ in range(NEWTON_STEPS):
            step = self._newton_step(shift)
            damping, tried = 1.0, self._cost(shift + step)
            while tried > cost and damping > 1e-3:
                damping /= 2
                tried = self._cost(shift + damping * step)
            if tried > cost:
                break
            shift, gain, cost = shift + damping * step, cost - tried, tried
            if gain < 1e-2:
                break
        return shift


def solve_cyclic(bands: Floats, right: Floats) -> Floats:
    """Solve M x = right for a symmetric positive definite cyclic band matrix, bands[k][i] = M[i, i + k].

    Folding the cycle (0, n-1, 1, n-2, ...) makes it an ordinary band matrix of twice the width.
    """
    count, width = len(right), len(bands) - 1
    place = np.empty(count, dtype=np.intp)
    order = np.empty(count, dtype=np.intp)
    order[0::2] = np.arange((count + 1) // 2)
    order[1::2] = count - 1 - np.arange(count // 2)
    place[order] = np.arange(count)
    folded = np.zeros((2 * width + 1, count))
    for k in range(width + 1):
        one, other = place, np.roll(place, -k)
        folded[np.abs(one - other), np.minimum(one, other)] += bands[k]
    result = np.empty(count)
    result[order] = scipy.linalg.solveh_banded(folded, right[order], lower=True)
    return result
