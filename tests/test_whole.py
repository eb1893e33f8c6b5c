"""Whether a file is whole: whatever is cut off is found, and what is whole is not refused."""

from __future__ import annotations

import struct
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from dicom_writing import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, RLE, screen, write
from lesion_measure.config import Limits
from lesion_measure.dicom.whole import check_whole
from lesion_measure.errors import InputError

IDS = {"SOPInstanceUID": "1.2.826.0.1", "StudyInstanceUID": "1.2.826.0.2", "SeriesInstanceUID": "1.2.826.0.3"}


def _code(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        check_whole(path)
    assert caught.value.remedy
    return caught.value.code


def _every_cut(data: bytes) -> list[int]:
    """Where to cut: each byte of the header's end and of the file's end, and some between."""
    return sorted({*range(len(data) - 40, len(data)), *range(300, len(data), max(1, len(data) // 60))})


def test_the_samples_are_whole_and_none_of_their_cuts_is(project_dir: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.dcm"
    chosen = {
        check_whole(file).transfer_syntax_uid: file for file in sorted(project_dir.glob("sample_dicoms/**/*.dcm"))
    }
    assert len(chosen) == 5
    for file in chosen.values():
        data = file.read_bytes()
        whole = check_whole(file)
        assert whole.sop_instance_uid == pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID
        assert whole.size == len(data)
        for length in _every_cut(data)[-60:]:
            cut.write_bytes(data[:length])
            assert _code(cut) in ("incomplete", "unreadable"), (file, length)


def test_real_files_are_whole_and_their_halves_are_not(shared_dir: Path, tmp_path: Path) -> None:
    seen = 0
    for file in sorted((shared_dir / "dicom_us").rglob("*")):
        if not file.is_file() or file.stat().st_size > 5_000_000 or file.open("rb").read(132)[128:] != b"DICM":
            continue
        seen += 1
        check_whole(file)
        (tmp_path / "half.dcm").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        assert _code(tmp_path / "half.dcm") in ("incomplete", "unreadable"), file
    assert seen > 10


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_native_pixels_of_every_encoding(tmp_path: Path, syntax: str) -> None:
    write(tmp_path, screen().tobytes(), (96, 128, 3), syntax, **IDS)
    file = tmp_path / "image.dcm"
    check_whole(file)
    data = file.read_bytes()
    for length in (len(data) // 2, len(data) - 2):
        file.write_bytes(data[:length])
        assert _code(file) == "incomplete"


def test_fewer_pixels_than_the_header_asks_for(tmp_path: Path) -> None:
    """Half of the pixels under a length that fits them: what a cut body looks like once it is written anew."""
    for native in (EXPLICIT, DEFLATED):
        write(tmp_path, screen().tobytes()[:18_000], (96, 128, 3), native, **IDS)
        assert _code(tmp_path / "image.dcm") == "incomplete"
    write(tmp_path, [b"\x01\0\0\0" * 16] * 3, (8, 8), RLE, NumberOfFrames=4, **IDS)
    assert _code(tmp_path / "image.dcm") == "incomplete"
    write(tmp_path, [b"\x01\0\0\0" * 16] * 4, (8, 8), RLE, NumberOfFrames=4, **IDS)
    check_whole(tmp_path / "image.dcm")


def test_subsampled_colours_and_padding(tmp_path: Path) -> None:
    write(tmp_path, bytes(96 * 128 * 2), (96, 128, 3), PhotometricInterpretation="YBR_FULL_422", **IDS)
    check_whole(tmp_path / "image.dcm")
    write(tmp_path, bytes(7 * 9), (7, 9), **IDS)
    check_whole(tmp_path / "image.dcm")
    with (tmp_path / "image.dcm").open("ab") as file:
        file.write(bytes(512))  # a transfer in whole blocks
    check_whole(tmp_path / "image.dcm")
    with (tmp_path / "image.dcm").open("ab") as file:
        file.write(b"<html>")
    assert _code(tmp_path / "image.dcm") in ("incomplete", "unreadable")


def test_zeros_in_the_place_of_the_end(tmp_path: Path) -> None:
    write(tmp_path, [bytes(64)] * 4, (8, 8), RLE, NumberOfFrames=4, **IDS)
    data = (tmp_path / "image.dcm").read_bytes()
    (tmp_path / "image.dcm").write_bytes(data[: len(data) - 100] + bytes(100))
    assert _code(tmp_path / "image.dcm") in ("incomplete", "unreadable")


def test_a_segmentation_of_single_bits_is_whole(tmp_path: Path, project_dir: Path) -> None:
    """highdicom's own: 1 bit a pixel, packed over the frames' ends."""
    source = pydicom.dcmread(project_dir / "sample_dicoms" / "SIM-01" / "baseline" / "L1_sagittal.dcm")
    mask = np.zeros((source.Rows, source.Columns), bool)
    mask[100:150, 100:170] = True
    lesion = highdicom.seg.SegmentDescription(
        1, "lesion", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion,
        highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )  # fmt: skip
    made = highdicom.seg.Segmentation(
        [source], mask[None], "BINARY", [lesion], generate_uid(), 1, generate_uid(), 1, "maker", "model", "1", "serial"
    )
    made.save_as(tmp_path / "seg.dcm")
    assert check_whole(tmp_path / "seg.dcm").modality == "SEG"
    data = (tmp_path / "seg.dcm").read_bytes()
    (tmp_path / "seg.dcm").write_bytes(data[:-2])
    assert _code(tmp_path / "seg.dcm") == "incomplete"


@pytest.mark.parametrize(
    ("data", "codes_"),
    [
        (b"", ("no_file_meta",)),
        (b"<html>" * 100, ("no_file_meta",)),
        (bytes(128) + b"DICM", ("not_dicom", "unreadable", "incomplete")),
        (bytes(128) + b"DICM" + b"\x02\0\x10\0UI\xff\xff", ("incomplete", "unreadable", "not_dicom")),
        (bytes(128) + b"DICM" + struct.pack("<HH2sH", 8, 5, b"SQ", 0) + b"\xff" * 4, ("incomplete", "unreadable")),
    ],
)
def test_what_is_no_object(tmp_path: Path, data: bytes, codes_: tuple[str, ...]) -> None:
    (tmp_path / "odd.dcm").write_bytes(data)
    assert _code(tmp_path / "odd.dcm") in codes_


def test_sequences_without_end_are_bounded(tmp_path: Path) -> None:
    write(tmp_path, bytes(64), (8, 8), **IDS)
    data = (tmp_path / "image.dcm").read_bytes()
    nested = struct.pack("<HH2sxxL", 0x0009, 0x1001, b"SQ", 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    at = (
        data.index(struct.pack("<HH2s", 0x0010, 0x0010, b"PN"))
        if b"\x10\0\x10\0PN" in data
        else data.index(b"\x20\0\x0d\0")
    )
    (tmp_path / "image.dcm").write_bytes(data[:at] + nested * 5000 + data[at:])
    assert _code(tmp_path / "image.dcm") in ("incomplete", "unreadable")


def test_how_deep_sequences_may_lie_in_each_other_is_a_setting(tmp_path: Path) -> None:
    """40 sequences of undefined length (PS3.5 7.5.1), each in an item of the one before."""
    write(tmp_path, screen().tobytes(), (96, 128, 3), EXPLICIT, **IDS)
    begin = struct.pack("<HH2sHL", 0x7FE1, 0x1010, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    end = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    with (tmp_path / "image.dcm").open("ab") as file:
        file.write(begin * 40 + end * 40)
    with pytest.raises(InputError, match="nested too deeply"):
        check_whole(tmp_path / "image.dcm")
    check_whole(tmp_path / "image.dcm", Limits(nesting=40))
    with pytest.raises(InputError, match="nested too deeply"):
        check_whole(tmp_path / "image.dcm", Limits(nesting=39))
