"""How far each size can be trusted: standard deviations from pixels, outlines, readers and networks (`propagation`).

Parts of a `Quantity`, combined in quadrature:

- ``pixel``: a caliper's two ends, each placed to a fraction of a pixel along the line, independently;
- ``outline``: where the edge of a probability map lies; the axes of one plane share their outline, which is taken to
  err all round, so their outline errors add up;
- ``disagreement``: how far the long axis of an outline that was drawn from a caliper is from that caliper;
- ``prompted``: how far the width of such outlines is from the truth (`config.Uncertainty.prompted_cv`), in the place of
  a reading's repeatability. It is propagated into a volume, beside the volume's own repeatability: the outline follows
  the caliper, so that a reader's error is in it too. Its area errs by its width, and by as much along the caliper
  (``prompted_length``). A volume has the latter from the caliper itself;
- ``automatic`` and ``automatic_axis``: how far automatic outlines that the network was sure of are from the
  truth, in the place of a repeatability. Such an outline is too large or too small as a whole, which is the error of
  its area (`config.Uncertainty.automatic_area_cv`). Each axis has its share of that (``automatic``), and an error of
  its own (``automatic_axis``), which the area does not have;
- ``reader_bias``: what a reader measures too long or too short throughout (`config.Repeatability.reader_bias_cv`, a
  share of every diameter). It is one error of all that the reader measures: an area bears it twice, a volume three
  times, a sum as their sum, and the change between two visits of the same reader not at all;
- ``scale``: how far mm per pixel are known, where printed values alone give them (`records.PrintedScale`). It is one
  error of all sizes on an image: an area bears it twice, a volume three times;
- ``repeatability``: how far two readings of an unchanged lesion differ (`config.Repeatability`). It belongs to the
  final size: a volume takes the published coefficient of volumes, and the diameters' own repeatability is left out of
  its propagation, so that it counts once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lesion_measure.config import Uncertainty
from lesion_measure.measure import geometry
from lesion_measure.measure.outline import MaskPart, checked_mask, checked_spacing, largest_part, plain_contour
from lesion_measure.measure.sizes import (
    MaskMeasurement,
    caliper_length_mm,
    measure_mask,
    measure_outline,
)
from lesion_measure.records import Point, Quantity, Spacing

READER_BIAS = "reader_bias"
"""Name of the part that all sizes of one reader share."""
PROMPTED_LENGTH = "prompted_length"
"""Name of the error that the area of a prompted outline has along the caliper that it follows."""
SCALE = "scale"
"""Name of the error of mm per pixel, where nobody stated these: all sizes on one image share it."""
SHARED = (READER_BIAS, SCALE)
"""Names of the errors that are one share of every diameter: they add up in areas, volumes and sums."""
AUTOMATIC = "automatic"
"""Name of the network's error that all sizes of one outline share."""
AUTOMATIC_AXIS = "automatic_axis"
"""Name of the network's error that one axis of an outline has and its area has not."""
ALL_ROUND = ("outline", "disagreement", AUTOMATIC)
"""Names of the errors that all diameters and the area of one outline share."""
# of a normal distribution, in standard deviations
_UPPER_QUARTILE = 0.6744897501960817
_QUARTILES = (0.25, 0.75)


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


def quantities_of_outline(sizes: MaskMeasurement, sd: OutlineSd, settings: Uncertainty) -> OutlineQuantities:
    """The sizes of an outline with the error of its place (`outline_sd_mm`), of a reader's repeatability and bias.

    An area repeats as two diameters that err independently, a perimeter as one diameter.
    """
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
    """Error bars of an automatic outline.

    No reader read these sizes: the error of accepted automatic outlines stands in the place of a repeatability.

    Raises
    ------
    MeasurementError
        As `measure.measure_mask`.
    """
    sd = outline_sd_mm(probability, spacing_mm=spacing_mm, settings=settings, sizes=sizes)
    return automatic_of_outline(sizes, sd, settings)


