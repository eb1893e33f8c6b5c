"""What of a screen may stay: the scan without the text on it. Or why a person has to look first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.scan_area import evenly, scan_area
from lesion_measure.image.text_finder import INSTALL, BurntText, TextFinder, without_text
from lesion_measure.records import Refusal

MOST_FRAMES = 32
"""Frames of a cine that are looked at one by one; of a longer one so many groups, each by its brightest pixels."""
MOST_TEXT = 0.25
"""Share of the scan that text may cover before a person has to look: with more of it, it is no scan."""
_LOOK = "Look at the page of pictures beside the key, and give --accept-held where nothing names anybody."


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """``keep`` (rows, columns) is what stays.

    ``texts`` were found on the scan and are blanked; ``doubtful`` ones, which may be speckle or a caliper, are not, and
    hold the file back. ``checked`` says that text on the scan was looked for. ``held`` says why a person has to look,
    where one has to. ``picture`` is the frame, or group of frames, that showed most text: RGB (rows, columns, 3).
    """

    keep: NDArray[np.bool_]
    picture: NDArray[np.uint8]
    texts: tuple[BurntText, ...] = ()
    doubtful: tuple[BurntText, ...] = ()
    checked: bool = False
    held: Refusal | None = None


def look(image: OpenImage, finder: TextFinder | None) -> Screen:
    """What of an image's frames may stay.

    Raises
    ------
    InputError
        A frame cannot be decoded.
    """
    area = scan_area(image)
    if finder is None:
        held = _held("text_unchecked", "Nobody looked for text on the scan.", f"{INSTALL} {_LOOK}")
        return Screen(area.mask, image.frame(1).display(), held=held)
    keep = area.mask.copy()
    texts: list[BurntText] = []
    doubtful: dict[tuple[int, int], BurntText] = {}
    most, picture = -1, image.frame(1).display()
    for shown in _pictures(image):
        sure, unsure = without_text(shown, keep, finder)
        texts += sure
        doubtful |= {(each.row_min, each.col_min): each for each in unsure}
        if len(sure) + len(unsure) > most:
            most, picture = len(sure) + len(unsure), shown
    screen = Screen(keep, picture, tuple(texts), tuple(doubtful.values()), checked=True)
    if not area.known:
        held = _held("scan_unknown", "Where the scan lies on the screen cannot be told.", _LOOK)
    elif doubtful:
        held = _held("text_doubtful", "Something on the scan may be text.", _LOOK)
    elif np.count_nonzero(keep) < (1 - MOST_TEXT) * np.count_nonzero(area.mask):
        held = _held("much_text", "Much of the scan is covered by text.", _LOOK)
    else:
        return screen
    return replace(screen, held=held)


def _held(code: str, reason: str, remedy: str) -> Refusal:
    return Refusal(code=code, reason=reason, remedy=remedy)


def _pictures(image: OpenImage) -> Iterator[NDArray[np.uint8]]:
    """Each frame as shown; of a long cine each group of frames at its brightest, in which a word of one frame stays."""
    total = image.instance.frames
    ends = [0, *evenly(total, MOST_FRAMES)] if total > MOST_FRAMES else range(total + 1)
    for first, last in itertools.pairwise(ends):
        brightest = image.frame(first + 1).display().copy()
        for number in range(first + 2, last + 1):
            np.maximum(brightest, image.frame(number).display(), out=brightest)
        yield brightest
