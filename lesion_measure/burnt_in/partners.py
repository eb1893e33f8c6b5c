"""The other end of a caliper whose one mark alone was found: what is drawn just as it is, anywhere on the frame.

A bright line of tissue that crosses an arm, or another caliper's mark, leaves no dark pixels beside it, so that
`places` passes over the place. A scanner draws both marks of a caliper in one brightness, though, and echoes have many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.burnt_in.marks import (
    APART_PX,
    LEAST_EVEN_SCORE,
    LEAST_LENGTH_PX,
    Mark,
    correlation,
    mark_at,
    windows,
)
from lesion_measure.burnt_in.overlay import Channel
from lesion_measure.burnt_in.places import EDGE_PX
from lesion_measure.burnt_in.templates import REACH, Shape, Template, bank, bank_of

ARMS = {Shape.PLUS: ((0, 1), (1, 0), (0, -1), (-1, 0)), Shape.OBLIQUE: ((1, 1), (1, -1), (-1, 1), (-1, -1))}
"""The shapes that are looked for, and where their arms lead."""
SAME_LEVEL, MORE_SPREAD = 6.0, 4.0
"""Gray levels by which both marks' brightness differs at most, and the SD of strokes is greater than the mark's."""
LEAST_EXACT_SCORE = 0.15
"""Correlation from which a cross is a mark's partner if not one pixel of the strokes of both differs: without losses
in compression that tells it on the brightest echoes. Elsewhere `LEAST_EVEN_SCORE`."""
LEAST_ALIKE_SCORE, ALIKE_LEVEL = 0.35, 2.0
"""The same where both are of one brightness within so many gray levels."""
_SOFT = 12.0
"""SD of a mark's strokes from which their edges are only partly drawn, so that they show what is behind."""
MOST_DARK = 0.3
"""Share of a partner's surroundings without echoes below which it is among echoes."""
MOST_PARTNERS = 3
"""Others of a mark beyond which none is told from what only looks like it."""
MOST_LOOKS = 100
"""Places of a search that are looked at closely, the most alike first."""
MOST_SOLID = 20
"""Pixels of one gray level amid nine of it, from which echoes are cut off at that level: strokes are thinner."""
_SAME_PIXEL, _SPREADS = 25.0, 5.0
"""Gray levels by which a pixel of an arm differs from the mark's strokes at most, and how many of their SDs it may:
compression changes single ones."""
_BEYOND = (2, 3, 4)
"""Pixels behind an arm's end that are as bright as the mark where a line goes on there: on average within
`_SAME_BEYOND` gray levels, as echoes are not."""
_SAME_BEYOND = 12.0
_EXACT, _SATURATED = 0.5, 250.0
_MOST_PLACES = 2000

Places = tuple[NDArray[np.intp], NDArray[np.intp]]


def partners(
    rgb: NDArray[np.uint8], channel: Channel, mark: Mark, known: Sequence[Mark]
) -> tuple[tuple[Mark, Mark], ...]:
    """A cross with each other one of its shape, size and brightness on the frame; none where there are many.

    Parameters
    ----------
    rgb, channel
        The frame, (rows, columns, 3), and the channel of its overlay on which the mark was found.
    mark
        A cross; other shapes have no partners.
    known
        All marks that were found on the frame, which are no partners: they were paired where they may be.
    """
    if mark.shape not in ARMS:
        return ()
    padded = np.pad(channel, REACH)
    template, one = _own(rgb, padded, mark)
    rows, cols = _lit_alike(padded, one, template)
    far = np.hypot(rows + template.point[0] - one.row, cols + template.point[1] - one.col) >= LEAST_LENGTH_PX
    rows, cols = rows[far], cols[far]
    if not 0 < len(rows) <= _MOST_PLACES:
        return ()
    among = bank_of((template,))
    scores = correlation(windows(padded, rows, cols, among.reach), among)[:, 0]
    least = LEAST_ALIKE_SCORE if _cut_off(channel, one.level) else LEAST_EXACT_SCORE
    found: list[Mark] = []
    for at in np.argsort(-scores, kind="stable")[:MOST_LOOKS]:
        place = int(rows[at]), int(cols[at])
        if scores[at] < least or len(found) > MOST_PARTNERS:
            break
        if not all(_apart(place, each) for each in (*known, *found)):
            continue
        other = mark_at(rgb, padded, place, template, float(scores[at]))
        if _drawn_as(one, other):
            found.append(other)
    return tuple((one, other) for other in found) if len(found) <= MOST_PARTNERS else ()


def _cut_off(channel: Channel, level: float) -> bool:
    """Whether echoes may have exactly this gray level in many pixels, as where they are saturated."""
    if level >= _SATURATED:
        return True
    solid = ndimage.binary_erosion(channel == round(level), np.ones((3, 3), np.bool_))
    return int(np.count_nonzero(solid)) > MOST_SOLID


