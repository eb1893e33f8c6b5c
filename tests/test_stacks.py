"""A lesion followed through the frames of a volume, and its volume against analytic ellipsoids."""

from __future__ import annotations

import math

import numpy as np
import pytest

import make
from lesion_measure.config import Uncertainty
from lesion_measure.image.stack import Track, apart_from, between_slices, measure_body, shared_pixels, tracks
from lesion_measure.measure.uncertainty import of_parts
from lesion_measure.records import Body, LesionMask, Source

SPACING = (0.4, 0.5)
SLICE = 0.8


def _slices(radii_mm: tuple[float, float, float], at: tuple[float, float] = (40, 50)) -> dict[int, list[LesionMask]]:
    """An ellipsoid (frame, row, column half axes) cut by 41 frames, frame 21 through its middle; 8 x 8 coverage."""
    masks: dict[int, list[LesionMask]] = {}
    sub = (np.arange(8) + 0.5) / 8 - 0.5
    rows = (np.arange(80)[:, None] + sub).ravel() - at[0]
    cols = (np.arange(100)[:, None] + sub).ravel() - at[1]
    in_plane = (rows[:, None] * SPACING[0] / radii_mm[1]) ** 2 + (cols[None] * SPACING[1] / radii_mm[2]) ** 2
    for frame in range(1, 42):
        coverage = (in_plane + ((frame - 21) * SLICE / radii_mm[0]) ** 2 <= 1).reshape(80, 8, 100, 8).mean((1, 3))
        masks[frame] = [_mask(coverage)] if coverage.max() >= 0.5 else []
    return masks


def _mask(coverage: np.ndarray) -> LesionMask:
    where = np.argwhere(coverage > 0)
    (r0, c0), (r1, c1) = where.min(0), where.max(0) + 1
    probability = coverage[r0:r1, c0:c1].astype(np.float32)
    return LesionMask(
        probability=probability, origin=(int(r0), int(c0)), outline_px=make.box(0, 0, 1, 1), confidence=1, accepted=True
    )


@pytest.mark.parametrize("radii_mm", [(8.0, 8.0, 8.0), (12.0, 9.0, 7.0), (6.0, 10.0, 14.0)])
def test_volume_of_an_ellipsoid(radii_mm: tuple[float, float, float]) -> None:
    body = _body(_slices(radii_mm))
    assert body.volume_ml.value == pytest.approx(4 / 3 * math.pi * math.prod(radii_mm) / 1000, rel=0.01)
    assert body.volume_ml.sd >= 0.15 * body.volume_ml.value
    found = [axis.value for axis in body.axes_mm]
    assert found == pytest.approx(sorted((2 * r for r in radii_mm), reverse=True), rel=0.02)
    ends = np.diff(body.longest_px, axis=0)[0] * (SLICE, *SPACING)
    assert np.linalg.norm(ends) == pytest.approx(found[0])
    assert np.mean(body.longest_px, axis=0) == pytest.approx((21, 40, 50), abs=0.6)
    assert (body.frames[0] + body.frames[1]) / 2 == 21


def _body(masks: dict[int, list[LesionMask]], **parts: float) -> Body:
    """``parts``: shares of the plane's long axis of 20 mm that it errs by."""
    (body,) = tracks(masks, gaps=False)
    long, short = (of_parts(mm, **{name: mm * share for name, share in parts.items()}) for mm in (20.0, 15.0))
    plane = make.plane(source=Source.MODEL, spacing_mm=SPACING, long_axis_mm=long, short_axis_mm=short)
    return measure_body(body, plane, slice_spacing_mm=SLICE, settings=Uncertainty())


@pytest.mark.parametrize(
    ("name", "in_volume"), [("automatic", 3.0), ("automatic_axis", math.sqrt(5)), ("prompted", math.sqrt(5))]
)
def test_a_body_that_the_network_drew_errs_as_the_network_does(name: str, in_volume: float) -> None:
    """Not as a reader, whose axis repeats within 8.9 % and whose volume within 15 %: one network drew all slices."""
    body = _body(_slices((12.0, 9.0, 7.0)), **{name: 0.12})
    for axis in body.axes_mm:
        assert axis.parts[name] / axis.value == pytest.approx(0.12)
        assert "repeatability" not in axis.parts
    volume = body.volume_ml
    assert volume.parts[name] / volume.value == pytest.approx(in_volume * 0.12)
    assert "repeatability" not in volume.parts
    assert 0.26 < volume.sd / volume.value < 0.4


