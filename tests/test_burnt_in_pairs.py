"""Which marks are paired: made-up marks of a stated score, colour and distance."""

from __future__ import annotations

import itertools
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray

from lesion_measure.burnt_in import joint_fit
from lesion_measure.burnt_in.filled_fit import Figure, Fit, Fits
from lesion_measure.burnt_in.grouping import _ends_before, _fits_better, group
from lesion_measure.burnt_in.joint_fit import Fitting
from lesion_measure.burnt_in.marks import EVEN, Mark, find_marks
from lesion_measure.burnt_in.overlay import Channel, Seen, overlay
from lesion_measure.burnt_in.surroundings import only_alike
from lesion_measure.burnt_in.templates import Shape
from lesion_measure.lab.screens.strokes import Layer

YELLOW = (255, 230, 40)
SPREAD = 60.0
"""SD of strokes that are not even: a contrast of 200 is less than `EVEN` times as much."""


def filled(
    row: float,
    col: float,
    shape: Shape = Shape.DISC,
    brightness: float = 200.0,
    half_px: float = 4.0,
    back: tuple[float, float] = (0.0, 0.0),
) -> Mark:
    """A yellow dot, or an arrow, as it is found."""
    return Mark(
        row=row,
        col=col,
        shape=shape,
        half_px=half_px,
        score=0.9,
        level=200.0,
        spread=2.0,
        ground=20.0,
        clearance=150.0,
        dark=0.0,
        colour=(brightness, brightness, 0.0),
        back=back,
    )


def disc_at_40() -> Channel:
    """A white disc on black, as a channel."""
    picture = np.zeros((90, 90, 3), np.float32)
    layer = Layer((90, 90), smooth=False)
    layer.disc((40, 40), 4)
    layer.over(picture, (255, 255, 255))
    return picture.astype(np.uint8).max(axis=2)


def four_that_cross() -> tuple[NDArray[np.uint8], Channel, list[Mark]]:
    """Yellow crosses at the ends of a long and a short axis on even gray, and the marks found there."""
    picture = np.full((200, 200, 3), 70, np.float32)
    layer = Layer((200, 200), smooth=False)
    for row, col in ((100, 40), (100, 160), (60, 100), (140, 100)):
        layer.bar((row - 5, col), (row + 5, col), 1)
        layer.bar((row, col - 5), (row, col + 5), 1)
    layer.over(picture, YELLOW)
    rgb = picture.astype(np.uint8)
    channel = overlay(rgb).channel(Seen.COLOURED)
    assert channel is not None
    marks = [replace(mark, dark=0.0, spread=SPREAD) for mark in find_marks(rgb, channel, on_black=True)]
    assert len(marks) == 4
    assert max(mark.evenness for mark in marks) < EVEN
    return rgb, channel, marks


@pytest.mark.parametrize(
    ("scores", "pairs"),
    [
        pytest.param((0.8, 0.8, 0.8, 0.8), 2, id="all are clear"),
        pytest.param((0.8, 0.7, 0.8, 0.7), 2, id="two are clear"),
        pytest.param((0.8, 0.7, 0.7, 0.7), 0, id="one is clear"),
        pytest.param((0.7, 0.7, 0.7, 0.7), 0, id="all are nearly clear"),
    ],
)
def test_nearly_clear_crosses_are_believed_with_clear_ones(scores: tuple[float, ...], pairs: int) -> None:
    rgb, channel, marks = four_that_cross()
    marks = [replace(mark, score=score) for mark, score in zip(marks, scores, strict=True)]
    assert sum(not pair.open for pair in group(rgb, channel, marks)) == pairs


@pytest.mark.parametrize(("scores", "pairs"), [((0.82, 0.7), 1), ((0.81, 0.7), 0), ((0.7, 0.7), 0)])
def test_of_two_the_other_has_to_be_clearer_by_as_much(scores: tuple[float, float], pairs: int) -> None:
    """0.76 on average."""
    rgb, channel, marks = four_that_cross()
    two = [replace(mark, score=score) for mark, score in zip(marks[:2], scores, strict=True)]
    for mark in marks[2:]:  # would be partners
        row, col = (round(at) for at in mark.point)
        channel[row - 8 : row + 9, col - 8 : col + 9] = 0
    found = group(rgb, channel, two)
    assert [pair.open for pair in found] == [not pairs]  # else a printed value may tell