def automatic_of_outline(sizes: MaskMeasurement, sd: OutlineSd, settings: Uncertainty) -> OutlineQuantities:
    """The sizes of an automatic outline, with the error of its place and of the network."""
    bias = settings.repeatability.reader_bias_cv

    def axis(value: float, outline: float, cv: float) -> Quantity:
        return of_parts(value, outline=outline, **_automatic_axis(value, cv, settings), **bias_part(value, bias))

    return OutlineQuantities(
        long_axis_mm=axis(sizes.long_axis_mm, sd.long_axis_mm, settings.automatic_cv),
        short_axis_mm=axis(sizes.short_axis_mm, sd.short_axis_mm, settings.automatic_short_axis_cv),
        area_mm2=of_parts(
            sizes.area_mm2,
            outline=sd.area_mm2,
            automatic=settings.automatic_area_cv * sizes.area_mm2,
            **bias_part(2 * sizes.area_mm2, bias),
        ),
        perimeter_mm=axis(sizes.perimeter_mm, sd.perimeter_mm, settings.automatic_cv),
    )


def _automatic_axis(value: float, cv: float, settings: Uncertainty) -> dict[str, float]:
    """The network's error of an axis that errs by ``cv``: what it shares with the area, and the rest."""
    shared = settings.automatic_area_correlation
    return {AUTOMATIC: shared * cv * value, AUTOMATIC_AXIS: math.sqrt(1 - shared**2) * cv * value}


def bias_part(value: float, cv: float) -> dict[str, float]:
    """The part of a reader's bias in a size of ``value`` (or so many times a size), where one is stated."""
    return {READER_BIAS: cv * value} if cv else {}


def with_scale(quantity: Quantity, spacing_cv: float, *, diameters: int = 1) -> Quantity:
    """A size with the error of mm per pixel, a share of every diameter; as it was where a file states these.

    ``diameters``: 2 for an area.
    """
    if not spacing_cv:
        return quantity
    return of_parts(quantity.value, **quantity.parts, **{SCALE: diameters * spacing_cv * quantity.value})


def spacing_cv_of(quantity: Quantity) -> float:
    """The error of mm per pixel that a diameter has, as a share of it."""
    return quantity.parts.get(SCALE, 0.0) / quantity.value


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
            prompted=cv * sizes.area_mm2,
            **{PROMPTED_LENGTH: cv * sizes.area_mm2},
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
    floor = least_outline_sd_mm(sizes, settings)
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


def _at_level(part: MaskPart, level: float, whole: MaskMeasurement) -> geometry.Floats:
    """Long axis, short axis, area and perimeter of the contour at one probability, taken as those of the whole mask."""
    contour = plain_contour(part.values, level)
    sizes = measure_outline(contour, spacing_mm=whole.spacing_mm, across_px=whole.across_px)
    return np.array([sizes.long_axis_mm, sizes.short_axis_mm, sizes.area_mm2, sizes.perimeter_mm])


def least_outline_sd_mm(sizes: MaskMeasurement, settings: Uncertainty) -> OutlineSd:
    """Spread of the sizes when every outline point errs by ``min_outline_px`` pixels outwards, all round."""
    min_px = settings.min_outline_px
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


def diameter_of_outline(value_mm: float, area_mm2: Quantity, perimeter_mm: float, settings: Uncertainty) -> Quantity:
    """Another diameter of an outline whose area is known with its errors: an edge that is out by d all round.

    Such an edge adds the perimeter times d to the area and 2 d to every diameter. Where the network drew the outline by
    itself, a diameter through its middle errs as its short axis does: it is no extreme, as the longest one is. The
    other errors of the area are those of two diameters, so a diameter has their sqrt(2)th part.
    """
    parts: dict[str, float] = {}
    for name, sd in area_mm2.parts.items():
        if name == AUTOMATIC:
            parts |= _automatic_axis(value_mm, settings.automatic_short_axis_cv, settings)
        elif name in ALL_ROUND:
            parts[name] = 2 * sd / perimeter_mm
        else:
            parts[name] = value_mm * sd / area_mm2.value / (2 if name in SHARED else math.sqrt(2))
    return of_parts(value_mm, **parts)
