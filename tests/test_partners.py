"""The other end of a caliper whose one mark alone is seen: made-up pictures, and screens with known points."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lesion_measure.burnt_in import partners as searched
from lesion_measure.burnt_in.grouping import MarkPair, find_pairs, find_possible
from lesion_measure.burnt_in.marks import Mark, find_marks, mark_at
from lesion_measure.burnt_in.overlay import overlay
from lesion_measure.burnt_in.partners import MOST_LOOKS, MOST_PARTNERS, partners
from lesion_measure.burnt_in.templates import REACH, Shape, Template, bank
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


def draw_softly(picture: NDArray[np.uint8], at: tuple[int, int]) -> None:
    """A cross as an even scanner draws it: one pixel in full, and half of those beside it."""
    row, col = at
    beside = [(row - 7, row + 8, col - 1, col + 2), (row - 1, row + 2, col - 7, col + 8)]
    for first, last, left, right in beside:
        part = picture[first:last, left:right]
        part[:] = np.maximum(part, part // 2 + 127)
    picture[row - 6 : row + 7, col] = picture[row, col - 6 : col + 7] = 255


def test_of_soft_strokes_their_core_tells_the_brightness() -> None:
    """Beside the core the bright line shines through, so that the whole cross is brighter there."""
    picture = np.full((220, 220), 90, np.uint8)
    picture[132:148] = 200
    draw_softly(picture, CLEAR)
    draw_softly(picture, (140, 150))
    rgb = np.repeat(picture[..., None], 3, axis=2)
    mark, _ = clear_one(rgb)
    assert [two[1].point for two in partners(rgb, overlay(rgb).bright, mark, [mark])] == [(140, 150)]


def test_two_that_only_look_alike_are_offered_other_partners() -> None:
    """Gray crosses without a line may be an end each of two calipers: each is tried with the hidden one."""
    rgb = with_cross_on_line()
    draw(rgb, (60, 180), 214)
    found = {frozenset(mark.point for mark in pair.ends): pair.open for pair in find_possible(rgb)}
    assert found[frozenset({CLEAR, (60, 180)})] is False
    assert found[frozenset({CLEAR, (140, 150)})] is found[frozenset({(60, 180), (140, 150)})] is True


def test_faint_crosses_of_one_brightness_are_offered() -> None:
    """Both calipers of seed 680043 lie amid echoes nearly as bright as they are, each with a correlation below 0.7."""
    screen = simulate_screen(680043, look=BITMAP)
    lengths = {round(pair.length_px, 1): pair for pair in find_possible(screen.pixels)}
    own = [round(float(np.hypot(*np.subtract(*true.points))), 1) for true in screen.calipers]
    assert [lengths[length].open for length in own] == [True, True, False]


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


@pytest.mark.parametrize("template", bank((Shape.PLUS, Shape.OBLIQUE)).templates)
def test_crosses_of_every_size_and_stroke_find_their_partner(template: Template) -> None:
    picture = np.full((240, 240), 90, np.uint8)
    picture[115:] = 205
    for row, col in ((60, 60), (143, 150)):
        picture[row - REACH : row + REACH + 1, col - REACH : col + REACH + 1][template.strokes] = 214
    rgb = np.repeat(picture[..., None], 3, axis=2)
    mark = mark_at(rgb, np.pad(rgb[..., 0], REACH), (60, 60), template, 1.0)
    [(one, other)] = partners(rgb, overlay(rgb).bright, mark, [mark])
    assert np.hypot(*np.subtract(one.point, mark.point)) <= 1
    assert np.hypot(*np.subtract(other.point, one.point) - (83, 90)) <= 1


def test_a_cross_that_is_all_a_frame_shows_looks_for_its_partner() -> None:
    rgb = with_cross_on_line()
    assert len(find_marks(rgb, overlay(rgb).bright)) == 1
    [pair] = find_possible(rgb)
    assert {mark.point for mark in pair.ends} == {CLEAR, (140, 150)}
    assert pair.open
    assert not find_pairs(rgb)


def tissue(seed: int, mean: float = 90, sd: float = 20, most: int = 255) -> NDArray[np.uint8]:
    """Echoes as grains, cut off at a level, (500, 640)."""
    grains = gaussian_filter(np.random.default_rng(seed).normal(size=(500, 640)), 1.3)
    return np.clip(mean + sd * grains / grains.std(), 8, most).astype(np.uint8)


@pytest.mark.parametrize("hidden", [False, True], ids=["no other end", "other end in white"])
@pytest.mark.parametrize("seed", [1, 4])
def test_where_two_solid_lines_cross_is_no_end(hidden: bool, seed: int) -> None:
    picture = tissue(seed)
    picture[220, 152:399] = picture[122:329, 260] = 220
    if hidden:
        picture[212:229, 392:409] = 245
    for at in ((120, 260), (330, 260), (220, 150)):
        draw(picture, at, 220)
    rgb = np.repeat(picture[..., None], 3, axis=2)
    [pair] = find_possible(rgb)
    assert {mark.point for mark in pair.ends} == {(120, 260), (330, 260)}
    assert find_pairs(rgb) == (pair,)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_a_line_crosses_a_dotted_one_is_no_end(seed: int) -> None:
    level = tissue(seed, 100, 25)
    draw(level, (120, 150), 220)
    oblique = level.copy()
    for col in range(158, 460, 6):
        level[120, col : col + 2] = 220
    level[60:200, 430] = level[120, 415:446] = 220
    for along in range(10, 300, 5):
        oblique[120 + round(along / 2), 150 + along] = 220
    oblique[190:251, 350] = oblique[220, 320:381] = 220
    for rgb in (np.repeat(each[..., None], 3, axis=2) for each in (level, oblique)):
        assert not find_pairs(rgb)
        assert (120, 150) not in {mark.point for pair in find_possible(rgb) for mark in pair.ends}


def test_echoes_cut_off_at_the_level_of_a_mark_are_no_partner() -> None:
    picture = tissue(1, 170, 60, most=235)
    picture[:200] = tissue(10, 170, 60, most=235)[:200] // 2
    draw(picture, (100, 150), 235)
    rgb = np.repeat(picture[..., None], 3, axis=2)
    mark, *_ = find_marks(rgb, overlay(rgb).bright)
    assert mark.point == (100, 150)
    assert not partners(rgb, overlay(rgb).bright, mark, [mark])


@pytest.mark.parametrize("level", [200, 199])
def test_a_search_among_many_alike_ends_soon(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.full((800, 1000), 60, np.uint8)
    picture[300:] = 197
    for row in range(320, 780, 13):
        for col in range(20, 680, 13):
            draw(picture, (row, col), level)
    draw(picture, CLEAR, 200)
    rgb = np.repeat(picture[..., None], 3, axis=2)
    channel, looks = overlay(rgb).bright, []
    mark = next(mark for mark in find_marks(rgb, channel) if mark.point == CLEAR)
    close = searched.mark_at
    monkeypatch.setattr(searched, "mark_at", lambda *given: looks.append(given) or close(*given))
    assert not partners(rgb, channel, mark, [mark])
    assert len(looks) <= (MOST_PARTNERS + 2 if level == 200 else MOST_LOOKS + 1)


def of(true: TrueCaliper, pairs: tuple[MarkPair, ...]) -> bool:
    """Whether one of some pairs is a caliper within a pixel."""
    ends = [np.array([mark.point for mark in pair.ends]) for pair in pairs]
    orders = [np.array(order) for order in (true.points, true.points[::-1])]
    return any(np.abs(each - order).max() <= 1 for each in ends for order in orders)


@pytest.mark.parametrize("seed", [650_029, 650_033])
def test_two_uneven_crosses_of_one_brightness_end_many_dots(seed: int) -> None:
    screen = simulate_screen(seed, look=BITMAP)
    assert all(of(true, find_pairs(screen.pixels)) for true in screen.calipers)


@pytest.mark.parametrize("seed", [660_000, 660_022, 660_051])
def test_partners_are_open(seed: int) -> None:
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
