"""How far two masks, or a mask and an ellipse, agree: Dice, distance of the borders, contrast, on cut-outs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from lesion_measure.datasets import Picture
from lesion_measure.measure import MaskMeasurement, geometry
from lesion_measure.network import CaliperLine
from lesion_measure.network.parts import caliper_length

Mask = NDArray[np.bool_]

ELLIPSE_RATIO = 0.75
"""Short over long axis of the ellipse that is drawn where only the long axis is known."""


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


def placed(labels: NDArray[np.uint8]) -> dict[int, Placed]:
    """The lesions of a label image, each cut out, by label."""
    boxes = ndimage.find_objects(labels)
    found = {label: box for label, box in enumerate(boxes, start=1) if box is not None}
    return {label: Placed(labels[box] == label, (int(box[0].start), int(box[1].start))) for label, box in found.items()}


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


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse on a picture: centre and direction (unit vector) of its long axis as (row, column), axes in pixels."""

    centre: tuple[float, float]
    direction: tuple[float, float]
    long_px: float
    short_px: float

    @property
    def area_px(self) -> float:
        """Area in square pixels."""
        return math.pi / 4 * self.long_px * self.short_px

    def mask(self, shape: tuple[int, ...]) -> Placed:
        """Its pixels on a picture of this shape; at least the cut-out of one pixel, which may be empty."""
        reach = np.ceil(0.5 * math.hypot(self.long_px, self.short_px)) + 1
        low = np.clip(np.floor(np.asarray(self.centre) - reach), 0, np.array(shape) - 1).astype(int)
        high = np.clip(np.ceil(np.asarray(self.centre) + reach), low, np.array(shape) - 1).astype(int)
        row, col = np.mgrid[low[0] : high[0] + 1, low[1] : high[1] + 1]
        down, right = row - self.centre[0], col - self.centre[1]
        along = down * self.direction[0] + right * self.direction[1]
        across = right * self.direction[0] - down * self.direction[1]
        inside = (2 * along / self.long_px) ** 2 + (2 * across / self.short_px) ** 2 <= 1 + 1e-9
        return Placed(inside, (int(low[0]), int(low[1])))

    def outline(self) -> NDArray[np.float32]:
        """Its closed outline (n, 2), for drawing."""
        turn = np.linspace(0, 2 * np.pi, 97)[:, None]
        ahead = np.asarray(self.direction)
        aside = np.array([-ahead[1], ahead[0]])
        round_it = self.long_px * np.cos(turn) * ahead + self.short_px * np.sin(turn) * aside
        return np.asarray(np.asarray(self.centre) + 0.5 * round_it, dtype=np.float32)


def ellipse(calipers: Sequence[CaliperLine]) -> Ellipse:
    """The ellipse that calipers suggest: along the first, as wide as the second, or 0.75 of the first without one.

    A second caliper also moves it sideways, to that caliper's middle.
    """
    start, end = (np.asarray(point, dtype=np.float64) for point in calipers[0])
    length = float(np.hypot(*(end - start)))
    ahead = (end - start) / length
    centre, width = (start + end) / 2, ELLIPSE_RATIO * length
    if len(calipers) > 1:
        first, second = (np.asarray(point, dtype=np.float64) for point in calipers[1])
        aside = np.array([-ahead[1], ahead[0]])
        width = float(np.hypot(*(second - first)))
        centre = centre + (((first + second) / 2 - centre) @ aside) * aside
    return Ellipse((float(centre[0]), float(centre[1])), (float(ahead[0]), float(ahead[1])), length, width)


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
    """Difference of mean grey inside a lesion and in a ring around it, in SDs of a pixel; black pixels are left out."""
    whole = ndimage.find_objects(item.labels, label)[label - 1]
    width = max(3, round(0.25 * float(np.sqrt((item.labels[whole] == label).sum()))))
    rows, cols = (slice(max(part.start - width, 0), part.stop + width) for part in whole)
    labels, image = item.labels[rows, cols], item.image[rows, cols]
    inside = labels == label
    ring = (ndimage.distance_transform_cdt(~inside, metric="taxicab") <= width) & (labels == 0)
    own, near = (image[part & (image > 0)].astype(np.float64) for part in (inside, ring))
    if len(own) < 2 or len(near) < 2:
        return 0.0
    spread = float(np.sqrt((own.var() + near.var()) / 2))
    return abs(float(own.mean() - near.mean())) / max(spread, 1e-6)
