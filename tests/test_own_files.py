"""Tables and results folders of the program beside the scans are no images, and no skipped files either."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lesion_measure.job.own_files import own_files
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from workbooks import workbook


@pytest.fixture
def scans(project_dir: Path, tmp_path: Path) -> Path:
    """One child of the samples, with a note of its own beside it."""
    folder = tmp_path / "scans"
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", folder / "SIM-01")
    (folder / "notes.txt").write_text("subject to change\n")
    return folder


def _tables(project_dir: Path, folder: Path) -> set[Path]:
    for name in ("calipers.csv", "truth.csv", "MANIFEST.csv"):
        shutil.copy(project_dir / "sample_dicoms" / name, folder / name)
    (folder / "kids.csv").write_text("Subject;Age_months\nSIM-01;5\n")
    (folder / "SIM-01" / "blood.tsv").write_text("subject\tvisit\ttest\tvalue\tunit\nSIM-01\tbaseline\tAFP\t5\tng/mL\n")
    (folder / "drawn.json").write_text('{"calipers": []}')
    workbook(folder / "visits.xlsx", {"A": [["path", "subject", "visit", "plane", "lesion"], [".", "", "baseline"]]})
    return {
        folder / name
        for name in (
            "calipers.csv", "truth.csv", "MANIFEST.csv", "kids.csv", "SIM-01/blood.tsv", "drawn.json", "visits.xlsx",
        )
    }  # fmt: skip


def test_tables_are_told_by_their_columns_and_results_by_their_marker(project_dir: Path, scans: Path) -> None:
    mine = _tables(project_dir, scans)
    (scans / "other.csv").write_text("subject,weight\nSIM-01,5\n")
    (scans / "other.json").write_text("{}")
    assert set(own_files(scans)) == mine
    run(RunRequest(input=scans, out=scans / "earlier", calipers=scans / "calipers.csv"))
    assert set(own_files(scans)) == mine | {scans / "earlier"}
    assert scans / "earlier" not in own_files(scans / "earlier")  # asked for itself, it is looked at
    assert list(own_files(scans / "calipers.csv")) == []


def test_they_are_no_skipped_files(project_dir: Path, scans: Path, tmp_path: Path) -> None:
    _tables(project_dir, scans)
    run(RunRequest(input=scans, out=scans / "earlier", calipers=scans / "calipers.csv"))
    result = run(RunRequest(input=scans, out=tmp_path / "out", calipers=scans / "calipers.csv"))
    assert [refusal.path for refusal in result.refusals if refusal.code == "not_dicom"] == ["notes.txt"]
