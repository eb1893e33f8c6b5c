"""How right the numbers are that the network's outlines add to a reader's calipers.

``python benchmarks/prompted_outlines.py [--model models/NAME] [--seeds 3] [--jitter 0.05] [--both-axes]`` writes the
sample children of one or more seeds, takes the short axes out of their calipers (or leaves them), moves the calipers'
ends by a share of their length, runs the program with network and calipers (calipers first), and compares widths and
areas of the outlines, volumes and their changes with the truth.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from lesion_measure.config import Config
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.phantom import write_samples
from lesion_measure.lab.phantom.children import build_child
from lesion_measure.lab.phantom.samples import DEFAULT_SEED, samples
from lesion_measure.measure import measure_outline
from lesion_measure.pipeline import run
from lesion_measure.records import BASELINE, ONE_MONTH, Metric, Quantity, RunResult, Way

Truth = dict[tuple[str, str, str, str], tuple[float, float]]
"""True short axis in mm and area in mm2 by subject, visit, lesion and plane."""


def truth_of(seed: int) -> Truth:
    """Of every picture of the sample children that shows a lesion, from the surfaces that were drawn."""
    found: Truth = {}
    for sample in samples(seed):
        child = build_child(sample.plan)
        for e in child.exposures:
            shape = child.shape(int(e.lesion.removeprefix("L")) - 1, e.visit)
            outline = None if shape is None else shape.outline(e.scan)
            if outline is not None and e.axes is not None:
                area = measure_outline(outline, spacing_mm=(1.0, 1.0)).area_mm2
                found[sample.plan.code, e.visit, e.lesion, e.plane] = (e.axes.short_mm, area)
    return found


def drawn_again(table: Path, out: Path, jitter: float, both_axes: bool, rng: np.random.Generator) -> None:
    """A copy of a caliper file, each end of each caliper moved; without short axes unless ``both_axes``."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if both_axes or row["axis"] != "short"]
    for row in (row for row in rows if row["axis"] != "absent"):
        steps = [float(row[f"end_{way}"]) - float(row[f"start_{way}"]) for way in ("col", "row")]
        for name in ("start_col", "start_row", "end_col", "end_row"):
            row[name] = f"{float(row[name]) + rng.normal(0, jitter * np.hypot(*steps)):.3f}"
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def describe(name: str, found: list[tuple[Quantity, float]]) -> None:
    """One line: relative errors of a size, and how often its 95 % interval holds the truth."""
    if not found:
        print(f"{name}: none")
        return
    errors = 100 * np.array([quantity.value / true - 1 for quantity, true in found])
    held = [quantity.ci95[0] <= true <= quantity.ci95[1] for quantity, true in found]
    size = np.abs(errors)
    print(
        f"{name}: n {len(found)}, bias {errors.mean():+.1f} %, median |error| {np.median(size):.1f} %, 90 % of them "
        f"within {np.quantile(size, 0.9):.1f} %, largest {size.max():.1f} %; truth in {100 * np.mean(held):.0f} % of "
        "the 95 % intervals"
    )


def errors_of(result: RunResult, truth: Truth, volumes: dict[tuple[str, str, str], float]) -> dict[str, list]:
    """Measured and true values of the sizes that rest on outlines."""
    found: dict[str, list] = {"short axis": [], "area": [], "volume": [], "change": [], "ways": []}
    for m in (m for subject in result.subjects for m in subject.lesions if m.present):
        for p in m.planes:
            found["ways"].append(p.way)
            if p.prompted is not None and p.area_mm2 is not None:
                short, area = truth[m.subject, m.visit, m.lesion, p.plane]
                found["short axis"].append((p.prompted.width_mm, short))
                found["area"].append((p.area_mm2, area))
        if m.way is Way.PROMPTED and m.volume_ml is not None:
            found["volume"].append((m.volume_ml, volumes[m.subject, m.visit, m.lesion]))
    for c in (c for subject in result.subjects for c in subject.changes if c.lesion and c.metric is Metric.VOLUME):
        if c.percent_ci95 is not None:
            before, after = (volumes[c.subject, v, c.lesion] for v in (BASELINE, ONE_MONTH))
            found["change"].append((c.percent, c.percent_ci95, 100 * (after / before - 1)))
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jitter", type=float, default=0.0, help="SD of a caliper's end, as a share of its length")
    parser.add_argument("--both-axes", action="store_true", help="leave the short axes, which then make the volumes")
    options = parser.parse_args()
    config = Config()
    config = config.model_copy(update={"segment": config.segment.model_copy(update={"policy": "calipers_first"})})
    total: dict[str, list] = {}
    for number in range(options.seeds):
        seed = DEFAULT_SEED + 1000 * number
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_samples(folder / "studies", seed)
            rng = np.random.default_rng(seed)
            drawn = folder / "drawn.csv"
            drawn_again(folder / "studies" / "calipers.csv", drawn, options.jitter, options.both_axes, rng)
            request = RunRequest(input=folder / "studies", out=folder / "out", calipers=drawn, config=config)
            result = run(replace(request, model=options.model or Path("liver_us_unet")))
            with (folder / "studies" / "truth.csv").open(encoding="utf-8", newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["volume_ml"]]
        volumes = {(row["subject"], row["visit"], row["lesion"]): float(row["volume_ml"]) for row in rows}
        for key, values in errors_of(result, truth_of(seed), volumes).items():
            total.setdefault(key, []).extend(values)
    print(", ".join(f"{count} pictures {way}" for way, count in Counter(total["ways"]).items()))
    for name in ("short axis", "area", "volume"):
        describe(name, total[name])
    errors = np.array([percent - true for percent, _, true in total["change"]])
    held = [low <= true <= high for _, (low, high), true in total["change"]]
    print(
        f"change of volume: n {len(errors)}, bias {errors.mean():+.1f}, median |error| {np.median(abs(errors)):.1f}, "
        f"largest {abs(errors).max():.1f} points; truth in {100 * np.mean(held):.0f} % of the 95 % intervals"
    )


if __name__ == "__main__":
    main()
