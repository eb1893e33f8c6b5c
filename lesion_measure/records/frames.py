"""What readers and the network draw on one frame, and how it looks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lesion_measure.records.images import Location, Plane, Point
from lesion_measure.records.origin import Origin
from lesion_measure.records.quantity import Quantity
from lesion_measure.records.record import Count, Hidden, Name, Positive, PositiveInt, Record, VisitName

LIVER = "liver"
"""The lesion name (any case) under which a reader measures the organ itself."""


_UNNAMED = re.compile(r"unnamed [0-9a-f]{12}")


def unnamed(identity: str) -> str:
    """What a lesion is called until it has a name: the same for what the object that draws it calls the same."""
    return f"unnamed {hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def is_unnamed(name: str) -> bool:
    """Whether a lesion has no name yet."""
    return _UNNAMED.fullmatch(name) is not None


def shown_name(lesion: str) -> str | None:
    """The name of a lesion; None where it has none yet."""
    return None if not lesion or is_unnamed(lesion) else lesion


def is_liver(name: str) -> bool:
    """Whether a lesion name means the organ itself."""
    return name.strip().casefold() == LIVER


class Axis(StrEnum):
    """What a caliper row states: an axis or the outline of the lesion in its plane, that the lesion is absent, that the
    image does not tell its size, or that there is no lesion on the whole image."""

    LONG = "long"
    SHORT = "short"
    ABSENT = "absent"
    OUTLINE = "outline"
    NOT_ASSESSABLE = "not_assessable"
    NO_LESION = "no_lesion"

    @property
    def is_drawn(self) -> bool:
        """Whether the reader drew something, and stated nothing else."""
        return self in (Axis.LONG, Axis.SHORT, Axis.OUTLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMask:
    """The mask of one segment on one frame (1-based) of a DICOM segmentation; its pixels are read when asked for.

    ``path`` is the segmentation's file, relative to the input. ``header_sha256`` is that of the bytes before its
    pixels: where they have changed, it is another mask. ``ones``: its fractions are 0 and 1, and are meant as bits.
    """

    location: Location
    path: str
    segment: int
    frame: int
    header_sha256: str
    ones: bool = False

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{Path(self.path).name} (segment {self.segment}, its frame {self.frame})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caliper:
    """One line that a reader drew: end points in pixels (row, column) on one frame (1-based) of one image.

    ``absent`` rows (axis ABSENT) state that the reader looked for the lesion on this image and it is gone; they have
    no end points. Nor have rows of an outline (axis OUTLINE), whose ``mask`` is the file, or the frame of a DICOM
    segmentation, that holds it, or whose ``contour`` are its points (row, column). A row with the axis NOT_ASSESSABLE
    says by its ``reason`` why the image does not tell the lesion's size. ``table`` is the name of the row's table,
    where several were given. ``stated_mm`` is the length that its row states beside the ends, as it stands there; empty
    where it states none.
    ``origin`` is the DICOM object that a caliper comes from which is in no table; ``warnings`` are in plain words.
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
    mask: Path | StoredMask | None = None
    contour: tuple[Point, ...] = ()
    reason: str = ""
    table: str = ""
    stated_mm: str = ""
    origin: Origin | None = None
    warnings: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCaliper(Record):
    """One line or outline that a reader drew, where it comes from, and what it measures."""

    visit: VisitName
    """Visit of the image."""
    lesion: Name | None
    """Name of the lesion; null where nothing tells which one it is."""
    plane: Plane
    """Scan plane."""
    axis: Axis
    """long, short or outline."""
    path: str
    """File of the image, relative to the input folder."""
    image_uid: str
    """SOP Instance UID of the image."""
    frame: PositiveInt
    """Frame number, 1-based."""
    reader: str
    """Who drew it."""
    ends_px: tuple[Point, Point] | None
    """Ends of the line; null for an outline."""
    length_mm: float | None
    """Length of the line, or long axis of the outline, by the image's scale, mm; null: not measured."""
    table: str
    """The caliper table; empty where a DICOM object holds it."""
    row: Count
    """Line of that table (JSON: number of the entry); 0 for a DICOM object."""
    origin: Origin | None
    """The DICOM object; null where it is a row of a table."""
    contour: Hidden[tuple[Point, ...]] = field(default=(), compare=False, repr=False)
    """Points (row, column) of an outline as it was measured, for the table of calipers."""


class DrawnLesion(Protocol):
    """What a `LesionMask` tells, in memory or in a file."""

    @property
    def probability(self) -> NDArray[np.float32]:
        """As `LesionMask` has it."""

    @property
    def outline_px(self) -> NDArray[np.float64]:
        """As `LesionMask` has it."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of ``probability``."""

    @property
    def origin(self) -> tuple[int, int]:
        """As `LesionMask` has it."""

    @property
    def confidence(self) -> float:
        """As `LesionMask` has it."""

    @property
    def accepted(self) -> bool:
        """As `LesionMask` has it."""


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

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of ``probability``."""
        rows, columns = self.probability.shape
        return rows, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptedOutline(Record):
    """What the network's outline of a lesion says beside the reader's calipers that it was drawn from."""

    model: str
    """Name of the model."""
    long_axis_mm: Positive
    """The outline's own greatest diameter, mm; the reader's caliper is what is reported."""
    width_mm: Quantity
    """The outline's longest chord perpendicular to the reader's long axis, mm."""
    width_px: tuple[Point, Point]
    """Its ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance(Record):
    """Where a lesion lies on its image and how it looks there: what tells lesions apart that nobody named."""

    picture: Count
    """Number of the image's measurable region, from 0."""
    lateral_mm: float
    """Middle of the lesion, to the right of the region's middle, mm."""
    depth_mm: float
    """Middle of the lesion below the region's upper edge, mm."""
    contrast: float | None
    """Mean grey level inside minus that of a rim around it, share of full scale; null where no pixels can be read."""
    texture: float | None
    """SD of the grey level inside, share of full scale; null likewise."""


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
