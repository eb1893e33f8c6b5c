"""The convex hull of points in a plane. scipy.spatial has one too; to load it costs a run more than all its hulls."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_DIRECTIONS = np.linspace(0, 2 * np.pi, 32, endpoint=False)
_FEW = 64
"""So many points are not thinned out first."""


def hull_corners(points: ArrayLike) -> NDArray[np.intp]:
    """Numbers of the points (n, 2) at the corners of their convex hull, turning from the first axis to the second.

    What lies on a side between two corners is none. Points that lie on one line have two corners, equal ones have one.
    By monotone chains (Andrew 1979, Inf Process Lett 9:216).
    """
    places = np.asarray(points, dtype=np.float64)
    numbers = _outer(places)
    order = numbers[np.lexsort(places[numbers].T[::-1])]
    walk = [(float(row), float(col), int(number)) for (row, col), number in zip(places[order], order, strict=True)]
    there, back = _chain(walk), _chain(walk[::-1])
    corners = there[:-1] + back[:-1] or there[:1]
    return np.array([number for _, _, number in corners], dtype=np.intp)


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
    return np.flatnonzero(~inside.all(axis=1))


def _chain(walk: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """The corners on one side of points that are sorted, the first and the last included."""
    chain: list[tuple[float, float, int]] = []
    for point in walk:
        row, col, _ = point
        if chain and (row, col) == chain[-1][:2]:
            continue
        while len(chain) > 1:
            (first_row, first_col, _), (last_row, last_col, _) = chain[-2:]
            turn = (last_row - first_row) * (col - first_col) - (last_col - first_col) * (row - first_row)
            if turn > 0:
                break
            chain.pop()
        chain.append(point)
    return chain
