"""Contours by marching squares against scikit-image's, number for number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

from lesion_measure.measure import contours as module
from lesion_measure.measure.contours import contours


def noise(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.random(tuple(rng.integers(2, 60, 2)))


def smooth(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter(noise(rng), 1.5))


def framed(rng: np.random.Generator) -> NDArray[np.float32]:
    return np.pad(smooth(rng), 1).astype(np.float32)


def mask(rng: np.random.Generator) -> NDArray[np.float64]:
    return (smooth(rng) > 0.5).astype(np.float64)


def at_the_level(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.round(noise(rng), 1)  # many pixels have the very level


@pytest.mark.parametrize("made", [noise, smooth, framed, mask, at_the_level])
def test_contours_are_those_of_scikit_image(made: Callable[[np.random.Generator], NDArray[Any]]) -> None:
    rng = np.random.default_rng(11)
    seen = 0
    for _ in range(60):
        values = made(rng)
        expected = find_contours(values, 0.5)
        found = contours(values, 0.5)
        assert len(found) == len(expected)
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, two)
            seen += 1
    assert seen > 60


def test_scikit_image_is_asked_only_where_contours_meet_in_a_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_by_scikit", lambda values, level: pytest.fail("asked"))
    rng = np.random.default_rng(3)
    for made in (noise, smooth, framed, mask):
        contours(made(rng), 0.5)


def test_a_map_without_contours_has_none() -> None:
    assert contours(np.zeros((5, 7)), 0.5) == []
    assert contours(np.ones((2, 2)), 0.5) == []
