"""Simulated pictures as DICOM ultrasound files: PS3.3 A.6 (single frame) and A.7 (multi-frame)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import numpy as np
import simplejpeg
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from lesion_measure.files.writing import make_folder, write_bytes
from lesion_measure.lab.phantom.screen import VENDOR, Box, ScreenPixels
from lesion_measure.records import Plane

_JPEG_QUALITY = 88
_PLANE_CODES = {Plane.TRANSVERSE: ("62824007", "Transverse"), Plane.SAGITTAL: ("30730003", "Sagittal")}


class Encoding(StrEnum):
    """Transfer syntax and photometric interpretation of a file."""

    PLAIN_GRAY = "Explicit VR Little Endian, MONOCHROME2"
    PLAIN_PALETTE = "Explicit VR Little Endian, PALETTE COLOR"
    RLE_GRAY = "RLE Lossless, MONOCHROME2"
    RLE_RGB = "RLE Lossless, RGB"
    JPEG_LS_GRAY = "JPEG-LS Lossless, MONOCHROME2"
    JPEG_2000_GRAY = "JPEG 2000 Lossless, MONOCHROME2"
    JPEG_RGB = "JPEG Baseline, YBR_FULL_422"


_SYNTAX = {
    Encoding.PLAIN_GRAY: ExplicitVRLittleEndian,
    Encoding.PLAIN_PALETTE: ExplicitVRLittleEndian,
    Encoding.RLE_GRAY: RLELossless,
    Encoding.RLE_RGB: RLELossless,
    Encoding.JPEG_LS_GRAY: JPEGLSLossless,
    Encoding.JPEG_2000_GRAY: JPEG2000Lossless,
    Encoding.JPEG_RGB: JPEGBaseline8Bit,
}
# Named, since encoders differ in their bytes and the same seed has to give the same file wherever it is written.
_PLUGIN = {RLELossless: "pydicom", JPEGLSLossless: "pyjpegls", JPEG2000Lossless: "pylibjpeg"}
COLOUR = frozenset({Encoding.RLE_RGB, Encoding.JPEG_RGB})


@dataclass(frozen=True, slots=True)
class Label:
    """Whose picture it is. ``origin`` and the other words together give the UIDs, so equal input gives equal files."""

    origin: str
    subject: str
    visit: str
    name_visit: bool
    study_date: date
    age_months: int
    sex: str
    number: int
    plane: Plane
    description: str

    def uid(self, *parts: str) -> UID:
        """A UID that depends on the origin and these words alone."""
        return generate_uid(entropy_srcs=[self.origin, self.subject, *parts])


@dataclass(frozen=True, slots=True)
class PixelScale:
    """The calibration of a picture: the fan's box (top, left, bottom, right; inclusive), its scale and reference.

    ``face`` is the pixel (row, column) of the probe's face; ``bar`` the box of the gray bar, given as a region of its
    own before the tissue where not None.
    """

    box: Box
    spacing_mm: tuple[float, float]
    face: tuple[int, int]
    bar: Box | None = None


def _region(box: Box, spatial_format: int, data_type: int) -> Dataset:
    top, left, bottom, right = box
    item = Dataset()
    item.RegionSpatialFormat = spatial_format
    item.RegionDataType = data_type
    item.RegionFlags = 2
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    return item


def region_items(scale: PixelScale) -> list[Dataset]:
    """SequenceOfUltrasoundRegions (PS3.3 C.8.5.5): the tissue in cm, preceded by the gray bar where there is one."""
    items = []
    if scale.bar is not None:
        bar = _region(scale.bar, spatial_format=5, data_type=0xD)
        bar.PhysicalUnitsXDirection = bar.PhysicalUnitsYDirection = 0
        bar.PhysicalDeltaX = bar.PhysicalDeltaY = 1.0
        items.append(bar)
    tissue = _region(scale.box, spatial_format=1, data_type=1)
    tissue.ReferencePixelX0 = scale.face[1] - scale.box[1]
    tissue.ReferencePixelY0 = scale.face[0] - scale.box[0]
    tissue.PhysicalUnitsXDirection = tissue.PhysicalUnitsYDirection = 3
    tissue.ReferencePixelPhysicalValueX = tissue.ReferencePixelPhysicalValueY = 0.0
    tissue.PhysicalDeltaX, tissue.PhysicalDeltaY = scale.spacing_mm[1] / 10, scale.spacing_mm[0] / 10
    items.append(tissue)
    return items


def _header(label: Label, multi_frame: bool) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = UltrasoundMultiFrameImageStorage if multi_frame else UltrasoundImageStorage
    ds.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL", "0001"]
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = label.study_date.strftime("%Y%m%d")
    ds.StudyTime = ds.SeriesTime = "100000"
    ds.ContentTime = f"10{label.number % 60:02d}00"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "US", VENDOR, "lesion_measure simulator"
    ds.StudyDescription = "Simulated liver ultrasound"
    ds.SeriesDescription = label.description
    ds.BodyPartExamined = "LIVER"
    ds.PatientName, ds.PatientID = f"Simulated^{label.subject}", label.subject
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "", label.sex, f"{label.age_months:03d}M"
    ds.PatientIdentityRemoved, ds.DeidentificationMethod = "YES", "simulated: there is no patient"
    ds.ClinicalTrialSponsorName, ds.ClinicalTrialProtocolID = "simulated", "SIMULATED"
    ds.ClinicalTrialProtocolName = ds.ClinicalTrialSiteID = ds.ClinicalTrialSiteName = ""
    ds.ClinicalTrialSubjectID = label.subject
    if label.name_visit:
        ds.ClinicalTrialTimePointID = label.visit
    study = label.uid("study", label.visit)
    ds.StudyInstanceUID = study
    ds.SeriesInstanceUID = label.uid("series", label.visit, str(label.number))
    ds.SOPInstanceUID = label.uid("image", label.visit, str(label.number))
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", label.number, 1
    ds.AccessionNumber = ds.ReferringPhysicianName = ""
    ds.PatientOrientation = ""
    ds.BurnedInAnnotation = "NO"
    code, meaning = _PLANE_CODES[label.plane]
    view = Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = code, "SCT", meaning
    ds.ViewCodeSequence = Items([view])
    return ds


def _palette(pixels: ScreenPixels) -> tuple[Dataset, ScreenPixels]:
    """Indices and a 16-bit table: gray levels are stored in falling order, so indices are not gray."""
    tables = Dataset()
    levels = (np.arange(255, -1, -1, dtype="<u2") * 257).tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(tables, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(tables, f"{colour}PaletteColorLookupTableData", levels)
    return tables, np.asarray(255 - pixels, np.uint8)


def _jpeg(frames: Sequence[ScreenPixels]) -> bytes:
    streams = [
        simplejpeg.encode_jpeg(np.ascontiguousarray(frame), _JPEG_QUALITY, "RGB", "422", fastdct=False)
        for frame in frames
    ]
    return encapsulate(streams, has_bot=True)


def _add_pixels(ds: Dataset, frames: Sequence[ScreenPixels], encoding: Encoding) -> None:
    """Pixel module and data. Frames are (rows, columns) or, for colour encodings, (rows, columns, 3)."""
    first = frames[0]
    ds.Rows, ds.Columns = first.shape[:2]
    ds.SamplesPerPixel = 3 if encoding in COLOUR else 1
    if encoding in COLOUR:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = encoding.rsplit(", ", 1)[1]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.LossyImageCompression = "00"
    ds.UltrasoundColorDataPresent = 0
    if encoding is Encoding.JPEG_RGB:
        ds.PixelData = _jpeg(frames)
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
        size = sum(frame.nbytes for frame in frames)
        ds.LossyImageCompressionRatio = f"{size / len(ds.PixelData):.2f}"
        ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        return
    if encoding is Encoding.PLAIN_PALETTE:
        tables, first = _palette(first)
        ds.update(tables)
    data = first.tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB"
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if _SYNTAX[encoding] != ExplicitVRLittleEndian:
        plugin = _PLUGIN[_SYNTAX[encoding]]
        ds.compress(_SYNTAX[encoding], encoding_plugin=plugin, generate_instance_uid=False)


def write_image(
    path: Path,
    frames: Sequence[ScreenPixels],
    label: Label,
    encoding: Encoding,
    scale: PixelScale | None,
    frame_time_ms: float | None = None,
) -> None:
    """Write one file; several frames need JPEG baseline and a frame time, and become a multi-frame image.

    Parameters
    ----------
    path
        The file.
    frames
        The picture of each frame.
    label
        Whose picture it is.
    encoding
        Transfer syntax and photometric interpretation.
    scale
        Calibration for the header; None: the file states no scale.
    frame_time_ms
        Time between frames; None: one frame.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    ds = _header(label, multi_frame=frame_time_ms is not None)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    if frame_time_ms is not None:
        ds.NumberOfFrames = len(frames)
        ds.FrameTime = f"{frame_time_ms:g}"
        ds.FrameIncrementPointer = 0x00181063
    if scale is not None:
        ds.SequenceOfUltrasoundRegions = Items(region_items(scale))
    _add_pixels(ds, frames, encoding)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    make_folder(path.parent)
    write_bytes(path, buffer.getbuffer(), "image")
