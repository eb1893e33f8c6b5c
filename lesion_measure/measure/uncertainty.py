"""How far each size can be trusted: standard deviations from pixels, outlines and readers, and their propagation.

Parts of a `Quantity`, combined in quadrature:

- ``pixel``: a caliper's two ends, each placed to a fraction of a pixel along the line, independently;
- ``outline``: where the edge of a probability map lies; the axes of one plane share their outline, which is taken to
  err all round, so their outline errors add up;
- ``disagreement``: how far the long axis of an outline that was drawn from a caliper is from that caliper;
- ``prompted``: how far such outlines are from the truth (`config.Uncertainty.prompted_cv`), in the place of a reading's
  repeatability. It is propagated into a volume, beside the volume's own repeatability: the outline follows the caliper,
  so that a reader's error is in it too;
- ``repeatability``: how far two readings of an unchanged lesion differ (`config.Repeatability`). It belongs to the
  final size: a volume takes the published coefficient of volumes, and the diameters' own repeatability is left out of
  its propagation, so that it counts once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lesion_measure.config import Uncertainty
from lesion_measure.errors import MeasurementError
from lesion_measure.measure import geometry
from lesion_measure.measure.outline import Part, checked_mask, checked_spacing, largest_part, plain_contour
from lesion_measure.measure.sizes import (
    MaskMeasurement,
    caliper_length_mm,
    ellipsoid_volume_ml,
    measure_mask,
    measure_outline,
    rotation_volume_ml,
)
from lesion_measure.records import NORMAL_975, Point, Quantity, Spacing

# A volume of three diameters, each read by itself, has three times a diameter's relative variance; one of L S S has
# 1 + 4 times, since the short axis is read once and counts twice.
_ROTATION_REPEATABILITY = math.sqrt(5 / 3)
# of a normal distribution, in standard deviations
_UPPER_QUARTILE = 0.6744897501960817
_QUARTILES = (0.25, 0.75)

# the diameters of a volume and their powers, plane by plane
_Planes = list[list[tuple[Quantity, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineSd:
    """Standard deviations that the doubtful place of the outline gives the sizes of one mask."""

    long_axis_mm: float
    short_axis_mm: float
    area_mm2: float
    perimeter_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineQuantities:
    """The sizes of one mask with their uncertainty."""

    long_axis_mm: Quantity
    short_axis_mm: Quantity
    area_mm2: Quantity
    perimeter_mm: Quantity


def outline_quantities(
    mask_or_probability: ArrayLike, sizes: MaskMeasurement, *, spacing_mm: Spacing, settings: Uncertainty
) -> OutlineQuantities:
    """Put error bars on what `measure.measure_mask` gave for the same mask: outline and reader repeatability.

    An area repeats as two diameters that err independently, a perimeter as one diameter.

    Raises
    ------
    MeasurementError
        As `measure.measure_mask`.
    """
    sd = outline_sd_mm(mask_or_probability, spacing_mm=spacing_mm, settings=settings, sizes=sizes)
    cv = settings.repeatability.diameter_cv
    return OutlineQuantities(
        long_axis_mm=size_quantity(sizes.long_axis_mm, repeatability_cv=cv, outline=sd.long_axis_mm),
        short_axis_mm=size_quantity(sizes.short_axis_mm, repeatability_cv=cv, outline=sd.short_axis_mm),
        area_mm2=size_quantity(sizes.area_mm2, repeatability_cv=math.sqrt(2) * cv, outline=sd.area_mm2),
        perimeter_mm=size_quantity(sizes.perimeter_mm, repeatability_cv=cv, outline=sd.perimeter_mm),
    )


def prompted_quantities(
    mask_or_probability: ArrayLike, sizes: MaskMeasurement, *, caliper_mm: float, settings: Uncertainty
) -> OutlineQuantities:
    """Error bars of an outline that was drawn from a reader's long-axis caliper of ``caliper_mm``.

    Outline and caliper span the same diameter, so what they differ by there is taken for an error of the outline that
    it has all round; the long axis does not get it, since it is what differs. No reader read these sizes: the error of
    prompted outlines stands in the place of a reader's repeatability.

    Raises
    ------
    MeasurementError
        As `measure.measure_mask`.
    """
    sd = outline_sd_mm(mask_or_probability, spacing_mm=sizes.spacing_mm, settings=settings, sizes=sizes)
    apart, cv = abs(sizes.long_axis_mm - caliper_mm), settings.prompted_cv
    return OutlineQuantities(
        long_axis_mm=_of_parts(sizes.long_axis_mm, outline=sd.long_axis_mm, prompted=cv * sizes.long_axis_mm),
        short_axis_mm=_of_parts(
            sizes.short_axis_mm, disagreement=apart, outline=sd.short_axis_mm, prompted=cv * sizes.short_axis_mm
        ),
        area_mm2=_of_parts(
            sizes.area_mm2,
            disagreement=sizes.perimeter_mm * apart / 2,  # an edge that is off by half of it all round
            outline=sd.area_mm2,
            prompted=math.sqrt(2) * cv * sizes.area_mm2,
        ),
        perimeter_mm=_of_parts(
            sizes.perimeter_mm,
            disagreement=math.pi * apart,
            outline=sd.perimeter_mm,
            prompted=cv * sizes.perimeter_mm,
        ),
    )


def _of_parts(value: float, **parts: float) -> Quantity:
    return Quantity(value=value, sd=math.hypot(*parts.values()), parts=parts)


def outline_sd_mm(
    mask_or_probability: ArrayLike,
    *,
    spacing_mm: Spacing,
    settings: Uncertainty | None = None,
    sizes: MaskMeasurement | None = None,
) -> OutlineSd:
    """Spread of a mask's sizes from the width of its probability edge.

    A calibrated map is the chance that a point lies inside, so across the edge it is the distribution of the edge's
    place: the contours at 0.25 and 0.75 are its quartiles. The edge is taken to err by the same quantile all round (the
    lesion is seen too large or too small as a whole), which is the largest spread that the map allows; then a size's
    standard deviation is its difference between the two contours over 1.349. Where the map stays below 0.75 the
    difference from 0.25 to 0.5 counts twice. Hard masks, and maps surer than ``min_outline_px``, get that many pixels
    at every outline point, again all round.

    Parameters
    ----------
    mask_or_probability, spacing_mm
        As for `measure.measure_mask`; the same lesion part is looked at.
    settings
        The error-bar settings of the run; default values when None.
    sizes
        The measurement of the same mask, when at hand.

    Raises
    ------
    MeasurementError
        As `measure.measure_mask`.
    """
    settings = settings or Uncertainty()
    spacing = checked_spacing(spacing_mm, 2)
    part = largest_part(checked_mask(mask_or_probability, 2))
    pair = (float(spacing[0]), float(spacing[1]))
    sizes = sizes or measure_mask(mask_or_probability, spacing_mm=pair)
    floor = _floor(sizes, settings.min_outline_px)
    if part.hard:
        return floor
    low, high = _QUARTILES
    if float(part.values.max()) > high:
        spread = (_at_level(part, low, sizes) - _at_level(part, high, sizes)) / (2 * _UPPER_QUARTILE)
    else:
        spread = (_at_level(part, low, sizes) - _at_level(part, 0.5, sizes)) / _UPPER_QUARTILE
    return OutlineSd(
        long_axis_mm=max(floor.long_axis_mm, float(spread[0])),
        short_axis_mm=max(floor.short_axis_mm, float(spread[1])),
        area_mm2=max(floor.area_mm2, float(spread[2])),
        perimeter_mm=max(floor.perimeter_mm, float(spread[3])),
    )


def _at_level(part: Part, level: float, whole: MaskMeasurement) -> geometry.Floats:
    """Long axis, short axis, area and perimeter of the contour at one probability, taken as those of the whole mask."""
    contour = plain_contour(part.values, level)
    sizes = measure_outline(contour, spacing_mm=whole.spacing_mm, across_px=whole.across_px)
    return np.array([sizes.long_axis_mm, sizes.short_axis_mm, sizes.area_mm2, sizes.perimeter_mm])


def _floor(sizes: MaskMeasurement, min_px: float) -> OutlineSd:
    """Spread of the sizes when every outline point errs by ``min_px`` pixels outwards, all round."""
    rows_mm, cols_mm = sizes.spacing_mm
    band_px2 = min_px * geometry.perimeter(sizes.outline_px[:-1])
    return OutlineSd(
        long_axis_mm=2 * min_px * _pixel_along(*sizes.long_axis_px, sizes.spacing_mm),
        short_axis_mm=2 * min_px * _pixel_along(*sizes.short_axis_px, sizes.spacing_mm),
        area_mm2=band_px2 * rows_mm * cols_mm,
        # a band of width d round any convex outline lengthens it by 2 pi d
        perimeter_mm=2 * math.pi * min_px * math.sqrt(rows_mm * cols_mm),
    )


def _pixel_along(start_px: Point, end_px: Point, spacing_mm: Spacing) -> float:
    """Length in mm of one pixel's step along a line given in pixels."""
    rows, cols = end_px[0] - start_px[0], end_px[1] - start_px[1]
    return math.hypot(rows * spacing_mm[0], cols * spacing_mm[1]) / math.hypot(rows, cols)


