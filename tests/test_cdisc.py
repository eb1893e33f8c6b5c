"""What the CDISC datasets say of each situation; the numbers are those of results.json, unchanged."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cdisc_cohort
from cdisc_cohort import LONG_REASON, REFERENCES, SHA, STUDY, write_cohort
from lesion_measure.cdisc import Dataset, Evaluator, ExportRequest, export
from lesion_measure.cdisc.adtr import criterion_words
from lesion_measure.cdisc.page import codelists_in_use
from lesion_measure.cdisc.terms import RESPONSES
from lesion_measure.cdisc.visits import timetable
from lesion_measure.config import AppliedRule, Config, Protocol
from lesion_measure.errors import ConfigError, InputError, OutputError, TableError
from lesion_measure.records import BASELINE, TRIAL, Metric

LABS = """subject,visit,test,value,unit,date
S1,baseline,AFP,121000.25,ng/mL,2024-02-26
S1,one_month,AFP,48000,ng/mL,2024-03-28
S1,baseline,PIVKA-II,<10,mAU/mL,
S2,one month,AFP,>200000,ug/L,2024-03-28
S77,baseline,AFP,15,ng/mL,2024-02-27
S1,baseline,Platelets,300,10^9/L,
"""

# Order of the variables in SDTMIG 3.4, of those that are written here.
ORDER = {
    "TU": "STUDYID DOMAIN USUBJID TUSEQ TUGRPID TUREFID TUSPID TULNKID TUTESTCD TUTEST TUORRES TUSTRESC TULOC "
    "TUMETHOD TULOBXFL TUEVAL TUEVALID VISITNUM VISIT EPOCH TUDTC TUDY",
    "TR": "STUDYID DOMAIN USUBJID TRSEQ TRGRPID TRREFID TRLNKID TRLNKGRP TRTESTCD TRTEST TRORRES TRORRESU TRSTRESC "
    "TRSTRESN TRSTRESU TRSTAT TRREASND TRMETHOD TRLOBXFL TREVAL TREVALID VISITNUM VISIT EPOCH TRDTC TRDY",
    "RS": "STUDYID DOMAIN USUBJID RSSEQ RSLNKGRP RSTESTCD RSTEST RSCAT RSSCAT RSORRES RSSTRESC RSSTAT RSREASND "
    "RSDRVFL RSEVAL VISITNUM VISIT EPOCH RSDTC RSDY",
    "LB": "STUDYID DOMAIN USUBJID LBSEQ LBTESTCD LBTEST LBCAT LBORRES LBORRESU LBORNRLO LBORNRHI LBSTRESC LBSTRESN "
    "LBSTRESU LBSTNRLO LBSTNRHI LBNRIND LBLOBXFL VISITNUM VISIT EPOCH LBDTC LBDY",
    "SUPPTR": "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL QNAM QLABEL QVAL QORIG QEVAL",
    "RELREC": "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID",
}

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    write_cohort(made)
    (made / "labs.csv").write_text(LABS, encoding="utf-8")
    (made / "subjects.csv").write_text(REFERENCES, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def datasets(folder: Path) -> dict[str, Dataset]:
    written = export(ExportRequest(out=folder, study=STUDY, labs=folder / "labs.csv", subjects=folder / "subjects.csv"))
    return {dataset.name: dataset for dataset in written.datasets}


@pytest.fixture(scope="module")
def rows(datasets: dict[str, Dataset]) -> Rows:
    """``rows("TR", "S1", TRTESTCD="LDIAM")``: records of one subject with these values, missing ones as None."""

    def find(name: str, subject: str | None = None, **wanted: object) -> list[dict[str, Any]]:
        whole = [{v.name: row.get(v.name) for v in datasets[name].variables} for row in datasets[name].rows]
        own = [row for row in whole if subject is None or row["USUBJID"] == f"{STUDY}-{subject}"]
        return [row for row in own if all(row[key] == value for key, value in wanted.items())]

    return find


def only(found: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(found) == 1
    return found[0]


def test_sizes_are_those_of_the_results_with_evaluator_method_and_day(rows: Rows) -> None:
    before = only(rows("TR", "S1", TRLNKID="L1", TRTESTCD="LDIAM", VISIT="BASELINE"))
    assert (before["TRORRES"], before["TRORRESU"], before["TRSTRESN"], before["TRSTRESU"]) == ("20", "mm", 20.0, "mm")
    assert (before["TRMETHOD"], before["TREVAL"], before["TREVALID"]) == ("ULTRASOUND", "INVESTIGATOR", "R1")
    assert (before["TRDTC"], before["TRDY"], before["EPOCH"], before["TRGRPID"]) == (
        "2024-02-27", 1, "SCREENING", "TARGET",
    )  # fmt: skip
    after = only(rows("TR", "S1", TRLNKID="L1", TRTESTCD="LDIAM", VISIT="MONTH 1"))
    # 27 February is day 1; the 29th exists in 2024, so 28 March is day 31
    assert (after["TRSTRESC"], after["TRDTC"], after["TRDY"], after["EPOCH"]) == ("12.5", "2024-03-28", 31, "TREATMENT")
    assert only(rows("TR", "S6", VISIT="SCREENING", TRTESTCD="LDIAM"))["TRDY"] == -91  # no day 0
    volume = only(rows("TR", "S1", TRLNKID="L1", TRTESTCD="VOLUME", VISIT="BASELINE"))
    assert volume["TRSTRESU"] == "mL"
    assert volume["TRSTRESN"] == pytest.approx(4.188790, abs=1e-6)  # pi/6 20^3 mm3


def test_the_perpendicular_belongs_to_the_longest_diameter(rows: Rows) -> None:
    longest, across = (only(rows("TR", "S2", TRTESTCD=test, VISIT="BASELINE")) for test in ("LDIAM", "LPERP"))
    assert (longest["TRSTRESN"], across["TRSTRESN"]) == (30.0, 24.0)
    assert longest["TRREFID"] == across["TRREFID"] == "2.25.2.baseline"


def test_a_networks_numbers_say_so(rows: Rows) -> None:
    area = only(rows("TR", "S2", TRTESTCD="AREA"))
    assert (area["TRSTRESN"], area["TRSTRESU"]) == (540.0, "mm2")
    assert (area["TREVAL"], area["TREVALID"]) == ("AI MODEL", "net")
    more = {row["QNAM"]: row["QVAL"] for row in rows("SUPPTR", "S2", IDVARVAL=str(area["TRSEQ"]))}
    assert more == {
        "TRSD": "27", "TRPLANE": "TRANSVERSE", "TRFRAME": "1", "TRWAY": "automatic", "TRCONF": "0.9", "TRMODSHA": SHA,
    }  # fmt: skip


def test_a_prompted_outline_is_neither_the_readers_nor_the_networks_alone(rows: Rows) -> None:
    found = {row["TRTESTCD"]: row for row in rows("TR", "S6", VISIT="BASELINE")}
    assert (found["LDIAM"]["TREVAL"], found["LDIAM"]["TREVALID"]) == ("INVESTIGATOR", "R1")
    for test in ("LPERP", "AREA", "VOLUME"):
        assert (found[test]["TREVAL"], found[test]["TREVALID"]) == ("INVESTIGATOR WITH AI MODEL", "R1 + net")


def test_independent_readers_are_named_so(folder: Path, tmp_path: Path) -> None:
    for name in ("results.json", "run.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    written = export(ExportRequest(out=tmp_path, study=STUDY, formats=("csv",), people=Evaluator.INDEPENDENT))
    found = next(dataset for dataset in written.datasets if dataset.name == "TR").column("TREVAL")
    assert set(found) == {"INDEPENDENT ASSESSOR", "AI MODEL", "INDEPENDENT ASSESSOR WITH AI MODEL", None}


def test_a_disappeared_lesion_is_a_statement_and_zero(rows: Rows) -> None:
    diameter, state, volume = rows("TR", "S1", TRLNKID="L2", VISIT="MONTH 1")
    assert (state["TRTESTCD"], state["TRSTRESC"], state["TRSTRESN"]) == ("TUMSTATE", "ABSENT", None)
    assert (diameter["TRTESTCD"], diameter["TRORRES"], diameter["TRSTRESN"]) == ("LDIAM", "0", 0.0)
    assert (volume["TRTESTCD"], volume["TRSTRESN"]) == ("VOLUME", 0.0)
    assert all(row["TRSTAT"] is None for row in (state, diameter, volume))
    gone = only(rows("ADTR", "S1", PARAMCD="LDIAM", TRLNKID="L2", AVISIT="Month 1"))
    assert (gone["AVAL"], gone["PCHG"], gone["PCHGLO"], gone["CHGERRFL"]) == (0.0, -100.0, None, "Y")


@pytest.mark.parametrize(
    ("subject", "reason", "day"),
    [
        ("S2", "NOT FOUND AT FOLLOWUP: L1 was measured at baseline and not at one month.", 31),
        ("S3", "MISSING VISIT: There is no one month study.", None),
    ],
)
def test_a_lesion_that_was_not_measured_is_not_done_and_has_no_number(
    rows: Rows, subject: str, reason: str, day: int | None
) -> None:
    row = only(rows("TR", subject, VISIT="MONTH 1"))
    assert (row["TRTESTCD"], row["TRLNKID"], row["TRSTAT"], row["TRREASND"]) == ("LDIAM", "L1", "NOT DONE", reason)
    assert (row["TRORRES"], row["TRSTRESC"], row["TRSTRESN"], row["TREVAL"]) == (None, None, None, None)
    assert row["TRDY"] == day  # no scan, no date


def test_a_visit_without_any_known_lesion_is_not_done_as_a_whole(rows: Rows) -> None:
    before, after = rows("TR", "S5")
    assert (before["TRTESTCD"], before["TRTEST"], before["TRSTAT"]) == ("TRALL", "Tumor/Lesion Results", "NOT DONE")
    assert (before["TRREASND"], before["TRLNKID"]) == ("NOTHING MEASURED: Nothing at baseline.", None)
    assert after["TRREASND"] == "NOTHING MEASURED: Nothing at one_month."
    assert rows("TU", "S5") == []


def test_a_long_reason_goes_on_in_the_supplemental_qualifiers(rows: Rows) -> None:
    row = only(rows("TR", "S8", VISIT="BASELINE"))
    pieces = rows("SUPPTR", "S8", IDVARVAL=str(row["TRSEQ"]))
    assert [piece["QNAM"] for piece in pieces] == ["TRREASN1"]
    assert pieces[0]["QLABEL"] == "Reason Not Done"
    assert max(len(row["TRREASND"]), len(pieces[0]["QVAL"])) <= 200
    assert f"{row['TRREASND']} {pieces[0]['QVAL']}" == f"OUTSIDE REGION: {LONG_REASON.strip()}"


def test_lesions_are_identified_once_with_their_class(rows: Rows) -> None:
    found = {(row["USUBJID"].split("-")[-1], row["TULNKID"]): row for row in rows("TU")}
    classes = {key: row["TUSTRESC"] for key, row in found.items()}
    assert classes == {
        ("S1", "L1"): "TARGET", ("S1", "L2"): "TARGET", ("S2", "L1"): "TARGET", ("S3", "L1"): "TARGET",
        ("S4", "L1"): "TARGET", ("S4", "L2"): "NEW", ("S6", "L1"): "TARGET", ("S7", "L1"): "TARGET",
        ("S8", "L1"): "NON-MEASURABLE", ("S9", "L1"): "NEW",
    }  # fmt: skip
    new = found["S4", "L2"]
    assert (new["VISIT"], new["TUDTC"], new["TUDY"], new["EPOCH"]) == ("MONTH 1", "2024-03-28", 31, "TREATMENT")
    assert (new["TUTESTCD"], new["TULOC"], new["TUMETHOD"]) == ("LESIDENT", "LIVER", "ULTRASOUND")
    assert (found["S6", "L1"]["VISIT"], found["S6", "L1"]["TUDY"]) == ("SCREENING", -91)
    assert (found["S2", "L1"]["TUEVAL"], found["S2", "L1"]["TUEVALID"]) == ("AI MODEL", "net")


def test_every_observation_has_the_epoch_of_its_visit_and_no_baseline_flag(datasets: dict[str, Dataset]) -> None:
    """CDISC CORE-000701 (EPOCH is missing) and CORE-000914 (several records of one baseline flag)."""
    for name in ("TU", "TR", "RS", "LB"):
        known = {(row["VISIT"], row["EPOCH"]) for row in datasets[name].rows}
        assert known <= {("SCREENING", "SCREENING"), ("BASELINE", "SCREENING"), ("MONTH 1", "TREATMENT")}
        assert f"{name}BLFL" not in {variable.name for variable in datasets[name].variables}


@pytest.mark.parametrize("column", ["reference_start", "rfstdtc"])
def test_study_days_count_from_the_subjects_own_reference_start(tmp_path: Path, column: str) -> None:
    write_cohort(tmp_path)
    table = tmp_path / "subjects.csv"
    table.write_text(f"subject,{column}\nS1,2024-03-01\nS2,\n", encoding="utf-8")
    done = export(ExportRequest(out=tmp_path, study=STUDY, subjects=table))
    written = {dataset.name: dataset for dataset in done.datasets}
    for name in ("TU", "TR", "RS"):
        for row in written[name].rows:
            day = row[f"{name}DTC"] and (date.fromisoformat(str(row[f"{name}DTC"])) - date(2024, 3, 1)).days
            expected = None if day is None or row["USUBJID"] != f"{STUDY}-S1" else day + (day >= 0)
            assert row[f"{name}DY"] == expected
    days = {(r["AVISIT"], r["ADY"]) for r in written["ADTR"].rows if r["USUBJID"] == f"{STUDY}-S1" and r.get("AVISIT")}
    assert days == {("Baseline", -3), ("Month 1", 28)}  # there is no day 0
    (note,) = [note for note in done.notes if "study days" in note]
    assert "S2, S3" in note
    assert "S1," not in note


def test_an_epoch_is_the_protocols(tmp_path: Path) -> None:
    before, first, later = Protocol().schedule or ()
    points = (before, first.model_copy(update={"epoch": "RUN-IN"}), later)
    write_cohort(tmp_path, Config(protocol=Protocol(schedule=points)))
    written = {dataset.name: dataset for dataset in export(ExportRequest(out=tmp_path, study=STUDY)).datasets}
    assert {(row["VISIT"], row["EPOCH"]) for row in written["TR"].rows} == {
        ("SCREENING", "SCREENING"), ("BASELINE", "RUN-IN"), ("MONTH 1", "TREATMENT"),
    }  # fmt: skip


def test_whether_a_new_lesion_is_new_stays_open_unless_a_reader_looked(rows: Rows) -> None:
    assert only(rows("TR", "S4", TRTESTCD="TUMSTATE"))["TRSTRESC"] == "EQUIVOCAL"
    states = [row["TRSTRESC"] for row in rows("TR", "S9", TRTESTCD="TUMSTATE")]
    assert states == ["ABSENT", "PRESENT"]


def test_every_result_has_its_lesion_and_every_response_its_results(rows: Rows) -> None:
    lesions = {(row["USUBJID"], row["TULNKID"]) for row in rows("TU")}
    assert {(row["USUBJID"], row["TRLNKID"]) for row in rows("TR") if row["TRLNKID"]} == lesions
    groups = {(row["USUBJID"], row["TRLNKGRP"]) for row in rows("TR")}
    assert {(row["USUBJID"], row["RSLNKGRP"]) for row in rows("RS") if row["RSLNKGRP"]} == {
        group for group in groups if group[1] == "A3"
    }
    links = [(row["RDOMAIN"], row["IDVAR"], row["RELTYPE"], row["RELID"]) for row in rows("RELREC")]
    assert links == [
        ("TU", "TULNKID", "ONE", "TUTR"), ("TR", "TRLNKID", "MANY", "TUTR"),
        ("TR", "TRLNKGRP", "MANY", "TRRS"), ("RS", "RSLNKGRP", "ONE", "TRRS"),
    ]  # fmt: skip


def test_the_verdict_stands_in_rs_and_its_percent_in_adtr(rows: Rows) -> None:
    verdict = only(rows("RS", "S1"))
    assert (verdict["RSORRES"], verdict["RSSTRESC"], verdict["RSDRVFL"]) == ("effective", "EFFECTIVE", "Y")
    assert (verdict["RSCAT"], verdict["RSSCAT"]) == ("PROTOCOL DEFINED RESPONSE CRITERIA", "TRIAL")
    assert (verdict["VISIT"], verdict["RSDTC"], verdict["RSDY"], verdict["RSEVAL"]) == (
        "MONTH 1",
        "2024-03-28",
        31,
        "INVESTIGATOR",
    )
    change = only(rows("ADTR", "S1", PARAMCD="SUMLDIAM", AVISIT="Month 1"))
    assert (change["BASE"], change["AVAL"], change["CHG"], change["PCHG"]) == (31.25, 12.5, -18.75, -60.0)
    assert (change["CRIT1FL"], change["ANL01FL"]) == ("Y", "Y")
    assert change["CRIT1"] == "Response by the rule (PCHG <= -30)"
    copied = only(rows("ADTR", "S1", PARAMCD="OVRLRESP"))
    assert (copied["AVALC"], copied["SRCDOM"], copied["SRCSEQ"]) == ("EFFECTIVE", "RS", verdict["RSSEQ"])


def test_the_criterion_says_whether_the_limit_itself_counts() -> None:
    rule = AppliedRule(metric=Metric.VOLUME, response_percent=-65.5, response_at_limit=False)
    assert criterion_words(rule) == "Response by the rule (PCHG < -65.5)"


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("S3", "MISSING VISIT: There is no one month study."),
        ("S4", "NOT FOUND AT BASELINE: L2 was measured at one month and not at baseline."),
        ("S9", "NO VERDICT: The size that the rule looks at has no change from baseline."),
    ],
)
def test_a_verdict_that_cannot_be_given_says_why(rows: Rows, subject: str, reason: str) -> None:
    row = only(rows("RS", subject))
    assert (row["RSSTAT"], row["RSREASND"], row["RSORRES"], row["RSDRVFL"]) == ("NOT DONE", reason, None, None)


def test_derived_values_stand_in_adtr_alone(rows: Rows) -> None:
    assert {row["TRTESTCD"] for row in rows("TR")} == {"LDIAM", "LPERP", "AREA", "VOLUME", "TUMSTATE", "TRALL"}
    assert {row["PARAMCD"] for row in rows("ADTR") if row["PARAMTYP"] == "DERIVED"} == {
        "MAXLDIAM", "SUMLDIAM", "SUMPPD", "SUMVOL", "OVRLRESP",
    }  # fmt: skip


def test_adtr_points_to_the_record_that_holds_its_value(rows: Rows) -> None:
    sizes = {(row["USUBJID"], row["TRSEQ"]): row for row in rows("TR")}
    pointing = [row for row in rows("ADTR") if row["SRCDOM"] == "TR"]
    assert len(pointing) == len([row for row in rows("ADTR") if row["PARCAT1"] == "LESION"])
    for row in pointing:
        there = sizes[row["USUBJID"], row["SRCSEQ"]]
        assert (there["TRSTRESN"], there["TRLNKID"], there["TRTESTCD"]) == (row["AVAL"], row["TRLNKID"], row["PARAMCD"])


def test_what_was_not_compared_has_a_value_and_a_reason_but_no_change(rows: Rows) -> None:
    row = only(rows("ADTR", "S7", PARAMCD="LDIAM", AVISIT="Month 1"))
    assert (row["AVAL"], row["BASE"], row["CHG"], row["PCHG"]) == (17.0, 21.0, None, None)
    assert row["CHGREASN"] == "PLANES DIFFER"
    assert only(rows("ADTR", "S6", PARAMCD="LDIAM", AVISIT="Screening"))["CHGREASN"] is None


def test_baseline_is_the_same_in_every_record_of_a_parameter_and_change_fits(rows: Rows) -> None:
    base: dict[tuple[str, ...], set[float]] = {}
    for row in rows("ADTR"):
        base.setdefault((row["USUBJID"], row["PARAMCD"], str(row["TRLNKID"])), set()).add(row["BASE"])
        if row["CHG"] is not None:
            assert row["CHG"] == pytest.approx(row["AVAL"] - row["BASE"], abs=2e-6)
            assert row["PCHG"] == pytest.approx(100 * row["CHG"] / row["BASE"], abs=1e-4)
        if row["ABLFL"]:
            assert row["AVAL"] == row["BASE"]
    assert all(len(values) == 1 for values in base.values())


def test_laboratory_values_keep_their_digits_units_and_limits(rows: Rows) -> None:
    found = {(row["USUBJID"].split("-")[-1], row["LBTESTCD"], row["VISIT"]): row for row in rows("LB")}
    assert len(found) == 5
    high = found["S1", "AFP", "BASELINE"]
    assert (high["LBORRES"], high["LBORRESU"], high["LBSTRESN"]) == ("121000.25", "ug/L", 121000.25)  # = ng/mL
    assert (high["LBDTC"], high["LBDY"], high["EPOCH"]) == ("2024-02-26", -1, "SCREENING")
    low = found["S1", "PIVKAII", "BASELINE"]
    assert (low["LBSTRESC"], low["LBSTRESN"], low["LBSTRESU"], low["LBDTC"]) == ("<10", None, "mAU/mL", None)
    assert found["S2", "AFP", "MONTH 1"]["LBSTRESC"] == ">200000"
    assert found["S77", "AFP", "BASELINE"]["LBDY"] is None  # no reference start to count from


def test_sequence_numbers_and_keys_tell_records_apart(datasets: dict[str, Dataset]) -> None:
    for dataset in datasets.values():
        keys = [tuple(row.get(key) for key in dataset.keys) for row in dataset.rows]
        assert len(set(keys)) == len(keys), dataset.name
        number = {"ADTR": "ASEQ"}.get(dataset.name, f"{dataset.name}SEQ")
        if any(variable.name == number for variable in dataset.variables):
            pairs = [(row["USUBJID"], row[number]) for row in dataset.rows]
            assert len(set(pairs)) == len(pairs)


def test_records_are_sorted_by_their_keys(datasets: dict[str, Dataset]) -> None:
    """As a sort in pandas has them, missing values first."""
    for dataset in datasets.values():
        if dataset.name in ("RELREC",) or dataset.name.startswith("SUPP"):
            continue  # in the order of what they belong to
        frame = pd.DataFrame([{key: row.get(key) for key in dataset.keys} for row in dataset.rows])
        ordered = frame.sort_values(list(dataset.keys), na_position="first", kind="stable")
        assert list(ordered.index) == list(range(len(frame))), dataset.name


def test_a_variable_is_as_wide_in_every_dataset(datasets: dict[str, Dataset]) -> None:
    widths: dict[str, set[int]] = {}
    for dataset in datasets.values():
        for variable in dataset.variables:
            if variable.kind.is_text and not dataset.name.startswith("SUPP"):
                widths.setdefault(variable.name, set()).add(dataset.length(variable))
    assert len(widths["TRLNKID"]) == len(widths["USUBJID"]) == 1
    assert {name: found for name, found in widths.items() if len(found) > 1} == {}


def test_relations_name_no_dataset_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = [cdisc_cohort.refusal("S5", v, "nothing_measured", f"Nothing at {v}.") for v in (BASELINE,)]
    nobody = cdisc_cohort.report_cohort.subject("S5", [], cdisc_cohort.DATES, review=tuple(empty))
    monkeypatch.setattr(cdisc_cohort, "subjects", lambda: (nobody,))
    write_cohort(tmp_path)
    written = {d.name: d for d in export(ExportRequest(out=tmp_path, study=STUDY)).datasets}
    assert "TU" not in written
    assert written["RELREC"].column("RDOMAIN") == ["TR", "RS"]


def test_variables_stand_in_the_order_of_the_standard(datasets: dict[str, Dataset]) -> None:
    for name, order in ORDER.items():
        assert [variable.name for variable in datasets[name].variables] == order.split()


def test_every_coded_value_is_a_term_and_closed_lists_stay_closed(datasets: dict[str, Dataset]) -> None:
    for used in codelists_in_use(list(datasets.values())):
        terms = {term.value: term for term in used.codelist.terms}
        values = set(used.counts)
        if used.codelist.short == "TRPROPRS":
            values = {value for value in values if not value.replace(".", "").isdigit()}
        assert values <= set(terms), used.codelist.short
        assert used.codelist.extensible or all(term.cdisc for term in terms.values())


def test_every_visit_and_every_verdict_of_the_rules_has_its_word() -> None:
    times = timetable(TRIAL, TRIAL.names)
    assert {visit: (when.number, when.name) for visit, when in times.items()} == {
        "screening": (1, "SCREENING"), "baseline": (2, "BASELINE"), "one_month": (3, "MONTH 1"),
    }  # fmt: skip
    assert set(RESPONSES.values()) == {"CR", "PR", "SD", "PD", "NON-CR/NON-PD", "NE"}


def test_the_page_names_every_variable_and_term_and_asks_nobody(folder: Path, datasets: dict[str, Dataset]) -> None:
    page = (folder / "cdisc" / "define.html").read_text(encoding="utf-8")
    for dataset in datasets.values():
        assert f'<section id="{dataset.name}"' in page
        assert all(f'<th scope="row">{variable.name}' in page for variable in dataset.variables)
    for value, whose in (("INVESTIGATOR WITH AI MODEL", "sponsor-defined"), ("NOT DONE", "CDISC"), ("net", "sponsor-")):
        assert whose in page.split(f'<th scope="row">{value}</th>')[1].split("</tr>")[0]
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_csv_holds_the_same_rows(folder: Path, datasets: dict[str, Dataset]) -> None:
    with (folder / "cdisc" / "tr.csv").open(encoding="utf-8", newline="") as stream:
        read = list(csv.DictReader(stream))
    assert [row["TRTESTCD"] for row in read] == datasets["TR"].column("TRTESTCD")
    numbers = [float(row["TRSTRESN"]) if row["TRSTRESN"] else None for row in read]
    assert numbers == datasets["TR"].column("TRSTRESN")


def test_notes_name_what_a_person_should_know(folder: Path) -> None:
    notes = export(ExportRequest(out=folder, study=STUDY, labs=folder / "labs.csv")).notes
    assert any("Platelets" in note for note in notes)
    assert any("S77" in note for note in notes)


def test_a_second_export_leaves_nothing_stale_and_touches_nothing_else(tmp_path: Path) -> None:
    write_cohort(tmp_path)
    labs = tmp_path / "labs.csv"
    labs.write_text(LABS, encoding="utf-8")
    export(ExportRequest(out=tmp_path, study=STUDY, labs=labs))
    (tmp_path / "cdisc" / "mine.txt").write_text("kept")
    export(ExportRequest(out=tmp_path, study=STUDY, formats=("json",)))
    left = {path.name for path in (tmp_path / "cdisc").iterdir()}
    assert left == {
        ".lesion_measure_cdisc", "define.html", "mine.txt", "tu.json", "tr.json", "supptr.json", "rs.json",
        "supprs.json", "relrec.json", "adtr.json",
    }  # fmt: skip


def test_a_folder_of_somebody_else_is_not_written_to(tmp_path: Path) -> None:
    write_cohort(tmp_path)
    (tmp_path / "cdisc").mkdir()
    (tmp_path / "cdisc" / "tr.xpt").write_text("mine")
    with pytest.raises(OutputError, match="not empty") as caught:
        export(ExportRequest(out=tmp_path, study=STUDY))
    assert caught.value.code == "foreign_folder"
    assert (tmp_path / "cdisc" / "tr.xpt").read_text() == "mine"


@pytest.mark.parametrize("study", ["", "NCT 04406870", "x" * 21, "../out", "Studié"])
def test_a_study_identifier_that_cannot_be_one_is_refused(tmp_path: Path, study: str) -> None:
    write_cohort(tmp_path)
    with pytest.raises(ConfigError, match="study identifier"):
        export(ExportRequest(out=tmp_path, study=study))


@pytest.mark.parametrize("formats", [("xpt", "sas7bdat"), ()])
def test_a_format_that_is_not_known_is_refused(tmp_path: Path, formats: tuple[str, ...]) -> None:
    write_cohort(tmp_path)
    with pytest.raises(ConfigError, match=r"[Ff]ormat"):
        export(ExportRequest(out=tmp_path, study=STUDY, formats=formats))


def _damage(document: dict[str, Any], how: str) -> None:
    if how == "version":
        document["schema_version"] = "1.3"
    elif how == "schema":
        document["schema"] = "something else"
    elif how == "visit":
        document["subjects"][0]["lesions"][0]["visit"] = "someday"
    elif how == "number":
        document["subjects"][0]["lesions"][0]["longest_diameter_mm"]["value"] = float("nan")
    elif how == "twice":
        document["subjects"].append(document["subjects"][0])
    elif how == "unit":
        document["subjects"][0]["changes"][0]["unit"] = "mL"


@pytest.mark.parametrize("how", ["version", "schema", "visit", "number", "twice", "unit"])
def test_results_that_are_not_ours_are_refused_before_anything_is_written(tmp_path: Path, how: str) -> None:
    write_cohort(tmp_path)
    document = json.loads((tmp_path / "results.json").read_text())
    _damage(document, how)
    (tmp_path / "results.json").write_text(json.dumps(document))
    with pytest.raises(InputError):
        export(ExportRequest(out=tmp_path, study=STUDY))
    assert not (tmp_path / "cdisc").exists()


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no results\.json") as caught:
        export(ExportRequest(out=tmp_path, study=STUDY))
    assert caught.value.code == "no_results"


def test_a_wrong_laboratory_table_stops_the_export(tmp_path: Path) -> None:
    write_cohort(tmp_path)
    labs = tmp_path / "labs.csv"
    labs.write_text("subject,visit,test,value,unit\nS1,baseline,AFP,12,IU/mL\n", encoding="utf-8")
    with pytest.raises(TableError, match="Line 2"):
        export(ExportRequest(out=tmp_path, study=STUDY, labs=labs))
    assert not (tmp_path / "cdisc").exists()


def test_names_in_other_letters_need_another_format_than_xpt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chinese = cdisc_cohort.measured("S1", BASELINE, 20, "病灶1")
    only_one = cdisc_cohort.report_cohort.subject("S1", [chinese], cdisc_cohort.DATES)
    monkeypatch.setattr(cdisc_cohort, "subjects", lambda: (only_one,))
    write_cohort(tmp_path)
    with pytest.raises(OutputError, match=r"TU\.\w+, subject 'TEST-01-S1'.*U\+75C5") as caught:
        export(ExportRequest(out=tmp_path, study=STUDY))
    assert "--format json,csv" in caught.value.remedy
    assert "--xpt-encoding utf-8" in caught.value.remedy
    export(ExportRequest(out=tmp_path, study=STUDY, formats=("json", "csv")))
    document = json.loads((tmp_path / "cdisc" / "tu.json").read_text(encoding="utf-8"))
    assert "病灶1" in document["rows"][0]
