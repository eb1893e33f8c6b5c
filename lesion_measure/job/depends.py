"""What the result of one child depends on, as one hash: where that is the same, the result is.

It is made of the very task that whoever measures the child is given, so that nothing can be forgotten; of the bytes of
its files, not of their names and dates; of the settings, the network and the versions; and of this program's source.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lesion_measure.job.nameless import Names
from lesion_measure.job.provenance import versions
from lesion_measure.job.request import RunRequest
from lesion_measure.records import Location, Provenance

_SOURCES = ("*.py", "*.j2", "*.css", "*.js")
_LEAVES = frozenset((str, int, float, bool, type(None)))
"""What most values are; nothing is in them."""
_OF_ONE_RUN: dict[str, Any] = {
    "inputs": {}, "started": "", "seconds": {}, "command": "", "outlines": {}, "children": {},
    "readings_sha256": None,
}  # fmt: skip
"""What of a run's provenance says nothing of what a child's result is."""


def made_by(made: Provenance, request: RunRequest, names: Names | None) -> str:
    """The hash of what all children of a run have in common.

    Parameters
    ----------
    made
        Versions, settings and network.
    request
        What the user asked for: where the network runs, and what is left out of the results.
    names
        The names that are left out of them; None where none are.
    """
    common = [replace(made, **_OF_ONE_RUN), dict(this_program()), request.device, names and names.all()]
    common += [request.readings is not None, request.drawn.name if request.drawn else ""]
    return _sha256(_plain(common, {}))


def child_key(task: object, common: str, digests: Mapping[Location, str]) -> str:
    """The hash of all that a child's result depends on.

    Parameters
    ----------
    task
        Everything that is known of the child.
    common
        What all children of the run have in common (`made_by`).
    digests
        SHA-256 of each of `files_of` the task.
    """
    return _sha256([common, _plain(task, digests)])


def files_of(value: object) -> Iterator[Location]:
    """The files that a task names: images, and masks of readers."""
    kind: Any = type(value)
    if kind in _LEAVES:
        return
    if isinstance(value, Location):
        yield value
    elif isinstance(value, Path):
        yield Location(value)
    elif (names := _fields(kind)) is not None:
        for name in names:
            yield from files_of(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from files_of(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from files_of(item)


def _plain(value: Any, digests: Mapping[Location, str]) -> Any:
    """A record, or whatever holds some, as JSON values; a file is its name and its content."""
    kind: Any = type(value)
    if kind in _LEAVES:
        return value
    if isinstance(value, (Location, Path)):
        place = Location(value) if isinstance(value, Path) else value
        return [place.file.name, *place.members, digests[place]]
    if (names := _fields(kind)) is not None:
        return [kind.__name__, *(_plain(getattr(value, name), digests) for name in names)]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, digests) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item, digests) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return value.tolist() if isinstance(value, np.ndarray) else value


@cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """Names of the fields of a kind of record; None where it is none."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@cache
def this_program() -> Mapping[str, str]:
    """The hash of this program's source, pages and styles included, and the versions of what it measures with."""
    digest, package = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(path for kind in _SOURCES for path in package.rglob(kind)):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return {"source": digest.hexdigest(), **versions()}
