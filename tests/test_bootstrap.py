"""Percentile intervals over redrawn groups, against the same draws summed one by one, however many groups there are."""

from __future__ import annotations

import time

import numpy as np
import pytest

from lesion_measure.stats.bootstrap import RESAMPLES, mean


def values_of(count: int, groups: int) -> tuple[list[float], list[str]]:
    rng = np.random.default_rng(7)
    own = [f"g{number}" for number in [*range(groups), *rng.integers(0, groups, count - groups)]]
    return rng.normal(size=count).tolist(), own


@pytest.mark.parametrize(("count", "groups"), [(60, 25), (4000, 25), (2300, 2200)])
def test_an_interval_is_that_of_whole_groups_drawn_one_by_one(count: int, groups: int) -> None:
    """In one go, in several steps, and with more groups than draws are kept of."""
    values, own = values_of(count, groups)
    names = sorted(set(own))
    sums = np.array([sum(v for v, g in zip(values, own, strict=True) if g == name) for name in names])
    counts = np.array([own.count(name) for name in names])
    rng = np.random.default_rng((3, 17))
    means = []
    for _ in range(RESAMPLES):
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
        means.append((times * sums).sum() / (times * counts).sum())
    for _ in range(2):  # the second time the draws are known
        found = mean(values, own, 3)
        assert (found.low, found.high) == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=1e-12)
        assert found.value == pytest.approx(np.mean(values))
        assert found.count == count


def test_a_second_figure_of_as_many_groups_needs_no_new_draws() -> None:
    values, own = values_of(1500, 1499)
    took = []
    for _ in range(2):
        begun = time.process_time()
        mean(values, own, 11)
        took.append(time.process_time() - begun)
    assert took[1] < 0.6 * took[0]
