"""What is computed where it is needed alone, against what is computed everywhere."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter
from scipy.spatial import ConvexHull

from lesion_measure.network.confidence import contrast, dice
from lesion_measure.network.parts import LesionPart, lesion_parts
from lesion_measure.network.preprocess import to_native
from lesion_measure.network.reach import reaching
from lesion_measure.network.sector import _hull
from lesion_measure.network.seen import Answer
from lesion_measure.network.window import Preprocessing, Window

SHAPE = (150, 190)
GRID = Preprocessing(size=64)


def blobs(rng: np.random.Generator, *, most: float = 6.0) -> NDArray[np.float32]:
    """Logits with some lesions, some of them hardly any, on a ground that is mostly none."""
    noise = gaussian_filter(rng.normal(0, 1, (64, 64)), rng.choice([1.0, 3.0, 6.0]))
    logits: NDArray[np.float64] = rng.uniform(3, 12) * noise / noise.std() - rng.uniform(0, 12)
    return np.clip(logits, -most, most).astype(np.float32)


@pytest.mark.parametrize("level", [0.5, 0.2, 0.05, 0.9])
def test_lesions_are_those_of_the_whole_map(level: float) -> None:
    rng = np.random.default_rng(8)
    seen = 0
    for number in range(60):
        turned = bool(number % 3)
        window = Window(
            centre=(float(rng.uniform(-20, 170)), float(rng.uniform(-20, 210))),
            scale=float(rng.uniform(0.5, 3.5)), size=64, angle=float(rng.uniform(-3, 3)) if turned else 0.0,
        )  # fmt: skip
        answer = Answer(window, blobs(rng)[None], SHAPE, GRID, None)
        found = answer.parts(level)
        expected = lesion_parts(to_native(answer.mean, window, SHAPE, GRID), level, window.scale)
        assert [part.box for part in found] == [part.box for part in expected]
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one.mask, two.mask)
            np.testing.assert_allclose(one.probability, two.probability, atol=1e-6)
            seen += 1
    assert seen > 20


def test_a_sharp_peak_that_overshoots_its_logits_is_found() -> None:
    """Half-way between pixels cubic convolution goes beyond the largest of them."""
    logits = np.full((64, 64), -6.0, dtype=np.float32)
    logits[30:32, 30:32] = -0.01
    window = Window(centre=(75.0, 95.0), scale=6.0, size=64)
    whole = to_native(logits, window, SHAPE, GRID)
    assert whole.max() > 0.5
    box = reaching(logits, window, SHAPE, 0.5, 0)
    assert (whole[box] > 0.5).sum() == (whole > 0.5).sum()
    assert whole[box].size < whole.size / 20


def test_a_map_whose_window_lies_outside_has_no_lesions() -> None:
    window = Window(centre=(900.0, 900.0), scale=2.0, size=64)
    assert Answer(window, np.full((1, 64, 64), 6, np.float32), SHAPE, GRID, None).parts(0.5) == []


def test_a_hull_holds_the_cells_that_its_sides_do_not_leave_out() -> None:
    """Against the sides that Qhull finds, cell by cell."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        part = gaussian_filter(rng.normal(0, 1, tuple(rng.integers(12, 50, 2))), 3) > 0
        if not part.any():
            continue
        border = np.argwhere(part & ~binary_erosion(part))
        sides = ConvexHull(border).equations if np.linalg.matrix_rank(border - border[0]) == 2 else None
        if sides is None:
            continue
        cells = np.argwhere(np.ones(part.shape, dtype=bool))
        away = (cells @ sides[:, :2].T + sides[:, 2]).max(axis=1).reshape(part.shape)
        clear = np.abs(away - 0.5) > 1e-9  # one that lies on the very limit may fall on either side
        np.testing.assert_array_equal(_hull(part)[clear], (away <= 0.5)[clear])


def test_dice_of_two_parts_is_that_of_their_masks_on_the_image() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        parts, wholes = [], []
        for _ in range(2):
            mask = rng.random(tuple(rng.integers(3, 30, 2))) > 0.4
            row, col = rng.integers(0, 40, 2).tolist()
            box = slice(row, row + mask.shape[0]), slice(col, col + mask.shape[1])
            whole = np.zeros((80, 80), dtype=bool)
            whole[box] = mask
            parts.append(LesionPart(mask.astype(np.float32), mask, box))
            wholes.append(whole)
        assert parts[0].dice(parts[1]) == dice(*wholes)
    empty = replace(parts[0], mask=np.zeros_like(parts[0].mask))
    assert empty.dice(empty) == 1.0


def test_the_ring_of_a_contrast_is_that_of_repeated_dilations() -> None:
    rng = np.random.default_rng(6)
    image = rng.uniform(0.1, 1, (70, 80)).astype(np.float32)
    mask = gaussian_filter(rng.normal(0, 1, image.shape), 6) > 0.05
    width = max(2, round(0.2 * math.sqrt(mask.sum())))
    ring = binary_dilation(mask, iterations=width) & ~mask
    spread = math.sqrt((image[mask].var() + image[ring].var()) / 2)
    assert contrast(image, mask) == pytest.approx(abs(image[mask].mean() - image[ring].mean()) / spread, rel=1e-5)
