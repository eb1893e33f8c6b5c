"""Plots of a cohort as inline SVG: Okabe and Ito's colours, and a marker, line or hatch of its own for each meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from lesion_measure.cohort.by_visit import followup
from lesion_measure.cohort.markers import AFP_LAST_DAY, MarkerResult, expected_afp_ng_ml
from lesion_measure.cohort.record import Cohort
from lesion_measure.cohort.words import RATES
from lesion_measure.records import BASELINE, Change, SubjectResult
from lesion_measure.report.figures import BLUE, GRAY, GREEN, INK, drawn
from lesion_measure.report.words import METRICS, UNITS, fixed, signed_limit
from lesion_measure.stats.agreement import Agreement, percent_of
from lesion_measure.stats.estimates import Estimate
from lesion_measure.stats.proportions import Rate
from lesion_measure.tables.labs import LabValue

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEEP_BLUE, RED = "#0072B2", "#D55E00"
_GRID = "#e6e8eb"
_DASHED = (0, (5, 3))
_MOST_NAMED = 60


def waterfall(cohort: Cohort) -> Markup | None:
    """Change of the primary size of every subject, largest growth first; None where there is none."""
    rule, metric = cohort.results.rule, cohort.results.primary_metric
    pairs = _changes(cohort)
    if not pairs:
        return None
    pairs.sort(key=lambda pair: (-pair[1].percent, pair[0].subject))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, (subject, change) in enumerate(pairs):
            verdict = subject.response
            colour = GRAY if verdict is None else GREEN if rule.is_response(verdict.category) else BLUE
            hatch = "////" if verdict is not None and not verdict.certain else None
            axes.bar(place, change.percent, width=0.72, color=colour, edgecolor="white", linewidth=0, hatch=hatch)
            if change.percent_ci95 is not None:
                axes.vlines(place, *change.percent_ci95, color=INK, linewidth=1.1, zorder=3)
        axes.axhline(0, color=INK, linewidth=1)
        if rule.metric is metric:
            _limit(axes, rule.response_percent, f"{rule.response_name}\n{signed_limit(rule.response_percent)} or less")
        if len(pairs) <= _MOST_NAMED:
            axes.set_xticks(range(len(pairs)), [_short(s.subject) for s, _ in pairs], rotation=90, fontsize=9)
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(-0.7, max(len(pairs), 6) - 0.3)
        axes.set_ylabel(f"Change of {METRICS[metric].lower()} (%)")
        _tidy(axes)
        _verdict_key(axes, cohort, [s for s, _ in pairs])

    return drawn(draw, (10, 4.6))


def _verdict_key(axes: Axes, cohort: Cohort, subjects: Sequence[SubjectResult]) -> None:
    from matplotlib.patches import Patch

    rule = cohort.results.rule
    categories = {s.response.category if s.response else None for s in subjects}
    handles = [Patch(facecolor=GREEN, label=rule.response_name)]
    if any(category and not rule.is_response(category) for category in categories):
        handles.append(Patch(facecolor=BLUE, label="no response"))
    if None in categories:
        handles.append(Patch(facecolor=GRAY, label="no verdict"))
    if any(s.response is not None and not s.response.certain for s in subjects):
        handles.append(Patch(facecolor="#c9ced4", edgecolor="white", hatch="////", label="not certain (hatched)"))
    _key(axes, handles)


def spider(cohort: Cohort) -> Markup | None:
    """Change of the primary size of every subject over the days since baseline; None where no dates are known."""
    metric = cohort.results.primary_metric
    lines: list[tuple[list[float], list[float], bool]] = []
    for subject in cohort.scanned:
        start = subject.date(BASELINE)
        own = (c for c in subject.changes if c.lesion is None and c.metric is metric)
        points = [
            ((day - start).days, change.percent) for change in own if start and (day := subject.date(change.visit))
        ]
        if points:
            days, percents = zip(*sorted([(0, 0.0), *points]), strict=True)
            lines.append((list(days), list(percents), responded(cohort, subject)))
    if not lines:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for days, percents, response in lines:
            _course(axes, days, percents, response)
        axes.axhline(0, color=INK, linewidth=1)
        if cohort.results.rule.metric is metric:
            limit = cohort.results.rule.response_percent
            _limit(axes, limit, signed_limit(limit))
        axes.set(xlabel="Days since the baseline scan", ylabel=f"Change of {METRICS[metric].lower()} (%)")
        _tidy(axes)
        _response_key(axes, cohort)

    return drawn(draw, (5, 4.4))


def before_after(cohort: Cohort) -> Markup | None:
    """The primary size at both visits, subject by subject, on a log scale; None where there is none."""
    metric = cohort.results.primary_metric
    pairs = [
        (subject, change.baseline.value, change.followup.value, change.unit)
        for subject, change in _changes(cohort)
        if change.baseline.value and change.followup.value
    ]
    if not pairs:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for subject, before, after, _ in pairs:
            _course(axes, [0, 1], [before, after], responded(cohort, subject))
        for place, sizes in enumerate(([p[1] for p in pairs], [p[2] for p in pairs])):
            middle = math.exp(float(np.mean(np.log(sizes))))
            axes.hlines(middle, place - 0.14, place + 0.14, color=INK, linewidth=2.6, zorder=4)
        axes.set_yscale("log")
        _plain_log(axes)
        axes.set_xticks([0, 1], ["Baseline", followup(cohort.results).capitalize()])
        axes.set_xlim(-0.3, 1.3)
        axes.set_ylabel(f"{METRICS[metric]} ({UNITS[pairs[0][3]]})")
        _tidy(axes)
        _response_key(axes, cohort)

    return drawn(draw, (5, 4.4))


def rates(cohort: Cohort) -> Markup:
    """Response rates under each way of counting, with Clopper-Pearson intervals and the historical rate."""
    found = cohort.responders
    rows: list[tuple[str, Rate, str]] = [
        (words, getattr(found, name), "o" if name == "evaluable" else "D") for name, words in RATES.items()
    ]
    for one in cohort.size_limits:
        limit = fixed(one.limit_percent, 1)
        rows.append((f"{METRICS[one.metric]}, {limit} % or less", one.rate, "s"))
    rows = [row for row in rows if row[1].count]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, (_, rate, marker) in enumerate(rows):
            _interval(axes, place, rate.percent, marker)
            axes.annotate(
                f"{rate.responders} of {rate.count}", (1.01, place), xycoords=("axes fraction", "data"), va="center",
                fontsize=9, annotation_clip=False,
            )  # fmt: skip
        if cohort.historical_rate is not None:
            percent = 100 * cohort.historical_rate
            axes.axvline(percent, color=INK, linewidth=1.1, linestyle=_DASHED)
            axes.annotate(
                f"historical {fixed(percent, 1)} %", (percent, 1), xycoords=("data", "axes fraction"), xytext=(0, 4),
                textcoords="offset points", ha="center", fontsize=9,
            )  # fmt: skip
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, 100)
        axes.set_xlabel("Responders (%), with the 95 % interval")
        _tidy(axes, "x")

    return drawn(draw, (10, 1.2 + 0.3 * len(rows)))


def _interval(axes: Axes, place: float, estimate: Estimate, marker: str) -> None:
    if estimate.low is not None and estimate.high is not None:
        axes.hlines(place, estimate.low, estimate.high, color=INK, linewidth=1.3, zorder=2)
    axes.plot(
        [estimate.value or 0.0], [place], marker=marker, color=DEEP_BLUE, markersize=7, linestyle="none",
        markeredgecolor="white", zorder=3,
    )  # fmt: skip


def bland_altman(found: Agreement) -> Markup:
    """Difference in percent against the mean (log scale), with bias and limits of agreement and their intervals."""
    pairs = found.pairs
    middle = np.sqrt(pairs.first * pairs.second)
    apart = 100 * np.expm1(np.log(pairs.second / pairs.first))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(middle, apart, "o", color=DEEP_BLUE, markersize=5, markeredgecolor="white", zorder=3)
        axes.axhline(0, color=GRAY, linewidth=1)
        lines = (
            (found.log.upper, _DASHED, "upper limit"),
            (found.log.bias, "-", "bias"),
            (found.log.lower, _DASHED, "lower limit"),
        )
        for log, style, words in lines:
            shown = percent_of(log)
            if shown.value is None:
                continue
            axes.axhline(shown.value, color=INK, linewidth=1.3, linestyle=style)
            if shown.low is not None and shown.high is not None:
                axes.axhspan(shown.low, shown.high, color=DEEP_BLUE, alpha=0.12, linewidth=0)
            axes.annotate(
                f"{words}\n{fixed(shown.value, 1, signed=True)} %", (1.01, shown.value),
                xycoords=("axes fraction", "data"), va="center", fontsize=9, annotation_clip=False,
            )  # fmt: skip
        axes.set_xscale("log")
        _plain_log(axes, "x")
        axes.set_xlabel(f"Geometric mean of the two ({pairs.unit}): {pairs.measure}")
        axes.set_ylabel("Difference (%)")
        axes.set_title(f"{pairs.second_rater} minus {pairs.first_rater}", fontsize=10, loc="left")
        _tidy(axes)

    return drawn(draw, (10, 3.9))


def afp_by_age(result: MarkerResult, later: str) -> Markup | None:
    """AFP of every child at both visits over age, with the expected values; None where no age is known.

    A value beyond the assay's range stands at its limit as a hollow triangle that points to where the value lies.
    """
    pairs = [(pair, pair.ages_days) for pair in result.pairs if pair.ages_days is not None]
    if not pairs:
        return None

    def draw(figure: Figure) -> None:
        from matplotlib.lines import Line2D

        axes = figure.add_subplot()
        for pair, ages in pairs:
            values = (pair.first, pair.later)
            if all(value.measured for value in values):
                axes.plot(ages, [value.low for value in values], color=RED, linewidth=1.2, zorder=2)
            for age, value in zip(ages, values, strict=True):
                _lab_point(axes, age, value)
        youngest = min(ages[0] for _, ages in pairs)
        days = np.linspace(min(30.0, max(youngest, 1.0)), AFP_LAST_DAY, 200)
        axes.plot(
            days,
            [expected_afp_ng_ml(float(day)) or math.nan for day in days],
            color=INK,
            linewidth=1.6,
            linestyle=_DASHED,
        )
        axes.set_yscale("log")
        _plain_log(axes)
        axes.set(xlabel="Age (days)", ylabel="AFP (ng/mL)")
        _tidy(axes)
        handles = [
            Line2D([], [], color=RED, marker="o", label=f"child, baseline to {later}"),
            Line2D([], [], color=INK, linestyle=_DASHED, label="expected in normal infants"),
        ]
        if not all(value.measured for pair, _ in pairs for value in (pair.first, pair.later)):
            handles.append(
                Line2D(
                    [], [], color=RED, marker="v", markerfacecolor="white", linestyle="none", label="limit of the assay"
                )
            )
        _key(axes, handles)

    return drawn(draw, (10, 4))


def _lab_point(axes: Axes, age: float, value: LabValue) -> None:
    if value.measured:
        axes.plot([age], [value.low], color=RED, marker="o", markersize=5, markeredgecolor="white", zorder=3)
        return
    limit, marker = (value.high, "v") if value.low == 0 else (value.low, "^")
    axes.plot([age], [limit], color=RED, marker=marker, markersize=6, markerfacecolor="white", zorder=3)


def responded(cohort: Cohort, subject: SubjectResult) -> bool:
    """Whether the run's verdict on a subject is a response."""
    rule = cohort.results.rule
    return subject.response is not None and rule.is_response(subject.response.category)


