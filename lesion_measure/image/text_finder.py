"""Text burnt into frames: where it stands, and what it says, for those who take it out.

`burnt_in.ocr` reads it: half a second of one processor for a frame of 768 x 1024, and half a gigabyte of memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.burnt_in.ocr import available, reader

__all__ = ["BurntText", "TextFinder", "available", "without_text"]

INSTALL = "Install the reader of text: pip install 'lesion-measure[read]'."
SURE, SURE_OF_SIGNS = 0.5, 0.8
"""Scores from which a reading counts as text: of Latin letters and digits, of other scripts.

Speckle is read too, mostly below the first; a caliper's line was read as three Chinese signs at 0.53.
"""

MARGIN_PX = 2
_LOOKS = 3
"""How often a picture is looked at again after text on it was blanked: a word may hide another."""


@dataclass(frozen=True, slots=True)
class BurntText:
    """A text, how sure the reader is of it (0 to 1), and the first and last rows and columns that it covers."""

    text: str
    score: float
    row_min: int
    row_max: int
    col_min: int
    col_max: int

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns that it covers, and a margin around them."""
        return (
            slice(max(0, self.row_min - MARGIN_PX), self.row_max + 1 + MARGIN_PX),
            slice(max(0, self.col_min - MARGIN_PX), self.col_max + 1 + MARGIN_PX),
        )

    @property
    def sure(self) -> bool:
        """Whether this is text, not speckle or a caliper that looks like it."""
        plain = any(character.isascii() and character.isalnum() for character in self.text)
        return self.score >= (SURE if plain else SURE_OF_SIGNS)

    @property
    def letters(self) -> int:
        """Letters and digits. One alone is no name: mostly a caliper's cross, or its number."""
        return sum(character.isalnum() for character in self.text)


class TextFinder:
    """Finds text on frames. The models are loaded once a process.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """

    def __init__(self) -> None:
        self._reader = reader()

    def find(self, rgb: NDArray[np.uint8]) -> tuple[BurntText, ...]:
        """Every text on a frame (rows, columns, 3), RGB."""
        return tuple(
            BurntText(line.text, line.score, line.box.row_min, line.box.row_max, line.box.col_min, line.box.col_max)
            for line in self._reader.lines(rgb)
        )


def without_text(
    shown: NDArray[np.uint8], keep: NDArray[np.bool_], finder: TextFinder
) -> tuple[list[BurntText], list[BurntText]]:
    """Texts within ``keep`` (rows, columns) that are sure, which are taken out of it, and those that are not.

    The first look is at all of the frame, (rows, columns, 3) RGB: a word cut off at the scan's edge is harder to read.
    """
    every: list[BurntText] = []
    unsure: list[BurntText] = []
    for _ in range(_LOOKS):
        found = [each for each in finder.find(shown) if each.letters > 1 and keep[each.box].any()]
        unsure = [each for each in found if not each.sure]
        sure = [each for each in found if each.sure]
        for text in sure:
            keep[text.box] = False
        every += sure
        if not sure:
            break
        shown = np.where(keep[..., None], shown, 0).astype(np.uint8)
    return every, unsure
