"""How often the stated 95 % intervals of outlines that the network drew hold the truth.

``python benchmarks/coverage_network.py [--draws 20000] [--seed 1]`` prints the share of intervals that hold it, for
sizes and for changes. `coverage.py` draws readers' errors; here errors are drawn as they were **measured**, not as the
package assumes or propagates them:

- ``MEASURED`` holds, for held-back outlines of bundle 0.3.1, the root mean square of the logarithms of long axis, short
  axis and area over the true ones, and how they go together. All three are drawn together, from Student's t
  distribution where their tails were heavy. Its degrees of freedom give the kurtosis that was measured.
- Nobody has outlined 3D data by hand for this. Two stand-ins: a body errs as the product of an area and of a third
  diameter, which errs as a short axis does; or as L S S, the volume of one plane. Between slices nothing is averaged.
- Three diameters and biplane take two orthogonal planes, (long, short) and (long, third). Their outlines are two draws,
  and the diameter that both share errs as a short axis does. How outlines of one lesion in two planes go together was
  not measured. Sums are over three lesions, each one drawn by itself.
- Truth is a lesion of 20 mm at baseline, and of 20, 14 or 7 mm after. The errors of the two visits are independent.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.config import Uncertainty
from lesion_measure.measure.body import body_quantities
from lesion_measure.measure.propagation import (
    area_length_volume_quantity,
    biplane_volume_quantity,
    ellipsoid_volume_quantity,
    product_quantity,
    ratio_ci95,
    rotation_volume_quantity,
    sum_quantity,
)
from lesion_measure.measure.sizes import MaskMeasurement
from lesion_measure.measure.uncertainty import (
    OutlineQuantities,
    OutlineSd,
    automatic_of_outline,
    diameter_of_outline,
)
from lesion_measure.records import Quantity

SPACING_MM = 0.2
SHAPE = (1.0, 0.8, 0.7)
"""Long axis, short axis and third diameter, as shares of the long axis."""
BASELINE_MM = 20.0
CHANGES = (0.0, -0.3, -0.65)
AXIS, AREA, ROTATION, AREA_LENGTH = "long axis", "area", "volume, one plane (L S S)", "volume, area-length"
PRODUCT, ELLIPSOID, BIPLANE = "long x short axis", "volume, three diameters of two outlines", "volume, biplane"
SUM_AXES, SUM_VOLUMES = "sum of long axes", "sum of volumes (L S S)"
LESIONS = (1.0, 0.7, 0.4)
"""Sizes of the lesions of one child, as shares of the largest."""
BODY_AXIS, BODY_AREA, BODY_LSS = "3D axis", "3D volume, as area x third diameter", "3D volume, as L S S"
OUTLINES = len(LESIONS) + 1
"""Outlines of a child at one visit: of the largest lesion in two planes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Errors of one kind of outline in one set: by long axis, short axis and area, on the log scale.

    ``freedom``: degrees of freedom of the t distribution, from the kurtosis 3 + 6 / (freedom - 4).
    """

    outlines: int
    rms: tuple[float, float, float]
    long_short: float
    long_area: float
    short_area: float
    freedom: float

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Errors (count, 4) of long axis, short axis, area and third diameter."""
        # The third diameter errs as the short axis does, and goes with the two others as that one does.
        pairs = np.array([
            [1, self.long_short, self.long_area, self.long_short],
            [self.long_short, 1, self.short_area, self.short_area],
            [self.long_area, self.short_area, 1, self.short_area],
            [self.long_short, self.short_area, self.short_area, 1],
        ])  # fmt: skip
        sd = np.array([*self.rms, self.rms[1]])
        normal = rng.multivariate_normal(np.zeros(4), pairs, size=count) * sd
        tails = np.sqrt((self.freedom - 2) / rng.chisquare(self.freedom, size=(count, 1)))
        drawn: NDArray[np.float64] = normal * tails
        return drawn

    def outlines_of(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Errors (count, OUTLINES, 4) of all outlines of a child at one visit, each drawn by itself."""
        return self.draw(rng, count * OUTLINES).reshape(count, OUTLINES, 4)


# Automatic outlines of a confidence of at least 0.883, bundle 0.3.1: held-back breast pictures, simulated frames.
MEASURED = {
    "breast": Measured(42, (0.125, 0.085, 0.124), 0.70, 0.88, 0.80, freedom=6),
    "simulated": Measured(42, (0.095, 0.077, 0.155), 0.57, 0.89, 0.85, freedom=12),
}


def outline(long_mm: float, short_mm: float, errors: NDArray[np.float64], settings: Uncertainty) -> OutlineQuantities:
    """The sizes as a run states them, of an ellipse that the network drew with these errors."""
    long, short = long_mm * math.exp(errors[0]), short_mm * math.exp(errors[1])
    area = math.pi / 4 * long_mm * short_mm * math.exp(errors[2])
    around = math.pi * math.sqrt((long**2 + short**2) / 2)
    edge = settings.min_outline_px * SPACING_MM
    sizes = MaskMeasurement(
        long_axis_mm=long, short_axis_mm=short, area_mm2=area, perimeter_mm=around,
        equivalent_diameter_mm=math.sqrt(4 * area / math.pi), long_axis_px=((0, 0), (0, long)),
        short_axis_px=((0, 0), (short, 0)), outline_px=np.empty((0, 2)), spacing_mm=(SPACING_MM,) * 2, hard=False,
    )  # fmt: skip
    sd = OutlineSd(
        long_axis_mm=2 * edge, short_axis_mm=2 * edge, area_mm2=edge * around, perimeter_mm=2 * math.pi * edge
    )
    return automatic_of_outline(sizes, sd, settings)


def body(volume_ml: float, drawn: OutlineQuantities, settings: Uncertainty) -> tuple[list[Quantity], Quantity]:
    """Longest axis and volume of a body of which ``drawn`` is one outline; no error by the place of the slices."""
    return body_quantities(
        [(drawn.long_axis_mm.value, 0.0)],
        (volume_ml, 0.0),
        drawn=(drawn.long_axis_mm, drawn.short_axis_mm),
        edge_mm=settings.min_outline_px * SPACING_MM,
        surface_mm2=math.pi * (36 * (1000 * volume_ml) ** 2 / math.pi) ** (1 / 3),  # at least that of a ball
        settings=settings,
    )


def stated(long_mm: float, errors: NDArray[np.float64], settings: Uncertainty) -> dict[str, Quantity]:
    """The sizes of one child as a run states them; (OUTLINES, 4) errors: of both planes of the largest lesion, of one
    plane of the others."""
    a, b, c = (long_mm * share for share in SHAPE)
    first, second = outline(a, b, errors[0], settings), outline(a, c, errors[1], settings)
    others = [outline(a * k, b * k, e, settings) for k, e in zip(LESIONS[1:], errors[2:], strict=True)]
    shared = [
        diameter_of_outline(a * math.exp(e[3]), one.area_mm2, one.perimeter_mm.value, settings)
        for one, e in zip((first, second), errors[:2], strict=True)
    ]
    e_long, e_short, e_area, e_third = errors[0]
    volume = math.pi / 6 * a * b * c / 1000
    (axis,), by_area = body(volume * math.exp(e_area + e_third), first, settings)
    turned = [rotation_volume_quantity(o.long_axis_mm, o.short_axis_mm, settings) for o in (first, *others)]
    return {
        AXIS: first.long_axis_mm,
        AREA: first.area_mm2,
        PRODUCT: product_quantity(first.long_axis_mm, first.short_axis_mm),
        ROTATION: turned[0],
        AREA_LENGTH: area_length_volume_quantity(first.area_mm2, first.long_axis_mm, settings),
        ELLIPSOID: ellipsoid_volume_quantity(first.long_axis_mm, first.short_axis_mm, second.short_axis_mm, settings),
        BIPLANE: biplane_volume_quantity((first.area_mm2, shared[0]), (second.area_mm2, shared[1]), settings),
        BODY_AXIS: axis,
        BODY_AREA: by_area,
        BODY_LSS: body(volume * math.exp(e_long + 2 * e_short), first, settings)[1],
        SUM_AXES: sum_quantity([o.long_axis_mm for o in (first, *others)]),
        SUM_VOLUMES: sum_quantity(turned),
    }


def truth(long_mm: float) -> dict[str, float]:
    """The true sizes; those of one plane take the lesion for rotation symmetric."""
    a, b, c = (long_mm * share for share in SHAPE)
    turned, whole = (math.pi / 6 * a * b * d / 1000 for d in (b, c))
    return {
        AXIS: a, AREA: math.pi / 4 * a * b, PRODUCT: a * b, ROTATION: turned, AREA_LENGTH: turned, ELLIPSOID: whole,
        BIPLANE: whole, BODY_AXIS: a, BODY_AREA: whole, BODY_LSS: whole, SUM_AXES: a * sum(LESIONS),
        SUM_VOLUMES: turned * sum(share**3 for share in LESIONS),
    }  # fmt: skip


def sizes_held(measured: Measured, draws: int, seed: int, settings: Uncertainty) -> dict[str, float]:
    """Share of the intervals of each size that hold the true one."""
    true = truth(BASELINE_MM)
    held = dict.fromkeys(true, 0)
    for errors in measured.outlines_of(np.random.default_rng(seed), draws):
        for name, size in stated(BASELINE_MM, errors, settings).items():
            held[name] += size.ci95[0] <= true[name] <= size.ci95[1]
    return {name: count / draws for name, count in held.items()}


def changes_held(measured: Measured, change: float, draws: int, seed: int, settings: Uncertainty) -> dict[str, float]:
    """Share of the intervals of each size's change that hold the true one, for a change of every diameter."""
    before, after = truth(BASELINE_MM), truth(BASELINE_MM * (1 + change))
    held = dict.fromkeys(before, 0)
    drawn = measured.outlines_of(np.random.default_rng(seed), 2 * draws)
    for first, second in zip(drawn[:draws], drawn[draws:], strict=True):
        one, two = stated(BASELINE_MM, first, settings), stated(BASELINE_MM * (1 + change), second, settings)
        for name in held:
            low, high = ratio_ci95(one[name], two[name])
            held[name] += low <= 100 * (after[name] / before[name] - 1) <= high
    return {name: count / draws for name, count in held.items()}


def table(draws: int, seed: int) -> Iterator[str]:
    """A Markdown table of all cells, in per cent."""
    settings = Uncertainty()
    columns: dict[str, dict[str, float]] = {}
    for name, measured in MEASURED.items():
        columns[f"{name}: size"] = sizes_held(measured, draws, seed, settings)
        for number, change in enumerate(CHANGES, start=1):
            columns[f"{name}: {100 * change:+.0f} %"] = changes_held(measured, change, draws, seed + number, settings)
    yield f"| | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name in truth(1.0):
        yield f"| {name} | " + " | ".join(f"{100 * held[name]:.1f}" for held in columns.values()) + " |"


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--draws", type=int, default=20000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    print("\n".join(table(chosen.draws, chosen.seed)))


if __name__ == "__main__":
    main()
