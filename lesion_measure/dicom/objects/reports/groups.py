"""The measurements of a report, one lesion's at a time: each number with the shapes it was taken from.

A Measurement Group (PS3.16 TID 1501, DCM 125007), or a container that states a finding or is tracked, is one lesion's.
So is a container whose heading speaks of a lesion. Elsewhere each number stands for itself, together with those that
share its tracking UID.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from lesion_measure.dicom.elements import items, uid
from lesion_measure.dicom.objects.reports import words
from lesion_measure.dicom.objects.reports.context import is_absent, said
from lesion_measure.dicom.objects.reports.quantities import Measure, Quantity, quantity
from lesion_measure.dicom.objects.reports.shapes import SEGMENTATION_CLASSES, Shape, shape
from lesion_measure.dicom.objects.reports.structures import names_lesion
from lesion_measure.dicom.objects.reports.tree import Item

_GRAPHICS = ("SCOORD", "SCOORD3D")
_IMAGES = ("IMAGE", "COMPOSITE")
_CONTEXT = ("HAS OBS CONTEXT", "HAS ACQ CONTEXT")
_OF_ONE_LESION = words.FINDING | words.TRACKING_IDENTIFIER | words.TRACKING_UID
_NEVER_ONE = words.REPORT | words.MEASUREMENTS


@dataclass(frozen=True, slots=True)
class Measured:
    """Numbers and the shapes that they were taken from; either may be empty. ``item`` is what holds them."""

    item: Item
    quantities: tuple[Quantity, ...] = ()
    shapes: tuple[Shape, ...] = ()


@dataclass(slots=True, eq=False)
class Group:
    """What was measured of one thing. ``item`` is what holds it; ``number`` counts groups from 1, else 0."""

    item: Item
    number: int = 0
    key: str = ""
    measured: list[Measured] = field(default_factory=list)
    segmentation_uid: str = ""
    image_uids: tuple[str, ...] = ()


def groups_of(root: Item) -> list[Group]:
    """Every group of a report that holds a number or a shape, in the order of the report."""
    found: list[Group] = []
    lone: dict[Hashable, Group] = {}
    count = 0
    waiting = [root]
    while waiting:
        item = waiting.pop()
        if _is_group(item):
            count += 1
            inner = _measurement_group(item, count, found)
            waiting.extend(inner[::-1])
        elif _is_number(item) or item.kind in _GRAPHICS:
            _lone(item, found, lone)
        elif not words.is_one(item.concept, words.IMAGE_LIBRARY):
            waiting.extend(item.children[::-1])
    return [group for group in found if group.measured or is_absent(group.item)]


def _is_group(item: Item) -> bool:
    if item.kind != "CONTAINER" or item.parent is None:
        return False
    if words.is_one(item.concept, words.GROUP):
        return True
    stated = any(words.is_one(child.concept, _OF_ONE_LESION) for child in item.children)
    return stated and not words.is_one(item.concept, _NEVER_ONE)


def _is_number(item: Item) -> bool:
    """Whether an item is a measured number, and not one that says when or how others were measured."""
    return item.kind == "NUM" and item.relationship not in _CONTEXT


def _lone(item: Item, found: list[Group], lone: dict[Hashable, Group]) -> None:
    """A number, or a shape, outside of any group: it joins those of its heading's lesion, or of its tracking UID."""
    if words.is_one(item.concept, words.FURNITURE):
        return
    heading, tracking_uid = item.parent, said(item, words.TRACKING_UID)
    if heading is not None and heading.parent is not None and names_lesion(heading.concept.meaning):
        holder, known = heading, _place(heading)
    else:
        holder, known = item, tracking_uid or _place(item)
    group = lone.get(known)
    if group is None:
        group = lone[known] = Group(holder, key=_place(holder))
        found.append(group)
    group.measured.append(_number(item, []) if item.kind == "NUM" else Measured(item, (), (shape(item, []),)))


def _measurement_group(item: Item, number: int, found: list[Group]) -> list[Item]:
    """Add a group's numbers with their own shapes; its other shapes belong to the numbers that have none.

    Groups inside of it are returned, to be read by themselves.
    """
    numbers, drawn, images, inner = _parts(item)
    measured = [_number(each, images) for each in numbers]
    bare = tuple(quantity for each in measured if not each.shapes for quantity in each.quantities)
    shapes = tuple(shape(each, images) for each in drawn)
    with_shapes = [each for each in measured if each.shapes]
    named = _references(images)
    segmentation_uid = next((each for each, is_one in named if is_one), "")
    image_uids = tuple(each for each, is_one in named if each and not is_one)
    for at, part in enumerate(_by_tracking(item, with_shapes)):
        found.append(Group(item, number, _place(item if at == 0 else part[0].item), part, segmentation_uid, image_uids))
    if bare or shapes or not with_shapes:
        if not with_shapes:
            found.append(Group(item, number, _place(item), [], segmentation_uid, image_uids))
        found[-1].measured.append(Measured(item, bare, shapes))
    return inner


def _parts(item: Item) -> tuple[list[Item], list[Item], list[Item], list[Item]]:
    """The numbers, shapes, images and groups inside a group. What lies below a text or a code measures nothing."""
    numbers: list[Item] = []
    drawn: list[Item] = []
    images: list[Item] = []
    inner: list[Item] = []
    waiting = item.children[::-1]
    while waiting:
        each = waiting.pop()
        if _is_group(each):
            inner.append(each)
        elif _is_number(each):
            numbers.append(each)
        elif each.kind in _IMAGES:
            images.append(each)
            waiting.extend(each.children[::-1])
        elif each.kind in _GRAPHICS:
            if not words.is_one(each.concept, words.FURNITURE):
                drawn.append(each)
        elif each.kind not in ("TEXT", "CODE"):
            waiting.extend(each.children[::-1])
    return numbers, drawn, images, inner


def _by_tracking(item: Item, measured: list[Measured]) -> list[list[Measured]]:
    """A group whose numbers are tracked one by one, and which itself is not, holds as many lesions as lengths.

    A long and a short axis are one lesion's, whatever their tracking.
    """
    uids = [said(each.item, words.TRACKING_UID) for each in measured]
    plain = all(each.measure is Measure.LENGTH for part in measured for each in part.quantities)
    if not plain or "" in uids or said(item, words.TRACKING_UID) or len(set(uids)) < 2:
        return [measured] if measured else []
    parts: dict[str, list[Measured]] = {}
    for tracked, part in zip(uids, measured, strict=True):
        parts.setdefault(tracked, []).append(part)
    return list(parts.values())


def _number(item: Item, images: list[Item]) -> Measured:
    """A NUM item with the shapes that it was inferred from, each of them once; ``images`` are those of its group."""
    graphics = {
        each.place: each
        for each in item.below()
        if each.kind in _GRAPHICS and not words.is_one(each.concept, words.FURNITURE)
    }
    own = [child for child in item.children if child.kind in _IMAGES] or images
    return Measured(item, (quantity(item),), tuple(shape(each, own) for each in graphics.values()))


def _references(images: list[Item]) -> list[tuple[str, bool]]:
    """SOP Instance UIDs of what a group's images are, each with whether it is a segmentation."""
    return [
        (uid(each, "ReferencedSOPInstanceUID"), uid(each, "ReferencedSOPClassUID") in SEGMENTATION_CLASSES)
        for item in images
        for each in items(item.dataset, "ReferencedSOPSequence") or []
    ]


def _place(item: Item) -> str:
    """The item's place in its document, as other programs count it (``1.5.2``)."""
    return ".".join(str(each) for each in item.place)
