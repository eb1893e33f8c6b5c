"""What the network is shown of an image: intensities, windows and prompts, as numbers without torch.

With `preprocess`, which makes tensors of it, this is the one way into the network, for training and inference. A
`Window` says which part of an image the network's square grid shows, by a similarity transform between the two pixel
grids. Without a prompt it is the whole picture; with one it is a square around the caliper, turned so that the caliper
lies along the columns. Pixel centres are integer coordinates on both grids, so edges lie at -0.5 and size - 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lesion_measure.errors import MeasurementError
from lesion_measure.measure.insonation import InsonatedArea
from lesion_measure.network.sector import insonated_sector
from lesion_measure.records import Point

CaliperLine = tuple[Point, Point]
"""Both ends (row, column) of a caliper, in pixels of the image."""

MIN_CALIPER_PX = 2.0
MAX_CALIPERS = 2
"""Of one prompt: the networks learn from a long axis alone and from both axes."""
MOST_OUTSIDE = 0.3
"""How far, in lengths of the longest caliper, an end may lie outside of the insonated area: hands err."""
MIN_IMAGE_PX = 8
MAX_IMAGE_PX = 8192


Intensity = Literal["normalised", "unit", "grey"]


class Preprocessing(BaseModel):
    """The numbers of the preprocessing; a bundle states them once, in ``configs/inference.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    size: int = Field(256, ge=16, le=1024, description="Side of the network's square grid, in pixels.")
    level_percentile: float = Field(
        99.5, gt=50, le=100, description="Percentile of the non-black pixels that becomes intensity 1."
    )
    black_level: float = Field(
        0.04,
        ge=0,
        lt=0.5,
        description="Intensity (after that scaling) up to which a pixel is background, outside the ultrasound fan.",
    )
    content_share: float = Field(
        0.03,
        ge=0,
        lt=1,
        description="Share of a row's (column's) pixels that must be brighter than black_level for it to belong to the "
        "picture.",
    )
    intensity: Intensity = Field(
        "normalised",
        description="What the network is given: the picture with the mean and SD of its non-black pixels taken out "
        "(`normalised`), or 0 to 1 (`unit`) or 0 to 255 (`grey`), as networks made elsewhere may have learnt it.",
    )
    sector: bool = Field(
        False,
        description="Whether an unprompted picture is blackened outside of its insonated sector, as its pixels show.",
    )
    prompt_extent: float = Field(
        2.0, ge=1.1, le=10, description="Side of a prompted window, in lengths of the longest caliper."
    )
    prompt_end_px: float = Field(
        4.0, gt=0, le=50, description="SD of the drawn caliper's ends, in pixels of the network's grid."
    )
    prompt_line_px: float = Field(
        2.0, gt=0, le=50, description="SD of the drawn caliper's line, in pixels of the network's grid."
    )
    click_fall: float = Field(
        0.0,
        ge=0,
        le=100,
        description="How fast the map of a click falls, exp(-click_fall * r) at r sides of the grid from its middle; "
        "0: the network is not asked by clicks.",
    )
    ellipse_prior: float = Field(
        0.0,
        ge=0,
        le=20,
        description="Logit, at the centre, of the ellipse that calipers suggest, to which the network's own answer is "
        "added; 0: none.",
    )
    logit_limit: float = Field(
        6.0,
        gt=0,
        le=50,
        description="Logits are clipped to plus or minus this before they are interpolated, so that the place of the "
        "outline does not depend on how certain the network is on either side of it.",
    )


