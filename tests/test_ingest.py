"""Files to studies: every file ends as an image or as a refusal with the right reason; headers are read tolerantly."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
import time
import warnings
import zipfile
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lesion_measure.config import Limits
from lesion_measure.errors import InputError
from lesion_measure.ingest import load_studies
from lesion_measure.records import Instance, Refusal, StudyList

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


class TestRealFiles:
    @pytest.fixture
    def found(self, shared_dir: Path) -> StudyList:
        return load_studies(shared_dir / "dicom_us")

    def test_every_file_is_listed_once(self, found: StudyList, shared_dir: Path) -> None:
        files = sorted(
            p.relative_to(shared_dir / "dicom_us").as_posix() for p in (shared_dir / "dicom_us").rglob("*.*")
        )
        assert sorted([i.path for i in found.instances] + [r.path or "" for r in found.refusals]) == files
        assert all(i.path.startswith("us/") for i in found.instances)
        assert len(list(found.instances)) == 18

    def test_reasons(self, found: StudyList) -> None:
        reasons = {r.path: (r.code, r.reason) for r in found.refusals}
        assert reasons["seg/dcmqi_seg.dcm"] == (
            "not_ultrasound",
            "No ultrasound image: Segmentation Storage (modality SEG).",
        )
        assert "Comprehensive 3D SR" in reasons["sr/dwv_tid1500_sr-ruler.dcm"][1]
        assert reasons["index.csv"][0] == reasons["README.md"][0] == "not_dicom"

    def test_agrees_with_the_index(self, found: StudyList, shared_dir: Path) -> None:
        """Against pydicom's own values, read without our code."""
        for instance in found.instances:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                header = pydicom.dcmread(shared_dir / "dicom_us" / instance.path, stop_before_pixels=True)
                assert (instance.rows, instance.columns) == (header.Rows, header.Columns)
                assert instance.frames == int(header.get("NumberOfFrames") or 1)
                assert instance.sop_instance_uid == header.SOPInstanceUID
                assert instance.transfer_syntax_uid == header.file_meta.TransferSyntaxUID
                assert instance.photometric == header.PhotometricInterpretation
                assert instance.subject == header.get("PatientID", "")
                assert len(instance.regions) == len(header.get("SequenceOfUltrasoundRegions", []))
                for region, item in zip(instance.regions, header.get("SequenceOfUltrasoundRegions", []), strict=True):
                    assert region.delta_col == item.PhysicalDeltaX
                    assert (region.row_max, region.col_max) == (item.RegionLocationMaxY1, item.RegionLocationMaxX1)

    def test_old_dates_timing_and_shared_uids(self, found: StudyList) -> None:
        by_path = {i.path: i for i in found.instances}
        assert by_path["us/color-pl.dcm"].study_date == date(1994, 11, 5)
        assert by_path["us/dcm4che_jpeg-ls-Palette.dcm"].frame_time_ms == 76
        assert "us/color-px.dcm" in by_path["us/color-pl.dcm"].warnings[-1]

    def test_real_headers_survive_damage(self, shared_dir: Path, tmp_path: Path) -> None:
        """Any damage ends in an image or a refusal: never another exception, never a long wait."""
        rng = random.Random(7)
        heads = [p.read_bytes()[:12_000] for p in sorted((shared_dir / "dicom_us").rglob("*.dcm"))]
        marks = (b"\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0", b"\xfe\xff\x00\xe0", b"SQ\0\0", b"UN\0\0", b"\0\0\0\0")
        for _ in range(600):
            data = bytearray(rng.choice(heads))
            for _ in range(rng.choice((1, 3, 20, 100))):
                at = rng.randrange(132, len(data))
                if rng.random() < 0.5:
                    data[at] = rng.randrange(256)
                else:
                    data[at : at + 4] = rng.choice(marks)
            (tmp_path / "x").write_bytes(data)
            begin = time.perf_counter()
            load_studies(tmp_path)
            assert time.perf_counter() - begin < 5


