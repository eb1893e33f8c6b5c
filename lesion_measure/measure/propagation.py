"""How the errors of diameters and areas (`uncertainty`) go into volumes, products, sums and changes.

What is assumed of two errors decides how they add. Each part of a `Quantity` is one kind of error, by its name:

- errors of an outline all round (``ALL_ROUND``) are one for all sizes of that outline: relative errors times the power
  of each size add up within it, and cancel in part where one size divides another;
- a reader's bias is one error of all that the reader measures, and the error of an unstated scale one of all that is
  measured on an image. Sizes of several images are taken to share it, too, which makes a sum's error too large if
  anything;
- all else errs by itself, and is taken in quadrature.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from lesion_measure.config import Uncertainty
from lesion_measure.errors import MeasurementError
from lesion_measure.measure.sizes import (
    area_length_volume_ml,
    biplane_volume_ml,
    ellipsoid_volume_ml,
    rotation_volume_ml,
)
from lesion_measure.measure.uncertainty import (
    ALL_ROUND,
    AUTOMATIC,
    PROMPTED_LENGTH,
    READER_BIAS,
    SHARED,
    of_parts,
    size_quantity,
)
from lesion_measure.records import NORMAL_975, Quantity

Plane = list[tuple[Quantity, float]]
"""Sizes of one outline, or readings in one plane, and their powers in what is computed."""

# What a plane adds to the relative variance of a volume, in variances of one reading of a diameter. L S S has 1 + 4,
# since the short axis is read once and counts twice. Areas are products of two diameters: A A / L goes as L S S too;
# A1 A2 / sqrt(L1 L2) takes the shared diameter half from each plane (1/4) and the plane's other one once.
_TURNED = 5.0
_OF_TWO_PLANES = 1.25


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
    return _volume(value, [([(a_mm, 1), (b_mm, 1)], 2), ([(c_mm, 1)], 1)], settings)


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
    return _volume(value, [([(long_mm, 1), (short_mm, 2)], _TURNED)], settings)


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
    planes = [([(area, 1.0), (diameter, -0.5)], _OF_TWO_PLANES) for area, diameter in (first, second)]
    return _volume(value, planes, settings)


def area_length_volume_quantity(area_mm2: Quantity, long_mm: Quantity, settings: Uncertainty) -> Quantity:
    """Volume 8 A A / (3 pi L) in mL of one plane; it repeats as `rotation_volume_quantity`.

    What A and L of one outline err by together cancels in part.

    Raises
    ------
    MeasurementError
        The area or the length is not positive and finite.
    """
    value = area_length_volume_ml(area_mm2.value, long_mm.value)
    return _volume(value, [([(area_mm2, 2.0), (long_mm, -1.0)], _TURNED)], settings)


def _volume(value: float, planes: list[tuple[Plane, float]], settings: Uncertainty) -> Quantity:
    """A volume with the errors of its diameters and areas, and its own repeatability in the place of theirs.

    The published coefficient is that of three readings. A plane of ``planes`` has its share of it (as many variances
    of a reading as stand beside it), but for automatic ones: nobody read them. What the area of
    a prompted outline errs by along its caliper is the reader's error, too: A / L is the width, so that A A / L errs as
    L S S does.
    """
    parts = propagated(value, [plane for plane, _ in planes])
    for read in ("repeatability", PROMPTED_LENGTH):
        parts.pop(read, None)
    readings = sum(share for plane, share in planes if not any(AUTOMATIC in size.parts for size, _ in plane))
    if not readings:
        return of_parts(value, **parts)
    return size_quantity(value, repeatability_cv=math.sqrt(readings / 3) * settings.repeatability.volume_cv, **parts)


def propagated(value: float, planes: list[Plane]) -> dict[str, float]:
    """Relative errors times their powers: those all round an outline added within its plane, others in quadrature.

    A reader's bias, or the scale's, is one error of all diameters and areas, and is added over the planes too.
    """
    parts = {}
    for name in sorted({name for plane in planes for size, _ in plane for name in size.parts}):
        errors = [[power * size.parts.get(name, 0.0) / size.value for size, power in plane] for plane in planes]
        within = _added if name in (*ALL_ROUND, *SHARED) else _quadrature
        between = sum if name in SHARED else _quadrature
        parts[name] = value * between(within(plane) for plane in errors)
    return parts


def _added(errors: Iterable[float]) -> float:
    return abs(sum(errors))


def _quadrature(errors: Iterable[float]) -> float:
    return math.hypot(*errors)


def product_quantity(long_mm: Quantity, short_mm: Quantity) -> Quantity:
    """Long x short axis of one plane in mm2: errors that both share are added, all else in quadrature."""
    value = long_mm.value * short_mm.value
    parts = propagated(value, [[(long_mm, 1.0), (short_mm, 1.0)]])
    return of_parts(value, **parts)


def sum_quantity(quantities: Iterable[Quantity]) -> Quantity:
    """Sum of sizes that err independently but for the reader's bias and the scale's, which all of them share."""
    items = list(quantities)
    names = dict.fromkeys(name for item in items for name in item.parts)
    parts = {
        name: (sum if name in SHARED else _quadrature)(item.parts.get(name, 0.0) for item in items) for name in names
    }
    own = _quadrature(_without(SHARED, item) for item in items)
    shared = (parts.get(name, 0.0) for name in SHARED)
    return Quantity(value=sum(item.value for item in items), sd=math.hypot(own, *shared), parts=parts)


def _without(names: Iterable[str], quantity: Quantity) -> float:
    """Standard deviation without the parts of these names."""
    return math.sqrt(max(0.0, quantity.sd**2 - sum(quantity.parts.get(name, 0.0) ** 2 for name in names)))


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
    own = [_without((READER_BIAS,), each) / each.value for each in (baseline, followup)]
    bias = [each.parts.get(READER_BIAS, 0.0) / each.value for each in (baseline, followup)]
    shared = [bias[0] - bias[1]] if same_reader else bias
    half = NORMAL_975 * math.hypot(*own, *shared)
    return 100 * math.expm1(log_ratio - half), 100 * math.expm1(log_ratio + half)
