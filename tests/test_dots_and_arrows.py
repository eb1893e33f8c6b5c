"""Dots and arrows, which mark points some pixels apart, are told from one another, or left out."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.burnt_in import marks
from lesion_measure.burnt_in.grouping import MOST_AIMED, GroupedBy, MarkPair, find_pairs, find_possible
from lesion_measure.burnt_in.joint_fit import Fitting
from lesion_measure.burnt_in.reconcile import Distance, Stated
from lesion_measure.burnt_in.settle import settled
from lesion_measure.burnt_in.templates import Shape
from lesion_measure.lab.screens.calipers import Style, draw_mark
from lesion_measure.lab.screens.looks import YELLOW, Mark
from lesion_measure.lab.screens.strokes import Layer

MARKS: tuple[tuple[Mark, int], ...] = (("dot", 4), ("arrow", 10))
Ends = tuple[tuple[float, float], tuple[float, float]]
ENDS: Ends = ((60.0, 50.0), (95.0, 140.0))
CROSSING: tuple[Ends, Ends] = (((80.0, 30.0), (80.0, 170.0)), ((30.0, 100.0), (130.0, 100.0)))


def picture(
    mark: Mark, half: int, *, inward: bool, calipers: Sequence[Ends] = (ENDS,), dots: int = 16
) -> NDArray[np.uint8]:
    """A frame of dark grains with dotted calipers in yellow, compressed with half the resolution of colour."""
    grains = np.random.default_rng(5).uniform(20, 60, (160, 200, 1))
    drawn = np.repeat(grains, 3, axis=2).astype(np.float32)
    layer = Layer((160, 200), smooth=True)
    style = Style(half, 1, "dots", 4, "sans", 12, inward)
    for one, two in calipers:
        for at, other in ((one, two), (two, one)):
            draw_mark(layer, mark, at, other, style)
        for share in np.linspace(0.2, 0.8, dots):
            middle = (1 - share) * np.array(one) + share * np.array(two)
            layer.disc((float(middle[0]), float(middle[1])), 0.7)
    layer.over(drawn, YELLOW)
    stream = BytesIO()
    Image.fromarray(drawn.astype(np.uint8)).save(stream, "JPEG", quality=85, subsampling=2)
    return np.asarray(Image.open(stream).convert("RGB"))


@pytest.mark.parametrize(("mark", "half"), [("dot", 3), ("dot", 4), ("arrow", 8), ("arrow", 10)])
@pytest.mark.parametrize("inward", [True, False])
def test_each_marks_its_own_point(mark: Mark, half: int, inward: bool) -> None:
    """An arrow's tip is some six pixels from the middle of its body, where a dot's point would be."""
    [pair] = find_pairs(picture(mark, half, inward=inward))
    found = sorted(end.point for end in pair.ends)
    assert np.abs(np.subtract(found, ENDS)).max() <= 1.0
    assert {end.shape.value for end in pair.ends} == {"disc" if mark == "dot" else "arrow"}


def test_one_dot_and_one_arrow_are_no_caliper() -> None:
    dots, arrows = (picture(mark, half, inward=True) for mark, half in MARKS)
    mixed = np.concatenate([dots[:, :95], arrows[:, 95:]], axis=1)
    assert not find_pairs(mixed)


@pytest.mark.parametrize(("half", "count"), [(2, 0), (4, 2)])
def test_four_that_cross_are_calipers_only_where_they_are_surely_dots(half: int, count: int) -> None:
    """A blob of five pixels may be an arrow, too."""
    pairs = find_pairs(picture("dot", half, inward=True, calipers=CROSSING, dots=0))
    assert len(pairs) == count
    for pair in pairs:
        ends = sorted(end.point for end in pair.ends)
        assert min(np.abs(np.subtract(ends, sorted(true))).max() for true in CROSSING) <= 1.0


def test_arrows_that_point_at_one_another_need_no_line() -> None:
    """Compression may leave none; of four arrows each is the end of the caliper that it points along."""
    pairs = find_pairs(picture("arrow", 10, inward=True, calipers=CROSSING, dots=0))
    ends = sorted(tuple(sorted(end.point for end in pair.ends)) for pair in pairs)
    assert np.abs(np.subtract(ends, sorted(tuple(sorted(true)) for true in CROSSING))).max() <= 1.0
    assert not find_pairs(picture("arrow", 10, inward=False, dots=0))  # a body between the tips may be a dot's


@pytest.mark.parametrize(("longer_px", "count"), [(0.0, 1), (8.0, 0)])
def test_a_printed_value_tells_what_blobs_mark(longer_px: float, count: int) -> None:
    """Arrows whose bodies lie between their tips may be dots: the value agrees with the tips' distance, or does not."""
    pairs = find_possible(picture("arrow", 8, inward=False, dots=0))
    assert pairs
    assert all(pair.open for pair in pairs)
    length = float(np.hypot(*np.subtract(*ENDS)))

    def measure(pair: MarkPair) -> Distance:
        return Distance(pair.length_px, pair.length_px * 0.2, 0.2)

    assert settled(pairs, [], measure)[0] == ()
    found, _, verdict = settled(pairs, [Stated((length + longer_px) * 0.2, 0.05)], measure)
    assert len(found) == count
    assert verdict.agrees == (True,) * count
    assert all(np.abs(np.subtract(sorted(end.point for end in pair.ends), ENDS)).max() <= 1.0 for pair in found)


def by_a_fifth(pair: MarkPair) -> Distance:
    """The length of a pair at 0.2 mm a pixel."""
    return Distance(pair.length_px, pair.length_px * 0.2, 0.2)


