"""Sizes of masks against analytic truth, published references and other libraries."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lesion_measure.errors import MeasurementError
from lesion_measure.measure import (
    MaskMeasurement,
    caliper_length_mm,
    ellipsoid_volume_ml,
    geometry,
    measure_mask,
    measure_outline,
    percent_change,
    rotation_volume_ml,
)
from shapes import Shape, random_shape


def errors_percent(kind: str, low: float, high: float, *, soft: bool, anisotropic: bool, count: int) -> NDArray:
    """(count, 4) errors in % of long axis, short axis, area and perimeter on random shapes."""
    rng = np.random.default_rng(20)
    rows = []
    for _ in range(count):
        shape = random_shape(rng, kind, low, high, anisotropic=anisotropic)
        sizes = measure_mask(shape.soft() if soft else shape.hard(), spacing_mm=shape.spacing)
        found = np.array([sizes.long_axis_mm, sizes.short_axis_mm, sizes.area_mm2, sizes.perimeter_mm])
        rows.append(100 * (found / shape.truth - 1))
    return np.array(rows)


class TestSoftMask:
    """The 0.5 contour of lesions of 16 px and more, on the sharpest maps that there are: pixel coverage."""

    @pytest.mark.parametrize("anisotropic", [False, True])
    def test_ellipses(self, anisotropic: bool) -> None:
        error = errors_percent("ellipse", 16, 60, soft=True, anisotropic=anisotropic, count=100)
        bias, spread = error.mean(axis=0), error.std(axis=0)
        assert abs(bias[0]) <= 0.15
        assert spread[0] <= 0.3
        assert abs(bias[1]) <= 0.2
        assert abs(bias[2]) <= 0.25
        assert abs(bias[3]) <= 0.3

    def test_rectangles_lose_their_corners(self) -> None:
        error = errors_percent("rectangle", 16, 60, soft=True, anisotropic=False, count=80)
        assert -1.8 < error[:, 0].mean() < 0
        assert abs(error[:, 2].mean()) <= 0.5

    def test_a_blurred_edge_is_outlined_at_its_half_height(self) -> None:
        rows, cols = np.mgrid[:80, :100]
        for width in (0.5, 1.0, 2.0):
            distance = np.hypot(rows - 40.3, cols - 50.2) - 20.0
            sizes = measure_mask(1 / (1 + np.exp(distance / width)), spacing_mm=(0.5, 0.5))
            assert sizes.long_axis_mm == pytest.approx(20.0, rel=0.002)
            assert sizes.area_mm2 == pytest.approx(math.pi * 100, rel=0.003)

    def test_noise_on_a_coverage_map_is_not_amplified(self) -> None:
        rng = np.random.default_rng(3)
        shape = Shape("ellipse", 30.0, 20.0, 0.4, (20.2, 20.4), (1.0, 1.0), 42)
        clean = shape.soft()
        edge = (clean > 0) & (clean < 1)
        long = []
        for _ in range(40):
            noisy = np.clip(clean + edge * rng.normal(0, 0.06, clean.shape), 0, 1)
            long.append(measure_mask(noisy, spacing_mm=(1, 1)).long_axis_mm)
        assert np.std(long) < 0.1
        assert abs(np.mean(long) - 30) < 0.25

    def test_8_bit_probabilities_are_good_enough(self) -> None:
        shape = Shape("ellipse", 24.0, 16.0, 1.0, (18.3, 17.9), (1.2, 0.9), 36)
        rounded = np.round(shape.soft(16) * 255) / 255
        assert measure_mask(rounded, spacing_mm=shape.spacing).long_axis_mm == pytest.approx(24.0, rel=0.004)


class TestHardMask:
    """Pixel centres inside or outside, nothing more."""

    @pytest.mark.parametrize(
        ("low", "high", "bias", "spread"), [(8, 16, 1.2, 2.2), (16, 40, 0.3, 0.7), (40, 80, 0.15, 0.3)]
    )
    def test_ellipses(self, low: float, high: float, bias: float, spread: float) -> None:
        error = errors_percent("ellipse", low, high, soft=False, anisotropic=False, count=80)
        assert abs(error[:, 0].mean()) <= bias
        assert error[:, 0].std() <= spread

    def test_anisotropic_ellipses(self) -> None:
        error = errors_percent("ellipse", 16, 40, soft=False, anisotropic=True, count=80)
        assert abs(error[:, 0].mean()) <= 0.3
        assert error[:, 0].std() <= 0.75
        assert abs(error[:, 3].mean()) <= 0.3

    def test_rectangles_lose_little_at_their_corners(self) -> None:
        error = errors_percent("rectangle", 40, 80, soft=False, anisotropic=False, count=40)
        assert -1.0 < error[:, 0].mean() < 0.3
        assert abs(error[:, 2].mean()) < 0.2
        assert abs(error[:, 3].mean()) < 0.8

    def test_a_box_of_pixels_is_that_box(self) -> None:
        mask = np.zeros((40, 60), dtype=bool)
        mask[5:25, 7:37] = True
        sizes = measure_mask(mask, spacing_mm=(0.5, 0.4))
        assert sizes.long_axis_mm == pytest.approx(math.hypot(10, 12))
        assert sizes.area_mm2 == pytest.approx(120)
        assert sizes.perimeter_mm == pytest.approx(44)

    def test_a_thin_oblique_line(self) -> None:
        mask = np.zeros((20, 40), dtype=bool)
        for col in range(5, 35):
            mask[5 + col // 4, col] = True
            mask[5 + (col + 1) // 4, col] = True
        sizes = measure_mask(mask, spacing_mm=(1.0, 1.0))
        assert sizes.long_axis_mm == pytest.approx(30 * math.hypot(1, 0.25), abs=1.5)
        assert sizes.area_mm2 == pytest.approx(np.count_nonzero(mask), rel=0.25)

    def test_hc18_perimeters_reproduce_the_reference_circumference(self, shared_dir: Path) -> None:
        folder = shared_dir / "data" / "HC18"
        with (folder / "index.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[::5]
        errors = []
        for row in rows:
            mask = np.asarray(Image.open(folder / "masks" / f"{row['id']}.png"))
            spacing = float(row["pixel_size_mm"])
            sizes = measure_mask(mask, spacing_mm=(spacing, spacing))
            errors.append(abs(sizes.perimeter_mm / float(row["HC_mm_gt"]) - 1))
        assert len(errors) == 20
        assert 100 * np.mean(errors) <= 0.5

    def test_real_lesion_masks_have_a_smooth_outline(self, shared_dir: Path) -> None:
        files = sorted((shared_dir / "data" / "AUL36" / "masks").glob("*.png"))
        assert files
        for file in files:
            mask = np.asarray(Image.open(file).convert("L")) > 0
            sizes = measure_mask(mask, spacing_mm=(1.0, 1.0))
            assert not any("staircase" in warning for warning in sizes.warnings)
            parts = SimpleITK.ConnectedComponent(SimpleITK.GetImageFromArray(mask.astype(np.uint8)))
            other = SimpleITK.LabelShapeStatisticsImageFilter()
            other.Execute(parts)
            largest = max(other.GetLabels(), key=other.GetNumberOfPixels)
            assert sizes.perimeter_mm == pytest.approx(other.GetPerimeter(largest), rel=0.03)
            assert sizes.area_mm2 == pytest.approx(other.GetNumberOfPixels(largest), rel=0.01)

    def test_simpleitk_agrees_within_its_known_bias(self) -> None:
        rng = np.random.default_rng(8)
        for _ in range(10):
            shape = random_shape(rng, "ellipse", 40, 80, anisotropic=True)
            sizes = measure_mask(shape.hard(), spacing_mm=shape.spacing)
            image = SimpleITK.GetImageFromArray(shape.hard().astype(np.uint8))
            image.SetSpacing((shape.spacing[1], shape.spacing[0]))
            other = SimpleITK.LabelShapeStatisticsImageFilter()
            other.ComputeFeretDiameterOn()
            other.Execute(image)
            # pixel counting: unbiased; Feret between pixel centres: up to a pixel short; moments: unbiased
            assert sizes.area_mm2 == pytest.approx(other.GetPhysicalSize(1), rel=0.012)
            assert -0.2 < sizes.long_axis_mm - other.GetFeretDiameter(1) < 1.5
            assert sizes.long_axis_mm == pytest.approx(max(other.GetEquivalentEllipsoidDiameter(1)), rel=0.015)
            assert sizes.short_axis_mm == pytest.approx(min(other.GetEquivalentEllipsoidDiameter(1)), rel=0.02)
            assert sizes.perimeter_mm == pytest.approx(other.GetPerimeter(1), rel=0.03)

    def test_a_single_pixel_and_thin_lines_have_sizes_of_their_own_order(self) -> None:
        for rows, cols in ((1, 1), (1, 2), (2, 2), (1, 10), (10, 1), (2, 10), (3, 3)):
            mask = np.zeros((20, 20), dtype=bool)
            mask[5 : 5 + rows, 5 : 5 + cols] = True
            sizes = measure_mask(mask, spacing_mm=(1.0, 1.0))
            longest = max(rows, cols)
            assert longest <= sizes.long_axis_mm <= math.hypot(rows, cols) + 1e-9
            assert sizes.area_mm2 == pytest.approx(rows * cols, rel=0.1)
            assert any("3 pixels" in warning for warning in sizes.warnings) == (min(rows, cols) < 3)


class TestConcave:
    """Exact answers on polygons: the short axis stays inside the outline."""

    def test_l_shape(self) -> None:
        outline = [(0, 0), (12, 0), (12, 4), (4, 4), (4, 12), (0, 12)]
        sizes = measure_outline(outline, spacing_mm=(1.0, 1.0))
        assert sizes.long_axis_mm == pytest.approx(math.hypot(12, 12))
        # the hull is 12.7 wide there; inside, the widest perpendicular is through the inner corner
        assert sizes.short_axis_mm == pytest.approx(math.hypot(4, 4))
        assert sizes.area_mm2 == pytest.approx(80)
        assert sizes.perimeter_mm == pytest.approx(48)

    def test_c_shape_is_not_bridged(self) -> None:
        outline = [(0, 0), (20, 0), (20, 10), (17, 10), (17, 3), (3, 3), (3, 10), (0, 10)]
        sizes = measure_outline(outline, spacing_mm=(1.0, 1.0))
        assert sizes.long_axis_mm == pytest.approx(math.hypot(20, 10))
        (r0, c0), (r1, c1) = sizes.short_axis_px
        assert not (3.1 < (r0 + r1) / 2 < 16.9 and (c0 + c1) / 2 > 3.1)
        # grazes the inner corner at (17, 3); the hull would give twice as much
        assert sizes.short_axis_mm == pytest.approx(math.hypot(4.5, 9))

    def test_crescent_mask(self) -> None:
        fine = (np.arange(90 * 8) + 0.5) / 8 - 0.5
        rows, cols = fine[:, None], fine[None, :]
        crescent = (np.hypot(rows - 45, cols - 45) < 30) & (np.hypot(rows - 45, cols - 95) > 60)
        truth = np.count_nonzero(crescent) / 64
        for mask in (crescent.reshape(90, 8, 90, 8).mean(axis=(1, 3)), crescent[4::8, 4::8]):
            sizes = measure_mask(mask, spacing_mm=(1.0, 1.0))
            # the tips lie at column 43, 2 * sqrt(896) apart; hard masks round such needles off
            assert sizes.long_axis_mm == pytest.approx(2 * math.sqrt(896), abs=2.0 if sizes.hard else 0.7)
            assert sizes.short_axis_mm == pytest.approx(20.0, abs=0.35)
            assert sizes.area_mm2 == pytest.approx(truth, rel=0.01)

    def test_end_points_span_the_axes_at_a_right_angle(self) -> None:
        shape = Shape("ellipse", 40.0, 25.0, 0.7, (30.2, 31.3), (1.1, 0.8), 64)
        sizes = measure_mask(shape.soft(), spacing_mm=shape.spacing)
        long, short = (np.diff(line, axis=0)[0] * shape.spacing for line in (sizes.long_axis_px, sizes.short_axis_px))
        assert np.hypot(*long) == pytest.approx(sizes.long_axis_mm)
        assert np.hypot(*short) == pytest.approx(sizes.short_axis_mm)
        assert abs(long @ short) < 1e-6
        assert np.array_equal(sizes.outline_px[0], sizes.outline_px[-1])


class TestInput:
    """What is accepted, refused and warned of."""

    @pytest.mark.parametrize("dtype", ["?", "u1", ">i2", "<i4", ">u8", ">f4", "<f8", "f2"])
    def test_every_number_type_gives_the_same(self, dtype: str) -> None:
        shape = Shape("ellipse", 20.0, 14.0, 0.3, (15.0, 15.0), (1.0, 1.0), 30)
        mask = shape.hard().astype(dtype)
        mask.setflags(write=False)
        sizes = measure_mask(mask, spacing_mm=(1.0, 1.0))
        assert sizes.hard
        assert sizes.long_axis_mm == measure_mask(shape.hard(), spacing_mm=(1.0, 1.0)).long_axis_mm

    def test_labels_other_than_one_are_lesion(self) -> None:
        mask = np.zeros((30, 30), dtype=np.int16)
        mask[5:20, 5:20] = -7
        mask[10:15, 10:15] = 3
        assert measure_mask(mask, spacing_mm=(1, 1)).area_mm2 == pytest.approx(225)

    @pytest.mark.parametrize(
        ("mask", "code"),
        [
            (np.zeros((5, 5)), "mask_empty"),
            (np.full((5, 5), 0.5), "mask_empty"),
            (np.zeros((0, 5), dtype=bool), "mask_empty"),
            (np.full((5, 5), np.nan), "mask_not_finite"),
            (np.full((5, 5), np.inf), "mask_not_finite"),
            (np.full((5, 5), 1.5), "mask_range"),
            (np.full((5, 5), -0.1), "mask_range"),
            (np.ones((5, 5, 3)), "mask_shape"),
            (np.ones(5), "mask_shape"),
            ([[1, 0], [1]], "mask_shape"),
            (np.ones((5, 5), dtype=complex), "mask_type"),
            (np.full((5, 5), "x"), "mask_type"),
        ],
    )
    def test_what_cannot_be_measured_is_refused_with_its_reason(self, mask: object, code: str) -> None:
        with pytest.raises(MeasurementError) as caught:
            measure_mask(mask, spacing_mm=(1.0, 1.0))  # type: ignore[arg-type]
        assert caught.value.code == code

    @pytest.mark.parametrize(
        "spacing", [(0.0, 1.0), (-1.0, 1.0), (math.nan, 1.0), (math.inf, 1.0), (1.0,), (1, 1, 1), None, ("a", "b")]
    )
    def test_bad_spacing_is_refused(self, spacing: object) -> None:
        with pytest.raises(MeasurementError) as caught:
            measure_mask(np.ones((5, 5), dtype=bool), spacing_mm=spacing)  # type: ignore[arg-type]
        assert caught.value.code == "spacing"

    def test_warnings(self) -> None:
        mask = np.zeros((40, 40), dtype=bool)
        mask[0:20, 5:25] = True
        mask[5:9, 10:14] = False
        mask[30:33, 30:33] = True
        text = " ".join(measure_mask(mask, spacing_mm=(1, 1)).warnings)
        assert "2 separate parts" in text
        assert "edge of the image" in text
        assert "Holes" in text
        mask[0] = False
        clean = measure_mask(
            np.pad(mask[:28, :28], 3) | ndimage.binary_fill_holes(np.pad(mask[:28, :28], 3)), spacing_mm=(1, 1)
        )
        assert clean.warnings == ()

    def test_a_pattern_that_is_no_lesion_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mask = np.zeros((300, 300), dtype=bool)
        mask[5:-5, 5:-5:3] = True
        mask[5:8, 5:-5] = True
        assert measure_mask(mask, spacing_mm=(1, 1)).long_axis_mm > 400
        monkeypatch.setattr(geometry, "_MOST_CROSSINGS", 100_000)
        with pytest.raises(MeasurementError) as caught:
            measure_mask(mask, spacing_mm=(1, 1))
        assert caught.value.code == "outline_ragged"

    def test_a_second_lesion_nearby_does_not_move_the_outline(self) -> None:
        shape = Shape("ellipse", 24.0, 16.0, 0.0, (20.0, 20.0), (1.0, 1.0), 60)
        other = Shape("ellipse", 8.0, 8.0, 0.0, (20.0, 40.0), (1.0, 1.0), 60)
        both = np.maximum(shape.soft(), other.soft())
        alone = measure_mask(shape.soft(), spacing_mm=(1, 1))
        assert measure_mask(both, spacing_mm=(1, 1)).long_axis_mm == pytest.approx(alone.long_axis_mm, abs=1e-9)


def blob(seed: int) -> NDArray[np.float64]:
    """A smooth random map with irregular, often concave lesions."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(36, 44)), 3.5)
    rows, cols = np.mgrid[:36, :44]
    fall = np.hypot(rows - 17.5, cols - 21.5) / 10
    return np.asarray(1 / (1 + np.exp(np.clip(8 * (fall - 1) - 40 * noise, -50, 50))))


