"""Files -> studies. Every file found ends as an `Instance`, as a `DrawnObject`, or as a `Refusal` that says why not.

Of images only headers are read. DICOM's (x, y) corners and deltas are turned into rows and columns here, once. What the
header states wrongly (a date, a number of frames, one number in a region) costs that value and leaves a warning, never
the file; whose image it is and at which visit it was taken is settled later, in `assign`.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

from pydicom.uid import UID

from lesion_measure.config import Calipers, Descriptions, Limits, Planes
from lesion_measure.dicom.elements import Elements, integer, items, text, uid
from lesion_measure.dicom.headers import Header
from lesion_measure.dicom.objects.kinds import kind_of
from lesion_measure.dicom.scan import scan_header
from lesion_measure.errors import InputError
from lesion_measure.files.archive import Archives, read_some, stream_sha256
from lesion_measure.files.naming import given_path
from lesion_measure.files.walk import Found, walk
from lesion_measure.records import Derivation, DrawnObject, Instance, Location, Refusal, Study, StudyList, Unread
from lesion_measure.spelling import nfc
from lesion_measure.studies import attributes
from lesion_measure.studies.described import described_visit
from lesion_measure.studies.objects import not_asked, read_object
from lesion_measure.studies.other_dates import other_dates
from lesion_measure.studies.persons import stated_sex
from lesion_measure.studies.rescaled import derivation
from lesion_measure.studies.scan_plane import stated_planes
from lesion_measure.studies.unread_tables import unread_table

ENHANCED_VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"
ULTRASOUND_CLASSES = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.6.1",  # Ultrasound Image
        "1.2.840.10008.5.1.4.1.1.3.1",  # Ultrasound Multi-frame Image
        "1.2.840.10008.5.1.4.1.1.6",  # Ultrasound Image, retired
        "1.2.840.10008.5.1.4.1.1.3",  # Ultrasound Multi-frame Image, retired
        ENHANCED_VOLUME,
    )
)
SECONDARY_CAPTURE_CLASSES = frozenset(
    ("1.2.840.10008.5.1.4.1.1.7", *(f"1.2.840.10008.5.1.4.1.1.7.{kind}" for kind in range(1, 5)))
)
_TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyDate", "Modality", "Manufacturer",
    "ManufacturerModelName", "StudyDescription", "SeriesDescription", "ViewCodeSequence", "AnatomicRegionSequence",
    "PatientID", "ClinicalTrialSubjectID", "ClinicalTrialTimePointID", "BodyPartExamined", "ProtocolName", "FrameTime",
    "FrameTimeVector", "SpacingBetweenSlices", "SequenceOfUltrasoundRegions", "StudyInstanceUID", "SeriesInstanceUID",
    "ViewName", "ImageComments", "DimensionOrganizationType", "SamplesPerPixel", "PhotometricInterpretation",
    "NumberOfFrames", "FrameIncrementPointer", "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored",
    "PixelRepresentation", "PixelSpacingCalibrationType", "PixelSpacingCalibrationDescription", "PixelDataProviderURL",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "TransducerOrientationSequence",
    "ImageOrientationPatient", "FrameOfReferenceUID", "PatientOrientation", "ImageType", "DerivationDescription",
    "DerivationCodeSequence", "LossyImageCompression", "PixelAspectRatio", "AcquisitionDate", "AcquisitionDateTime",
    "ContentDate", "PatientBirthDate", "PatientIdentityRemoved", "PatientAge",
    "PatientSex", "ClinicalTrialTimePointDescription", "LongitudinalTemporalOffsetFromEvent",
    "LongitudinalTemporalEventType",
)  # fmt: skip
_SEQUENCES = tuple(tag for tag in _TAGS if tag.endswith("Sequence"))
_PICTURE = "Export the image as DICOM: a picture file carries no scale that can be trusted."
_PACKED = "Unpack it, or pack it as a zip."
_KNOWN_STARTS = (
    (0, b"\xff\xd8\xff", "JPEG picture", _PICTURE),
    (0, b"\x89PNG", "PNG picture", _PICTURE),
    (0, b"BM", "BMP picture", _PICTURE),
    (0, b"GIF8", "GIF picture", _PICTURE),
    (0, b"II*\x00", "TIFF picture", _PICTURE),
    (0, b"MM\x00*", "TIFF picture", _PICTURE),
    (4, b"ftyp", "video", _PICTURE),
    (0, b"RIFF", "video or sound", _PICTURE),
    (0, b"%PDF", "PDF document", ""),
    (0, b"\x00\x05\x16\x07", "macOS metadata file", ""),
    (0, b"PK\x03\x04", "workbook or other office document", ""),  # any other zip was walked into
    (0, b"\x1f\x8b", "gzip archive", _PACKED),
    (0, b"7z\xbc\xaf", "7z archive", _PACKED),
    (0, b"Rar!", "RAR archive", _PACKED),
    (0, b"BZh", "bzip2 archive", _PACKED),
    (257, b"ustar", "tar archive", _PACKED),
)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words that are looked for in texts."""

    planes: Planes
    descriptions: Descriptions


