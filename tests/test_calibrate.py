"""Calibration rules one by one on hand-made headers (PS3.3 C.8.5.5)."""

from __future__ import annotations

import math

import pytest

from lesion_measure import config
from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.records import Point
from region_headers import COLUMNS, ECG, GRAY_BAR, LEFT, M_MODE, RIGHT, ROWS, SPECTRAL, WHOLE, code, image, region


class TestWhichRegion:
    """Rule 1: the spatial region that holds the points, never simply the first."""

    @pytest.mark.parametrize("other", [M_MODE, SPECTRAL, ECG, GRAY_BAR])
    def test_first_region_is_something_else(self, other: dict[str, object]) -> None:
        instance = image(region((520, 599), (0, 799), **other), WHOLE)
        assert calibrate(instance).source == "ultrasound region 1 (tissue)"
        assert calibrate(instance).spacing_mm == (0.25, 0.25)
        assert len(calibrate(instance).regions) == 1
        at = calibrate_at(instance, [(100, 100), (200, 200)])
        assert (code(at), at.source, at.warnings) == (None, "ultrasound region 1 (tissue)", ())

    def test_the_largest_is_the_images_own(self) -> None:
        small = region((10, 100), (710, 790), delta_row=0.01, delta_col=0.01)
        result = calibrate(image(small, WHOLE))
        assert result.source == "ultrasound region 1 (tissue)"
        assert [each.spacing_mm[0] for each in result.regions] == [0.1, 0.25]
        assert calibrate_at(image(small, WHOLE), [(20, 720)]).spacing_mm == (0.1, 0.1)

    def test_colour_flow_alone_is_spatial(self) -> None:
        assert calibrate(image(region((0, 99), (0, 99), data_type=2))).source == "ultrasound region 0 (colour flow)"

    def test_repeated_regions_count_once(self) -> None:
        assert len(calibrate(image(WHOLE, WHOLE)).regions) == 1
        assert code(calibrate_at(image(WHOLE, WHOLE), [(20, 30), (40, 50)])) is None


class TestScale:
    """Rule 2: abs(delta) x 10, X for columns and Y for rows."""

    def test_rows_and_columns_differ(self) -> None:
        instance = image(region((10, 500), (20, 700), delta_row=0.02286, delta_col=0.02857))
        assert calibrate(instance).spacing_mm == pytest.approx((0.2286, 0.2857), rel=1e-12)

    def test_negative_deltas(self) -> None:
        assert calibrate(image(region((0, 99), (0, 99), delta_row=-0.03, delta_col=-0.02))).spacing_mm == (0.3, 0.2)

    @pytest.mark.parametrize("bad", [None, 0.0, -0.0, math.nan, math.inf, -math.inf, 1e308])
    @pytest.mark.parametrize("which", ["delta_row", "delta_col"])
    def test_unusable_deltas(self, which: str, bad: float | None) -> None:
        assert code(calibrate(image(region((0, 99), (0, 99), **{which: bad})))) == "invalid_delta"


class TestNotSpatial:
    """Rules 1 and 3: what has no lengths is refused by its name."""

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            (M_MODE, "M-mode"), ({"spatial_format": 2}, "M-mode"), (SPECTRAL, "PW spectral Doppler"),
            ({"data_type": 4}, "CW spectral Doppler"), (ECG, "waveform, ECG trace"), (GRAY_BAR, "gray bar"),
            ({"spatial_format": 5}, "graphics"), ({"data_type": 14}, "colour bar"), ({"data_type": 0}, "no data type"),
            ({"data_type": None}, "data type not stated"), ({"data_type": 15}, "integrated backscatter"),
            ({"data_type": 99}, "data type 99"), ({"spatial_format": 9}, "format 9"), ({"unit_row": 0}, "none x cm"),
            ({"unit_col": 4}, "cm x s"), ({"unit_row": None, "unit_col": None}, "unit not stated x unit not stated"),
        ],
    )  # fmt: skip
    def test_refused_by_name(self, changes: dict[str, object], word: str) -> None:
        instance = image(region((0, 99), (0, 99), **changes))
        result = calibrate(instance)
        assert code(result) == "not_spatial"
        assert result.refusal is not None
        assert word in result.refusal.reason
        assert result.regions == ()
        assert code(calibrate_at(instance, [(5, 5)])) == "not_spatial"

    def test_pixel_spacing_does_not_rescue_it(self) -> None:
        result = calibrate(image(region((0, 99), (0, 99), **M_MODE), pixel_spacing=(0.25, 0.25)))
        assert code(result) == "not_spatial"
        assert result.refusal is not None
        assert "PixelSpacing is not used" in result.refusal.reason

    @pytest.mark.parametrize("layout", [0, None])
    def test_format_absent_is_believed_with_a_warning(self, layout: int | None) -> None:
        result = calibrate(image(region((0, 99), (0, 99), spatial_format=layout)))
        assert code(result) is None
        assert result.warnings == ("Ultrasound region 0 (tissue) does not state that it is 2D.",)

    def test_point_in_the_m_mode_strip_of_a_2d_image(self) -> None:
        strip = region((520, 599), (0, 799), **M_MODE)
        result = calibrate_at(image(WHOLE, strip), [(550, 100)])
        assert code(result) == "not_spatial"
        assert result.refusal is not None
        assert "M-mode" in result.refusal.reason
        assert code(calibrate_at(image(WHOLE, strip), [(100, 100), (550, 100)])) == "not_spatial"


