"""How far each size can be trusted: standard deviations from pixels, outlines and readers, and their propagation.

Parts of a `Quantity`, combined in quadrature:

- ``pixel``: a caliper's two ends, each placed to a fraction of a pixel along the line, independently;
- ``outline``: where the edge of a probability map lies; the axes of one plane share their outline, which is taken to
  err all round, so their outline errors add up;
- ``disagreement``: how far the long axis of an outline that was drawn from a caliper is from that caliper;
- ``prompted``: how far such outlines are from the truth (`config.Uncertainty.prompted_cv`), in the place of a reading's
  repeatability. It is propagated into a volume, beside the volume's own repeatability: the outline follows the caliper,
  so that a reader's error is in it too;
- ``automatic``: how far outlines that the network drew by itself, and was sure of, are from the truth
  (`config.Uncertainty.automatic_cv`), in the place of a repeatability and propagated as ``prompted`` is;
- ``reader_bias``: what a reader measures too long or too short throughout (`config.Repeatability.reader_bias_cv`, a
  share of every diameter). It is one error of all that the reader measures: an area bears it twice, a volume three
  times, a sum as their sum, and the change between two visits of the same reader not at all;
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
    area_length_volume_ml,
    biplane_volume_ml,
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
# Areas are products of two diameters: A A / L goes as L S S too; A1 A2 / sqrt(L1 L2) takes the shared diameter as the
# mean of two readings (1/4 + 1/4) and the other two once.
_BIPLANE_REPEATABILITY = math.sqrt(2.5 / 3)
READER_BIAS = "reader_bias"
"""Name of the part that all sizes of one reader share."""
# errors of an outline all round, which its diameters and its area share
_ALL_ROUND = ("outline", "disagreement")
# of a normal distribution, in standard deviations
_UPPER_QUARTILE = 0.6744897501960817
_QUARTILES = (0.25, 0.75)

# the diameters and areas of a volume and their powers, plane by plane
_Planes = list[list[tuple[Quantity, float]]]


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
    return quantities_of_outline(sizes, sd, settings)


def quantities_of_outline(sizes: MaskMeasurement, sd: OutlineSd, settings: Uncertainty) -> OutlineQuantities:
    """The sizes of an outline with the error of its place (`outline_sd_mm`), of a reader's repeatability and bias."""
    reader = settings.repeatability
    cv = reader.diameter_cv

    def quantity(value: float, outline: float, *, repeated: float = 1.0, biased: int = 1) -> Quantity:
        return of_parts(
            value,
            outline=outline,
            repeatability=repeated * cv * value,
            **bias_part(biased * value, reader.reader_bias_cv),
        )

    return OutlineQuantities(
        long_axis_mm=quantity(sizes.long_axis_mm, sd.long_axis_mm),
        short_axis_mm=quantity(sizes.short_axis_mm, sd.short_axis_mm),
        area_mm2=quantity(sizes.area_mm2, sd.area_mm2, repeated=math.sqrt(2), biased=2),
        perimeter_mm=quantity(sizes.perimeter_mm, sd.perimeter_mm),
    )


def automatic_quantities(
    probability: ArrayLike, sizes: MaskMeasurement, *, spacing_mm: Spacing, settings: Uncertainty
) -> OutlineQuantities:
    """Error bars of an outline that the network drew by itself.

    No reader read these sizes: the error of accepted automatic outlines stands in the place of a repeatability.

    Raises
    ------
    MeasurementError
        As `measure.measure_mask`.
    """
    sd = outline_sd_mm(probability, spacing_mm=spacing_mm, settings=settings, sizes=sizes)
    return automatic_of_outline(sizes, sd, settings)


