"""subjects.csv and labs.csv: what is understood, what is refused and how, and what AFP and PIVKA-II come to."""

from __future__ import annotations

import itertools
import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cohort_results import BASELINE_DAY, subject, write
from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.markers import MarkerResult, Range, expected_afp_ng_ml, marker_result, summarise
from lesion_measure.cohort.paired import paired_change
from lesion_measure.errors import TableError
from lesion_measure.records import BASELINE, ONE_MONTH, TRIAL, Enrolled, Form
from lesion_measure.results import read_results
from lesion_measure.stats.signed_ranks import hodges_lehmann, signed_rank_test
from lesion_measure.tables.labs import Labs, LabValue, Marker, read_labs
from lesion_measure.tables.subjects import read_subjects

LAB_HEAD = "subject,visit,test,value,unit,date\n"


def table(path: Path, text: str) -> Path:
    file = path / "table.csv"
    file.write_text(text, encoding="utf-8")
    return file


class TestSubjects:
    def test_a_full_table(self, tmp_path: Path) -> None:
        found = read_subjects(
            table(
                tmp_path,
                "Subject;age_months;Form;hepatoblastoma;resection;kasabach_merritt;excluded\n"
                "S1;4.5;focal;no;;;\nS2;;Multifocal;yes;no;YES;\nS3;;;;;;moved away\n",
            )
        )
        flags = {"hepatoblastoma": False, "resection": None, "kasabach_merritt": None, "missing_data": None}
        assert found["S1"] == Enrolled(subject="S1", age_days=4.5 * 30.4375, form=Form.FOCAL, flags=flags)
        assert found["S1"].age_months == pytest.approx(4.5)
        assert found["S2"].excluded == ("hepatoblastoma", "Kasabach-Merritt phenomenon")
        assert (found["S3"].excluded, found["S3"].age_months, found["S3"].form) == (("moved away",), None, None)

    def test_what_a_reader_states_of_the_lesions(self, tmp_path: Path) -> None:
        text = "subject,targets,new_lesions,non_target_progression\nS1, L2 ;L1;L2,L4,yes\nS2,,,\n"
        found = read_subjects(table(tmp_path, text))
        assert (found["S1"].targets, found["S1"].new_lesions) == (("L2", "L1"), ("L4",))
        assert found["S1"].non_target_progression
        assert (found["S2"].targets, found["S2"].new_lesions, found["S2"].non_target_progression) == ((), (), False)

    def test_a_cell_too_many(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="Line 2 has 4 cells, the header line has 3"):
            read_subjects(table(tmp_path, "subject,age_months,form\nS1,4,5,\n"))

    def test_age_in_days(self, tmp_path: Path) -> None:
        assert read_subjects(table(tmp_path, "subject,age_days\nS1,45\n"))["S1"].age_days == 45

    @pytest.mark.parametrize(("months", "outside"), [(0.9, True), (1, False), (36, False), (36.1, True)])
    def test_entry_age(self, months: float, outside: bool) -> None:
        assert Enrolled(subject="S", age_days=months * 30.4375).outside((1, 36)) is outside
        assert not Enrolled(subject="S").outside((1, 36))

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("subject,age_months\nS1,4\nS1,5\n", "Lines 2 and 3 both describe subject S1"),
            ("subject,age_months\nS1,four\n", "Line 2: age_months 'four' is not a number"),
            ("subject,age_months\nS1,nan\n", "Line 2: age_months 'nan' is not a number"),
            ("subject,age_months\nS1,1500\n", "Line 2: age_months 1500 is not an age"),
            ("subject,age_months,age_days\nS1,4,120\n", "both age_months and age_days"),
            ("subject,form\nS1,large\n", "Line 2: form 'large' is not known"),
            ("subject,resection\nS1,maybe\n", "Line 2: resection 'maybe' is neither yes nor no"),
            ("subject,excluded\nS1,yes\n", "Line 2: excluded says 'yes' and not why"),
            ("subject,age_months\n,4\n", "Line 2: subject is not printable text"),
            ("subject,form\nS1,multfocal\n", "form 'multfocal' is not known; did you mean 'multifocal'"),
            ("subject,weight\nS1,4\n", "column 'weight' is not known"),
            ("subject\n", "The table has no rows"),
        ],
    )
    def test_complaints_name_the_line(self, tmp_path: Path, text: str, complaint: str) -> None:
        with pytest.raises(TableError, match=complaint) as error:
            read_subjects(table(tmp_path, text))
        assert error.value.path is not None


