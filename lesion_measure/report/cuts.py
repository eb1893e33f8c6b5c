"""Three orthogonal cuts through a lesion of true 3D data: its slice, and two that no picture of the file shows.

The second and third go through the middle of the body across all slices, along the image's rows and along its columns.
Each is to scale: slices are drawn as far apart as they lie. Dashed lines show where the other two cuts lie. As on every
picture nothing is shown outside of the region that holds the lesion (`windows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import PixelError
from lesion_measure.measure.contours import contours
from lesion_measure.records import Body, Instance, LesionMeasurement, PlaneMeasurement, Point, Spacing
from lesion_measure.report.pictures import NO_REGION, FrameImage, encode, outline_path, resample, scale_bar
from lesion_measure.report.windows import ASPECT, Bounds, place_window, visible_bounds
from lesion_measure.report.words import fixed

CONTEXT = 1.7
LEAST_HEIGHT_MM = 20.0
MOST_FRAMES = 2000

Frames = Callable[[str, int], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CutCell:
    """One cut: its name, the picture or words that say why there is none, and what it shows."""

    name: str
    picture: FrameImage | None = None
    words: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRow:
    """The three cuts through a lesion at one visit."""

    visit: str
    path: str
    cells: tuple[CutCell, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """A cut as an image: down and across are two of frame, row, column; ``lines`` are the other cuts' places."""

    name: str
    detail: str
    pixels: NDArray[np.uint8]
    bounds: Bounds
    spacing_mm: Spacing
    outlines: tuple[NDArray[np.float64], ...]
    lines: tuple[float, float]


def cut_rows(
    measured: Mapping[str, LesionMeasurement],
    images: Mapping[str, Instance],
    frame: Frames,
    width_px: int,
) -> Iterator[CutRow]:
    """The cuts at every visit whose data are true 3D.

    Parameters
    ----------
    measured
        The lesion by visit.
    images
        Images by SOP instance UID, for their regions and the distance of their slices.
    frame
        ``frame(sop_instance_uid, number)`` gives the display RGB of a 1-based frame.
    width_px
        Width of each picture.
    """
    found: dict[str, tuple[PlaneMeasurement, Instance, tuple[_Cut, ...] | PixelError]] = {}
    for visit, lesion in measured.items():
        plane = next((p for p in lesion.planes if p.body is not None and p.body is lesion.body), None)
        image = images.get(plane.sop_instance_uid) if plane else None
        if plane is None or plane.body is None or image is None or image.slice_spacing_mm is None:
            continue
        try:
            found[visit] = plane, image, _cuts(plane, plane.body, image, frame)
        except PixelError as error:
            found[visit] = plane, image, error
    view_mm = _view_mm([cut for *_, cuts in found.values() if not isinstance(cuts, PixelError) for cut in cuts])
    for visit, (plane, image, cuts) in found.items():
        if isinstance(cuts, PixelError):
            cells = [CutCell(name="Three cuts", words="These frames cannot be shown", detail=cuts.reason)]
        else:
            cells = [CutCell(name=c.name, detail=c.detail, picture=_picture(c, plane, view_mm, width_px)) for c in cuts]
        yield CutRow(visit=visit, path=image.path, cells=tuple(cells))


def _cuts(plane: PlaneMeasurement, body: Body, image: Instance, frame: Frames) -> tuple[_Cut, _Cut, _Cut]:
    """The three cuts through the middle of the body."""
    middle_frame, middle_row, middle_col = middle_of(body)
    whole = replace(plane, outline_px=np.vstack(body.outlines_px))
    bounds = visible_bounds(whole, image, (image.rows, image.columns))
    numbers = range(1, min(image.frames, MOST_FRAMES) + 1)
    down = np.zeros((image.rows, len(numbers), 3), dtype=np.uint8)
    across = np.zeros((len(numbers), image.columns, 3), dtype=np.uint8)
    for place, number in enumerate(numbers):
        shown = frame(image.sop_instance_uid, number)
        down[:, place], across[place] = shown[:, middle_col], shown[middle_row]
    apart = image.slice_spacing_mm or 0.0
    row_mm, col_mm = plane.spacing_mm
    place = middle_frame - 1
    last = len(numbers) - 1
    return (
        _Cut(
            "The slice", f"frame {middle_frame}", frame(image.sop_instance_uid, middle_frame), bounds, plane.spacing_mm,
            (body.outlines_px[middle_frame - body.frames[0]],), (middle_row, middle_col),
        ),
        _Cut(
            "Across slices, by row", f"row {middle_row}, slices {fixed(apart, 2)} mm apart", across,
            replace(bounds, row_min=0, row_max=last), (apart, col_mm),
            across_slices(body, middle_row, image.columns, len(numbers), along_rows=True), (place, middle_col),
        ),
        _Cut(
            "Across slices, by column", f"column {middle_col}, slices {fixed(apart, 2)} mm apart", down,
            replace(bounds, col_min=0, col_max=last), (row_mm, apart),
            across_slices(body, middle_col, image.rows, len(numbers), along_rows=False), (middle_row, place),
        ),
    )  # fmt: skip


