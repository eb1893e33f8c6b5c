"""Of what a structured report speaks: lesions and other structures, scanners' reports, names and readers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydicom import Dataset

import lesion_measure
from lesion_measure.dicom.objects.reports.shapes import Fault
from lesion_measure.dicom.objects.reports.tree import Code
from lesion_measure.drawings.placing import Images, place
from lesion_measure.records import Axis, DrawnObject, Location, ObjectKind, StudyList
from report_writing import (
    ACROSS,
    ACROSS_POINTS,
    CM,
    CT,
    FINDING,
    LENGTH,
    LESION,
    LINE,
    LIVER,
    LONG,
    MEASUREMENTS,
    MM,
    POINTS,
    REGION,
    REPORT_UID,
    SHORT,
    SITE,
    TRACKING_UID,
    Coded,
    coded,
    codes_of,
    container,
    group,
    image,
    item,
    line,
    measurements,
    num,
    person,
    points_of,
    read_group,
    read_report,
    report,
    scoord,
    text,
    tracked,
    with_evidence,
)


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
        assert points_of(read_group(*said, line(LENGTH, "12.5", LINE))) == [(None, POINTS)]

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
        drawings = read_group(*said, line(LENGTH, "12.5", LINE))
        assert not drawings.drawn + drawings.refusals
        assert [each.code for each in drawings.listed] == ["sr_other_measurements"]
        assert re.search("of (another structure|the liver itself)", drawings.listed[0].reason)

    @pytest.mark.parametrize(
        "meaning", ["Liver Length", "Spleen length", "Kidney Length Right", "Portal Vein Diameter"]
    )
    def test_a_number_that_names_another_structure(self, meaning: str) -> None:
        made = container(("99-1", "99VENDOR", "Abdomen"), line(("v1", "99VENDOR", meaning), "12.5", LINE))
        drawings = read_report(report(made, title=("99-0", "99VENDOR", "Abdomen report")))
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
        assert [each.lesion for each in read_report(measurements(organ)).drawn] == ["liver"]

    def test_what_is_derived_is_no_lesion(self) -> None:
        total = group(num(("x", "99VENDOR", "Longest diameter"), "40"))
        made = report(
            container(MEASUREMENTS, group(line(LENGTH, "12.5", LINE))),
            container(("126011", "DCM", "Derived Imaging Measurements"), total),
        )
        drawings = read_report(made)
        assert (len(drawings.drawn), drawings.refusals) == (1, ())
        assert "Longest diameter" in drawings.listed[0].reason

    @pytest.mark.parametrize(
        ("said", "evidence", "drawn"),
        [
            ([*tracked("L2"), person("R1")], ["1.2.8", "1.2.9"], [("1.2.8", 1, Axis.ABSENT, (), "L2", "R1")]),
            ([*tracked("L2"), person("R1"), image("1.2.9")], ["1.2.8"], [("1.2.9", 1, Axis.ABSENT, (), "L2", "R1")]),
            ([*tracked("L2"), person("R1")], [], []),
            ([*tracked("L2"), text(("111001", "DCM", "Algorithm Name"), "Segmenter 2")], ["1.2.8"], []),
            ([person("R1")], ["1.2.8"], []),
        ],
    )
    def test_a_lesion_that_is_gone(self, said: list[Dataset], evidence: list[str], drawn: list[object]) -> None:
        presence = ("121052", "DCM", "Presence of property")
        gone = group(*said, coded(FINDING, LESION), coded(presence, ("121054", "DCM", "Absent")))
        made = report(container(("C0034375", "UMLS", "Qualitative Evaluations"), gone))
        drawings = read_report(with_evidence(made, *evidence) if evidence else made)
        assert [(d.image_uid, d.frame, d.axis, d.points, d.lesion, d.reader) for d in drawings.drawn] == drawn
        assert codes_of(drawings) == ([] if drawn else ["sr_absent"])

    @pytest.mark.parametrize("kind", ["CODE", "TEXT"])
    def test_a_region_of_no_measurement_outside_of_a_group(self, kind: str) -> None:
        """Chest CAD and plain reports mark what they speak of; that is no measurement of a lesion."""
        outline = scoord("POLYLINE", [10.5, 10.5, 30.5, 12.5, 25.5, 30.5, 8.5, 25.5, 10.5, 10.5])
        drawings = read_report(report(item(kind, ("111059", "DCM", "Single Image Finding"), outline)))
        assert not drawings.drawn + drawings.refusals
        assert drawings.listed


class TestOtherModalities:
    """A report on the child's CT says nothing of its ultrasound images, and doubts none of them."""

    def test_drawings_are_listed(self) -> None:
        drawings = read_group(line(LENGTH, "12.5", LINE, image("1.2.3.4", sop_class=CT)))
        assert [each.modality for each in drawings.drawn] == ["CT"]
        held_in = DrawnObject(
            path="sr.dcm",
            location=Location(Path("sr.dcm")),
            kind=ObjectKind.SR,
            sop_instance_uid=REPORT_UID,
            study_instance_uid="1.2.3",
            drawings=drawings,
        )
        placed = place([held_in], Images(StudyList((), (), ())))
        assert not placed.placed + placed.unmatched
        (listed,) = placed.listed
        assert (listed.code, listed.reason) == (
            "no_calipers", "What group 1 of the structured report draws lies on images of another modality (CT)."
        )  # fmt: skip

    def test_faults_are_listed(self) -> None:
        drawings = read_group(line(LENGTH, "12.5", LINE, image("1.2.3.4", 0, sop_class=CT)))
        assert not drawings.drawn + drawings.refusals
        assert [each.code for each in drawings.listed] == ["sr_frame"]


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
        drawings = read_report(made)
        assert points_of(drawings) == [(None, POINTS), (None, ACROSS_POINTS)]
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
        drawings = read_report(made)
        assert not drawings.drawn + drawings.refusals
        assert re.search("of (another structure|the liver itself)", drawings.listed[0].reason)

    def test_a_lesion_at_the_site_liver(self) -> None:
        said = coded(SITE, LIVER), coded(FINDING, LESION)
        made = container(("121070", "DCM", "Findings"), group(*said, line(LENGTH, "12.5", LINE)))
        assert points_of(read_report(report(made, title=("24553-0", "LN", "US Liver Report")))) == [(None, POINTS)]

    def test_numbers_that_name_their_lesion(self) -> None:
        made = report(
            line(("99-1", "99VENDOR", "Liver Lesion 2 Length"), "12.5", LINE),
            line(("99-2", "99VENDOR", "Liver Lesion 2 Width"), "7.5", ACROSS),
            title=("99-0", "99VENDOR", "Abdomen report"),
        )
        assert [each.lesion for each in read_report(made).drawn] == ["Liver Lesion 2", "Liver Lesion 2"]

    def test_a_plain_length_of_an_obstetric_report_is_no_lesions(self) -> None:
        title = ("125000", "DCM", "OB-GYN Ultrasound Procedure Report")
        assert not read_report(report(line(LENGTH, "12.5", LINE), title=title)).drawn

    def test_many_measurements_are_told_in_one_line(self) -> None:
        many = [num((f"{at}", "LN", f"Fetal measure {at}"), "5") for at in range(60)]
        drawings = read_report(report(*many, title=("125000", "DCM", "OB-GYN Ultrasound Procedure Report")))
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
        (drawing,) = read_group(*said, line(LENGTH, "12.5", LINE)).drawn
        assert drawing.lesion == lesion

    def test_where_it_comes_from(self) -> None:
        (drawing,) = read_group(*tracked("L1"), line(LENGTH, "12.5", LINE)).drawn
        origin = drawing.origin
        assert (origin.path, origin.sop_instance_uid, origin.item) == ("sr.dcm", REPORT_UID, "group 1")
        assert (origin.tracking_uid, origin.tracking_identifier) == (TRACKING_UID, "L1")

    def test_tracking_of_the_number_alone(self) -> None:
        tracked_number = num(LENGTH, "12.5", MM, *tracked("L9"), scoord("POLYLINE", LINE))
        (drawing,) = read_group(tracked_number).drawn
        assert (drawing.lesion, drawing.origin.tracking_uid) == ("L9", TRACKING_UID)

    def test_numbers_that_are_tracked_one_by_one_are_lesions_of_their_own(self) -> None:
        numbers = [
            num(LENGTH, "12.5", MM, *tracked(name, uid), scoord("POLYLINE", data))
            for name, uid, data in (("L1", "2.25.1", LINE), ("L2", "2.25.2", ACROSS))
        ]
        drawings = read_group(*numbers)
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
        (drawing,) = read_report(report(*said, container(MEASUREMENTS, group(line(LENGTH, "12.5", LINE))))).drawn
        assert drawing.reader == reader

    def test_what_a_program_drew_says_so(self) -> None:
        algorithm = text(("111001", "DCM", "Algorithm Name"), "Segmenter 2")
        (drawing,) = read_group(algorithm, line(LENGTH, "12.5", LINE)).drawn
        assert (drawing.reader, len(drawing.warnings)) == ("Segmenter 2", 1)
        (drawing,) = read_group(algorithm, person("R1"), line(LENGTH, "12.5", LINE)).drawn
        assert (drawing.reader, drawing.warnings) == ("R1", ())

    def test_half_axes_of_dwv_are_not_held_against_its_ellipse(self) -> None:
        """dwv 0.36 states the ellipse's half width as its long axis, whichever way it lies."""
        ellipse = scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5], concept=REGION)
        colour = text(("718499004", "SCT", "Color"), "#ffff80")
        drawings = read_group(ellipse, colour, num(LONG, "20"), num(SHORT, "10"))
        assert [(each.origin.stated, each.origin.stated_mm) for each in drawings.drawn] == [
            ("20 mm", None),
            ("10 mm", None),
        ]
        assert all("dwv" in each.warnings[0] for each in drawings.drawn)

    def test_a_group_may_have_a_reader_of_its_own(self) -> None:
        measured = container(
            MEASUREMENTS, group(person("R2"), line(LENGTH, "12.5", LINE)), group(line(LENGTH, "7", ACROSS))
        )
        assert [each.reader for each in read_report(report(person("R1"), measured)).drawn] == ["R2", "R1"]


def test_every_code_of_a_refusal_stands_on_the_page(project_dir: Path) -> None:
    page = (project_dir / "docs" / "structured_reports.md").read_text(encoding="utf-8")
    room = Path(lesion_measure.__file__).parent / "dicom" / "objects" / "reports"
    written = {
        code for module in room.glob("*.py") for code in re.findall(r'code="(sr_\w+)"', module.read_text("utf-8"))
    }
    listed = {"sr_no_measurements", "sr_other_measurements", "sr_segmentation"}  # by another code: nothing is lost
    of_faults = {fault.value for fault in Fault}
    assert set(re.findall(r"^\| `(sr_\w+)` \|", page, re.MULTILINE)) == (written | of_faults) - listed
