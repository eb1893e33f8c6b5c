"""Where on a frame the middle of a mark may be: pixels from which lit ones lie where a mark's strokes would.

Lit pixels are few, so that whatever is compared is compared for few of them: a frame without marks costs milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.burnt_in.overlay import Channel
from lesion_measure.burnt_in.templates import REACH, Shape

EDGE_PX = 10
"""No mark's middle is nearer to the frame's edge."""
LEAST_CONTRAST = 15
"""Gray levels by which a mark's arms stand out of the corners between them."""
LEAST_SOLID_CONTRAST = 60
"""The same for filled marks above what surrounds them: grains of speckle are filled, too."""
LEAST_PIXEL = 60
"""Level of the darkest pixel of a mark's arms: marks are drawn bright."""
MOST_CROWDED = 0.25
"""Share of a mark's surroundings that may be as bright as its strokes."""
MOST_PLACES = 6000
"""Places of one kind of shape, the clearest first: a bound on the work of hostile frames."""
_ABOVE_SD = 0.7
"""By how many SDs of the tissue around it a drawn pixel is above the mean at least."""
_BLOCK = 16
_SIDES_PX, _LEAST_RIDGE = (3, 4), 8
"""A stroke's pixel is by so many levels brighter than both so far from it, above and below or left and right. The line
to the other mark may begin at one of these distances, not at both."""
_LEAST_SOLID_PIXEL = 70
_UPRIGHT, _OBLIQUE = ((0, 1), (1, 0), (0, -1), (-1, 0)), ((1, 1), (1, -1), (-1, 1), (-1, -1))
_AROUND = [(row, col) for row in range(-15, 16, 5) for col in range(-15, 16, 5)]

Indices = NDArray[np.intp]
Places = tuple[Indices, Indices]
Steps = Sequence[tuple[int, int]]


