"""What a study's description says of its visit, held against the visit that its date gave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from lesion_measure.config import Config, Descriptions
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import TRIAL, Doubt, NamedVisit, Schedule, Study, SubjectResult
from lesion_measure.studies.described import described_visit, named_visit
from lesion_measure.tables.manifest import Manifest
from test_doubts import child, children
from test_visits import assign, manifest, study

__all__ = ["children"]


@pytest.mark.parametrize(
    ("text", "words", "days"),
    [
        ("US liver BASELINE", "baseline", 0),
        ("Pre-treatment", "pre treatment", 0),
        ("day 0", "day 0", 0),
        ("1 month", "1 month", 30),
        ("Abdomen_Month_3", "month 3", 91),
        ("4-week follow-up", "4 week", 28),
        ("Leber nach 2 Wochen", "2 wochen", 14),
        ("M1", "m 1", 30),
        ("one month post treatment", "1 month", 30),
    ],
)
def test_words_that_name_a_visit(text: str, words: str, days: int) -> None:
    """A month has 365.25 / 12 = 30.4 days: three have 91.3."""
    assert named_visit(text, Descriptions()) == NamedVisit(words, days)


@pytest.mark.parametrize(
    "text",
    [
        "", "Simulated liver ultrasound", "US abdomen 2D", "follow-up", "Follow up, compare with baseline",
        "baseline follow-up", "1 month old", "6 month infant", "6M", "1.5 months", "3-6 months", "week 4 or month 3",
        "1 month ago", "control in 3 months", "HCC screening", "baselines", "am 3. Tag geboren, 2 Monate alt",
        "HB T2N0M0", "HB T2N0M1", "hepatoblastoma M0", "M 3 years", "US newborn 6 weeks", "baby 3 months",
        "US liver 2 month male", "Säugling 6 Wochen", "GA 32 weeks", "corrected 2 months", "every 3 months",
        "1 yr 3 months", "stable against baseline", "relative to baseline",
    ],
)  # fmt: skip
def test_words_that_name_none(text: str) -> None:
    assert named_visit(text, Descriptions()) is None


def test_the_words_are_settings() -> None:
    settings = Descriptions(baseline_words=("Screening",), month_words=())
    assert named_visit("liver screening", settings) == NamedVisit("Screening", 0)
    assert named_visit("baseline", settings) is None
    assert named_visit("1 month", settings) is None
    with pytest.raises(ValueError, match="'week1' is not words of letters"):
        Descriptions(week_words=("week1",))


def _study(days: int, description: str) -> Study:
    plain = study(days)
    named = named_visit(description, Descriptions())
    return replace(plain, instances=tuple(replace(image, named_visit=named) for image in plain.instances))


def _doubts(
    *studies: tuple[int, str], manifest: Manifest | None = None, schedule: Schedule | None = TRIAL
) -> tuple[Doubt, ...]:
    children, _ = assign(*(_study(days, text) for days, text in studies), manifest=manifest, schedule=schedule)
    return children["S1"].doubts


def test_a_baseline_that_is_not_the_first_study_holds_every_visit() -> None:
    (doubt,) = _doubts((0, "1 month"), (30, "baseline"))
    assert (doubt.refusal.code, doubt.refusal.visit) == ("description_against_dates", None)
    assert doubt.refusal.reason == (
        "Descriptions contradict the order of dates: the study of 2024-01-01 calls itself '1 month' and is baseline by "
        "date while the study of 2024-01-31 calls itself 'baseline' and is one month by date."
    )


def test_a_second_baseline_is_one_where_other_studies_are_called_otherwise() -> None:
    """Day 20 is in the window of the 1-month visit, day 55 is not: baseline would be held against baseline."""
    (doubt,) = _doubts((0, "baseline"), (20, "baseline"), (55, "1 month"))
    assert "the study of 2024-01-21 calls itself 'baseline' and is one month by date" in doubt.refusal.reason


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("baseline", "1 month"),
        ("baseline", "M1"),
        ("baseline", "6 weeks"),  # 42 days
        ("baseline", "2 months"),  # 61 days, a factor of 1.97
        ("follow-up", "follow-up"),
        ("3 month follow-up", "1 month"),  # of earlier scans
        ("1 month old", "2 months old"),
        ("baseline", "baseline"),  # a text that stands at every study tells nothing
        ("1 month", "liver"),
        ("liver", "6 months"),  # from which day is not said
        ("liver", "follow-up, baseline elsewhere"),
    ],
)
def test_what_a_usual_reading_explains_is_not_doubted(first: str, later: str) -> None:
    assert not _doubts((0, first), (31, later))


@pytest.mark.parametrize(
    ("words", "told"), [("3 months", True), ("2 weeks", True), ("8 weeks", False), ("1 week", True)]
)
def test_an_interval_is_told_where_it_is_far_off_and_counts_from_a_named_baseline(words: str, told: bool) -> None:
    """Of 31 days: 91 are 2.9 times as many, 14 are 2.2 times as few and 17 off, 56 are 1.8 times as many."""
    doubts = _doubts((0, "baseline"), (31, words))
    assert [doubt.refusal.visit for doubt in doubts] == (["one_month"] if told else [])


def test_a_visit_beside_the_schedule_holds_the_one_that_it_calls_itself() -> None:
    doubts = _doubts((0, "baseline"), (20, ""), (100, "1 month"))
    assert [doubt.refusal.visit for doubt in doubts] == ["one_month"]


def test_intervals_in_the_opposite_order_hold_both_visits() -> None:
    doubts = _doubts((0, ""), (30, "3 months"), (90, "1 month"), schedule=None)
    assert [doubt.refusal.visit for doubt in doubts] == ["day_30", "day_90"]
    assert not _doubts((0, ""), (30, "1 month"), (90, "3 months"), schedule=None)


def test_a_manifest_that_names_the_visits_settles_it(tmp_path: Path) -> None:
    said = manifest(tmp_path, "S1/d0,,baseline,,", "S1/d30,,one_month,,")
    assert not _doubts((0, "1 month"), (30, "baseline"), manifest=said)


def _by_time_points(*studies: tuple[int | None, str, str]) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Codes and visits of the doubts, and the warnings, of studies with time points and descriptions."""
    made = []
    for number, (days, point, description) in enumerate(studies):
        plain = study(days, name=f"n{number}", point=point)
        named = named_visit(description, Descriptions())
        made.append(replace(plain, instances=tuple(replace(image, named_visit=named) for image in plain.instances)))
    found = assign(*made)[0]["S1"]
    return [(d.refusal.code, d.refusal.visit) for d in found.doubts], list(found.warnings)


