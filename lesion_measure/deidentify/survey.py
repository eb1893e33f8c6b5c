"""What lies in the input: each file's kind, whose it is, and what names this person. Headers alone are read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from lesion_measure.config import Config, Limits
from lesion_measure.deidentify.attributes import handlings
from lesion_measure.deidentify.subjects import Stated
from lesion_measure.deidentify.texts import Identifiers, Vocabulary
from lesion_measure.deidentify.values import is_class, is_of_the_standard
from lesion_measure.dicom import elements
from lesion_measure.dicom.headers import Header, read_header
from lesion_measure.dicom.objects.names import person
from lesion_measure.errors import InputError
from lesion_measure.files.archive import Archives
from lesion_measure.files.walk import Found
from lesion_measure.records import Instance, Refusal, StudyList

_OBJECT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.88.",  # structured reports, key object selections
    "1.2.840.10008.5.1.4.1.1.11.",  # presentation states
    "1.2.840.10008.5.1.4.1.1.66.4",  # segmentations
    "1.2.840.10008.5.1.4.1.1.66.7",  # label map segmentations
)
_INDEX, _DOCUMENTS = "1.2.840.10008.1.3.10", "1.2.840.10008.5.1.4.1.1.104."
_VIDEO = tuple(f"1.2.840.10008.1.2.4.{ending}" for ending in range(100, 109))
_NAMES = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ResponsiblePerson",
    "ReferringPhysicianName", "ConsultingPhysicianName", "PhysiciansOfRecord", "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy", "OperatorsName", "RequestingPhysician", "ScheduledPerformingPhysicianName",
    "ContentCreatorName", "ReviewerName", "OrderEnteredBy",
)  # fmt: skip
_NUMBERS = (
    "PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "ClinicalTrialSubjectID", "PatientBirthDate",
    "DeviceSerialNumber", "StationName", "AdmissionID", "MedicalRecordLocator", "PatientTelephoneNumbers",
    "PatientAddress", "InstitutionName", "InstitutionAddress", "RequestedProcedureID", "ScheduledProcedureStepID",
    "PerformedProcedureStepID", "MilitaryRank", "IssuerOfPatientID",
)  # fmt: skip
_DEEPEST = 16
_LEAST_UID = 10
"""Shorter UIDs are found in numbers that name nothing."""
_WANTED = (*handlings(), *_NAMES, *_NUMBERS)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One file that can be de-identified: an image where ``instance`` is there, else an object drawn on images."""

    found: Found
    stated: Stated
    instance: Instance | None = None


def header_of(stream: BinaryIO, limits: Limits) -> Header[Dataset]:
    """The header of a file, with what may stay and what names a person.

    Raises
    ------
    InputError
        There is none that can be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's remarks quote values
        return read_header(
            stream,
            _WANTED,
            limits.header_bytes,
            inflated_bytes=limits.zip_member_bytes,
            before_pixels_bytes=limits.before_pixels_bytes,
        )


class Survey:
    """Says of each file what becomes of it, by what a run finds in the same input (``studies``)."""

    def __init__(self, studies: StudyList, archives: Archives, config: Config) -> None:
        self._images = {image.path: image for image in studies.instances}
        self._refusals = {refusal.path: refusal for refusal in studies.refusals}
        self._archives = archives
        self._limits = config.limits

    def of(self, found: Found) -> Surveyed | Refusal:
        """What a file is, or why it is left out."""
        image = self._images.get(found.path)
        if image is not None and image.transfer_syntax_uid.startswith(_VIDEO):
            return Refusal(
                code="video",
                reason="A video (MPEG): its frames cannot be blanked without a second loss.",
                remedy="Export the cine with another transfer syntax.",
                path=found.path,
            )
        try:
            with self._archives.open(found.location) as stream:
                header = header_of(stream, self._limits)
        except InputError as error:
            return self._refusals.get(found.path) or Refusal.from_error(error, path=found.path)
        storage_class = elements.text(header.dataset, "SOPClassUID") or elements.text(
            header.meta, "MediaStorageSOPClassUID"
        )
        if image is None and not storage_class.startswith(_OBJECT_CLASSES):
            return self._left_out(found.path, storage_class)
        return Surveyed(found, _stated(header.dataset), image)

    def _left_out(self, path: str, storage_class: str) -> Refusal:
        if storage_class == _INDEX:
            return Refusal(code="index", reason="An index of a medium (DICOMDIR): it names patients.", path=path)
        if storage_class.startswith(_DOCUMENTS):
            reason = "A document in a DICOM file: its text is not looked through."
            return Refusal(code="document", reason=reason, path=path)
        reason = "Neither an ultrasound image nor an object drawn on one."
        return self._refusals.get(path) or Refusal(code="not_ultrasound", reason=reason, path=path)


def _stated(dataset: Dataset) -> Stated:
    return Stated(
        patient=elements.text(dataset, "PatientID"),
        trial_subject=elements.text(dataset, "ClinicalTrialSubjectID"),
        study=elements.text(dataset, "StudyInstanceUID"),
    )


def identifiers(dataset: Dataset, vocabulary: Vocabulary) -> Identifiers:
    """What in a header names a person or an instance, at any depth."""
    names, numbers, uids = [], [], []
    for each in _nested(dataset, _DEEPEST):
        for tag in each.keys():  # noqa: SIM118 - a data set iterates over its elements
            keyword, vr = keyword_for_tag(tag), dictionary_VR(tag) if dictionary_has_tag(tag) else ""
            if vr == "PN" and person(name := elements.whole_text(each, keyword)):
                names.append(name)
            elif keyword in _NUMBERS:
                numbers.append(elements.text(each, keyword))
            elif vr == "UI" and len(stated := elements.uid(each, keyword)) >= _LEAST_UID:
                uids.append(stated)
    return vocabulary.identifiers(
        names, numbers, (uid for uid in uids if not (is_of_the_standard(uid) or is_class(uid)))
    )


def _nested(dataset: Dataset, depth: int) -> Iterator[Dataset]:
    """A data set and those in it."""
    yield dataset
    for tag in sorted(dataset.keys()):
        if depth and dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ":
            for item in elements.items(dataset, keyword_for_tag(tag)) or ():
                yield from _nested(item, depth - 1)
