"""Other rules beside the trial's: each as if it were the trial's, marked as secondary, and counted over the cohort."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from scipy import stats

import cohort_results
import make
from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.command import write_cohort
from lesion_measure.config import Config
from lesion_measure.records import BASELINE, ONE_MONTH, LesionMeasurement, Metric, Study, SubjectResult, SubjectVisits
from lesion_measure.results import read_results, results_schema
from lesion_measure.verdict.subject import judge_child
from written_runs import write_pages

BUILT_IN = ["recist_style", "who", "volume"]
DAYS = {BASELINE: date(2024, 1, 1), ONE_MONTH: date(2024, 1, 31)}


def ball(mm: float, visit: str, name: str = "L1", cv: float = 0.005) -> LesionMeasurement:
    """A ball: both axes and the volume follow from its diameter."""
    plane = make.plane(mm, mm, long_axis_mm=make.quantity(mm, cv), short_axis_mm=make.quantity(mm, cv))
    return make.lesion(mm, visit, name, cv=cv, planes=(plane,))


def child(
    *sizes: tuple[float, float], config: Config | None = None, code: str = "S1", cv: float = 0.005
) -> SubjectResult:
    """A child whose balls have these diameters at baseline and at one month, judged by the pipeline."""
    lesions = [
        replace(ball(mm, visit, f"L{n}", cv), subject=code)
        for n, both in enumerate(sizes, 1)
        for visit, mm in zip(DAYS, both, strict=True)
    ]
    studies = {
        visit: (Study(study_instance_uid="1", subject=code, study_date=day, time_point=None, instances=()),)
        for visit, day in DAYS.items()
    }
    visits = SubjectVisits(subject=code, visits=studies, sources={})
    return judge_child(visits, tuple(lesions), (), (), [], config=config or Config())


@pytest.mark.parametrize(
    ("ratio", "verdicts"),
    [
        # the limits of a ball's diameter: RECIST 0.7 and 1.2, WHO sqrt(0.5) = 0.707 and sqrt(1.25) = 1.118, volume
        # cbrt(0.35) = 0.7047 and cbrt(1.73) = 1.2005
        (0.69, ("effective", "partial response", "partial response", "partial response")),
        (0.703, ("not effective", "stable disease", "partial response", "partial response")),
        (0.706, ("not effective", "stable disease", "partial response", "stable disease")),
        (0.72, ("not effective", "stable disease", "stable disease", "stable disease")),
        (1.15, ("not effective", "stable disease", "progressive disease", "stable disease")),
        (1.21, ("not effective", "progressive disease", "progressive disease", "progressive disease")),
    ],
)
def test_each_rule_says_of_a_ball_what_its_own_limits_say(ratio: float, verdicts: tuple[str, ...]) -> None:
    found = child((40, 40 * ratio))
    assert found.response is not None
    assert [one.rule for one in found.secondary] == BUILT_IN
    assert (found.response.category, *(one.category for one in found.secondary)) == verdicts
    assert [one.responds for one in found.secondary] == [verdict == "partial response" for verdict in verdicts[1:]]
    sizes = {one.metric: one.percent for one in found.secondary}
    for power, metric in enumerate((Metric.SUM_OF_DIAMETERS, Metric.SUM_OF_PRODUCTS, Metric.VOLUME), 1):
        assert sizes[metric] == pytest.approx(100 * (ratio**power - 1))


def test_each_rule_chooses_its_own_targets() -> None:
    """RECIST-style takes the two largest of at least 10 mm; the other two shrank away and are in the trial's sum."""
    found = child((40, 40), (30, 30), (20, 5), (8, 2))
    recist, who, _ = found.secondary
    assert found.disease is not None
    assert found.disease.targets == who.targets == ("L1", "L2", "L3", "L4")
    assert recist.targets == ("L1", "L2")
    assert recist.percent == pytest.approx(0)
    assert next(c.percent for c in found.changes if c.lesion is None and c.metric is Metric.SUM_OF_DIAMETERS) < -20


def test_a_rule_says_the_same_as_secondary_as_when_it_is_the_trials() -> None:
    sizes = (40.0, 27.0), (22.0, 18.0), (14.0, 9.0)
    beside = {one.rule: one for one in child(*sizes, cv=0.05).secondary}
    for name in BUILT_IN:
        own = child(*sizes, cv=0.05, config=Config.model_validate({"comparison": {"rule": name}}))
        assert own.response is not None
        assert own.disease is not None
        assert (beside[name].category, beside[name].certain) == (own.response.category, own.response.certain)
        assert beside[name].targets == own.disease.targets
        assert name not in [one.rule for one in own.secondary]
        assert "trial" in [one.rule for one in own.secondary]


def test_without_a_short_axis_there_is_no_verdict_on_products_and_it_says_why() -> None:
    lesions = []
    for visit, mm in zip(DAYS, (40, 20), strict=True):
        lesions.append(make.lesion(mm, visit, planes=(make.plane(mm, None),)))
    visits = SubjectVisits(subject="S1", visits=dict.fromkeys(DAYS, ()), sources={})
    found = judge_child(visits, tuple(lesions), (), (), [], config=Config())
    who = next(one for one in found.secondary if one.rule == "who")
    assert (who.category, who.certain, who.percent) == (None, None, None)
    assert "lacks a short axis" in who.explanation


def _by_long_axes(**comparison: object) -> SubjectResult:
    """A child that was measured by long axes alone."""
    lesions = [
        replace(
            make.lesion(mm, visit, planes=(make.plane(mm, None),)), volume_ml=None, short_axis_mm=None, other_volumes=()
        )
        for visit, mm in zip(DAYS, (40, 20), strict=True)
    ]
    visits = SubjectVisits(subject="S1", visits=dict.fromkeys(DAYS, ()), sources={})
    config = Config.model_validate({"comparison": comparison})
    return judge_child(visits, tuple(lesions), (), (), [], config=config)


