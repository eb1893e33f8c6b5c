"""Pictures of what needs review or was refused: the frame to look at, and what a reader or the network drew on it.

Columns and rows are numbered at the edges as caliper files count them, from 0 in the upper left pixel, so that a reader
can write down where a lesion lies. What lies outside of the ultrasound regions is left out, as in every picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Config
from lesion_measure.dicom.colour import in_gray, is_gray
from lesion_measure.errors import PixelError
from lesion_measure.records import Instance, Refusal, Sight
from lesion_measure.report.cells import Pictures
from lesion_measure.report.pictures import (
    BACKGROUND,
    NO_REGION,
    AxisLine,
    FrameImage,
    Tick,
    axis_path,
    encode,
    outline_path,
    resample,
    scale_bar,
)
from lesion_measure.report.views import SubjectView
from lesion_measure.report.windows import Bounds, Cut, spatial_bounds, surroundings

MOST_PICTURES = 12
"""Pictures a child; how many more there would be is said."""

ASPECT = 4 / 3
LEFT, TOP, PAD = 0.09, 0.055, 0.02
"""Room around the image, as shares of the picture's width: for the rows' numbers, for the columns', for nothing."""
COLUMNS_APART, ROWS_APART = 0.08, 0.07
"""Least distance of two numbers, as shares of the picture's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SightCell:
    """One item and its picture, or words that say why there is none; ``frame`` says which of the image's frames."""

    refusal: Refusal
    frame: str
    drawn: str
    picture: FrameImage | None = None
    words: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sights:
    """The pictures of a child's items, made when iterated, and how many more items name an image."""

    cells: Iterator[SightCell]
    left_out: int


def sights(view: SubjectView, images: Mapping[str, Instance], pictures: Pictures, config: Config) -> Sights:
    """The items of a child that name an image of the run: what needs review first, then what was refused."""
    by_path = {image.path: image for image in images.values()}
    shown: list[tuple[Refusal, Instance]] = []
    for refusal in dict.fromkeys((*view.review, *view.refused)):
        image = images.get(refusal.sop_instance_uid or "") or by_path.get(refusal.path or "")
        if image is not None:
            shown.append((refusal, image))
    width = config.report.image_width_px
    cells = (_cell(view, refusal, image, pictures, width) for refusal, image in shown[:MOST_PICTURES])
    return Sights(cells=cells, left_out=max(0, len(shown) - MOST_PICTURES))


def _cell(view: SubjectView, refusal: Refusal, image: Instance, pictures: Pictures, width_px: int) -> SightCell:
    sight = refusal.sight or _measured(view, refusal, image)
    frame = "" if image.frames == 1 else f"Frame {sight.frame} of {image.frames}"
    if image.frames > 1 and sight.frames > 1:
        frame += f", {sight.frames} were looked at"
    found = SightCell(refusal=refusal, frame=frame, drawn=_drawn(sight))
    try:
        pixels = pictures(image.sop_instance_uid, sight.frame)
    except PixelError as error:
        return replace(
            found, words="This frame cannot be shown", detail=f"{error.reason} {error.remedy}".strip(), drawn=""
        )
    picture = draw_sight(sight, pixels, image, width_px)
    if picture is None:
        detail = "The image states no ultrasound region, so text within the picture cannot be ruled out."
        return replace(found, words="This frame is not shown", detail=detail)
    return replace(found, picture=picture)


def _drawn(sight: Sight) -> str:
    if sight.outlines:
        count = len(sight.outlines)
        return "Drawn: what the network proposes" if count == 1 else f"Drawn: the network's {count} proposals"
    return "Drawn: the reader's calipers" if sight.lines else ""


def _measured(view: SubjectView, refusal: Refusal, image: Instance) -> Sight:
    """What was measured of the lesion on this image, where an item does not say itself what to look at."""
    planes = [p for m in view.record.lesions for p in m.planes if p.sop_instance_uid == image.sop_instance_uid]
    own = [p for p in planes if refusal.lesion in (None, p.lesion)]
    if not own:
        return Sight(spacing_mm=planes[0].spacing_mm if planes else None)
    same = [p for p in own if p.frame == own[0].frame]
    return Sight(
        frame=own[0].frame,
        spacing_mm=own[0].spacing_mm,
        outlines=tuple(p.outline_px for p in same if p.outline_px is not None),
        lines=tuple(axis for p in same for axis in (p.long_axis_px, p.short_axis_px) if axis is not None),
    )


