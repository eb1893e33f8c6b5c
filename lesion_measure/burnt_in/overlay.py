"""Channels in which whatever a scanner draws over its echoes is bright."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
_AROUND = 9
"""What is around a pixel for `Overlay.faint`, in steps."""
_LEAST_NOISE, _NOISES = 1.5, 2.0
"""The least SD of chroma's noise, and how many of them are no colour."""
_FAINT_A_NOISE, _MOST_FAINT = 12.0, 200
"""Level in `Overlay.faint` by each SD beyond these, and the greatest: more would widen blurred strokes."""


class Seen(StrEnum):
    """The channels of an overlay."""

    BRIGHT = "bright"
    COLOURED = "coloured"
    FAINT = "faint"


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What is drawn on a frame, all uint8 (rows, columns).

    ``bright`` has all of it: white marks keep their brightness, max(R, G, B), and coloured ones gain by their chroma,
    so that a dark green mark on gray echoes of the same brightness stands out. ``coloured`` has what is coloured, as
    bright as that but black where there is no colour, so that yellow marks are seen on the brightest echoes; None where
    nothing is, or so much that it is colour Doppler. ``faint`` has chroma beyond that around, in SDs of its noise, None
    where ``coloured`` is: compression leaves a tenth of the chroma of a line of one pixel.
    """

    bright: Channel
    coloured: Channel | None
    faint: Channel | None

    def channel(self, seen: Seen) -> Channel | None:
        """One of its channels."""
        return {Seen.BRIGHT: self.bright, Seen.COLOURED: self.coloured, Seen.FAINT: self.faint}[seen]


def overlay(rgb: NDArray[np.uint8]) -> Overlay:
    """The overlay of a frame (rows, columns, 3)."""
    red, green, blue = (np.ascontiguousarray(rgb[..., index]) for index in range(3))
    bright = np.maximum(np.maximum(red, green), blue)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return Overlay(bright, None, None)
    chroma = bright - np.minimum(np.minimum(red, green), blue)
    usual = np.clip(LEAST_CHROMA + (_tint(bright, chroma) + MORE_THAN_TINT) * np.arange(256), 0, 255).astype(np.uint8)
    limit = np.take(usual, bright)
    excess = np.maximum(chroma, limit) - limit
    clear = np.count_nonzero(excess > _CLEARLY_COLOURED)
    coloured = np.minimum(bright, np.take(_STRETCHED, excess)) if _FEWEST <= clear <= _MOST * bright.size else None
    faint = None if coloured is None else _faint(bright, chroma)
    return Overlay(bright + np.minimum(excess, 255 - bright), coloured, faint)


def _tint(bright: Channel, chroma: Channel) -> float:
    """The median chroma of lit pixels as a share of their brightness."""
    some, theirs = bright[::_STEP, ::_STEP], chroma[::_STEP, ::_STEP]
    lit = some > _LIT
    return float(np.median(theirs[lit] / some[lit])) if lit.any() else 0.0


def _faint(bright: Channel, chroma: Channel) -> Channel:
    """Chroma beyond that around it, in SDs of its noise; lit pixels alone tell these."""
    some = chroma[::_STEP, ::_STEP].astype(np.float32)
    around = ndimage.uniform_filter(some, _AROUND)
    apart = np.abs(some - around)[bright[::_STEP, ::_STEP] > _LIT]
    noise = max(_LEAST_NOISE, 1.4826 * float(np.median(apart))) if len(apart) else _LEAST_NOISE
    some_limits = np.clip(around + _NOISES * noise, 0, 255).astype(np.uint8)
    limit = some_limits.repeat(_STEP, axis=0).repeat(_STEP, axis=1)[: chroma.shape[0], : chroma.shape[1]]
    levels = np.clip(_FAINT_A_NOISE / noise * np.arange(256), 0, _MOST_FAINT).astype(np.uint8)
    return np.asarray(np.take(levels, np.maximum(chroma, limit) - limit), np.uint8)
