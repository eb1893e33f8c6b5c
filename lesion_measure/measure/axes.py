"""A lesion's two axes as a reader draws them: their angle, and the greatest long axis of several planes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lesion_measure.records import PlaneMeasurement, Point, Quantity

PERPENDICULAR_WITHIN_DEG = 15.0
BEYOND = 0.1
"""Two axes cross where each is met within its length, or this share of it beyond an end."""
SHORT_IS_LONGER = "the caliper called short is the longer one: it is taken as the long axis"


def angle_deg(one: tuple[Point, Point], two: tuple[Point, Point], spacing: tuple[float, float]) -> float:
    """Angle between two lines of pixel ends (row, column) in millimetre space, 0..90 degrees."""
    a, b = ((np.array(end) - np.array(start)) * np.array(spacing) for start, end in (one, two))
    cosine = abs(float(a @ b)) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(min(1.0, cosine))))


def cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether each of two lines of pixel ends (row, column) is met within its length, or `BEYOND` of it past an end."""
    (a, b), (c, d) = (tuple(np.array(end) for end in axis) for axis in (one, other))
    lines = np.column_stack([b - a, c - d])
    if abs(float(np.linalg.det(lines))) < 1e-9:
        return False
    along = np.linalg.solve(lines, c - a)
    return bool(np.all((along >= -BEYOND) & (along <= 1 + BEYOND)))


def longest_diameter(planes: Sequence[PlaneMeasurement]) -> Quantity:
    """The greatest long axis of the planes measured (at least one)."""
    return max((p.long_axis_mm for p in planes), key=lambda q: q.value)
