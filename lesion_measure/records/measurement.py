"""A lesion in numbers: on one frame, and at one visit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import computed_field

from lesion_measure.records.frames import Appearance, PromptedOutline
from lesion_measure.records.images import Plane, Point, Point3, Spacing
from lesion_measure.records.quantity import Quantity
from lesion_measure.records.record import Fraction, Hidden, Name, Outline, PositiveInt, Record, VisitName

CUT_OFF = "the lesion may be cut off by the edge of the image region, its sizes are too small then"
"""How the warning begins that a lesion reaches that edge; no verdict that rests on such a size is certain."""


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
    OUTLINE = "outlined by reader"
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
    BASELINE = "baseline"
    """Its name there: nothing shows it now, and no reader states it gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming(Record):
    """How a lesion came by its name."""

    by: NamedBy
    """Who or what gave it: a reader's caliper, the manifest, there being one lesion alone, automatic pairing, or its
    name at baseline (source: model, gone)."""
    confidence: Fraction | None = None
    """Confidence that it is the right name; null where a person gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(Record):
    """A lesion that was followed through the parallel slices of true 3D data."""

    volume_ml: Quantity
    """Volume, mL: the areas inside the outlines times the slices' distance."""
    axes_mm: tuple[Quantity, Quantity, Quantity]
    """Greatest diameter of the surface, greatest extent perpendicular to it, extent perpendicular to both, mm."""
    longest_px: tuple[Point3, Point3]
    """Ends of the greatest diameter as (frame, row, column), frames from 1."""
    frames: tuple[int, int]
    """First and last frame that show it."""
    outlines_px: Hidden[tuple[Outline, ...]] = field(default=(), compare=False, repr=False)
    """Closed outline (n, 2) on each of these frames, in image coordinates (row, column)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneMeasurement(Record):
    """One lesion on one frame, measured in millimetres.

    End points and outline are pixel coordinates (row, column) of that frame, so that they can be drawn and re-measured.
    ``prompted`` is there where the network outlined what a reader's calipers span: then outline, area, perimeter and
    confidence are the network's.
    """

    path: str
    """File, relative to the input folder."""
    sop_instance_uid: str
    """SOP Instance UID of the image."""
    study_instance_uid: str
    """Study Instance UID of the image."""
    frame: PositiveInt
    """Frame number, 1-based."""
    lesion: str
    """Name of the lesion within the subject."""
    plane: Plane
    """Scan plane."""
    source: Source
    """Who or what measured."""
    reader: str
    """Name of the reader or of the model."""
    spacing_mm: Spacing
    """Millimetres per pixel, [row, column]."""
    calibration_source: str
    """Where the spacing comes from."""
    long_axis_mm: Quantity
    """Greatest distance between two points of the outline, or the reader's caliper, mm."""
    long_axis_px: tuple[Point, Point]
    """Its ends."""
    short_axis_mm: Quantity | None = None
    """Longest chord of the outline perpendicular to the long axis, or the reader's caliper, mm."""
    short_axis_px: tuple[Point, Point] | None = None
    """Its ends."""
    area_mm2: Quantity | None = None
    """Area inside the outline, mm2; null from calipers alone."""
    perimeter_mm: Quantity | None = None
    """Length of the outline, mm; null from calipers alone."""
    outline_px: Outline | None = None
    """Closed outline as [row, column] points; null from calipers alone."""
    volume_ml: Quantity | None = None
    """Volume of the body that this frame is a slice of, mL (true 3D data)."""
    confidence: Fraction | None = None
    """Confidence of the model in its outline; null from readers alone."""
    prompted: PromptedOutline | None = None
    """The network's outline that was drawn from the reader's calipers; null where there is none."""
    short_axis_prompted: bool = False
    """Whether the short axis is the network's, since the reader drew none."""
    appearance: Appearance | None = None
    """What automatic pairing looks at; null where no network took part."""
    naming: Naming = Naming(by=NamedBy.READER)
    """How the lesion came by its name on this frame."""
    picture_sha256: str = ""
    """SHA-256 of the decoded pixels of the smallest measurable region that holds it, as they are stored: row by row,
    channels last, little-endian. Empty where the frame cannot be decoded, no region holds the middle of the lesion, or
    less than 1 % of the region's pixels differ from the commonest level (no echoes)."""
    plane_source: str = ""
    """By what the scan plane is known: caliper file, manifest, view code and so on; empty where it is not."""
    body: Body | None = None
    """The lesion in 3D, where the frame is one of parallel slices."""
    axes_swapped: bool = False
    """Whether the reader called the other caliper the long one, which is the shorter."""
    pictures: PositiveInt = 1
    """Number of pictures of this scan plane, of which this is the largest."""
    warnings: tuple[str, ...] = ()
    """Warnings in plain words."""

    @property
    def drawn(self) -> tuple[Quantity, Quantity | None]:
        """The axes as the reader called them, long and short: a short one that was longer is reported as the long."""
        if self.axes_swapped and self.short_axis_mm is not None:
            return self.short_axis_mm, self.long_axis_mm
        return self.long_axis_mm, self.short_axis_mm

    @computed_field  # type: ignore[prop-decorator]
    @property
    def way(self) -> Way:
        """Which way this plane was measured."""
        if self.source is Source.MODEL:
            return Way.AUTOMATIC
        if self.prompted is not None:
            return Way.PROMPTED
        return Way.CALIPERS if self.outline_px is None else Way.OUTLINE

    @computed_field  # type: ignore[prop-decorator]
    @property
    def short_axis_source(self) -> Source | None:
        """Who or what the short axis comes from, where there is one."""
        if self.short_axis_mm is None:
            return None
        return Source.PROMPTED if self.short_axis_prompted else self.source

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outline_source(self) -> Source | None:
        """What outline, area and perimeter come from, where there are any."""
        if self.outline_px is None:
            return None
        return self.source if self.prompted is None else Source.PROMPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(Record):
    """A measurement that exists but was not chosen, and how far it lies from the chosen one of the same plane."""

    source: Source
    """Who or what measured."""
    reader: str
    """Name of the reader or of the model."""
    plane: Plane
    """Its scan plane."""
    long_axis_mm: Quantity
    """Its long axis, mm."""
    difference_mm: float | None
    """This one minus the chosen one of the same plane, mm; null where that plane was not chosen."""
    difference_percent: float | None
    """The same in percent of the chosen one."""
    drawn_long_mm: float
    """Length of what the reader drew as the long axis, mm: not long_axis_mm where the short one was longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeEstimate(Record):
    """One volume of a lesion: by which method, from which planes, diameters and areas, and whence these come."""

    volume_ml: Quantity
    """Volume, mL."""
    method: VolumeMethod
    """How it was computed."""
    planes: tuple[Plane, ...]
    """Scan planes that it was computed from."""
    sources: tuple[Source, ...]
    """What its diameters or areas come from."""
    diameters_mm: tuple[float, ...] = ()
    """Diameters that it was computed from, mm."""
    areas_mm2: tuple[float, ...] = ()
    """Areas that it was computed from, mm2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMeasurement(Record):
    """One lesion at one visit: what its planes say together.

    An absent lesion has no planes. Its longest diameter and volume are exactly 0 by that statement.
    """

    subject: str
    """Subject code."""
    visit: VisitName
    """Name of the visit."""
    lesion: Name
    """Name of the lesion within the subject; the same at every visit."""
    present: bool
    """False where a reader states that the lesion is gone, or (source: model) where the network's empty result counts
    as that."""
    source: Source
    """Who or what measured."""
    reader: str
    """Name of the reader or of the model."""
    planes: tuple[PlaneMeasurement, ...]
    """Its measurements, one per frame; empty for an absent lesion."""
    longest_diameter_mm: Quantity
    """Longest diameter of all planes, mm."""
    short_axis_mm: Quantity | None
    """Short axis, mm: in the first plane of the orthogonal pair where there is one, else in the plane of the longest
    diameter."""
    third_diameter_mm: Quantity | None
    """Third diameter, from the other plane, mm."""
    volume_ml: Quantity | None
    """Volume, mL."""
    volume_method: VolumeMethod | None
    """How the volume was computed."""
    volume_planes: tuple[Plane, ...] = ()
    """Scan planes that the volume was computed from."""
    volume_diameters_mm: tuple[float, ...] = ()
    """Diameters that the volume was computed from, mm: three, or long and short axis of one plane; empty where voxels
    were summed."""
    volume_areas_mm2: tuple[float, ...] = ()
    """Areas that the volume was computed from, mm2; empty where diameters alone give it."""
    volume_sources: tuple[Source, ...] = ()
    """What each of these diameters comes from; one source where voxels were summed."""
    other_volumes: tuple[VolumeEstimate, ...] = ()
    """Volumes by other methods or from other planes, in the order of preference; visits that do not share the reported
    one are compared by the first that they share."""
    short_axis_source: Source | None = None
    """What the short axis comes from; null where there is none."""
    alternatives: tuple[Alternative, ...] = ()
    """Measurements that were not chosen."""
    warnings: tuple[str, ...] = ()
    """Warnings in plain words."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def way(self) -> Way:
        """Which way the lesion was measured; prompted, else outlined, where at least one of its planes was."""
        if self.source is Source.MODEL:
            return Way.AUTOMATIC
        if not self.present:
            return Way.STATEMENT
        ways = {plane.way for plane in self.planes}
        return next((way for way in (Way.PROMPTED, Way.OUTLINE) if way in ways), Way.CALIPERS)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def naming(self) -> Naming:
        """How the lesion came by its name at this visit: of its planes' ways the least certain.

        One that the network's empty result calls gone has no plane, and its name is that of baseline.
        """
        if not self.planes and self.source is Source.MODEL:
            return Naming(by=NamedBy.BASELINE)
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
