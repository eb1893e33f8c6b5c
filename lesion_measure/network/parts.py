"""The connected lesions of a probability map: cut-outs with their soft rims, holes closed, and their long axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
import skimage
from numpy.typing import NDArray

from lesion_measure.measure import connected
from lesion_measure.measure.contours import contours
from lesion_measure.measure.hull import hull_corners
from lesion_measure.network.window import MIN_CALIPER_PX, CaliperLine
from lesion_measure.records import Point

MAX_LESIONS = 8
MIN_LESION_PX = 9


@dataclass(frozen=True, eq=False)
class LesionPart:
    """One lesion cut out of an image: its probabilities with the soft rim, its mask, and the cut-out's place."""

    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    box: tuple[slice, slice]

    def dice(self, other: LesionPart) -> float:
        """Dice overlap of two lesions of one image."""
        low, high = (
            [extreme(a, b) for a, b in zip(*ends, strict=True)]
            for extreme, ends in (
                (max, ([s.start for s in self.box], [s.start for s in other.box])),
                (min, ([s.stop for s in self.box], [s.stop for s in other.box])),
            )
        )
        shared = 0
        if all(last > first for first, last in zip(low, high, strict=True)):
            one, two = (
                part.mask[tuple(slice(a - s.start, b - s.start) for a, b, s in zip(low, high, part.box, strict=True))]
                for part in (self, other)
            )
            shared = int((one & two).sum())
        total = int(self.mask.sum()) + int(other.mask.sum())
        return 2 * shared / total if total else 1.0

    @cached_property
    def long_axis(self) -> CaliperLine | None:
        """The mask's long axis, in the image; None where it is too small to have one."""
        axis = long_axis(self.mask)
        if axis is None:
            return None
        (r0, c0), (r1, c1) = axis
        row, col = self.box[0].start, self.box[1].start
        return (r0 + row, c0 + col), (r1 + row, c1 + col)

    def holds(self, point: Point) -> bool:
        """Whether the mask covers the pixel nearest to a point (row, column) of the image."""
        return holds(self.mask, (self.box[0].start, self.box[1].start), point)

    def share_inside(self, calipers: Sequence[CaliperLine]) -> float:
        """Share of the calipers' length that lies on the mask."""
        steps = np.linspace(0, 1, 65)[:, None]
        points = np.concatenate([np.asarray(a) * (1 - steps) + np.asarray(b) * steps for a, b in calipers])
        pixels = np.rint(points).astype(int) - np.array([self.box[0].start, self.box[1].start])
        inside = ((pixels >= 0) & (pixels < np.array(self.mask.shape))).all(axis=1)
        return float(self.mask[pixels[inside, 0], pixels[inside, 1]].sum() / len(points))


def holds(mask: NDArray[np.bool_], origin: tuple[int, int], point: Point) -> bool:
    """Whether a mask whose first pixel lies at ``origin`` covers the pixel nearest to a point, all (row, column)."""
    row, col = (round(place) - start for place, start in zip(point, origin, strict=True))
    rows, cols = mask.shape
    return 0 <= row < rows and 0 <= col < cols and bool(mask[row, col])


def caliper_length(line: CaliperLine) -> float:
    """Length in pixels."""
    return float(np.hypot(line[1][0] - line[0][0], line[1][1] - line[0][1]))


def outline_of(mask: NDArray[np.bool_], corner: tuple[int, int] = (0, 0)) -> NDArray[np.float64]:
    """The longest 0.5 contour (n, 2) of a mask, closed: half a pixel outside the centres of its border pixels.

    ``corner`` (row, column) is where the mask's first pixel lies in the picture that the contour is of.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.empty((0, 2))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    found = contours(np.pad(part, 1).astype(np.float32), 0.5)
    return np.asarray(max(found, key=len) + np.array([corner[0] + rows[0] - 1.0, corner[1] + columns[0] - 1.0]))


def long_axis(mask: NDArray[np.bool_]) -> CaliperLine | None:
    """Ends of the longest line between two points of a mask's outline; None where that is too short."""
    points = outline_of(mask)
    return longest_line(points[hull_corners(points)])


def longest_line(corners: NDArray[np.float64]) -> CaliperLine | None:
    """The longest line between two corners (n, 2) of a hull, from the one that comes first; None where too short."""
    if not len(corners):
        return None
    distances = np.hypot(*(corners[:, None] - corners[None]).transpose(2, 0, 1))
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    if distances[first, second] < MIN_CALIPER_PX:
        return None
    (r0, c0), (r1, c1) = corners[[first, second]].tolist()
    return (r0, c0), (r1, c1)


def rim_px(scale: float) -> int:
    """How far beyond its box a lesion's soft rim may reach; ``scale`` is native pixels per network pixel."""
    return int(np.ceil(4 * scale)) + 3


def lesion_parts(
    probability: NDArray[np.float32], level: float, scale: float, corner: tuple[int, int] = (0, 0)
) -> list[LesionPart]:
    """The connected lesions of a map, largest first, specks left out.

    Each keeps the soft rim that is nearer to it than to another lesion.

    Parameters
    ----------
    probability
        (rows, columns) of an image, or of a part of it that holds all lesions and their rims (`rim_px`).
    level
        Where lesions end.
    scale
        Native pixels per network pixel, which decides how wide a rim may be and how small a speck is.
    corner
        Place (row, column) of the map in the image.
    """
    mask = probability > level  # as `measure.outline` has it
    held, margin = _held(mask), rim_px(scale)
    found, count = connected.parts(mask[held])
    if count == 0:
        return []
    labels = np.zeros(mask.shape, dtype=np.int32)
    labels[held] = found
    areas = np.bincount(found.ravel(), minlength=count + 1)[1:]
    boxes = scipy.ndimage.find_objects(found)
    parts = []
    for index in sorted(range(count), key=lambda i: -int(areas[i]))[:MAX_LESIONS]:
        if areas[index] < max(MIN_LESION_PX, MIN_LESION_PX * scale**2):
            break
        rows, cols = (
            slice(max(own.start + first.start - margin, 0), min(own.stop + first.start + margin, length))
            for own, first, length in zip(boxes[index], held, probability.shape, strict=True)
        )
        near = labels[rows, cols]
        mask = near == index + 1
        part_map = probability[rows, cols]
        if (near[~mask] > 0).any():
            nearest = scipy.ndimage.distance_transform_edt(near == 0, return_distances=False, return_indices=True)
            part_map = np.where(near[tuple(nearest)] == index + 1, part_map, np.float32(0))
        box = (_shifted(rows, corner[0]), _shifted(cols, corner[1]))
        parts.append(_without_holes(part_map, mask, level, box))
    return parts


def _shifted(side: slice, by: int) -> slice:
    return slice(int(side.start + by), int(side.stop + by))  # numbers of Python: they are written to JSON


def _held(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns that hold all of a mask."""
    rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)) if rows.size else (slice(0), slice(0))


def _without_holes(
    probability: NDArray[np.float32], mask: NDArray[np.bool_], level: float, box: tuple[slice, slice]
) -> LesionPart:
    """Holes raised to the lowest probability on the way out of them, as grey-scale hole filling does."""
    holes = connected.holes(mask)
    if holes.any():
        seed = np.where(holes, np.float32(1), probability)
        probability = skimage.morphology.reconstruction(seed, probability, method="erosion").astype(np.float32)
        mask = mask | (holes & (probability >= level))
    return LesionPart(np.ascontiguousarray(probability), mask, box)
