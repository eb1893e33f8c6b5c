"""Marks against printed values: agreement, a common factor, a scale, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from lesion_measure.burnt_in import ocr
from lesion_measure.burnt_in.reconcile import Distance, Stated, reconcile, told_apart, volume_agrees
from rescaled_images import rescaled
from test_cli import CX50, EPIQ, lesion_measure

needs_reader = pytest.mark.skipif(not ocr.available(), reason="the extra 'read' is not installed")
CM = 0.05
"""Half of what the last digit counts, in mm, of centimetres with two decimals."""


def scaled(length_px: float, spacing_mm: float) -> Distance:
    return Distance(length_px, length_px * spacing_mm, spacing_mm)


class TestAgreement:
    def test_each_value_is_that_of_the_caliper_it_agrees_with(self) -> None:
        verdict = reconcile([scaled(100, 0.2), scaled(60, 0.2)], [Stated(12.1, CM), Stated(20.0, CM)])
        assert verdict.of_caliper == (1, 0)
        assert verdict.agrees == (True, True)
        assert (verdict.factor, verdict.proposed) == (None, None)

    def test_the_rounding_and_a_pixel_are_the_slack(self) -> None:
        assert reconcile([scaled(100, 0.2)], [Stated(20.24, CM)]).agrees == (True,)
        assert reconcile([scaled(100, 0.2)], [Stated(20.26, CM)]).agrees == (False,)

    def test_one_that_differs_beside_one_that_agrees_is_told(self) -> None:
        verdict = reconcile([scaled(100, 0.2), scaled(60, 0.2)], [Stated(20.0, CM), Stated(15.0, CM)])
        assert verdict.agrees == (True, False)
        assert verdict.factor is None

    def test_a_value_that_is_nobody_s_is_left_over(self) -> None:
        verdict = reconcile([scaled(100, 0.2)], [Stated(20.0, CM), Stated(33.0, CM)])
        assert (verdict.of_caliper, verdict.agrees) == ((0,), (True,))

    @pytest.mark.parametrize(
        ("lengths_px", "printed_mm", "own"),
        [
            ((152.5, 152), (30.4, 30.3), (None, None)),  # seed 5100018: both agree with both
            ((152.5, 152), (30.4, 30.4), (0, 1)),  # one number, whosever it is
            ((152.5, 100), (30.4, 30.3), (None, 1)),  # the other one may have been drawn where no marks were found
            ((152.5, 150.5), (30.5, 30.1), (0, 1)),  # each agrees with its own alone
            ((153, 150), (30.4, 30.2), (0, 1)),  # only the second value may be the second caliper's
        ],
    )
    def test_a_value_that_may_as_well_be_another_s_is_nobody_s(
        self, lengths_px: tuple[float, float], printed_mm: tuple[float, float], own: tuple[int | None, int | None]
    ) -> None:
        """Both calipers agree with the scale all the same: 0.2 mm a pixel and 0.05 mm of rounding are the slack."""
        calipers, values = [scaled(length, 0.2) for length in lengths_px], [Stated(mm, CM) for mm in printed_mm]
        verdict = reconcile(calipers, values)
        assert told_apart(calipers, values, verdict) == own
        assert verdict.agrees[0] is True


class TestFactor:
    @pytest.mark.parametrize("enlarged", [0.5, 0.8, 1.25, 1.6, 2.0, 3.0])
    def test_what_all_values_have_in_common_is_named(self, enlarged: float) -> None:
        """The picture has ``enlarged`` times as many pixels, and its regions still say 0.2 mm."""
        calipers = [scaled(length * enlarged / 0.2, 0.2) for length in (31.4, 18.7)]
        verdict = reconcile(calipers, [Stated(31.4, CM), Stated(18.7, CM)])
        assert verdict.factor == pytest.approx(enlarged, rel=0.01)
        assert verdict.agrees == (False, False)
        assert verdict.proposed is not None
        assert verdict.proposed.spacing_mm == pytest.approx(0.2 / enlarged, rel=0.01)

    def test_values_without_a_common_factor_name_none(self) -> None:
        verdict = reconcile([scaled(100, 0.2), scaled(60, 0.2)], [Stated(31.0, CM), Stated(50.0, CM)])
        assert (verdict.factor, verdict.proposed) == (None, None)


class TestScale:
    def test_two_values_that_agree_give_a_scale_and_its_error(self) -> None:
        """Rounding to 0.1 mm, SD 0.1 / sqrt(12), and half a pixel, of 20 and 12 mm in quadrature."""
        verdict = reconcile([Distance(100), Distance(60, direction_deg=90)], [Stated(20.0, CM), Stated(12.0, CM)])
        assert verdict.proposed is not None
        assert verdict.proposed.spacing_mm == pytest.approx(0.2, abs=1e-6)
        errors = [0.2 * math.hypot(CM / math.sqrt(3) / mm, 0.5 / px) for mm, px in ((20, 100), (12, 60))]
        assert verdict.proposed.sd_mm == pytest.approx(1 / math.sqrt(sum(e**-2 for e in errors)), rel=1e-6)
        assert verdict.agrees == (None, None)

    def test_one_value_alone_gives_none(self) -> None:
        verdict = reconcile([Distance(100)], [Stated(20.0, CM)])
        assert (verdict.of_caliper, verdict.proposed) == ((0,), None)

    def test_two_values_that_contradict_one_another_give_none(self) -> None:
        assert reconcile([Distance(100), Distance(60)], [Stated(20.0, CM), Stated(18.0, CM)]).proposed is None


def test_a_volume_is_held_against_its_axes() -> None:
    """Ellipsoid of 30 x 20 x 10 mm: pi / 6 of 6 ml."""
    axes = [Stated(mm, CM) for mm in (30.0, 20.0, 10.0)]
    assert volume_agrees(3.14, 0.005, axes)
    assert volume_agrees(3.12, 0.005, axes)
    assert volume_agrees(4.14, 0.005, axes) is False
    assert volume_agrees(3.14, 0.005, axes[:2]) is None


@needs_reader
class TestRealImages:
    """Crosses and the value beside them, by eye: 3.3 cm on the EPIQ image, 1.06 cm on the CX50 ones."""

    @pytest.mark.parametrize(("name", "printed_mm"), [(EPIQ, 33.0), (CX50[0], 10.6), (CX50[3], 10.6)])
    def test_the_printed_value_confirms_the_scale(self, shared_dir: Path, name: str, printed_mm: float) -> None:
        code, out, _ = lesion_measure("calipers", shared_dir / "dicom_us/us" / name, "--json", "--frame", "1")
        answer = json.loads(out)
        [caliper] = answer["calipers"]
        assert (caliper["printed_mm"], caliper["agrees"]) == (printed_mm, True)
        assert (code, answer["scale_factor"]) == (0, None)

    @pytest.mark.parametrize("factor", [0.8, 1.7])
    def test_a_picture_that_was_rescaled_under_its_regions_is_told(
        self, shared_dir: Path, tmp_path: Path, factor: float
    ) -> None:
        path = rescaled(shared_dir / "dicom_us/us" / CX50[0], tmp_path, factor)
        code, out, err = lesion_measure("calipers", path, "--json")
        answer = json.loads(out)
        assert answer["scale_factor"] == pytest.approx(factor, rel=0.02)
        assert "the picture was probably rescaled" in err
        [caliper] = answer["calipers"]
        assert not caliper["agrees"]  # None where the marks now lie beyond the regions, or these beyond the picture
        assert (caliper["length_mm"] is None) == (caliper["agrees"] is None)
        assert code == 3

    @pytest.mark.parametrize(
        ("factor", "name"),
        [
            (0.7, EPIQ),
            (0.7, CX50[0]),
            (1.1, EPIQ),
            (1.5, CX50[0]),
            (2.0, EPIQ),
            (2.6, CX50[0]),
        ],
    )
    def test_marks_or_ticks_name_the_factor_and_no_length_goes_without_a_warning(
        self, shared_dir: Path, tmp_path: Path, name: str, factor: float
    ) -> None:
        """Marks or letters may be too large or too small to be found; the depth scale then says it alone.

        On the EPIQ image at 2.0 a false mark and the one value would name a quarter, which the depth scale contradicts.
        """
        path = rescaled(shared_dir / "dicom_us/us" / name, tmp_path, factor)
        code, out, err = lesion_measure("calipers", path, "--json")
        answer = json.loads(out)
        assert answer["scale_factor"] == pytest.approx(factor, rel=0.02)
        assert (code, "rescaled" in err) == (3, True)
        assert not any(each["agrees"] for each in answer["calipers"])
