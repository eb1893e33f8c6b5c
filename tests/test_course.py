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
    Source,
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
        measured(mm, visit, 1, name) if mm else make.lesion(0, visit, name, subject="S1")
        for visit, at in sizes.items()
        for name, mm in at.items()
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


def measured(
    mm: float, visit: str, planes: int, name: str = "L1", sure: float | None = None, cv: float = 0.001
) -> LesionMeasurement:
    """A lesion whose size stands on one plane or on two; ``sure``: how sure its automatic pairing is; ``cv``: error."""
    way = Naming(by=NamedBy.READER) if sure is None else Naming(by=NamedBy.PAIRED, confidence=sure)
    kinds = (Plane.TRANSVERSE, Plane.SAGITTAL)[:planes]
    long = [mm * (1 - 0.2 * n) for n in range(planes)]
    drawn = tuple(
        make.plane(d, 0.8 * d, plane=kind, naming=way, long_axis_mm=make.quantity(d, cv))
        for d, kind in zip(long, kinds, strict=True)
    )
    return make.lesion(mm, visit, name, subject="S1", cv=cv, planes=drawn)


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


NO_LIMIT = {"progression_percent": None, "progression_min_mm": 0}
FROM_BASELINE = {"progression_from": "baseline"}


@pytest.mark.parametrize(
    ("rule", "statuses", "best", "ended"),
    [
        ({}, [CR, PD, PD], "CR", (28, True)),
        (FROM_BASELINE, [CR, PD, PR], "CR", (28, True)),
        # a rule without a limit of growth: 8 of 40 mm is -80 %, and 36 mm is -10 %, no response any more
        (NO_LIMIT, [CR, PR, SD], "CR", (56, True)),
    ],
)  # fmt: skip
def test_a_lesion_that_is_back_after_a_complete_response(
    rule: dict[str, object], statuses: list[Status], best: str, ended: tuple[int, bool]
) -> None:
    """Gone in week 4, 8 mm of 40 in week 8. Disease seen after a complete response has progressed (table 3)."""
    found = course(one(40, 0, 8, 36), **rule)
    assert [a.overall for a in found.assessments][:2] == statuses[:2]
    back = found.assessments[1]
    assert back.certain
    assert back.percent == -80
    assert "seen again after the complete response at week 4" in back.why
    assert ("no limit of growth" in back.why) is (rule is NO_LIMIT)
    assert found.best_response == best
    assert found.course is not None
    assert (found.course.days, found.course.duration_days, found.course.ended) == (28, *ended)


def test_another_lesion_that_is_back_after_a_complete_response_is_progression_of_the_whole() -> None:
    """The target stays gone, the non-target is seen again: a partial response by table 1, were it not for table 3."""
    small = {"targets": {"min_diameter_mm": 10}}
    found = course(
        {v: {"L1": one, "L2": two} for v, one, two in zip(DAYS, (40, 0, 0), (8, 0, 6), strict=False)}, **small
    )
    assert [(a.target, a.non_target, a.overall) for a in found.assessments] == [
        (CR, CR, CR), (CR, Status.NON_CR_NON_PD, PD),
    ]  # fmt: skip
    never_gone = course({v: {"L1": one, "L2": 8} for v, one in zip(DAYS, (40, 0, 0), strict=False)}, **small)
    assert [a.overall for a in never_gone.assessments] == [PR, PR]


def test_what_the_network_alone_sees_again_is_no_certain_progression() -> None:
    lesions = [measured(40, BASELINE, 1), make.lesion(0, "week_4", "L1", subject="S1"), measured(9, "week_8", 1)]
    for source, certain in ((Source.CALIPER, True), (Source.MODEL, False)):
        found = judged([*lesions[:2], replace(lesions[2], source=source)], list(DAYS)[:3])
        assert (found.assessments[-1].overall, found.assessments[-1].certain) == (PD, certain)


