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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import Field, TypeAdapter, ValidationError

from lesion_measure.config import Protocol, significant
from lesion_measure.config.rules import AppliedRule
from lesion_measure.errors import InputError
from lesion_measure.files.listed import read_listed
from lesion_measure.files.reading import open_regular, read_regular
from lesion_measure.records import BASELINE, Enrolled, Image, Metric, Refusal, Schedule, SubjectResult, TimePoint
from lesion_measure.records.record import Hidden, Record

FILE, FINISHED = "results.json", "run.json"
MAX_BYTES = 500_000_000
EACH_DAY = Schedule((TimePoint(name=BASELINE, label="Baseline"),))
"""Where a protocol has no schedule."""
SCHEMA_VERSION = "2.1"
Short = Callable[[SubjectResult], SubjectResult]
"""What is kept of a child."""


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


def as_it_is(subject: SubjectResult) -> SubjectResult:
    """All of a child."""
    return subject


def read_results(folder: Path, short: Short = as_it_is) -> Results:
    """Read results.json of a results folder.

    Parameters
    ----------
    folder
        The results folder.
    short
        What is to be kept of each child, the whole of which is checked: all of them may be more than memory holds.

    Raises
    ------
    InputError
        There is none, it cannot be read, or it is not what ``lesion-measure run`` of this main version writes.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            "The folder holds no results.json.", remedy="Give the output folder of a finished 'lesion-measure run'.",
            code="no_results", path=str(folder),
        )  # fmt: skip
    try:
        with open_regular(path) as stream:
            results = _by_lines(stream, path, short)
        return _at_once(path, short) if results is None else results
    except OSError as error:
        raise InputError(f"The results cannot be read ({error.strerror}).", code="results", path=str(path)) from error


def _by_lines(stream: BinaryIO, path: Path, short: Short) -> Results | None:
    """The results, of which one child after the other is in memory; None where the file has another layout or fault."""
    children = _Children(path, short)
    refusals: list[ListedRefusal] = []
    images: list[Image] = []
    lists = {
        "subjects": lambda item: children.add(_valid(SubjectResult, item.text)),
        "refusals": lambda item: refusals.append(_valid(ListedRefusal, item.text)),
        "images": lambda item: images.append(_valid(Image, item.text)),
    }
    try:
        listed = read_listed(stream, lists, MAX_BYTES)
        if listed is None:
            return None
        head: Results = _valid(Results, listed.rest)
    except ValidationError:  # which is told of the whole file, and with its place there
        return None
    return replace(
        head, subjects=children.checked(head), refusals=tuple(refusals), images=tuple(images), sha256=listed.sha256,
    )  # fmt: skip


def _at_once(path: Path, short: Short) -> Results:
    """The results of a file that has any layout."""
    data = read_regular(path, MAX_BYTES)
    try:
        results: Results = _valid(Results, data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise InputError(
            f"The results are not those of this program: '{where}': {first['msg']}.",
            remedy="Run 'lesion-measure run' again with this version.", code="results", path=str(path),
        ) from error  # fmt: skip
    children = _Children(path, short)
    for subject in results.subjects:
        children.add(subject)
    return replace(results, subjects=children.checked(results), sha256=hashlib.sha256(data).hexdigest())


def _valid(record: type, text: bytes) -> Any:
    return adapter(record).validate_json(text, strict=True, extra="ignore")


def read_finished(folder: Path, short: Short = as_it_is) -> Results:
    """As `read_results`, of a run that came to its end: what it leaves last is run.json.

    Raises
    ------
    InputError
        As `read_results`, or the run did not finish.
    """
    results = read_results(folder, short)
    if not (folder / FINISHED).is_file():
        raise InputError(
            f"The run did not finish: the folder holds results.json and no {FINISHED}.",
            remedy="Give the command of the run again (it goes on where it stopped), then this one.",
            code="unfinished_run",
            path=str(folder),
        )
    return results


class _Children:
    """The children of a file: each is checked as it comes, and kept in short."""

    def __init__(self, path: Path, short: Short) -> None:
        self._path, self._short = path, short
        self._kept: list[SubjectResult] = []
        self._stated: set[str] = set()

    def add(self, subject: SubjectResult) -> None:
        """The next child."""
        _check_once("lesion", [(x.visit, x.lesion) for x in subject.lesions], self._path)
        for some in (subject.lesions, subject.changes, subject.assessments):
            self._stated |= {each.visit for each in some} - subject.visits.keys()
        self._kept.append(self._short(subject))

    def checked(self, results: Results) -> tuple[SubjectResult, ...]:
        """All of them.

        Raises
        ------
        InputError
            A subject code is there twice: everything is looked up by it. Or what is said of a visit is about none of
            the child's or of the schedule.
        """
        _check_once("subject", [kept.subject for kept in self._kept], self._path)
        _check_once("subject of the subjects table", [row.subject for row in results.enrolled or ()], self._path)
        if unknown := self._stated - {point.name for point in results.protocol.schedule or ()}:
            raise InputError(f"The visit '{min(unknown)}' is not known.", code="results", path=str(self._path))
        return tuple(self._kept)


def _check_once(what: str, names: Sequence[object], path: Path) -> None:
    if len(set(names)) != len(names):
        raise InputError(f"The results hold a {what} twice.", code="results", path=str(path))
