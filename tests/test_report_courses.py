"""Courses over many visits: what is drawn lies where sizes and days say, and the page shows every visit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cohort_results
import make
import test_course
from course_results import CONFIG, DUE, LABELS, child, children
from lesion_measure.records import LesionMeasurement, Plane, Quantity, RunResult, SubjectResult
from lesion_measure.report.courses import Course, Point, course_plot, lesion_course, subject_course
from lesion_measure.report.lesion_views import lesion_views
from lesion_measure.report.views import subject_view
from written_runs import write_pages

SIZES = (("Baseline", 0, 40.0), ("1 month", 30, 20.0), ("3 months", 92, 14.0), ("6 months", 180, 28.0))


def points(sizes: tuple[tuple[str, int, float], ...] = SIZES, cv: float = 0.05) -> list[Point]:
    return [Point(label=label, day=day, size=Quantity(value=value, sd=cv * value)) for label, day, value in sizes]


def lesion_course_of(diameters: tuple[tuple[float | None, ...] | None, ...]) -> Course:
    """The course of a lesion with these diameters in mm, transverse and sagittal, at each visit; (): it is gone."""
    days = list(test_course.DAYS)[: len(diameters)]
    measured = {v: two_planes(v, *mm) for v, mm in zip(days, diameters, strict=True) if mm is not None}
    others = [make.lesion(20, visit, "L9") for visit in days]
    subject: SubjectResult = test_course.judged([*measured.values(), *others], days)
    own = [change for change in subject.changes if change.lesion == "L1"]
    course = lesion_course(subject, days, {visit: visit for visit in days}, measured, own)
    assert course is not None
    return course


def two_planes(visit: str, transverse: float = 0, sagittal: float | None = None) -> LesionMeasurement:
    sizes = {Plane.TRANSVERSE: transverse, Plane.SAGITTAL: sagittal}
    planes = tuple(make.plane(mm, plane=plane, long_axis_mm=make.quantity(mm)) for plane, mm in sizes.items() if mm)
    return make.lesion(max(transverse, sagittal or 0), visit, planes=planes)


class TestPlaces:
    def test_days_and_sizes_are_drawn_to_scale(self) -> None:
        plot = course_plot(points(), "mm")
        assert plot is not None
        xs, ys = [m.x for m in plot.marks], [m.y for m in plot.marks]
        for (_, day, size), x, y in zip(SIZES, xs, ys, strict=True):
            assert (x - xs[0]) / (xs[-1] - xs[0]) == pytest.approx(day / 180, abs=1e-3)
            assert (y - ys[0]) / (ys[2] - ys[0]) == pytest.approx((40 - size) / 26, abs=4e-3)

    def test_the_axis_begins_at_zero_and_its_numbers_are_where_such_sizes_lie(self) -> None:
        plot = course_plot(points(), "mm", limit=28.0)
        assert plot is not None
        ticks = {float(tick.text): tick.y for tick in plot.sizes}
        assert min(ticks) == 0
        per_mm = (ticks[0] - ticks[20]) / 20
        assert [m.y for m in plot.marks] == pytest.approx([ticks[0] - per_mm * size for *_, size in SIZES], abs=0.1)
        assert plot.limit == pytest.approx(ticks[0] - per_mm * 28, abs=0.1)

    def test_error_bars_end_at_the_95_percent_interval(self) -> None:
        plot = course_plot(points(), "mm")
        assert plot is not None
        zero, ten = plot.sizes[0].y, plot.sizes[1]
        per_mm = (zero - ten.y) / float(ten.text)
        for (*_, size), mark in zip(SIZES, plot.marks, strict=True):
            low, high = Quantity(value=size, sd=0.05 * size).ci95
            assert mark.low == pytest.approx(zero - per_mm * low, abs=0.1)
            assert mark.high == pytest.approx(zero - per_mm * high, abs=0.1)

    def test_a_statement_has_no_error_bar(self) -> None:
        gone = [*points()[:3], Point(label="6 months", day=180, size=Quantity(value=0.0, sd=0.0))]
        plot = course_plot(gone, "mm")
        assert plot is not None
        assert (plot.marks[-1].low, plot.marks[-1].y) == (None, plot.sizes[0].y)

    def test_everything_lies_in_the_picture(self) -> None:
        for scale in (1e-4, 0.3, 7.0, 9999.0):
            plot = course_plot(points(tuple((label, day, scale * size) for label, day, size in SIZES)), "mL")
            assert plot is not None
            assert 2 <= len(plot.sizes) <= 7
            heights = [y for mark in plot.marks for y in (mark.y, mark.low, mark.high, mark.number_y) if y is not None]
            assert all(8 <= y <= 140 for y in heights)


class TestWords:
    def test_visits_are_named_and_never_touch(self) -> None:
        close = tuple((f"Day {day}", day, 20.0) for day in (0, 1, 2, 3, 90, 180))
        plot = course_plot(points(close), "mm")
        assert plot is not None
        for one in plot.visits:
            for other in plot.visits:
                if one is not other and one.y == other.y:
                    assert abs(one.x - other.x) > 3 * (len(one.text) + len(other.text))
        assert {"Day 0", "Day 90", "Day 180"} <= {tick.text for tick in plot.visits}

    def test_sizes_are_said_in_words(self) -> None:
        plot = course_plot(points(), "mm")
        assert plot is not None
        assert plot.words.startswith("baseline 40.0 ± 2.0 mm; 1 month 20.0 ± 1.0 mm")

    def test_too_few_visits(self) -> None:
        assert course_plot(points()[:2], "mm") is None
        assert course_plot([], "mm") is None


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """report.html of three children with four planned visits, and one scan alone."""
    alone = replace(child("C4", {"baseline": 22.0}), response=None, best_response=None, primary_visit=None)
    result = RunResult(
        subjects=(*children(), alone), refusals=(), instances=(), provenance=cohort_results.PROVENANCE
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("page")
    write_pages(result, folder, CONFIG, lambda uid, frame: np.zeros((80, 80, 3), np.uint8))
    return (folder / "report.html").read_text(encoding="utf-8")


def section(page: str, code: str) -> str:
    start = page.index(f"<h2>{code}</h2>")
    return page[start : page.index("</section>", start)]


class TestPage:
    def test_change_from_baseline_and_from_nadir_at_every_visit(self) -> None:
        """Worked by hand: 40, 24, 20, 30 mm."""
        course = subject_course(children()[0], tuple(DUE), LABELS, CONFIG.comparison)
        assert course is not None
        assert [row.label for row in course.rows] == ["Baseline", "1 month", "3 months", "6 months"]
        assert [row.change and row.change.nadir and row.change.nadir.value for row in course.rows] == [None, 40, 24, 20]
        from_nadir = [row.change and row.change.percent_from_nadir for row in course.rows]
        assert from_nadir == [None, pytest.approx(-40), pytest.approx(-100 / 6), pytest.approx(50)]
        assert [row.change and round(row.change.percent, 3) for row in course.rows] == [None, -40, -50, -25]

    def test_sizes_that_are_compared_stand_beside_those_that_are_shown(self) -> None:
        """24 mm of another plane than the longest, 40: -37.5 % to 15 mm, and not the -62.5 % of what is shown."""
        first = child("C1", {"baseline": 40, "one_month": 15, "three_months": 20})
        changes = tuple(
            replace(c, baseline=make.quantity(24), absolute=-9.0, percent=-37.5) if c.visit == "one_month" else c
            for c in first.changes
        )
        subject = replace(first, changes=changes, primary_visit="one_month")
        view = subject_view(subject, (), CONFIG)
        (lesion,) = lesion_views(view, {}, lambda uid, frame: np.zeros((80, 80, 3), np.uint8), CONFIG)
        assert lesion.course is not None
        assert [row.compared for row in lesion.course.rows] == ["", "24.0 to 15.0 mm", ""]
        shown, compared = lesion.numbers[:2]
        sizes = [[q and q.value for q in row.quantities] for row in (shown, compared)]
        assert sizes == [[40, 15, 20], [24, 15, None]]
        assert shown.change is None
        assert compared.label == "Longest diameter of the planes compared"
        assert compared.change is not None
        assert compared.change.percent == -37.5

    @pytest.mark.parametrize("alike", [{"one_month", "six_months"}, {"one_month"}], ids=len)
    def test_a_plot_holds_sizes_of_one_baseline_and_its_limit(self, alike: set[str]) -> None:
        """24 mm on the planes of the primary visit, 40 on those of others: 30 % less is 16.8 mm, not 28.

        Where 1 month alone, which is primary, has these planes, too few points are left.
        """
        first = child("C1", {"baseline": 40, "one_month": 15, "three_months": 20, "six_months": 12})
        changes = tuple(
            replace(c, baseline=make.quantity(24), percent=100 * (c.followup.value / 24 - 1)) if c.visit in alike else c
            for c in first.changes
        )
        subject = replace(first, changes=changes, primary_visit="one_month")
        course = subject_course(subject, tuple(DUE), LABELS, CONFIG.comparison)
        assert course is not None
        assert [row.compared for row in course.rows if row.label == "3 months"] == ["40.0 to 20.0 mm"]
        if len(alike) == 1:
            assert course.plot is None
            return
        assert course.plot is not None
        assert [tick.text for tick in course.plot.visits] == ["Baseline", "1 month", "6 months"]
        assert course.left_out == ("3 months",)
        sizes = {float(mark.number): mark.y for mark in course.plot.marks}
        assert sizes.keys() == {24, 15, 12}
        per_mm = (sizes[12] - sizes[24]) / 12
        assert course.plot.limit == pytest.approx(sizes[24] + (24 - 16.8) * per_mm, abs=0.15)

    @pytest.mark.parametrize(
        ("diameters", "drawn", "left_out"),
        [
            (((24, 40), (20, None), (19, 36), (18, None)), ["24.0", "20.0", "18.0"], ("week_8",)),
            (((24, 40), (20, 38), (19, None), (18, 36)), ["40.0", "38.0", "36.0"], ("week_8",)),
            (((24, 40), (20, None), (19, 36)), None, ("week_8",)),
            ((None, (24, 40), (20, None), (19, 36), (18, 30)), ["40.0", "36.0", "30.0"], ("week_8",)),
            (((24, 40), (20, None), (), (18, None)), ["24.0", "20.0", "0.0", "18.0"], ()),
        ],
        ids=["one plane", "both planes", "too few", "new lesion", "gone"],
    )
    def test_a_lesions_plot_joins_diameters_of_like_planes(
        self, diameters: tuple[tuple[float, ...] | None, ...], drawn: list[str] | None, left_out: tuple[str, ...]
    ) -> None:
        """Transverse and sagittal diameters in mm at each visit: of the first, 24, 20, 18 are transverse.

        A new lesion has no baseline: there its planes have to be those of its first visit.
        """
        course = lesion_course_of(diameters)
        numbers = None if course.plot is None else [mark.number for mark in course.plot.marks]
        assert (numbers, course.left_out) == (drawn, left_out)

    @pytest.mark.parametrize(
        ("alike", "words"),
        [
            ({"one_month", "six_months"}, ["Not drawn: 3 months, compared with another baseline or with none"]),
            ({"one_month"}, ["No plot, since too few visits are", "Not drawn: 3 months, 6 months, compared with"]),
        ],
        ids=["plot", "no plot"],
    )  # fmt: skip
    def test_the_page_says_what_is_not_drawn_with_and_without_a_plot(
        self, alike: set[str], words: list[str], tmp_path: Path
    ) -> None:
        first = child("C1", {"baseline": 40, "one_month": 15, "three_months": 20, "six_months": 12})
        changes = tuple(replace(c, baseline=make.quantity(24)) if c.visit in alike else c for c in first.changes)
        subject = replace(first, changes=changes, primary_visit="one_month")
        result = RunResult(subjects=(subject,), refusals=(), instances=(), provenance=cohort_results.PROVENANCE)
        write_pages(result, tmp_path, CONFIG, lambda uid, frame: np.zeros((80, 80, 3), np.uint8))
        part = section((tmp_path / "report.html").read_text(encoding="utf-8"), "C1")
        assert [part.count(each) for each in words] == [2] * len(words)  # the child's and the lesion's
        assert part.count('<figure class="course">') == (2 if len(words) == 1 else 0)

    def test_every_visit_stands_in_the_table_of_the_child_and_of_the_lesion(self, page: str) -> None:
        part = section(page, "C1")
        assert part.count('<figure class="course">') == 2
        for words in ("1 month", "3 months", "6 months", "−40.0 %", "−50.0 %", "+50.0 %"):
            assert part.count(words) >= 2
        assert "<b>PD</b>" in part

    def test_scans_beside_the_schedule_are_shown_in_their_places(self, page: str) -> None:
        part = section(page, "C2")
        places = [
            part.index(f'<th scope="row">{label}<small>') for label in ("1 month", "Day 45", "Day 52", "3 months")
        ]
        assert places == sorted(places)

    def test_a_missed_visit_leaves_no_gap_in_the_words(self, page: str) -> None:
        assert "3 months" not in section(page, "C3")

    def test_one_scan_alone_shows_sizes_and_says_that_there_is_no_comparison(self, page: str) -> None:
        part = section(page, "C4")
        assert "22.0 ± 1.1 mm" in part
        assert part.count("no comparison") == 4
        assert 'class="course"' not in part


def test_a_drawing_has_the_same_rules_on_the_screen_and_on_paper(project_dir: Path) -> None:
    """A drawing in the PDF sees pdf_drawing.css alone: a line without a rule there is filled black."""
    templates = project_dir / "lesion_measure" / "report" / "templates"

    def rules(name: str) -> set[str]:
        return set(re.findall(r"\.curve [\w.]+", (templates / name).read_text(encoding="utf-8")))

    drawn = (
        (templates / "parts.html.j2").read_text(encoding="utf-8").partition('<g class="curve">')[2].partition("</g>")[0]
    )
    elements = set(re.findall(r"<(\w+)", drawn))
    assert elements == {"line", "text", "polyline", "circle"}
    assert {f".curve {element}" for element in elements} <= rules("style.css") == rules("pdf_drawing.css")
