"""What a change is called: the rules, their limits, and when there is no verdict."""

from __future__ import annotations

import pytest

import make
from lesion_measure.compare import compare_subject
from lesion_measure.config import Comparison, Rule
from lesion_measure.records import Metric, Visit
from lesion_measure.response import respond


@pytest.mark.parametrize(
    ("before", "after", "category"),
    [(100, 70, "partial response"), (100, 70.1, "stable disease"), (100, 120, "progressive disease"),
     (100, 119.9, "stable disease"), (20, 24.9, "stable disease"), (20, 25, "progressive disease"),
     (30, 0, "complete response")],
)  # fmt: skip
def test_recist_style_limits(before: float, after: float, category: str) -> None:
    """RECIST 1.1: PR at -30 %, PD at +20 % and at least 5 mm (20 -> 24.9 mm is +24.5 % but only 4.9 mm)."""
    lesions = [make.lesion(before), make.lesion(after, Visit.ONE_MONTH)]
    changes, _ = compare_subject("S1", lesions)
    assert respond(changes, lesions, Comparison(rule="recist_style")).category == category


def test_trial_rule_and_whether_it_is_certain() -> None:
    def verdict(after: float, cv: float) -> tuple[str, bool]:
        lesions = [make.lesion(40, cv=cv), make.lesion(after, Visit.ONE_MONTH, cv=cv)]
        response = respond(compare_subject("S1", lesions)[0], lesions, Comparison())
        return response.category, response.certain

    assert verdict(28, 0.01) == ("effective", False)  # exactly -30 %: effective, and on the edge
    assert verdict(28.1, 0.01) == ("not effective", False)
    assert verdict(20, 0.05) == ("effective", True)
    assert verdict(20, 0.25) == ("effective", False)
    assert verdict(40, 0.05) == ("not effective", True)


def test_a_rule_can_look_at_volume() -> None:
    rule = Rule(metric=Metric.VOLUME, response_percent=-65)
    settings = Comparison(rule="mine", rules={"mine": rule})
    lesions = [make.lesion(40), make.lesion(28, Visit.ONE_MONTH)]
    changes, _ = compare_subject("S1", lesions)
    response = respond(changes, lesions, settings)
    assert response.percent == pytest.approx(-65.7, abs=0.01)
    assert response.category == "effective"


def test_a_new_lesion_is_no_complete_response() -> None:
    lesions = [make.lesion(30), make.lesion(0, Visit.ONE_MONTH), make.lesion(40, Visit.ONE_MONTH, "L2")]
    changes, refusals = compare_subject("S1", lesions)
    assert [r.code for r in refusals] == ["not_found_at_baseline"]
    assert respond(changes, lesions, Comparison(rule="recist_style")) is None


def test_one_lesion_gone_is_no_complete_response() -> None:
    rule = Rule(metric=Metric.LONGEST_DIAMETER, response_percent=-30)
    lesions = [make.lesion(30), make.lesion(20, name="L2")]
    lesions += [make.lesion(0, Visit.ONE_MONTH), make.lesion(28, Visit.ONE_MONTH, "L2")]
    response = respond(compare_subject("S1", lesions)[0], lesions, Comparison(rule="mine", rules={"mine": rule}))
    assert response.category == "effective"


def test_a_rule_without_a_size_looks_at_the_primary_one() -> None:
    settings = Comparison(primary_metric=Metric.VOLUME)
    lesions = [make.lesion(40), make.lesion(34, Visit.ONE_MONTH)]
    response = respond(compare_subject("S1", lesions)[0], lesions, settings)
    assert (response.metric, response.category) == (Metric.VOLUME, "effective")  # 0.85 cubed: -38.6 %
