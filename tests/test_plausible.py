"""Sizes that stand, and on which no certain verdict rests: of the largest of many pictures, and at a picture's edge."""

from __future__ import annotations

import pytest

import make
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config, Uncertainty
from lesion_measure.image.caliper_pairs import measured_by_calipers, pair_axes
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.records import BASELINE, CUT_OFF, LIVER, ONE_MONTH, RESCALED, Plane, Source
from lesion_measure.verdict.plausible import implausible


@pytest.mark.parametrize("source", [Source.CALIPER, Source.MODEL])
def test_more_pictures_of_unnamed_planes_at_one_visit(source: Source) -> None:
    """Two cuts of one lesion, 60 and 30 mm, of which the later visit drew one: by the largest it fell by 50 %."""
    long, cross = (
        make.plane(mm, None, plane=Plane.UNKNOWN, sop=f"1.2.{mm}", source=source, lesion="L1") for mm in (60, 30)
    )
    key = source.value
    planes = {BASELINE: VisitReadings(**{key: [long, cross]}), ONE_MONTH: VisitReadings(**{key: [cross]})}
    lesions, _ = assemble("S1", planes, Config())
    assert [m.longest_diameter_mm.value for m in lesions] == [60, 30]
    (found,) = implausible(lesions)
    assert found.refusal.code == "other_pictures"
    assert "the largest of 2 at baseline is held against the largest of 1 at" in found.refusal.reason
    alike, _ = assemble("S1", dict.fromkeys(planes, planes[ONE_MONTH]), Config())
    assert implausible(alike) == []


def test_visits_by_a_reader_and_by_the_network_are_not_held_against_one_another() -> None:
    """How many pictures each looked at says nothing of the other."""
    two = make.lesion(30, planes=(make.plane(30, None, plane=Plane.UNKNOWN, pictures=2),))
    one = make.plane(30, None, plane=Plane.UNKNOWN, source=Source.MODEL)
    assert implausible([two, make.lesion(30, ONE_MONTH, source=Source.MODEL, planes=(one,))]) == []


@pytest.mark.parametrize(
    ("warning", "codes"),
    [(f"{CUT_OFF}: its outline", ["perhaps_cut_off"]), (f"{RESCALED}: x", ["perhaps_rescaled"]), ("faint", [])],
)
@pytest.mark.parametrize("source", [Source.CALIPER, Source.MODEL])
def test_a_smaller_picture_that_may_be_the_larger_one(source: Source, warning: str, codes: list[str]) -> None:
    """40 mm whole, and 38 mm of a lesion that goes on beyond the picture and may be 60 mm: 40 mm is not certain."""
    cut, whole = (
        make.plane(mm, None, plane=Plane.UNKNOWN, sop=f"1.2.{mm}", source=source, lesion="L1", warnings=said)
        for mm, said in ((38, (warning,)), (40, ()))
    )
    (measured,), _ = assemble("S1", {BASELINE: VisitReadings(**{source.value: [cut, whole]})}, Config())
    assert measured.longest_diameter_mm.value == 40
    assert [d.refusal.code for d in implausible([measured])] == codes


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
