"""Reads a DICOM header into an `Instance` with nothing but pydicom, so that stages are tested without `ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread

from lesion_measure.records import Instance, Location, Region


def instance_of(path: Path) -> Instance:
    """The record of a DICOM image file, as far as calibration and pixels need it."""
    header = dcmread(path, stop_before_pixels=True, force=True)
    spacing = header.get("PixelSpacing")
    return Instance(
        path=path.name,
        location=Location(path),
        sop_instance_uid=str(header.get("SOPInstanceUID", "1.2.3")),
        sop_class_uid=str(header.get("SOPClassUID", "")),
        study_instance_uid="1.2",
        series_instance_uid="1.2.1",
        subject="S01",
        study_date=None,
        time_point=None,
        modality="US",
        rows=header.Rows,
        columns=header.Columns,
        frames=int(header.get("NumberOfFrames") or 1),
        transfer_syntax_uid=str(header.file_meta.TransferSyntaxUID),
        photometric=header.PhotometricInterpretation,
        samples_per_pixel=header.SamplesPerPixel,
        bits_allocated=header.BitsAllocated,
        bits_stored=header.BitsStored,
        regions=tuple(_region(i, item) for i, item in enumerate(header.get("SequenceOfUltrasoundRegions") or ())),
        pixel_spacing=(float(spacing[0]), float(spacing[1])) if spacing else None,
    )


def _region(index: int, item: Dataset) -> Region:
    names: dict[str, Any] = {
        "row_min": "RegionLocationMinY0", "row_max": "RegionLocationMaxY1", "col_min": "RegionLocationMinX0",
        "col_max": "RegionLocationMaxX1", "spatial_format": "RegionSpatialFormat", "data_type": "RegionDataType",
        "unit_row": "PhysicalUnitsYDirection", "unit_col": "PhysicalUnitsXDirection", "delta_row": "PhysicalDeltaY",
        "delta_col": "PhysicalDeltaX", "flags": "RegionFlags",
    }  # fmt: skip
    return Region(index=index, **{field: item.get(keyword) for field, keyword in names.items()})