def draw_sight(sight: Sight, pixels: NDArray[np.uint8], image: Instance, width_px: int) -> FrameImage | None:
    """The whole visible part of a frame with numbered columns and rows; None where nothing may be shown.

    Parameters
    ----------
    sight
        What to draw on the frame.
    pixels
        Display RGB of the frame, (rows, columns, 3).
    image
        Header of the frame's image, for its regions.
    width_px
        Width of the picture, which is at most three quarters as high.
    """
    shape = (pixels.shape[0], pixels.shape[1])
    points = np.vstack([np.empty((0, 2)), *sight.outlines, *(np.asarray(line) for line in sight.lines)])
    spacing = sight.spacing_mm or (1.0, 1.0)
    regions = spatial_bounds(image, shape)
    if not regions and not len(points):
        return None
    shown = regions or [surroundings(points, spacing, shape)]
    bounds = _around(shown, points, shape)
    window = _window(bounds, spacing, width_px)
    bar = None
    if sight.spacing_mm is not None:
        bar = scale_bar(window, window.width * spacing[1])
        shift = window.matrix[4] + window.scale[1] * (bounds.col_min - 0.5) + PAD * width_px - bar.left
        bar = replace(bar, left=bar.left + shift, right=bar.right + shift)
    return FrameImage(
        jpeg=encode(resample(_masked(pixels, shown), bounds, window)),
        width=window.picture_width,
        height=window.picture_height,
        matrix=window.matrix,
        outline="".join(outline_path(outline) for outline in sight.outlines),
        axes=tuple(AxisLine(name="long", path=axis_path(line, window)) for line in sight.lines),
        bar=bar,
        note="" if regions else NO_REGION,
        ticks=(*_column_ticks(bounds, window), *_row_ticks(bounds, window)),
    )


def _around(shown: list[Bounds], points: NDArray[np.float64], shape: tuple[int, int]) -> Bounds:
    """The rectangle that holds all that may be shown, and what was drawn beside it, as far as the image goes."""
    corners = np.array([[(b.row_min, b.col_min), (b.row_max, b.col_max)] for b in shown]).reshape(-1, 2)
    every = np.clip(np.vstack([corners, points]), 0, np.array(shape) - 1)
    (row_min, col_min), (row_max, col_max) = np.floor(every.min(axis=0)), np.ceil(every.max(axis=0))
    return Bounds(row_min=int(row_min), row_max=int(row_max), col_min=int(col_min), col_max=int(col_max))


def _masked(pixels: NDArray[np.uint8], shown: list[Bounds]) -> NDArray[np.uint8]:
    seen = pixels[..., 0] if is_gray(pixels) else pixels  # a third of the work
    masked = np.full(seen.shape, BACKGROUND, dtype=np.uint8)
    for b in shown:
        part = slice(b.row_min, b.row_max + 1), slice(b.col_min, b.col_max + 1)
        masked[part] = seen[part]
    return in_gray(masked) if masked.ndim == 2 else masked


def _window(bounds: Bounds, spacing: tuple[float, float], width_px: int) -> Cut:
    """The window that shows ``bounds`` as large as it goes, with room for the numbers above and to the left."""
    rows, columns = bounds.shape
    room = (1 / ASPECT - TOP - PAD) * width_px, (1 - LEFT - PAD) * width_px
    scale = min(room[0] / (rows * spacing[0]), room[1] / (columns * spacing[1]))
    down, across = scale * spacing[0], scale * spacing[1]
    height = round(down * rows + (TOP + PAD) * width_px)
    spare = (room[1] - across * columns) / 2
    return Cut(
        top=bounds.row_min - 0.5 - TOP * width_px / down,
        left=bounds.col_min - 0.5 - (LEFT * width_px + spare) / across,
        height=height / down,
        width=width_px / across,
        picture_width=width_px,
        picture_height=height,
    )


def round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that is not below ``least``."""
    power: int = 10 ** max(0, math.floor(math.log10(max(least, 1.0))))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= least)


def _column_ticks(bounds: Bounds, window: Cut) -> Iterator[Tick]:
    across, _, _, down, x, y = window.matrix
    step = round_step(COLUMNS_APART * window.picture_width / across)
    top, bottom = down * (bounds.row_min - 0.5) + y, down * (bounds.row_max + 0.5) + y
    for number in range(-(-bounds.col_min // step) * step, bounds.col_max + 1, step):
        at = across * number + x
        above = top - 0.012 * window.picture_width
        yield Tick(text=str(number), line=(at, above, at, bottom), column=at, row=above, anchor="middle")


def _row_ticks(bounds: Bounds, window: Cut) -> Iterator[Tick]:
    across, _, _, down, x, y = window.matrix
    step = round_step(ROWS_APART * window.picture_width / down)
    left, right = across * (bounds.col_min - 0.5) + x, across * (bounds.col_max + 0.5) + x
    for number in range(-(-bounds.row_min // step) * step, bounds.row_max + 1, step):
        at = down * number + y
        before = left - 0.012 * window.picture_width
        row = at + 0.010 * window.picture_width  # so that the number's middle is at the row
        yield Tick(text=str(number), line=(before, at, right, at), column=before - 2, row=row, anchor="end")
