"""Calipers out of structured reports: layouts of viewers and scanners, and what is told instead of a number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydicom import Dataset

import lesion_measure
from lesion_measure.dicom.objects.reports import read_sr
from lesion_measure.dicom.objects.reports.shapes import Fault
from lesion_measure.dicom.objects.reports.tree import Code
from lesion_measure.records import Axis, Drawings
from report_writing import (
    AREA,
    CM,
    COMPREHENSIVE_3D,
    ENHANCED,
    FINDING,
    IMAGE_UID,
    LENGTH,
    LESION,
    LIVER,
    LONG,
    MEASUREMENTS,
    MM,
    NO_UNIT,
    REGION,
    REPORT_UID,
    SEGMENTATION,
    SHORT,
    SITE,
    TRACKING_UID,
    Coded,
    by_reference,
    coded,
    container,
    group,
    image,
    item,
    line,
    measurements,
    num,
    person,
    report,
    reread,
    scoord,
    text,
    tracked,
)

LINE = [10.5, 20.5, 40.5, 60.5]
POINTS = ((20.0, 10.0), (60.0, 40.0))
ACROSS = [30.5, 20.5, 10.5, 35.5]
ACROSS_POINTS = ((20.0, 30.0), (35.0, 10.0))


def _read(dataset: Dataset) -> Drawings:
    return read_sr(dataset, "sr.dcm")


def _points(drawings: Drawings) -> list[tuple[Axis | None, tuple[tuple[float, float], ...]]]:
    return [(each.axis, each.points) for each in drawings.drawn]


def _codes(drawings: Drawings) -> list[str]:
    return [each.code for each in drawings.refusals]


def _drawn(*children: Dataset) -> Drawings:
    return _read(measurements(group(*children)))


class TestWhereThePointsStand:
    """TID 300, TID 320 and TID 1501 let a number's points stand in several places."""

    def test_below_the_number(self) -> None:
        drawings = _drawn(line(LENGTH, "12.5", LINE))
        assert _points(drawings) == [(None, POINTS)]
        assert not drawings.refusals + drawings.listed

    def test_beside_the_number(self) -> None:
        (drawing,) = _drawn(scoord("POLYLINE", LINE, concept=REGION), num(LENGTH, "12.5")).drawn
        assert (drawing.points, drawing.origin.stated_mm) == (POINTS, 12.5)

    def test_by_reference_to_the_graphic(self) -> None:
        graphic = scoord("POLYLINE", LINE, concept=REGION)
        (drawing,) = _drawn(graphic, num(LENGTH, "12.5", MM, by_reference(1, 1, 1, 1))).drawn
        assert (drawing.points, drawing.origin.stated_mm) == (POINTS, 12.5)

    def test_by_reference_to_the_image_in_the_library(self) -> None:
        library = container(("111028", "DCM", "Image Library"), image("1.2.3.4", 7))
        graphic = scoord("POLYLINE", LINE, by_reference(1, 1, 1, relationship="SELECTED FROM"))
        measured = container(MEASUREMENTS, group(num(LENGTH, "12.5", MM, graphic)))
        (drawing,) = _read(report(library, measured)).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 7, POINTS)

    def test_by_reference_to_a_graphic_whose_image_is_one_by_reference(self) -> None:
        library = container(("111028", "DCM", "Image Library"), image("1.2.3.4", 7))
        graphic = scoord("POLYLINE", LINE, by_reference(1, 1, 1, relationship="SELECTED FROM"), concept=REGION)
        measured = container(MEASUREMENTS, group(graphic, num(LENGTH, "12.5", MM, by_reference(1, 2, 1, 1))))
        (drawing,) = _read(report(library, measured)).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 7, POINTS)

    def test_on_the_image_of_the_group(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        (drawing,) = _drawn(image("1.2.3.4", 3), num(LENGTH, "12.5", MM, graphic)).drawn
        assert (drawing.image_uid, drawing.frame) == ("1.2.3.4", 3)

    def test_below_the_image(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        shown = image("1.2.3.4", 3)
        shown.ContentSequence = [graphic]
        (drawing,) = _drawn(num(LENGTH, "12.5", MM, shown)).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 3, POINTS)

    def test_beside_the_image_of_the_number(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        (drawing,) = _read(report(num(LENGTH, "12.5", MM, image("1.2.3.4", 3), graphic))).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 3, POINTS)

    def test_below_a_number_outside_of_any_group(self) -> None:
        drawings = _read(report(container(("121070", "DCM", "Findings"), line(LENGTH, "1.25", LINE, unit=CM))))
        assert _points(drawings) == [(None, POINTS)]
        assert (drawings.drawn[0].origin.stated, drawings.drawn[0].origin.stated_mm) == ("1.25 cm", 12.5)

    def test_below_the_title_itself(self) -> None:
        assert _points(_read(report(line(("121206", "DCM", "Distance"), "12.5", LINE)))) == [(None, POINTS)]

    @pytest.mark.parametrize("sop_class", [ENHANCED, COMPREHENSIVE_3D, "1.2.840.10008.5.1.4.1.1.88.75"])
    def test_in_every_class_of_reports(self, sop_class: str) -> None:
        made = report(container(MEASUREMENTS, group(line(LENGTH, "12.5", LINE))), sop_class=sop_class)
        assert _points(_read(made)) == [(None, POINTS)]


class TestAxes:
    @pytest.mark.parametrize(
        ("long", "short"),
        [
            (LONG, SHORT),
            (("G-A185", "SRT", "Long Axis"), ("G-A186", "SRT", "Short Axis")),
            (("G-A185", "SNM3", "Long Axis"), ("G-A186", "99SDM", "Short Axis")),
            (("131187009", "SCT", "Major Axis"), ("131188004", "SCT", "Minor Axis")),
            (("L1", "99VENDOR", "Longest diameter"), ("L2", "99VENDOR", "Perpendicular diameter")),
        ],
    )
    def test_two_numbers_of_one_group(self, long: Coded, short: Coded) -> None:
        drawings = _drawn(line(long, "12.5", LINE), line(short, "7.5", ACROSS))
        assert _points(drawings) == [(Axis.LONG, POINTS), (Axis.SHORT, ACROSS_POINTS)]
        assert [each.origin.stated_mm for each in drawings.drawn] == [12.5, 7.5]
        assert len({each.group for each in drawings.drawn}) == 1

    @pytest.mark.parametrize("graphic", ["POLYLINE", "MULTIPOINT"])
    def test_four_points_of_one_graphic(self, graphic: str) -> None:
        both = scoord(graphic, LINE + ACROSS, concept=REGION)
        drawings = _drawn(both, num(LONG, "12.5"), num(SHORT, "7.5"))
        assert _points(drawings) == [(Axis.LONG, POINTS), (Axis.SHORT, ACROSS_POINTS)]
        assert [each.origin.stated_mm for each in drawings.drawn] == [12.5, 7.5]

    def test_two_points_of_a_multipoint(self) -> None:
        assert _points(_drawn(num(LENGTH, "12.5", MM, scoord("MULTIPOINT", LINE)))) == [(None, POINTS)]

    def test_two_points_one_by_one(self) -> None:
        ends = scoord("POINT", LINE[:2]), scoord("POINT", LINE[2:])
        assert _points(_drawn(num(LENGTH, "12.5", MM, *ends))) == [(None, POINTS)]

    def test_two_points_of_different_frames_are_no_line(self) -> None:
        ends = scoord("POINT", LINE[:2], image(frames=1)), scoord("POINT", LINE[2:], image(frames=2))
        drawings = _drawn(num(LENGTH, "12.5", MM, *ends))
        assert not drawings.drawn
        assert set(_codes(drawings)) == {"sr_no_line"}

    def test_a_length_along_a_curve_is_no_caliper(self) -> None:
        assert _codes(_drawn(num(LENGTH, "12.5", MM, scoord("POLYLINE", [*LINE, 9.5, 9.5])))) == ["sr_no_line"]

    def test_a_line_that_is_no_diameter_beside_one_that_is(self) -> None:
        to_skin = line(("x", "99VENDOR", "Distance from skin"), "30", ACROSS)
        drawings = _drawn(to_skin, line(LENGTH, "12.5", LINE))
        assert _points(drawings) == [(None, POINTS)]
        assert "Distance from skin" in drawings.listed[0].reason


class TestOutlines:
    def test_an_ellipse_gives_its_two_axes(self) -> None:
        ellipse = scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5])
        drawings = _drawn(num(AREA, "628", ("mm2", "UCUM", "mm2"), ellipse), num(AREA, "628"))
        assert _points(drawings) == [
            (Axis.LONG, ((30.0, 10.0), (30.0, 50.0))),
            (Axis.SHORT, ((20.0, 30.0), (40.0, 30.0))),
        ]
        assert all("ellipse" in each.warnings[0] for each in drawings.drawn)

    def test_an_ellipse_whose_major_axis_is_the_shorter_one_tells_no_axes(self) -> None:
        ellipse = scoord("ELLIPSE", [30.5, 20.5, 30.5, 40.5, 10.5, 30.5, 50.5, 30.5])
        assert [axis for axis, _ in _points(_drawn(num(AREA, "628", MM, ellipse)))] == [None, None]

    def test_a_circle_gives_its_diameter(self) -> None:
        (drawing,) = _drawn(
            scoord("CIRCLE", [30.5, 30.5, 40.5, 30.5]), num(("81827009", "SCT", "Diameter"), "20")
        ).drawn
        assert (drawing.axis, drawing.points) == (Axis.LONG, ((30.0, 20.0), (30.0, 40.0)))
        assert (drawing.origin.stated_mm, len(drawing.warnings)) == (20.0, 1)

    def test_a_radius_is_not_what_a_circle_is_held_against(self) -> None:
        (drawing,) = _drawn(scoord("CIRCLE", [30.5, 30.5, 40.5, 30.5]), num(("131190003", "SCT", "Radius"), "10")).drawn
        assert drawing.origin.stated_mm is None

    def test_a_closed_line_is_an_outline(self) -> None:
        outline = [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5]
        (drawing,) = _drawn(scoord("POLYLINE", outline, concept=REGION)).drawn
        assert drawing.axis is Axis.OUTLINE
        assert drawing.points == ((10.0, 10.0), (12.0, 30.0), (30.0, 25.0), (25.0, 8.0))

    def test_an_open_line_that_an_area_was_taken_from_is_an_outline(self) -> None:
        outline = [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5]
        (drawing,) = _drawn(num(AREA, "300", ("mm2", "UCUM", "mm2"), scoord("POLYLINE", outline))).drawn
        assert (drawing.axis, len(drawing.points)) == (Axis.OUTLINE, 4)

    def test_the_area_may_stand_apart_from_the_outline(self) -> None:
        """dcmjs 0.5 puts the points below the first number alone, here the perimeter."""
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5])
        perimeter = num(("131191004", "SCT", "Perimeter"), "70", MM, outline)
        assert [axis for axis, _ in _points(_drawn(perimeter, num(AREA, "300", NO_UNIT)))] == [Axis.OUTLINE]

    def test_an_open_line_of_three_points_is_an_angle(self) -> None:
        angle = num(("1483009", "SCT", "Angle"), "90", ("deg", "UCUM", "deg"), scoord("POLYLINE", [*LINE, 9.5, 9.5]))
        drawings = _drawn(angle)
        assert not drawings.drawn + drawings.refusals
        assert "Angle" in drawings.listed[0].reason

    @pytest.mark.parametrize("turned", [False, True])
    def test_a_rectangle_is_refused(self, turned: bool) -> None:
        corners = [[10, 10], [10, 30], [50, 30], [50, 10]]
        if turned:
            corners = [[0.6 * x - 0.8 * y + 99, 0.8 * x + 0.6 * y] for x, y in corners]
        data = [number for corner in [*corners, corners[0]] for number in corner]
        drawings = _drawn(num(AREA, "8", ("cm2", "UCUM", "cm2"), scoord("POLYLINE", data)))
        assert (_points(drawings), _codes(drawings)) == ([], ["sr_rectangle"])


