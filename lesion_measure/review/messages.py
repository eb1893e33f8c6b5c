"""What page and server tell one another: the shapes of every request and answer, in JSON.

Points are [row, column] in pixels of the whole frame, pixel centres at integers; frames count from 1. Every ``id`` is
opaque: it tells neither a subject nor a UID. In blinded reading labels are opaque too, and dates are null.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lesion_measure.records import Plane, Point

MOST_POINTS = 4_000
"""Points of one contour; the browser sends some hundreds."""
MOST_TEXT = 2_000
"""Characters of a reason or comment."""

FARTHEST = 1_000_000.0
"""Coordinate beyond which nobody draws: arithmetic with larger ones could overflow."""

Coordinate = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST)]
Drawn = tuple[Coordinate, Coordinate]
Line = tuple[Drawn, Drawn]
Contour = Annotated[tuple[Drawn, ...], Field(min_length=3, max_length=MOST_POINTS)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
LesionName = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{16,32}$")]
FrameNumber = Annotated[int, Field(ge=1, le=1_000_000)]


class Message(BaseModel):
    """One shape; unknown keys, infinities and NaN are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Kind(StrEnum):
    """What a reading says of a lesion on a frame. RESOLVED: looked for and gone; NOT_FOUND: looked for, not seen, which
    does not say that it is gone; NOT_ASSESSABLE: the images do not allow to tell."""

    CALIPER = "caliper"
    OUTLINE = "outline"
    RESOLVED = "resolved"
    NOT_FOUND = "not_found"
    NOT_ASSESSABLE = "not_assessable"


class Role(StrEnum):
    """What somebody may do: read for themselves, or see all readings and decide between them."""

    READER = "reader"
    ADJUDICATOR = "adjudicator"


class State(StrEnum):
    """How far a child, visit or lesion is."""

    TO_MEASURE = "to_measure"
    NEEDS_REVIEW = "needs_review"
    REFUSED = "refused"
    MEASURED = "measured"
    DISAGREEMENT = "disagreement"
    SIGNED = "signed"


# --- what a reader draws and says -------------------------------------------------------------------------------------


class Draft(Message):
    """What a reader says of one lesion on one frame, not yet kept.

    A CALIPER has ``long`` and perhaps ``short``; an OUTLINE has ``contour``; the others have neither and, but for
    RESOLVED, a ``reason``. ``began_as`` says what it was drawn from: nothing (empty), ``network``, or the id of an
    earlier reading.
    """

    image: Id
    frame: FrameNumber
    lesion: LesionName
    plane: Plane = Plane.UNKNOWN
    kind: Kind
    long: Line | None = None
    short: Line | None = None
    contour: Contour | None = None
    reason: Text = ""
    comment: Text = ""
    began_as: Annotated[str, Field(max_length=64)] = ""


class Change(Message):
    """A kept reading as it shall be from now on. ``version`` is the one that the page showed."""

    version: int
    draft: Draft
    why: Text = ""


class Removal(Message):
    """A kept reading that shall go."""

    version: int
    why: Text = ""


class Size(Message):
    """A number with its error bar; ``value`` null: not defined. ``ci95`` null: a statement."""

    value: float | None
    ci95: tuple[float, float] | None = None


class Measured(Message):
    """What a drawing measures, by the code that a run measures with. ``refusal`` says why there is no number.

    ``outline`` is the closed contour that was measured, the axes are those of the outline where there is one.
    """

    long_axis_mm: Size | None = None
    short_axis_mm: Size | None = None
    area_mm2: Size | None = None
    long: Line | None = None
    short: Line | None = None
    outline: tuple[Point, ...] | None = None
    warnings: tuple[str, ...] = ()
    refusal: str | None = None
    remedy: str | None = None


class Reading(Message):
    """A kept reading with what it measures."""

    id: Id
    version: int
    case: Id
    visit: str
    reader: str
    changed: datetime | None
    signed: bool
    draft: Draft
    measured: Measured


class Earlier(Message):
    """What somebody or the network measured before, to accept: ``source`` tells who or what, in words for people.

    ``shows`` are parts of the frame to look at with it, as first and last row, first and last column: burnt-in marks,
    and the line of text of a printed value.
    """

    id: str
    source: str
    draft: Draft
    measured: Measured
    confidence: float | None = None
    shows: tuple[tuple[int, int, int, int], ...] = ()


# --- the worklist -----------------------------------------------------------------------------------------------------


class LesionItem(Message):
    """A lesion of a case, and how far its reading is."""

    name: str
    state: State


class VisitItem(Message):
    """A visit of a case. ``day`` from baseline; null where it is not known or hidden."""

    id: str
    label: str
    date: date | None
    day: int | None
    images: int
    state: State


class Differing(Message):
    """Readers who signed differ on a lesion at a visit: by their sizes, or, without any, on whether it is there."""

    lesion: str
    visit: str
    sizes_mm: tuple[float, ...]


class CaseItem(Message):
    """One child on the worklist. ``differs``: what readers differ on; ``why``: what a run left to look at, in words."""

    id: Id
    label: str
    state: State
    visits: tuple[VisitItem, ...]
    lesions: tuple[LesionItem, ...]
    differs: tuple[Differing, ...] = ()
    why: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
    changed: datetime | None = None