class TestLabs:
    def test_values_limits_units_and_dates(self, tmp_path: Path) -> None:
        labs = read_labs(
            table(
                tmp_path,
                LAB_HEAD + "S1,baseline,AFP,1200.5,ng/mL,2024-03-03\nS1,One month,afp,<0.6,µg/L,\n"
                "S1,baseline,PIVKA-II,>30000,mAU/mL,\nS1,one_month,DCP,22,AU/L,\nS1,baseline,Hb,110,g/L,\n",
            )
        )
        first = labs.values["S1", Marker.AFP, BASELINE]
        assert (first.low, first.high, first.date, str(first)) == (1200.5, 1200.5, date(2024, 3, 3), "1200.5")
        below = labs.values["S1", Marker.AFP, ONE_MONTH]
        assert (below.low, below.high, below.measured, str(below)) == (0, 0.6, False, "<0.6")
        above = labs.values["S1", Marker.PIVKA, BASELINE]
        assert (above.low, above.high, str(above)) == (30000, math.inf, ">30000")
        assert labs.values["S1", Marker.PIVKA, ONE_MONTH].low == 22
        assert (labs.other_tests, labs.subjects) == ({"Hb": 1}, {"S1"})

    @pytest.mark.parametrize(
        ("row", "complaint"),
        [
            ("S1,baseline,AFP,10,IU/mL,", "unit 'IU/mL' of AFP is not known, or has no fixed factor to ng/mL"),
            ("S1,baseline,AFP,10,,", "unit '' of AFP"),
            ("S1,baseline,PIVKA-II,10,ng/mL,", "unit 'ng/mL' of PIVKA-II"),
            ("S1,baseline,AFP,0,ng/mL,", "value '0' is no concentration"),
            ("S1,baseline,AFP,-3,ng/mL,", "value '-3' is no concentration"),
            ("S1,baseline,AFP,n.d.,ng/mL,", "value 'n.d.' is not a number"),
            ("S1,baseline,AFP,,ng/mL,", "value '' is not a number"),
            ('S1,baseline,AFP,"12,5",ng/mL,', "value '12,5' has a decimal comma"),
            ("S1,baseline,AFP,inf,ng/mL,", "is not a number"),
            ("S1,week 4,AFP,10,ng/mL,", "visit 'week 4' is not known"),
            ("S1,one mnth,AFP,10,ng/mL,", "visit 'one mnth' is not known; did you mean 'one_month'"),
            ("S1,baseline,AFP,10,ng/mL,3.4.2024", "date '3.4.2024' is not a date"),
            (",baseline,AFP,10,ng/mL,", "subject is not printable text"),
            ("S1,baseline,AFP,12,5,ng/mL,", "has 7 cells, the header line has 6"),
        ],
    )
    def test_complaints_name_the_line(self, tmp_path: Path, row: str, complaint: str) -> None:
        with pytest.raises(TableError) as error:
            read_labs(table(tmp_path, LAB_HEAD + row + "\n"))
        assert complaint in str(error.value)
        assert "Line 2" in str(error.value)

    def test_the_same_value_twice(self, tmp_path: Path) -> None:
        rows = "S1,baseline,AFP,10,ng/mL,\nS1,baseline,AFP,11,ng/mL,\n"
        with pytest.raises(TableError, match="Lines 2 and 3 both give AFP of S1 at baseline"):
            read_labs(table(tmp_path, LAB_HEAD + rows))

    @pytest.mark.parametrize(
        ("others", "two_ways"),
        [
            ("HBsAg,negative,ng/mL", True),
            ('ALB,"4,1",g/L', True),
            ("Hb,12.345.678,g/L", True),
            ("Hb,12.5,g/L", True),
            ("AFP,12.5,ng/mL", False),
            ("AFP,0.9,ng/mL", False),
        ],
    )
    def test_a_test_is_read_by_its_own_points(self, tmp_path: Path, others: str, *, two_ways: bool) -> None:
        """1.234 of AFP is 1234 in German: rows of other tests say nothing against that."""
        rows = f"S1,baseline,AFP,1.234,ng/mL,\nS1,one_month,{others},\n"
        if two_ways:
            with pytest.raises(TableError, match=r"Line 2: value 1\.234 has decimals, or a separator of thousands"):
                read_labs(table(tmp_path, LAB_HEAD + rows))
        else:
            assert read_labs(table(tmp_path, LAB_HEAD + rows)).values["S1", Marker.AFP, BASELINE].low == 1.234

    def test_a_row_that_is_left_alone_refuses_nothing(self, tmp_path: Path) -> None:
        rows = "S1,baseline,INR,1.234,1,\nS1,baseline,AFP,702,ng/mL,\n"
        assert read_labs(table(tmp_path, LAB_HEAD + rows)).values["S1", Marker.AFP, BASELINE].low == 702

    def test_a_table_of_other_tests_alone(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="No row is of AFP or PIVKA-II"):
            read_labs(table(tmp_path, LAB_HEAD + "S1,baseline,Hb,110,g/L,\n"))