class TestSeveralDrawingsOfOneLesion:
    def test_lines_go_before_an_ellipse_and_an_outline(self) -> None:
        ellipse = num(AREA, "628", MM, scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5]))
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5], concept=REGION)
        drawings = _drawn(outline, ellipse, line(LONG, "12.5", LINE), line(SHORT, "7.5", ACROSS))
        assert _points(drawings) == [(Axis.LONG, POINTS), (Axis.SHORT, ACROSS_POINTS)]
        assert all("another way" in each.warnings[0] for each in drawings.drawn)

    def test_each_image_has_its_own(self) -> None:
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5], image("1.2.9"))
        drawings = _drawn(num(AREA, "300", MM, outline), line(LONG, "12.5", LINE))
        assert [(each.image_uid, each.axis) for each in drawings.drawn] == [
            ("1.2.9", Axis.OUTLINE),
            (IMAGE_UID, Axis.LONG),
        ]

    def test_a_graphic_that_two_numbers_were_taken_from_is_one_drawing(self) -> None:
        assert len(_drawn(line(LENGTH, "12.5", LINE), line(("x", "99VENDOR", "Size"), "12.5", LINE)).drawn) == 1

    def test_a_number_without_points_beside_a_line_is_told(self) -> None:
        drawings = _drawn(line(LONG, "12.5", LINE), num(SHORT, "7.5"))
        assert (len(drawings.drawn), drawings.refusals) == (1, ())
        assert "Short axis, without points (1)" in drawings.listed[0].reason


