"""Names as people write them: one form for one name, and names that only look different.

What two people mean by one name may differ in letter case, in letters for digits (``Ll`` for ``L1``), in leading zeros
or in letters of another script. Such names stay two names; that they look alike is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_TWINS = str.maketrans("авекмнорстухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧ".casefold(), "abekmhopctyxijsabezhikmnoptyx")
"""Cyrillic and Greek letters, in lower case, and the Latin ones that they look like."""
_DIGITS = str.maketrans("oil|", "0111")
_PARTS = re.compile(r"[^\W\d_]+|\d+")


def nfc(text: str) -> str:
    """The composed form of a text (Unicode NFC): an accent typed apart is the same name."""
    return unicodedata.normalize("NFC", text)


def look_alike(one: str, other: str) -> bool:
    """Whether two names that differ may be read as one.

    >>> look_alike("AB-01", "ab-1"), look_alike("L1", "Ll"), look_alike("00123", "123"), look_alike("S1-11", "S11-1")
    (True, True, True, False)
    """
    return one != other and bool(set(_readings(one)) & set(_readings(other)))


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that look alike, each once, in the order of the names."""
    found: dict[tuple[str, ...], list[str]] = {}
    pairs: dict[tuple[str, str], None] = {}
    for name in dict.fromkeys(names):
        for reading in _readings(name):
            for other in found.setdefault(reading, []):
                if other != name:
                    pairs[other, name] = None
            found[reading].append(name)
    return list(pairs)


@lru_cache(maxsize=100_000)
def _readings(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A name by its words and numbers, and by its shapes: names that share one of them look alike."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_TWINS)
    parts = tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in _PARTS.findall(plain))
    shapes = re.sub(r"[\s_\-]+", "-", plain.strip()).translate(_DIGITS)
    return ("words", *(parts or (plain,))), ("shapes", shapes)
