"""The image that something was measured on, as far as segmentations and reports need its header.

They belong to its study: patient and study modules are copied (PS3.3 A.51, A.35.3), in UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR
from pydicom.uid import UID, UltrasoundImageStorage
from pydicom.valuerep import validate_value

from lesion_measure.dicom.elements import text, uid
from lesion_measure.dicom.headers import read_header
from lesion_measure.errors import InputError
from lesion_measure.records import Image

# Type 2 of the modules: there, and empty where the image does not say.
_ALWAYS = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName",
    "StudyID", "AccessionNumber",
)  # fmt: skip
_WHERE_THERE = (
    "IssuerOfPatientID", "PatientAge", "PatientSize", "PatientWeight", "StudyDescription", "PatientIdentityRemoved",
    "DeidentificationMethod", "ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
# The Clinical Trial Subject module (PS3.3 C.7.1.3) is copied where it is whole: its type 1, its others, its type 2.
_TRIAL = ("ClinicalTrialSponsorName", "ClinicalTrialProtocolID")
_OF_TRIAL = ("ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID", "ClinicalTrialCoordinatingCenterName")
_OF_TRIAL_ALWAYS = ("ClinicalTrialProtocolName", "ClinicalTrialSiteID", "ClinicalTrialSiteName")
_IDENTITY = ("PatientID", "PatientName", "StudyID", "AccessionNumber")
_TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", *_ALWAYS, *_WHERE_THERE, *_TRIAL, *_OF_TRIAL, *_OF_TRIAL_ALWAYS,
)  # fmt: skip
_MULTI_FRAME = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.3",
        "1.2.840.10008.5.1.4.1.1.3.1",
        "1.2.840.10008.5.1.4.1.1.6.2",
        *(f"1.2.840.10008.5.1.4.1.1.7.{kind}" for kind in range(1, 5)),
    )
)
_SEXES = ("M", "F", "O")
_DATE, _TIME = re.compile(r"\d{8}"), re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")
NO_DATE = "19000101"
"""Stands for the date of a study that has none: the objects have to state one."""


@dataclass(frozen=True, slots=True)
class Original:
    """An image and its header: patient and study, character set UTF-8, no pixels.

    ``header`` calls itself an Ultrasound Image of one frame, whatever it is: so highdicom takes it. References to it
    state ``image.sop_class_uid``.
    """

    image: Image
    header: Dataset

    @property
    def content_date(self) -> str:
        """Date of what is derived from the image: that of its study, so that the same result gives the same bytes."""
        return str(self.header.StudyDate) or NO_DATE

    @property
    def content_time(self) -> str:
        """Time of the study; midnight where it has none."""
        return str(self.header.StudyTime) or "000000"

    def frames(self, frame: int) -> list[int] | None:
        """ReferencedFrameNumber of a reference to one frame (1-based): none where the image holds only one."""
        return [frame] if self.image.sop_class_uid in _MULTI_FRAME else None


def read_original(stream: BinaryIO, image: Image, header_bytes: int) -> Original:
    """Read what segmentations and reports copy from an image.

    Raises
    ------
    InputError
        The header is damaged, lacks the UIDs by which an object refers to an image, or holds an identity that no
        object could repeat; or it names no frames and the file has several.
    """
    source = read_header(stream, _TAGS, header_bytes).dataset
    _check(source, image)
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    _copy(source, header, image, always=_ALWAYS, where_there=_WHERE_THERE)
    if all(text(source, keyword) for keyword in _TRIAL):
        _copy(source, header, image, always=_OF_TRIAL_ALWAYS, where_there=(*_TRIAL, *_OF_TRIAL))
    header.SOPClassUID = UltrasoundImageStorage
    header.SOPInstanceUID, header.StudyInstanceUID = image.sop_instance_uid, image.study_instance_uid
    header.SeriesInstanceUID = image.series_instance_uid
    if frame_of_reference := uid(source, "FrameOfReferenceUID"):
        header.FrameOfReferenceUID = frame_of_reference
    header.Modality, header.Rows, header.Columns = "US", image.rows, image.columns
    return Original(image, header)


def _check(source: Dataset, image: Image) -> None:
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not UID(uid(source, name)).is_valid:
            raise _refused(f"The image has no valid {name}, by which a DICOM object would refer to it.", image)
    if image.frames > 1 and image.sop_class_uid not in _MULTI_FRAME:
        raise _refused(
            "The image's storage class holds one frame and the file several: no DICOM object can refer to one of them.",
            image,
        )


def _copy(source: Dataset, header: Dataset, image: Image, *, always: Sequence[str], where_there: Sequence[str]) -> None:
    for keyword in (*always, *where_there):
        value = _valid(source, keyword, image)
        if value or keyword in always:
            setattr(header, keyword, value)


def _valid(source: Dataset, keyword: str, image: Image) -> str:
    """The value as text; empty where it is missing or no value of its kind (PS3.5 6.2)."""
    value, vr = text(source, keyword), dictionary_VR(keyword)
    if keyword == "PatientSex":
        return value if value in _SEXES else ""
    if (vr == "DA" and not _DATE.fullmatch(value)) or (vr == "TM" and not _TIME.fullmatch(value)):
        return ""
    try:
        validate_value(vr, value, config.RAISE)
    except ValueError:
        if keyword in _IDENTITY:
            raise _refused(f"The image's {keyword} is longer or other than DICOM allows.", image) from None
        return ""
    return value


def _refused(reason: str, image: Image) -> InputError:
    return InputError(reason, remedy="Export the image anew.", code="no_object", path=image.path)


def dated(originals: Sequence[Original]) -> Original:
    """The image whose header stands for the study: the first by its UID, so that the order of files does not matter."""
    return min(originals, key=lambda original: original.image.sop_instance_uid)
