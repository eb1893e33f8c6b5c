"""A structured report as drawings, and a refusal for each measurement that cannot be used."""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import replace

from pydicom import Dataset

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import items, text, uid
from lesion_measure.dicom.objects.ours import is_ours
from lesion_measure.dicom.objects.reports import faults, words
from lesion_measure.dicom.objects.reports.context import (
    Context,
    is_absent,
    is_directional,
    is_dwv,
    lesion_of,
    plane_of,
    said,
)
from lesion_measure.dicom.objects.reports.groups import Group, Measured, groups_of
from lesion_measure.dicom.objects.reports.lines import Line, best_ranks, joined, lines_of
from lesion_measure.dicom.objects.reports.quantities import LENGTHS, Quantity
from lesion_measure.dicom.objects.reports.shapes import Fault, Shape
from lesion_measure.dicom.objects.reports.structures import Structure, of_what
from lesion_measure.dicom.objects.reports.tree import Item, read_tree
from lesion_measure.errors import InputError
from lesion_measure.records import Axis, Drawing, Drawings, ObjectKind, Origin, Refusal, is_liver

# Reports on the heart, vessels, a pregnancy, or findings of CAD in other organs, unless they speak of a lesion.
_TITLES_OF_OTHERS = {
    ("DCM", value)
    for value in ("125000", "125100", "125200", "125195", "125197", "125300", "111036", "112000", "112220")
}
_ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.7")
_MOST_REFUSALS = 100
_NOT_LESIONS = {Structure.OTHER: "of another structure", Structure.LIVER: "of the liver itself"}
_REPEATED = "it was also drawn in another way in the same group, which is not used"
_HALVES = "dwv states half of the ellipse's width and height as long and short axis"
_STRANGE_UNIT = "the report states its length in a unit that is not known: it was not compared"
_BY_PROGRAM = "it was drawn by a program, and no reader is named"


