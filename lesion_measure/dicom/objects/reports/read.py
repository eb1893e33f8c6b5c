"""A structured report as drawings, and a refusal for each measurement that cannot be used."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from pydicom import Dataset

from lesion_measure.dicom.elements import uid
from lesion_measure.dicom.objects.reports import context, faults, words
from lesion_measure.dicom.objects.reports.groups import Group, Measured, groups_of
from lesion_measure.dicom.objects.reports.lines import Line, lines_of
from lesion_measure.dicom.objects.reports.quantities import Measure, Quantity
from lesion_measure.dicom.objects.reports.structures import Structure, of_what
from lesion_measure.dicom.objects.reports.tree import Item, code, read_tree
from lesion_measure.errors import InputError
from lesion_measure.records import Drawing, Drawings, ObjectKind, Origin, Refusal

_LENGTHS = (Measure.LONG, Measure.SHORT, Measure.LENGTH)


def read_sr(dataset: Dataset, path: str) -> Drawings:
    """What a structured report draws of lesions on images, as yet held against no image.

    Points are (row, column) with pixel centres at integers: SCOORD's less half a pixel (PS3.3 C.18.6.1.1). Nothing is
    raised: a report that cannot be read is one refusal. ``path`` names the file in refusals and origins.
    """
    # pydicom's remarks on values can quote them, and would go to the user's screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            root = read_tree(dataset, path)
        except InputError as error:
            return Drawings(refusals=(Refusal.from_error(error, sop_instance_uid=uid(dataset, "SOPInstanceUID")),))
        return _Reading(root, path, uid(dataset, "SOPInstanceUID")).drawings()


class _Reading:
    """One report being read: what was drawn so far, and what could not be used."""

    def __init__(self, root: Item, path: str, sop_instance_uid: str) -> None:
        self._root = root
        self._path = path
        self._uid = sop_instance_uid
        self._drawn: list[Drawing] = []
        self._refused: list[Refusal] = []
        self._others: dict[str, int] = defaultdict(int)

    def drawings(self) -> Drawings:
        groups = groups_of(self._root)
        for group in groups:
            self._read(group)
        if self._others or not (self._drawn or self._refused):
            self._refuse(faults.others(self._others))
        return Drawings(tuple(dict.fromkeys(self._drawn)), tuple(dict.fromkeys(self._refused)))

    def _read(self, group: Group) -> None:
        lesion = context.lesion_of(group.item)
        for measured in group.measured:
            structure = of_what(self._said_of(group, measured.item, lesion))
            if structure in (Structure.OTHER, Structure.LIVER):
                self._count(measured, "of another structure than a liver lesion")
                continue
            lines = [line for shape in measured.shapes for line in self._lines(measured, group, shape.place, lesion)]
            self._drawn.extend(self._drawing(line, group, measured.item, lesion) for line in lines)

    def _lines(self, measured: Measured, group: Group, place: tuple[int, ...], lesion: str) -> Iterator[Line]:
        shape = next(each for each in measured.shapes if each.place == place)
        if shape.fault is not None:
            self._refuse(faults.of_shape(shape, lesion))
            return
        quantities = tuple(each for other in group.measured for each in other.quantities)
        lines = lines_of(measured.quantities, shape)
        if not lines and any(each.measure is Measure.AREA for each in quantities):
            lines = lines_of(quantities, shape)
        if not lines:
            self._others["drawn as " + faults.graphic(shape)] += 1
        yield from lines

    def _count(self, measured: Measured, why: str) -> None:
        self._others[why] += max(len(measured.quantities), 1)

    def _drawing(self, line: Line, group: Group, item: Item, lesion: str) -> Drawing:
        stated = line.quantity or Quantity(Measure.OTHER, item.concept)
        origin = Origin(
            kind=ObjectKind.SR,
            path=self._path,
            sop_instance_uid=self._uid,
            item=f"group {group.number}" if group.is_measurement_group else f"item {group.key}",
            tracking_uid=context.said(group.item, words.TRACKING_UID) or context.said(item, words.TRACKING_UID),
            tracking_identifier=context.said(group.item, words.TRACKING_IDENTIFIER),
            stated=stated.stated,
            stated_mm=stated.mm,
        )
        return Drawing(
            image_uid=line.shape.image_uid,
            frame=line.shape.frame,
            points=line.points,
            axis=line.axis,
            lesion=lesion,
            group=group.key,
            reader=context.reader_of(item),
            origin=origin,
        )

    def _said_of(self, group: Group, item: Item, lesion: str) -> Iterator[str]:
        """Every word that tells of what was measured: concepts and headings, findings and sites, and the label."""
        yield lesion
        for each in (item, *item.above()):
            if each is self._root:
                break
            if not words.is_one(each.concept, words.GROUP):
                yield each.concept.meaning
            for child in each.children:
                if child.kind == "CODE" and (
                    words.is_one(child.concept, words.FINDING) or words.is_one(child.concept, words.SITE)
                ):
                    yield code(child.dataset, "ConceptCodeSequence").meaning

    def _refuse(self, refusal: Refusal) -> None:
        known = refusal.sop_instance_uid or self._uid or None
        self._refused.append(replace(refusal, path=self._path, sop_instance_uid=known))