class _Frame:
    """A channel with its margin, its pixels told by their index in it."""

    def __init__(self, padded: Channel) -> None:
        self._columns = padded.shape[1]
        self._rows = padded.shape[0]
        self._pixels = padded.ravel()
        lit = _lit(padded)
        self._thin = (lit & _ridges(padded)).ravel()
        self._strokes = np.flatnonzero(self._thin)
        self.solid = np.flatnonzero(_solid(lit & (padded >= _LEAST_SOLID_PIXEL)).ravel())

    def between_strokes(self, steps: Steps) -> Indices:
        """The pixels from which all these steps lead to pixels of strokes."""
        first, *others = [self._index(step) for step in steps]
        pixels = self._strokes - first
        for step in others:
            pixels = pixels[self._thin[pixels + step]]
        return pixels

    def least(self, pixels: Indices, steps: Steps) -> NDArray[np.int16]:
        """The least of some pixels' neighbours."""
        return np.asarray(np.min([self._pixels[pixels + self._index(step)] for step in steps], axis=0), np.int16)

    def mean(self, pixels: Indices, steps: Steps) -> NDArray[np.int16]:
        """The mean of some pixels' neighbours."""
        values = [self._pixels[pixels + self._index(step)].astype(np.int16) for step in steps]
        return np.asarray(np.sum(values, axis=0) // len(values), np.int16)

    def clearest(self, pixels: Indices, drawn: NDArray[np.int16], between: NDArray[np.int16], least: int) -> Places:
        """Rows and columns of those whose strokes stand out of what is between, and of most around."""
        kept = (drawn >= LEAST_PIXEL) & (drawn - between >= least)
        pixels, drawn, contrast = pixels[kept], drawn[kept], (drawn - between)[kept]
        brighter = np.zeros(len(pixels), np.int16)
        for step in _AROUND:
            brighter += self._pixels[pixels + self._index(step)] >= drawn
        kept = brighter <= MOST_CROWDED * len(_AROUND)
        pixels, contrast = pixels[kept], contrast[kept]
        if len(pixels) > MOST_PLACES:
            pixels = pixels[np.argsort(-contrast, kind="stable")[:MOST_PLACES]]
        rows, cols = (index - REACH for index in np.divmod(pixels, self._columns))
        inside = (np.minimum(rows, cols) >= EDGE_PX) & (rows < self._rows - 2 * REACH - EDGE_PX)
        inside &= cols < self._columns - 2 * REACH - EDGE_PX
        return rows[inside], cols[inside]

    def _index(self, step: tuple[int, int]) -> int:
        return int(step[0] * self._columns + step[1])


def places(padded: Channel) -> list[tuple[tuple[Shape, ...], Places]]:
    """For each kind of shape the rows and columns of the frame that may be its middle.

    Parameters
    ----------
    padded
        Its channel with a margin of `REACH` zeros on all sides.
    """
    frame = _Frame(padded)
    found = [
        ((Shape.PLUS,), _crosses(frame, _UPRIGHT, _OBLIQUE)),
        ((Shape.OBLIQUE,), _crosses(frame, _OBLIQUE, _UPRIGHT)),
    ]
    found += [((Shape.DIAMOND,), _diamonds(frame, half)) for half in range(4, 10)]
    return [*found, ((Shape.DISC, Shape.ARROW), _filled(frame))]


def _lit(padded: Channel) -> NDArray[np.bool_]:
    """Pixels that are brighter than most of the tissue around them: than that of the darkest of nine blocks."""
    rows, cols = (-(-size // _BLOCK) * _BLOCK for size in padded.shape)
    whole = np.pad(padded, ((0, rows - padded.shape[0]), (0, cols - padded.shape[1])), mode="edge")
    some = whole[::2, ::2].reshape(rows // _BLOCK, _BLOCK // 2, cols // _BLOCK, _BLOCK // 2).astype(np.float32)
    mean, square = some.mean(axis=(1, 3)), (some * some).mean(axis=(1, 3))
    level = mean + _ABOVE_SD * np.sqrt(np.maximum(square - mean * mean, 0))
    level = ndimage.minimum_filter(level, 3).clip(LEAST_PIXEL, 255).astype(np.uint8)
    limit = np.repeat(np.repeat(level, _BLOCK, axis=1), _BLOCK, axis=0)
    return np.asarray(padded >= limit[: padded.shape[0], : padded.shape[1]])


def _ridges(padded: Channel) -> NDArray[np.bool_]:
    """Pixels that are brighter than others on two opposite sides; never in the outermost columns and rows."""
    ridges = np.zeros(padded.shape, np.bool_)
    for far in _SIDES_PX:
        across = np.maximum(padded[far:-far, : -2 * far], padded[far:-far, 2 * far :])
        along = np.maximum(padded[: -2 * far, far:-far], padded[2 * far :, far:-far])
        sides = np.minimum(np.minimum(across, along), 255 - _LEAST_RIDGE)
        ridges[far:-far, far:-far] |= padded[far:-far, far:-far] >= sides + np.uint8(_LEAST_RIDGE)
    return ridges


def _solid(lit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels that are lit with all eight neighbours."""
    solid = np.zeros_like(lit)
    rows = lit[:-2] & lit[1:-1] & lit[2:]
    solid[1:-1, 1:-1] = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return solid


def _crosses(frame: _Frame, arms: Steps, corners: Steps) -> Places:
    """Four arms lit three pixels from the middle, and two or four (where the middle is open) from it.

    Thick oblique arms are as near to one another three pixels from the middle as one is wide, and ridges only beyond.
    """
    pixels = np.union1d(frame.between_strokes(_far(3, arms)), frame.between_strokes(_far(4, arms)))
    between = frame.mean(pixels, _far(3, corners))
    inner, outer = (frame.least(pixels, [*_far(3, arms), *_far(far, arms)]) for far in (2, 4))
    return frame.clearest(pixels, np.maximum(inner, outer), between, LEAST_CONTRAST)


def _diamonds(frame: _Frame, half: int) -> Places:
    """An outline of four tips and four sides, and less inside."""
    side = half // 2
    tips = _far(half, _UPRIGHT)
    outline = [*tips, *((side * row, (half - side) * col) for row, col in _OBLIQUE)]
    pixels = frame.between_strokes(tips)
    inside = frame.mean(pixels, [(0, 0), *_far(2, _UPRIGHT)])
    return frame.clearest(pixels, frame.least(pixels, outline), inside, LEAST_CONTRAST)


def _filled(frame: _Frame) -> Places:
    """Nine pixels lit, and less around."""
    nine = [(0, 0), *_UPRIGHT, *_OBLIQUE]
    pixels = frame.solid
    pixels = pixels[frame.least(pixels, nine[:1]) - frame.mean(pixels, _far(7, _UPRIGHT)) >= LEAST_SOLID_CONTRAST // 2]
    around = frame.mean(pixels, [*_far(7, _UPRIGHT), *_far(5, _OBLIQUE)])
    return frame.clearest(pixels, frame.least(pixels, nine), around, LEAST_SOLID_CONTRAST)


def _far(pixels: int, steps: Steps) -> Steps:
    return [(pixels * row, pixels * col) for row, col in steps]
