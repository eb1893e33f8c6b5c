"""Calipers out of structured reports: where points stand in them, what is drawn and stated, and on which frame."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from lesion_measure.records import Axis
from report_writing import (
    ACROSS,
    ACROSS_POINTS,
    AREA,
    CM,
    COMPREHENSIVE_3D,
    ENHANCED,
    FINDING,
    IMAGE_UID,
    LENGTH,
    LESION,
    LINE,
    LONG,
    MEASUREMENTS,
    MM,
    NO_UNIT,
    POINTS,
    REGION,
    SEGMENTATION,
    SHORT,
    Coded,
    by_reference,
    coded,
    codes_of,
    container,
    group,
    image,
    item,
    line,
    measurements,
    num,
    points_of,
    read_group,
    read_report,
    report,
    reread,
    scoord,
    tracked,
)


class TestWhereThePointsStand:
    """TID 300, TID 320 and TID 1501 let a number's points stand in several places."""

    def test_below_the_number(self) -> None:
        drawings = read_group(line(LENGTH, "12.5", LINE))
        assert points_of(drawings) == [(None, POINTS)]
        assert not drawings.refusals + drawings.listed

    def test_beside_the_number(self) -> None:
        (drawing,) = read_group(scoord("POLYLINE", LINE, concept=REGION), num(LENGTH, "12.5")).drawn
        assert (drawing.points, drawing.origin.stated_mm) == (POINTS, 12.5)

    def test_by_reference_to_the_graphic(self) -> None:
        graphic = scoord("POLYLINE", LINE, concept=REGION)
        (drawing,) = read_group(graphic, num(LENGTH, "12.5", MM, by_reference(1, 1, 1, 1))).drawn
        assert (drawing.points, drawing.origin.stated_mm) == (POINTS, 12.5)

    def test_by_reference_to_the_image_in_the_library(self) -> None:
        library = container(("111028", "DCM", "Image Library"), image("1.2.3.4", 7))
        graphic = scoord("POLYLINE", LINE, by_reference(1, 1, 1, relationship="SELECTED FROM"))
        measured = container(MEASUREMENTS, group(num(LENGTH, "12.5", MM, graphic)))
        (drawing,) = read_report(report(library, measured)).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 7, POINTS)

    def test_by_reference_to_a_graphic_whose_image_is_one_by_reference(self) -> None:
        library = container(("111028", "DCM", "Image Library"), image("1.2.3.4", 7))
        graphic = scoord("POLYLINE", LINE, by_reference(1, 1, 1, relationship="SELECTED FROM"), concept=REGION)
        measured = container(MEASUREMENTS, group(graphic, num(LENGTH, "12.5", MM, by_reference(1, 2, 1, 1))))
        (drawing,) = read_report(report(library, measured)).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 7, POINTS)

    def test_on_the_image_of_the_group(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        (drawing,) = read_group(image("1.2.3.4", 3), num(LENGTH, "12.5", MM, graphic)).drawn
        assert (drawing.image_uid, drawing.frame) == ("1.2.3.4", 3)

    def test_below_the_image(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        shown = image("1.2.3.4", 3)
        shown.ContentSequence = [graphic]
        (drawing,) = read_group(num(LENGTH, "12.5", MM, shown)).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 3, POINTS)

    def test_beside_the_image_of_the_number(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        (drawing,) = read_report(report(num(LENGTH, "12.5", MM, image("1.2.3.4", 3), graphic))).drawn
        assert (drawing.image_uid, drawing.frame, drawing.points) == ("1.2.3.4", 3, POINTS)

    def test_below_a_number_outside_of_any_group(self) -> None:
        drawings = read_report(report(container(("121070", "DCM", "Findings"), line(LENGTH, "1.25", LINE, unit=CM))))
        assert points_of(drawings) == [(None, POINTS)]
        assert (drawings.drawn[0].origin.stated, drawings.drawn[0].origin.stated_mm) == ("1.25 cm", 12.5)

    def test_below_the_title_itself(self) -> None:
        assert points_of(read_report(report(line(("121206", "DCM", "Distance"), "12.5", LINE)))) == [(None, POINTS)]

    @pytest.mark.parametrize("sop_class", [ENHANCED, COMPREHENSIVE_3D, "1.2.840.10008.5.1.4.1.1.88.75"])
    def test_in_every_class_of_reports(self, sop_class: str) -> None:
        made = report(container(MEASUREMENTS, group(line(LENGTH, "12.5", LINE))), sop_class=sop_class)
        assert points_of(read_report(made)) == [(None, POINTS)]


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
        drawings = read_group(line(long, "12.5", LINE), line(short, "7.5", ACROSS))
        assert points_of(drawings) == [(Axis.LONG, POINTS), (Axis.SHORT, ACROSS_POINTS)]
        assert [each.origin.stated_mm for each in drawings.drawn] == [12.5, 7.5]
        assert len({each.group for each in drawings.drawn}) == 1

    @pytest.mark.parametrize("graphic", ["POLYLINE", "MULTIPOINT"])
    def test_four_points_of_one_graphic(self, graphic: str) -> None:
        both = scoord(graphic, LINE + ACROSS, concept=REGION)
        drawings = read_group(both, num(LONG, "12.5"), num(SHORT, "7.5"))
        assert points_of(drawings) == [(Axis.LONG, POINTS), (Axis.SHORT, ACROSS_POINTS)]
        assert [each.origin.stated_mm for each in drawings.drawn] == [12.5, 7.5]

    def test_two_points_of_a_multipoint(self) -> None:
        assert points_of(read_group(num(LENGTH, "12.5", MM, scoord("MULTIPOINT", LINE)))) == [(None, POINTS)]

    def test_two_points_one_by_one(self) -> None:
        ends = scoord("POINT", LINE[:2]), scoord("POINT", LINE[2:])
        assert points_of(read_group(num(LENGTH, "12.5", MM, *ends))) == [(None, POINTS)]

    def test_two_points_of_different_frames_are_no_line(self) -> None:
        ends = scoord("POINT", LINE[:2], image(frames=1)), scoord("POINT", LINE[2:], image(frames=2))
        drawings = read_group(num(LENGTH, "12.5", MM, *ends))
        assert not drawings.drawn
        assert set(codes_of(drawings)) == {"sr_no_line"}

    def test_a_length_along_a_curve_is_no_caliper(self) -> None:
        assert codes_of(read_group(num(LENGTH, "12.5", MM, scoord("POLYLINE", [*LINE, 9.5, 9.5])))) == ["sr_no_line"]

    def test_a_line_that_is_no_diameter_beside_one_that_is(self) -> None:
        to_skin = line(("x", "99VENDOR", "Distance from skin"), "30", ACROSS)
        drawings = read_group(to_skin, line(LENGTH, "12.5", LINE))
        assert points_of(drawings) == [(None, POINTS)]
        assert "Distance from skin" in drawings.listed[0].reason

    @pytest.mark.parametrize(
        "said",
        [
            [*tracked("Cornerstone3DTools@^0.1.0:UltrasoundDirectionalTool"), line(LENGTH, "12.5", LINE)],
            [line(("102304005", "SCT", "Calibration Ruler"), "12.5", LINE)],
        ],
    )
    def test_tools_that_measure_no_length_of_what_they_cross(self, said: list[Dataset]) -> None:
        drawings = read_group(*said)
        assert not drawings.drawn + drawings.refusals
        assert drawings.listed


class TestOutlines:
    def test_an_ellipse_gives_its_two_axes(self) -> None:
        ellipse = scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5])
        drawings = read_group(num(AREA, "628", ("mm2", "UCUM", "mm2"), ellipse), num(AREA, "628"))
        assert points_of(drawings) == [
            (Axis.LONG, ((30.0, 10.0), (30.0, 50.0))),
            (Axis.SHORT, ((20.0, 30.0), (40.0, 30.0))),
        ]
        assert all("ellipse" in each.warnings[0] for each in drawings.drawn)

    def test_an_ellipse_whose_major_axis_is_the_shorter_one_tells_no_axes(self) -> None:
        ellipse = scoord("ELLIPSE", [30.5, 20.5, 30.5, 40.5, 10.5, 30.5, 50.5, 30.5])
        assert [axis for axis, _ in points_of(read_group(num(AREA, "628", MM, ellipse)))] == [None, None]

    def test_a_circle_gives_its_diameter(self) -> None:
        (drawing,) = read_group(
            scoord("CIRCLE", [30.5, 30.5, 40.5, 30.5]), num(("81827009", "SCT", "Diameter"), "20")
        ).drawn
        assert (drawing.axis, drawing.points) == (Axis.LONG, ((30.0, 20.0), (30.0, 40.0)))
        assert (drawing.origin.stated_mm, len(drawing.warnings)) == (20.0, 1)

    def test_a_radius_is_not_what_a_circle_is_held_against(self) -> None:
        (drawing,) = read_group(
            scoord("CIRCLE", [30.5, 30.5, 40.5, 30.5]), num(("131190003", "SCT", "Radius"), "10")
        ).drawn
        assert drawing.origin.stated_mm is None

    def test_a_closed_line_is_an_outline(self) -> None:
        outline = [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5]
        (drawing,) = read_group(scoord("POLYLINE", outline, concept=REGION)).drawn
        assert drawing.axis is Axis.OUTLINE
        assert drawing.points == ((10.0, 10.0), (12.0, 30.0), (30.0, 25.0), (25.0, 8.0))

    def test_an_open_line_that_an_area_was_taken_from_is_an_outline(self) -> None:
        outline = [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5]
        (drawing,) = read_group(num(AREA, "300", ("mm2", "UCUM", "mm2"), scoord("POLYLINE", outline))).drawn
        assert (drawing.axis, len(drawing.points)) == (Axis.OUTLINE, 4)

    def test_the_area_may_stand_apart_from_the_outline(self) -> None:
        """dcmjs 0.5 puts the points below the first number alone, here the perimeter."""
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5])
        perimeter = num(("131191004", "SCT", "Perimeter"), "70", MM, outline)
        assert [axis for axis, _ in points_of(read_group(perimeter, num(AREA, "300", NO_UNIT)))] == [Axis.OUTLINE]

    def test_an_open_line_of_three_points_is_an_angle(self) -> None:
        angle = num(("1483009", "SCT", "Angle"), "90", ("deg", "UCUM", "deg"), scoord("POLYLINE", [*LINE, 9.5, 9.5]))
        drawings = read_group(angle)
        assert not drawings.drawn + drawings.refusals
        assert "Angle" in drawings.listed[0].reason

    @pytest.mark.parametrize("turned", [False, True])
    def test_a_rectangle_is_refused(self, turned: bool) -> None:
        corners = [[10, 10], [10, 30], [50, 30], [50, 10]]
        if turned:
            corners = [[0.6 * x - 0.8 * y + 99, 0.8 * x + 0.6 * y] for x, y in corners]
        data = [number for corner in [*corners, corners[0]] for number in corner]
        drawings = read_group(num(AREA, "8", ("cm2", "UCUM", "cm2"), scoord("POLYLINE", data)))
        assert (points_of(drawings), codes_of(drawings)) == ([], ["sr_rectangle"])


