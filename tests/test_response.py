"""What a change is called: every rule's limits, the published tables of RECIST 1.1, and when there is no verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import make
from lesion_measure.config import AppliedRule, Comparison, Rule, Targets
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    Enrolled,
    Form,
    LesionMeasurement,
    Metric,
    Quantity,
    Response,
    Source,
    Status,
    TargetChoice,
)
from lesion_measure.verdict.change import change_of, compare_subject
from lesion_measure.verdict.response import assess, best_overall, overall, respond
from lesion_measure.verdict.targets import choose_targets, contradictions, stated_new
from lesion_measure.verdict.time_point import ObservedVisit, Sizes, time_point

CR, PR, SD, PD, NE = Status.CR, Status.PR, Status.SD, Status.PD, Status.NE
NON = Status.NON_CR_NON_PD
RECIST = Comparison(rule="recist_style").applied_rule


def verdict(
    lesions: Sequence[LesionMeasurement], settings: Comparison, enrolled: Enrolled | None = None
) -> Response | None:
    """The verdict on a child, by the steps of the pipeline."""
    rule = settings.applied_rule
    choice, _ = choose_targets("S1", lesions, rule.targets, enrolled=enrolled)
    new = stated_new(lesions, enrolled)
    changes, _ = compare_subject("S1", lesions, choice.targets, new=new)
    point = time_point(
        changes, lesions, rule, targets=choice.targets, non_targets=choice.non_targets, new=new,
        non_target_progression=enrolled is not None and enrolled.non_target_progression,
    )  # fmt: skip
    return respond(assess([point], rule)[0], settings.rule, rule)


def exact(value: float) -> Quantity:
    """A size so well measured that its error changes nothing."""
    return Quantity(value=value, sd=1e-9 * value)


def course(sums: Sequence[float], rule: AppliedRule = RECIST, weeks: int = 8) -> list[Status]:
    """Target status at each time point of a course of sums; the first one is baseline."""
    points = [
        ObservedVisit(visit=ONE_MONTH, days=7 * weeks * n, sizes=Sizes(exact(sums[0]), exact(size)))
        for n, size in enumerate(sums[1:], 1)
    ]
    return [a.overall for a in assess(points, rule)]


@pytest.mark.parametrize(("same", "certain"), [(True, True), (False, False)])
def test_the_biases_of_two_readers_make_a_verdict_uncertain(same: bool, certain: bool) -> None:
    """-40 % with a bias of 15 % a reader: 0.6 exp(1.96 sqrt(2) 0.15) = 0.91, not 0.7 or less; one reader's cancels."""
    sizes = [Quantity(value=v, sd=0.15 * v, parts={"reader_bias": 0.15 * v}) for v in (50.0, 30.0)]
    change = change_of(
        *sizes, subject="S1", lesion=None, metric=Metric.SUM_OF_DIAMETERS, same_reader=same
    )  # fmt: skip
    lesions = [make.lesion(50), make.lesion(30, ONE_MONTH)]
    point = time_point([change], lesions, RECIST, targets=["L1"])
    response = respond(assess([point], RECIST)[0], "recist_style", RECIST)
    assert response is not None
    assert response.category == "partial response"
    assert response.certain is certain


@pytest.mark.parametrize(("same", "certain"), [(True, True), (False, False)])
def test_growth_from_what_another_reader_measured_holds_the_biases_of_both(same: bool, certain: bool) -> None:
    """Baseline 50 and now 33 by one reader, 30 between by one or another: +10 %, or up to 1.1 exp(0.42) = +67 %."""
    first, least, now = (Quantity(value=v, sd=0.15 * v, parts={"reader_bias": 0.15 * v}) for v in (50.0, 30.0, 33.0))
    points = [
        ObservedVisit(visit="week_4", days=28, sizes=Sizes(first, least, same_reader=same)),
        ObservedVisit(visit="week_8", days=56, sizes=Sizes(first, now)),
    ]
    found = assess(points, RECIST)[-1]
    assert (found.overall, found.percent, found.nadir) == (PR, -34, 30)
    assert found.percent_from_nadir == pytest.approx(10)
    assert found.certain is certain


