"""A study that came into no visit moves the baseline where dates tell it: no verdict on the others is certain then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

import make
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    TRIAL,
    Instance,
    Refusal,
    Schedule,
    Study,
    StudyList,
    TimePoint,
    Unread,
)
from lesion_measure.studies import assign_visits
from lesion_measure.tables.manifest import Manifest, ManifestRow
from lesion_measure.tables.matching import match_calipers
from lesion_measure.tables.statements import bind, of_no_visit

DAY = date(2024, 1, 1)
KNOWN = (30, 60)
"""Days of two good studies: baseline and 1 month by their dates."""


def image(days: int | None, name: str = "", **changes: object) -> Instance:
    day = None if days is None else DAY + timedelta(days=days)
    known = {"sop_instance_uid": f"1.9.{days or 999}", "study_instance_uid": f"1.8.{days or 999}", "study_date": day}
    return make.instance(name or f"d{days}.dcm", **{**known, **changes})


def study(*images: Instance) -> Study:
    days = {each.study_date for each in images}
    (uid,) = {each.study_instance_uid for each in images}
    return Study(
        study_instance_uid=uid, subject=images[0].subject, study_date=days.pop() if len(days) == 1 else None,
        time_point=images[0].time_point, instances=images,
    )  # fmt: skip


def doubted(studies: StudyList, schedule: Schedule | None = TRIAL) -> list[str]:
    child = next(each for each in assign_visits(studies, schedule=schedule)[0] if each.subject == "S1")
    assert [(child.date(v) or DAY) - DAY for v in ("baseline",)] == [timedelta(days=30)]
    return [doubt.refusal.code for doubt in child.doubts]


def good(*more: Study, unread: Sequence[Unread] = (), **changes: object) -> StudyList:
    return StudyList((*more, *(study(image(days, **changes)) for days in KNOWN)), (), (), tuple(unread))


def unread(days: int | None) -> Unread:
    refusal = Refusal(code="no_image", reason="It has no pixels.", path="x.dcm")
    return Unread(refusal, "S1", None if days is None else DAY + timedelta(days=days))


TWINS = [image(0, f"{name}.dcm", sop_instance_uid="1.7", study_instance_uid=f"1.6.{len(name)}") for name in ("a", "bb")]


@pytest.mark.parametrize(
    "lost",
    [
        good(study(image(None))),
        good(study(image(0, study_instance_uid="1.5"), image(1, study_instance_uid="1.5"))),
        good(*(study(twin) for twin in TWINS)),
        good(study(image(0, study_instance_uid="1.5"), image(0, "o", subject="S2", study_instance_uid="1.5"))),
        good(unread=[unread(0)]),
        good(unread=[unread(None)]),
    ],
    ids=["no date", "two dates", "one UID twice", "two subjects in a study", "no pixels", "neither"],
)
def test_the_first_study_is_lost(lost: StudyList) -> None:
    assert doubted(lost) == ["images_in_no_visit"]


@pytest.mark.parametrize("days", [30, 60])
def test_a_lost_image_of_a_day_that_has_a_visit_moves_nothing(days: int) -> None:
    assert doubted(good(unread=[unread(days)])) == []


def test_only_a_day_that_could_be_a_compared_visit_counts() -> None:
    """Of a baseline on day 30, 1 month is day 44 to 75."""
    assert [bool(doubted(good(unread=[unread(days)]))) for days in (29, 31, 43, 44, 75, 76)] == [
        True, False, False, True, True, False,
    ]  # fmt: skip
    assert doubted(good(unread=[unread(200)]), schedule=None) == ["images_in_no_visit"]


def test_a_visit_that_is_compared_with_nothing_is_not_asked_about() -> None:
    """By its date alone the study of day 90 is no visit of the schedule."""
    points = ((30, "v1"), (60, "v2"), (120, "week 13"))
    studies = [study(image(d, time_point=point)) for d, point in points]
    assert doubted(StudyList((*studies, study(image(None))))) == []


@pytest.mark.parametrize(("days", "visits"), [(None, []), (-60, ["screening"]), (20, [])])
def test_a_visit_before_a_named_baseline_is_asked_about_where_a_date_fits_it(
    days: int | None, visits: list[str]
) -> None:
    """Of a baseline on day 30, screening is day -90 to -30."""
    rows = tuple(
        ManifestRow(key=f"d{d}.dcm", line=n, visit=v)
        for n, (d, v) in enumerate(zip(KNOWN, (BASELINE, ONE_MONTH), strict=True), start=2)
    )
    children, _ = assign_visits(good(study(image(-50)), unread=[unread(days)]), manifest=Manifest("m.csv", rows))
    assert children[0].sources["screening"] == "StudyDate"
    assert [doubt.refusal.visit for doubt in children[0].doubts] == visits


def test_an_image_that_may_be_of_a_later_visit_leaves_the_others() -> None:
    """Of a baseline on day 30, 3 months is day 110 to 130."""
    later = TimePoint(name="three_months", label="3 months", day=90, window=(80, 100))
    schedule = Schedule((*TRIAL.points, later), ONE_MONTH)
    (child,), _ = assign_visits(good(study(image(120)), unread=[unread(110)]), schedule=schedule)
    (doubt,) = child.doubts
    assert (doubt.refusal.visit, doubt.refusal.reason.endswith("belong to 3 months.")) == ("three_months", True)


def test_time_points_tell_the_visits_whatever_is_lost() -> None:
    first, second = (study(image(d, time_point=point)) for d, point in zip(KNOWN, ("v1", "v2"), strict=True))
    assert doubted(StudyList((first, second), (), (), (unread(0),))) == []


def test_rows_on_a_lost_image_are_its_childs_though_every_other_image_has_such_rows() -> None:
    studies = good(study(image(0, study_instance_uid="1.5"), image(1, study_instance_uid="1.5")))
    children, refusals = assign_visits(studies)
    rows, unmatched = match_calipers([make.caliper(image=each.path) for each in studies.instances], studies)
    assert not unmatched
    lost = list(of_no_visit(rows, studies, children, refusals))
    found = bind(lost, children, rows).doubts["S1"]
    assert {(d.refusal.code, d.seen, d.refusal.visit) for d in found} == {("caliper_image_in_no_visit", True, None)}


def test_rows_on_a_refused_file_are_held_against_the_child_whose_other_images_all_have_rows() -> None:
    refused = Refusal(code="no_image", reason="It has no pixels.", path="d3.dcm")
    studies = replace(good(), refusals=(refused,))
    children, _ = assign_visits(studies)
    names = ("d3.dcm", *(each.path for each in studies.instances))
    rows, unmatched = match_calipers([make.caliper(image=name) for name in names], studies)
    (doubt,) = bind(unmatched, children, rows).doubts["S1"]
    assert (doubt.refusal.code, doubt.refusal.visit) == ("caliper_image_refused", None)


def test_rows_on_a_lost_image_mark_no_other_child() -> None:
    """Its subject is known by its header: another child's path that is as near has nothing to do with it."""
    lost = [image(d, f"S2/d{d}.dcm", study_instance_uid="1.5", subject="S2") for d in (0, 1)]
    studies = good(study(*lost), subject="S1")
    children, refusals = assign_visits(studies)
    assert [child.subject for child in children] == ["S1"]
    rows, _ = match_calipers([make.caliper(image=each.path) for each in lost], studies)
    found = bind(list(of_no_visit(rows, studies, children, refusals)), children, rows)
    assert not found.doubts
    assert {(each.code, each.subject) for each in found.refusals} == {("caliper_image_in_no_visit", "S2")}
