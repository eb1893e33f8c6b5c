"""What a DICOM object beside the images (SR, PR, SEG) holds of a reader's drawings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.records.frames import Axis
from lesion_measure.records.images import Point
from lesion_measure.records.refusal import Refusal


class ObjectKind(StrEnum):
    """The kind of object, by DICOM's word for its modality."""

    SR = "SR"
    PR = "PR"
    SEG = "SEG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a drawing comes from that nobody typed.

    ``path`` is the object's file, relative to the input; ``item`` says where in it, for people (``"group 2"``).
    ``stated`` is the number as the object states it, with its unit (``"3.33 mm"``), ``stated_mm`` its value in mm where
    the unit is one of length. Neither is ever a measurement: points are, by the image's own scale.
    """

    kind: ObjectKind
    path: str
    sop_instance_uid: str
    item: str = ""
    tracking_uid: str = ""
    tracking_identifier: str = ""
    stated: str = ""
    stated_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One line, or one closed contour, that an object draws on an image; not yet held against that image.

    ``points`` are (row, column) with pixel centres at integers: two for a line, three and more for a contour.
    ``frame`` (1-based) is None where the object names none. ``axis`` is None where the object does not tell long from
    short. ``lesion`` is empty where nobody named it; drawings of one ``group`` of one object are of one lesion.
    """

    image_uid: str
    frame: int | None
    points: tuple[Point, ...]
    axis: Axis | None
    lesion: str
    group: str
    reader: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Drawings:
    """What one object holds: drawings, and a refusal for each that cannot be used."""

    drawn: tuple[Drawing, ...] = ()
    refusals: tuple[Refusal, ...] = ()
