"""What a text of a presentation state says of the line beside it: a length, a lesion's name, an axis.

A text is free, and may hold anything, a patient's name too. So only what matches strictly is taken, and no text is
kept as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from lesion_measure.dicom.elements import element, integer, numbers, text
from lesion_measure.dicom.objects.presentation.display import Display, Place, Points
from lesion_measure.errors import InputError
from lesion_measure.records import LIVER, Axis, is_liver

_MAX_TEXT = 1024
_MOST_LINES, _MOST_WORDS = 8, 5
_NUMBER = re.compile(r"(\d{1,4}(?:[.,]\d{1,4})?)(mm|cm)", re.IGNORECASE)
_CAPTION = re.compile(r"[^\W\d_]{1,14}\.?\d{0,2}|\d{1,2}[.)]?|[+×#*]\d{0,2}")
_LESION = re.compile(
    r"(?:lesion|target|nodule|tumou?r)[ _#.-]?\d{1,3}[a-z]?|(?:les|nt|l|t)[_#.-]?\d{1,3}[a-z]?", re.IGNORECASE
)
_MM = {"mm": 1.0, "cm": 10.0}
_NO_LENGTHS = frozenset("depth area vol volume circ circumference perimeter gain freq frequency focus scale".split())  # noqa: SIM905
_AXES = {"long": Axis.LONG, "major": Axis.LONG, "short": Axis.SHORT, "minor": Axis.SHORT}
_NO_LINES = frozenset("arrow arrows angle angles cobb rectangle localizer scout".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Caption:
    """What a text says.

    ``stated`` is a length with its unit as it stands there, ``stated_mm`` its value; ``degrees`` says that it is an
    angle. ``place`` is where it stands, (row, column), None where that is not known.
    """

    lesion: str = ""
    axis: Axis | None = None
    stated: str = ""
    stated_mm: float | None = None
    degrees: bool = False
    place: Points | None = None
    group: int | None = None


def caption_of(item: Dataset, display: Display, place: Place) -> Caption:
    """The caption of an item of Text Object Sequence."""
    lines = _lines(item)
    lengths = {found for line in lines if (found := length_in(line)) is not None}
    stated, stated_mm = lengths.pop() if len(lengths) == 1 else ("", None)
    return Caption(
        lesion=_only(lesion_in(line) for line in lines),
        axis=_axis(lines),
        stated=stated,
        stated_mm=stated_mm,
        degrees=any("°" in line or line.lower().endswith(" deg") for line in lines),
        place=_where(item, display, place),
        group=integer(item, "GraphicGroupID"),
    )


def length_in(line: str) -> tuple[str, float] | None:
    """The length that one line states, as it stands there and in mm: ``D 23.1 mm``, ``1: 2.31cm``, ``L1 long 23 mm``.

    Nothing else may stand there but up to four short words or numbers before it.
    """
    words = _words(line)
    found = _NUMBER.fullmatch(words[-1]) if words else None
    if found is None or len(words) > _MOST_WORDS:
        return None
    if not all(_CAPTION.fullmatch(word) and word.lower().strip(".") not in _NO_LENGTHS for word in words[:-1]):
        return None
    number, unit = found[1], found[2].lower()
    value = float(number.replace(",", ".")) * _MM[unit]
    return (f"{number} {unit}", value) if value > 0 else None


def lesion_in(line: str) -> str:
    """The lesion that one line names, alone or before what else it says: ``L1``, ``Lesion 2 23.1 mm``; else empty.

    The number of a length is no number of a lesion: ``L 23 mm`` names none.
    """
    words = [word for word in _words(line) if not _NUMBER.fullmatch(word)]
    for count in (2, 1):
        name = " ".join(words[:count])
        if len(words) >= count and (_LESION.fullmatch(name) or is_liver(name)):
            return LIVER if is_liver(name) else name
    return ""


def draws_no_line(name: str) -> bool:
    """Whether a layer or a group is named after a tool that measures no length."""
    return bool(_NO_LINES & set(re.findall(r"[^\W\d_]+", name.lower())))


def _words(line: str) -> list[str]:
    """The words of a line; a number and the unit behind it are one word."""
    words = line.replace(":", " ").replace("=", " ").split()
    if len(words) > 1 and words[-1].lower() in _MM:
        words[-2:] = [words[-2] + words[-1]]
    return words


def _lines(item: Dataset) -> list[str]:
    """The lines of the text; blanks stand for what is not printable."""
    found = element(item, "UnformattedTextValue")
    value = found.value if found is not None else None
    if not isinstance(value, str):
        value = text(item, "UnformattedTextValue")
    lines = re.split(r"[\r\n]+", value[:_MAX_TEXT])[:_MOST_LINES]
    return ["".join(c if c.isprintable() else " " for c in line).strip() for line in lines]


def _axis(lines: Iterable[str]) -> Axis | None:
    found = {_AXES[word] for line in lines for word in re.findall(r"[a-z]+", line.lower()) if word in _AXES}
    return found.pop() if len(found) == 1 else None


def _only(names: Iterable[str]) -> str:
    found = {name for name in names if name}
    return found.pop() if len(found) == 1 else ""


def _where(item: Dataset, display: Display, place: Place) -> Points | None:
    """The anchor, else the middle of the box; None where neither can be told."""
    for units, keywords in (
        ("AnchorPointAnnotationUnits", ("AnchorPoint",)),
        ("BoundingBoxAnnotationUnits", ("BoundingBoxTopLeftHandCorner", "BoundingBoxBottomRightHandCorner")),
    ):
        corners = [numbers(item, keyword) for keyword in keywords]
        if any(len(corner) != 2 or None in corner for corner in corners):
            continue
        try:
            points = display.to_pixels(np.array(corners, dtype=np.float64), text(item, units).upper(), place)
        except InputError:
            continue
        return np.asarray(points.mean(axis=0))
    return None
