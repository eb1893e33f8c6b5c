"""Hand-made children with courses over four planned visits and one beside them, and the results folders of such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import cohort_results
import report_cohort
from lesion_measure.config import Config, Protocol
from lesion_measure.config.protocol import PlannedVisit
from lesion_measure.records import Assessment, Metric, Response, Scan, Status, SubjectResult

DUE = {"baseline": 0, "one_month": 30, "three_months": 90, "six_months": 180}
LABELS = {"baseline": "Baseline", "one_month": "1 month", "three_months": "3 months", "six_months": "6 months"}
DAYS = DUE | {"day_45": 45, "day_52": 52}
CONFIG = Config(
    protocol=Protocol(
        schedule=tuple(
            PlannedVisit(
                name=name, label=LABELS[name], day=day, window=(day - 10, day + 10) if day else (0, 0),
                primary=name == "one_month",
            )
            for name, day in DUE.items()
        )
    )
)  # fmt: skip
FIRST = date(2024, 3, 4)


def child(code: str, sizes: Mapping[str, float], verdict: str = "effective") -> SubjectResult:
    """A child with one lesion of these diameters in mm by visit, compared with baseline at each later one."""
    lesions = [cohort_results.lesion(code, visit, "L1", size) for visit, size in sizes.items()]
    base = lesions[0].longest_diameter_mm
    changes = []
    for place, lesion in enumerate(lesions[1:], 1):
        size = lesion.longest_diameter_mm
        nadir = min((before.longest_diameter_mm for before in lesions[:place]), key=lambda q: q.value)
        for whose, metric in (
            ("L1", Metric.LONGEST_DIAMETER), (None, Metric.LONGEST_DIAMETER), (None, Metric.SUM_OF_DIAMETERS),
        ):  # fmt: skip
            change = replace(report_cohort.change(code, whose, metric, base, size), visit=lesion.visit)
            changes.append(replace(change, nadir=nadir, percent_from_nadir=100 * (size.value / nadir.value - 1)))
    response = Response(
        rule="trial", category=verdict, metric=Metric.SUM_OF_DIAMETERS, percent=None, certain=True, explanation="x"
    )
    return SubjectResult(
        subject=code,
        visits={visit: _scan(visit) for visit in sorted(sizes, key=DAYS.__getitem__)},
        lesions=tuple(lesions),
        changes=tuple(changes),
        response=response if "one_month" in sizes else None,
        review=(),
        assessments=tuple(_assessment(visit, sizes) for visit in sizes if visit != "baseline"),
        best_response=verdict,
    )


def _scan(visit: str) -> Scan:
    day = DAYS[visit]
    label = LABELS.get(visit, f"Day {day}")
    return Scan(label=label, scheduled=visit in DUE, day=day, date=FIRST + timedelta(days=day), source="StudyDate")


def _assessment(visit: str, sizes: Mapping[str, float]) -> Assessment:
    """By RECIST's limits of -30 % from baseline and +20 % and 5 mm from nadir."""
    before = [size for name, size in sizes.items() if DAYS[name] < DAYS[visit]]
    now, base, nadir = sizes[visit], sizes["baseline"], min(before)
    grown = now >= 1.2 * nadir and now - nadir >= 5
    status = Status.PD if grown else Status.PR if now <= 0.7 * base else Status.SD
    return Assessment(
        visit=visit, days=DAYS[visit], target=status, non_target=None, new_lesions=(), doubtful_lesions=(),
        overall=status, percent=100 * (now / base - 1), nadir=nadir, percent_from_nadir=100 * (now / nadir - 1),
        certain=True, why="x",
    )  # fmt: skip


def children() -> tuple[SubjectResult, ...]:
    """Response and regrowth; steady response with two scans beside the schedule; stable, and 3 months missed."""
    return (
        child("C1", {"baseline": 40, "one_month": 24, "three_months": 20, "six_months": 30}),
        child(
            "C2", {"baseline": 30, "one_month": 20, "day_45": 18, "day_52": 17, "three_months": 15, "six_months": 12}
        ),
        child("C3", {"baseline": 20, "one_month": 19, "six_months": 18}, "not effective"),
    )