def test_a_body_that_a_reader_outlined_errs_as_readers_do() -> None:
    body = _body(_slices((12.0, 9.0, 7.0)), repeatability=0.089)
    assert body.axes_mm[0].parts["repeatability"] / body.axes_mm[0].value == pytest.approx(0.089)
    assert body.volume_ml.parts["repeatability"] / body.volume_ml.value == pytest.approx(0.15)


@pytest.mark.parametrize("slices", [4, 6, 10])
def test_the_error_by_the_place_of_the_slices_is_that_of_simulation(slices: int) -> None:
    """A ball that so many slices cut, the first of them anywhere: the spread of its volume, and what is stated."""
    rng = np.random.default_rng(slices)
    truth, volumes, stated = math.pi / 6, [], []
    for start in rng.uniform(0, 1, 2000):
        z = (start + np.arange(slices + 1)) / slices - 0.5
        areas = math.pi * np.maximum(0.25 - z**2, 0)
        areas = areas[areas > 0]
        volumes.append(areas.sum() / slices)
        stated.append(between_slices(list(areas)) / slices)
    assert np.mean(volumes) == pytest.approx(truth, rel=0.005)
    assert np.sqrt(np.mean(np.square(stated))) == pytest.approx(np.std(volumes), rel=0.35)


def test_an_axis_across_the_slices_is_less_certain_than_one_along_them() -> None:
    across = _body(_slices((14.0, 9.0, 9.0))).axes_mm[0].parts["slices"]
    along = _body(_slices((9.0, 9.0, 14.0))).axes_mm[0].parts["slices"]
    assert across == pytest.approx(SLICE / math.sqrt(6), rel=0.05)
    assert along < 0.3 * across


def test_two_lesions_are_followed_side_by_side() -> None:
    masks = _slices((8.0, 8.0, 8.0), at=(25, 25))
    for frame, others in _slices((8.0, 6.0, 6.0), at=(60, 75)).items():
        masks[frame] = [*others, *masks[frame]]
    frames = [frame for frame, lesions in masks.items() if lesions]
    found = tracks(masks, gaps=False)
    assert [list(track) for track in found] == [frames, frames]
    for track in found:
        assert len({m.origin[0] < 40 for m in track.values()}) == 1


def test_a_frame_without_the_lesion_ends_it() -> None:
    masks = _slices((8.0, 8.0, 8.0))
    masks[25] = []
    assert [(min(t), max(t)) for t in tracks(masks, gaps=False)] == [
        (min(f for f in masks if masks[f]), 24),
        (26, max(f for f in masks if masks[f])),
    ]


def test_lesions_apart_are_those_that_share_no_pixel_with_any_known_one() -> None:
    rng = np.random.default_rng(5)

    def some(number: int) -> list[Track]:
        return [
            {
                int(frame): LesionMask(
                    probability=rng.random(rng.integers(1, 9, 2)).astype(np.float32) ** 3,
                    origin=(int(rng.integers(0, 30)), int(rng.integers(0, 30))),
                    outline_px=np.zeros((0, 2)),
                    confidence=0.5,
                    accepted=False,
                )
                for frame in rng.choice(9, rng.integers(1, 3), replace=False)
            }
            for _ in range(number)
        ]

    sizes = set()
    for known in (some(number) for number in range(12)):
        found = some(12)
        sure = [mask for track in known for mask in track.values()]
        expected = [t for t in found if not any(shared_pixels(m, one) for m in t.values() for one in sure)]
        apart = apart_from(found, known)
        assert [id(track) for track in apart] == [id(track) for track in expected]
        sizes.add(len(apart))
    assert len(sizes) > 3
