"""Pictures of the report: what is drawn lies where it was measured, and a millimetre is a millimetre."""

from __future__ import annotations

import io
import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lesion_measure.records import Instance, Plane, PlaneMeasurement, Spacing
from lesion_measure.report.pictures import BACKGROUND, FrameImage, draw
from lesion_measure.report.windows import drawn_points, field_of_view_mm, place_window, visible_bounds
from report_cohort import COLUMNS, ROWS, Cohort, Ellipse

WIDTH = 640


def measured(shape: Ellipse) -> tuple[PlaneMeasurement, Instance]:
    make = Cohort()
    plane = make.plane("S", "S/a.dcm", "L1", Plane.TRANSVERSE, shape)
    return plane, make.instances[0]


def decoded(picture: FrameImage) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(picture.jpeg)).convert("L"), dtype=float)


def to_picture(picture: FrameImage, row: float, col: float) -> tuple[float, float]:
    a, b, c, d, e, f = map(float, picture.transform.removeprefix("matrix(").removesuffix(")").split())
    return b * col + d * row + f, a * col + c * row + e


def dots(places: list[tuple[int, int]]) -> NDArray[np.uint8]:
    """A black frame with a round spot, three pixels wide, at each place."""
    row, col = np.mgrid[:ROWS, :COLUMNS]
    frame = np.zeros((ROWS, COLUMNS))
    for place in places:
        frame = np.maximum(frame, 255 * np.exp(-((row - place[0]) ** 2 + (col - place[1]) ** 2) / 4))
    return np.repeat(frame.astype(np.uint8)[..., None], 3, axis=2)


def spots(picture: FrameImage, count: int) -> NDArray[np.float64]:
    gray = decoded(picture)
    labels, found = ndimage.label(gray > 80)
    assert found == count
    # in SVG the upper left corner of the picture is (0, 0), so a pixel's centre lies half a pixel further
    return 0.5 + np.array(ndimage.center_of_mass(np.where(gray > 80, gray, 0), labels, range(1, found + 1)))


SPACINGS = [(0.24, 0.24), (0.2, 0.29), (0.31, 0.19)]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_matrix_carries_pixels_to_where_the_picture_shows_them(spacing: Spacing) -> None:
    plane, image = measured(Ellipse((240.3, 317.8), 30, 20, 25, spacing))
    places = [(200, 290), (222, 355), (281, 301)]
    picture = draw(plane, dots(places), image, field_of_view_mm([plane]), WIDTH)
    expected = np.array([to_picture(picture, *place) for place in places])
    seen = spots(picture, len(places))
    for place in expected:
        assert np.abs(seen - place).max(axis=1).min() < 0.1


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("vertical", [False, True])
def test_scale_bar_is_as_long_as_its_millimetres(spacing: Spacing, vertical: bool) -> None:
    plane, image = measured(Ellipse((240, 320), 30, 20, 25, spacing))
    step = spacing[0] if vertical else spacing[1]
    apart = 60
    places = [(205, 320), (205 + apart, 320)] if vertical else [(240, 290), (240, 290 + apart)]
    picture = draw(plane, dots(places), image, field_of_view_mm([plane]), WIDTH)
    first, second = spots(picture, 2)
    pixels_per_mm = np.hypot(*(first - second)) / (apart * step)
    bar = picture.bar
    assert abs((bar.right - bar.left) - bar.millimetres * pixels_per_mm) < 0.25
    assert 0 < bar.left < bar.right < picture.width
    assert 0.08 * picture.width < bar.right - bar.left < 0.3 * picture.width


def test_overlay_keeps_the_pixel_coordinates_that_were_measured() -> None:
    plane, image = measured(Ellipse((241.27, 318.64), 31.3, 21.7, 33, (0.2, 0.27)))
    picture = draw(plane, dots([]), image, field_of_view_mm([plane]), WIDTH)
    assert plane.outline_px is not None
    assert plane.short_axis_px is not None
    points = np.array([pair.split() for pair in picture.outline.strip("MZ").split("L")], dtype=float)
    np.testing.assert_allclose(points, plane.outline_px[:, ::-1], atol=0.0051)
    for axis, ends in zip(picture.axes, (plane.long_axis_px, plane.short_axis_px), strict=True):
        line = np.array(re.findall(r"[\d.]+", axis.path.split("M")[1]), dtype=float).reshape(2, 2)
        np.testing.assert_allclose(line, np.array(ends)[:, ::-1], atol=0.0051)


