"""What burnt-in calipers do to the network's outlines, and what it helps to take them out of its input.

``python benchmarks/marks_inpainted.py DATASET [--pictures 40] [--model models/NAME] [--out FOLDER]``: pictures with
outlined lesions, in any layout that ``dataset`` reads. On each, the lesion's long and short axis are drawn as one of
eight looks of scanners draws them. The network outlines it by itself and from these axes, on the picture as it is, with
marks, and with the marks found and inpainted. Dice is paired; intervals are of a bootstrap over groups.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.burnt_in.grouping import find_pairs
from lesion_measure.burnt_in.painted import drawn_pixels, filled
from lesion_measure.lab.datasets import Picture, load
from lesion_measure.lab.evaluation.overlap import Placed, union
from lesion_measure.lab.screens.calipers import draw_caliper, settle
from lesion_measure.lab.screens.looks import LOOKS
from lesion_measure.lab.screens.strokes import Layer
from lesion_measure.network import Segmenter
from lesion_measure.network.confidence import dice

WAYS = ("plain", "marked", "inpainted")
Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """One picture in three ways, its lesion, the lines drawn on it, and how many of them were found."""

    group: str
    ways: dict[str, Rgb]
    truth: NDArray[np.bool_]
    lines: list[tuple[tuple[float, float], tuple[float, float]]]
    found: int
    drawn: int


def marked(item: Picture, rng: np.random.Generator) -> tuple[Rgb, list, int]:
    """The picture with the axes of its largest lesion drawn on it, in RGB; the axes, and how many."""
    label = int(np.bincount(item.labels[item.labels > 0]).argmax())
    axes = item.axes[label - 1]
    lines = [line for line in (axes.long, axes.short) if line is not None]
    look = LOOKS[int(rng.integers(len(LOOKS)))]
    style = settle(rng, look, len(lines))
    canvas = np.repeat(item.image[..., None], 3, axis=2).astype(np.float32)
    for index, line in enumerate(lines):
        layer = Layer(item.image.shape, look.smooth)
        draw_caliper(layer, line, look, style, index)
        layer.over(canvas, look.colour(index), look.outline, look.shadow)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8), lines, label


def shown(item: Picture, rng: np.random.Generator) -> Shown:
    """One picture in its three ways."""
    rgb, lines, label = marked(item, rng)
    pairs = find_pairs(rgb)
    gray = gray_of(rgb)
    ends = [np.array(line) for line in lines]
    hits = sum(
        any(np.abs(np.array([m.point for m in pair.ends]) - order).max() <= 3 for e in ends for order in (e, e[::-1]))
        for pair in pairs
    )
    ways = {"plain": item.image, "marked": gray, "inpainted": filled(gray, drawn_pixels(rgb, pairs))}
    return Shown(item.group, ways, item.labels == label, lines, hits, len(lines))


def gray_of(rgb: Rgb) -> NDArray[np.uint8]:
    """Luminance as the program takes it of colour frames."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


def dices(segmenter: Segmenter, one: Shown) -> dict[tuple[str, str], float]:
    """Dice by way of prompting and of showing."""
    result: dict[tuple[str, str], float] = {}
    for way, picture in one.ways.items():
        for prompt, lines in (("automatic", None), ("long axis", one.lines[:1]), ("both axes", one.lines)):
            lesions = segmenter.segment(picture, lines).lesions
            drawn = union(tuple(Placed(lesion.mask, lesion.origin) for lesion in lesions), one.truth.shape)
            result[prompt, way] = dice(drawn, one.truth)
    return result


def interval(differences: NDArray[np.float64], groups: list[str], draws: int = 4000) -> tuple[float, float]:
    """95 % of the mean, by drawing groups anew."""
    rng = np.random.default_rng(3)
    names = sorted(set(groups))
    parts = [differences[np.array([g == name for g in groups])] for name in names]
    sums, sizes = np.array([p.sum() for p in parts]), np.array([len(p) for p in parts])
    chosen = rng.integers(len(parts), size=(draws, len(parts)))
    low, high = np.quantile(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def save(one: Shown, rgb_ways: dict[str, Rgb], path: Path) -> None:
    """The three ways side by side."""
    Image.fromarray(np.concatenate(list(rgb_ways.values()), axis=1)).save(path)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path, default=Path("models/liver_us_unet"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    items = [item for item in load(options.dataset) if item.axes and item.axes[0].short is not None]
    chosen = [items[int(at)] for at in sorted(rng.permutation(len(items))[: options.pictures])]
    segmenter = Segmenter.from_bundle(options.model)
    start, rows, groups, found, drawn = time.process_time(), [], [], 0, 0
    for number, item in enumerate(chosen):
        one = shown(item, rng)
        rows.append(dices(segmenter, one))
        groups.append(one.group)
        found, drawn = found + one.found, drawn + one.drawn
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            save(one, one.ways, options.out / f"{number:03d}.png")
    print(f"{len(rows)} pictures of {options.dataset.name}; {found} of {drawn} drawn calipers found; "
          f"{time.process_time() - start:.0f} s")  # fmt: skip
    for prompt in ("automatic", "long axis", "both axes"):
        values = {way: np.array([row[prompt, way] for row in rows]) for way in WAYS}
        print(f"{prompt}: Dice " + ", ".join(f"{way} {values[way].mean():.3f}" for way in WAYS))
        for one_way, other in (("marked", "plain"), ("inpainted", "marked"), ("inpainted", "plain")):
            change = values[one_way] - values[other]
            low, high = interval(change, groups)
            print(f"    {one_way} - {other}: {change.mean():+.4f} (95 % {low:+.4f} to {high:+.4f})")


if __name__ == "__main__":
    main()
