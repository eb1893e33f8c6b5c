"""Strokes and shapes on one layer of a screen, blended over the picture in a colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Coverage = NDArray[np.float32]
Colour = tuple[int, int, int]
Place = tuple[float, float]
"""(row, column), pixel centres at integers."""


class Layer:
    """Coverage (rows, columns), 0 to 1, of what is drawn in one colour.

    Parameters
    ----------
    shape
        Rows and columns of the screen.
    smooth
        Whether edges are anti-aliased; else pixels are on or off.
    """

    def __init__(self, shape: tuple[int, int], smooth: bool) -> None:
        self.coverage: Coverage = np.zeros(shape, np.float32)
        self._smooth = smooth

    def line(self, start: Place, end: Place, width: float) -> None:
        """A straight stroke."""
        box, rows, cols = self._near((start, end), width)
        (r0, c0), (r1, c1) = start, end
        length2 = max((r1 - r0) ** 2 + (c1 - c0) ** 2, 1e-9)
        along = np.clip(((rows - r0) * (r1 - r0) + (cols - c0) * (c1 - c0)) / length2, 0, 1)
        distance = np.hypot(rows - r0 - along * (r1 - r0), cols - c0 - along * (c1 - c0))
        self._add(box, distance, width / 2)

    def bar(self, start: Place, end: Place, width: int) -> None:
        """A stroke along a row or a column with square ends: every pixel within half the width, both ends included."""
        rows, cols = sorted((start[0], end[0])), sorted((start[1], end[1]))
        half = (width - 1) / 2
        upright = cols[0] == cols[1]
        r0, r1 = (rows[0], rows[1]) if upright else (rows[0] - half, rows[1] + half)
        c0, c1 = (cols[0] - half, cols[1] + half) if upright else (cols[0], cols[1])
        box, y, x = self._near(((r0, c0), (r1, c1)), 2)
        outside = np.maximum(np.maximum(r0 - y, y - r1), np.maximum(c0 - x, x - c1))
        self._add(box, outside, 0.0 if not self._smooth else 0.01)

    def disc(self, centre: Place, radius: float) -> None:
        """A filled disc."""
        box, rows, cols = self._near((centre,), 2 * radius)
        self._add(box, np.hypot(rows - centre[0], cols - centre[1]), radius)

    def polygon(self, corners: Sequence[Place]) -> None:
        """A filled convex polygon, corners in either direction."""
        box, rows, cols = self._near(corners, 2)
        middle = np.mean(np.asarray(corners, float), axis=0)
        outside = np.full(rows.shape, -np.inf)
        for (r0, c0), (r1, c1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            normal = np.array([-(c1 - c0), r1 - r0]) / max(np.hypot(r1 - r0, c1 - c0), 1e-9)
            normal *= -np.sign(normal @ (middle - (r0, c0))) or 1.0
            outside = np.maximum(outside, (rows - r0) * normal[0] + (cols - c0) * normal[1])
        self._add(box, outside, 0.0)

    def stamp(self, coverage: Coverage, top: int, left: int) -> None:
        """A picture of coverage, such as a text, at a place; what reaches over the edge is cut off."""
        rows, cols = self.coverage.shape
        r0, c0 = max(top, 0), max(left, 0)
        r1, c1 = min(top + coverage.shape[0], rows), min(left + coverage.shape[1], cols)
        if r0 < r1 and c0 < c1:
            part = self.coverage[r0:r1, c0:c1]
            np.maximum(part, coverage[r0 - top : r1 - top, c0 - left : c1 - left], out=part)

    def clear_around(self, other: Layer, margin: int) -> None:
        """Take away what lies in the rectangle around another layer's drawing."""
        rows, cols = (np.nonzero(other.coverage.any(axis=axis))[0] for axis in (1, 0))
        if len(rows):
            box = slice(max(rows[0] - margin, 0), rows[-1] + margin), slice(max(cols[0] - margin, 0), cols[-1] + margin)
            self.coverage[box] = 0

    def over(self, picture: NDArray[np.float32], colour: Colour, outline: bool = False, shadow: bool = False) -> None:
        """Blend the layer over an RGB picture (rows, columns, 3) in place, on a black outline or a dark shadow."""
        if outline:
            _blend(picture, ndimage.maximum_filter(self.coverage, 3), (0, 0, 0))
        if shadow:
            moved = np.zeros_like(self.coverage)
            moved[2:, 2:] = self.coverage[:-2, :-2]
            _blend(picture, moved, (12, 20, 30))
        _blend(picture, self.coverage, colour)

    def _near(
        self, places: Sequence[Place], width: float
    ) -> tuple[tuple[slice, slice], NDArray[np.float64], NDArray[np.float64]]:
        margin = int(np.ceil(width / 2 + 2))
        rows, cols = [p[0] for p in places], [p[1] for p in places]
        shape = self.coverage.shape
        r0, r1 = max(int(min(rows)) - margin, 0), min(int(max(rows)) + margin + 1, shape[0])
        c0, c1 = max(int(min(cols)) - margin, 0), min(int(max(cols)) + margin + 1, shape[1])
        y, x = np.mgrid[r0 : max(r0, r1), c0 : max(c0, c1)].astype(float)
        return (slice(r0, max(r0, r1)), slice(c0, max(c0, c1))), y, x

    def _add(self, box: tuple[slice, slice], distance: NDArray[np.float64], half: float) -> None:
        covered = np.clip(half + 0.5 - distance, 0, 1) if self._smooth else (distance <= max(half, 0.5)).astype(float)
        part = self.coverage[box]
        np.maximum(part, covered.astype(np.float32), out=part)


def _blend(picture: NDArray[np.float32], coverage: Coverage, colour: Colour) -> None:
    rows, cols = np.nonzero(coverage)
    share = coverage[rows, cols][:, None]
    picture[rows, cols] = (1 - share) * picture[rows, cols] + share * np.asarray(colour, np.float32)