class TestFrames:
    @pytest.mark.parametrize(("frames", "expected"), [(None, None), (1, 1), (7, 7), ([7], 7), ([7, 7], 7)])
    def test_the_frame_that_is_named(self, frames: int | list[int] | None, expected: int | None) -> None:
        (drawing,) = _drawn(line(LENGTH, "12.5", LINE, image(frames=frames))).drawn
        assert (drawing.image_uid, drawing.frame) == (IMAGE_UID, expected)

    @pytest.mark.parametrize(("frames", "expected"), [([1, 2], "sr_several_frames"), (0, "sr_frame"), (-3, "sr_frame")])
    def test_a_frame_that_is_none(self, frames: int | list[int], expected: str) -> None:
        drawings = _drawn(line(LENGTH, "12.5", LINE, image(frames=frames)))
        assert (_points(drawings), _codes(drawings)) == ([], [expected])
        assert drawings.refusals[0].sop_instance_uid == IMAGE_UID

    def test_no_image_and_several(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        assert _codes(_drawn(num(LENGTH, "12.5", MM, graphic))) == ["sr_no_image"]
        assert _codes(_drawn(line(LENGTH, "12.5", LINE, image("1.2.3"), image("1.2.4")))) == ["sr_several_images"]


class TestWhatIsNoPlaceOnAnImage:
    def test_points_in_space(self) -> None:
        in_space = num(LENGTH, "12.5", MM, scoord("POLYLINE", [1, 2, 3, 4, 5, 6], kind="SCOORD3D"))
        drawings = _read(measurements(group(in_space), group(line(LENGTH, "12.5", LINE))))
        assert (_points(drawings), _codes(drawings)) == ([(None, POINTS)], ["sr_3d_points"])

    def test_points_on_a_total_matrix(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        graphic.PixelOriginInterpretation = "VOLUME"
        assert _codes(_drawn(num(LENGTH, "12.5", MM, graphic))) == ["sr_total_matrix"]
        graphic.PixelOriginInterpretation = "FRAME"
        assert _points(_drawn(num(LENGTH, "12.5", MM, graphic))) == [(None, POINTS)]

    @pytest.mark.parametrize("data", [[1.5, 2.5, 3.5], [1.5, 2.5, float("nan"), 3.5], [], [5.5, 5.5, 5.5, 5.5]])
    def test_points_that_are_damaged(self, data: list[float]) -> None:
        assert _codes(_drawn(num(LENGTH, "12.5", MM, scoord("POLYLINE", data)))) == ["sr_points"]

    def test_a_number_without_points(self) -> None:
        drawings = _drawn(*tracked("L1"), num(LENGTH, "23.1"))
        assert _codes(drawings) == ["sr_no_points"]
        assert "states 23.1 mm without points: nothing to measure on an image" in drawings.refusals[0].reason
        assert drawings.refusals[0].lesion == "L1"

    def test_a_segmentation(self) -> None:
        """TID 1411, as dcmqi and 3D Slicer write it: the outline stands in a SEG, which is read by itself."""
        segment = item("IMAGE", ("121191", "DCM", "Referenced Segment"))
        segment.ReferencedSOPSequence = image("1.2.3.5", sop_class=SEGMENTATION).ReferencedSOPSequence
        volume = num(("118565006", "SCT", "Volume"), "200", ("mm3", "UCUM", "cubic millimeter"))
        drawings = _drawn(*tracked("Measurements group 1"), coded(FINDING, LESION), segment, volume)
        assert not drawings.drawn + drawings.refusals
        assert [(each.code, each.sop_instance_uid) for each in drawings.listed] == [("sr_segmentation", "1.2.3.5")]


class TestUnits:
    @pytest.mark.parametrize(
        ("value", "unit", "stated", "mm"),
        [
            ("33.3", MM, "33.3 mm", 33.3),
            ("3.33", CM, "3.33 cm", 33.3),
            ("0.0333", ("m", "UCUM", "meter"), "0.0333 m", 33.3),
            ("33300", ("um", "UCUM", "micrometer"), "33300 um", 33.3),
            ("1.311", ("[in_i]", "UCUM", "inch"), "1.311 [in_i]", 33.2994),
            ("131", ("1", "UCUM", "px"), "131 px", None),
            ("131", ("{pixels}", "UCUM", "pixels"), "131 {pixels}", None),
            ("3.33", ("[arb'U]{cm}", "UCUM", "arbitrary cm"), "3.33 arbitrary cm", 33.3),
            ("33.3", ("MM", "99VENDOR", "Millimeter"), "33.3 MM", 33.3),
            ("33.3", ("C-1", "99VENDOR", "millimetres"), "33.3 C-1", 33.3),
            ("-33.3", MM, "-33.3 mm", None),
            ("0", MM, "0 mm", None),
        ],
    )
    def test_what_is_stated(self, value: str, unit: Coded, stated: str, mm: float | None) -> None:
        (drawing,) = _drawn(line(LENGTH, value, LINE, unit=unit)).drawn
        assert drawing.origin.stated == stated
        assert drawing.origin.stated_mm == (None if mm is None else pytest.approx(mm))

    def test_a_number_with_a_comma_is_shown_and_no_number(self) -> None:
        made = reread(measurements(group(line(LENGTH, "77.7", LINE))), b"77.7", b"77,7")
        (drawing,) = _read(made).drawn
        assert (drawing.origin.stated, drawing.origin.stated_mm) == ("77,7 mm", None)

    def test_no_number(self) -> None:
        (drawing,) = _drawn(num(LENGTH, None, MM, scoord("POLYLINE", LINE))).drawn
        assert (drawing.origin.stated, drawing.origin.stated_mm) == ("", None)

    def test_the_unit_tells_an_area_from_a_length(self) -> None:
        """Cornerstone 4 writes areas under the code of length."""
        ellipse = scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5])
        area = num(("G-D7FE", "SRT", "AREA"), "628", ("mm2", "UCUM", "squaremillimeter"), ellipse)
        assert [each.origin.stated for each in _drawn(area).drawn] == ["", ""]
        assert not _drawn(num(("G-D7FE", "SRT", "AREA"), "628", ("mm2", "UCUM", "squaremillimeter"))).refusals