def test_a_lesion_that_was_smallest_on_other_planes_leaves_open_whether_it_grew() -> None:
    """L1 was a tenth of its baseline on other planes, and is 8 tenths now; the sum, nearly all L2, hides it."""
    who = Comparison(rule="who").applied_rule
    rows = [((10, 9), (1000, 500)), ((9, 0.9), (1000, 520)), ((10, 8), (1000, 490))]
    points = [
        ObservedVisit(
            visit=f"week_{n}", days=7 * n, sizes=Sizes(exact(one[0] + two[0]), exact(one[1] + two[1])),
            lesions={"L1": Sizes(exact(one[0]), exact(one[1])), "L2": Sizes(exact(two[0]), exact(two[1]))},
        )
        for n, (one, two) in enumerate(rows, 1)
    ]  # fmt: skip
    assert [(a.overall, a.certain) for a in assess([points[0], points[2]], who)] == [(SD, True), (PR, True)]
    assert [(a.overall, a.certain) for a in assess(points, who)] == [(SD, True), (SD, False), (PR, False)]


@pytest.mark.parametrize(
    ("lesions", "stated", "overall_then"),
    [
        ({"L1": (10, 0), "L2": (1000, 0)}, {}, CR),
        ({"L1": (10, 8), "L2": (1000, 2000)}, {}, PD),
        ({"L1": (10, 8), "L2": (1000, 490)}, {"new": ("L3",)}, PD),
        ({"L1": (10, 8), "L2": (1000, 490)}, {"non_target": PD}, PD),
        ({"L1": (10, 0), "L2": (1000, 395)}, {}, PR),
    ],
)
def test_a_smaller_size_on_other_planes_takes_no_certainty_from_progression_nor_from_what_is_gone(
    lesions: dict[str, tuple[float, float]], stated: dict[str, Any], overall_then: Status
) -> None:
    """Growth from a smaller size is more of it, and a lesion that is gone has not grown."""
    who = Comparison(rule="who").applied_rule
    other = ObservedVisit(visit="week_1", days=7, lesions={"L1": Sizes(exact(9), exact(0.9))})
    found = {name: Sizes(exact(before), exact(later)) for name, (before, later) in lesions.items()}
    total = Sizes(exact(sum(a for a, _ in lesions.values())), exact(sum(b for _, b in lesions.values())))
    now = ObservedVisit(visit="week_2", days=14, sizes=total, lesions=found, **stated)
    assert [(a.overall, a.certain) for a in assess([other, now], who)][-1] == (overall_then, True)


# --- limits of the named rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "category"),
    [(100, 70, "partial response"), (100, 70.1, "stable disease"), (100, 120, "progressive disease"),
     (100, 119.9, "stable disease"), (20, 24.9, "stable disease"), (20, 25, "progressive disease"),
     (30, 0, "complete response")],
)  # fmt: skip
def test_recist_style_limits(before: float, after: float, category: str) -> None:
    """RECIST 1.1: PR at -30 %, PD at +20 % and at least 5 mm (20 -> 24.9 mm is +24.5 % but only 4.9 mm)."""
    lesions = [make.lesion(before), make.lesion(after, ONE_MONTH)]
    assert verdict(lesions, Comparison(rule="recist_style")).category == category


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        ((100, 50, 60), [PR, PD]),  # +20 % and 10 mm from the nadir, though 40 % below baseline
        ((100, 70, 84), [PR, PD]),
        ((100, 70, 83.9), [PR, SD]),  # +19.9 % from the nadir, -16.1 % from baseline
        ((20, 4, 6), [PR, PR]),  # +50 % from a tiny nadir are 2 mm: no progression
        ((20, 4, 9), [PR, PD]),  # 5 mm are
        ((20, 4, 8.9), [PR, PR]),
        ((100, 120, 110), [PD, SD]),  # baseline stays the nadir
        ((100, 90, 108), [SD, PD]),  # +20 % from the nadir of 90
        ((50, 0, 6), [CR, PD]),  # seen again after it was gone
    ],
)
def test_growth_counts_from_the_smallest_sum_so_far(sums: tuple[float, ...], expected: list[Status]) -> None:
    """RECIST 1.1, 4.3.1: at least 20 % and 5 mm more than the smallest sum on study, baseline included."""
    assert course(sums) == expected


