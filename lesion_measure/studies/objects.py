"""One SR, PR or SEG file beside the images: whose and when, and what it draws."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, assert_never

from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from lesion_measure.config import Limits
from lesion_measure.dicom.elements import PARSER_ERRORS, Elements, items, raw_text, text, uid
from lesion_measure.dicom.headers import Header, read_header
from lesion_measure.dicom.objects.ours import is_ours
from lesion_measure.dicom.objects.presentation import read_presentation_state
from lesion_measure.dicom.objects.reports import read_sr
from lesion_measure.dicom.objects.segmentation import read_segmentation
from lesion_measure.errors import InputError
from lesion_measure.files.archive import stream_sha256
from lesion_measure.files.walk import Found
from lesion_measure.records import Drawing, Drawings, DrawnObject, ObjectKind, Refusal
from lesion_measure.spelling import nfc
from lesion_measure.studies.attributes import derived_uid

NAMES = {
    ObjectKind.SR: "structured report (SR)",
    ObjectKind.PR: "presentation state (PR)",
    ObjectKind.SEG: "segmentation (SEG)",
}
_UNDEFINED = 0xFFFFFFFF
_DELIMITERS = (b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xff\xfe\xe0\xdd\0\0\0\0")
"""What ends a sequence of undefined length (PS3.5 7.5.1), little and big endian."""
_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6}))?")


def read_object(kind: ObjectKind, found: Found, limits: Limits, *, automatic: bool = False) -> DrawnObject:
    """Read a whole object; the masks of a segmentation are read when they are measured.

    Parameters
    ----------
    kind, found
        The kind of object, and its file.
    limits
        Bounds on untrusted input.
    automatic
        Whether segments count that an algorithm drew by itself.

    Raises
    ------
    InputError
        It is damaged beyond reading, or larger than ``limits.object_bytes``.
    """
    stream = found.stream
    stream.seek(0)
    digest = stream_sha256(stream)
    stream.seek(0)
    try:
        header = read_header(stream, (), limits.object_bytes)
    except InputError as error:
        if error.code != "header_too_large":
            raise
        reason = f"The {NAMES[kind]} is larger than {limits.object_bytes} bytes, or has too many elements."
        raise InputError(
            reason, remedy="Raise limits.object_bytes if the file can be trusted.", code="object_too_large"
        ) from error
    try:
        return _object(kind, header, found, limits, automatic, digest)
    except PARSER_ERRORS as error:  # pydicom reads a value when it is asked for it, and not before
        reason = f"The {NAMES[kind]} is damaged ({type(error).__name__})."
        raise InputError(reason, remedy="Export or copy the file anew.", code="unreadable") from error


def _object(
    kind: ObjectKind, header: Header[Dataset], found: Found, limits: Limits, automatic: bool, digest: str
) -> DrawnObject:
    dataset, cut = header.dataset, _is_cut(header, found.stream)
    ours = is_ours(dataset)
    patient = nfc(text(dataset, "PatientID"))
    return DrawnObject(
        path=found.path,
        location=found.location,
        kind=kind,
        # what is left of an object is not that object: a whole copy of it may lie beside it
        sop_instance_uid=("" if cut else uid(dataset, "SOPInstanceUID")) or derived_uid(digest),
        study_instance_uid=uid(dataset, "StudyInstanceUID"),
        subject=nfc(text(dataset, "ClinicalTrialSubjectID")) or patient,
        patient=patient,
        written=_written(dataset),
        replaces=tuple(_referred(dataset, "PredecessorDocumentsSequence")),
        ours=ours,
        segmentations=tuple(_referred(dataset, "PertinentOtherEvidenceSequence")) if ours else (),
        sha256=digest,
        drawings=_cut_off(kind, found) if cut else _drawings(kind, dataset, found, limits, automatic),
    )


def _is_cut(header: Header[Dataset], stream: BinaryIO) -> bool:
    """Whether a file ends within its last element: pydicom takes what is there, and what was drawn after it is lost."""
    dataset = header.dataset
    elements = [dataset.get_item(tag) for tag in sorted(dataset.keys())]
    for each in elements:
        if not isinstance(each, RawDataElement) or not isinstance(each.value, bytes):
            continue
        if each.length != _UNDEFINED and len(each.value) < each.length:
            return True
    last = elements[-1] if elements and header.pixels is None else None
    if last is None or last.VR != "SQ" or not getattr(last, "is_undefined_length", False):
        return False
    stream.seek(-len(_DELIMITERS[0]), os.SEEK_END)
    return stream.read() not in _DELIMITERS


def _cut_off(kind: ObjectKind, found: Found) -> Drawings:
    reason = f"The {NAMES[kind]} is cut off: what is left of it is not used."
    refusal = Refusal(code="object_cut", reason=reason, remedy="Export or copy it anew.", path=found.path)
    return Drawings(refusals=(refusal,))


def _drawings(kind: ObjectKind, dataset: Dataset, found: Found, limits: Limits, automatic: bool) -> Drawings:
    match kind:
        case ObjectKind.SR:
            return read_sr(dataset, found.path, limits.nesting)
        case ObjectKind.PR:
            return read_presentation_state(dataset, found.path)
        case ObjectKind.SEG:
            found.stream.seek(0)
            return read_segmentation(found.stream, found.path, found.location, limits, automatic=automatic)
        case ObjectKind.BURNT_IN:
            raise ValueError("What is burnt into the pixels of an image is no file beside it.")
    assert_never(kind)


def not_asked(kind: ObjectKind, dataset: Elements, path: str) -> Refusal:
    """What is said of an object where the settings leave objects out."""
    return Refusal(
        code="no_calipers",
        reason=f"This is a {NAMES[kind]}, and calipers.objects is off: it was not read.",
        path=path,
        sop_instance_uid=uid(dataset, "SOPInstanceUID") or None,
    )


def below(held_in: DrawnObject, folder: str) -> DrawnObject:
    """The object as one of a folder beside the input, which its path begins with."""
    path = f"{folder}/{held_in.path}"
    whole = held_in.drawings
    drawn = tuple(_drawn_below(drawing, path) for drawing in whole.drawn)
    refusals, listed = (tuple(replace(r, path=path) for r in some) for some in (whole.refusals, whole.listed))
    return replace(held_in, path=path, drawings=replace(whole, drawn=drawn, refusals=refusals, listed=listed))


def _drawn_below(drawing: Drawing, path: str) -> Drawing:
    mask = replace(drawing.mask, path=path) if drawing.mask else None
    return replace(drawing, origin=replace(drawing.origin, path=path), mask=mask)


def _written(dataset: Dataset) -> str:
    """Content date and time, or those of a presentation state's creation, so that later texts are greater."""
    for day, hour in (("ContentDate", "ContentTime"), ("PresentationCreationDate", "PresentationCreationTime")):
        date, time = raw_text(dataset, day), _TIME.fullmatch(raw_text(dataset, hour))
        if re.fullmatch(r"\d{8}", date) and time:
            return f"{date}{time[1]}{time[2] or '00'}{time[3] or '00'}.{(time[4] or '').ljust(6, '0')}"
    return ""


def _referred(dataset: Dataset, keyword: str) -> Iterator[str]:
    """SOP Instance UIDs of what a report refers to by study and series: what it supersedes, what belongs to it."""
    for study in items(dataset, keyword) or ():
        for series in items(study, "ReferencedSeriesSequence") or ():
            for document in items(series, "ReferencedSOPSequence") or ():
                if found := uid(document, "ReferencedSOPInstanceUID"):
                    yield found
