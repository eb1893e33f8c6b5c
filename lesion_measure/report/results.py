"""results.json and run.json: everything a run found, and everything that made it, for machines.

results.json follows ``results_schema.json`` beside this file. It depends on input, configuration and model alone, so
the same run gives the same bytes; what differs from run to run (times, command) stands in run.json.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from importlib.resources import files
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from lesion_measure.config import Config, significant
from lesion_measure.files.writing import write_json
from lesion_measure.records import (
    Body,
    Instance,
    LesionMeasurement,
    PlaneMeasurement,
    Provenance,
    Quantity,
    Refusal,
    RunResult,
    SubjectResult,
)
from lesion_measure.report.overview import count, included, list_refusals, response_counts
from lesion_measure.report.ways import way_counts
from lesion_measure.report.words import finite, has_interval

SCHEMA_VERSION = "2.0"
PIXEL_DIGITS = 3

Json = dict[str, Any] | list[Any] | str | int | float | bool | None

_IMAGE_FIELDS = (
    "path", "sop_instance_uid", "sop_class_uid", "study_instance_uid", "series_instance_uid", "subject", "study_date",
    "time_point", "modality", "rows", "columns", "frames", "transfer_syntax_uid", "photometric", "manufacturer",
    "warnings",
)  # fmt: skip


def results_schema() -> dict[str, Any]:
    """The JSON schema of results.json (draft 2020-12), as shipped with this package."""
    text = files("lesion_measure.report").joinpath("results_schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def write_results(result: RunResult, out: Path, config: Config) -> None:
    """Write results.json into ``out``."""
    write_json(out / "results.json", results_document(result, config))


def write_run(result: RunResult, out: Path, config: Config) -> None:
    """Write run.json into ``out``; as the last file of a run it also says that the others are complete."""
    write_json(out / "run.json", run_document(result, config))


def results_document(result: RunResult, config: Config) -> dict[str, Json]:
    """All results as plain values; the names are those of `records`, units are in the names."""
    comparison = config.comparison
    return {
        "schema": "lesion_measure results",
        "schema_version": SCHEMA_VERSION,
        "package_version": result.provenance.package_version,
        "config_sha256": result.provenance.config_sha256,
        "model": result.provenance.model,
        "model_sha256": result.provenance.model_sha256,
        "primary_metric": comparison.primary_metric.value,
        "rule": {"name": comparison.rule, **comparison.applied_rule.model_dump(mode="json")},
        "secondary_rules": [
            {"name": name, **other.model_dump(mode="json")} for name, other in comparison.other_rules.items()
        ],
        "protocol": config.protocol.model_dump(mode="json"),
        "enrolled": None if result.enrolled is None else [_fields(row) for row in result.enrolled],
        "subjects": [_subject(subject) for subject in result.subjects],
        "refusals": [{"kind": i.kind.value, **refusal_document(i.refusal)} for i in list_refusals(result)],
        "images": [_image(image) for image in result.instances],
    }


def refusal_document(refusal: Refusal) -> dict[str, Json]:
    """What a refusal says and what it concerns; not its sight, which is for the picture in the page."""
    return _fields(refusal)


def run_document(result: RunResult, config: Config) -> dict[str, Json]:
    """What made the run, and its counts. Folders of the machine are left out of the command."""
    made: Provenance = result.provenance
    return {
        "schema": "lesion_measure run",
        "schema_version": SCHEMA_VERSION,
        "package_version": made.package_version,
        "versions": _plain(made.versions),
        "started": made.started,
        "seconds": _plain(made.seconds),
        "command": without_folders(made.command),
        "config_sha256": made.config_sha256,
        "config": config.model_dump(mode="json"),
        "model": made.model,
        "model_sha256": made.model_sha256,
        "model_settings_sha256": made.model_settings_sha256,
        "inputs_sha256": _plain(made.inputs),
        "outlines": _plain(made.outlines),
        "counts": _plain(count(result, config.comparison.primary_metric)),
        "lesions_by_way": _plain(way_counts(included(result))),
        "responses": {name: number for name, number, _ in response_counts(result)},
    }


def without_folders(command: str) -> str:
    """The command line with absolute paths cut down to their last name: a result tells nothing about the machine."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return shlex.join(_last_name(word) for word in words)


def _last_name(word: str) -> str:
    option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
    for flavour in (PurePosixPath(value), PureWindowsPath(value)):
        if flavour.is_absolute():
            return f"{option}{equals}{flavour.name or '.'}"
    return word


def _subject(subject: SubjectResult) -> dict[str, Json]:
    plain = {
        name: value for name, value in _fields(subject).items() if name != "schedule" and not name.startswith("visit_")
    }
    visits = {visit: _visit(subject, visit) for visit in subject.visits}
    return {"visits": visits, "primary_visit": subject.schedule.primary, **plain}


def _visit(subject: SubjectResult, visit: str) -> dict[str, Json]:
    return {
        "label": subject.schedule.label(visit),
        "scheduled": subject.schedule.scheduled(visit),
        "day": subject.day(visit),
        "epoch": subject.schedule.epoch(visit),
        "date": _plain(subject.visit_dates.get(visit)),
        "source": subject.visit_sources.get(visit),
    }


def _image(image: Instance) -> dict[str, Json]:
    # the place of the file on disk stays out: `path` is relative to the input folder
    return {name: _plain(getattr(image, name)) for name in _IMAGE_FIELDS}


def _quantity(quantity: Quantity) -> dict[str, Json]:
    spread = has_interval(quantity)
    return {
        "value": _plain(quantity.value),
        "sd": _plain(quantity.sd) if spread else None,
        "ci95": _plain(quantity.ci95) if spread else None,
        "parts": _plain(quantity.parts),
    }


def _plane(plane: PlaneMeasurement) -> dict[str, Json]:
    known = _fields(plane)
    del known["short_axis_prompted"]  # short_axis_source says it
    sources = {"short_axis_source": plane.short_axis_source, "outline_source": plane.outline_source}
    return known | {"way": plane.way.value} | {name: _plain(source) for name, source in sources.items()}


def _fields(record: Any) -> dict[str, Json]:
    # a refusal's sight is what its picture in the page shows, and none of its data
    return {f.name: _plain(getattr(record, f.name)) for f in fields(record) if f.name != "sight"}


def _plain(value: object) -> Json:
    """A record as JSON values; NaN and infinity become null, pixel coordinates keep a thousandth of a pixel."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | np.floating):
        number = finite(float(value))
        return None if number is None else significant(number)
    if isinstance(value, np.ndarray):
        return _plain(np.round(value.astype(float), PIXEL_DIGITS).tolist())
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Quantity):
        return _quantity(value)
    if isinstance(value, Mapping):
        return {str(_plain(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, PlaneMeasurement):
        return _plane(value)
    if isinstance(value, Body):
        return {name: known for name, known in _fields(value).items() if name != "outlines_px"}
    if isinstance(value, LesionMeasurement):
        return _fields(value) | {"way": value.way.value, "naming": _plain(value.naming)}
    if is_dataclass(value):
        return _fields(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