def caliper_sd_mm(start_px: Point, end_px: Point, spacing_mm: Spacing, *, end_sd_px: float) -> float:
    """Spread of a caliper's length by its two ends, each off by ``end_sd_px`` pixels along the line, independently."""
    caliper_length_mm(start_px, end_px, spacing_mm)
    return math.sqrt(2) * end_sd_px * _pixel_along(start_px, end_px, spacing_mm)


def size_quantity(value: float, *, repeatability_cv: float, **parts: float) -> Quantity:
    """A size with its standard deviation: named parts (in the size's unit) and repeatability, in quadrature.

    ``repeatability_cv`` is the coefficient of variation (SD / mean) of this kind of size between readings.
    """
    return _of_parts(value, **parts, repeatability=repeatability_cv * value)


def caliper_quantity(start_px: Point, end_px: Point, spacing_mm: Spacing, settings: Uncertainty) -> Quantity:
    """Length of a reader's caliper in mm with its uncertainty.

    Raises
    ------
    MeasurementError
        As `measure.caliper_length_mm`.
    """
    return size_quantity(
        caliper_length_mm(start_px, end_px, spacing_mm),
        repeatability_cv=settings.repeatability.diameter_cv,
        pixel=caliper_sd_mm(start_px, end_px, spacing_mm, end_sd_px=settings.caliper_end_px),
    )


