"""Where on an image a network's answer can reach a level: only there is it brought onto the image's own pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lesion_measure.network.window import Window

Floats = NDArray[np.float32]
Box = tuple[slice, slice]

_OVERSHOOT = 0.4454
"""Sum of the negative weights of cubic convolution in two dimensions, where it is largest: half-way between pixels each
way they are 3/16 a dimension, 2 (3/16) (19/16) in both."""
_ROUNDING = 1e-3
"""What float32 may do to a logit on its way."""


def reaching(logits: Floats, window: Window, shape: tuple[int, int], level: float, rim: int) -> Box:
    """Rows and columns of an image that hold all places where `to_native` can exceed a level, and a rim around them.

    Between four by four logits cubic convolution stays below the greatest of them, or above it by no more than a share
    of their range.

    Parameters
    ----------
    logits
        (size, size), within the network's limit.
    window, shape
        As for `to_native`.
    level
        The probability.
    rim
        Pixels around these places, as far as the image goes.
    """
    box = window.bounds(shape)
    if window.scale >= 1 and 0 < level < 1:
        box = _cut(box, _reached(logits, window, math.log(level / (1 - level)) - _ROUNDING))
    rows, cols = (
        slice(max(side.start - rim, 0), min(side.stop + rim, length)) for side, length in zip(box, shape, strict=True)
    )
    return (rows, cols) if all(side.stop > side.start for side in box) else (slice(0, 0), slice(0, 0))


def _reached(logits: Floats, window: Window, least: float) -> Box:
    """Rows and columns that hold all places whose interpolated logit can exceed ``least``."""
    padded = np.pad(logits, 2, mode="edge")
    high, low = (_of_four(_of_four(padded, extreme).T, extreme).T for extreme in (np.maximum, np.minimum))
    down, across = np.nonzero(high + _OVERSHOOT * (high - low) > least)
    if not len(down):
        return slice(0, 0), slice(0, 0)
    matrix, offset = window.affine()
    # the square of the grid whose number is k begins at place k - 1
    corners = matrix @ np.stack([down - 1, across - 1]) + offset[:, None]
    first = np.floor(corners.min(axis=1) + np.minimum(matrix, 0).sum(axis=1))
    last = np.ceil(corners.max(axis=1) + np.maximum(matrix, 0).sum(axis=1))
    return slice(int(first[0]), int(last[0]) + 1), slice(int(first[1]), int(last[1]) + 1)


def _of_four(values: Floats, extreme: np.ufunc) -> Floats:
    """The greatest or the least of each four rows that follow one another."""
    two = extreme(values[:-1], values[1:])
    return np.asarray(extreme(two[:-2], two[2:]))


def _cut(one: Box, two: Box) -> Box:
    rows, cols = (slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, two, strict=True))
    return rows, cols
