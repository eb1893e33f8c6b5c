"""PatientSex and birth dates that differ between a subject's visits: perhaps another child's pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from lesion_measure.records import Instance, OtherDates, Study
from lesion_measure.studies.persons import stated_sex
from lesion_measure.tables.manifest import Manifest
from test_descriptions import _measured
from test_doubts import children
from test_visits import DAY, assign, manifest, study

__all__ = ["children"]


def _of(days: int, change: Callable[[Instance], Instance]) -> Study:
    plain = study(days)
    return replace(plain, instances=tuple(map(change, plain.instances)))


def _sex(days: int, sex: str) -> Study:
    return _of(days, lambda image: replace(image, sex=sex))


def _aged(days: int, age: int | None) -> Study:
    """``age`` by the birth date in the header, in days."""
    return _of(days, lambda image: replace(image, dates=OtherDates(age_days=age)))


def _told(*studies: Study, manifest: Manifest | None = None) -> list[tuple[str, str | None, str]]:
    doubts = assign(*studies, manifest=manifest)[0]["S1"].doubts
    return [(d.refusal.code, d.refusal.visit, d.refusal.reason.partition(" in the")[0]) for d in doubts]


def test_another_sex_holds_the_visit() -> None:
    assert _told(_sex(0, "F"), _sex(30, "M")) == [("patient_differs", "one_month", "PatientSex is F and M")]


def test_two_sexes_at_baseline_hold_every_visit() -> None:
    both = study(0, images=2)
    one, other = both.instances
    mixed = replace(both, instances=(replace(one, sex="M"), replace(other, sex="F")))
    assert _told(mixed, _sex(30, "M")) == [("patient_differs", None, "PatientSex is F and M")]


def test_another_birth_date_holds_the_visit_and_is_not_told() -> None:
    """201 days old on day 0, and 437 on day 30: born 206 days earlier."""
    told = _told(_aged(0, 201), _aged(30, 437))
    assert told == [("patient_differs", "one_month", "Birth dates 206 days apart stand")]


def _born(days: int, born: date) -> Study:
    return _aged(days, (DAY + timedelta(days=days) - born).days)


@pytest.mark.parametrize(
    ("born", "told"),
    [
        (date(2023, 6, 10), True),
        (date(2023, 6, 13), False),  # a midnight in another time zone
        (date(2023, 6, 1), False),  # the month alone is left
        (date(2023, 7, 1), False),
        (date(2023, 6, 15), False),
        (date(1111, 11, 11), False),  # what stands where none is known
        (date(1900, 1, 2), False),
        (date(2099, 12, 31), False),
    ],
)
def test_birth_dates_that_are_none_or_cut_off_are_not_compared(born: date, told: bool) -> None:
    for studies in ((_born(0, date(2023, 6, 12)), _born(30, born)), (_born(0, born), _born(30, date(2023, 6, 12)))):
        assert bool(_told(*studies)) == told


@pytest.mark.parametrize(
    "studies",
    [
        (_sex(0, "F"), _sex(30, "F")),
        (_sex(0, ""), _sex(30, "M")),
        (_sex(0, "M"), _sex(30, "")),
        (_aged(0, 201), _aged(30, 231)),
        (_aged(0, None), _aged(30, 231)),
    ],
)
def test_what_agrees_or_is_not_told_says_nothing(studies: tuple[Study, ...]) -> None:
    assert _told(*studies) == []


def test_a_manifest_that_names_the_subject_settles_it(tmp_path: Path) -> None:
    said = manifest(tmp_path, "S1/d0,S1,baseline,,", "S1/d30,S1,one_month,,")
    assert _told(_sex(0, "F"), _sex(30, "M"), manifest=said) == []


@pytest.mark.parametrize(("stated", "read"), [("F", "F"), ("m", "M"), ("O", ""), ("", ""), ("FEMALE", "")])
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_sex_is_one_of_two(stated: str, read: str) -> None:
    header = Dataset()
    header.PatientSex = stated
    assert stated_sex(header) == read


def test_files_of_another_sex_hold_the_verdict(children: Path) -> None:
    for file in (children / "scans" / "SIM-04" / "one_month").iterdir():
        dataset = dcmread(file)
        dataset.PatientSex = "M" if dataset.PatientSex == "F" else "F"
        dataset.save_as(file)
    child = _measured(children)
    assert [each.code for each in child.review] == ["patient_differs"]
    assert child.response is not None
    assert not child.response.certain