def load_studies(
    path: str | Path,
    *,
    limits: Limits | None = None,
    planes: Planes | None = None,
    leave_out: Collection[Path] = (),
    calipers: Calipers | None = None,
    descriptions: Descriptions | None = None,
    progress: Callable[[str], None] | None = None,
) -> StudyList:
    """Find every ultrasound image at or below ``path``: a folder, a file, or a zip (also nested), of any name.

    Parameters
    ----------
    path
        Folder, file or zip archive. Links are not followed.
    limits, calipers
        Bounds on untrusted input; whether and how SR, PR and SEG files are read. The defaults where None.
    planes, descriptions
        The words that name a scan plane, and a visit in a study's description. The defaults where None.
    leave_out
        Files and folders below ``path`` that are not looked at: that of the results, the run's own tables.
    progress
        Called with the path of each file after it was looked at.

    Returns
    -------
    StudyList
        Studies in the order of their first file. Files of one StudyInstanceUID but different subjects come as several
        studies of that UID, and different files under one SOPInstanceUID all stay, with a warning: `assign` refuses
        both. Every other file is among its refusals.

    Raises
    ------
    InputError
        ``path`` is empty, does not exist, cannot be read, or holds no file at all.
    """
    limits, calipers = limits or Limits(), calipers or Calipers()
    words = _Words(planes or Planes(), descriptions or Descriptions())
    instances: list[Instance] = []
    refused: list[Refusal | Unread] = []
    drawn: list[DrawnObject] = []
    # pydicom's remarks on values can quote them, and would go to the user's screen; ours never do.
    with Archives(limits) as archives, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in walk(given_path(path), archives, leave_out):
            outcome = found if isinstance(found, Refusal) else _read(found, limits, words, calipers)
            if isinstance(outcome, Refusal | Unread):
                refused.append(outcome)
            elif isinstance(outcome, DrawnObject):
                drawn.append(outcome)
            else:
                instances.append(outcome)
            if progress is not None:
                progress(found.path or "")
        if not (instances or refused or drawn):
            raise InputError("There is no file in it.", remedy="Check the path.", code="no_input", path=str(path))
        instances, repeated = _without_repeats(instances, archives)
    unread = tuple(each for each in refused if isinstance(each, Unread))
    return StudyList(_grouped(instances), (*map(_why, refused), *repeated), tuple(drawn), unread)


def _read(found: Found, limits: Limits, words: _Words, calipers: Calipers) -> Instance | DrawnObject | Refusal | Unread:
    try:
        header = _header(found.stream, limits)
        if kind := kind_of(_storage_class(header)):
            if not calipers.objects:
                return not_asked(kind, header.dataset, found.path)
            return read_object(kind, found, limits, automatic=calipers.automatic_segments)
        if refusal := _refused(header, found.path):
            return _unread(refusal, header.dataset) if refusal.code == "no_image" else refusal
        notes = [*header.warnings]
        sop_instance_uid = uid(header.dataset, "SOPInstanceUID")
        if not sop_instance_uid:
            found.stream.seek(0)
            sop_instance_uid = attributes.derived_uid(stream_sha256(found.stream))
            notes.append("no valid SOP Instance UID is stated; one was made from the file's content")
        return _instance(header, found, sop_instance_uid, words, notes)
    except InputError as error:
        table = unread_table(found) if error.code == "not_dicom" else None
        return table or Refusal.from_error(error, path=found.path)


