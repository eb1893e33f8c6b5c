"""Hand-made records for the tests of single stages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.measure.short_axes import by_outline
from lesion_measure.records import (
    BASELINE,
    Axis,
    Caliper,
    Instance,
    LesionMeasurement,
    Location,
    Plane,
    PlaneMeasurement,
    Point,
    PromptedOutline,
    Quantity,
    Region,
    Source,
    VolumeMethod,
)


def region(**changes: object) -> Region:
    """A tissue region of 0.2 x 0.2 mm pixels, columns 50-749, rows 40-559."""
    known = Region(
        index=0,
        row_min=40,
        row_max=559,
        col_min=50,
        col_max=749,
        spatial_format=1,
        data_type=1,
        unit_row=3,
        unit_col=3,
        delta_row=0.02,
        delta_col=0.02,
        flags=0,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def instance(path: str = "a.dcm", **changes: object) -> Instance:
    """An uncompressed 600 x 800 single frame with one tissue region."""
    known = Instance(
        path=path,
        location=Location(Path(path)),
        sop_instance_uid=f"1.2.{abs(hash(path))}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.6.1",
        study_instance_uid="1.2.3",
        series_instance_uid="1.2.3.4",
        subject="S1",
        study_date=date(2024, 1, 1),
        time_point=None,
        modality="US",
        rows=600,
        columns=800,
        frames=1,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        photometric="MONOCHROME2",
        samples_per_pixel=1,
        bits_allocated=8,
        bits_stored=8,
        regions=(region(),),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def quantity(value: float, cv: float = 0.05) -> Quantity:
    """A number with a relative error."""
    return Quantity(value=value, sd=cv * value, parts={"repeatability": cv * value})


def box(row: float, col: float, rows: float, cols: float) -> NDArray[np.float64]:
    """Closed rectangular outline around a middle."""
    r, c = rows / 2, cols / 2
    corners = [(row - r, col - c), (row - r, col + c), (row + r, col + c), (row + r, col - c), (row - r, col - c)]
    return np.array(corners, dtype=np.float64)


def plane(
    long_mm: float = 20.0,
    short_mm: float | None = 15.0,
    *,
    at: Point = (300.0, 400.0),
    angle_deg: float = 0.0,
    source: Source = Source.CALIPER,
    sop: str = "1.2.3.4.5",
    **changes: object,
) -> PlaneMeasurement:
    """A lesion on a frame of 0.2 mm pixels whose long axis makes ``angle_deg`` with the horizontal."""

    def ends(length_mm: float, degrees: float) -> tuple[Point, Point]:
        half = length_mm / 0.2 / 2
        d_row, d_col = half * np.sin(np.radians(degrees)), half * np.cos(np.radians(degrees))
        return (float(at[0] - d_row), float(at[1] - d_col)), (float(at[0] + d_row), float(at[1] + d_col))

    known = PlaneMeasurement(
        path=f"{sop}.dcm",
        sop_instance_uid=sop,
        study_instance_uid="1.2.3",
        frame=1,
        lesion="" if source is Source.MODEL else "L1",
        plane=Plane.TRANSVERSE,
        source=source,
        reader="net" if source is Source.MODEL else "R1",
        spacing_mm=(0.2, 0.2),
        calibration_source="ultrasound region 0",
        long_axis_mm=quantity(long_mm),
        long_axis_px=ends(long_mm, angle_deg),
        short_axis_mm=None if short_mm is None else quantity(short_mm),
        short_axis_px=None if short_mm is None else ends(short_mm, angle_deg + 90),
        outline_px=box(*at, 60, 80) if source is Source.MODEL else None,
        confidence=0.9 if source is Source.MODEL else None,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def prompted(long_mm: float, width_mm: float, *, drawn_mm: float | None = None, **changes: object) -> PlaneMeasurement:
    """A caliper's plane with the network's outline, an ellipse; ``drawn_mm`` is the short axis that the reader drew."""
    known = plane(long_mm, drawn_mm, **changes)  # type: ignore[arg-type]
    across = plane(long_mm, width_mm, **changes).short_axis_px  # type: ignore[arg-type]
    assert across is not None
    outlined = replace(
        known,
        area_mm2=quantity(float(np.pi) / 4 * long_mm * width_mm),
        perimeter_mm=quantity(float(np.pi) / 2 * (long_mm + width_mm)),
        outline_px=box(300, 400, width_mm / 0.2, long_mm / 0.2),
        confidence=0.9,
        prompted=PromptedOutline(model="net", long_axis_mm=long_mm, width_mm=quantity(width_mm), width_px=across),
    )
    return outlined if drawn_mm is not None else by_outline(outlined)


def lesion(
    diameter_mm: float,
    visit: str = BASELINE,
    name: str = "L1",
    *,
    volume_ml: float | None = None,
    cv: float = 0.05,
    **changes: object,
) -> LesionMeasurement:
    """A lesion at a visit; volume that of a sphere unless given; a diameter of 0 is a reader's 'absent'."""
    present = diameter_mm > 0
    size = np.pi / 6 * diameter_mm**3 / 1000 if volume_ml is None else volume_ml
    known = LesionMeasurement(
        subject="S1",
        visit=visit,
        lesion=name,
        present=present,
        source=Source.CALIPER if present else Source.READER_STATEMENT,
        reader="R1",
        planes=(plane(diameter_mm, long_axis_mm=quantity(diameter_mm, cv)),) if present else (),
        longest_diameter_mm=quantity(diameter_mm, cv),
        short_axis_mm=quantity(diameter_mm, cv) if present else None,
        third_diameter_mm=None,
        volume_ml=quantity(float(size), 3 * cv),
        volume_method=VolumeMethod.ELLIPSOID if present else None,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def caliper(axis: Axis = Axis.LONG, **changes: object) -> Caliper:
    """A caliper of 100 pixels on a.dcm."""
    known = Caliper(
        image="a.dcm",
        frame=1,
        lesion="L1",
        plane=Plane.TRANSVERSE,
        axis=axis,
        start=None if axis is Axis.ABSENT else (300.0, 350.0),
        end=None if axis is Axis.ABSENT else (300.0, 450.0),
        reader="R1",
    )
    return replace(known, **changes)  # type: ignore[arg-type]
