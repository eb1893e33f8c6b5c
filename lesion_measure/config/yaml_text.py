"""YAML as people mean it: each value is read in one way, or refused with its line.

YAML 1.1, which most programs read, takes ``0300`` for 192, ``1:30`` for 90, ``no`` for false, and the last of two equal
keys. Here a number is a decimal number, a word is a word, and what other programs would take for something else is an
error. Settings that are true or false still take yes and no.
"""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

import yaml

from lesion_measure.files.reading import MOST_DIGITS, has_surrogates

Place = tuple[str | int, ...]
"""Keys and list positions that lead to a value."""

_TEXT = "tag:yaml.org,2002:str"
_PLAIN_TAGS = (_TEXT, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_NULL = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_OTHER_NUMBER = re.compile(
    r"[-+]?(0[0-9_]+|0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?|[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?)"
)
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF|nan|NaN|NAN)")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?![0-9-])")


class YamlTextError(ValueError):
    """A line that is no YAML, or that says what cannot be meant; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


def parse(data: bytes) -> tuple[Any, dict[Place, int]]:
    """The content of one YAML document, and the line of each of its values by its place.

    Raises
    ------
    YamlTextError
        The bytes are no UTF-8 text or no YAML, or a value is refused.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlTextError(data.count(b"\n", 0, error.start) + 1, "it is not UTF-8 text") from error
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlTextError(mark.line + 1 if mark else 1, _reason(error)) from error
    except yaml.reader.ReaderError as error:
        raise YamlTextError(text.count("\n", 0, error.position) + 1, "a character that no text holds") from error
    except YamlTextError:
        raise
    except (RecursionError, ValueError, OverflowError) as error:  # a code like "\UFFFFFFFF" is no character
        raise YamlTextError(1, "it is nested too deeply or holds an impossible character") from error
    lines: dict[Place, int] = {}
    return (None if node is None else _value(node, (), lines)), lines


class _Loader(yaml.SafeLoader):
    """Nodes alone: scalars stay text, and no value stands for another place's."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name for it

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise YamlTextError(event.start_mark.line + 1, "write the value out, in place of *alias")
        return super().compose_node(parent, index)


def _reason(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    if "'\\t'" in problem:
        return "a tab; indent with blanks"
    if "but found another document" in problem:
        return "a second document begins; give one"
    return problem


def _value(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Any:
    lines[place] = line = node.start_mark.line + 1
    if node.tag not in _PLAIN_TAGS:
        raise YamlTextError(line, f"the tag {node.tag[:64]!r} is not read; write the value alone")
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*place, index), lines) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, lines)
    text, plain = str(node.value), getattr(node, "style", None) is None
    if has_surrogates(text):
        raise YamlTextError(line, "a text holds half a character (a lone surrogate)")
    try:
        return _plain(text) if plain else text
    except ValueError as error:
        raise YamlTextError(line, f"'{'.'.join(map(str, place))}': {error}") from error


def _mapping(node: yaml.MappingNode, place: Place, lines: dict[Place, int]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise YamlTextError(line, "a list or mapping stands where a key should")
        key = _value(key_node, (*place, "?"), lines)
        if key in found:
            raise YamlTextError(line, f"the key '{str(key)[:64]}' is there twice")
        found[key] = _value(value_node, (*place, key), lines)
        lines[*place, key] = line
    return found


def _plain(text: str) -> Any:
    """The value of a scalar without quotes."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _WHOLE.fullmatch(text):
        if len(text) > MOST_DIGITS:
            raise ValueError(f"a number of {len(text)} digits cannot be meant")
        return int(text)
    if _DECIMAL.fullmatch(text):
        if len(text) > 2 * MOST_DIGITS or not math.isfinite(float(text)):
            raise ValueError(f"the number {text[:MOST_DIGITS]} is too large or too long")
        return float(text)
    if _OTHER_NUMBER.fullmatch(text):
        raise ValueError(
            f"{text[:MOST_DIGITS]} is another number in YAML than it seems; write a decimal number, or quote text"
        )
    if _INFINITE.fullmatch(text):
        raise ValueError(f"{text} is no number")
    if stated := _DATE.match(text):
        try:
            date(*map(int, stated.groups()))
        except ValueError as error:
            raise ValueError(f"{text[:MOST_DIGITS]} is no date that exists") from error
    return text
