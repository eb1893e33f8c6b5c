"""Dots and arrows, which mark points some pixels apart, are told from one another, or left out."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.burnt_in.grouping import MarkPair, find_pairs, find_possible
from lesion_measure.burnt_in.reconcile import Distance, Stated
from lesion_measure.burnt_in.settle import settled
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
