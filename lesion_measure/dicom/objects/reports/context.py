"""Who drew, and how the lesion is called: what a report says around its measurements (PS3.16 TID 1001, TID 1501)."""

from __future__ import annotations

import re

from lesion_measure.dicom.elements import text, uid
from lesion_measure.dicom.objects.reports import words
from lesion_measure.dicom.objects.reports.tree import Item, code

# What programs write where a name could stand: Cornerstone3DTools@^0.1.0:Length, dcmjs's and highdicom's defaults,
# UIDs and UUIDs, and the random words of dwv (digits amid letters).
_MACHINE = re.compile(
    r"\w+@\S*:\w+|web annotation|[\d.]{12,}|[0-9a-f]{8}-[0-9a-f-]{27}|"
    r"(?=[a-z]*\d+[a-z])[a-z0-9]{8,14}|\W*|(planar |volumetric )?(roi )?measurements?( group)?( \d+)?",
    re.IGNORECASE,
)
_CORNERSTONE = re.compile(r"cornerstone", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\w*\}")
_NOBODY = re.compile(r"([\s^]|unknown|anonymous|unspecified|none)*", re.IGNORECASE)
_MOST_NAME = 64
UNNAMED_READER = "SR"


def child_of(item: Item, concepts: set[tuple[str, str]]) -> Item | None:
    """The first child under one of the concepts."""
    return next((child for child in item.children if words.is_one(child.concept, concepts)), None)


def said(item: Item, concepts: set[tuple[str, str]]) -> str:
    """The text, name, UID or coded meaning of the first child under one of the concepts; empty where there is none."""
    found = child_of(item, concepts)
    return value_of(found) if found is not None else ""


def value_of(item: Item) -> str:
    """A TEXT, PNAME, UIDREF or CODE item's value as text."""
    if item.kind == "CODE":
        return code(item.dataset, "ConceptCodeSequence").meaning
    if item.kind == "UIDREF":
        return uid(item.dataset, "UID")
    return text(item.dataset, "TextValue") or text(item.dataset, "PersonName")


def reader_of(item: Item) -> str:
    """Who observed an item: the nearest person named above it, else the device, else ``SR``."""
    around = (item, *item.above())
    for concepts in (words.PERSON, words.DEVICE_NAME, words.DEVICE_MODEL):
        for each in around:
            name = _person(said(each, concepts))
            if name:
                return name
    return UNNAMED_READER


def lesion_of(group: Item) -> str:
    """What people call the lesion of a group: its tracking identifier, its label, or a finding typed as free text.

    Empty where only a program named it.
    """
    identifier = said(group, words.TRACKING_IDENTIFIER)
    labels = [identifier, said(group, words.SHORT_LABEL), _free_text(group)]
    if _CORNERSTONE.match(identifier):  # which keeps the label that a reader types as a comment
        labels.append(said(group, words.COMMENT))
    for label in labels:
        name = _TEMPLATE.sub("", label).strip()[:_MOST_NAME]
        if name and not _MACHINE.fullmatch(name):
            return name
    return ""


def _free_text(group: Item) -> str:
    """A label that Cornerstone writes as a code of its own."""
    for child in group.children:
        if child.kind == "CODE" and words.is_one(child.concept, words.FINDING):
            coded = code(child.dataset, "ConceptCodeSequence")
            if coded.value.upper().startswith("CORNERSTONEFREET"):
                return coded.meaning
    return ""


def _person(name: str) -> str:
    """A person's name as people write it: the first of its groups, its parts in their order (PS3.5 6.2.1)."""
    first = next((group for group in name.split("=") if group.strip("^ ")), "")
    return "" if _NOBODY.fullmatch(first) else " ".join(part for part in first.split("^") if part.strip())[:_MOST_NAME]
