"""What of a screen may stay: the scan without the text on it. Or why a person has to look first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.scan_area import evenly, scan_area
from lesion_measure.image.text_finder import SURE, BurntText, TextFinder
from lesion_measure.records import Refusal

MOST_FRAMES = 32
"""Frames of a cine that are looked at one by one; of a longer one so many groups, each by its brightest pixels."""
MARGIN_PX = 2
MOST_TEXT = 0.05
"""Share of the scan that text may cover before a person has to look: with more of it, it is no scan."""
_LOOK = "Look at the page of pictures beside the key, and give --accept-held where nothing names anybody."


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """``keep`` (rows, columns) is what stays. ``texts`` were found on the scan and blanked, or doubted.

    ``checked`` says that text on the scan was looked for. ``held`` says why a person has to look, where one has to.
    """

    keep: NDArray[np.bool_]
    texts: tuple[BurntText, ...] = ()
    checked: bool = False
    held: Refusal | None = None
    frame: int = 1
    warnings: tuple[str, ...] = field(default=())


def look(image: OpenImage, finder: TextFinder | None) -> Screen:
    """What of an image's frames may stay.

    Raises
    ------
    InputError
        A frame cannot be decoded.
    """
    area = scan_area(image)
    if finder is None:
        held = _held(
            "text_unchecked",
            "Nobody looked for text on the scan.",
            "Install the reader of text: pip install 'lesion-measure[read]'. " + _LOOK,
        )
        return Screen(area.mask, held=held)
    found = {(each.row_min, each.col_min, each.row_max, each.col_max): each for each in _found(image, finder)}
    texts = tuple(each for each in found.values() if each.letters > 1 and area.mask[_box(each)].any())
    keep = area.mask.copy()
    for text in texts:
        keep[_box(text)] = False
    screen = Screen(keep, texts, checked=True)
    if not area.known:
        return replace(screen, held=_held("scan_unknown", "Where the scan lies on the screen cannot be told.", _LOOK))
    if any(text.score < SURE for text in texts):
        return replace(screen, held=_held("text_doubtful", "Something on the scan may be text.", _LOOK))
    if np.count_nonzero(area.mask & ~keep) > MOST_TEXT * np.count_nonzero(area.mask):
        return replace(screen, held=_held("much_text", "Much of the scan is covered by text.", _LOOK))
    return screen


def _held(code: str, reason: str, remedy: str) -> Refusal:
    return Refusal(code=code, reason=reason, remedy=remedy)


def _found(image: OpenImage, finder: TextFinder) -> Iterator[BurntText]:
    for picture in _pictures(image):
        yield from finder.find(picture)


def _pictures(image: OpenImage) -> Iterator[NDArray[np.uint8]]:
    """Each frame as shown; of a long cine each group of frames at its brightest, in which a word of one frame stays."""
    total = image.instance.frames
    ends = [0, *evenly(total, MOST_FRAMES)] if total > MOST_FRAMES else range(total + 1)
    for first, last in zip(ends[:-1], ends[1:], strict=True):
        brightest = image.frame(first + 1).display().copy()
        for number in range(first + 2, last + 1):
            np.maximum(brightest, image.frame(number).display(), out=brightest)
        yield brightest


def _box(text: BurntText) -> tuple[slice, slice]:
    return (
        slice(max(0, text.row_min - MARGIN_PX), text.row_max + 1 + MARGIN_PX),
        slice(max(0, text.col_min - MARGIN_PX), text.col_max + 1 + MARGIN_PX),
    )
