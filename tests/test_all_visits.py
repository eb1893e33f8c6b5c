"""Cohort and CDISC over all visits, from hand-made courses: numbers by hand, and VISITNUM as SDTMIG 4.4.5 has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

import cohort_results
from course_results import CONFIG, children
from lesion_measure.cdisc import Dataset, Evaluator, ExportRequest, export
from lesion_measure.cdisc.visits import timetable
from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.files import cohort_document, statistic_rows
from lesion_measure.cohort.page import write_cohort_page
from lesion_measure.cohort.record import Cohort
from lesion_measure.records import TRIAL, Schedule, TimePoint
from lesion_measure.results import EACH_DAY, read_results

VISITS = {
    "baseline": (1, "BASELINE"), "one_month": (2, "MONTH 1"), "day_45": (2.01, "UNSCHEDULED 2.01"),
    "day_52": (2.02, "UNSCHEDULED 2.02"), "three_months": (3, "MONTH 3"), "six_months": (4, "MONTH 6"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cohort_results.write(tmp_path_factory.mktemp("courses") / "out", children(), config=CONFIG)


@pytest.fixture(scope="module")
def cohort(folder: Path) -> Cohort:
    return analyse(read_results(folder), labs=None)


@pytest.fixture(scope="module")
def datasets(folder: Path) -> dict[str, Dataset]:
    labs = folder / "labs.csv"
    labs.write_text(
        "subject,visit,test,value,unit,date\nC1,baseline,AFP,100,ng/mL,2024-03-04\n"
        "C1,three_months,AFP,20,ng/mL,2024-06-02\nC2,day_45,AFP,50,ng/mL,2024-04-18\n"
    )
    request = ExportRequest(out=folder, study="T", people=Evaluator.INVESTIGATOR, labs=labs, formats=("csv",))
    return {dataset.name: dataset for dataset in export(request).datasets}


class TestCohort:
    def test_each_planned_visit_has_its_change(self, cohort: Cohort) -> None:
        """One lesion a child: 40, 24, 20, 30; 30, 20, 15, 12; 20, 19, missed, 18 mm."""
        percents = {"one_month": (-40, -100 / 3, -5), "three_months": (-50, -50), "six_months": (-25, -60, -10)}
        assert [visit.visit for visit in cohort.by_visit] == list(percents)
        for visit in cohort.by_visit:
            own = percents[visit.visit]
            assert visit.change.count == len(own)
            assert visit.change.median_percent.value == pytest.approx(median(own), abs=1e-4)
            assert visit.change.mean_percent.value == pytest.approx(sum(own) / len(own), abs=1e-4)
        assert [(visit.label, visit.days) for visit in cohort.by_visit] == [
            ("1 month", 30),
            ("3 months", 90),
            ("6 months", 180),
        ]
        assert [visit.primary for visit in cohort.by_visit] == [True, False, False]

    def test_the_answer_stays_that_of_the_primary_visit(self, cohort: Cohort) -> None:
        assert cohort.primary.change.median_percent.value == pytest.approx(-100 / 3, abs=1e-4)
        assert cohort.responders.evaluable.responders == 2
        assert cohort.unplanned == 2

    def test_the_tables_have_every_visit(self, cohort: Cohort) -> None:
        rows = [row for row in statistic_rows(cohort) if row["statistic"] == "median" and row["section"] == "visit"]
        assert {str(row["group"]).split(", ")[1]: row["count"] for row in rows} == {"three_months": 2, "six_months": 3}
        assert [one["visit"] for one in cohort_document(cohort)["by_visit"]] == [
            "one_month",
            "three_months",
            "six_months",
        ]

    def test_a_median_day_between_two_days_is_not_rounded(self, cohort: Cohort, tmp_path: Path) -> None:
        half = replace(cohort, by_visit=(replace(cohort.by_visit[0], days=30.5), cohort.by_visit[1]))
        write_cohort_page(half, tmp_path)
        page = (tmp_path / "cohort.html").read_text()
        assert '<td class="n">30.5</td>' in page
        assert '<td class="n">90</td>' in page

    def test_the_page_shows_every_visit(self, cohort: Cohort, tmp_path: Path) -> None:
        write_cohort_page(cohort, tmp_path)
        page = (tmp_path / "cohort.html").read_text(encoding="utf-8")
        table = page[page.index("<h3>By visit</h3>") :]
        table = table[: table.index("</table>")]
        assert [words in table for words in ("1 month", "3 months", "6 months", "−50.0 %", "−25.0 %")] == [True] * 5
        assert "baseline to 1 month" in page
        assert "2 changes to visits beside the schedule" in page


class TestNumbers:
    def test_planned_visits_are_whole_and_others_decimals_after_the_one_before(self) -> None:
        points = [TimePoint(name=name, label=label) for name, label in (("baseline", "Baseline"), ("w4", "4 weeks"))]
        times = timetable(
            Schedule(tuple(points)), ["day_minus_20", "baseline", "day_5", "day_9", "w4", "day_60", "undated"]
        )
        numbers = {visit: (when.number, when.name) for visit, when in times.items()}
        assert numbers == {
            "day_minus_20": (0.01, "UNSCHEDULED 0.01"), "baseline": (1, "BASELINE"),
            "day_5": (1.01, "UNSCHEDULED 1.01"), "day_9": (1.02, "UNSCHEDULED 1.02"), "w4": (2, "WEEK 4"),
            "day_60": (2.01, "UNSCHEDULED 2.01"), "undated": (None, None),
        }  # fmt: skip

    def test_without_a_schedule_baseline_alone_is_planned(self) -> None:
        times = timetable(EACH_DAY, ["baseline", "day_40", "day_80"])
        assert [when.number for when in times.values()] == [1, 1.01, 1.02]

    def test_the_trials_own_visits_keep_number_name_and_epoch(self) -> None:
        times = timetable(TRIAL, TRIAL.names).values()
        assert [(when.number, when.name, when.words, when.epoch) for when in times] == [
            (1, "SCREENING", "Screening", "SCREENING"), (2, "BASELINE", "Baseline", "SCREENING"),
            (3, "MONTH 1", "Month 1", "TREATMENT"),
        ]  # fmt: skip

    def test_a_number_means_one_name_in_every_dataset(self, datasets: dict[str, Dataset]) -> None:
        pairs = {(row["VISITNUM"], row["VISIT"]) for name in ("TU", "TR", "RS", "LB") for row in datasets[name].rows}
        assert pairs == set(VISITS.values())


class TestDatasets:
    def test_sizes_of_all_visits_with_their_dates(self, datasets: dict[str, Dataset]) -> None:
        rows = [r for r in datasets["TR"].rows if r["USUBJID"] == "T-C2" and r["TRTESTCD"] == "LDIAM"]
        found = [(row["VISITNUM"], row["TRSTRESN"], row["TRDTC"]) for row in rows]
        sizes = (30, 20, 18, 17, 15, 12)
        dates = ("2024-03-04", "2024-04-03", "2024-04-18", "2024-04-25", "2024-06-02", "2024-08-31")
        assert found == [(VISITS[v][0], size, day) for v, size, day in zip(VISITS, sizes, dates, strict=True)]

    def test_a_planned_visit_that_was_missed_in_between_is_not_done(self, datasets: dict[str, Dataset]) -> None:
        rows = [r for r in datasets["TR"].rows if r["USUBJID"] == "T-C3" and r["VISIT"] == "MONTH 3"]
        assert [(row["TRSTAT"], row["TRDTC"]) for row in rows] == [("NOT DONE", None)]

    def test_every_visit_has_its_response(self, datasets: dict[str, Dataset]) -> None:
        rows = {
            (row["VISITNUM"]): row["RSSTRESC"]
            for row in datasets["RS"].rows
            if (row["USUBJID"], row["RSTESTCD"]) == ("T-C1", "OVRLRESP")
        }
        assert rows == {2: "EFFECTIVE", 3: "EFFECTIVE", 4: "PD"}

    def test_change_and_nadir_at_every_visit(self, datasets: dict[str, Dataset]) -> None:
        rows = [
            row for row in datasets["ADTR"].rows if (row["USUBJID"], row["PARAMCD"]) == ("T-C1", "SUMLDIAM")
        ]  # fmt: skip
        found = [(r["AVISIT"], r["AVISITN"], r["AVAL"], r.get("PCHG"), r.get("NADIR"), r.get("PCHGNAD")) for r in rows]
        assert found == [
            ("Baseline", 1, 40, None, None, None), ("Month 1", 2, 24, -40, 40, -40),
            ("Month 3", 3, 20, -50, 24, pytest.approx(-16.6667, abs=1e-3)), ("Month 6", 4, 30, -25, 20, 50),
        ]  # fmt: skip
        assert [str(row["ADT"]) for row in rows] == ["2024-03-04", "2024-04-03", "2024-06-02", "2024-08-31"]

    def test_the_answer_is_flagged_at_the_primary_visit_alone(self, datasets: dict[str, Dataset]) -> None:
        rows = [row for row in datasets["ADTR"].rows if row["PARAMCD"] == "OVRLRESP"]
        assert {(row["AVISITN"], row["ANL02FL"]) for row in rows} == {
            (2, "Y"), (2.01, None), (2.02, None), (3, None), (4, None)
        }  # fmt: skip

    def test_laboratory_values_of_all_visits(self, datasets: dict[str, Dataset]) -> None:
        rows = [(row["USUBJID"], row["VISITNUM"], row["LBDTC"]) for row in datasets["LB"].rows]
        assert rows == [("T-C1", 1, "2024-03-04"), ("T-C1", 3, "2024-06-02"), ("T-C2", 2.01, "2024-04-18")]
