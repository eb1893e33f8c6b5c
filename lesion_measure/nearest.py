"""The name that was probably meant, where one is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one; None where none is alike (difflib's ratio below 0.6)."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return near[0] if near else None


def or_meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that says that a name is not known, from its stop on: with the nearest one as question."""
    near = nearest(name, known)
    return f"; did you mean '{near}'?" if near else "."
