"""The content tree of a structured report (PS3.3 C.17.3), from untrusted bytes: bounded in depth and number of items.

Content items by reference (``ReferencedContentItemIdentifier``) are followed to the item they mean, and never walked
into: a report that refers to itself costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydicom import Dataset

from lesion_measure.dicom.elements import items, numbers, text
from lesion_measure.errors import InputError

# Echocardiography reports, the largest, have some 5,000 items, ten levels deep.
_MOST_ITEMS = 50_000
_MOST_DEPTH = 30
_MOST_REFERENCES = 4


@dataclass(frozen=True, slots=True)
class Code:
    """A coded word: value, coding scheme and meaning (PS3.3 8.8); each empty where it is missing."""

    value: str = ""
    scheme: str = ""
    meaning: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Scheme and value, to look the word up; SNOMED's three designators of one scheme are one (PS3.16 8.1)."""
        return ("SRT" if self.scheme in ("SNM3", "99SDM") else self.scheme), self.value

    @property
    def words(self) -> str:
        """The meaning in lower case."""
        return self.meaning.casefold()


@dataclass(slots=True, eq=False)
class Item:
    """One content item. ``place`` is its position in the tree, (1,) for the root (PS3.3 C.17.3.2.5)."""

    dataset: Dataset = field(repr=False)
    place: tuple[int, ...]
    parent: Item | None = field(repr=False)
    relationship: str
    kind: str
    concept: Code
    children: list[Item] = field(default_factory=list, repr=False)

    def below(self) -> Iterator[Item]:
        """Every item under this one, in the order of the report."""
        waiting = self.children[::-1]
        while waiting:
            item = waiting.pop()
            yield item
            waiting.extend(item.children[::-1])

    def above(self) -> Iterator[Item]:
        """The items that hold this one, the nearest first."""
        item = self.parent
        while item is not None:
            yield item
            item = item.parent


def read_tree(dataset: Dataset, path: str) -> Item:
    """The root of a report's content tree.

    Raises
    ------
    InputError
        Code ``sr_damaged``: a sequence cannot be read; ``sr_too_large``: more items, or deeper, than any report has.
    """
    root = _item(dataset, (1,), None)
    waiting = [root]
    count = 1
    while waiting:
        item = waiting.pop()
        held = items(item.dataset, "ContentSequence")
        if held is None:
            raise InputError(
                "The structured report is damaged: a part of its content cannot be read.",
                remedy="Export the report anew.",
                code="sr_damaged",
                path=path,
            )
        count += len(held)
        if count > _MOST_ITEMS or (held and len(item.place) >= _MOST_DEPTH):
            raise InputError(
                "The structured report has more content than any that is written by a viewer or scanner.",
                remedy="Export the report anew.",
                code="sr_too_large",
                path=path,
            )
        item.children = [_item(each, (*item.place, number), item) for number, each in enumerate(held, start=1)]
        waiting.extend(item.children)
    _follow(root)
    return root


def code(dataset: Dataset, keyword: str) -> Code:
    """The first code of a code sequence; an empty one where there is none."""
    first = next(iter(items(dataset, keyword) or ()), None)
    if first is None:
        return Code()
    value = text(first, "CodeValue") or text(first, "LongCodeValue") or text(first, "URNCodeValue")
    return Code(value, text(first, "CodingSchemeDesignator"), text(first, "CodeMeaning"))


def _item(dataset: Dataset, place: tuple[int, ...], parent: Item | None) -> Item:
    relationship, kind = text(dataset, "RelationshipType").upper(), text(dataset, "ValueType").upper()
    return Item(dataset, place, parent, relationship, kind, code(dataset, "ConceptNameCodeSequence"))


def _follow(root: Item) -> None:
    """Put what items by reference mean in their place: value and children of the item they refer to."""
    places = {item.place: item for item in (root, *root.below())}
    for item in list(places.values()):
        for at, child in enumerate(item.children):
            meant = child
            for _ in range(_MOST_REFERENCES):
                if meant.kind or "ReferencedContentItemIdentifier" not in meant.dataset:
                    break
                stated = numbers(meant.dataset, "ReferencedContentItemIdentifier")[: _MOST_DEPTH + 1]
                found = places.get(tuple(int(number or 0) for number in stated))
                if found is None:
                    break
                meant = found
            if meant is not child and meant.kind in ("SCOORD", "SCOORD3D", "IMAGE", "COMPOSITE", "CODE", "TEXT"):
                item.children[at] = Item(
                    meant.dataset, meant.place, item, child.relationship, meant.kind, meant.concept, meant.children
                )