def automatic_of_outline(sizes: MaskMeasurement, sd: OutlineSd, settings: Uncertainty) -> OutlineQuantities:
    """The sizes of an outline that the network drew by itself, with the error of its place and of the network."""
    cv, bias = settings.automatic_cv, settings.repeatability.reader_bias_cv

    def quantity(value: float, outline: float, *, times: float = 1.0, biased: int = 1) -> Quantity:
        return of_parts(value, outline=outline, automatic=times * cv * value, **bias_part(biased * value, bias))

    return OutlineQuantities(
        long_axis_mm=quantity(sizes.long_axis_mm, sd.long_axis_mm),
        short_axis_mm=quantity(sizes.short_axis_mm, sd.short_axis_mm),
        area_mm2=quantity(sizes.area_mm2, sd.area_mm2, times=math.sqrt(2), biased=2),
        perimeter_mm=quantity(sizes.perimeter_mm, sd.perimeter_mm),
    )


def bias_part(value: float, cv: float) -> dict[str, float]:
    """The part of a reader's bias in a size of ``value`` (or so many times a size), where one is stated."""
    return {READER_BIAS: cv * value} if cv else {}


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
    bias = settings.repeatability.reader_bias_cv  # the outline follows the reader's caliper
    return OutlineQuantities(
        long_axis_mm=of_parts(
            sizes.long_axis_mm,
            outline=sd.long_axis_mm,
            prompted=cv * sizes.long_axis_mm,
            **bias_part(sizes.long_axis_mm, bias),
        ),
        short_axis_mm=of_parts(
            sizes.short_axis_mm,
            disagreement=apart,
            outline=sd.short_axis_mm,
            prompted=cv * sizes.short_axis_mm,
            **bias_part(sizes.short_axis_mm, bias),
        ),
        area_mm2=of_parts(
            sizes.area_mm2,
            disagreement=sizes.perimeter_mm * apart / 2,  # an edge that is off by half of it all round
            outline=sd.area_mm2,
            prompted=math.sqrt(2) * cv * sizes.area_mm2,
            **bias_part(2 * sizes.area_mm2, bias),
        ),
        perimeter_mm=of_parts(
            sizes.perimeter_mm,
            disagreement=math.pi * apart,
            outline=sd.perimeter_mm,
            prompted=cv * sizes.perimeter_mm,
            **bias_part(sizes.perimeter_mm, bias),
        ),
    )


def of_parts(value: float, **parts: float) -> Quantity:
    """A size with the parts of its standard deviation, in its unit, in quadrature."""
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
    return of_parts(value, **parts, repeatability=repeatability_cv * value)


