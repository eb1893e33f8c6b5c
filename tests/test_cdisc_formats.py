"""Transport files against two other readers and another writer, Dataset-JSON against its specification."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdisc_cohort import REFERENCES, STUDY, write_cohort
from lesion_measure.cdisc import Dataset, Encoding, ExportRequest, Variable, VariableType, export, transport_file
from lesion_measure.cdisc.dataset import Row, Rows
from lesion_measure.cdisc.words import pieces
from lesion_measure.cdisc.xpt import ibm_double, sas_day
from lesion_measure.errors import OutputError

CREATED = datetime(2024, 5, 1, 9, 30, 7, tzinfo=UTC)
_DATE_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)?$"
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_COLUMN: dict[str, Any] = {
    "type": "object",
    "required": ["itemOID", "name", "label", "dataType"],
    "additionalProperties": False,
    "properties": {
        "itemOID": _TEXT,
        "name": _TEXT,
        "label": {"type": "string"},
        "dataType": {
            "enum": ["string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI"]
        },
        "targetDataType": {"enum": ["integer", "decimal"]},
        "length": {"type": "integer", "minimum": 1},
        "displayFormat": {"type": "string"},
        "keySequence": {"type": "integer", "minimum": 1},
    },
}
# The tables of the CDISC Dataset-JSON v1.1 specification (2024-12-05) as a JSON schema.
DATASET_JSON: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": [
        "datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID", "records", "name", "label", "columns",
    ],
    "additionalProperties": False,
    "properties": {
        "datasetJSONCreationDateTime": {"type": "string", "pattern": _DATE_TIME},
        "datasetJSONVersion": {"type": "string", "pattern": r"^1\.1(\.(0|([1-9][0-9]*)))?$"},
        "fileOID": _TEXT,
        "dbLastModifiedDateTime": {"type": "string", "pattern": _DATE_TIME},
        "originator": {"type": "string"},
        "sourceSystem": {
            "type": "object",
            "required": ["name", "version"],
            "additionalProperties": False,
            "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
        },
        "studyOID": _TEXT,
        "metaDataVersionOID": _TEXT,
        "metaDataRef": {"type": "string"},
        "itemGroupOID": _TEXT,
        "records": {"type": "integer", "minimum": 0},
        "name": _TEXT,
        "label": {"type": "string"},
        "columns": {"type": "array", "items": _COLUMN},
        "rows": {
            "type": "array",
            "items": {"type": "array", "items": {"type": ["string", "integer", "number", "boolean", "null"]}},
        },
    },
}  # fmt: skip
JSON_TYPES = {"string": str, "date": str, "integer": int, "double": float}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    write_cohort(made)
    return made / "cdisc"


@pytest.fixture(scope="module")
def datasets(folder: Path) -> tuple[Dataset, ...]:
    table = folder.parent / "subjects.csv"
    table.write_text(REFERENCES, encoding="utf-8")
    return export(ExportRequest(out=folder.parent, study=STUDY, subjects=table)).datasets


def dataset(*rows: Row, variables: tuple[Variable, ...] = (Variable("TEXT", "A text"),), name: str = "ZZ") -> Dataset:
    return Dataset(
        name=name, label="A dataset", standard="none", structure="One record per row", keys=(variables[0].name,),
        variables=variables, rows=Rows((variable.name for variable in variables), rows),
    )  # fmt: skip


def expected(data: Dataset, variable: Variable, *, days: bool) -> list[Any]:
    """A column as a SAS reader gives it: missing text is empty, missing numbers are None, numbers are doubles."""
    column = data.column(variable.name)
    if variable.kind.is_text:
        return ["" if value is None else value for value in column]
    return [
        None if value is None else sas_day(value) if days and isinstance(value, date) else value for value in column
    ]


def plain(column: pd.Series) -> list[Any]:
    """Values of a column that a reader made; pandas reads the transport format's zero as 16**-65."""
    values = [None if isinstance(value, float) and math.isnan(value) else value for value in column.tolist()]
    return [0.0 if value == 16.0**-65 else value for value in values]


