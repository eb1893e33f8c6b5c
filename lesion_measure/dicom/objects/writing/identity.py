"""UIDs that follow from what was measured, and the bytes of an object.

A PACS that knows a SOP Instance UID keeps the content that it has and says nothing. So an object's UID is a hash of
everything in it: the same result has the same UID and the same bytes, another result has another UID.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

_OURS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:lesion-measure:dicom")
IMPLEMENTATION = "LESION_MEASURE"
# highdicom writes here when an object was made; the library itself stands in docs, with its version.
_CLOCKS = ("InstanceCreationDate", "InstanceCreationTime", "ContributingEquipmentSequence")
PLACEHOLDER = "2.25.0"
"""Stands in an object for a UID that its content decides."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A finished object: its file's bytes, and what it is known by."""

    data: bytes
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


def derived_uid(*names: str) -> str:
    """A UID of the UUID form (PS3.5 B.2), the same for the same names (UUID version 5)."""
    return f"2.25.{uuid.uuid5(_OURS, chr(0).join(names)).int}"


def tracking_uid(trial: str, subject: str, lesion: str, image: str = "") -> str:
    """The UID by which a lesion is followed, the same at every visit.

    ``image`` tells apart what is drawn of it on its other images of one study: viewers take one tracking UID in one
    report for one drawing.
    """
    return derived_uid("tracking", trial, subject, lesion, *([image] if image else []))


def sealed(dataset: Dataset) -> Sealed:
    """Give an object its series, its UIDs and the file's meta information, and encode it.

    Instance, series and dimensions that hold `PLACEHOLDER` get UIDs from a hash of all else.
    """
    dataset.SeriesInstanceUID = dataset.SOPInstanceUID = PLACEHOLDER
    for clock in _CLOCKS:
        if clock in dataset:
            delattr(dataset, clock)
    _set_dimensions(dataset, PLACEHOLDER)
    meta = dataset.file_meta
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(derived_uid("implementation")), IMPLEMENTATION
    meta.MediaStorageSOPInstanceUID = UID(PLACEHOLDER)
    content = hashlib.sha256(_encoded(dataset)).hexdigest()
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = UID(derived_uid("instance", content))
    dataset.SeriesInstanceUID = derived_uid("series", content)
    _set_dimensions(dataset, derived_uid("dimensions", content))
    return Sealed(
        _encoded(dataset), str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), str(dataset.SeriesInstanceUID)
    )


def _set_dimensions(dataset: Dataset, uid: str) -> None:
    for item in (*dataset.get("DimensionOrganizationSequence", ()), *dataset.get("DimensionIndexSequence", ())):
        item.DimensionOrganizationUID = uid


def _encoded(dataset: Dataset) -> bytes:
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()