def _changes(cohort: Cohort) -> list[tuple[SubjectResult, Change]]:
    metric = cohort.results.primary_metric
    return [(s, change) for s in cohort.scanned if (change := s.change(metric)) is not None]


def _course(axes: Axes, across: Sequence[float], values: Sequence[float], response: bool) -> None:
    """One subject's line: responders solid with circles, the others dashed with squares."""
    axes.plot(
        across, values, color=GREEN if response else DEEP_BLUE, linestyle="-" if response else "--",
        marker="o" if response else "s", markersize=4, linewidth=1.1, markeredgecolor="white",
    )  # fmt: skip


def _response_key(axes: Axes, cohort: Cohort) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=GREEN, marker="o", label=cohort.results.rule.response_name),
        Line2D([], [], color=DEEP_BLUE, marker="s", linestyle="--", label="others"),
    ]
    _key(axes, handles)


def _key(axes: Axes, handles: Sequence[Artist]) -> None:
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, borderaxespad=0.2, fontsize=9
    )


def _limit(axes: Axes, limit: float, words: str) -> None:
    axes.axhline(limit, color=INK, linewidth=1.1, linestyle=_DASHED)
    axes.annotate(
        words, (1.01, limit), xycoords=("axes fraction", "data"), va="center", fontsize=9, annotation_clip=False
    )


def _plain_log(axes: Axes, which: str = "y") -> None:
    """Numbers on a logarithmic axis as people write them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _tidy(axes: Axes, grid: str = "y") -> None:
    axes.grid(axis="x" if grid == "x" else "y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _short(code: str) -> str:
    return code if len(code) <= 14 else code[:13] + "…"