class Worklist(Message):
    """All cases in reading order, and the progress by state."""

    cases: tuple[CaseItem, ...]
    progress: dict[State, int]


# --- one case ---------------------------------------------------------------------------------------------------------


class Rectangle(Message):
    """First and last row and column of a region, with mm per pixel (row, column); null where it has no scale."""

    row_min: int
    row_max: int
    col_min: int
    col_max: int
    spacing_mm: tuple[float, float] | None


class ImageItem(Message):
    """One image. ``spacing_mm`` (row, column) is that of its largest region; null: ``refusal`` says why."""

    id: Id
    label: str
    plane: Plane
    rows: int
    columns: int
    frames: int
    frame_time_ms: float | None
    spacing_mm: tuple[float, float] | None
    regions: tuple[Rectangle, ...]
    refusal: str | None = None
    warnings: tuple[str, ...] = ()


class CaseVisit(Message):
    """One visit with its images."""

    id: str
    label: str
    date: date | None
    day: int | None
    images: tuple[ImageItem, ...]


class Signature(Message):
    """Who signed a case, and when; ``no_lesion``: it says that no image of the case shows a lesion."""

    reader: str
    role: Role
    at: datetime
    no_lesion: bool = False


class Comment(Message):
    """What somebody wrote to a case."""

    reader: str
    at: datetime
    text: Text


class Case(Message):
    """One child with everything that a reader of it may see."""

    id: Id
    label: str
    state: State
    visits: tuple[CaseVisit, ...]
    lesions: tuple[str, ...]
    readings: tuple[Reading, ...]
    earlier: tuple[Earlier, ...]
    refusals: tuple[str, ...]
    signatures: tuple[Signature, ...]
    comments: tuple[Comment, ...]
    locked: bool


class Compared(Message):
    """What a percent change compares, where that is not the sizes beside it: the planes that both visits have."""

    planes: tuple[Plane, ...]
    baseline_mm: float
    later_mm: float


class LesionResult(Message):
    """A lesion at a visit, by the readings so far; ``compared`` is null where ``percent`` compares the sizes shown."""

    lesion: str
    visit: str
    longest_diameter_mm: Size | None
    volume_ml: Size | None
    percent: float | None = None
    percent_ci95: tuple[float, float] | None = None
    compared: Compared | None = None
    percent_volume: float | None = None
    percent_volume_ci95: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()


class CaseResult(Message):
    """What a run would say of the child by this reader's readings. Changes and verdict are null in blinded reading.

    ``limits``: the percent changes at which the rule's verdict turns, onto which no change is rounded.
    """

    lesions: tuple[LesionResult, ...]
    verdict: str | None = None
    explanation: str | None = None
    certain: bool | None = None
    percent: float | None = None
    percent_ci95: tuple[float, float] | None = None
    limits: tuple[float, ...] = ()
    needs: tuple[str, ...] = ()


# --- asking -----------------------------------------------------------------------------------------------------------


class Measure(Message):
    """Measure a drawing that is not kept: a caliper, or a contour."""

    image: Id
    frame: FrameNumber
    long: Line | None = None
    short: Line | None = None
    contour: Contour | None = None


class Prompt(Message):
    """Ask the network for an outline: by one click, by a box (top, left, bottom, right) or by calipers."""

    image: Id
    frame: FrameNumber
    click: Drawn | None = None
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None
    long: Line | None = None
    short: Line | None = None


class Outlined(Message):
    """The network's answer; ``contour`` null: it sees no lesion there, ``reason`` says why."""

    contour: tuple[Point, ...] | None
    confidence: float | None = None
    accepted: bool = False
    measured: Measured | None = None
    reason: str | None = None


class Sign(Message):
    """Sign a case. ``versions`` are those of the reader's readings that the page showed, by id.

    ``no_lesion``: the reader has looked at every image of the case, and there is no lesion.
    """

    versions: dict[Id, int]
    statement: Text = ""
    no_lesion: bool = False


class Why(Message):
    """A reason or a comment."""

    why: Text


class Entry(Message):
    """What opens a session: the token of the address that the server printed, or a name and a password."""

    by: Literal["token", "password"]


TableName = Literal["calipers", "audit", "agreement"]


class Session(Message):
    """Who is reading, and how. ``csrf`` goes into the header X-Review-Token of every POST, PUT and DELETE.

    ``tables`` are those that may be exported.
    ``command`` is what to type so that a run takes the signed readings; null in blinded reading, where folders may
    tell.
    """

    reader: str
    role: Role
    blinded: bool
    network: str | None
    csrf: str
    version: str
    tables: tuple[TableName, ...]
    command: str | None = None


class Problem(Message):
    """Why something was refused.

    ``current`` is the kept reading where another tab or reader was faster (409); ``after_s`` are seconds until
    the next try is looked at (429).
    """

    code: str
    reason: str
    remedy: str = ""
    current: Reading | None = None
    after_s: int | None = None


class AuditEntry(Message):
    """One step: who, when, what, before, after, why. ``chain`` binds it to all steps before.

    What was drawn before and after has its axes in mm beside it.
    """

    number: int
    at: datetime
    reader: str
    action: str
    case: str
    reading: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    why: str
    chain: str