def _header(stream: BinaryIO, limits: Limits) -> Header[Elements]:
    try:
        return scan_header(stream, _TAGS, limits.header_bytes, before_pixels_bytes=limits.before_pixels_bytes)
    except InputError as error:
        if error.code != "not_dicom":
            raise
        stream.seek(0)
        raise _explained(error, read_some(stream, 264)) from error


def _explained(error: InputError, start: bytes) -> InputError:
    """The same error, saying what the file is instead where its first bytes tell."""
    if not start:
        return InputError("The file is empty.", remedy="Export or copy it anew.", code="not_dicom")
    for offset, magic, kind, remedy in _KNOWN_STARTS:
        if start.startswith(magic, offset):
            return InputError(f"This is a {kind}, not a DICOM file.", remedy=remedy, code="not_dicom")
    return error


def _storage_class(header: Header[Elements]) -> str:
    return text(header.dataset, "SOPClassUID") or text(header.meta, "MediaStorageSOPClassUID")


def _refused(header: Header[Elements], path: str) -> Refusal | None:
    """Why this DICOM file is no ultrasound image, from its storage class, modality and pixel geometry."""
    dataset = header.dataset
    storage_class = _storage_class(header)
    modality = text(dataset, "Modality").upper()
    stated_uid = uid(dataset, "SOPInstanceUID") or None
    by_content = modality == "US" or "SequenceOfUltrasoundRegions" in dataset
    if storage_class not in ULTRASOUND_CLASSES and not (
        by_content and (not storage_class or storage_class in SECONDARY_CAPTURE_CLASSES)
    ):
        name = UID(storage_class).name if storage_class else "DICOM file without storage class"
        named = f"storage class {name}" if name == storage_class else name
        # A code is quoted, free text is not: it may hold a name.
        kind = modality if re.fullmatch(r"[A-Z]{2,16}", modality) else "not stated"
        reason = f"No ultrasound image: {named} (modality {kind})."
        return Refusal(code="not_ultrasound", reason=reason, path=path, sop_instance_uid=stated_uid)
    if header.pixels is None or header.pixels.length == 0:
        if "PixelDataProviderURL" in dataset:
            reason, remedy = "The pixels are kept on a server, not in the file.", "Fetch the image with its pixels."
        else:
            reason, remedy = "The file has no pixel data; it may be cut off.", "Export or copy it anew."
    elif min(integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0) < 1:
        reason, remedy = "The header does not state the image's rows and columns.", "Export the image anew."
    else:
        return None
    return Refusal(code="no_image", reason=reason, remedy=remedy, path=path, sop_instance_uid=stated_uid)


def _why(refused: Refusal | Unread) -> Refusal:
    return refused.refusal if isinstance(refused, Unread) else refused


def _unread(refusal: Refusal, dataset: Elements) -> Unread:
    return Unread(refusal, _whose(dataset)[0], attributes.study_date(dataset, []))


def _whose(dataset: Elements) -> tuple[str, str]:
    """Subject code and PatientID."""
    patient = nfc(text(dataset, "PatientID"))
    return nfc(text(dataset, "ClinicalTrialSubjectID")) or patient, patient