class TestEncodings:
    @pytest.mark.parametrize(
        "syntax",
        [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian],
    )
    def test_with_and_without_preamble_and_meta(self, tmp_path: Path, syntax: str) -> None:
        whole = written(image(), syntax)
        expected = accepted(tmp_path, whole)
        assert expected.transfer_syntax_uid == syntax
        assert not expected.warnings
        variants = {"no preamble": whole[132:], "prefix first": whole[128:], "no meta": raw_body(image(), syntax)}
        for what, data in variants.items():
            got = accepted(tmp_path, data)
            assert got.transfer_syntax_uid == syntax, what
            assert got.regions == expected.regions, what
            assert (got.rows, got.columns, got.subject) == (4, 8, "P1"), what
        assert "no transfer syntax" in accepted(tmp_path, variants["no meta"]).warnings[0]

    def test_without_group_length(self, tmp_path: Path) -> None:
        whole = written(image())
        assert accepted(tmp_path, whole[:132] + whole[144:]).rows == 4

    def test_wrong_transfer_syntax(self, tmp_path: Path) -> None:
        head = written(image())[: -len(raw_body(image()))]
        got = accepted(tmp_path, head + raw_body(image(), ImplicitVRLittleEndian))
        assert got.transfer_syntax_uid == ImplicitVRLittleEndian
        assert "not the one the data are in" in got.warnings[0]

    def test_deflated(self, tmp_path: Path) -> None:
        assert accepted(tmp_path, self._deflated(raw_body(image()))).rows == 4
        assert refused(tmp_path, self._deflated(raw_body(image()))[:-40]).code in ("unreadable", "no_image")
        assert refused(tmp_path, self._deflated(b"") + b"\xff" * 100).code == "unreadable"

    def test_deflated_bomb(self, tmp_path: Path) -> None:
        huge = (0x00080016).to_bytes(4, "little")[2:] + b"\x16\x00UI" + (26).to_bytes(2, "little") + US.encode() + b"\0"
        huge += b"\x09\x00\x01\x10OB\0\0" + (2_000_000_000).to_bytes(4, "little") + bytes(100_000_000)
        (tmp_path / "a").write_bytes(self._deflated(huge))
        (refusal,) = load_studies(tmp_path, limits=Limits(header_bytes=1_000_000)).refusals
        assert refusal.code == "header_too_large"

    @staticmethod
    def _deflated(body: bytes) -> bytes:
        head = written(image())[: -len(raw_body(image()))]
        packer = zlib.compressobj(wbits=-15)
        meta = with_value(head, b"\x02\x00\x10\x00UI", str(DeflatedExplicitVRLittleEndian).encode())
        return meta + packer.compress(body) + packer.flush()

    def test_stray_delimiters(self, tmp_path: Path) -> None:
        whole = written(image())
        at = whole.index(b"\x28\x00\x10\x00")  # before Rows
        for stray in (b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"):
            got = accepted(tmp_path, whole[:at] + stray + whole[at:])
            assert (got.rows, got.columns, len(got.regions)) == (4, 8, 1)

    def test_cut_off_and_trailing_garbage(self, tmp_path: Path) -> None:
        whole = written(image())
        assert accepted(tmp_path, whole + random.Random(1).randbytes(500)).rows == 4
        for end in range(0, len(whole) - 40, 7):
            assert refused(tmp_path, whole[:end]).code in ("not_dicom", "unreadable", "no_image", "not_ultrasound")
        assert "cut off" in refused(tmp_path, whole[: whole.index(b"\xe0\x7f\x10\x00")]).reason

    def test_pixels_are_not_read(self, tmp_path: Path) -> None:
        whole = written(image())
        at = whole.index(b"\xe0\x7f\x10\x00OB\0\0") + 8
        claimed = whole[:at] + (0xFFFFFFF0).to_bytes(4, "little")
        with (tmp_path / "huge").open("wb") as file:
            file.write(claimed)
            file.truncate(3_000_000_000)  # a hole: takes no room
        begin = time.perf_counter()
        (found,) = load_studies(tmp_path).instances
        assert found.rows == 4
        assert time.perf_counter() - begin < 0.5

    @pytest.mark.parametrize("vr", [b"OB", b"UN", b"OW"])
    def test_large_elements_before_the_pixels_are_skipped(self, tmp_path: Path, vr: bytes) -> None:
        whole = written(image())
        at = whole.index(b"\x28\x00\x02\x00")
        private = b"\x21\x00\x10\x00LO\x04\0ABCD\x21\x00\x01\x10" + vr + b"\0\0" + (80_000_000).to_bytes(4, "little")
        assert accepted(tmp_path, whole[:at] + private + bytes(80_000_000) + whole[at:]).rows == 4


class TestHostileHeaders:
    """Headers made to cost time or memory: each is settled within seconds."""

    ITEM = b"\xfe\xff\x00\xe0\0\0\0\0"
    SEQUENCE = b"\x21\x00\x01\x10SQ\0\0\xff\xff\xff\xff"

    @pytest.mark.parametrize(
        ("inserted", "code"),
        [
            (bytes(50_000_000), "no_image"),  # a download that was never finished
            (b"\x21\x00\x01\x10LO\0\0" * 3_000_000, "header_too_large"),
            (SEQUENCE + ITEM * 3_000_000, "header_too_large"),
            ((SEQUENCE + ITEM[:4] + b"\xff" * 4) * 5000, "unreadable"),
            (b"\x21\x00\x01\x10OB\0\0\xff\xff\xff\xff" + b"\x11" * 70_000_000, "header_too_large"),
            (b"\xfe\xff\x0d\xe0\0\0\0\0" * 1_000_000, "no_image"),
            (b"\x08\x00\x05\x00CS\xf0\xff" + b"a\\" * 32_760, "unreadable"),
        ],
        ids=["zeros", "elements", "items", "nested", "undelimited", "delimiters", "character sets"],
    )
    def test_settled_quickly(self, tmp_path: Path, inserted: bytes, code: str) -> None:
        whole = written(image())
        at = whole.index(b"\x28\x00\x02\x00")
        begin = time.perf_counter()
        assert refused(tmp_path, whole[:at] + inserted + whole[at:]).code == code
        assert time.perf_counter() - begin < 20

    def test_wanted_sequence_of_many_items(self, tmp_path: Path) -> None:
        whole = written(image())
        at = whole.index(b"\x18\x00\x11\x60SQ")
        end = at + 12 + int.from_bytes(whole[at + 8 : at + 12], "little")
        items = self.ITEM * 2_000_000
        begin = time.perf_counter()
        got = accepted(tmp_path, whole[: at + 8] + len(items).to_bytes(4, "little") + items + whole[end:])
        assert time.perf_counter() - begin < 5
        assert [region.delta_row for region in got.regions] == [None]


class TestWhatIsNoImage:
    def test_other_files(self, tmp_path: Path) -> None:
        contents: dict[str, tuple[bytes, str]] = {
            "empty": (b"", "empty"),
            "photo.dcm": (b"\xff\xd8\xff\xe0" + bytes(300), "JPEG"),
            "shot": (b"\x89PNG\r\n\x1a\n" + bytes(300), "PNG"),
            "report": (b"%PDF-1.7" + bytes(300), "PDF"),
            "._image.dcm": (b"\x00\x05\x16\x07" + bytes(300), "macOS"),
            "a.gz": (b"\x1f\x8b\x08" + bytes(300), "gzip"),
            "a.tar": (bytes(257) + b"ustar" + bytes(300), "tar"),
            "README": (b"Read me first. " * 50, "not a DICOM"),
            "zeros": (bytes(1000), "not a DICOM"),
            "text8": (b"\x08\x00 is how this text begins, and it goes on" * 9, "not a DICOM"),
        }
        for name, (data, _) in contents.items():
            (tmp_path / name).write_bytes(data)
        found = load_studies(tmp_path)
        assert not len(found)
        assert {r.path: r.code for r in found.refusals} == dict.fromkeys(contents, "not_dicom")
        for refusal in found.refusals:
            assert contents[str(refusal.path)][1] in refusal.reason

    def test_random_bytes_are_not_dicom(self, tmp_path: Path) -> None:
        rng = random.Random(4)
        for start in (b"", b"\x08\x00\x05\x00", b"\x02\x00\x00\x00", b"\x08\x00\x16\x00UI", b"\x00\x08\x00\x05"):
            for _ in range(60):
                assert refused(tmp_path, start + rng.randbytes(600)).code in ("not_dicom", "unreadable")

    def test_prefix_alone(self, tmp_path: Path) -> None:
        assert refused(tmp_path, bytes(128) + b"DICM").code == "unreadable"
        nameless = image(SOPClassUID=None, Modality=None)
        assert "neither storage class nor modality" in refused(tmp_path, nameless).reason
        assert refused(tmp_path, bytes(128) + b"DICM" + b"text" * 99).code == "unreadable"

    @pytest.mark.parametrize(
        ("storage_class", "modality", "name"),
        [
            ("1.2.840.10008.5.1.4.1.1.2", "CT", "CT Image Storage"),
            ("1.2.840.10008.5.1.4.1.1.11.1", "PR", "Grayscale Softcopy Presentation State Storage"),
            ("1.2.840.10008.1.3.10", None, "Media Storage Directory Storage"),
            ("1.2.840.113543.6.6.1.3.10002", "US", "1.2.840.113543.6.6.1.3.10002"),
        ],
    )
    def test_other_storage_classes_by_name(
        self, tmp_path: Path, storage_class: str, modality: str | None, name: str
    ) -> None:
        regions = {"SequenceOfUltrasoundRegions": None}
        refusal = refused(tmp_path, image(SOPClassUID=storage_class, Modality=modality, **regions))
        assert refusal.code == "not_ultrasound"
        assert name in refusal.reason
        assert refusal.sop_instance_uid == "1.2.3.4"

    @pytest.mark.parametrize("change", [{"PixelData": None}, {"PixelData": b""}, {"Rows": None}, {"Columns": 0}])
    def test_no_image(self, tmp_path: Path, change: dict[str, object]) -> None:
        assert refused(tmp_path, image(**change)).code == "no_image"

    def test_header_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(written(image(ImageComments="x" * 9000)))
        found = load_studies(tmp_path, limits=Limits(header_bytes=5000))
        assert found.refusals[0].code == "header_too_large"

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such file"):
            load_studies(tmp_path / "nothing")
        with pytest.raises(InputError, match="no file in it"):
            load_studies(tmp_path)


class TestWhatIsUltrasound:
    @pytest.mark.parametrize(
        "kind", ["6.1", "3.1", "6", "3", "6.2"], ids=["image", "multi-frame", "old image", "old multi", "volume"]
    )
    def test_storage_classes(self, tmp_path: Path, kind: str) -> None:
        got = accepted(tmp_path, image(SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{kind}", Modality=None))
        assert got.sop_class_uid.endswith(f".1.1.{kind}")

    @pytest.mark.parametrize("kind", ["", ".1", ".2", ".3", ".4"])
    def test_secondary_captures(self, tmp_path: Path, kind: str) -> None:
        by_modality = accepted(tmp_path, image(SOPClassUID=CAPTURE + kind, SequenceOfUltrasoundRegions=None))
        by_region = accepted(tmp_path, image(SOPClassUID=CAPTURE + kind, Modality="OT"))
        assert "secondary capture" in by_modality.warnings[0]
        assert "secondary capture" in by_region.warnings[0]
        other = image(SOPClassUID=CAPTURE + kind, Modality="OT", SequenceOfUltrasoundRegions=None)
        assert refused(tmp_path, other).code == "not_ultrasound"

    def test_a_modality_that_is_no_code_is_not_quoted(self, tmp_path: Path) -> None:
        other = image(SOPClassUID=CAPTURE, Modality="MEYER ANNA", SequenceOfUltrasoundRegions=None)
        assert "MEYER" not in refused(tmp_path, other).reason

    def test_without_storage_class(self, tmp_path: Path) -> None:
        assert "without storage class" in accepted(tmp_path, image(SOPClassUID=None)).warnings[0]


class TestValues:
    def test_regions_are_turned(self, tmp_path: Path) -> None:
        (region,) = accepted(tmp_path, image()).regions
        assert (region.row_min, region.row_max, region.col_min, region.col_max) == (2, 3, 1, 6)
        assert (region.delta_row, region.delta_col, region.unit_row, region.unit_col) == (0.03, 0.02, 3, 3)
        assert (region.spatial_format, region.data_type, region.flags, region.index) == (1, 1, 0, 0)

    def test_damaged_regions_are_not_no_regions(self, tmp_path: Path) -> None:
        dataset = image()
        del dataset.SequenceOfUltrasoundRegions[0].PhysicalDeltaX
        dataset.SequenceOfUltrasoundRegions[0].PhysicalDeltaY = float("nan")
        (region,) = accepted(tmp_path, dataset).regions
        assert (region.delta_row, region.delta_col) == (None, None)
        whole = written(image())
        at = whole.index(b"\x18\x00\x11\x60SQ")
        length = int.from_bytes(whole[at + 8 : at + 12], "little")
        for rubbish in (b"\x55", b"\xfe\xff\xdd\xe0\0\0\0\0"):
            broken = whole[: at + 12] + (rubbish * length)[:length] + whole[at + 12 + length :]
            assert [r.delta_row for r in accepted(tmp_path, broken).regions] == [None]
        assert "cannot be read" in accepted(tmp_path, broken).warnings[-1]
        empty = whole[: at + 8] + bytes(4) + whole[at + 12 + length :]
        assert accepted(tmp_path, empty).regions == ()

    @pytest.mark.parametrize(
        ("stated", "expected"),
        [
            ("20240131", date(2024, 1, 31)),
            ("1994.11.05", date(1994, 11, 5)),
            ("", None),
            ("20241301", None),
            ("unknown", None),
            ("2024", None),
            ("20240101-20240201", None),
        ],
    )
    def test_dates(self, tmp_path: Path, stated: str, expected: date | None) -> None:
        got = accepted(tmp_path, with_value(written(image()), b"\x08\x00\x20\x00DA", stated.encode()))
        assert got.study_date == expected
        assert bool(got.warnings) == bool(stated and not expected)
        assert not stated or not any(stated in warning for warning in got.warnings)

    @pytest.mark.parametrize(("stated", "expected"), [("", 1), ("0", 1), ("-3", 1), ("x", 1), ("12 ", 12), ("1_0", 1)])
    def test_frames(self, tmp_path: Path, stated: str, expected: int) -> None:
        data = written(image(NumberOfFrames="77"))
        got = accepted(tmp_path, with_value(data, b"\x28\x00\x08\x00IS", stated.encode()))
        assert got.frames == expected
        assert bool(got.warnings) == (expected == 1 and stated != "")

    @pytest.mark.parametrize(
        ("stated", "expected"),
        [
            (b"0.2\\0.3 ", (0.2, 0.3)),
            (b"2e-1\\.3 ", (0.2, 0.3)),
            (b"0.2 ", None),
            (b"0.2\\0.3\\1", None),
            (b"0.2\\-0.3", None),
            (b"0\\0", None),
            (b"0,2\\0,3 ", None),
            (b"0_2\\0_3 ", None),
            (b"nan\\inf ", None),
            (b"cm\\cm ", None),
        ],
    )
    def test_pixel_spacing(self, tmp_path: Path, stated: bytes, expected: tuple[float, float] | None) -> None:
        data = written(image(PixelSpacing=[1, 1]))
        got = accepted(tmp_path, with_value(data, b"\x28\x00\x30\x00DS", stated))
        assert got.pixel_spacing == expected
        masked = re.sub("[a-z]", "?", stated.decode().strip())  # free text may hold a name
        assert got.pixel_spacing_raw == (None if expected else masked)
        assert bool(got.warnings) == (expected is None)

    def test_an_empty_pixel_spacing_is_none(self, tmp_path: Path) -> None:
        got = accepted(tmp_path, with_value(written(image(PixelSpacing=[1, 1])), b"\x28\x00\x30\x00DS", b""))
        assert (got.pixel_spacing, got.pixel_spacing_raw, got.warnings) == (None, None, ())

    def test_calibration_type(self, tmp_path: Path) -> None:
        got = accepted(
            tmp_path, image(PixelSpacingCalibrationType="FIDUCIAL", PixelSpacingCalibrationDescription="ruler")
        )
        assert got.pixel_spacing_type == "FIDUCIAL: ruler"

    def test_frame_time(self, tmp_path: Path) -> None:
        vector = image(FrameIncrementPointer=0x00181065, FrameTimeVector=[0, 20, 40], FrameTime="99", NumberOfFrames=3)
        assert accepted(tmp_path, vector).frame_time_ms == 30
        assert accepted(tmp_path, image(FrameIncrementPointer=0x00181063, FrameTime="33.3")).frame_time_ms == 33.3
        assert accepted(tmp_path, image(FrameTime="0")).frame_time_ms is None
        assert accepted(tmp_path, image()).frame_time_ms is None

    def test_subject_and_time_point(self, tmp_path: Path) -> None:
        got = accepted(tmp_path, image(ClinicalTrialSubjectID=" T-01 ", ClinicalTrialTimePointID="V1"))
        assert (got.subject, got.time_point) == ("T-01", "V1")
        got = accepted(tmp_path, image(ClinicalTrialSubjectID="", PatientID=None))
        assert (got.subject, got.time_point) == ("", None)

    def test_view_keeps_planes_and_drops_names(self, tmp_path: Path) -> None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "SCT", "Right lobe of liver"
        got = accepted(
            tmp_path,
            image(
                AnatomicRegionSequence=[code], BodyPartExamined="LIVER", SeriesDescription="Jane Doe TRANSVERSE liver",
                ViewName="sag", ImageComments="DOE, born 2023-01-01: longitudinal",
            ),
        )  # fmt: skip
        assert got.view == "Right lobe of liver; LIVER; sag; transverse liver; longitudinal"

    def test_uids(self, tmp_path: Path) -> None:
        first = accepted(tmp_path, image(SOPInstanceUID=None, StudyInstanceUID=None))
        again = accepted(tmp_path, image(SOPInstanceUID=None, StudyInstanceUID=None))
        other = accepted(tmp_path, image(SOPInstanceUID=None, StudyInstanceUID=None, Rows=2))
        assert first.sop_instance_uid == again.sop_instance_uid != other.sop_instance_uid
        assert first.sop_instance_uid.startswith("2.25.")
        assert first.study_instance_uid == other.study_instance_uid
        assert "SOP Instance UID" in first.warnings[0]
        assert (
            accepted(tmp_path, with_value(written(image()), b"\x08\x00\x18\x00UI", b"../../x")).sop_instance_uid[:5]
            == "2.25."
        )

    def test_no_patient_name_anywhere(self, tmp_path: Path) -> None:
        assert "Doe" not in repr(accepted(tmp_path, image()))


class TestWarnings:
    """pydicom's own remarks quote the values that it does not know: ours name the element, or the kind of problem."""

    def test_an_unknown_character_set_is_not_quoted(self, tmp_path: Path) -> None:
        data = with_value(written(image(SpecificCharacterSet="ISO_IR 100")), b"\x08\x00\x05\x00CS", b"Meyer^Anna")
        (warning,) = accepted(tmp_path, data).warnings
        assert "SpecificCharacterSet" in warning
        assert "Meyer" not in warning

    def test_no_other_remark_is_quoted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def remarking(*args: Any, **options: Any) -> Dataset:
            warnings.warn("Invalid value for VR PN: 'Meyer^Anna'", stacklevel=1)
            return read_dataset(*args, **options)

        monkeypatch.setattr("lesion_measure.dicom.headers.read_dataset", remarking)
        (warning,) = accepted(tmp_path, image()).warnings
        assert "does not follow the standard" in warning
        assert "Meyer" not in warning


class TestVolumes:
    @staticmethod
    def volume(positions: list[list[float]] | None, *, between: str | None = "0.5", **changes: object) -> Dataset:
        measures = Dataset()
        measures.PixelSpacing = [0.2, 0.3]
        if between:
            measures.SpacingBetweenSlices = between
        orientation = Dataset()
        orientation.ImageOrientationVolume = [1, 0, 0, 0, 1, 0]
        shared = Dataset()
        shared.PixelMeasuresSequence, shared.PlaneOrientationVolumeSequence = [measures], [orientation]
        frames = []
        for position in positions or []:
            place, frame = Dataset(), Dataset()
            place.ImagePositionVolume = position
            frame.PlanePositionVolumeSequence = [place]
            frames.append(frame)
        return image(
            SOPClassUID=ENHANCED, NumberOfFrames=4, PixelData=bytes(128), SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=frames or None, **changes,
        )  # fmt: skip

    def test_stack(self, tmp_path: Path) -> None:
        for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
            got = accepted(tmp_path, self.volume([[5, 5, 0.5 * n] for n in order]))
            assert got.pixel_spacing == (0.2, 0.3)
            assert got.slice_spacing_mm == pytest.approx(0.5)
            assert not got.warnings

    @pytest.mark.parametrize(
        "positions",
        [
            [[0, 0, 0.0], [0, 0, 0.5], [0, 0, 1.0], [0, 0, 3.0]],  # uneven
            [[0, 0, 0.0], [0, 0, 0.5], [0, 0, 0.0], [0, 0, 0.5]],  # two volumes
            [[0, 0, 0.0], [1, 0, 0.5], [2, 0, 1.0], [3, 0, 1.5]],  # sheared
            [[0, 0, 0.0], [0, 0, 0.9], [0, 0, 1.8], [0, 0, 2.7]],  # not what SpacingBetweenSlices says
            [[0, 0, 0.0], [0, 0, 0.5]],  # frames without a position
            [[0, 0, 0.0], [0, 0, 1.0], [0, 0, 0.5], [0, 0, 1.5]],  # even, but the frames are not in their order
        ],
    )
    def test_what_is_no_stack_has_no_slice_spacing(self, tmp_path: Path, positions: list[list[float]]) -> None:
        got = accepted(tmp_path, self.volume(positions))
        assert got.slice_spacing_mm is None
        assert "slice spacing" in got.warnings[-1]

    def test_without_positions(self, tmp_path: Path) -> None:
        assert accepted(tmp_path, self.volume(None)).slice_spacing_mm == 0.5
        over_time = accepted(tmp_path, self.volume(None, DimensionOrganizationType="3D_TEMPORAL"))
        assert over_time.slice_spacing_mm is None
        assert accepted(tmp_path, self.volume(None, between=None)).slice_spacing_mm is None

    def test_frames_of_different_scale(self, tmp_path: Path) -> None:
        dataset = self.volume([[0, 0, 0.5 * n] for n in range(4)])
        del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
        for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            measures = Dataset()
            measures.PixelSpacing = [0.2 + 0.1 * (number == 3), 0.3]
            frame.PixelMeasuresSequence = [measures]
        got = accepted(tmp_path, dataset)
        assert got.pixel_spacing is None
        assert got.pixel_spacing_raw

    def test_slice_spacing_is_for_volumes_alone(self, tmp_path: Path) -> None:
        got = accepted(tmp_path, image(SOPClassUID=US_MULTI, NumberOfFrames=4, SpacingBetweenSlices="0.5"))
        assert got.slice_spacing_mm is None


class TestFolders:
    def test_studies_in_order(self, tmp_path: Path) -> None:
        for name, uid, study in (("b/2", "1.5", "1.1"), ("a/1", "1.6", "1.2"), ("b/1", "1.7", "1.1")):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(written(image(SOPInstanceUID=uid, StudyInstanceUID=study)))
        seen: list[str] = []
        found = load_studies(str(tmp_path), progress=seen.append)
        assert [[i.path for i in study.instances] for study in found] == [["a/1"], ["b/1", "b/2"]]
        assert seen == ["a/1", "b/1", "b/2"]
        assert found[0].subject == "P1"
        assert found[1].study_date == date(2024, 1, 31)

    def test_zip_and_broken_zip(self, tmp_path: Path) -> None:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("deep/image", written(image()))
        with zipfile.ZipFile(tmp_path / "export", "w") as file:
            file.writestr("in.zip", inner.getvalue())
            file.writestr("note.txt", "hello")
        (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 nothing")
        found = load_studies(tmp_path)
        assert [i.path for i in found.instances] == ["export/in.zip/deep/image"]
        assert {r.path: r.code for r in found.refusals} == {
            "bad.zip": "archive_damaged",
            "export/note.txt": "not_dicom",
        }

    def test_copies(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(written(image()))
        (tmp_path / "b").write_bytes(written(image()))
        (tmp_path / "c").write_bytes(written(image(Rows=2)))
        found = load_studies(tmp_path)
        assert [i.path for i in found.instances] == ["a", "c"]
        assert [(r.path, r.code) for r in found.refusals] == [("b", "duplicate")]
        assert "also as a" in found.refusals[0].reason
        assert [i.warnings[0].rpartition(": ")[2] for i in found.instances] == ["c", "a"]

    def test_of_a_zip_and_its_unpacked_files_the_files_are_kept(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a").write_bytes(written(image()))
        with zipfile.ZipFile(tmp_path / "sub.zip", "w") as archive:
            archive.writestr("a", written(image()))
        found = load_studies(tmp_path)
        assert [i.path for i in found.instances] == ["sub/a"]
        assert [(path, i.path) for path, i in found.copies] == [("sub.zip/a", "sub/a")]

    def test_the_folder_of_the_results_is_left_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("a", "out/b", "sub/out/c"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("text")
        monkeypatch.chdir(tmp_path)
        for folder, out in ((tmp_path, Path("out")), (Path(), tmp_path / "out"), (tmp_path, tmp_path / "x/../out")):
            assert [r.path for r in load_studies(folder, leave_out=out).refusals] == ["a", "sub/out/c"]
        assert len(load_studies(tmp_path / "out", leave_out=tmp_path).refusals) == 1

    def test_subjects_of_one_study_stay_apart(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(written(image()))
        (tmp_path / "b").write_bytes(written(image(SOPInstanceUID="1.9", PatientID="P2", StudyDate="20240201")))
        assert [study.subject for study in load_studies(tmp_path)] == ["P1", "P2"]

    def test_quick(self, tmp_path: Path) -> None:
        whole = written(image())
        for number in range(1000):
            (tmp_path / str(number)).write_bytes(with_value(whole, b"\x08\x00\x18\x00UI", b"1.9.%d" % number))
        begin = time.perf_counter()
        assert len(list(load_studies(tmp_path).instances)) == 1000
        assert time.perf_counter() - begin < 10

    def test_silent(self, tmp_path: Path) -> None:
        """pydicom's warnings and log lines do not reach the screen."""
        data = with_value(written(image()), b"\x08\x00\x60\x00CS", b"us " * 9)
        data = with_value(data, b"\x10\x00\x20\x00LO", b"x" * 99)
        (tmp_path / "a").write_bytes(with_value(data, b"\x08\x00\x18\x00UI", b"1.02.3"))
        code = "import sys; from lesion_measure.ingest import load_studies; load_studies(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-W", "always", "-c", code, str(tmp_path)], capture_output=True, text=True, check=True,
            env={**os.environ},
        )  # fmt: skip
        assert done.stdout + done.stderr == ""
