"""Every statistic of a cohort against scipy, statsmodels, enumeration or a published example."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import binom_test, proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from lesion_measure.cohort.paired import paired_change
from lesion_measure.report.words import p_value
from lesion_measure.stats.estimates import Estimate, Statistic, bca, mean_of, median_of, quantile_interval
from lesion_measure.stats.proportions import clopper_pearson, expected_count, response_rate
from lesion_measure.stats.signed_ranks import MOST_EXACT, hodges_lehmann, signed_rank_test

HISTORICAL_RATE = 0.577
DEPRESSION_BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
DEPRESSION_AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
"""Hollander and Wolfe, Nonparametric Statistical Methods, table 3.1."""


def log_ratios(count: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(-0.3, 0.35, count)


def ends(estimate: Estimate) -> tuple[float | None, float | None]:
    return estimate.low, estimate.high


class TestProportions:
    @pytest.mark.parametrize(
        ("responders", "count", "percent", "low", "high"),
        [(22, 26, 84.6, 65.1, 95.6), (18, 36, 50.0, 32.9, 67.1), (15, 26, 57.7, 36.9, 76.6)],
    )
    def test_published_rates(self, responders: int, count: int, percent: float, low: float, high: float) -> None:
        rate = response_rate(responders, count, HISTORICAL_RATE).percent
        assert (rate.value, *ends(rate)) == pytest.approx((percent, low, high), abs=0.05)

    @pytest.mark.parametrize("rate", [0.2, 0.5, HISTORICAL_RATE])
    @pytest.mark.parametrize("count", [1, 2, 9, 26, 40, 300])
    def test_exact_tests_are_those_of_scipy(self, count: int, rate: float) -> None:
        for responders in range(count + 1):
            own = response_rate(responders, count, rate)
            for side, p in (("two-sided", own.p_two_sided), ("greater", own.p_greater)):
                scipys = stats.binomtest(responders, count, rate, alternative=side).pvalue
                assert p == pytest.approx(float(scipys), rel=1e-11)

    @pytest.mark.parametrize(("responders", "count"), [(0, 7), (7, 7), (1, 9), (22, 26), (300, 1000)])
    def test_clopper_pearson_is_that_of_statsmodels_and_scipy(self, responders: int, count: int) -> None:
        own = clopper_pearson(responders, count)
        assert ends(own) == pytest.approx(proportion_confint(responders, count, method="beta"), abs=1e-12)
        scipys = stats.binomtest(responders, count).proportion_ci(method="exact")
        assert ends(own) == pytest.approx((scipys.low, scipys.high), abs=1e-12)

    @pytest.mark.parametrize(("responders", "count"), [(22, 26), (15, 26), (3, 20), (36, 36)])
    def test_the_exact_test_is_that_of_statsmodels_and_a_plain_sum(self, responders: int, count: int) -> None:
        rate = response_rate(responders, count, HISTORICAL_RATE)
        assert rate.p_two_sided == pytest.approx(binom_test(responders, count, HISTORICAL_RATE), rel=1e-9)
        chances = [
            math.comb(count, k) * HISTORICAL_RATE**k * (1 - HISTORICAL_RATE) ** (count - k) for k in range(count + 1)
        ]
        assert rate.p_greater == pytest.approx(sum(chances[responders:]), rel=1e-9)

    def test_no_subject_has_no_rate(self) -> None:
        rate = response_rate(0, 0, 0.5)
        assert (rate.percent.value, rate.p_two_sided, rate.p_greater) == (None, None, None)

    def test_expected_count_by_enumeration(self) -> None:
        chances = (0.1, 0.5, 0.9, 1.0, 0.0, 0.35)
        distribution = [0.0] * 7
        for outcome in itertools.product((0, 1), repeat=6):
            distribution[sum(outcome)] += math.prod(
                p if yes else 1 - p for p, yes in zip(chances, outcome, strict=True)
            )
        below = np.cumsum(distribution)
        found = expected_count(chances)
        assert found.mean == pytest.approx(sum(k * p for k, p in enumerate(distribution)))
        assert (found.low, found.high) == (int((below < 0.025).sum()), int((below < 0.975).sum()))

    def test_expected_count_of_certain_events_and_of_none(self) -> None:
        sure, none = expected_count([1.0, 1.0, 0.0]), expected_count([])
        assert (sure.mean, sure.low, sure.high) == (2.0, 2, 2)
        assert (none.mean, none.low, none.high) == (0.0, 0, 0)


class TestSignedRanks:
    def test_published_example(self) -> None:
        """T+ = 5 of 9 (p two-sided 0.039); estimate -0.46, interval of 96.1 % (-0.786, -0.010)."""
        differences = DEPRESSION_AFTER - DEPRESSION_BEFORE
        test, estimate = signed_rank_test(differences), hodges_lehmann(differences)
        assert test is not None
        assert (test.statistic, test.count, test.zeros) == (5, 9, 0)
        assert test.p_value == pytest.approx(0.0390625, abs=1e-12)
        assert (estimate.value, *ends(estimate)) == pytest.approx((-0.46, -0.786, -0.010), abs=1e-9)

    @pytest.mark.parametrize("count", [1, 2, 6, 20, 50])
    def test_p_is_that_of_scipy_exact(self, count: int) -> None:
        values = log_ratios(count, seed=count)
        test = signed_rank_test(values)
        assert test is not None
        scipys = stats.wilcoxon(values, method="exact")
        assert test.p_value == pytest.approx(float(scipys.pvalue), rel=1e-9)
        assert min(test.statistic, count * (count + 1) / 2 - test.statistic) == pytest.approx(float(scipys.statistic))

    def test_p_with_ties_and_zeros_by_enumeration(self) -> None:
        values = np.array([-3.0, -1, 1, 2, -2, 2, 0, -3, -3, -4, 0, -1])
        moved = values[values != 0]
        ranks = stats.rankdata(abs(moved))
        sums = [float(ranks @ signs) for signs in itertools.product((0, 1), repeat=len(moved))]
        observed, middle = float(ranks[moved > 0].sum()), ranks.sum() / 2
        expected = np.mean([abs(s - middle) >= abs(observed - middle) - 1e-9 for s in sums])
        test = signed_rank_test(values)
        assert test is not None
        assert (test.statistic, test.count, test.zeros) == (observed, 10, 2)
        assert test.p_value == pytest.approx(float(expected), abs=1e-12)

    def test_many_values_agree_with_scipys_normal_approximation(self) -> None:
        values = log_ratios(MOST_EXACT + 200) + 0.27
        test = signed_rank_test(values)
        assert test is not None
        scipys = stats.wilcoxon(values, method="asymptotic", correction=True)
        assert test.p_value == pytest.approx(float(scipys.pvalue), rel=1e-6)
        exact = signed_rank_test(values[:MOST_EXACT])
        near = stats.wilcoxon(values[:MOST_EXACT], method="asymptotic", correction=True)
        assert exact is not None
        assert exact.p_value == pytest.approx(float(near.pvalue), rel=0.01)

    def test_the_interval_holds_the_shifts_that_the_test_does_not_reject(self) -> None:
        values = log_ratios(13)
        estimate = hodges_lehmann(values)
        assert estimate.low is not None
        assert estimate.high is not None
        for shift, rejected in (
            (estimate.low - 1e-6, True), (estimate.low + 1e-6, False),
            (estimate.high - 1e-6, False), (estimate.high + 1e-6, True),
        ):  # fmt: skip
            assert (stats.wilcoxon(values - shift, method="exact").pvalue <= 0.05) is np.bool_(rejected)

    def test_fewer_than_six_values_have_no_interval(self) -> None:
        assert hodges_lehmann(log_ratios(5)).low is None
        assert hodges_lehmann(log_ratios(6)).low == pytest.approx(log_ratios(6).min())

    def test_infinite_values_are_ranked(self) -> None:
        """What cannot be outdone ranks alike whether it is infinite or merely huge."""
        values = log_ratios(15)
        huge, infinite = values.copy(), values.copy()
        huge[[2, 5]], infinite[[2, 5]] = -1e6, -np.inf
        assert signed_rank_test(infinite) == signed_rank_test(huge)
        assert hodges_lehmann(infinite).value == pytest.approx(hodges_lehmann(huge).value)

    def test_nothing_but_zeros_is_no_test(self) -> None:
        assert signed_rank_test(np.zeros(8)) is None
        assert hodges_lehmann(np.array([])).value is None


class TestBootstrap:
    @pytest.mark.parametrize(("own", "numpys"), [(mean_of, np.mean), (median_of, np.median)])
    def test_bca_is_that_of_scipy(self, own: object, numpys: object) -> None:
        """The same draws give the same interval, to rounding."""
        values = np.sort(np.exp(log_ratios(36)))  # ours sorts before it draws
        scipys = stats.bootstrap(
            (values,), numpys, n_resamples=9999, method="BCa", rng=np.random.default_rng(7), vectorized=True
        )  # type: ignore[call-overload]
        found = bca(values, own, 7)  # type: ignore[arg-type]
        assert found.value == pytest.approx(numpys(values))  # type: ignore[operator]
        assert ends(found) == pytest.approx(tuple(scipys.confidence_interval), rel=1e-9)

    def test_the_seed_decides(self) -> None:
        values = log_ratios(12)
        assert bca(values, mean_of, 1) == bca(values, mean_of, 1)
        assert bca(values, mean_of, 1) != bca(values, mean_of, 2)

    @pytest.mark.parametrize("statistic", [mean_of, median_of])
    def test_the_order_of_the_values_does_not_matter(self, statistic: Statistic) -> None:
        values = log_ratios(7)
        assert bca(values, statistic, 1) == bca(values[::-1], statistic, 1) == bca(np.roll(values, 3), statistic, 1)

    @pytest.mark.parametrize("values", [[1.0, 2, 3, 4], [2.0] * 9, [0.5]])
    def test_few_values_or_equal_ones_have_no_interval(self, values: list[float]) -> None:
        found = bca(np.array(values), mean_of, 1)
        assert found.value == pytest.approx(np.mean(values))
        assert ends(found) == (None, None)

    def test_coverage_of_a_skewed_mean(self) -> None:
        """Of 150 samples of 36 lognormal values, 95 % intervals hold the true mean in 88 to 99 %."""
        rng = np.random.default_rng(11)
        held = 0
        for trial in range(150):
            found = bca(rng.lognormal(0, 0.5, 36), mean_of, trial)
            assert found.low is not None
            assert found.high is not None
            held += found.low <= math.exp(0.125) <= found.high
        assert 132 <= held <= 149


class TestQuantileInterval:
    def test_of_the_mean_it_is_the_t_interval(self) -> None:
        values = log_ratios(9)
        found = quantile_interval(values.mean(), values.std(ddof=1), 9, deviates=0)
        assert ends(found) == pytest.approx(DescrStatsW(values).tconfint_mean(alpha=0.05))

    @pytest.mark.parametrize("deviates", [-1.96, 0.0, 1.96])
    @pytest.mark.parametrize("count", [3, 12, 40])
    def test_coverage(self, count: int, deviates: float) -> None:
        """Of 60 000 normal samples the interval holds the true point in 95 %, to 0.4 points."""
        samples = np.random.default_rng(4).normal(3, 2, (60_000, count))
        unit = quantile_interval(0.0, 1.0, count, deviates=deviates)
        assert unit.low is not None
        assert unit.high is not None
        mean, sd = samples.mean(axis=1), samples.std(axis=1, ddof=1)
        true = 3 + 2 * deviates
        held = (mean + unit.low * sd <= true) & (true <= mean + unit.high * sd)
        assert held.mean() == pytest.approx(0.95, abs=0.004)


class TestPairedChange:
    def test_every_number_against_another_library(self) -> None:
        logs = log_ratios(36)
        ratios = np.exp(logs)
        found = paired_change(ratios, seed=3)
        described = DescrStatsW(logs)
        t, p, degrees = described.ttest_mean(0)
        assert found.paired_t is not None
        assert found.wilcoxon is not None
        assert (found.paired_t.statistic, found.paired_t.p_value) == pytest.approx((t, p))
        assert found.paired_t.degrees == degrees
        assert found.geometric_mean.value == pytest.approx(stats.gmean(ratios))
        assert ends(found.geometric_mean) == pytest.approx(tuple(np.exp(described.tconfint_mean())))
        assert found.wilcoxon.p_value == pytest.approx(stats.wilcoxon(logs, method="exact").pvalue)
        assert found.mean_percent.value == pytest.approx(100 * (ratios.mean() - 1))
        assert found.median_percent.value == pytest.approx(100 * (np.median(ratios) - 1))
        assert found.sd_percent == pytest.approx(100 * ratios.std(ddof=1))
        assert found.quartiles_percent == pytest.approx(tuple(100 * (np.quantile(ratios, [0.25, 0.75]) - 1)))
        assert found.log_sd == pytest.approx(described.std_mean * math.sqrt(36))
        assert (found.count, found.gone) == (36, 0)

    def test_no_p_value_is_0(self) -> None:
        """A fall of 30 % in everybody, by perfect calipers: Student's t is 1e13, its p below what a float holds."""
        ratios = 0.7 + 1e-13 * np.arange(60)
        test = paired_change(ratios, seed=1).paired_t
        assert test is not None
        assert 0 < test.p_value < 1e-300
        assert p_value(test.p_value) == "2.2e-308"
        rate = response_rate(3000, 3000, 0.001)
        assert rate.p_two_sided is not None
        assert rate.p_two_sided > 0

    def test_a_lesion_that_is_gone_counts_where_it_can(self) -> None:
        ratios = [0.9, 0.8, 0.7, 0.75, 0.6, 0.95, 0.0]
        found, without = paired_change(ratios, seed=1), paired_change(ratios[:-1], seed=1)
        assert (found.count, found.gone) == (7, 1)
        assert found.mean_percent.value == pytest.approx(100 * (np.mean(ratios) - 1))
        assert (found.geometric_mean, found.paired_t) == (without.geometric_mean, without.paired_t)
        assert found.wilcoxon is not None
        assert without.wilcoxon is not None
        assert found.wilcoxon.count == 7
        assert found.wilcoxon.p_value < without.wilcoxon.p_value
        assert found.hodges_lehmann.low == 0.0  # the interval reaches to 'all gone'

    def test_all_gone(self) -> None:
        found = paired_change([0.0, 0.0, 0.0], seed=1)
        assert found.mean_percent.value == -100
        assert (found.geometric_mean.value, found.paired_t, found.log_sd) == (None, None, None)
        assert found.hodges_lehmann.value == 0.0

    def test_one_subject_and_none(self) -> None:
        one, none = paired_change([0.7], seed=1), paired_change([], seed=1)
        assert one.mean_percent.value == pytest.approx(-30)
        assert (one.paired_t, one.geometric_mean.low, one.mean_percent.low) == (None, None, None)
        assert (none.count, none.mean_percent.value, none.quartiles_percent, none.wilcoxon) == (0, None, None, None)
