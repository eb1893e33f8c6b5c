"""What a reader outlined on a frame: signed in the reading room, or drawn in any viewer and stored as DICOM object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Config, Limits
from lesion_measure.dicom.objects.segmentation.read import read_stored_mask
from lesion_measure.drawings import calipers_of
from lesion_measure.errors import InputError
from lesion_measure.image.reader_outline import contour_mask
from lesion_measure.records import Axis, Caliper, Instance, ObjectKind, Point, StoredMask, StudyList
from lesion_measure.review.messages import Kind
from lesion_measure.review.store import Kept

ROOM = "reading room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlined:
    """One lesion that a reader read on one frame.

    Attributes
    ----------
    subject, image_uid, frame, lesion, reader
        Whose, where, which, and who read it; ``lesion`` is empty where nothing tells.
    changed
        When, in ISO 8601; empty where the object does not say.
    drawn_in
        ``reading room``, or the kind of object.
    gone
        Whether the reader says that it is no longer there.
    contour, mask
        Its outline: points (row, column), or the frame of a segmentation.
    ends
        The ends of a caliper of an object, which outlines nothing.
    """

    subject: str
    image_uid: str
    frame: int
    lesion: str
    reader: str
    changed: str
    drawn_in: str = ROOM
    gone: bool = False
    contour: tuple[Point, ...] = ()
    mask: StoredMask | None = None
    ends: tuple[Point, ...] = ()

    @property
    def is_outline(self) -> bool:
        """Whether there is an outline, and not a caliper or a statement."""
        return bool(self.contour) or self.mask is not None


def of_reading(kept: Kept) -> Outlined:
    """A reading of the reading room."""
    outline = kept.draft.kind is Kind.OUTLINE
    return Outlined(
        subject=kept.subject,
        image_uid=kept.image_uid,
        frame=kept.draft.frame,
        lesion=kept.draft.lesion,
        reader=kept.reader,
        changed=kept.changed.isoformat(timespec="seconds"),
        gone=kept.draft.kind is Kind.RESOLVED,
        contour=tuple(kept.draft.contour or ()) if outline else (),
    )


def outlined_in(studies: StudyList, config: Config) -> list[Outlined]:
    """What the objects of an input draw, as a run takes them, but for those that this program wrote.

    Segmentations and all others are asked for apart: where both draw a lesion a run measures its caliper, and a
    training wants its outline.
    """
    subject_of = {image.sop_instance_uid: image.subject for image in studies.instances}
    written = {each.sop_instance_uid: each.written for each in studies.objects}
    found: list[Outlined] = []
    for masks in (True, False):
        objects = [e for e in studies.objects if not e.ours and (e.kind is ObjectKind.SEG) is masks]
        drawn = calipers_of(replace(studies, objects=tuple(objects)), {}, subject_of, config)
        for uid, calipers in drawn.calipers.items():
            found += _outlined(subject_of[uid], uid, calipers, written)
    return found


def _outlined(subject: str, uid: str, calipers: tuple[Caliper, ...], written: dict[str, str]) -> Iterator[Outlined]:
    for one in calipers:
        if one.origin is None:
            continue
        ends = tuple(end for end in (one.start, one.end) if end is not None)
        yield Outlined(
            subject=subject,
            image_uid=uid,
            frame=one.frame,
            lesion=one.lesion,
            reader=one.reader,
            changed=_iso(written.get(one.origin.sop_instance_uid, "")),
            drawn_in=one.origin.kind.value,
            gone=one.axis is Axis.ABSENT,
            contour=one.contour,
            mask=one.mask if isinstance(one.mask, StoredMask) else None,
            ends=ends,
        )


def _iso(written: str) -> str:
    """``YYYYMMDDHHMMSS.ffffff`` in ISO 8601, to the second; empty where it is not stated."""
    digits = written[:14]
    if len(digits) < 14:
        return ""
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:14]}"


def mask_on(one: Outlined, image: Instance, limits: Limits) -> NDArray[np.bool_]:
    """The outline as pixels (rows, columns) of its image.

    Raises
    ------
    InputError
        A segmentation cannot be read, or is of another size.
    """
    if one.mask is None:
        return contour_mask(one.contour, image)
    mask = read_stored_mask(one.mask, limits)
    if mask.shape != (image.rows, image.columns):
        raise InputError("the segmentation is of another size than the image")
    return mask
