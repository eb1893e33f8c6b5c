"""Error of each volume method on analytic ellipsoids, turned at random and cut by two orthogonal planes.

``python benchmarks/volume_methods.py`` prints a line for each shape and method: mean, SD and extremes of the relative
error in percent. The outlines are exact and both planes pass through the middle, so all of the error is the method's.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lesion_measure.config import Uncertainty, Volumes
from lesion_measure.lesions.volumes import third_axis, volumes
from lesion_measure.measure import measure_outline
from lesion_measure.records import Plane, PlaneMeasurement, Quantity, Source, VolumeMethod

SHAPES = {
    "sphere": (1.0, 1.0, 1.0),
    "egg, round about its long axis": (1.0, 0.8, 0.8),
    "three axes 1 : 0.8 : 0.65": (1.0, 0.8, 0.65),
    "flat, three axes 1 : 0.9 : 0.5": (1.0, 0.9, 0.5),
}
# x across, y depth, z along the body: a transverse picture shows (depth, across), a sagittal one (depth, along)
CUTS = {Plane.TRANSVERSE: [1, 0], Plane.SAGITTAL: [1, 2]}
LONG_MM = 30.0


def cut(matrix: NDArray[np.float64], plane: Plane) -> PlaneMeasurement:
    """What a plane through the middle of the ellipsoid x' matrix x = 1 shows, measured."""
    values, vectors = np.linalg.eigh(matrix[np.ix_(CUTS[plane], CUTS[plane])])
    angle = np.linspace(0, 2 * np.pi, 361)
    outline = (vectors @ (np.stack([np.cos(angle), np.sin(angle)]) / np.sqrt(values)[:, None])).T
    sizes = measure_outline(outline, spacing_mm=(1.0, 1.0))

    def exact(value: float) -> Quantity:
        return Quantity(value=value, sd=0.0)

    return PlaneMeasurement(
        path="", sop_instance_uid="", study_instance_uid="", frame=1, lesion="L1", plane=plane, source=Source.MODEL,
        reader="", spacing_mm=(1.0, 1.0), calibration_source="", long_axis_mm=exact(sizes.long_axis_mm),
        long_axis_px=sizes.long_axis_px, short_axis_mm=exact(sizes.short_axis_mm), short_axis_px=sizes.short_axis_px,
        area_mm2=exact(sizes.area_mm2), perimeter_mm=exact(sizes.perimeter_mm), outline_px=sizes.outline_px,
    )  # fmt: skip


def errors(shape: tuple[float, float, float], bodies: int, seed: int) -> dict[VolumeMethod, list[float]]:
    """Relative errors in percent, by method, of bodies of one shape turned at random."""
    axes = LONG_MM * np.array(shape)
    truth = math.pi / 6 * float(np.prod(axes)) / 1000
    found: dict[VolumeMethod, list[float]] = defaultdict(list)
    for turn in Rotation.random(bodies, random_state=seed).as_matrix():
        planes = [cut(turn @ np.diag(4 / axes**2) @ turn.T, plane) for plane in CUTS]
        best = {}
        for estimate in volumes(planes, third_axis(*planes)[0], Uncertainty(), Volumes()):
            best.setdefault(estimate.method, estimate.volume_ml.value)
        for method, value in best.items():
            found[method].append(100 * (value / truth - 1))
    return found


def main() -> None:
    """One line for each shape and method."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bodies", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    print("| shape | method | mean ± SD, % | least to greatest, % |\n|---|---|---|---|")
    for name, shape in SHAPES.items():
        for method, values in errors(shape, chosen.bodies, chosen.seed).items():
            spread = f"{np.mean(values):+.1f} ± {np.std(values, ddof=1):.1f}"
            print(f"| {name} | {method} | {spread} | {min(values):+.0f} to {max(values):+.0f} |")


if __name__ == "__main__":
    main()
