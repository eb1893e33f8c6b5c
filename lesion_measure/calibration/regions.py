"""One ultrasound region by itself: what it shows, where it lies, and whether its scale is believed (PS3.3 C.8.5.5).

`scale` decides what the regions of an image mean together, and lists the codes of the problems found here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto

from lesion_measure import config
from lesion_measure.records import SHALLOW, Instance, Point, Region, Spacing

CM = 3
LONG_PIXELS = "so far from square is rare, one of the two scales may be wrong."
TISSUE, COLOUR_FLOW = 1, 2

# PS3.3 C.8.5.5.1.1 (formats), C.8.5.5.1.2 (data types), C.8.5.5.1.15 (units)
_FORMATS = {0: "no format", 1: "2D", 2: "M-mode", 3: "spectral", 4: "waveform", 5: "graphics"}
_TYPES = {
    0: "no data type", 1: "tissue", 2: "colour flow", 3: "PW spectral Doppler", 4: "CW spectral Doppler",
    5: "Doppler mean trace", 6: "Doppler mode trace", 7: "Doppler max trace", 8: "volume trace", 9: "dV/dt trace",
    10: "ECG trace", 11: "pulse trace", 12: "phonocardiogram trace", 13: "gray bar", 14: "colour bar",
    15: "integrated backscatter", 16: "area trace", 17: "dA/dt trace", 18: "other physiological trace",
}  # fmt: skip
_UNITS = {
    0: "none", 1: "percent", 2: "dB", 3: "cm", 4: "s", 5: "Hz", 6: "dB/s", 7: "cm/s", 8: "cm2", 9: "cm2/s",
    10: "cm3", 11: "cm3/s", 12: "degrees",
}  # fmt: skip


class RegionContent(Enum):
    """What the pixels of a region are, as far as lengths go."""

    SPATIAL = auto()  # tissue or colour flow, 2D, in cm
    PICTURE = auto()  # a 2D picture whose units or data type give it no scale
    OVERLAY = auto()  # traces, bars, graphics: lines and marks drawn over a picture
    OTHER_AXES = auto()  # M-mode and spectral: the axes are time or velocity
    NOTHING = auto()  # an item that describes nothing


@dataclass(frozen=True, slots=True)
class Problem:
    """Why no length may be taken: a stable code and a sentence."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels of a rectangle, first and last inclusive."""

    row_min: int
    row_max: int
    col_min: int
    col_max: int

    @property
    def rows(self) -> int:
        """Height in pixels; not positive where clipping left nothing."""
        return self.row_max - self.row_min + 1

    @property
    def columns(self) -> int:
        """Width in pixels; not positive where clipping left nothing."""
        return self.col_max - self.col_min + 1

    def contains(self, point: Point, inset: float = 0.0) -> bool:
        """True when the point lies on the pixels, at least ``inset`` from their outer edge."""
        row, col = point
        edge = 0.5 - inset
        inside_rows = self.row_min - edge <= row <= self.row_max + edge
        return inside_rows and self.col_min - edge <= col <= self.col_max + edge

    def holds(self, other: Box, slack: float = 0.0) -> bool:
        """True when the other box reaches nowhere further than ``slack`` beyond this one."""
        inside_rows = self.row_min - slack <= other.row_min and other.row_max <= self.row_max + slack
        return inside_rows and self.col_min - slack <= other.col_min and other.col_max <= self.col_max + slack

    def overlaps(self, other: Box, more_than: float) -> bool:
        """True when both share more than so many rows and columns."""
        rows = min(self.row_max, other.row_max) - max(self.row_min, other.row_min) + 1
        cols = min(self.col_max, other.col_max) - max(self.col_min, other.col_min) + 1
        return rows > more_than and cols > more_than


