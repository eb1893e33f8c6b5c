"""Why there is no number, and what keeps a verdict from being certain."""

from __future__ import annotations

from dataclasses import dataclass

from lesion_measure.errors import LesionMeasureError


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
class Doubt:
    """What a person wrote and the program could not use or believe: no verdict that it may change is certain.

    ``refusal`` says what it is and asks for review. ``seen``: a reader drew the lesion at that visit, so it was there,
    and only its size is not known; without a visit, at any where it has no size. ``perhaps``: it may be another child's
    or another lesion, so it says nothing of a lesion that this child has at no visit.
    """

    refusal: Refusal
    seen: bool = False
    perhaps: bool = False
