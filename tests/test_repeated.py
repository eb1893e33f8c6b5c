"""A second baseline some days after the first: the dates do not tell which one counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lesion_measure.records import NamedVisit, OtherDates, Study
from lesion_measure.tables.manifest import Manifest
from test_visits import assign, manifest, study


def _told(*studies: Study, manifest: Manifest | None = None, schedule: bool = True) -> list[str]:
    found = assign(*studies, manifest=manifest, **({} if schedule else {"schedule": None}))[0]["S1"]
    return [doubt.refusal.reason for doubt in found.doubts if doubt.refusal.code == "baseline_repeated"]


def test_a_baseline_that_was_scanned_again_is_asked_about() -> None:
    """The window of the 1-month visit is day 14 to 45: day 30 is 30 and 27 days after."""
    (reason,) = _told(study(0), study(3), study(30))
    assert reason == (
        "Baseline could be 2024-01-01, or 2024-01-04, 3 days later: one month fits its window from either."
    )


@pytest.mark.parametrize(
    "days",
    [
        (0, 30),
        (0, 13, 20),  # 7 days after the second one is no month
        (0, 3),
        (0, 30, 37),  # after the visit
    ],
)
def test_what_has_one_reading_is_not_asked_about(days: tuple[int, ...]) -> None:
    assert _told(*map(study, days)) == []


def test_a_baseline_of_the_day_before_is_told_in_words() -> None:
    assert "or 2024-01-02, the day after: " in _told(study(0), study(1), study(30))[0]


def _changed(days: int, **changes: object) -> Study:
    plain = study(days)
    return replace(plain, instances=tuple(replace(image, **changes) for image in plain.instances))  # type: ignore[arg-type]


def _offset(days: int, stated: float) -> Study:
    return _changed(days, dates=OtherDates(offset_days=stated, offset_event="BASELINE"))


@pytest.mark.parametrize(
    ("studies", "asked"),
    [
        ((study(0), _changed(7, named_visit=NamedVisit("1 week", 7)), study(30)), False),
        ((study(0), _changed(7, named_visit=NamedVisit("baseline", 0)), study(30)), True),
        ((_offset(0, 0), _offset(7, 7), _offset(30, 30)), False),
        ((_offset(0, -7), _offset(7, 0), _offset(30, 23)), True),
        ((study(0), _offset(7, 7), study(30)), True),
    ],
)
def test_an_early_follow_up_that_says_what_it_is_is_not_asked_about(studies: tuple[Study, ...], asked: bool) -> None:
    assert bool(_told(*studies)) == asked


def test_who_says_which_is_baseline_is_not_asked(tmp_path: Path) -> None:
    said = manifest(tmp_path, "S1/d0,,baseline,,", "S1/d30,,one_month,,")
    assert _told(study(0), study(3), study(30), manifest=said) == []
    labelled = (study(0, point="baseline"), study(3), study(30, point="one_month"))
    assert _told(*labelled) == []
    assert _told(study(0), study(3), study(30), schedule=False) == []