class TestExpectedAfp:
    @pytest.mark.parametrize(("day", "fall"), [(30, 77), (90, 50), (180, 32)])
    def test_expected_fall_over_30_days(self, day: int, fall: int) -> None:
        before, after = expected_afp_ng_ml(day), expected_afp_ng_ml(day + 30)
        assert before is not None
        assert after is not None
        assert 100 * (1 - after / before) == pytest.approx(fall, abs=0.5)

    def test_the_published_formula(self) -> None:
        assert expected_afp_ng_ml(90) == pytest.approx(10 ** (7.397 - 2.622 * 2))

    @pytest.mark.parametrize(("day", "known"), [(-1, False), (0, True), (365, True), (366, False)])
    def test_it_is_not_extrapolated(self, day: int, known: bool) -> None:
        assert (expected_afp_ng_ml(day) is not None) is known


def value(
    code: str, visit: str, low: float, high: float | None = None, marker: Marker = Marker.AFP, day: date | None = None
) -> LabValue:
    return LabValue(subject=code, visit=visit, marker=marker, low=low, high=low if high is None else high, date=day)


def result_of(
    values: list[LabValue], ages: dict[str, float], tmp_path: Path, codes: tuple[str, ...] = ()
) -> MarkerResult:
    """The marker's statistics, with scans 30 days apart."""
    names = codes or tuple(dict.fromkeys(v.subject for v in values))
    scans = read_results(write(tmp_path, [subject(code, [(20, 15)]) for code in names])).subjects
    labs = Labs({(v.subject, v.marker, v.visit): v for v in values}, {})
    enrolled = {code: Enrolled(subject=code, age_days=age) for code, age in ages.items()}
    found = marker_result(
        values[0].marker, labs, {s.subject: s for s in scans}, enrolled, TRIAL.names, TRIAL.primary, 1
    )
    assert found is not None
    return found