class TestCorners:
    """Rule 4: one pixel over the edge is a convention, more means other pixels."""

    @pytest.mark.parametrize(("last_row", "last_col"), [(ROWS - 1, COLUMNS - 1), (ROWS, COLUMNS), (ROWS, 300)])
    def test_one_pixel_is_tolerated_and_clipped(self, last_row: int, last_col: int) -> None:
        result = calibrate(image(region((0, last_row), (0, last_col))))
        assert code(result) is None
        assert result.region is not None
        assert result.region.row_max == ROWS - 1
        assert result.region.col_max == min(last_col, COLUMNS - 1)

    @pytest.mark.parametrize(
        "corners",
        [((0, ROWS + 1), (0, 99)), ((0, 99), (0, COLUMNS + 1)), ((-2, 99), (0, 99)), ((900, 950), (0, 9)),
         ((None, 2**32 - 1), (None, None))],
    )  # fmt: skip
    @pytest.mark.parametrize("kind", [{}, ECG])
    def test_further_refuses_the_whole_image(
        self, corners: tuple[tuple[int, int], tuple[int, int]], kind: dict[str, object]
    ) -> None:
        instance = image(WHOLE, region(*corners, **kind), pixel_spacing=(0.25, 0.25))
        assert code(calibrate(instance)) == "region_outside_image"
        assert code(calibrate_at(instance, [(20, 30)])) == "region_outside_image"

    def test_tolerance_is_a_setting(self) -> None:
        instance = image(region((0, ROWS + 1), (0, 99)))
        assert code(calibrate(instance, config.Calibration(edge_tolerance_px=2))) is None
        assert code(calibrate(image(region((0, ROWS), (0, 99))), config.Calibration(edge_tolerance_px=0))) is not None

    @pytest.mark.parametrize(
        "corners",
        [((99, 0), (0, 99)), ((0, 99), (99, 0)), ((None, 99), (0, 99)), ((0, 99), (0, None)), ((5, 5), (0, 99)),
         ((0, 99), (7, 7)), ((ROWS, ROWS), (0, 99))],
    )  # fmt: skip
    def test_unusable_corners(self, corners: tuple[tuple[int, int], tuple[int, int]]) -> None:
        assert code(calibrate(image(region(*corners)))) == "invalid_region"
        both = calibrate(image(region(*corners), region((200, 400), (200, 400))))
        assert both.source == "ultrasound region 1 (tissue)"
        assert any("no usable corners" in warning for warning in both.warnings)

    def test_incomplete_item_beside_a_good_one(self) -> None:
        nothing = dict.fromkeys(
            ("spatial_format", "data_type", "unit_row", "unit_col", "delta_row", "delta_col", "flags")
        )
        instance = image(region((None, None), (None, None), **nothing), region((0, 0), (0, 0), **nothing), WHOLE)
        assert calibrate(instance).source == "ultrasound region 2 (tissue)"
        assert calibrate(instance).warnings == ()


