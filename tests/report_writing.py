"""Structured reports, put together item by item as their writers do it, read back from bytes, and then read."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from lesion_measure.dicom.objects.reports import read_sr
from lesion_measure.records import Axis, Drawings, Point

Coded = tuple[str, str, str]
"""Value, scheme and meaning."""

COMPREHENSIVE, ENHANCED = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.22"
COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.34"
CT = "1.2.840.10008.5.1.4.1.1.2"
ULTRASOUND, SEGMENTATION = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.66.4"
IMAGE_UID, REPORT_UID, TRACKING_UID = "1.2.826.0.1.77.1", "1.2.826.0.1.77.9", "2.25.4711"

REPORT = ("126000", "DCM", "Imaging Measurement Report")
MEASUREMENTS = ("126010", "DCM", "Imaging Measurements")
GROUP = ("125007", "DCM", "Measurement Group")
LENGTH = ("410668003", "SCT", "Length")
LONG, SHORT = ("103339001", "SCT", "Long axis"), ("103340004", "SCT", "Short axis")
AREA = ("42798000", "SCT", "Area")
REGION = ("111030", "DCM", "Image Region")
TRACKING_IDENTIFIER = ("112039", "DCM", "Tracking Identifier")
TRACKING_UNIQUE = ("112040", "DCM", "Tracking Unique Identifier")
FINDING, SITE = ("121071", "DCM", "Finding"), ("363698007", "SCT", "Finding Site")
LESION, LIVER = ("52988006", "SCT", "Lesion"), ("10200004", "SCT", "Liver")
MM, CM, NO_UNIT = ("mm", "UCUM", "mm"), ("cm", "UCUM", "cm"), ("1", "UCUM", "no units")
LINE = [10.5, 20.5, 40.5, 60.5]
POINTS = ((20.0, 10.0), (60.0, 40.0))
ACROSS = [30.5, 20.5, 10.5, 35.5]
ACROSS_POINTS = ((20.0, 30.0), (35.0, 10.0))
"""Two lines that cross as GraphicData, and as (row, column) with pixel centres at integers."""


def code(coded: Coded) -> Dataset:
    """An item of a code sequence."""
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = coded
    return made


def item(kind: str, concept: Coded | None = None, *children: Dataset, relationship: str = "CONTAINS") -> Dataset:
    """A content item of a value type."""
    made = Dataset()
    made.RelationshipType, made.ValueType = relationship, kind
    if concept:
        made.ConceptNameCodeSequence = Items([code(concept)])
    if children:
        made.ContentSequence = Items(children)
    if kind == "CONTAINER":
        made.ContinuityOfContent = "SEPARATE"
    return made


def container(concept: Coded, *children: Dataset) -> Dataset:
    """A heading and what stands below it."""
    return item("CONTAINER", concept, *children)


def group(*children: Dataset) -> Dataset:
    """A Measurement Group."""
    return container(GROUP, *children)


def coded(concept: Coded, value: Coded, relationship: str = "CONTAINS") -> Dataset:
    """A CODE item."""
    made = item("CODE", concept, relationship=relationship)
    made.ConceptCodeSequence = Items([code(value)])
    return made


def text(concept: Coded, value: str) -> Dataset:
    """A TEXT item."""
    made = item("TEXT", concept, relationship="HAS OBS CONTEXT")
    made.TextValue = value
    return made


def tracked(identifier: str, uid: str = TRACKING_UID) -> tuple[Dataset, Dataset]:
    """A tracking identifier and its UID."""
    unique = item("UIDREF", TRACKING_UNIQUE, relationship="HAS OBS CONTEXT")
    unique.UID = uid
    return text(TRACKING_IDENTIFIER, identifier), unique


def person(name: str) -> Dataset:
    """A person observer."""
    made = item("PNAME", ("121008", "DCM", "Person Observer Name"), relationship="HAS OBS CONTEXT")
    made.PersonName = name
    return made


def num(concept: Coded, value: str | None, unit: Coded = MM, *children: Dataset) -> Dataset:
    """A NUM item; a value of None is no number, with the qualifier that says so."""
    made = item("NUM", concept, *children)
    made.MeasuredValueSequence = Items()
    if value is None:
        made.NumericValueQualifierCodeSequence = Items([code(("114000", "DCM", "Not a number"))])
    else:
        measured = Dataset()
        measured.add_new("NumericValue", "DS", value)
        measured.MeasurementUnitsCodeSequence = Items([code(unit)])
        made.MeasuredValueSequence.append(measured)
    return made


def image(uid: str = IMAGE_UID, frames: int | Sequence[int] | None = None, sop_class: str = ULTRASOUND) -> Dataset:
    """An IMAGE item."""
    made = item("IMAGE", relationship="SELECTED FROM")
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = sop_class, uid
    if frames is not None:
        reference.ReferencedFrameNumber = frames
    made.ReferencedSOPSequence = Items([reference])
    return made


def scoord(
    graphic: str, data: Sequence[float], *images: Dataset, concept: Coded | None = None, kind: str = "SCOORD"
) -> Dataset:
    """A SCOORD item; on `IMAGE_UID` where no image is given."""
    made = item(kind, concept, *(images or (image(),)), relationship="INFERRED FROM")
    made.GraphicType = graphic
    made.GraphicData = list(data)
    return made


def with_evidence(made: Dataset, *uids: str, sop_class: str = ULTRASOUND) -> Dataset:
    """A report that rests on the images of these UIDs."""
    study, series = Dataset(), Dataset()
    references = []
    for each in uids:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = sop_class, each
        references.append(reference)
    series.SeriesInstanceUID, study.StudyInstanceUID = "1.2.826.0.1.77.3", "1.2.826.0.1.77.2"
    series.ReferencedSOPSequence = Items(references)
    study.ReferencedSeriesSequence = Items([series])
    made.CurrentRequestedProcedureEvidenceSequence = Items([study])
    return reread(made)


def by_reference(*place: int, relationship: str = "INFERRED FROM") -> Dataset:
    """A content item by reference to the one at a place of the tree, the root's number 1 first."""
    made = Dataset()
    made.RelationshipType = relationship
    made.ReferencedContentItemIdentifier = list(place)
    return made