def sizes_of(sizes: MaskMeasurement) -> NDArray[np.float64]:
    return np.array([sizes.long_axis_mm, sizes.short_axis_mm, math.sqrt(sizes.area_mm2), sizes.perimeter_mm])


class TestInvariance:
    """What must not matter does not."""

    @settings(max_examples=15, deadline=None)
    @given(seed=st.integers(0, 10_000), hard=st.booleans())
    def test_place_turning_and_transposing(self, seed: int, hard: bool) -> None:
        values = blob(seed)
        mask = values > 0.5 if hard else values
        if not np.any(values > 0.5):
            return
        reference = sizes_of(measure_mask(mask, spacing_mm=(0.8, 1.3)))
        moved = np.pad(mask, ((7, 2), (3, 11)))
        assert sizes_of(measure_mask(moved, spacing_mm=(0.8, 1.3))) == pytest.approx(reference, rel=1e-9)
        # mirrored, the same walk meets ties the other way round: a hard mask then differs by a fraction of a pixel
        length, round_about = (0.4, 0.02) if hard else (1e-6, 1e-6)
        for other, spacing in (
            (mask.T, (1.3, 0.8)),
            (np.rot90(mask), (1.3, 0.8)),
            (mask[::-1], (0.8, 1.3)),
            (mask[:, ::-1], (0.8, 1.3)),
        ):
            found = sizes_of(measure_mask(other, spacing_mm=spacing))
            assert found[0] == pytest.approx(reference[0], abs=length)
            assert found[2] == pytest.approx(reference[2], abs=length)
            assert found[3] == pytest.approx(reference[3], rel=round_about)

    @settings(max_examples=15, deadline=None)
    @given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100), hard=st.booleans())
    def test_scaling_the_spacing_scales_the_sizes(self, seed: int, factor: float, hard: bool) -> None:
        values = blob(seed)
        if not np.any(values > 0.5):
            return
        mask = values > 0.5 if hard else values
        one = sizes_of(measure_mask(mask, spacing_mm=(0.8, 1.3)))
        other = sizes_of(measure_mask(mask, spacing_mm=(0.8 * factor, 1.3 * factor)))
        assert other == pytest.approx(one * factor, rel=1e-6)

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 10_000), hard=st.booleans())
    def test_inequalities_of_any_plane_figure(self, seed: int, hard: bool) -> None:
        values = blob(seed)
        if not np.any(values > 0.5):
            return
        sizes = measure_mask(values > 0.5 if hard else values, spacing_mm=(0.7, 1.1))
        assert 0 < sizes.short_axis_mm <= sizes.long_axis_mm * (1 + 1e-9)
        assert sizes.area_mm2 <= math.pi / 4 * sizes.long_axis_mm**2 * (1 + 1e-9)
        assert sizes.perimeter_mm >= math.sqrt(4 * math.pi * sizes.area_mm2) * (1 - 1e-9)
        assert sizes.perimeter_mm >= 2 * sizes.long_axis_mm * (1 - 1e-9)
        assert sizes.equivalent_diameter_mm == pytest.approx(math.sqrt(4 * sizes.area_mm2 / math.pi))


