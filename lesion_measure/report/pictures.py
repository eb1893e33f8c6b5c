"""A measured frame as a picture: cut around the lesion, to scale, with outline, axes and scale bar to draw on top.

The overlay keeps the image's own pixel coordinates, x = column and y = row with pixel centres at integers, and one
`matrix` carries them into the picture; so what is drawn is what was measured. The picture itself has square pixels in
millimetres, and all pictures of one lesion show the same width and height in millimetres.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.dicom.colour import is_gray
from lesion_measure.records import Instance, PlaneMeasurement, Point
from lesion_measure.report.windows import Bounds, Cut, place_window, visible_bounds

BAR_SHARE = 0.28
TICK_PX = 10.0
JPEG_QUALITY = 88
BACKGROUND = 14
NO_REGION = "no ultrasound region is stated: cut around the lesion, but text within the picture cannot be ruled out"


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisLine:
    """An axis and its end ticks, as SVG path data in image pixels; ``name`` is long, short, or width of the outline."""

    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleBar:
    """A bar of a round number of millimetres, in pixels of the picture."""

    millimetres: int
    left: float
    right: float
    row: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTag:
    """A lesion's name above it, in pixels of the picture, and its outline in image pixels where it is not drawn yet.

    ``asked`` is True for the lesion that the picture is about.
    """

    text: str
    column: float
    row: float
    outline: str
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A column or row of the image that is numbered at the edge, in pixels of the picture.

    ``line`` is x1, y1, x2, y2 of its line across the image, ``column`` and ``row`` where its number stands.
    """

    text: str
    line: tuple[float, float, float, float]
    column: float
    row: float
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameImage:
    """A frame and what is drawn on it; ``jpeg`` is the encoded image, ``note`` what a reader has to know.

    ``matrix`` carries (column, row) of the image into the picture (SVG's a b c d e f). ``lines`` are where other cuts
    through the same body lie, as SVG path data in image pixels. ``ticks`` number columns and rows at the edges, where a
    reader may have to write down a place. ``bar`` is None where the image has no scale.
    """

    jpeg: bytes
    width: int
    height: int
    matrix: tuple[float, float, float, float, float, float]
    outline: str
    axes: tuple[AxisLine, ...]
    bar: ScaleBar | None
    note: str = ""
    names: tuple[NameTag, ...] = ()
    lines: str = ""
    ticks: tuple[Tick, ...] = ()

    @property
    def transform(self) -> str:
        """The matrix as SVG has it."""
        return "matrix({})".format(" ".join(f"{number:.6g}" for number in self.matrix))


def draw(
    plane: PlaneMeasurement,
    pixels: NDArray[np.uint8],
    image: Instance | None,
    view_mm: tuple[float, float],
    width_px: int,
) -> FrameImage:
    """The picture of one measurement.

    Parameters
    ----------
    plane
        What was measured on the frame.
    pixels
        Display RGB of the frame, (rows, columns, 3).
    image
        Header of the frame's image, for its regions.
    view_mm
        Height and width to show, in mm.
    width_px
        Width of the picture.
    """
    bounds = visible_bounds(plane, image, (pixels.shape[0], pixels.shape[1]))
    window = place_window(plane, bounds, view_mm, width_px)
    axes = [AxisLine(name="long", path=axis_path(plane.long_axis_px, window))]
    if plane.short_axis_px is not None:
        name = "width" if plane.short_axis_prompted else "short"
        axes.append(AxisLine(name=name, path=axis_path(plane.short_axis_px, window)))
    return FrameImage(
        jpeg=encode(resample(pixels, bounds, window)),
        width=window.picture_width,
        height=window.picture_height,
        matrix=window.matrix,
        outline="" if plane.outline_px is None else outline_path(plane.outline_px),
        axes=tuple(axes),
        bar=scale_bar(window, view_mm[1]),
        note="" if bounds.in_region else NO_REGION,
    )


