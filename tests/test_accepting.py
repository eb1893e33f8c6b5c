"""From which confidence on outlines are accepted: the promise, what it is worth, what is said without one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from lesion_measure.lab.evaluation import Candidate, LesionCase, Placing
from lesion_measure.lab.training.accepting import ALL_SETS, Choice, Judged, choose_threshold, groups_needed
from lesion_measure.lab.training.card import _confidence
from lesion_measure.lab.training.confidence_fit import crossfit_folds, fit_confidence
from lesion_measure.lab.training.settings import ConfidenceFit, TrainSettings
from lesion_measure.network.bundle import BundleSettings, Confidence
from lesion_measure.network.confidence import ACCEPTS_NOTHING, AUTOMATIC_FEATURES, PROMPTED_FEATURES, Accepted, unfitted

FITS = 400


def judged(confidence: list[float], right: list[bool], sources: str = "", groups: list[int] | None = None) -> Judged:
    """Outlines in one order; each its own group of set 'a' where nothing else is said."""
    names = [f"g{n}" for n in (groups or range(len(right)))]
    return Judged(np.array(confidence), np.array(right), names, list(sources or "a" * len(right)))


def falling(count: int) -> list[float]:
    return np.linspace(0.99, 0.5, count).tolist()


def choose(count: int, wrong: set[int]) -> Choice:
    """Of so many groups, best first, those whose outline is wrong."""
    return choose_threshold(judged(falling(count), [n not in wrong for n in range(count)]), 0.05, 0.9)


@pytest.mark.parametrize(
    ("risk", "confidence", "wrong"), [(0.05, 0.9, 0), (0.05, 0.95, 0), (0.1, 0.9, 2), (0.2, 0.8, 1)]
)
def test_the_groups_needed_are_the_fewest_that_show_the_risk(risk: float, confidence: float, wrong: int) -> None:
    count = groups_needed(risk, confidence, wrong)
    assert binom.cdf(wrong, count, risk) <= 1 - confidence < binom.cdf(wrong, count - 1, risk)


def test_known_numbers_of_groups() -> None:
    assert [groups_needed(0.05, 0.9, wrong) for wrong in range(3)] == [45, 77, 105]
    assert groups_needed(0.05, 0.95) == 59


class TestTheSearch:
    """Thresholds from the strictest one on, until one cannot be shown."""

    def test_all_right_accepts_every_group(self) -> None:
        found = choose(100, set())
        assert found.threshold == 0.5
        assert found.promise is not None
        assert found.promise.sets == {"a": Accepted(groups=100, wrong=0, shown=True)}

    def test_one_wrong_among_the_first_45_accepts_nothing_and_says_why(self) -> None:
        found = choose(100, {10})
        assert found.threshold == ACCEPTS_NOTHING
        assert found.promise is None
        assert found.never.startswith("at no confidence was it shown that at most 5 % of the groups")

    def test_a_wrong_one_among_the_next_needs_77(self) -> None:
        assert choose(100, {60, 90}).threshold == pytest.approx(falling(100)[76])

    def test_two_wrong_among_the_next_stop_at_45(self) -> None:
        found = choose(120, {60, 70})
        assert found.threshold == pytest.approx(falling(120)[44])

    def test_too_few_groups_accept_nothing_and_say_how_many_it_takes(self) -> None:
        found = choose(44, set())
        assert found.threshold == ACCEPTS_NOTHING
        assert found.never.startswith(
            "44 groups of held-back pictures with an outline are too few: 45, all of them right"
        )
        assert choose(45, set()).threshold == 0.5


class TestGroups:
    """Pictures of one lesion err together: they count once."""

    def test_outlines_of_few_groups_show_nothing_however_many_they_are(self) -> None:
        every = judged(falling(300), [True] * 300, groups=[n % 30 for n in range(300)])
        assert choose_threshold(every, 0.05, 0.9).never.startswith("30 groups")

    def test_a_group_is_wrong_where_any_accepted_outline_is(self) -> None:
        # Group 3 has a right outline and, lower, a wrong one: accepted alone where the threshold lies between.
        groups = [*range(60), 3]
        confidence = [*falling(60), 0.3]
        found = choose_threshold(judged(confidence, [True] * 60 + [False], groups=groups), 0.05, 0.9)
        assert found.threshold == 0.5
        assert found.promise is not None
        assert found.promise.sets["a"] == Accepted(groups=60, wrong=0, shown=True)
        confidence[60] = 0.98
        assert choose_threshold(judged(confidence, [True] * 60 + [False], groups=groups), 0.05, 0.9).never


class TestSets:
    """The promise is of every set that can show it, and of all together; small ones have a veto."""

    def test_a_bad_set_holds_back_a_good_one(self) -> None:
        confidence = falling(100) * 2
        right = [True] * 100 + [n % 5 > 0 for n in range(100)]
        assert choose_threshold(judged(confidence, right, "a" * 100 + "b" * 100), 0.05, 0.9).never
        assert choose_threshold(judged(confidence[:100], right[:100]), 0.05, 0.9).threshold == 0.5

    def test_a_small_set_is_told_apart_and_vetoes(self) -> None:
        confidence, sources = [*falling(100), 0.6, 0.52], "a" * 100 + "bb"
        found = choose_threshold(judged(confidence, [True] * 102, sources), 0.05, 0.9)
        assert found.promise is not None
        assert found.promise.sets["b"] == Accepted(groups=2, wrong=0, shown=False)
        assert found.promise.sets[ALL_SETS] == Accepted(groups=102, wrong=0, shown=True)
        vetoed = choose_threshold(judged(confidence, [True] * 100 + [True, False], sources), 0.05, 0.9)
        assert 0.52 < vetoed.threshold < ACCEPTS_NOTHING

    def test_small_sets_alone_are_bounded_together(self) -> None:
        found = choose_threshold(judged(falling(60), [True] * 60, "ab" * 30), 0.05, 0.9)
        assert found.promise is not None
        assert {name: seen.shown for name, seen in found.promise.sets.items()} == {
            "a": False,
            "b": False,
            ALL_SETS: True,
        }


RISKS = {
    "just above, whatever the confidence": lambda sure: np.full_like(sure, 0.055),
    "rising fast": lambda sure: 1 / (1 + np.exp(14 * (sure - 0.45))),
    "rising slowly": lambda sure: 0.12 * (1 - sure),
    "rising in a step": lambda sure: np.where(sure > 0.6, 0.01, 0.3),
}


@pytest.mark.parametrize("name", RISKS)
@pytest.mark.parametrize("each", [1, 3])
def test_the_promise_is_broken_in_at_most_the_stated_share_of_fits(name: str, each: int) -> None:
    """100 groups, 5 %: the true risk of what is accepted, over many fits. The lowest that passes broke it in 70 %.

    ``each``: outlines of a group, right or wrong together.
    """
    rng = np.random.default_rng(7)
    risk = RISKS[name]
    # The true share of groups with a wrong one, among those accepted from each confidence on, of many groups.
    grid = np.sort(rng.uniform(0, 1, 200_000) ** 0.5)[::-1]
    true_risk = np.cumsum(risk(grid)) / np.arange(1, len(grid) + 1)
    broken = 0
    for _ in range(FITS):
        best = rng.uniform(0, 1, 100) ** 0.5
        wrong = rng.uniform(size=100) < risk(best)
        confidence = np.concatenate([best * share for share in (1, 0.9, 0.8)[:each]])
        groups = [f"g{n}" for n in range(100)] * each
        found = choose_threshold(Judged(confidence, np.tile(~wrong, each), groups, ["a"] * len(groups)), 0.05, 0.9)
        if found.threshold < ACCEPTS_NOTHING:
            broken += true_risk[np.searchsorted(-grid, -found.threshold, side="right") - 1] > 0.05
    assert broken / FITS <= 0.1 + 2 * (0.1 * 0.9 / FITS) ** 0.5


def test_where_it_can_be_shown_much_is_accepted() -> None:
    """The bound is no excuse for never accepting: of 300 groups of which a third is unsure, most of the rest passes."""
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(100):
        sure = rng.uniform(0, 1, 300)
        right = rng.uniform(size=300) >= np.where(sure > 0.33, 0.005, 0.5)
        found = choose_threshold(Judged(sure, right, [f"g{n}" for n in range(300)], ["a"] * 300), 0.05, 0.9)
        shares.append(np.mean(sure >= found.threshold))
    assert np.median(shares) > 0.6


def some(count: int, right: bool = True, groups: int = 1000) -> list[Candidate]:
    """Candidates that nothing tells apart."""
    rng = np.random.default_rng(2)
    return [
        Candidate(
            "set", f"g{n % groups}", "p", {name: float(rng.normal()) for name in PROMPTED_FEATURES},
            0.9 if right else 0.1, 0.0, False,
        )
        for n in range(count)
    ]  # fmt: skip


class TestFitting:
    """The confidence model that the threshold is of."""

    def test_where_all_were_right_every_outline_is_accepted(self) -> None:
        model, crossed = fit_confidence(some(60), PROMPTED_FEATURES, ConfidenceFit())
        assert set(model.weights) == {0.0}
        assert model.confidence(some(1)[0].features) == pytest.approx(61 / 62)
        assert model.threshold <= crossed.min() < 61 / 62
        assert model.accepts

    def test_where_all_were_right_but_few_nothing_is_and_it_is_said(self) -> None:
        model, _ = fit_confidence(some(30), PROMPTED_FEATURES, ConfidenceFit())
        assert not model.accepts
        assert model.never.startswith("30 groups of held-back pictures with an outline are too few")

    def test_where_all_were_wrong_nothing_is_and_it_is_said(self) -> None:
        model, _ = fit_confidence(some(60, right=False), PROMPTED_FEATURES, ConfidenceFit())
        assert not model.accepts
        assert model.never.startswith("at no confidence was it shown")

    @pytest.mark.parametrize(
        ("count", "groups", "why"), [(19, 19, "19 outlines"), (60, 1, "all outlines are of one group")]
    )
    def test_too_few_to_fit_on(self, count: int, groups: int, why: str) -> None:
        model, crossed = fit_confidence(some(count, groups=groups), PROMPTED_FEATURES, ConfidenceFit())
        assert not model.accepts
        assert model.never.startswith(why)
        assert set(crossed) == {0.5}

    def test_the_folds_of_the_bundle_give_the_crossfitted_confidences(self) -> None:
        candidates = [*some(80), *(replace(c, group=f"h{n}") for n, c in enumerate(some(80, right=False)))]
        folds = crossfit_folds([c.group for c in candidates], 5)
        model, crossed = fit_confidence(candidates, PROMPTED_FEATURES, ConfidenceFit(), folds)
        again = [model.confidence(c.features, folds[c.group]) for c in candidates]
        np.testing.assert_allclose(again, crossed, atol=1e-12)


def test_confidence_learns_what_separates_right_from_wrong() -> None:
    rng = np.random.default_rng(1)
    candidates = []
    for number in range(200):
        score = float(rng.uniform(0, 1))
        known = {name: float(rng.normal()) for name in PROMPTED_FEATURES} | {"mean_probability": score}
        candidates.append(Candidate("set", f"g{number}", "p", known, 0.9 if score > 0.5 else 0.1, 0.0, False))
    model, crossed = fit_confidence(candidates, PROMPTED_FEATURES, ConfidenceFit())
    right = np.array([c.dice > 0.75 for c in candidates])
    assert crossed[right].min() > crossed[~right].mean()
    taken = np.array([model.confidence(c.features) for c in candidates]) >= model.threshold
    assert taken.sum() > 60
    assert (~right[taken]).mean() <= 0.1
    few, _ = fit_confidence(candidates[:5], PROMPTED_FEATURES, ConfidenceFit())
    assert not few.accepts


def test_a_lesion_placed_often_weighs_no_more_in_the_confidence() -> None:
    """Every outline of a small set is there twelve times, from twelve placings that happen to agree."""
    rng = np.random.default_rng(5)
    single: list[Candidate] = []
    often: list[Candidate] = []
    for number in range(80):
        known = {name: float(rng.normal()) for name in PROMPTED_FEATURES}
        lesion_dice = 0.9 if rng.normal() + known["blur"] > 0 else 0.3
        one = Candidate("small" if number < 30 else "large", f"g{number}", "p", known, lesion_dice, 0.0, False)
        lesion = LesionCase(1, None, 0.3, 1.0, None, (Placing((), {}, {}),) * 12)
        single.append(one)
        often += [replace(one, lesion=lesion)] * 12 if number < 30 else [one]
    first, then = (fit_confidence(c, PROMPTED_FEATURES, ConfidenceFit())[0] for c in (single, often))
    np.testing.assert_allclose(then.weights, first.weights, atol=1e-3)
    np.testing.assert_allclose(then.mean, first.mean, atol=1e-9)
    assert then.threshold == pytest.approx(first.threshold, abs=1e-3)
    unweighted, _ = fit_confidence([replace(c, lesion=None) for c in often], PROMPTED_FEATURES, ConfidenceFit())
    assert abs(np.subtract(unweighted.weights, first.weights)).max() > 0.05
    too_few, _ = fit_confidence(often[: 12 * 19], PROMPTED_FEATURES, ConfidenceFit())
    assert not too_few.accepts
    enough = [replace(c, features=often[12 * i].features) for i in range(20) for c in often[12 * i : 12 * i + 12]]
    assert fit_confidence(enough, PROMPTED_FEATURES, ConfidenceFit())[0].weights != too_few.weights


def test_the_card_says_what_is_promised_or_why_nothing_is_accepted() -> None:
    accepting, _ = fit_confidence(some(60), PROMPTED_FEATURES, ConfidenceFit())
    never = unfitted(AUTOMATIC_FEATURES, "too few")
    bundle = BundleSettings(confidence=Confidence(automatic=never, prompted=accepting))
    told = "\n".join(_confidence(TrainSettings(), bundle))
    assert "An automatic lesion is **never accepted**: too few." in told
    assert "With 90 % confidence, at\nmost 5 % of the groups with an accepted one have a wrong one." in told
    assert "| set | 60 | 0 | yes |" in told