def test_two_other_readers_get_the_same_values(folder: Path, datasets: tuple[Dataset, ...]) -> None:
    for data in datasets:
        path = folder / f"{data.name.lower()}.xpt"
        assert path.stat().st_size % 80 == 0
        frame = pd.read_sas(path, format="xport", encoding="ascii")
        other, meta = pyreadstat.read_xport(str(path))
        names = [variable.name for variable in data.variables]
        assert list(frame.columns) == list(other.columns) == names
        assert (meta.table_name, meta.file_label) == (data.name, data.label)
        assert meta.column_labels == [variable.label for variable in data.variables]
        for variable in data.variables:
            assert plain(frame[variable.name]) == expected(data, variable, days=True), (data.name, variable.name)
            assert plain(other[variable.name]) == expected(data, variable, days=False), (data.name, variable.name)


def test_another_writer_gives_the_same_observations(tmp_path: Path, datasets: tuple[Dataset, ...]) -> None:
    """ReadStat's bytes of the observations, and of name, type, length and label of each variable, are ours."""
    data = next(data for data in datasets if data.name == "TR")
    frame = pd.DataFrame({v.name: expected(data, v, days=True) for v in data.variables})
    labels = [variable.label for variable in data.variables]
    pyreadstat.write_xport(
        frame, str(tmp_path / "tr.xpt"), file_format_version=5, table_name="TR", column_labels=labels
    )
    theirs, ours = (tmp_path / "tr.xpt").read_bytes(), transport_file(data, created=CREATED)
    mark = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
    # an empty column is 1 byte wide here, and ReadStat's own width there: compare the columns that hold something
    assert _columns(theirs, mark, data) == _columns(ours, mark, data)


def _columns(file: bytes, mark: bytes, data: Dataset) -> dict[str, Any]:
    """Name -> (type, label, bytes of each row without padding), read by the layout of TS-140."""
    head, body = file.split(mark)
    start = head.index(b"NAMESTR HEADER RECORD") - 20 + 80
    strings = [head[start + 140 * i : start + 140 * (i + 1)] for i in range(len(data.variables))]
    found = {}
    width = sum(int.from_bytes(s[4:6], "big") for s in strings)
    for string in strings:
        kind, length = int.from_bytes(string[:2], "big"), int.from_bytes(string[4:6], "big")
        position, name = int.from_bytes(string[84:88], "big"), string[8:16].decode().strip()
        cells = [body[32 + i * width + position :][:length].rstrip(b" ") for i in range(len(data.rows))]
        found[name] = (kind, string[16:56].rstrip(), cells)
    return found


@pytest.mark.parametrize(
    ("number", "bits"),
    [
        (0.0, "0000000000000000"),
        (1.0, "4110000000000000"),
        (-118.625, "c276a00000000000"),  # the example in the literature on IBM's format
        (0.1, "401999999999999a"),
        (35.5, "4223800000000000"),
    ],
)
def test_ibm_doubles(number: float, bits: str) -> None:
    assert ibm_double(number).hex() == bits


@given(st.floats(min_value=-1e70, max_value=1e70).filter(lambda number: number == 0 or abs(number) > 1e-70))
def test_ibm_doubles_lose_nothing(number: float) -> None:
    """Decoded by the definition: sign, exponent of 16 biased by 64, fraction of 56 bits."""
    word = int.from_bytes(ibm_double(number), "big")
    sign = -1 if word >> 63 else 1
    fraction = word & (2**56 - 1)
    assert sign * math.ldexp(fraction, 4 * ((word >> 56 & 0x7F) - 64) - 56) == number
    assert number == 0 or fraction >> 52  # normalised: the first hexadecimal digit is not 0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(min_value=-1e70, max_value=1e70, allow_subnormal=False), min_size=1, max_size=20))
