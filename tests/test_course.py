"""A child's course over many visits, against tables written by hand from RECIST 1.1 (Eur J Cancer 2009;45:228-247).

Growth counts from the smallest sum so far, baseline included (4.3.1): 20 % and 5 mm more are progression. A new lesion
is progression (4.3.5). A response that the rule wants confirmed counts where it is seen again after 4 weeks (4.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

import make
from lesion_measure.config import Config
from lesion_measure.records import (
    BASELINE,
    LesionMeasurement,
    NamedBy,
    Naming,
    Plane,
    Schedule,
    Status,
    Study,
    SubjectResult,
    SubjectVisits,
    TimePoint,
)
from lesion_measure.verdict.subject import judge_child

DAYS = {BASELINE: 0, "week_4": 28, "week_8": 56, "week_12": 84, "week_16": 112}
SCHEDULE = Schedule(
    tuple(TimePoint(name=n, label=n, day=d, window=(d - 3, d + 3) if d else (0, 0)) for n, d in DAYS.items()), "week_4"
)
RULE = {
    "response_percent": -30, "progression_percent": 20, "progression_min_mm": 5, "progression_from": "nadir",
    "metric": "sum_of_diameters", "response_name": "PR", "stable_name": "SD", "complete_name": "CR",
    "progression_name": "PD", "source": "Eisenhauer 2009",
}  # fmt: skip
CR, PR, SD, PD, NE = Status.CR, Status.PR, Status.SD, Status.PD, Status.NE


def course(sizes: Mapping[str, Mapping[str, float]], **rule: object) -> SubjectResult:
    """A child whose lesions have these diameters in mm at each visit; 0: a reader states that it is gone."""
    lesions = [
        make.lesion(mm, visit, name, subject="S1", cv=0.001) for visit, at in sizes.items() for name, mm in at.items()
    ]
    return judged(lesions, sizes, **rule)


def judged(lesions: Sequence[LesionMeasurement], sizes: Iterable[str], **rule: object) -> SubjectResult:
    """The verdict on these lesions of a child that came to these visits, by the rule with what is changed of it."""
    config = Config.model_validate({"comparison": {"rule": "r", "rules": {"r": RULE | rule}}})
    child = SubjectVisits(subject="S1", visits={v: (study(v),) for v in sizes}, sources={}, schedule=SCHEDULE)
    return judge_child(child, tuple(lesions), (), (), [], config=config)


def study(visit: str) -> Study:
    day = date(2024, 1, 1) + timedelta(days=DAYS[visit])
    return Study(study_instance_uid=f"1.{DAYS[visit]}", subject="S1", study_date=day, time_point=None, instances=())


def one(*mm: float | None) -> dict[str, dict[str, float]]:
    """One lesion at the visits in order; None: the child did not come."""
    return {visit: {"L1": size} for visit, size in zip(DAYS, mm, strict=False) if size is not None}


@pytest.mark.parametrize(
    ("mm", "statuses", "nadirs", "from_nadir"),
    [
        # 100 -> 60: -40 %. 60 -> 71: +18 % from 60. 60 -> 73: +22 % and 13 mm from 60, though -27 % from baseline
        ((100, 60, 71, 73), [PR, SD, PD], [100, 60, 60], [-40, 100 * 11 / 60, 100 * 13 / 60]),
        # 10 -> 14 is +40 % and only 4 mm: no progression; 15 is 5 mm more
        ((20, 10, 14, 15), [PR, PR, PD], [20, 10, 10], [-50, 40, 50]),
        # a missed visit: the smallest of those that were is what counts
        ((50, 30, None, 37), [PR, PD], [50, 30], [-40, 100 * 7 / 30]),
        # growth from baseline, which is the smallest
        ((50, 59, 61), [SD, PD], [50, 50], [18, 22]),
    ],
)  # fmt: skip
def test_growth_counts_from_the_smallest_size_so_far(
    mm: tuple[float | None, ...], statuses: list[Status], nadirs: list[float], from_nadir: list[float]
) -> None:
    found = course(one(*mm))
    assert [a.overall for a in found.assessments] == statuses
    whole = [c for c in found.changes if c.lesion is None and c.metric == "sum_of_diameters"]
    assert [c.nadir.value for c in whole if c.nadir] == pytest.approx(nadirs)
    assert [c.percent_from_nadir for c in whole] == pytest.approx(from_nadir)
    assert [a.nadir for a in found.assessments] == pytest.approx(nadirs)


def test_a_later_visit_changes_nothing_of_an_earlier_one() -> None:
    mm = (100, 60, 73, 40, 0)
    whole = course(one(*mm))
    for count in range(2, len(mm)):
        part = course(one(*mm[:count]))
        assert part.assessments == whole.assessments[: count - 1]
        assert part.response == whole.response
        assert list(part.changes) == [c for c in whole.changes if c.visit in part.visits]


def test_a_new_lesion_is_progression_from_where_it_was_seen_first() -> None:
    """The reader looked for L2 at baseline and found nothing; it is measured from week 8 on."""
    sizes = one(100, 65, 60)
    sizes[BASELINE]["L2"] = 0
    sizes["week_8"]["L2"] = 12
    found = course(sizes)
    assert [(a.overall, a.new_lesions) for a in found.assessments] == [(PR, ()), (PD, ("L2",))]
    assert found.response is not None
    assert found.response.category == "PR"
    assert (found.best_response, found.course and found.course.ended) == ("PR", True)


@pytest.mark.parametrize(
    ("mm", "best", "expected"),
    [
        # confirmed after 28 days; from week 4 to progression in week 16 (65 -> 80 is +23 %)
        ((100, 65, 66, 67, 80), "PR", ("week_4", 28, 84, True)),
        # not seen again: stable disease is the best
        ((100, 65, 75, 75), "SD", None),
        # not seen again, since the next visit is progression
        ((100, 65, 90), "SD", None),
        # the visit after it was missed, the one after that confirms
        ((100, 65, None, 66), "PR", ("week_4", 28, 56, False)),
        # progression first: nothing that comes after it counts
        ((100, 130, 60, 60), "PD", None),
        # gone at two visits 28 days apart
        ((30, 0, 0), "CR", ("week_4", 28, 28, False)),
    ],
)  # fmt: skip
def test_a_response_counts_where_it_is_confirmed(
    mm: tuple[float | None, ...], best: str, expected: tuple[str, int, int, bool] | None
) -> None:
    found = course(one(*mm), confirmation_days=28)
    assert found.best_response == best
    got = found.course
    assert (got and (got.visit, got.days, got.duration_days, got.ended)) == expected


def test_the_verdict_is_that_of_the_primary_visit_alone() -> None:
    found = course(one(100, 80, 60))
    assert found.response is not None
    assert (found.response.category, found.best_response) == ("SD", "PR")
    missed = course(one(100, None, 60))
    assert (missed.response, missed.best_response) == (None, "PR")


def test_an_undated_visit_is_compared_with_nothing() -> None:
    lesions = [make.lesion(50, BASELINE, subject="S1"), make.lesion(10, "undated", subject="S1")]
    points = (*SCHEDULE.points, TimePoint(name="undated", label="undated"))
    child = SubjectVisits(
        subject="S1",
        visits={BASELINE: (study(BASELINE),), "undated": ()},
        sources={},
        schedule=replace(SCHEDULE, points=points),
    )
    found = judge_child(child, tuple(lesions), (), (), [], config=Config())
    assert (found.changes, found.assessments, found.response) == ((), (), None)
    assert [m.visit for m in found.lesions] == [BASELINE, "undated"]


def measured(mm: float, visit: str, planes: int, name: str = "L1", sure: float | None = None) -> LesionMeasurement:
    """A lesion whose size stands on one plane or on two; ``sure``: how sure its automatic pairing is."""
    way = Naming(by=NamedBy.READER) if sure is None else Naming(by=NamedBy.PAIRED, confidence=sure)
    kinds = (Plane.TRANSVERSE, Plane.SAGITTAL)[:planes]
    long = [mm * (1 - 0.2 * n) for n in range(planes)]
    drawn = tuple(make.plane(d, 0.8 * d, plane=kind, naming=way) for d, kind in zip(long, kinds, strict=True))
    return make.lesion(mm, visit, name, subject="S1", cv=0.001, planes=drawn)


@pytest.mark.parametrize(
    ("rule", "certain"),
    [({"progression_percent": None}, True), ({"progression_from": "baseline"}, True), ({}, False)],
)  # fmt: skip
def test_a_smallest_size_on_other_planes_leaves_open_what_counts_from_it_alone(
    rule: dict[str, object], certain: bool
) -> None:
    """Week 4 has the longer plane no more. By a rule that counts no growth from it, -50 % at week 8 is beyond doubt."""
    lesions = [measured(40, BASELINE, 2), measured(8, "week_4", 2), measured(20, "week_8", 2)]
    one_plane = replace(lesions[1], planes=lesions[1].planes[1:], longest_diameter_mm=make.quantity(6.4, 0.001))
    found = judged([lesions[0], one_plane, lesions[2]], list(DAYS)[:3], **rule)
    last = found.assessments[-1]
    assert last.visit == "week_8"
    assert last.certain is certain
    assert "measurement error alone" not in last.why


def test_lesions_that_are_no_targets_alone_have_a_best_response() -> None:
    """Table 2 of RECIST 1.1: non-targets that stay, without a new lesion, are neither CR nor PD."""
    small = {"targets": {"min_diameter_mm": 10}}
    stays = course({visit: {"L1": 8} for visit in list(DAYS)[:3]}, **small)
    grows = course({visit: {"L1": 8} for visit in list(DAYS)[:2]}, **small)
    assert stays.best_response == grows.best_response == "neither complete response nor progression"
    assert course({BASELINE: {"L1": 8}}, **small).best_response is None


@pytest.mark.parametrize(("sure", "certain"), [(0.99, True), (0.05, False)])
def test_a_lesion_beside_the_targets_that_may_be_new_leaves_the_verdict_open(sure: float, certain: bool) -> None:
    """Target gone, another lesion is there whose pairing may be wrong: then it is perhaps new, and nothing is known."""
    lesions = [
        measured(40, BASELINE, 1), measured(8, BASELINE, 1, "L2", 1.0), make.lesion(0, "week_4", "L1", subject="S1"),
        measured(8, "week_4", 1, "L2", sure),
    ]  # fmt: skip
    found = judged(lesions, list(DAYS)[:2], targets={"min_diameter_mm": 10})
    assert found.response is not None
    assert found.response.category == "PR"
    assert found.response.certain is certain
    assert bool(found.response.held) is not certain


@pytest.mark.parametrize("metric", ["sum_of_diameters", "volume"])
def test_after_a_lesion_was_gone_growth_counts_from_nothing_by_every_method(metric: str) -> None:
    lesions = [measured(40, BASELINE, 2), make.lesion(0, "week_4", "L1", subject="S1"), measured(10, "week_8", 2)]
    found = judged(lesions, list(DAYS)[:3], metric=metric)
    last = [c for c in found.changes if c.visit == "week_8"]
    assert last
    assert {c.nadir.value for c in last if c.nadir} == {0.0}
    assert found.assessments[-1].nadir == 0
    assert found.assessments[-1].overall is PD
