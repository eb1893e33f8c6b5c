"""Images and studies as their headers tell them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from lesion_measure.records.record import Count, Positive, Record

Point = tuple[float, float]
Point3 = tuple[float, float, float]
Spacing = tuple[Positive, Positive]


class Plane(StrEnum):
    """Scan plane of an image. Planes that are not known are never assumed orthogonal."""

    TRANSVERSE = "transverse"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    OBLIQUE = "oblique"
    UNKNOWN = "unknown"


UNSORTED_PLANES = frozenset({Plane.OBLIQUE, Plane.UNKNOWN})
"""Two pictures of these need not show the same cut."""
SORTED_PLANES = frozenset(Plane) - UNSORTED_PLANES
"""Two pictures of one of these show the same cut, as near as a reader finds it again."""


@dataclass(frozen=True, slots=True)
class StatedPlane:
    """What one source of an image's header, in words such as ``"view code"``, says of its scan plane."""

    source: str
    plane: Plane


@dataclass(frozen=True, slots=True)
class NamedVisit:
    """The visit that a study's description names: its ``words``, and ``days`` from baseline; 0 for baseline itself."""

    words: str
    days: int


@dataclass(frozen=True, slots=True)
class OtherDates:
    """Dates beside StudyDate: of the acquisition, of the content, and the age at StudyDate by the birth date, days.

    ``stated_age`` is PatientAge, ``003M``; empty where none is told. ``offset_days``: days since ``offset_event``, such
    as BASELINE (LongitudinalTemporalOffsetFromEvent, PS3.3 C.7.2.3).
    """

    acquisition: date | None = None
    content: date | None = None
    age_days: int | None = None
    stated_age: str = ""
    offset_days: float | None = None
    offset_event: str = ""


@dataclass(frozen=True, slots=True)
class FileState:
    """How a file stood when its header was read: its size and the time of its last change."""

    size: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file's bytes lie: a path on disk and, inside zips, the member names from the outermost in.

    ``state`` is that of the file on disk when it was first looked at; where it is known, a file that has changed since
    is refused whenever it is opened. Locations are equal whatever it is.
    """

    file: Path
    members: tuple[str, ...] = ()
    state: FileState | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One item of SequenceOfUltrasoundRegions (PS3.3 C.8.5.5), as stated by the file, rows and columns sorted out.

    ``row_min`` .. ``col_max`` are the first and last pixel (inclusive); ``delta_row`` / ``delta_col`` are the signed
    PhysicalDeltaY / PhysicalDeltaX in the units named by ``unit_row`` / ``unit_col`` (3 = cm). None where absent.
    """

    index: int
    row_min: int | None
    row_max: int | None
    col_min: int | None
    col_max: int | None
    spatial_format: int | None
    data_type: int | None
    unit_row: int | None
    unit_col: int | None
    delta_row: float | None
    delta_col: float | None
    flags: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What a header says of the pixels' history.

    ``derived``: ImageType is DERIVED; ``compressed``: lossy compression, or a description that speaks of compression,
    explains that. ``rescaled``: the elements and words that say that the pixels were rescaled.
    """

    derived: bool = False
    compressed: bool = False
    rescaled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Record):
    """One ultrasound image that was read, as its header tells it."""

    path: str
    """File, relative to the input folder."""
    sop_instance_uid: str
    """SOP Instance UID."""
    sop_class_uid: str
    """SOP Class UID."""
    study_instance_uid: str
    """Study Instance UID."""
    series_instance_uid: str
    """Series Instance UID."""
    subject: str
    """Subject code: ClinicalTrialSubjectID, else PatientID."""
    study_date: date | None
    """Study date, ISO 8601."""
    time_point: str | None
    """ClinicalTrialTimePointID (0012,0050)."""
    modality: str
    """Modality."""
    rows: Count
    """Rows."""
    columns: Count
    """Columns."""
    frames: Count
    """Number of frames (1 where the header has none)."""
    transfer_syntax_uid: str
    """Transfer Syntax UID."""
    photometric: str
    """Photometric interpretation."""
    manufacturer: str = ""
    """Manufacturer."""
    warnings: tuple[str, ...] = ()
    """Warnings in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedScale:
    """Millimetres per pixel that the lengths printed for an image's own calipers speak for, square pixels assumed.

    ``own_sd_mm`` is the part of its standard deviation that each frame has for itself: rounding of the values and the
    marks' places. ``square_cv``, a share of it, is one for all frames of an image: that pixels may be no squares where
    all calipers lie along one direction. ``values`` agree on it, on the 1-based ``frame``.
    """

    spacing_mm: float
    own_sd_mm: float
    square_cv: float = 0.0
    values: int
    frame: int = 1

    @property
    def sd_mm(self) -> float:
        """Its standard deviation: both parts."""
        return math.hypot(self.own_sd_mm, self.square_cv * self.spacing_mm)

    @property
    def cv(self) -> float:
        """Its standard deviation as a share of it."""
        return self.sd_mm / self.spacing_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Image):
    """What a run knows of an image besides; pixels are not touched.

    ``patient`` is PatientID, empty where there is none.
    ``regions`` is empty where the file has none. ``pixel_spacing`` is PixelSpacing (0028,0030) as (row_mm, column_mm)
    or None; ``pixel_spacing_raw`` its text where it cannot be used. ``aspect_ratio`` is a pixel's height over its width
    by PixelAspectRatio (0028,0034). ``slice_spacing_mm`` is the distance between frames of true 3D data, else None.
    ``view`` tells planes apart: the meanings of view and region codes, the body part, and those words of view name,
    descriptions and comments that name a plane or organ (never other free text, which may hold names).
    ``stated_planes`` is what the header's sources say of the scan plane, in the order of their precedence
    (`studies.scan_plane`). ``named_visit`` is the visit that its descriptions name, ``dates`` are those beside
    StudyDate. ``header_sha256`` is that of the bytes before the pixels, empty where it is not known.
    ``printed_scale`` is there where the file states no scale, the settings ask for that of printed values, and these
    agree on one. ``printed_at`` are the lines of text on a 1-based frame that hold a caliper's value and a usual label
    alone (first and last row, first and last column): these may be shown.
    """

    location: Location
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    regions: tuple[Region, ...] = ()
    pixel_spacing: Spacing | None = None
    pixel_spacing_raw: str | None = None
    pixel_spacing_type: str | None = None
    slice_spacing_mm: float | None = None
    aspect_ratio: float | None = None
    frame_time_ms: float | None = None
    patient: str = ""
    sex: str = ""
    view: str = ""
    stated_planes: tuple[StatedPlane, ...] = ()
    named_visit: NamedVisit | None = None
    dates: OtherDates = OtherDates()
    derivation: Derivation = Derivation()
    header_sha256: str = ""
    printed_scale: PrintedScale | None = None
    printed_at: tuple[tuple[int, tuple[int, int, int, int]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The instances of one StudyInstanceUID, in the order of their paths."""

    study_instance_uid: str
    subject: str
    study_date: date | None
    time_point: str | None
    instances: tuple[Instance, ...]
