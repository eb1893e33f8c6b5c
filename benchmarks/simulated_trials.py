"""What measurement error does to the answer of a trial, from simulated trials whose true changes are known.

``python benchmarks/simulated_trials.py [--trials 200] [--plot docs/images/misjudged.png]`` draws the children of
`phantom.trial` (60 % with one lesion, 40 % with two to four; some lesions gone; 8 % without a 1-month visit), lets
readers of several errors draw calipers on the true outlines, and gives these calipers to the program's own stages and
statistics. No pictures are drawn, so that 200 trials of 36 children at six errors take minutes; ``--whole N`` runs N
trials both ways, through DICOM files and this short cut, and compares every change and verdict.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.record import Cohort
from lesion_measure.cohort.responders import count_responders
from lesion_measure.config import Comparison, Config, Repeatability, Uncertainty
from lesion_measure.image.caliper_pairs import measured_by_calipers
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.phantom import simulate_trial
from lesion_measure.lab.phantom.anatomy import random_lesion
from lesion_measure.lab.phantom.children import LATERAL, ChildPlan, Exposure
from lesion_measure.lab.phantom.readers import Reader
from lesion_measure.lab.phantom.shapes import ScanPlane, Vector, measure_outline
from lesion_measure.lab.phantom.trial import random_plan
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.pipeline import run
from lesion_measure.records import (
    ONE_MONTH,
    Axis,
    CalibratedRegion,
    Calibration,
    Caliper,
    CaliperPair,
    Instance,
    Location,
    Metric,
    PlaneMeasurement,
    Provenance,
    RunResult,
    Study,
    SubjectResult,
    SubjectVisits,
)
from lesion_measure.report.results import as_results
from lesion_measure.stats.estimates import Estimate
from lesion_measure.verdict.subject import judge_child

ERRORS = (0.0, 0.03, 0.05, 0.089, 0.12, 0.15)
"""Coefficients of variation of one diameter; 0.089 is the published one of other abdominal masses."""

MISSING = 0.08
QUESTIONS = (
    (Metric.SUM_OF_DIAMETERS, -30.0), (Metric.LONGEST_DIAMETER, -30.0), (Metric.VOLUME, -65.7), (Metric.VOLUME, -30.0),
)  # fmt: skip
"""Size and limit in percent: 65.7 % of a volume is 30 % of a diameter."""

_PIXEL_MM = 0.2
_SIZE_PX = 4000
_REGION = CalibratedRegion(
    row_min=0, row_max=_SIZE_PX - 1, col_min=0, col_max=_SIZE_PX - 1, spacing_mm=(_PIXEL_MM, _PIXEL_MM),
    source="simulated",
)  # fmt: skip
_CALIBRATION = Calibration(
    spacing_mm=_REGION.spacing_mm, source=_REGION.source, region=_REGION, regions=(_REGION,)
)  # fmt: skip
_PROVENANCE = Provenance(
    package_version="", config_sha256="", model=None, model_sha256=None, model_settings_sha256=None, inputs={},
    versions={}, started="", seconds={}, command="",
)  # fmt: skip


def settings(error: float) -> Config:
    """A configuration that knows its readers' error; a volume of three diameters has sqrt(3) times that of one.

    The trial's rule alone: what others would say is not asked here.
    """
    known = Repeatability(diameter_cv=error, volume_cv=float(np.sqrt(3)) * error, source="simulated")
    return Config(uncertainty=Uncertainty(repeatability=known), comparison=Comparison(secondary_rules=False))


def exposures(plan: ChildPlan) -> tuple[Exposure, ...]:
    """Both planes of each lesion at each visit with the true axes, without a picture or anything else of the child."""
    rng = np.random.default_rng([plan.seed, 5])
    shapes = [
        random_lesion(rng, f"L{n}", np.array([0.0, 0.0, 60.0]), lesion.mean_radius_mm).shape
        for n, lesion in enumerate(plan.lesions, 1)
    ]
    found = []
    for visit in plan.dates:
        for number, (shape, lesion) in enumerate(zip(shapes, plan.lesions, strict=True), 1):
            for plane, lateral in LATERAL.items():
                factor, tilt = lesion.factors[visit], float(rng.uniform(-9, 9))
                scan = ScanPlane(np.zeros(3), lateral, np.array([0.0, 0.0, 1.0])).tilted(tilt)
                outline = shape.scaled(factor).outline(scan, 120) if factor else None
                axes = None if outline is None else measure_outline(outline)
                found.append(Exposure(visit, f"L{number}", plane, scan, axes))
    return tuple(found)


def measured(plan: ChildPlan, seen: Iterable[Exposure], reader: Reader, config: Config) -> SubjectResult:
    """One child as the pipeline measures it from this reader's calipers."""
    readings: dict[str, VisitReadings] = {}
    for number, exposure in enumerate(seen):
        here = readings.setdefault(exposure.visit, VisitReadings())
        lines = _calipers(plan, exposure, reader, f"{plan.code}.{number}")
        if lines[0].axis is Axis.ABSENT:
            here.absent += lines
        else:
            here.caliper.append(_plane(plan, lines, config))
    lesions, unclear = assemble(plan.code, readings, config)
    studies = {visit: (_study(plan, visit),) for visit in readings}
    child = SubjectVisits(subject=plan.code, visits=studies, sources=dict.fromkeys(studies, "simulated"))
    return judge_child(child, lesions, (), (), list(unclear), config=config)