class TestDepth:
    """Rule 5: deeper than about 30 cm is not a patient."""

    def test_limit(self) -> None:
        assert code(calibrate(image(region((0, 499), (0, 99), delta_row=0.06)))) is None
        result = calibrate(image(region((0, 499), (0, 99), delta_row=0.0601)))
        assert code(result) == "implausible_depth"
        assert result.refusal is not None
        assert "300.5 mm" in result.refusal.reason

    def test_the_other_region_stands(self) -> None:
        deep = region((0, 99), (0, 99), delta_row=0.5)
        other = region((200, 400), (0, 799))
        assert calibrate(image(deep, other)).source == "ultrasound region 1 (tissue)"
        assert code(calibrate_at(image(deep, other), [(5, 5)])) == "implausible_depth"


class TestSize:
    """What no patient and no scanner is like is another unit, or a field of another meaning."""

    def test_width(self) -> None:
        assert code(calibrate(image(region((0, 99), (0, 599), delta_col=0.1)))) is None
        result = calibrate(image(region((0, 99), (0, 599), delta_col=0.101)))
        assert code(result) == "implausible_size"
        assert result.refusal is not None
        assert "606 mm wide" in result.refusal.reason

    @pytest.mark.parametrize("delta", [0.00025, 1e-6])
    def test_pixels_smaller_than_any_wave(self, delta: float) -> None:
        """0.25 mm stated in metres, and a number that is no scale at all."""
        tiny = region((0, 499), (0, 499), delta_row=delta, delta_col=delta)
        assert code(calibrate(image(tiny))) == "implausible_size"
        assert code(calibrate(image(pixel_spacing=(delta * 10, delta * 10)))) == "implausible_size"

    def test_what_is_malformed_is_said(self) -> None:
        result = calibrate(image(region((0, 499), (0, 499), delta_row=None, delta_col=0.02)))
        assert result.refusal is not None
        assert "missing or malformed x 0.02" in result.refusal.reason

    def test_a_spacing_of_one_is_doubtful(self) -> None:
        small = {"rows": 300, "columns": 400, "pixel_spacing": (1.0, 1.0)}
        assert "do not know the scale" in calibrate_at(image(**small), [(1, 1)]).warnings[0]
        assert calibrate(image(**small, pixel_spacing_type="GEOMETRY")).warnings == ()


class TestPixelSpacing:
    """Rule 7: beside regions it has to agree, without regions it is the scale."""

    def test_agreement(self) -> None:
        result = calibrate(image(WHOLE, pixel_spacing=(0.2524, 0.2476)))
        assert (code(result), result.spacing_mm) == (None, (0.25, 0.25))

    @pytest.mark.parametrize("spacing", [(0.26, 0.25), (0.25, 0.26), (0.025, 0.025), (1.0, 1.0)])
    def test_disagreement_names_both(self, spacing: tuple[float, float]) -> None:
        instance = image(WHOLE, pixel_spacing=spacing)
        result = calibrate(instance)
        assert code(result) == "pixel_spacing_disagrees"
        assert result.refusal is not None
        assert "0.25 x 0.25 mm" in result.refusal.reason
        assert f"{spacing[0]:g} x {spacing[1]:g} mm" in result.refusal.reason
        assert code(calibrate_at(instance, [(20, 30)])) == "pixel_spacing_disagrees"

    def test_decided_for_the_region_used(self) -> None:
        zoomed = region((10, 100), (710, 790), delta_row=0.01, delta_col=0.01)
        instance = image(WHOLE, zoomed, pixel_spacing=(0.1, 0.1))
        assert calibrate(instance).source == "ultrasound region 1 (tissue)"
        assert calibrate_at(instance, [(20, 720)]).spacing_mm == (0.1, 0.1)
        assert code(calibrate_at(instance, [(20, 30)])) == "pixel_spacing_disagrees"

    @pytest.mark.parametrize(
        ("ratio", "found"),
        [(None, None), (1.0, None), (4 / 3, "aspect_ratio_disagrees"), (0.75, "aspect_ratio_disagrees")],
    )
    def test_pixels_of_another_shape(self, ratio: float | None, found: str | None) -> None:
        """0.25 x 0.25 mm by regions and by PixelSpacing; 4\\3 is a pixel a third higher than wide."""
        by_regions = calibrate(image(WHOLE, aspect_ratio=ratio))
        by_spacing = calibrate(image(pixel_spacing=(0.25, 0.25), aspect_ratio=ratio))
        assert [code(by_regions), code(by_spacing)] == [found, found]
        assert code(calibrate(image(pixel_spacing=(0.2, 0.15), aspect_ratio=4 / 3))) is None

    def test_unreadable_beside_regions_is_a_warning(self) -> None:
        result = calibrate(image(WHOLE, pixel_spacing_raw="0,25\\x"))
        assert (code(result), result.spacing_mm) == (None, (0.25, 0.25))
        assert "0,25\\x" in result.warnings[0]
        assert "0,25\\x" in calibrate_at(image(WHOLE, pixel_spacing_raw="0,25\\x"), [(20, 30)]).warnings[0]

    @pytest.mark.parametrize(
        ("kind", "source"), [("FIDUCIAL", "PixelSpacing, FIDUCIAL"), (None, "PixelSpacing, type not stated")]
    )
    def test_alone(self, kind: str | None, source: str) -> None:
        instance = image(pixel_spacing=(0.2, 0.3), pixel_spacing_type=kind)
        result = calibrate_at(instance, [(0, 0), (ROWS - 1, COLUMNS - 1)])
        assert (code(result), result.spacing_mm, result.source) == (None, (0.2, 0.3), source)

    def test_alone_and_too_large(self) -> None:
        assert code(calibrate(image(pixel_spacing=(0.75, 0.4)))) is None
        assert code(calibrate(image(pixel_spacing=(0.76, 0.4)))) == "implausible_size"
        assert code(calibrate(image(pixel_spacing=(0.1, 0.6)))) == "implausible_size"

    @pytest.mark.parametrize(
        "changes",
        [{"pixel_spacing_raw": "abc"}, {"pixel_spacing": (0.0, 0.2)}, {"pixel_spacing": (math.nan, 0.2)},
         {"pixel_spacing": (-0.2, 0.2)}],
    )  # fmt: skip
    def test_alone_and_unusable(self, changes: dict[str, object]) -> None:
        assert code(calibrate(image(**changes))) == "pixel_spacing_unusable"

    def test_nothing(self) -> None:
        assert code(calibrate(image())) == "no_calibration"
        assert code(calibrate_at(image(), [(1, 1)])) == "no_calibration"


