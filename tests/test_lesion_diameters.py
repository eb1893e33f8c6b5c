"""From which plane the sizes of a lesion come, and that one finds them again in the tables and in TR."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from lesion_measure.cdisc import ExportRequest, export
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run

SAMPLES = Path(__file__).parent.parent / "sample_dicoms"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diameters") / "out"
    run(RunRequest(input=SAMPLES, out=folder, calipers=SAMPLES / "calipers.csv"))
    return folder


@pytest.fixture(scope="module")
def measurements(out: Path) -> list[dict[str, str]]:
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def of(rows: list[dict[str, str]], level: str, **wanted: str) -> list[dict[str, str]]:
    return [row for row in rows if row["level"] == level and all(row[k] == v for k, v in wanted.items())]


def same(row: dict[str, str]) -> dict[str, str]:
    return {name: row[name] for name in ("subject", "visit", "lesion")}


def other_planes(measurements: list[dict[str, str]]) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Lesions whose longest diameter lies in another plane than their three diameters begin with, and that plane."""
    found = []
    for lesion in of(measurements, "lesion", present="true"):
        longest = max(of(measurements, "plane", **same(lesion)), key=lambda row: float(row["long_axis_mm"]))
        if longest["plane"] != "transverse" and of(measurements, "plane", plane="transverse", **same(lesion)):
            found.append((lesion, longest))
    return found


def test_the_short_axis_of_a_lesion_is_that_of_the_first_plane(measurements: list[dict[str, str]]) -> None:
    found = other_planes(measurements)
    assert found
    for lesion, longest in found:
        (first,) = of(measurements, "plane", plane="transverse", **same(lesion))
        assert lesion["long_axis_mm"] == longest["long_axis_mm"]
        assert lesion["short_axis_mm"] == first["short_axis_mm"] != longest["short_axis_mm"]
        assert lesion["third_diameter_mm"] in (longest["long_axis_mm"], longest["short_axis_mm"])


def test_every_lperp_is_a_plane_of_the_table(out: Path, measurements: list[dict[str, str]]) -> None:
    """By image and frame, as docs/cdisc.md says."""
    written = export(ExportRequest(out=out, study="T"))
    rows: dict[str, list[dict[str, Any]]] = {one.name: [dict(row) for row in one.rows] for one in written.datasets}
    frames = {(row["USUBJID"], row["IDVARVAL"]): row["QVAL"] for row in rows["SUPPTR"] if row["QNAM"] == "TRFRAME"}
    found = [row for row in rows["TR"] if row.get("TRTESTCD") in ("LDIAM", "LPERP") and row.get("TRREFID")]
    assert {row["TRTESTCD"] for row in found} == {"LDIAM", "LPERP"}
    axes = {"LDIAM": "long_axis_mm", "LPERP": "short_axis_mm"}
    for row in found:
        (plane,) = of(
            measurements, "plane", sop_instance_uid=row["TRREFID"], lesion=row["TRLNKID"],
            frame=frames[row["USUBJID"], str(row["TRSEQ"])],
        )  # fmt: skip
        assert float(plane[axes[row["TRTESTCD"]]]) == pytest.approx(row["TRSTRESN"], abs=1e-6)


def test_the_report_names_the_plane_of_each_diameter(out: Path, measurements: list[dict[str, str]]) -> None:
    lesion, longest = other_planes(measurements)[0]
    html = (out / "report.html").read_text(encoding="utf-8")
    tables = [table for table in html.split("<table>") if f"{lesion['subject']}<br>" in table.split("</tr>")[0]]
    rows = {
        name.group(1): re.findall(r'class="origin">([^<]*)<', row)
        for table in tables
        for row in table.split("<tr")
        if (name := re.search(r'scope="row">([^<]*)<', row))
    }
    assert f"{longest['plane']} plane" in rows["Longest diameter"]
    assert "transverse plane" in rows["Short axis"]
    assert f"{longest['plane']} plane" in rows["Third diameter"]
