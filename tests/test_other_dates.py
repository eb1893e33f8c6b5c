"""Other dates of a header, held against StudyDate: intervals between a child's studies, and the day of birth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from lesion_measure.records import TRIAL, Doubt, OtherDates, Schedule, Study
from lesion_measure.studies.other_dates import other_dates
from test_descriptions import _measured
from test_doubts import children
from test_visits import DAY, assign, manifest, study

__all__ = ["children"]


def _with(days: int, dates: OtherDates) -> Study:
    plain = study(days)
    return replace(plain, instances=tuple(replace(image, dates=dates) for image in plain.instances))


def _acquired(days: int, then: int | None) -> Study:
    return _with(days, OtherDates(acquisition=None if then is None else DAY + timedelta(days=then)))


def _said(*studies: Study, schedule: Schedule | None = TRIAL) -> tuple[tuple[Doubt, ...], tuple[str, ...]]:
    found = assign(*studies, schedule=schedule)[0]["S1"]
    return found.doubts, found.warnings


def test_an_interval_that_another_date_contradicts_holds_the_visit_that_hangs_on_it() -> None:
    """30 days by StudyDate, 30 + 366 by AcquisitionDate: 2024 is a leap year."""
    (doubt,), warnings = _said(_acquired(0, 0), _acquired(30, 396))
    assert (doubt.refusal.code, doubt.refusal.visit) == ("dates_contradict", "one_month")
    assert doubt.refusal.reason == (
        "By StudyDate the study of 2024-01-31 is 30 days from that of 2024-01-01, by AcquisitionDate 396 days: is it "
        "one month?"
    )
    assert not warnings


def test_an_interval_that_changes_no_visit_is_a_warning() -> None:
    """By both dates the study is 14 to 45 days after baseline."""
    doubts, (warning,) = _said(_acquired(0, 0), _acquired(30, 40))
    assert not doubts
    assert warning.endswith("is 30 days from that of 2024-01-01, by AcquisitionDate 40 days")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (0, 30), (0, 33), (1, 30),  # after midnight, or stored some days later
        (-400, -370), (777, 807),  # shifted alike in de-identification
        (-400, -373),
        (None, 396), (0, None),
        (-9000, -9000),  # one day in place of all
    ],
)  # fmt: skip
def test_what_is_usual_says_nothing(first: int | None, then: int | None) -> None:
    assert _said(_acquired(0, first), _acquired(30, then)) == ((), ())


def test_the_picture_that_agrees_counts_among_several() -> None:
    later = _acquired(30, 30)
    odd = replace(later.instances[0], path="S1/d30/9.dcm", sop_instance_uid="1.2.9", dates=OtherDates(DAY))
    assert _said(_acquired(0, 0), replace(later, instances=(odd, *later.instances))) == ((), ())


def test_the_date_of_the_content_counts_where_none_is_of_the_acquisition() -> None:
    later = DAY + timedelta(days=396)
    (doubt,), _ = _said(_with(0, OtherDates(content=DAY)), _with(30, OtherDates(content=later)))
    assert "by ContentDate 396 days" in doubt.refusal.reason
    taken = DAY + timedelta(days=30)
    both = (_with(0, OtherDates(DAY, DAY)), _with(30, OtherDates(taken, later)))
    assert _said(*both) == ((), ())


def test_without_a_schedule_the_order_of_the_studies_is_what_matters() -> None:
    doubts, _ = _said(_acquired(0, 366), _acquired(30, 30), schedule=None)
    assert [doubt.refusal.visit for doubt in doubts] == ["day_30"]
    doubts, warnings = _said(_acquired(0, 0), _acquired(30, 396), schedule=None)
    assert (len(doubts), len(warnings)) == (0, 1)


def test_a_study_beside_the_schedule_holds_the_visit_that_it_may_be() -> None:
    doubts, _ = _said(_acquired(0, 0), _acquired(20, 20), _acquired(100, 30))
    assert [doubt.refusal.visit for doubt in doubts] == ["one_month"]


def test_a_manifest_that_names_the_visits_leaves_a_warning(tmp_path: Path) -> None:
    said = manifest(tmp_path, "S1/d0,,baseline,,", "S1/d30,,one_month,,")
    found = assign(_acquired(0, 0), _acquired(30, 396), manifest=said)[0]["S1"]
    assert not found.doubts
    assert len(found.warnings) == 1


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
@pytest.mark.parametrize(
    ("born", "days"),
    [("20231225", 7), ("20240115", -14), ("20240101", None), ("", None), ("20241301", None), ("2023", None)],
)
def test_an_age_is_known_by_a_whole_birth_date_alone(born: str, days: int | None) -> None:
    header = Dataset()
    header.PatientBirthDate = born
    assert other_dates(header, DAY, original=True).age_days == days
    header.PatientIdentityRemoved = "YES"
    assert other_dates(header, DAY, original=True).age_days is None


def test_dates_beside_that_of_the_study_are_read() -> None:
    header = Dataset()
    header.AcquisitionDateTime, header.ContentDate = "20240131120000.5", "20240201"
    read = other_dates(header, DAY, original=True)
    assert (read.acquisition, read.content) == (date(2024, 1, 31), date(2024, 2, 1))
    assert other_dates(header, DAY, original=False).content is None


@pytest.mark.parametrize(
    ("age", "told"),
    [(-2, "before"), (-366, "before"), (43_831, "more than 120 years after"), (-1, ""), (0, ""), (43_830, "")],
)
def test_a_scan_before_birth_or_at_an_impossible_age_is_told(age: int, told: str) -> None:
    """120 years of 365.25 days are 43,830 days."""
    _, warnings = _said(_with(0, OtherDates(age_days=age)), study(30))
    expected = [f"the study of 2024-01-01 is dated {told} the birth date in its header"] if told else []
    assert list(warnings) == expected


def test_files_whose_dates_contradict_each_other_hold_the_verdict(children: Path) -> None:
    for visit, born in (("baseline", "20350303"), ("one_month", "")):
        for file in (children / "scans" / "SIM-04" / visit).iterdir():
            dataset = dcmread(file)
            day = date.fromisoformat(dataset.StudyDate)
            dataset.pop("ClinicalTrialTimePointID", None)
            dataset.AcquisitionDate = (day if visit == "baseline" else day - timedelta(days=365)).strftime("%Y%m%d")
            dataset.PatientBirthDate, dataset.PatientIdentityRemoved = born, "NO"
            dataset.save_as(file)
    held = _measured(children)
    assert [r.code for r in held.review] == ["dates_contradict"]
    assert not held.response.certain
    assert any("is dated before the birth date" in warning for warning in held.warnings)