class TestOfWhat:
    @pytest.mark.parametrize(
        "said",
        [
            [coded(FINDING, LESION), coded(SITE, LIVER)],
            [coded(FINDING, LESION)],
            [coded(SITE, LIVER)],
            [coded(SITE, ("T-62000", "SRT", "Liver"))],
            [coded(SITE, ("277958008", "SCT", "Segment IV of liver"))],
            [coded(SITE, ("113345001", "SCT", "Abdomen"))],
            [coded(FINDING, ("400210000", "SCT", "Hemangioma"))],
            [coded(FINDING, ("x", "99LOCAL", "Liver lesion beside the gallbladder"))],
            [coded(FINDING, ("M-01100", "SRT", "Herd")), coded(SITE, ("10200004", "SCT", "Leber"))],
            [],
        ],
    )
    def test_a_lesion(self, said: list[Dataset]) -> None:
        assert _points(_drawn(*said, line(LENGTH, "12.5", LINE))) == [(None, POINTS)]

    @pytest.mark.parametrize(
        "said",
        [
            [coded(FINDING, LESION), coded(SITE, ("64033007", "SCT", "Kidney"))],
            [coded(FINDING, LESION), coded(SITE, ("9846003", "SCT", "Niere rechts"))],
            [coded(FINDING, ("4147007", "SCT", "Mass")), coded(SITE, ("T-C3000", "SRT", "Milz"))],
            [coded(FINDING, LIVER)],
            [coded(FINDING, ("15825003", "SCT", "Aorta"))],
            [coded(SITE, ("8993003", "SCT", "Hepatic vein"))],
            [coded(FINDING, ("x", "99LOCAL", "Portal vein thrombosis")), coded(SITE, LIVER)],
            [*tracked("Right Kidney")],
            [*tracked("Spleen"), coded(FINDING, LESION), coded(SITE, LIVER)],
            [coded(FINDING, ("CORNERSTONEFREETEXT", "CORNERSTONEJS", "gallbladder"))],
        ],
    )
    def test_another_structure(self, said: list[Dataset]) -> None:
        drawings = _drawn(*said, line(LENGTH, "12.5", LINE))
        assert not drawings.drawn + drawings.refusals
        assert [each.code for each in drawings.listed] == ["sr_other_measurements"]
        assert re.search("of (another structure|the liver itself)", drawings.listed[0].reason)

    @pytest.mark.parametrize(
        "meaning", ["Liver Length", "Spleen length", "Kidney Length Right", "Portal Vein Diameter"]
    )
    def test_a_number_that_names_another_structure(self, meaning: str) -> None:
        made = container(("99-1", "99VENDOR", "Abdomen"), line(("v1", "99VENDOR", meaning), "12.5", LINE))
        drawings = _read(report(made, title=("99-0", "99VENDOR", "Abdomen report")))
        assert not drawings.drawn + drawings.refusals
        assert meaning in drawings.listed[0].reason

    def test_codes_of_other_anatomy_are_what_the_standard_calls_them(self) -> None:
        """By pydicom's dictionary of PS3.16: its meaning of each code that it knows names another structure, too."""
        from pydicom.sr.codedict import codes

        from lesion_measure.dicom.objects.reports import structures

        known = {
            each.value: each.meaning for name in dir(codes.SCT) if hasattr(each := getattr(codes.SCT, name), "value")
        }
        meanings = [known[code] for code in structures._OTHER_CODES if code in known]
        assert len(meanings) > 20
        for meaning in meanings:
            assert structures.of_what([], [Code("", "", meaning)]) is structures.Structure.OTHER, meaning

    def test_the_liver_itself_under_its_name_of_caliper_files(self) -> None:
        """Our own reports have the organ as finding, and ``liver`` as identifier."""
        organ = group(*tracked("liver"), coded(FINDING, LIVER), coded(SITE, LIVER), line(LENGTH, "120", LINE))
        assert [each.lesion for each in _read(measurements(organ)).drawn] == ["liver"]

    def test_what_is_derived_is_no_lesion(self) -> None:
        total = group(num(("x", "99VENDOR", "Longest diameter"), "40"))
        made = report(
            container(MEASUREMENTS, group(line(LENGTH, "12.5", LINE))),
            container(("126011", "DCM", "Derived Imaging Measurements"), total),
        )
        drawings = _read(made)
        assert (len(drawings.drawn), drawings.refusals) == (1, ())
        assert "Longest diameter" in drawings.listed[0].reason

    def test_a_lesion_that_is_gone(self) -> None:
        presence = ("121052", "DCM", "Presence of property")
        made = container(
            ("C0034375", "UMLS", "Qualitative Evaluations"),
            group(*tracked("L2"), coded(FINDING, LESION), coded(presence, ("121054", "DCM", "Absent"))),
        )
        (refusal,) = _read(report(made)).refusals
        assert (refusal.code, refusal.lesion) == ("sr_absent", "L2")

    @pytest.mark.parametrize("kind", ["CODE", "TEXT"])
    def test_a_region_of_no_measurement_outside_of_a_group(self, kind: str) -> None:
        """Chest CAD and plain reports mark what they speak of; that is no measurement of a lesion."""
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5])
        drawings = _read(report(item(kind, ("111059", "DCM", "Single Image Finding"), outline)))
        assert not drawings.drawn + drawings.refusals
        assert drawings.listed