def line(concept: Coded, value: str, data: Sequence[float], *images: Dataset, unit: Coded = MM) -> Dataset:
    """A NUM item inferred from a POLYLINE."""
    return num(concept, value, unit, scoord("POLYLINE", data, *images))


def measurements(*groups: Dataset) -> Dataset:
    """A TID 1500 report of Measurement Groups."""
    return report(container(MEASUREMENTS, *groups))


def report(*children: Dataset, title: Coded = REPORT, sop_class: str = COMPREHENSIVE) -> Dataset:
    """A report as it is read from a file."""
    made = item("CONTAINER", title, *children)
    del made.RelationshipType
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = sop_class, REPORT_UID, "SR"
    made.PatientName, made.PatientID = "Phantom^Child", "P-1"
    return reread(made)


def reread(made: Dataset, old: bytes = b"", new: bytes = b"") -> Dataset:
    """The data set as it comes back from its bytes, with some of them put in place of others of the same length."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return pydicom.dcmread(BytesIO(stream.getvalue().replace(old, new) if old else stream.getvalue()))


def read_report(dataset: Dataset) -> Drawings:
    """What is read of a report."""
    return read_sr(dataset, "sr.dcm")


def read_group(*children: Dataset) -> Drawings:
    """What is read of a report of one Measurement Group."""
    return read_report(measurements(group(*children)))


def points_of(drawings: Drawings) -> list[tuple[Axis | None, tuple[Point, ...]]]:
    """Axis and points of each drawing."""
    return [(each.axis, each.points) for each in drawings.drawn]


def codes_of(drawings: Drawings) -> list[str]:
    """Codes of the refusals."""
    return [each.code for each in drawings.refusals]
