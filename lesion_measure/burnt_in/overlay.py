"""One channel in which whatever a scanner draws over its echoes is bright, in any colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Channel = NDArray[np.uint8]

LEAST_CHROMA = 14
"""Difference of the greatest and the least of R, G and B up to which a pixel is gray: compression adds chroma."""
MORE_THAN_TINT = 0.05
"""Chroma beyond that of the echoes' own tint, as a share of brightness, from which a pixel is coloured."""
_LIT = 40
_STEP = 4


def overlay_channel(rgb: NDArray[np.uint8]) -> Channel:
    """Brightness of a frame (rows, columns, 3), uint8 (rows, columns), with colours beyond the echoes' tint raised.

    White marks keep their brightness, max(R, G, B). Coloured ones gain by their chroma, so that a dark green mark on
    gray echoes of the same brightness stands out. Colour Doppler does so, too; its patches have no mark's shape.
    """
    red, green, blue = (np.ascontiguousarray(rgb[..., index]) for index in range(3))
    bright = np.maximum(np.maximum(red, green), blue)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return bright
    chroma = bright - np.minimum(np.minimum(red, green), blue)
    usual = np.clip(LEAST_CHROMA + (_tint(bright, chroma) + MORE_THAN_TINT) * np.arange(256), 0, 255).astype(np.uint8)
    limit = usual[bright]
    excess = np.where(chroma > limit, chroma - limit, 0).astype(np.uint16)
    return np.minimum(bright + excess, 255).astype(np.uint8)


def _tint(bright: Channel, chroma: Channel) -> float:
    """The median chroma of lit pixels as a share of their brightness."""
    some, theirs = bright[::_STEP, ::_STEP], chroma[::_STEP, ::_STEP]
    lit = some > _LIT
    return float(np.median(theirs[lit] / some[lit])) if lit.any() else 0.0