def test_end_ticks_stand_square_on_the_axis_in_the_picture() -> None:
    plane, image = measured(Ellipse((240, 320), 30, 20, 33, (0.2, 0.3)))
    picture = draw(plane, dots([]), image, field_of_view_mm([plane]), WIDTH)
    parts = [
        np.array(re.findall(r"[-\d.]+", part), dtype=float).reshape(2, 2)
        for part in picture.axes[0].path.split("M")[1:]
    ]
    axis, *ticks = [np.diff([to_picture(picture, row, col) for col, row in part], axis=0)[0] for part in parts]
    assert len(ticks) == 2
    for tick in ticks:
        cosine = tick @ axis / np.linalg.norm(tick) / np.linalg.norm(axis)
        assert abs(math.degrees(math.asin(cosine))) < 0.5
        assert np.linalg.norm(tick) == pytest.approx(20, abs=0.1)


def test_outline_follows_the_edge_that_the_picture_shows() -> None:
    make = Cohort()
    plane = make.plane("S", "S/a.dcm", "L1", Plane.TRANSVERSE, Ellipse((240, 320), 30, 20, 25, (0.2, 0.29)))
    frame = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    oversampled = np.mgrid[: ROWS * 4, : COLUMNS * 4].reshape(2, -1) / 4 - 0.375
    down, right = (oversampled[0] - 240) * 0.2, (oversampled[1] - 320) * 0.29
    angle = math.radians(25)
    along, across = right * math.cos(angle) + down * math.sin(angle), down * math.cos(angle) - right * math.sin(angle)
    inside = (np.hypot(along / 15, across / 10) <= 1).reshape(ROWS, 4, COLUMNS, 4).mean(axis=(1, 3))
    frame[:] = (255 * inside).astype(np.uint8)[..., None]
    picture = draw(plane, frame, make.instances[0], field_of_view_mm([plane]), WIDTH)
    points = drawn_points(plane)
    seen = decoded(picture) > 127.5
    area = np.array([to_picture(picture, *point) for point in points[4:]])
    shoelace = 0.5 * abs(np.sum(area[:, 0] * np.roll(area[:, 1], 1) - np.roll(area[:, 0], 1) * area[:, 1]))
    assert seen.sum() == pytest.approx(shoelace, rel=0.005)
    np.testing.assert_allclose(ndimage.center_of_mass(seen) + np.array([0.5, 0.5]), area.mean(axis=0), atol=0.3)


def test_baseline_and_follow_up_show_the_same_millimetres() -> None:
    first, image = measured(Ellipse((240, 320), 41, 30, 25, (0.24, 0.24)))
    later, _ = measured(Ellipse((230, 300), 15, 12, 60, (0.2, 0.29)))
    view = field_of_view_mm([first, later])
    assert view == field_of_view_mm([later, first])
    for plane in (first, later):
        picture = draw(plane, dots([]), image, view, WIDTH)
        (top, left), (bottom, right) = to_picture(picture, 0, 0), to_picture(picture, 100, 100)
        assert (bottom - top) / (100 * plane.spacing_mm[0]) == pytest.approx(WIDTH / view[1], rel=2e-3)
        assert (right - left) / (100 * plane.spacing_mm[1]) == pytest.approx(WIDTH / view[1], rel=2e-3)


def test_without_a_region_only_the_surroundings_of_the_lesion_are_shown() -> None:
    plane, image = measured(Ellipse((240, 320), 40, 24, 0, (0.2, 0.4)))
    bare = replace(image, regions=(), pixel_spacing=(0.2, 0.4))
    frame = np.full((ROWS, COLUMNS, 3), 200, np.uint8)
    view = field_of_view_mm([plane], {bare.sop_instance_uid: bare})
    picture = draw(plane, frame, bare, (200.0, 400.0), WIDTH)
    # 40 by 24 mm, and on each side half of the longer
    shown = (decoded(picture) > 100).sum() / (WIDTH / 400.0) ** 2
    assert shown == pytest.approx(80 * 64, rel=0.02)
    assert view == pytest.approx((64, 64 * 4 / 3), rel=0.02)
    assert "text" in picture.note
    assert not draw(plane, frame, image, view, WIDTH).note