def test_a_rule_can_count_growth_from_baseline_alone() -> None:
    rule = RECIST.model_copy(update={"progression_from": "baseline"})
    assert course((100, 50, 60, 120), rule) == [PR, PR, PD]


@pytest.mark.parametrize(
    ("diameter", "product", "volume"),
    [(-30, -50, -65), (-50, -75, -87), (12, 25, 40), (20, 44, 73), (25, 56, 95), (30, 69, 120)],
)
def test_a_balls_diameter_product_and_volume_change_as_published(diameter: int, product: int, volume: int) -> None:
    """Therasse and others, J Natl Cancer Inst 2000;92:205-16, appendix II: limits of the three kinds compared."""
    before, after = 40.0, 40.0 * (1 + diameter / 100)
    lesions = []
    for visit, size in ((BASELINE, before), (ONE_MONTH, after)):
        planes = (make.plane(size, size),)
        lesions.append(make.lesion(size, visit, planes=planes))
    found = {c.metric: c.percent for c in compare_subject("S1", lesions)[0] if c.lesion is None}
    assert found[Metric.SUM_OF_DIAMETERS] == pytest.approx(diameter)
    assert found[Metric.SUM_OF_PRODUCTS] == pytest.approx(product, abs=1.01)
    assert found[Metric.VOLUME] == pytest.approx(volume, abs=1.01)


def test_the_cube_of_the_recist_limits() -> None:
    lesions = [make.lesion(50), make.lesion(35, ONE_MONTH), make.lesion(60, SCREENING)]
    shrunk = compare_subject("S1", lesions)[0]
    grown = compare_subject("S1", lesions, visits=(BASELINE, SCREENING))[0]
    found = [c.percent for c in (*shrunk, *grown) if c.lesion is None and c.metric is Metric.VOLUME]
    assert found == pytest.approx([-65.7, 72.8])
    volume = Comparison(rule="volume").applied_rule
    assert course((100, 35), volume) == [PR]
    assert course((100, 35.1), volume) == [SD]
    assert course((100, 173), volume) == [PD]
    assert course((100, 172.8), volume) == [SD]
    assert course((1, 1.8), volume) == [PD]  # the 5 mm of a diameter are no limit of a volume


def _two_axes(sizes: dict[str, tuple[float, float]], visit: str) -> list[LesionMeasurement]:
    return [make.lesion(long, visit, name, planes=(make.plane(long, short),)) for name, (long, short) in sizes.items()]


def test_who_takes_the_sum_of_products_and_the_growth_of_any_one_lesion() -> None:
    """Miller and others, Cancer 1981;47:207-14: response -50 % of the sum; progression +25 % of one or more lesions."""
    who = Comparison(rule="who")
    before = _two_axes({"L1": (50, 40), "L2": (20, 10)}, BASELINE)  # 2000 + 200 mm2
    half = _two_axes({"L1": (40, 22.5), "L2": (20, 10)}, ONE_MONTH)  # 900 + 200: exactly half
    response = verdict([*before, *half], who)
    assert (response.category, response.percent) == ("partial response", pytest.approx(-50))
    less = _two_axes({"L1": (40, 22.6), "L2": (20, 10)}, ONE_MONTH)
    assert verdict([*before, *less], who).category == "stable disease"
    one_grows = _two_axes({"L1": (40, 20), "L2": (25, 10)}, ONE_MONTH)  # sum -52 %, L2 +25 %
    assert verdict([*before, *one_grows], who).category == "progressive disease"


def test_a_product_needs_both_axes_at_both_visits() -> None:
    lesions = [make.lesion(30), make.lesion(20, ONE_MONTH, planes=(make.plane(20, None),))]
    changes, _ = compare_subject("S1", lesions)
    assert Metric.SUM_OF_PRODUCTS not in {c.metric for c in changes}
    assert verdict(lesions, Comparison(rule="who")) is None


