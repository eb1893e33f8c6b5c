"""Files that a user names, opened without trust: regular files only, bounded, and JSON that says one thing.

A pipe or device in the place of a file would hang the program or never end. It is told by looking, before it is opened.
"""

from __future__ import annotations

import errno
import json
import math
import stat
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

MOST_DIGITS = 20
"""Digits of a whole number that a setting or measurement may have."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; a link is followed.

    Raises
    ------
    OSError
        It cannot be opened, or is a folder, pipe, socket or device; `OSError.strerror` says so in words.
    """
    _check_regular(path)
    return path.open("rb")


def open_unbuffered(path: Path) -> FileIO:
    """As `open_regular`, for a file that is read here and there in large pieces."""
    _check_regular(path)
    return path.open("rb", 0)


def _check_regular(path: Path) -> None:
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, what_it_is(path))


def what_it_is(path: Path) -> str:
    """In words, why something that is there is no regular file; empty where it is one."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISDIR(mode):
        return "it is a folder, not a file"
    return "it is a pipe, socket or device, not a regular file"


def read_regular(path: Path, most: int) -> bytes:
    """All bytes of a regular file of at most ``most`` bytes.

    Raises
    ------
    OSError
        As `open_regular`, or the file is larger.
    """
    with open_regular(path) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1_000_000} MB")
    return data


def parse_json(data: bytes) -> Any:
    """What a JSON file says (UTF-8), where it says one thing: no key twice, no number that is none, no broken text.

    Raises
    ------
    ValueError
        It is not valid JSON, or says what cannot be meant; in words, with the line where that is known.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8 text") from error
    try:
        content = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_number, parse_int=_whole, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if "\\ud" in text.lower():
        _check_text(content)
    return content


def parse_xml(data: bytes) -> ElementTree.Element:
    """The root of an XML document (UTF-8), its names without their namespaces.

    A document that declares a type or entities is refused, whatever they would unpack to or fetch.

    Raises
    ------
    ValueError
        It is no XML, or declares a type or entities; in words.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares a document type or entities")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  (bounded by the caller, and without entities)
    except ElementTree.ParseError as error:
        raise ValueError(f"line {error.position[0]} is no XML") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    return root


def has_surrogates(text: str) -> bool:
    """True for text that no file can hold: half of a character that takes two in UTF-16."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:64]!r} is there twice")
        found[key] = value
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits cannot be meant")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:MOST_DIGITS]} is too large")
    return value


def _check_text(content: Any) -> None:
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and has_surrogates(one):
            raise ValueError("a text holds half a character (a lone surrogate)")