@pytest.mark.parametrize(("apart", "fitted"), [(11.9, 0), (12.0, 1)])
def test_filled_marks_too_near_for_a_caliper_tell_no_other_pair_what_it_is(
    monkeypatch: pytest.MonkeyPatch, apart: float, fitted: int
) -> None:
    channel = disc_at_40()
    compared = Mock(wraps=joint_fit.fit_filled)
    monkeypatch.setattr(joint_fit, "fit_filled", compared)
    Fitting(np.repeat(channel[:, :, None], 3, axis=2), channel).weigh([(filled(40, 40), filled(40, 40 + apart))])
    assert compared.call_count == fitted


@pytest.mark.parametrize("shift", [0.0, 1e-13])
def test_one_blob_as_two_arrows_that_face_each_other_is_no_pair(shift: float) -> None:
    """Tips of 8 px to both sides have one middle: no way leads from one to the other. ``shift`` is rounding."""
    channel = disc_at_40()
    left = filled(40, 36, Shape.ARROW, half_px=8.0, back=(0.0, 1.0))
    right = filled(40, 44 + shift, Shape.ARROW, half_px=8.0, back=(0.0, -1.0))
    assert np.allclose(left.middle, right.middle, rtol=0, atol=1e-12)
    assert Fitting(np.repeat(channel[:, :, None], 3, axis=2), channel).pair(left, right) is None


@pytest.mark.parametrize(
    ("brightness", "alike"),
    [
        pytest.param((150, 200, 250), set(), id="the middle one is like both others, which are not alike"),
        pytest.param((150, 160, 250), {(150, 160)}, id="two are alike"),
        pytest.param((150, 160, 230, 250), {(150, 160), (230, 250)}, id="two and two"),
        pytest.param((150, 155, 160), set(), id="three are alike"),
    ],
)
def test_only_two_that_are_alike_are_a_pair_in_any_order(
    brightness: tuple[int, ...], alike: set[tuple[int, int]]
) -> None:
    """Filled marks are alike up to a difference of 55."""
    marks = [filled(40, 40 + 30 * at, brightness=float(value)) for at, value in enumerate(brightness)]
    for order in itertools.permutations(marks):
        found = [tuple(sorted(int(mark.colour[0]) for mark in pair)) for pair in only_alike(order)]
        assert sorted(found) == sorted(alike)


def line_of_dashes(dash_px: int, step_px: int) -> tuple[NDArray[np.uint8], Channel, list[Mark]]:
    """White crosses 100 pixels apart with dashes between, neither clear nor of even strokes, on even gray."""
    picture = np.full((200, 200, 3), 70, np.float32)
    layer = Layer((200, 200), smooth=False)
    for col in (40, 140):
        layer.bar((95, col), (105, col), 1)
        layer.bar((100, col - 5), (100, col + 5), 1)
    for col in range(48, 132, step_px):
        layer.bar((100, col), (100, col + dash_px - 1), 1)
    layer.over(picture, (255, 255, 255))
    rgb = picture.astype(np.uint8)
    channel = overlay(rgb).bright
    ends = [mark for mark in find_marks(rgb, channel) if min(abs(mark.col - 40), abs(mark.col - 140)) < 2]
    assert len(ends) == 2
    return rgb, channel, [replace(mark, dark=0.0, spread=SPREAD, score=0.65) for mark in ends]


@pytest.mark.parametrize(("dash_px", "step_px", "found"), [(7, 9, True), (8, 10, True), (100, 100, False)])
def test_even_dashes_with_short_gaps_are_no_solid_line(dash_px: int, step_px: int, found: bool) -> None:
    """Four fifths of it are drawn. A solid line would need clearer crosses, since it is a stroke of both already."""
    assert [pair.open for pair in group(*line_of_dashes(dash_px, step_px))] == [not found]


