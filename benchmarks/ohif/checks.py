"""What is looked at in the viewer: the numbers and lines of our report, and our outlines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import polygon

from ohif.viewer import Point, Viewer

_AXES = ("long_axis_px", "short_axis_px")


@dataclass(frozen=True)
class Plane:
    """One lesion on one frame, as results.json has it; points are (row, column)."""

    size: tuple[int, int]
    frame: int
    long_axis_mm: float
    short_axis_mm: float
    axes: tuple[tuple[Point, Point], ...]
    outline: tuple[Point, ...]

    @classmethod
    def of(cls, plane: dict[str, object], size: tuple[int, int]) -> Plane:
        """From an entry of ``planes`` in results.json, on an image of (rows, columns)."""
        return cls(
            size=size,
            frame=plane["frame"],
            long_axis_mm=plane["long_axis_mm"]["value"],
            short_axis_mm=plane["short_axis_mm"]["value"],
            axes=tuple(tuple(map(tuple, plane[name])) for name in _AXES),
            outline=tuple(map(tuple, plane["outline_px"])),
        )  # type: ignore[arg-type]


def numbers_shown(viewer: Viewer, plane: Plane) -> str:
    """What the page says of the axes; raises where it does not come to say both as the results have them."""
    wanted = f"L: : {plane.long_axis_mm:.2f} mm", f"W: : {plane.short_axis_mm:.2f} mm"
    if not viewer.comes_to_say(wanted):
        raise AssertionError(f"{wanted} are not shown: {viewer.text()[-300:]}")
    return f"{plane.long_axis_mm:.2f} and {plane.short_axis_mm:.2f} mm"


def lines_off(viewer: Viewer, plane: Plane) -> float:
    """How far the drawn axes lie from where the results have them: the largest distance of an end, in image pixels."""
    drawn = [_ends(viewer, line, plane.size) for line in viewer.drawn_lines()]
    return max(min(_apart(axis, line) for line in drawn) for axis in plane.axes)


def _ends(viewer: Viewer, line: tuple[Point, Point], size: tuple[int, int]) -> tuple[Point, Point]:
    return viewer.on_image(line[0], size), viewer.on_image(line[1], size)


def _apart(one: tuple[Point, Point], other: tuple[Point, Point]) -> float:
    return min(max(math.dist(one[0], a), math.dist(one[1], b)) for a, b in ((other[0], other[1]), (other[1], other[0])))


def overlay_dice(plain: bytes, overlaid: bytes, viewer: Viewer, plane: Plane) -> float:
    """Dice of the pixels that the segmentation colours on the page and the outline of the results."""
    before, after = (np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=int) for png in (plain, overlaid))
    coloured: NDArray[np.bool_] = np.ptp(after, axis=2) > np.ptp(before, axis=2) + 12
    ends = np.array([viewer.on_screen(point, plane.size) for point in plane.outline])
    box = viewer.canvas()
    rows, columns = polygon(ends[:, 1] - box["y"], ends[:, 0] - box["x"], coloured.shape)
    outlined = np.zeros(coloured.shape, bool)
    outlined[rows, columns] = True
    near = np.zeros(coloured.shape, bool)  # the page's own coloured texts lie elsewhere
    top, bottom, left, right = rows.min() - 30, rows.max() + 30, columns.min() - 30, columns.max() + 30
    near[top:bottom, left:right] = True
    return float(2 * (outlined & coloured & near).sum() / (outlined.sum() + (coloured & near).sum()))
