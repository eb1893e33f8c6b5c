"""results.json: one statement of what it holds, from which it is written, read, checked and described.

The statement is `Results` and the records below it. A file is untrusted like any other: bounded in size, every value
checked for its type, nothing missing, no NaN or infinity; visits, sizes and sources that are not known are errors.
Properties that a later version of the schema adds are left alone; another main version is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from lesion_measure.config import Protocol, significant
from lesion_measure.config.rules import AppliedRule
from lesion_measure.errors import InputError
from lesion_measure.files.reading import read_regular
from lesion_measure.records import BASELINE, Enrolled, Image, Metric, Refusal, Schedule, SubjectResult, TimePoint
from lesion_measure.records.record import Hidden, Record

FILE, FINISHED = "results.json", "run.json"
MAX_BYTES = 500_000_000
EACH_DAY = Schedule((TimePoint(name=BASELINE, label="Baseline"),))
"""Where a protocol has no schedule."""
SCHEMA_VERSION = "2.1"


class RefusalKind(StrEnum):
    """What a refusal means for the person who reads it."""

    REVIEW = "needs review"
    REFUSED = "refused"
    SKIPPED = "skipped"


class NamedRule(AppliedRule):
    """A response rule, its size settled. Percent changes are signed."""

    name: str = Field(description="Its name in the configuration.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRefusal(Refusal):
    """A refusal in the list of the whole run."""

    kind: RefusalKind
    """'needs review': the subject waits for a person; 'refused': a file, image, visit or caliper row that should have
    given a number and gave none; 'skipped': a file that is no ultrasound image, or is there twice."""

    @classmethod
    def of(cls, refusal: Refusal, kind: RefusalKind) -> ListedRefusal:
        """A refusal in the list."""
        return cls(kind=kind, **{each.name: getattr(refusal, each.name) for each in fields(refusal)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Results(Record):
    """Results of one run (results.json). Units are in the names: mm, mm2, ml; points are (row, column) pixels."""

    schema: Literal["lesion_measure results"] = "lesion_measure results"
    """Name of this schema."""
    schema_version: Annotated[str, Field(pattern=rf"^{SCHEMA_VERSION.split('.')[0]}(\.\d+)*$")] = SCHEMA_VERSION
    """Version of this schema; the first number changes when a reader of the file has to change."""
    package_version: str
    """Version of lesion_measure."""
    config_sha256: str
    """SHA-256 of the configuration, defaults included."""
    model: str | None
    """Name of the model; null where only readers' calipers were used."""
    model_sha256: str | None
    """SHA-256 of its weights."""
    primary_metric: Metric
    """The trial's size metric."""
    rule: NamedRule
    """The response rule that was applied."""
    secondary_rules: tuple[NamedRule, ...]
    """The other rules whose verdicts stand with each child as `secondary`; the answer is by `rule` alone."""
    protocol: Protocol
    """What the trial's protocol says beside the sizes."""
    enrolled: tuple[Enrolled, ...] | None
    """The subjects table that the run was given, one entry per row; null: none was given."""
    subjects: tuple[SubjectResult, ...]
    """Subjects."""
    refusals: tuple[ListedRefusal, ...]
    """Everything that gave no number, each once."""
    images: tuple[Image, ...]
    """Every ultrasound image that was read."""
    sha256: Hidden[str] = ""
    """SHA-256 of the file that they were read from."""

    @property
    def visit_names(self) -> tuple[str, ...]:
        """Names of the schedule's visits; baseline alone where there is no schedule."""
        return self.protocol.visit_names

    @property
    def schedule(self) -> Schedule:
        """The planned visits; baseline alone where each study day is a visit."""
        return self.protocol.timetable() or EACH_DAY

    def table(self) -> dict[str, Enrolled] | None:
        """The subjects table by subject code; None where there was none."""
        return None if self.enrolled is None else {row.subject: row for row in self.enrolled}

    def refused(self) -> Mapping[str | None, Sequence[Refusal]]:
        """What was refused or needs review, each once, by subject; nothing of any other. Made anew when asked for."""
        found: defaultdict[str | None, list[Refusal]] = defaultdict(list)
        for refusal in self.refusals:
            if refusal.kind is not RefusalKind.SKIPPED:
                found[refusal.subject].append(refusal)
        return found


