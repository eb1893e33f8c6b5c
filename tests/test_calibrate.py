"""Calibration rules one by one on hand-made headers, then on real files (PS3.3 C.8.5.5)."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_headers import instance_of
from lesion_measure import config
from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.calibration.scale import _REMEDIES
from lesion_measure.records import Calibration, Instance, Location, Point, Region

ROWS, COLUMNS = 600, 800
M_MODE = {"spatial_format": 2, "unit_col": 4}
SPECTRAL = {"spatial_format": 3, "data_type": 3, "unit_row": 7, "unit_col": 4}
ECG = {"spatial_format": 4, "data_type": 10, "unit_row": 0, "unit_col": 4, "delta_row": 0.0}
GRAY_BAR = {"spatial_format": 5, "data_type": 13, "unit_row": 0, "unit_col": 0}


def region(rows: tuple[int | None, int | None], cols: tuple[int | None, int | None], **changes: object) -> Region:
    """A tissue region of 0.25 mm pixels, changed where said."""
    fields: dict[str, object] = {
        "index": 0, "row_min": rows[0], "row_max": rows[1], "col_min": cols[0], "col_max": cols[1],
        "spatial_format": 1, "data_type": 1, "unit_row": 3, "unit_col": 3, "delta_row": 0.025, "delta_col": 0.025,
        "flags": 0,
    }  # fmt: skip
    return Region(**(fields | changes))  # type: ignore[arg-type]


def image(*regions: Region, **changes: object) -> Instance:
    """An image header with these regions, numbered in their order."""
    numbered = tuple(
        Region(**{name: getattr(each, name) for name in Region.__slots__ if name != "index"}, index=index)
        for index, each in enumerate(regions)
    )
    fields: dict[str, object] = {
        "path": "a/image.dcm", "location": Location(Path("image.dcm")), "sop_instance_uid": "1.2.3",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.6.1", "study_instance_uid": "1.2", "series_instance_uid": "1.2.1",
        "subject": "S01", "study_date": None, "time_point": None, "modality": "US", "rows": ROWS, "columns": COLUMNS,
        "frames": 1, "transfer_syntax_uid": "1.2.840.10008.1.2.1", "photometric": "MONOCHROME2",
        "samples_per_pixel": 1, "bits_allocated": 8, "bits_stored": 8, "regions": numbered,
    }  # fmt: skip
    return Instance(**(fields | changes))  # type: ignore[arg-type]


def code(result: Calibration) -> str | None:
    """The refusal's code, after checking that a refusal and a scale exclude one another."""
    if result.refusal is None:
        assert result.spacing_mm is not None
        assert result.region is not None
        assert result.spacing_mm == result.region.spacing_mm
        assert result.source == result.region.source
        return None
    assert result.spacing_mm is None
    assert result.region is None
    assert result.source is None
    assert result.refusal.remedy == _REMEDIES[result.refusal.code]
    assert result.refusal.sop_instance_uid is not None
    assert result.refusal.subject == "S01"
    return result.refusal.code


WHOLE = region((10, 500), (20, 700))
LEFT, RIGHT = region((50, 500), (0, 399)), region((50, 500), (400, 799))


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
        assert code(calibrate(image(pixel_spacing=(0.75, 0.1)))) is None
        assert code(calibrate(image(pixel_spacing=(0.76, 0.1)))) == "implausible_size"
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
