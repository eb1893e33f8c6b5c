"""The pixels that calipers are drawn with, and a frame without them: what a network is shown.

Marks lie on the very edge that an outline has to find. Only what is drawn is taken out: the marks, the line between
them, and numbers beside them, with the pixel around each that compression or a shadow changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.burnt_in.grouping import MarkPair
from lesion_measure.burnt_in.marks import Mark
from lesion_measure.burnt_in.overlay import Channel, overlay

_STROKE_PX = 7
"""Wider than any stroke: what is narrower stands out of an opening with it."""
_LIT = 0.4
"""Share of a mark's height above its ground from which a pixel is part of a stroke."""
_BESIDE_PX = 2.0
"""How far from the straight line between two marks its dots may lie."""
_LETTER_HALVES = 4.0
"""How far from a mark its number may stand, in the mark's own half sizes; a number is half as high at most."""
_LETTER_LEVEL = 0.85
"""Of a mark's brightness that its number has."""
_MARGIN_PX = 12
_SPREADS_PX = (1.5, 3.0, 6.0, 12.0)
_LEAST_KNOWN = 0.05

Gray = NDArray[np.uint8]
Pixels = NDArray[np.bool_]


def drawn_pixels(rgb: Gray, pairs: Sequence[MarkPair]) -> Pixels:
    """The pixels (rows, columns) of a frame (rows, columns, 3), RGB, that given calipers are drawn with."""
    drawn = np.zeros(rgb.shape[:2], np.bool_)
    if not pairs:
        return drawn
    seen = overlay(rgb)
    for pair in pairs:
        channel = seen.channel(pair.seen)
        if channel is None:  # a frame of other pixels than the marks were found on
            channel = seen.bright
        box = _around(pair, drawn.shape)
        drawn[box] |= _of_pair(channel[box], pair, (box[0].start, box[1].start))
    return drawn


def filled(luminance: Gray, drawn: Pixels) -> Gray:
    """A frame (rows, columns) whose ``drawn`` pixels are means of the nearest others."""
    rows, cols = np.nonzero(drawn)
    if not len(rows):
        return luminance
    box = tuple(slice(max(0, int(at.min()) - _MARGIN_PX), int(at.max()) + 1 + _MARGIN_PX) for at in (rows, cols))
    part, lost = luminance[box].astype(np.float64), drawn[box]
    open_ = lost.copy()
    for spread in _SPREADS_PX:
        known = ndimage.gaussian_filter((~lost).astype(np.float64), spread)
        mean = ndimage.gaussian_filter(np.where(lost, 0.0, part), spread) / np.maximum(known, 1e-12)
        now = open_ & ((known >= _LEAST_KNOWN) | (spread == _SPREADS_PX[-1]))
        part[now] = mean[now]
        open_ &= ~now
    result = luminance.copy()
    result[box] = np.rint(part).astype(np.uint8)
    return result


def _around(pair: MarkPair, shape: tuple[int, ...]) -> tuple[slice, slice]:
    reach = max(_LETTER_HALVES * end.half_px for end in pair.ends) + _MARGIN_PX
    low, high = np.min([end.point for end in pair.ends], axis=0), np.max([end.point for end in pair.ends], axis=0)
    first, last = np.floor(low - reach).astype(int).clip(0), np.ceil(high + reach).astype(int) + 1
    return slice(first[0], min(last[0], shape[0])), slice(first[1], min(last[1], shape[1]))


def _of_pair(channel: Channel, pair: MarkPair, corner: tuple[int, int]) -> Pixels:
    """The strokes of one caliper in a part of the frame that begins at ``corner`` (row, column)."""
    rows, cols = np.mgrid[: channel.shape[0], : channel.shape[1]] + np.array(corner)[:, None, None]
    height = channel.astype(np.float32) - ndimage.grey_opening(channel, (_STROKE_PX, _STROKE_PX)).astype(np.float32)
    weakest = min((end.level - end.ground for end in pair.ends), default=0.0)
    on_line = (_off_line(rows, cols, pair) <= _BESIDE_PX) & (height >= _LIT * weakest)
    drawn = on_line
    for end in pair.ends:
        reach = np.maximum(np.abs(rows - end.row), np.abs(cols - end.col))
        own = (reach <= end.half_px + 1) & (channel >= end.ground + _LIT * (end.level - end.ground))
        drawn = drawn | own | _letters(channel, height, reach, end)
    return np.asarray(ndimage.binary_dilation(drawn, np.ones((3, 3), np.bool_)))


def _letters(channel: Channel, height: NDArray[np.float32], reach: NDArray[np.float64], end: Mark) -> Pixels:
    """Small bright shapes beside a mark, drawn as bright as it is."""
    lit = (channel >= _LETTER_LEVEL * end.level) & (height >= _LIT * (end.level - end.ground))
    labels, total = ndimage.label(lit & (reach <= _LETTER_HALVES * end.half_px + _MARGIN_PX), np.ones((3, 3)))
    small = np.zeros(total + 1, np.bool_)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        sides = [part.stop - part.start for part in box]
        small[number] = max(sides) <= max(3.0 * end.half_px, 14.0) and reach[labels == number].min() <= (
            _LETTER_HALVES * end.half_px
        )
    small[0] = False
    return small[labels]


def _off_line(rows: NDArray[np.float64], cols: NDArray[np.float64], pair: MarkPair) -> NDArray[np.float64]:
    """Distance of each pixel from the straight line between both ends."""
    one, two = (np.array(end.point) for end in pair.ends)
    along = (two - one) / max(float(np.hypot(*(two - one))), 1e-9)
    down, right = rows - one[0], cols - one[1]
    way = np.clip(down * along[0] + right * along[1], 0, float(np.hypot(*(two - one))))
    return np.asarray(np.hypot(down - way * along[0], right - way * along[1]))
