"""Calibration of any regions at all, by their properties, and of real files."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_headers import instance_of
from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.records import Instance, Point, Region
from region_headers import COLUMNS, ROWS, code, image, region

EDGES = st.integers(-1, ROWS), st.integers(-1, COLUMNS)
SCALES = st.sampled_from([0.025, -0.025, 0.0251, 0.03, 0.1, 0.0, math.nan, None])


@st.composite
def any_region(draw: st.DrawFn) -> Region:
    """Regions of every kind, right and wrong, mostly spatial so that they meet."""
    rows, cols = ((draw(edge), draw(edge)) for edge in EDGES)
    if draw(st.integers(0, 9)):
        rows, cols = (min(rows), max(rows)), (min(cols), max(cols))
    mostly = st.sampled_from([1, 1, 1, 2, 0, None, 3, 4, 13])
    unit = st.sampled_from([3, 3, 3, 3, 0, 4, None])
    return region(
        rows, cols, spatial_format=draw(mostly), data_type=draw(mostly), unit_row=draw(unit), unit_col=draw(unit),
        delta_row=draw(SCALES), delta_col=draw(SCALES), flags=draw(st.sampled_from([0, 1, 2, 3, None])),
    )  # fmt: skip


POINTS = st.lists(
    st.tuples(st.floats(-1, ROWS, allow_nan=False), st.floats(-1, COLUMNS, allow_nan=False)), min_size=1, max_size=4
)


@given(st.lists(any_region(), max_size=5), POINTS, st.sampled_from([None, (0.25, 0.25)]))
def test_an_accepted_scale_is_that_of_a_spatial_region_that_holds_all_points(
    regions: list[Region], points: list[Point], pixel_spacing: tuple[float, float] | None
) -> None:
    instance = image(*regions, pixel_spacing=pixel_spacing)
    result = calibrate_at(instance, points)
    if code(result) is not None:
        return
    assert result.spacing_mm is not None
    if not regions:
        assert result.spacing_mm == pixel_spacing
        return
    assert any(
        each.data_type in (1, 2)
        and each.spatial_format in (1, 0, None)
        and (each.unit_row, each.unit_col) == (3, 3)
        and result.spacing_mm == (abs(each.delta_row or 0) * 10, abs(each.delta_col or 0) * 10)
        and all(
            (each.row_min or 0) - 0.5 <= row <= (each.row_max or 0) + 0.5
            and (each.col_min or 0) - 0.5 <= col <= (each.col_max or 0) + 0.5
            for row, col in points
        )
        for each in regions
    )
    assert all(np.isfinite(result.spacing_mm))
    assert all(result.region is not None and result.region.contains(point) for point in points)


@given(st.lists(any_region(), min_size=1, max_size=5), POINTS, st.randoms())
def test_the_order_of_regions_and_points_does_not_matter(
    regions: list[Region], points: list[Point], random: Random
) -> None:
    first = calibrate_at(image(*regions), points)
    shuffled, mixed = list(regions), list(points)
    random.shuffle(shuffled)
    random.shuffle(mixed)
    second = calibrate_at(image(*shuffled), mixed)
    assert (first.refusal is None) == (second.refusal is None)
    if first.spacing_mm is not None and second.spacing_mm is not None:
        assert second.spacing_mm == pytest.approx(first.spacing_mm, rel=0.01)


# What the rules say of every real file, worked out by hand from its region list; None: accepted at this mm per pixel.
REAL: dict[str, tuple[str | None, float | None]] = {
    "JPGLosslessP14SV1_1s_1f_8b.dcm": (None, 0.25476696592378157),
    "OBXXXX1A.dcm": (None, 0.2622878766196998),
    "OBXXXX1A_2frame.dcm": (None, 0.2622878766196998),
    "OBXXXX1A_expb_2frame.dcm": (None, 0.2622878766196998),
    "OBXXXX1A_rle.dcm": (None, 0.2622878766196998),
    "OBXXXX1A_rle_2frame.dcm": (None, 0.2622878766196998),
    "US1_J2KI.dcm": ("no_calibration", None),
    "US1_J2KR.dcm": ("no_calibration", None),
    "US1_UNCI.dcm": ("no_calibration", None),
    "US1_UNCR.dcm": ("no_calibration", None),
    "color-pl.dcm": ("no_calibration", None),  # PixelAspectRatio only
    "color-px.dcm": ("no_calibration", None),
    "dcm4che_YBR_422.dcm": (None, 0.061599999666213994),
    "dcm4che_jpeg-ls-Palette.dcm": ("no_calibration", None),
    "pydicom_ExplVR_BigEnd.dcm": ("no_calibration", None),
    "pydicom_examples_palette.dcm": ("region_outside_image", None),  # cut to 350 rows, regions down to row 576
    "pydicom_examples_rgb_color.dcm": ("no_calibration", None),
    "wg04_US1_RLE.dcm": ("no_calibration", None),
}


@pytest.fixture(scope="module")
def real(shared_dir: Path) -> dict[str, Instance]:
    """Every real ultrasound image by its file name."""
    return {path.name: instance_of(path) for path in sorted((shared_dir / "dicom_us" / "us").glob("*.dcm"))}


def test_real_files(real: dict[str, Instance]) -> None:
    assert real.keys() == REAL.keys()
    for name, instance in real.items():
        expected, mm = REAL[name]
        result = calibrate(instance)
        assert (result.refusal.code if result.refusal else None) == expected, name
        if mm is not None:
            assert result.spacing_mm == pytest.approx((mm, mm), rel=1e-12), name
            assert result.source == "ultrasound region 0 (tissue)"
            assert result.warnings == ()


# Ends of the calipers whose length is printed in the image (read by eye from the crosses), and that length in mm.
PRINTED = {
    "JPGLosslessP14SV1_1s_1f_8b.dcm": ((319.5, 629.5), (435.5, 689.5), 33.3),
    "OBXXXX1A.dcm": ((289.5, 458.5), (300.5, 497.5), 10.63),
    "OBXXXX1A_2frame.dcm": ((289.5, 458.5), (300.5, 497.5), 10.63),
    "OBXXXX1A_expb_2frame.dcm": ((289.5, 458.5), (300.5, 497.5), 10.63),
    "OBXXXX1A_rle.dcm": ((289.5, 458.5), (300.5, 497.5), 10.63),
    "OBXXXX1A_rle_2frame.dcm": ((289.5, 458.5), (300.5, 497.5), 10.63),
}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_caliper_lengths(real: dict[str, Instance], name: str) -> None:
    start, end, length_mm = PRINTED[name]
    spacing = calibrate_at(real[name], [start, end]).spacing_mm
    assert spacing is not None
    measured = math.hypot((end[0] - start[0]) * spacing[0], (end[1] - start[1]) * spacing[1])
    assert measured == pytest.approx(length_mm, rel=0.005)


def test_ecg_strip_of_a_real_file(real: dict[str, Instance]) -> None:
    result = calibrate_at(real["OBXXXX1A.dcm"], [(550, 300), (550, 400)])
    assert result.refusal is not None
    assert result.refusal.code == "not_spatial"
    assert "ECG" in result.refusal.reason
    assert calibrate_at(real["OBXXXX1A.dcm"], [(20, 20), (30, 30)]).refusal is not None