class TestScanners:
    """TID 5000, 5100 and 5200 and what vendors make of them."""

    @pytest.mark.parametrize(
        "title",
        [
            ("125000", "DCM", "OB-GYN Ultrasound Procedure Report"),
            ("125100", "DCM", "Vascular Ultrasound Procedure Report"),
            ("125200", "DCM", "Adult Echocardiography Procedure Report"),
            ("99-0", "99VENDOR", "Abdomen report"),
        ],
    )
    def test_only_lesions_are_drawings(self, title: Coded) -> None:
        made = report(
            container(
                ("121070", "DCM", "Findings"),
                line(("11820-8", "LN", "Biparietal Diameter"), "92", LINE),
                num(("18012-5", "LN", "Left Ventricle Internal End Diastolic Dimension"), "45"),
                container(
                    ("99-7", "99VENDOR", "Liver Mass 1"),
                    line(("99-8", "99VENDOR", "Length"), "1.25", LINE, unit=CM),
                    line(("99-9", "99VENDOR", "Width"), "0.75", ACROSS, unit=CM),
                ),
                container(("99-7", "99VENDOR", "Liver Mass 2"), num(("99-8", "99VENDOR", "Length"), "2.31", CM)),
            ),
            title=title,
        )
        drawings = _read(made)
        assert _points(drawings) == [(None, POINTS), (None, ACROSS_POINTS)]
        assert {(each.lesion, each.group) for each in drawings.drawn} == {("Liver Mass 1", "1.1.3")}
        assert [(each.code, each.lesion) for each in drawings.refusals] == [("sr_no_points", "Liver Mass 2")]
        assert "states 2.31 cm without points" in drawings.refusals[0].reason
        (listed,) = drawings.listed
        assert "Biparietal Diameter" in listed.reason
        assert "Left Ventricle" in listed.reason

    @pytest.mark.parametrize(
        ("title", "said"),
        [
            (("99-0", "99VENDOR", "Abdomen report"), [coded(SITE, LIVER)]),
            (("25061-3", "LN", "Ultrasound Report"), [coded(SITE, LIVER)]),
            (("24859-1", "LN", "US Pancreas Report"), [coded(FINDING, LESION)]),
            (("24910-2", "LN", "US Thyroid Report"), [coded(FINDING, ("27925004", "SCT", "Nodule"))]),
        ],
    )
    def test_what_the_title_and_the_site_of_a_scanner_mean(self, title: Coded, said: list[Dataset]) -> None:
        """A plain length at the site liver is the organ's; a lesion of another organ's report is that organ's."""
        made = report(container(("121070", "DCM", "Findings"), *said, group(line(LENGTH, "12.5", LINE))), title=title)
        drawings = _read(made)
        assert not drawings.drawn + drawings.refusals
        assert re.search("of (another structure|the liver itself)", drawings.listed[0].reason)

    def test_a_lesion_at_the_site_liver(self) -> None:
        said = coded(SITE, LIVER), coded(FINDING, LESION)
        made = container(("121070", "DCM", "Findings"), group(*said, line(LENGTH, "12.5", LINE)))
        assert _points(_read(report(made, title=("24553-0", "LN", "US Liver Report")))) == [(None, POINTS)]

    def test_numbers_that_name_their_lesion(self) -> None:
        made = report(
            line(("99-1", "99VENDOR", "Liver Lesion 2 Length"), "12.5", LINE),
            line(("99-2", "99VENDOR", "Liver Lesion 2 Width"), "7.5", ACROSS),
            title=("99-0", "99VENDOR", "Abdomen report"),
        )
        assert [each.lesion for each in _read(made).drawn] == ["Liver Lesion 2", "Liver Lesion 2"]

    def test_a_plain_length_of_an_obstetric_report_is_no_lesions(self) -> None:
        title = ("125000", "DCM", "OB-GYN Ultrasound Procedure Report")
        assert not _read(report(line(LENGTH, "12.5", LINE), title=title)).drawn

    def test_many_measurements_are_told_in_one_line(self) -> None:
        many = [num((f"{at}", "LN", f"Fetal measure {at}"), "5") for at in range(60)]
        drawings = _read(report(*many, title=("125000", "DCM", "OB-GYN Ultrasound Procedure Report")))
        assert not drawings.drawn + drawings.refusals
        (listed,) = drawings.listed
        assert "and 54 more" in listed.reason


