"""Which pixels of a screen are the scan, and not the words, names and bars that the machine draws around it.

Text outside of the scan is not looked for: whatever lies there can be blanked. Text in it is for `text_finder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.measure.insonation import InsonatedArea, insonated_area
from lesion_measure.records import Region

FRAMES = 5
"""Frames of a cine, evenly spaced, that tell its insonated area."""
_TISSUE, _MOTION, _SPECTRUM = 1, 2, 3
"""RegionSpatialFormat (PS3.3 C.8.5.5.1.1) of regions that hold the scan: 2D, M-mode, spectral. Others are graphics."""
_EDGE_PX = 1
_FOUND: WeakKeyDictionary[OpenImage, dict[tuple[int, ...], InsonatedArea]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class ScanArea:
    """``mask`` (rows, columns) is True on the scan; everywhere where nothing tells where that is (``known`` False)."""

    mask: NDArray[np.bool_]
    known: bool


def scan_area(image: OpenImage, frames: Sequence[int] = ()) -> ScanArea:
    """The scan on an image's frames: of each region that holds one, what the beam has reached.

    It is told by the ``frames`` (1-based) that are named, else by some.

    Without such regions the area is looked for on the whole frame. Where a region's own area cannot be told, its whole
    rectangle counts; where there is no region either, the area is not known.

    Raises
    ------
    InputError
        A frame cannot be decoded.
    """
    shape = image.instance.rows, image.instance.columns
    boxes = [box for region in image.instance.regions if (box := _box(region, shape)) is not None]
    if not boxes:
        found = _insonated(image, slice(0, shape[0]), slice(0, shape[1]), frames)
        return ScanArea(found.mask, found.known)
    mask = np.zeros(shape, dtype=np.bool_)
    for rows, cols, is_tissue in boxes:
        mask[rows, cols] |= _insonated(image, rows, cols, frames).mask if is_tissue else True
    return ScanArea(mask, known=True)


def insonated_in(image: OpenImage, rows: slice, cols: slice) -> InsonatedArea | None:
    """The insonated area of a part of an image's frames; None where they cannot be decoded."""
    try:
        return _insonated(image, rows, cols)
    except InputError:
        return None  # a caliper's length holds without its pixels, and says that they cannot be shown


def _insonated(image: OpenImage, rows: slice, cols: slice, frames: Sequence[int] = ()) -> InsonatedArea:
    """The insonated area of a part of an image; found once while it is open, for its calipers and its picture."""
    found = _FOUND.setdefault(image, {})
    key = (rows.start, rows.stop, cols.start, cols.stop, *frames)
    if key not in found:
        found[key] = insonated_area(_luminance(image, frames)[:, rows, cols])
    return found[key]


def evenly(total: int, most: int) -> list[int]:
    """At most so many frame numbers (1-based), evenly spaced, the first and the last among them."""
    return sorted({int(number) for number in np.linspace(1, total, min(most, total)).round()})


def _luminance(image: OpenImage, frames: Sequence[int]) -> NDArray[np.uint8]:
    """Brightness (frames, rows, columns) of the frames named, else of some."""
    return np.stack([image.frame(number).luminance() for number in frames or evenly(image.instance.frames, FRAMES)])


def _box(region: Region, shape: tuple[int, int]) -> tuple[slice, slice, bool] | None:
    """Rows and columns of a region that holds a scan, and whether it is one of tissue; None for any other."""
    corners = region.row_min, region.row_max, region.col_min, region.col_max
    if region.spatial_format not in (_TISSUE, _MOTION, _SPECTRUM) or None in corners:
        return None
    top, bottom, left, right = (int(corner) for corner in corners if corner is not None)
    fits = 0 <= top < bottom <= shape[0] - 1 + _EDGE_PX and 0 <= left < right <= shape[1] - 1 + _EDGE_PX
    return (slice(top, bottom + 1), slice(left, right + 1), region.spatial_format == _TISSUE) if fits else None
