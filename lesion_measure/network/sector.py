"""The insonated sector of a picture, from its pixels: what the probe saw, without the screen around it."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from lesion_measure.measure.hull import hull_corners

Bools = NDArray[np.bool_]

COARSE_SIDE = 192
GAP = 6
"""Coarse pixels of darkness that tissue may have between its bright parts and still be one."""
LEAST_SHARE = 0.05
"""Least share of a picture that its sector covers; what is smaller is none, and the whole picture is kept."""


def insonated_sector(scaled: NDArray[np.float32], black_level: float) -> Bools:
    """The sector (rows, columns) of an image in 0..1: the convex hull of its largest connected bright part.

    Fans and rectangles are convex but for the probe's face, where nothing is; dark tissue inside, shadows and the dim
    far field stay in. Words and scales that lie apart from it are left out. Where no part is large enough the whole
    picture is its sector.
    """
    step = max(1, round(max(scaled.shape) / COARSE_SIDE))
    coarse = _blocks(scaled, step) > black_level / 2
    coarse = _grown(_shrunk(coarse, 1), 1)
    coarse = _shrunk(_grown(np.pad(coarse, GAP), GAP), GAP)[GAP:-GAP, GAP:-GAP]
    parts, count = scipy.ndimage.label(coarse)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    if not count or sizes.max() < LEAST_SHARE * coarse.size:
        return np.ones(scaled.shape, dtype=bool)
    whole = _hull(parts == int(sizes.argmax()) + 1)
    return np.repeat(np.repeat(whole, step, axis=1), step, axis=0)[: scaled.shape[0], : scaled.shape[1]]


def _blocks(scaled: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """The mean of each square of ``step`` pixels; squares at the lower and right edge reach beyond it, into black."""
    rows, cols = (-(-side // step) for side in scaled.shape)
    lines = np.zeros((rows, cols * step), dtype=np.float32)
    blocks = np.zeros((rows, cols), dtype=np.float32)
    for first in range(step):  # line by line, which makes no copy of the picture
        some = scaled[first::step]
        lines[: len(some), : scaled.shape[1]] += some
    for first in range(step):
        blocks += lines[:, first::step]
    return np.asarray(blocks / step / step, dtype=np.float32)


def _grown(mask: Bools, by: int) -> Bools:
    """A mask (rows, columns) and all cells at most so many steps up, down or aside of it."""
    return _joined(mask, by, np.logical_or)


def _shrunk(mask: Bools, by: int) -> Bools:
    """The cells of a mask with nothing beside it at most so many steps away; beyond the rim is nothing."""
    return _joined(mask, by, np.logical_and)


def _joined(mask: Bools, times: int, join: np.ufunc) -> Bools:
    """Each cell joined with its four neighbours, so many times, with False beyond the rim: as scipy.ndimage's, faster.

    The rows lie behind each other with a cell between two, so that one shift of all moves each of them.
    """
    rows, cols = mask.shape
    wide = np.zeros((rows + 2, cols + 1), dtype=np.bool_)
    wide[1:-1, :-1] = mask
    for _ in range(times):
        before, wide = wide.ravel(), wide.copy()
        after = wide.ravel()
        for step in (1, cols + 1):
            join(after[step:], before[:-step], out=after[step:])
            join(after[:-step], before[step:], out=after[:-step])
        wide[0] = wide[-1] = wide[:, -1] = False
    return wide[1:-1, :-1]


def _hull(part: Bools) -> Bools:
    """The convex hull of a part, half a pixel wider."""
    rows = np.flatnonzero(part.any(axis=1))
    first, last = part[rows].argmax(axis=1), part.shape[1] - 1 - part[rows, ::-1].argmax(axis=1)
    ends = np.stack([rows.repeat(2), np.stack([first, last], axis=1).ravel()], axis=1)
    corners = ends[hull_corners(ends)]
    if len(corners) < 3:
        return part
    (top, left), (bottom, right) = corners.T, np.roll(corners, -1, axis=0).T
    outwards = np.stack([right - left, top - bottom]) / np.hypot(bottom - top, right - left)
    down = outwards[0] * (np.arange(part.shape[0])[:, None] - top)
    across = outwards[1] * (np.arange(part.shape[1])[:, None] - left)
    return _within(down, across)


def _within(down: NDArray[np.float64], across: NDArray[np.float64]) -> Bools:
    """Cells (rows, columns) where ``down`` (rows, n) and ``across`` (columns, n) come to 0.5 or less for all n lines.

    ``across`` goes up or down steadily, so that in each row a line leaves one stretch of columns.
    """
    rows, cols, lines = len(down), len(across), np.arange(down.shape[1])
    rising = across[-1] >= across[0]
    steady = np.where(rising, across, across[::-1])  # with the columns counted from the other end where it falls
    step = steady[1] - steady[0] if cols > 1 else np.zeros(len(lines))
    with np.errstate(divide="ignore", invalid="ignore"):
        guess = np.floor((0.5 - down - steady[0]) / step) + 1
    guess = np.where(step > 0, guess, np.where(down + steady[0] <= 0.5, cols, 0))
    count = np.clip(guess, 0, cols).astype(np.intp)  # rounding may put it beside the truth by one
    count -= (count > 0) & (down + steady[np.maximum(count - 1, 0), lines] > 0.5)
    count += (count < cols) & (down + steady[np.minimum(count, cols - 1), lines] <= 0.5)
    first = np.where(rising, 0, cols - count).max(axis=1)
    last = np.where(rising, count, cols).min(axis=1)
    column = np.arange(cols)
    return np.asarray((column >= first[:, None]) & (column < last[:, None])).reshape(rows, cols)