def test_by_a_rule_without_a_limit_of_growth_a_response_lasts_until_it_is_lost() -> None:
    """-40 % on day 28, -35 % on day 56, +10 % on day 84: it lasted 56 days, not until the last visit."""
    found = course(one(100, 60, 65, 110, 110), **NO_LIMIT)
    assert [a.overall for a in found.assessments] == [PR, PR, SD, SD]
    assert found.course is not None
    assert (found.course.days, found.course.duration_days, found.course.ended) == (28, 56, True)
    goes_on = course(one(100, 60, 65, 66), **NO_LIMIT).course
    assert goes_on is not None
    assert (goes_on.duration_days, goes_on.ended) == (56, False)


@pytest.mark.parametrize(
    ("later", "rule", "statuses"),
    [
        # Eisenhauer 2009, 4.4.3: of three lesions with a sum of 50 mm two were assessed and gave 80 mm: progression
        ([(40, 40, None)], {}, [PD]),
        ([(30, 30, None)], {}, [PD]),  # 60 of 50: +20 % and 10 mm, the limit itself
        ([(30, 29.9, None)], {}, [NE]),  # not reached, and what the third one adds nobody knows
        ([(5, 5, None)], {}, [NE]),  # a small part is no response
        ([(40, 40, None)], NO_LIMIT, [NE]),
        # from the smallest sum: 30, then two lesions of 36 and of 35.9 mm together
        ([(10, 10, 10), (18, 18, None)], {}, [PR, PD]),
        ([(10, 10, 10), (18, 17.9, None)], {}, [PR, NE]),
        ([(10, 10, 10), (18, 18, None)], FROM_BASELINE, [PR, NE]),
        # 4 mm are not 5: the smallest sum is 20
        ([(8, 8, 4), (12, 12, None)], {}, [PR, NE]),
        # any one lesion's growth: 20 to 26 is +30 % of a diameter
        ([(26, None, 1)], {"progression_of": "any_lesion"}, [PD]),
        ([(23, None, 1)], {"progression_of": "any_lesion"}, [NE]),
        # the longest diameter is that of L1, which was the largest: +30 %, whatever the others are
        ([(26, None, None)], {"metric": "longest_diameter"}, [PD]),
        ([(None, 90, 90)], {"metric": "longest_diameter"}, [NE]),
        # volumes of spheres: 20, 19 and 10 mm are 8.30 mL together; one of 25.2 mm is 8.38, of 32 mm 17.2 mL
        ([(25.2, None, None)], {"metric": "volume"}, [NE]),
        ([(32, None, None)], {"metric": "volume"}, [PD]),
    ],
)  # fmt: skip
def test_an_incomplete_sum_is_progression_where_what_was_measured_is_enough(
    later: Sequence[tuple[float | None, ...]], rule: dict[str, object], statuses: list[Status]
) -> None:
    first = (20, 19, 10) if "metric" in rule else (20, 20, 10)
    visits = zip(DAYS, [first, *later], strict=False)
    sizes = {v: {f"L{n}": mm for n, mm in enumerate(at, 1) if mm is not None} for v, at in visits}
    found = course(sizes, **rule)
    assert [a.overall for a in found.assessments] == statuses
    last = found.assessments[-1]
    if statuses[-1] is PD:
        on_the_limit = later[-1] in ((30, 30, None), (18, 18, None))
        assert (last.target, last.percent, last.percent_from_nadir) == (PD, None, None)
        assert last.certain is not on_the_limit
        assert last.why.startswith("not every target lesion was evaluated; ")
        assert "the limit of PD is" in last.why
    assert any(r.code == "incomplete_sum" for r in (*found.review, *found.not_compared))


@pytest.mark.parametrize(("cv", "certain"), [(0.001, True), (0.05, False)])
def test_progression_by_an_incomplete_sum_is_certain_where_the_lower_end_is_enough(cv: float, certain: bool) -> None:
    """From 40 to at least 50: +25 %. With 5 % of each the lower end lies below +20 %."""
    sizes = ((BASELINE, "L1", 30), (BASELINE, "L2", 10), ("week_4", "L1", 50))
    lesions = [measured(mm, visit, 1, name, cv=cv) for visit, name, mm in sizes]
    found = judged(lesions, list(DAYS)[:2])
    assert found.response is not None
    assert (found.response.category, found.response.percent, found.response.certain) == ("PD", None, certain)
    assert "sum of diameters is at least +25.0 % (+10.0 mm) by those that were" in found.response.explanation
