"""results.json and run.json: everything a run found, and everything that made it, for machines.

results.json depends on input, configuration and model alone, so the same run gives the same bytes; what differs from
run to run (times, command) stands in run.json.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from lesion_measure.config import Config
from lesion_measure.files.writing import replacing, write_json
from lesion_measure.records import Image, RunResult, SubjectResult
from lesion_measure.report.overview import Overview, Reviewed, count, list_refusals, response_counts, way_counts
from lesion_measure.report.tables import (
    CHILD_TABLES,
    REFUSAL_COLUMNS,
    Table,
    child_tables,
    csv_text,
    refusal_rows,
    without_header,
    write_csv,
)
from lesion_measure.results import (
    FILE,
    FINISHED,
    SCHEMA_VERSION,
    NamedRule,
    Results,
    adapter,
    document,
    json_line,
    plain,
)


@dataclass(frozen=True, slots=True)
class ChildLines:
    """One child as the files of a run hold it: JSON on one line, and its lines of CSV by the table's name."""

    subject: str
    tables: Mapping[str, str]

    @classmethod
    def of(cls, subject: SubjectResult, config: Config) -> ChildLines:
        """The lines of a child."""
        tables = child_tables([subject], config)
        return cls(json_line(document(subject)), {name: without_header(table) for name, table in tables.items()})


def write_data(head: Results, children: Iterable[ChildLines], out: Path) -> str:
    """Write results.json and the tables into ``out``, child by child; gives the SHA-256 of results.json.

    Parameters
    ----------
    head
        The run without its subjects, which ``children`` hold.
    children
        In the order in which they are to be told. One of them is in memory at a time.
    out
        The results folder.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    with ExitStack() as open_files:
        streams = {name: open_files.enter_context(replacing(out / f"{name}.csv")) for name in CHILD_TABLES}
        for name, stream in streams.items():
            stream.write(csv_text(Table(CHILD_TABLES[name], ())))

        def subjects() -> Iterator[str]:
            for child in children:
                for name, stream in streams.items():
                    stream.write(child.tables[name])
                yield child.subject

        digest = hashlib.sha256()
        with replacing(out / FILE) as stream:
            for piece in _pieces(head, subjects()):
                digest.update(piece.encode())
                stream.write(piece)
    write_csv(out / "refusals.csv", REFUSAL_COLUMNS, refusal_rows(head.refusals))
    return digest.hexdigest()


def _pieces(head: Results, subjects: Iterable[str]) -> Iterator[str]:
    """results.json, with a line for each subject, refusal and image."""
    lists = {
        "subjects": subjects,
        "refusals": map(json_line, map(document, head.refusals)),
        "images": (json_line(adapter(Image).dump_python(i, mode="json", warnings=False)) for i in head.images),
    }
    rest = document(replace(head, subjects=(), refusals=(), images=()))
    for number, (name, value) in enumerate(rest.items()):
        yield f"{',' if number else '{'}\n {json_line(name)}: "
        yield from _listed(lists[name]) if name in lists else [json_line(value)]
    yield "\n}\n"


def _listed(lines: Iterable[str]) -> Iterator[str]:
    first = True
    yield "["
    for line in lines:
        yield f"\n  {line}" if first else f",\n  {line}"
        first = False
    yield "]" if first else "\n ]"


def as_results(
    result: RunResult,
    config: Config,
    subjects: Iterable[SubjectResult] | None = None,
    rows: Iterable[Reviewed] | None = None,
) -> Results:
    """A run as results.json holds it.

    Parameters
    ----------
    result, config
        The run, and its settings.
    subjects
        What is to be told of its children; None: all of it.
    rows
        Its children with what needs review; None: those of the run.
    """
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
        subjects=tuple(result.subjects if subjects is None else subjects),
        refusals=list_refusals(result.subjects if rows is None else rows, result.refusals),
        images=result.instances,
    )


def write_run(result: RunResult, run: Overview, out: Path, config: Config) -> None:
    """Write run.json into ``out``; as the last file of a run it also says that the others are complete."""
    write_json(out / FINISHED, run_document(result, run, config))


def run_document(result: RunResult, run: Overview, config: Config) -> dict[str, Any]:
    """What made the run, and its counts. Folders of the machine are left out of the command."""
    made = result.provenance
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
        "children": made.children,
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
