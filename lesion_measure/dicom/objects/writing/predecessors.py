"""Reports of an earlier run that a results folder still holds: what a corrected report replaces (PS3.3 C.17.2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset

from lesion_measure.dicom.elements import items, uid
from lesion_measure.dicom.headers import read_header

_TAGS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PredecessorDocumentsSequence")
_MOST_PREDECESSORS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One document as a sequence item refers to it."""

    study: str
    series: str
    sop_class: str
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A report that was written before, and those that it named as its own predecessors."""

    reference: Reference
    predecessors: tuple[Reference, ...]

    @property
    def sop_instance_uid(self) -> str:
        """Its UID."""
        return self.reference.instance


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
    return Written(reference=reference, predecessors=before[:_MOST_PREDECESSORS])


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


def sequence_of(references: Sequence[Reference]) -> list[Dataset]:
    """Items of PredecessorDocumentsSequence (PS3.3 table 10-3b: study, series, instance)."""
    studies = []
    for reference in references:
        instance, series, study = Dataset(), Dataset(), Dataset()
        instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = reference.sop_class, reference.instance
        series.SeriesInstanceUID, series.ReferencedSOPSequence = reference.series, [instance]
        study.StudyInstanceUID, study.ReferencedSeriesSequence = reference.study, [series]
        studies.append(study)
    return studies
