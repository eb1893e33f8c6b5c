"""Corners of convex hulls, against those of Qhull."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from lesion_measure.measure.geometry import signed_area
from lesion_measure.measure.hull import hull_corners


def _cloud(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(size=(int(rng.integers(4, 2000)), 2)) * rng.uniform(1, 100, 2) + 500


def _pixels(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.integers(0, 40, (int(rng.integers(20, 2000)), 2)).astype(np.float64)


def _outline(rng: np.random.Generator) -> NDArray[np.float64]:
    angles = np.sort(rng.uniform(0, 2 * np.pi, 700))
    radius = 50 + 5 * np.sin(5 * angles) + rng.normal(size=700) * rng.choice([0.0, 0.3])
    return np.column_stack([radius * np.cos(angles), 2 * radius * np.sin(angles)])


def _steps(rng: np.random.Generator) -> NDArray[np.float64]:
    """Half pixels around a disc, some of them several times, as the outline of a mask goes."""
    return np.repeat(np.rint(_outline(rng) * 2) / 2, rng.integers(1, 4, 700), axis=0)


@pytest.mark.parametrize("points_of", [_cloud, _pixels, _outline, _steps])
def test_the_corners_are_those_of_qhull(points_of: Callable[[np.random.Generator], NDArray[np.float64]]) -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        points = points_of(rng)
        corners, reference = points[hull_corners(points)], ConvexHull(points)
        assert signed_area(corners) == pytest.approx(reference.volume, rel=1e-12)
        assert {*map(tuple, corners.tolist())} == {*map(tuple, points[reference.vertices].tolist())}


def test_points_on_one_line_have_two_ends_and_equal_ones_are_one() -> None:
    line = np.arange(100.0)[:, None] * [1.0, 3.0]
    assert sorted(hull_corners(line).tolist()) == [0, 99]
    for value in (3.0, 0.1):
        for number in (5, 200):
            assert len(hull_corners(np.full((number, 2), value))) == 1
    assert len(hull_corners(np.empty((0, 2)))) == 0
