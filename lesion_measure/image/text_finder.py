"""Text burnt into frames: where it stands, and what it says. The one place that knows the reader of text.

The reader is rapidocr with onnxruntime, the extra ``read``; its models come in its wheel. It takes half a second of one
processor for a frame of 768 x 1024, and half a gigabyte of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import ConfigError

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
    """Finds text on frames. The models are loaded once, with the object.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """

    def __init__(self) -> None:
        if not available():
            raise ConfigError(
                "Reading text on frames needs rapidocr and onnxruntime.",
                remedy=INSTALL,
                code="no_reader",
            )
        from rapidocr import RapidOCR

        quiet: dict[str, Any] = {
            "Global.log_level": "critical",
            "Global.text_score": 0.0,  # what is doubtful is said, not dropped
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # more of them wait for one another
        }
        self._reader: Any = RapidOCR(params=quiet)

    def find(self, rgb: NDArray[np.uint8]) -> tuple[BurntText, ...]:
        """Every text on a frame (rows, columns, 3), RGB."""
        found = self._reader(np.ascontiguousarray(rgb[..., ::-1]))  # the reader takes BGR
        if found.boxes is None:
            return ()
        rows, columns = rgb.shape[:2]
        return tuple(
            BurntText(
                text=str(text),
                score=float(score),
                row_min=max(0, int(np.floor(box[:, 1].min()))),
                row_max=min(rows - 1, int(np.ceil(box[:, 1].max()))),
                col_min=max(0, int(np.floor(box[:, 0].min()))),
                col_max=min(columns - 1, int(np.ceil(box[:, 0].max()))),
            )
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        )


def available() -> bool:
    """Whether the extra ``read`` is installed; nothing of it is loaded."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


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