class TestPoints:
    """Rule 3: all points of a measurement in one picture."""

    @pytest.mark.parametrize(
        "point", [(-0.6, 5), (5, -0.6), (ROWS - 0.4, 5), (5, COLUMNS - 0.4), (math.nan, 5), (5, math.inf)]
    )
    def test_outside_the_image(self, point: Point) -> None:
        assert code(calibrate_at(image(WHOLE), [(20, 30), point])) == "outside_image"
        assert code(calibrate_at(image(pixel_spacing=(0.2, 0.2)), [point])) == "outside_image"

    def test_no_points(self) -> None:
        assert code(calibrate_at(image(WHOLE), [])) == "no_points"

    def test_outside_every_region_even_when_pixel_spacing_agrees(self) -> None:
        instance = image(WHOLE, pixel_spacing=(0.25, 0.25))
        assert code(calibrate_at(instance, [(5, 5)])) == "outside_region"
        assert code(calibrate_at(instance, [(20, 30), (5, 5)])) == "outside_region"

    def test_outer_pixel_edges_belong_to_the_region(self) -> None:
        assert code(calibrate_at(image(WHOLE), [(9.5, 19.5), (500.5, 700.5)])) is None
        assert code(calibrate_at(image(WHOLE), [(9.4, 19.5)])) == "outside_region"

    def test_dual_image_at_equal_scale(self) -> None:
        assert code(calibrate_at(image(LEFT, RIGHT), [(60, 10), (60, 790)])) == "several_regions"
        assert calibrate_at(image(LEFT, RIGHT), [(60, 10), (70, 20)]).source == "ultrasound region 0 (tissue)"
        assert calibrate_at(image(LEFT, RIGHT), [(60, 410), (70, 420)]).source == "ultrasound region 1 (tissue)"

    def test_dual_image_inside_a_full_image_region(self) -> None:
        instance = image(region((0, ROWS), (0, COLUMNS)), LEFT, RIGHT)
        assert code(calibrate_at(instance, [(60, 10), (60, 790)])) == "several_regions"
        assert code(calibrate_at(instance, [(60, 10), (10, 10)])) == "several_regions"
        assert code(calibrate_at(instance, [(60, 10), (70, 20)])) is None
        assert code(calibrate_at(instance, [(50, 0), (70, 20)])) is None

    def test_halves_that_share_an_edge_column(self) -> None:
        right = region((50, 500), (399, 799))
        assert calibrate_at(image(LEFT, right), [(60, 10), (60, 399)]).source == "ultrasound region 0 (tissue)"
        assert calibrate_at(image(LEFT, right), [(60, 399), (60, 700)]).source == "ultrasound region 1 (tissue)"
        zoomed = region((50, 500), (399, 799), delta_row=0.01, delta_col=0.01)
        assert calibrate_at(image(LEFT, zoomed), [(60, 10), (60, 399)]).spacing_mm == (0.25, 0.25)
        assert code(calibrate_at(image(LEFT, zoomed), [(60, 399), (90, 399)])) == "ambiguous_regions"

    def test_overlap_of_two_tissue_pictures(self) -> None:
        right = region((50, 500), (300, 799))
        assert code(calibrate_at(image(LEFT, right), [(60, 10), (60, 350)])) == "several_regions"
        assert code(calibrate_at(image(LEFT, right), [(60, 320), (60, 350)])) is None
        zoomed = region((50, 500), (300, 799), delta_row=0.01, delta_col=0.01)
        assert code(calibrate_at(image(LEFT, zoomed), [(60, 320), (60, 350)])) == "ambiguous_regions"
        assert code(calibrate_at(image(LEFT, zoomed), [(60, 10), (60, 20)])) is None
        assert any("Points are refused where" in warning for warning in calibrate(image(LEFT, zoomed)).warnings)

    def test_four_panes_of_a_3d_screen(self) -> None:
        panes = [region((r, r + 299), (c, c + 399), delta_row=d) for r, c, d in
                 ((0, 0, 0.02), (0, 400, 0.02), (300, 0, 0.03), (300, 400, 0.04))]  # fmt: skip
        instance = image(*panes)
        assert [calibrate_at(instance, [(r, c)]).spacing_mm for r, c in ((9, 9), (9, 409), (309, 9), (309, 409))] == [
            (0.2, 0.25), (0.2, 0.25), (0.3, 0.25), (0.4, 0.25)]  # fmt: skip
        assert code(calibrate_at(instance, [(9, 9), (9, 409)])) == "several_regions"

    def test_picture_in_picture_of_another_scale(self) -> None:
        thumbnail = region((20, 100), (30, 120), delta_row=0.1, delta_col=0.1)
        instance = image(thumbnail, WHOLE)
        assert calibrate(instance).source == "ultrasound region 1 (tissue)"
        assert code(calibrate_at(instance, [(50, 50), (60, 60)])) == "ambiguous_regions"
        assert code(calibrate_at(instance, [(50, 50), (300, 300)])) == "ambiguous_regions"
        assert code(calibrate_at(instance, [(300, 300), (310, 310)])) is None

    def test_same_corners_other_scale(self) -> None:
        instance = image(WHOLE, region((10, 500), (20, 700), delta_row=0.03))
        assert code(calibrate(instance)) == "ambiguous_regions"
        assert code(calibrate_at(instance, [(50, 50)])) == "ambiguous_regions"


