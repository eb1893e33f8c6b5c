"""The door for Python: the same run as the command line, the same tables, the same errors, nothing left behind."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import lesion_measure
from csv_files import csv_rows
from lesion_measure import Config, LesionMeasureError, Result
from lesion_measure.config import significant
from lesion_measure.job.request import RunRequest

TABLES = ("measurements", "lesions", "changes", "refusals")


@pytest.fixture(scope="module")
def samples(project_dir: Path) -> Path:
    return project_dir / "sample_dicoms"


@pytest.fixture(scope="module")
def written(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The samples by their calipers, with the results kept."""
    out = tmp_path_factory.mktemp("api") / "results"
    return lesion_measure.run(samples, out=out, calipers=samples / "calipers.csv")


def _as_written(value: object) -> str:
    if value is None or value != value:  # NaN is what pandas makes of nothing
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_holds_what_its_file_holds(written: Result, name: str) -> None:
    assert written.out is not None
    frame = getattr(written, name)()
    cells = csv_rows(written.out / f"{name}.csv")
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == len(cells) > 0
    assert list(frame.columns) == list(cells[0])
    for row, cell in zip(frame.astype(object).to_dict("records"), cells, strict=True):
        for column, text in cell.items():
            if isinstance(row[column], float) and text:
                assert float(text) == row[column], column
            else:
                assert _as_written(row[column]) == text, column


