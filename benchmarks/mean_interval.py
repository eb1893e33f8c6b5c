"""How often the 95 % intervals of a mean change hold the true value, by the number of subjects.

Changes are lognormal ratios: their logarithm is normal with the mean and SD below, about those of the simulated trials.
``python benchmarks/mean_interval.py`` takes about a minute; docs/cohort.md states what it prints.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from lesion_measure.cohort.paired import mean_with_t_interval
from lesion_measure.stats.estimates import Estimate, bca, mean_of, median_of

COUNTS = (6, 7, 10, 15, 20, 36)
LOG_MEAN, LOG_SD = -0.4, 0.4
"""Of the log ratios: a typical fall by 33 %, and a spread from -70 to +47 %."""


def coverage(count: int, trials: int, seed: int) -> dict[str, float]:
    """Share of trials of ``count`` subjects in which each interval holds the true value."""
    rng = np.random.default_rng([seed, count])
    mean, middle = 100 * (math.exp(LOG_MEAN + LOG_SD**2 / 2) - 1), 100 * (math.exp(LOG_MEAN) - 1)
    held = dict.fromkeys(("mean, BCa", "mean, t", "geometric mean, t", "geometric mean, BCa", "median, BCa"), 0)
    for trial in range(trials):
        logs = rng.normal(LOG_MEAN, LOG_SD, count)
        percents = 100 * np.expm1(logs)
        held["mean, BCa"] += _holds(bca(percents, mean_of, trial), mean)
        held["mean, t"] += _holds(mean_with_t_interval(percents), mean)
        held["geometric mean, t"] += _holds(mean_with_t_interval(logs), LOG_MEAN)
        held["geometric mean, BCa"] += _holds(bca(logs, mean_of, trial), LOG_MEAN)
        held["median, BCa"] += _holds(bca(percents, median_of, trial), middle)
    return {name: number / trials for name, number in held.items()}


def _holds(found: Estimate, truth: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


def main() -> None:
    """Print one line for each number of subjects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for count in COUNTS:
        found = coverage(count, args.trials, args.seed)
        print(f"{count:3d} subjects: " + "; ".join(f"{name} {100 * share:.1f} %" for name, share in found.items()))


if __name__ == "__main__":
    main()