class TestNames:
    @pytest.mark.parametrize(
        ("said", "lesion"),
        [
            ([*tracked("L1")], "L1"),
            ([*tracked("Lesion 1b2")], "Lesion 1b2"),
            ([*tracked("Cornerstone3DTools@^0.1.0:Length")], ""),
            ([*tracked("cornerstoneTools@^4.0.0:Bidirectional")], ""),
            ([*tracked("web annotation")], ""),
            ([*tracked("Planar ROI Measurements")], ""),
            ([*tracked("Measurements group 1")], ""),
            ([*tracked("1.2.826.0.1.3680043.8.498.2194")], ""),
            ([*tracked("0a1b2c3d-0000-4000-8000-0123456789ab")], ""),
            ([*tracked("3en16m7hl4y")], ""),
            ([*tracked("lesionabcde"), text(("718499004", "SCT", "Color"), "#ffff80")], ""),
            ([*tracked("3en16m7hl4y"), text(("125309", "DCM", "Short label"), "L2")], "L2"),
            ([*tracked("3en16m7hl4y"), text(("125309", "DCM", "Short label"), "{length}")], ""),
            ([*tracked("3en16m7hl4y"), text(("125309", "DCM", "Short label"), "L3 {length}")], "L3"),
            ([*tracked("Cornerstone3DTools@^0.1.0:Length"), text(("121106", "DCM", "Comment"), "L4")], "L4"),
            ([*tracked("L1"), text(("121106", "DCM", "Comment"), "seen twice")], "L1"),
            ([*tracked("L1 sagittal"), text(("121151", "DCM", "Lesion Identifier"), "L1")], "L1"),
            ([*tracked("seg4lesion")], "seg4lesion"),
            ([*tracked("1.2.826.0.1.77"), text(("x", "99VENDOR", "Lesion Name"), "L7")], "L7"),
            ([text(("121106", "DCM", "Comment"), "seen twice")], ""),
            ([coded(FINDING, ("CORNERSTONEFREETEXT", "CST4", "L5"))], "L5"),
            ([coded(SITE, ("CORNERSTONEFREETEXT", "CORNERSTONEJS", "L6"))], "L6"),
            ([coded(FINDING, LESION)], ""),
        ],
    )
    def test_the_lesion(self, said: list[Dataset], lesion: str) -> None:
        (drawing,) = _drawn(*said, line(LENGTH, "12.5", LINE)).drawn
        assert drawing.lesion == lesion

    def test_where_it_comes_from(self) -> None:
        (drawing,) = _drawn(*tracked("L1"), line(LENGTH, "12.5", LINE)).drawn
        origin = drawing.origin
        assert (origin.path, origin.sop_instance_uid, origin.item) == ("sr.dcm", REPORT_UID, "group 1")
        assert (origin.tracking_uid, origin.tracking_identifier) == (TRACKING_UID, "L1")

    def test_tracking_of_the_number_alone(self) -> None:
        tracked_number = num(LENGTH, "12.5", MM, *tracked("L9"), scoord("POLYLINE", LINE))
        (drawing,) = _drawn(tracked_number).drawn
        assert (drawing.lesion, drawing.origin.tracking_uid) == ("L9", TRACKING_UID)

    def test_numbers_that_are_tracked_one_by_one_are_lesions_of_their_own(self) -> None:
        numbers = [
            num(LENGTH, "12.5", MM, *tracked(name, uid), scoord("POLYLINE", data))
            for name, uid, data in (("L1", "2.25.1", LINE), ("L2", "2.25.2", ACROSS))
        ]
        drawings = _drawn(*numbers)
        assert [(each.lesion, each.origin.tracking_uid) for each in drawings.drawn] == [
            ("L1", "2.25.1"),
            ("L2", "2.25.2"),
        ]
        assert len({each.group for each in drawings.drawn}) == 2

    @pytest.mark.parametrize(
        ("said", "reader"),
        [
            ([person("Doe^Jane")], "Doe Jane"),
            ([person("unknown^unknown")], "SR"),
            ([person("Phantom^Child")], "SR"),
            ([text(("121013", "DCM", "Device Observer Name"), "EPIQ 7")], "EPIQ 7"),
            ([text(("121013", "DCM", "Device Observer Name"), "EPIQ 7"), person("R2")], "R2"),
            ([], "SR"),
        ],
    )
    def test_the_reader(self, said: list[Dataset], reader: str) -> None:
        (drawing,) = _read(report(*said, container(MEASUREMENTS, group(line(LENGTH, "12.5", LINE))))).drawn
        assert drawing.reader == reader

    def test_what_a_program_drew_says_so(self) -> None:
        algorithm = text(("111001", "DCM", "Algorithm Name"), "Segmenter 2")
        (drawing,) = _drawn(algorithm, line(LENGTH, "12.5", LINE)).drawn
        assert (drawing.reader, len(drawing.warnings)) == ("Segmenter 2", 1)
        (drawing,) = _drawn(algorithm, person("R1"), line(LENGTH, "12.5", LINE)).drawn
        assert (drawing.reader, drawing.warnings) == ("R1", ())

    def test_half_axes_of_dwv_are_not_held_against_its_ellipse(self) -> None:
        """dwv 0.36 states the ellipse's half width as its long axis, whichever way it lies."""
        ellipse = scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5], concept=REGION)
        colour = text(("718499004", "SCT", "Color"), "#ffff80")
        drawings = _drawn(ellipse, colour, num(LONG, "20"), num(SHORT, "10"))
        assert [(each.origin.stated, each.origin.stated_mm) for each in drawings.drawn] == [
            ("20 mm", None),
            ("10 mm", None),
        ]
        assert all("dwv" in each.warnings[0] for each in drawings.drawn)

    def test_a_group_may_have_a_reader_of_its_own(self) -> None:
        measured = container(
            MEASUREMENTS, group(person("R2"), line(LENGTH, "12.5", LINE)), group(line(LENGTH, "7", ACROSS))
        )
        assert [each.reader for each in _read(report(person("R1"), measured)).drawn] == ["R2", "R1"]


def test_every_code_stands_on_the_page(project_dir: Path) -> None:
    page = (project_dir / "docs" / "structured_reports.md").read_text(encoding="utf-8")
    room = Path(lesion_measure.__file__).parent / "dicom" / "objects" / "reports"
    written = {
        code for module in room.glob("*.py") for code in re.findall(r'code="(sr_\w+)"', module.read_text("utf-8"))
    }
    assert set(re.findall(r"^\| `(sr_\w+)` \|", page, re.MULTILINE)) == written | {fault.value for fault in Fault}
