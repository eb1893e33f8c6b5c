"""Structured reports of real viewers and libraries: each is read, or refused with its reason.

Expected points stand as the files' own GraphicData, (x, y) from the corner of the top left pixel, as `dsrdump` shows
them; a (row, column) with pixel centres at integers is (y - 0.5, x - 0.5).
"""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from lesion_measure.dicom.objects.reports import read_sr
from lesion_measure.records import Axis, Drawings

LONG, SHORT = Axis.LONG, Axis.SHORT
CORNERSTONE = [
    ("1.5.2", LONG, [295.5, 319.5, 388.5, 319.5]),
    ("1.5.2", SHORT, [342.0, 285.0, 342.0, 354.0]),
    ("1.5.3", LONG, [71.5, 329.0, 139.5, 397.0]),
    ("1.5.3", SHORT, [88.5, 380.0, 122.5, 346.0]),
    ("1.5.4", None, [237.5, 392.0, 272.5, 372.0]),
    ("1.5.5", None, [167.5, 288.0, 262.5, 387.0]),
    ("1.5.6", LONG, [263.5, 286.0, 342.5, 286.0]),
    ("1.5.6", SHORT, [303.0, 253.0, 303.0, 319.0]),
]
DRAWN = {
    "dcmjs_sample-sr": [
        ("1.5.1", LONG, [580.719177, 1090.835816, 543.354004, 988.392151]),
        ("1.5.1", SHORT, [599.401794, 1028.231323, 524.671326, 1050.996582]),
    ],
    "dcmjs_structured_report": CORNERSTONE,
    "dwv_tid1500_sr-ruler": [
        ("1.1.1", None, [3.911392, 5.848101, 7.936709, 5.848101]),
        ("1.1.2", None, [15.987342, 5.848101, 20.012659, 5.848101]),
        ("1.1.3", None, [15.987342, 18.0, 20.012659, 18.0]),
    ],
    "ohif3132_US_Length_generated_here": [("1.5.1", None, [628.688354, 319.226044, 688.699524, 435.438141])],
}


def _read(folder: Path, name: str) -> Drawings:
    return read_sr(pydicom.dcmread(folder / "dicom_us" / "sr" / f"{name}.dcm"), f"{name}.dcm")


@pytest.mark.parametrize("name", DRAWN)
def test_points_are_those_of_the_report(shared_dir: Path, name: str) -> None:
    drawn = _read(shared_dir, name).drawn
    assert [(each.group, each.axis) for each in drawn] == [(group, axis) for group, axis, _ in DRAWN[name]]
    for each, (_, _, graphic) in zip(drawn, DRAWN[name], strict=True):
        corners = [number + 0.5 for row, column in each.points for number in (column, row)]
        assert corners == pytest.approx(graphic, abs=1e-5)


def test_what_ohif_states_comes_along(shared_dir: Path) -> None:
    (length,) = _read(shared_dir, "ohif3132_US_Length_generated_here").drawn
    assert length.image_uid == "1.2.826.0.1.3680043.2.1143.7710860250658251928326281926167748476"
    assert (length.frame, length.lesion, length.reader) == (None, "", "SR")
    assert length.origin.tracking_uid == "2.25.626833807760078572701495130194959790227"
    assert length.origin.tracking_identifier == "Cornerstone3DTools@^0.1.0:Length"
    assert (length.origin.stated, length.origin.stated_mm) == ("3.33215228478425 mm", pytest.approx(3.332152))
