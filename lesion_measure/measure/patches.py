"""Masks of a coarse picture: smoothed, opened by squares, taken apart into patches. Beyond the rim it goes on as there.

Bit for bit what scipy.ndimage gives (``mode="nearest"``, and labels by shared sides), which takes longer to load than
a hundred pictures take here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Cells = NDArray[np.float32]
Ints = NDArray[np.intp]


def smoothed(cells: Cells, side: int) -> Cells:
    """The mean over a square of an odd ``side`` around each cell (rows, columns)."""
    return _mean(_mean(cells, side, 0), side, 1)


def smoothed_rim(cells: Cells, side: int) -> Cells:
    """The same of the outermost cells alone, (n,): each once."""
    most = side // 2 + 1
    top, bottom = smoothed(cells[:most], side)[0], smoothed(cells[-most:], side)[-1]
    left, right = smoothed(cells[:, :most], side)[1:-1, 0], smoothed(cells[:, -most:], side)[1:-1, -1]
    return np.concatenate([top, bottom, left, right])


def eroded(mask: Bools, side: int) -> Bools:
    """Where all of the square of an odd ``side`` around a cell is True."""
    return _spread(mask, side, np.logical_and)


def opened(mask: Bools, side: int) -> Bools:
    """Without what is thinner than a square of an odd ``side``."""
    return _spread(eroded(mask, side), side, np.logical_or)


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """The parts of a mask that share sides, in the order of their first cells.

    A mask is made of runs: neighbours in a row, from ``starts`` to before ``ends`` in the flat mask of this ``shape``.
    ``owners`` (one a run) numbers the part that it belongs to, ``sizes`` (one a part) counts its cells.
    """

    shape: tuple[int, int]
    starts: Ints
    ends: Ints
    owners: Ints
    sizes: Ints

    @classmethod
    def of(cls, mask: Bools) -> Patches:
        """The parts of a mask (rows, columns)."""
        columns = mask.shape[1]
        # a column of background at each row's end keeps the runs of two rows apart
        flat = np.zeros(mask.shape[0] * (columns + 1) + 1, dtype=np.bool_)
        flat[1:].reshape(-1, columns + 1)[:, :-1] = mask
        edges = np.flatnonzero(flat[1:] != flat[:-1])
        starts, ends = edges[::2], edges[1::2]
        owners = _owners(starts, ends, columns + 1)
        rows = starts // (columns + 1)
        sizes = np.bincount(owners, weights=ends - starts).astype(np.intp)
        return cls((mask.shape[0], columns), starts - rows, ends - rows, owners, sizes)

    def some(self, wanted: Bools) -> Bools:
        """A mask of the parts that are wanted, one value a part."""
        runs = wanted[self.owners]
        edges = np.stack([self.starts[runs], self.ends[runs]], axis=1).ravel()
        lengths = np.diff(edges, prepend=0, append=self.shape[0] * self.shape[1])
        inside = np.arange(len(lengths)) % 2 == 1
        return np.asarray(inside.repeat(lengths).reshape(self.shape))

    def touching(self, mask: Bools) -> Bools:
        """Which parts have a cell in common with another mask of the same shape."""
        before = np.concatenate([[0], np.cumsum(mask.ravel())])
        touched = np.zeros(len(self.sizes), dtype=np.bool_)
        touched[self.owners[before[self.ends] > before[self.starts]]] = True
        return touched

    def extents(self) -> tuple[Ints, Ints]:
        """Rows and columns of the box around each part."""
        columns = self.shape[1]
        rows, first, last = self.starts // columns, self.starts % columns, (self.ends - 1) % columns
        low = np.full((2, len(self.sizes)), max(self.shape))
        high = np.full((2, len(self.sizes)), -1)
        for axis, (least, most) in enumerate(((rows, rows), (first, last))):
            np.minimum.at(low[axis], self.owners, least)
            np.maximum.at(high[axis], self.owners, most)
        height, width = high - low + 1
        return height, width


def _mean(cells: Cells, side: int, axis: int) -> Cells:
    """The mean of ``side`` neighbours along an axis: summed up in doubles, each result a float32."""
    length, padded = cells.shape[axis], _padded(cells, side // 2, axis, np.float64)
    total = _part(padded, 0, length, axis) + _part(padded, 1, length, axis)
    for begin in range(2, side):
        total += _part(padded, begin, length, axis)
    total /= side
    return np.asarray(total, dtype=np.float32)


def _spread(mask: Bools, side: int, join: np.ufunc) -> Bools:
    """``side`` neighbours joined along both axes, by windows that double as long as they fit."""
    for axis in (0, 1):
        length, joined, reach = mask.shape[axis], _padded(mask, side // 2, axis, np.bool_), 1
        while reach < side:
            step = min(reach, side - reach)
            kept = joined.shape[axis] - step
            joined, reach = join(_part(joined, 0, kept, axis), _part(joined, step, kept, axis)), reach + step
        mask = _part(joined, 0, length, axis)
    return mask


def _padded(cells: NDArray[Any], by: int, axis: int, kind: type[np.generic]) -> NDArray[Any]:
    """With the outermost cells ``by`` times more; np.pad takes longer than what is done with it."""
    rows, columns = cells.shape
    padded = np.empty((rows + 2 * by, columns) if axis == 0 else (rows, columns + 2 * by), dtype=kind)
    inner, outer = (padded, cells) if axis == 0 else (padded.T, cells.T)
    inner[by:-by], inner[:by], inner[-by:] = outer, outer[0], outer[-1]
    return padded


def _part(cells: NDArray[Any], begin: int, length: int, axis: int) -> NDArray[Any]:
    return cells[begin : begin + length] if axis == 0 else cells[:, begin : begin + length]


def _owners(starts: Ints, ends: Ints, columns: int) -> Ints:
    """Number of each run's part: runs of neighbouring rows that share a column belong together."""
    first = np.searchsorted(ends, starts - columns, side="right")
    last = np.searchsorted(starts, ends - columns, side="left")
    parent = _roots(np.where(last > first, first, np.arange(len(starts)))).tolist()

    def find(run: int) -> int:
        while parent[run] != run:
            run = parent[run]
        return run

    several = np.flatnonzero(last - first > 1)  # what comes together in these runs
    for run, low, high in zip(several.tolist(), first[several].tolist(), last[several].tolist(), strict=True):
        for above in range(low, high):
            one, two = find(above), find(run)
            parent[max(one, two)] = min(one, two)
    return np.unique(_roots(np.array(parent, dtype=np.intp)), return_inverse=True)[1]


def _roots(parent: Ints) -> Ints:
    """The last of each one's parents."""
    while (parent[parent] != parent).any():
        parent = parent[parent]
    return parent
