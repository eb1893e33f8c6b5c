"""What a search gives: studies and their objects by UID, with what a person needs to choose; no names of patients."""

from __future__ import annotations

from dataclasses import dataclass

US, OBJECTS = ("US",), ("SR", "PR", "SEG")
"""Modalities of the images, and of the objects that may hold calipers on them."""


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """One study of an answer. ``instances`` is the number that the PACS states, None where it states none."""

    study_uid: str
    patient_id: str
    date: str
    modalities: tuple[str, ...]
    instances: int | None


@dataclass(frozen=True, slots=True, order=True)
class FoundInstance:
    """One object of an answer. ``frames`` and ``sop_class_uid`` are as stated; None and empty where not."""

    study_uid: str
    series_uid: str
    sop_uid: str
    modality: str = ""
    sop_class_uid: str = ""
    frames: int | None = None