@pytest.mark.parametrize("name", TABLES)
def test_without_pandas_a_table_is_a_list_of_records(
    written: Result, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = getattr(written, name)()
    monkeypatch.setitem(sys.modules, "pandas", None)
    rows = getattr(written, name)()
    assert isinstance(rows, list)
    assert [list(row) for row in rows] == [list(frame.columns)] * len(frame)
    numbers = [value for row in rows for value in row.values() if isinstance(value, float)]
    assert all(value == significant(value) for value in numbers)


def test_a_run_iterates_its_children_their_lesions_and_changes(written: Result) -> None:
    assert [child.subject for child in written] == [f"SIM-0{number}" for number in range(1, 7)]
    assert len(written) == 6
    for child in written:
        assert {lesion.visit for lesion in child.lesions} <= set(child.visits)
    lengths = {
        (child.subject, str(lesion.visit), lesion.lesion): significant(lesion.longest_diameter_mm.value)
        for child in written
        for lesion in child.lesions
        if lesion.longest_diameter_mm
    }
    table = written.measurements()
    lesions = table[(table.level == "lesion") & table.long_axis_mm.notna()]
    assert lengths == {(r.subject, r.visit, r.lesion): r.long_axis_mm for r in lesions.itertuples()}
    assert len(written.changes()) == sum(len(child.changes) for child in written)


def test_with_a_folder_the_report_is_written_as_by_the_command(written: Result) -> None:
    assert written.out is not None
    names = {path.name for path in written.out.iterdir()}
    assert {"report.html", "results.json", "run.json", *(f"{name}.csv" for name in TABLES)} <= names
    assert written.record.provenance.command.startswith("lesion-measure run sample_dicoms -o results --calipers")


def test_without_a_folder_nothing_is_left_on_disk(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    told: list[tuple[str, int, int]] = []
    result = lesion_measure.run(
        str(samples / "SIM-01"), calipers=str(samples / "calipers.csv"), progress=lambda *step: told.append(step)
    )
    assert result.out is None
    assert result.children[0].changes
    assert told[-1] == ("measuring", 4, 4)
    assert not list(tmp_path.iterdir())


def test_settings_are_an_object_a_file_or_a_name(samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("comparison:\n  primary_metric: volume\n", encoding="utf-8")
    by_volume = Config.model_validate({"comparison": {"primary_metric": "volume"}})
    one = samples / "SIM-01"
    calipers = samples / "calipers.csv"
    runs = [lesion_measure.run(one, calipers=calipers, config=given) for given in (by_volume, file, str(file))]
    assert {run.config.sha256() for run in runs} == {by_volume.sha256()}
    assert all(run.changes().query("primary").metric.eq("volume").all() for run in runs)
    named = lesion_measure.run(one, calipers=calipers, config="nct04406870")
    assert named.config != Config()


@pytest.mark.parametrize("given", ["calipers", "config", "model", "manifest", "subjects", "labs"])
def test_what_is_not_there_is_an_error_of_the_package_that_names_it(
    samples: Path, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(LesionMeasureError, match="nowhere"):
        lesion_measure.run(samples / "SIM-01", **{given: "nowhere"})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", ["path", "calipers", "config", "model", "manifest", "subjects", "labs", "out"])
def test_an_empty_path_is_not_the_current_folder(samples: Path, given: str) -> None:
    with pytest.raises(LesionMeasureError, match="A path is empty"):
        lesion_measure.run(**({"path": samples / "SIM-01"} | {given: ""}))  # type: ignore[arg-type]


def test_a_finished_run_is_replaced_only_where_that_is_asked_for(written: Result, samples: Path) -> None:
    with pytest.raises(LesionMeasureError, match="finished run"):
        lesion_measure.run(samples / "SIM-01", out=written.out, calipers=samples / "calipers.csv")


@pytest.mark.parametrize(
    "wrong",
    [
        {"jobs": 0}, {"jobs": -1}, {"jobs": 1.5}, {"jobs": True}, {"threads": 0}, {"overwrite": "no"}, {"fresh": 1},
        {"no_paths": "no"}, {"dicom": True}, {"dicom": np.True_}, {"calipers": ""}, {"out": ""}, {"jobs": np.True_},
        {"jobs": np.int64(0)}, {"jobs": np.float64(2)}, {"jobs": np.array([2, 3])}, {"threads": "2"}, {"device": ""},
        {"device": 0}, {"device": None}, {"device": "cuda:x"}, {"device": "gpu"}, {"progress": "yes"},
        {"backend": "nonsense"}, {"backend": ""}, {"scheduler": ""}, {"scheduler": 8786}, {"calipers": 3},
        {"config": b"x"}, {"overwrite": None},
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anything_is_read(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(LesionMeasureError) as caught:
        lesion_measure.run(tmp_path / "nothing", **wrong)  # type: ignore[arg-type]
    assert "nothing" not in str(caught.value)


def test_numbers_and_truth_values_of_numpy_are_what_they_say(samples: Path, tmp_path: Path) -> None:
    """The second run replaces the first: without ``overwrite`` it is refused."""
    given: dict[str, Any] = {
        "calipers": samples / "calipers.csv",
        "out": tmp_path / "out",
        "jobs": np.int64(1),
        "threads": np.uint8(1),
    }
    first = lesion_measure.run(samples / "SIM-01", **given)
    second = lesion_measure.run(samples / "SIM-01", **given, overwrite=np.True_, dicom=np.False_)  # type: ignore[arg-type]
    assert second.changes().equals(first.changes())
    request = RunRequest(input=samples, out=tmp_path, jobs=np.int64(2))  # type: ignore[arg-type]
    assert type(request.jobs) is int


@pytest.mark.parametrize("path", [None, 3, b"x", ["a"]], ids=repr)
@pytest.mark.parametrize("call", [lesion_measure.run, lesion_measure.load_studies])
def test_what_is_no_path_is_an_error_of_the_package(call: Callable[[object], object], path: object) -> None:
    with pytest.raises(LesionMeasureError, match=f"A path is of the type {type(path).__name__}"):
        call(path)


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"threads": -1}, {"jobs": 2.0}], ids=str)
def test_outlines_are_not_drawn_by_no_process(wrong: dict[str, Any]) -> None:
    with pytest.raises(LesionMeasureError, match="Give a whole number of 1 or more"):
        lesion_measure.outlines([], **wrong)


@pytest.mark.parametrize("wrong", [{"device": "cuda:x"}, {"device": 0}, {"device": ""}, {"backend": "onnx"}], ids=str)
def test_outlines_are_drawn_on_a_device_that_may_be_there(wrong: dict[str, Any]) -> None:
    """Before any picture is looked at: here there is none."""
    with pytest.raises(LesionMeasureError, match=r"device|backend"):
        lesion_measure.outlines([], **wrong)


def test_an_empty_path_holds_no_studies(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(samples)
    with pytest.raises(LesionMeasureError, match="A path is empty"):
        lesion_measure.load_studies("")
