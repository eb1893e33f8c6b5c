"""Ultrasound images with segmentations that highdicom writes, for the tests."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels import pack_bits
from pydicom.sr.codedict import codes
from pydicom.uid import UID, UltrasoundMultiFrameImageStorage, generate_uid

from dicom_writing import screen, write

ROWS, COLUMNS = 95, 127  # an odd number of pixels: frames of a binary segmentation do not begin at whole bytes


def region(rows: tuple[int, int] = (0, ROWS - 1), cols: tuple[int, int] = (0, COLUMNS - 1)) -> Dataset:
    """A tissue region of 0.3 mm pixels between these rows and columns, both included."""
    made = Dataset()
    made.RegionSpatialFormat, made.RegionDataType, made.RegionFlags = 1, 1, 0
    made.RegionLocationMinY0, made.RegionLocationMaxY1 = rows
    made.RegionLocationMinX0, made.RegionLocationMaxX1 = cols
    made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = 3
    made.PhysicalDeltaX = made.PhysicalDeltaY = 0.03
    return made


def image(folder: Path, frames: int = 1, **attributes: Any) -> Path:
    """An image whose one region is the whole screen."""
    folder.mkdir(parents=True)
    pixels = np.stack([screen(ROWS, COLUMNS, seed) for seed in range(frames)])
    known: dict[str, Any] = {
        "PatientID": "P1", "PatientName": "Doe^Jane", "PatientBirthDate": "", "PatientSex": "", "StudyDate": "20240101",
        "StudyTime": "", "AccessionNumber": "", "ReferringPhysicianName": "", "StudyID": "", "Modality": "US",
        "SeriesNumber": 1, "InstanceNumber": 1, "Manufacturer": "M", "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(), "SOPInstanceUID": generate_uid(),
        "SequenceOfUltrasoundRegions": [region()],
    }  # fmt: skip
    if frames > 1:
        known |= {
            "NumberOfFrames": frames,
            "FrameTime": 30,
            "FrameIncrementPointer": 0x00181063,
            "SOPClassUID": UltrasoundMultiFrameImageStorage,
        }
    write(folder, pixels.tobytes(), (ROWS, COLUMNS, 3), **(known | attributes))
    return folder / "image.dcm"


def mask(top: int = 20, left: int = 30) -> NDArray[np.bool_]:
    drawn = np.zeros((ROWS, COLUMNS), dtype=bool)
    drawn[top : top + 30, left : left + 45] = True
    return drawn


def segment(number: int, category: Any = codes.SCT.MorphologicallyAbnormalStructure) -> hd.seg.SegmentDescription:
    organ = category == codes.SCT.AnatomicalStructure
    return hd.seg.SegmentDescription(
        number,
        f"segment {number}",
        category,
        codes.SCT.Liver if organ else codes.SCT.Lesion,
        hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def described(label: str, kind: Any, category: Any, number: int = 1) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(number, label, category, kind, hd.seg.SegmentAlgorithmTypeValues.MANUAL)


LIVER_TUMOUR = hd.sr.CodedConcept("126851005", "SCT", "Neoplasm of liver")
NEEDLE = hd.sr.CodedConcept("79068005", "SCT", "Needle")
PHYSICAL = hd.sr.CodedConcept("260787004", "SCT", "Physical object")
ABNORMAL, ANATOMY, TISSUE = (
    codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.AnatomicalStructure, codes.SCT.Tissue,
)  # fmt: skip


def segmentation(source: Path, values: NDArray[Any], kind: str, *segments: Any, **options: Any) -> Any:
    return hd.seg.Segmentation(
        [dcmread(source)], values, kind, segments or [segment(1)], generate_uid(), 1, generate_uid(), 1, "maker",
        "model", "1", "serial", **options,
    )  # fmt: skip


def save(seg: Any, path: Path) -> Path:
    seg.save_as(path)
    return path


def multiframe(source: Path, drawn: dict[int, NDArray[np.bool_]]) -> Any:
    """highdicom's segmentation of one frame, taken apart to one that outlines several frames of a cine."""
    single = source.parent / "single"
    seg = segmentation(image(single), mask()[None], "BINARY")
    (single / "image.dcm").unlink()
    groups = []
    for number in drawn:
        group = Dataset.from_json(seg.PerFrameFunctionalGroupsSequence[0].to_json())
        reference = group.DerivationImageSequence[0].SourceImageSequence[0]
        reference.ReferencedSOPInstanceUID = dcmread(source).SOPInstanceUID
        reference.ReferencedFrameNumber = number
        groups.append(group)
    seg.PerFrameFunctionalGroupsSequence = groups
    seg.NumberOfFrames = len(groups)
    seg.PixelData = pack_bits(np.stack(list(drawn.values())), pad=True)
    return seg


def edited(path: Path, change: Callable[[Any], object]) -> None:
    dataset = dcmread(path)
    change(dataset)
    dataset.save_as(path)


def compressed(path: Path, syntax: str) -> Path:
    """The same segmentation in another encoding, by an encoder of pydicom's that is no GDCM (whose RLE ends Python)."""
    plugin = {"1.2.840.10008.1.2.5": "pydicom", "1.2.840.10008.1.2.4.80": "pyjpegls"}.get(syntax, "pylibjpeg")
    dataset = dcmread(path)
    if syntax == "1.2.840.10008.1.2.1.99":
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    else:
        dataset.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
    dataset.save_as(path)
    return path


def encapsulated(path: Path, syntax: str, frames: Sequence[bytes]) -> Path:
    """The same segmentation with other bytes for its frames, as `syntax` has them."""
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PixelData = encapsulate(list(frames))
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, implicit_vr=False, little_endian=True, force_encoding=True)  # pydicom knows not every syntax
    return path


def run_lengths(*segments: bytes) -> bytes:
    """An RLE frame of these segments (PS3.5 annex G): runs of two and more as runs, all else one by one."""
    packed = [bytearray() for _ in segments]
    for out, segment in zip(packed, segments, strict=True):
        for value, group in groupby(segment):
            count = len(list(group))
            while count > 0:
                run = min(count, 128)
                out += bytes([257 - run, value]) if run > 1 else bytes([0, value])
                count -= run
        out += bytes(len(out) % 2)
    offsets = [64 + sum(map(len, packed[:index])) for index in range(len(packed))]
    header = struct.pack("<16L", len(packed), *offsets, *[0] * (15 - len(packed)))
    return header + b"".join(packed)