def middle_of(body: Body) -> tuple[int, int, int]:
    """Frame (1-based), row and column of the middle of the box that holds the body."""
    points = np.vstack(body.outlines_px)
    row, col = (points.min(axis=0) + points.max(axis=0)) / 2
    return round(sum(body.frames) / 2), round(float(row)), round(float(col))


def across_slices(
    body: Body, at: int, length: int, frames: int, *, along_rows: bool
) -> tuple[NDArray[np.float64], ...]:
    """Outlines of the body in the cut across its slices along one row, (frame, column), or column, (row, frame).

    Each pixel of the cut counts by the share of it that lies inside its slice's outline; frames count from 0.

    Parameters
    ----------
    body
        The lesion.
    at
        The row or column.
    length
        Number of the image's columns or rows.
    frames
        Number of its frames.
    along_rows
        Whether ``at`` is a row.
    """
    share = np.zeros((frames, length))
    for place, outline in enumerate(body.outlines_px, start=body.frames[0] - 1):
        if place < frames:
            share[place] = _inside(outline if along_rows else outline[:, ::-1], at, length)
    padded = np.pad(share if along_rows else share.T, 1)
    return tuple(contour - 1.0 for contour in contours(padded, 0.5))


def _inside(outline: NDArray[np.float64], row: float, length: int) -> NDArray[np.float64]:
    """Share (length,) of each pixel of a row that lies inside a closed outline of (row, column)."""
    a, b = outline, np.roll(outline, -1, axis=0)
    crossing = (a[:, 0] <= row) != (b[:, 0] <= row)
    a, b = a[crossing], b[crossing]
    cols = np.sort(a[:, 1] + (row - a[:, 0]) / (b[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]))
    edges = np.arange(length + 1) - 0.5
    share = np.zeros(length)
    for start, end in zip(cols[::2], cols[1::2], strict=True):
        share += np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None)
    return share


def _view_mm(cuts: Sequence[_Cut]) -> tuple[float, float]:
    """Height and width in mm that all cuts through a lesion show."""
    height = LEAST_HEIGHT_MM
    for cut in cuts:
        points = np.vstack(cut.outlines) if cut.outlines else np.zeros((1, 2))
        high, wide = np.ptp(points, axis=0) * cut.spacing_mm
        height = max(height, CONTEXT * float(high), CONTEXT * float(wide) / ASPECT)
    return height, height * ASPECT


def _picture(cut: _Cut, plane: PlaneMeasurement, view_mm: tuple[float, float], width_px: int) -> FrameImage:
    points = np.vstack(cut.outlines) if cut.outlines else np.array([cut.lines])
    low, high = points.min(axis=0), points.max(axis=0)
    ends: tuple[Point, Point] = (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))
    shown = replace(plane, spacing_mm=cut.spacing_mm, outline_px=points, long_axis_px=ends, short_axis_px=None)
    window = place_window(shown, cut.bounds, view_mm, width_px)
    bounds = cut.bounds
    across = np.array([[cut.lines[0], bounds.col_min - 0.5], [cut.lines[0], bounds.col_max + 0.5]])
    down = np.array([[bounds.row_min - 0.5, cut.lines[1]], [bounds.row_max + 0.5, cut.lines[1]]])
    return FrameImage(
        jpeg=encode(resample(cut.pixels, bounds, window)),
        width=window.picture_width,
        height=window.picture_height,
        matrix=window.matrix,
        outline="".join(outline_path(outline) for outline in cut.outlines),
        axes=(),
        bar=scale_bar(window, view_mm[1]),
        note="" if bounds.in_region else NO_REGION,
        lines=outline_path(across) + outline_path(down),
    )