def _study(plan: ChildPlan, visit: str) -> Study:
    return Study(
        study_instance_uid=f"{plan.code}.{visit}", subject=plan.code, study_date=plan.dates[visit], time_point=None,
        instances=(),
    )  # fmt: skip


def _calipers(plan: ChildPlan, exposure: Exposure, reader: Reader, image: str) -> list[Caliper]:
    axes = reader.draws(plan.seed, exposure)
    line = partial(
        Caliper, image=image, frame=1, lesion=exposure.lesion, plane=exposure.plane, reader=reader.name
    )  # fmt: skip
    if axes is None:
        return [line(axis=Axis.ABSENT, start=None, end=None)]
    ends = ((Axis.LONG, axes.long), (Axis.SHORT, axes.short))
    return [line(axis=axis, start=_pixel(points[0]), end=_pixel(points[1])) for axis, points in ends]


def _pixel(point: Vector) -> tuple[float, float]:
    x_mm, z_mm = point.tolist()
    return z_mm / _PIXEL_MM, _SIZE_PX / 2 + x_mm / _PIXEL_MM


def _plane(plan: ChildPlan, lines: Sequence[Caliper], config: Config) -> PlaneMeasurement:
    long, short = lines
    image = Instance(
        path=long.image, location=Location(Path(long.image)), sop_instance_uid=long.image, sop_class_uid="",
        study_instance_uid="", series_instance_uid="", subject=plan.code, study_date=None, time_point=None,
        modality="US", rows=_SIZE_PX, columns=_SIZE_PX, frames=1, transfer_syntax_uid="", photometric="MONOCHROME2",
        samples_per_pixel=1, bits_allocated=8, bits_stored=8,
    )  # fmt: skip
    pair = CaliperPair(
        sop_instance_uid=long.image, frame=1, lesion=long.lesion, plane=long.plane, reader=long.reader, long=long,
        short=short,
    )  # fmt: skip
    return measured_by_calipers(image, pair, _CALIBRATION, config.uncertainty)


