"""Pixels inside a polygon, against scikit-image, which asks every pixel about every edge."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import polygon2mask
from skimage.measure import find_contours

from lesion_measure.measure.filled import filled

SHAPE = (90, 120)


@pytest.mark.parametrize("seed", range(20))
def test_a_ragged_outline_anywhere_fills_the_pixels_that_scikit_image_fills(seed: int) -> None:
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 200)))
    radii = random.uniform(5, 60) * (1 + 0.3 * random.standard_normal(angles.size))
    centre = random.uniform((-20, -20), (110, 140))  # and partly outside
    points = centre + np.stack([radii * np.sin(angles), radii * np.cos(angles)], axis=1)
    assert np.array_equal(filled(points, SHAPE), polygon2mask(SHAPE, points))
    closed = np.vstack([points, points[:1]])
    assert np.array_equal(filled(closed, SHAPE), filled(points, SHAPE))


def test_the_outline_of_a_mask_gives_the_mask_back() -> None:
    rows, columns = np.indices(SHAPE)
    mask = ((rows - 40) / 25) ** 2 + ((columns - 60) / 33) ** 2 < 1
    assert np.array_equal(filled(find_contours(mask.astype(float), 0.5)[0], SHAPE), mask)


def test_an_outline_outside_fills_nothing() -> None:
    square = np.array([[-9.0, 3.0], [-9.0, 9.0], [-2.0, 9.0], [-2.0, 3.0]])
    assert not filled(square, SHAPE).any()
    assert not filled(square + np.array([0, 200]), SHAPE).any()
