"""The depth scale beside a picture: millimetres per pixel by its ticks and numbers, a witness that no header changes.

How far apart ticks are in mm is told by the numbers beside them, else by the depth printed in the margin (``16cm``): of
the distances that scanners draw, one makes the ticks as long as that depth. Where neither says it, the scale has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lesion_measure.burnt_in.ocr import Reader, TextBox, reader
from lesion_measure.burnt_in.ticks import TickRow, tick_rows

INTERVALS_MM = (1.0, 2.0, 5.0, 10.0)
"""Distances between ticks that scanners draw without numbers; dots stand for the last two."""
_LONGER_MM = (5.0, 10.0, 50.0, 100.0)
"""Distances between the longer ones among ticks."""
_NUMBERED_CM = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0)
_NUMBERED_MM = (1.0, 2.0, 2.5, 5.0, 10.0, 20.0)
_MOST_CM = 40
"""Numbers above it are mm: no scan is deeper than that in cm."""
_SNAP = 0.08
"""How far the distance by two numbers may be from a round one: text is placed to some pixels."""
_SHARE = (0.72, 1.08)
"""Of the printed depth that the ticks span: they may begin above the skin, and end at the last whole one."""
_NEAR_HEIGHTS = 4.0
"""How far from its tick a number may stand, in its heights."""
_LABEL_HEIGHTS = 9
_NUMBER = re.compile(r"[-–—_.·~]?(\d{1,3}(?:[.,]\d)?)[-–—_.·~]?", re.ASCII)
_DEPTH = re.compile(r"(?:D|P|R|Depth:?)?(\d{1,3}(?:[.,]\d{1,2})?)(cm|mm)", re.ASCII | re.IGNORECASE)
_DEEPEST_MM, _SHALLOWEST_MM = 400.0, 20.0

Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DepthScale:
    """Ticks, and how far apart they are.

    ``tick_mm`` is how far apart they are by what ``said`` names: ``numbers`` beside them, or the printed ``depth``.
    """

    row: TickRow
    tick_mm: float
    said: Literal["numbers", "depth"]

    @property
    def mm_per_px(self) -> float:
        """Along the ticks."""
        return self.tick_mm / self.row.step_px

    @property
    def error(self) -> float:
        """Of ``mm_per_px``, a standard error as a share of it."""
        return self.row.error_px / self.row.step_px

    def enlarged(self, spacing_mm: tuple[float, float]) -> float:
        """How many times as large the picture is as its stated scale (row, column) in mm per pixel has it.

        2 says that pixels are half as large as stated, and lengths by the stated scale twice the truth.
        """
        stated = float(np.hypot(self.row.step[0] * spacing_mm[0], self.row.step[1] * spacing_mm[1]))
        return stated / self.tick_mm


def depth_scale(rgb: Gray) -> DepthScale | None:
    """The depth scale of a frame (rows, columns, 3), uint8 RGB; None where none is found or nothing says its mm.

    Raises
    ------
    ConfigError
        Ticks are there, and the extra ``read`` is not installed.
    """
    rows = tick_rows(rgb)
    if not rows:
        return None
    texts = _texts(reader(), rgb)
    for row in rows:
        by_numbers = _by_numbers(row, texts)
        if by_numbers is not None:
            return DepthScale(row=row, tick_mm=by_numbers, said="numbers")
    for row in rows:
        by_depth = None if _cut_off(row, len(rgb)) else _by_depth(row, texts)
        if by_depth is not None:
            return DepthScale(row=row, tick_mm=by_depth, said="depth")
    return None


Text = tuple[str, TextBox]


def _texts(read: Reader, rgb: Gray) -> list[Text]:
    return [(read.read(box.part(rgb, 1, 2, 2)).signs, box) for box in read.boxes(rgb)]


def _by_numbers(row: TickRow, texts: Sequence[Text]) -> float | None:
    """Millimetres between ticks by the numbers beside them; None where they do not agree on one distance."""
    beside: list[tuple[float, float]] = []  # how many ticks along the row, and the number
    for text, box in texts:
        found = _NUMBER.fullmatch(text)
        if found is None:
            continue
        middle = np.array([(box.row_min + box.row_max) / 2, (box.col_min + box.col_max) / 2])
        along = float((middle - row.places[0]) @ np.asarray(row.step)) / row.step_px**2
        tick = row.places[0] + np.clip(round(along), 0, row.steps) * np.asarray(row.step)
        if np.abs(middle - tick).max() <= max(_NEAR_HEIGHTS * box.height / 2, box.col_max - box.col_min + box.height):
            beside.append((along, float(found[1].replace(",", "."))))
    rounds = [_round((m - n) / (b - a)) for (a, n), (b, m) in combinations(sorted(beside), 2) if b - a > 0.5]
    agreed = {each for each in rounds if each is not None}
    if len(agreed) != 1 or None in rounds:
        return None
    most = max(number for _, number in beside)
    each = agreed.pop()
    if most > _MOST_CM:
        return each if each in _NUMBERED_MM else None
    return each * 10 if each in _NUMBERED_CM and _plausible(each * 10 * row.steps) else None


def _by_depth(row: TickRow, texts: Sequence[Text]) -> float | None:
    """Millimetres between ticks by the one printed depth that they reach; None where none or several do."""
    fitting: set[float] = set()
    for text, box in texts:
        found = _DEPTH.fullmatch(text)
        if found is None or any(_labels(other, box) for other in texts):
            continue
        depth_mm = float(found[1].replace(",", ".")) * (10 if found[2].lower() == "cm" else 1)
        if _plausible(depth_mm):
            low, high = _SHARE
            fitting |= {each for each in _drawn(row) if low * depth_mm <= each * row.steps <= high * depth_mm}
    return fitting.pop() if len(fitting) == 1 else None


def _drawn(row: TickRow) -> list[float]:
    """The distances that ticks of this look stand for."""
    among = INTERVALS_MM if row.bars else INTERVALS_MM[-2:]
    return [each for each in among if row.longer_each is None or each * row.longer_each in _LONGER_MM]


def _cut_off(row: TickRow, rows: int) -> bool:
    """Whether the frame ends where the next tick would be, so that the scale may go on."""
    return bool(row.places[-1, 0] + row.step[0] > rows - 1)


def _labels(text: Text, box: TextBox) -> bool:
    """Whether a text stands left of a number, so that this is a measurement and no depth."""
    words, other = text
    return other.left_of(box, _LABEL_HEIGHTS) and len(words) > 1 and not words.casefold().startswith("depth")


def _round(each: float) -> float | None:
    """The round distance that is nearest, in the numbers' unit; None where none is near."""
    nearest = min({*_NUMBERED_CM, *_NUMBERED_MM}, key=lambda known: abs(known - each))
    return nearest if abs(nearest - each) <= _SNAP * nearest else None


def _plausible(depth_mm: float) -> bool:
    return _SHALLOWEST_MM <= depth_mm <= _DEEPEST_MM
