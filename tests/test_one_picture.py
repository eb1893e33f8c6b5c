"""A picture of two visits is a copy: no two scans give the same speckle. Whole runs on small files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import small_images
from lesion_measure import run
from lesion_measure.records import SubjectResult

DATES = ("20240101", "20240131")
NONE, ABOVE = 0, 12
"""Rows above the region that hold the date, as scanners print it."""


def child(folder: Path, seeds: Sequence[int], *, above: int = NONE, flat: bool = False) -> SubjectResult:
    """A child with one image a visit, whose speckle is that of a seed; 12 mm, then 6 mm by calipers.

    ``above`` rows over the region hold another text at each visit. ``flat``: there is nothing in the picture.
    """
    lines = ["image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader"]
    for place, (date, seed) in enumerate(zip(DATES, seeds, strict=True)):
        pixels = small_images.picture(seed) if not flat else np.full((72, 96), 40, np.uint8)
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
    ("seeds", "above", "flat", "copied"),
    [
        ((1, 2), NONE, False, False), ((1, 1), NONE, False, True), ((1, 1), ABOVE, False, True),
        ((1, 1), NONE, True, False),
    ],
    ids=["two scans", "one picture", "one picture with another title", "nothing in the pictures"],
)  # fmt: skip
def test_no_verdict_on_one_picture_of_two_visits_is_certain(
    tmp_path: Path, seeds: Sequence[int], above: int, flat: bool, copied: bool
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    found = child(folder, seeds, above=above, flat=flat)
    assert found.response is not None
    assert found.response.percent == pytest.approx(-50)
    assert [r.code for r in found.review].count("one_picture") == copied
    if copied:
        (told,) = (r for r in found.review if r.code == "one_picture")
        assert told.reason == (
            "The picture of L1 at one month is that of L1 at baseline, pixel by pixel: one of them is a copy."
        )
        assert found.response.certain is False
        assert any("one of them is a copy" in why for why in found.response.held)
