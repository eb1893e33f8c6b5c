"""Excluded and never scanned subjects, split and merged lesions, the liver, 3D sizes and volume methods in CDISC."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

import make
from cdisc_cohort import DATES, PROVENANCE, STUDY, B, M, measured
from lesion_measure.cdisc import Dataset, Export, ExportRequest, export
from lesion_measure.cdisc.page import codelists_in_use
from lesion_measure.cdisc.terms import VOLUME_METHODS
from lesion_measure.config import Config
from lesion_measure.errors import TableError
from lesion_measure.records import (
    Body,
    Change,
    Disease,
    Enrolled,
    Fate,
    LesionMeasurement,
    LesionStatus,
    Metric,
    NamedBy,
    Naming,
    Plane,
    Refusal,
    RunResult,
    Source,
    SubjectResult,
    VolumeEstimate,
    VolumeMethod,
)
from report_cohort import change
from report_cohort import subject as made
from written_runs import write_results

ENROLLED = (
    Enrolled(subject="S1"),
    Enrolled(
        subject="S2", excluded=("hepatoblastoma", "moved away"), flags={"hepatoblastoma": True, "resection": False}
    ),
    Enrolled(subject="S8", excluded=("withdrew",)),
    Enrolled(subject="S9"),
)
NO_SCANS = Refusal(code="no_scans", reason="No study: this subject is in the subjects table.", subject="S9")


def status(lesion: str, fate: Fate, *others: str) -> LesionStatus:
    naming = Naming(by=NamedBy.PAIRED, confidence=0.625)
    return LesionStatus(
        lesion=lesion, visit=M, fate=fate, explanation="", naming=naming, needs_check=True, others=others
    )


def split() -> SubjectResult:
    """L1 became L3 and L4; L2 stayed. A lesion that a reader called L1.1 is there already."""
    sizes = [(B, 30, "L1"), (B, 12, "L2"), (B, 9, "L1.1"), (M, 14, "L3"), (M, 11, "L4"), (M, 10, "L2"), (M, 8, "L1.1")]
    lesions = [measured("S3", visit, mm, name) for visit, mm, name in sizes]
    disease = replace(_disease(), targets=("L1", "L2", "L1.1"))
    fates = (status("L1", Fate.SPLIT, "L3", "L4"), replace(status("L2", Fate.SAME), needs_check=False))
    return replace(made("S3", lesions, DATES), statuses=fates, disease=disease)


def merged() -> SubjectResult:
    """L1 and L2 became L3."""
    lesions = [measured("S4", B, 15, "L1"), measured("S4", B, 12, "L2"), measured("S4", M, 20, "L3")]
    fates = (status("L1", Fate.MERGED, "L2", "L3"), status("L2", Fate.MERGED, "L1", "L3"))
    return replace(made("S4", lesions, DATES), statuses=fates, disease=replace(_disease(), targets=("L2",)))


def with_liver() -> SubjectResult:
    """The liver at both visits, and a lesion in true 3D data with volumes by every method."""
    organ = [_liver(B, 120.0), _liver(M, 108.0)]
    changes = [
        change("S5", "liver", metric, before, after)
        for metric, before, after in (
            (Metric.LONGEST_DIAMETER, organ[0].longest_diameter_mm, organ[1].longest_diameter_mm),
            (Metric.VOLUME, organ[0].volume_ml, organ[1].volume_ml),
        )
        if before is not None and after is not None
    ]
    disease = replace(_disease(), targets=("L1",), liver=tuple(organ), liver_changes=tuple(changes))
    first, later = _three_dimensional(B, 20.0), _three_dimensional(M, 16.0)
    later = replace(
        later, volume_method=VolumeMethod.ROTATION, other_volumes=_volumes(M, 16.0, VolumeMethod.ELLIPSOID),
        volume_ml=make.quantity(_millilitres(VolumeMethod.ROTATION, 16.0)),
    )  # fmt: skip
    subject = made("S5", [first, later], DATES)
    compared = tuple(_by_ellipsoid(c) for c in subject.changes)
    return replace(subject, disease=disease, changes=compared)


def _disease() -> Disease:
    return Disease(form=None, form_source="", targets=(), targets_source="", non_targets=(), burdens=())


def _liver(visit: Any, mm: float) -> LesionMeasurement:
    return replace(measured("S5", visit, mm, "liver"), volume_ml=make.quantity(mm**3 / 4000))


def _volumes(visit: Any, mm: float, *methods: VolumeMethod) -> tuple[VolumeEstimate, ...]:
    return tuple(
        VolumeEstimate(
            volume_ml=make.quantity(_millilitres(method, mm)), method=method, planes=(Plane.TRANSVERSE,),
            sources=(Source.CALIPER,), diameters_mm=(mm, mm / 2),
        )
        for method in methods
    )  # fmt: skip


def _millilitres(method: VolumeMethod, mm: float) -> float:
    """A volume that tells its method."""
    return mm + list(VolumeMethod).index(method)


def _three_dimensional(visit: Any, mm: float) -> LesionMeasurement:
    lesion = measured("S5", visit, mm)
    axes = (make.quantity(1.1 * mm), make.quantity(0.9 * mm), make.quantity(0.8 * mm))
    body = Body(volume_ml=make.quantity(mm), axes_mm=axes, longest_px=((1, 2, 3), (4, 5, 6)), frames=(1, 4))
    others = [method for method in VolumeMethod if method is not VolumeMethod.ELLIPSOID]
    return replace(
        lesion, planes=tuple(replace(plane, body=body) for plane in lesion.planes),
        volume_ml=make.quantity(_millilitres(VolumeMethod.ELLIPSOID, mm)), volume_method=VolumeMethod.ELLIPSOID,
        other_volumes=(*_volumes(visit, mm, *others), *_volumes(visit, mm + 100, VolumeMethod.ROTATION)),
    )  # fmt: skip


def _by_ellipsoid(one: Change) -> Change:
    if one.lesion is None or one.metric is not Metric.VOLUME:
        return one
    first, later = (make.quantity(_millilitres(VolumeMethod.ELLIPSOID, mm)) for mm in (20.0, 16.0))
    again = change("S5", one.lesion, Metric.VOLUME, first, later)
    return replace(again, volume_method=VolumeMethod.ELLIPSOID)


def subjects() -> tuple[SubjectResult, ...]:
    kept = made("S1", [measured("S1", B, 20), measured("S1", M, 12)], DATES)
    out = made("S2", [measured("S2", B, 20), measured("S2", M, 12)], DATES)
    return kept, replace(out, excluded=ENROLLED[1].excluded), split(), merged(), with_liver()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made_folder = tmp_path_factory.mktemp("run")
    result = RunResult(
        subjects=subjects(), refusals=(NO_SCANS,), instances=(), provenance=PROVENANCE, enrolled=ENROLLED
    )
    write_results(result, made_folder, Config())
    (made_folder / "run.json").write_text("{}", encoding="utf-8")
    return made_folder


@pytest.fixture(scope="module")
def written(folder: Path) -> Export:
    return export(ExportRequest(out=folder, study=STUDY))


@pytest.fixture(scope="module")
def rows(written: Export) -> Any:
    return finder(written.datasets)


def finder(datasets: tuple[Dataset, ...]) -> Any:
    by_name = {dataset.name: dataset for dataset in datasets}

    def find(name: str, subject: str | None = None, **wanted: object) -> list[dict[str, Any]]:
        own = [{v.name: row.get(v.name) for v in by_name[name].variables} for row in by_name[name].rows]
        own = [row for row in own if subject is None or row["USUBJID"] == f"{STUDY}-{subject}"]
        return [row for row in own if all(row[key] == value for key, value in wanted.items())]

    return find


def test_an_excluded_subject_is_in_every_dataset_and_in_no_analysis(rows: Any) -> None:
    kept, out = rows("ADTR", "S1"), rows("ADTR", "S2")
    assert len(kept) == len(out) > 0
    assert {(row["EXCLFL"], row["EXCLCRIT"], row["EXCLREAS"]) for row in kept} == {("N", None, None)}
    assert {(row["EXCLFL"], row["EXCLCRIT"], row["EXCLREAS"]) for row in out} == {("Y", "hepatoblastoma", "moved away")}
    assert {row["EXCLFL"] for row in rows("ADTR", "S3")} == {"N"}  # not in the table, which is there
    assert not any(row["ANL01FL"] or row["ANL02FL"] for row in out)
    used = [(row["PARAMCD"], row["AVISIT"]) for row in kept if row["ANL01FL"]]
    assert used == [("SUMLDIAM", "Baseline"), ("SUMLDIAM", "Month 1")]
    assert [row["PARAMCD"] for row in kept if row["ANL02FL"]] == ["OVRLRESP"]
    for name in ("TU", "TR", "RS"):  # what was observed stays what it is
        assert len(rows(name, "S1")) == len(rows(name, "S2")) > 0


def test_anl01fl_marks_the_changes_of_the_analysis_and_nothing_else(rows: Any, folder: Path) -> None:
    from lesion_measure.cohort.analysis import analyse
    from lesion_measure.results import read_results

    cohort = analyse(read_results(folder), labs=None)
    analysed = {member.code for member in cohort.analysed if not member.missing}
    flagged = [row for row in rows("ADTR") if row["ANL01FL"] == "Y" and row["PCHG"] is not None]
    assert {row["USUBJID"].removeprefix(f"{STUDY}-") for row in flagged} == analysed
    ratios = sum(row["PCHG"] for row in flagged) / len(flagged)
    assert ratios == pytest.approx(cohort.primary.change.mean_percent.value)
    verdicts = [row for row in rows("ADTR", PARAMCD="OVRLRESP") if row["ANL02FL"] == "Y"]
    assert len(verdicts) == cohort.responders.evaluable.count


def test_a_subject_that_was_never_scanned_is_not_done_and_has_no_analysis_record(rows: Any, written: Export) -> None:
    for code in ("S8", "S9"):
        assert rows("TU", code) == rows("ADTR", code) == []
        assert [(r["TRTESTCD"], r["VISIT"], r["TRSTAT"]) for r in rows("TR", code)] == [
            ("TRALL", "BASELINE", "NOT DONE"), ("TRALL", "MONTH 1", "NOT DONE"),
        ]  # fmt: skip
        (verdict,) = rows("RS", code)
        assert (verdict["RSTESTCD"], verdict["RSSTAT"], verdict["RSDTC"]) == ("OVRLRESP", "NOT DONE", None)
    assert rows("TR", "S9")[0]["TRREASND"] == "NO SCANS: No study: this subject is in the subjects table."
    assert rows("TR", "S8")[0]["TRREASND"] == "NO SCAN: The data hold no scan of this visit."
    assert any("S2, S8" in note and "EXCLFL" in note for note in written.notes)
    assert any("no study of S8, S9" in note for note in written.notes)
    assert "no study of S8, S9" in written.page.read_text(encoding="utf-8")


def test_parts_of_a_split_lesion_are_new_records_under_its_number(rows: Any) -> None:
    """As in SDTMIG 3.4, TU assumption 2 and example 2."""
    found = {row["TUSPID"]: row for row in rows("TU", "S3")}
    told = {name: (r["TULNKID"], r["TUTESTCD"], r["TUGRPID"], r["TUORRES"], r["VISIT"]) for name, r in found.items()}
    assert told == {
        "L1": ("L1", "LESIDENT", None, "TARGET", "BASELINE"),
        "L1.1": ("L1.1", "LESIDENT", None, "TARGET", "BASELINE"),
        "L2": ("L2", "LESIDENT", None, "TARGET", "BASELINE"),
        "L3": ("L1.2", "TUSPLIT", "L1", "TARGET", "MONTH 1"),
        "L4": ("L1.3", "TUSPLIT", "L1", "TARGET", "MONTH 1"),
    }
    assert found["L3"]["TUTEST"] == "Tumor Split"
    more = {row["IDVARVAL"]: (row["QNAM"], row["QVAL"]) for row in rows("SUPPTU", "S3")}
    assert more == {str(found[name]["TUSEQ"]): ("TUPAIRCF", "0.625") for name in ("L3", "L4")}
    later = {row["TRLNKID"]: row["TRSTRESN"] for row in rows("TR", "S3", VISIT="MONTH 1", TRTESTCD="LDIAM")}
    assert later == {"L1.1": 8.0, "L1.2": 14.0, "L1.3": 11.0, "L2": 10.0}  # the whole is followed no longer
    assert {row["TRLNKID"] for row in rows("ADTR", "S3", AVISIT="Month 1", PARAMCD="LDIAM")} == set(later)


def test_what_lesions_became_together_carries_both_numbers(rows: Any) -> None:
    found = [(r["TULNKID"], r["TUTESTCD"], r["TUGRPID"], r["TUORRES"]) for r in rows("TU", "S4")]
    assert found == [
        ("L1", "LESIDENT", None, "NON-TARGET"),
        ("L1/L2", "TUMERGE", "L1/L2", "TARGET"),
        ("L2", "LESIDENT", None, "TARGET"),
    ]
    later = [(r["TRLNKID"], r["TRTESTCD"], r["TRSTAT"]) for r in rows("TR", "S4", VISIT="MONTH 1")]
    assert {link for link, _, _ in later} == {"L1/L2"}
    assert not any(stat for _, _, stat in later)


def test_the_liver_is_a_location_of_interest_with_its_own_parameters(rows: Any) -> None:
    (organ,) = rows("TU", "S5", TULNKID="LIVER")
    assert (organ["TUORRES"], organ["TUSPID"], organ["VISIT"]) == ("LOCATION OF INTEREST", "liver", "BASELINE")
    sizes = {(r["VISIT"], r["TRTESTCD"]): r["TRSTRESN"] for r in rows("TR", "S5", TRLNKID="LIVER")}
    assert (sizes["BASELINE", "LDIAM"], sizes["MONTH 1", "LDIAM"]) == (120.0, 108.0)
    assert sizes["MONTH 1", "VOLUME"] == pytest.approx(108.0**3 / 4000)
    assert {r["TRGRPID"] for r in rows("TR", "S5", TRLNKID="LIVER")} == {"LOCATION OF INTEREST"}
    first, later = rows("ADTR", "S5", PARAMCD="LIVVOL")
    assert later["PCHG"] == pytest.approx(100 * (0.9**3 - 1))
    assert (first["PARCAT1"], first["TRLNKID"], first["BASE"]) == ("LIVER", "LIVER", later["BASE"])
    assert rows("TR", "S5", TRSEQ=later["SRCSEQ"])[0]["TRSTRESN"] == later["AVAL"]
    assert not any(row["ANL01FL"] for row in rows("ADTR", "S5", PARCAT1="LIVER"))


def test_the_longest_diameter_in_3d_has_its_own_code(rows: Any) -> None:
    found = {r["VISIT"]: (r["TRSTRESN"], r["TRSTRESU"]) for r in rows("TR", "S5", TRTESTCD="LDIAM3D")}
    assert found == {"BASELINE": (pytest.approx(22.0), "mm"), "MONTH 1": (pytest.approx(17.6), "mm")}
    assert rows("TR", "S1", TRTESTCD="LDIAM3D") == []


def test_every_volume_method_has_its_own_code(rows: Any) -> None:
    """VOLUME is the reported one; the others stand under their method's code, the preferred one of each."""
    assert set(VOLUME_METHODS) == set(VolumeMethod)
    codes = {method: code for method, (code, _) in VOLUME_METHODS.items()}
    first = {r["TRTESTCD"]: r for r in rows("TR", "S5", VISIT="BASELINE", TRLNKID="L1", TRSTRESU="mL")}
    expected = {codes[method]: _millilitres(method, 20.0) for method in VolumeMethod}
    expected["VOLUME"] = expected.pop(codes[VolumeMethod.ELLIPSOID])
    assert {test: row["TRSTRESN"] for test, row in first.items()} == expected
    more = {
        row["IDVARVAL"]: row["QVAL"] for row in rows("SUPPTR", "S5", QNAM="TRVOLMTC")
    }  # of each volume, the code of its method
    assert more[str(first["VOLUME"]["TRSEQ"])] == "VOLELL3"
    assert all(more[str(row["TRSEQ"])] == test for test, row in first.items() if test != "VOLUME")


