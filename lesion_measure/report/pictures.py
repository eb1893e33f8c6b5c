"""A measured frame as a picture: cut around the lesion, to scale, with outline, axes and scale bar to draw on top.

The overlay keeps the image's own pixel coordinates, x = column and y = row with pixel centres at integers, and one
`matrix` carries them into the picture; so what is drawn is what was measured. The picture itself has square pixels in
millimetres, and all pictures of one lesion show the same width and height in millimetres.

Pixels outside the ultrasound region that holds the lesion are left out: names of patients stand there, whatever
BurnedInAnnotation says. Where no region is known, nothing but the lesion's surroundings is shown.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.records import Instance, PlaneMeasurement, Point, Spacing

ASPECT = 4 / 3
CONTEXT = 2.3
LEAST_HEIGHT_MM = 66.0
BAR_SHARE = 0.28
TICK_PX = 10.0
JPEG_QUALITY = 88
BACKGROUND = 14
MARGIN = 0.5
NO_REGION = "no ultrasound region is stated: cut around the lesion, but text within the picture cannot be ruled out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The rectangle of an image that may be shown: first and last row and column, inclusive.

    ``in_region`` is False where no ultrasound region vouches that there is no text.
    """

    row_min: int
    row_max: int
    col_min: int
    col_max: int
    in_region: bool = True

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.row_max - self.row_min + 1, self.col_max - self.col_min + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The part of an image that a picture shows, and the picture's size.

    ``top``, ``left``, ``height``, ``width`` are in pixels of the image, whose upper left corner is (-0.5, -0.5).
    """

    top: float
    left: float
    height: float
    width: float
    picture_width: int
    picture_height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Picture pixels per image pixel, (down, across)."""
        return self.picture_height / self.height, self.picture_width / self.width

    @property
    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """SVG ``matrix(a b c d e f)`` that carries (column, row) into the picture."""
        down, across = self.scale
        return across, 0.0, 0.0, down, -self.left * across, -self.top * down


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
    """A frame and what is drawn on it; ``data_uri`` holds the encoded image, ``note`` what a reader has to know.

    ``matrix`` carries (column, row) of the image into the picture (SVG's a b c d e f). ``lines`` are where other cuts
    through the same body lie, as SVG path data in image pixels. ``ticks`` number columns and rows at the edges, where a
    reader may have to write down a place. ``bar`` is None where the image has no scale.
    """

    data_uri: str
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


def field_of_view_mm(
    planes: Sequence[PlaneMeasurement], images: Mapping[str, Instance] | None = None
) -> tuple[float, float]:
    """Height and width in mm that all pictures of one lesion share.

    The largest measurement with its surroundings, so that vessels and the liver's edge help to find the place again; no
    more than the largest of its images (by SOP instance UID, as far as known) has to show.
    """
    height, most = LEAST_HEIGHT_MM, 0.0
    for plane in planes:
        rows_mm, cols_mm = np.ptp(drawn_points(plane), axis=0) * np.asarray(plane.spacing_mm)
        height = max(height, CONTEXT * float(rows_mm), CONTEXT * float(cols_mm) / ASPECT)
        image = (images or {}).get(plane.sop_instance_uid)
        if image is None:
            most = math.inf
        else:
            high, wide = visible_bounds(plane, image, (image.rows, image.columns)).shape
            most = max(most, high * plane.spacing_mm[0], wide * plane.spacing_mm[1] / ASPECT)
    height = min(height, most)
    return height, height * ASPECT


def drawn_points(plane: PlaneMeasurement) -> NDArray[np.float64]:
    """Every point that is drawn on a frame, (n, 2) as (row, column)."""
    points: list[Point] = [*plane.long_axis_px, *(plane.short_axis_px or ())]
    array = np.asarray(points, dtype=np.float64)
    return array if plane.outline_px is None else np.vstack([array, plane.outline_px])


