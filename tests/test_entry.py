"""Entry criteria: met, not met, not known, and how sure that is."""

from __future__ import annotations

from dataclasses import replace

import pytest

import make
from lesion_measure.config import Config, Entry
from lesion_measure.records import (
    BASELINE,
    DAYS_PER_MONTH,
    ONE_MONTH,
    SCREENING,
    TRIAL,
    Change,
    Criterion,
    Enrolled,
    Met,
    Metric,
    NamedBy,
    Naming,
    SubjectVisits,
)
from lesion_measure.verdict.change import change_of
from lesion_measure.verdict.entry import entry_criteria
from lesion_measure.verdict.subject import judge_child

MET, NOT_MET, NOT_KNOWN = Met.MET, Met.NOT_MET, Met.NOT_KNOWN


def shrunk(percent: float, cv: float = 0.02) -> Change:
    """A change of the sum of diameters from screening to baseline."""
    before, after = make.quantity(40, cv), make.quantity(40 * (1 + percent / 100), cv)
    return change_of(
        before, after, subject="S1", lesion=None, metric=Metric.SUM_OF_DIAMETERS, visit=BASELINE
    )  # fmt: skip


def criterion(
    name: str, enrolled: Enrolled | None = None, change: Change | None = None, **settings: object
) -> Criterion:
    every = entry_criteria(Entry(**settings), enrolled, change, "there is no screening scan")  # type: ignore[arg-type]
    return next(c for c in every if c.name == name)


@pytest.mark.parametrize(
    ("months", "met"), [(0.9, NOT_MET), (1, MET), (12, MET), (36, MET), (36.1, NOT_MET), (None, NOT_KNOWN)]
)
def test_age(months: float | None, met: Met) -> None:
    days = None if months is None else months * DAYS_PER_MONTH
    found = criterion("age at baseline", Enrolled(subject="S1", age_days=days))
    assert found.met is met
    assert found.asked == "1 to 36 months"
    assert found.found == ("age not given" if months is None else f"{months:.1f} months")


@pytest.mark.parametrize(
    ("percent", "met", "certain"),
    [(-10, MET, True), (-29, MET, False), (-31, NOT_MET, False), (-50, NOT_MET, True), (20, MET, True)],
)
def test_shrinkage_before_entry_against_the_line_with_its_interval(percent: float, met: Met, certain: bool) -> None:
    found = criterion("shrinkage before entry", change=shrunk(percent))
    assert (found.met, found.certain) == (met, certain)
    assert f"{percent:+.1f} %, 95 % interval" in found.found


def test_what_was_found_is_not_rounded_onto_the_line_that_it_misses() -> None:
    found = criterion("shrinkage before entry", change=shrunk(-30.02))
    assert found.met is NOT_MET
    assert "-30.02 %, 95 % interval" in found.found
    old = criterion("age at baseline", Enrolled(subject="S1", age_days=36.02 * DAYS_PER_MONTH))
    assert (old.met, old.found) == (NOT_MET, "36.02 months")


@pytest.mark.parametrize("size", [10.1, 33.3, 40.0])
@pytest.mark.parametrize(("may", "met"), [(True, MET), (False, NOT_MET)])
def test_exactly_the_line_is_a_setting_that_is_said(size: float, may: bool, met: Met) -> None:
    change = change_of(
        make.quantity(size), make.quantity(0.7 * size), subject="S1", lesion=None, metric=Metric.SUM_OF_DIAMETERS
    )
    found = criterion("shrinkage before entry", change=change, exactly_that_may_enter=may)
    assert found.met is met
    assert found.asked == f"less than 30 %; exactly 30 % {'may' if may else 'may not'} enter"


def test_a_tumour_that_was_gone_before_entry_does_not_enter() -> None:
    gone = change_of(
        make.quantity(40), make.quantity(0), subject="S1", lesion=None, metric=Metric.SUM_OF_DIAMETERS
    )  # fmt: skip
    found = criterion("shrinkage before entry", change=gone)
    assert (found.met, found.certain) == (NOT_MET, True)


def test_without_a_screening_scan_nothing_is_known_and_the_reason_is_said() -> None:
    found = criterion("shrinkage before entry")
    assert (found.met, found.found, found.certain) == (NOT_KNOWN, "there is no screening scan", None)


@pytest.mark.parametrize(
    ("flag", "met", "words"),
    [(True, NOT_MET, "stated: yes"), (False, MET, "stated: no"), (None, NOT_KNOWN, "not stated")],
)
def test_an_empty_cell_is_not_a_no(flag: bool | None, met: Met, words: str) -> None:
    found = criterion("no Kasabach-Merritt phenomenon", Enrolled(subject="S1", flags={"kasabach_merritt": flag}))
    assert (found.met, found.found) == (met, words)


def test_a_child_outside_the_table_is_not_known() -> None:
    every = entry_criteria(Entry(), None, None, "there is no screening scan")
    assert {c.met for c in every} == {NOT_KNOWN}
    assert [c.name for c in every] == [
        "age at baseline", "shrinkage before entry", "no hepatoblastoma", "no resection",
        "no Kasabach-Merritt phenomenon", "no missing data",
    ]  # fmt: skip


def test_a_protocol_that_asks_for_nothing_has_no_criteria() -> None:
    nothing = Entry(age_months=None, prior_shrinkage_percent=None, exclusions=())
    assert entry_criteria(nothing, None, shrunk(-50), "") == ()


@pytest.mark.parametrize(("confidence", "certain"), [(None, True), (0.93, True), (0.92, False)])
def test_a_shrinkage_that_rests_on_an_unsure_pairing_is_not_certain(confidence: float | None, certain: bool) -> None:
    change = replace(shrunk(-50), pairing_confidence=confidence)
    every = entry_criteria(Entry(), None, change, "", 0.93, first="three months before")
    assert "from three months before to baseline" in every[1].found
    found = next(c for c in every if c.name == "shrinkage before entry")
    assert (found.met, found.certain, found.pairing_confidence) == (NOT_MET, certain, confidence)
    assert ("paired automatically" in found.found) == (confidence is not None)
    assert ("asks for review" in found.found) == (not certain)


@pytest.mark.parametrize(("screening", "baseline", "confidence"), [(0.8, 0.99, 0.8), (None, None, None)])
def test_the_pairing_of_screening_and_baseline_reaches_the_criterion(
    screening: float | None, baseline: float | None, confidence: float | None
) -> None:
    """Of two lesions that nobody named, the less certain pairing; that to one month does not concern entry."""
    sure = {SCREENING: screening, BASELINE: baseline, ONE_MONTH: 0.5}
    mm = {SCREENING: 20, BASELINE: 19, ONE_MONTH: 10}
    lesions = []
    for visit, known in sure.items():
        naming = Naming(by=NamedBy.READER if known is None else NamedBy.PAIRED, confidence=known)
        plane = make.plane(mm[visit], 10, naming=naming)
        lesions.append(make.lesion(mm[visit], visit, planes=(plane,)))
    child = SubjectVisits(subject="S1", visits=dict.fromkeys(TRIAL.names, ()), sources={})
    result = judge_child(child, tuple(lesions), (), (), [], config=Config())
    found = next(c for c in result.entry if c.name == "shrinkage before entry")
    assert found.met is MET
    assert found.pairing_confidence == confidence
    assert found.certain is (confidence is None)
