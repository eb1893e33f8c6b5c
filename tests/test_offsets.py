"""LongitudinalTemporalOffsetFromEvent (PS3.3 C.7.2.3): stated days, held against dates and visits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from lesion_measure.records import TRIAL, OtherDates, Schedule, Study
from lesion_measure.studies.other_dates import other_dates
from lesion_measure.tables.manifest import Manifest
from test_descriptions import _measured
from test_doubts import children
from test_visits import DAY, assign, manifest, study

__all__ = ["children"]


def _at(days: int | None, offset: float | None, *, event: str = "BASELINE", point: str | None = None) -> Study:
    plain = study(days, name=f"d{days}{point or ''}", point=point)
    dates = OtherDates() if offset is None else OtherDates(offset_days=offset, offset_event=event)
    return replace(plain, instances=tuple(replace(image, dates=dates) for image in plain.instances))


def _told(
    *studies: Study, schedule: Schedule | None = TRIAL, manifest: Manifest | None = None
) -> tuple[list[tuple[str, str | None]], int]:
    """Codes and visits of the doubts, and how many warnings there are."""
    found = assign(*studies, schedule=schedule, manifest=manifest)[0]["S1"]
    return [(doubt.refusal.code, doubt.refusal.visit) for doubt in found.doubts], len(found.warnings)


@pytest.mark.parametrize("event", ["BASELINE", "ENROLLMENT"])
@pytest.mark.parametrize(("first", "then"), [(0, 91), (2, 93.4)])
def test_days_from_an_event_that_contradict_the_dates_hold_the_visit(event: str, first: float, then: float) -> None:
    """30 days by date; 91 from the same event, whatever that is: the 1-month visit ends on day 45."""
    found = assign(_at(0, first, event=event), _at(30, then, event=event))[0]["S1"]
    (doubt,) = found.doubts
    assert (doubt.refusal.code, doubt.refusal.visit) == ("dates_contradict", "one_month")
    assert "is 30 days from that of 2024-01-01, by LongitudinalTemporalOffsetFromEvent 91 days" in doubt.refusal.reason


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (0, 30), (-2, 31), (0, 33), (3, 33),
        (None, 30), (0, None),
        (91, 91), (0, 0),  # one day in place of all
    ],
)  # fmt: skip
def test_days_that_agree_say_nothing(first: float | None, then: float | None) -> None:
    assert _told(_at(0, first), _at(30, then)) == ([], 0)


def test_days_from_two_events_are_not_compared() -> None:
    assert _told(_at(0, 0), _at(30, 91, event="ENROLLMENT")) == ([], 0)


@pytest.mark.parametrize(("first", "told"), [(30, True), (4, True), (3, False), (-28, False), (-29, True)])
def test_a_first_study_on_another_day_than_baseline_holds_every_visit(first: float, told: bool) -> None:
    """The true baseline is not here: the later study is the second month's."""
    assert _told(_at(0, first), _at(30, first + 30)) == ([("offset_contradicts", None)] if told else [], 0)
    assert _told(_at(0, first), _at(30, None)) == ([("offset_contradicts", None)] if told else [], 0)


@pytest.mark.parametrize(("then", "told"), [(91, True), (45, False), (13, True), (14, False)])
def test_a_time_point_without_a_date_is_held_against_its_window(then: float, told: bool) -> None:
    """The window of the 1-month visit is day 14 to 45."""
    doubts, _ = _told(_at(None, 0, point="baseline"), _at(None, then, point="one_month"))
    assert doubts == ([("offset_contradicts", "one_month")] if told else [])


def test_a_manifest_or_no_schedule_leaves_a_warning(tmp_path: Path) -> None:
    said = manifest(tmp_path, "S1/d0,,baseline,,", "S1/d30,,one_month,,")
    assert _told(_at(0, 30), _at(30, 60), manifest=said) == ([], 1)
    assert _told(_at(0, 30), _at(30, 60), schedule=None) == ([], 1)


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize(
    ("days", "event", "read"),
    [
        (30.5, "BASELINE", (30.5, "BASELINE")),
        (0.0, "enrollment", (0.0, "ENROLLMENT")),
        (30.0, "", (None, "")),
        (None, "BASELINE", (None, "")),
        (1e300, "BASELINE", (None, "")),
    ],
)
def test_the_header_states_days_and_event_together(
    days: float | None, event: str, read: tuple[float | None, str]
) -> None:
    header = Dataset()
    header.LongitudinalTemporalOffsetFromEvent, header.LongitudinalTemporalEventType = days, event
    found = other_dates(header, DAY, original=True)
    assert (found.offset_days, found.offset_event) == read


def test_files_whose_days_contradict_their_dates_hold_the_verdict(children: Path) -> None:
    """SIM-04 with both visits stated two months later than they are: it may lack its baseline."""
    for visit, day in (("baseline", 61.0), ("one_month", 91.0)):
        for file in (children / "scans" / "SIM-04" / visit).iterdir():
            dataset = dcmread(file)
            dataset.LongitudinalTemporalOffsetFromEvent, dataset.LongitudinalTemporalEventType = day, "BASELINE"
            dataset.save_as(file)
    child = _measured(children)
    assert "offset_contradicts" in [each.code for each in child.review]
    assert child.response is None or not child.response.certain
