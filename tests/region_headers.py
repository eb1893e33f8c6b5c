"""Hand-made ultrasound regions and image headers, for the tests of calibration."""

from __future__ import annotations

from pathlib import Path

from lesion_measure.calibration.scale import _REMEDIES
from lesion_measure.records import Calibration, Instance, Location, Region

ROWS, COLUMNS = 600, 800
M_MODE = {"spatial_format": 2, "unit_col": 4}
SPECTRAL = {"spatial_format": 3, "data_type": 3, "unit_row": 7, "unit_col": 4}
ECG = {"spatial_format": 4, "data_type": 10, "unit_row": 0, "unit_col": 4, "delta_row": 0.0}
GRAY_BAR = {"spatial_format": 5, "data_type": 13, "unit_row": 0, "unit_col": 0}


def region(rows: tuple[int | None, int | None], cols: tuple[int | None, int | None], **changes: object) -> Region:
    """A tissue region of 0.25 mm pixels, changed where said."""
    fields: dict[str, object] = {
        "index": 0, "row_min": rows[0], "row_max": rows[1], "col_min": cols[0], "col_max": cols[1],
        "spatial_format": 1, "data_type": 1, "unit_row": 3, "unit_col": 3, "delta_row": 0.025, "delta_col": 0.025,
        "flags": 0,
    }  # fmt: skip
    return Region(**(fields | changes))  # type: ignore[arg-type]


def image(*regions: Region, **changes: object) -> Instance:
    """An image header with these regions, numbered in their order."""
    numbered = tuple(
        Region(**{name: getattr(each, name) for name in Region.__slots__ if name != "index"}, index=index)
        for index, each in enumerate(regions)
    )
    fields: dict[str, object] = {
        "path": "a/image.dcm", "location": Location(Path("image.dcm")), "sop_instance_uid": "1.2.3",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.6.1", "study_instance_uid": "1.2", "series_instance_uid": "1.2.1",
        "subject": "S01", "study_date": None, "time_point": None, "modality": "US", "rows": ROWS, "columns": COLUMNS,
        "frames": 1, "transfer_syntax_uid": "1.2.840.10008.1.2.1", "photometric": "MONOCHROME2",
        "samples_per_pixel": 1, "bits_allocated": 8, "bits_stored": 8, "regions": numbered,
    }  # fmt: skip
    return Instance(**(fields | changes))  # type: ignore[arg-type]


def code(result: Calibration) -> str | None:
    """The refusal's code, after checking that a refusal and a scale exclude one another."""
    if result.refusal is None:
        assert result.spacing_mm is not None
        assert result.region is not None
        assert result.spacing_mm == result.region.spacing_mm
        assert result.source == result.region.source
        return None
    assert result.spacing_mm is None
    assert result.region is None
    assert result.source is None
    assert result.refusal.remedy == _REMEDIES[result.refusal.code]
    assert result.refusal.sop_instance_uid is not None
    assert result.refusal.subject == "S01"
    return result.refusal.code


WHOLE = region((10, 500), (20, 700))
LEFT, RIGHT = region((50, 500), (0, 399)), region((50, 500), (400, 799))
