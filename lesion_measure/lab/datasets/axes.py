"""The calipers that readers would place on a lesion whose outline is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from skimage.measure import regionprops

from lesion_measure.network.parts import caliper_length, longest_line, outline_of
from lesion_measure.network.window import MIN_CALIPER_PX, CaliperLine

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LesionAxes:
    """Calipers a reader would place on one lesion: the long axis, and the longest chord perpendicular to it."""

    long: CaliperLine
    short: CaliperLine | None

    def within(self, shape: tuple[int, ...]) -> LesionAxes | None:
        """The same calipers, their ends in a picture of this ``shape`` (rows, columns), to the rim of its pixels.

        Lines around a lesion that the picture cuts off may end outside. None where that leaves no long axis.
        """
        long, *short = (_line(*np.clip(line, -0.5, np.array(shape) - 0.5)) for line in (self.long, self.short) if line)
        return _if_long_enough(long, *short)


def lesion_axes(mask: NDArray[np.bool_], corner: tuple[int, int] = (0, 0)) -> LesionAxes | None:
    """The axes of one lesion between points of its outline (half a pixel outside its border pixels' centres).

    None where it is too small to have any. ``corner`` (row, column) is where the mask lies in its picture.
    """
    contour = outline_of(mask, corner)
    axis = longest_line(_corners(contour))
    if axis is None:
        return None
    start, end = np.asarray(axis)
    along = (end - start) / np.hypot(*(end - start))
    across = np.array([-along[1], along[0]])
    return LesionAxes(axis, _widest_chord(contour, start, along, across))


def _widest_chord(contour: Points, start: Points, along: Points, across: Points) -> CaliperLine | None:
    """The longest line across a closed contour, perpendicular to ``along``, at one of 255 places."""
    place, offset = (contour - start) @ along, (contour - start) @ across
    cuts = np.linspace(place.min(), place.max(), 257)[1:-1]
    # Each segment of the contour crosses the cuts between its two ends.
    first, last = place[:-1], place[1:]
    begin = np.searchsorted(cuts, np.minimum(first, last), "left")
    count = np.where(first != last, np.searchsorted(cuts, np.maximum(first, last), "right") - begin, 0)
    segment = np.repeat(np.arange(len(count)), count)
    cut = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + begin[segment]
    share = (cuts[cut] - first[segment]) / (last[segment] - first[segment])
    crossing = offset[segment] + share * np.diff(offset)[segment]
    high, low = np.full(len(cuts), -np.inf), np.full(len(cuts), np.inf)
    np.maximum.at(high, cut, crossing)
    np.minimum.at(low, cut, crossing)
    if (high - low).max() < MIN_CALIPER_PX:
        return None
    best = int((high - low).argmax())
    foot = start + cuts[best] * along
    return _line(foot + low[best] * across, foot + high[best] * across)


def rectangle_axes(mask: NDArray[np.bool_]) -> LesionAxes | None:
    """The middle lines of the smallest rectangle around a lesion; None where it has none."""
    corners = _corners(outline_of(mask))
    best: tuple[float, CaliperLine, CaliperLine] | None = None
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        across = np.array([-along[1], along[0]])
        (p0, p1), (q0, q1) = ((float(v.min()), float(v.max())) for v in (corners @ along, corners @ across))
        area = (p1 - p0) * (q1 - q0)
        if best is None or area < best[0]:
            middle_p, middle_q = (p0 + p1) / 2, (q0 + q1) / 2
            one = _line(p0 * along + middle_q * across, p1 * along + middle_q * across)
            other = _line(middle_p * along + q0 * across, middle_p * along + q1 * across)
            best = (area, one, other) if p1 - p0 >= q1 - q0 else (area, other, one)
    return None if best is None else _if_long_enough(best[1], best[2])


def moment_axes(mask: NDArray[np.bool_]) -> LesionAxes | None:
    """The axes of the ellipse with a lesion's second moments; None where it has none."""
    lesion = regionprops(mask.astype(np.uint8))
    if not lesion:
        return None
    centre, turn = np.asarray(lesion[0].centroid), lesion[0].orientation
    along = np.array([np.cos(turn), np.sin(turn)])
    across = np.array([-along[1], along[0]])
    long, short = lesion[0].axis_major_length / 2 * along, lesion[0].axis_minor_length / 2 * across
    return _if_long_enough(_line(centre - long, centre + long), _line(centre - short, centre + short))


def _corners(contour: Points) -> Points:
    """Corners (n, 2) of a contour's hull; none where it has none.

    They are in Qhull's order, which says which end of an axis comes first. Random placements move the ends one after
    the other, so that published figures of single placements depend on it.
    """
    try:
        return np.asarray(contour[ConvexHull(contour).vertices] if len(contour) else contour)
    except QhullError:
        return contour[:0]


def _if_long_enough(long: CaliperLine, short: CaliperLine | None = None) -> LesionAxes | None:
    if caliper_length(long) < MIN_CALIPER_PX:
        return None
    return LesionAxes(long, short if short is not None and caliper_length(short) >= MIN_CALIPER_PX else None)


def _line(start: Points, end: Points) -> CaliperLine:
    return (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))