def test_trial_rule_and_whether_it_is_certain() -> None:
    def found(after: float, cv: float) -> tuple[str, bool]:
        response = verdict([make.lesion(40, cv=cv), make.lesion(after, ONE_MONTH, cv=cv)], Comparison())
        return response.category, response.certain

    assert found(28, 0.01) == ("effective", False)  # exactly -30 %: effective, and on the edge
    assert found(28.1, 0.01) == ("not effective", False)
    assert found(20, 0.05) == ("effective", True)
    assert found(20, 0.25) == ("effective", False)
    assert found(40, 0.05) == ("not effective", True)


@pytest.mark.parametrize("size", [10.1, 33.3, 40.0, 57.0])
def test_exactly_the_limit_is_a_setting_and_rounding_does_not_decide_it(size: float) -> None:
    lesions = [make.lesion(size), make.lesion(size * 0.7, ONE_MONTH)]
    for at_limit, category in ((True, "effective"), (False, "not effective")):
        rule = Rule(response_percent=-30, response_at_limit=at_limit)
        response = verdict(lesions, Comparison(rule="mine", rules={"mine": rule}))
        assert response.category == category
        assert ("asks for less than -30 %" in response.explanation) is not at_limit


def test_the_reason_of_a_verdict_is_not_rounded_onto_the_limit() -> None:
    near = verdict([make.lesion(40, cv=0.001), make.lesion(40 * 0.7003, ONE_MONTH, cv=0.001)], Comparison())
    assert near.category == "not effective"
    assert "changed by -29.97 % (95 % interval -30." in near.explanation
    recist = verdict(
        [make.lesion(40, cv=0.01), make.lesion(40 * 1.1997, ONE_MONTH, cv=0.01)], Comparison(rule="recist_style")
    )
    assert recist.category == "stable disease"
    assert "changed by +19.97 %" in recist.explanation


def test_the_reason_of_a_progression_is_the_limit_that_was_crossed() -> None:
    recist, who = Comparison(rule="recist_style"), Comparison(rule="who")
    grown = verdict([make.lesion(40, cv=0.01), make.lesion(60, ONE_MONTH, cv=0.01)], recist)
    assert grown.category == "progressive disease"
    assert "changed by +50.0 % (95 % interval" in grown.explanation
    limit = "the limit of progressive disease is +20 % and at least 5 mm from the smallest size so far"
    assert grown.explanation.endswith(limit)
    assert "-30 %" not in grown.explanation
    # one of two lesions grows by 40 % in product (the short axes are alike), their sum by less than 25 %
    sizes = {("L1", BASELINE): 40, ("L1", ONE_MONTH): 36, ("L2", BASELINE): 20}
    lesions = [make.lesion(mm, visit, name, cv=0.001) for (name, visit), mm in {**sizes, ("L2", ONE_MONTH): 28}.items()]
    one = verdict(lesions, who)
    assert one.category == "progressive disease"
    limit = "the limit of progressive disease is +25 % of any target lesion from the smallest size so far"
    assert f"; L2 changed by +40.0 %; {limit}" in one.explanation
    assert "L1" not in one.explanation


def test_growth_from_the_smallest_size_is_told_in_percent_and_mm() -> None:
    points = [ObservedVisit(visit=ONE_MONTH, sizes=Sizes(exact(100), exact(size))) for size in (50, 62, 54, 0, 10)]
    assessed = assess(points, RECIST)
    assert [a.overall for a in assessed] == [PR, PD, PR, CR, PD]
    assert "; the rule asks for -30 % or less" in assessed[0].why
    assert "+24.0 % (+12.0 mm) from the smallest size so far; the limit of progressive disease is" in assessed[1].why
    assert "the rule asks for -30 % or less; +8.0 % (+4.0 mm) from the smallest size so far" in assessed[2].why
    assert "new growth after 0 (+10.0 mm) from the smallest size so far" in assessed[4].why


