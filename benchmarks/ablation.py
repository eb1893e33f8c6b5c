"""What each part of the training of the network for calipers adds: the same short training, with one thing changed.

``python benchmarks/ablation.py DATA... --work FOLDER [--config configs/train.yaml] [--variant base ...] [--steps 600]``
pre-trains every variant from the same random weights for so many steps, without a picture of the cross-validated sets,
and prints the mean Dice on these and on the held-back pictures from one caliper and from both, placed in three ways,
each end's row and column moved by 5 % of the length (SD). A variant that was trained already is not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.datasets import SIMULATED, LesionAxes, Picture, choose_calipers
from lesion_measure.lab.evaluation.overlap import ellipse_mask
from lesion_measure.lab.training.copies import placements
from lesion_measure.lab.training.loop import StageJob, State, fit
from lesion_measure.lab.training.material import Material, gather
from lesion_measure.lab.training.precision import settled
from lesion_measure.lab.training.progress import Meter, Planned
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.lab.training.team import gathered
from lesion_measure.network import CaliperLine
from lesion_measure.network.bundle import BundleSettings
from lesion_measure.network.confidence import dice
from lesion_measure.network.ellipse import suggested_ellipse
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.weights import build_network

PLACEMENTS = ("longest line", "rectangle", "moments")
NAME = "variant"


def variants(part: NetworkSettings) -> dict[str, NetworkSettings]:
    """The settings of each variant, by name: ``base``, that of bundle 0.2.0, leaves out what the others add."""

    def changed(part: NetworkSettings, **augmentation: float) -> NetworkSettings:
        return part.model_copy(update={"augmentation": part.augmentation.model_copy(update=augmentation)})

    def with_prior(part: NetworkSettings, logit: float) -> NetworkSettings:
        return part.model_copy(update={"preprocessing": part.preprocessing.model_copy(update={"ellipse_prior": logit})})

    def simulated(part: NetworkSettings, weight: float) -> NetworkSettings:
        weights = {**part.pretrain.set_weights, SIMULATED: weight}
        return part.model_copy(update={"pretrain": part.pretrain.model_copy(update={"set_weights": weights})})

    plain = {"aspect": 0.0, "margin": 0.0, "longest_share": 0.5}
    few = {"copies": {name: 4 for name in part.copies if name != SIMULATED}}
    base = simulated(with_prior(changed(part.model_copy(update=plain | few), echo=0.0), 0.0), 0.3)
    combined = with_prior(simulated(base, 2.0).model_copy(update={"aspect": 0.7}), 4.0)
    others = {"margin": 0.6, "copies": {**base.copies, SIMULATED: 2}}
    noisy = {"gamma_sd": 0.25, "gain_sd": 0.35, "speckle": 0.25, "blur": 0.25, "shadow": 0.15}
    return {
        "base": base,
        "no simulated frames": simulated(base, 0.0),
        "mostly simulated frames": simulated(base, 2.0),
        "no copies": base.model_copy(update={"copies": {}}),
        "echo": changed(base, echo=0.5),
        "aspect": base.model_copy(update={"aspect": 0.7}),
        "echo, aspect": changed(base.model_copy(update={"aspect": 0.7}), echo=0.5),
        "aspect, ellipse prior": with_prior(base.model_copy(update={"aspect": 0.7}), 4.0),
        "mostly simulated frames, aspect, ellipse prior": combined,
        "the same, other readers": combined.model_copy(update=others),
        "stronger noise": changed(base, **noisy),
        "all": changed(base.model_copy(update={"aspect": 0.7}), echo=0.5, **noisy),
    }


@dataclass(frozen=True, slots=True)
class Trial:
    """One lesion under one placing of calipers."""

    item: Picture
    truth: NDArray[np.bool_]
    placement: str
    calipers: tuple[CaliperLine, ...]


def trials(pictures: Sequence[Picture], jitter: float, draws: int, seed: int) -> list[Trial]:
    """Every lesion under every placement's calipers, moved ``draws`` times; the same for every variant."""
    made = []
    for number, item in enumerate(pictures):
        for label in range(1, len(item.axes) + 1):
            truth = item.labels == label
            for placement, axes in zip(PLACEMENTS, placements(truth), strict=False):
                made += _drawn(item, truth, placement, axes, jitter, draws, (seed, number, label))
    return made


