"""CDISC Dataset-JSON 1.1: one dataset a file, its metadata first, then its rows.

After the specification of 2024-12-05. Dates of analysis datasets are ISO 8601 text which a reader turns into numbers
(``targetDataType``); a missing value is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from lesion_measure.cdisc.dataset import Dataset, Value, Variable, VariableType

VERSION = "1.1.0"

_TYPES = {
    VariableType.TEXT: "string",
    VariableType.INTEGER: "integer",
    VariableType.FLOAT: "double",
    VariableType.ISO_DATE: "date",
    VariableType.DATE: "date",
}


def dataset_json(dataset: Dataset, *, study: str, created: datetime, version: str, source_sha256: str) -> Iterator[str]:
    """A dataset as a Dataset-JSON document, piece by piece: as one text it would take as much memory again.

    Parameters
    ----------
    dataset
        The records, ready to be written.
    study
        Identifier of the study.
    created
        When the export was made.
    version
        Version of this package.
    source_sha256
        SHA-256 of the results.json that the records are from.
    """
    head = {
        "datasetJSONCreationDateTime": created.isoformat(timespec="seconds"),
        "datasetJSONVersion": VERSION,
        "fileOID": f"{study}.{dataset.name}.{source_sha256[:16]}",
        "originator": "lesion_measure",
        "sourceSystem": {"name": "lesion_measure", "version": version},
        "studyOID": study,
        "metaDataVersionOID": f"MDV.{study}.{dataset.standard.split(',')[0].replace(' ', '.')}",
        "itemGroupOID": f"IG.{dataset.name}",
        "records": len(dataset.rows),
        "name": dataset.name,
        "label": dataset.label,
        "columns": [_column(dataset, variable) for variable in dataset.variables],
    }
    yield f'{_json(head)[:-1]}, "rows": ['
    for number, row in enumerate(dataset.rows):
        yield (", " if number else "") + _json([_value(row.get(variable.name)) for variable in dataset.variables])
    yield "]}"


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _column(dataset: Dataset, variable: Variable) -> dict[str, Any]:
    column: dict[str, Any] = {
        "itemOID": f"IT.{dataset.name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "dataType": _TYPES[variable.kind],
    }
    if variable.kind is VariableType.DATE:
        column |= {"targetDataType": "integer", "displayFormat": "DATE9."}
    if variable.kind is VariableType.TEXT:
        column["length"] = dataset.length(variable)
    if variable.name in dataset.keys:
        column["keySequence"] = dataset.keys.index(variable.name) + 1
    return column


def _value(value: Value) -> str | int | float | None:
    return value.isoformat() if isinstance(value, date) else value
