"""Millimetres per pixel of an image."""

from __future__ import annotations

from dataclasses import dataclass

from lesion_measure.records.images import Point, Spacing
from lesion_measure.records.refusal import Refusal

RESCALED = "The pixels may have been rescaled after acquisition and the stated scale left as it was"
"""How a calibration's warning of that begins; no verdict that rests on such an image is certain."""

SHALLOW = "The stated scale makes the picture hardly deep enough for a liver"
"""How a calibration's warning of that begins; no verdict that rests on such an image is certain."""

PRINTED_SCALE = "The file states no scale, and that of values printed on the image is used"
"""How the warning begins that each size has whose scale nobody stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedRegion:
    """A rectangle of the image in which lengths may be taken.

    ``row_min`` .. ``col_max`` inclusive pixel indices, clipped to the image; ``spacing_mm`` (row, column);
    ``source`` says where the scale comes from, e.g. ``"ultrasound region 0 (tissue)"``. ``spacing_cv`` is its standard
    deviation as a share of it: 0 where the file states it.
    """

    row_min: int
    row_max: int
    col_min: int
    col_max: int
    spacing_mm: Spacing
    source: str
    warnings: tuple[str, ...] = ()
    spacing_cv: float = 0.0

    def contains(self, point: Point) -> bool:
        """True when the point lies on one of the region's pixels (edges are half a pixel beyond the centres)."""
        row, col = point
        return self.row_min - 0.5 <= row <= self.row_max + 0.5 and self.col_min - 0.5 <= col <= self.col_max + 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Millimetres per pixel of one image, or the reason why there are none.

    ``spacing_mm`` (row, column), ``source`` and ``region`` are those of the largest measurable region of the image, or
    of the one region that holds the points asked for; all None where refused. ``regions`` are all measurable ones.
    """

    spacing_mm: Spacing | None
    source: str | None
    region: CalibratedRegion | None
    regions: tuple[CalibratedRegion, ...] = ()
    refusal: Refusal | None = None
    warnings: tuple[str, ...] = ()
