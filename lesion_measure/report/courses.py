"""Courses: a size at every visit with its change from baseline and from nadir, and where a plot draws it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lesion_measure.config import Comparison
from lesion_measure.records import BASELINE, Assessment, Change, LesionMeasurement, Metric, Quantity, SubjectResult
from lesion_measure.report.alike import compared_with, like_diameters, one_baseline
from lesion_measure.report.words import UNITS, amount, decimals, finite, fixed

WIDTH = 560
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 540.0, 20.0, 138.0
_LETTER, _GAP, _ROWS = 6.0, 8.0, 3
_MOST_NUMBERED = 10
FEWEST_POINTS, FEWEST_CHANGES = 3, 2
"""Fewer sizes and changes than these are told by the tables beside a course."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One visit of a course; ``day`` from baseline. A quantity without an interval is a statement."""

    label: str
    day: int
    size: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseRow:
    """One visit in the table of a course; ``day`` from baseline. What is not known is None."""

    label: str
    date: date | None
    day: int | None
    size: Quantity | None
    change: Change | None
    assessment: Assessment | None = None
    compared: str = ""
    """The two sizes behind the change, where they are of other planes or another method than those shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One size at every visit. ``plot`` is None where there are too few. ``left_out`` names the visits not in it."""

    metric: Metric
    unit: str
    rows: tuple[CourseRow, ...]
    plot: CoursePlot | None
    left_out: tuple[str, ...] = ()

    @property
    def assessed(self) -> bool:
        """Whether the disease was assessed at a visit."""
        return any(row.assessment for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point as it is drawn, in pixels. ``low`` and ``high`` end the 95 % interval; None: a statement has none."""

    x: float
    y: float
    low: float | None
    high: float | None
    number: str
    number_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A word beside an axis, at (x, y) in pixels."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePlot:
    """A course as it is drawn, in pixels; ``limit`` is the height of the rule's limit of response.

    ``visits`` are words below the axis, ``sizes`` numbers beside the other one. ``words`` say all of it.
    """

    marks: tuple[Mark, ...]
    visits: tuple[Tick, ...]
    sizes: tuple[Tick, ...]
    unit: str
    limit: float | None
    words: str

    @property
    def height(self) -> float:
        """Of the whole plot: down to the lowest word."""
        return max(tick.y for tick in self.visits) + 8

    @property
    def line(self) -> str:
        """The points of the line that joins the marks."""
        return " ".join(f"{mark.x:g},{mark.y:g}" for mark in self.marks)


def subject_course(
    subject: SubjectResult, visits: Sequence[str], labels: Mapping[str, str], comparison: Comparison
) -> Course | None:
    """The primary size of a child at every visit; None where it was compared at fewer than two.

    Drawn are sizes that are alike (`alike`): neither the line between others nor the limit would mean anything.
    """
    metric, rule = comparison.primary_metric, comparison.applied_rule
    changes = {c.visit: c for c in subject.changes if c.lesion is None and c.metric is metric}
    if len(changes) < FEWEST_CHANGES:
        return None
    baseline = one_baseline(changes, subject.primary_visit)
    sizes = {BASELINE: baseline} | {visit: change.followup for visit, change in changes.items()}
    drawn = {BASELINE: baseline} | compared_with(baseline, changes)
    assessments = {one.visit: one for one in subject.assessments}
    limit = baseline.value * (1 + rule.response_percent / 100) if rule.metric is metric else None
    return _course(subject, visits, labels, metric, sizes, drawn, changes, assessments, limit)


def lesion_course(
    subject: SubjectResult,
    visits: Sequence[str],
    labels: Mapping[str, str],
    measured: Mapping[str, LesionMeasurement],
    changes: Sequence[Change],
) -> Course | None:
    """The longest diameter of a lesion at every visit; None where it was compared at fewer than two.

    Drawn are those that are alike, as of the child.

    Parameters
    ----------
    subject
        The child, with the dates of its visits.
    visits, labels
        The visits that are shown, in order, and their words.
    measured, changes
        The lesion by visit, and its own changes.
    """
    own = {change.visit: change for change in changes if change.metric is Metric.LONGEST_DIAMETER}
    sizes = {visit: lesion.longest_diameter_mm for visit, lesion in measured.items()}
    if len(own) < FEWEST_CHANGES and len(sizes) < FEWEST_POINTS:
        return None
    drawn = like_diameters(visits, measured, own, subject.primary_visit)
    return _course(subject, visits, labels, Metric.LONGEST_DIAMETER, sizes, drawn, own, {}, None)


def _course(
    subject: SubjectResult,
    visits: Sequence[str],
    labels: Mapping[str, str],
    metric: Metric,
    sizes: Mapping[str, Quantity],
    drawn: Mapping[str, Quantity],
    changes: Mapping[str, Change],
    assessments: Mapping[str, Assessment],
    limit: float | None,
) -> Course:
    unit = next((change.unit for change in changes.values()), "mm")
    days = {visit: scan.day for visit, scan in subject.visits.items()}
    rows = tuple(
        CourseRow(
            label=labels[visit], date=subject.date(visit), day=days.get(visit),
            size=sizes.get(visit), change=changes.get(visit),
            assessment=assessments.get(visit), compared=_compared(sizes, visit, changes.get(visit)),
        )
        for visit in visits
    )  # fmt: skip
    points = [
        Point(label=row.label, day=row.day, size=size)
        for visit, row in zip(visits, rows, strict=True)
        if row.day is not None and (size := drawn.get(visit)) is not None
    ]
    left_out = tuple(labels[visit] for visit in visits if visit in sizes.keys() - drawn.keys())
    return Course(metric=metric, unit=unit, rows=rows, plot=course_plot(points, unit, limit), left_out=left_out)


def _compared(sizes: Mapping[str, Quantity], visit: str, change: Change | None) -> str:
    if change is None:
        return ""
    both = change.baseline.value, change.followup.value
    if both == tuple(size and size.value for size in (sizes.get(BASELINE), sizes.get(visit))):
        return ""
    return f"{' to '.join(fixed(size, decimals(size, change.unit)) for size in both)} {UNITS[change.unit]}"


def course_plot(points: Sequence[Point], unit: str, limit: float | None = None) -> CoursePlot | None:
    """Where a plot draws a course; None where it has too few points with a number.

    Parameters
    ----------
    points
        In the order of time.
    unit
        That of the sizes, a key of `words.UNITS`.
    limit
        The rule's limit of response as a size in that unit.
    """
    shown = [point for point in points if finite(point.size.value) is not None]
    if len(shown) < FEWEST_POINTS:
        return None
    step, top = _scale(max(_highest(point.size) for point in shown))
    first, last = shown[0].day, max(shown[-1].day, shown[0].day + 1)

    def across(day: int) -> float:
        return round(_LEFT + 16 + (_RIGHT - _LEFT - 32) * (day - first) / (last - first), 1)

    def height(size: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * size / top, 1)

    return CoursePlot(
        marks=tuple(_mark(point, across(point.day), height, unit, len(shown) <= _MOST_NUMBERED) for point in shown),
        visits=_visits([(across(point.day), point.label) for point in shown]),
        sizes=tuple(
            Tick(x=_LEFT - 6, y=height(number * step), text=f"{number * step:g}")
            for number in range(round(top / step) + 1)
        ),
        unit=UNITS[unit],
        limit=None if limit is None or limit > top else height(limit),
        words="; ".join(f"{point.label.lower()} {amount(point.size, unit)}" for point in shown),
    )  # fmt: skip


def _highest(size: Quantity) -> float:
    return size.ci95[1] if size.has_interval else size.value


def _scale(highest: float) -> tuple[float, float]:
    """Distance of the ticks, 1, 2 or 5 times a power of ten, and the uppermost of at most six."""
    rough = max(highest, 1e-6) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return step, step * math.ceil(highest / step) or step


def _mark(point: Point, x: float, height: Callable[[float], float], unit: str, numbered: bool) -> Mark:
    size = point.size
    low, high = size.ci95 if size.has_interval else (None, None)
    top = height(_highest(size))
    return Mark(
        x=x,
        y=height(size.value),
        low=None if low is None else height(max(low, 0.0)),
        high=None if high is None else top,
        number=fixed(size.value, decimals(size.value, unit)) if numbered else "",
        number_y=top - 5,
    )


def _visits(places: Sequence[tuple[float, str]]) -> tuple[Tick, ...]:
    """Words below the axis, in a further row where one would touch the word before it; beyond the rows, none."""
    ends = [-math.inf] * _ROWS
    ticks = []
    for x, text in places:
        half = _LETTER * len(text) / 2
        row = next((number for number, end in enumerate(ends) if x - half >= end + _GAP), None)
        if row is not None:
            ends[row] = x + half
            ticks.append(Tick(x=x, y=_BOTTOM + 17 + 14 * row, text=text))
    return tuple(ticks)