def test_a_long_axis_alone_asks_for_nothing_where_the_answer_needs_no_more() -> None:
    found = _by_long_axes()
    assert found.review == ()
    assert [refusal.code for refusal in found.not_compared] == ["no_volume"]
    assert found.response is not None
    assert (found.response.category, found.response.certain) == ("effective", True)


@pytest.mark.parametrize(
    ("comparison", "asked"),
    [
        ({"primary_metric": "volume"}, {"no_volume"}),
        ({"rule": "volume"}, {"no_volume"}),
        ({"primary_metric": "sum_of_products"}, {"no_products"}),
        ({"rule": "who"}, {"no_products"}),
        ({"primary_metric": "longest_diameter", "rule": "recist_style"}, set()),
    ],
)
def test_what_the_primary_size_or_the_rule_needs_is_asked_for(comparison: dict[str, object], asked: set[str]) -> None:
    assert {refusal.code for refusal in _by_long_axes(**comparison).review} == asked


def test_a_file_with_its_own_rules_has_those_beside_and_the_built_in_ones_and_may_have_none(project_dir: Path) -> None:
    trial = Config.from_yaml(project_dir / "configs" / "nct04406870.yaml").comparison
    assert list(trial.rules) == ["trial"]
    assert list(trial.other_rules) == BUILT_IN
    own = {"who": {"response_percent": -40, "metric": "sum_of_products"}, "mine": {"response_percent": -20}}
    mixed = Config.model_validate({"comparison": {"rule": "mine", "rules": own}}).comparison
    assert list(mixed.other_rules) == ["who", "trial", "recist_style", "volume"]
    assert mixed.other_rules["who"].response_percent == -40
    assert Config.model_validate({"comparison": {"secondary_rules": False}}).comparison.other_rules == {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Results of six children whose diameters fall to 0.5, 0.69, 0.703, 0.706, 0.72 and grow to 1.21."""
    ratios = (0.5, 0.69, 0.703, 0.706, 0.72, 1.21)
    children = [child((40, 40 * ratio), code=f"S{n}") for n, ratio in enumerate(ratios)]
    return cohort_results.write(tmp_path / "out", children)


def test_the_cohort_counts_responders_by_each_rule_and_says_which_is_the_answer(folder: Path) -> None:
    written = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    Draft202012Validator(results_schema()).validate(written)
    assert [rule["name"] for rule in written["secondary_rules"]] == BUILT_IN
    cohort = analyse(read_results(folder), labs=None)
    counts = {one.rule: (one.rate.responders, one.rate.count) for one in cohort.by_rules}
    assert counts == {"trial": (2, 6), "recist_style": (2, 6), "who": (4, 6), "volume": (3, 6)}
    assert [one.rule for one in cohort.by_rules if one.primary] == ["trial"]
    for one in cohort.by_rules:
        exact = stats.binomtest(one.rate.responders, 6).proportion_ci(method="exact")
        interval = one.rate.percent.low, one.rate.percent.high
        assert interval == pytest.approx((100 * exact.low, 100 * exact.high))
    assert cohort.responders.evaluable.responders == 2  # the answer is the trial's rule's
    write_cohort(cohort, folder / "cohort")
    page = (folder / "cohort" / "cohort.html").read_text(encoding="utf-8")
    assert "By other rules (secondary)" in page
    assert "the answer is by the trial's rule" in page.lower().replace("&#39;", "'")
    assert "other rules (secondary),who" in (folder / "cohort" / "cohort.csv").read_text(encoding="utf-8")


def test_a_growth_that_can_only_be_stable_or_worse_may_be_no_responder(tmp_path: Path) -> None:
    """+15 % with an error of 9 %: uncertain between stable and progressive, and in no case a response."""
    out = cohort_results.write(tmp_path / "out", [child((40, 46), cv=0.09)])
    cohort = analyse(read_results(out), labs=None)
    recist = next(one for one in cohort.by_rules if one.rule == "recist_style")
    assert (recist.rate.count, recist.certain, recist.uncertain_others) == (1, 0, 0)


def test_without_secondary_verdicts_there_is_no_such_table(tmp_path: Path) -> None:
    out = cohort_results.write_sizes(tmp_path / "out", {"S1": [(40, 20)], "S2": [(40, 30)]})
    cohort = analyse(read_results(out), labs=None)
    assert cohort.by_rules == ()
    write_cohort(cohort, out / "cohort")
    assert "By other rules" not in (out / "cohort" / "cohort.html").read_text(encoding="utf-8")


def test_the_report_marks_them_as_secondary(tmp_path: Path) -> None:
    from lesion_measure.records import RunResult

    result = RunResult(
        subjects=(child((40, 28.2)),), refusals=(), instances=(), provenance=cohort_results.PROVENANCE
    )  # fmt: skip
    pictures = lambda uid, frame: pytest.fail("no picture is needed")  # noqa: E731
    bare = replace(result, subjects=(replace(result.subjects[0], lesions=()),))
    write_pages(bare, tmp_path, Config(), pictures)
    page = (tmp_path / "report.html").read_text(encoding="utf-8").replace("&#39;", "'")
    assert "By other rules (secondary)" in page
    assert "The answer is by the trial's rule, ‘trial’" in page
    assert "Secondary: other rules" in page
    assert page.index("‘trial’: the answer") < page.index("‘who’")
