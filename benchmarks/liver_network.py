"""How a bundle does on liver pictures: by itself, its liver, from calipers, from a box and from a click.

``python benchmarks/liver_network.py DATA [--model models/NAME]`` measures the pictures of a
data folder that the bundle was not trained or chosen on and prints by kind of picture, as mean (95 % bootstrap interval
over groups; n): automatic Dice (missed = 0), lesions touched, pictures with an accepted outline and what is accepted,
what is drawn where there is no lesion, the Dice of the liver, and of outlines from calipers, from a box whose sides
are moved by 5 % (SD), and from a click inside.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import Picture, choose_calipers, group_duplicates, load, picture_digest
from lesion_measure.lab.evaluation import read_held_back, read_training_pictures
from lesion_measure.lab.evaluation.overlap import ellipse_mask
from lesion_measure.network import CaliperLine, Segmentation, Segmenter
from lesion_measure.network.box import box_lines, lesion_box, moved_box
from lesion_measure.network.click import segment_click
from lesion_measure.network.confidence import dice
from lesion_measure.network.ellipse import suggested_ellipse
from lesion_measure.stats.bootstrap import mean

RIGHT = 0.75
SPREAD = 0.05
DEPTH = 3
"""Least distance of a click from the border, in pixels."""

Score = tuple[float, Picture]
"""A value and the picture that it is of."""


def whole(result: Segmentation, shape: tuple[int, ...]) -> np.ndarray:
    """Every outline of a picture as one mask."""
    mask = np.zeros(shape, dtype=bool)
    for lesion in result.lesions:
        mask[lesion.box] |= lesion.mask
    return mask


def by_itself(segmenter: Segmenter, pictures: Sequence[Picture]) -> dict[str, list[Score]]:
    """What is drawn without a prompt."""
    found: dict[str, list[Score]] = {}

    def note(name: str, value: float, item: Picture) -> None:
        found.setdefault(name, []).append((float(value), item))

    for item in pictures:
        result = segmenter.segment(item.image)
        if item.liver is not None and result.liver is not None:
            note("liver, Dice", dice(result.liver.on_image(item.image.shape) >= 0.5, item.liver), item)
        if not item.axes:
            note("lesion-free: drawn", bool(result.lesions), item)
            note("lesion-free: accepted", any(one.accepted for one in result.lesions), item)
            continue
        drawn = whole(result, item.image.shape)
        note("automatic Dice", dice(drawn, item.labels > 0), item)
        note("touched", bool((drawn & (item.labels > 0)).any()), item)
        note("with one accepted", any(one.accepted for one in result.lesions), item)
        for lesion in (one for one in result.lesions if one.accepted):
            own = np.zeros(item.image.shape, dtype=bool)
            own[lesion.box] = lesion.mask
            label = int(np.bincount(item.labels[own], minlength=2)[1:].argmax()) + 1
            score = dice(own, item.labels == label)
            note("accepted: Dice", score, item)
            note("accepted: wrong", score < RIGHT, item)
    return found


def prompted(segmenter: Segmenter, pictures: Sequence[Picture], seed: int) -> dict[str, list[Score]]:
    """What is drawn from calipers on the longest lines, from a box and from a click, all moved."""
    found: dict[str, list[Score]] = {}

    def note(name: str, lines: list[CaliperLine], item: Picture, label: int) -> None:
        truth = item.labels == label
        rows, cols = item.labels.shape
        oval = ellipse_mask(suggested_ellipse(lines), item.labels.shape).on((slice(0, rows), slice(0, cols)))
        answer = whole(segmenter.segment(item.image, lines), item.image.shape)
        for what, mask in ((name, answer), (f"{name}, ellipse", oval)):
            found.setdefault(what, []).append((dice(mask, truth), item))

    for item in pictures:
        rng = np.random.default_rng((seed, int(picture_digest(item)[:16], 16)))
        for label, axes in enumerate(item.axes, start=1):
            for name, both in (("long axis", False), ("both axes", True)):
                note(name, choose_calipers(axes, both, SPREAD, rng, item.image.shape), item, label)
            box = moved_box(lesion_box(item.labels == label), SPREAD, rng)
            note("box", box_lines(box), item, label)
            inside = np.argwhere(ndimage.distance_transform_edt(item.labels == label) > DEPTH)
            click = inside[rng.integers(len(inside))] if len(inside) else np.argwhere(item.labels == label)[0]
            answer = segment_click(segmenter, item.image, (float(click[0]), float(click[1])))
            score = dice(whole(answer, item.image.shape), item.labels == label)
            found.setdefault("click", []).append((score, item))
    return found


def told(scores: Sequence[Score]) -> str:
    """Mean, interval and n."""
    return str(mean([value for value, _ in scores], [item.group for _, item in scores], 1))


def held_back(data: Path, model: Path) -> list[Picture]:
    """The pictures of a folder that a bundle was neither trained nor chosen on, nor others of their groups."""
    pictures, _ = group_duplicates(load(data))
    chosen = read_held_back(model)
    seen = (read_training_pictures(model) or frozenset()) | (frozenset(chosen.validation) if chosen else frozenset())
    groups = {item.group for item in pictures if picture_digest(item) in seen}
    return [item for item in pictures if item.group not in groups]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    model = find_model(options.model)
    segmenter = Segmenter.from_bundle(model)
    pictures = held_back(options.data, model)
    kinds = sorted({item.kind for item in pictures if item.axes})
    print(f"{len(pictures)} pictures")
    for what, scores in (by_itself(segmenter, pictures) | prompted(segmenter, pictures, options.seed)).items():
        print(f"{what}: {told(scores)}")
        parts = [(kind, [(value, item) for value, item in scores if item.kind == kind]) for kind in kinds]
        for kind, own in parts if all(own for _, own in parts) else ():
            print(f"    {kind}: {told(own)}")


if __name__ == "__main__":
    main()
