"""Contours of a map at a level, by marching squares (Lorensen & Cline 1987, Comput Graph 21:163).

They are those of scikit-image's ``find_contours``, number for number, which a test compares. That one links its points
one by one, as Python objects, and to load it takes longer than all contours of a small run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_TOP, _LEFT, _BOTTOM, _RIGHT = range(4)
_STEPS = {
    1: [(_TOP, _LEFT)], 2: [(_RIGHT, _TOP)], 3: [(_RIGHT, _LEFT)], 4: [(_LEFT, _BOTTOM)], 5: [(_TOP, _BOTTOM)],
    6: [(_RIGHT, _TOP), (_LEFT, _BOTTOM)], 7: [(_RIGHT, _BOTTOM)], 8: [(_BOTTOM, _RIGHT)],
    9: [(_TOP, _LEFT), (_BOTTOM, _RIGHT)], 10: [(_BOTTOM, _TOP)], 11: [(_BOTTOM, _LEFT)], 12: [(_LEFT, _RIGHT)],
    13: [(_TOP, _RIGHT)], 14: [(_LEFT, _TOP)],
}  # fmt: skip
"""How a contour goes through a square of four pixels, from side to side, by which of them are high: 1 upper left, 2
upper right, 4 lower left, 8 lower right. Two high ones at opposite corners are apart."""


def _table(place: int, end: int) -> NDArray[np.int8]:
    """The side at which the first or second step through a square begins (0) or ends (1); -1 where there is none."""
    steps = [_STEPS.get(case, []) for case in range(16)]
    return np.array([each[place][end] if len(each) > place else -1 for each in steps], dtype=np.int8)


_FROM, _TO = (np.stack([_table(0, end), _table(1, end)]) for end in (0, 1))


def contours(values: NDArray[np.floating], level: float) -> list[Floats]:
    """The contours (n, 2) of a map (rows, columns) at a level, between high values and low ones.

    High values lie to the right of the way that a contour takes. One that is closed ends where it begins; one that
    meets the map's edge is open. They come in the order of their uppermost, then leftmost square.

    Parameters
    ----------
    values
        Finite numbers, two rows and two columns at least.
    level
        Between low and high.
    """
    high = (values > level).view(np.uint8)
    case = high[:-1, :-1] | high[:-1, 1:] << 1 | high[1:, :-1] << 2 | high[1:, 1:] << 3
    squares = np.flatnonzero((case > 0) & (case < 15))
    kinds = case.ravel()[squares]
    second = np.flatnonzero((kinds == 6) | (kinds == 9))
    # each square's own step, and after it the second one where there are two
    order = np.argsort(np.concatenate([np.arange(len(squares)), second]), kind="stable")
    which = np.concatenate([np.arange(len(squares)), second])[order]
    place = (order >= len(squares)).astype(np.intp)
    kinds, squares = kinds[which], squares[which]
    width = values.shape[1]
    corners = squares // (width - 1) * width + squares % (width - 1)
    begins, ends = (_sides(corners, table[place, kinds], width) for table in (_FROM, _TO))
    points = _points(begins, values, level)
    if (points == np.floor(points)).all(axis=1).any():
        return _by_scikit(values, level)
    return [points[way] if closed else np.vstack([points[way], _points(ends[way[-1:]], values, level)])
            for way, closed in _ways(begins, ends, 2 * values.size)]  # fmt: skip


def _sides(corners: Indices, sides: NDArray[np.int8], width: int) -> Indices:
    """Numbers of the lines between neighbouring pixels: twice the first pixel's, one more where the other is below."""
    pixel = corners + np.array([0, 0, width, 1])[sides]
    return np.asarray(2 * pixel + ((sides == _LEFT) | (sides == _RIGHT)), dtype=np.intp)


def _points(lines: Indices, values: NDArray[np.floating], level: float) -> Floats:
    """Where contours cross lines between neighbouring pixels, (n, 2), by linear interpolation."""
    pixel, down = np.divmod(lines, 2)
    flat, width = values.ravel(), values.shape[1]
    one, two = (flat[each].astype(np.float64) for each in (pixel, pixel + np.where(down, width, 1)))
    share = (level - one) / (two - one)
    points = np.stack(np.divmod(pixel, width), axis=1).astype(np.float64)
    points[np.arange(len(lines)), 1 - down] += share
    return points


def _ways(begins: Indices, ends: Indices, lines: int) -> list[tuple[Indices, bool]]:
    """The steps of each contour in their order, and whether it is closed; a closed one's first step comes again."""
    number = np.full(lines, -1, dtype=np.intp)
    number[begins] = np.arange(len(begins))
    following = number[ends]
    first = np.ones(len(begins), dtype=np.bool_)
    first[following[following >= 0]] = False
    follow, left = following.tolist(), [True] * len(begins)
    ways = []
    for start in np.flatnonzero(first).tolist():  # open ones
        ways.append((_way(start, follow, left), False))
    for start in range(len(follow)):
        if left[start]:
            way = _way(start, follow, left)
            # the last of its squares closes it, and so its beginning follows upon that one
            turn = int(way.argmax()) + 1
            ways.append((np.concatenate([way[turn:], way[:turn], way[turn % len(way)][None]]), True))
    return sorted(ways, key=lambda way: int(way[0].min()))


def _way(start: int, follow: list[int], left: list[bool]) -> Indices:
    way = []
    step = start
    while step >= 0 and left[step]:
        left[step] = False
        way.append(step)
        step = follow[step]
    return np.array(way, dtype=np.intp)


def _by_scikit(values: NDArray[np.floating], level: float) -> list[Floats]:
    """The same where a contour goes through a pixel's very middle, so that several may meet in it."""
    from skimage.measure import find_contours

    return [np.asarray(contour, dtype=np.float64) for contour in find_contours(values, level)]
