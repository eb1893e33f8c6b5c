"""What an outline can be worth that trusts its caliper: the true outline itself, laid under the misplaced caliper.

``python benchmarks/caliper_limits.py DATA... [--draws 8]``
takes each lesion's true outline, moves the ends of its long axis as `evaluate` does, and turns, shifts and scales the
outline with the axis. Its Dice with the true one is what perfect knowledge of a lesion's shape gives without a look at
the picture; the area errs as the square of the caliper's length does.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ablation import PLACEMENTS
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from lesion_measure.lab.datasets import Picture, load_all
from lesion_measure.lab.datasets.calipers import jitter
from lesion_measure.lab.training.copies import placements
from lesion_measure.network.confidence import dice
from lesion_measure.network.parts import outline_of
from lesion_measure.network.window import CaliperLine

SPREADS = (0.05 / math.sqrt(2), 0.05, 0.1)
SIDE, LONGEST_PX, MARGIN_PX = 160, 90, 35


def moved_with(
    outline: NDArray[np.float64], true: CaliperLine, moved: CaliperLine
) -> tuple[NDArray[np.float64], float]:
    """An outline (n, 2) after the similarity that takes one caliper to another, and its scale."""
    points = outline[:, 0] + 1j * outline[:, 1]
    (a, b), (c, d) = ([complex(*end) for end in line] for line in (true, moved))
    turned = (d - c) / (b - a)
    laid = (points - a) * turned + c
    return np.stack([laid.real, laid.imag], axis=1), abs(turned)


def trial(
    outline: NDArray[np.float64], axis: CaliperLine, spread: float, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[float, float]:
    """Dice of the true outline under a moved caliper with the true one, and the relative error of its area."""
    laid, scale = moved_with(outline, axis, jitter(axis, spread, rng, shape))
    factor = LONGEST_PX / float(np.ptp(outline, axis=0).max())
    corner = outline.min(axis=0) - MARGIN_PX / factor
    one, two = (polygon2mask((SIDE, SIDE), (line - corner) * factor) for line in (outline, laid))
    return dice(one, two), abs(scale**2 - 1)


def set_trials(pictures: Sequence[Picture], spread: float, draws: int) -> dict[str, list[tuple[float, float]]]:
    """Trials of every lesion, by placement."""
    found: dict[str, list[tuple[float, float]]] = {placement: [] for placement in PLACEMENTS}
    for number, item in enumerate(pictures):
        for label in range(1, len(item.axes) + 1):
            mask = item.labels == label
            outline = np.asarray(outline_of(mask), dtype=np.float64)
            for place, (placement, axes) in enumerate(zip(PLACEMENTS, placements(mask), strict=False)):
                rng = np.random.default_rng((number, label, place))
                found[placement] += [trial(outline, axes.long, spread, mask.shape, rng) for _ in range(draws)]
    return found


def main() -> None:
    """Print a line for each set, spread and placement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=8)
    asked = parser.parse_args()
    pictures = load_all(asked.data)
    for source in sorted({item.source for item in pictures}):
        own = [item for item in pictures if item.source == source]
        for spread in SPREADS:
            for placement, pairs in set_trials(own, spread, asked.draws).items():
                overlap, area = np.mean([d for d, _ in pairs]), 100 * np.median([a for _, a in pairs])
                told = f"Dice {overlap:.3f}, median area error {area:.1f} %"
                print(f"{source:8} ends moved by {spread:.3f}  {placement:13} {told}")


if __name__ == "__main__":
    main()
