"""Plots of a cohort as inline SVG: Okabe and Ito's colours, and a mark, line or hatch of its own for each meaning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup

from lesion_measure.cohort.by_visit import followup
from lesion_measure.cohort.markers import AFP_LAST_DAY, MarkerResult, expected_afp_ng_ml
from lesion_measure.cohort.record import Cohort
from lesion_measure.cohort.words import RATES
from lesion_measure.records import BASELINE, Change, SubjectResult
from lesion_measure.report.plot import LETTER, Plot, Scale, linear, logarithmic, short
from lesion_measure.report.waterfall import Bar, Waterfall, some_bars
from lesion_measure.report.words import METRICS, UNITS, fixed, signed_limit
from lesion_measure.stats.agreement import Agreement, percent_of
from lesion_measure.stats.proportions import Rate
from lesion_measure.tables.labs import LabValue

WIDE, HALF = 1000.0, 500.0
_TOP, _LEFT = 34.0, 64.0
_MOST_MARKED = 300
"""Lines up to whom each point has a mark."""

Points = Sequence[tuple[float, float]]


def waterfall(cohort: Cohort) -> Waterfall | None:
    """Change of the primary size of every subject, largest growth first; None where there is none."""
    bars = (Bar(subject=s.subject, change=change, response=s.response) for s, change in _changes(cohort))
    return some_bars(bars, cohort.results.primary_metric, cohort.results.rule)


def spider(cohort: Cohort) -> Markup | None:
    """Change of the primary size of every subject over the days since baseline; None where no dates are known."""
    metric, rule = cohort.results.primary_metric, cohort.results.rule
    lines: list[tuple[Points, bool]] = []
    for subject in cohort.scanned:
        start = subject.date(BASELINE)
        own = (c for c in subject.changes if c.lesion is None and c.metric is metric)
        points = [
            ((day - start).days, change.percent) for change in own if start and (day := subject.date(change.visit))
        ]
        if points:
            lines.append((sorted([(0, 0.0), *points]), responded(cohort, subject)))
    if not lines:
        return None
    days, percents = zip(*(point for line, _ in lines for point in line), strict=True)
    limits = [rule.response_percent] if rule.metric is metric else []
    x = linear(min(days), max(days), _LEFT, HALF - 54, most=6, rounded=False)
    y = linear(min(*percents, *limits), max(percents), 380, _TOP)
    plot = Plot(HALF, 440)
    plot.rows(y, x.start, x.end, [fixed(tick, 0, signed=True) for tick in y.ticks])
    plot.columns(x, _TOP, y.start, [f"{tick:g}" for tick in x.ticks])
    _titles(plot, x, y, "Days since the baseline scan", f"Change of {METRICS[metric].lower()} (%)")
    for limit in limits:
        plot.line([(x.start, y.at(limit)), (x.end, y.at(limit))], "limit")
        plot.text(x.end + 6, y.at(limit) + 4, signed_limit(limit), size=12)
    plot.line([(x.start, y.at(0)), (x.end, y.at(0))], "zero")
    _courses(plot, [([(x.at(day), y.at(percent)) for day, percent in line], good) for line, good in lines])
    _response_key(plot, cohort)
    return plot.svg()


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
    sizes = [size for _, *both, _ in pairs for size in both]
    y = logarithmic(min(sizes), max(sizes), 380, _TOP)
    x = Scale(low=-0.3, high=1.3, start=_LEFT, end=HALF - 20, ticks=(0, 1))
    plot = Plot(HALF, 440)
    plot.rows(y, x.start, x.end, [f"{tick:g}" for tick in y.ticks])
    plot.columns(x, _TOP, y.start, ["Baseline", followup(cohort.results).capitalize()])
    _titles(plot, x, y, "", f"{METRICS[metric]} ({UNITS[pairs[0][3]]})")
    _courses(
        plot,
        [
            ([(x.at(0), y.at(before)), (x.at(1), y.at(after))], responded(cohort, subject))
            for subject, before, after, _ in pairs
        ],
    )
    for place, both in enumerate(zip(*((before, after) for _, before, after, _ in pairs), strict=True)):
        middle = y.at(math.exp(float(np.mean(np.log(both)))))
        plot.line([(x.at(place - 0.14), middle), (x.at(place + 0.14), middle)], "middle")
    _response_key(plot, cohort)
    return plot.svg()


def rates(cohort: Cohort) -> Markup:
    """Response rates under each way of counting, with Clopper-Pearson intervals and the historical rate."""
    found = cohort.responders
    rows: list[tuple[str, Rate, str]] = [
        (words, getattr(found, name), "circle" if name == "evaluable" else "diamond") for name, words in RATES.items()
    ]
    for one in cohort.size_limits:
        limit = fixed(one.limit_percent, 1)
        rows.append((f"{METRICS[one.metric]}, {limit} % or less", one.rate, "square"))
    rows = [row for row in rows if row[1].count]
    left = 20 + LETTER * 12 * max((len(words) for words, *_ in rows), default=0)
    bottom = _TOP + 10 + 30 * len(rows)
    x = linear(0, 100, left, WIDE - 100, most=5)
    plot = Plot(WIDE, bottom + 52)
    plot.columns(x, _TOP, bottom, [f"{tick:g}" for tick in x.ticks])
    plot.text((x.start + x.end) / 2, bottom + 42, "Responders (%), with the 95 % interval", anchor="middle")
    for place, (words, rate, shape) in enumerate(rows):
        y = _TOP + 20 + 30 * place
        plot.text(left - 10, y + 4, words, anchor="end", size=12)
        if rate.percent.low is not None and rate.percent.high is not None:
            plot.line([(x.at(rate.percent.low), y), (x.at(rate.percent.high), y)], "interval")
        plot.mark(x.at(rate.percent.value or 0.0), y, shape, "mark other", 5)
        plot.text(x.end + 12, y + 4, f"{rate.responders} of {rate.count}", size=12)
    if cohort.historical_rate is not None:
        percent = 100 * cohort.historical_rate
        plot.line([(x.at(percent), _TOP), (x.at(percent), bottom)], "limit")
        plot.text(x.at(percent), _TOP - 8, f"historical {fixed(percent, 1)} %", anchor="middle", size=12)
    return plot.svg()


def bland_altman(found: Agreement) -> Markup:
    """Difference in percent against the mean (log scale), with bias and limits of agreement and their intervals."""
    pairs = found.pairs
    middle = np.sqrt(pairs.first * pairs.second)
    apart = 100 * np.expm1(np.log(pairs.second / pairs.first))
    lines = [
        (percent_of(log), kind, words)
        for log, kind, words in (
            (found.log.upper, "limit", "upper limit"),
            (found.log.bias, "zero", "bias"),
            (found.log.lower, "limit", "lower limit"),
        )
    ]
    ends = [end for shown, *_ in lines for end in (shown.value, shown.low, shown.high) if end is not None]
    x = logarithmic(float(middle.min()), float(middle.max()), _LEFT, WIDE - 120)
    y = linear(min(0.0, float(apart.min()), *ends), max(0.0, float(apart.max()), *ends), 320, _TOP)
    plot = Plot(WIDE, 376)
    plot.rows(y, x.start, x.end, [fixed(tick, 0, signed=True) for tick in y.ticks])
    plot.columns(x, y.start, y.start, [f"{tick:g}" for tick in x.ticks])
    _titles(plot, x, y, f"Geometric mean of the two ({pairs.unit}): {pairs.measure}", "Difference (%)")
    plot.text(x.start, 18, f"{pairs.second_rater} minus {pairs.first_rater}")
    for shown, kind, words in lines:
        if shown.value is None:
            continue
        if shown.low is not None and shown.high is not None:
            top, foot = short(y.at(shown.high)), short(y.at(shown.low))
            plot.path(f"M{short(x.start)} {top}H{short(x.end)}V{foot}H{short(x.start)}z", "band")
        plot.line([(x.start, y.at(shown.value)), (x.end, y.at(shown.value))], kind)
        plot.text(x.end + 8, y.at(shown.value) - 3, f"{words}\n{fixed(shown.value, 1, signed=True)} %", size=12)
    for size, difference in zip(middle.tolist(), apart.tolist(), strict=True):
        plot.mark(x.at(size), y.at(difference), "circle", "mark other")
    return plot.svg()


def afp_by_age(result: MarkerResult, later: str) -> Markup | None:
    """AFP of every child at both visits over age, with the expected values; None where no age is known.

    A value beyond the assay's range stands at its limit as a hollow triangle that points to where the value lies.
    """
    pairs = [(pair, pair.ages_days) for pair in result.pairs if pair.ages_days is not None]
    if not pairs:
        return None
    ages = [age for _, both in pairs for age in both]
    days = np.linspace(min(30.0, max(min(both[0] for _, both in pairs), 1.0)), AFP_LAST_DAY, 200).tolist()
    expected = [(day, level) for day in days if (level := expected_afp_ng_ml(day))]
    values = [_lab_place(value)[0] for pair, _ in pairs for value in (pair.first, pair.later)]
    levels = [level for level in (*values, *(level for _, level in expected)) if level > 0]
    x = linear(0, max(*ages, AFP_LAST_DAY), _LEFT, WIDE - 20, most=10, rounded=False)
    y = logarithmic(min(levels), max(levels), 330, _TOP)
    plot = Plot(WIDE, 390)
    plot.rows(y, x.start, x.end, [f"{tick:g}" for tick in y.ticks])
    plot.columns(x, y.start, y.start, [f"{tick:g}" for tick in x.ticks])
    _titles(plot, x, y, "Age (days)", "AFP (ng/mL)")
    plot.line([(x.at(day), y.at(level)) for day, level in expected], "limit")
    for pair, both in pairs:
        points = [(x.at(age), value) for age, value in zip(both, (pair.first, pair.later), strict=True)]
        if all(value.measured for _, value in points):
            plot.line([(place, y.at(value.low)) for place, value in points], "course lab")
        for place, value in points:
            level, shape, kind = _lab_place(value)
            plot.mark(place, y.at(level), shape, kind)
    entries = [
        ("circle", "lab", f"child, baseline to {later}"),
        ("line", "limit", "expected in normal infants"),
    ]
    if not all(value.measured for pair, _ in pairs for value in (pair.first, pair.later)):
        entries.append(("down", "lab open", "limit of the assay"))
    plot.key(_LEFT, 18, entries)
    return plot.svg()


def _lab_place(value: LabValue) -> tuple[float, str, str]:
    """Where a value stands, its mark and the mark's class."""
    if value.measured:
        return value.low, "circle", "mark lab"
    return (value.high, "down", "mark lab open") if value.low == 0 else (value.low, "up", "mark lab open")