class TestSeveralDrawingsOfOneLesion:
    def test_lines_go_before_an_ellipse_and_an_outline(self) -> None:
        ellipse = num(AREA, "628", MM, scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5]))
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5], concept=REGION)
        drawings = read_group(outline, ellipse, line(LONG, "12.5", LINE), line(SHORT, "7.5", ACROSS))
        assert points_of(drawings) == [(Axis.LONG, POINTS), (Axis.SHORT, ACROSS_POINTS)]
        assert all("another way" in each.warnings[0] for each in drawings.drawn)

    def test_each_image_has_its_own(self) -> None:
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5], image("1.2.9"))
        drawings = read_group(num(AREA, "300", MM, outline), line(LONG, "12.5", LINE))
        assert [(each.image_uid, each.axis) for each in drawings.drawn] == [
            ("1.2.9", Axis.OUTLINE),
            (IMAGE_UID, Axis.LONG),
        ]

    def test_a_graphic_that_two_numbers_were_taken_from_is_one_drawing(self) -> None:
        assert len(read_group(line(LENGTH, "12.5", LINE), line(("x", "99VENDOR", "Size"), "12.5", LINE)).drawn) == 1

    def test_a_number_without_points_beside_a_line_is_told(self) -> None:
        drawings = read_group(line(LONG, "12.5", LINE), num(SHORT, "7.5"))
        assert (len(drawings.drawn), drawings.refusals) == (1, ())
        assert "Short axis, without points (1)" in drawings.listed[0].reason


