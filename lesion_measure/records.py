"""The records that travel from stage to stage: frozen, typed, unit-suffixed.

Conventions held everywhere:

- points are ``(row, column)`` with pixel centres at integer coordinates; spacing is ``(row_mm, column_mm)``;
- DICOM's ``(x, y)`` and 0-based region corners are turned into rows and columns once, in `ingest`;
- frame numbers are 1-based, as in DICOM (PS3.3 C.7.6.6) and on every viewer's screen;
- what cannot be measured is a `Refusal`, never 0 or NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import LesionMeasureError

NORMAL_975 = 1.959963984540054
"""The 97.5 % point of the normal distribution: half the width of a 95 % interval, in standard deviations."""

LIVER = "liver"
"""The lesion name (any case) under which a reader measures the organ itself."""

# An interval wider than this factor says nothing; far wider ones would be no finite numbers.
_MOST_LOG = 50.0

Point = tuple[float, float]
Point3 = tuple[float, float, float]
Spacing = tuple[float, float]


def is_liver(name: str) -> bool:
    """Whether a lesion name means the organ itself."""
    return name.strip().casefold() == LIVER


class Visit(StrEnum):
    """The visits that the trial compares."""

    SCREENING = "screening"
    BASELINE = "baseline"
    ONE_MONTH = "one_month"


class Plane(StrEnum):
    """Scan plane of an image. Planes that are not known are never assumed orthogonal."""

    TRANSVERSE = "transverse"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    OBLIQUE = "oblique"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StatedPlane:
    """What one source of an image's header, in words such as ``"view code"``, says of its scan plane."""

    source: str
    plane: Plane


class Axis(StrEnum):
    """What a caliper row states: an axis of the lesion in its plane, that the lesion is absent, or the liver's "
    "outline."""

    LONG = "long"
    SHORT = "short"
    ABSENT = "absent"
    OUTLINE = "outline"


class Source(StrEnum):
    """Who or what a number comes from. PROMPTED: the network's outline of what a reader's calipers span."""

    MODEL = "model"
    CALIPER = "caliper"
    PROMPTED = "model prompted by caliper"
    READER_STATEMENT = "reader statement"


class Way(StrEnum):
    """Which way a lesion was measured. What was measured in none of them is a `Refusal`."""

    AUTOMATIC = "automatic"
    PROMPTED = "prompted by calipers"
    CALIPERS = "calipers alone"
    STATEMENT = "reader statement"


class VolumeMethod(StrEnum):
    """How a volume was computed. Volumes of different methods are never compared without saying so."""

    VOXELS = "sum of voxels"
    ELLIPSOID = "ellipsoid, three diameters of two orthogonal planes"
    BIPLANE = "area-length, outlines of two orthogonal planes"
    ROTATION = "ellipsoid, one plane, rotation symmetry assumed"
    AREA_LENGTH = "area-length, outline of one plane, rotation symmetry assumed"


class NamedBy(StrEnum):
    """How a lesion came by its name. What a person says always wins."""

    READER = "reader"
    MANIFEST = "manifest"
    ONLY = "only lesion"
    PAIRED = "paired automatically"