def visible_bounds(plane: PlaneMeasurement, image: Instance | None, shape: tuple[int, int]) -> Bounds:
    """The largest spatial ultrasound region (PS3.3 C.8.5.5) that holds the whole measurement, else its surroundings."""
    low, high = drawn_points(plane).min(axis=0), drawn_points(plane).max(axis=0)
    found = [
        cut
        for cut in spatial_bounds(image, shape)
        if cut.row_min - 0.5 <= low[0]
        and high[0] <= cut.row_max + 0.5
        and cut.col_min - 0.5 <= low[1]
        and high[1] <= cut.col_max + 0.5
    ]
    return (
        max(found, key=lambda b: math.prod(b.shape))
        if found
        else surroundings(drawn_points(plane), plane.spacing_mm, shape)
    )


def spatial_bounds(image: Instance | None, shape: tuple[int, int]) -> list[Bounds]:
    """The spatial ultrasound regions of an image (PS3.3 C.8.5.5), as far as they lie in it."""
    found: list[Bounds] = []
    for region in image.regions if image else ():
        corners = (region.row_min, region.row_max, region.col_min, region.col_max)
        if None in corners or (region.unit_row, region.unit_col) != (3, 3):
            continue
        row_min, row_max, col_min, col_max = (int(c) for c in corners if c is not None)
        cut = Bounds(
            row_min=max(row_min, 0),
            row_max=min(row_max, shape[0] - 1),
            col_min=max(col_min, 0),
            col_max=min(col_max, shape[1] - 1),
        )
        if cut.row_min <= cut.row_max and cut.col_min <= cut.col_max:
            found.append(cut)
    return found


def surroundings(points: NDArray[np.float64], spacing_mm: Spacing, shape: tuple[int, int]) -> Bounds:
    """The box of (row, column) points, (n, 2), and on each side half of its longer side in mm, within the image.

    Half of the longer side, so that a single caliper along a row still shows the lesion that it crosses.
    """
    spacing = np.asarray(spacing_mm)
    margin = MARGIN * float((np.ptp(points, axis=0) * spacing).max()) / spacing
    last = np.asarray(shape) - 1
    row_min, col_min = np.clip(np.floor(points.min(axis=0) - margin), 0, last).astype(int).tolist()
    row_max, col_max = np.clip(np.ceil(points.max(axis=0) + margin), 0, last).astype(int).tolist()
    return Bounds(row_min=row_min, row_max=row_max, col_min=col_min, col_max=col_max, in_region=False)


def place_window(plane: PlaneMeasurement, bounds: Bounds, view_mm: tuple[float, float], width_px: int) -> Cut:
    """The window of ``view_mm`` (height, width) around the measurement, moved into ``bounds`` where it fits."""
    points = drawn_points(plane)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    height, width = view_mm[0] / plane.spacing_mm[0], view_mm[1] / plane.spacing_mm[1]
    return Cut(
        top=_placed(float(centre[0]), height, bounds.row_min - 0.5, bounds.row_max + 0.5),
        left=_placed(float(centre[1]), width, bounds.col_min - 0.5, bounds.col_max + 0.5),
        height=height,
        width=width,
        picture_width=width_px,
        picture_height=round(width_px * view_mm[0] / view_mm[1]),
    )


def _placed(centre: float, length: float, low: float, high: float) -> float:
    if length >= high - low:
        return (low + high - length) / 2
    return min(max(centre - length / 2, low), high - length)


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
        data_uri=encode(resample(pixels, bounds, window)),
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
    region = np.ascontiguousarray(pixels[bounds.row_min : bounds.row_max + 1, bounds.col_min : bounds.col_max + 1])
    rows, columns = region.shape[:2]
    offset_row, offset_col = window.top + 0.5 - bounds.row_min, window.left + 0.5 - bounds.col_min
    box = (
        max(0.0, left / across + offset_col),
        max(0.0, top / down + offset_row),
        min(float(columns), right / across + offset_col),
        min(float(rows), bottom / down + offset_row),
    )
    if (region == region[..., :1]).all():  # a third of the work
        region = np.ascontiguousarray(region[..., 0])
    else:
        canvas = canvas.convert("RGB")
    part = Image.fromarray(region).resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=box)
    canvas.paste(part, (left, top))
    return canvas


def encode(picture: Image.Image) -> str:
    """A picture as a JPEG data URI, gray or in colour as it is."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


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