def test_without_a_region_a_caliper_along_one_row_is_shown_with_its_surroundings() -> None:
    plane, image = measured(Ellipse((240, 320), 40, 24, 0))
    line = replace(plane, outline_px=None, short_axis_px=None)
    bounds = visible_bounds(line, replace(image, regions=()), (ROWS, COLUMNS))
    assert np.array(bounds.shape) * 0.24 == pytest.approx([40, 80], abs=3 * 0.24)
    corner = replace(line, long_axis_px=((3.0, 5.0), (3.0, 95.0)))
    bounds = visible_bounds(corner, replace(image, regions=()), (ROWS, COLUMNS))
    assert (bounds.row_min, bounds.row_max, bounds.col_min, bounds.col_max) == (0, 48, 0, 140)


def test_field_of_view_is_no_larger_than_the_images() -> None:
    plane, image = measured(Ellipse((240, 320), 80, 70, 25))
    high, wide = field_of_view_mm([plane], {image.sop_instance_uid: image})
    assert (high, wide) == pytest.approx((431 * 0.24, 431 * 0.24 * 4 / 3))
    assert field_of_view_mm([plane])[0] > high


def test_every_point_drawn_is_in_the_picture() -> None:
    for row, col in itertools.product((60, 240, 420), (80, 320, 560)):
        plane, image = measured(Ellipse((row, col), 12, 9, 10))
        picture = draw(plane, dots([]), image, field_of_view_mm([plane]), WIDTH)
        places = np.array([to_picture(picture, *point) for point in drawn_points(plane)])
        assert (places > 0).all()
        assert (places < [picture.height, picture.width]).all()


def test_text_outside_the_region_is_left_out() -> None:
    plane, image = measured(Ellipse((60, 100), 12, 9, 10))
    frame = np.full((ROWS, COLUMNS, 3), 200, np.uint8)
    shown = decoded(draw(plane, frame, image, (200.0, 400.0), WIDTH))
    area = (shown > 100).sum() / (WIDTH / 400.0) ** 2
    assert area == pytest.approx(431 * 571 * 0.24**2, rel=0.02)
    assert np.median(shown[:10]) == pytest.approx(BACKGROUND, abs=2)


def test_region_is_the_one_that_holds_the_measurement() -> None:
    plane, image = measured(Ellipse((240, 450), 12, 9, 10))
    tissue = image.regions[0]
    halves = (replace(tissue, index=0, col_max=319), replace(tissue, index=1, col_min=320))
    doppler = replace(tissue, index=2, row_max=479, col_min=0, col_max=639, unit_row=4)
    bounds = visible_bounds(plane, replace(image, regions=(*halves, doppler)), (ROWS, COLUMNS))
    assert (bounds.col_min, bounds.col_max) == (320, COLUMNS - 30)


def test_a_tiny_spacing_costs_no_memory() -> None:
    plane, image = measured(Ellipse((240, 320), 0.03, 0.02, 10, (0.0001, 0.0001)))
    bounds = visible_bounds(plane, image, (ROWS, COLUMNS))
    window = place_window(plane, bounds, field_of_view_mm([plane]), WIDTH)
    assert window.width > 100_000
    picture = draw(plane, dots([]), image, field_of_view_mm([plane]), WIDTH)
    assert decoded(picture).shape == (picture.height, picture.width) == (480, WIDTH)


def test_colour_is_kept_and_gray_stays_small() -> None:
    plane, image = measured(Ellipse((240, 320), 12, 9, 10))
    gray = np.full((ROWS, COLUMNS, 3), 90, np.uint8)
    doppler = gray.copy()
    doppler[200:280, 300:340, 0] = 250
    for frame, mode in ((gray, "L"), (doppler, "RGB")):
        picture = draw(plane, frame, image, field_of_view_mm([plane]), WIDTH)
        assert Image.open(io.BytesIO(picture.jpeg)).mode == mode
