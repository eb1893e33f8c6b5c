"""How often the stated 95 % intervals hold the truth, by simulated readings of lesions whose size is known.

``python benchmarks/coverage.py [--draws 4000] [--seed 1]`` prints the share of intervals that hold the true value, for
each kind of number, noise and size, and for changes by each true change. The errors that are drawn are those that
docs/measurement.md says are assumed; the intervals come from the same functions as those of a run.

What is drawn, for each lesion (half axes of an ellipsoid along the planes) at each visit:

- every diameter is read by itself: a log-normal factor with the coefficient of variation of the configuration;
- the reader's bias: one log-normal factor of all diameters of the reader, where there is one;
- a caliper's two ends: each off along the line, normally, by so many pixels;
- an outline: off all round by one normal error, its own in each plane;
- the slices of a body: anywhere, so that the first one cuts it by chance.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from lesion_measure.config import Repeatability, Uncertainty
from lesion_measure.image.stack import LEAST_SLICES, between_slices
from lesion_measure.measure.body import body_quantities
from lesion_measure.measure.propagation import (
    area_length_volume_quantity,
    biplane_volume_quantity,
    ellipsoid_volume_quantity,
    ratio_ci95,
    rotation_volume_quantity,
    sum_quantity,
)
from lesion_measure.measure.sizes import MaskMeasurement
from lesion_measure.measure.uncertainty import (
    OutlineQuantities,
    OutlineSd,
    caliper_quantity,
    diameter_of_outline,
    of_parts,
    quantities_of_outline,
)
from lesion_measure.records import Quantity

SHAPE = (1.0, 0.8, 0.7)
"""Long and short axis of the first plane, and the third diameter, as shares of the long axis."""
LESIONS = (1.0, 0.7, 0.4)
"""Sizes of the lesions of one child, as shares of the largest."""
CHANGES = {10.0: (0.0, -0.3, -0.65), 30.0: (0.0, -0.3, -0.65, -0.9, 0.5), 80.0: (-0.3, -0.9)}
"""True changes of every diameter, by size at baseline in mm; no largest lesion falls below 3 mm."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What the errors of one kind of reading are; ``outline_px`` is the SD of an outline's place."""

    name: str
    spacing_mm: float
    end_px: float
    outline_px: float
    diameter_cv: float
    bias_cv: float = 0.0
    same_reader: bool = True

    @property
    def settings(self) -> Uncertainty:
        """The same as a configuration: three diameters, each read by itself, explain the repeatability of a volume."""
        return Uncertainty(
            caliper_end_px=self.end_px,
            min_outline_px=self.outline_px,
            repeatability=Repeatability(
                diameter_cv=self.diameter_cv,
                volume_cv=round(math.sqrt(3) * self.diameter_cv, 6),
                reader_bias_cv=self.bias_cv,
            ),
        )


