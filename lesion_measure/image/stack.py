"""Outlines on several frames of one image -> the same lesion from frame to frame, and in 3D its body.

A lesion outlined on one frame is followed to the next frame that was looked at as long as its outlines overlap; where
several do, the pair that shares most pixels belongs together. The frames of an Enhanced US Volume are parallel slices
at a known distance: there a lesion that was followed is a body, with a volume and axes of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Uncertainty
from lesion_measure.measure import geometry, measure_mask, measure_volume
from lesion_measure.measure.body import body_quantities
from lesion_measure.measure.volume import body_axes
from lesion_measure.records import Body, DrawnLesion, PlaneMeasurement, Point3

Track = dict[int, DrawnLesion]
"""One lesion's masks by frame number."""


def tracks(masks: Mapping[int, Sequence[DrawnLesion]], *, gaps: bool) -> list[Track]:
    """Every lesion of an image, each with its masks by frame number.

    With ``gaps`` a lesion may be missing on some frames, as where a network wavers in a cine; else a frame without it
    ends it, since a body has no gaps.
    """
    found: list[Track] = []
    active: list[Track] = []
    for frame in sorted(masks):
        left = list(masks[frame])
        following: list[Track] = []
        # Numbers in the sort key keep the order fixed where pixels are equal; tracks themselves cannot be compared.
        pairs = [
            (-shared_pixels(track[next(reversed(track))], mask), i, j)
            for i, track in enumerate(active)
            for j, mask in enumerate(left)
        ]
        taken: set[int] = set()
        continued: set[int] = set()
        for negative, i, j in sorted(pairs):
            if negative < 0 and i not in continued and j not in taken:
                active[i][frame] = left[j]
                following.append(active[i])
                continued.add(i)
                taken.add(j)
        new = [{frame: mask} for j, mask in enumerate(left) if j not in taken]
        found += new
        active = found if gaps else following + new
    return found


INSIDE = 0.5
"""Probability from which a pixel is the lesion's (`LesionMask`)."""
LEAST_SLICES = 3
"""A body that fewer slices cut has no size in the direction across them."""
# Variance of a volume from evenly spaced slices of a smooth body, at a random start (Gundersen & Jensen 1987, J Microsc
# 147:229; the constant for smooth sections from Gundersen et al. 1999, J Microsc 193:199).
_SMOOTH = 1 / 240


def measure_body(body: Track, plane: PlaneMeasurement, *, slice_spacing_mm: float, settings: Uncertainty) -> Body:
    """Volume and axes of a lesion that was followed through neighbouring frames.

    The volume is the area inside the sub-pixel outline of each slice times the slices' distance, so that a voxel on the
    outline counts by its share. The axes are those of the outlines' points, which lie on the surface whatever the
    slices' distance, and of its two poles, which lie beyond the middles of the first and the last outline.

    Parameters
    ----------
    body
        Its masks by frame number, without gaps (`tracks` of all frames), at least `LEAST_SLICES` of them.
    plane
        Its measurement on one frame. Who drew it drew all slices, so that its error there is that of the body
        (`body_quantities`); an edge that is too far out is so all round.
    slice_spacing_mm
        Distance of the frames.
    settings
        Repeatability and bias of a reader.

    Raises
    ------
    MeasurementError
        A spacing is not positive and finite.
    """
    slices = {f: measure_mask(m.probability, spacing_mm=plane.spacing_mm) for f, m in body.items()}
    scale = np.array([slice_spacing_mm, *plane.spacing_mm])
    areas = [s.area_mm2 for s in slices.values()]
    outlines_px = [s.outline_px[:-1] + body[f].origin for f, s in slices.items()]
    axes = body_axes(_surface(min(body), outlines_px, areas) * scale)
    sizes = measure_volume(_stack(body), spacing_mm=(slice_spacing_mm, *plane.spacing_mm))
    across = [abs(float(direction[0])) for direction in axes.directions]
    lengths, volume = body_quantities(
        # each of two ends lies anywhere between two slices: variance 1/12 of their distance, squared
        [(n, share * slice_spacing_mm / math.sqrt(6)) for n, share in zip(axes.lengths, across, strict=True)],
        (sum(areas) * slice_spacing_mm / 1000, between_slices(areas) * slice_spacing_mm / 1000),
        drawn=(plane.long_axis_mm, plane.short_axis_mm or plane.long_axis_mm),
        edge_mm=plane.long_axis_mm.parts.get("outline", 0.0) / 2,
        surface_mm2=sizes.surface_area_mm2,
        settings=settings,
    )
    return Body(
        volume_ml=volume,
        axes_mm=(lengths[0], lengths[1], lengths[2]),
        longest_px=(_in_pixels(axes.start, scale), _in_pixels(axes.end, scale)),
        frames=(min(body), max(body)),
        outlines_px=tuple(outlines_px),
    )


