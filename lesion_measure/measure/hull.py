"""The convex hull of points in a plane. scipy.spatial has one too; to load it costs a run more than all its hulls."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_DIRECTIONS = np.linspace(0, 2 * np.pi, 32, endpoint=False)
_FEW = 64
"""So many points are not thinned out first."""
_EXACT = 1 << 24


def hull_corners(points: ArrayLike) -> NDArray[np.intp]:
    """Numbers of the points (n, 2) at the corners of their convex hull, turning from the first axis to the second.

    What lies on a side between two corners is none. Points that lie on one line have two corners, equal ones have one.
    By monotone chains (Andrew 1979, Inf Process Lett 9:216).
    """
    places = np.asarray(points, dtype=np.float64)
    exact = _is_exact(places)
    numbers = np.arange(len(places)) if exact else _outer(places)
    order = numbers[np.lexsort(places[numbers].T[::-1])]
    there, back = (_corners(places, one, thin=exact) for one in (order, order[::-1]))
    return np.concatenate([there[:-1], back[:-1]]) if len(there) > 1 else there


def _outer(places: NDArray[np.float64]) -> NDArray[np.intp]:
    """The points that can be corners: those not inside of the polygon between the extreme ones of some directions."""
    if len(places) <= _FEW:
        return np.arange(len(places))
    extreme = (places @ np.stack([np.cos(_DIRECTIONS), np.sin(_DIRECTIONS)])).argmax(axis=0)
    start = places[extreme]
    along, away = np.roll(start, -1, axis=0) - start, places[:, None] - start
    # the tolerance keeps what rounding might put inside
    reach = 1e-9 * np.ptp(places, axis=0).max() * np.abs(along).sum(axis=1)
    inside = (along[:, 0] * away[..., 1] - along[:, 1] * away[..., 0] > reach) | ~along.any(axis=1)
    outer = ~inside.all(axis=1)
    outer[extreme[0]] = True  # where all points are equal they lie inside of each other
    return np.flatnonzero(outer)


def _is_exact(places: NDArray[np.float64]) -> bool:
    """Whether all are multiples of a half, and no larger than pixels: then no product of two differences is rounded."""
    twice = 2 * places
    return bool((twice == np.rint(twice)).all() and np.abs(twice).max(initial=0) < _EXACT)


def _corners(places: NDArray[np.float64], order: NDArray[np.intp], *, thin: bool) -> NDArray[np.intp]:
    """Numbers of the corners on one side of points that are sorted, the first and the last included."""
    if thin:
        order = _thinned(places, order)
    rows, cols = places[order].T.tolist()
    return np.asarray(order[np.array(_chain(rows, cols), dtype=np.intp)])


def _thinned(places: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Without points between or inside of their neighbours, which are no corners: many at once, while that pays."""
    kept = np.ones(len(order), dtype=np.bool_)
    kept[1:] = (places[order[1:]] != places[order[:-1]]).any(axis=1)  # of equal points the first
    order, dropped = order[kept], len(order)
    while len(order) > _FEW and dropped > len(order) // 16:
        rows, cols = places[order].T
        kept = np.ones(len(order), dtype=np.bool_)
        kept[1:-1] = (rows[1:-1] - rows[:-2]) * (cols[2:] - cols[:-2]) > (cols[1:-1] - cols[:-2]) * (
            rows[2:] - rows[:-2]
        )
        order, dropped = order[kept], len(order) - int(np.count_nonzero(kept))
    return order


def _chain(rows: list[float], cols: list[float]) -> list[int]:
    """Places of the corners on one side of points that are sorted, the first and the last included.

    The loop of it is what a hull costs; it calls nothing that it can do without.
    """
    chain: list[int] = []
    # the last two corners, and where the way from one to the other leads
    row, col, row_before, col_before = 0.0, 0.0, 0.0, 0.0
    for place in range(len(rows)):
        row_next, col_next = rows[place], cols[place]
        if chain and row_next == row and col_next == col:
            continue
        while len(chain) > 1 and (row - row_before) * (col_next - col_before) <= (col - col_before) * (
            row_next - row_before
        ):
            chain.pop()
            row, col = row_before, col_before
            if len(chain) > 1:
                row_before, col_before = rows[chain[-2]], cols[chain[-2]]
        chain.append(place)
        row_before, col_before, row, col = row, col, row_next, col_next
    return chain
