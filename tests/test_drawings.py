"""What objects draw becomes calipers, or a refusal that says why not: by hand-made drawings, without a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import make
from lesion_measure.config import Config
from lesion_measure.drawings import FromObjects, calipers_of
from lesion_measure.image.stated import against_stated
from lesion_measure.records import (
    Axis,
    Caliper,
    Drawing,
    Drawings,
    DrawnObject,
    Instance,
    Location,
    ObjectKind,
    Origin,
    Point,
    Refusal,
    Study,
    StudyList,
    is_unnamed,
)

STILL = make.instance("S1/still.dcm", sop_instance_uid="1.2.3.1")
CINE = make.instance("S1/cine.dcm", sop_instance_uid="1.2.3.2", frames=30)
OTHER = make.instance("S2/still.dcm", sop_instance_uid="1.2.3.3", subject="S2", study_instance_uid="1.2.4")
ACROSS: tuple[Point, ...] = ((300.0, 350.0), (300.0, 450.0))
DOWN: tuple[Point, ...] = ((260.0, 400.0), (340.0, 400.0))
DIAMOND: tuple[Point, ...] = ((300.0, 350.0), (260.0, 400.0), (300.0, 450.0), (340.0, 400.0))
APART: tuple[Point, ...] = ((100.0, 100.0), (100.0, 160.0))


def drawing(points: tuple[Point, ...] = ACROSS, image: Instance = STILL, **changes: object) -> Drawing:
    known = Drawing(
        image_uid=image.sop_instance_uid, frame=None, points=points, axis=None, lesion="L1", group="1", reader="R1",
        origin=Origin(kind=ObjectKind.SR, path="S1/sr.dcm", sop_instance_uid="1.9.1", item="group 1"),
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]


def tracked(uid: str, points: tuple[Point, ...] = ACROSS, image: Instance = STILL, **changes: object) -> Drawing:
    one = drawing(points, image, lesion="", group="")
    return replace(one, origin=replace(one.origin, tracking_uid=uid), **changes)  # type: ignore[arg-type]


def held(*drawn: Drawing, uid: str = "1.9.1", **changes: object) -> DrawnObject:
    known = DrawnObject(
        path="S1/sr.dcm", location=Location(Path(f"{uid}.dcm")), kind=ObjectKind.SR, sop_instance_uid=uid,
        study_instance_uid="1.2.3", subject="S1", patient="S1", sha256=uid, drawings=Drawings(drawn),
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]


def found(
    *objects: DrawnObject,
    rows: tuple[Caliper, ...] = (),
    config: Config | None = None,
    images: tuple[Instance, ...] = (),
) -> FromObjects:
    everything = images or (STILL, CINE, OTHER)
    studies = tuple(
        Study(study_instance_uid=uid, subject=subject, study_date=None, time_point=None, instances=members)
        for uid, subject, members in (
            ("1.2.3", "S1", tuple(i for i in everything if i.subject == "S1")),
            ("1.2.4", "S2", tuple(i for i in everything if i.subject == "S2")),
        )
    )
    subject_of = {image.sop_instance_uid: image.subject for image in everything}
    by_image = {STILL.sop_instance_uid: rows} if rows else {}
    return calipers_of(StudyList(studies, (), objects), by_image, subject_of, config or Config())


def only_refusal(outcome: FromObjects) -> Refusal:
    (lost,) = {lost.refusal for lost in outcome.unmatched}
    return lost


def axes(outcome: FromObjects, image: Instance = STILL) -> dict[Axis, tuple[Point, ...]]:
    return {c.axis: (c.start, c.end) for c in outcome.calipers[image.sop_instance_uid]}  # type: ignore[misc]


class TestFrames:
    """A drawing lies on one frame of one image, or is refused."""

    @pytest.mark.parametrize("frame", [None, 1])
    def test_a_still_needs_no_frame(self, frame: int | None) -> None:
        (caliper,) = found(held(drawing(frame=frame))).calipers[STILL.sop_instance_uid]
        assert (caliper.frame, caliper.axis, caliper.reader, caliper.lesion) == (1, Axis.LONG, "R1", "L1")

    @pytest.mark.parametrize(
        ("image", "frame", "code"),
        [
            (CINE, None, "frame_not_named"), (CINE, 31, "no_such_frame"), (CINE, 0, "no_such_frame"),
            (STILL, 2, "no_such_frame"),
        ],
    )  # fmt: skip
    def test_what_is_on_no_one_frame_is_refused_and_held_against_the_image(
        self, image: Instance, frame: int | None, code: str
    ) -> None:
        outcome = found(held(drawing(image=image, frame=frame)))
        (lost,) = outcome.unmatched
        assert (lost.refusal.code, lost.refusal.lesion, lost.images) == (code, "L1", (image,))
        assert "group 1" in lost.refusal.reason
        assert not outcome.calipers

    def test_a_frame_of_a_cine(self) -> None:
        (caliper,) = found(held(drawing(image=CINE, frame=30))).calipers[CINE.sop_instance_uid]
        assert caliper.frame == 30

    def test_both_ends_at_one_point(self) -> None:
        assert "same point" in only_refusal(found(held(drawing((ACROSS[0], ACROSS[0]))))).reason


class TestImages:
    """An image is known by its UID; whose a drawing on no image is, other things tell."""

    @pytest.mark.parametrize(
        ("changes", "whose"),
        [
            ({}, {STILL, CINE}),  # by the study
            ({"study_instance_uid": "1.7", "path": "x"}, {STILL, CINE}),  # by the patient
            ({"study_instance_uid": "1.7", "patient": "", "subject": ""}, {STILL, CINE}),  # by the folder
            ({"study_instance_uid": "1.7", "patient": "P9", "subject": "P9", "path": "x"}, set()),
            ({"study_instance_uid": "1.7", "patient": "", "subject": "", "path": "x"}, set()),  # two children below
        ],
    )
    def test_not_in_the_input(self, changes: dict[str, object], whose: set[Instance]) -> None:
        lost = found(held(drawing(image_uid="1.2.3.99"), **changes)).unmatched
        assert [one.refusal.code for one in lost] == ["caliper_image_not_found"]
        assert "1.2.3.99" in lost[0].refusal.reason
        assert {i.path for i in lost[0].images} == {i.path for i in whose}
        assert lost[0].elsewhere is not bool(whose)

    def test_of_one_uid_twice(self) -> None:
        twin = replace(STILL, path="S1/twin.dcm", location=Location(Path("twin.dcm")))
        assert only_refusal(found(held(drawing()), images=(STILL, twin))).code == "caliper_image_ambiguous"

    def test_of_another_patient_and_yet_of_this_image_it_is_told(self) -> None:
        images = (replace(STILL, patient="P1"),)
        outcome = found(held(drawing(DOWN), drawing(ACROSS), patient="P9"), images=images)
        calipers = outcome.calipers[STILL.sop_instance_uid]
        assert len(calipers) == 2
        assert all("another patient" in each.warnings[0] for each in calipers)
        assert only_refusal(outcome).code == "other_patient"
        for patient in ("P1", ""):
            assert not found(held(drawing(), patient=patient), images=images).unmatched

    def test_many_images_that_are_not_here_are_one_refusal(self) -> None:
        outcome = found(held(*(drawing(image_uid=f"1.2.3.9{number}") for number in range(9))))
        (lost,) = outcome.unmatched
        assert "8 more" in lost.refusal.reason


class TestAxes:
    """Which of two lines is the long axis."""

    def test_the_longer_of_two_that_cross(self) -> None:
        assert axes(found(held(drawing(DOWN), drawing(ACROSS)))) == {Axis.LONG: ACROSS, Axis.SHORT: DOWN}

    def test_longer_in_millimetres_not_in_pixels(self) -> None:
        tall = replace(STILL, regions=(make.region(delta_row=0.03),))
        outcome = found(held(drawing(DOWN), drawing(ACROSS)), images=(tall,))
        assert axes(outcome) == {Axis.LONG: DOWN, Axis.SHORT: ACROSS}

    def test_an_object_s_own_word_counts(self) -> None:
        outcome = found(held(drawing(ACROSS, axis=Axis.SHORT), drawing(DOWN)))
        assert axes(outcome) == {Axis.LONG: DOWN, Axis.SHORT: ACROSS}

    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ((drawing(ACROSS), drawing(DOWN), drawing(APART)), "3 lines"),
            ((drawing(ACROSS), drawing(APART)), "do not cross"),
            ((drawing(ACROSS, axis=Axis.LONG), drawing(DOWN, axis=Axis.LONG)), "both lines are called the long axis"),
            ((drawing(ACROSS, group="1"), drawing(APART, group="2")), "do not cross"),  # of one name
        ],
    )
    def test_nothing_is_guessed(self, lines: tuple[Drawing, ...], words: str) -> None:
        outcome = found(held(*lines))
        assert {lost.refusal.code for lost in outcome.unmatched} == {"axes_not_told"}
        assert words in outcome.unmatched[0].refusal.reason
        assert not outcome.calipers

    @pytest.mark.parametrize("kind", list(ObjectKind))
    def test_every_kind_of_object_has_its_words(self, kind: ObjectKind) -> None:
        """Three lines that cross in the pixels of an image, too."""
        origin = Origin(kind=kind, path="S1/still.dcm", sop_instance_uid="1.2.3.1", item="pixels of frame 1")
        slanted = ((260.0, 350.0), (340.0, 450.0))
        drawn = [drawing(points, lesion="", group="", origin=origin) for points in (ACROSS, DOWN, slanted)]
        outcome = found(held(*drawn, kind=kind))
        assert {lost.refusal.code for lost in outcome.unmatched} == {"axes_not_told"}
        assert "What pixels of frame 1 of the " in outcome.unmatched[0].refusal.reason

    def test_lone_lines_that_cross_are_one_lesion_s(self) -> None:
        outcome = found(held(drawing(ACROSS, lesion="", group="1"), drawing(DOWN, lesion="", group="2")))
        assert axes(outcome) == {Axis.LONG: ACROSS, Axis.SHORT: DOWN}
        assert len({c.lesion for c in outcome.calipers[STILL.sop_instance_uid]}) == 1

    def test_one_line_of_which_two_numbers_are_stated(self) -> None:
        assert axes(found(held(drawing(ACROSS), drawing(ACROSS, axis=Axis.LONG)))) == {Axis.LONG: ACROSS}

    def test_an_outline_beside_the_axes_of_its_lesion_does_not_count(self) -> None:
        outline = drawing((*ACROSS, (360.0, 400.0)), axis=Axis.OUTLINE)
        outcome = found(held(drawing(), outline))
        assert set(axes(outcome)) == {Axis.LONG}
        assert [r.code for r in outcome.listed] == ["drawn_twice"]


class TestNames:
    """What objects say of which lesion it is."""

    def test_one_tracking_uid_is_one_lesion(self) -> None:
        outcome = found(held(tracked("2.25.1"), tracked("2.25.1", image=CINE, frame=3), tracked("2.25.2", APART)))
        first, third = outcome.calipers[STILL.sop_instance_uid]
        (second,) = outcome.calipers[CINE.sop_instance_uid]
        assert first.lesion == second.lesion != third.lesion
        assert is_unnamed(first.lesion)

    def test_of_another_child_it_is_another_lesion(self) -> None:
        outcome = found(held(tracked("2.25.1"), tracked("2.25.1", image=OTHER)))
        assert len({c.lesion for calipers in outcome.calipers.values() for c in calipers}) == 2

    def test_a_name_that_one_drawing_has_is_the_others(self) -> None:
        outcome = found(held(tracked("2.25.1", lesion="L4"), tracked("2.25.1", image=CINE, frame=3)))
        assert {c.lesion for calipers in outcome.calipers.values() for c in calipers} == {"L4"}

    def test_two_names_of_one_tracking_uid_are_doubted(self) -> None:
        drawn = (tracked("2.25.1", lesion="L4"), tracked("2.25.1", image=CINE, frame=3, lesion="L5"))
        outcome = found(held(*drawn))
        assert {lost.refusal.code for lost in outcome.unmatched} == {"tracking_two_names"}
        assert "L4 and L5" in outcome.unmatched[0].refusal.reason


class TestOnce:
    """A caliper that is given twice counts once."""

    def test_of_a_row_and_an_object_the_row(self) -> None:
        row = make.caliper(start=(300.0, 350.001), end=(300.0, 449.999), lesion="A", reader="typed")
        outcome = found(held(drawing(ACROSS), drawing(DOWN)), rows=(row,))
        (short,) = outcome.calipers[STILL.sop_instance_uid]
        assert (short.axis, short.lesion, short.reader, short.plane) == (Axis.SHORT, "A", "typed", row.plane)
        assert "row 0" in outcome.listed[0].reason

    def test_one_axis_alike_and_the_other_not_is_drawn_anew(self) -> None:
        later = held(drawing(ACROSS), drawing(((250.0, 400.0), (340.0, 400.0))), uid="1.9.2", written="2")
        outcome = found(held(drawing(ACROSS), drawing(DOWN), written="1"), later)
        assert axes(outcome)[Axis.SHORT] == ((250.0, 400.0), (340.0, 400.0))
        assert {r.code for r in outcome.listed} == {"superseded"}

    def test_where_each_lesion_is_measured_several_times_they_stay(self) -> None:
        config = Config.model_validate({"calipers": {"repeats": "mean"}})
        later = held(drawing(((300.0, 340.0), (300.0, 450.0))), uid="1.9.2", written="2")
        assert len(found(held(drawing(), written="1"), later, config=config).calipers[STILL.sop_instance_uid]) == 2

    def test_a_report_that_another_replaces(self) -> None:
        later = held(drawing(DOWN), uid="1.9.2", replaces=("1.9.1",))
        outcome = found(held(drawing()), later)
        assert axes(outcome) == {Axis.LONG: DOWN}
        assert [r.code for r in outcome.listed] == ["superseded"]

    def test_another_patient_s_replaces_nothing(self) -> None:
        later = held(drawing(DOWN), uid="1.9.2", replaces=("1.9.1",), patient="S2", study_instance_uid="1.2.4")
        assert len(found(held(drawing()), later).calipers[STILL.sop_instance_uid]) == 2

    def test_of_our_segmentations_those_of_the_last_result_count(self) -> None:
        outline = drawing(DIAMOND, axis=Axis.OUTLINE, lesion="L2")
        gone, there = (held(outline, uid=f"1.9.{n}", kind=ObjectKind.SEG, ours=True) for n in (8, 9))
        there = replace(there, drawings=Drawings((drawing(DIAMOND, CINE, frame=3, axis=Axis.OUTLINE, lesion="L2"),)))
        report = held(drawing(DOWN), uid="1.9.2", ours=True, segmentations=("1.9.9",))
        outcome = found(gone, there, report)
        assert [(r.code, r.sop_instance_uid) for r in outcome.listed] == [("superseded", "1.9.8")]
        assert {uid: len(calipers) for uid, calipers in outcome.calipers.items()} == {
            STILL.sop_instance_uid: 1, CINE.sop_instance_uid: 1
        }  # fmt: skip
        for other in ({"ours": False}, {"study_instance_uid": "1.2.4"}):
            outcome = found(replace(gone, **other), there, report)  # type: ignore[arg-type]
            assert not outcome.listed
        assert not found(gone, there).listed

    def test_two_results_of_ours_that_differ_are_unclear_both(self) -> None:
        """As where a corrected run went to another folder: its report cannot name the first as its predecessor."""
        first = held(drawing(), drawing(APART, lesion="L2", group="2"), ours=True)
        outline = held(drawing(DIAMOND), uid="1.9.9", kind=ObjectKind.SEG, ours=True)
        first = replace(first, segmentations=("1.9.9",))
        second = held(drawing(), uid="1.9.2", ours=True)
        outcome = found(first, second, outline)
        assert {lost.refusal.code for lost in outcome.unmatched} == {"rival_results"}
        assert not outcome.calipers
        longer = held(drawing(((300.0, 340.0), (300.0, 450.0))), drawing(APART, lesion="L2", group="2"), uid="1.9.2")
        assert not found(first, replace(longer, ours=True)).calipers
        others = (
            replace(second, replaces=("1.9.1",)), replace(second, ours=False),
            replace(second, study_instance_uid="1.2.4"), replace(second, drawings=first.drawings),
            held(drawing(reader="R2"), uid="1.9.2", ours=True),
            held(*first.drawings.drawn, drawing(DOWN, axis=Axis.SHORT), uid="1.9.2", ours=True),
        )  # fmt: skip
        for other in others:
            assert found(first, other).calipers[STILL.sop_instance_uid]

    @pytest.mark.parametrize("circle", [("1.9.2",), ("1.9.3",)])
    def test_reports_that_replace_one_another_in_a_circle(self, circle: tuple[str, ...]) -> None:
        first = held(drawing(), replaces=circle)
        second = held(drawing(DOWN), uid="1.9.2", replaces=("1.9.1",))
        third = held(drawing(APART), uid="1.9.3", replaces=("1.9.2",))
        outcome = found(first, second, *([third] if circle == ("1.9.3",) else []))
        assert {lost.refusal.code for lost in outcome.unmatched} == {"replaced_in_a_circle"}
        assert not outcome.calipers

    def test_one_uid_with_different_drawings(self) -> None:
        outcome = found(held(drawing()), held(drawing(DOWN), sha256="x", location=Location(Path("y"))))
        assert {lost.refusal.code for lost in outcome.unmatched} == {"ambiguous_uid"}
        assert not outcome.calipers

    def test_the_order_of_objects_does_not_matter(self) -> None:
        objects = [
            held(drawing(ACROSS), drawing(DOWN)),
            held(drawing(ACROSS, reader="R2"), uid="1.9.2"),
            held(uid="1.9.3"),
        ]
        assert found(*objects) == found(*objects[::-1])


@pytest.mark.parametrize(
    ("stated", "mm", "measured", "says", "asks"),
    [
        ("33.4 mm", 33.4, 33.3885, "", False),
        ("3.3 cm", 33.0, 33.3885, "", False),  # half of the last digit is 0.5 mm
        ("3.34 mm", 3.34, 33.3885, "factor of 10", False),
        ("30.1 mm", 30.1, 33.3885, "30.1 mm", True),
        ("333.9 mm", 333.9, 33.3885, "333.9 mm", True),
        ("", None, 33.3885, "", False),
        ("0 mm", 0.0, 33.3885, "0 mm", True),
    ],
)
def test_what_is_stated_is_a_cross_check(stated: str, mm: float | None, measured: float, says: str, asks: bool) -> None:
    origin = replace(drawing().origin, stated=stated, stated_mm=mm)
    caliper = make.caliper(origin=origin)
    outcome = against_stated(caliper, measured, (0.2, 0.2))
    assert (says in outcome.warning, bool(outcome.warning), outcome.asks) == (True, bool(says), asks)
    if says:
        assert f"{measured:.2f} mm" in outcome.warning
