"""The measurements of a report, lesion by lesion: each number with the shape it was taken from.

A Measurement Group (PS3.16 TID 1501, DCM 125007) is one lesion's. Elsewhere each number stands for itself, together
with those that share its tracking UID.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lesion_measure.dicom.objects.reports import words
from lesion_measure.dicom.objects.reports.quantities import Quantity, quantity
from lesion_measure.dicom.objects.reports.shapes import Shape, shape
from lesion_measure.dicom.objects.reports.tree import Item

_GRAPHICS = ("SCOORD", "SCOORD3D")
_IMAGES = ("IMAGE", "COMPOSITE")


@dataclass(frozen=True, slots=True)
class Measured:
    """Numbers and the shapes that they were taken from; either may be empty."""

    item: Item
    quantities: tuple[Quantity, ...] = ()
    shapes: tuple[Shape, ...] = ()


@dataclass(slots=True)
class Group:
    """What was measured of one thing: ``item`` is its container, or the one number that stands alone."""

    item: Item
    number: int
    is_measurement_group: bool
    measured: list[Measured] = field(default_factory=list)
    images: list[Item] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The group's place in its document, as other programs count it (``1.5.2``)."""
        return ".".join(str(each) for each in self.item.place)


def groups_of(root: Item) -> list[Group]:
    """Every group of a report that holds a number or a shape, in the order of the report."""
    found: list[Group] = []
    waiting = [root]
    while waiting:
        item = waiting.pop()
        if words.is_one(item.concept, words.GROUP):
            found.append(_measurement_group(item, len(found) + 1))
        elif item.kind == "NUM" or item.kind in _GRAPHICS:
            found.append(_lone(item, len(found) + 1))
        else:
            waiting.extend(item.children[::-1])
    return [group for group in found if group.measured or group.images]


def _lone(item: Item, number: int) -> Group:
    group = Group(item, number, is_measurement_group=False)
    if item.kind == "NUM":
        group.measured.append(_number(item, []))
    elif not words.is_one(item.concept, words.FURNITURE):
        group.measured.append(Measured(item, (), (shape(item, []),)))
    return group


def _measurement_group(item: Item, number: int) -> Group:
    """The numbers of a group with their own shapes; its other shapes belong to the numbers that have none."""
    group = Group(item, number, is_measurement_group=True)
    numbers: list[Item] = []
    drawn: list[Item] = []
    waiting = item.children[::-1]
    while waiting:
        each = waiting.pop()
        if each.kind == "NUM":
            numbers.append(each)
        elif each.kind in _GRAPHICS:
            if not words.is_one(each.concept, words.FURNITURE):
                drawn.append(each)
        elif each.kind in _IMAGES:
            group.images.append(each)
        elif each.kind not in ("TEXT", "CODE"):  # a label's place, and what modifies a code, measure nothing
            waiting.extend(each.children[::-1])
    measured = [_number(each, group.images) for each in numbers]
    bare = tuple(quantity for each in measured if not each.shapes for quantity in each.quantities)
    group.measured = [each for each in measured if each.shapes]
    shapes = tuple(shape(each, group.images) for each in drawn)
    if bare or shapes:
        group.measured.append(Measured(item, bare, shapes))
    return group


def _number(item: Item, images: list[Item]) -> Measured:
    """A NUM item with the shapes that it was inferred from, each of them once."""
    graphics = {
        each.place: each
        for each in item.below()
        if each.kind in _GRAPHICS and not words.is_one(each.concept, words.FURNITURE)
    }
    return Measured(item, (quantity(item),), tuple(shape(each, images) for each in graphics.values()))
