"""How wide the edges of the shipped networks' probability maps are.

``python benchmarks/edge_width.py FOLDER ... [--pictures 40]`` lets the networks outline lesions on pictures of known
layouts (docs/datasets.md): by themselves, from the long axis, and from both axes. It prints the sum of p (1 - p) per
pixel of outline. Pixel coverage has 0.15 to 0.19, a hard mask 0.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import Picture, load
from lesion_measure.measure.outline import checked_mask, edge_width, largest_part, plain_contour
from lesion_measure.network import Segmenter


def width(probability: NDArray[np.float32]) -> float:
    """Edge width of one lesion's map."""
    part = largest_part(checked_mask(probability, 2))
    return edge_width(part.values, plain_contour(part.values))


def widths(segmenter: Segmenter, item: Picture) -> dict[str, list[float]]:
    """Edge widths of a picture's outlines by what they were drawn from."""
    prompts = {
        "by itself": [None],
        "long axis": [[a.long] for a in item.axes],
        "both": [[a.long, a.short] for a in item.axes if a.short],
    }
    return {
        name: [width(lesion.probability) for lines in each for lesion in segmenter.segment(item.image, lines).lesions]
        for name, each in prompts.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pictures", type=int, default=40)
    args = parser.parse_args()
    segmenter = Segmenter.from_bundle(find_model(None))
    found: dict[str, list[float]] = defaultdict(list)
    for folder in args.folders:
        pictures = load(folder)
        for place in np.random.default_rng(1).permutation(len(pictures))[: args.pictures]:
            for name, each in widths(segmenter, pictures[int(place)]).items():
                found[name] += each
    for name, each in found.items():
        print(f"{name:10s} {len(each):4d} outlines: at least {min(each):.2f}, median {np.median(each):.2f}")


if __name__ == "__main__":
    main()
