"""What a DICOM object beside the images (SR, PR, SEG) holds of a reader's drawings."""

from __future__ import annotations

from dataclasses import dataclass

from lesion_measure.records.frames import Axis, StoredMask
from lesion_measure.records.images import Location, Plane, Point
from lesion_measure.records.origin import ObjectKind, Origin
from lesion_measure.records.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One line, one closed contour or one mask that an object draws on an image; not yet held against that image.

    ``points`` are (row, column) with pixel centres at integers: two for a line, three and more for a contour, none
    where there is a ``mask``, or where the axis is ABSENT: the reader states that the lesion is gone.
    ``frame`` (1-based) is None where the object names none. ``axis`` is None where the object does not tell long from
    short, and OUTLINE for contours and masks. ``lesion`` is empty where nobody named it; drawings of one ``group`` of
    one object are of one lesion. ``plane`` is the scan plane as far as the object says it. ``warnings`` are what a
    reader of the results has to know of it, in plain words. ``modality`` is that of the image (``"CT"``) where the
    object says that it is not ultrasound; empty elsewhere.
    """

    image_uid: str
    frame: int | None
    points: tuple[Point, ...]
    axis: Axis | None
    lesion: str
    group: str
    reader: str
    origin: Origin
    mask: StoredMask | None = None
    plane: Plane = Plane.UNKNOWN
    warnings: tuple[str, ...] = ()
    modality: str = ""


@dataclass(frozen=True, slots=True)
class Drawings:
    """What one object holds: drawings, and a refusal for each that cannot be used.

    ``listed`` is what it holds besides and is no lesion (an arrow, another organ): it is told, and doubts nothing.
    """

    drawn: tuple[Drawing, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    listed: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnObject:
    """One object of the input and what it draws.

    ``subject`` and ``patient`` as of an image. ``written`` is its content date and time as ``YYYYMMDDHHMMSS.ffffff``,
    empty where one is missing. ``replaces`` are the SOP Instance UIDs of the documents that it says it supersedes
    (PredecessorDocumentsSequence, PS3.3 C.17.2). ``ours``: this program wrote it; ``segmentations`` are then the SOP
    Instance UIDs of those that a report says to be of the same result. ``sha256`` is that of the file's bytes.
    """

    path: str
    location: Location
    kind: ObjectKind
    sop_instance_uid: str
    study_instance_uid: str
    subject: str = ""
    patient: str = ""
    written: str = ""
    replaces: tuple[str, ...] = ()
    ours: bool = False
    segmentations: tuple[str, ...] = ()
    sha256: str = ""
    drawings: Drawings = Drawings()
