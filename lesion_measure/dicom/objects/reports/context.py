"""Who drew, of what, and how the lesion is called: what a report says around its measurements (TID 1001, TID 1501)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lesion_measure.dicom.elements import text, uid
from lesion_measure.dicom.objects.names import given_name, person
from lesion_measure.dicom.objects.reports import words
from lesion_measure.dicom.objects.reports.structures import names_lesion
from lesion_measure.dicom.objects.reports.tree import Code, Item, code
from lesion_measure.records import Plane

# dwv names all that it draws by random words of lower case letters and digits.
_RANDOM = re.compile(r"[a-z0-9]{8,13}")
_CORNERSTONE = re.compile(r"cornerstone", re.IGNORECASE)
_SIZE_WORDS = re.compile(
    r"[\s,:_-]*\b(max(imum)?|min(imum)?|long|short|length|width|height|depth|diameter|axis|size|dist(ance)?|[lwhd]\d?)\b",
    re.IGNORECASE,
)
_DIRECTIONAL = re.compile(r"cornerstone.*:UltrasoundDirectional", re.IGNORECASE)
_LABELS = {
    f"{of}{what}"
    for of in ("", "lesion ", "roi ", "finding ", "annotation ", "measurement ")
    for what in ("label", "name")
} | {"lesion id", "lesion identifier", "lesion number"}
_MOST_NAME = 64
UNNAMED_READER = "SR"


@dataclass(frozen=True, slots=True)
class Around:
    """What holds for an item: who observed, and the codes of things and sites said at it and above it.

    ``is_derived`` says that it was computed from other measurements.
    """

    reader: str = ""
    device: str = ""
    algorithm: str = ""
    is_derived: bool = False
    things: tuple[Code, ...] = ()
    sites: tuple[Code, ...] = ()


@dataclass(slots=True)
class Context:
    """What is said around each item of one report. ``patient`` is never taken for a reader's name."""

    patient: str
    _known: dict[Item, Around] = field(default_factory=dict)

    def around(self, item: Item) -> Around:
        """What the item itself says, and whatever holds it. The title of the whole report says nothing."""
        path = [item]
        while path[-1] not in self._known and path[-1].parent is not None:
            path.append(path[-1].parent)
        for each in reversed(path):
            if each not in self._known:
                self._known[each] = self._with(each, self._known.get(each.parent) if each.parent else None)
        return self._known[item]

    def _with(self, item: Item, above: Around | None) -> Around:
        above = above or Around()
        things = list(above.things)
        sites = list(above.sites)
        if item.parent is not None and not words.is_one(item.concept, words.GROUP):
            things.append(item.concept)
        for child in item.children:
            if child.kind == "CODE" and words.is_one(child.concept, words.FINDING):
                things.append(code(child.dataset, "ConceptCodeSequence"))
            elif child.kind == "CODE" and words.is_one(child.concept, words.SITE):
                sites.append(code(child.dataset, "ConceptCodeSequence"))
        if item.kind == "CODE":
            things.append(code(item.dataset, "ConceptCodeSequence"))
        reader = person(said(item, words.PERSON))
        device = said(item, words.DEVICE_NAME) or said(item, words.DEVICE_MODEL)
        return Around(
            reader=above.reader if reader in ("", person(self.patient)) else reader,
            device=device[:_MOST_NAME] or above.device,
            algorithm=said(item, words.ALGORITHM)[:_MOST_NAME] or above.algorithm,
            is_derived=above.is_derived or words.is_one(item.concept, words.DERIVED),
            things=tuple(things),
            sites=tuple(sites),
        )

    def reader_of(self, item: Item) -> str:
        """Who observed an item: the nearest person named, else the algorithm, else the device, else ``SR``."""
        around = self.around(item)
        return around.reader or around.algorithm or around.device or UNNAMED_READER


def said(item: Item, concepts: set[tuple[str, str]]) -> str:
    """The text, name, UID or coded meaning of the first child under one of the concepts; empty where there is none."""
    found = next((child for child in item.children if words.is_one(child.concept, concepts)), None)
    if found is None:
        return ""
    if found.kind == "CODE":
        return code(found.dataset, "ConceptCodeSequence").meaning
    if found.kind == "UIDREF":
        return uid(found.dataset, "UID")
    return text(found.dataset, "TextValue") or text(found.dataset, "PersonName")


def lesion_of(item: Item, number: Item) -> str:
    """What people call the lesion of a group: its identifier, its label, a finding typed as free text.

    The first ``number`` may be tracked where the group is not. Scanners name a lesion in headings (``Liver Mass 1``)
    and in concepts (``Liver Mass 1 Length``).
    Empty where only a program named it.
    """
    identifier = said(item, words.TRACKING_IDENTIFIER) or said(number, words.TRACKING_IDENTIFIER)
    is_random = is_dwv(item) and _RANDOM.fullmatch(identifier)
    labels = [said(item, words.LESION_IDENTIFIER), "" if is_random else identifier]
    labels += [said(item, words.SHORT_LABEL), _label(item), _free_text(item)]
    if _CORNERSTONE.match(identifier):  # which keeps the label that a reader types as a comment
        labels.append(said(item, words.COMMENT))
    labels += [_in_heading(each.concept.meaning) for each in (number, item)]
    return next((name for label in labels if (name := given_name(label))), "")


def is_dwv(item: Item) -> bool:
    """Whether dwv drew a group: it writes the colour, and no name of its own."""
    return bool(said(item, words.COLOUR))


def is_directional(item: Item) -> bool:
    """Whether a group was drawn with Cornerstone's tool that measures along one direction of the image alone."""
    return bool(_DIRECTIONAL.search(said(item, words.TRACKING_IDENTIFIER)))


def plane_of(item: Item) -> Plane:
    """The scan plane that a group states (DCM 111031, Image View)."""
    views = (code(c.dataset, "ConceptCodeSequence") for c in item.children if words.is_one(c.concept, words.VIEW))
    return next((words.PLANES[view.key] for view in views if view.key in words.PLANES), Plane.UNKNOWN)


def is_absent(item: Item) -> bool:
    """Whether a group states that its lesion is gone."""
    return any(
        child.kind == "CODE"
        and words.is_one(child.concept, words.PRESENCE)
        and words.is_one(code(child.dataset, "ConceptCodeSequence"), words.ABSENT)
        for child in item.children
    )


def _in_heading(meaning: str) -> str:
    """The numbered lesion that a heading or concept speaks of; empty where it speaks of none, or of no certain one."""
    name = _SIZE_WORDS.sub("", meaning).strip()
    return name if names_lesion(name) and any(character.isdigit() for character in name) else ""


def _label(item: Item) -> str:
    """A text under a heading of a writer's own that says that it is a name."""
    for child in item.children:
        if child.kind == "TEXT" and child.concept.meaning.casefold().strip() in _LABELS:
            return text(child.dataset, "TextValue")
    return ""


def _free_text(item: Item) -> str:
    """A label that Cornerstone writes as a code of its own."""
    for child in item.children:
        if child.kind == "CODE" and words.is_one(child.concept, words.FINDING | words.SITE):
            coded = code(child.dataset, "ConceptCodeSequence")
            if coded.value.upper().startswith("CORNERSTONEFREET"):
                return coded.meaning
    return ""
