"""PatientAge, held against the birth date of its header and against the order of a child's visits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from lesion_measure.records import OtherDates, Study
from lesion_measure.studies.ages import days_of, stated_age
from lesion_measure.studies.load import load_studies
from lesion_measure.studies.other_dates import other_dates
from sample_runs import SAMPLES
from test_descriptions import _measured
from test_doubts import children
from test_other_dates import _said
from test_visits import DAY, assign, manifest, study

__all__ = ["children"]


def _aged(days: int, *ages: str, born: int | None = None) -> Study:
    """A study whose pictures state these ages, of a child of so many days by its birth date."""
    plain = study(days)
    first = plain.instances[0]
    images = [
        replace(
            first, path=f"{first.path}{i}", sop_instance_uid=f"{first.sop_instance_uid}.{i}",
            dates=OtherDates(age_days=born, stated_age=stated_age(age)),
        )
        for i, age in enumerate(ages)
    ]  # fmt: skip
    return replace(plain, instances=tuple(images))


@pytest.mark.parametrize(
    ("text", "age"),
    [("003M", "003M"), ("3M", "003M"), ("012w ", "012W"), ("045D", "045D"), ("001Y", "001Y"), ("089Y", "089Y"),
     ("000Y", ""), ("000M", ""), ("090Y", ""), ("999Y", ""), ("", ""), ("36", ""), ("3 months", ""), ("1003M", "")],
)  # fmt: skip
def test_an_age_is_read_where_one_is_told(text: str, age: str) -> None:
    header = Dataset()
    header.add_new("PatientAge", "SH", text)
    assert stated_age(text) == age
    assert other_dates(header, DAY, original=True).stated_age == age


@pytest.mark.parametrize(
    ("age", "least", "most"),
    [("045D", 44.5, 46), ("012W", 80.5, 91), ("003M", 76.09375, 121.75), ("001Y", 182.625, 730.5)],
)
def test_the_days_of_an_age(age: str, least: float, most: float) -> None:
    """12 weeks are 84 days, half a week less, a week more; a month has 365.25 / 12 = 30.4375 days."""
    assert days_of(age) == (least, most)


@pytest.mark.parametrize(
    ("age", "born", "told"),
    [
        ("003M", 100, ""), ("003M", 77, ""), ("003M", 121, ""),  # rounded up or cut off
        ("003M", 46, ""), ("003M", 45, "1 months"),  # 76.1 - 31 = 45.1
        ("003M", 213, ""), ("003M", 214, "7 months"),  # 121.75 + 92 = 213.75
        ("001Y", 152, ""), ("001Y", 151, "5 months"),  # 182.6 - 31 = 151.6
        ("001Y", 822, ""), ("001Y", 823, "27 months"),  # 730.5 + 92 = 822.5
        ("045D", 138, ""), ("045D", 139, "5 months"),
        ("003M", 30_000, "986 months"), ("", 30_000, ""),
    ],
)  # fmt: skip
def test_an_age_that_the_birth_date_contradicts_is_a_warning(age: str, born: int, told: str) -> None:
    doubts, warnings = _said(_aged(0, age, born=born), study(30))
    said = f"the study of 2024-01-01 states PatientAge {age}, by the birth date in its header {told}"
    assert not doubts
    assert list(warnings) == ([said] if told else [])


def test_an_age_that_an_earlier_study_states_is_a_copy() -> None:
    """240 days are 118 more than 4 months have."""
    assert _said(_aged(0, "003M", born=210), _aged(30, "003M", born=240)) == ((), ())
    assert len(_said(_aged(0, "004M", born=210), _aged(30, "003M", born=240))[1]) == 1


@pytest.mark.parametrize(
    ("first", "then", "held"),
    [
        ("007M", "008M", False), ("007M", "007M", False), ("007M", "006M", False),  # rounded up, then cut off
        ("007M", "005M", True),  # 6.5 to 8 months, then 4.5 to 6
        ("091D", "003M", False), ("130D", "003M", True),  # 129.5 days, then at most 121.75
        ("002Y", "012M", True),  # 547.9 days, then at most 395.7
        ("001Y", "006M", False),  # 182.6 days, then at most 213.1
        ("001Y", "000M", False), ("", "003M", False),
    ],
)  # fmt: skip
def test_ages_that_go_backwards_hold_every_visit(first: str, then: str, *, held: bool) -> None:
    doubts, warnings = _said(_aged(0, first), _aged(30, then))
    assert not warnings
    assert [(d.refusal.code, d.refusal.visit) for d in doubts] == ([("age_against_dates", None)] if held else [])
    if held:
        told = f"PatientAge is {first} at baseline and {then} at one month: which is first?"
        assert doubts[0].refusal.reason == told


def test_the_picture_whose_age_agrees_counts_among_several() -> None:
    assert _said(_aged(0, "009M", "003M"), _aged(30, "004M")) == ((), ())
    assert _said(_aged(0, "009M"), _aged(30, "003M", "010M")) == ((), ())


def test_two_later_visits_hold_each_other_and_not_baseline() -> None:
    doubts, _ = _said(_aged(0, ""), _aged(30, "009M"), _aged(90, "003M"), schedule=None)
    assert [doubt.refusal.visit for doubt in doubts] == ["day_30", "day_90"]


def test_a_manifest_that_names_the_visits_leaves_a_warning(tmp_path: Path) -> None:
    said = manifest(tmp_path, "S1/d0,,baseline,,", "S1/d30,,one_month,,")
    studies = [replace(s, instances=s.instances[:1]) for s in (_aged(0, "009M"), _aged(30, "003M"))]
    plain = [
        replace(s, instances=(replace(study(day).instances[0], dates=s.instances[0].dates),))
        for day, s in zip((0, 30), studies, strict=True)
    ]
    found = assign(*plain, manifest=said)[0]["S1"]
    assert (found.doubts, list(found.warnings)) == ((), ["PatientAge is 009M at baseline and 003M at one month"])


def test_the_samples_have_ages_and_no_contradiction() -> None:
    studies = load_studies(SAMPLES).studies
    assert {image.dates.stated_age for each in studies for image in each.instances} == {"004M", "007M", "011M", "016M"}
    children, _ = assign(*studies)
    assert not any("PatientAge" in warning for child in children.values() for warning in child.warnings)
    assert not any(doubt.refusal.code.startswith("age") for child in children.values() for doubt in child.doubts)


def test_files_whose_ages_go_backwards_hold_the_verdict(children: Path) -> None:
    for visit, age in (("baseline", "014M"), ("one_month", "007M")):
        for file in (children / "scans" / "SIM-04" / visit).iterdir():
            dataset = dcmread(file)
            dataset.pop("ClinicalTrialTimePointID", None)
            dataset.PatientAge = age
            dataset.save_as(file)
    held = _measured(children)
    assert [r.code for r in held.review] == ["age_against_dates"]
    assert not held.response.certain
