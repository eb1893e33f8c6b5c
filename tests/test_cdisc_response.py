"""Target, non-target and new lesions, the parts of a response, nadir and best response in the CDISC datasets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import cdisc_cohort
import cohort_results
import course_results
import make
from cdisc_cohort import STUDY, B, M, measured
from lesion_measure.cdisc import Dataset, ExportRequest, export
from lesion_measure.cdisc.page import codelists_in_use
from lesion_measure.records import Assessment, Disease, NonTarget, Status, SubjectResult


def assessed(subject: SubjectResult, **known: object) -> SubjectResult:
    """The subject with L1 as target, L2 as non-target and one assessment at 1 month."""
    fields: dict[str, object] = {
        "visit": M, "days": 30, "target": Status.SD, "non_target": Status.NON_CR_NON_PD, "new_lesions": (),
        "doubtful_lesions": (), "overall": Status.SD, "percent": -20.0, "nadir": 20.0, "percent_from_nadir": -20.0,
        "certain": True, "why": "",
    }  # fmt: skip
    disease = Disease(
        form=None, form_source="", targets=("L1",), targets_source="rule", burdens=(),
        non_targets=(NonTarget(lesion="L2", reason="smaller"),),
    )  # fmt: skip
    assessment = Assessment(**(fields | known))  # type: ignore[arg-type]
    return replace(subject, disease=disease, assessments=(assessment,), best_response="partial response")


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def one(name: str, *new: str) -> SubjectResult:
        lesions = [
            measured(name, B, 20), measured(name, B, 11, "L2"), measured(name, M, 16), measured(name, M, 10, "L2"),
            *(measured(name, M, 8, lesion) for lesion in new),
        ]  # fmt: skip
        return cdisc_cohort.report_cohort.subject(name, lesions, cdisc_cohort.DATES)

    subjects = (
        assessed(one("S1")),
        assessed(one("S2", "L3"), new_lesions=("L3",), overall=Status.PD),
        assessed(one("S3", "L3"), doubtful_lesions=("L3",), overall=Status.NE),
        assessed(one("S4"), target=None, non_target=Status.CR, overall=Status.CR),
    )
    monkeypatch.setattr(cdisc_cohort, "subjects", lambda: subjects)
    cdisc_cohort.write_cohort(tmp_path)
    written: dict[str, Dataset] = {d.name: d for d in export(ExportRequest(out=tmp_path, study=STUDY)).datasets}

    def find(name: str, subject: str, **wanted: object) -> list[dict[str, Any]]:
        own = [{v.name: row.get(v.name) for v in written[name].variables} for row in written[name].rows]
        own = [row for row in own if row["USUBJID"] == f"{STUDY}-{subject}"]
        return [row for row in own if all(row[key] == value for key, value in wanted.items())]

    find.datasets = list(written.values())  # type: ignore[attr-defined]
    return find


def test_lesions_are_target_or_not_by_the_runs_own_choice(rows: Any) -> None:
    assert {row["TULNKID"]: row["TUSTRESC"] for row in rows("TU", "S2")} == {
        "L1": "TARGET", "L2": "NON-TARGET", "L3": "NEW",
    }  # fmt: skip
    states = [(row["VISIT"], row["TRLNKID"], row["TRSTRESC"]) for row in rows("TR", "S1", TRTESTCD="TUMSTATE")]
    assert states == [("BASELINE", "L2", "PRESENT"), ("MONTH 1", "L2", "PRESENT")]
    assert rows("TR", "S1", TRLNKID="L2", TRTESTCD="LDIAM", VISIT="MONTH 1")[0]["TRSTRESN"] == 10.0


@pytest.mark.parametrize(
    ("subject", "state", "progression"), [("S2", "PRESENT", "UNEQUIVOCAL"), ("S3", "EQUIVOCAL", "EQUIVOCAL")]
)
def test_a_new_lesion_is_beyond_doubt_only_by_statement(rows: Any, subject: str, state: str, progression: str) -> None:
    (found,) = rows("TR", subject, TRLNKID="L3", TRTESTCD="TUMSTATE")
    (response,) = rows("RS", subject, RSTESTCD="NEWLPROG")
    assert (found["TRSTRESC"], response["RSORRES"], response["RSSTRESC"]) == (state, progression, progression)


def test_an_overall_response_and_its_parts(rows: Any) -> None:
    found = {row["RSTESTCD"]: row for row in rows("RS", "S1")}
    assert set(found) == {"TRGRESP", "NTRGRESP", "OVRLRESP"}
    assert found["NTRGRESP"]["RSSTRESC"] == "NON-CR/NON-PD"
    # the trial's rule calls neither response nor progression so; its own word is no CDISC term
    assert (found["TRGRESP"]["RSORRES"], found["TRGRESP"]["RSSTRESC"]) == ("not effective", "NOT EFFECTIVE")
    assert {row["RSDRVFL"] for row in found.values()} == {"Y"}
    assert {row["VISIT"] for row in found.values()} == {"MONTH 1"}
    # the link to TR is one to many: only the target response, which rests on its records, has it
    assert [row["RSTESTCD"] for row in rows("RS", "S1") if row["RSLNKGRP"]] == ["TRGRESP"]
    assert [row["RSTESTCD"] for row in rows("RS", "S4") if row["RSLNKGRP"]] == ["OVRLRESP"]  # no target lesion
    assert all(row["RSEVAL"] == "INVESTIGATOR" for row in rows("RS", "S1"))


def test_there_is_no_response_of_lesions_that_there_are_not(rows: Any) -> None:
    assert {row["RSTESTCD"] for row in rows("RS", "S4")} == {"NTRGRESP", "OVRLRESP"}


def test_the_nadir_stands_beside_the_size_that_the_rule_looks_at(rows: Any) -> None:
    found = [row for row in rows("ADTR", "S1") if row["NADIR"] is not None]
    assert [(row["PARAMCD"], row["AVISIT"], row["NADIR"], row["PCHGNAD"]) for row in found] == [
        ("SUMLDIAM", "Month 1", 20.0, -20.0)
    ]


def test_the_best_response_is_in_the_analysis_alone(rows: Any) -> None:
    (best,) = rows("ADTR", "S1", PARAMCD="BESTRESP")
    assert (best["AVALC"], best["AVISIT"], best["PARAMTYP"]) == ("PR", None, "DERIVED")
    assert rows("RS", "S1", RSTESTCD="BESTRESP") == []


def test_the_source_of_a_verdict_is_the_overall_response(rows: Any) -> None:
    (verdict,) = rows("ADTR", "S1", PARAMCD="OVRLRESP")
    (overall,) = rows("RS", "S1", RSTESTCD="OVRLRESP")
    assert (verdict["SRCSEQ"], verdict["AVALC"]) == (overall["RSSEQ"], overall["RSSTRESC"])


def test_every_word_is_a_term(rows: Any) -> None:
    for used in codelists_in_use(rows.datasets):
        values = {value for value in used.counts if not value.replace(".", "").isdigit()}
        assert values <= {term.value for term in used.codelist.terms}, used.codelist.short


@pytest.fixture
def three_visits(tmp_path: Path) -> Any:
    """30 mm, 20 at 1 month, 15 at 3 months; at 6 months 6 mm of another plane, which had 24 at baseline."""
    child = course_results.child("S1", {"baseline": 30, "one_month": 20, "three_months": 15, "six_months": 6})
    other = make.quantity(24)
    changes = tuple(
        replace(c, baseline=other, absolute=6 - 24.0, percent=-75.0) if c.visit == "six_months" else c
        for c in child.changes
    )
    cohort_results.write(tmp_path, [replace(child, changes=changes)], config=course_results.CONFIG)
    adtr = next(d for d in export(ExportRequest(out=tmp_path, study=STUDY)).datasets if d.name == "ADTR")
    return [{v.name: row.get(v.name) for v in adtr.variables} for row in adtr.rows]


def test_each_baseline_that_visits_are_compared_with_has_its_record(three_visits: Any) -> None:
    """ADaM: BASE is AVAL of the record of the same BASETYPE whose ABLFL is Y."""
    for code in ("LDIAM", "SUMLDIAM"):
        own = [row for row in three_visits if row["PARAMCD"] == code]
        assert [(row["BASETYPE"], row["AVISIT"], row["AVAL"], row["BASE"], row["CHG"]) for row in own] == [
            ("SIZE AT BASELINE AS COMPARED AT MONTH 1 AND 1 MORE", "Baseline", 30, 30, None),
            ("SIZE AT BASELINE AS COMPARED AT MONTH 1 AND 1 MORE", "Month 1", 20, 30, -10),
            ("SIZE AT BASELINE AS COMPARED AT MONTH 1 AND 1 MORE", "Month 3", 15, 30, -15),
            ("SIZE AT BASELINE AS COMPARED AT MONTH 6", "Baseline", 24, 24, None),
            ("SIZE AT BASELINE AS COMPARED AT MONTH 6", "Month 6", 6, 24, -18),
        ]
    volumes = [row for row in three_visits if row["PARAMCD"] == "VOLUME" and row["BASE"] is not None]
    assert {row["BASETYPE"] for row in volumes} == {"SIZE AT BASELINE"}


def test_a_later_visit_is_no_part_of_the_answer(three_visits: Any) -> None:
    """Else a subject would have three changes in an analysis of ANL01FL = Y."""
    used = [(row["PARAMCD"], row["AVISIT"], row["AVAL"]) for row in three_visits if row["ANL01FL"]]
    assert used == [("SUMLDIAM", "Baseline", 30), ("SUMLDIAM", "Month 1", 20)]


def test_a_missing_visit_is_the_reason_and_not_what_waits_for_review_at_another(tmp_path: Path) -> None:
    child = course_results.child("S1", {"baseline": 30, "three_months": 15})
    odd = cdisc_cohort.refusal("S1", "three_months", "short_axis_longer", "The short one is longer.", "L1")
    child = replace(child, review=(odd,), primary_visit="one_month")
    gone = cdisc_cohort.refusal("S1", "one_month", "missing_visit", "There is no one month study.")
    cohort_results.write(tmp_path, [child], [gone], config=course_results.CONFIG)
    rs = next(d for d in export(ExportRequest(out=tmp_path, study=STUDY)).datasets if d.name == "RS")
    (row,) = [row for row in rs.rows if row.get("RSSTAT")]
    assert (row["VISIT"], row["RSREASND"]) == ("MONTH 1", "MISSING VISIT: There is no one month study.")
