"""A pairing that is exactly as sure as `pairing.min_confidence` asks for no review; the least bit below it does."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import make
from lesion_measure.config import Config, Entry
from lesion_measure.config import Pairing as Settings
from lesion_measure.errors import PixelError
from lesion_measure.lesions.naming import Named, VisitReadings, name_lesions
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    Fate,
    LesionMeasurement,
    LesionStatus,
    NamedBy,
    Naming,
    PlaneMeasurement,
    Source,
    SubjectResult,
)
from lesion_measure.report.checks import checks
from lesion_measure.report.views import subject_view
from lesion_measure.verdict.change import compare_subject
from lesion_measure.verdict.entry import entry_criteria
from lesion_measure.verdict.fates import statuses

BEFORE = VisitReadings(model=[make.plane(30, 24, source=Source.MODEL, sop="b")])
ONE = make.plane(22, 18, source=Source.MODEL, sop="m", at=(310.0, 440.0))
TWO = [
    make.plane(9, 7, source=Source.MODEL, sop="m", at=(150.0, 200.0)),
    make.plane(22, 18, source=Source.MODEL, sop="m", at=(310.0, 440.0)),
]
LEAST = Settings().min_confidence
AT_OR_BELOW = pytest.mark.parametrize(("confidence", "sure"), [(LEAST, True), (math.nextafter(LEAST, 0), False)])


def asking(confidence: float) -> Settings:
    """Settings that ask for this confidence."""
    return Settings(min_confidence=confidence, least_confidence=0.01)


def of_a_pair(confidence: float) -> Naming:
    return Naming(by=NamedBy.PAIRED, confidence=confidence)


def named(after: VisitReadings, settings: Settings) -> Named:
    return name_lesions("S1", {BASELINE: BEFORE, ONE_MONTH: after}, {}, settings)


@pytest.mark.parametrize(("planes", "by"), [([ONE], NamedBy.ONLY), (TWO, NamedBy.PAIRED)])
def test_of_a_name(planes: list[PlaneMeasurement], by: NamedBy) -> None:
    """The child's only lesion, and lesions that were told from one another: `naming` and `follow`."""

    def found(settings: Settings) -> Named:
        return named(VisitReadings(model=list(planes)), settings)

    least = min(p.naming.confidence or 0.0 for p in found(Settings()).visits[ONE_MONTH].model)
    assert {p.naming.by for p in found(Settings()).visits[ONE_MONTH].model} == {by}
    assert 0.01 < least < 1
    assert not found(asking(least)).refusals
    assert [r.code for r in found(asking(math.nextafter(least, 1))).refusals] == ["pairing_unsure"]


@AT_OR_BELOW
def test_of_a_lesions_fate(confidence: float, sure: bool) -> None:
    lesions = [
        make.lesion(20),
        make.lesion(15, ONE_MONTH, planes=(make.plane(15, naming=of_a_pair(confidence)),)),
    ]
    (status,) = statuses(lesions, (BASELINE, ONE_MONTH), (), (), Settings())
    assert status.fate is Fate.SAME
    assert status.needs_check is not sure


@AT_OR_BELOW
def test_of_the_shrinkage_before_entry(confidence: float, sure: bool) -> None:
    lesions = [make.lesion(30, SCREENING, cv=0.01), make.lesion(29, cv=0.01)]
    changes, _ = compare_subject("S1", lesions, visits=(SCREENING, BASELINE))
    change = replace(changes[0], lesion=None, pairing_confidence=confidence)
    found = entry_criteria(Entry(), None, change, "", LEAST)
    (shrinkage,) = [each for each in found if each.name == "shrinkage before entry"]
    assert shrinkage.certain is sure


def questions(lesions: list[LesionMeasurement]) -> tuple[LesionStatus, list[str]]:
    """What became of the only lesion, and what the report asks a person about it."""
    (status,) = statuses(lesions, (BASELINE, ONE_MONTH), (), (), Settings())
    record = SubjectResult(
        subject="S1", visits={}, lesions=tuple(lesions), changes=(), response=None, review=(),
        statuses=(status,),
    )  # fmt: skip

    def no_picture(sop: str, frame: int) -> object:
        raise PixelError("It is not here.", remedy="")

    view = subject_view(record, (), Config())
    return status, [check.question for check in checks(view, {}, no_picture, Config())]  # type: ignore[arg-type]


@AT_OR_BELOW
def test_of_the_question_whether_a_vanished_lesion_is_the_same(confidence: float, sure: bool) -> None:
    """No second picture answers whether a lesion is gone, but one may answer which lesion it was."""
    gone = make.lesion(0, ONE_MONTH, source=Source.MODEL, reader="network")
    before = make.lesion(20, planes=(make.plane(20, naming=of_a_pair(confidence)),))
    status, asked = questions([before, gone])
    assert (status.fate, status.needs_check) == (Fate.DISAPPEARED, True)  # until a reader confirms it
    assert bool(asked) is not sure