@dataclass(frozen=True, slots=True)
class Window:
    """What the network's grid shows: ``native = centre + scale * turn(network - middle)``.

    ``scale`` is native pixels per network pixel; ``angle`` (radians) turns the network's column axis from the image's
    columns towards its rows; ``mirror`` reverses the column axis first (training only).
    """

    centre: Point
    scale: float
    size: int
    angle: float = 0.0
    mirror: bool = False

    def _axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Unit vectors (row, column) of the network's row and column axis in the image."""
        row_axis = np.array([math.cos(self.angle), -math.sin(self.angle)])
        col_axis = np.array([math.sin(self.angle), math.cos(self.angle)])
        return row_axis, -col_axis if self.mirror else col_axis

    def to_native(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Network points (n, 2) as image points (row, column)."""
        row_axis, col_axis = self._axes()
        offset = (np.asarray(points, dtype=np.float64) - (self.size - 1) / 2) * self.scale
        return np.asarray(self.centre) + offset[:, :1] * row_axis + offset[:, 1:] * col_axis

    def to_network(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Image points (n, 2) as network points (row, column)."""
        offset = (np.asarray(points, dtype=np.float64) - np.asarray(self.centre)) / self.scale
        return np.stack([offset @ axis for axis in self._axes()], axis=1) + (self.size - 1) / 2

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Matrix (2, 2) and offset (2,) with ``native = matrix @ network + offset``."""
        matrix = self.scale * np.column_stack(self._axes())
        return matrix, np.asarray(self.centre) - matrix @ np.full(2, (self.size - 1) / 2)

    def to_network_grid(self, rows: slice, cols: slice) -> NDArray[np.float64]:
        """Every pixel of a rectangle of the image as network places (2, rows, columns)."""
        back = np.linalg.inv(self.affine()[0])
        first = self.to_network(np.array([[rows.start, cols.start]], dtype=np.float64))[0]
        down, across = np.arange(rows.stop - rows.start), np.arange(cols.stop - cols.start)
        return np.stack(
            [at + along * down[:, None] + aside * across for at, (along, aside) in zip(first, back, strict=True)]
        )

    def bounds(self, shape: tuple[int, int], margin: float = 0.0) -> tuple[slice, slice]:
        """Rows and columns of an image of this shape that the window reaches, widened by ``margin`` image pixels."""
        edge = self.size - 0.5
        corners = self.to_native(np.array([[-0.5, -0.5], [-0.5, edge], [edge, -0.5], [edge, edge]]))
        low = np.floor(corners.min(axis=0) - margin).astype(int)
        high = np.ceil(corners.max(axis=0) + margin).astype(int) + 1
        rows, cols = (
            slice(min(max(first, 0), length), max(min(last, length), 0))
            for first, last, length in zip(low, high, shape, strict=True)
        )
        return rows, cols


def scale_intensity(
    image: NDArray[np.generic], preprocessing: Preprocessing, level: float | None = None
) -> NDArray[np.float32]:
    """An image (rows, columns) of any scale whose black is 0, as float32 in 0..1.

    ``level`` is the value that becomes 1, where it is known already (`intensity_level` of the picture that this is
    cut from).

    Raises
    ------
    MeasurementError
        Not a 2D numeric image, too small or too large, or with values that are not finite.
    """
    if image.ndim != 2 or not (np.issubdtype(image.dtype, np.number) or image.dtype == np.bool_):
        raise MeasurementError("An image must be a 2D array of numbers.", code="image_shape")
    if min(image.shape) < MIN_IMAGE_PX or max(image.shape) > MAX_IMAGE_PX:
        raise MeasurementError(
            f"An image of {image.shape[0]} x {image.shape[1]} pixels cannot be segmented.",
            remedy=f"Sides of {MIN_IMAGE_PX} to {MAX_IMAGE_PX} pixels are possible.",
            code="image_shape",
        )
    # Of 8 bits each value is computed once, and looked up.
    values = np.asarray(np.arange(256) if image.dtype == np.uint8 else image, dtype=np.float32)
    if not np.isfinite(values).all():
        raise MeasurementError("The image holds values that are not finite.", code="image_values")
    if level is None:
        level = intensity_level(image, preprocessing)
    scaled = np.clip(values / np.float32(level), 0.0, 1.0) if level > 0 else np.zeros_like(values)
    return scaled.take(np.asarray(image, dtype=np.uint8)) if image.dtype == np.uint8 else scaled.astype(np.float32)


def intensity_level(image: NDArray[np.generic], preprocessing: Preprocessing) -> float:
    """The value of an image (rows, columns) that becomes intensity 1; 0 where the image is black."""
    # A fixed stride keeps the percentile cheap on large images and the same in training and inference.
    sample = np.asarray(image[:: 1 + image.shape[0] // 512, :: 1 + image.shape[1] // 512], dtype=np.float32)
    bright = sample[sample > preprocessing.black_level * max(float(sample.max()), 0.0)]
    return float(np.percentile(bright, preprocessing.level_percentile)) if bright.size else 0.0


def sector_of(scaled: NDArray[np.float32], preprocessing: Preprocessing) -> NDArray[np.bool_] | None:
    """The insonated sector (rows, columns) of an image in 0..1; None where the network is shown all of it."""
    return insonated_sector(scaled, preprocessing.black_level) if preprocessing.sector else None


def insonated(
    scaled: NDArray[np.float32], preprocessing: Preprocessing, sector: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """What an unprompted network is shown of an image in 0..1: with ``sector``, nothing beside what was insonated."""
    sector = sector_of(scaled, preprocessing) if sector is None else sector
    return scaled if sector is None else np.multiply(scaled, sector, dtype=np.float32)  # faster than to choose


def automatic_window(scaled: NDArray[np.float32], preprocessing: Preprocessing) -> Window:
    """The whole picture, without its black margins, aspect kept; ``scaled`` comes from `scale_intensity`."""
    bright = (scaled > preprocessing.black_level).view(np.uint8)
    box = []
    for axis in (1, 0):
        counts = bright.sum(axis=axis, dtype=np.uint16)  # no side is longer, and wider numbers take four times as long
        shares = counts / np.float64(bright.shape[axis])
        inside = np.flatnonzero(shares > preprocessing.content_share)
        box.append((int(inside[0]), int(inside[-1])) if inside.size else (0, scaled.shape[1 - axis] - 1))
    longest = max(last - first + 1 for first, last in box)
    return Window(
        centre=((box[0][0] + box[0][1]) / 2, (box[1][0] + box[1][1]) / 2),
        scale=max(longest, MIN_IMAGE_PX) / preprocessing.size,
        size=preprocessing.size,
    )


def check_prompt(calipers: Sequence[CaliperLine], shape: tuple[int, int]) -> None:
    """Make sure that calipers can be those of one lesion in an image of this shape: its long axis, or both axes.

    Raises
    ------
    MeasurementError
        There are more than two, one is no caliper (`prompt_window`) or lies outside the image, or the two lie apart.
    """
    lines = _caliper_lines(calipers)
    if len(lines) > MAX_CALIPERS:
        raise MeasurementError(
            f"A prompt has {len(lines)} calipers, and a network knows a long and a short axis.",
            remedy="Give the two calipers of one reader, and those of another reader or lesion by themselves.",
            code="caliper_count",
        )
    for number, line in enumerate(lines, start=1):
        for which, (row, col) in zip(("start", "end"), line.tolist(), strict=True):
            if not (-0.5 <= row <= shape[0] - 0.5 and -0.5 <= col <= shape[1] - 0.5):
                raise MeasurementError(
                    f"The {which} of caliper {number}, row {row:g} and column {col:g}, lies outside the image of "
                    f"{shape[0]} rows and {shape[1]} columns.",
                    remedy="Give ends as (row, column), in pixels of this image.",
                    code="caliper_outside",
                )
    if lie_apart(calipers):
        raise MeasurementError(
            "The calipers lie further apart than the longer one is long; those of one prompt must be of one lesion.",
            remedy="Outline each lesion by itself, with its own calipers.",
            code="calipers_apart",
        )


def click_window(click: Point, scaled: NDArray[np.float32], preprocessing: Preprocessing) -> Window:
    """A window of the size of `automatic_window` with a click in its middle; ``scaled`` as there."""
    return replace(automatic_window(scaled, preprocessing), centre=click)


def check_insonated(calipers: Sequence[CaliperLine], area: InsonatedArea) -> None:
    """Make sure that calipers do not lie where the beam has not reached, such as those with rows and columns swapped.

    Raises
    ------
    MeasurementError
        An end lies outside of the insonated area by more than `MOST_OUTSIDE` of the longer caliper.
    """
    ends = _caliper_lines(calipers)
    most = MOST_OUTSIDE * float(np.hypot(*(ends[:, 1] - ends[:, 0]).T).max())
    if (away := _outside_px(ends.reshape(-1, 2), area)) <= most:
        return
    shape, turned = np.asarray(area.mask.shape), ends.reshape(-1, 2)[:, ::-1]
    fits = bool((turned <= shape - 0.5).all()) and _outside_px(turned, area) <= most
    raise MeasurementError(
        f"An end of a caliper lies {away:.0f} pixels outside of the insonated area, where there is no picture.",
        remedy="Give ends as (row, column): swapped, these lie in the picture."
        if fits
        else "Give ends as (row, column), in pixels of this image.",
        code="not_insonated",
    )


def _outside_px(points: NDArray[np.float64], area: InsonatedArea) -> float:
    """Greatest distance in pixels of points (n, 2) from the insonated area."""
    rows, cols = np.clip(np.round(points).astype(int), 0, np.asarray(area.mask.shape) - 1).T
    if area.mask[rows, cols].all():
        return 0.0
    return float(scipy.ndimage.distance_transform_edt(~area.mask)[rows, cols].max())


def lie_apart(calipers: Sequence[CaliperLine]) -> bool:
    """Whether the middles of the first two calipers are further apart than the longer one is long."""
    lines = np.asarray(calipers[:MAX_CALIPERS], dtype=np.float64)
    middles = lines.mean(axis=1)
    return bool(np.hypot(*(middles[-1] - middles[0])) > np.hypot(*(lines[:, 1] - lines[:, 0]).T).max())


def _caliper_lines(calipers: Sequence[CaliperLine]) -> NDArray[np.float64]:
    """Calipers as numbers (n, 2, 2), each long enough to have a direction."""
    try:
        lines = np.asarray(calipers, dtype=np.float64)
    except (TypeError, ValueError):
        lines = np.empty(0)
    if lines.ndim != 3 or lines.shape[0] == 0 or lines.shape[1:] != (2, 2) or not np.isfinite(lines).all():
        raise MeasurementError(
            "A caliper is two points (row, column), and this is none.",
            remedy="Give a list of calipers, such as [((212, 301), (240, 388))], all numbers finite.",
            code="caliper_shape",
        )
    lengths = np.hypot(*(lines[:, 1] - lines[:, 0]).T)
    if lengths.min() < MIN_CALIPER_PX:
        raise MeasurementError(
            f"Caliper {int(lengths.argmin()) + 1} is {lengths.min():.3g} pixels long.",
            remedy=f"Give both ends of the lesion's axis, {MIN_CALIPER_PX:g} pixels apart or more.",
            code="caliper_length",
        )
    return lines


def prompt_window(calipers: Sequence[CaliperLine], preprocessing: Preprocessing) -> Window:
    """A square around one lesion's calipers, turned so that the longest lies along the columns.

    Raises
    ------
    MeasurementError
        A caliper is no two finite points, or shorter than two pixels.
    """
    lines = _caliper_lines(calipers)
    lengths = np.hypot(*(lines[:, 1] - lines[:, 0]).T)
    start, end = lines[int(lengths.argmax())]
    centre = (start + end) / 2
    reach = 2 * float(np.hypot(*(lines.reshape(-1, 2) - centre).T).max())
    direction = end - start
    # The same line drawn from either end gives the same window.
    direction = -direction if (direction[1], direction[0]) < (0.0, 0.0) else direction
    return Window(
        centre=(float(centre[0]), float(centre[1])),
        scale=preprocessing.prompt_extent * reach / preprocessing.size,
        size=preprocessing.size,
        angle=math.atan2(float(direction[0]), float(direction[1])),
    )