class TestAcrossALine:
    """The short axis perpendicular to a given line, and distances from an outline."""

    @pytest.mark.parametrize("degrees", [0, 20, 45, 90, 135])
    def test_an_ellipses_width_across_any_direction(self, degrees: float) -> None:
        """The longest chord in one direction is the diameter there: 1 / sqrt((cos / a)2 + (sin / b)2)."""
        spacing = (0.5, 0.8)
        ellipse = Shape("ellipse", 40.0, 26.0, math.radians(30), (51.3, 48.9), spacing, 110)
        turn = math.radians(degrees)
        line = ((20.0, 20.0), (20 + 30 * math.sin(turn) / spacing[0], 20 + 30 * math.cos(turn) / spacing[1]))
        sizes = measure_mask(ellipse.soft(), spacing_mm=spacing, across_px=line)
        chord = turn + math.pi / 2 - math.radians(30)  # against the ellipse's long axis
        expected = 1 / math.hypot(math.cos(chord) / 40, math.sin(chord) / 26)
        assert sizes.short_axis_mm == pytest.approx(expected, rel=0.004)
        assert sizes.long_axis_mm == pytest.approx(40, rel=0.004)
        (r0, c0), (r1, c1) = np.array(sizes.short_axis_px) * spacing
        assert (r1 - r0) * math.sin(turn) + (c1 - c0) * math.cos(turn) == pytest.approx(0, abs=1e-9)

    def test_a_line_without_direction_is_refused(self) -> None:
        with pytest.raises(MeasurementError, match="coincide"):
            measure_mask(np.ones((9, 9), bool), spacing_mm=(1.0, 1.0), across_px=((3.0, 3.0), (3.0, 3.0)))

    def test_distances_from_a_square(self) -> None:
        square = np.array([(0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, 0.0)])
        points = np.array([(5.0, 1.0), (5.0, 12.0), (13.0, 14.0), (0.0, 4.0), (5.0, 5.0)])
        np.testing.assert_allclose(geometry.distances(points, square), [1, 2, 5, 0, 5])


