"""What is done at once for most pictures and lesions is what would be done for each the long way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.lab.datasets import lesion_axes, shapes, similarity
from lesion_measure.network.parts import outline_of
from test_datasets_duplicates import scan


def by_hand(image: NDArray[np.float32], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a window (top, left, height, width) of a pattern shows on a grid of 12 x 12, smoothed by one cell."""
    places = [
        (start + size * (np.arange(12) + 0.5) / 12) * 32 - 0.5
        for start, size in zip(window[:2], window[2:], strict=True)
    ]
    smooth = ndimage.gaussian_filter(image, 1)
    return ndimage.map_coordinates(smooth, np.meshgrid(*places, indexing="ij"), order=1, mode="grid-constant").ravel()


def test_candidates_are_those_of_every_window_against_every_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However they are cut into blocks: the four best of each, by the correlation of each window with each whole."""
    scans = [scan(seed) for seed in range(12)]
    images = [*scans, *(np.ascontiguousarray(image[30:-20, 40:-60]) for image in scans)]
    found, numbers = similarity.patterns(images), np.arange(len(images)) // 2
    windows = similarity._windows()
    seen = [[by_hand(pattern, window) for window in windows] for pattern in found.broad]
    score = np.array([[np.corrcoef([one[0], *views])[0, 1:] for one in seen] for views in seen])
    score[numbers[:, None] == numbers] = -1
    best = score.max(axis=2)
    expected = {}
    for second in range(len(images)):
        for first in np.argsort(-best[:, second])[:4]:
            if best[first, second] >= 0.45:
                expected[int(first), second] = tuple(windows[score[first, second].argmax()])
    for name, size in (("_BATCH", 10), ("_TILE", 3), ("_BLOCK", 7)):
        monkeypatch.setattr(similarity, name, size)
    candidates = similarity._candidates(found, numbers)
    assert len(expected) > len(scans)
    assert {(int(a), int(b)): tuple(window) for a, b, window in zip(*candidates, strict=True)} == expected


def blobs() -> list[NDArray[np.bool_]]:
    """Lesions of all kinds, some ragged and some with holes, cut out."""
    rng, found = np.random.default_rng(0), []
    for number in range(150):
        noise = ndimage.gaussian_filter(rng.standard_normal((60, 70)), 1 + number % 6)
        parts, count = ndimage.label(noise > np.quantile(noise, rng.uniform(0.6, 0.98)))
        one = parts == rng.integers(1, count + 1)
        found.append(one[ndimage.find_objects(one.astype(int))[0]])
    return found


def widest(mask: NDArray[np.bool_], start: NDArray[np.float64], along: NDArray[np.float64]) -> float:
    """The longest chord across a line at one of 255 places, segment by segment of the outline."""
    contour = outline_of(mask) - start
    place, offset = contour @ along, contour @ np.array([-along[1], along[0]])
    best = 0.0
    for cut in np.linspace(place.min(), place.max(), 257)[1:-1]:
        hits = [
            offset[n] + (cut - place[n]) / (place[n + 1] - place[n]) * (offset[n + 1] - offset[n])
            for n in range(len(place) - 1)
            if place[n] != place[n + 1] and min(place[n], place[n + 1]) <= cut <= max(place[n], place[n + 1])
        ]
        best = max(best, max(hits) - min(hits))
    return best


def test_the_short_axis_is_the_longest_chord_across() -> None:
    compared = 0
    for mask in blobs()[::15]:
        axes = lesion_axes(mask)
        if axes is not None and axes.short is not None:
            start, end = np.asarray(axes.long)
            expected = widest(mask, start, (end - start) / np.hypot(*(end - start)))
            assert np.hypot(*np.subtract(*axes.short)) == pytest.approx(expected, rel=1e-9)
            compared += 1
    assert compared > 3


def test_what_is_told_at_once_of_a_lesion_is_so() -> None:
    whole = wide = 0
    for part in blobs():
        if shapes._in_one_run(part):
            whole += 1
            assert ndimage.binary_fill_holes(part).sum() == part.sum()
        for width in (2.0, 3.3, 6.0):
            if shapes._wide_in_its_middle(part, width):
                wide += 1
                assert 2 * ndimage.distance_transform_edt(np.pad(part, 1)).max() >= width
    assert whole > 20
    assert wide > 20
    ring = np.pad(np.zeros((3, 3), dtype=bool), 1, constant_values=True)
    assert not shapes._in_one_run(ring)
    assert not shapes._wide_in_its_middle(ring, 2.0)