def responded(cohort: Cohort, subject: SubjectResult) -> bool:
    """Whether the run's verdict on a subject is a response."""
    rule = cohort.results.rule
    return subject.response is not None and rule.is_response(subject.response.category)


def _changes(cohort: Cohort) -> list[tuple[SubjectResult, Change]]:
    metric = cohort.results.primary_metric
    return [(s, change) for s in cohort.scanned if (change := s.change(metric)) is not None]


def _titles(plot: Plot, x: Scale, y: Scale, below: str, beside: str) -> None:
    plot.text((x.start + x.end) / 2, y.start + 42, below, anchor="middle")
    plot.text(16, (y.start + y.end) / 2, beside, anchor="middle", turned=True)


def _courses(plot: Plot, lines: Sequence[tuple[Points, bool]]) -> None:
    """Every subject's line: responders solid with circles, the others dashed with squares."""
    for response in (False, True):
        own = [points for points, good in lines if good is response]
        if not own:
            continue
        kind, shape = ("good", "circle") if response else ("other", "square")
        plot.path("".join(_path(points) for points in own), f"course {kind}")
        if len(lines) <= _MOST_MARKED:
            for x, y in (point for points in own for point in points):
                plot.mark(x, y, shape, f"mark {kind}", 3)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{short(x)} {short(y)}" for x, y in points)


def _response_key(plot: Plot, cohort: Cohort) -> None:
    entries = [("circle", "course good", cohort.results.rule.response_name), ("square", "course other", "others")]
    plot.key(_LEFT, 18, entries)
