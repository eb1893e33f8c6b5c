"""Which storage classes hold readers' drawings (PS3.4 B.5)."""

from __future__ import annotations

from lesion_measure.dicom.objects.segmentation.layout import STORAGE_CLASSES
from lesion_measure.records import ObjectKind

_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
_PRESENTATIONS = "1.2.840.10008.5.1.4.1.1.11."


def kind_of(storage_class: str) -> ObjectKind | None:
    """The kind of object of a storage class; None where it holds no drawings. A key object selection marks images."""
    if storage_class.startswith(_REPORTS) and storage_class != _KEY_OBJECTS:
        return ObjectKind.SR
    if storage_class.startswith(_PRESENTATIONS):
        return ObjectKind.PR
    return ObjectKind.SEG if storage_class in STORAGE_CLASSES else None