class TestColourBox:
    """Rule 3: a colour flow box counts as one with the tissue region around it, at the same scale."""

    BOX = region((100, 200), (100, 300), data_type=2, delta_row=0.0251)

    @pytest.mark.parametrize("order", [0, 1])
    @pytest.mark.parametrize("points", [[(20, 30), (150, 150)], [(150, 150), (160, 160)], [(20, 30), (30, 40)]])
    def test_one_with_its_tissue(self, order: int, points: list[Point]) -> None:
        instance = image(*[(WHOLE, self.BOX), (self.BOX, WHOLE)][order])
        result = calibrate_at(instance, points)
        assert (code(result), result.spacing_mm) == (None, (0.25, 0.25))

    def test_other_scale(self) -> None:
        box = region((100, 200), (100, 300), data_type=2, delta_row=0.0254)
        assert code(calibrate_at(image(WHOLE, box), [(150, 150)])) == "ambiguous_regions"
        assert code(calibrate_at(image(WHOLE, box), [(20, 30), (150, 150)])) == "ambiguous_regions"

    def test_colour_box_without_scale(self) -> None:
        box = region((100, 200), (100, 300), data_type=2, delta_row=None)
        assert code(calibrate_at(image(WHOLE, box), [(150, 150)])) == "ambiguous_regions"
        assert code(calibrate_at(image(WHOLE, box), [(20, 30)])) is None

    def test_colour_compare_halves_are_two_pictures(self) -> None:
        right = region((50, 500), (400, 799), data_type=2)
        assert code(calibrate_at(image(LEFT, right), [(60, 10), (60, 790)])) == "several_regions"

    def test_triplex(self) -> None:
        instance = image(region((350, 590), (0, 799), **SPECTRAL), region((0, 340), (100, 700)), self.BOX)
        assert calibrate(instance).source == "ultrasound region 1 (tissue)"
        assert calibrate_at(instance, [(150, 150), (300, 600)]).source == "ultrasound region 1 (tissue)"
        assert code(calibrate_at(instance, [(400, 150), (410, 150)])) == "not_spatial"


