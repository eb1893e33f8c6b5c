"""Calipers that a scanner burnt into the pixels, as they stand there: their marks, cut out, and their printed values.

Nothing is drawn on these pictures. What lies outside of the ultrasound regions is left out as in every picture, but for
the line of text whose printed value was read: it holds a label and a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.errors import PixelError
from lesion_measure.records import Instance, MeasuredCaliper, ObjectKind
from lesion_measure.report.cells import Pictures
from lesion_measure.report.pictures import encode
from lesion_measure.report.views import SubjectView
from lesion_measure.report.windows import Bounds, spatial_bounds

_MARGIN_SHARE, _LEAST_MARGIN_PX = 0.35, 24
"""Around the marks: a share of what they span."""
_TEXT_MARGIN_PX = 3
_WIDTH_PX, _TEXT_HEIGHT_PX = 480, 40

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture and its size in pixels."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedCell:
    """One caliper's printed value as a picture, where its place is known."""

    caliper: MeasuredCaliper
    text: Shot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BurntInCell:
    """The burnt-in calipers of one frame: their marks, and their values; ``words`` say why there is no picture."""

    path: str
    frame: int
    marks: Shot | None
    printed: tuple[PrintedCell, ...]
    words: str = ""


def burnt_in_cells(view: SubjectView, images: Mapping[str, Instance], pictures: Pictures) -> Iterator[BurntInCell]:
    """Frame by frame, made when iterated."""
    own = [each for each in view.from_objects if each.origin and each.origin.kind is ObjectKind.BURNT_IN]

    def place(each: MeasuredCaliper) -> tuple[str, str, int]:
        return each.path, each.image_uid, each.frame

    for (path, uid, frame), group in groupby(sorted(own, key=place), place):
        calipers = tuple(group)
        cell = BurntInCell(
            path=path, frame=frame, marks=None, printed=tuple(PrintedCell(caliper=c, text=None) for c in calipers)
        )
        try:
            pixels = pictures(uid, frame)
        except PixelError as error:
            yield replace(cell, words=error.reason)
            continue
        texts = tuple(PrintedCell(caliper=each, text=_text(each, pixels)) for each in calipers)
        yield replace(cell, marks=_marks(calipers, images.get(uid), pixels), printed=texts)


def _marks(calipers: tuple[MeasuredCaliper, ...], image: Instance | None, pixels: Pixels) -> Shot:
    """The part of a frame around all marks, as far as its region reaches."""
    points = np.array([end for each in calipers for end in each.ends_px or ()])
    margin = max(_LEAST_MARGIN_PX, _MARGIN_SHARE * float(np.ptp(points, axis=0).max()))
    (top, left), (bottom, right) = points.min(axis=0) - margin, points.max(axis=0) + margin
    shape = pixels.shape[0], pixels.shape[1]
    whole = Bounds(row_min=0, row_max=shape[0] - 1, col_min=0, col_max=shape[1] - 1)
    regions = [
        each
        for each in spatial_bounds(image, shape)
        if all(each.row_min <= row <= each.row_max and each.col_min <= col <= each.col_max for row, col in points)
    ]
    within = max(regions, key=lambda each: each.shape[0] * each.shape[1], default=whole)
    rows = slice(max(within.row_min, int(top)), min(within.row_max, int(bottom)) + 1)
    cols = slice(max(within.col_min, int(left)), min(within.col_max, int(right)) + 1)
    part = pixels[rows, cols]
    return _shot(part, _WIDTH_PX / part.shape[1])


def _text(caliper: MeasuredCaliper, pixels: Pixels) -> Shot | None:
    """The line of text that the printed value stands in."""
    if caliper.origin is None or caliper.origin.printed_at is None:
        return None
    top, bottom, left, right = caliper.origin.printed_at
    rows = slice(max(0, top - _TEXT_MARGIN_PX), bottom + 1 + _TEXT_MARGIN_PX)
    part = pixels[rows, max(0, left - _TEXT_MARGIN_PX) : right + 1 + _TEXT_MARGIN_PX]
    return _shot(part, _TEXT_HEIGHT_PX / part.shape[0]) if part.size else None


def _shot(part: Pixels, larger: float) -> Shot:
    size = max(1, round(part.shape[1] * larger)), max(1, round(part.shape[0] * larger))
    picture = Image.fromarray(np.ascontiguousarray(part)).resize(size, Image.Resampling.BICUBIC)
    return Shot(jpeg=encode(picture), width=size[0], height=size[1])
