"""Pictures stretched and smoothly bent: where each of their pixels is sampled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

KNOTS = 6
"""Knots of a displacement along each side; the outermost lie outside of the picture."""

Matrix = NDArray[np.float64]


def stretching(turn: float, stretch: float) -> Matrix:
    """Sampling ``matrix @ point`` squeezes a picture by ``stretch`` along the direction at ``turn`` from the rows.

    Across that direction the picture grows by as much, so areas stay.
    """
    along = np.array([math.cos(turn), math.sin(turn)])
    across = np.array([-along[1], along[0]])
    return stretch * np.outer(along, along) + np.outer(across, across) / stretch


def bent(shape: tuple[int, int], matrix: Matrix, sd: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Places (2, rows, columns) to sample at: stretched around the middle, then moved smoothly by ``sd`` pixels.

    Parameters
    ----------
    shape
        Rows and columns of the picture.
    matrix
        The stretch (2, 2), of `stretching`.
    sd
        SD of the displacement at its knots, in pixels.
    rng
        Where the displacement comes from.
    """
    rows, cols = shape
    middle = np.array([(rows - 1) / 2, (cols - 1) / 2])
    grid = np.mgrid[:rows, :cols].reshape(2, -1).astype(np.float64)
    points = (matrix @ (grid - middle[:, None]) + middle[:, None]).reshape(2, rows, cols)
    inner = (0.5, KNOTS - 1.5)
    for axis in range(2):
        knots = rng.normal(0, sd, (KNOTS, KNOTS))
        place = np.meshgrid(np.linspace(*inner, rows), np.linspace(*inner, cols), indexing="ij")
        points[axis] += ndimage.map_coordinates(knots, place, order=3, mode="nearest")
    return np.asarray(points)