def cohort_of(children: Sequence[SubjectResult], config: Config, seed: int) -> Cohort:
    """The trial's answer by the program's own statistics, which look at changes and verdicts alone."""
    slim = tuple(replace(child, lesions=()) for child in children)
    result = RunResult(subjects=slim, refusals=(), instances=(), provenance=_PROVENANCE)
    results = as_results(result, config)
    return analyse(results, labs=None, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeAnswer:
    """One trial's estimates of the change of one size, and what is true of the same children.

    ``true_percents`` are those of every child of the trial, of the missing ones too.
    """

    mean: Estimate
    median: Estimate
    geometric_mean: Estimate
    geometric_mean_bca: Estimate
    hodges_lehmann: Estimate
    true_mean: float
    true_geometric_mean: float
    true_percents: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateAnswer:
    """One trial's responders by one size and limit, and how many verdicts are wrong.

    ``true`` are the true responders among the ``count`` measured children, ``expected`` what the error bars make of the
    measured ones; ``wrong_certain`` of the ``certain`` verdicts are false. ``p_greater`` is that of the exact test,
    ``true_p_greater`` what it would be without error.
    """

    rate: Estimate
    count: int
    true: int
    false: int
    missed: int
    certain: int
    wrong_certain: int
    expected: float
    p_greater: float
    true_p_greater: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnswer:
    """One trial at one error."""

    error: float
    sizes: dict[Metric, SizeAnswer]
    rates: dict[tuple[Metric, float], RateAnswer]


def simulate(seed: int, subjects: int, errors: Sequence[float] = ERRORS) -> list[TrialAnswer]:
    """One trial, read by readers of each error."""
    plans = [random_plan(index, seed) for index in range(subjects)]
    seen = [exposures(plan) for plan in plans]
    truth = [measured(plan, own, Reader(), settings(0)) for plan, own in zip(plans, seen, strict=True)]
    came = [ONE_MONTH in random_plan(index, seed, MISSING).dates for index in range(subjects)]
    without_error = cohort_of([true for true, here in zip(truth, came, strict=True) if here], settings(0), seed)
    answers = []
    for error in errors:
        config = settings(error)
        children = [
            measured(plan, (e for e in own if here or e.visit != ONE_MONTH), Reader(1, error), config)
            for plan, own, here in zip(plans, seen, came, strict=True)
        ]
        answers.append(_answer(error, cohort_of(children, config, seed), without_error, children, truth))
    return answers


def _answer(
    error: float,
    cohort: Cohort,
    without_error: Cohort,
    children: Sequence[SubjectResult],
    truth: Sequence[SubjectResult],
) -> TrialAnswer:
    sizes = {}
    for size, true in zip(cohort.sizes, without_error.sizes, strict=True):
        sizes[size.metric] = SizeAnswer(
            mean=size.change.mean_percent,
            median=size.change.median_percent,
            geometric_mean=size.change.geometric_mean,
            geometric_mean_bca=size.change.geometric_mean_bca,
            hodges_lehmann=size.change.hodges_lehmann,
            true_mean=_known(true.change.mean_percent.value),
            true_geometric_mean=_known(true.change.geometric_mean.value),
            true_percents=tuple(_percent(child, size.metric) for child in truth),
        )
    pairs = [(child, true) for child, true in zip(children, truth, strict=True) if child.changes]
    rates = {(metric, limit): _rate(cohort, without_error, pairs, metric, limit) for metric, limit in QUESTIONS}
    return TrialAnswer(error=error, sizes=sizes, rates=rates)


def _rate(
    cohort: Cohort,
    without_error: Cohort,
    pairs: Sequence[tuple[SubjectResult, SubjectResult]],
    metric: Metric,
    limit: float,
) -> RateAnswer:
    own, true = (
        next(one for one in each.size_limits if one.metric is metric and round(one.limit_percent, 1) == limit)
        for each in (cohort, without_error)
    )
    verdicts = []
    for child, right in pairs:
        change = child.change(metric)
        if change is not None:
            found = count_responders(change.percent, change.percent_ci95, own.limit_percent)
            verdicts.append((found, _percent(right, metric) <= own.limit_percent))
    wrong = [found for found, right in verdicts if found.responds != right]
    return RateAnswer(
        rate=own.rate.percent,
        count=len(verdicts),
        true=sum(right for _, right in verdicts),
        false=sum(found.responds for found in wrong),
        missed=sum(not found.responds for found in wrong),
        certain=sum(found.certain for found, _ in verdicts),
        wrong_certain=sum(found.certain for found in wrong),
        expected=own.expected.mean,
        p_greater=_known(own.rate.p_greater),
        true_p_greater=_known(true.rate.p_greater),
    )


def _percent(child: SubjectResult, metric: Metric) -> float:
    change = child.change(metric)
    if change is None:
        raise ValueError(f"{child.subject} has no change of {metric}")
    return change.percent


def _known(value: float | None) -> float:
    if value is None:
        raise ValueError("a trial without an estimate")
    return value


def coverage(found: Iterable[Estimate], truth: float) -> float:
    """Share of the intervals that hold the truth."""
    return float(np.mean([_known(one.low) <= truth <= _known(one.high) for one in found]))


def size_rows(answers: Sequence[TrialAnswer], metric: Metric) -> Iterator[dict[str, float]]:
    """For each error: bias against the same children without error, and coverage of what is true of all children."""
    for error in dict.fromkeys(answer.error for answer in answers):
        own = [answer.sizes[metric] for answer in answers if answer.error == error]
        everyone = np.array([percent for one in own for percent in one.true_percents])
        there = everyone[everyone > -99.999]  # not gone
        factor = float(np.exp(np.log1p(there / 100).mean()))
        yield {
            "error": error,
            "mean": float(everyone.mean()),
            "mean_bias": float(np.mean([_known(one.mean.value) - one.true_mean for one in own])),
            "mean_coverage": coverage((one.mean for one in own), float(everyone.mean())),
            "median_coverage": coverage((one.median for one in own), float(np.median(everyone))),
            "ratio": factor,
            "ratio_bias": float(np.mean([_known(one.geometric_mean.value) / one.true_geometric_mean for one in own])),
            "ratio_coverage": coverage((one.geometric_mean for one in own), factor),
            "ratio_coverage_bca": coverage((one.geometric_mean_bca for one in own), factor),
        }


def rate_rows(answers: Sequence[TrialAnswer], metric: Metric, limit: float) -> Iterator[dict[str, float]]:
    """For each error: bias and coverage of the rate of responders, and shares of the verdicts that are wrong."""
    for error in dict.fromkeys(answer.error for answer in answers):
        own = [answer.rates[metric, limit] for answer in answers if answer.error == error]
        percents = [p for answer in answers if answer.error == error for p in answer.sizes[metric].true_percents]
        true_rate = 100 * float(np.mean(np.array(percents) <= limit))
        verdicts = sum(one.count for one in own)
        certain = sum(one.certain for one in own)
        yield {
            "error": error,
            "rate": true_rate,
            "rate_bias": 100 * (sum(one.false - one.missed for one in own)) / verdicts,
            "expected_bias": 100 * sum(one.expected - one.true for one in own) / verdicts,
            "rate_rmse": _rms((one.false - one.missed) / one.count for one in own),
            "expected_rmse": _rms((one.expected - one.true) / one.count for one in own),
            "rate_coverage": coverage((one.rate for one in own), true_rate),
            "false": 100 * sum(one.false for one in own) / verdicts,
            "missed": 100 * sum(one.missed for one in own) / verdicts,
            "certain": 100 * certain / verdicts,
            "wrong_certain": 100 * sum(one.wrong_certain for one in own) / max(certain, 1),
            "turned": 100 * float(np.mean([(one.p_greater < 0.025) != (one.true_p_greater < 0.025) for one in own])),
        }


def _rms(shares: Iterable[float]) -> float:
    return 100 * float(np.sqrt(np.mean(np.square(list(shares)))))


def table(title: str, rows: Sequence[dict[str, float]]) -> str:
    """A Markdown table."""
    names = list(rows[0])
    lines = [f"**{title}**", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = [f"{row[name]:.3f}" if "ratio" in name or "coverage" in name else f"{row[name]:.2f}" for name in names]
        lines.append("| " + " | ".join([f"{100 * row['error']:.1f} %", *cells[1:]]) + " |")
    return "\n".join([*lines, ""])


def draw(answers: Sequence[TrialAnswer], path: Path) -> None:
    """False and missed responders over the error of a diameter, by size and limit."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = {
        (Metric.VOLUME, -30.0): ("volume, −30 %", "#D55E00", ":", "^"),
        (Metric.SUM_OF_DIAMETERS, -30.0): ("sum of diameters, −30 %", "#0072B2", "-", "o"),
        (Metric.VOLUME, -65.7): ("volume, −65.7 % (30 % of a diameter)", "#1b1f24", "--", "s"),
    }
    with rc_context({"font.size": 10, "text.parse_math": False}):
        figure = Figure(figsize=(9.2, 4.1), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, 2, sharey=True)
        kinds = (("missed", "Responders who are missed"), ("false", "False responders"))
        for axes, (kind, title) in zip(panels, kinds, strict=True):
            for (metric, limit), (words, colour, style, marker) in shown.items():
                rows = list(rate_rows(answers, metric, limit))
                axes.plot(
                    [100 * row["error"] for row in rows], [row[kind] for row in rows], color=colour, linestyle=style,
                    marker=marker, markersize=6, label=words,
                )  # fmt: skip
            axes.axvline(8.9, color="#9aa0a6", linewidth=1)
            axes.set_title(title, loc="left", fontsize=11)
            axes.set_xlabel("Error of one diameter, coefficient of variation (%)")
            axes.grid(axis="y", color="#e6e8eb")
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_ylim(bottom=0)
        panels[0].set_ylabel("Share of all children (%)")
        panels[0].annotate("published:\n8.9 %", (8.9, 0.97), xycoords=("data", "axes fraction"), xytext=(-4, 0),
                           textcoords="offset points", ha="right", va="top", fontsize=9, color="#59626d")  # fmt: skip
        panels[1].legend(frameon=False, fontsize=9, loc="upper left")
        figure.savefig(path, dpi=150)


def compare_ways(seed: int, subjects: int, error: float) -> tuple[int, float, int]:
    """One trial through DICOM files and by the short cut: changes compared, largest difference, verdicts that differ.

    The short cut gets the true outlines of the children whose pictures were drawn.
    """
    from lesion_measure.lab.phantom.children import build_child

    config = settings(error)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial"
        simulate_trial(trial, subjects=subjects, seed=seed, reader_cv=error, missing=MISSING)
        request = RunRequest(input=trial, out=Path(folder) / "out", calipers=trial / "calipers.csv", config=config)
        whole = run(request).read()
    compared, largest, differ = 0, 0.0, 0
    by_code = {child.subject: child for child in whole.subjects}
    for index in range(subjects):
        plan = random_plan(index, seed, MISSING)
        short = measured(plan, build_child(plan).exposures, Reader(1, error), config)
        long = by_code[plan.code]
        if [c.lesion for c in short.changes] != [c.lesion for c in long.changes]:
            raise ValueError(f"{plan.code}: the two ways compare different lesions")
        for one, other in zip(short.changes, long.changes, strict=True):
            compared, largest = compared + 1, max(largest, abs(one.percent - other.percent))
        verdicts = [None if child.response is None else child.response.category for child in (short, long)]
        differ += verdicts[0] != verdicts[1]
    return compared, largest, differ


def main() -> None:
    """Simulate, print the tables, draw the plot."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=200)
    options.add_argument("--subjects", type=int, default=36)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--plot", type=Path)
    options.add_argument("--whole", type=int, default=0, help="trials that are run both ways")
    chosen = options.parse_args()
    for seed in range(chosen.seed, chosen.seed + chosen.whole):
        compared, largest, differ = compare_ways(seed, chosen.subjects, 0.089)
        print(f"seed {seed}: {compared} changes both ways, largest difference {largest:.4f} points, {differ} verdicts")
    seeds = range(chosen.seed, chosen.seed + chosen.trials)
    with ProcessPoolExecutor(chosen.jobs) as pool:
        answers = [one for trial in pool.map(partial(simulate, subjects=chosen.subjects), seeds) for one in trial]
    for metric in Metric:
        print(table(f"change of {metric}", list(size_rows(answers, metric))))
    for metric, limit in QUESTIONS:
        print(table(f"{metric}, {limit:g} % or less", list(rate_rows(answers, metric, limit))))
    if chosen.plot is not None:
        draw(answers, chosen.plot)


if __name__ == "__main__":
    main()
