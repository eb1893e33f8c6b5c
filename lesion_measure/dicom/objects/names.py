"""Names in DICOM objects: what a person wrote, told from what a program wrote where a name could stand."""

from __future__ import annotations

import re

# What programs write there: Cornerstone3DTools@^0.1.0:Length, dcmjs's, highdicom's and 3D Slicer's defaults, UIDs and
# UUIDs, and the random words of dwv (digits amid letters).
_MACHINE = re.compile(
    r"\w+@\S*:\w+|web annotation|[\d.]{12,}|[0-9a-f]{8}-[0-9a-f-]{27}|"
    r"(?=[a-z]*\d+[a-z])[a-z0-9]{8,14}|\W*|(planar |volumetric )?(roi )?measurements?( group)?( \d+)?|"
    r"segment(ation)?[ _-]?\d*",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"\{\w*\}")
_NOBODY = re.compile(r"([\s^]|unknown|anonymous|unspecified|none)*", re.IGNORECASE)
_MOST_NAME = 64


def given_name(label: str) -> str:
    """What a person called something; empty where only a program named it."""
    name = _TEMPLATE.sub("", label).strip()[:_MOST_NAME]
    return "" if _MACHINE.fullmatch(name) else name


def person(name: str) -> str:
    """A person's name as people write it: the first of its groups, its parts in their order (PS3.5 6.2.1)."""
    first = next((group for group in name.split("=") if group.strip("^ ")), "")
    return "" if _NOBODY.fullmatch(first) else " ".join(part for part in first.split("^") if part.strip())[:_MOST_NAME]
