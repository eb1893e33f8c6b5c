"""What the grid that the automatic network answers on is worth, a shift of its logit, and other weights than its own.

``python benchmarks/automatic_grid.py DATA... [--size 192 288] [--shift 1.5] [--weights WORK/finetune.pt ... [--own]]``
``[--simulated NAME.work/simulated] [--training]`` draws the pictures that a bundle was chosen on, without calipers, and
prints by set and kind the mean Dice (missed = 0; 95 % bootstrap interval over groups; n), paired with the bundle as
it is, the lesions touched and the lesion-free pictures with something drawn. With ``--training`` every fourth of the
pictures that it was trained on: what it draws better there than elsewhere, it knows by heart.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from liver_network import whole
from torch import Tensor, nn

from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import Picture, group_duplicates, load_all, picture_digest, simulated_pictures
from lesion_measure.lab.evaluation import read_held_back, read_training_pictures
from lesion_measure.network import Segmenter
from lesion_measure.network.bundle import read_bundle
from lesion_measure.network.confidence import dice
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.weights import load_network
from lesion_measure.stats.bootstrap import mean

FRAMES = 120
FRAME_SIZE = (432, 576)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture as it was drawn: its Dice (None: lesion-free), whether a lesion was touched, outlines."""

    item: Picture
    dice: float | None
    touched: bool
    outlines: int


class Averaged(nn.Module):
    """The mean of the logits of several networks."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.stack([network(pictures) for network in self.networks]).mean(dim=0)


def segmenter(
    model: Path, size: int | None, weights: Sequence[Path], shift: float | None = None, *, own: bool = False
) -> Segmenter:
    """The bundle, its automatic network on another grid, with another shift or in place of it the mean of others.

    Parameters
    ----------
    model
        The bundle.
    size
        Side of the grid; None: the bundle's.
    weights
        Checkpoints whose averaged weights answer, several by the mean of their logits; none: the bundle's.
    shift
        Added to the logit of lesion; None: the bundle's.
    own
        Whether the bundle's network has a part in that mean.
    """
    bundle = read_bundle(model)
    networks = [load_network(bundle.automatic) for _ in weights]
    for network, path in zip(networks, weights, strict=True):
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["averaged"])
    if own or not weights:
        networks.append(load_network(bundle.automatic))
    automatic = networks[0] if len(networks) == 1 else Averaged(networks)
    grid = bundle.settings.preprocessing.model_copy(update={} if size is None else {"size": size})
    moved = {} if shift is None else {"lesion_shift": shift}
    settings = bundle.settings.model_copy(update={"preprocessing": grid, **moved})
    prompted = None if bundle.prompted is None else load_network(bundle.prompted)
    return torch_segmenter(automatic, settings, name=bundle.name, sha256="", prompted=prompted, threads=1)


def draw(network: Segmenter, pictures: Sequence[Picture], *, flips: bool = True) -> list[Drawn]:
    """Every picture without calipers, with its mirrored pass or without."""
    drawn = []
    for item in pictures:
        result = network.segment(item.image, flips=flips)
        mask, truth = whole(result, item.image.shape), item.labels > 0
        score = dice(mask, truth) if item.axes else None
        drawn.append(Drawn(item, score, bool((mask & truth).any()), len(result.lesions)))
    return drawn


def chosen_on(data: Sequence[Path], model: Path, training: bool) -> list[Picture]:
    """The pictures that a bundle was chosen on, or every fourth of those that it was trained on."""
    held = read_held_back(model)
    asked = read_training_pictures(model) if training else held and frozenset(held.validation)
    pictures, _ = group_duplicates(load_all(list(data), [], lambda line: None))
    found = [item for item in pictures if picture_digest(item) in (asked or frozenset())]
    return found[::4] if training else found


def tell(name: str, drawn: Sequence[Drawn], before: Sequence[Drawn]) -> None:
    """Figures by set and kind; the difference to the bundle as it is in the same pictures."""
    old = {(one.item.source, one.item.name): one.dice for one in before}
    for source, kind in sorted(
        {(one.item.source, one.item.kind) for one in drawn} | {(d.item.source, "") for d in drawn}
    ):
        own = [one for one in drawn if one.item.source == source and kind in ("", one.item.kind)]
        scored = [(one, one.dice, old[source, one.item.name]) for one in own if one.dice is not None]
        free = [one for one in own if one.dice is None]
        text = f"lesion-free drawn {sum(one.outlines > 0 for one in free)} of {len(free)}"
        if scored:
            groups = [one.item.group for one, _, _ in scored]
            gain = mean([score - (was or 0.0) for _, score, was in scored], groups, 1)
            touched = sum(one.touched for one, _, _ in scored) / len(scored)
            dices = mean([score for _, score, _ in scored], groups, 1)
            text = f"Dice {dices}, {gain} more; touched {100 * touched:.0f} %; {text}"
        print(f"{name}, {source} {kind or 'all'}: {text}", flush=True)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--size", type=int, nargs="*", default=[])
    parser.add_argument("--weights", type=Path, nargs="*", default=[], help="checkpoints; of several the mean logit")
    parser.add_argument("--own", action="store_true", help="with the bundle's own network in that mean")
    parser.add_argument("--shift", type=float, nargs="*", default=[], help="added to the logit of lesion")
    parser.add_argument("--simulated", type=Path, help="folder of the validation frames that a training made")
    parser.add_argument("--training", action="store_true")
    options = parser.parse_args()
    model = find_model(options.model)
    pictures = chosen_on(options.data, model, options.training)
    if options.simulated:
        pictures += simulated_pictures(options.simulated, "validation", FRAMES, 1, FRAME_SIZE)
    before = draw(segmenter(model, None, []), pictures)
    tell("as it is", before, before)
    for size, shift in itertools.product(options.size or [None], options.shift or [None]):
        if options.weights or (size, shift) != (None, None):
            name = f"grid {size or 'as it is'}" + ("" if shift is None else f", logit + {shift:g}")
            network = segmenter(model, size, options.weights, shift, own=options.own)
            tell(name, draw(network, pictures), before)


if __name__ == "__main__":
    main()
