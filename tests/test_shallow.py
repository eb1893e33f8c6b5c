"""Pictures that the stated scale makes too shallow for a liver: a scale in another unit, ten times too small."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from lesion_measure import config
from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.records import SHALLOW
from region_headers import image, region
from test_descriptions import _measured
from test_doubts import children

__all__ = ["children"]


@pytest.mark.parametrize(("cm", "told"), [(0.0149, True), (0.0151, False)])
def test_a_region_of_less_than_15_mm(cm: float, told: bool) -> None:
    """100 rows of 0.149 mm are 14.9 mm."""
    one = image(region((0, 99), (0, 799), delta_row=cm, delta_col=cm))
    for found in (calibrate(one), calibrate_at(one, [(10, 10), (50, 50)])):
        assert [warning.startswith(SHALLOW) for warning in found.warnings] == [True] * told


@pytest.mark.parametrize(("mm", "told"), [(0.02, True), (0.03, False)])
def test_a_whole_image_by_pixel_spacing(mm: float, told: bool) -> None:
    """600 rows: 12 and 18 mm."""
    found = calibrate(image(pixel_spacing=(mm, mm)))
    assert [warning.startswith(SHALLOW) for warning in found.warnings] == [True] * told


def test_a_colour_box_within_a_deep_picture_has_its_scale() -> None:
    whole, box = region((0, 599), (0, 799)), region((200, 240), (200, 300), data_type=2)
    assert calibrate_at(image(whole, box), [(210, 210), (230, 230)]).warnings == ()


@pytest.mark.parametrize(("cm", "told"), [(0.0024, True), (0.01, False)])
def test_a_colour_box_alone_has_the_depth_of_its_picture(cm: float, told: bool) -> None:
    """41 rows of 0.1 mm are 4.1 mm of an image of 60 mm; of 0.024 mm the whole image has 14.4."""
    box = region((200, 240), (200, 300), data_type=2, delta_row=cm, delta_col=cm)
    warnings = calibrate_at(image(box), [(210, 210), (230, 230)]).warnings
    assert [warning.startswith(SHALLOW) for warning in warnings] == [True] * told


def test_the_depth_is_a_setting() -> None:
    one = image(region((0, 99), (0, 799), delta_row=0.0149, delta_col=0.0149))
    assert calibrate(one, config.Calibration(min_depth_mm=10)).warnings == ()


def test_a_scale_ten_times_too_small_holds_the_verdict(children: Path) -> None:
    """Millimetres said to be centimetres the other way round: every lesion would have shrunk by 90 %."""
    for file in (children / "scans" / "SIM-04" / "one_month").iterdir():
        dataset = dcmread(file)
        for each in dataset.SequenceOfUltrasoundRegions:
            each.PhysicalDeltaX, each.PhysicalDeltaY = each.PhysicalDeltaX / 10, each.PhysicalDeltaY / 10
        dataset.save_as(file)
    child = _measured(children)
    assert "implausibly_shallow" in {each.code for each in child.review}
    assert child.response is None or not child.response.certain
