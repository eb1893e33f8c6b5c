"""Tables and JSON of a run: complete, documented, safe to open in a spreadsheet, and the same every time."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from csv_files import csv_rows
from lesion_measure.config import Config
from lesion_measure.errors import InputError, OutputError
from lesion_measure.records import Change, Refusal, RunResult
from lesion_measure.report.overview import list_refusals
from lesion_measure.report.results import as_results, without_folders
from lesion_measure.report.tables import (
    CALIPER_COLUMNS,
    CHANGE_COLUMNS,
    MEASUREMENT_COLUMNS,
    REFUSAL_COLUMNS,
    safe_cell,
)
from lesion_measure.report.words import amount, fixed
from lesion_measure.results import document as document_of
from lesion_measure.results import read_results, results_schema
from report_cohort import make_cohort, quantity
from written_runs import run_document, write_results, write_run

CONFIG = Config()


@pytest.fixture(scope="module")
def result() -> RunResult:
    return make_cohort()[0]


@pytest.fixture(scope="module")
def out(result: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    write_results(result, folder, CONFIG)
    write_run(result, folder, CONFIG)
    return folder


def test_measurements_hold_every_lesion_plane_and_alternative(result: RunResult, out: Path) -> None:
    table = csv_rows(out / "measurements.csv")
    lesions = [m for s in result.subjects for m in s.lesions]
    expected = Counter(
        lesion=len(lesions),
        plane=sum(len(m.planes) for m in lesions),
        alternative=sum(len(m.alternatives) for m in lesions),
    )
    assert Counter(row["level"] for row in table) == expected
    by_place = iter(row for row in table if row["level"] == "plane")
    for plane in (p for m in lesions for p in m.planes):
        row = next(by_place)
        assert float(row["long_axis_mm"]) == pytest.approx(plane.long_axis_mm.value, abs=1e-6)
        factor = math.exp(1.959964 * plane.long_axis_mm.sd / plane.long_axis_mm.value)
        assert float(row["long_axis_ci95_low_mm"]) == pytest.approx(plane.long_axis_mm.value / factor, abs=1e-4)
        assert float(row["long_axis_ci95_high_mm"]) == pytest.approx(plane.long_axis_mm.value * factor, abs=1e-4)
        assert (row["path"], row["frame"], row["sop_instance_uid"]) == (plane.path, "1", plane.sop_instance_uid)


def test_a_long_axis_can_be_measured_again_from_the_table(out: Path) -> None:
    for row in (row for row in csv_rows(out / "measurements.csv") if row["level"] == "plane"):
        ends = [[float(row[f"long_axis_{end}_{way}_px"]) for way in ("row", "column")] for end in ("start", "end")]
        spacing = [float(row["spacing_row_mm"]), float(row["spacing_column_mm"])]
        length = math.dist(*(np.multiply(end, spacing).tolist() for end in ends))
        assert length == pytest.approx(float(row["long_axis_mm"]), abs=1e-4)


def test_an_absent_lesion_is_a_zero_without_interval(out: Path) -> None:
    row = next(row for row in csv_rows(out / "measurements.csv") if row["present"] == "false")
    assert (row["subject"], row["reader"], row["long_axis_mm"]) == ("S04", "R2", "0.0")
    assert row["long_axis_sd_mm"] == row["long_axis_ci95_low_mm"] == row["long_axis_ci95_high_mm"] == ""
    change = next(r for r in csv_rows(out / "changes.csv") if r["subject"] == "S04" and not r["lesion"])
    assert (change["percent"], change["percent_ci95_low"], change["exceeds_error"]) == ("-100.0", "", "true")


def test_changes_hold_every_change_and_the_verdict_once(result: RunResult, out: Path) -> None:
    table = csv_rows(out / "changes.csv")
    assert len(table) == sum(len(s.changes) for s in result.subjects)
    verdicts = {row["subject"]: row["response"] for row in table if row["response"]}
    assert verdicts == {s.subject: s.response.category for s in result.subjects if s.response}
    assert len([row for row in table if row["response"]]) == len(verdicts)
    for row in table:
        before, after = float(row["baseline"]), float(row["followup"])
        assert float(row["percent"]) == pytest.approx(100 * (after - before) / before, abs=1e-3)
        assert row["days"] == "30"
        assert (row["primary"] == "true") == (row["metric"] == CONFIG.comparison.primary_metric)


def test_every_refusal_is_listed_once_with_its_kind(result: RunResult, out: Path) -> None:
    table = csv_rows(out / "refusals.csv")
    wanted = {*result.refusals, *(r for s in result.subjects for r in s.review)}
    assert len(table) == len(wanted) == len(list_refusals(result.subjects, result.refusals))
    assert Counter(row["kind"] for row in table) == {"needs review": 3, "refused": 1, "skipped": 4}
    assert {row["reason"] for row in table} == {r.reason for r in wanted}


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-L1", "'-L1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("two\nlines\x00", "two lines "),
        ("L1", "L1"),
        (-3.5, "-3.5"),
        (np.float64(0.25), "0.25"),
        (math.nan, ""),
        (-math.inf, ""),
        (True, "true"),
        (None, ""),
    ],
)
def test_cells_are_safe(value: str | float | bool | None, cell: str) -> None:
    assert safe_cell(value) == cell


@pytest.mark.parametrize("value", [3.4217e-7, -3.4217e-7, 2e-300, 0.0004236])
def test_what_is_not_0_is_not_written_as_0(value: float) -> None:
    """A p value, a small volume, the end of an interval: six significant digits at least."""
    assert float(safe_cell(value)) == pytest.approx(value, rel=1e-5)
    assert float(fixed(value, 1).replace("\N{MINUS SIGN}", "-")) != 0 or abs(value) < 1e-9


def test_a_small_volume_keeps_its_digits_on_the_page() -> None:
    """A lesion of 2 mm has 4 microlitres."""
    assert amount(quantity(0.00419, 0.15), "mL") == "0.0042 ± 0.0006 mL"


def test_formula_in_a_file_name_does_not_reach_the_table(result: RunResult, tmp_path: Path) -> None:
    evil = Refusal(code="not_dicom", reason="no DICOM", path='=HYPERLINK("http://x")')
    write_results(replace(result, refusals=(evil,)), tmp_path, CONFIG)
    listed = [row["path"] for row in csv_rows(tmp_path / "refusals.csv") if row["code"] == "not_dicom"]
    assert listed == [f"'{evil.path}"]


def test_results_follow_the_schema(out: Path) -> None:
    schema = results_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(document)) == []
    assert document["schema_version"] == schema["properties"]["schema_version"]["const"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), "1.3"),
        (("surprise",), 1),
        (("subjects", 0, "lesions", 0, "visit"), "month 1"),
        (("subjects", 0, "lesions", 0, "longest_diameter_mm"), 41.5),
        (("subjects", 0, "lesions", 0, "planes", 0, "spacing_mm"), [0.0, 0.2]),
        (("subjects", 0, "changes", 0, "unit"), "cm"),
        (("refusals", 0, "kind"), "ignored"),
    ],
)
def test_schema_refuses_what_is_wrong(result: RunResult, path: tuple[str | int, ...], value: object) -> None:
    document: Any = document_of(as_results(result, CONFIG))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not jsonschema.Draft202012Validator(results_schema()).is_valid(document)


def test_schema_describes_every_property() -> None:
    def properties(node: object) -> Iterator[tuple[str, Any]]:
        if isinstance(node, dict):
            for name, inner in node.get("properties", {}).items():
                yield name, inner
            for inner in node.values():
                yield from properties(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from properties(inner)

    bare = [name for name, inner in properties(results_schema()) if "description" not in inner and "$ref" not in inner]
    assert bare == []


def test_what_is_read_is_what_was_written(result: RunResult, out: Path) -> None:
    """But for digits that a file does not keep, and for what it does not hold."""
    written, read = document_of(as_results(result, CONFIG)), document_of(read_results(out))
    assert _close(read, written)


def _close(first: Any, second: Any) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_close(first[name], second[name]) for name in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_close, first, second))
    if isinstance(first, float):
        return isinstance(second, int | float) and math.isclose(first, second, rel_tol=1e-5, abs_tol=2e-6)
    return bool(first == second)


@pytest.mark.parametrize("record", ["subjects.0", "subjects.0.lesions.0", "subjects.0.changes.0", "refusals.0", ""])
def test_a_file_that_lacks_a_property_is_refused(result: RunResult, tmp_path: Path, record: str) -> None:
    """None is taken to be what Python code may leave out, such as that nothing holds a verdict back."""
    whole = document_of(as_results(result, CONFIG))
    for name in _at(whole, record).keys() - {"way", "naming"}:  # which follow from the others
        damaged = json.loads(json.dumps(whole))
        del _at(damaged, record)[name]
        (tmp_path / "results.json").write_text(json.dumps(damaged))
        with pytest.raises(InputError, match=f"{name}.*[Ff]ield required"):
            read_results(tmp_path)


def _at(document: Any, path: str) -> dict[str, Any]:
    for step in filter(None, path.split(".")):
        document = document[int(step) if step.isdigit() else step]
    return document  # type: ignore[no-any-return]


def test_a_file_cannot_say_what_only_pictures_know(result: RunResult, tmp_path: Path) -> None:
    document = document_of(as_results(result, CONFIG))
    document["refusals"][0]["sight"] = {"frame": 1}
    document["sha256"] = "0" * 64
    text = json.dumps(document)
    (tmp_path / "results.json").write_text(text)
    read = read_results(tmp_path)
    assert read.refusals[0].sight is None
    assert read.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_prompted_outline_is_marked_in_every_file(result: RunResult, tmp_path: Path) -> None:
    from test_report import with_outlines

    marked = with_outlines(result, drawn=False)
    write_results(marked, tmp_path, CONFIG)
    lesion, plane, *_ = (r for r in csv_rows(tmp_path / "measurements.csv") if r["subject"] == "S06")
    assert (lesion["way"], lesion["source"]) == ("prompted by calipers", "caliper")
    assert lesion["short_axis_source"] == "model prompted by caliper"
    assert lesion["volume_sources"] == "caliper; model prompted by caliper"
    assert (plane["way"], plane["reader"], plane["outline_model"]) == (
        "prompted by calipers",
        lesion["reader"],
        "us-liver",
    )
    assert plane["outline_source"] == plane["short_axis_source"] == "model prompted by caliper"
    assert float(plane["outline_long_axis_mm"]) == pytest.approx(1.05 * float(plane["long_axis_mm"]))
    assert (plane["outline_width_mm"], plane["area_mm2"], plane["confidence"]) == ("19.5", "437.0", "0.88")
    document = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(results_schema()).validate(document)
    first = next(s for s in document["subjects"] if s["subject"] == "S06")["lesions"][0]
    assert (first["way"], first["volume_sources"]) == ("prompted by calipers", ["caliper", "model prompted by caliper"])
    assert first["planes"][0]["prompted"]["width_mm"]["value"] == 19.5
    assert first["planes"][0]["outline_source"] == "model prompted by caliper"
    assert run_document(marked, CONFIG)["lesions_by_way"]["prompted by calipers"] == 1


def test_nothing_that_is_no_number_is_written(result: RunResult, tmp_path: Path) -> None:
    def spoil(change: Change) -> Change:
        return replace(change, percent=math.inf, percent_ci95=(-math.inf, math.nan), baseline=quantity(math.nan))

    subjects = tuple(replace(s, changes=tuple(map(spoil, s.changes))) for s in result.subjects)
    spoilt = replace(result, subjects=subjects)
    write_results(spoilt, tmp_path, CONFIG)
    for path in tmp_path.iterdir():
        words = path.read_text(encoding="utf-8").replace('"', ",").replace("\n", ",").replace(" ", ",").split(",")
        assert not {"nan", "inf", "-inf", "NaN", "Infinity", "-Infinity"} & set(words), path.name
    assert jsonschema.Draft202012Validator(results_schema()).is_valid(
        json.loads((tmp_path / "results.json").read_text())
    )


def test_run_says_what_made_it_and_nothing_of_the_machine(result: RunResult, out: Path) -> None:
    text = (out / "run.json").read_text(encoding="utf-8")
    run = json.loads(text)
    assert run["config_sha256"] == CONFIG.sha256()
    assert Config.model_validate(run["config"]).sha256() == CONFIG.sha256()
    assert run["inputs_sha256"] == result.provenance.inputs
    assert run["counts"]["measured"] == 6
    assert run["command"] == "lesion-measure run study -o out --calipers=c.csv"
    for name in ("results.json", "run.json", "measurements.csv", "refusals.csv"):
        content = (out / name).read_text(encoding="utf-8")
        assert "/home" not in content
        assert "/somewhere" not in content


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (r"run 'C:\data\study 1' -o 'D:\out'", "run 'study 1' -o out"),
        ("run relative/folder --model=/a/b", "run relative/folder --model=b"),
        ("run it's broken", "run 'it'\"'\"'s' broken"),
    ],
)
def test_command_loses_its_folders(command: str, expected: str) -> None:
    assert without_folders(command) == expected


def test_results_are_the_same_bytes_each_time(result: RunResult, out: Path, tmp_path: Path) -> None:
    later = replace(result, provenance=replace(result.provenance, started="2030-01-01", seconds={"ingest": 9.0}))
    write_results(later, tmp_path, CONFIG)
    assert (tmp_path / "results.json").read_bytes() == (out / "results.json").read_bytes()
    assert run_document(later, CONFIG) != run_document(result, CONFIG)


def test_a_folder_that_is_not_there_is_an_output_error(result: RunResult, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_results(result, tmp_path / "missing", CONFIG)


def test_columns_and_properties_are_documented(project_dir: Path) -> None:
    text = (project_dir / "docs" / "results.md").read_text(encoding="utf-8")
    names = {*MEASUREMENT_COLUMNS, *CHANGE_COLUMNS, *REFUSAL_COLUMNS, *CALIPER_COLUMNS, *results_schema()["properties"]}
    settings = {
        "NamedRule",
        "Targets",
        "Protocol",
        "Entry",
        "PlannedVisit",
        "Descriptions",
    }  # described in the configuration
    for name, record in results_schema()["$defs"].items():
        names |= {*record.get("properties", ())} if name not in settings else set()
    names |= {*run_document(make_cohort()[0], CONFIG)}
    assert sorted(name for name in names if f"`{name}`" not in text) == []