def _own(rgb: NDArray[np.uint8], padded: Channel, mark: Mark) -> tuple[Template, Mark]:
    """The template that fits a mark best, and the mark as that has it; of soft strokes their core alone is drawn."""
    among = bank((mark.shape,))
    rows, cols = (np.clip(round(at) + np.array([-1, 0, 1]), 0, None) for at in mark.point)
    places = np.array([(row, col) for row in rows for col in cols])
    scores = correlation(windows(padded, places[:, 0], places[:, 1], among.reach), among)
    at, which = np.unravel_index(int(scores.argmax()), scores.shape)
    place = int(places[at, 0]), int(places[at, 1])
    template, score = among.templates[int(which)], float(scores[at, which])
    one = mark_at(rgb, padded, place, template, score)
    if one.spread <= _SOFT:
        return template, one
    part = padded[place[0] : place[0] + 2 * REACH + 1, place[1] : place[1] + 2 * REACH + 1]
    core = replace(template, strokes=template.strokes & (part >= one.level + one.spread / 2))
    if not all(len(along) for _, _, _, along in _strokes_of_arms(core)):
        return template, one
    return core, mark_at(rgb, padded, place, core, score)


def _lit_alike(padded: Channel, mark: Mark, template: Template) -> Places:
    """Rows and columns from which all arms' ends and middles are as bright as the mark, and one arm at most goes on.

    A line that ends at a mark leads one arm on. Where two lines cross, both go on to both sides.
    """
    most = min(_SAME_PIXEL, _SPREADS * mark.spread + 1)
    differences = padded.astype(np.int16) - round(mark.level)
    alike = np.abs(differences) <= most
    size = padded.shape[0] - 2 * REACH, padded.shape[1] - 2 * REACH
    lit = np.ones(size, np.bool_)
    going_on = np.zeros(size, np.uint8)

    def at(row: int, col: int) -> NDArray[np.bool_]:
        return alike[REACH + row : REACH + row + size[0], REACH + col : REACH + col + size[1]]

    def difference(row: int, col: int) -> NDArray[np.int16]:
        return differences[REACH + row : REACH + row + size[0], REACH + col : REACH + col + size[1]]

    for (down, right), end, middle in _arms(template):
        lit &= at(*end) & at(*middle)
        beyond = [(end[0] + far * down, end[1] + far * right) for far in _BEYOND]
        inside = [each for each in beyond if max(map(abs, each)) <= REACH]
        mean = np.mean([difference(*each) for each in inside], axis=0, dtype=np.float32)
        going_on += np.logical_and.reduce([at(*each) for each in inside]) & (np.abs(mean) <= _SAME_BEYOND)
    lit &= going_on <= 1
    lit[:EDGE_PX] = lit[-EDGE_PX:] = False
    lit[:, :EDGE_PX] = lit[:, -EDGE_PX:] = False
    rows, cols = np.nonzero(lit)
    return rows, cols


def _arms(template: Template) -> Iterator[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]]:
    """Of each arm where it leads, and its last and its middle pixel, (rows, columns) from the template's middle."""
    for to, rows, cols, along in _strokes_of_arms(template):
        across = np.abs((rows - template.point[0]) * to[1] - (cols - template.point[1]) * to[0])
        end = int(np.argmax(along - across / 100))
        middle = int(np.argmin(np.abs(along - along[end] / 2) + across / 100))
        yield to, (int(rows[end]), int(cols[end])), (int(rows[middle]), int(cols[middle]))


def _strokes_of_arms(
    template: Template,
) -> Iterator[tuple[tuple[int, int], NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]]:
    """Of each arm where it leads, its pixels' rows and columns from the template's middle, and how far out they are."""
    rows, cols = (each - REACH for each in np.nonzero(template.strokes))
    down, right = rows - template.point[0], cols - template.point[1]
    for to in ARMS[template.shape]:
        along = down * to[0] + right * to[1]
        own = along > np.abs(down * to[1] - right * to[0])
        yield to, rows[own], cols[own], along[own]


def _drawn_as(mark: Mark, other: Mark) -> bool:
    """Whether both are of one brightness, and the other among echoes: signs and letters around are as bright."""
    if other.dark >= MOST_DARK:
        return False
    differ, spread = abs(mark.level - other.level), other.spread
    if max(differ, spread, mark.spread) < _EXACT:
        return True
    least = LEAST_ALIKE_SCORE if differ <= ALIKE_LEVEL else LEAST_EVEN_SCORE
    return other.score >= least and differ <= SAME_LEVEL and spread <= mark.spread + MORE_SPREAD


def _apart(place: tuple[int, int], mark: Mark) -> bool:
    return float(np.hypot(place[0] - mark.row, place[1] - mark.col)) >= APART_PX