def resample(pixels: NDArray[np.uint8], bounds: Bounds, window: Cut) -> Image.Image:
    """The window of a frame at the picture's size, gray (mode L) or RGB; what lies outside ``bounds`` stays dark.

    Whole picture pixels are mapped back to exact places of the image, so the overlay fits to a fraction of a pixel and
    no intermediate is larger than the picture or the frame.
    """
    canvas = Image.new("L", (window.picture_width, window.picture_height), BACKGROUND)
    down, across = window.scale
    top = max(0, math.ceil((bounds.row_min - 0.5 - window.top) * down - 1e-9))
    left = max(0, math.ceil((bounds.col_min - 0.5 - window.left) * across - 1e-9))
    bottom = min(window.picture_height, math.floor((bounds.row_max + 0.5 - window.top) * down + 1e-9))
    right = min(window.picture_width, math.floor((bounds.col_max + 0.5 - window.left) * across + 1e-9))
    if bottom <= top or right <= left:
        return canvas
    region = pixels[bounds.row_min : bounds.row_max + 1, bounds.col_min : bounds.col_max + 1]
    offset_row, offset_col = window.top + 0.5 - bounds.row_min, window.left + 0.5 - bounds.col_min
    rows, box_rows = _reach(top / down + offset_row, bottom / down + offset_row, region.shape[0], bottom - top)
    columns, box_columns = _reach(
        left / across + offset_col, right / across + offset_col, region.shape[1], right - left
    )
    region = region[rows, columns]
    box = (box_columns[0], box_rows[0], box_columns[1], box_rows[1])
    if is_gray(region):  # a third of the work
        region = np.ascontiguousarray(region[..., 0])
    else:
        canvas = canvas.convert("RGB")
    part = Image.fromarray(region).resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=box)
    canvas.paste(part, (left, top))
    return canvas


def _reach(low: float, high: float, length: int, out: int) -> tuple[slice, tuple[float, float]]:
    """The pixels of one axis that bicubic scaling of ``low`` to ``high`` looks at, and the two ends among them."""
    low, high = max(0.0, low), min(float(length), high)
    beyond = math.ceil(2 * max(1.0, (high - low) / out)) + 1
    first, last = max(0, math.floor(low) - beyond), min(length, math.ceil(high) + beyond)
    return slice(first, last), (low - first, high - first)


def encode(picture: Image.Image) -> bytes:
    """A picture as a JPEG, gray or in colour as it is."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=JPEG_QUALITY)  # optimize=True takes twice as long for half a percent
    return stream.getvalue()


def data_uri(jpeg: bytes) -> str:
    """A JPEG as the address of an image within a page."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def outline_path(outline: NDArray[np.float64]) -> str:
    """SVG path data of a closed outline of (row, column) points, in image pixels."""
    return "M" + "L".join(f"{_short(col)} {_short(row)}" for row, col in outline.tolist()) + "Z"


def axis_path(ends: tuple[Point, Point], window: Cut) -> str:
    """SVG path data of an axis with a tick across each end, in image pixels; the ticks are square in the picture."""
    (row_a, col_a), (row_b, col_b) = ends
    down, across = window.scale
    run, rise = (col_b - col_a) * across, (row_b - row_a) * down
    length = math.hypot(run, rise) or 1.0
    tick_col, tick_row = -rise / length * TICK_PX / across, run / length * TICK_PX / down
    path = f"M{_short(col_a)} {_short(row_a)}L{_short(col_b)} {_short(row_b)}"
    for row, col in ends:
        path += f"M{_short(col - tick_col)} {_short(row - tick_row)}L{_short(col + tick_col)} {_short(row + tick_row)}"
    return path


def scale_bar(window: Cut, view_width_mm: float) -> ScaleBar:
    """The longest bar of 1, 2, 5, 10, 20, 50 or 100 mm that takes no more than its share of the picture's width."""
    lengths = [mm for mm in (1, 2, 5, 10, 20, 50, 100) if mm <= BAR_SHARE * view_width_mm]
    millimetres = lengths[-1] if lengths else 1
    left = 0.04 * window.picture_width
    return ScaleBar(
        millimetres=millimetres,
        left=left,
        right=left + millimetres * window.picture_width / view_width_mm,
        row=window.picture_height - 0.05 * window.picture_width,
    )


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