@pytest.mark.parametrize("days", [(0, 30), (None, None)])
@pytest.mark.parametrize(
    ("first", "later", "visit"),
    [("", "baseline", None), ("1 month", "baseline", None), ("baseline", "3 months", "one_month")],
)
def test_descriptions_that_contradict_time_points_hold_the_visits(
    days: tuple[int | None, int | None], first: str, later: str, visit: str | None
) -> None:
    """Without dates one month is due on day 30: 91 days are 61 more and 3 times as many."""
    doubts, _ = _by_time_points((days[0], "baseline", first), (days[1], "one_month", later))
    assert doubts == [("description_against_time_points", visit)]


@pytest.mark.parametrize(
    ("first", "later"),
    [("baseline", "1 month"), ("baseline", "baseline"), ("", "1 month"), ("", ""), ("baseline", "6 weeks")],
)
def test_descriptions_that_time_points_allow_say_nothing(first: str, later: str) -> None:
    assert _by_time_points((0, "baseline", first), (30, "one_month", later)) == ([], [])


def test_a_baseline_by_time_point_that_alone_calls_itself_later_is_a_warning() -> None:
    told = "the study of 2024-01-01 calls itself '1 month' and is baseline by time point"
    assert _by_time_points((0, "baseline", "1 month"), (30, "one_month", "")) == ([], [told])
    assert _by_time_points((0, "baseline", "1 month"), (30, "one_month", "1 month")) == ([], [])


def test_the_description_of_the_time_point_counts_before_that_of_the_study() -> None:
    header = Dataset()
    header.StudyDescription = "Liver 3 months"
    assert described_visit(header, Descriptions()) == NamedVisit("3 months", 91)
    header.ClinicalTrialTimePointDescription = "Visit 2"
    assert described_visit(header, Descriptions()) == NamedVisit("3 months", 91)
    header.ClinicalTrialTimePointDescription = "Baseline"
    assert described_visit(header, Descriptions()) == NamedVisit("baseline", 0)


def _describe(scans: Path, **words: str) -> None:
    """Descriptions of the visits, whose time points are taken out: dates alone tell them then."""
    for visit, description in words.items():
        for file in (scans / visit).iterdir():
            dataset = dcmread(file)
            dataset.StudyDescription = description
            dataset.pop("ClinicalTrialTimePointID", None)
            dataset.save_as(file)


def _measured(folder: Path) -> SubjectResult:
    request = RunRequest(
        input=folder / "scans", out=folder / "out", calipers=folder / "calipers.csv", overwrite=True, config=Config()
    )
    return child(run(request))


def test_no_verdict_is_certain_where_descriptions_contradict_the_dates(children: Path) -> None:
    scans = children / "scans" / "SIM-04"
    _describe(scans, baseline="Liver", one_month="Liver follow-up")
    right = _measured(children).response
    assert right.certain
    _describe(scans, baseline="Liver 1 month", one_month="Liver baseline")
    held = _measured(children)
    assert [r.code for r in held.review] == ["description_against_dates"]
    assert held.response.category == right.category
    assert not held.response.certain
    assert "calls itself 'baseline'" in held.response.explanation