@pytest.mark.parametrize(
    ("number_col", "aside", "score", "behind"),
    [
        pytest.param(152.0, 0.0, 0.85, True, id="behind the dot"),
        pytest.param(28.0, 0.0, 0.85, True, id="behind the other one"),
        pytest.param(152.0, 0.0, 0.86, False, id="as clear as the dot"),
        pytest.param(157.0, 0.0, 0.85, False, id="too far"),
        pytest.param(152.0, 40.0, 0.85, False, id="not in line"),
    ],
)
def test_a_number_behind_a_dot_ends_no_line(number_col: float, aside: float, score: float, behind: bool) -> None:
    """Dots of 0.9 at columns 40 and 140; the number is taken for a dot as bright."""
    left, right = filled(100, 40), filled(100, 140)
    number = replace(filled(100 + aside, number_col), score=score)
    far, dot = (left, right) if number_col > 100 else (right, left)
    assert _ends_before(dot, far, number) is behind
    assert _ends_before(dot, number, far) is behind
    assert not _ends_before(number, far, dot)


def arrows_with_shafts() -> tuple[Fitting, list[Mark], list[Mark]]:
    """Two arrows that point away from one another on gray: marks at their heads, and at the ends of their shafts."""
    picture = np.full((160, 260, 3), 70, np.float32)
    layer = Layer((160, 260), smooth=True)
    for tip, way in ((60, 1), (190, -1)):
        layer.polygon([(80, tip), (76, tip + way * 7), (84, tip + way * 7)])
        layer.line((80, tip + way * 7), (80, tip + way * 18), 3)
    layer.over(picture, YELLOW)
    rgb = picture.astype(np.uint8)
    channel = overlay(rgb).channel(Seen.COLOURED)
    assert channel is not None
    heads = [filled(80, 63.5), filled(80, 186.5)]
    return Fitting(rgb, channel), heads, [filled(80, 77), filled(80, 173)]


def test_ends_of_shafts_end_no_caliper_where_heads_fit_better() -> None:
    fitting, heads, shafts = arrows_with_shafts()
    assert _fits_better(shafts[0], shafts[1], [*heads, *shafts], fitting)
    assert _fits_better(heads[0], shafts[1], [*heads, *shafts], fitting)
    assert not _fits_better(heads[0], heads[1], [*heads, *shafts], fitting)
    assert not _fits_better(shafts[0], shafts[1], shafts, fitting)


@pytest.mark.parametrize(("dots", "found"), [((0.92, 0.96), False), ((0.96, 0.97), True)])
def test_dots_that_fit_worse_than_arrows_with_their_tips_are_open(
    monkeypatch: pytest.MonkeyPatch, dots: tuple[float, float], found: bool
) -> None:
    """Coarsely they fit better by 0.34; finely arrows have 0.96 and 0.93."""
    channel = disc_at_40()
    middles = (40.0, 40.0), (40.0, 70.0)
    figures = (Figure(4.0), dots), (Figure(7.0, 0.5, 1), (0.96, 0.93)), (Figure(7.0, 0.5, -1), (0.7, 0.7))
    fits = Fits(tuple(Fit(figure, middles, scores) for figure, scores in figures), np.array([0.0, 0.34, 0.9]))
    monkeypatch.setattr(joint_fit, "fit_filled", Mock(return_value=fits))
    fitting = Fitting(np.repeat(channel[:, :, None], 3, axis=2), channel)
    assert (fitting.pair(filled(40, 40), filled(40, 70)) is not None) is found
    assert len(fitting.possible(filled(40, 40), filled(40, 70))) == 2


def test_one_blob_fits_nothing_better() -> None:
    """Of a short line both ends are near both marks, so that one is compared with itself: no way leads there."""
    channel = disc_at_40()
    fitting = Fitting(np.repeat(channel[..., None], 3, axis=2), channel)
    assert fitting.best_score(filled(40, 40), filled(40, 40)) == 0
