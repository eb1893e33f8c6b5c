"""What lies in the input: each file's kind, whose it is, and what names this person. Headers alone are read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pydicom import Dataset

from lesion_measure.config import Limits
from lesion_measure.deidentify.attributes import handlings
from lesion_measure.deidentify.subjects import Stated
from lesion_measure.dicom import elements
from lesion_measure.dicom.headers import Header, read_header
from lesion_measure.errors import InputError
from lesion_measure.files.archive import Archives
from lesion_measure.files.walk import Found
from lesion_measure.records import Refusal
from lesion_measure.studies.load import SECONDARY_CAPTURE_CLASSES, ULTRASOUND_CLASSES


class Kind(StrEnum):
    """What becomes of a file."""

    IMAGE = "image"
    OBJECT = "object"
    """A structured report, presentation state or segmentation: no picture of the screen is in it."""


_OBJECT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.88.",  # structured reports, key object selections
    "1.2.840.10008.5.1.4.1.1.11.",  # presentation states
    "1.2.840.10008.5.1.4.1.1.66.4",  # segmentations
    "1.2.840.10008.5.1.4.1.1.66.7",  # label map segmentations
)
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
    "PatientAddress", "PatientInsurancePlanCodeSequence", "InstitutionName", "InstitutionAddress",
    "RequestedProcedureID", "ScheduledProcedureStepID", "PerformedProcedureStepID", "MilitaryRank", "IssuerOfPatientID",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One file that can be de-identified."""

    found: Found
    kind: Kind
    stated: Stated


def opened(found: Found, archives: Archives, limits: Limits) -> Header:
    """The header of a file, with what may stay and what names a person. Raises InputError where there is none."""
    wanted = (*handlings(), *_NAMES, *_NUMBERS)
    with warnings.catch_warnings(), archives.open(found.location) as stream:
        warnings.simplefilter("ignore")  # pydicom's remarks quote values
        return read_header(stream, wanted, limits.header_bytes, inflated_bytes=limits.zip_member_bytes)


def survey(found: Found, archives: Archives, limits: Limits) -> Surveyed | Refusal:
    """What a file is, or why it is left out."""
    try:
        header = opened(found, archives, limits)
    except InputError as error:
        return Refusal.from_error(error, path=found.path)
    dataset = header.dataset
    storage_class = elements.text(dataset, "SOPClassUID") or elements.text(header.meta, "MediaStorageSOPClassUID")
    stated = Stated(
        patient=elements.text(dataset, "PatientID"),
        trial_subject=elements.text(dataset, "ClinicalTrialSubjectID"),
        study=elements.text(dataset, "StudyInstanceUID"),
    )
    if storage_class.startswith(_OBJECT_CLASSES):
        return Surveyed(found, Kind.OBJECT, stated)
    refusal = _left_out(dataset, storage_class, header.transfer_syntax_uid, found.path)
    return refusal or Surveyed(found, Kind.IMAGE, stated)


def _left_out(dataset: Dataset, storage_class: str, transfer_syntax: str, path: str) -> Refusal | None:
    if storage_class == "1.2.840.10008.1.3.10":
        return Refusal(code="index", reason="An index of a medium (DICOMDIR): it names patients.", path=path)
    if storage_class.startswith("1.2.840.10008.5.1.4.1.1.104."):
        return Refusal(code="document", reason="A document in a DICOM file: its text is not looked through.", path=path)
    by_content = "SequenceOfUltrasoundRegions" in dataset or elements.text(dataset, "Modality").upper() == "US"
    captured = by_content and (not storage_class or storage_class in SECONDARY_CAPTURE_CLASSES)
    if storage_class not in ULTRASOUND_CLASSES and not captured:
        return Refusal(
            code="not_ultrasound", reason="Neither an ultrasound image nor an object drawn on such.", path=path
        )
    if transfer_syntax.startswith(_VIDEO):
        return Refusal(
            code="video",
            reason="A video (MPEG): its frames cannot be blanked without a second loss.",
            remedy="Export the cine with another transfer syntax.",
            path=path,
        )
    return None


def names(dataset: Dataset) -> Iterator[str]:
    """Every person's name in a header's first level."""
    for keyword in _NAMES:
        yield elements.whole_text(dataset, keyword)


def numbers(dataset: Dataset) -> Iterator[str]:
    """Identifiers, addresses and dates of birth in a header's first level."""
    for keyword in _NUMBERS:
        yield elements.text(dataset, keyword)
