"""Numbers of a run's tables and index page are those of results.json, those of the cohort page of cohort.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from csv_files import csv_rows
from sample_runs import sample_run
from test_every_number import _says, _Text

SIZES = {
    "long_axis_mm": "longest_diameter_mm", "short_axis_mm": "short_axis_mm", "third_diameter_mm": "third_diameter_mm",
    "volume_ml": "volume_ml",
}  # fmt: skip
MEASURED = ("long_axis_mm", "short_axis_mm", "third_diameter_mm", "area_mm2", "perimeter_mm", "volume_ml")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("tables") / "out", "--pages")


@pytest.fixture(scope="module")
def document(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return found


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _spread(column: str, quantity: dict[str, Any] | None) -> dict[str, float]:
    """Cells of a quantity: `X_mm`, `X_sd_mm`, `X_ci95_low_mm`, `X_ci95_high_mm`; of changes without the unit."""
    if quantity is None:
        return {}
    name = re.sub(r"_(mm2?|ml)$", "", column)
    unit = column.removeprefix(name)
    low, high = quantity["ci95"] or (None, None)
    cells = {"": quantity["value"], "_sd": quantity["sd"], "_ci95_low": low, "_ci95_high": high}
    return {f"{name}{part}{unit}": value for part, value in cells.items() if value is not None}


def _of_plane(plane: dict[str, Any]) -> dict[str, float]:
    cells = {"spacing_row_mm": plane["spacing_mm"][0], "spacing_column_mm": plane["spacing_mm"][1]}
    cells |= {"frame": plane["frame"], "confidence": plane["confidence"]}
    for axis in ("long_axis", "short_axis"):
        for end, point in zip(("start", "end"), plane[f"{axis}_px"] or (), strict=False):
            cells |= {f"{axis}_{end}_row_px": point[0], f"{axis}_{end}_column_px": point[1]}
    for column in MEASURED:
        cells |= _spread(column, plane.get(column))
    return {name: value for name, value in cells.items() if value is not None}


def _of_lesion(lesion: dict[str, Any]) -> dict[str, float]:
    cells: dict[str, float] = {}
    for column, name in SIZES.items():
        cells |= _spread(column, lesion[name])
    return cells


def _of_change(child: dict[str, Any], change: dict[str, Any]) -> dict[str, float]:
    first, later = (date.fromisoformat(child["visits"][visit]["date"]) for visit in ("baseline", change["visit"]))
    low, high = change["percent_ci95"] or (None, None)
    known = {name: change[name] for name in ("absolute", "percent", "percent_from_nadir", "pairing_confidence")}
    cells = {"days": (later - first).days, "nadir": change["nadir"]["value"], **known}
    cells |= {"percent_ci95_low": low, "percent_ci95_high": high}
    cells |= _spread("baseline", change["baseline"]) | _spread("followup", change["followup"])
    return {name: value for name, value in cells.items() if value is not None}


def _told(row: dict[str, str]) -> dict[str, float]:
    """The cells of a row that are numbers, but for identifiers."""
    numbers = {name: _number(cell) for name, cell in row.items() if not name.endswith("uid")}
    return {name: value for name, value in numbers.items() if value is not None}


def test_every_number_of_the_measurements(out: Path, document: dict[str, Any]) -> None:
    lesions = [lesion for child in document["subjects"] for lesion in child["lesions"]]
    wanted = [cells for lesion in lesions for cells in (_of_lesion(lesion), *map(_of_plane, lesion["planes"]))]
    rows = [row for row in csv_rows(out / "measurements.csv") if row["level"] != "alternative"]
    assert [_told(row) for row in rows] == wanted
    assert sum(map(len, wanted)) > 500


def test_every_number_of_the_changes(out: Path, document: dict[str, Any]) -> None:
    wanted = [_of_change(child, change) for child in document["subjects"] for change in child["changes"]]
    assert [_told(row) for row in csv_rows(out / "changes.csv")] == wanted
    assert sum(map(len, wanted)) > 200


def test_every_length_of_the_calipers(out: Path, document: dict[str, Any]) -> None:
    """A caliper that was measured is as long as the axis of the lesion on its frame."""
    axes = {
        (plane["path"], plane["frame"], plane["lesion"], axis): plane[f"{axis}_axis_mm"]["value"]
        for child in document["subjects"] for lesion in child["lesions"] for plane in lesion["planes"]
        for axis in ("long", "short") if plane[f"{axis}_axis_mm"]
    }  # fmt: skip
    rows = [row for row in csv_rows(out / "calipers.csv") if row["length_mm"]]
    found = {(row["path"], int(row["frame"]), row["lesion"], row["axis"]): float(row["length_mm"]) for row in rows}
    assert axes.items() <= found.items()


def test_the_counts_of_the_index_page(out: Path, document: dict[str, Any]) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    found = re.findall(r'<div class="tile[^>]*"><b>(\d+)</b><span>([^<]+)', page)
    tiles = {words: int(number) for number, words in found}
    children = document["subjects"]
    compared = sum(any(change["lesion"] is None for change in child["changes"]) for child in children)
    listed = [child["subject"] for child in children if child["review"]]
    assert tiles["subjects"] == len(children)
    assert tiles["measured"] == compared
    assert tiles["need review"] == len(listed)


def _rows_of_the_cohort(cohort: dict[str, Any]) -> Iterator[list[float]]:
    """How the rows of sizes and of responders begin: numbers of children, then estimates with both ends."""
    for size in cohort["sizes"]:
        change = size["change"]
        estimates = (change[name] for name in ("mean_percent", "median_percent"))
        yield [change["count"], *(each[part] for each in estimates for part in ("value", "low", "high"))]
    for name in ("evaluable", "missing_fail", "missing_respond", "least", "most"):
        rate = cohort["responders"][name]
        ends = (rate["percent"][part] for part in ("value", "low", "high"))
        yield [rate["responders"], rate["count"], *ends, rate["p_two_sided"], rate["p_greater"]]


def test_the_sizes_and_responders_of_the_cohort_page(out: Path) -> None:
    page = _Text((out / "cohort" / "cohort.html").read_text(encoding="utf-8"))
    cohort = json.loads((out / "cohort" / "cohort.json").read_text(encoding="utf-8"))
    rows = list(_rows_of_the_cohort(cohort))
    assert len(rows) == 9
    for wanted in rows:
        told = [row[: len(wanted)] for row in page.rows if len(row) >= len(wanted)]
        assert any(all(map(_says, row, wanted)) for row in told), wanted
