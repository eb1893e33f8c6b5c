"""Lesions drawn into real tissue: outlines against geometry, grey levels against the picture they were drawn into."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.draw import polygon2mask

from lesion_measure.datasets import Picture
from lesion_measure.datasets.pictures import picture
from lesion_measure.network.preprocess import Preprocessing, intensity_level
from lesion_measure.training.copies import CutOut
from lesion_measure.training.implants import ECHO, IMPLANTED, _outline, _sides, implant, implants

SIDE = 400


def tissue() -> Picture:
    """Speckled tissue of one level in a black frame."""
    rng = np.random.default_rng(3)
    image = np.zeros((SIDE, SIDE), dtype=np.uint8)
    image[40:-40, 40:-40] = np.clip(rng.normal(110, 12, (SIDE - 80, SIDE - 80)), 1, 255)
    return picture("host", "tissue", "group-host", image, np.zeros(image.shape, dtype=bool))


def made(count: int, host: Picture) -> list[CutOut]:
    return implants([host], Preprocessing(), {"tissue": count}, seed=1)


def test_an_implant_is_a_lesion_of_its_hosts_group_in_a_set_of_their_own() -> None:
    found = made(20, tissue())
    assert len(found) >= 15
    assert {item.source for item in found} == {IMPLANTED}
    assert {item.group for item in found} == {"group-host"}
    assert all(len(item.axes) == 3 and item.image.shape == item.mask.shape for item in found)


def test_the_same_seed_draws_the_same() -> None:
    for one, two in zip(made(4, tissue()), made(4, tissue()), strict=True):
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.mask, two.mask)


def test_nothing_is_drawn_where_not_asked_or_without_room() -> None:
    assert not implants([tissue()], Preprocessing(), {"other": 3}, seed=1)
    black = picture("black", "tissue", "g", np.zeros((SIDE, SIDE), dtype=np.uint8), np.zeros((SIDE, SIDE), dtype=bool))
    assert not made(5, black)


def test_the_hosts_own_lesion_is_left_alone() -> None:
    """Cut-outs of a small picture that show all of it lie as the picture does."""
    large = tissue()
    mask = np.zeros((200, 200), dtype=bool)
    mask[20:180, 20:90] = True
    host = picture("small", "tissue", "g", large.image[100:300, 100:300], mask)
    level = intensity_level(host.image, Preprocessing())
    drawn = [implant(host, level, np.random.default_rng(seed)) for seed in range(80)]
    whole = [item for item in drawn if item is not None and item.mask.shape == mask.shape]
    assert len(whole) >= 3
    assert not any((item.mask & mask).any() for item in whole)


def test_the_grey_inside_differs_from_the_tissue_as_asked() -> None:
    """Around the lesion the level of the tissue; inside up to the strongest echo, on either side."""
    ratios = []
    for item in made(60, tissue()):
        inside, far = item.image[item.mask], item.image[:40, :40]
        bright = far[far > 10] if (far > 10).any() else item.image[(item.image > 10) & ~item.mask]
        ratios.append(math.log(float(inside.mean()) / float(np.median(bright))))
    assert min(ratios) < -ECHO[0]
    assert max(ratios) > ECHO[0]
    assert np.abs(ratios).max() < 2 * ECHO[1]


def test_a_polygon_lies_between_its_corners() -> None:
    """The area inside of the sides is the polygon's, by another library."""
    corners = np.array([-2.9, -1.6, -0.4, 0.7, 2.0, 2.8])
    radii = np.array([80.0, 95.0, 70.0, 100.0, 85.0, 90.0])
    angles = np.linspace(-math.pi, math.pi, 3601)
    far = _sides(angles, corners, radii)
    own = 0.5 * np.trapezoid(far**2, angles)
    points = np.stack([200 + radii * np.cos(corners), 200 + radii * np.sin(corners)], axis=1)
    assert own == pytest.approx(polygon2mask((400, 400), points).sum(), rel=0.01)


def test_an_outlines_long_radius_is_about_the_one_asked_for() -> None:
    for seed in range(30):
        mask = _outline((300, 300), np.array([150.0, 140.0]), 60.0, np.random.default_rng(seed))
        far = np.hypot(*(np.argwhere(mask) - (150, 140)).T).max()
        assert 45 < far < 78
        assert 0.4 * math.pi * 60**2 < mask.sum() < 1.25 * math.pi * 60**2