def test_a_change_of_volume_names_the_method_of_both_visits_and_leads_to_them(rows: Any) -> None:
    first, later = rows("ADTR", "S5", PARAMCD="VOLUME", TRLNKID="L1")
    assert first["VOLMETH"] == later["VOLMETH"] == "VOLELL3"
    sources = [rows("TR", "S5", TRSEQ=row["SRCSEQ"])[0] for row in (first, later)]
    assert [(s["TRTESTCD"], s["TRSTRESN"]) for s in sources] == [
        ("VOLUME", first["AVAL"]),
        ("VOLELL3", later["AVAL"]),  # at 1 month another method is the reported one
    ]


def test_every_word_is_a_term_and_two_readers_get_the_same_values(written: Export) -> None:
    for used in codelists_in_use(list(written.datasets)):
        values = {value for value in used.counts if not value.replace(".", "").isdigit()}
        assert values <= {term.value for term in used.codelist.terms}, used.codelist.short
    for dataset in written.datasets:
        keys = [tuple(row.get(key) for key in dataset.keys) for row in dataset.rows]
        assert len(set(keys)) == len(keys), dataset.name
        path = written.page.parent / f"{dataset.name.lower()}.xpt"
        frames = [pd.read_sas(path, format="xport", encoding="ascii"), pyreadstat.read_xport(str(path))[0]]
        for variable in dataset.variables:
            ours = [row.get(variable.name) for row in dataset.rows]
            for frame in frames:
                theirs = frame[variable.name].tolist()
                if variable.kind.is_text:
                    theirs = ["" if not isinstance(value, str) else value for value in theirs]
                    assert theirs == ["" if value is None else value for value in ours], (dataset.name, variable.name)
                elif variable.kind != "date":
                    known = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None]
                    assert all(float(a) == pytest.approx(b, rel=0, abs=1e-70) for a, b in known)  # type: ignore[arg-type]
                    assert all(math.isnan(b) for a, b in zip(ours, theirs, strict=True) if a is None)


