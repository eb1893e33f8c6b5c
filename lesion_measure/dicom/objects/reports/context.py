"""Who drew, and how the lesion is called: what a report says around its measurements (PS3.16 TID 1001, TID 1501)."""

from __future__ import annotations

import re

from lesion_measure.dicom.elements import text, uid
from lesion_measure.dicom.objects.names import given_name, person
from lesion_measure.dicom.objects.reports import words
from lesion_measure.dicom.objects.reports.tree import Item, code

_CORNERSTONE = re.compile(r"cornerstone", re.IGNORECASE)
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
            name = person(said(each, concepts))
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
    return next((name for label in labels if (name := given_name(label))), "")


def _free_text(group: Item) -> str:
    """A label that Cornerstone writes as a code of its own."""
    for child in group.children:
        if child.kind == "CODE" and words.is_one(child.concept, words.FINDING):
            coded = code(child.dataset, "ConceptCodeSequence")
            if coded.value.upper().startswith("CORNERSTONEFREET"):
                return coded.meaning
    return ""
