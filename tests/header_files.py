"""DICOM headers as files, for the tests of ingest."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
)

from lesion_measure.records import Instance, Refusal
from lesion_measure.studies import load_studies

US, US_MULTI, ENHANCED = (f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("6.1", "3.1", "6.2"))
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def image(**changes: object) -> Dataset:
    """A small ultrasound image with one region; a change to None leaves the element out."""
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 1, 2
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 6, 3
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, 0.03
    dataset = Dataset()
    known: dict[str, object] = {
        "SOPClassUID": US, "SOPInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1",
        "StudyDate": "20240131", "Modality": "US", "PatientID": "P1", "PatientName": "Doe^Jane",
        "Rows": 4, "Columns": 8,
        "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "SequenceOfUltrasoundRegions": [region], "PixelData": bytes(32),
    }  # fmt: skip
    for keyword, value in (known | changes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB"
    return dataset


def written(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A whole file: preamble, prefix, file meta information, data set."""
    uid = pydicom.uid.UID(syntax)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.FileMetaInformationGroupLength = 0  # filled in by the writer
    dataset.file_meta.TransferSyntaxUID = uid
    dataset.preamble = bytes(128)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid values are meant
        pydicom.dcmwrite(
            buffer, dataset, implicit_vr=uid.is_implicit_VR, little_endian=uid.is_little_endian, force_encoding=True
        )
    return buffer.getvalue()


def raw_body(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set alone, without preamble and file meta information."""
    whole = written(dataset, syntax)
    return whole[144 + int.from_bytes(whole[140:144], "little") :]


def with_value(data: bytes, start: bytes, value: bytes) -> bytes:
    """The file with the value of one element of two-byte length replaced; ``start`` is its tag and VR."""
    at = data.index(start)
    end = at + 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    value += b" " * (len(value) % 2)
    return data[: at + 6] + len(value).to_bytes(2, "little") + value + data[end:]


def one(tmp_path: Path, data: bytes | Dataset, name: str = "a") -> Instance | Refusal:
    """What becomes of one file."""
    (tmp_path / name).write_bytes(written(data) if isinstance(data, Dataset) else data)
    found = load_studies(tmp_path / name)
    outcomes: list[Instance | Refusal] = [*found.instances, *found.refusals]
    (outcome,) = outcomes
    assert outcome.path == name
    return outcome


def accepted(tmp_path: Path, data: bytes | Dataset) -> Instance:
    outcome = one(tmp_path, data)
    assert isinstance(outcome, Instance), outcome
    return outcome


def refused(tmp_path: Path, data: bytes | Dataset) -> Refusal:
    outcome = one(tmp_path, data)
    assert isinstance(outcome, Refusal), outcome
    return outcome
