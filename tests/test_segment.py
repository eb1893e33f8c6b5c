"""The segment stage with a made-up segmenter: coordinates, size limit, threshold, acceptance; no network needed."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_network import Drawn
from lesion_measure.config import Segment
from lesion_measure.network.segment import longest_mm, segment_frame
from lesion_measure.records import CalibratedRegion, LesionMask


@dataclass
class FakeSegmenter:
    """Returns what it was given, and remembers what it was asked."""

    lesions: list[Drawn]
    asked: dict[str, Any] = field(default_factory=dict)

    def segment(self, image: NDArray[Any], prompt: Sequence[Any] | None, *, level: float, flips: bool) -> FakeSegmenter:
        self.asked = {"image": image, "prompt": prompt, "level": level, "flips": flips}
        return self


REGION = CalibratedRegion(row_min=10, row_max=89, col_min=20, col_max=139, spacing_mm=(0.5, 0.25), source="test")


def soft_ellipse(rows: float, cols: float, margin: int = 4) -> NDArray[np.float32]:
    """A soft ellipse whose 0.5 contour has these half axes, centred in its cut-out."""
    high, wide = math.ceil(rows) + margin, math.ceil(cols) + margin
    row, col = np.mgrid[-high : high + 1, -wide : wide + 1].astype(float)
    radius = np.hypot(row / rows, col / cols)
    slope = np.hypot(row / rows**2, col / cols**2) / np.maximum(radius, 1e-9)
    return np.asarray(1 / (1 + np.exp(3 * (radius - 1) / np.maximum(slope, 1e-9))), dtype=np.float32)


def run(lesions: list[Drawn], settings: Segment | None = None, **more: Any) -> tuple[LesionMask, ...]:
    segmenter = FakeSegmenter(lesions)
    frame = np.arange(100 * 150, dtype=np.float32).reshape(100, 150)
    found = segment_frame(cast(Any, segmenter), frame, REGION, settings or Segment(), **more)
    np.testing.assert_array_equal(segmenter.asked["image"], frame[10:90, 20:140])
    return found


def test_the_outline_stands_in_the_frame_at_sub_pixel_accuracy() -> None:
    (mask,) = run([Drawn(soft_ellipse(8.3, 14.6), (20, 30), 0.9, True)])
    assert mask.origin == (30, 50)
    centre = np.array([30 + 9 + 4, 50 + 15 + 4])
    radius = np.hypot(*((mask.outline_px - centre) / (8.3, 14.6)).T)
    np.testing.assert_allclose(radius, 1, atol=0.01)
    np.testing.assert_array_equal(mask.outline_px[0], mask.outline_px[-1])
    assert longest_mm(mask.outline_px, (0.5, 0.25)) == pytest.approx(max(16.6 * 0.5, 29.2 * 0.25), rel=0.01)


def test_a_lesion_cut_by_the_edge_is_closed() -> None:
    (mask,) = run([Drawn(np.full((20, 30), 0.99, np.float32), (0, 0), 0.9, True)])
    assert mask.outline_px.min(axis=0) == pytest.approx([9.5, 19.5], abs=0.02)
    assert mask.outline_px.max(axis=0) == pytest.approx([29.5, 49.5], abs=0.02)


def test_specks_are_left_out_by_millimetres() -> None:
    lesions = [Drawn(soft_ellipse(5, 5), (0, 0), 0.9, True), Drawn(soft_ellipse(2.9, 5), (40, 40), 0.8, True)]
    assert len(run(lesions, Segment(min_lesion_mm=3))) == 1
    assert len(run(lesions, Segment(min_lesion_mm=2))) == 2
    assert run([Drawn(np.full((5, 5), 0.4, np.float32), (0, 0), 0.9, True)]) == ()


def test_most_confident_first_and_accepted_by_the_right_limit() -> None:
    lesions = [
        Drawn(soft_ellipse(8, 8), (0, 0), 0.6, False),
        Drawn(soft_ellipse(8, 8), (40, 40), 0.7, True),
    ]
    assert [(m.confidence, m.accepted) for m in run(lesions)] == [(0.7, True), (0.6, False)]
    assert [m.accepted for m in run(lesions, Segment(min_confidence=0.5))] == [True, True]
    assert [m.accepted for m in run(lesions, Segment(min_confidence=0.65))] == [True, False]
    assert [m.accepted for m in run(lesions, Segment(min_confidence=0.7))] == [True, False]


def test_another_threshold_becomes_the_half_contour() -> None:
    probability = soft_ellipse(10, 10)
    (mask,) = run([Drawn(probability, (0, 0), 0.9, True)], Segment(threshold=0.2))
    np.testing.assert_array_equal(mask.probability >= 0.5, probability >= 0.2)
    assert np.ptp(mask.outline_px[:, 0]) > 20.2


def test_calipers_move_with_the_region() -> None:
    segmenter = FakeSegmenter([])
    settings = Segment(threshold=0.4, test_time_flips=False)
    frame = np.zeros((100, 150), np.uint8)
    segment_frame(cast(Any, segmenter), frame, REGION, settings, [((15.0, 25.5), (40.0, 60.0))])
    assert segmenter.asked["prompt"] == [((5.0, 5.5), (30.0, 40.0))]
    assert (segmenter.asked["level"], segmenter.asked["flips"]) == (0.4, False)


def test_a_prompted_lesion_has_its_own_limit_and_no_least_size() -> None:
    prompt = [((15.0, 25.5), (40.0, 60.0))]
    speck = Drawn(soft_ellipse(2.5, 4), (40, 40), 0.6, False)
    assert run([speck]) == ()
    assert [m.accepted for m in run([speck], prompt=prompt)] == [False]
    assert [m.accepted for m in run([speck], Segment(min_confidence=0.5), prompt=prompt)] == [False]
    assert [m.accepted for m in run([speck], Segment(min_prompted_confidence=0.5), prompt=prompt)] == [True]
    assert run([Drawn(np.full((5, 5), 0.4, np.float32), (0, 0), 0.9, True)], prompt=prompt) == ()


def test_importing_the_stage_loads_no_network() -> None:
    code = "import sys, lesion_measure.network.segment; sys.exit('torch' in sys.modules or 'monai' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