@cache
def adapter(record: Any) -> TypeAdapter[Any]:
    """What writes and checks a kind of record as the files of a run hold it."""
    return TypeAdapter(record)


def results_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of results.json, made from the records."""
    schema = adapter(Results).json_schema(mode="serialization")
    parts = schema["$defs"]
    for part in (schema, *parts.values()):
        if "properties" in part:
            part |= {"required": [*part["properties"]], "additionalProperties": False}
    schema["properties"]["schema_version"]["const"] = SCHEMA_VERSION
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:lesion-measure:results:{SCHEMA_VERSION}",
        **schema,
    }


def document(record: Record) -> dict[str, Any]:
    """A record as JSON values, as results.json holds it."""
    kind: Any = type(record)
    values: dict[str, Any] = plain(adapter(kind).dump_python(record, mode="json", warnings=False))
    return values


def json_line(content: Any) -> str:
    """JSON values as text without a line break; NaN and infinity are no JSON and may not be in it."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """JSON values for a file: numbers are rounded, and NaN and infinity become null."""
    if isinstance(value, float):
        return significant(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def read_results(folder: Path) -> Results:
    """Read results.json of a results folder.

    Raises
    ------
    InputError
        There is none, it cannot be read, or it is not what ``lesion-measure run`` of this main version writes.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            "The folder holds no results.json.",
            remedy="Give the output folder of a finished 'lesion-measure run'.",
            code="no_results",
            path=str(folder),
        )
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise InputError(f"The results cannot be read ({error.strerror}).", code="results", path=str(path)) from error
    try:
        results: Results = adapter(Results).validate_json(data, strict=True, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise InputError(
            f"The results are not those of this program: '{where}': {first['msg']}.",
            remedy="Run 'lesion-measure run' again with this version.",
            code="results",
            path=str(path),
        ) from error
    _check_names(results, path)
    _check_visits(results, path)
    return replace(results, sha256=hashlib.sha256(data).hexdigest())


def read_finished(folder: Path) -> Results:
    """As `read_results`, of a run that came to its end: what it leaves last is run.json.

    Raises
    ------
    InputError
        As `read_results`, or the run did not finish.
    """
    results = read_results(folder)
    if not (folder / FINISHED).is_file():
        raise InputError(
            f"The run did not finish: the folder holds results.json and no {FINISHED}.",
            remedy="Give the command of the run again (it goes on where it stopped), then this one.",
            code="unfinished_run",
            path=str(folder),
        )
    return results


def _check_names(results: Results, path: Path) -> None:
    """A subject code, and a lesion at a visit, must each be there once: everything is looked up by them."""
    keys: list[tuple[str, Sequence[object]]] = [
        ("subject", [s.subject for s in results.subjects]),
        ("subject of the subjects table", [row.subject for row in results.enrolled or ()]),
        *(("lesion", [(x.visit, x.lesion) for x in s.lesions]) for s in results.subjects),
    ]
    for what, names in keys:
        if len(set(names)) != len(names):
            raise InputError(f"The results hold a {what} twice.", code="results", path=str(path))


def _check_visits(results: Results, path: Path) -> None:
    """What is said of a visit is about one of the child's or of the schedule."""
    scheduled = {point.name for point in results.protocol.schedule or ()}
    for subject in results.subjects:
        stated = [{each.visit for each in some} for some in (subject.lesions, subject.changes, subject.assessments)]
        if unknown := set().union(*stated) - subject.visits.keys() - scheduled:
            raise InputError(f"The visit '{min(unknown)}' is not known.", code="results", path=str(path))
