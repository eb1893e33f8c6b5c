"""Our own reports as calipers: a child measured, written as DICOM, and measured by that alone, has the same results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run

pytest.importorskip("highdicom")


def _results(out: Path) -> dict[str, Any]:
    return json.loads((out / "results.json").read_text(encoding="utf-8"))["subjects"][0]


@pytest.mark.parametrize("subject", ["SIM-01", "SIM-04"])  # SIM-04 has a lesion that is stated to be gone
def test_the_same_sizes_names_readers_and_verdict(subject: str, project_dir: Path, tmp_path: Path) -> None:
    samples, first, scans = project_dir / "sample_dicoms", tmp_path / "first", tmp_path / "scans" / subject
    shutil.copytree(samples / subject, scans)
    run(RunRequest(input=scans.parent, out=first, calipers=samples / "calipers.csv", dicom=True))
    for report in (first / "dicom").glob("*.sr.dcm"):
        shutil.copy(report, scans)
    run(RunRequest(input=scans.parent, out=tmp_path / "second"))
    by_table, by_report = _results(first), _results(tmp_path / "second")
    assert len(by_table["lesions"]) == len(by_report["lesions"]) > 1
    for given, read in zip(by_table["lesions"], by_report["lesions"], strict=True):
        for name in ("visit", "lesion", "present", "reader", "source"):
            assert read[name] == given[name]
        assert read["longest_diameter_mm"]["value"] == pytest.approx(given["longest_diameter_mm"]["value"], rel=1e-5)
    for name in ("category", "certain"):
        assert by_report["response"][name] == by_table["response"][name]
    percents = [[change["percent"] for change in each["changes"]] for each in (by_report, by_table)]
    assert percents[0] == pytest.approx(percents[1], abs=0.01)
