"""Single scans and follow-up scans outside a trial, by configs/follow_up.yaml."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from lesion_measure.cli import app

SAMPLES = Path(__file__).parent.parent / "sample_dicoms"


def measured(folder: Path, project_dir: Path, *visits: str) -> tuple[Result, dict[str, Any], str]:
    """The scans of SIM-01 at these visits, measured by calipers: how it ended, the subject's results, the report."""
    for visit in visits:
        shutil.copytree(SAMPLES / "SIM-01" / visit, folder / "in" / "SIM-01" / visit)
    with (SAMPLES / "calipers.csv").open(encoding="utf-8", newline="") as file:
        first, *rows = csv.reader(file)
    with (folder / "calipers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([first, *(row for row in rows if row[0].startswith(tuple(starts(visits))))])
    words = ["run", folder / "in", "-o", folder / "out", "--calipers", folder / "calipers.csv"]
    done = CliRunner().invoke(
        app, [str(word) for word in (*words, "--config", project_dir / "configs" / "follow_up.yaml")]
    )
    results = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    (subject,) = results["subjects"]
    return done, subject, (folder / "out" / "report.html").read_text(encoding="utf-8")


def starts(visits: tuple[str, ...]) -> list[str]:
    return [f"SIM-01/{visit}/" for visit in visits]


def truth(visit: str) -> float:
    """The longest diameter in mm that was drawn."""
    with (SAMPLES / "truth.csv").open(encoding="utf-8", newline="") as file:
        row = next(r for r in csv.DictReader(file) if (r["subject"], r["visit"]) == ("SIM-01", visit))
    return max(float(row["transverse_long_mm"]), float(row["sagittal_long_mm"]))


def test_one_scan_alone_is_measured_and_shown(tmp_path: Path, project_dir: Path) -> None:
    done, subject, page = measured(tmp_path, project_dir, "baseline")
    assert done.exit_code == 0
    assert (list(subject["visits"]), subject["primary_visit"]) == (["baseline"], None)
    assert (subject["changes"], subject["review"], subject["warnings"]) == ([], [], [])
    (lesion,) = subject["lesions"]
    size = lesion["longest_diameter_mm"]
    assert size["ci95"][0] < truth("baseline") < size["ci95"][1]
    assert f"{size['value']:.1f}" in page
    assert "no comparison" in page
    assert "1 subject: 0 compared, 0 excluded, 1 measured at one visit alone" in done.stdout
    assert "no comparison · 1 subject: 0 compared, 0 excluded, 1 measured at one visit alone" in page
    assert "No comparison: no subject has a change from baseline" in page
    assert page.count("data:image/jpeg") == 2  # both planes


def test_a_second_scan_is_compared_with_the_first(tmp_path: Path, project_dir: Path) -> None:
    done, subject, _ = measured(tmp_path, project_dir, "baseline", "one_month")
    assert done.exit_code == 0
    day = next(visit["day"] for name, visit in subject["visits"].items() if name != "baseline")
    assert (list(subject["visits"]), subject["primary_visit"]) == (["baseline", f"day_{day}"], f"day_{day}")
    low, high = next(
        c["percent_ci95"] for c in subject["changes"] if c["metric"] == "longest_diameter" and c["lesion"] == "L1"
    )
    assert low < 100 * (truth("one_month") / truth("baseline") - 1) < high
    assert subject["response"]["rule"] == "recist_style"
