"""``lesion-measure export`` as its users meet it: a real calipers-only run of the samples, then its datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from csv_files import csv_rows
from lesion_measure.cli import app

STUDY = "NCT04406870"
VISITS = {"screening": "SCREENING", "baseline": "BASELINE", "one_month": "MONTH 1"}


def lesion_measure(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def number(cell: str) -> float | None:
    return float(cell) if cell else None


@pytest.fixture(scope="module")
def run(project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample studies, measured by calipers alone and exported."""
    out = tmp_path_factory.mktemp("samples") / "out"
    samples = project_dir / "sample_dicoms"
    assert lesion_measure("run", samples, "-o", out, "--calipers", samples / "calipers.csv")[0] == 3
    code, words, complaints = lesion_measure("export", out, "--study", STUDY)
    assert code == 0
    assert "reference_start" in complaints
    assert "TR" in words
    assert "define.html" in words
    return out


def test_tr_holds_the_sizes_of_the_tables(run: Path) -> None:
    sizes = {
        (row["subject"], row["lesion"], VISITS[row["visit"]]): row
        for row in csv_rows(run / "measurements.csv")
        if row["level"] == "lesion"
    }
    rows = csv_rows(run / "cdisc" / "tr.csv")
    for test, column in (("LDIAM", "long_axis_mm"), ("VOLUME", "volume_ml")):
        found = {
            (row["USUBJID"].removeprefix(f"{STUDY}-"), row["TRLNKID"], row["VISIT"]): number(row["TRSTRESN"])
            for row in rows
            if row["TRTESTCD"] == test
        }
        assert found == {key: number(row[column]) for key, row in sizes.items()}
        assert len(found) == 19
    dates = {(row["subject"], VISITS[row["visit"]]): row["visit_date"] for row in sizes.values()}
    assert all(row["TRDTC"] == dates[row["USUBJID"].removeprefix(f"{STUDY}-"), row["VISIT"]] for row in rows)


def test_adtr_holds_the_changes_of_the_tables(run: Path) -> None:
    names = {
        ("lesion", "longest_diameter"): "LDIAM", ("lesion", "volume"): "VOLUME",
        ("subject", "longest_diameter"): "MAXLDIAM", ("subject", "sum_of_diameters"): "SUMLDIAM",
        ("subject", "volume"): "SUMVOL", ("lesion", "sum_of_products"): "PPD",
        ("subject", "sum_of_products"): "SUMPPD",
    }  # fmt: skip
    columns = {
        "AVAL": "followup", "BASE": "baseline", "CHG": "absolute", "PCHG": "percent", "PCHGLO": "percent_ci95_low",
        "PCHGHI": "percent_ci95_high", "AVALSD": "followup_sd",
    }  # fmt: skip
    changed = {
        (row["USUBJID"].removeprefix(f"{STUDY}-"), row["TRLNKID"], row["PARAMCD"]): row
        for row in csv_rows(run / "cdisc" / "adtr.csv")
        if row["PCHG"]
    }
    changes = csv_rows(run / "changes.csv")
    assert len(changed) == len(changes) > 30
    for change in changes:
        row = changed[change["subject"], change["lesion"], names[change["level"], change["metric"]]]
        assert {name: number(row[name]) for name in columns} == {
            name: number(change[column]) for name, column in columns.items()
        }
        assert row["CHGERRFL"] == ("Y" if change["exceeds_error"] == "true" else "N")
        assert row["ANL01FL"] == ("Y" if change["primary"] == "true" and change["level"] == "subject" else "")
        assert row["CRIT1FL"] == {"effective": "Y", "not effective": "N", "": ""}[change["response"]]


def test_no_dates_but_those_of_the_scans_and_no_identifiers_but_codes(run: Path) -> None:
    known: set[Any] = {None}
    for subject in json.loads((run / "results.json").read_text(encoding="utf-8"))["subjects"]:
        known |= {visit["date"] for visit in subject["visits"].values()}
    for name in ("tu", "tr", "rs"):
        document = json.loads((run / "cdisc" / f"{name}.json").read_text(encoding="utf-8"))
        at = [column["name"] for column in document["columns"]].index(f"{name.upper()}DTC")
        assert {row[at] for row in document["rows"]} <= known
        assert all(row[2].startswith(f"{STUDY}-SIM-0") for row in document["rows"])


def test_only_the_formats_asked_for_are_written(run: Path, tmp_path: Path) -> None:
    for name in ("results.json", "run.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    assert lesion_measure("export", tmp_path, "--study", STUDY, "--format", "XPT, json")[0] == 0
    suffixes = {path.suffix for path in (tmp_path / "cdisc").iterdir() if not path.name.startswith(".")}
    assert suffixes == {".xpt", ".json", ".html"}


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("--study", STUDY, "--format", "sas"), 2, "Format 'sas' is not known"),
        (("--study", "a b"), 2, "no study identifier"),
        (("--study", STUDY), 1, "no results.json"),
        ((), 2, "--study"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, words: tuple[str, ...], code: int, complaint: str) -> None:
    found, _, complaints = lesion_measure("export", tmp_path, *words)
    assert found == code
    assert complaint in complaints


def test_help_shows_examples() -> None:
    code, words, _ = lesion_measure("export", "--help")
    assert code == 0
    assert "lesion-measure export out --study NCT04406870" in words
