"""How far two masks, or a mask and an ellipse, agree: Dice, distance of the borders, contrast, on cut-outs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from lesion_measure.lab.datasets import Picture
from lesion_measure.measure import MaskMeasurement, geometry
from lesion_measure.network import CaliperLine, confidence
from lesion_measure.network.ellipse import Ellipse
from lesion_measure.network.parts import caliper_length

Mask = NDArray[np.bool_]

UNLIKELY, LIKELY = 0.25, 0.75
"""Probabilities between which a pixel is undecided."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A mask cut out of a picture, and the picture's pixel (row, column) at its upper left."""

    mask: Mask
    origin: tuple[int, int]

    def on(self, box: tuple[slice, slice]) -> Mask:
        """The mask on a rectangle of the picture that holds it."""
        whole = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), dtype=bool)
        row, col = self.origin[0] - box[0].start, self.origin[1] - box[1].start
        whole[row : row + self.mask.shape[0], col : col + self.mask.shape[1]] = self.mask
        return whole


def around(masks: Sequence[Placed]) -> tuple[slice, slice]:
    """The smallest rectangle of the picture that holds all cut-outs."""
    low = np.min([one.origin for one in masks], axis=0)
    high = np.max([np.add(one.origin, one.mask.shape) for one in masks], axis=0)
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))


def placed(labels: NDArray[np.integer]) -> dict[int, Placed]:
    """The lesions of a label image, each cut out, by label."""
    boxes = ndimage.find_objects(labels)
    found = {label: box for label, box in enumerate(boxes, start=1) if box is not None}
    return {label: Placed(labels[box] == label, (int(box[0].start), int(box[1].start))) for label, box in found.items()}


def union(masks: Sequence[Placed], shape: tuple[int, ...]) -> Mask:
    """All cut-outs of a picture of this ``shape`` (rows, columns) as one mask."""
    whole = np.zeros(shape, dtype=bool)
    for one in masks:
        (row, col), (rows, cols) = one.origin, one.mask.shape
        whole[row : row + rows, col : col + cols] |= one.mask
    return whole


def undecided(probability: NDArray[np.float32]) -> float:
    """How far a probability map (rows, columns) leaves open what is lesion, without any truth: 0 to 1.

    It is 1 - Dice of what reaches `LIKELY` with what reaches `UNLIKELY`; 0 where nothing reaches either.
    """
    wide = probability >= UNLIKELY
    return 1 - confidence.dice(probability >= LIKELY, wide) if wide.any() else 0.0


def judged(mask: Placed, item: Picture) -> Placed:
    """The mask without the pixels of its picture that nobody judged."""
    ignored = _ignored(mask, item)
    return mask if ignored is None else Placed(mask.mask & ~ignored, mask.origin)


def mostly_ignored(mask: Placed, item: Picture) -> bool:
    """Whether more than half of a mask lies on pixels that nobody judged: it is no answer, right or wrong."""
    ignored = _ignored(mask, item)
    return ignored is not None and 2 * int((mask.mask & ignored).sum()) > int(mask.mask.sum())


def _ignored(mask: Placed, item: Picture) -> Mask | None:
    (row, col), (rows, cols) = mask.origin, mask.mask.shape
    return None if item.ignored is None else item.ignored[row : row + rows, col : col + cols]


def surface_distances(first: Mask, second: Mask) -> tuple[float, float]:
    """Mean and 95 % Hausdorff distance, in pixels, of the borders of two non-empty masks of one shape.

    The border of a mask are its pixels with a side towards the outside. The mean is over the border pixels of both
    (average symmetric surface distance); the other is the greater of the two directed 95th percentiles, as in MONAI.
    """
    one, two = _border(first), _border(second)
    there = np.asarray(KDTree(two).query(one)[0], dtype=np.float64)
    back = np.asarray(KDTree(one).query(two)[0], dtype=np.float64)
    mean = (there.sum() + back.sum()) / (len(there) + len(back))
    return float(mean), float(max(np.percentile(there, 95), np.percentile(back, 95)))


def _border(mask: Mask) -> NDArray[np.float64]:
    padded = np.pad(mask, 1)
    return np.argwhere(padded & ~ndimage.binary_erosion(padded)).astype(np.float64)


def ellipse_mask(oval: Ellipse, shape: tuple[int, ...]) -> Placed:
    """An ellipse's pixels on a picture of this shape; at least the cut-out of one pixel, which may be empty."""
    reach = np.ceil(0.5 * math.hypot(oval.long_px, oval.short_px)) + 1
    low = np.clip(np.floor(np.asarray(oval.centre) - reach), 0, np.array(shape) - 1).astype(int)
    high = np.clip(np.ceil(np.asarray(oval.centre) + reach), low, np.array(shape) - 1).astype(int)
    row, col = np.ogrid[low[0] : high[0] + 1, low[1] : high[1] + 1]
    return Placed(oval.radius(row, col) <= 1 + 1e-9, (int(low[0]), int(low[1])))


def fits(measured: MaskMeasurement, line: CaliperLine, shape: tuple[int, ...], tolerance: float) -> bool:
    """Whether a run would take an outline for that of the whole lesion which a long-axis caliper spans.

    Its long axis has the caliper's length and the caliper's ends lie on it, both to ``tolerance`` of that length, and
    it does not touch the picture's edge. ``measured`` and ``line`` are in pixels of the picture, of this ``shape``.
    """
    ends, outline = np.asarray(line, dtype=np.float64), measured.outline_px
    length = caliper_length(line)
    if outline.min() <= 0 or (outline.max(axis=0) >= np.array(shape) - 1).any():
        return False
    off = float(geometry.distances(ends, outline[:-1]).max())
    return abs(measured.long_axis_mm - length) <= tolerance * length and off <= tolerance * length


def contrast(item: Picture, label: int) -> float:
    """Contrast of one lesion of a picture (`confidence.contrast`); the other lesions are not among its surroundings."""
    box = ndimage.find_objects(item.labels, label)[label - 1]
    room = max(2, *(side.stop - side.start for side in box))
    rows, cols = (slice(max(side.start - room, 0), side.stop + room) for side in box)
    labels, image = item.labels[rows, cols], item.image[rows, cols]
    inside = labels == label
    alone = np.where(inside | (labels == 0), image, 0).astype(np.float32)  # black pixels are left out
    return confidence.contrast(alone / np.float32(255), inside)