def test_the_ends_of_an_interval_have_the_decimals_of_the_table() -> None:
    lesions = [make.lesion(40, cv=0.089), make.lesion(31.2, ONE_MONTH, cv=0.089)]
    low, high = next(c for c in compare_subject("S1", lesions)[0] if c.lesion is None).percent_ci95
    assert f"(95 % interval {low:+.1f} to {high:+.1f} %)" in verdict(lesions, Comparison()).explanation


def test_what_is_not_evaluable_is_neither_certain_nor_not() -> None:
    sizes = Sizes(exact(40), exact(20))
    (doubtful,) = assess([ObservedVisit(visit=ONE_MONTH, sizes=sizes, doubtful=("L2",))], RECIST)
    (missing,) = assess([ObservedVisit(visit=ONE_MONTH)], RECIST)
    assert (doubtful.overall, doubtful.certain, missing.overall, missing.certain) == (NE, None, NE, None)


def test_growth_whose_interval_reaches_the_limit_is_not_certain() -> None:
    recist = Comparison(rule="recist_style")
    sure = verdict([make.lesion(40, cv=0.01), make.lesion(60, ONE_MONTH, cv=0.01)], recist)
    unsure = verdict([make.lesion(40, cv=0.05), make.lesion(50, ONE_MONTH, cv=0.05)], recist)
    assert (sure.category, sure.certain) == ("progressive disease", True)
    assert (unsure.category, unsure.certain) == ("progressive disease", False)
    assert "measurement error alone could change this verdict" in unsure.explanation


def test_a_rule_can_look_at_volume() -> None:
    rule = Rule(metric=Metric.VOLUME, response_percent=-65)
    response = verdict([make.lesion(40), make.lesion(28, ONE_MONTH)], Comparison(rule="mine", rules={"mine": rule}))
    assert response.percent == pytest.approx(-65.7, abs=0.01)
    assert response.category == "effective"


def test_one_lesion_gone_is_no_complete_response() -> None:
    rule = Rule(metric=Metric.LONGEST_DIAMETER, response_percent=-30)
    lesions = [make.lesion(30), make.lesion(20, name="L2")]
    lesions += [make.lesion(0, ONE_MONTH), make.lesion(28, ONE_MONTH, "L2")]
    assert verdict(lesions, Comparison(rule="mine", rules={"mine": rule})).category == "effective"


def test_a_rule_without_a_size_looks_at_the_primary_one() -> None:
    response = verdict([make.lesion(40), make.lesion(34, ONE_MONTH)], Comparison(primary_metric=Metric.VOLUME))
    assert (response.metric, response.category) == (Metric.VOLUME, "effective")  # 0.85 cubed: -38.6 %


# --- the published tables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "non_target", "new", "expected"),
    [
        (CR, CR, False, CR), (CR, None, False, CR), (CR, NON, False, PR), (CR, NE, False, PR),
        (PR, CR, False, PR), (PR, NON, False, PR), (PR, NE, False, PR), (PR, None, False, PR),
        (SD, CR, False, SD), (SD, NON, False, SD), (SD, NE, False, SD), (SD, None, False, SD),
        (NE, CR, False, NE), (NE, NON, False, NE), (NE, NE, False, NE), (NE, None, False, NE),
        *((PD, any_, new, PD) for any_ in (CR, NON, NE, PD, None) for new in (False, True)),
        *((any_, PD, new, PD) for any_ in (CR, PR, SD, NE, PD) for new in (False, True)),
        *((any_, other, True, PD) for any_ in (CR, PR, SD, NE) for other in (CR, NON, NE, None)),
    ],
)  # fmt: skip
def test_table_1_patients_with_target_disease(
    target: Status, non_target: Status | None, new: bool, expected: Status
) -> None:
    """Eisenhauer 2009, table 1: overall response of a time point from target, non-target and new lesions."""
    assert overall(target, non_target, new=new) is expected


@pytest.mark.parametrize(
    ("non_target", "new", "expected"),
    [(CR, False, CR), (NON, False, NON), (NE, False, NE), (PD, False, PD), (PD, True, PD), (CR, True, PD),
     (NON, True, PD), (NE, True, PD)],
)  # fmt: skip
def test_table_2_patients_without_target_disease(non_target: Status, new: bool, expected: Status) -> None:
    """Eisenhauer 2009, table 2."""
    assert overall(None, non_target, new=new) is expected