class Fate(StrEnum):
    """What became of a lesion from baseline to a later visit."""

    SAME = "same"
    DISAPPEARED = "disappeared"
    NOT_FOUND = "not found"
    NEW = "new"
    MERGED = "merged"
    SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a file, image or lesion has no number, and what would give it one.

    Attributes
    ----------
    code
        Stable machine-readable word.
    reason, remedy
        One sentence each, for people.
    path
        File, relative to the input folder.
    sop_instance_uid, subject, visit, lesion
        What it concerns, as far as it is known.
    """

    code: str
    reason: str
    remedy: str = ""
    path: str | None = None
    sop_instance_uid: str | None = None
    subject: str | None = None
    visit: str | None = None
    lesion: str | None = None

    @classmethod
    def from_error(cls, error: LesionMeasureError, **known: str | None) -> Refusal:
        """The refusal that an expected error stands for; ``known`` fills path, subject, visit and so on."""
        known.setdefault("path", error.path)
        return cls(code=error.code, reason=error.reason, remedy=error.remedy, **known)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file's bytes lie: a path on disk and, inside zips, the member names from the outermost in."""

    file: Path
    members: tuple[str, ...] = ()


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
class Instance:
    """One DICOM image as its header tells it; pixels are not touched.

    ``frames`` is NumberOfFrames (1 where absent). ``regions`` is empty where the file has none. ``pixel_spacing`` is
    PixelSpacing (0028,0030) as (row_mm, column_mm) or None; ``pixel_spacing_raw`` its text where it cannot be used.
    ``slice_spacing_mm`` is the distance between frames of true 3D data, else None. ``view`` tells planes apart: the
    meanings of view and region codes, the body part, and those words of view name, descriptions and comments that name
    a plane or organ (never other free text, which may hold names). ``stated_planes`` is what the header's sources say
    of the scan plane, in the order of their precedence (`ingest.view`).
    """

    path: str
    location: Location
    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    series_instance_uid: str
    subject: str
    study_date: date | None
    time_point: str | None
    modality: str
    rows: int
    columns: int
    frames: int
    transfer_syntax_uid: str
    photometric: str
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    regions: tuple[Region, ...] = ()
    pixel_spacing: Spacing | None = None
    pixel_spacing_raw: str | None = None
    pixel_spacing_type: str | None = None
    slice_spacing_mm: float | None = None
    frame_time_ms: float | None = None
    view: str = ""
    stated_planes: tuple[StatedPlane, ...] = ()
    manufacturer: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The instances of one StudyInstanceUID, in the order of their paths."""

    study_instance_uid: str
    subject: str
    study_date: date | None
    time_point: str | None
    instances: tuple[Instance, ...]


@dataclass(frozen=True, slots=True)
class StudyList(Sequence[Study]):
    """What `load_studies` found: a sequence of studies, and a refusal for every file that is not one of them."""

    studies: tuple[Study, ...]
    refusals: tuple[Refusal, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Study: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Study]: ...
    def __getitem__(self, index: int | slice) -> Study | Sequence[Study]:
        return self.studies[index]

    def __len__(self) -> int:
        return len(self.studies)

    @property
    def instances(self) -> Iterator[Instance]:
        """Every instance of every study."""
        return (instance for study in self.studies for instance in study.instances)

    @property
    def copies(self) -> Iterator[tuple[str, Instance]]:
        """Path of every second copy of a file, with the instance that stands for it."""
        by_uid: dict[str, list[Instance]] = {}
        for instance in self.instances:
            by_uid.setdefault(instance.sop_instance_uid, []).append(instance)
        for refusal in self.refusals:
            same = by_uid.get(refusal.sop_instance_uid or "", [])
            if refusal.code == "duplicate" and refusal.path and len(same) == 1:
                yield refusal.path, same[0]


@dataclass(frozen=True, slots=True)
class ImageLabel:
    """What a manifest says of one image; empty or None where it says nothing. ``target``: the lesion is a target."""

    plane: Plane | None = None
    lesion: str = ""
    target: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectVisits:
    """One child's studies by visit. A visit may hold several studies of the same day."""

    subject: str
    visits: dict[Visit, tuple[Study, ...]]
    sources: dict[Visit, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedRegion:
    """A rectangle of the image in which lengths may be taken.

    ``row_min`` .. ``col_max`` inclusive pixel indices, clipped to the image; ``spacing_mm`` (row, column);
    ``source`` says where the scale comes from, e.g. ``"ultrasound region 0 (tissue)"``.
    """

    row_min: int
    row_max: int
    col_min: int
    col_max: int
    spacing_mm: Spacing
    source: str
    warnings: tuple[str, ...] = ()

    def contains(self, point: Point) -> bool:
        """True when the point lies on one of the region's pixels (edges are half a pixel beyond the centres)."""
        row, col = point
        return self.row_min - 0.5 <= row <= self.row_max + 0.5 and self.col_min - 0.5 <= col <= self.col_max + 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Millimetres per pixel of one image, or the reason why there are none.

    ``spacing_mm`` (row, column), ``source`` and ``region`` are those of the largest measurable region of the image, or
    of the one region that holds the points asked for; all None where refused. ``regions`` are all measurable ones.
    """

    spacing_mm: Spacing | None
    source: str | None
    region: CalibratedRegion | None
    regions: tuple[CalibratedRegion, ...] = ()
    refusal: Refusal | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caliper:
    """One line that a reader drew: end points in pixels (row, column) on one frame (1-based) of one image.

    ``absent`` rows (axis ABSENT) state that the reader looked for the lesion on this image and it is gone; they have
    no end points. Nor have rows of the liver's outline (axis OUTLINE), whose ``mask`` is the file that holds it.
    """

    image: str
    frame: int
    lesion: str
    plane: Plane
    axis: Axis
    start: Point | None
    end: Point | None
    reader: str
    row_number: int = 0
    mask: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaliperPair:
    """What one reader drew of one lesion on one frame: a long axis and, where there is one, a short axis."""

    sop_instance_uid: str
    frame: int
    lesion: str
    plane: Plane
    reader: str
    long: Caliper
    short: Caliper | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LesionMask:
    """One connected lesion of a probability map, on the native grid.

    ``probability`` is the map restricted to this lesion, cut out with its upper left pixel at ``origin`` (row, column);
    ``outline_px`` (n, 2) its closed sub-pixel 0.5 contour in image coordinates; ``confidence`` in 0..1.
    """

    probability: NDArray[np.float32]
    origin: tuple[int, int]
    outline_px: NDArray[np.float64]
    confidence: float
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number and how far it can be trusted: one standard deviation, and its parts by name, in the number's unit."""

    value: float
    sd: float
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def ci95(self) -> tuple[float, float]:
        """95 % interval on the log scale: sizes are positive, and readings of them differ by factors.

        It is the value times and divided by exp(1.96 SD / value), the scale of `uncertainty.ratio_ci95`.
        """
        if self.value <= 0:
            return self.value, self.value
        factor = math.exp(min(NORMAL_975 * self.sd / self.value, _MOST_LOG))
        return self.value / factor, self.value * factor


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptedOutline:
    """What the network's outline of a lesion says beside the reader's calipers that it was drawn from.

    ``long_axis_mm`` is the outline's own greatest diameter, there to be compared with the caliper, which is reported.
    ``width_mm`` (ends ``width_px``) is its longest chord perpendicular to the reader's long axis.
    """

    model: str
    long_axis_mm: float
    width_mm: Quantity
    width_px: tuple[Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """Where a lesion lies on its picture and how it looks there: what tells lesions apart that nobody named.

    ``lateral_mm`` (to the right) and ``depth_mm`` (down) of its middle from the middle of the upper edge of the
    image's measurable region ``picture`` (0-based). ``contrast`` is the mean grey level inside minus that of a rim
    around it, ``texture`` the SD inside, both as a share of full scale; None where the pixels cannot be read.
    """

    picture: int
    lateral_mm: float
    depth_mm: float
    contrast: float | None
    texture: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How a lesion came by its name; ``confidence`` (0..1) that it is the right one, where it was paired by itself."""

    by: NamedBy
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A lesion that was followed through the parallel slices of true 3D data.

    ``axes_mm`` are the greatest diameter of its surface, its greatest extent perpendicular to that, and its extent
    perpendicular to both. ``longest_px`` are the ends of the greatest diameter as (frame, row, column), frames counted
    from 1 and, like pixels, with their middle at integers. ``frames`` are the first and last frame that show it;
    ``outlines_px`` the closed outline (n, 2) on each of them, in image coordinates (row, column).
    """

    volume_ml: Quantity
    axes_mm: tuple[Quantity, Quantity, Quantity]
    longest_px: tuple[Point3, Point3]
    frames: tuple[int, int]
    outlines_px: tuple[NDArray[np.float64], ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneMeasurement:
    """One lesion on one frame, measured in millimetres.

    End points and outline are pixel coordinates (row, column) of that frame, so that they can be drawn and re-measured.
    ``area_mm2`` and ``perimeter_mm`` need an outline and are None from calipers alone; ``volume_ml`` and ``body`` need
    true 3D data (the frame is one of parallel slices). ``reader`` names the reader or model that measured the long
    axis.
    ``plane_source`` says by what the scan plane is known, empty where it is not.

    ``prompted`` is there where the network outlined what a reader's calipers span: then outline, area, perimeter and
    confidence are the network's, and so is the short axis where ``short_axis_prompted``, since the reader drew none.
    """

    path: str
    sop_instance_uid: str
    study_instance_uid: str
    frame: int
    lesion: str
    plane: Plane
    source: Source
    reader: str
    spacing_mm: Spacing
    calibration_source: str
    long_axis_mm: Quantity
    long_axis_px: tuple[Point, Point]
    short_axis_mm: Quantity | None = None
    short_axis_px: tuple[Point, Point] | None = None
    area_mm2: Quantity | None = None
    perimeter_mm: Quantity | None = None
    outline_px: NDArray[np.float64] | None = None
    volume_ml: Quantity | None = None
    confidence: float | None = None
    prompted: PromptedOutline | None = None
    short_axis_prompted: bool = False
    appearance: Appearance | None = None
    naming: Naming = Naming(by=NamedBy.READER)
    plane_source: str = ""
    body: Body | None = None
    warnings: tuple[str, ...] = ()

    @property
    def way(self) -> Way:
        """Which way this plane was measured."""
        if self.source is Source.MODEL:
            return Way.AUTOMATIC
        return Way.CALIPERS if self.prompted is None else Way.PROMPTED

    @property
    def short_axis_source(self) -> Source | None:
        """Who or what the short axis comes from, where there is one."""
        if self.short_axis_mm is None:
            return None
        return Source.PROMPTED if self.short_axis_prompted else self.source

    @property
    def outline_source(self) -> Source | None:
        """What outline, area and perimeter come from, where there are any."""
        if self.outline_px is None:
            return None
        return self.source if self.prompted is None else Source.PROMPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the network looked at one image: what an empty result of it is worth.

    ``looked_at`` of its ``frames`` went through the network, whose outlines on them ``drawn`` counts, accepted or not.
    ``field_mm`` is depth and width of the largest measurable picture. ``liver``: the header names the organ. ``shows``
    is the lesion that the manifest says is to be seen, empty where it says nothing.
    """

    path: str
    plane: Plane
    frames: int
    looked_at: int
    drawn: int
    field_mm: tuple[float, float]
    liver: bool
    shows: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A measurement that exists but was not chosen, and how far it lies from the chosen one of the same plane.

    The differences (this one minus the chosen one) are None where the chosen source did not measure that plane.
    """

    source: Source
    reader: str
    plane: Plane
    long_axis_mm: Quantity
    difference_mm: float | None
    difference_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeEstimate:
    """One volume of a lesion: by which method, from which planes, diameters and areas, and whence these come."""

    volume_ml: Quantity
    method: VolumeMethod
    planes: tuple[Plane, ...]
    sources: tuple[Source, ...]
    diameters_mm: tuple[float, ...] = ()
    areas_mm2: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMeasurement:
    """One lesion at one visit: what its planes say together.

    ``present`` is False where a reader states it is gone (source READER_STATEMENT), or where the network's empty result
    counts as that (source MODEL; `disappearance`).

    ``volume_planes``, ``volume_diameters_mm`` and ``volume_areas_mm2`` are what the volume was computed from: three
    diameters, long and short axis of one plane, or a diameter and the areas; neither where voxels were summed.
    ``volume_sources`` says whence each of them comes (one source where voxels were summed); ``short_axis_source`` the
    same of the short axis. ``other_volumes`` are those by other methods, or from other planes, in the order of
    preference: with them two visits are compared that do not share the preferred one.

    An absent lesion has no planes, a longest diameter and a volume of exactly 0 by that statement, and no interval.
    """

    subject: str
    visit: Visit
    lesion: str
    present: bool
    source: Source
    reader: str
    planes: tuple[PlaneMeasurement, ...]
    longest_diameter_mm: Quantity
    short_axis_mm: Quantity | None
    third_diameter_mm: Quantity | None
    volume_ml: Quantity | None
    volume_method: VolumeMethod | None
    volume_planes: tuple[Plane, ...] = ()
    volume_diameters_mm: tuple[float, ...] = ()
    volume_areas_mm2: tuple[float, ...] = ()
    volume_sources: tuple[Source, ...] = ()
    other_volumes: tuple[VolumeEstimate, ...] = ()
    short_axis_source: Source | None = None
    alternatives: tuple[Alternative, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def way(self) -> Way:
        """Which way the lesion was measured; prompted where at least one of its planes was."""
        if self.source is Source.MODEL:
            return Way.AUTOMATIC
        if not self.present:
            return Way.STATEMENT
        return Way.PROMPTED if any(plane.prompted for plane in self.planes) else Way.CALIPERS

    @property
    def naming(self) -> Naming:
        """How the lesion came by its name at this visit: of its planes' ways the least certain."""
        ways = [plane.naming for plane in self.planes]
        order = list(NamedBy)
        least = max((way.by for way in ways), key=order.index, default=NamedBy.READER)
        return Naming(by=least, confidence=min((w.confidence for w in ways if w.confidence is not None), default=None))

    @property
    def body(self) -> Body | None:
        """The largest body that its planes belong to, where the data are true 3D."""
        bodies = [plane.body for plane in self.planes if plane.body is not None]
        return max(bodies, key=lambda body: body.volume_ml.value, default=None)

    @property
    def volumes(self) -> tuple[VolumeEstimate, ...]:
        """Every volume of the lesion at this visit, the reported one first."""
        if self.volume_ml is None or self.volume_method is None:
            return ()
        reported = VolumeEstimate(
            volume_ml=self.volume_ml,
            method=self.volume_method,
            planes=self.volume_planes,
            sources=self.volume_sources,
            diameters_mm=self.volume_diameters_mm,
            areas_mm2=self.volume_areas_mm2,
        )
        return reported, *self.other_volumes


class Metric(StrEnum):
    """Sizes whose change is reported. Both a diameter and a volume are always computed."""

    LONGEST_DIAMETER = "longest_diameter"
    SUM_OF_DIAMETERS = "sum_of_diameters"
    SUM_OF_PRODUCTS = "sum_of_products"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change of one size from baseline to a later visit: of one lesion, or of the subject where ``lesion`` is None.

    ``percent`` is 100 (followup - baseline) / baseline. ``percent_ci95`` is the interval that measurement error alone
    gives it, None where it has none (an absent lesion is a statement). ``exceeds_error`` is True where that interval
    leaves out zero. ``pairing_confidence`` is that of the least certain automatic pairing that it rests on; None where
    people named every lesion. ``volume_method`` is that of both volumes of a lesion's change of volume, which need not
    be the one that either visit reports; None for other sizes and for sums. ``same_reader`` is False where a size of it
    was measured by one reader at baseline and by another later, so that their biases do not cancel.
    """

    subject: str
    lesion: str | None
    metric: Metric
    visit: Visit
    unit: str
    baseline: Quantity
    followup: Quantity
    absolute: float
    percent: float
    percent_ci95: tuple[float, float] | None
    exceeds_error: bool
    pairing_confidence: float | None = None
    volume_method: VolumeMethod | None = None
    same_reader: bool = True
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The verdict of a named rule on one subject, with the change that it rests on.

    ``percent`` is None where it rests on something else: a new lesion, or non-target lesions alone.
    """

    rule: str
    category: str
    metric: Metric
    percent: float | None
    certain: bool
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryVerdict:
    """What a rule that is not the trial's would have said, with the target lesions that it would have chosen.

    ``category`` and ``certain`` are None where it would have said nothing, and ``explanation`` says why. ``responds``:
    the category is a response, partial or complete. ``pairing_confidence`` is that of its change.
    """

    rule: str
    metric: Metric
    category: str | None
    responds: bool
    percent: float | None
    percent_ci95: tuple[float, float] | None
    certain: bool | None
    targets: tuple[str, ...]
    explanation: str
    pairing_confidence: float | None = None


class Status(StrEnum):
    """What a part of the disease, or all of it, is called at one time point: the words of RECIST 1.1."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NON_CR_NON_PD = "non-CR/non-PD"
    NE = "NE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The disease at one time point after baseline: target, non-target and new lesions, and what follows from them.

    ``target`` and ``non_target`` are None where there are no such lesions. ``new_lesions`` are beyond doubt by a
    reader's statement, ``doubtful_lesions`` wait for one. ``nadir`` is the smallest size so far (baseline included), in
    the unit of the rule's metric; ``certain``: measurement error alone could not change ``overall``.
    """

    visit: Visit
    days: int | None
    target: Status | None
    non_target: Status | None
    new_lesions: tuple[str, ...]
    doubtful_lesions: tuple[str, ...]
    overall: Status
    percent: float | None
    nadir: float | None
    percent_from_nadir: float | None
    certain: bool
    why: str


class Form(StrEnum):
    """Form of the disease."""

    FOCAL = "focal"
    MULTIFOCAL = "multifocal"
    DIFFUSE = "diffuse"


DAYS_PER_MONTH = 30.4375
"""Mean length of a month: 365.25 / 12 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """One row of subjects.csv. ``age_days`` is the age at the baseline scan; ``excluded`` are the reasons given.

    ``flags`` are the exclusion criteria of the table, None where a cell is empty. A reader's statements: ``targets``,
    the target lesions; ``new_lesions``, those that are new beyond doubt; ``non_target_progression``, that the lesions
    that are no targets have unequivocally progressed.
    """

    subject: str
    age_days: float | None = None
    form: Form | None = None
    excluded: tuple[str, ...] = ()
    flags: Mapping[str, bool | None] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    new_lesions: tuple[str, ...] = ()
    non_target_progression: bool = False

    @property
    def age_months(self) -> float | None:
        """Age at the baseline scan in months."""
        return None if self.age_days is None else self.age_days / DAYS_PER_MONTH

    def outside(self, ages_months: tuple[float, float]) -> bool:
        """Whether the age is known and not between the youngest and the oldest that a trial takes."""
        youngest, oldest = ages_months
        return self.age_months is not None and not youngest <= self.age_months <= oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class NonTarget:
    """A lesion of baseline that is no part of the sums, and why."""

    lesion: str
    reason: str


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """Target lesions by rank, whence the choice comes in words, and the other lesions of baseline."""

    targets: tuple[str, ...]
    source: str
    non_targets: tuple[NonTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """How much disease there is at one visit.

    ``lesions`` counts those that are there; the sums run over the target lesions and are None where one of them has no
    such size. ``replaced_share`` is the volume of all lesions over that of the liver (0..1), None without both.
    """

    visit: Visit
    lesions: int
    sum_of_diameters_mm: Quantity | None
    sum_of_volumes_ml: Quantity | None
    replaced_share: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """Form and burden of a child's disease. ``liver`` is the organ itself, measured like a lesion where it was.

    ``form_source`` and ``targets_source`` say in words whence each comes.
    """

    form: Form | None
    form_source: str
    targets: tuple[str, ...]
    targets_source: str
    non_targets: tuple[NonTarget, ...]
    burdens: tuple[Burden, ...]
    liver: tuple[LesionMeasurement, ...] = ()
    liver_changes: tuple[Change, ...] = ()


class Met(StrEnum):
    """Whether an entry criterion is met."""

    MET = "met"
    NOT_MET = "not met"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One entry criterion of the protocol: what it asks for, what was found, and whether that meets it.

    ``certain`` is False where measurement error alone could change ``met``, or where it rests on a pairing of lesions
    that asks for review; None where nothing was measured. ``pairing_confidence`` is that of the least certain automatic
    pairing behind it, None where there is none.
    """

    name: str
    asked: str
    found: str
    met: Met
    certain: bool | None = None
    pairing_confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionGroup:
    """Lesions that belong together and are compared with no single one: several became one, or one became several.

    ``before`` and ``after`` are their names at the visit before and at ``visit``: from baseline to one month, or from
    screening to baseline.
    """

    fate: Fate
    visit: Visit
    before: tuple[str, ...]
    after: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionStatus:
    """What became of one lesion from baseline to ``visit``.

    ``others`` are the lesions that it merged with or split into. ``naming`` says who or what tells that it is this
    lesion; ``needs_check`` is True where that is an automatic pairing whose confidence asks for review.
    """

    lesion: str
    visit: Visit
    fate: Fate
    explanation: str
    naming: Naming
    needs_check: bool = False
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult:
    """Everything that is known about one child at the end of a run.

    ``response`` is the verdict at the last visit, ``best_response`` the best overall one of all ``assessments``, in the
    rule's own words; None where there is none. ``secondary`` is what other rules would have said: no part of the
    answer. ``excluded`` are the subjects table's reasons why the child is not analysed: it is measured all the same,
    and counts nowhere.
    """

    subject: str
    visit_dates: dict[Visit, date | None]
    visit_sources: dict[Visit, str]
    lesions: tuple[LesionMeasurement, ...]
    changes: tuple[Change, ...]
    response: Response | None
    review: tuple[Refusal, ...]
    statuses: tuple[LesionStatus, ...] = ()
    warnings: tuple[str, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    best_response: str | None = None
    disease: Disease | None = None
    entry: tuple[Criterion, ...] = ()
    secondary: tuple[SecondaryVerdict, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made this run: enough to repeat it and to trace every number."""

    package_version: str
    config_sha256: str
    model: str | None
    model_sha256: str | None
    model_settings_sha256: str | None
    inputs: dict[str, str]
    versions: dict[str, str]
    started: str
    seconds: dict[str, float]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A whole run: subjects, every file that gave no number, and where it all came from.

    ``instances`` are the images of the subjects' visits; no two of them share a SOPInstanceUID. ``enrolled`` are the
    rows of the subjects table, None where none was given.
    """

    subjects: tuple[SubjectResult, ...]
    refusals: tuple[Refusal, ...]
    instances: tuple[Instance, ...]
    provenance: Provenance
    enrolled: tuple[Enrolled, ...] | None = None