def test_a_table_that_is_given_later_wins(folder: Path, tmp_path: Path) -> None:
    for name in ("results.json", "run.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    table = tmp_path / "later.csv"
    table.write_text("subject,excluded\nS1,resection after all\nS2,\n")
    done = export(ExportRequest(out=tmp_path, study=STUDY, subjects=table, formats=("csv",)))
    find = finder(done.datasets)
    assert {row["EXCLREAS"] for row in find("ADTR", "S1")} == {"resection after all"}
    assert {row["EXCLFL"] for row in find("ADTR", "S2")} == {"N"}
    assert find("TR", "S9") == []  # in the run's table alone
    assert any("later.csv counts here in place of the run's" in note for note in done.notes)
    table.write_text("subject,excluded\nS1,yes\n")
    with pytest.raises(TableError, match="not why"):
        export(ExportRequest(out=tmp_path, study=STUDY, subjects=table, formats=("csv",)))


def test_without_a_table_nobody_is_known_to_be_excluded(folder: Path, tmp_path: Path) -> None:
    import json

    document = json.loads((folder / "results.json").read_text())
    (tmp_path / "results.json").write_text(json.dumps(document | {"enrolled": None}))
    (tmp_path / "run.json").write_bytes((folder / "run.json").read_bytes())
    find = finder(export(ExportRequest(out=tmp_path, study=STUDY, formats=("csv",))).datasets)
    assert {row["EXCLFL"] for row in find("ADTR")} == {None}
    assert [row["AVISIT"] for row in find("ADTR", "S2") if row["ANL01FL"]] == ["Baseline", "Month 1"]
