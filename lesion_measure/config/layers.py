"""Settings as they are written: one file, those that it extends, and single settings of the command line on top.

A file extends another one of its own folder (``extends: base.yaml``), or one that comes with the program, by its name.
What a later layer says counts; what it leaves out stays. The origin of each value is kept, for what is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesion_measure.config.yaml_text import Place, YamlTextError, parse
from lesion_measure.errors import ConfigError
from lesion_measure.files.reading import read_regular
from lesion_measure.files.shipped import configs

MAX_CONFIG_BYTES = 1_000_000
MOST_FILES = 10
"""Files that extend one another."""
EXTENDS, TARGET = "extends", "_target_"
SET_REMEDY = "Give --set section.setting=value, such as --set automatic.pretrain.epochs=5."


@dataclass(slots=True)
class Written:
    """Settings before they are checked: ``data``, and in words where each value stands (``Line 4``), by its place."""

    data: dict[Any, Any] = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)

    def add(self, data: Mapping[Any, Any], origins: Mapping[Place, str]) -> None:
        """Put a layer on top."""
        self.data = _merged(self.data, data)
        self.origins |= origins


def read_file(path: Path, *, remedy: str) -> Written:
    """What a file and those that it extends say.

    Raises
    ------
    ConfigError
        One of them cannot be read or is no YAML mapping; or ``extends`` names no file of the folder, or goes in a ring.
    """
    layers, seen, here = [], [path.resolve()], path
    while True:
        data, lines = _parsed(here, remedy)
        told = "Line" if here == path else f"{here.name}, line"
        base = data.pop(EXTENDS, None)
        layers.append((data, {place: f"{told} {line}" for place, line in lines.items()}))
        if base is None:
            break
        here = _extended(here, base)
        if here.resolve() in seen:
            raise ConfigError("The configuration files extend one another in a ring.", path=str(here))
        seen.append(here.resolve())
        if len(seen) > MOST_FILES:
            raise ConfigError(f"More than {MOST_FILES} configuration files extend one another.", path=str(path))
    written = Written()
    for data, origins in reversed(layers):
        written.add(data, origins)
    return written


def listed(text: str) -> tuple[str, list[Any]]:
    """A setting and several values of it, as ``section.setting=[values]`` states them in YAML.

    Raises
    ------
    ConfigError
        It is not of that form.
    """
    key, _, values = text.partition("=")
    remedy = "Give --grid section.setting=[first, second]."
    try:
        found, _ = parse(values.encode())
    except (YamlTextError, UnicodeEncodeError) as error:
        raise ConfigError(f"The values of --grid {key} are not valid YAML: {error}.", remedy=remedy) from error
    if not isinstance(found, list) or not found:
        raise ConfigError(f"'{text[:80]}' is no list of values.", remedy=remedy)
    return key, found


def add_changes(written: Written, changes: Sequence[str]) -> None:
    """Put single settings on top, each ``section.setting=value`` with the value in YAML.

    Raises
    ------
    ConfigError
        One is not of that form, or its value is no YAML.
    """
    for change in changes:
        key, equals, text = change.partition("=")
        names = key.strip().split(".")
        if not equals or not all(names):
            raise ConfigError(f"'{change[:80]}' sets nothing.", remedy=SET_REMEDY)
        try:
            value, _ = parse(text.encode())
        except (YamlTextError, UnicodeEncodeError) as error:
            raise ConfigError(f"The value of --set {key} is not valid YAML: {error}.", remedy=SET_REMEDY) from error
        place = tuple(int(name) if name.isdecimal() else name for name in names)
        written.data = _with(written.data, place, value, key)
        told = {inner: origin for inner, origin in written.origins.items() if inner[: len(place)] != place}
        written.origins = {**told, place: f"--set {key}"}


def _parsed(path: Path, remedy: str) -> tuple[dict[Any, Any], dict[Place, int]]:
    try:
        data, lines = parse(read_regular(path, MAX_CONFIG_BYTES))
    except OSError as error:
        raise ConfigError(f"The configuration file cannot be read ({error.strerror}).", path=str(path)) from error
    except YamlTextError as error:
        raise ConfigError(
            f"The configuration file is not valid YAML. Line {error.line}: {error}.", remedy=remedy, path=str(path)
        ) from error
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError("The configuration file must be a mapping of settings.", path=str(path))
    return data, lines


def _extended(path: Path, base: object) -> Path:
    """The file that another one extends: inside its folder, or one that comes with the program."""
    remedy = "Name a file of the same folder, such as 'extends: base.yaml', or one that 'lesion-measure config' lists."
    if not isinstance(base, str) or not base:
        raise ConfigError("Setting 'extends' must be the name of a file.", remedy=remedy, path=str(path))
    found = path.parent / base
    if not found.is_file() and base in configs():
        return configs()[base]
    if not found.resolve().is_relative_to(path.parent.resolve()):
        raise ConfigError("Setting 'extends' leads out of the file's folder.", remedy=remedy, path=str(path))
    if not found.is_file():
        raise ConfigError(f"There is no file '{base[:80]}' to extend.", remedy=remedy, path=str(path))
    return found


def _merged(base: Any, top: Any) -> Any:
    """What ``top`` says, over ``base``: mappings key by key, all else whole.

    A section of another ``_target_`` takes nothing of the base: its settings are others.
    """
    if not (isinstance(base, Mapping) and isinstance(top, Mapping)):
        return top
    if TARGET in top and top[TARGET] != base.get(TARGET):
        return dict(top)
    return {**base, **{key: _merged(base[key], value) if key in base else value for key, value in top.items()}}


def _with(base: Any, place: Place, value: Any, key: str) -> Any:
    """``base`` with a value at a place; sections on the way that are not there are made."""
    if not place:
        return _merged(base, value)
    first, rest = place[0], place[1:]
    if isinstance(base, list):
        if not isinstance(first, int) or first >= len(base):
            raise ConfigError(f"--set {key}: the list has {len(base)} entries, counted from 0.", remedy=SET_REMEDY)
        return [_with(item, rest, value, key) if index == first else item for index, item in enumerate(base)]
    section = base if isinstance(base, Mapping) else {}
    name = str(first)
    return _merged(section, {name: _with(section.get(name), rest, value, key)})
