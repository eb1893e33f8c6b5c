"""The simulated trials of the benchmark, in a small version: no error gives the truth, and error what theory says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import simulated_trials
from scipy import stats
from simulated_trials import TrialAnswer, exposures, measured, rate_rows, settings, simulate, size_rows, table

from lesion_measure.lab.phantom.readers import Reader
from lesion_measure.lab.phantom.trial import random_plan
from lesion_measure.records import ONE_MONTH, Metric, SubjectResult

SUM = (Metric.SUM_OF_DIAMETERS, -30.0)


@pytest.fixture(scope="module")
def answers() -> list[TrialAnswer]:
    """Three trials of eight children, read without error and with 12 %."""
    return [answer for seed in (1, 2, 8) for answer in simulate(seed, 8, (0.0, 0.12))]


def volume_ratio(child: SubjectResult) -> float:
    change = child.change(Metric.VOLUME)
    assert change is not None
    return 1 + change.percent / 100


class TestWithoutError:
    def test_no_verdict_is_wrong_and_no_estimate_is_off(self, answers: list[TrialAnswer]) -> None:
        for answer in answers:
            if answer.error == 0:
                assert all(rate.false == rate.missed == 0 for rate in answer.rates.values())
                for size in answer.sizes.values():
                    assert size.mean.value == pytest.approx(size.true_mean)
                    assert size.geometric_mean.value == pytest.approx(size.true_geometric_mean)

    def test_the_true_changes_are_those_of_the_plan(self) -> None:
        """Of a single lesion, every diameter is multiplied by the plan's factor."""
        plan = next(p for index in range(20) if len((p := random_plan(index, 4)).lesions) == 1)
        child = measured(plan, exposures(plan), Reader(), settings(0))
        (factors,) = (lesion.factors for lesion in plan.lesions)
        assert volume_ratio(child) == pytest.approx(factors[ONE_MONTH] ** 3, rel=2e-3)


class TestError:
    def test_shares_and_bias_of_a_volume_are_those_of_theory(self) -> None:
        """Three diameters at two visits err by themselves: the log ratio of a single volume has 6 variances."""
        error, limit = 0.15, -65.7
        plans = [p for index in range(170) if len((p := random_plan(index, 77)).lesions) == 1]
        true, read = [], []
        for plan in plans:
            seen = exposures(plan)
            true.append(volume_ratio(measured(plan, seen, Reader(), settings(0))))
            read.append(volume_ratio(measured(plan, seen, Reader(1, error), settings(error))))
        ratios, sd = np.array(true), math.sqrt(6) * error
        wrong = (np.array(read) <= 1 + limit / 100) != (ratios <= 1 + limit / 100)
        chance = stats.norm.sf(abs(np.log(ratios / (1 + limit / 100))) / sd)
        assert abs(wrong.sum() - chance.sum()) < 3 * math.sqrt((chance * (1 - chance)).sum())
        assert chance.sum() > 5
        errors = np.log(np.array(read) / ratios)
        assert errors.std() == pytest.approx(sd, rel=3 / math.sqrt(2 * len(plans)))
        bias = (np.array(read) - ratios).mean()
        spread = (ratios * np.sqrt(np.expm1(sd**2))).std() / math.sqrt(len(plans))
        assert bias == pytest.approx(ratios.mean() * math.expm1(sd**2 / 2), abs=4 * spread + 0.01)

    def test_the_tables_count_what_the_trials_say(self, answers: list[TrialAnswer]) -> None:
        own = [answer.rates[SUM] for answer in answers if answer.error == 0.12]
        without, row = rate_rows(answers, *SUM)
        count = sum(one.count for one in own)
        assert (without["false"], without["missed"], without["turned"]) == (0, 0, 0)
        assert row["false"] == pytest.approx(100 * sum(one.false for one in own) / count)
        assert row["missed"] + row["false"] > 0
        assert row["rate_bias"] == pytest.approx(row["false"] - row["missed"])
        assert count < 3 * 8  # some children miss a visit
        lines = table("sizes", list(size_rows(answers, Metric.VOLUME))).splitlines()
        assert [line.split(" | ")[0] for line in lines[4:]] == ["| 0.0 %", "| 12.0 %"]

    def test_the_plot_is_drawn(self, answers: list[TrialAnswer], tmp_path: Path) -> None:
        simulated_trials.draw(answers, tmp_path / "plot.png")
        assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_the_short_cut_gives_what_the_files_give() -> None:
    """A trial through DICOM files, caliper files and the pipeline, and by the benchmark's short cut."""
    compared, largest, differ = simulated_trials.compare_ways(seed=6, subjects=2, error=0.089)
    assert compared >= 10
    assert largest < 0.02
    assert differ == 0
