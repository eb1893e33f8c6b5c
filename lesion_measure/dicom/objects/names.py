"""Names in DICOM objects: what a person wrote, told from what a program wrote where a name could stand."""

from __future__ import annotations

import re

# What programs write there: Cornerstone3DTools@^0.1.0:Length, dcmjs's, dcmqi's, highdicom's and 3D Slicer's defaults,
# UIDs and UUIDs.
_MACHINE = re.compile(
    r"\w+@\S*:\w+|web annotation|[\d.]{12,}|[0-9a-f]{8}-[0-9a-f-]{27}|\W*|"
    r"((planar|volumetric) )?(roi )?measurements?( group)?( \d+)?|segment(ation)?[ _-]?\d*",
    re.IGNORECASE,
)
# The random words of dwv: lower case, with digits in several places. A name such as ``seg4lesion`` has them in one.
_RANDOM = re.compile(r"(?=.{8,14}$)([a-z]*\d+[a-z]+\d+[a-z0-9]*|\d+[a-z]+)")
_TEMPLATE = re.compile(r"\{\w*\}")
_NOBODY = re.compile(r"([\s^]|unknown|anonymous|unspecified|none)*", re.IGNORECASE)
_MOST_NAME = 64


def given_name(label: str) -> str:
    """What a person called something; empty where only a program named it."""
    name = _TEMPLATE.sub("", label).strip()[:_MOST_NAME]
    return "" if _MACHINE.fullmatch(name) or _RANDOM.fullmatch(name) else name


def person(name: str) -> str:
    """A person's name as people write it: the first of its groups, its parts in their order (PS3.5 6.2.1)."""
    first = next((group for group in name.split("=") if group.strip("^ ")), "")
    return "" if _NOBODY.fullmatch(first) else " ".join(part for part in first.split("^") if part.strip())[:_MOST_NAME]
