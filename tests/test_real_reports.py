"""Structured reports of real viewers and libraries: each is read, or refused with its reason.

Expected points stand as the files' own GraphicData, (x, y) from the corner of the top left pixel, as `dsrdump` shows
them; a (row, column) with pixel centres at integers is (y - 0.5, x - 0.5).
"""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from lesion_measure.dicom.objects.reports import read_sr
from lesion_measure.records import Axis, Drawings

LONG, SHORT, OUTLINE = Axis.LONG, Axis.SHORT, Axis.OUTLINE
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
    "dwv_tid1500_sr-ellipse": [
        ("1.1.1", LONG, [2.848101, 6.151899, 9.227848, 6.151899]),
        ("1.1.1", SHORT, [6.037975, 4.253165, 6.037975, 8.050632]),
        ("1.1.2", LONG, [14.924050, 6.0, 21.303797, 6.0]),
        ("1.1.2", SHORT, [18.113924, 4.101266, 18.113924, 7.898734]),
        ("1.1.3", LONG, [14.924050, 18.151899, 21.303797, 18.151899]),
        ("1.1.3", SHORT, [18.113924, 16.253166, 18.113924, 20.050632]),
    ],
    "dwv_tid1500_sr-circle": [  # the file has centre and rim: the other end lies as far beyond the centre
        ("1.1.1", LONG, [4.037975, 6.075949, 8.037975, 6.075949]),
        ("1.1.2", LONG, [16.037975, 5.848101, 20.037975, 5.848101]),
        ("1.1.3", LONG, [15.962025, 17.772152, 19.962025, 17.772152]),
    ],
    "dwv_tid1500_sr-roi": [  # triangles; the file repeats the first corner
        ("1.1.1", OUTLINE, [4.215190, 4.101266, 4.139241, 7.974684, 7.860759, 7.974684]),
        ("1.1.2", OUTLINE, [16.139240, 4.101266, 15.987342, 7.898734, 19.860760, 7.898734]),
        ("1.1.3", OUTLINE, [16.063292, 15.949367, 16.063292, 20.050632, 19.784811, 19.974684]),
    ],
    "ohif3132_US_Length_generated_here": [("1.5.1", None, [628.688354, 319.226044, 688.699524, 435.438141])],
}

TOLD = {
    "dwv_tid1500_sr-arrow": ([], "a single point (3)"),
    "dwv_tid1500_sr-protractor": ([], "Angle, a line that is no length and goes round nothing (3)"),
    "dwv_tid1500_sr-rectangle": ([], "its sides and its diagonal are no axes"),
    "highdicom_sr_document": ([], "Area of defined region, of another structure (1)"),
    "highdicom_sr_document_with_multiple_groups": ([], "Diameter, of another structure (2)"),
}


def _read(folder: Path, name: str) -> Drawings:
    return read_sr(pydicom.dcmread(folder / "dicom_us" / "sr" / f"{name}.dcm"), f"{name}.dcm")


@pytest.mark.parametrize("name", DRAWN)
def test_points_are_those_of_the_report(shared_dir: Path, name: str) -> None:
    drawn = _read(shared_dir, name).drawn
    assert [(each.group, each.axis) for each in drawn] == [(group, axis) for group, axis, _ in DRAWN[name]]
    modality = {"dcmjs": "CT", "dwv": "MR"}.get(name.split("_")[0], "")
    assert {each.modality for each in drawn} == {modality}
    for each, (_, _, graphic) in zip(drawn, DRAWN[name], strict=True):
        corners = [number + 0.5 for row, column in each.points for number in (column, row)]
        assert corners == pytest.approx(graphic, abs=1e-5)


@pytest.mark.parametrize("name", TOLD)
def test_what_is_no_caliper_is_told(shared_dir: Path, name: str) -> None:
    drawings = _read(shared_dir, name)
    refused, listed = TOLD[name]
    assert not drawings.drawn
    assert [each.code for each in drawings.refusals] == refused
    assert listed in " ".join(each.reason for each in drawings.listed)


def test_every_report_is_in_one_table(shared_dir: Path) -> None:
    there = {path.stem for path in (shared_dir / "dicom_us" / "sr").glob("*.dcm")}
    assert there == DRAWN.keys() | TOLD.keys()


@pytest.mark.parametrize(
    ("name", "refused", "listed"),
    [
        ("test-SR.dcm", ["sr_no_points", "sr_no_points"], "sr_other_measurements"),  # DCMTK's: two masses of 3 cm
        ("reportsi.dcm", [], "sr_no_measurements"),
        ("reportsi_with_empty_number_tags.dcm", [], "sr_no_measurements"),
    ],
)
def test_reports_that_come_with_pydicom(name: str, refused: list[str], listed: str) -> None:
    path = get_testdata_file(name)
    drawings = read_sr(pydicom.dcmread(str(path)), name)
    assert not drawings.drawn
    assert [each.code for each in drawings.refusals] == refused
    assert [each.code for each in drawings.listed] == [listed]
    assert all("states 3 cm without points" in each.reason for each in drawings.refusals)


def test_what_ohif_states_comes_along(shared_dir: Path) -> None:
    (length,) = _read(shared_dir, "ohif3132_US_Length_generated_here").drawn
    assert length.image_uid == "1.2.826.0.1.3680043.2.1143.7710860250658251928326281926167748476"
    assert (length.frame, length.lesion, length.reader) == (None, "", "SR")
    assert length.origin.tracking_uid == "2.25.626833807760078572701495130194959790227"
    assert length.origin.tracking_identifier == "Cornerstone3DTools@^0.1.0:Length"
    assert (length.origin.stated, length.origin.stated_mm) == ("3.33215228478425 mm", pytest.approx(3.332152))
