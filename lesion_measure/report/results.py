"""results.json and run.json: everything a run found, and everything that made it, for machines.

results.json depends on input, configuration and model alone, so the same run gives the same bytes; what differs from
run to run (times, command) stands in run.json.
"""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from lesion_measure.config import Config
from lesion_measure.files.writing import write_json
from lesion_measure.records import RunResult
from lesion_measure.report.overview import count, list_refusals, overview_of, response_counts, way_counts
from lesion_measure.results import FILE, FINISHED, SCHEMA_VERSION, NamedRule, Results, document, plain


def write_run(result: RunResult, out: Path, config: Config) -> None:
    """Write run.json into ``out``; as the last file of a run it also says that the others are complete."""
    write_json(out / FINISHED, run_document(result, config))


def write_results(result: RunResult, out: Path, config: Config) -> None:
    """Write results.json into ``out``."""
    write_json(out / FILE, document(as_results(result, config)))


def as_results(result: RunResult, config: Config) -> Results:
    """A run as results.json holds it."""
    made, comparison = result.provenance, config.comparison
    rules = {comparison.rule: comparison.applied_rule, **comparison.other_rules}
    rule, *others = (NamedRule(name=name, **dict(rule)) for name, rule in rules.items())
    return Results(
        package_version=made.package_version,
        config_sha256=made.config_sha256,
        model=made.model,
        model_sha256=made.model_sha256,
        primary_metric=comparison.primary_metric,
        rule=rule,
        secondary_rules=tuple(others),
        protocol=config.protocol,
        enrolled=result.enrolled,
        subjects=result.subjects,
        refusals=list_refusals(result.subjects, result.refusals),
        images=result.instances,
    )


def run_document(result: RunResult, config: Config) -> dict[str, Any]:
    """What made the run, and its counts. Folders of the machine are left out of the command."""
    made, run = result.provenance, overview_of(result, config)
    return {
        "schema": "lesion_measure run",
        "schema_version": SCHEMA_VERSION,
        "package_version": made.package_version,
        "versions": made.versions,
        "started": made.started,
        "seconds": plain(made.seconds),
        "command": without_folders(made.command),
        "config_sha256": made.config_sha256,
        "config": config.model_dump(mode="json"),
        "model": made.model,
        "model_sha256": made.model_sha256,
        "model_settings_sha256": made.model_settings_sha256,
        "model_backend": made.model_backend,
        "inputs_sha256": made.inputs,
        "outlines": made.outlines,
        "readings_sha256": made.readings_sha256,
        "counts": asdict(count(run, config.comparison.primary_metric)),
        "lesions_by_way": way_counts(run),
        "responses": {name: number for name, number, _ in response_counts(run)},
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
