"""From a mask or probability map to one closed sub-pixel outline, from which every size is then taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.measure import geometry
from lesion_measure.measure.connected import holes, parts
from lesion_measure.measure.contours import contours
from lesion_measure.measure.hardmask import smooth_outline

Floats = NDArray[np.float64]

LEVEL = 0.5
# edge width below which a map says no more than a hard mask; a network's maps have 0.5 and more
PRACTICALLY_HARD = 0.02
_MARGIN = 3
_LEAST_BOX_PX = 6


TOUCHES_EDGE = "The lesion touches the edge of the image: it may be cut off, and its sizes are lower bounds."


@dataclass(frozen=True, slots=True, eq=False)
class MaskPart:
    """The largest connected part of a mask: cut out, alone, holes filled, with a free margin all round.

    ``values`` in 0..1; its pixel [0, 0] lies at ``origin`` (one index an axis) of the mask handed in.
    """

    values: Floats
    origin: tuple[int, ...]
    hard: bool
    warnings: tuple[str, ...]


def checked_mask(mask: ArrayLike, dimensions: int) -> NDArray[np.generic]:
    """The mask as an array, not copied, when it can be measured: shape, type and range.

    Raises
    ------
    MeasurementError
        Not ``dimensions``-dimensional, no numbers, not finite, or probabilities outside 0..1.
    """
    try:
        array = np.asarray(mask)
    except ValueError as error:
        raise MeasurementError(f"The mask is no regular array: {error}.", code="mask_shape") from error
    if array.ndim != dimensions:
        raise MeasurementError(
            f"The mask has {array.ndim} dimensions, not {dimensions}.",
            remedy="Hand in one frame (2D) or one volume (3D) of one channel.",
            code="mask_shape",
        )
    if array.dtype.kind not in "biuf":
        raise MeasurementError(
            f"The mask's values are of type {array.dtype}.",
            remedy="A mask is boolean, integer (non-zero is lesion) or floating point in 0..1.",
            code="mask_type",
        )
    if array.size == 0:
        raise MeasurementError("The mask has no pixels.", code="mask_empty")
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise MeasurementError("The probability map holds NaN or infinite values.", code="mask_not_finite")
        if low < 0 or high > 1:
            raise MeasurementError(
                f"The probability map reaches from {low:g} to {high:g}, outside 0..1.",
                remedy="Apply the network's sigmoid first; hand in labels as integers.",
                code="mask_range",
            )
    return array


def checked_spacing(spacing_mm: tuple[float, ...], dimensions: int) -> Floats:
    """The spacing as an array of positive, finite numbers.

    Raises
    ------
    MeasurementError
        Wrong count, no numbers, zero, negative or not finite.
    """
    try:
        spacing = np.asarray(spacing_mm, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MeasurementError(f"The spacing is not {dimensions} numbers in mm.", code="spacing") from error
    if spacing.shape != (dimensions,) or not all(0 < mm < math.inf for mm in spacing.tolist()):
        raise MeasurementError(
            f"The spacing must be {dimensions} positive, finite numbers in mm, not {spacing_mm!r}.",
            remedy="Only a calibrated image can be measured in mm.",
            code="spacing",
        )
    return spacing


def largest_part(array: NDArray[np.generic], *, level: float = LEVEL, fill_holes: bool = True) -> MaskPart:
    """Cut out the largest connected part of a checked mask.

    Raises
    ------
    MeasurementError
        Nothing lies above the level.
    """
    high = np.greater(array, level) if array.dtype.kind == "f" else np.not_equal(array, 0)
    box = _bounding_box(high, level)
    labels, count = parts(high[box])
    warnings: list[str] = []
    if count > 1:
        sizes = np.bincount(labels.ravel())[1:]
        keep = int(np.argmax(sizes)) + 1
        warnings.append(f"The mask has {count} separate parts; the largest one was measured.")
        inner = _bounding_box(labels == keep, level)
        alone = labels[inner] == keep
        box = tuple(slice(b.start + i.start, b.start + i.stop) for b, i in zip(box, inner, strict=True))
    else:
        alone = labels > 0
    if any(side.start == 0 or side.stop == size for side, size in zip(box, array.shape, strict=True)):
        warnings.append(TOUCHES_EDGE)
    wide = tuple(
        slice(max(side.start - _MARGIN, 0), min(side.stop + _MARGIN, size))
        for side, size in zip(box, array.shape, strict=True)
    )
    free = [
        (_MARGIN - (side.start - w.start), _MARGIN - (w.stop - side.stop)) for side, w in zip(box, wide, strict=True)
    ]
    part = np.pad(alone, _MARGIN)
    others = np.pad(high[wide], free) & ~part
    source = array[wide] if array.dtype.kind == "f" else high[wide]
    values = np.pad(source.astype(np.float64), free)
    values[others] = 0.0
    hard = not bool(np.any((values > 0) & (values < 1)))
    if fill_holes:
        enclosed = holes(part)
        if np.any(enclosed):
            warnings.append("Holes inside the lesion were filled.")
            values[enclosed] = 1.0
    return MaskPart(values, tuple(side.start - _MARGIN for side in box), hard, tuple(warnings))


def _bounding_box(high: NDArray[np.bool_], level: float) -> tuple[slice, ...]:
    box = []
    for axis in range(high.ndim):
        others = tuple(a for a in range(high.ndim) if a != axis)
        occupied = np.flatnonzero(high.any(axis=others))
        if len(occupied) == 0:
            raise MeasurementError(
                f"The mask is empty: no pixel is set or above {level:g}.",
                remedy="An absent lesion is a statement to record, not a size.",
                code="mask_empty",
            )
        box.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    return tuple(box)


def plain_contour(values: Floats, level: float = LEVEL) -> Floats:
    """The outer contour by linear interpolation (marching squares), positive area, of a part with a free margin.

    It starts at the vertex farthest from the centre, so that turning the image turns the outline and nothing else.
    """
    found = [geometry.oriented(contour[:-1]) for contour in contours(values, level)]
    outer = max(found, key=geometry.signed_area)
    reach = np.linalg.norm(outer - outer.mean(axis=0), axis=1)
    return np.roll(outer, -int(np.argmax(reach.round(9))), axis=0)


def edge_width(values: Floats, contour: Floats) -> float:
    """The sum of p (1 - p) of a part (rows, columns) per pixel of its contour (n, 2). 0 for a hard mask."""
    return float(np.sum(values * (1 - values))) / geometry.perimeter(contour)


def sub_pixel_outline(part: MaskPart) -> tuple[Floats, bool, tuple[str, ...]]:
    """The outline of one part, (n, 2) vertices in the mask's pixel coordinates, last one not repeated.

    Returns the outline, whether the part was taken as a hard mask, and warnings.
    """
    contour = plain_contour(part.values)
    origin = np.asarray(part.origin, dtype=np.float64)
    if not part.hard and edge_width(part.values, contour) > PRACTICALLY_HARD:
        return contour + origin, False, ()
    inside = part.values > LEVEL
    box = _filled_box(inside)
    if box is not None:
        return box + origin, True, ()
    staircase = plain_contour(inside.astype(np.float64))
    smooth = smooth_outline(inside, staircase)
    if smooth is None:
        warning = "No smooth outline fits the mask; the pixels' own staircase was measured."
        return staircase + origin, True, (warning,)
    return smooth + origin, True, ()


def _filled_box(inside: NDArray[np.bool_]) -> Floats | None:
    """The pixels' own edges where a part is exactly a box along the grid, else None.

    Nothing round fills a box of 6 pixels and more, and nothing thinner than 3 pixels shows whether it is round; blocks
    in between are as likely discs and go the smooth way.
    """
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    narrow = min(len(rows), len(cols))
    if 2 < narrow < _LEAST_BOX_PX or np.count_nonzero(inside) != len(rows) * len(cols):
        return None
    top, bottom, left, right = rows[0] - 0.5, rows[-1] + 0.5, cols[0] - 0.5, cols[-1] + 0.5
    return np.array([(top, left), (bottom, left), (bottom, right), (top, right)])