def test_other_readers_get_every_digit(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    numbers = [number if abs(number) > 1e-70 else 0.0 for number in numbers]
    path = tmp_path_factory.mktemp("xpt") / "zz.xpt"
    data = dataset(*({"X": number} for number in numbers), variables=(Variable("X", "A number", VariableType.FLOAT),))
    path.write_bytes(transport_file(data, created=CREATED))
    assert plain(pd.read_sas(path, format="xport", encoding="ascii")["X"]) == numbers
    assert pyreadstat.read_xport(str(path))[0]["X"].tolist() == numbers


def test_dates_are_days_since_1960_and_missing_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "zz.xpt"
    variables = (Variable("TEXT", "A text"), Variable("ADT", "A date", VariableType.DATE))
    rows: tuple[Row, ...] = (
        {"TEXT": "a", "ADT": date(1960, 1, 1)},
        {"TEXT": "b", "ADT": date(2024, 2, 29)},
        {"TEXT": "c"},
    )
    path.write_bytes(transport_file(dataset(*rows, variables=variables), created=CREATED))
    assert plain(pd.read_sas(path, format="xport", encoding="ascii")["ADT"]) == [0.0, 23435.0, None]
    assert pyreadstat.read_xport(str(path))[0]["ADT"].tolist()[:2] == [date(1960, 1, 1), date(2024, 2, 29)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (dataset({"TEXT": "x" * 201, "USUBJID": "S1"}, variables=(Variable("TEXT", ""), Variable("USUBJID", ""))),
         r"ZZ\.TEXT, subject 'S1'.*201 characters, 200"),
        (dataset({"TEXT": "5 \N{MICRO SIGN}g"}), r"ZZ\.TEXT.*U\+00B5.*not ASCII"),
        (dataset({"TEXTLONG1": "a"}, variables=(Variable("TEXTLONG1", ""),)), "'TEXTLONG1' is no name of at most 8"),
        (dataset({"1ST": "a"}, variables=(Variable("1ST", ""),)), "'1ST' is no name"),
        (dataset(name="TOOLONGNAME"), "'TOOLONGNAME' is no name"),
        (dataset(variables=(Variable("TEXT", "y" * 41),)), r"ZZ\.TEXT: its label has more than 40"),
        (dataset(variables=(Variable("TEXT", "Größe"),)), r"ZZ\.TEXT: its label"),
        (dataset({"X": 1e76}, variables=(Variable("X", "", VariableType.FLOAT),)), r"ZZ\.X.*out of range"),
        (dataset({"X": math.inf}, variables=(Variable("X", "", VariableType.FLOAT),)), r"ZZ\.X.*not finite"),
        (dataset({"X": "one"}, variables=(Variable("X", "", VariableType.INTEGER),)), r"ZZ\.X.*a text in a numeric"),
    ],
)  # fmt: skip
def test_what_the_transport_format_cannot_hold_is_an_error(data: Dataset, message: str) -> None:
    with pytest.raises(OutputError, match=message) as caught:
        transport_file(data, created=CREATED)
    assert caught.value.code == "transport_limit"