def between(one: tuple[float, float], two: tuple[float, float], grouped_by: GroupedBy = GroupedBy.VALUE) -> MarkPair:
    """Two crosses in white."""
    ends = [
        marks.Mark(
            row=row, col=col, shape=Shape.PLUS, half_px=6, score=0.9, level=250, spread=3, ground=40, clearance=200,
            dark=0, colour=(250, 250, 250),
        )
        for row, col in (one, two)
    ]  # fmt: skip
    return MarkPair((ends[0], ends[1]), grouped_by)


def test_two_marks_are_not_two_calipers() -> None:
    """As arrows and as dots they have two lengths; where both lengths are printed, none is told."""
    pairs = find_possible(picture("arrow", 7, inward=False, dots=0))
    lengths = sorted({round(pair.length_px * 0.2, 1) for pair in pairs})
    assert len(lengths) >= 2
    both = [Stated(length, 0.05) for length in (lengths[0], lengths[-1])]
    assert settled(pairs, both, by_a_fifth)[0] == ()


def test_two_calipers_share_no_mark() -> None:
    """Of three marks one has lost its own partner: 30.0 and 24.1 mm agree with both pairs that the first one makes."""
    first, second, third = (50.0, 50.0), (50.0, 200.0), (170.0, 60.0)
    pairs = [between(first, second), between(first, third)]
    values = [Stated(30.0, 0.05), Stated(24.1, 0.05)]
    assert settled(pairs, values, by_a_fifth)[0] == ()
    assert settled(pairs[:1], values, by_a_fifth)[0] == (pairs[0],)


def test_nothing_is_told_by_a_scale_that_another_caliper_doubts() -> None:
    """With the open one of 19.2 mm, the sure one of 30.0 mm is left with 27.0 mm, which contradicts its scale."""
    sure = between((50.0, 50.0), (50.0, 200.0), GroupedBy.LINE)
    found, _, verdict = settled(
        [sure, between((100.0, 20.0), (100.0, 116.0))], [Stated(19.2, 0.05), Stated(27.0, 0.05)], by_a_fifth
    )
    assert found == (sure,)
    assert True not in verdict.agrees


LONG = between((50.0, 50.0), (50.0, 200.0), GroupedBy.LINE), between((50.0, 55.0), (50.0, 195.0), GroupedBy.POINTS)
SHORT = between((100.0, 20.0), (100.0, 116.0), GroupedBy.LINE), between((100.0, 25.0), (100.0, 111.0), GroupedBy.POINTS)


@pytest.mark.parametrize(
    ("printed_mm", "expected"),
    [
        ((28.0, 17.2), (LONG[1], SHORT[1])),
        ((30.0, 17.2), (LONG[0], SHORT[1])),
        ((30.0, 19.2), (LONG[0], SHORT[0])),
        ((28.0, 21.0), (LONG[0], SHORT[0])),  # one alone: by chance, where the picture was enlarged
        ((28.0,), (LONG[0], SHORT[0])),
    ],
)
def test_dots_with_a_line_may_be_arrows_where_two_values_say_so(
    printed_mm: tuple[float, ...], expected: tuple[MarkPair, ...]
) -> None:
    """At 0.2 mm a pixel the long one has 30.0 or 28.0 mm, the short one 19.2 or 17.2 mm."""
    found, _, verdict = settled([*LONG, *SHORT], [Stated(length, 0.05) for length in printed_mm], by_a_fifth)
    assert found == expected
    assert (verdict.agrees == (True, True)) == (printed_mm[1:] in ((17.2,), (19.2,)))


def test_other_points_do_not_hide_that_a_picture_was_enlarged() -> None:
    """Two about as long, 30.0 and 29.0 mm, were printed as 28.0 and 27.1: other points agree, too."""
    line = between((120.0, 50.0), (120.0, 195.0), GroupedBy.LINE)
    points = between((120.0, 55.0), (120.0, 190.0), GroupedBy.POINTS)
    found, _, verdict = settled([*LONG, line, points], [Stated(28.0, 0.05), Stated(27.1, 0.05)], by_a_fifth)
    assert found == (LONG[0], line)
    assert verdict.factor == pytest.approx(1.07, abs=0.002)


@pytest.mark.parametrize(("printed_mm", "count"), [(19.3, 1), (25.0, 0)])
def test_arrows_that_point_at_one_another_need_a_printed_value(printed_mm: float, count: int) -> None:
    """Two of an annotation may point at one lesion from both sides."""
    pairs = [pair for pair in find_possible(picture("arrow", 10, inward=True, dots=0)) if not pair.open]
    assert [pair.grouped_by for pair in pairs] == [GroupedBy.AIM]
    assert len(settled(pairs, [Stated(printed_mm, 0.05)], by_a_fifth)[0]) == count
    assert settled(pairs, [], by_a_fifth)[0] == ()


def test_flow_in_colour_is_not_fitted_pair_by_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty blobs make 190 pairs; fitting each took half a minute a frame."""
    drawn = np.full((300, 400, 3), 30, np.float32)
    layer = Layer((300, 400), smooth=True)
    places = np.random.default_rng(7).uniform(0.1, 0.9, (20, 2)) * (300, 400)
    for row, col in places.tolist():
        layer.disc((row, col), 4)
    layer.over(drawn, YELLOW)
    asked: list[object] = []
    fit = Fitting.aimed

    def counted(self: Fitting, one: marks.Mark, two: marks.Mark) -> bool:
        asked.append((one, two))
        return fit(self, one, two)

    monkeypatch.setattr(Fitting, "aimed", counted)
    find_possible(drawn.astype(np.uint8))
    assert len(asked) <= MOST_AIMED * (MOST_AIMED - 1) // 2
