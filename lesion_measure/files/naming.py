"""Names of files: those that people give, and those made from what people wrote, in plain letters and none twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path

from lesion_measure.errors import InputError

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9-]+")
_LONGEST = 40


def given_path(given: str | PathLike[str]) -> Path:
    """A path that somebody gave.

    Raises
    ------
    InputError
        It is no path, or an empty text, which pathlib takes for the current folder.
    """
    path = fspath(given) if isinstance(given, str | PathLike) else given
    if not isinstance(path, str):
        raise InputError(f"A path is of the type {type(path).__name__}.", remedy="Give a text or a pathlib.Path.")
    if path == "":
        raise InputError("A path is empty.", remedy="Name a file or folder, or leave the argument out.")
    return Path(path)


def plain_name(parts: Sequence[str], taken: set[str]) -> str:
    """The parts in plain letters, such as SUBJECT_VISIT_LESION, with a number where that is taken.

    ``taken`` are the names in use, in lower case; the new one is added.
    """
    plain = "_".join(_NOT_PLAIN.sub("-", part)[:_LONGEST].strip("-") or "x" for part in parts)
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name.casefold())
    return name