class TestPriority:
    """PS3.3 C.8.5.5.1.3: bit 0 of RegionFlags says whose pixels are on top; 0 is high."""

    POINT: Point = (150, 150)

    @pytest.mark.parametrize("other", [M_MODE, SPECTRAL, ECG, GRAY_BAR, {"data_type": 15}])
    @pytest.mark.parametrize(("own", "theirs", "fine"), [(0, 1, True), (2, 3, True), (1, 0, False), (3, 2, False)])
    def test_decides(self, other: dict[str, object], own: int, theirs: int, fine: bool) -> None:
        over = region((100, 200), (100, 300), flags=theirs, **other)
        result = calibrate_at(image(region((10, 500), (20, 700), flags=own), over), [self.POINT])
        assert (code(result) is None) is fine

    @pytest.mark.parametrize(("own", "theirs"), [(0, 0), (3, 3), (None, 0), (1, None), (None, None)])
    def test_equal_or_unknown(self, own: int | None, theirs: int | None) -> None:
        tissue = region((10, 500), (20, 700), flags=own)
        for other, expected in ((M_MODE, "not_spatial"), (SPECTRAL, "not_spatial"), (ECG, None), (GRAY_BAR, None),
                                ({"data_type": 15}, "ambiguous_regions")):  # fmt: skip
            instance = image(region((100, 200), (100, 300), flags=theirs, **other), tissue)  # type: ignore[arg-type]
            result = calibrate_at(instance, [self.POINT])
            assert code(result) == expected
            assert bool(result.warnings) is (expected is None)
            assert any("lies over" in warning for warning in calibrate(instance).warnings)
            assert calibrate_at(instance, [(300, 300)]).warnings == ()

    def test_wholly_covered_region_is_not_measurable(self) -> None:
        over = region((0, 599), (0, 799), **M_MODE)
        assert code(calibrate(image(WHOLE, over))) == "not_spatial"

    def test_canvas_without_scale_under_the_picture(self) -> None:
        canvas = region((0, ROWS), (0, COLUMNS), unit_row=0, unit_col=0, delta_row=None, delta_col=None)
        result = calibrate_at(image(canvas, WHOLE), [self.POINT])
        assert (code(result), result.spacing_mm) == (None, (0.25, 0.25))
        assert result.warnings

    def test_item_that_describes_nothing(self) -> None:
        empty = region((0, ROWS), (0, COLUMNS), spatial_format=0, data_type=0, unit_row=0, unit_col=0, delta_row=None)
        assert calibrate_at(image(empty, WHOLE), [self.POINT]).warnings == ()
        assert code(calibrate_at(image(empty, WHOLE), [(5, 5)])) == "outside_region"


class TestPixelsFarFromSquare:
    @pytest.mark.parametrize(("rows", "warned"), [(0.025, False), (0.036, False), (0.04, True), (0.0155, True)])
    def test_a_warning(self, rows: float, warned: bool) -> None:
        result = calibrate(image(region((10, 500), (20, 700), delta_row=rows)))
        assert code(result) is None
        assert any("far from square" in warning for warning in result.warnings) is warned

    @pytest.mark.parametrize(("rows", "cols"), [(0.0308, 0.0015), (0.0015, 0.0308), (0.05, 0.012)])
    def test_a_refusal(self, rows: float, cols: float) -> None:
        assert (
            code(calibrate(image(region((10, 500), (20, 700), delta_row=rows, delta_col=cols)))) == "implausible_pixels"
        )
        assert code(calibrate(image(pixel_spacing=(10 * rows, 10 * cols)))) == "implausible_pixels"

    def test_pixel_spacing_warns(self) -> None:
        assert any("far from square" in w for w in calibrate(image(pixel_spacing=(0.2, 0.4))).warnings)
