"""Which DICOM object a caliper comes from that nobody typed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lesion_measure.records.record import Record


class ObjectKind(StrEnum):
    """The kind of object, by DICOM's word for its modality; or what draws without one."""

    SR = "SR"
    PR = "PR"
    SEG = "SEG"
    BURNT_IN = "burnt-in"
    """No object: the pixels of the image itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin(Record):
    """Where a drawing comes from that nobody typed. What it states is never a measurement: points are."""

    kind: ObjectKind
    """Kind of the object: SR, PR or SEG; burnt-in for the pixels of the image itself."""
    path: str
    """Its file, relative to the input folder."""
    sop_instance_uid: str
    """Its SOP Instance UID."""
    item: str = ""
    """Where in it, for people."""
    tracking_uid: str = ""
    """Tracking Unique Identifier of the drawing; empty where there is none."""
    tracking_identifier: str = ""
    """Its Tracking Identifier, as stated."""
    stated: str = ""
    """The number that the object states, with its unit; empty where there is none."""
    stated_mm: float | None = None
    """That number in mm, where its unit is one of length."""
    printed_at: tuple[int, int, int, int] | None = None
    """First and last row, first and last column of the line of text that a burnt-in number was read from."""
