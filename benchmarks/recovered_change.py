"""How well the change of simulated lesions is recovered.

``python benchmarks/recovered_change.py [--model models/NAME]`` simulates a trial, runs the whole program on it and
compares every lesion's change with the truth. With ``--model`` the network measures alone (``model_only``), the
manifest naming which lesion an image shows.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from lesion_measure.config import Config, Segment
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.phantom import simulate_trial
from lesion_measure.pipeline import run
from lesion_measure.records import ONE_MONTH, Metric, RunResult


def truth_of(trial: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    """Rows of truth.csv by subject, visit and lesion."""
    with (trial / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {(row["subject"], row["visit"], row["lesion"]): row for row in csv.DictReader(file)}


def describe(name: str, errors: list[float], unit: str) -> None:
    """One line: how many, bias, SD, median and largest absolute error."""
    if not errors:
        print(f"{name}: nothing measured")
        return
    values = np.array(errors)
    size = np.abs(values)
    print(
        f"{name}: n {len(values)}, bias {values.mean():+.3f}, SD {values.std(ddof=1):.3f}, "
        f"median |error| {np.median(size):.3f}, largest {size.max():.3f} {unit}"
    )


def compare(result: RunResult, trial: Path) -> None:
    """Print the errors of diameters and of changes, and what was not measured."""
    truth = truth_of(trial)
    sizes = [
        100 * (m.longest_diameter_mm.value / true - 1)
        for subject in result.subjects
        for m in subject.lesions
        if m.present
        for true in [max(float(truth[m.subject, m.visit, m.lesion][f"{p.plane}_long_mm"]) for p in m.planes)]
    ]
    describe("longest diameter, relative error", sizes, "%")
    for metric, column in ((Metric.LONGEST_DIAMETER, "diameter"), (Metric.VOLUME, "volume")):
        errors = [
            c.percent - float(truth[c.subject, ONE_MONTH, c.lesion][f"{column}_change_percent"])
            for subject in result.subjects
            for c in subject.changes
            if c.lesion is not None and c.metric is metric and c.percent_ci95 is not None
        ]
        describe(f"change of {metric.replace('_', ' ')}, error", errors, "percentage points")
    lesions = sum(visit == ONE_MONTH for _, visit, _ in truth)
    pairs = sum(
        c.lesion is not None and c.metric is Metric.LONGEST_DIAMETER for s in result.subjects for c in s.changes
    )
    review = Counter(refusal.code for subject in result.subjects for refusal in subject.review)
    print(f"lesions compared: {pairs} of {lesions}; review: {dict(review)}")


def main() -> None:
    """Simulate, run, compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--subjects", type=int, default=36)
    options.add_argument("--seed", type=int, default=36)
    options.add_argument("--model", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial"
        simulate_trial(trial, subjects=chosen.subjects, seed=chosen.seed)
        by_model = RunRequest(
            input=trial,
            out=Path(folder) / "out",
            config=Config(segment=Segment(policy="model_only")),
            manifest=trial / "visits.csv",
            model=chosen.model,
        )
        by_calipers = RunRequest(input=trial, out=Path(folder) / "out", calipers=trial / "calipers.csv")
        compare(run(by_model if chosen.model else by_calipers), trial)


if __name__ == "__main__":
    main()
