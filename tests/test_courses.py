"""Simulated courses over many visits: the tables tell what was drawn, and the first month is the plain trial's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from csv_files import csv_rows
from lesion_measure.cli import app
from lesion_measure.lab.phantom import simulate_trial
from lesion_measure.lab.phantom.children import ChildPlan, LesionPlan, build_child
from lesion_measure.lab.phantom.courses import checked_days
from lesion_measure.lab.phantom.samples import samples
from lesion_measure.lab.phantom.studies import truth_rows
from lesion_measure.lab.phantom.trial import random_plan, subject_rows
from lesion_measure.lab.phantom.visits import visit_name

DAYS = (0, 30, 90, 180)
NAMES = ("baseline", "one_month", "day_90", "day_180")
PLANS = [random_plan(index, 1, 0.0, DAYS) for index in range(60)]


def sizes(plan: ChildPlan, lesion: int = 0) -> list[float]:
    return [plan.lesions[lesion].factors[visit] for visit in plan.dates]


class TestNames:
    def test_the_trials_own_visits_keep_their_names(self) -> None:
        assert tuple(visit_name(day) for day in DAYS) == NAMES
        assert visit_name(-90) == "day_minus_90"

    @pytest.mark.parametrize(
        ("days", "said"), [((30, 60), "baseline"), ((0, 30, 30), "twice"), ((0, 30, 4000), "4000")]
    )
    def test_days_of_no_course(self, days: tuple[int, ...], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            checked_days(days)

    def test_days_come_in_order(self) -> None:
        assert checked_days([90, -60, 0]) == (-60, 0, 90)


class TestPlans:
    def test_the_first_month_is_that_of_the_child_without_a_course(self) -> None:
        for index, plan in enumerate(PLANS):
            plain = random_plan(index, 1)
            assert plan.dates["baseline"] == plain.dates["baseline"]
            for own, one in zip(plan.lesions, plain.lesions, strict=False):
                assert own.mean_radius_mm == one.mean_radius_mm
                assert own.factors["one_month"] == pytest.approx(max(one.factors["one_month"], 0))

    def test_visits_are_in_order_and_a_few_days_off(self) -> None:
        for plan in PLANS:
            assert tuple(plan.dates) == NAMES
            days = [(day - plan.dates["baseline"]).days for day in plan.dates.values()]
            off = np.subtract(days, DAYS)
            assert off[0] == 0
            assert abs(off).max() <= 3
        close = random_plan(0, 1, 0.0, (0, 1, 2, 3))
        assert [(b - a).days for a, b in pairwise(close.dates.values())] == [1, 1, 1]

    def test_some_respond_and_grow_again_some_have_a_new_lesion_and_what_is_gone_stays_gone(self) -> None:
        regrown = [plan for plan in PLANS if min(sizes(plan)) < 0.7 and sizes(plan)[-1] > 1.2 * min(sizes(plan))]
        assert 6 <= len(regrown) <= 30
        assert {sizes(plan).index(min(sizes(plan))) for plan in regrown} == {1, 2}
        new = [lesion for plan in PLANS for lesion in plan.lesions if not lesion.factors["baseline"]]
        assert 6 <= len(new) <= 25
        assert all(lesion.factors["one_month"] == 0 < lesion.factors["day_180"] for lesion in new)
        first = [lesion for plan in PLANS for lesion in plan.lesions if lesion.factors["baseline"]]
        gone = [lesion for lesion in first if not lesion.factors["one_month"]]
        assert gone
        assert all(lesion.factors["day_90"] == lesion.factors["day_180"] == 0 for lesion in gone)

    def test_each_visit_after_baseline_is_missed_with_the_chance_given(self) -> None:
        plans = [random_plan(index, 1, 0.3, DAYS) for index in range(400)]
        for visit in NAMES[1:]:
            missed = sum(visit not in plan.dates for plan in plans)
            assert abs(missed - 120) < 4 * np.sqrt(400 * 0.3 * 0.7)
        assert all("baseline" in plan.dates for plan in plans)
        whole = [random_plan(index, 1, 0.0, DAYS) for index in range(400)]
        assert all(own.dates.items() <= one.dates.items() for own, one in zip(plans, whole, strict=True))

    def test_nobody_comes_again(self) -> None:
        plan = random_plan(2, 1, 1.0, DAYS)
        assert list(plan.dates) == ["baseline"]
        assert all(lesion.factors == {"baseline": 1.0} for lesion in plan.lesions)

    def test_the_form_is_that_of_the_lesions_at_baseline(self) -> None:
        new = next(plan for plan in PLANS if len(plan.lesions) == 2 and not plan.lesions[1].factors["baseline"])
        (row,) = subject_rows([new], 1, 0)
        assert row["form"] == "focal"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three children: the first misses day 90, the third has a new lesion then."""
    folder = tmp_path_factory.mktemp("courses")
    simulate_trial(folder, subjects=3, seed=1, visits=(180, 0, 30, 90), missing=0.08)
    return folder