NOISES = (
    Noise("default", spacing_mm=0.2, end_px=0.5, outline_px=0.3, diameter_cv=0.089),
    Noise("careful readers", spacing_mm=0.1, end_px=0.5, outline_px=0.5, diameter_cv=0.03),
    Noise("coarse pixels", spacing_mm=0.4, end_px=0.7, outline_px=1.0, diameter_cv=0.089),
    Noise("biased, one reader", 0.2, 0.5, 0.3, diameter_cv=0.06, bias_cv=0.08),
    Noise("biased, two readers", 0.2, 0.5, 0.3, diameter_cv=0.06, bias_cv=0.08, same_reader=False),
)
SIZES_MM = (5.0, 10.0, 30.0, 80.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """The sizes of one lesion at one visit, by name."""

    sizes: dict[str, Quantity]
    truth: dict[str, float]


class Reader:
    """Draws readings. ``bias`` is the factor of every diameter that this reader measures."""

    def __init__(self, noise: Noise, rng: np.random.Generator, *, bias: float | None = None) -> None:
        self.noise, self.rng, self.settings = noise, rng, noise.settings
        self.bias = self.factor(noise.bias_cv) if bias is None else bias

    def factor(self, cv: float) -> float:
        """A log-normal factor of median 1 and this coefficient of variation."""
        return math.exp(self.rng.normal(0, math.sqrt(math.log1p(cv**2)))) if cv else 1.0

    def caliper(self, true_mm: float) -> Quantity:
        """A caliper drawn across a diameter."""
        pixel = self.rng.normal(0, math.sqrt(2) * self.noise.end_px) * self.noise.spacing_mm
        read = true_mm * self.bias * self.factor(self.noise.diameter_cv) + pixel
        pixels = max(read, 0.1 * self.noise.spacing_mm) / self.noise.spacing_mm
        return caliper_quantity((0.0, 0.0), (0.0, pixels), (self.noise.spacing_mm,) * 2, self.settings)

    def outline(self, long_mm: float, short_mm: float) -> OutlineQuantities:
        """An elliptic outline, its two diameters read by themselves, then off all round."""
        sd_mm = self.noise.outline_px * self.noise.spacing_mm
        band = 2 * self.rng.normal(0, sd_mm)
        read = [d * self.bias * self.factor(self.noise.diameter_cv) + band for d in (long_mm, short_mm)]
        a, b = (max(d, 0.1 * self.noise.spacing_mm) for d in read)
        around = math.pi / 2 * (3 * (a + b) - math.sqrt((3 * a + b) * (a + 3 * b)))  # Ramanujan's first
        sizes = MaskMeasurement(
            long_axis_mm=a, short_axis_mm=b, area_mm2=math.pi / 4 * a * b, perimeter_mm=around,
            equivalent_diameter_mm=math.sqrt(a * b), long_axis_px=((0, 0), (0, a)), short_axis_px=((0, 0), (b, 0)),
            outline_px=np.empty((0, 2)), spacing_mm=(self.noise.spacing_mm,) * 2, hard=False,
        )  # fmt: skip
        sd = OutlineSd(
            long_axis_mm=2 * sd_mm, short_axis_mm=2 * sd_mm, area_mm2=sd_mm * around, perimeter_mm=2 * math.pi * sd_mm
        )
        return quantities_of_outline(sizes, sd, self.settings)

    def body(self, true_mm: tuple[float, float, float]) -> Quantity:
        """The sum of voxels of a body on slices 1.5 pixels apart: one reading and one error all round.

        Bodies that fewer than `LEAST_SLICES` cut are drawn again: a run refuses them.
        """
        sd_mm, step = self.noise.outline_px * self.noise.spacing_mm, 1.5 * self.noise.spacing_mm
        read = self.bias * self.factor(math.sqrt(3) * self.noise.diameter_cv) ** (1 / 3)
        band = 2 * self.rng.normal(0, sd_mm)
        a, b, c = (max(d * read + band, step / 100) for d in true_mm)
        z = np.arange(-c / 2 + self.rng.uniform(0, step), c / 2, step)
        if len(z) < LEAST_SLICES:
            return self.body(true_mm)
        power = 1.6075  # Thomsen's formula for an ellipsoid's surface, right to 1.1 %
        surface = math.pi * (((a * b) ** power + (a * c) ** power + (b * c) ** power) / 3) ** (1 / power)
        areas = list(math.pi / 4 * a * b * (1 - (2 * z / c) ** 2))
        read_by = of_parts(a, repeatability=self.noise.diameter_cv * a)
        _, volume = body_quantities(
            [],
            (sum(areas) * step / 1000, between_slices(areas) * step / 1000),
            drawn=(read_by, read_by),
            edge_mm=sd_mm,
            surface_mm2=surface,
            settings=self.settings,
        )
        return volume

    def read(self, true_mm: tuple[float, float, float]) -> Reading:
        """Every size of one lesion; the planes are (long, short) and (long, third), and share the long axis."""
        long, short, third = true_mm
        calipers = [self.caliper(d) for d in true_mm]
        first, second = self.outline(long, short), self.outline(long, third)
        shared = [
            diameter_of_outline(o.long_axis_mm.value, o.area_mm2, o.perimeter_mm.value, self.settings)
            for o in (first, second)
        ]
        volume, turned = (math.pi / 6 * long * short * d / 1000 for d in (third, short))
        return Reading(
            {
                "caliper": calipers[0],
                "outline diameter": first.long_axis_mm,
                "area": first.area_mm2,
                "volume, three calipers": ellipsoid_volume_quantity(
                    calipers[0], calipers[1], calipers[2], self.settings
                ),
                "volume, three diameters of outlines": ellipsoid_volume_quantity(
                    first.long_axis_mm, first.short_axis_mm, second.short_axis_mm, self.settings
                ),
                "volume, biplane": biplane_volume_quantity(
                    (first.area_mm2, shared[0]), (second.area_mm2, shared[1]), self.settings
                ),
                "volume, one plane by calipers": rotation_volume_quantity(calipers[0], calipers[1], self.settings),
                "volume, voxels": self.body(true_mm),
                "volume, area-length": area_length_volume_quantity(first.area_mm2, first.long_axis_mm, self.settings),
            },
            {
                "caliper": long,
                "outline diameter": long,
                "area": math.pi / 4 * long * short,
                "volume, three calipers": volume,
                "volume, three diameters of outlines": volume,
                "volume, biplane": volume,
                "volume, voxels": volume,
                "volume, one plane by calipers": turned,
                "volume, area-length": turned,
            },
        )


def axes(long_mm: float) -> tuple[float, float, float]:
    """The three true diameters of a lesion."""
    return long_mm * SHAPE[0], long_mm * SHAPE[1], long_mm * SHAPE[2]


def child(reader: Reader, long_mm: float) -> Reading:
    """All lesions of one child: the largest one's sizes, and the sums of diameters and of volumes."""
    largest = reader.read(axes(long_mm * LESIONS[0]))
    smaller = [axes(long_mm * share) for share in LESIONS[1:]]
    calipers = [[reader.caliper(d) for d in each] for each in smaller]
    diameters = [largest.sizes["caliper"], *(each[0] for each in calipers)]
    volumes = [ellipsoid_volume_quantity(each[0], each[1], each[2], reader.settings) for each in calipers]
    sums = {
        "sum of diameters": sum_quantity(diameters),
        "sum of volumes": sum_quantity([largest.sizes["volume, three calipers"], *volumes]),
    }
    truth = {
        "sum of diameters": largest.truth["caliper"] + sum(each[0] for each in smaller),
        "sum of volumes": largest.truth["volume, three calipers"]
        + sum(math.pi / 6 * math.prod(each) / 1000 for each in smaller),
    }
    return Reading(largest.sizes | sums, largest.truth | truth)


def held(interval: tuple[float, float], truth: float) -> bool:
    """True where an interval holds the truth."""
    return interval[0] <= truth <= interval[1]


def sizes_held(noise: Noise, long_mm: float, draws: int, seed: int) -> dict[str, float]:
    """Share of the intervals of each size that hold the truth."""
    rng = np.random.default_rng(seed)
    counts: dict[str, int] = defaultdict(int)
    for _ in range(draws):
        reading = child(Reader(noise, rng), long_mm)
        for name, quantity in reading.sizes.items():
            counts[name] += held(quantity.ci95, reading.truth[name])
    return {name: count / draws for name, count in counts.items()}


def changes_held(noise: Noise, long_mm: float, change: float, draws: int, seed: int) -> dict[str, float]:
    """Share of the intervals of each size's percent change that hold the true one, for a change of every diameter."""
    rng = np.random.default_rng(seed)
    counts: dict[str, int] = defaultdict(int)
    for _ in range(draws):
        first = Reader(noise, rng)
        second = Reader(noise, rng, bias=first.bias if noise.same_reader else None)
        before, after = child(first, long_mm), child(second, long_mm * (1 + change))
        for name, quantity in before.sizes.items():
            interval = ratio_ci95(quantity, after.sizes[name], same_reader=noise.same_reader)
            counts[name] += held(interval, 100 * (after.truth[name] / before.truth[name] - 1))
    return {name: count / draws for name, count in counts.items()}


def table(title: str, columns: Iterable[str], rows: dict[str, list[float]]) -> Iterator[str]:
    """A Markdown table of percentages."""
    yield f"| {title} | " + " | ".join(columns) + " |"
    yield "|---" * (len(next(iter(rows.values()))) + 1) + "|"
    for name, shares in rows.items():
        yield f"| {name} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |"


def main() -> None:
    """Sizes by noise and size, then changes by noise and true change."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--draws", type=int, default=4000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    ranges: dict[str, list[str]] = defaultdict(list)
    every: list[float] = []
    for noise in NOISES:
        print(
            f"**{noise.name}**: {noise.spacing_mm:g} mm pixels, caliper ends {noise.end_px:g} px, outline "
            f"{noise.outline_px:g} px, diameter {100 * noise.diameter_cv:g} %, bias {100 * noise.bias_cv:g} %\n"
        )
        sizes: dict[str, list[float]] = defaultdict(list)
        for number, size in enumerate(SIZES_MM):
            for name, share in sizes_held(noise, size, chosen.draws, chosen.seed + number).items():
                sizes[name].append(share)
        print("\n".join(table("size", [f"{s:g} mm" for s in SIZES_MM], sizes)) + "\n")
        cells = [(size, change) for size, changes in CHANGES.items() for change in changes]
        moved: dict[str, list[float]] = defaultdict(list)
        for number, (size, change) in enumerate(cells):
            for name, share in changes_held(noise, size, change, chosen.draws, chosen.seed + 100 + number).items():
                moved[name].append(share)
        heads = [f"{size:g} mm {100 * change:+.0f} %" for size, change in cells]
        print("\n".join(table("change", heads, moved)) + "\n")
        for name in sizes:
            ranges[name].append(f"{span(sizes[name])}; {span(moved[name])}")
            every += [*sizes[name], *moved[name]]
    print(f"| lowest to highest, %: of sizes; of changes | {' | '.join(noise.name for noise in NOISES)} |")
    print("|---" * (len(NOISES) + 1) + "|")
    for name, found in ranges.items():
        print(f"| {name} | {' | '.join(found)} |")
    inside = sum(0.93 <= share <= 0.97 for share in every)
    print(
        f"\n{len(every)} cells of {chosen.draws} draws: {span(every)} %, mean {100 * np.mean(every):.1f} %; "
        f"{inside} within 93 to 97 %"
    )


def span(shares: Iterable[float]) -> str:
    """Lowest and highest of some shares, in percent."""
    known = list(shares)
    return f"{100 * min(known):.1f} to {100 * max(known):.1f}"


if __name__ == "__main__":
    main()