CONFIRMED = RECIST.model_copy(update={"confirmation_days": 28, "stable_days": 42})


@pytest.mark.parametrize(
    ("first", "second", "long_enough", "too_short"),
    [
        (CR, CR, CR, CR),
        (CR, PR, SD, PD), (CR, SD, SD, PD), (CR, PD, SD, PD), (CR, NE, SD, NE),
        (PR, CR, PR, PR), (PR, PR, PR, PR),
        (PR, PD, SD, PD), (PR, NE, SD, NE),
        (NE, NE, NE, NE),
    ],
)  # fmt: skip
def test_table_3_best_overall_response_when_it_must_be_confirmed(
    first: Status, second: Status, long_enough: Status, too_short: Status
) -> None:
    """Eisenhauer 2009, table 3; the first time point after 56 days is long enough for stable disease, 28 is not.

    Its footnote: disease seen after a complete response is progression at that point.
    """
    sums = {CR: 0, PR: 60, SD: 95, PD: 130, NE: None}
    for days, best in (((56, 112), long_enough), ((28, 56), too_short)):
        points = [
            ObservedVisit(
                visit=f"day_{day}", days=day, remaining=bool(size),
                sizes=None if size is None else Sizes(exact(100), exact(size)),
            )
            for day, size in zip(days, (sums[first], sums[second]), strict=True)
        ]  # fmt: skip
        assert best_overall([(a.days, a.overall) for a in assess(points, CONFIRMED)], CONFIRMED) is best


def test_table_3_a_partial_response_that_is_not_seen_again_is_stable_disease() -> None:
    assert best_overall([(56, PR), (112, SD)], CONFIRMED) is SD
    assert best_overall([(28, PR), (56, SD)], CONFIRMED) is SD
    assert best_overall([(56, PR), (70, PR)], CONFIRMED) is SD  # seen again, but after 14 days


def test_a_confirmed_response_stays_the_best_one_while_nothing_progresses() -> None:
    """An example of the EORTC's RECIST committee: sums 100, 70, 70, 80, 80, 80 -> the best response is PR."""
    statuses = course((100, 70, 70, 80, 80, 80))
    assert statuses == [PR, PR, SD, SD, SD]
    days = [56 * n for n in range(1, 6)]
    assert best_overall(list(zip(days, statuses, strict=True)), CONFIRMED) is PR


def test_without_confirmation_once_is_enough_and_nothing_counts_after_progression() -> None:
    assert best_overall([(28, PR)], RECIST) is PR
    assert best_overall([(28, SD), (56, PR), (84, PD)], RECIST) is PR
    assert best_overall([(28, PD), (56, PR)], RECIST) is PD
    assert best_overall([(None, SD)], RECIST) is SD
    assert best_overall([(None, SD)], CONFIRMED) is NE
    assert best_overall([(28, NON)], RECIST) is NON
    assert best_overall([], RECIST) is NE


# --- new and non-target lesions -------------------------------------------------------------------------------------


def test_a_lesion_that_nobody_states_to_be_new_gives_no_verdict_and_is_no_progression() -> None:
    lesions = [make.lesion(30), make.lesion(0, ONE_MONTH), make.lesion(40, ONE_MONTH, "L2")]
    changes, refusals = compare_subject("S1", lesions)
    assert [r.code for r in refusals] == ["not_found_at_baseline"]
    assert changes
    assert verdict(lesions, Comparison(rule="recist_style")) is None


def test_a_lesion_that_a_reader_found_absent_at_baseline_is_new_beyond_doubt() -> None:
    lesions = [make.lesion(30), make.lesion(18, ONE_MONTH)]
    lesions += [make.lesion(0, name="L2"), make.lesion(9, ONE_MONTH, "L2")]
    response = verdict(lesions, Comparison(rule="recist_style"))
    assert (response.category, response.certain) == ("progressive disease", True)
    assert "new beyond doubt by a reader: L2" in response.explanation
    assert stated_new(lesions, None) == {"L2"}
    assert compare_subject("S1", lesions, new={"L2"})[1] == ()