class TestMarkers:
    def test_a_fall_that_is_all_age_is_none_beyond_it(self, tmp_path: Path) -> None:
        values, ages = [], {}
        for number, age in enumerate((40.0, 90.0, 150.0, 200.0, 250.0, 300.0)):
            code = f"S{number}"
            ages[code] = age
            for visit, day in ((BASELINE, age), (ONE_MONTH, age + 30)):
                expected = expected_afp_ng_ml(day)
                assert expected is not None
                values.append(value(code, visit, 3 * expected))
        found = result_of(values, ages, tmp_path)
        assert found.beyond_age is not None
        assert found.beyond_age.count == 6
        assert found.change.median.high is not None
        assert found.change.median.high < 0.7
        assert found.beyond_age.median.high == pytest.approx(1.0)

    def test_who_has_no_expected_value_and_why(self, tmp_path: Path) -> None:
        codes = ("young", "old", "unknown")
        values = [value(code, v, 100.0) for code in codes for v in (BASELINE, ONE_MONTH)]
        found = result_of(values, {"young": 60, "old": 340}, tmp_path)
        assert {p.subject: p.why_not for p in found.pairs} == {
            "young": "", "old": "older than 12 months", "unknown": "age not known",
        }  # fmt: skip
        assert found.beyond_age is not None
        assert found.beyond_age.count == 1

    def test_dates_of_the_samples_win_over_those_of_the_scans(self, tmp_path: Path) -> None:
        days = (date(2024, 3, 1), date(2024, 4, 10))
        values = [value("S", v, 50.0, day=d) for v, d in zip((BASELINE, ONE_MONTH), days, strict=True)]
        (pair,) = result_of(values, {"S": 100}, tmp_path).pairs
        assert pair.ages_days == (100 + (days[0] - BASELINE_DAY).days, 100 + (days[1] - BASELINE_DAY).days) == (97, 137)

    def test_limits_bound_the_change(self, tmp_path: Path) -> None:
        below, later, both = (
            [value(code, BASELINE, *first), value(code, ONE_MONTH, *second)]
            for code, first, second in (("A", (8.0,), (0, 2.0)), ("B", (0, 2.0), (8.0,)), ("C", (0, 2.0), (0, 2.0)))
        )
        found = result_of([*below, *later, *both], {}, tmp_path)
        assert [pair.ratio for pair in found.pairs] == [Range(0.0, 0.25), Range(4.0, None), Range(0.0, None)]
        assert (found.change.count, found.change.limits, found.change.undetermined) == (2, 2, 1)
        assert (found.change.fell, found.change.rose, found.change.exact) == (1, 1, None)
        assert [(v.below, v.median) for v in found.visits] == [(2, Range(0.0, 2.0)), (2, Range(0.0, 2.0))]

    def test_bounds_hold_for_whatever_the_values_below_detection_were(self) -> None:
        """Every filling-in of the limits gives statistics within the stated bounds."""
        rng = np.random.default_rng(3)
        exact = np.exp(rng.normal(-0.4, 0.5, 9))
        ratios = [Range(x, x) for x in exact] + [Range(0.0, 0.6), Range(0.0, 1.3), Range(1.1, None)]
        found = summarise(ratios, seed=1)
        ps = []
        for low, middle, high in itertools.product((0.0, 0.2, 0.6), (0.0, 0.9, 1.3), (1.1, 3.0, 50.0)):
            filled = np.array([*exact, low, middle, high])
            with np.errstate(divide="ignore"):
                logs = np.log(filled)
            estimate, test = hodges_lehmann(logs), signed_rank_test(logs)
            assert test is not None
            assert estimate.value is not None
            ps.append(test.p_value)
            for known, one in ((found.median, np.median(filled)), (found.hodges_lehmann, math.exp(estimate.value))):
                assert known.low is not None
                assert known.high is not None
                assert known.low - 1e-9 <= one <= known.high + 1e-9
        assert found.p_value_at_most is not None
        assert max(ps) <= found.p_value_at_most + 1e-9

    def test_a_bound_that_says_not_changed_need_not_be_the_value(self) -> None:
        """20 after '<20': left out p is 2 x 13 / 32, just above 20 it is 2 x 27 / 64 (ranks 2, 3 and 4 of 6 fell)."""
        known = np.exp([-0.1, -0.2, -0.3, 1.0, 2.0])
        found = summarise([*(Range(x, x) for x in known), Range(1.0, None)], seed=1)
        assert stats.wilcoxon([-0.1, -0.2, -0.3, 1.0, 2.0]).pvalue == pytest.approx(26 / 32)
        assert stats.wilcoxon([-0.1, -0.2, -0.3, 1.0, 2.0, 0.01]).pvalue == pytest.approx(54 / 64)
        assert found.p_value_at_most == pytest.approx(54 / 64)

    def test_a_sample_far_from_its_scan_is_named(self, tmp_path: Path) -> None:
        """2025 in the place of 2024: the child would be a year older, of which the expected AFP is another."""
        days = (BASELINE_DAY, BASELINE_DAY + timedelta(days=30), BASELINE_DAY + timedelta(days=366))
        values = [value(f"S{n}", BASELINE, 900.0, day=day) for n, day in enumerate(days)]
        write(tmp_path, [subject(f"S{n}", [(30, 20)]) for n in range(3)])
        labs = Labs({(v.subject, v.marker, v.visit): v for v in values}, {})
        (note,) = [n for n in analyse(read_results(tmp_path), labs=labs).notes if "Laboratory samples" in n]
        assert "table: S2 (AFP, baseline: 366 days)." in note

    def test_a_value_keeps_its_digits(self) -> None:
        sizes = {(1234567.5,): "1234567.5", (121000.0,): "121000", (0.0, 0.605): "<0.605", (2e6, math.inf): ">2000000"}
        assert [str(value("S1", BASELINE, *size)) for size in sizes] == list(sizes.values())

    def test_without_limits_it_is_the_plain_paired_change(self) -> None:
        ratios = np.exp(np.random.default_rng(1).normal(-0.3, 0.4, 20))
        found = summarise([Range(x, x) for x in ratios], seed=4)
        plain = paired_change(list(ratios), 4)
        assert found.exact == plain
        assert plain.wilcoxon is not None
        assert found.p_value_at_most == plain.wilcoxon.p_value
        assert found.hodges_lehmann.low == pytest.approx(plain.hodges_lehmann.value)
        assert found.hodges_lehmann_ci95.high == pytest.approx(plain.hodges_lehmann.high)
        assert found.median.known

    def test_cut_offs_of_pivka(self, tmp_path: Path) -> None:
        sizes = ((50.0,), (40.0,), (20.0,), (0, 15.0), (0, 40.0), (40.0, math.inf))
        values = [value(f"S{n}", BASELINE, *size, marker=Marker.PIVKA) for n, size in enumerate(sizes)]
        found = result_of(values, {}, tmp_path)
        (baseline,) = found.visits
        assert baseline.over == {32.6: (3, 2, 1), 47.1: (1, 4, 1)}
        assert (found.pairs, found.beyond_age) == ((), None)
        assert set(found.missing) == {f"S{n}" for n in range(6)}

    def test_the_empty_group(self) -> None:
        found = summarise([], seed=1)
        assert (found.count, found.median, found.p_value_at_most) == (0, Range(None, None), None)