def caliper_quantity(start_px: Point, end_px: Point, spacing_mm: Spacing, settings: Uncertainty) -> Quantity:
    """Length of a reader's caliper in mm with its uncertainty.

    Raises
    ------
    MeasurementError
        As `measure.caliper_length_mm`.
    """
    length_mm = caliper_length_mm(start_px, end_px, spacing_mm)
    return size_quantity(
        length_mm,
        repeatability_cv=settings.repeatability.diameter_cv,
        pixel=caliper_sd_mm(start_px, end_px, spacing_mm, end_sd_px=settings.caliper_end_px),
        **bias_part(length_mm, settings.repeatability.reader_bias_cv),
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


def biplane_volume_quantity(
    first: tuple[Quantity, Quantity], second: tuple[Quantity, Quantity], settings: Uncertainty
) -> Quantity:
    """Volume 8 A1 A2 / (3 pi L) in mL from area (mm2) and shared diameter (mm) of the outlines of two planes.

    L is the geometric mean of both planes' diameters along the line that they share. An outline that errs outwards
    makes its area and its diameter larger, and part of the error cancels; the two planes err independently.

    Raises
    ------
    MeasurementError
        An area or diameter is not positive and finite.
    """
    (first_area, first_mm), (second_area, second_mm) = first, second
    value = biplane_volume_ml(first_area.value, second_area.value, math.sqrt(first_mm.value * second_mm.value))
    planes: _Planes = [[(area, 1.0), (diameter, -0.5)] for area, diameter in (first, second)]
    return _volume(value, planes, _BIPLANE_REPEATABILITY * settings.repeatability.volume_cv)


def area_length_volume_quantity(area_mm2: Quantity, long_mm: Quantity, settings: Uncertainty) -> Quantity:
    """Volume 8 A A / (3 pi L) in mL of one plane; it repeats as `rotation_volume_quantity`, and A and L err together.

    Raises
    ------
    MeasurementError
        The area or the length is not positive and finite.
    """
    value = area_length_volume_ml(area_mm2.value, long_mm.value)
    planes: _Planes = [[(area_mm2, 2.0), (long_mm, -1.0)]]
    return _volume(value, planes, _ROTATION_REPEATABILITY * settings.repeatability.volume_cv)


def diameter_of_outline(value_mm: float, area_mm2: Quantity, perimeter_mm: float) -> Quantity:
    """Another diameter of an outline whose area is known with its errors: an edge that is out by d all round.

    Such an edge adds the perimeter times d to the area and 2 d to every diameter. The other errors of the area are
    those of two diameters, so a diameter has their sqrt(2)th part.
    """
    parts = {
        name: 2 * sd / perimeter_mm
        if name in _ALL_ROUND
        else value_mm * sd / area_mm2.value / (2 if name == READER_BIAS else math.sqrt(2))
        for name, sd in area_mm2.parts.items()
    }
    return of_parts(value_mm, **parts)


def _volume(value: float, planes: _Planes, repeatability_cv: float) -> Quantity:
    """A volume with the errors of its diameters and areas, and its own repeatability in the place of theirs."""
    parts = _propagated(value, planes)
    parts.pop("repeatability", None)
    return size_quantity(value, repeatability_cv=repeatability_cv, **parts)


def _propagated(value: float, planes: _Planes) -> dict[str, float]:
    """Relative errors times their powers: those all round an outline added within its plane, others in quadrature.

    A reader's bias is one error of all diameters and areas, and is added over the planes too.
    """
    parts = {}
    for name in sorted({name for plane in planes for size, _ in plane for name in size.parts}):
        errors = [[power * size.parts.get(name, 0.0) / size.value for size, power in plane] for plane in planes]
        within = _added if name in (*_ALL_ROUND, READER_BIAS) else _quadrature
        between = sum if name == READER_BIAS else _quadrature
        parts[name] = value * between(within(plane) for plane in errors)
    return parts


def _added(errors: Iterable[float]) -> float:
    return abs(sum(errors))


def _quadrature(errors: Iterable[float]) -> float:
    return math.hypot(*errors)


def product_quantity(long_mm: Quantity, short_mm: Quantity) -> Quantity:
    """Long x short axis of one plane in mm2: outline errors and a reader's bias are added, all else in quadrature."""
    value = long_mm.value * short_mm.value
    parts = _propagated(value, [[(long_mm, 1.0), (short_mm, 1.0)]])
    return of_parts(value, **parts)


def sum_quantity(quantities: Iterable[Quantity]) -> Quantity:
    """Sum of sizes that err independently but for the reader's bias, which all of them share."""
    items = list(quantities)
    names = dict.fromkeys(name for item in items for name in item.parts)
    parts = {
        name: (sum if name == READER_BIAS else _quadrature)(item.parts.get(name, 0.0) for item in items)
        for name in names
    }
    own = _quadrature(_without_bias(item) for item in items)
    return Quantity(
        value=sum(item.value for item in items), sd=math.hypot(own, parts.get(READER_BIAS, 0.0)), parts=parts
    )


def _without_bias(quantity: Quantity) -> float:
    """Standard deviation without the part that all sizes of one reader share."""
    return math.sqrt(max(0.0, quantity.sd**2 - quantity.parts.get(READER_BIAS, 0.0) ** 2))


def ratio_ci95(baseline: Quantity, followup: Quantity, *, same_reader: bool = True) -> tuple[float, float]:
    """95 % interval of the percent change that measurement error alone gives (delta method on the log ratio).

    The errors of the two visits are taken as independent, but for the bias of one reader of both: that is the same
    share of both sizes and cancels. Two readers' biases do not.

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
    own = [_without_bias(each) / each.value for each in (baseline, followup)]
    bias = [each.parts.get(READER_BIAS, 0.0) / each.value for each in (baseline, followup)]
    shared = [bias[0] - bias[1]] if same_reader else bias
    half = NORMAL_975 * math.hypot(*own, *shared)
    return 100 * math.expm1(log_ratio - half), 100 * math.expm1(log_ratio + half)
