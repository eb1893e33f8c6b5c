"""The scales of the report's plots: every one has ticks enough to read a value by."""

from __future__ import annotations

import math

import pytest

from lesion_measure.report.plot import logarithmic


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (12.4, 41.7, (15, 20, 30, 40)),
        (3.0, 300.0, (5, 10, 20, 50, 100, 200)),
        (2.0, 150000.0, (10, 100, 1000, 10000, 100000)),
        (20.0, 22.0, (18, 19, 20, 21, 22, 23, 24)),
    ],
)
def test_a_logarithmic_scale_has_ticks_for_any_width(low: float, high: float, ticks: tuple[float, ...]) -> None:
    scale = logarithmic(low, high, 0, 100)
    assert scale.ticks == pytest.approx(ticks)
    # Places by hand: equal ratios are equal distances.
    ends = low / 1.12, high * 1.12
    places = [100 * math.log(t / ends[0]) / math.log(ends[1] / ends[0]) for t in ticks]
    assert [scale.at(t) for t in scale.ticks] == pytest.approx(places)
