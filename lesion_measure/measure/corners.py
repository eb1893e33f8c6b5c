"""Corners of an outline: finding them between straight sides, and keeping them as vertices.

Every smooth outline cuts a corner, by 0.3 pixels at a right angle even where the pixels are exact. Where two straight
sides meet, the corner that they point at is tried as a vertex of its own; whether it stays is for the pixels to say,
which is the caller's part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.measure import geometry

Floats = NDArray[np.float64]

LEAST_TURN_DEG = 45.0
MOST_TURN_DEG = 150.0
_WALK_PX = 0.5


@dataclass(frozen=True, slots=True)
class Corner:
    """Where two straight sides meet: the point, and its place along the outline (in pixels from the first vertex)."""

    point: Floats
    along: float


def find_corners(outline: Floats, *, gap_px: float, arm_px: float, bow_px: float) -> list[Corner]:
    """Places where the outline turns sharply between two straight sides.

    Parameters
    ----------
    outline
        (n, 2) polygon of positive area.
    gap_px
        Length on either side of the corner that is left out, because smoothing has rounded it.
    arm_px
        Length of side beyond the gap that must be straight.
    bow_px
        Root mean square by which a straight side may deviate from its line.
    """
    walk = geometry.resampled(outline, _WALK_PX)
    step = float(np.mean(geometry.edge_lengths(walk)))
    gap, arm = round(gap_px / step), round(arm_px / step)
    if len(walk) < 4 * (gap + arm):
        return []
    ahead = np.roll(walk, -(gap + arm), axis=0) - np.roll(walk, -gap, axis=0)
    behind = np.roll(walk, gap, axis=0) - np.roll(walk, gap + arm, axis=0)
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    turn = np.abs(np.degrees(np.arctan2(cross, np.sum(behind * ahead, axis=1))))
    sharpest = np.max([np.roll(turn, k) for k in range(-gap, gap + 1)], axis=0)
    found: list[tuple[float, Corner]] = []
    for i in np.flatnonzero((turn >= sharpest) & (turn >= LEAST_TURN_DEG) & (turn <= MOST_TURN_DEG)):
        sides = [walk[(i + sign * (gap + np.arange(arm + 1))) % len(walk)] for sign in (1, -1)]
        point = _meeting_point(sides[0], sides[1], bow_px)
        if point is None:
            continue
        miss = float(np.hypot(*(point - walk[i])))
        if miss <= gap_px * 1.5:
            found.append((miss, Corner(point, float(i * step))))
    return _distinct(found, 2 * gap_px + _WALK_PX, len(walk) * step)


def _distinct(found: list[tuple[float, Corner]], apart_px: float, total_px: float) -> list[Corner]:
    """One rounded corner is found several times: of candidates close together the one nearest the outline stays."""
    kept: list[Corner] = []
    for _, corner in sorted(found, key=lambda item: item[0]):
        gaps = [abs(corner.along - other.along) for other in kept]
        if all(min(gap, total_px - gap) >= apart_px for gap in gaps):
            kept.append(corner)
    return sorted(kept, key=lambda corner: corner.along)


def _meeting_point(one: Floats, other: Floats, bow_px: float) -> Floats | None:
    """Where the lines through two sides cross; None where a side is not straight."""
    centres, directions = [], []
    for side in (one, other):
        centre = side.mean(axis=0)
        _, spread, axes = np.linalg.svd(side - centre, full_matrices=False)
        if spread[1] > bow_px * np.sqrt(len(side)):
            return None
        centres.append(centre)
        directions.append(axes[0])
    crossing = np.column_stack([directions[0], -directions[1]])
    if abs(np.linalg.det(crossing)) < 0.3:
        return None
    return np.asarray(centres[0] + directions[0] * np.linalg.solve(crossing, centres[1] - centres[0])[0])


def with_corners(outline: Floats, corners: list[Corner], *, gap_px: float, step_px: float) -> tuple[Floats, list[int]]:
    """The outline with each rounded corner replaced by its point, walked in steps of about ``step_px``.

    Returns the polygon and the indices of its corner vertices, in the order of ``corners``.
    """
    closed = np.vstack([outline, outline[:1]])
    at = np.concatenate([[0.0], np.cumsum(geometry.edge_lengths(outline))])
    total = at[-1]
    parts: list[Floats] = []
    indices: list[int] = []
    for k, corner in enumerate(corners):
        following = corners[(k + 1) % len(corners)]
        begin, end = corner.along + gap_px, following.along - gap_px
        if k == len(corners) - 1:
            end += total
        where = np.linspace(begin, max(begin, end), max(2, round((end - begin) / step_px) + 1)) % total
        side = np.column_stack([np.interp(where, at, closed[:, axis]) for axis in (0, 1)])
        path = np.vstack([corner.point, side, following.point])
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
        count = max(2, round(along[-1] / step_px))
        even = np.arange(count) * (along[-1] / count)
        indices.append(sum(len(part) for part in parts))
        parts.append(np.column_stack([np.interp(even, along, path[:, axis]) for axis in (0, 1)]))
    return np.vstack(parts), indices
