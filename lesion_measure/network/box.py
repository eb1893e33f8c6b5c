"""A box around a lesion as a prompt: its middle lines stand for the two calipers that the network knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lesion_measure.network.window import CaliperLine

Box = tuple[float, float, float, float]
"""Top, left, bottom, right: the place of the sides, half a pixel outside of the centres of the outermost pixels."""


def lesion_box(mask: NDArray[np.bool_]) -> Box:
    """The box around a mask that is not empty."""
    rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return float(rows[0]) - 0.5, float(cols[0]) - 0.5, float(rows[-1]) + 0.5, float(cols[-1]) + 0.5


def moved_box(box: Box, share: float, rng: np.random.Generator) -> Box:
    """The box with each side moved by a normal distance whose SD is ``share`` of the side that it shifts along."""
    height, width = box[2] - box[0], box[3] - box[1]
    moves = rng.normal(0, share, 4) * np.array([height, width, height, width])
    return box[0] + float(moves[0]), box[1] + float(moves[1]), box[2] + float(moves[2]), box[3] + float(moves[3])


def box_lines(box: Box) -> list[CaliperLine]:
    """The middle lines of a box, the longer first."""
    top, left, bottom, right = box
    row, col = (top + bottom) / 2, (left + right) / 2
    down, across = ((top, col), (bottom, col)), ((row, left), (row, right))
    return [down, across] if bottom - top >= right - left else [across, down]
