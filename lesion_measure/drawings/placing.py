"""What an object draws, held against the images of the input: on which image and frame each drawing lies.

An image is known by its SOP Instance UID alone. What lies on no image of the input, or on no one frame, is refused. It
is held against the child that the object's study, its patient, or the images beside the file tell.
"""

from __future__ import annotations

import math
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from lesion_measure.records import (
    Axis,
    Caliper,
    Drawing,
    DrawnObject,
    Instance,
    ObjectKind,
    Plane,
    Point,
    Refusal,
    StudyList,
    shown_name,
)
from lesion_measure.tables.matching import Unmatched

NO_CALIPERS, BESIDE_CALIPERS = "no_calipers", "beside_calipers"
"""Codes of what an object holds that is no caliper of a lesion: alone, and beside some. Nothing is lost by it."""
MOST_ITEMS = 5
_OTHER_PATIENT = "names another patient than the image that it was drawn on"
SAME_PX = 0.05
"""Ends nearer than this are the same: tables keep three decimals or fewer, DICOM seven digits. No hand repeats that."""
_AGAIN = "Draw it anew in a viewer, or give it in a caliper file."


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A drawing on one frame (1-based) of an image of the input. ``axis`` and ``lesion`` as far as they are known.

    ``completes``: it is the other axis of a caliper that is known already.
    """

    drawing: Drawing
    held_in: DrawnObject
    image: Instance
    frame: int
    axis: Axis | None
    lesion: str
    reader: str
    plane: Plane = Plane.UNKNOWN
    completes: bool = False

    @property
    def is_outline(self) -> bool:
        """Whether it is an outline, and neither a line nor the statement that the lesion is absent."""
        return self.drawing.mask is not None or len(self.drawing.points) > 2


class Images:
    """The images of the input, and what else tells whose an object is."""

    def __init__(self, studies: StudyList) -> None:
        self._all = tuple(studies.instances)
        self._by_uid: dict[str, list[Instance]] = defaultdict(list)
        for image in self._all:
            self._by_uid[image.sop_instance_uid].append(image)
        self._refused = {r.sop_instance_uid: r for r in studies.refusals if r.sop_instance_uid}

    def of_uid(self, uid: str) -> Sequence[Instance]:
        """The images of one SOP Instance UID."""
        return self._by_uid.get(uid, ())

    def why_refused(self, uid: str) -> Refusal | None:
        """Why the image of this UID is none of the input's."""
        return self._refused.get(uid)

    def near(self, held_in: DrawnObject) -> tuple[Instance, ...]:
        """The images of the child that an object is about, as far as study, patient or folder tell; else none."""
        same_study = tuple(i for i in self._all if i.study_instance_uid == held_in.study_instance_uid)
        if same_study:
            return same_study
        codes = {code for code in (held_in.subject, held_in.patient) if code}
        same_patient = tuple(i for i in self._all if codes & {i.subject, i.patient})
        if same_patient:
            return same_patient
        beside = self._beside(held_in.path)
        contradicts = held_in.patient and any(i.patient and i.patient != held_in.patient for i in beside)
        return () if contradicts or len({i.subject for i in beside}) > 1 else beside

    def _beside(self, path: str) -> tuple[Instance, ...]:
        """The images in the nearest folder above a file that holds any."""
        folder = posixpath.dirname(path)
        while True:
            found = tuple(i for i in self._all if not folder or i.path.startswith(f"{folder}/"))
            if found or not folder:
                return found
            folder = posixpath.dirname(folder)


@dataclass(slots=True)
class PlacedAll:
    """Drawings on images, and those on none, with what they may be about."""

    placed: list[Placed] = field(default_factory=list)
    unmatched: list[Unmatched] = field(default_factory=list)
    listed: list[Refusal] = field(default_factory=list)


def place(objects: Iterable[DrawnObject], images: Images) -> PlacedAll:
    """Every drawing of every object, on its image and frame or refused."""
    found = PlacedAll()
    for held_in in objects:
        drawn = [d for d in held_in.drawings.drawn if images.of_uid(d.image_uid) or not d.modality]
        others = _no_ultrasound([d for d in held_in.drawings.drawn if d not in drawn], held_in)
        code = BESIDE_CALIPERS if drawn else NO_CALIPERS
        found.listed += [replace(other, code=code) for other in (*others, *held_in.drawings.listed)]
        here = [d for d in drawn if images.of_uid(d.image_uid) or images.why_refused(d.image_uid)]
        found.unmatched += _not_here([d for d in drawn if d not in here], held_in, images)
        outcomes = [_place(drawing, held_in, images) for drawing in here]
        placed = [outcome for outcome in outcomes if isinstance(outcome, Placed)]
        found.placed += placed
        found.unmatched += [outcome for outcome in outcomes if isinstance(outcome, Unmatched)]
        found.unmatched += _other_patients(placed)
        found.unmatched += [unusable(held_in, refusal, images) for refusal in held_in.drawings.refusals]
    return found


