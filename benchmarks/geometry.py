"""Accuracy and speed of the geometry against analytic truth, beside other libraries.

    python benchmarks/geometry.py [--count 150] [--seed 7]

Random ellipses and rectangles: sub-pixel place, any angle, aspect 0.5-1, spacing ratio 0.7-1.4 where anisotropic. Soft
masks are pixel coverage by 8 x 8 samples. Prints error in %, mean +- SD.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from skimage.measure import regionprops

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from lesion_measure.measure import measure_mask
from shapes import Shape, random_shape

Row = tuple[float, ...]
CLASSES = ((8, 16), (16, 40), (40, 80))


def ours(mask: NDArray[np.generic], shape: Shape) -> Row:
    """Long axis, short axis, area, perimeter."""
    sizes = measure_mask(mask, spacing_mm=shape.spacing)
    return sizes.long_axis_mm, sizes.short_axis_mm, sizes.area_mm2, sizes.perimeter_mm


def scikit_image(mask: NDArray[np.generic], shape: Shape) -> Row:
    """Largest Feret diameter, moments' minor axis, pixel area, 4-neighbourhood perimeter (isotropic pixels only)."""
    region = regionprops(np.asarray(mask > 0.5, dtype=np.uint8), spacing=shape.spacing)[0]
    isotropic = shape.spacing[0] == shape.spacing[1]
    around = region.perimeter if isotropic else float("nan")
    return region.feret_diameter_max, region.axis_minor_length, region.area, around


def simple_itk(mask: NDArray[np.generic], shape: Shape) -> Row:
    """Feret diameter, smaller equivalent ellipsoid diameter, physical size, perimeter."""
    image = SimpleITK.GetImageFromArray(np.asarray(mask > 0.5, dtype=np.uint8))
    image.SetSpacing((shape.spacing[1], shape.spacing[0]))
    statistics = SimpleITK.LabelShapeStatisticsImageFilter()
    statistics.ComputeFeretDiameterOn()
    statistics.Execute(image)
    short = min(statistics.GetEquivalentEllipsoidDiameter(1))
    return statistics.GetFeretDiameter(1), short, statistics.GetPhysicalSize(1), statistics.GetPerimeter(1)


def table(kind: str, anisotropic: bool, count: int, seed: int) -> None:
    """Print errors of every method on the same shapes."""
    methods: list[tuple[str, Callable[[NDArray[np.generic], Shape], Row], bool]] = [
        ("soft: lesion_measure", ours, True),
        ("hard: lesion_measure", ours, False),
        ("hard: scikit-image", scikit_image, False),
        ("hard: SimpleITK", simple_itk, False),
    ]
    print(f"\n{kind}, {'anisotropic' if anisotropic else 'isotropic'}: long axis | short axis | area | perimeter")
    for low, high in CLASSES:
        rng = np.random.default_rng(seed)
        shapes = [random_shape(rng, kind, low, high, anisotropic=anisotropic) for _ in range(count)]
        for name, method, soft in methods:
            error = np.array(
                [100 * (np.array(method(s.soft() if soft else s.hard(), s)) / s.truth - 1) for s in shapes]
            )
            cells = (f"{m:+6.2f} +- {d:4.2f}" for m, d in zip(error.mean(axis=0), error.std(axis=0), strict=True))
            print(f"  {low:2d}-{high:2d} px  {name:22s} " + " | ".join(cells))


def speed() -> None:
    """Print the median time of one measurement on a 600 x 800 frame."""
    rows, cols = np.mgrid[:600, :800].astype(np.float32)
    print("\nmedian time on a 600 x 800 frame, ms")
    for length, width in ((60, 40), (120, 80), (300, 200), (500, 350)):
        distance = np.hypot((rows - 300.2) / length, (cols - 390.7) / width) - 0.5
        maps = {
            "probability": 1 / (1 + np.exp(np.clip(distance * width / 2, -50, 50))),
            "coverage": np.clip(0.5 - distance * width, 0, 1),
            "hard": distance < 0,
        }
        for name, mask in maps.items():
            times = []
            for _ in range(9):
                start = time.perf_counter()
                measure_mask(mask, spacing_mm=(0.2, 0.2))
                times.append(time.perf_counter() - start)
            print(f"  lesion of {length:3d} x {width:3d} px, {name:12s} {1000 * float(np.median(times)):6.1f}")


def main() -> None:
    """Run the whole benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=150, help="shapes in each size class")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    for kind in ("ellipse", "rectangle"):
        for anisotropic in (False, True):
            table(kind, anisotropic, options.count, options.seed)
    speed()


if __name__ == "__main__":
    main()