def ellipsoid_volume_quantity(a_mm: Quantity, b_mm: Quantity, c_mm: Quantity, settings: Uncertainty) -> Quantity:
    """Volume pi/6 a b c in mL, where ``a`` and ``b`` are the axes of the first plane and ``c`` is of the second.

    The outline errors of ``a`` and ``b`` come from the same outline and add up; that of ``c``, and all pixel errors,
    are independent.

    Raises
    ------
    MeasurementError
        A diameter is not positive and finite.
    """
    value = ellipsoid_volume_ml(a_mm.value, b_mm.value, c_mm.value)
    planes: _Planes = [[(a_mm, 1), (b_mm, 1)], [(c_mm, 1)]]
    return _volume(value, planes, settings.repeatability.volume_cv)


def rotation_volume_quantity(long_mm: Quantity, short_mm: Quantity, settings: Uncertainty) -> Quantity:
    """Volume pi/6 L S S in mL; the short axis stands for two diameters, so its error counts twice in full.

    Both axes are of one plane, so their outline errors add up. The repeatability is that of a volume of three
    diameters times sqrt(5/3): two readings, of which one counts twice.

    Raises
    ------
    MeasurementError
        A diameter is not positive and finite.
    """
    value = rotation_volume_ml(long_mm.value, short_mm.value)
    planes: _Planes = [[(long_mm, 1), (short_mm, 2)]]
    return _volume(value, planes, _ROTATION_REPEATABILITY * settings.repeatability.volume_cv)


def _volume(value: float, planes: _Planes, repeatability_cv: float) -> Quantity:
    """Relative errors of the diameters, times their powers: outlines' added within a plane, all else in quadrature."""
    names = sorted({name for plane in planes for d, _ in plane for name in d.parts} - {"repeatability"})
    parts = {}
    for name in names:
        errors = [[power * d.parts.get(name, 0.0) / d.value for d, power in plane] for plane in planes]
        together = sum if name == "outline" else _quadrature
        parts[name] = value * _quadrature(together(plane) for plane in errors)
    return size_quantity(value, repeatability_cv=repeatability_cv, **parts)


def _quadrature(errors: Iterable[float]) -> float:
    return math.hypot(*errors)


def ratio_ci95(baseline: Quantity, followup: Quantity) -> tuple[float, float]:
    """95 % interval of the percent change that measurement error alone gives (delta method on the log ratio).

    Raises
    ------
    MeasurementError
        A value is not positive and finite, or a standard deviation negative or not finite.
    """
    for quantity in (baseline, followup):
        if not (math.isfinite(quantity.value) and quantity.value > 0):
            raise MeasurementError(f"A ratio needs positive, finite sizes, not {quantity.value!r}.", code="ratio")
        if not (math.isfinite(quantity.sd) and quantity.sd >= 0):
            raise MeasurementError(f"A standard deviation is 0 or more and finite, not {quantity.sd!r}.", code="ratio")
    log_ratio = math.log(followup.value / baseline.value)
    half = NORMAL_975 * math.hypot(baseline.sd / baseline.value, followup.sd / followup.value)
    return 100 * math.expm1(log_ratio - half), 100 * math.expm1(log_ratio + half)
