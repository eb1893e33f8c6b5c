"""Marks that are none: letters and signs in a line of text, ticks of a scale, strokes of bars and frames."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
MOST_HUE, MOST_LEVEL, MOST_LEVEL_THROUGH = 0.3, 35.0, 55.0
"""Greatest differences of two marks that are drawn alike; through filled and coloured ones echoes shine."""
COLOURED, _LITTLE_COLOURED = 40, 25
"""Difference of a mark's greatest and least of R, G and B from which it has a colour, and one like it has."""
_WINDOW_PX = 110
_CLEARLY = 0.6, 0.85
"""Shares of a mark's contrast from which a pixel beside it is drawn, too: letters on bright echoes need the greater."""
_DRAWN_MEAN = 0.75
"""The same share for the mean of a letter: grains of echoes are as bright as it in few pixels."""
_LEAST_GLYPH, _MOST_GLYPH = 5, 34
_GAP = 2.4
"""Greatest gap in a line of text, from a mark to the first letter or from a label to its value, in its heights."""


@dataclass(frozen=True, slots=True)
class _Glyph:
    """What may be a letter: its first and last column from a mark's own, the row of its base, its height."""

    first: int
    last: int
    base: int
    height: int


def letters_in_line(channel: Channel, mark: Mark) -> int:
    """How many letters stand in one line with a mark, on one base: those of the text that it is a sign or letter of."""
    return max(_letters(channel, mark, share) for share in _CLEARLY)


def _letters(channel: Channel, mark: Mark, share: float) -> int:
    """The same, of what has so much of the mark's contrast."""
    height = max(2 * mark.half_px, 8.0)
    glyphs = _glyphs(channel, mark, height, share)
    chain = _chain([glyph for glyph in glyphs if glyph.first > 0], mark.half_px, height)
    mirrored = [replace(glyph, first=-glyph.last, last=-glyph.first) for glyph in glyphs if glyph.last < 0]
    chain += _chain(mirrored, mark.half_px, height)
    bases = np.array([glyph.base for glyph in chain])
    return max((int(np.sum(np.abs(bases - base) <= 1.5)) for base in bases), default=0)


def _glyphs(channel: Channel, mark: Mark, height: float, share: float) -> list[_Glyph]:
    """What is drawn beside a mark at the height of a letter."""
    row, col = round(mark.row), round(mark.col)
    reach = round(1.5 * height)
    top, first = max(row - reach, 0), max(col - _WINDOW_PX, 0)
    window = channel[top : row + reach + 1, first : col + _WINDOW_PX + 1]
    contrast = mark.level - mark.ground
    drawn = window >= mark.ground + share * contrast
    labels, _ = ndimage.label(drawn, np.ones((3, 3)))
    found = []
    boxes = ndimage.find_objects(labels)
    means = np.asarray(ndimage.mean(window, labels, range(1, len(boxes) + 1)), np.float64)
    for box, mean in zip(boxes, means.tolist(), strict=True):
        high, wide = box[0].stop - box[0].start, box[1].stop - box[1].start
        middle = (box[0].start + box[0].stop - 1) / 2 + top - row
        sized = _LEAST_GLYPH <= high <= min(_MOST_GLYPH, 2.4 * height) and 1 <= wide <= 2 * _MOST_GLYPH
        even = mean >= mark.ground + _DRAWN_MEAN * contrast
        if sized and even and high >= 0.5 * height and abs(middle) <= 0.6 * height + 1:
            letters = max(1, round(wide / (0.9 * high)))  # letters that touch one another
            start, step = box[1].start + first - col, wide / letters
            ends = [round(start + k * step) for k in range(letters + 1)]
            found += [_Glyph(left, right - 1, box[0].stop, high) for left, right in itertools.pairwise(ends)]
    return found


def _chain(glyphs: Sequence[_Glyph], start: float, height: float) -> list[_Glyph]:
    """The letters that follow one another from the mark's edge on."""
    edge = start
    chain: list[_Glyph] = []
    for glyph in sorted(glyphs, key=lambda each: (each.first, each.last)):
        if glyph.first - edge > _GAP * max(height, glyph.height):
            break
        edge = max(edge, glyph.last)
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
    """Whether two marks may be drawn alike: of one shape and colour, about as bright; sizes are for `joint_fit`.

    As bright as they are in the frame: in a channel of colours compression makes one mark fainter than the other.
    """
    if one.shape is not two.shape and not (one.shape in FILLED and two.shape in FILLED):
        return False
    shines = one.shape in FILLED or (any(hue(one)) and any(hue(two)))
    most = MOST_LEVEL_THROUGH if shines else MOST_LEVEL
    return _one_hue(one, two) and abs(max(one.colour) - max(two.colour)) <= most


def _one_hue(one: Mark, two: Mark) -> bool:
    """Whether both are gray, or of one colour; one of them may have a little less of it than is surely a colour."""
    chromas = [max(mark.colour) - min(mark.colour) for mark in (one, two)]
    if max(chromas) < COLOURED:
        return True
    if min(chromas) < _LITTLE_COLOURED:
        return False
    return float(np.abs(np.subtract(_hue(one), _hue(two))).max()) <= MOST_HUE


def only_alike(marks: Sequence[Mark]) -> list[tuple[Mark, Mark]]:
    """Coloured filled marks that are like one another and like no third one.

    Most probably they are one caliper's ends, with a line or without. Of three where one is like two others none are,
    in whichever order they come.
    """
    coloured = [mark for mark in marks if mark.shape in FILLED and any(hue(mark))]
    like = {id(mark): [other for other in coloured if alike(mark, other)] for mark in coloured}
    pairs = itertools.combinations([mark for mark in coloured if len(like[id(mark)]) == 2], 2)
    return [(one, two) for one, two in pairs if alike(one, two)]


def hue(mark: Mark) -> tuple[float, float, float]:
    """A mark's colour without its brightness: 0 for the weakest of R, G and B up to 1, all 0 for gray."""
    return _hue(mark) if max(mark.colour) - min(mark.colour) >= COLOURED else (0.0, 0.0, 0.0)


def _hue(mark: Mark) -> tuple[float, float, float]:
    least, most = min(mark.colour), max(mark.colour)
    red, green, blue = ((value - least) / max(most - least, 1e-9) for value in mark.colour)
    return (red, green, blue)