class TestTruth:
    """Truth of every visit is what was drawn: the surface's own cut and volume, and the planned factor."""

    def test_a_row_for_each_lesion_and_visit_of_the_plan(self, trial: Path) -> None:
        plans = [random_plan(index, 1, 0.08, DAYS) for index in range(3)]
        expected = {(p.code, visit, f"L{n}") for p in plans for visit in p.dates for n, _ in enumerate(p.lesions, 1)}
        rows = csv_rows(trial / "truth.csv")
        assert {(row["subject"], row["visit"], row["lesion"]) for row in rows} == expected
        assert len(rows) == len(expected)
        assert ("SIM-001", "day_90", "L1") not in expected  # missed
        assert ("SIM-003", "baseline", "L2") in expected  # not there before day 90

    def test_sizes_of_every_visit_are_those_of_the_drawn_surfaces(self, trial: Path) -> None:
        rows = {(row["subject"], row["visit"], row["lesion"]): row for row in csv_rows(trial / "truth.csv")}
        for index in range(3):
            child = build_child(random_plan(index, 1, 0.08, DAYS))
            for exposure in child.exposures:
                row = rows[child.plan.code, exposure.visit, exposure.lesion]
                shape = child.shape(int(exposure.lesion[1:]) - 1, exposure.visit)
                assert shape is not None
                points = shape.outline(exposure.scan, 2000)
                assert points is not None
                widest = max(np.linalg.norm(points - point, axis=1).max() for point in points)
                assert float(row[f"{exposure.plane}_long_mm"]) == pytest.approx(widest, rel=1e-4)
                assert float(row["volume_ml"]) == pytest.approx(shape.volume_ml(), rel=1e-4)

    def test_changes_are_those_of_the_sizes(self, trial: Path) -> None:
        rows = {(row["subject"], row["visit"], row["lesion"]): row for row in csv_rows(trial / "truth.csv")}
        compared = 0
        for (subject, visit, lesion), row in rows.items():
            first = rows[subject, "baseline", lesion]
            if visit == "baseline" or first["present"] == "no":
                assert row["diameter_change_percent"] == row["volume_change_percent"] == ""
                continue
            for column, change in (("sagittal_long_mm", "diameter"), ("volume_ml", "volume")):
                percent = 100 * (float(row[column]) / float(first[column]) - 1)
                assert float(row[f"{change}_change_percent"]) == pytest.approx(percent, abs=2e-2)
            compared += 1
        assert compared == 8

    def test_files_and_tables_name_the_same_images(self, trial: Path) -> None:
        files = {path.relative_to(trial).as_posix() for path in trial.rglob("*.dcm")}
        visits = {row["path"]: row["visit"] for row in csv_rows(trial / "visits.csv")}
        assert set(visits) == files == {row["image"] for row in csv_rows(trial / "calipers.csv")}
        truth = csv_rows(trial / "truth.csv")
        assert {row[f"{plane}_image"] for row in truth for plane in ("transverse", "sagittal")} - {""} == files
        dates = {(row["subject"], row["visit"]): row["date"] for row in truth}
        for path, visit in visits.items():
            header = pydicom.dcmread(trial / path, stop_before_pixels=True)
            assert date.fromisoformat(dates[header.PatientID, visit]).strftime("%Y%m%d") == header.StudyDate
            assert header.get("ClinicalTrialTimePointID", visit) == visit

    def test_a_lesion_has_no_picture_before_it_is_there_and_one_after_it_is_gone(self) -> None:
        first = samples(3)[0].plan
        dates = {"baseline": date(2023, 1, 1), "one_month": date(2023, 2, 1), "day_90": date(2023, 4, 1)}
        gone = LesionPlan(8, dict(zip(dates, (1.0, 0.0, 0.0), strict=True)))
        new = LesionPlan(6, dict(zip(dates, (0.0, 1.0, 1.3), strict=True)))
        child = build_child(replace(first, lesions=(gone, new), dates=dates))
        seen = {(e.visit, e.lesion): e.axes is not None for e in child.exposures}
        assert seen == {
            ("baseline", "L1"): True, ("one_month", "L1"): False, ("day_90", "L1"): False,
            ("one_month", "L2"): True, ("day_90", "L2"): True,
        }  # fmt: skip
        rows = {(row["visit"], row["lesion"]): row for row in truth_rows(child, ())}
        assert [rows[visit, "L2"]["present"] for visit in dates] == ["no", "yes", "yes"]
        assert [rows[visit, "L1"]["present"] for visit in dates] == ["yes", "no", "no"]
        assert rows["day_90", "L1"]["diameter_change_percent"] == "-100.0000"
        assert "diameter_change_percent" not in rows["day_90", "L2"]


class TestCommand:
    @pytest.mark.parametrize(("text", "said"), [("30,60", "baseline"), ("0,30d", "whole days"), ("0,0", "twice")])
    def test_wrong_days(self, text: str, said: str, tmp_path: Path) -> None:
        done = CliRunner().invoke(
            app, ["simulate", str(tmp_path), "--subjects", "1", "--seed", "1", "--visits", text], env={"COLUMNS": "200"}
        )
        assert done.exit_code == 2
        assert said in done.output

    def test_one_scan_alone(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(
            app, ["simulate", str(tmp_path / "out"), "--subjects", "1", "--seed", "1", "--visits", "0"]
        )
        assert done.exit_code == 0
        assert {row["visit"] for row in csv_rows(tmp_path / "out" / "truth.csv")} == {"baseline"}
