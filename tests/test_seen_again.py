"""Disease that is back after a complete response: what its progression rests on, and when the response ends.

RECIST 1.1 (Eur J Cancer 2009;45:228-247), footnote of table 3: seen again after a complete response, it has progressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

import make
from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    Doubt,
    LesionMeasurement,
    Plane,
    Refusal,
    Source,
    Status,
    SubjectVisits,
)
from lesion_measure.verdict.response import assess
from lesion_measure.verdict.subject import judge_child
from lesion_measure.verdict.time_point import ObservedVisit, Sizes
from test_course import DAYS, FROM_BASELINE, NO_LIMIT, RULE, SCHEDULE, course, judged, measured, study

CR, PD, NEITHER = Status.CR, Status.PD, Status.NON_CR_NON_PD
SMALL = {"targets": {"min_diameter_mm": 10}}
UNSURE = 0.1
VISITS = (BASELINE, "week_4", "week_8")


def gone(visit: str, name: str = "L1") -> LesionMeasurement:
    return make.lesion(0, visit, name, subject="S1")


def sagittal(lesion: LesionMeasurement) -> LesionMeasurement:
    return replace(lesion, planes=tuple(replace(p, plane=Plane.SAGITTAL) for p in lesion.planes))


def by_network(lesion: LesionMeasurement) -> LesionMeasurement:
    return replace(lesion, source=Source.MODEL)


TARGET = (measured(40, BASELINE, 1), gone("week_4"))
OTHER = (measured(8, BASELINE, 1, "L2"), gone("week_4", "L2"))


@pytest.mark.parametrize(
    ("lesions", "certain"),
    [
        ((*TARGET, *OTHER, gone("week_8"), measured(6, "week_8", 1, "L2", UNSURE)), False),
        ((*TARGET, *OTHER, gone("week_8"), measured(6, "week_8", 1, "L2", 0.99)), True),
        ((*TARGET, *OTHER, gone("week_8"), measured(6, "week_8", 1, "L2")), True),
        ((*OTHER, measured(6, "week_8", 1, "L2", UNSURE)), False),  # no targets
        ((*OTHER, measured(6, "week_8", 1, "L2", 0.99)), True),
        ((*TARGET, sagittal(measured(9, "week_8", 1, sure=UNSURE))), False),  # no size to compare
        ((*TARGET, sagittal(measured(9, "week_8", 1, sure=0.99))), True),
        # one lesion that is surely back is enough
        ((*TARGET, *OTHER, measured(9, "week_8", 1), measured(6, "week_8", 1, "L2", UNSURE)), True),
        # ... where a reader saw it: the network's pairing is sure, the reader's is not
        (
            (*TARGET, *OTHER, sagittal(by_network(measured(9, "week_8", 1))), measured(6, "week_8", 1, "L2", UNSURE)),
            False,
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rule", [{}, FROM_BASELINE], ids=["smallest so far", "baseline"])
def test_disease_that_is_back_by_an_unsure_pairing_is_no_certain_progression(
    lesions: Sequence[LesionMeasurement], certain: bool, rule: dict[str, object]
) -> None:
    """Where the pairing is wrong, the lesion is perhaps another one, which nobody has stated to be new."""
    found = judged(lesions, VISITS, **SMALL, **rule)
    assert [(a.overall, a.certain) for a in found.assessments] == [(CR, True), (PD, certain)]
    assert ("which asks for review" in found.assessments[-1].why) is not certain


@pytest.mark.parametrize(
    ("new", "non_target", "certain"), [((), None, False), (("N1",), None, True), ((), PD, True)],
    ids=["nothing else", "a new lesion", "other lesions"],
)  # fmt: skip
@pytest.mark.parametrize("unread", [True, False])
def test_progression_that_a_reader_states_stays_certain_whoever_saw_the_old_lesion(
    new: tuple[str, ...], non_target: Status | None, certain: bool, unread: bool
) -> None:
    """The target of 40 mm is gone in week 4, and 9 mm in week 8."""
    rule = Config.model_validate({"comparison": {"rule": "r", "rules": {"r": RULE}}}).comparison.applied_rule
    first, last = (Sizes(make.quantity(40, 0.001), make.quantity(mm, 0.001)) for mm in (0, 9))
    points = (
        ObservedVisit(visit="week_4", days=28, sizes=first),
        ObservedVisit(
            visit="week_8", days=56, sizes=last, remaining=True, unread=unread, new=new, non_target=non_target
        ),
    )
    found = assess(points, rule)[-1]
    assert found.overall is PD
    assert found.certain is (certain or not unread)
    assert ("the network alone" in found.why) is not found.certain
    assert "seen again after the complete response at week 4" in found.why


@pytest.mark.parametrize(
    ("rule", "statuses", "duration", "ended"),
    [(NO_LIMIT, [CR, NEITHER, NEITHER], 28, True), ({}, [CR, PD, PD], 28, True)],
    ids=["no limit of growth", "limit of growth"],
)
def test_without_targets_a_response_ends_where_the_disease_is_back(
    rule: dict[str, object], statuses: list[Status], duration: int, ended: bool
) -> None:
    """8 mm, too small for a target: gone on day 28, back on days 56 and 84. It lasted from day 28 to day 56."""
    found = course({v: {"L1": mm} for v, mm in zip(DAYS, (8, 0, 6, 7), strict=False)}, **SMALL, **rule)
    assert [a.overall for a in found.assessments] == statuses
    assert found.course is not None
    assert (found.course.days, found.course.duration_days, found.course.ended) == (28, duration, ended)
    assert found.assessments[0].why == "no target lesion"
    assert found.assessments[1].why.startswith("no target lesion; seen again after the complete response at week 4")


@pytest.mark.parametrize("code", ["no_scale", "not_assessable"])
@pytest.mark.parametrize("lost", ["L1", "L2"], ids=["target", "other lesion"])
def test_a_lesion_without_a_size_after_a_complete_response_is_not_evaluated_and_waits(code: str, lost: str) -> None:
    """Gone in week 4. In week 8 one lesion has no size, and the reader states that the other one is gone."""
    refusal = Refusal(code=code, reason="There is no size.", subject="S1", visit="week_8", lesion=lost)
    config = Config.model_validate({"comparison": {"rule": "r", "rules": {"r": RULE | SMALL}}})
    child = SubjectVisits(subject="S1", visits={v: (study(v),) for v in VISITS}, sources={}, schedule=SCHEDULE)
    lesions = (*TARGET, *OTHER, gone("week_8", "L1" if lost == "L2" else "L2"))
    found = judge_child(child, lesions, (), (), [], config=config, doubts=(Doubt(refusal, seen=True),))
    last = found.assessments[-1]
    assert (last.target, last.non_target) == ((Status.NE, CR) if lost == "L1" else (CR, Status.NE))
    assert (last.overall, last.certain) == ((Status.NE, None) if lost == "L1" else (Status.PR, False))
    assert "seen again" not in last.why
    assert code in {r.code for r in found.review}
    assert found.course is not None
    assert (found.course.days, found.course.ended) == (28, False)
