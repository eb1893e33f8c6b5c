"""The stated 95 % intervals of volumes from prompted outlines hold the truth, follow they the caliper or not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lesion_measure.config import Uncertainty
from lesion_measure.measure import measure_mask
from lesion_measure.measure.propagation import area_length_volume_quantity, rotation_volume_quantity
from lesion_measure.measure.uncertainty import caliper_quantity, prompted_quantities
from lesion_measure.records import Quantity

DRAWS = 3000
READ, WIDTH = 0.089, 0.15
"""SD of a reader's long axis and of a prompted width, on the log scale, as published and measured."""
LONG_MM, SHORT_MM, SPACING_MM = 40.0, 30.0, 0.5


def scaled(quantity: Quantity, factor: float) -> Quantity:
    """The same relative errors of a size that came out so many times as large."""
    return Quantity(
        value=factor * quantity.value,
        sd=factor * quantity.sd,
        parts={name: factor * sd for name, sd in quantity.parts.items()},
    )


@pytest.mark.parametrize("follows", [0.0, 0.5, 1.0])
def test_intervals_of_volumes_hold_the_truth(follows: float) -> None:
    """``follows``: share of the caliper's error that the width has, within the width's own whole error."""
    settings = Uncertainty()
    rows, cols = np.mgrid[:100, :100]
    radii_px = (SHORT_MM / 2 / SPACING_MM, LONG_MM / 2 / SPACING_MM)
    oval = ((rows - 50) / radii_px[0]) ** 2 + ((cols - 50) / radii_px[1]) ** 2 < 1
    sizes = measure_mask(oval, spacing_mm=(SPACING_MM,) * 2)
    drawn = prompted_quantities(oval, sizes, caliper_mm=sizes.long_axis_mm, settings=settings)
    caliper = caliper_quantity((0, 0), (0, sizes.long_axis_mm / SPACING_MM), (SPACING_MM,) * 2, settings)
    rng = np.random.default_rng(7)
    long = rng.normal(0, READ, DRAWS)
    own = math.sqrt(WIDTH**2 - (follows * READ) ** 2)
    width = follows * long + rng.normal(0, own, DRAWS)
    true_turned = rotation_volume_quantity(caliper, drawn.short_axis_mm, settings).value
    true_by_area = area_length_volume_quantity(drawn.area_mm2, caliper, settings).value
    held = np.zeros(2)
    for factor_long, factor_width in np.exp(np.stack([long, width], axis=1)):
        line = scaled(caliper, factor_long)
        turned = rotation_volume_quantity(line, scaled(drawn.short_axis_mm, factor_width), settings)
        area = scaled(drawn.area_mm2, factor_long * factor_width)
        by_area = area_length_volume_quantity(area, line, settings)
        held += [
            volume.ci95[0] <= truth <= volume.ci95[1]
            for volume, truth in ((turned, true_turned), (by_area, true_by_area))
        ]
    assert (held / DRAWS > 0.93).all(), held / DRAWS
    assert (held / DRAWS < 0.98).all(), held / DRAWS