@dataclass(frozen=True, slots=True)
class CheckedRegion:
    """One region and what may be done with it: measurable where ``problem`` is None, and then it has box and spacing.

    ``spacing`` is the stated scale in mm (row, column) of a spatial region, also where it is not believed.
    """

    region: Region
    name: str
    kind: RegionContent
    box: Box | None
    spacing: Spacing | None
    problem: Problem | None
    warnings: tuple[str, ...] = ()

    @property
    def area(self) -> int:
        """Size in pixels, 0 where the corners are unknown."""
        return self.box.rows * self.box.columns if self.box else 0

    @property
    def low_priority(self) -> bool | None:
        """Bit 0 of RegionFlags (PS3.3 C.8.5.5.1.3): True where other regions' pixels lie over this one's."""
        return None if self.region.flags is None else bool(self.region.flags & 1)

    def contains(self, point: Point, inset: float = 0.0) -> bool:
        """True when the point lies on the region's pixels, at least ``inset`` from their outer edge."""
        return self.box is not None and self.box.contains(point, inset)


def check_region(region: Region, instance: Instance, settings: config.Calibration) -> CheckedRegion:
    """What a region shows, where it lies, and its scale or what is wrong with it."""
    name = f"ultrasound region {region.index} ({describe(region)})"
    kind = _kind(region)
    box = _box(region, instance)
    if kind is not RegionContent.SPATIAL:
        units = " x ".join(_label(_UNITS, unit, "unit") for unit in (region.unit_row, region.unit_col))
        problem = Problem("not_spatial", f"{name} is no 2D tissue or colour flow picture in cm (units {units}).")
        return CheckedRegion(region, name, kind, box, None, problem)
    spacing = _spacing(region)
    if spacing is None:
        deltas = ("missing or malformed" if d is None else f"{d:g}" for d in (region.delta_row, region.delta_col))
        stated = " x ".join(deltas) + " (row x column)"
        problem = Problem("invalid_delta", f"{name} states no usable cm per pixel: {stated}.")
        return CheckedRegion(region, name, kind, box, None, problem)
    flat = region.spatial_format == 1
    warnings: tuple[str, ...] = () if flat else (f"{name} does not state that it is 2D.",)
    if pixel_ratio(spacing) > settings.warn_pixel_ratio:
        warnings += (f"{name} states pixels of {in_mm(spacing)}: {LONG_PIXELS}",)
    flow = region.data_type == COLOUR_FLOW  # such a box may be small: the picture that it is part of is not
    warnings += shallow(instance.rows if flow else box.rows if box else None, spacing, settings)
    return CheckedRegion(
        region, name, kind, box, spacing, _doubt(region, name, box, spacing, instance, settings), warnings
    )


def shallow(rows: int | None, spacing: Spacing, settings: config.Calibration) -> tuple[str, ...]:
    """A warning where so many rows are less deep than any picture of a liver: the scale may be of another unit."""
    depth_mm = (rows or 0) * spacing[0]
    if not rows or depth_mm >= settings.min_depth_mm:
        return ()
    return (f"{SHALLOW}: {depth_mm:.3g} mm, less than {settings.min_depth_mm:g} mm. Its unit may be another one.",)


def describe(region: Region) -> str:
    """Data type, and spatial format where it is not plain 2D, in words."""
    data = _label(_TYPES, region.data_type, "data type")
    if region.spatial_format in (None, 0, 1):
        return data
    return f"{_label(_FORMATS, region.spatial_format, 'format')}, {data}"


def usable(spacing: Spacing | None) -> Spacing | None:
    """The spacing where it is two positive finite numbers, else None."""
    if spacing is None or not all(math.isfinite(value) and value > 0 for value in spacing):
        return None
    return spacing


def agree(one: Spacing, two: Spacing, tolerance: float) -> bool:
    """True when two scales differ by no more than a fraction, in both directions."""
    return all(math.isclose(a, b, rel_tol=tolerance) for a, b in zip(one, two, strict=True))


def pixel_ratio(spacing: Spacing) -> float:
    """A pixel's longer side over its shorter one."""
    return max(spacing) / min(spacing)


def in_mm(spacing: Spacing) -> str:
    """A spacing for people."""
    return f"{spacing[0]:.5g} x {spacing[1]:.5g} mm"


def corners(region: Region) -> str:
    """The corners that a region states, for people."""
    return f"rows {region.row_min} to {region.row_max} and columns {region.col_min} to {region.col_max}"


