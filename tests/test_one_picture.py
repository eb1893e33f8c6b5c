"""A picture of two visits is a copy: no two scans give the same speckle. Whole runs and judged sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

import make
import small_images
from lesion_measure import run
from lesion_measure.config import Config
from lesion_measure.image.pictures import with_picture
from lesion_measure.records import BASELINE, CalibratedRegion, LesionMeasurement, SubjectResult, SubjectVisits
from lesion_measure.verdict.subject import judge_child
from test_course import FROM_BASELINE, NO_LIMIT, RULE, SCHEDULE, judged, measured, study

DATES = ("20240101", "20240131")
NONE, ABOVE = 0, 12
"""Rows above the region that hold the date, as scanners print it."""


def child(
    folder: Path, seeds: Sequence[int], *, above: int = NONE, flat: bool = False, ruler: bool = False
) -> SubjectResult:
    """A child with one image a visit, whose speckle is that of a seed; 12 mm, then 6 mm by calipers.

    ``above`` rows over the region hold another text at each visit. ``flat``: there is nothing in the picture.
    ``ruler``: there is a depth ruler within the region.
    """
    lines = ["image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader"]
    for place, (date, seed) in enumerate(zip(DATES, seeds, strict=True)):
        pixels = small_images.picture(seed) if not flat else np.full((72, 96), 40, np.uint8)
        if ruler:
            pixels[::10, 95] = 255
        title = np.full((above, 96), 100 + place, np.uint8)
        header = small_images.header(
            PatientID="A", StudyDate=date, StudyInstanceUID=f"1.2.3.{place}", SeriesInstanceUID=f"1.2.3.{place}.1",
            SOPInstanceUID=f"1.2.3.{place}.1.1",
        )  # fmt: skip
        header.Rows = 72 + above
        region = header.SequenceOfUltrasoundRegions[0]
        region.RegionLocationMinY0, region.RegionLocationMaxY1 = above, 71 + above
        header.PixelData = np.vstack([title, pixels]).tobytes()
        header["PixelData"].VR = "OB"
        (folder / f"{place}.dcm").write_bytes(small_images.written(header, "1.2.840.10008.1.2.1"))
        half = 24 / (1 + place)  # pixels of 0.25 mm
        lines.append(f"{place}.dcm,1,L1,transverse,long,{47 - half},{35.5 + above},{47 + half},{35.5 + above},R1")
    table = folder.parent / "calipers.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    (found,) = run(folder, calipers=table)
    return found


@pytest.mark.parametrize(
    ("seeds", "above", "flat", "ruler", "copied"),
    [
        ((1, 2), NONE, False, False, False), ((1, 1), NONE, False, False, True), ((1, 1), ABOVE, False, False, True),
        ((1, 1), NONE, True, False, False), ((1, 1), NONE, True, True, False), ((1, 1), NONE, False, True, True),
    ],
    ids=[
        "two scans", "one picture", "one picture with another title", "nothing in the pictures",
        "nothing but a ruler in them", "one picture with a ruler",
    ],
)  # fmt: skip
def test_no_verdict_on_one_picture_of_two_visits_is_certain(
    tmp_path: Path, seeds: Sequence[int], above: int, flat: bool, ruler: bool, copied: bool
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    found = child(folder, seeds, above=above, flat=flat, ruler=ruler)
    assert found.response is not None
    assert found.response.percent == pytest.approx(-50)
    told = [r for r in found.review if r.code == "one_picture"]
    assert [r.visit for r in told] == (["baseline", "one_month"] if copied else [])
    hashes = [plane.picture_sha256 for lesion in found.lesions for plane in lesion.planes]
    stored = [pydicom.dcmread(folder / f"{place}.dcm").pixel_array[above:] for place in range(2)]
    assert hashes == [hashlib.sha256(one.tobytes()).hexdigest() if not flat else "" for one in stored]
    if copied:
        assert {r.reason for r in told} == {
            "L1 at baseline and L1 at one month were measured on one picture, pixel by pixel: "
            "it can be of one visit alone."
        }
        assert found.response.certain is False
        assert any("it can be of one visit alone" in why for why in found.response.held)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2"])
@pytest.mark.parametrize("channels", [(), (3,)], ids=["gray", "colour"])
def test_a_picture_hash_is_the_sha_256_of_the_regions_pixels(dtype: str, channels: tuple[int, ...]) -> None:
    """Stored values 1,000 to 1,199 where there are 16 bits; other bytes beside the region change nothing."""
    rng = np.random.default_rng(1)
    frame = (rng.integers(0, 200, (60, 80, *channels)) + 1000 * (dtype != "u1")).astype(dtype)
    region = CalibratedRegion(row_min=10, row_max=49, col_min=20, col_max=69, spacing_mm=(0.2, 0.2), source="x")
    plane = make.plane(4.0, at=(30.0, 40.0))
    (told,) = with_picture([plane], [region], lambda number: frame)
    expected = b"".join(int(v).to_bytes(frame.itemsize, "little") for v in frame[10:50, 20:70].ravel())
    assert told.picture_sha256 == hashlib.sha256(expected).hexdigest()
    for lost in (with_picture([plane], [region], lambda number: None), with_picture([plane], [], lambda number: frame)):
        assert lost[0].picture_sha256 == ""


def on(picture: str, mm: float, visit: str, name: str = "L1") -> LesionMeasurement:
    """A size whose picture has this hash."""
    found = measured(mm, visit, 1, name)
    return replace(found, planes=tuple(replace(p, picture_sha256=picture) for p in found.planes))


@pytest.mark.parametrize(
    ("pictures", "waiting", "certain"),
    [
        (("a", "b", "c"), [], [True, True]),
        (("a", "b", "b"), ["week_4", "week_8"], [False, False]),
        (("a", "b", "a"), [BASELINE, "week_8"], [False, False]),  # baseline may be the copy: then week 4 has none
        (("a", "a", "b"), [BASELINE, "week_4"], [False, False]),
        (("a", "a", "a"), [BASELINE, "week_4", "week_8"], [False, False]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rule", [{}, FROM_BASELINE, NO_LIMIT], ids=["smallest so far", "baseline", "no limit"])
def test_nobody_knows_which_visit_is_the_copy(
    rule: dict[str, object], pictures: Sequence[str], waiting: list[str], certain: list[bool]
) -> None:
    """40 mm, 20 and 24: -50 % at the primary visit, week 4."""
    sizes = zip(pictures, (40, 20, 24), (BASELINE, "week_4", "week_8"), strict=True)
    found = judged([on(*one) for one in sizes], (BASELINE, "week_4", "week_8"), **rule)
    assert [r.visit for r in found.review if r.code == "one_picture"] == waiting
    assert [a.certain for a in found.assessments] == certain
    assert found.response is not None
    assert (found.response.percent, found.response.certain) == (-50, certain[0])


def test_a_copy_of_the_livers_picture_waits_and_leaves_the_lesions_verdict_alone() -> None:
    liver = (on("x", 70, BASELINE, "liver"), on("x", 60, "week_4", "liver"))
    visits = {visit: (study(visit),) for visit in (BASELINE, "week_4")}
    child = SubjectVisits(subject="S1", visits=visits, sources={}, schedule=SCHEDULE)
    config = Config.model_validate({"comparison": {"rule": "r", "rules": {"r": RULE}}})
    lesions = (measured(40, BASELINE, 1), measured(20, "week_4", 1))
    found = judge_child(child, lesions, (), liver, [], config=config)
    assert [(r.code, r.visit, r.lesion) for r in found.review] == [
        ("one_picture", BASELINE, "liver"), ("one_picture", "week_4", "liver"),
    ]  # fmt: skip
    assert found.response is not None
    assert found.response.certain