def test_a_lesion_of_the_network_alone_is_never_new_beyond_doubt() -> None:
    lesions = [make.lesion(30), make.lesion(18, ONE_MONTH), make.lesion(0, name="L2")]
    lesions.append(make.lesion(9, ONE_MONTH, "L2", source=Source.MODEL, reader="net"))
    assert stated_new(lesions, None) == frozenset()
    assert verdict(lesions, Comparison()) is None
    named = Enrolled(subject="S1", new_lesions=("L2",))
    assert verdict(lesions, Comparison(), named).category == "progression"


def test_a_lesion_of_baseline_is_not_new_whatever_the_table_says() -> None:
    lesions = [make.lesion(30), make.lesion(18, ONE_MONTH)]
    table = Enrolled(subject="S1", new_lesions=("L1",))
    assert stated_new(lesions, table) == frozenset()
    assert verdict(lesions, Comparison(), table).category == "effective"
    (doubt,) = contradictions("S1", lesions, table)
    assert doubt.refusal.reason == (
        "The subjects table calls L1 new, but it was measured at baseline, so it counts as known."
    )


def test_progression_beside_a_doubtful_lesion_is_progression_all_the_same() -> None:
    lesions = [make.lesion(30), make.lesion(60, ONE_MONTH), make.lesion(9, ONE_MONTH, "L2")]
    assert verdict(lesions, Comparison(rule="recist_style")).category == "progressive disease"


def _six(after: float, rest: Sequence[float | None]) -> list[LesionMeasurement]:
    """Two lesions that RECIST takes, three that it does not; ``rest`` are the sizes of those at one month."""
    before = {"A": 40.0, "B": 30.0, "C": 20.0, "D": 12.0, "E": 8.0}
    lesions = [make.lesion(size, name=name) for name, size in before.items()]
    later = {"A": after * 40, "B": after * 30} | dict(zip("CDE", rest, strict=True))
    return lesions + [make.lesion(s, ONE_MONTH, n) for n, s in later.items() if s is not None]


@pytest.mark.parametrize(
    ("after", "rest", "category"),
    [
        (0.6, (60, 12, 8), "partial response"),  # what is no target is no part of the sum
        (0.0, (0, 0, 0), "complete response"),
        (0.0, (5, 0, 0), "partial response"),
        (0.0, (0, 0, None), "partial response"),  # table 1: not all evaluated
        (0.9, (0, 0, 0), "stable disease"),
    ],
)
def test_non_target_lesions_count_by_presence(after: float, rest: tuple[float | None, ...], category: str) -> None:
    assert verdict(_six(after, rest), Comparison(rule="recist_style")).category == category


def test_only_a_reader_can_say_that_non_targets_progressed() -> None:
    stated = Enrolled(subject="S1", non_target_progression=True)
    lesions = _six(0.6, (60, 12, 8))
    assert verdict(lesions, Comparison(rule="recist_style"), stated).category == "progressive disease"


def test_without_target_lesions_there_is_no_verdict_but_an_assessment() -> None:
    lesions = [make.lesion(8), make.lesion(8, ONE_MONTH)]
    assert verdict(lesions, Comparison(rule="recist_style")) is None
    gone = [make.lesion(8), make.lesion(0, ONE_MONTH)]
    assert verdict(gone, Comparison(rule="recist_style")).category == "complete response"


# --- target lesions -------------------------------------------------------------------------------------------------


def _choose(settings: Targets, *lesions: LesionMeasurement, enrolled: Enrolled | None = None) -> TargetChoice:
    return choose_targets("S1", lesions, settings, enrolled=enrolled)[0]


def test_every_lesion_is_a_target_where_no_rule_says_otherwise() -> None:
    choice = _choose(Targets(), make.lesion(3), make.lesion(30, name="L2"), make.lesion(0, name="L3"))
    assert (choice.targets, choice.non_targets) == (("L2", "L1"), ())
    assert choice.source == "every lesion of baseline"


