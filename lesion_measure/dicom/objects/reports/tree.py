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
_MOST_ITEMS = 20_000
_MOST_REFERENCES = 4
_LONGEST_REFERENCE = 200
_MOST_IMAGES = 8
_IMAGES = ("IMAGE", "COMPOSITE")
_GRAPHICS = ("SCOORD", "SCOORD3D")


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


def read_tree(dataset: Dataset, path: str, nesting: int) -> Item:
    """The root of a report's content tree, whose items may lie so deep in each other (``limits.nesting``).

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
                "The structured report is damaged, or larger than any report is: a part of it cannot be read.",
                remedy="Export the report anew.",
                code="sr_damaged",
                path=path,
            )
        count += len(held)
        if count > _MOST_ITEMS or (held and len(item.place) >= nesting):
            raise InputError(
                "The structured report has more content than any that viewers or scanners write.",
                remedy="Export the report anew, or raise limits.nesting if it can be trusted and is merely deep.",
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
    """Put what items by reference mean in their place, images first: a graphic meant by a number brings its images."""
    places = {item.place: item for item in (root, *root.below())}
    for kinds in (_IMAGES, _GRAPHICS):
        for item in places.values():
            for at, child in enumerate(item.children):
                meant = None if child.kind else _meant(child, places)
                if meant is not None and meant.kind in kinds:
                    item.children[at] = _copy(meant, item, child.relationship)


def _meant(item: Item, places: dict[tuple[int, ...], Item]) -> Item | None:
    """The item that one by reference means, over some references at most; None where there is none."""
    for _ in range(_MOST_REFERENCES):
        stated = numbers(item.dataset, "ReferencedContentItemIdentifier")[:_LONGEST_REFERENCE]
        found = places.get(tuple(int(number or 0) for number in stated))
        if found is None or found.kind:
            return found
        item = found
    return None


def _copy(meant: Item, parent: Item, relationship: str) -> Item:
    """An item in another place, with its images and nothing below them: so no reference leads back to itself."""
    copied = Item(meant.dataset, meant.place, parent, relationship, meant.kind, meant.concept)
    images = [child for child in meant.children if child.kind in _IMAGES][:_MOST_IMAGES]
    copied.children = [
        Item(child.dataset, child.place, copied, child.relationship, child.kind, child.concept) for child in images
    ]
    return copied
