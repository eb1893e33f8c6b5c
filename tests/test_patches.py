"""Masks of cells: what scipy.ndimage gives, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.measure.patches import Patches, eroded, opened, smoothed, smoothed_rim

Bools = NDArray[np.bool_]


def shares(number: int = 40) -> Iterator[NDArray[np.float32]]:
    """Shares of echo in cells, of pictures of every kind: counts of pixels over those of a cell."""
    rng = np.random.default_rng(0)
    for _ in range(number):
        shape = tuple(rng.integers(2, 120, 2))
        pixels = int(rng.integers(1, 6)) ** 2
        counts = rng.binomial(pixels, rng.random(shape) * rng.random())
        yield counts.astype(np.float32) / pixels


def masks() -> Iterator[Bools]:
    """Noise, blobs, combs that come together at the end, everything, nothing, one cell."""
    yield from (cells > 0.3 for cells in shares())
    yield from (ndimage.gaussian_filter(cells, 2) > cells.mean() for cells in shares())
    comb = np.zeros((40, 61), dtype=np.bool_)
    comb[:, ::4], comb[-1] = True, True
    yield from (comb, comb[::-1], np.ones((7, 9), np.bool_), np.zeros((7, 9), np.bool_), np.ones((1, 1), np.bool_))


class TestFilters:
    @pytest.mark.parametrize("side", [3, 5, 7])
    def test_means_are_those_of_a_uniform_filter_to_the_bit(self, side: int) -> None:
        for cells in shares():
            expected = ndimage.uniform_filter(cells, side, mode="nearest")
            assert smoothed(cells, side).tobytes() == expected.tobytes()
            rim = [expected[0], expected[-1], expected[1:-1, 0], expected[1:-1, -1]]
            assert smoothed_rim(cells, side).tobytes() == np.concatenate(rim).tobytes()

    @pytest.mark.parametrize("side", [3, 5, 7])
    def test_erosion_and_opening_are_those_of_minimum_and_maximum_filters(self, side: int) -> None:
        for mask in masks():
            least = ndimage.minimum_filter(mask, side, mode="nearest")
            assert np.array_equal(eroded(mask, side), least)
            assert np.array_equal(opened(mask, side), ndimage.maximum_filter(least, side, mode="nearest"))


class TestPatches:
    def test_parts_sizes_and_boxes_are_those_of_labels(self) -> None:
        for mask in masks():
            labels, count = ndimage.label(mask)
            patches = Patches.of(mask)
            assert patches.sizes.tolist() == np.bincount(labels.ravel(), minlength=count + 1)[1:].tolist()
            boxes = [tuple(part.stop - part.start for part in box) for box in ndimage.find_objects(labels)]
            assert list(zip(*(side.tolist() for side in patches.extents()), strict=True)) == boxes
            for part in range(min(count, 5)):
                one = np.arange(count) == part
                assert np.array_equal(patches.some(one), labels == part + 1)

    def test_some_parts_and_those_that_touch_another_mask(self) -> None:
        rng = np.random.default_rng(1)
        for mask in masks():
            labels, count = ndimage.label(mask)
            other = rng.random(mask.shape) < 0.01
            touched = np.isin(np.arange(1, count + 1), labels[other])
            patches = Patches.of(mask)
            assert patches.touching(other).tolist() == touched.tolist()
            assert np.array_equal(patches.some(touched), np.concatenate([[False], touched])[labels])
