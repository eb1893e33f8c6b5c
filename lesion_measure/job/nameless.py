"""Results without file and folder names, for those who give them away: names of folders are often names of people.

A running number stands for each file, the same one wherever it is meant. What identifies a child, lesion, image or
visit in the results stays: a folder that is called like a subject's code does not take the code away.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeVar

from lesion_measure.errors import LesionMeasureError
from lesion_measure.records import TRIAL, Location, Plane, Schedule

LEFT_OUT = "(name left out)"

_Any = TypeVar("_Any")
_LEAST_LETTERS = 3  # shorter names, and numbers, are found in any text; as a part of a path they are left out
_IDENTITIES = frozenset(
    ("code", "subject", "lesion", "visit", "reader", "sop_instance_uid", "sop_class_uid", "study_instance_uid",
     "series_instance_uid", "image_uid", "tracking_uid",
     "location", "header_sha256", "photometric", "transfer_syntax_uid", "time_point", "names",
     "primary_visit", "label")
)  # fmt: skip


class Names:
    """The names that are left out, and what stands for them.

    Parameters
    ----------
    content
        Results, whose fields called ``path`` name files.
    others
        Further names and paths: of the input folder, the tables, what readers wrote.
    schedule
        The visits that the protocol names; None: no visit has a name beside those in the results.
    """

    def __init__(self, content: Any, others: Iterable[str] = (), schedule: Schedule | None = TRIAL) -> None:
        visits = [word for point in (schedule.points if schedule else ()) for word in (point.name, point.label)]
        paths = sorted({path for path in _values(content, ("path",)) if path})
        self._stand_ins = {path: f"file {number}" for number, path in enumerate(paths, start=1)}
        names = {part for path in (*paths, *others) for part in _parts(path)}
        self._words = sorted(names - self._stand_ins.keys(), key=lambda word: (-len(word), word))
        self._words = self._without((*_values(content, _IDENTITIES), *visits, *Plane))
        self._paths = sorted(self._stand_ins, key=lambda path: (-len(path), path))

    def keeping(self, content: Any) -> Names:
        """The same, but for the words by which these results call a child, lesion, image or visit."""
        own = copy(self)
        own._words = self._without(_values(content, _IDENTITIES))
        return own

    def _without(self, words: Iterable[str]) -> list[str]:
        stay = {word.casefold() for word in words}
        return [word for word in self._words if word.casefold() not in stay]

    def all(self) -> tuple[Mapping[str, str], Sequence[str]]:
        """What stands for each file, and every word that is left out."""
        return self._stand_ins, self._words

    def path(self, path: str) -> str:
        """What stands for a file."""
        return self._stand_ins.get(path, LEFT_OUT) if path else path

    def text(self, text: str) -> str:
        """A sentence without the names in it."""
        if text in self._stand_ins:
            return self._stand_ins[text]
        if not set(text) & set(" /.\\"):
            return text  # a word of ours or a name that stays
        for path in self._paths:
            if len(path) >= _LEAST_LETTERS and path in text:
                text = text.replace(path, self._stand_ins[path])
        for word in self._words:
            if word in text:
                text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", LEFT_OUT, text)
        return text

    def within(self, content: _Any) -> _Any:
        """Records, or whatever holds them, without the names."""
        changed: Any = content
        if isinstance(content, str) and not isinstance(content, Enum):
            changed = self.text(content)
        elif is_dataclass(content) and not isinstance(content, (type, Location)):
            changed = self._record(content)
        elif isinstance(content, dict):
            changed = {self.within(key): self.within(value) for key, value in content.items()}
        elif type(content) in (tuple, list):
            parts = [self.within(part) for part in content]  # type: ignore[attr-defined]
            changed = tuple(parts) if isinstance(content, tuple) else parts
        return changed  # type: ignore[no-any-return]

    def _field(self, name: str, value: Any) -> Any:
        if name == "table" and value:
            return LEFT_OUT
        return self.path(value) if name == "path" and isinstance(value, str) else self.within(value)

    def _record(self, record: Any) -> Any:
        new = {}
        for field in fields(record):
            old = getattr(record, field.name)
            if field.name in _IDENTITIES or not field.init:
                continue
            value = self._field(field.name, old)
            if value is not old:
                new[field.name] = value
        return replace(record, **new) if new else record


def without_names(error: LesionMeasureError, given: Iterable[PurePath | None]) -> LesionMeasureError:
    """An error that names no file, of those that the user gave."""
    paths = [str(path) for path in given if path is not None]
    names = Names(None, [*paths, error.path or ""])
    for path in sorted(paths, key=len, reverse=True):
        error.reason, error.remedy = error.reason.replace(path, LEFT_OUT), error.remedy.replace(path, LEFT_OUT)
    error.reason, error.remedy, error.path = names.text(error.reason), names.text(error.remedy), None
    return error


def _values(content: Any, names: Collection[str]) -> Iterator[str]:
    """Every text in a field of one of these names."""
    if is_dataclass(content) and not isinstance(content, (type, Location)):
        for field in fields(content):
            value = getattr(content, field.name)
            if field.name in names and isinstance(value, str):
                yield value
            else:
                yield from _values(value, names)
    elif isinstance(content, dict):
        for value in content.values():
            yield from _values(value, names)
    elif isinstance(content, (tuple, list)):
        for value in content:
            yield from _values(value, names)


def _parts(path: str) -> Iterator[str]:
    """The folders and the file of a path, its beginnings and ends, and the file's name without its ending."""
    steps = [step for step in path.replace("\\", "/").split("/") if step not in ("", ".")]
    for count in range(2, len(steps)):
        yield "/".join(steps[:count])
        yield "/".join(steps[-count:])
    for name in (*steps, *(PurePath(step).stem for step in steps[-1:])):
        if len(name) >= _LEAST_LETTERS and not name.isdigit():
            yield name