def _surface(first: int, outlines_px: Sequence[NDArray[np.float64]], areas_mm2: Sequence[float]) -> NDArray[np.float64]:
    """Points (frame, row, column) of a body's surface: those of its outlines, and its two poles.

    Towards the pole of a rounded body the area falls linearly: from the last two slices follows where it ends, at most
    one slice beyond.
    """
    points = [np.column_stack([np.full(len(o), first + n), o]) for n, o in enumerate(outlines_px)]
    for outline, frame, step, last, before in (
        (outlines_px[0], first, -1, areas_mm2[0], areas_mm2[1]),
        (outlines_px[-1], first + len(outlines_px) - 1, 1, areas_mm2[-1], areas_mm2[-2]),
    ):
        beyond = min(1.0, last / (before - last)) if before > last else 1.0
        points.append(np.array([[frame + step * beyond, *geometry.centroid(outline)]]))
    return np.vstack(points)


def _in_pixels(point_mm: Point3, scale: NDArray[np.float64]) -> Point3:
    frame, row, column = np.asarray(point_mm) / scale
    return float(frame), float(row), float(column)


def between_slices(areas: Sequence[float]) -> float:
    """Standard deviation of the sum of areas by the place of the slices in the body."""
    a = np.array(areas)
    lags = [float(a[: len(a) - lag] @ a[lag:]) for lag in range(3)]
    return math.sqrt(max(0.0, _SMOOTH * (3 * lags[0] - 4 * lags[1] + lags[2])))


def _corner(body: Track) -> NDArray[np.int_]:
    """First row and column of the box that holds all masks."""
    corner: NDArray[np.int_] = np.min([mask.origin for mask in body.values()], axis=0)
    return corner


def _stack(body: Track) -> NDArray[np.float32]:
    """Probability (frame, row, column) of the smallest box that holds all masks."""
    first = _corner(body)
    last = np.max([np.add(mask.origin, mask.shape) for mask in body.values()], axis=0)
    stack = np.zeros((len(body), *(last - first)), dtype=np.float32)
    for layer, mask in zip(stack, body.values(), strict=True):
        row, col = np.subtract(mask.origin, first)
        rows, cols = mask.probability.shape
        layer[row : row + rows, col : col + cols] = mask.probability
    return stack


def apart_from(found: Sequence[Track], known: Sequence[Track]) -> list[Track]:
    """Those of the lesions that share no pixel with the known ones, wherever on whichever frames they lie."""
    masks = [mask for track in known for mask in track.values()]
    last = np.max([np.add(mask.origin, mask.shape) for mask in masks], axis=0) if masks else (0, 0)
    covered = np.zeros(last, dtype=bool)  # one for all of them: each pair would be the square of the frames
    for mask in masks:
        _part(covered, mask)[...] |= mask.probability >= INSIDE
    return [track for track in found if not any(_covers(covered, mask) for mask in track.values())]


def _covers(covered: NDArray[np.bool_], mask: DrawnLesion) -> bool:
    part = _part(covered, mask)
    return bool(part.any()) and bool((part & (mask.probability[: part.shape[0], : part.shape[1]] >= INSIDE)).any())


def _part(picture: NDArray[np.bool_], mask: DrawnLesion) -> NDArray[np.bool_]:
    """The pixels of a picture on which a mask lies, as far as the picture goes."""
    (row, column), (rows, columns) = mask.origin, mask.shape
    return picture[row : row + rows, column : column + columns]


def shared_pixels(one: DrawnLesion, two: DrawnLesion) -> int:
    """How many pixels two masks have in common, wherever on whichever frame they lie."""
    first = np.maximum(one.origin, two.origin)
    last = np.minimum(np.add(one.origin, one.shape), np.add(two.origin, two.shape))
    if (last <= first).any():
        return 0
    inside = []
    for mask in (one, two):
        (row, col), (row_end, col_end) = first - mask.origin, last - mask.origin
        inside.append(mask.probability[row:row_end, col:col_end] >= INSIDE)
    return int(np.count_nonzero(inside[0] & inside[1]))
