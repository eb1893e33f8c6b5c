"""A study that came into no visit moves the baseline where dates tell it: no verdict on the others is certain then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

import make
from lesion_measure.records import TRIAL, Instance, Refusal, Schedule, Study, StudyList, Unread
from lesion_measure.studies import assign_visits
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
