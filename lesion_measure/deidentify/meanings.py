"""Meanings of codes: what the dictionaries say, and the schemes whose other meanings nobody types."""

from __future__ import annotations

import re
from functools import cache

PUBLIC_SCHEMES = frozenset(
    ("SCT", "SRT", "SNM3", "99SDM", "DCM", "UCUM", "LN", "FMA", "RADLEX", "MDC", "NCIT", "UMLS", "RFC5646", "ISO3166_1")
)
"""Designators of PS3.16 Table 8-1. In a private scheme a viewer puts the words of its user."""

_PRIVATE_SCHEME = re.compile(r"99[A-Z0-9_]{1,14}|CORNERSTONEJS|CST4")
_PRIVATE_VALUE = re.compile(r"[A-Z]{0,8}[-._]?[0-9][A-Z0-9._-]{0,15}|CORNERSTONEFREETEXT")


def is_public(scheme: str) -> bool:
    """Whether a scheme is one whose codes and meanings nobody makes up."""
    return scheme.upper() in PUBLIC_SCHEMES


def is_scheme(designator: str) -> bool:
    """Whether a designator is a public one, or has the form of a maker's own (PS3.16 8.2)."""
    return is_public(designator) or bool(_PRIVATE_SCHEME.fullmatch(designator))


def is_private_value(value: str) -> bool:
    """Whether a code of a private scheme looks like a maker's: a few capitals and a number."""
    return bool(_PRIVATE_VALUE.fullmatch(value))


@cache
def _dictionary() -> dict[tuple[str, str], str]:
    from pydicom.sr._concepts_dict import concepts

    return {
        (scheme, value): meaning
        for scheme, keywords in concepts.items()
        for by_value in keywords.values()
        if isinstance(by_value, dict)
        for value, (meaning, *_) in by_value.items()
    }


def meaning(scheme: str, value: str) -> str:
    """The meaning of a code in pydicom's dictionary of PS3.16; empty where it is not there."""
    return _dictionary().get((scheme, value), "")