def _kind(region: Region) -> RegionContent:
    layout, data = region.spatial_format, region.data_type
    if layout in (2, 3) or data in (3, 4):
        return RegionContent.OTHER_AXES
    if layout in (4, 5) or data in (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18):
        return RegionContent.OVERLAY
    if layout in (None, 0) and data in (None, 0):
        return RegionContent.NOTHING
    in_cm = region.unit_row == CM and region.unit_col == CM
    return (
        RegionContent.SPATIAL
        if layout in (None, 0, 1) and data in (TISSUE, COLOUR_FLOW) and in_cm
        else RegionContent.PICTURE
    )


def _doubt(
    region: Region, name: str, box: Box | None, spacing: Spacing, instance: Instance, settings: config.Calibration
) -> Problem | None:
    """Why the scale that a spatial region states is not believed, if so."""
    if box is None or _reversed(region) or box.rows < 2 or box.columns < 2:
        return Problem("invalid_region", f"{name} has no usable corners: {corners(region)}.")
    depth_mm = box.rows * spacing[0]
    if depth_mm > settings.max_depth_mm:
        reason = f"{name} would be {depth_mm:.4g} mm deep, more than {settings.max_depth_mm:g} mm."
        return Problem("implausible_depth", reason)
    if (width_mm := box.columns * spacing[1]) > settings.max_width_mm:
        reason = f"{name} would be {width_mm:.4g} mm wide, more than {settings.max_width_mm:g} mm."
        return Problem("implausible_size", reason)
    if min(spacing) < settings.min_pixel_mm:
        reason = f"{name} states {in_mm(spacing)} per pixel (row x column), less than {settings.min_pixel_mm:g} mm."
        return Problem("implausible_size", reason)
    if pixel_ratio(spacing) > settings.max_pixel_ratio:
        reason = f"{name} states pixels of {in_mm(spacing)} (row x column), which no scanner writes."
        return Problem("implausible_pixels", reason)
    other = usable(instance.pixel_spacing)
    if other is not None and not agree(spacing, other, settings.agreement):
        reason = f"{name} states {in_mm(spacing)} per pixel (row x column), PixelSpacing {in_mm(other)}."
        return Problem("pixel_spacing_disagrees", reason)
    return other_aspect(name, spacing, instance, settings)


def other_aspect(name: str, spacing: Spacing, instance: Instance, settings: config.Calibration) -> Problem | None:
    """Where PixelAspectRatio states pixels of another shape than a scale. 1\\1 says nothing: programs write it unasked.

    Parameters
    ----------
    name, spacing
        What states the scale, and the scale in mm (row, column).
    instance, settings
        The image; ``agreement`` is how far the two may differ.
    """
    stated, own = instance.aspect_ratio, spacing[0] / spacing[1]
    if stated is None or stated == 1 or math.isclose(stated, own, rel_tol=settings.agreement):
        return None
    reason = (
        f"{name} states {in_mm(spacing)} per pixel (row x column), PixelAspectRatio {stated:.4g} as row over column."
    )
    return Problem("aspect_ratio_disagrees", reason)


def _spacing(region: Region) -> Spacing | None:
    """Millimetres per pixel (row, column); the sign of a delta is a direction, not a size."""
    if region.delta_row is None or region.delta_col is None:
        return None
    return usable((abs(region.delta_row) * 10, abs(region.delta_col) * 10))


def _box(region: Region, instance: Instance) -> Box | None:
    """The pixels named, clipped to the image; corners in the wrong order still say which pixels are meant."""
    if region.row_min is None or region.row_max is None or region.col_min is None or region.col_max is None:
        return None
    first_row, last_row = sorted((region.row_min, region.row_max))
    first_col, last_col = sorted((region.col_min, region.col_max))
    return Box(
        max(0, first_row), min(instance.rows - 1, last_row), max(0, first_col), min(instance.columns - 1, last_col)
    )


def _reversed(region: Region) -> bool:
    rows, cols = (region.row_min, region.row_max), (region.col_min, region.col_max)
    return any(one is not None and two is not None and one > two for one, two in (rows, cols))


def _label(names: dict[int, str], value: int | None, what: str) -> str:
    return f"{what} not stated" if value is None else names.get(value, f"{what} {value}")
