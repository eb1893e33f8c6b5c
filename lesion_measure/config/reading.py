"""Settings read from a YAML file, and complaints that name what may have been meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Tag, ValidationError

from lesion_measure.config.layers import Written, add_changes, read_file
from lesion_measure.config.yaml_text import Place
from lesion_measure.errors import ConfigError
from lesion_measure.spelling import nearest

MOST_NAMED, MOST_LISTED = 5, 12
"""Unknown keys that a complaint names; keys of a section that it lists where none is near."""

Settings = TypeVar("Settings", bound=BaseModel)


def read_settings(kind: type[Settings], path: Path | None, *, remedy: str, changes: Sequence[str] = ()) -> Settings:
    """Settings of a YAML file, which is untrusted: bounded, no objects, checked against their model.

    Parameters
    ----------
    kind
        The model.
    path
        The file, which may extend others; None: the defaults.
    remedy
        Where the settings are described.
    changes
        Single settings on top, each ``section.setting=value``.

    Raises
    ------
    ConfigError
        A file cannot be read, is no YAML mapping, or holds an unknown or impossible setting.
    """
    written = Written() if path is None else read_file(path, remedy=remedy)
    add_changes(written, changes)
    try:
        return kind.model_validate(written.data)
    except ValidationError as error:
        complaint = _complaint(kind, error, written.origins)
        raise ConfigError(complaint, remedy=remedy, path=None if path is None else str(path)) from error


def _complaint(kind: type[BaseModel], error: ValidationError, origins: Mapping[Place, str]) -> str:
    """Every key that does not exist, with the nearest one that does; else the first thing that is wrong.

    A misspelled key is often also a missing one, of which pydantic speaks first and without the wrong word.
    """
    unknown = [e["loc"] for e in error.errors() if e["type"] == "extra_forbidden"]
    if not unknown:
        first = error.errors()[0]
        place, _ = _written_place(kind, first["loc"])
        ours = first.get("ctx", {}).get("error")  # of our own validators; pydantic would say 'Value error, ' before it
        text = str(ours) if isinstance(ours, ValueError) else first["msg"]
        if not place:
            return _sentence(f"The settings do not fit: {text}")
        return _sentence(f"{_origin(place, origins)}Setting '{'.'.join(map(str, place))}': {text}")
    words = []
    for loc in unknown[:MOST_NAMED]:
        place, _ = _written_place(kind, loc)
        named = f"{_origin(place, origins)}Setting '{'.'.join(map(str, place))}'"
        words.append(f"{named} does not exist{_instead(kind, loc)}")
    more = len(unknown) - MOST_NAMED
    return _sentence("; ".join([*words, *([f"and {more} more"] if more > 0 else [])]).replace("?;", "?"))


def _origin(loc: Place, origins: Mapping[Place, str]) -> str:
    """Where a value stands, or the section that lacks it; empty where that is the whole file."""
    known = next((loc[:count] for count in range(len(loc), 0, -1) if loc[:count] in origins), None)
    return "" if known is None else f"{origins[known]}: "


def _sentence(text: str) -> str:
    """Text with a full stop, where it does not end in a question."""
    return text if text.endswith("?") else f"{text}."


def _instead(kind: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """Which key may have been meant: one of the same section, else one of that name in another section."""
    key = str(loc[-1])
    _, section = _written_place(kind, loc[:-1])
    here = [] if section is None else _keys(section)
    if near := nearest(key, here):
        return f"; did you mean '{near}'?"
    if elsewhere := [name for name in _dotted(kind) if name.split(".")[-1] == key]:
        return f" here; '{elsewhere[0]}' does"
    return f"; there is {', '.join(here)}" if here and len(here) <= MOST_LISTED else ""


def _keys(kind: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in kind.model_fields.items()]


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The section that a field, a list or a mapping of them holds, whatever else it may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)


def _tagged(annotation: Any) -> dict[str, type[BaseModel]]:
    """The sections among which a field's own word decides, such as ``_target_``, by that word."""
    found: dict[str, type[BaseModel]] = {}
    for part in get_args(annotation):
        tag = next((each.tag for each in getattr(part, "__metadata__", ()) if isinstance(each, Tag)), None)
        inner = _inner(part)
        if tag is not None and inner is not None:
            found[tag] = inner
        else:
            found |= _tagged(part)
    return found


def _written_place(kind: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[Place, type[BaseModel] | None]:
    """A place of pydantic's as it is written in a file, and the section there.

    Which of several sections is meant is a part of pydantic's place, and of no file. Names of rules and numbers of a
    list lead to no other section.
    """
    place: list[int | str] = []
    section: type[BaseModel] | None = kind
    tags: dict[str, type[BaseModel]] = {}
    for part in loc:
        if part in tags:
            section, tags = tags[str(part)], {}
            continue
        place.append(part)
        fields = {} if section is None else section.model_fields
        info = next((i for name, i in fields.items() if part in (name, i.alias)), None)
        if info is not None:
            section, tags = _inner(info.annotation), _tagged(info.annotation)
    return tuple(place), section


def _dotted(kind: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in kind.model_fields.items():
        yield (dotted := f"{prefix}{info.alias or name}")
        inner = _inner(info.annotation)
        if inner is not None and inner is not kind:
            yield from _dotted(inner, f"{dotted}.")