def _drawn(
    item: Picture,
    truth: NDArray[np.bool_],
    placement: str,
    axes: LesionAxes,
    jitter: float,
    draws: int,
    seed: tuple[int, ...],
) -> list[Trial]:
    rng = np.random.default_rng((*seed, PLACEMENTS.index(placement)))
    return [
        Trial(item, truth, placement, tuple(choose_calipers(axes, True, jitter, rng, truth.shape)))
        for _ in range(draws)
    ]


def measure(
    part: NetworkSettings, state: State, made: Sequence[Trial]
) -> dict[tuple[str, str, str], list[tuple[float, float]]]:
    """Dice of the network and of the plain ellipse, by set, placement and whether one or both calipers were given."""
    network = build_network(part.network)
    network.load_state_dict(dict(state))
    settings = BundleSettings(preprocessing=part.preprocessing, prompted_preprocessing=part.preprocessing)
    segmenter = torch_segmenter(network, settings, name=NAME, sha256="", prompted=network)
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for one in made:
        rows, cols = one.truth.shape
        for which, calipers in (("long", one.calipers[:1]), ("both", one.calipers)):
            drawn = segmenter.segment(one.item.image, calipers).probability >= 0.5
            plain = ellipse_mask(suggested_ellipse(calipers), one.truth.shape).on((slice(0, rows), slice(0, cols)))
            pair = dice(drawn, one.truth), dice(plain, one.truth)
            found.setdefault((one.item.source, one.placement, which), []).append(pair)
    return found


def train(
    name: str, part: NetworkSettings, material: Material, settings: TrainSettings, steps: int, work: Path
) -> State:
    """The averaged weights of one variant."""
    size = part.pretrain.batch_size
    epochs = max(1, round(steps * size / part.pretrain.samples_per_epoch))
    stage = part.pretrain.model_copy(update={"epochs": epochs, "ema_decay": 0.99})
    planned = Planned(NAME, "prompted", NAME, epochs * stage.samples_per_epoch, stage.samples_per_epoch, 128)
    with gathered("cpu") as team:
        job = StageJob(
            name=NAME, part=part, stage=stage, training=material.training, validation=[], seed=settings.seed,
            checkpoint=work / f"{name.replace(' ', '-').replace(',', '')}.pt", threads=settings.threads,
            bfloat16=settled(settings, team).bfloat16 is True, compiled=settings.compiled,
            validate_every=epochs,
        )  # fmt: skip
        return fit(job, resume=True, team=team, meter=Meter([planned], print, lambda standing: None))


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What every training asks for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and simulated frames")
    parser.add_argument("--config", type=Path, default=Path("configs/train.yaml"))
    return parser


def main() -> None:
    """Train and measure the variants that were asked for."""
    parser = arguments(__doc__)
    parser.add_argument("--variant", nargs="*", help="names; all where left out")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--draws", type=int, default=3, help="placings of each caliper on small sets")
    asked = parser.parse_args()
    settings = TrainSettings.from_yaml(asked.config)
    if settings.prompted is None:
        raise SystemExit("The configuration has no network for calipers.")
    material = gather(asked.data, settings, asked.work / "simulated", frozenset(), print)
    small = trials(material.crossed, settings.caliper_jitter, asked.draws, settings.seed)
    large = trials(material.validation, settings.caliper_jitter, 1, settings.seed)
    for name, part in variants(settings.prompted).items():
        if asked.variant and name not in asked.variant:
            continue
        found = measure(part, train(name, part, material, settings, asked.steps, asked.work), [*small, *large])
        print(f"\n{name}: mean Dice (ellipse)")
        for (source, placement, which), pairs in sorted(found.items()):
            own, plain = np.mean(pairs, axis=0)
            print(f"  {source:12} {placement:14} {which:5} {own:.3f} ({plain:.3f})  n = {len(pairs)}")


if __name__ == "__main__":
    main()
