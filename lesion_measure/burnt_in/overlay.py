"""Channels in which whatever a scanner draws over its echoes is bright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Channel = NDArray[np.uint8]

LEAST_CHROMA = 14
"""Difference of the greatest and the least of R, G and B up to which a pixel is gray: compression adds chroma."""
MORE_THAN_TINT = 0.05
"""Chroma beyond that of the echoes' own tint, as a share of brightness, from which a pixel is coloured."""
_CLEARLY_COLOURED, _FEWEST, _MOST = 30, 20, 0.1
"""Chroma beyond the tint of what is drawn in colour, how many pixels have it at least, and which share at most."""
_STRETCHED = np.clip(3 * np.arange(256), 0, 255).astype(np.uint8)
"""Compression leaves a third of thin strokes' chroma."""
_LIT = 40
_STEP = 4


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What is drawn on a frame, both uint8 (rows, columns).

    ``bright`` has all of it: white marks keep their brightness, max(R, G, B), and coloured ones gain by their chroma,
    so that a dark green mark on gray echoes of the same brightness stands out. ``coloured`` has what is coloured, as
    bright as that but black where there is no colour, so that yellow marks are seen on the brightest echoes; None where
    nothing is, or so much that it is colour Doppler.
    """

    bright: Channel
    coloured: Channel | None


def overlay(rgb: NDArray[np.uint8]) -> Overlay:
    """The overlay of a frame (rows, columns, 3)."""
    red, green, blue = (np.ascontiguousarray(rgb[..., index]) for index in range(3))
    bright = np.maximum(np.maximum(red, green), blue)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return Overlay(bright, None)
    chroma = bright - np.minimum(np.minimum(red, green), blue)
    usual = np.clip(LEAST_CHROMA + (_tint(bright, chroma) + MORE_THAN_TINT) * np.arange(256), 0, 255).astype(np.uint8)
    limit = np.take(usual, bright)
    excess = np.maximum(chroma, limit) - limit
    clear = np.count_nonzero(excess > _CLEARLY_COLOURED)
    coloured = np.minimum(bright, np.take(_STRETCHED, excess)) if _FEWEST <= clear <= _MOST * bright.size else None
    return Overlay(bright + np.minimum(excess, 255 - bright), coloured)


def _tint(bright: Channel, chroma: Channel) -> float:
    """The median chroma of lit pixels as a share of their brightness."""
    some, theirs = bright[::_STEP, ::_STEP], chroma[::_STEP, ::_STEP]
    lit = some > _LIT
    return float(np.median(theirs[lit] / some[lit])) if lit.any() else 0.0
