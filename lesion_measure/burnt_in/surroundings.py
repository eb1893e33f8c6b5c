"""Marks that are none: letters and signs in a line of text, ticks of a scale, strokes of bars and frames."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.burnt_in.marks import FILLED, Mark
from lesion_measure.burnt_in.overlay import Channel

GLYPHS = 3
"""Letters in line with a mark, to one side or both, from which it is part of a text; a number beside it has fewer."""
TICKS = 3
"""Marks of one look in a row at even distances, from which they are a scale."""
LEAST_TICK_PX = 10.0
MOST_HUE, MOST_LEVEL, MOST_FILLED_LEVEL = 0.3, 35.0, 55.0
"""Greatest differences of two marks that are drawn alike."""
COLOURED = 40
_WINDOW_PX = 110
_CLEARLY = 0.6
"""Share of a mark's contrast from which a pixel beside it is drawn, too."""
_LEAST_GLYPH, _MOST_GLYPH = 5, 34
_GAP, _FIRST_GAP = 1.3, 2.4
"""Greatest gap between letters of a line, and between a mark and the first of them, in heights of the line."""


def letters_in_line(channel: Channel, mark: Mark) -> int:
    """How many letters stand in one line with a mark, on one base: those of the text that it is a sign or letter of."""
    height = max(2 * mark.half_px, 8.0)
    glyphs = _glyphs(channel, mark, height)
    chain = _chain([glyph for glyph in glyphs if glyph[0] > 0], mark.half_px, height)
    chain += _chain([(-end, -left, base) for left, end, base in glyphs if end < 0], mark.half_px, height)
    bases = np.array([base for _, _, base in chain])
    return max((int(np.sum(np.abs(bases - base) <= 1.5)) for base in bases), default=0)


def _glyphs(channel: Channel, mark: Mark, height: float) -> list[tuple[int, int, int]]:
    """First and last column, from the mark's own, of what is drawn beside it at the height of a letter; its base."""
    row, col = round(mark.row), round(mark.col)
    reach = round(1.5 * height)
    top, first = max(row - reach, 0), max(col - _WINDOW_PX, 0)
    window = channel[top : row + reach + 1, first : col + _WINDOW_PX + 1]
    drawn = window >= mark.ground + _CLEARLY * (mark.level - mark.ground)
    labels, _ = ndimage.label(drawn, np.ones((3, 3)))
    found = []
    for box in ndimage.find_objects(labels):
        high, wide = box[0].stop - box[0].start, box[1].stop - box[1].start
        middle = (box[0].start + box[0].stop - 1) / 2 + top - row
        sized = _LEAST_GLYPH <= high <= min(_MOST_GLYPH, 2.4 * height) and 1 <= wide <= 2 * _MOST_GLYPH
        if sized and high >= 0.5 * height and abs(middle) <= 0.6 * height + 1:
            letters = max(1, round(wide / (0.9 * high)))  # letters that touch one another
            start, step = box[1].start + first - col, wide / letters
            ends = [round(start + k * step) for k in range(letters + 1)]
            found += [(left, right - 1, box[0].stop) for left, right in itertools.pairwise(ends)]
    return found


def _chain(glyphs: Sequence[tuple[int, int, int]], start: float, height: float) -> list[tuple[int, int, int]]:
    """The letters that follow one another from the mark's edge on."""
    edge = start
    chain: list[tuple[int, int, int]] = []
    for glyph in sorted(glyphs):
        if glyph[0] - edge > (_GAP if chain else _FIRST_GAP) * height:
            break
        edge = max(edge, glyph[1])
        chain.append(glyph)
    return chain


def ticks(marks: Sequence[Mark]) -> set[int]:
    """Indices of the marks that stand in a straight row at even distances and look alike."""
    found: set[int] = set()
    points = np.array([mark.point for mark in marks]).reshape(-1, 2)
    for one, two in itertools.permutations(range(len(marks)), 2):
        if one in found and two in found:
            continue
        if not _one_size(marks[one], marks[two]) or np.hypot(*(points[one] - points[two])) < LEAST_TICK_PX:
            continue
        row = [one, two]
        while (following := _next(points, row)) is not None and _one_size(marks[one], marks[following]):
            row.append(following)
        if len(row) >= TICKS:
            found.update(row)
    return found


def _one_size(one: Mark, two: Mark) -> bool:
    near = abs(one.half_px - two.half_px) <= 0.6 and abs(one.score - two.score) <= 0.15
    return near and one.shape is two.shape and alike(one, two)


def _next(points: NDArray[np.float64], row: Sequence[int]) -> int | None:
    """The mark as far beyond the last of a row as that is beyond the one before."""
    expected = 2 * points[row[-1]] - points[row[-2]]
    distances = np.hypot(*(points - expected).T)
    nearest = int(distances.argmin())
    return nearest if distances[nearest] <= 1.6 and nearest not in row else None


def alike(one: Mark, two: Mark) -> bool:
    """Whether two marks may be drawn alike: of one shape and colour, about as bright; sizes are for `joint_fit`."""
    if one.shape is not two.shape and not (one.shape in FILLED and two.shape in FILLED):
        return False
    hues = float(np.abs(np.subtract(hue(one), hue(two))).max())
    most = MOST_FILLED_LEVEL if one.shape in FILLED else MOST_LEVEL
    return hues <= MOST_HUE and abs(one.level - two.level) <= most


def hue(mark: Mark) -> tuple[float, float, float]:
    """A mark's colour without its brightness: 0 for the weakest of R, G and B up to 1, all 0 for gray."""
    least, most = min(mark.colour), max(mark.colour)
    if most - least < COLOURED:
        return (0.0, 0.0, 0.0)
    red, green, blue = ((value - least) / (most - least) for value in mark.colour)
    return (red, green, blue)
