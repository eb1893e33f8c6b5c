"""The cohort from results.json to its page: who counts, what the numbers are, and what is refused."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from scipy import stats
from typer.testing import CliRunner

from cohort_results import lesion, subject, write, write_sizes
from lesion_measure.cli import app
from lesion_measure.cohort.analysis import age_group
from lesion_measure.cohort.command import CohortRequest, age_splits, run_cohort, summary_lines
from lesion_measure.cohort.record import Cohort
from lesion_measure.cohort.responders import count_responders, log_error_sd
from lesion_measure.cohort.words import answer, estimate
from lesion_measure.config import Config, Entry, Protocol
from lesion_measure.errors import InputError, TableError
from lesion_measure.records import BASELINE, ONE_MONTH, Assessment, Disease, Form, Metric, Refusal, Status
from lesion_measure.report.words import p_value
from lesion_measure.results import read_results

SUBJECTS = """subject,age_months,form,hepatoblastoma,excluded
S01,3,focal,,
S02,9,focal,,
S03,13.9,multifocal,,
S04,14,multifocal,,
S05,30,diffuse,,
S06,5,focal,yes,
S07,5,focal,,withdrew
S20,4,diffuse,,
"""


def command(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def trial(path: Path) -> Path:
    """Seven children: a response, one that is gone, two near the limit, growth, and two that a table excludes."""
    return write_sizes(
        path,
        {
            "S01": [(40, 20)], "S02": [(30, 0)], "S03": [(30, 20.5), (20, 13.6)], "S04": [(50, 36)],
            "S05": [(20, 26)], "S06": [(30, 10)], "S07": [(30, 10)],
        },
    )  # fmt: skip


def analysed(out: Path, **more: Any) -> tuple[Cohort, dict[str, Any]]:
    return run_cohort(CohortRequest(results=out, **more))


class TestPublishedRates:
    @pytest.mark.parametrize(
        ("responders", "percent", "interval"), [(22, 84.6, (65.1, 95.6)), (15, 57.7, (36.9, 76.6))]
    )
    def test_26_subjects(self, tmp_path: Path, responders: int, percent: float, interval: tuple[float, float]) -> None:
        sizes = {f"S{n:02}": [(30.0, 15.0 if n < responders else 29.0)] for n in range(26)}
        rate = analysed(write_sizes(tmp_path, sizes))[1]["responders"]["evaluable"]
        assert (rate["responders"], rate["count"]) == (responders, 26)
        assert rate["percent"]["value"] == pytest.approx(percent, abs=0.05)
        assert (rate["percent"]["low"], rate["percent"]["high"]) == pytest.approx(interval, abs=0.05)
        assert rate["p_two_sided"] == pytest.approx(stats.binomtest(responders, 26, 0.577).pvalue)

    def test_the_historical_rate_is_a_setting(self, tmp_path: Path) -> None:
        out = write_sizes(tmp_path, {f"S{n}": [(30.0, 15.0 if n < 8 else 29.0)] for n in range(12)})
        rate = analysed(out, historical_rate=0.25)[1]["responders"]["evaluable"]
        assert rate["p_greater"] == pytest.approx(stats.binomtest(8, 12, 0.25, alternative="greater").pvalue)


class TestNumbers:
    def test_every_size_from_the_changes_in_the_file(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(9)
        sizes = {f"S{n:02}": [(x, x * f) for x, f in zip(rng.uniform(10, 60, 2), rng.uniform(0.4, 1.1, 2), strict=True)]
                 for n in range(20)}  # fmt: skip
        out = write_sizes(tmp_path, sizes)
        found, _ = analysed(out, seed=5)
        written = json.loads((out / "results.json").read_text())
        for size in found.sizes:
            ratios = np.array([
                c["followup"]["value"] / c["baseline"]["value"]
                for s in written["subjects"] for c in s["changes"] if c["lesion"] is None and c["metric"] == size.metric
            ])  # fmt: skip
            assert len(ratios) == 20
            assert size.change.mean_percent.value == pytest.approx(100 * (ratios.mean() - 1))
            assert size.change.geometric_mean.value == pytest.approx(stats.gmean(ratios))
            assert size.change.paired_t is not None
            assert size.change.paired_t.p_value == pytest.approx(stats.ttest_1samp(np.log(ratios), 0).pvalue)

    def test_the_share_of_the_spread_that_is_error(self, tmp_path: Path) -> None:
        """Both sizes of every ratio have 5 %, so the log ratio has 0.05 sqrt(2)."""
        rng = np.random.default_rng(2)
        out = write_sizes(tmp_path, {f"S{n}": [(30.0, 30 * f)] for n, f in enumerate(rng.uniform(0.5, 0.9, 12))})
        error = analysed(out)[0].primary.error
        assert error.error_sd == pytest.approx(0.05 * math.sqrt(2), rel=1e-3)
        assert error.observed_sd is not None
        assert error.share == pytest.approx((0.05 * math.sqrt(2) / error.observed_sd) ** 2, rel=2e-3)

    def test_a_subject_whose_lesions_are_gone(self, tmp_path: Path) -> None:
        found, document = analysed(trial(tmp_path))
        assert (found.primary.change.count, found.primary.change.gone) == (7, 1)
        assert found.primary.error.count == 6
        rows = list(csv.DictReader((tmp_path / "cohort" / "cohort_subjects.csv").open()))
        assert rows[1]["subject"] == "S02"
        assert (rows[1]["sum_of_diameters_percent"], rows[1]["sum_of_diameters_percent_ci95_low"]) == ("-100.0", "")
        assert document["sizes"][0]["change"]["hodges_lehmann"]["low"] == 0


class TestWhoCounts:
    def test_excluded_missing_and_never_scanned(self, tmp_path: Path) -> None:
        subjects = [
            subject("S01", [(40, 20)]),
            subject("S03", [(40, None)], review=(refusal("S03", "not_found", "L1 was not found again."),)),
            subject("S04", [(30, None)], days=None),
            subject("S06", [(30, 10)]),
        ]
        refusals = (refusal("S05", "no_scale", "There is no scale."), refusal("S05", "no_scale", "None here either."))
        out = write(tmp_path / "out", subjects, refusals)
        table = tmp_path / "subjects.csv"
        table.write_text(SUBJECTS)
        found, document = analysed(out, subjects=table)
        assert document["subjects"]["excluded"] == [
            {"subject": "S06", "reasons": ["hepatoblastoma"]}, {"subject": "S07", "reasons": ["withdrew"]},
        ]  # fmt: skip
        assert {row["subject"]: row["reasons"] for row in document["subjects"]["missing"]} == {
            "S02": ["No study: no image of this subject is in the results."],
            "S03": ["No lesion was measured at 1 month.", "L1 was not found again."],
            "S04": ["No lesion was measured at 1 month."],
            "S05": ["There is no scale. (And 1 more like it.)"],
            "S20": ["No study: no image of this subject is in the results."],
        }
        rates = found.responders
        assert (rates.evaluable.responders, rates.evaluable.count) == (1, 1)
        assert (rates.missing_fail.responders, rates.missing_fail.count) == (1, 6)
        assert (rates.missing_respond.responders, rates.missing_respond.count) == (6, 6)
        visits = {v.visit: (v.scanned, v.measured, v.lesions) for v in found.visits}
        assert (visits[BASELINE], visits[ONE_MONTH]) == ((3, 3, 3), (2, 1, 1))

    def test_who_is_not_in_the_table_or_too_old_is_counted_and_named(self, tmp_path: Path) -> None:
        table = tmp_path / "subjects.csv"
        table.write_text("subject,age_months\nS01,40\nS02,0.5\n")
        notes = analysed(trial(tmp_path / "out"), subjects=table)[0].notes
        assert any("Not in the subjects table" in note and "S03, S04" in note for note in notes)
        assert any("1 to 36 months" in note and note.endswith("S01, S02.") for note in notes)

    def test_a_withheld_verdict_counts_as_missing(self, tmp_path: Path) -> None:
        """A child with a new lesion has a change and no verdict."""
        fresh = lesion("S2", ONE_MONTH, "L2", 9.0)
        second = subject("S2", [(30, 15)])
        second = replace(second, lesions=(*second.lesions, fresh), response=None)
        found = analysed(write(tmp_path, [subject("S1", [(30, 15)]), second]))[0]
        assert found.responders.withheld == ("S2",)
        assert found.responders.evaluable.count == 1
        assert found.primary.change.count == 2
        assert all(reading.rate.count == 1 for reading in found.size_limits)

    def test_missing_subjects_as_if_nothing_had_changed(self, tmp_path: Path) -> None:
        subjects = [subject(f"S{n}", [(30, 12 + n)]) for n in range(7)] + [subject("S8", [(30, None)])]
        found, document = analysed(write(tmp_path, subjects))
        assert found.missing_unchanged is not None
        ratios = np.array([(12 + n) / 30 for n in range(7)] + [1.0])
        assert found.missing_unchanged.mean_percent.value == pytest.approx(100 * (ratios.mean() - 1))
        assert found.missing_unchanged.geometric_mean.value == pytest.approx(stats.gmean(ratios))
        assert document["missing_unchanged"]["count"] == 8
        assert analysed(trial(tmp_path / "all"))[0].missing_unchanged is None

    def test_labs_of_an_unknown_subject(self, tmp_path: Path) -> None:
        labs = tmp_path / "labs.csv"
        labs.write_text("subject,visit,test,value,unit\nS1,baseline,AFP,10,ng/mL\n")
        with pytest.raises(TableError, match="Subject S1 is neither in the results nor in the subjects table"):
            analysed(trial(tmp_path / "out"), labs=labs)

    def test_a_code_that_lost_its_zeros_is_hinted_at(self, tmp_path: Path) -> None:
        out = write_sizes(tmp_path / "out", {"0012": [(30, 20)], "0013": [(30, 20)]})
        labs = tmp_path / "labs.csv"
        labs.write_text("subject,visit,test,value,unit\n12,baseline,AFP,100,ng/mL\n")
        with pytest.raises(TableError, match="Subject 12 is neither in the results") as caught:
            analysed(out, labs=labs)
        assert "Is '12' perhaps '0012', which a spreadsheet took for a number?" in caught.value.remedy

    def test_groups_by_age_and_form(self, tmp_path: Path) -> None:
        table = tmp_path / "subjects.csv"
        table.write_text(SUBJECTS)
        groups = analysed(trial(tmp_path / "out"), subjects=table)[0].subgroups
        assert [(g.by, g.name, g.subjects, g.change.count, g.rate.responders) for g in groups] == [
            ("age", "under 14 months", 4, 3, 3),
            ("age", "14 months and older", 2, 2, 0),
            ("form", "focal", 2, 2, 2),
            ("form", "multifocal", 2, 2, 1),
            ("form", "diffuse", 2, 1, 0),
        ]

    def test_the_runs_protocol_gives_rate_ages_and_groups_unless_told_otherwise(self, tmp_path: Path) -> None:
        table = tmp_path / "subjects.csv"
        table.write_text("subject,age_months\nS1,3\nS2,9\nS3,20\n")
        protocol = Protocol(historical_rate=0.25, age_groups_months=(6, 12), entry=Entry(age_months=(2, 12)))
        subjects = [subject(f"S{n}", [(30.0, 15.0)]) for n in (1, 2, 3)]
        out = write(tmp_path / "out", subjects, config=Config(protocol=protocol))
        found = analysed(out, subjects=table)[0]
        assert found.responders.evaluable.p_greater == pytest.approx(0.25**3)
        assert [g.name for g in found.subgroups if g.by == "age"] == [
            "under 6 months", "6 to under 12 months", "12 months and older",
        ]  # fmt: skip
        assert any("2 to 12 months" in note and note.endswith("S3.") for note in found.notes)
        told = analysed(out, subjects=table, historical_rate=0.5, age_splits_months=(6.0,))[0]
        assert told.responders.evaluable.p_greater == pytest.approx(0.5**3)
        assert [g.name for g in told.subgroups if g.by == "age"] == ["under 6 months", "6 months and older"]

    def test_without_a_historical_rate_nothing_is_compared_with_one(self, tmp_path: Path) -> None:
        config = Config(protocol=Protocol(historical_rate=None))
        out = write(tmp_path, [subject(f"S{n}", [(30.0, 15.0)]) for n in (1, 2, 3)], config=config)
        cohort, found = analysed(out)
        rate = found["responders"]["evaluable"]
        assert (rate["responders"], rate["count"], rate["p_two_sided"], rate["p_greater"]) == (3, 3, None, None)
        page = (out / "cohort" / "cohort.html").read_text()
        assert "No historical rate is known" in page
        for words in ("istorical 57.7", "Against", "Dashed: historical"):
            assert words not in page
        assert not any("historical" in sentence for sentence in answer(cohort))

    def test_forms_come_from_the_lesions_where_no_table_says_them(self, tmp_path: Path) -> None:
        sizes: dict[str, Any] = {"S1": [(30, 20)], "S2": [(30, 20), (20, 15)], "S3": [(25, 20)]}
        kinds = {"S1": Form.FOCAL, "S2": Form.MULTIFOCAL, "S3": Form.FOCAL}
        subjects = [replace(subject(code, own), disease=_disease(kinds[code])) for code, own in sizes.items()]
        found = analysed(write(tmp_path, subjects))[0]
        assert [(g.by, g.name, g.subjects) for g in found.subgroups] == [
            ("form", "focal", 2),
            ("form", "multifocal", 1),
        ]

    def test_age_groups(self) -> None:
        assert [age_group(age, (6, 14)) for age in (3, 6, 13.9, 14, None)] == [
            "under 6 months", "6 to under 14 months", "6 to under 14 months", "14 months and older", "not given",
        ]  # fmt: skip
        assert age_splits("6, 14") == (6, 14)
        assert [age_splits(text) for text in ("14,6", "a", "", "-1", "nan", "6,6")] == [None] * 6


def _disease(form: Form) -> Disease:
    return Disease(form=form, form_source="lesions", targets=(), targets_source="", non_targets=(), burdens=())


def refusal(code: str, word: str, reason: str) -> Refusal:
    return Refusal(code=word, reason=reason, remedy="Look again.", subject=code)


class TestErrorOfMeasurement:
    @pytest.mark.parametrize(
        ("percent", "interval", "verdict"),
        [
            (-40.0, (-50.0, -31.0), (True, True)),
            (-40.0, (-50.0, -29.0), (True, False)),
            (-29.0, (-45.0, -10.0), (False, False)),
            (-10.0, (-25.0, 5.0), (False, True)),
            (-30.0, (-40.0, -20.0), (True, False)),
            (-100.0, None, (True, True)),
        ],
    )
    def test_certain(self, percent: float, interval: tuple[float, float] | None, verdict: tuple[bool, bool]) -> None:
        found = count_responders(percent, interval, -30)
        assert (found.responds, found.certain) == verdict

    def test_chance_is_the_normal_tail_of_the_log_ratio(self) -> None:
        sd = 0.1
        interval = tuple(100 * (0.75 * math.exp(s * 1.959963984540054 * sd) - 1) for s in (-1, 1))
        found = count_responders(-25.0, (interval[0], interval[1]), -30)
        assert log_error_sd((interval[0], interval[1])) == pytest.approx(sd)
        assert found.chance == pytest.approx(stats.norm.cdf((math.log(0.7) - math.log(0.75)) / sd))
        assert count_responders(-100.0, None, -30).chance == 1
        assert count_responders(-30.0, (interval[0], interval[1]), -30).chance == pytest.approx(0.5)

    def test_counts_and_rates(self, tmp_path: Path) -> None:
        """5 % a size: the interval of a ratio is about 13 % of it either way."""
        found = analysed(trial(tmp_path))[0].responders
        certainty = found.certainty
        assert (certainty.certain_responders, certainty.uncertain_responders) == (4, 1)  # S01 S02 S06 S07; S03
        assert (certainty.uncertain_others, certainty.certain_others) == (1, 1)  # S04; S05
        assert [(r.responders, r.count) for r in (found.least, found.evaluable, found.most)] == [(4, 7), (5, 7), (6, 7)]

    def test_the_limit_as_a_diameter_and_as_a_volume(self, tmp_path: Path) -> None:
        """30 % of a volume is 11.2 % of a diameter; 30 % of a diameter is 65.7 % of a volume."""
        found = analysed(trial(tmp_path))[0]
        limits = {(r.metric, round(r.limit_percent, 1)): r.rate.responders for r in found.size_limits}
        assert set(limits) == {
            *((metric, -30.0) for metric in Metric), (Metric.SUM_OF_PRODUCTS, -51.0), (Metric.VOLUME, -65.7),
            (Metric.LONGEST_DIAMETER, -11.2), (Metric.SUM_OF_DIAMETERS, -11.2), (Metric.SUM_OF_PRODUCTS, -21.2),
        }  # fmt: skip
        assert limits[Metric.SUM_OF_DIAMETERS, -30.0] == found.responders.evaluable.responders
        assert limits[Metric.VOLUME, -30.0] == limits[Metric.SUM_OF_DIAMETERS, -11.2] == 6

    def test_a_change_of_exactly_the_limit(self) -> None:
        assert count_responders(-30.0, None, -30).responds
        assert not count_responders(-30.0, None, -30, at_limit=False).responds
        assert count_responders(-30.1, None, -30, at_limit=False).responds
        rounded = 100 * (245 * 0.35 - 350 * 0.35) / (350 * 0.35)  # -30 % by hand
        assert rounded > -30
        assert count_responders(rounded, None, -30).responds
        assert not count_responders(-60 - rounded, None, -30, at_limit=False).responds

    def test_expected_count_is_the_sum_of_the_chances(self, tmp_path: Path) -> None:
        found = analysed(trial(tmp_path))[0]
        reading = next(r for r in found.size_limits if r.metric is Metric.SUM_OF_DIAMETERS and r.limit_percent == -30)
        changes = [s.change(Metric.SUM_OF_DIAMETERS) for s in found.scanned]
        chances = [
            count_responders(c.percent, c.percent_ci95, -30).chance for c in changes if c and c.percent is not None
        ]
        assert reading.expected.mean == pytest.approx(sum(chances))
        assert reading.expected.low <= reading.rate.responders <= reading.expected.high


class TestFiles:
    @pytest.fixture
    def out(self, tmp_path: Path) -> Path:
        out = trial(tmp_path / "out")
        (tmp_path / "subjects.csv").write_text(SUBJECTS)
        (tmp_path / "labs.csv").write_text(
            "subject,visit,test,value,unit\n"
            + "".join(
                f"S0{n},{visit},AFP,{'<2' if n == 5 and visit == 'one_month' else size},ng/mL\n"
                for n in range(1, 6)
                for visit, size in (("baseline", 100 * n), ("one_month", 60 * n))
            )
        )
        analysed(out, subjects=tmp_path / "subjects.csv", labs=tmp_path / "labs.csv")
        return out

    def test_the_page_needs_nothing_else_and_says_everything(self, out: Path) -> None:
        page = (out / "cohort" / "cohort.html").read_text()
        assert "<script" not in page
        assert not re.search(r"(src|href)=\"(?!#|data:)", page)
        assert "default-src 'none'" in page
        for words in ("Primary size: sum of longest diameters", "hepatoblastoma", "Hodges-Lehmann", "Clopper-Pearson",
                      "under 14 months", "AFP over age", "older than 12 months", "not a medical device"):  # fmt: skip
            assert words in page, words
        assert len(re.findall(r'<svg [^>]*aria-hidden="true"', page)) == 5
        assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))

    def test_the_same_input_gives_the_same_bytes(self, out: Path, tmp_path: Path) -> None:
        before = {f.name: f.read_bytes() for f in (out / "cohort").iterdir()}
        analysed(out, subjects=tmp_path / "subjects.csv", labs=tmp_path / "labs.csv")
        assert before == {f.name: f.read_bytes() for f in (out / "cohort").iterdir()}
        assert set(before) == {"cohort.json", "cohort.csv", "cohort_subjects.csv", "cohort_labs.csv", "cohort.html"}

    def test_a_table_of_labs_does_not_outlive_them(self, out: Path) -> None:
        analysed(out)
        assert not (out / "cohort" / "cohort_labs.csv").exists()

    def test_the_tables_say_what_the_document_says(self, out: Path) -> None:
        document = json.loads((out / "cohort" / "cohort.json").read_text())
        rows = list(csv.DictReader((out / "cohort" / "cohort.csv").open()))
        mean = next(r for r in rows if (r["group"], r["statistic"]) == ("sum_of_diameters", "mean"))
        stated = next(s for s in document["sizes"] if s["metric"] == "sum_of_diameters")["change"]["mean_percent"]
        assert float(mean["value"]) == pytest.approx(stated["value"], abs=1e-5)
        labs = {r["subject"]: r for r in csv.DictReader((out / "cohort" / "cohort_labs.csv").open())}
        assert (labs["S05"]["followup"], labs["S05"]["percent_low"]) == ("<2", "-100.0")
        assert float(labs["S05"]["percent_high"]) == pytest.approx(100 * (2 / 500 - 1))
        assert float(labs["S01"]["percent_low"]) == pytest.approx(-40)
        expected = 100 * (((3 * 30.4375 + 40) / (3 * 30.4375 + 10)) ** -2.622 - 1)
        assert float(labs["S01"]["expected_percent"]) == pytest.approx(expected, abs=1e-4)
        assert labs["S04"]["note"] == "older than 12 months"

    def test_a_p_value_keeps_its_digits_in_every_file(self, tmp_path: Path) -> None:
        """20 children whose lesions fell by about half: p is far below a millionth."""
        sizes = {f"S{n:02}": [(30.0 + n, (30.0 + n) * (0.45 + 0.01 * (n % 7)))] for n in range(20)}
        cohort, document = run_cohort(CohortRequest(results=write_sizes(tmp_path, sizes)))
        test = cohort.primary.change.paired_t
        assert test is not None
        assert 0 < test.p_value < 1e-9
        rows = list(csv.DictReader((tmp_path / "cohort" / "cohort.csv").open()))
        row = next(r for r in rows if r["section"] == "size" and r["statistic"] == "geometric mean ratio, t")
        assert float(row["p_value"]) == pytest.approx(test.p_value, rel=1e-5)
        assert not [r for r in rows if r["p_value"] and float(r["p_value"]) == 0]
        page = (tmp_path / "cohort" / "cohort.html").read_text(encoding="utf-8")
        assert f"p = {p_value(test.p_value)}" in page
        assert all(size["change"]["paired_t"]["p_value"] > 0 for size in document["sizes"])

    def test_subject_codes_cannot_break_page_or_spreadsheet(self, tmp_path: Path) -> None:
        out = write_sizes(tmp_path, {"=1+1": [(30, 20)], "<b>&": [(30, None)]})
        analysed(out)
        assert "&lt;b&gt;&amp;" in (out / "cohort" / "cohort.html").read_text()
        assert "<b>&" not in (out / "cohort" / "cohort.html").read_text()
        assert "'=1+1" in (out / "cohort" / "cohort_subjects.csv").read_text()

    @pytest.mark.parametrize("sizes", [{}, {"S1": [(30, None)]}, {"S1": [(30, 20)]}, {"S1": [(30, 0)]}])
    def test_hardly_any_subject(self, tmp_path: Path, sizes: Mapping[str, Any]) -> None:
        found, document = analysed(write_sizes(tmp_path, sizes))
        assert document["sizes"][0]["change"]["count"] == found.primary.change.count <= 1
        assert (tmp_path / "cohort" / "cohort.html").is_file()


class TestReadingResults:
    def test_what_the_report_writes_is_read_back(self, tmp_path: Path) -> None:
        found = read_results(trial(tmp_path))
        first = found.subjects[0]
        change = first.change(Metric.SUM_OF_DIAMETERS)
        assert change is not None
        assert (change.baseline.value, change.followup.value, change.percent) == (40, 20, -50)
        assert first.lesions[0].planes[0].long_axis_mm.value == 40
        assert found.rule.response_percent == -30

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (lambda d: d.update(schema="other"), "'schema'"),
            (lambda d: d.update(schema_version="1.3"), "'schema_version'"),
            (lambda d: d["subjects"][0].update(changes=3), "subjects.0.changes"),
            (lambda d: d["subjects"][0]["changes"][0]["baseline"].update(value="30"), "baseline.value"),
            (lambda d: d["subjects"][0]["changes"][0].update(metric="weight"), "metric"),
            (lambda d: d["subjects"].append(d["subjects"][0]), "subject twice"),
            (lambda d: d["subjects"][0]["lesions"].append(d["subjects"][0]["lesions"][0]), "lesion twice"),
        ],
    )
    def test_what_is_not_our_document_is_refused(self, tmp_path: Path, change: Any, complaint: str) -> None:
        out = trial(tmp_path)
        document = json.loads((out / "results.json").read_text())
        change(document)
        (out / "results.json").write_text(json.dumps(document))
        with pytest.raises(InputError) as error:
            read_results(out)
        assert complaint in str(error.value)

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": NaN}', "[" * 100_000, "\x00", "\udcff"])
    def test_damaged_files(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "results.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(InputError):
            read_results(tmp_path)

    def test_properties_of_a_later_version_are_left_alone(self, tmp_path: Path) -> None:
        out = trial(tmp_path)
        document = json.loads((out / "results.json").read_text())
        document |= {"schema_version": "2.9", "more": 1}
        document["subjects"][0]["more"] = {}
        (out / "results.json").write_text(json.dumps(document))
        assert len(read_results(out).subjects) == 7


def answer_of(folder: Path, ratios: Sequence[float]) -> tuple[str, Cohort, str]:
    """First sentence of the answer, the cohort, and what the terminal says of children with these ratios."""
    cohort, _ = analysed(write_sizes(folder, {f"S{n:02}": [(30.0, 30.0 * r)] for n, r in enumerate(ratios)}))
    return answer(cohort)[0], cohort, "\n".join(summary_lines(cohort))


class TestAnswerOfFewSubjects:
    """The BCa interval of a mean of few subjects is too short to be the answer."""

    RATIOS = (0.5, 0.62, 0.7, 0.55, 0.9, 0.8, 1.05, 0.66, 0.71, 0.93, 0.58, 0.77, 0.84, 0.6)

    def test_below_15_the_interval_is_the_t_interval_of_the_geometric_mean(self, tmp_path: Path) -> None:
        said, cohort, console = answer_of(tmp_path, self.RATIOS)
        logs = np.log(self.RATIOS)
        low, high = np.exp(stats.t.interval(0.95, 13, logs.mean(), stats.sem(logs)))
        assert (
            f"a factor of {stats.gmean(self.RATIOS):.2f} ({low:.2f} to {high:.2f}) (geometric mean with its t" in said
        )
        mean = f"{abs(100 * (np.mean(self.RATIOS) - 1)):.1f}"
        assert said.endswith(f"on average by −{mean} % (no interval: fewer than 15 subjects).")
        assert f"Mean          −{mean} % (no interval: fewer than 15 subjects)\n" in console
        page = unescape((tmp_path / "cohort" / "cohort.html").read_text())
        assert said in page
        assert "BCa interval of a mean of so few subjects is too short" in page
        assert cohort.primary.change.mean_percent.low is not None  # the table keeps it

    def test_from_15_on_the_mean_has_its_interval(self, tmp_path: Path) -> None:
        said, cohort, console = answer_of(tmp_path, (*self.RATIOS, 0.65))
        words = estimate(cohort.primary.change.mean_percent, 1, "%", signed=True)
        assert f"changed by {words} on average, and by a factor of" in said
        assert f"{words}, BCa" in console
        assert "of so few subjects is too short" not in (tmp_path / "cohort" / "cohort.html").read_text()

    def test_who_is_left_out_of_the_geometric_mean_is_said(self, tmp_path: Path) -> None:
        assert "without 1 whose lesions are gone)" in answer_of(tmp_path, (*self.RATIOS[:6], 0.0))[0]

    def test_a_subgroup_of_everybody_has_the_intervals_of_everybody(self, tmp_path: Path) -> None:
        """Whatever the order in which the subgroup lists them."""
        out = write_sizes(tmp_path / "out", {f"S{n:02}": [(30.0, 30.0 * r)] for n, r in enumerate(self.RATIOS[:7])})
        table = tmp_path / "subjects.csv"
        table.write_text("subject,age_months\n" + "".join(f"S{n:02},{9 - n}\n" for n in range(7)))
        cohort, _ = analysed(out, subjects=table)
        (group,) = cohort.subgroups
        assert group.change == cohort.primary.change


def test_in_print_headings_are_neither_torn_nor_left_alone(tmp_path: Path) -> None:
    analysed(trial(tmp_path))
    page = (tmp_path / "cohort" / "cohort.html").read_text()
    rules = "".join(page.split("@media print")[1:])
    kept = {
        (selector.strip(), where)
        for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", rules)
        for selector in selectors.split(",")
        for where in ("inside", "after", "before")
        if f"break-{where}: avoid" in body
    }
    assert kept >= {("h2", "inside"), ("h2", "after"), ("h3", "inside"), ("h3", "after"), (".scroll", "inside")}
    assert kept >= {(".facts dt", "after"), (".facts dd", "inside"), ("footer", "before")}


class TestCommand:
    def test_people_get_the_answer(self, tmp_path: Path) -> None:
        out = trial(tmp_path)
        done = command("cohort", out)
        assert done.exit_code == 0
        assert "5 of 7, 71.4 %" in done.stdout
        assert str(out / "cohort" / "cohort.html") in done.stdout

    def test_programs_get_the_document(self, tmp_path: Path) -> None:
        out = trial(tmp_path)
        done = command("cohort", out, "--json", "--seed", 3)
        assert json.loads(done.stdout) == json.loads((out / "cohort" / "cohort.json").read_text())
        assert json.loads(done.stdout)["settings"]["seed"] == 3

    def test_no_change_at_all_is_1(self, tmp_path: Path) -> None:
        assert command("cohort", write_sizes(tmp_path, {"S1": [(30, None)]})).exit_code == 1

    @pytest.mark.parametrize(
        "words", [("--historical-rate", "1.2"), ("--historical-rate", "nan"), ("--age-groups", "9,3")]
    )
    def test_wrong_options(self, tmp_path: Path, words: tuple[str, str]) -> None:
        assert command("cohort", trial(tmp_path), *words).exit_code == 2

    def test_a_wrong_table_is_a_usage_error(self, tmp_path: Path) -> None:
        table = tmp_path / "subjects.csv"
        table.write_text("subject,shoe\nS01,3\n")
        done = command("cohort", trial(tmp_path / "out"), "--subjects", table)
        assert done.exit_code == 2
        assert "column 'shoe' is not known" in done.stderr
        assert not (tmp_path / "out" / "cohort").exists()

    def test_no_results_folder(self, tmp_path: Path) -> None:
        done = command("cohort", tmp_path)
        assert done.exit_code == 1
        assert "no results.json" in done.stderr

    @pytest.mark.parametrize("name", ["cohort", "readers"])
    def test_help_has_examples(self, name: str) -> None:
        done = command(name, "--help")
        assert f"lesion-measure {name} out" in done.stdout.split("Example")[-1]


@pytest.mark.parametrize(
    ("before", "confirm", "words"),
    [
        (Status.PD, None, "had progressed before: S1."),
        (Status.SD, 28, "S1. No later visit shows the response again after 28 days."),
    ],
)
def test_a_response_that_is_not_the_best_one_is_named_with_its_reason(
    tmp_path: Path, before: Status, confirm: int | None, words: str
) -> None:
    """Table 3 of RECIST 1.1: the best response is of the time until progression, and confirmed where the rule asks."""
    rule = {"response_percent": -30, "confirmation_days": confirm, "progression_percent": 20}
    config = Config.model_validate({"comparison": {"rule": "r", "rules": {"r": rule}}})
    child = subject("S1", [(30, 15)], best_response="not effective" if before is Status.SD else "progression")
    steps = [("day_14", 14, before), (ONE_MONTH, 30, Status.PR)]
    seen = tuple(
        Assessment(
            visit=visit, days=days, target=status, non_target=None, new_lesions=(), doubtful_lesions=(), overall=status,
            percent=None, nadir=None, percent_from_nadir=None, certain=True, why="x",
        )
        for visit, days, status in steps
    )  # fmt: skip
    scans = dict(child.visits) | {"day_14": replace(child.visits[BASELINE], label="Day 14", day=14)}
    out = write(tmp_path, [replace(child, visits=scans, assessments=seen)], config=config)
    notes = analysed(out)[0].notes
    assert [words in note for note in notes if "Counted as responders" in note] == [True]
