"""A lesion in numbers: on one frame, and at one visit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lesion_measure.records.frames import Appearance, PromptedOutline
from lesion_measure.records.images import Plane, Point, Point3, Spacing
from lesion_measure.records.quantity import Quantity


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

    ``axes_swapped``: the reader called the other caliper the long one, which is the shorter.
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
    axes_swapped: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def drawn_long_mm(self) -> float:
        """Length of what the reader drew as the long axis: the short axis where that turned out to be the longer."""
        swapped = self.short_axis_mm if self.axes_swapped else None
        return (swapped or self.long_axis_mm).value

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
class Alternative:
    """A measurement that exists but was not chosen, and how far it lies from the chosen one of the same plane.

    The differences (this one minus the chosen one) are None where the chosen source did not measure that plane.
    ``drawn_long_mm`` is as that of `PlaneMeasurement`.
    """

    source: Source
    reader: str
    plane: Plane
    long_axis_mm: Quantity
    difference_mm: float | None
    difference_percent: float | None
    drawn_long_mm: float


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
    visit: str
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