def read_sr(dataset: Dataset, path: str, nesting: int = Limits().nesting) -> Drawings:
    """What a structured report draws of lesions on images, as yet held against no image.

    Points are (row, column) with pixel centres at integers: SCOORD's less half a pixel (PS3.3 C.18.6.1.1). Nothing is
    raised: a report that cannot be read is one refusal. ``path`` names the file in refusals and origins; ``nesting`` is
    how deep its items may lie in each other.
    """
    # pydicom's remarks on values can quote them, and would go to the user's screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sop_instance_uid = uid(dataset, "SOPInstanceUID")
        try:
            root = read_tree(dataset, path, nesting)
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
        self._is_viewers = words.is_one(root.concept, words.REPORT)
        self._is_ours = is_ours(root.dataset)
        self._evidence = _evidence(root.dataset)
        self._title = [root.concept] if of_what([], [root.concept]) is Structure.OTHER else []
        self._drawn: dict[tuple[object, ...], Drawing] = {}
        self._refused: list[Refusal] = []
        self._listed: list[Refusal] = []
        self._others: dict[str, int] = defaultdict(int)
        for group in groups_of(root):
            self._read(group)

    def drawings(self) -> Drawings:
        """Each line once, in the order of the report."""
        if self._is_ours and self._drawn:
            self._others.clear()  # what follows from these calipers: it was computed, and is again
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
        mine: list[Measured] = []
        for each in group.measured:
            why_not = self._why_no_lesion(group, each, lesion)
            if why_not is None:
                mine.append(each)
            else:
                self._count(each, why_not)
        if not mine:
            return
        bare = [quantity for each in mine if not each.shapes for quantity in each.quantities]
        found = [(line, each.item) for each in mine for line in self._lines(group, each, bare, lesion)]
        best = best_ranks([line for line, _ in found])
        for line, item in found:
            if line.rank == best[line.frame][0]:
                repeated = (
                    line.rank < best[line.frame][1] and not self._is_ours
                )  # whose outline has the axes' own lines
                remark = _REPEATED if repeated else ""
                self._keep(self._drawing(line, group, item, lesion), remark)
        has_shapes = any(each.shapes for each in mine)
        self._without_shape(group, bare, has_shapes, lesion)

    def _without_shape(self, group: Group, bare: list[Quantity], has_shapes: bool, lesion: str) -> None:
        """Numbers that nothing was drawn for: what is lost by that, and is told."""
        lengths = [each for each in bare if each.measure in LENGTHS]
        if has_shapes:
            for each in lengths:
                self._others[f"{_meaning(each)}, without points"] += 1
        elif is_absent(group.item):
            self._absent(group, lesion)
        elif group.segmentation_uid and bare:
            self._fault(Fault.SEGMENTATION, group, Shape("", (), group.segmentation_uid), lesion)
        elif lengths:
            self._refused.append(faults.without_points(lengths, _named(group), lesion))
        else:
            for each in bare:
                self._others[_meaning(each)] += 1

    def _absent(self, group: Group, lesion: str) -> None:
        """A reader's statement that a lesion is gone: on the group's image, else on the first of the report.

        It holds for the visit, whose images they are; a program's own finding of nothing is no statement.
        """
        image_uid = next((uid for uid in (*group.image_uids, self._evidence) if uid), "")
        if lesion and image_uid and self._context.around(group.item).reader:
            shape = Shape("", (), image_uid, 1)
            self._keep(self._drawing(Line((), Axis.ABSENT, None, shape), group, group.item, lesion), "")
        else:
            self._refused.append(faults.absent(_named(group), lesion))

    def _why_no_lesion(self, group: Group, measured: Measured, lesion: str) -> str | None:
        """Why numbers and shapes are no liver lesion's; None where they are: said so, or a viewer's without a word.

        A scanner that names no lesion measures the organ at the site. The lesion name ``liver`` is the organ's own, as
        in caliper files.
        """
        around = self._context.around(measured.item)
        if around.is_derived:
            return "derived from others"
        if is_directional(group.item):
            return "along one direction of the image alone"
        things = [*around.things, *self._title, *(() if self._is_viewers else around.sites)]
        structure = of_what(things, around.sites, lesion)
        if structure is Structure.LESION or (structure is Structure.LIVER and is_liver(lesion)):
            return None
        if structure is Structure.UNSAID and not self._speaks_of_others:
            is_plain = bool(measured.quantities) and all(each.is_plain for each in measured.quantities)
            return None if group.number or is_plain else ""
        return _NOT_LESIONS.get(structure, "")

    def _lines(self, group: Group, measured: Measured, bare: list[Quantity], lesion: str) -> list[Line]:
        """What the shapes of some numbers give.

        Newer viewers put an outline below the first number of a group; those without a shape are its own, too.
        """
        has_length = any(each.measure in LENGTHS for each in measured.quantities)
        pair = joined(measured.shapes) if has_length else None
        lines: list[Line] = []
        for shape in (pair,) if pair else measured.shapes:
            found = lines_of([*measured.quantities, *(bare if len(shape.points) > 2 else ())], shape)
            if isinstance(found, list):
                lines += found
                if not found and has_length:
                    self._fault(Fault.NO_LINE, group, shape, lesion)
                elif not found:
                    self._count(measured, faults.graphic(shape))
            else:
                self._fault(found, group, shape, lesion)
        return [_told(line, group) for line in lines]

    def _fault(self, fault: Fault, group: Group, shape: Shape, lesion: str) -> None:
        kept = self._listed if fault is Fault.SEGMENTATION or shape.modality else self._refused
        kept.append(faults.of_shape(fault, _named(group), shape, lesion))

    def _count(self, measured: Measured, why: str) -> None:
        for each in measured.quantities:
            self._others[", ".join(part for part in (_meaning(each), why) if part)] += 1
        if not measured.quantities and measured.shapes:
            self._others[why or "a region that nothing was measured of"] += len(measured.shapes)

    def _keep(self, drawing: Drawing, remark: str) -> None:
        known = (drawing.image_uid, drawing.frame, drawing.points, drawing.group)
        told = (*drawing.warnings, remark) if remark else drawing.warnings
        self._drawn.setdefault(known, replace(drawing, warnings=told))

    def _drawing(self, line: Line, group: Group, item: Item, lesion: str) -> Drawing:
        around = self._context.around(item)
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
        is_strange = line.stated is not None and line.stated.strange_unit
        by_program = bool(around.algorithm) and not around.reader
        remarks = (line.remark, _STRANGE_UNIT * is_strange, _BY_PROGRAM * by_program)
        return Drawing(
            image_uid=line.shape.image_uid,
            frame=line.shape.frame,
            points=line.points,
            axis=line.axis,
            lesion=lesion,
            group=group.key,
            reader=self._context.reader_of(item),
            origin=origin,
            plane=plane_of(group.item),
            warnings=tuple(remark for remark in remarks if remark),
            modality=line.shape.modality,
        )


def _told(line: Line, group: Group) -> Line:
    """A line with what is stated of it; not held against dwv's half axes of an ellipse."""
    if line.shape.graphic != "ELLIPSE" or line.stated is None or not is_dwv(group.item):
        return line
    return replace(line, stated=replace(line.stated, mm=None), remark=f"{line.remark}; {_HALVES}")


def _evidence(dataset: Dataset) -> str:
    """The first ultrasound image that the report says it rests on (PS3.3 C.17.2.3)."""
    for study in items(dataset, "CurrentRequestedProcedureEvidenceSequence") or []:
        for series in items(study, "ReferencedSeriesSequence") or []:
            for instance in items(series, "ReferencedSOPSequence") or []:
                if uid(instance, "ReferencedSOPClassUID").startswith(_ULTRASOUND):
                    return uid(instance, "ReferencedSOPInstanceUID")
    return ""


def _meaning(quantity: Quantity) -> str:
    return quantity.concept.meaning[:40] or "a number"


def _named(group: Group) -> str:
    """Which group of its report it is, for people."""
    return f"Group {group.number}" if group.number else f"Item {group.key}"
