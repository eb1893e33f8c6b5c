"""The other end of a caliper whose one mark alone is seen: made-up pictures, and screens with known points."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lesion_measure.burnt_in.grouping import MarkPair, find_pairs, find_possible
from lesion_measure.burnt_in.marks import Mark, find_marks
from lesion_measure.burnt_in.overlay import overlay
from lesion_measure.burnt_in.partners import MOST_PARTNERS, partners
from lesion_measure.lab.screens import LOOKS, TrueCaliper, simulate_screen

BITMAP = next(look for look in LOOKS if look.name == "bitmap")
CLEAR = (60, 60)


def draw(picture: NDArray[np.uint8], at: tuple[int, int], level: int) -> None:
    """A thin upright cross, five pixels to each side."""
    row, col = at
    picture[row - 5 : row + 6, col] = picture[row, col - 5 : col + 6] = level


def with_cross_on_line(level: int = 214) -> NDArray[np.uint8]:
    """Even gray with a clear cross at `CLEAR`, and one at (140, 150) on a bright line as wide as a cross."""
    picture = np.full((220, 220), 90, np.uint8)
    picture[134:146] = 205
    draw(picture, CLEAR, 214)
    draw(picture, (140, 150), level)
    return np.repeat(picture[..., None], 3, axis=2)


def clear_one(rgb: NDArray[np.uint8]) -> tuple[Mark, tuple[Mark, ...]]:
    """The mark at `CLEAR`, and all."""
    marks = find_marks(rgb, overlay(rgb).bright)
    return next(mark for mark in marks if mark.point == CLEAR), marks


@pytest.mark.parametrize(("level", "found"), [(214, [(140, 150)]), (213, []), (222, [])])
def test_a_cross_on_a_bright_line_is_the_partner_of_one_as_bright(level: int, found: list[tuple[int, int]]) -> None:
    rgb = with_cross_on_line(level)
    mark, marks = clear_one(rgb)
    assert [two[1].point for two in partners(rgb, overlay(rgb).bright, mark, marks)] == found


def test_of_many_alike_none_is_told() -> None:
    rgb = with_cross_on_line()
    for number in range(MOST_PARTNERS):
        draw(rgb, (140, 20 + 30 * number), 214)
    mark, marks = clear_one(rgb)
    assert not partners(rgb, overlay(rgb).bright, mark, marks)


def test_what_was_found_before_is_no_partner() -> None:
    rgb = with_cross_on_line()
    mark, marks = clear_one(rgb)
    [(_, other)] = partners(rgb, overlay(rgb).bright, mark, marks)
    assert not partners(rgb, overlay(rgb).bright, mark, (*marks, other))


def of(true: TrueCaliper, pairs: tuple[MarkPair, ...]) -> bool:
    """Whether one of some pairs is a caliper within a pixel."""
    ends = [np.array([mark.point for mark in pair.ends]) for pair in pairs]
    orders = [np.array(order) for order in (true.points, true.points[::-1])]
    return any(np.abs(each - order).max() <= 1 for each in ends for order in orders)


def test_an_end_on_a_diaphragm_is_found_by_its_line() -> None:
    screen = simulate_screen(660_000)
    assert all(of(true, find_pairs(screen.pixels)) for true in screen.calipers)


@pytest.mark.parametrize("seed", [650_029, 650_033])
def test_two_uneven_crosses_of_one_brightness_end_many_dots(seed: int) -> None:
    screen = simulate_screen(seed, look=BITMAP)
    assert all(of(true, find_pairs(screen.pixels)) for true in screen.calipers)


@pytest.mark.parametrize("seed", [660_022, 660_051])
def test_without_a_line_partners_are_open(seed: int) -> None:
    screen = simulate_screen(seed)
    assert all(of(true, find_possible(screen.pixels)) for true in screen.calipers)
    assert len(find_possible(screen.pixels)) <= len(screen.calipers) + 1
    assert not all(of(true, find_pairs(screen.pixels)) for true in screen.calipers)


def test_thin_coloured_crosses_show_the_echoes_behind() -> None:
    """On a dark and a bright ground one is brighter than the other by 42."""
    screen = simulate_screen(660_027)
    assert all(of(true, find_pairs(screen.pixels)) for true in screen.calipers)


def test_grains_of_echoes_are_no_crosses() -> None:
    """Two of a contrast of 25 were, with grains between them for dots."""
    screen = simulate_screen(660_009)
    [pair] = find_pairs(screen.pixels)
    assert of(screen.calipers[0], (pair,))