def _place(drawing: Drawing, held_in: DrawnObject, images: Images) -> Placed | Unmatched:
    there = images.of_uid(drawing.image_uid)
    if len(there) != 1:
        return _on_no_image(drawing, held_in, images)
    (image,) = there
    frame = drawing.frame if drawing.frame is not None else 1
    if drawing.frame is None and image.frames > 1:
        reason = f"the frame is not named, and {image.path} has {image.frames}"
        return refused(drawing, held_in, "frame_not_named", reason, images=there)
    if not 1 <= frame <= image.frames:
        reason = f"it names frame {frame}; {image.path} has {image.frames}"
        return refused(drawing, held_in, "no_such_frame", reason, images=there)
    if len(set(drawing.points)) == 1:
        return refused(drawing, held_in, "caliper", "both ends are the same point", images=there)
    if _is_other_patient(held_in, image):
        drawing = replace(
            drawing, warnings=(*drawing.warnings, f"{held_in.path} {_OTHER_PATIENT}: is it the same child?")
        )
    return Placed(
        drawing=drawing,
        held_in=held_in,
        image=image,
        frame=frame,
        axis=drawing.axis,
        lesion=drawing.lesion,
        reader=drawing.reader or drawing.origin.kind,
        plane=drawing.plane,
    )


def _is_other_patient(held_in: DrawnObject, image: Instance) -> bool:
    return bool(held_in.patient and image.patient) and held_in.patient != image.patient


def _other_patients(placed: Sequence[Placed]) -> Iterator[Unmatched]:
    """What an object of one patient draws on another's images counts by its UIDs, and somebody has to look."""
    others = [each for each in placed if _is_other_patient(each.held_in, each.image)]
    for each in {each.image.sop_instance_uid: each for each in others}.values():
        remedy = "Check whose they are; take the object out of the input, or correct its PatientID."
        reason = f"the object {_OTHER_PATIENT}"
        yield refused(each.drawing, each.held_in, "other_patient", reason, remedy=remedy, images=(each.image,))


def _not_here(drawings: Sequence[Drawing], held_in: DrawnObject, images: Images) -> Iterator[Unmatched]:
    """Drawings on images that are not in the input, one refusal for each lesion and reader of an object."""
    together: dict[tuple[str, str], list[Drawing]] = defaultdict(list)
    for drawing in drawings:
        together[drawing.lesion, drawing.reader].append(drawing)
    for same in together.values():
        uids = list(dict.fromkeys(drawing.image_uid for drawing in same))
        more = f", and {len(uids) - 1} more that it names" if len(uids) > 1 else ""
        reason = f"the image {uids[0]} is not in the input{more}"
        remedy = "Add the image that it was drawn on."
        near = images.near(held_in)
        lost = refused(same[0], held_in, "caliper_image_not_found", reason, remedy=remedy, images=near)
        told = replace(lost.refusal, reason=f"{in_words(same)}: {reason}.")
        yield replace(lost, refusal=told)


def _on_no_image(drawing: Drawing, held_in: DrawnObject, images: Images) -> Unmatched:
    there = images.of_uid(drawing.image_uid)
    why = images.why_refused(drawing.image_uid)
    if there:
        paths = " and ".join(image.path for image in there[:2])
        code, reason, remedy = "caliper_image_ambiguous", f"{len(there)} images have the UID that it names: {paths}", ""
    else:
        code, remedy = "caliper_image_refused", why.remedy if why else _AGAIN
        reason = f"the image was refused. {why.reason.removesuffix('.') if why else ''}"
    return refused(drawing, held_in, code, reason, remedy=remedy, images=there or images.near(held_in))