def _instance(
    header: Header[Elements], found: Found, sop_instance_uid: str, words: _Words, notes: list[str]
) -> Instance:
    dataset = header.dataset
    storage_class = _storage_class(header)
    if storage_class not in ULTRASOUND_CLASSES:
        kind = "a secondary capture" if storage_class else "an image without storage class"
        notes.append(f"{kind}, taken for ultrasound by its modality or regions")
    for keyword in _SEQUENCES:
        if items(dataset, keyword) is None:
            notes.append(f"{keyword} cannot be read; what it says is left out")
    subject, patient = _whose(dataset)
    study_date = attributes.study_date(dataset, notes)
    frames = attributes.frame_count(dataset, notes)
    if storage_class == ENHANCED_VOLUME or attributes.has_slice_positions(dataset):
        scale = attributes.volume_scale(dataset, frames, notes)
        history = Derivation()  # a volume is resampled by its nature, and states the spacing that it was given
    else:
        scale = attributes.plane_scale(dataset, notes)
        history = derivation(dataset)
    return Instance(
        path=found.path,
        location=found.location,
        sop_instance_uid=sop_instance_uid,
        sop_class_uid=storage_class,
        study_instance_uid=_study_uid(dataset, subject, study_date, found, notes),
        series_instance_uid=uid(dataset, "SeriesInstanceUID"),
        subject=subject,
        patient=patient,
        sex=stated_sex(dataset),
        study_date=study_date,
        time_point=text(dataset, "ClinicalTrialTimePointID") or None,
        modality=text(dataset, "Modality"),
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        frames=frames,
        transfer_syntax_uid=header.transfer_syntax_uid,
        photometric=text(dataset, "PhotometricInterpretation"),
        samples_per_pixel=integer(dataset, "SamplesPerPixel") or 1,
        bits_allocated=integer(dataset, "BitsAllocated") or 0,
        bits_stored=integer(dataset, "BitsStored") or 0,
        regions=attributes.regions(dataset, notes),
        pixel_spacing=scale.pixel_spacing,
        pixel_spacing_raw=scale.raw,
        pixel_spacing_type=attributes.spacing_type(dataset),
        slice_spacing_mm=scale.slice_spacing_mm,
        aspect_ratio=attributes.aspect_ratio(dataset),
        frame_time_ms=attributes.frame_time_ms(dataset),
        view=attributes.view_text(dataset),
        stated_planes=stated_planes(dataset, words.planes, notes),
        named_visit=described_visit(dataset, words.descriptions),
        dates=other_dates(dataset, study_date, original=storage_class in ULTRASOUND_CLASSES and not history.derived),
        manufacturer=" ".join(filter(None, (text(dataset, "Manufacturer"), text(dataset, "ManufacturerModelName")))),
        derivation=history,
        header_sha256=header.sha256,
        warnings=tuple(notes),
    )


def _study_uid(dataset: Elements, subject: str, study_date: date | None, found: Found, notes: list[str]) -> str:
    stated = uid(dataset, "StudyInstanceUID")
    if stated:
        return stated
    notes.append("no valid Study Instance UID is stated; images of one subject, date and folder are one study")
    folder = found.path.rpartition("/")[0]
    return attributes.derived_uid(hashlib.sha256(f"{subject}\n{study_date}\n{folder}".encode()).hexdigest())


def _without_repeats(instances: list[Instance], archives: Archives) -> tuple[list[Instance], list[Refusal]]:
    """Refuse second copies of a file; warn of different files under one SOPInstanceUID, which should be unique."""
    by_uid: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        by_uid[instance.sop_instance_uid].append(instance)
    refusals: list[Refusal] = []
    kept: dict[Location, Instance] = {}
    for same in by_uid.values():
        if len(same) == 1:
            kept[same[0].location] = same[0]
            continue
        first_of: dict[str, Instance] = {}
        # A folder often lies beside the zip it was unpacked from; the files are what people see and name.
        for instance in sorted(same, key=lambda each: len(each.location.members)):
            try:
                with archives.open(instance.location) as stream:
                    digest = stream_sha256(stream)
            except InputError as error:
                refusals.append(_refusal(error, instance))
                continue
            first = first_of.setdefault(digest, instance)
            if first is not instance:
                copied = InputError(f"The same file is here twice, also as {first.path}.", code="duplicate")
                refusals.append(_refusal(copied, instance))
        for instance in first_of.values():
            others = [other.path for other in first_of.values() if other is not instance]
            note = f"its SOP Instance UID is also that of another file: {', '.join(others)}"
            kept[instance.location] = replace(instance, warnings=(*instance.warnings, note)) if others else instance
    return [kept[instance.location] for instance in instances if instance.location in kept], refusals


def _refusal(error: InputError, instance: Instance) -> Refusal:
    return Refusal.from_error(error, path=instance.path, sop_instance_uid=instance.sop_instance_uid)


def _grouped(instances: Iterable[Instance]) -> tuple[Study, ...]:
    """Studies by (StudyInstanceUID, subject); a date or time point that its images disagree on is None."""
    groups: dict[tuple[str, str], list[Instance]] = defaultdict(list)
    for instance in instances:
        groups[instance.study_instance_uid, instance.subject].append(instance)
    studies = []
    for (study_instance_uid, subject), members in groups.items():
        dates = {member.study_date for member in members if member.study_date}
        time_points = {member.time_point for member in members if member.time_point}
        studies.append(
            Study(
                study_instance_uid=study_instance_uid,
                subject=subject,
                study_date=dates.pop() if len(dates) == 1 else None,
                time_point=time_points.pop() if len(time_points) == 1 else None,
                instances=tuple(members),
            )
        )
    return tuple(studies)
