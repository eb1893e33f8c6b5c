"""What pairing looks at, on drawn pictures whose place, contrast and texture are known."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import make
from lesion_measure.measure.appearance import frame_by_frame, middle, with_appearance
from lesion_measure.records import CalibratedRegion, Plane, Source

REGION = CalibratedRegion(
    row_min=40, row_max=559, col_min=50, col_max=749, spacing_mm=(0.2, 0.2), source="ultrasound region 0 (tissue)"
)


def drawn(inside: float, outside: float, sd: float, angle_deg: float = 0.0) -> NDArray[np.uint8]:
    """An ellipse of 100 x 60 pixels (half axes) at row 300, column 400, by its equation; noise of a known SD within."""
    rng = np.random.default_rng(1)
    gray = np.full((600, 800), outside) + rng.normal(0, 5, (600, 800))
    down, right = np.mgrid[:600, :800] - np.array([300.0, 400.0])[:, None, None]
    turn = np.radians(angle_deg)
    along, across = right * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - right * np.sin(turn)
    within = (along / 100) ** 2 + (across / 60) ** 2 <= 1
    gray[within] = inside + rng.normal(0, sd, int(within.sum()))
    return gray.round().clip(1, 255).astype(np.uint8)


@pytest.mark.parametrize("angle_deg", [0, 30, 75])
def test_place_contrast_and_texture_within_a_readers_calipers(angle_deg: float) -> None:
    plane = make.plane(40, 24, angle_deg=angle_deg)
    (seen,) = with_appearance([plane], [REGION], lambda frame: drawn(70, 110, 15, angle_deg))
    look = seen.appearance
    assert look.picture == 0
    assert look.lateral_mm == pytest.approx((400 - 399.5) * 0.2)
    assert look.depth_mm == pytest.approx((300 - 40) * 0.2)
    assert look.contrast == pytest.approx(-40 / 255, abs=0.004)
    assert look.texture == pytest.approx(15 / 255, abs=0.005)


def test_within_an_outline_and_beside_another_region() -> None:
    turns = np.linspace(0, 2 * np.pi, 200)
    outline = np.stack([300 + 60 * np.sin(turns), 400 + 100 * np.cos(turns)], axis=1)
    plane = make.plane(40, 24, source=Source.MODEL, outline_px=outline, plane=Plane.SAGITTAL)
    other = CalibratedRegion(row_min=0, row_max=39, col_min=0, col_max=799, spacing_mm=(0.2, 0.2), source="other")
    (seen,) = with_appearance([plane], [other, REGION], lambda frame: drawn(150, 110, 9))
    assert seen.appearance.picture == 1
    assert seen.appearance.contrast == pytest.approx(40 / 255, abs=0.004)
    assert seen.appearance.texture == pytest.approx(9 / 255, abs=0.005)
    assert middle(plane) == pytest.approx((300, 400), abs=0.01)


def test_the_middle_of_an_outline_is_that_of_its_area() -> None:
    """A triangle's centroid is the mean of its corners; the mean of an outline's points is not, where they cluster."""
    corners = np.array([[0.0, 0.0], [0.0, 30.0], [60.0, 0.0]])
    side = np.linspace(corners[1], corners[2], 40)
    outline = np.vstack([corners[:1], side, corners[:1]])
    assert middle(make.plane(outline_px=outline)) == pytest.approx((20, 10))


def test_dark_surroundings_outside_of_the_fan_do_not_count() -> None:
    gray = drawn(70, 110, 5)
    gray[:, 470:] = 0
    (seen,) = with_appearance([make.plane(40, 24)], [REGION], lambda frame: gray)
    assert seen.appearance.contrast == pytest.approx(-40 / 255, abs=0.06)


def test_what_cannot_be_seen_has_a_place_and_no_echo() -> None:
    (blind,) = with_appearance([make.plane()], [REGION], lambda frame: None)
    assert (blind.appearance.contrast, blind.appearance.texture) == (None, None)
    assert blind.appearance.depth_mm == pytest.approx(52)
    (speck,) = with_appearance([make.plane(0.6, 0.4)], [REGION], lambda frame: drawn(70, 110, 5))
    assert speck.appearance.contrast is None
    (outside,) = with_appearance([make.plane(at=(20.0, 400.0))], [REGION], lambda frame: drawn(70, 110, 5))
    assert outside.appearance is None


def test_one_frame_is_held_at_a_time_and_planes_keep_their_order() -> None:
    planes = [replace(make.plane(), frame=number) for number in (3, 1, 3, 2)]
    held: list[weakref.ref[NDArray[np.uint8]]] = []

    def frame(number: int) -> NDArray[np.uint8]:
        assert not any(each() is not None for each in held[:-1])
        pixels = np.full((4, 4), number, np.uint8)
        held.append(weakref.ref(pixels))
        return pixels

    told = frame_by_frame(planes, frame, lambda plane, shown: replace(plane, picture_sha256=str(shown.max())))
    assert [plane.picture_sha256 for plane in told] == ["3", "1", "3", "2"]
    assert len(held) == 3
