"""Calipers and outlines where there is no picture: refused, with the swapped reading where it would fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dicom_headers import instance_of
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config, Limits
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import MeasurementError
from lesion_measure.image.beam import Beam
from lesion_measure.measure.insonation import InsonatedArea
from lesion_measure.network.window import check_insonated
from lesion_measure.records import CalibratedRegion, Instance, Point

EPIQ = "JPGLosslessP14SV1_1s_1f_8b.dcm"
DRAWN = [(319.5, 629.5), (435.5, 689.5)]  # the caliper whose length is printed in the picture


@pytest.fixture
def epiq(shared_dir: Path) -> Instance:
    return instance_of(shared_dir / "dicom_us" / "us" / EPIQ)


def beam_of(image: Instance) -> Beam:
    return Beam(OpenImage(image, Limits()), Config())


def region_of(image: Instance) -> CalibratedRegion:
    region = calibrate(image).region
    assert region is not None
    return region


def test_the_printed_caliper_is_believed(epiq: Instance) -> None:
    assert beam_of(epiq).check(DRAWN, region_of(epiq)) == ()


def test_swapped_it_is_refused_and_the_swap_is_named(epiq: Instance) -> None:
    with pytest.raises(MeasurementError, match="outside of the insonated area") as caught:
        beam_of(epiq).check([(col, row) for row, col in DRAWN], region_of(epiq))
    assert caught.value.code == "not_insonated"
    assert "Swap rows and columns" in caught.value.remedy


@pytest.mark.parametrize("points", [[(60, 60), (60, 120)], [(700, 900), (740, 960)], [(300, 500), (120, 900)]])
def test_in_a_corner_it_is_refused_without_that_hint(epiq: Instance, points: list[Point]) -> None:
    with pytest.raises(MeasurementError) as caught:
        beam_of(epiq).check(points, region_of(epiq))
    assert "Swap" not in caught.value.remedy


def test_a_proposal_in_a_corner_lies_outside(epiq: Instance) -> None:
    beam, region = beam_of(epiq), region_of(epiq)
    circle = [(60 + 20 * np.sin(t), 80 + 20 * np.cos(t)) for t in np.linspace(0, 6, 30)]
    assert beam.share_outside(circle, region) == 1
    assert beam.share_outside([(r + 300, c + 500) for r, c in circle], region) == 0


@pytest.mark.parametrize("name", ["OBXXXX1A.dcm", "OBXXXX1A_2frame.dcm"])
def test_a_caliper_in_the_dark_of_the_sector_is_believed(shared_dir: Path, name: str) -> None:
    image = instance_of(shared_dir / "dicom_us" / "us" / name)
    assert beam_of(image).check([(289.5, 458.5), (300.5, 497.5)], region_of(image)) == ()


def test_an_area_that_is_not_known_warns(epiq: Instance) -> None:
    tiny = replace(region_of(epiq), row_min=300, row_max=320, col_min=600, col_max=620)
    (warning,) = beam_of(epiq).check([(305, 605), (310, 610)], tiny)
    assert "could not be told" in warning


class TestPrompts:
    mask = np.zeros((200, 300), dtype=np.bool_)
    mask[20:90, 150:290] = True
    area = InsonatedArea(mask, known=True)

    def test_row_and_column_are_taken(self) -> None:
        check_insonated([((40, 200), (60, 240))], self.area)

    def test_ends_that_a_hand_misplaced_are_taken(self) -> None:
        check_insonated([((40, 140), (60, 200))], self.area)

    def test_x_and_y_are_refused(self) -> None:
        with pytest.raises(MeasurementError, match="outside of the insonated area") as caught:
            check_insonated([((160, 30), (190, 60))], self.area)
        assert "swapped" in caught.value.remedy

    def test_the_black_is_refused(self) -> None:
        with pytest.raises(MeasurementError) as caught:
            check_insonated([((150, 250), (180, 280))], self.area)
        assert "swapped" not in caught.value.remedy
