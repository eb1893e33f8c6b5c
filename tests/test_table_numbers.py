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
from lesion_measure.config import Config, Report
from report_cohort import make_cohort
from sample_runs import sample_run
from test_every_number import _says, _Text
from written_runs import write_report

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
    kinds = [row["kind"] for row in csv_rows(out / "refusals.csv")]
    every = [*document["refusals"], *(item for child in children for item in child["review"])]
    assert len({(item["code"], item["reason"], item["path"]) for item in every}) == len(kinds)
    assert tiles["refused"] == kinds.count("refused")
    assert f"and {kinds.count('skipped')} file" in page
    reviewed = sum(len(child["review"]) for child in children)
    assert re.search(rf"need review</span><small>{reviewed} item", page)


def test_every_number_of_the_alternatives(tmp_path: Path) -> None:
    """Of a child with two: one of a plane that was chosen, which it is compared with, and one of another plane."""
    result, pictures = make_cohort()
    write_report(result, tmp_path, config=Config(report=Report(image_width_px=200)), pictures=pictures)
    document = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    wanted = []
    for other in (a for child in document["subjects"] for lesion in child["lesions"] for a in lesion["alternatives"]):
        known = {name: other[name] for name in ("difference_mm", "difference_percent") if other[name] is not None}
        wanted.append(_spread("long_axis_mm", other["long_axis_mm"]) | known)
    rows = [row for row in csv_rows(tmp_path / "measurements.csv") if row["level"] == "alternative"]
    assert [_told(row) for row in rows] == wanted
    assert {len(cells) for cells in wanted} >= {4, 6}


def _change(change: dict[str, Any], *, both: bool) -> list[float | None]:
    """How a row tells a change: numbers of children, mean, median and geometric mean, each with its interval."""
    names = ("mean_percent", "median_percent", "geometric_mean")
    gone = [change["gone"]] if change["gone"] else []
    bca = [change["geometric_mean_bca"][end] for end in ("low", "high")] if both else []
    return [change["count"], *gone, *(change[name][part] for name in names for part in ("value", "low", "high")), *bca]


def _rate(rate: dict[str, Any]) -> list[float | None]:
    return [rate["responders"], rate["count"], *(rate["percent"][part] for part in ("value", "low", "high"))]


def _tests(change: dict[str, Any]) -> list[float | None]:
    t, lehmann, wilcoxon = change["paired_t"], change["hodges_lehmann"], change["wilcoxon"]
    told = [t["p_value"], t["statistic"], t["degrees"], *(lehmann[part] for part in ("value", "low", "high"))]
    return [*told, wilcoxon["p_value"], wilcoxon["statistic"], wilcoxon["count"]]


def _table_rows(cohort: dict[str, Any]) -> Iterator[list[float | None]]:
    """The numbers of the rows of every table of the cohort page, in order; None where there is no number."""
    for visit in cohort["visits"]:
        counts = [visit[name] for name in ("scanned", "measured", "lesions")]
        if visit["scanned"]:
            yield [*counts, cohort["subjects"]["analysed"] - visit["scanned"]]
    for change in (*(size["change"] for size in cohort["sizes"]), cohort["missing_unchanged"]):
        if change is not None:
            yield [*_change(change, both=True), *_tests(change)]
    for name in ("evaluable", "missing_fail", "missing_respond", "least", "most"):
        rate = cohort["responders"][name]
        yield [*_rate(rate), rate["p_two_sided"], rate["p_greater"]]
    for rule in cohort["by_rules"]:
        yield [*_rate(rule["rate"]), rule["certain"], rule["uncertain_others"]]
    for one in cohort["size_limits"]:
        sure = one["certainty"]
        names = ("certain_responders", "uncertain_responders", "uncertain_others", "certain_others")
        expected = [one["expected"][name] for name in ("mean", "low", "high")]
        yield [*_rate(one["rate"]), one["rate"]["p_two_sided"], *(sure[name] for name in names), *expected]
    for error in (size["error"] for size in cohort["sizes"]):
        share = error["share"]
        spread = [error["observed_sd"], error["error_sd"], None if share is None else 100 * share]
        yield [error["exceed"], error["count"], *spread]
    for group in cohort["subgroups"]:
        yield [group["subjects"], *_change(group["change"], both=False), *_rate(group["rate"])]


def _tells(page: str, cohort: dict[str, Any]) -> bool:
    """Whether the tables of the cohort page have these rows, one after another, to the last digit."""
    rows = [row for row in _Text(page).rows[1:] if row]
    for wanted in _table_rows(cohort):
        numbers = [value for value in wanted if value is not None]
        while rows:
            row = rows.pop(0)
            starts = range(len(row) - len(numbers) + 1)
            if any(all(map(_told_as, row[start:], numbers)) for start in starts):
                break
        else:
            return False
    return True


def _told_as(printed: str, value: float) -> bool:
    """As `_says`; a small p value is told by what it is less than."""
    return _says(printed, value) or (printed == "0.001" and 0 <= value < float(printed))


def test_every_row_of_the_cohort_page_and_that_one_changed_digit_is_caught(out: Path) -> None:
    page = (out / "cohort" / "cohort.html").read_text(encoding="utf-8")
    cohort = json.loads((out / "cohort" / "cohort.json").read_text(encoding="utf-8"))
    assert _tells(page, cohort)
    cells = list(re.finditer(r'<td class="n">(.*?)</td>', page))
    numbers = [
        (cell.start(1) + found.start(), found[0]) for cell in cells for found in re.finditer(r"\d+\.?\d*", cell[1])
    ]
    assert len(numbers) > 200
    for at, number in numbers:
        last = at + len(number) - 1
        changed = page[:last] + str((int(page[last]) + 1) % 10) + page[last + 1 :]
        assert not _tells(changed, cohort), page[at - 60 : at + 20]