class TestFrames:
    @pytest.mark.parametrize(("frames", "expected"), [(None, None), (1, 1), (7, 7), ([7], 7), ([7, 7], 7)])
    def test_the_frame_that_is_named(self, frames: int | list[int] | None, expected: int | None) -> None:
        (drawing,) = read_group(line(LENGTH, "12.5", LINE, image(frames=frames))).drawn
        assert (drawing.image_uid, drawing.frame) == (IMAGE_UID, expected)

    @pytest.mark.parametrize(("frames", "expected"), [([1, 2], "sr_several_frames"), (0, "sr_frame"), (-3, "sr_frame")])
    def test_a_frame_that_is_none(self, frames: int | list[int], expected: str) -> None:
        drawings = read_group(line(LENGTH, "12.5", LINE, image(frames=frames)))
        assert (points_of(drawings), codes_of(drawings)) == ([], [expected])
        assert drawings.refusals[0].sop_instance_uid == IMAGE_UID

    def test_no_image_and_several(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        del graphic.ContentSequence
        assert codes_of(read_group(num(LENGTH, "12.5", MM, graphic))) == ["sr_no_image"]
        assert codes_of(read_group(line(LENGTH, "12.5", LINE, image("1.2.3"), image("1.2.4")))) == ["sr_several_images"]


class TestWhatIsNoPlaceOnAnImage:
    def test_points_in_space(self) -> None:
        in_space = num(LENGTH, "12.5", MM, scoord("POLYLINE", [1, 2, 3, 4, 5, 6], kind="SCOORD3D"))
        drawings = read_report(measurements(group(in_space), group(line(LENGTH, "12.5", LINE))))
        assert (points_of(drawings), codes_of(drawings)) == ([(None, POINTS)], ["sr_3d_points"])

    def test_points_on_a_total_matrix(self) -> None:
        graphic = scoord("POLYLINE", LINE)
        graphic.PixelOriginInterpretation = "VOLUME"
        assert codes_of(read_group(num(LENGTH, "12.5", MM, graphic))) == ["sr_total_matrix"]
        graphic.PixelOriginInterpretation = "FRAME"
        assert points_of(read_group(num(LENGTH, "12.5", MM, graphic))) == [(None, POINTS)]

    @pytest.mark.parametrize("data", [[1.5, 2.5, 3.5], [1.5, 2.5, float("nan"), 3.5], [], [5.5, 5.5, 5.5, 5.5]])
    def test_points_that_are_damaged(self, data: list[float]) -> None:
        assert codes_of(read_group(num(LENGTH, "12.5", MM, scoord("POLYLINE", data)))) == ["sr_points"]

    def test_a_number_withoutpoints_of(self) -> None:
        drawings = read_group(*tracked("L1"), num(LENGTH, "23.1"))
        assert codes_of(drawings) == ["sr_no_points"]
        assert "states 23.1 mm without points: nothing to measure on an image" in drawings.refusals[0].reason
        assert drawings.refusals[0].lesion == "L1"

    def test_a_segmentation(self) -> None:
        """TID 1411, as dcmqi and 3D Slicer write it: the outline stands in a SEG, which is read by itself."""
        segment = item("IMAGE", ("121191", "DCM", "Referenced Segment"))
        segment.ReferencedSOPSequence = image("1.2.3.5", sop_class=SEGMENTATION).ReferencedSOPSequence
        volume = num(("118565006", "SCT", "Volume"), "200", ("mm3", "UCUM", "cubic millimeter"))
        drawings = read_group(*tracked("Measurements group 1"), coded(FINDING, LESION), segment, volume)
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
            ("131", NO_UNIT, "131 no units", None),
            ("33.3", ("x", "99VENDOR", "furlong"), "33.3 x", None),
            ("-33.3", MM, "-33.3 mm", None),
            ("0", MM, "0 mm", None),
        ],
    )
    def test_what_is_stated(self, value: str, unit: Coded, stated: str, mm: float | None) -> None:
        (drawing,) = read_group(line(LENGTH, value, LINE, unit=unit)).drawn
        assert drawing.origin.stated == stated
        assert drawing.origin.stated_mm == (None if mm is None else pytest.approx(mm))

    def test_a_unit_that_is_not_known_is_told(self) -> None:
        (drawing,) = read_group(line(LENGTH, "33.3", LINE, unit=("x", "99VENDOR", "furlong"))).drawn
        assert "unit that is not known" in drawing.warnings[0]
        assert not read_group(line(LENGTH, "131", LINE, unit=NO_UNIT)).drawn[0].warnings

    @pytest.mark.parametrize("unit", ["deg", "%", "cm/s", "mm3", "ml", "ms", "[hnsf'U]"])
    def test_a_unit_of_something_else_is_no_length(self, unit: str) -> None:
        drawings = read_group(line(("x", "99VENDOR", "Size"), "33.3", LINE, unit=(unit, "UCUM", "x")))
        assert not drawings.drawn + drawings.refusals
        assert drawings.listed

    def test_a_number_with_a_comma_is_shown_and_no_number(self) -> None:
        made = reread(measurements(group(line(LENGTH, "77.7", LINE))), b"77.7", b"77,7")
        (drawing,) = read_report(made).drawn
        assert (drawing.origin.stated, drawing.origin.stated_mm) == ("77,7 mm", None)

    def test_no_number(self) -> None:
        (drawing,) = read_group(num(LENGTH, None, MM, scoord("POLYLINE", LINE))).drawn
        assert (drawing.origin.stated, drawing.origin.stated_mm) == ("", None)

    def test_the_unit_tells_an_area_from_a_length(self) -> None:
        """Cornerstone 4 writes areas under the code of length."""
        ellipse = scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5])
        area = num(("G-D7FE", "SRT", "AREA"), "628", ("mm2", "UCUM", "squaremillimeter"), ellipse)
        assert [each.origin.stated for each in read_group(area).drawn] == ["", ""]
        assert not read_group(num(("G-D7FE", "SRT", "AREA"), "628", ("mm2", "UCUM", "squaremillimeter"))).refusals