class TestFormulas:
    """Calipers, volumes and change."""

    def test_caliper(self) -> None:
        assert caliper_length_mm((0, 0), (3, 4), (1.0, 1.0)) == 5
        assert caliper_length_mm((10, 10), (13, 14), (2.0, 0.5)) == pytest.approx(math.hypot(6, 2))
        for end in ((0.0, 0.0), (math.nan, 1.0), (math.inf, 1.0)):
            with pytest.raises(MeasurementError):
                caliper_length_mm((0, 0), end, (1.0, 1.0))

    def test_volumes(self) -> None:
        assert ellipsoid_volume_ml(10, 20, 30) == pytest.approx(math.pi)
        assert rotation_volume_ml(20, 10) == pytest.approx(ellipsoid_volume_ml(20, 10, 10))
        for bad in (0.0, -1.0, math.nan, math.inf):
            with pytest.raises(MeasurementError):
                ellipsoid_volume_ml(10, bad, 30)

    def test_percent_change(self) -> None:
        assert percent_change(40, 28) == pytest.approx(-30)
        assert percent_change(40, 0) == -100
        for baseline, followup in (
            (0, 1),
            (-1, 1),
            (math.nan, 1),
            (math.inf, 1),
            (1, -1),
            (1, math.nan),
            (1, math.inf),
        ):
            with pytest.raises(MeasurementError):
                percent_change(baseline, followup)

    @pytest.mark.parametrize("outline", [[(0, 0), (1, 1)], [(0, 0), (1, 1), (2, 2)], [(0, 0, 0)], [(0, math.nan)] * 3])
    def test_an_outline_without_area_is_refused(self, outline: list[tuple[float, ...]]) -> None:
        with pytest.raises(MeasurementError):
            measure_outline(outline, spacing_mm=(1.0, 1.0))
