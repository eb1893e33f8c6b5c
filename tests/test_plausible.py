"""Sizes that stand, and on which no certain verdict rests: of the largest of many pictures, and at a picture's edge."""

from __future__ import annotations

import pytest

import make
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config, Uncertainty
from lesion_measure.image.caliper_pairs import measured_by_calipers, pair_axes
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.records import BASELINE, LIVER, ONE_MONTH, Plane
from lesion_measure.verdict.plausible import implausible


def test_more_pictures_of_unnamed_planes_at_one_visit() -> None:
    """Two cuts of one lesion, 60 and 30 mm, of which the later visit drew one: by the largest it fell by 50 %."""
    long, cross = (make.plane(mm, None, plane=Plane.UNKNOWN, sop=f"1.2.{mm}") for mm in (60, 30))
    planes = {BASELINE: VisitReadings(caliper=[long, cross]), ONE_MONTH: VisitReadings(caliper=[cross])}
    lesions, _ = assemble("S1", planes, Config())
    assert [m.longest_diameter_mm.value for m in lesions] == [60, 30]
    (found,) = implausible(lesions)
    assert found.refusal.code == "other_pictures"
    assert "the largest of 2 at baseline is held against the largest of 1 at" in found.refusal.reason
    alike, _ = assemble("S1", dict.fromkeys(planes, planes[ONE_MONTH]), Config())
    assert implausible(alike) == []


@pytest.mark.parametrize(
    ("end_col", "lesion", "codes"),
    [(749, "L1", ["perhaps_cut_off"]), (748.6, "L1", ["perhaps_cut_off"]), (748, "L1", []), (749, LIVER, [])],
)
def test_a_caliper_that_ends_on_the_last_pixels_of_the_picture(end_col: float, lesion: str, codes: list[str]) -> None:
    """The region's columns are 50 to 749."""
    image, ends = make.instance(), ((300.0, 600.0), (300.0, end_col))
    (pair,), _ = pair_axes(
        "1.2", [make.caliper(lesion=lesion, start=ends[0], end=ends[1])], subject="S1", visit=BASELINE
    )
    plane = measured_by_calipers(image, pair, calibrate(image), Uncertainty())
    assert plane.long_axis_mm.value == pytest.approx((end_col - 600) * 0.2)
    assert any("edge of the image region" in warning for warning in plane.warnings) is (end_col > 748)
    assert [d.refusal.code for d in implausible([make.lesion(30, planes=(plane,))])] == codes
