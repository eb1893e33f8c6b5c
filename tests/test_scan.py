"""Headers scanned by lengths say what pydicom reads in them, whole or damaged."""

from __future__ import annotations

import io
import logging
import random
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from damage import damaged, said
from header_files import image, written
from lesion_measure.config import Limits
from lesion_measure.dicom import scan
from lesion_measure.dicom.headers import read_header
from lesion_measure.dicom.scan import scan_header
from lesion_measure.errors import InputError

TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyDate", "Modality", "PatientID", "Rows", "Columns",
    "SequenceOfUltrasoundRegions", "ImageComments", "ImageType", "PixelSpacing", "ViewCodeSequence", "NumberOfFrames",
    "PatientOrientation", "SharedFunctionalGroupsSequence",
)  # fmt: skip
MOST = Limits().header_bytes


def code(value: str, meaning: str, **more: object) -> Dataset:
    found = Dataset()
    found.CodeValue, found.CodingSchemeDesignator, found.CodeMeaning = value, "SCT", meaning
    for keyword, held in more.items():
        setattr(found, keyword, held)
    return found


def rich(**changes: object) -> Dataset:
    """A header with sequences of both lengths, nested ones, private elements and letters beyond ASCII."""
    modifier = code("103342002", "Coronal")
    modifier.is_undefined_length_sequence_item = True
    known = {
        "SpecificCharacterSet": "ISO_IR 100", "ImageComments": "Leber längs", "ImageType": ["DERIVED", "", "0001"],
        "PixelSpacing": [0.2, 0.3], "NumberOfFrames": 3, "PatientOrientation": ["L", "F"],
        "ViewCodeSequence": [code("62824007", "Transverse", ViewModifierCodeSequence=[modifier]), code("1", "Größe")],
    }  # fmt: skip
    found = image(**known | changes)
    found["ViewCodeSequence"].is_undefined_length = True
    found.private_block(0x0019, "MAKER", create=True).add_new(1, "OB", bytes(300))
    return found


SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_scan_says_what_pydicom_says(syntax: str) -> None:
    files = [written(dataset, syntax) for dataset in (image(), rich(), rich(PixelData=None), rich(ImageComments=""))]
    for data in (*files, *(data.replace(b"ISO_IR 100", b"ISO_IR 999") for data in files)):
        assert said(scan_header, data, TAGS, MOST) == said(read_header, data, TAGS, MOST)


def test_damaged_headers_are_scanned_as_pydicom_reads_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "pydicom")
    rng = random.Random(11)
    whole = [written(dataset, syntax) for syntax in SYNTAXES[:2] for dataset in (image(), rich())]
    for _ in range(800):
        data = damaged(rng.choice(whole), rng, first=132)
        assert said(scan_header, data, TAGS, MOST) == said(read_header, data, TAGS, MOST), data


def test_common_headers_are_not_left_to_pydicom(monkeypatch: pytest.MonkeyPatch, project_dir: Path) -> None:
    monkeypatch.setattr(scan, "read_header", None)
    samples = sorted((project_dir / "sample_dicoms").rglob("*.dcm"))
    long = rich(ImageComments="x" * 60_000)
    for data in (*(path.read_bytes() for path in samples), written(image()), written(long)):
        assert scan_header(io.BytesIO(data), TAGS, MOST).pixels is not None


def test_what_is_passed_over_is_bounded_too(tmp_path: Path) -> None:
    """A file of a few kilobytes may claim gigabytes before its pixels, in elements that nobody asks for."""
    data = written(image())
    at = data.index(b"\x28\x00\x02\x00")
    (tmp_path / "a").write_bytes(data[:at] + b"\x21\x00\x01\x10OB\0\0" + (1 << 31).to_bytes(4, "little"))
    with (tmp_path / "a").open("r+b") as stream:
        stream.seek(at + 12 + (1 << 31))
        stream.write(data[at:])
    for read in (read_header, scan_header):
        with (tmp_path / "a").open("rb") as stream, pytest.raises(InputError, match="larger than 2000000000 bytes"):
            read(stream, TAGS, MOST)
