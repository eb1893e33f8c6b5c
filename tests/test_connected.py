"""One meaning of one lesion: what the network calls one, measuring finds whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from lesion_measure.measure import measure_mask
from lesion_measure.measure.connected import holes, parts
from lesion_measure.network.parts import lesion_parts


def test_two_squares_that_meet_at_a_corner_are_two_lesions_everywhere() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[5:15, 5:15] = mask[15:27, 15:27] = True
    assert parts(mask)[1] == 2
    assert [int(part.mask.sum()) for part in lesion_parts(mask.astype(np.float32), 0.5, 1.0)] == [144, 100]
    assert any("2 separate parts" in warning for warning in measure_mask(mask, spacing_mm=(0.2, 0.2)).warnings)


def test_a_hole_that_opens_over_a_corner_is_none() -> None:
    mask = np.ones((9, 9), dtype=bool)
    mask[4, 4] = False
    assert [tuple(place) for place in np.argwhere(holes(mask))] == [(4, 4)]
    for step in range(5):
        mask[step, step] = False
    assert not holes(mask).any()


def test_holes_of_a_volume_are_closed_in_all_directions() -> None:
    body = np.ones((5, 5, 5), dtype=bool)
    body[2, 2, 2] = False
    assert holes(body).sum() == 1
    body[1, 1, 1] = body[0, 0, 0] = False
    assert not holes(body).any()


@pytest.mark.parametrize("seed", range(12))
def test_every_lesion_of_a_ragged_map_is_measured_whole(seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal((160, 200))
    rough = ndimage.gaussian_filter(noise, 4) / 0.1 + 0.3 * np.random.default_rng(seed).standard_normal(noise.shape)
    probability = (1 / (1 + np.exp(-rough))).astype(np.float32)
    found = lesion_parts(probability, 0.5, 1.0)
    assert found
    for part in found:
        said = measure_mask(part.mask, spacing_mm=(0.2, 0.2)).warnings
        assert not [warning for warning in said if "separate parts" in warning or "Holes" in warning]
