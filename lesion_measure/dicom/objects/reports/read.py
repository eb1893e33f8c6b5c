"""A structured report as drawings, and a refusal for each measurement that cannot be used."""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import replace

from pydicom import Dataset

from lesion_measure.dicom.elements import text, uid
from lesion_measure.dicom.objects.reports import faults, words
from lesion_measure.dicom.objects.reports.context import Context, lesion_of, said
from lesion_measure.dicom.objects.reports.groups import Group, Measured, groups_of
from lesion_measure.dicom.objects.reports.lines import Line, joined, lines_of
from lesion_measure.dicom.objects.reports.quantities import LENGTHS, Quantity
from lesion_measure.dicom.objects.reports.shapes import Fault, Shape
from lesion_measure.dicom.objects.reports.structures import Structure, of_what
from lesion_measure.dicom.objects.reports.tree import Item, read_tree
from lesion_measure.errors import InputError
from lesion_measure.records import Drawing, Drawings, ObjectKind, Origin, Refusal

# Reports whose measurements are of the heart, of vessels or of a pregnancy, unless they speak of a lesion.
_TITLES_OF_OTHERS = {("DCM", value) for value in ("125000", "125100", "125200", "125195", "125197", "125300")}
_MOST_REFUSALS = 100
_NO_LESION = "another structure than a liver lesion"


def read_sr(dataset: Dataset, path: str) -> Drawings:
    """What a structured report draws of lesions on images, as yet held against no image.

    Points are (row, column) with pixel centres at integers: SCOORD's less half a pixel (PS3.3 C.18.6.1.1). Nothing is
    raised: a report that cannot be read is one refusal. ``path`` names the file in refusals and origins.
    """
    # pydicom's remarks on values can quote them, and would go to the user's screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sop_instance_uid = uid(dataset, "SOPInstanceUID")
        try:
            root = read_tree(dataset, path)
        except InputError as error:
            return Drawings(refusals=(Refusal.from_error(error, sop_instance_uid=sop_instance_uid or None),))
        return _Reading(root, path, sop_instance_uid, Context(text(dataset, "PatientName"))).drawings()


class _Reading:
    """One report being read: what was drawn so far, and what could not be used."""

    def __init__(self, root: Item, path: str, sop_instance_uid: str, context: Context) -> None:
        self._path = path
        self._uid = sop_instance_uid
        self._context = context
        self._speaks_of_others = words.is_one(root.concept, _TITLES_OF_OTHERS)
        self._drawn: dict[tuple[object, ...], Drawing] = {}
        self._refused: list[Refusal] = []
        self._listed: list[Refusal] = []
        self._others: dict[str, int] = defaultdict(int)
        for group in groups_of(root):
            self._read(group)

    def drawings(self) -> Drawings:
        """Each line once, in the order of the report."""
        if self._others or not (self._drawn or self._refused or self._listed):
            self._listed.append(faults.others(self._others))
        return Drawings(tuple(self._drawn.values()), self._with_path(self._refused), self._with_path(self._listed))

    def _with_path(self, refusals: list[Refusal]) -> tuple[Refusal, ...]:
        kept, more = refusals[:_MOST_REFUSALS], refusals[_MOST_REFUSALS:]
        if more:
            kept.append(faults.more(len(more)))
        return tuple(
            replace(each, path=self._path, sop_instance_uid=each.sop_instance_uid or self._uid or None) for each in kept
        )

    def _read(self, group: Group) -> None:
        lesion = lesion_of(group.item, group.measured[0].item)
        everything = [quantity for measured in group.measured for quantity in measured.quantities]
        is_used = False
        bare: list[Quantity] = []
        for measured in group.measured:
            if not self._is_lesion(group, measured, lesion):
                self._count(measured, _NO_LESION)
            elif not measured.shapes:
                bare += measured.quantities
            else:
                is_used |= self._draw(group, measured, everything, lesion)
        lengths = [each for each in bare if each.measure in LENGTHS]
        if group.segmentation_uid and bare and not is_used:
            self._fault(Fault.SEGMENTATION, group, Shape("", (), group.segmentation_uid), lesion)
        elif lengths:
            self._refused.append(faults.without_points(lengths, _named(group), lesion))
        elif not is_used:
            for each in bare:
                self._others[each.concept.meaning[:40] or "a number"] += 1

    def _is_lesion(self, group: Group, measured: Measured, lesion: str) -> bool:
        """Whether numbers and shapes are a lesion's: said so, or nothing said where a viewer measures lesions."""
        around = self._context.around(measured.item)
        structure = of_what(around.things, around.sites, lesion)
        if structure is not Structure.UNSAID:
            return structure is Structure.LESION
        is_plain = all(each.is_plain for each in measured.quantities)
        return not self._speaks_of_others and (bool(group.number) or is_plain)

    def _draw(self, group: Group, measured: Measured, everything: list[Quantity], lesion: str) -> bool:
        """Draw each shape once; whether any of them was a lesion's drawing, usable or not."""
        pair = joined(measured.shapes) if any(each.measure in LENGTHS for each in measured.quantities) else None
        found = False
        for shape in (pair,) if pair else measured.shapes:
            lines = lines_of(measured.quantities, shape)
            if not lines:  # newer viewers put the shape below the first number, the area below another
                lines = lines_of(everything, shape)
            if isinstance(lines, Fault):
                self._fault(lines, group, shape, lesion)
            elif not lines:
                self._count(measured, faults.graphic(shape))
                continue
            else:
                for line in lines:
                    self._keep(self._drawing(line, group, measured.item, lesion))
            found = True
        return found

    def _fault(self, fault: Fault, group: Group, shape: Shape, lesion: str) -> None:
        kept = self._listed if fault is Fault.SEGMENTATION else self._refused
        kept.append(faults.of_shape(fault, _named(group), shape, lesion))

    def _count(self, measured: Measured, why: str) -> None:
        for quantity in measured.quantities:
            self._others[f"{quantity.concept.meaning[:40] or 'a number'}, {why}"] += 1
        if not measured.quantities:
            self._others[why] += len(measured.shapes)

    def _keep(self, drawing: Drawing) -> None:
        known = (drawing.image_uid, drawing.frame, drawing.points, drawing.group)
        self._drawn.setdefault(known, drawing)

    def _drawing(self, line: Line, group: Group, item: Item, lesion: str) -> Drawing:
        origin = Origin(
            kind=ObjectKind.SR,
            path=self._path,
            sop_instance_uid=self._uid,
            item=_named(group).casefold(),
            tracking_uid=said(group.item, words.TRACKING_UID) or said(item, words.TRACKING_UID),
            tracking_identifier=said(group.item, words.TRACKING_IDENTIFIER) or said(item, words.TRACKING_IDENTIFIER),
            stated=line.stated.stated if line.stated else "",
            stated_mm=line.stated.mm if line.stated else None,
        )
        return Drawing(
            image_uid=line.shape.image_uid,
            frame=line.shape.frame,
            points=line.points,
            axis=line.axis,
            lesion=lesion,
            group=group.key,
            reader=self._context.reader_of(item),
            origin=origin,
            warnings=(line.remark,) if line.remark else (),
        )


def _named(group: Group) -> str:
    """Which group of its report it is, for people."""
    return f"Group {group.number}" if group.number else f"Item {group.key}"