def _no_ultrasound(drawings: Sequence[Drawing], held_in: DrawnObject) -> Iterator[Refusal]:
    """What was drawn on images of other modalities says nothing of the images here: one line for each modality."""
    for modality in dict.fromkeys(drawing.modality for drawing in drawings):
        same = [drawing for drawing in drawings if drawing.modality == modality]
        yield Refusal(
            code=NO_CALIPERS,
            reason=f"{in_words(same)} lies on images of another modality ({modality}).",
            path=held_in.path,
            sop_instance_uid=same[0].image_uid,
        )


def refused(
    drawing: Drawing,
    held_in: DrawnObject,
    code: str,
    reason: str,
    *,
    remedy: str = _AGAIN,
    images: Sequence[Instance] = (),
) -> Unmatched:
    """A drawing that cannot be used.

    Parameters
    ----------
    drawing, held_in
        The drawing and its object.
    code, reason, remedy
        As of a `Refusal`; the reason begins small and has no full stop.
    images
        Those that it may be about.
    """
    row = caliper(drawing, max(drawing.frame or 1, 1), drawing.axis or Axis.LONG, drawing.lesion, drawing.reader)
    return Unmatched(
        rows=(row,),
        refusal=Refusal(
            code=code,
            reason=f"{in_words([drawing])}: {reason}.",
            remedy=remedy,
            path=held_in.path,
            sop_instance_uid=drawing.image_uid,
            lesion=shown_name(drawing.lesion),
        ),
        images=tuple(images),
        elsewhere=not images,
    )


def unusable(held_in: DrawnObject, refusal: Refusal, images: Images) -> Unmatched:
    """Something in an object that its reader could make no drawing of."""
    on = images.of_uid(refusal.sop_instance_uid or "") or images.near(held_in)
    readers = {drawing.reader for drawing in held_in.drawings.drawn}
    row = Caliper(
        image=refusal.sop_instance_uid or held_in.sop_instance_uid,
        frame=1,
        lesion=refusal.lesion or "",
        plane=Plane.UNKNOWN,
        axis=Axis.LONG,
        start=None,
        end=None,
        reader=readers.pop() if len(readers) == 1 else "",
    )
    return Unmatched(rows=(row,), refusal=refusal, images=tuple(on), elsewhere=not on)


def caliper(
    drawing: Drawing, frame: int, axis: Axis, lesion: str, reader: str, plane: Plane = Plane.UNKNOWN
) -> Caliper:
    """A drawing as a reader's caliper.

    Parameters
    ----------
    drawing
        The drawing.
    frame, axis, lesion, reader, plane
        What is known of it now.
    """
    outline = axis is Axis.OUTLINE
    ends = drawing.points if len(drawing.points) == 2 else (None, None)
    return Caliper(
        image=drawing.image_uid,
        frame=frame,
        lesion=lesion,
        plane=plane,
        axis=axis,
        start=ends[0],
        end=ends[1],
        reader=reader,
        contour=drawing.points if outline else (),
        mask=drawing.mask,
        origin=drawing.origin,
        warnings=drawing.warnings,
    )


_CALLED = {
    ObjectKind.SR: "structured report",
    ObjectKind.PR: "presentation state",
    ObjectKind.SEG: "segmentation",
    ObjectKind.BURNT_IN: "image",
}


def in_words(drawings: Iterable[Drawing]) -> str:
    """Drawings of one object by their items, to begin a sentence."""
    drawings = list(drawings)
    items = list(dict.fromkeys(drawing.origin.item for drawing in drawings if drawing.origin.item))
    items = [*items[:MOST_ITEMS], f"{len(items) - MOST_ITEMS} more"] if len(items) > MOST_ITEMS + 1 else items
    kind = next((_CALLED[drawing.origin.kind] for drawing in drawings), "object")
    if not items:
        return f"What the {kind} draws"
    return f"What {' and '.join(items)} of the {kind} {'draws' if len(items) == 1 else 'draw'}"


def same_line(one: tuple[Point | None, ...], other: tuple[Point | None, ...]) -> bool:
    """Whether two lines, as their ends (row, column) in pixels, are one, which was written down twice."""
    return any(
        all(a and b and math.dist(a, b) <= SAME_PX for a, b in zip(one, ends, strict=True))
        for ends in (other, other[::-1])
    )


def by_frame(placed: Iterable[Placed]) -> Iterator[list[Placed]]:
    """Drawings by reader, image and frame."""
    groups: dict[tuple[str, str, int], list[Placed]] = defaultdict(list)
    for each in placed:
        groups[each.reader, each.image.sop_instance_uid, each.frame].append(each)
    yield from groups.values()