def test_letters_beyond_ascii_in_utf8_are_read_by_both_readers(tmp_path: Path) -> None:
    path = tmp_path / "zz.xpt"
    texts = ["病灶 1", "5 \N{MICRO SIGN}g", "Größe", "", "plain", "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 66]
    variables = (Variable("TEXT", "A text"), Variable("X", "A number", VariableType.FLOAT))
    numbers = [1.5, None, 0.1, 4.0, -2.0, 7.0]
    rows = [{"TEXT": words or None, "X": number} for words, number in zip(texts, numbers, strict=True)]
    path.write_bytes(transport_file(dataset(*rows, variables=variables), created=CREATED, encoding=Encoding.UTF8))
    frame = pd.read_sas(path, format="xport", encoding="utf-8")
    other, _ = pyreadstat.read_xport(str(path), encoding="UTF-8")
    for read in (frame, other, pyreadstat.read_xport(str(path))[0]):
        assert plain(read["TEXT"]) == texts
        assert plain(read["X"]) == numbers


def test_a_text_of_more_than_200_bytes_in_utf8_is_an_error() -> None:
    with pytest.raises(OutputError, match="201 bytes, 200"):
        transport_file(dataset({"TEXT": "病" * 67}), created=CREATED, encoding=Encoding.UTF8)


@given(st.text(alphabet=st.sampled_from("ab 病é"), max_size=900))
def test_long_texts_are_cut_at_blanks_and_lose_no_word(words: str) -> None:
    parts = list(pieces(words))
    assert all(0 < len(part.encode()) <= 200 for part in parts)
    assert "".join(parts).replace(" ", "") == "".join(words.split())
    if all(len(word.encode()) <= 200 for word in words.split()):
        assert " ".join(parts).split() == words.split()


def test_the_longest_that_fits_fits(tmp_path: Path) -> None:
    path = tmp_path / "zz.xpt"
    data = dataset({"ABCDEFGH": "x" * 200}, variables=(Variable("ABCDEFGH", "y" * 40),), name="ABCDEFG8")
    path.write_bytes(transport_file(data, created=CREATED))
    frame, meta = pyreadstat.read_xport(str(path))
    assert frame["ABCDEFGH"].tolist() == ["x" * 200]
    assert (meta.column_labels, meta.table_name) == (["y" * 40], "ABCDEFG8")


def test_the_same_data_at_the_same_time_give_the_same_bytes() -> None:
    data = dataset({"TEXT": "a"})
    assert transport_file(data, created=CREATED) == transport_file(data, created=CREATED)
    assert b"01MAY24:09:30:07" in transport_file(data, created=CREATED)


def test_dataset_json_follows_its_specification_and_holds_the_same_values(
    folder: Path, datasets: tuple[Dataset, ...]
) -> None:
    for data in datasets:
        document = json.loads((folder / f"{data.name.lower()}.json").read_text(encoding="utf-8"))
        jsonschema.validate(document, DATASET_JSON)
        assert list(document) == [name for name in DATASET_JSON["properties"] if name in document]  # its order
        assert document["records"] == len(document["rows"]) == len(data.rows)
        assert (document["studyOID"], document["itemGroupOID"]) == (STUDY, f"IG.{data.name}")
        keys = {c["keySequence"]: c["name"] for c in document["columns"] if "keySequence" in c}
        assert tuple(keys[number] for number in sorted(keys)) == data.keys
        for index, column in enumerate(document["columns"]):
            values = [row[index] for row in document["rows"]]
            given_values = [v.isoformat() if isinstance(v, date) else v for v in data.column(column["name"])]
            assert values == given_values
            kind = JSON_TYPES[column["dataType"]]
            assert all(isinstance(v, kind) for v in values if v is not None), column["name"]
            assert all(len(v) <= column["length"] for v in values if v is not None and "length" in column)


def test_dates_of_analysis_datasets_become_numbers(folder: Path, datasets: tuple[Dataset, ...]) -> None:
    assert datasets
    columns = {c["name"]: c for c in json.loads((folder / "adtr.json").read_text())["columns"]}
    assert (columns["ADT"]["dataType"], columns["ADT"]["targetDataType"]) == ("date", "integer")
    assert (
        "targetDataType" not in {c["name"]: c for c in json.loads((folder / "tr.json").read_text())["columns"]}["TRDTC"]
    )


def test_rows_are_kept_by_column_and_have_no_other_values() -> None:
    rows = Rows(("A", "B"), [{"A": "x", "B": 1}, {"B": None}])
    rows.add([{"A": "y"}])
    assert rows.column("A") == ["x", None, "y"]
    assert [*rows] == [{"A": "x", "B": 1}, {"A": None, "B": None}, {"A": "y", "B": None}]
    assert (rows[-1], rows[1:]) == ({"A": "y", "B": None}, [*rows][1:])
    with pytest.raises(ValueError, match="no variable C"):
        rows.add([{"C": 1}])
