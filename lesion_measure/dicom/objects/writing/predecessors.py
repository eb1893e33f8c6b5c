"""What a report refers to beside its images: the reports that it replaces, and its segmentations (PS3.3 C.17.2).

Earlier reports are those that a results folder still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset

from lesion_measure.dicom.elements import items, uid
from lesion_measure.dicom.headers import read_header
from lesion_measure.dicom.objects.ours import is_ours
from lesion_measure.dicom.objects.writing.identity import Sealed

_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PredecessorDocumentsSequence",
    "PertinentOtherEvidenceSequence", "Manufacturer", "ManufacturerModelName", "CodingSchemeIdentificationSequence",
)  # fmt: skip
_MOST_PREDECESSORS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One object as a sequence item refers to it."""

    study: str
    series: str
    sop_class: str
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A report that was written before, those that it named as its own predecessors, and the segmentations it lists.

    ``ours``: this program wrote it.
    """

    reference: Reference
    predecessors: tuple[Reference, ...]
    segmentations: tuple[Reference, ...] = ()
    ours: bool = False

    @property
    def chain(self) -> tuple[Reference, ...]:
        """It and its predecessors, the newest first."""
        return (self.reference, *self.predecessors)[:_MOST_PREDECESSORS]

    @property
    def sop_instance_uid(self) -> str:
        """Its UID."""
        return self.reference.instance


def reference(study: str, made: Sealed) -> Reference:
    """An object of a study, to be referred to."""
    return Reference(
        study=study, series=made.series_instance_uid, sop_class=made.sop_class_uid, instance=made.sop_instance_uid
    )


def known_report(stream: BinaryIO, header_bytes: int) -> Written:
    """What an earlier report is known by.

    Raises
    ------
    InputError
        It is damaged.
    """
    dataset = read_header(stream, _TAGS, header_bytes).dataset
    reference = Reference(
        study=uid(dataset, "StudyInstanceUID"), series=uid(dataset, "SeriesInstanceUID"),
        sop_class=uid(dataset, "SOPClassUID"), instance=uid(dataset, "SOPInstanceUID"),
    )  # fmt: skip
    before = tuple(_references(items(dataset, "PredecessorDocumentsSequence") or ()))
    outlines = tuple(_references(items(dataset, "PertinentOtherEvidenceSequence") or ()))
    return Written(
        reference=reference,
        predecessors=before[:_MOST_PREDECESSORS],
        segmentations=outlines,
        ours=is_ours(dataset),
    )


def _references(studies: Sequence[Dataset]) -> list[Reference]:
    return [
        Reference(
            study=uid(study, "StudyInstanceUID"), series=uid(series, "SeriesInstanceUID"),
            sop_class=uid(sop, "ReferencedSOPClassUID"), instance=uid(sop, "ReferencedSOPInstanceUID"),
        )
        for study in studies
        for series in items(study, "ReferencedSeriesSequence") or ()
        for sop in items(series, "ReferencedSOPSequence") or ()
    ]  # fmt: skip


def sequence_of(references: Iterable[Reference]) -> list[Dataset]:
    """Items that refer to objects by study, series and instance (PS3.3 table 10-4), in the order given."""
    studies: dict[str, Dataset] = {}
    series: dict[str, Dataset] = {}
    for reference in references:
        study = studies.setdefault(reference.study, Dataset())
        if not study:
            study.ReferencedSeriesSequence, study.StudyInstanceUID = [], reference.study
        one = series.setdefault(reference.series, Dataset())
        if not one:
            one.ReferencedSOPSequence, one.SeriesInstanceUID = [], reference.series
            study.ReferencedSeriesSequence.append(one)
        instance = Dataset()
        instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = reference.sop_class, reference.instance
        one.ReferencedSOPSequence.append(instance)
    return list(studies.values())
