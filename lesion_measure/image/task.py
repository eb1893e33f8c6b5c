"""One image and what is known of it, and what was read of it: what travels between the modules of this room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lesion_measure.records import (
    Caliper,
    Doubt,
    ImageLabel,
    Instance,
    Look,
    Plane,
    PlaneMeasurement,
    Point,
    Refusal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One image and all that is known about it before it is looked at.

    ``unnamed``: the child has unnamed drawings. ``signed``: somebody has signed what the calipers measure, so that the
    network adds nothing to them. ``killed`` says how the processes ended that tried to read it; it is not tried again.
    ``sha256`` is that of the file's bytes, empty where nobody knows it yet. ``counts`` is the one reader who counts for
    the child; None: as the settings say.
    """

    instance: Instance
    subject: str
    visit: str
    label: ImageLabel
    calipers: Sequence[Caliper]
    unnamed: bool = False
    signed: bool = False
    killed: str = ""
    sha256: str = ""
    counts: str | None = None


@dataclass(frozen=True, slots=True)
class Length:
    """What one caliper measures by the image's scale, and the plane that it was measured in.

    ``outline`` is the closed contour (row, column) that was measured; empty for lines.
    """

    caliper: Caliper
    plane: Plane
    length_mm: float
    outline: tuple[Point, ...] = ()


@dataclass(slots=True)
class ImageReading:
    """Planes by model and by caliper, what readers state besides, and why other numbers are missing.

    ``absent`` are the lesions that are gone, ``unassessed`` those whose size the image does not tell. ``none_seen``, of
    readers who count, say that the image shows no lesion; the network is not asked then.

    ``sha256`` is that of the file's bytes, empty where they could not be read to their end.
    ``empty`` says that the network found nothing on this image: a reason for review only where the visit has no other
    measurement, or where the manifest says that a lesion is to be seen. ``seen`` is how the network looked, None where
    it did not. ``doubts`` are the readers' rows that gave no number, or one to look at, each with its reason.
    ``lengths`` are those of the single calipers.
    """

    model: list[PlaneMeasurement] = field(default_factory=list)
    caliper: list[PlaneMeasurement] = field(default_factory=list)
    absent: list[Caliper] = field(default_factory=list)
    unassessed: list[Caliper] = field(default_factory=list)
    none_seen: list[Caliper] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    empty: Refusal | None = None
    seen: Look | None = None
    sha256: str = ""
    lengths: list[Length] = field(default_factory=list)