def test_recist_takes_two_of_an_organ_from_10_mm_up_and_the_largest_first() -> None:
    lesions = [make.lesion(size, name=f"L{size}") for size in (9, 10, 25, 40, 12)]
    choice = _choose(RECIST.targets, *lesions)
    assert choice.targets == ("L40", "L25")
    reasons = {other.lesion: other.reason for other in choice.non_targets}
    assert reasons == {
        "L12": "ranks after the 2 in one organ",
        "L10": "ranks after the 2 in one organ",
        "L9": "9.0 mm, less than 10 mm",
    }


def test_a_lesion_of_exactly_the_least_diameter_is_a_target() -> None:
    assert _choose(Targets(min_diameter_mm=10), make.lesion(10)).targets == ("L1",)
    assert _choose(Targets(min_diameter_mm=10), make.lesion(30 * 0.3 + 0.7 + 0.2 + 0.1)).targets == ("L1",)
    (other,) = _choose(Targets(min_diameter_mm=10), make.lesion(9.97)).non_targets
    assert other.reason == "9.97 mm, less than 10 mm"


def test_the_largest_lesion_gives_way_where_it_cannot_be_measured_reproducibly() -> None:
    """RECIST 1.1, 3.1.2: then the next largest one that can be is chosen."""
    lesions = [make.lesion(40, cv=0.3), make.lesion(30, name="L2"), make.lesion(20, name="L3")]
    assert _choose(Targets(most=2), *lesions).targets == ("L2", "L3")
    assert _choose(Targets(most=2, max_diameter_cv=0.4), *lesions).targets == ("L1", "L2")


def test_the_readers_choice_wins_and_a_target_that_was_not_measured_leaves_the_sum_open() -> None:
    lesions = [make.lesion(40), make.lesion(30, name="L2"), make.lesion(20, ONE_MONTH, "L2")]
    chosen = Enrolled(subject="S1", targets=("L2",))
    assert _choose(RECIST.targets, *lesions, enrolled=chosen).targets == ("L2",)
    assert verdict(lesions, Comparison(), chosen).percent == pytest.approx(-100 / 3)
    missing = Enrolled(subject="S1", targets=("L2", "L9"))
    choice, refusals = choose_targets("S1", lesions, Targets(), enrolled=missing)
    assert choice.targets == ("L2", "L9")
    assert [(r.code, r.lesion) for r in refusals] == [("target_not_measured", "L9")]
    assert verdict(lesions, Comparison(), missing) is None


def test_the_manifests_choice_comes_before_the_rules_and_after_the_subjects_table() -> None:
    lesions = [make.lesion(40), make.lesion(30, name="L2"), make.lesion(20, name="L3")]
    choice, _ = choose_targets("S1", lesions, RECIST.targets, manifest=("L3",))
    assert (choice.targets, choice.source) == (("L3",), "chosen in the manifest")
    table = Enrolled(subject="S1", targets=("L2",))
    choice, _ = choose_targets("S1", lesions, RECIST.targets, enrolled=table, manifest=("L3",))
    assert (choice.targets, choice.source) == (("L2",), "chosen by the reader, in the subjects table")


def test_diffuse_disease_has_no_target_unless_a_reader_names_one() -> None:
    lesions = [make.lesion(40)]
    diffuse = Enrolled(subject="S1", form=Form.DIFFUSE)
    assert _choose(Targets(), *lesions, enrolled=diffuse).targets == ()
    named = Enrolled(subject="S1", form=Form.DIFFUSE, targets=("L1",))
    assert _choose(Targets(), *lesions, enrolled=named).targets == ("L1",)


def test_an_incomplete_sum_is_a_refusal_and_a_missing_non_target_is_not() -> None:
    lesions = _six(0.6, (None, None, None))
    changes, refusals = compare_subject("S1", lesions, ("A", "B"))
    assert next(c for c in changes if c.lesion is None and c.metric is Metric.SUM_OF_DIAMETERS).percent == (
        pytest.approx(-40)
    )
    assert {r.code for r in refusals} == {"not_found_at_followup"}
    changes, refusals = compare_subject("S1", lesions, ("A", "C"))
    assert not [c for c in changes if c.lesion is None]
    assert "incomplete_sum" in {r.code for r in refusals}
