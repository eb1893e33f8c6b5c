"""What simulated and blended pictures add to the network that finds lesions by itself: one thing changed each time.

``python benchmarks/ablation_automatic.py DATA... --work FOLDER [--config configs/train.yaml] [--variant NAME ...]``
pre-trains every variant from the same random weights for so many samples, without a picture of the cross-validated
sets, and prints by set, with 95 % bootstrap intervals: mean Dice (missed = 0), lesions found, and the share of
lesion-free pictures with a lesion drawn. A variant that was trained already is not trained again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ablation import NAME, arguments

from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.evaluation import run_cases, summarise
from lesion_measure.lab.training.loop import StageJob, fit
from lesion_measure.lab.training.material import Material, gather
from lesion_measure.lab.training.precision import settled
from lesion_measure.lab.training.progress import Meter, Planned
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.lab.training.team import gathered
from lesion_measure.network import Segmenter
from lesion_measure.network.bundle import BundleSettings
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.weights import build_network

TOLD = {"picture_dice": "Dice", "found": "found", "lesion_free_drawn": "lesion-free with one drawn"}


def variants(part: NetworkSettings) -> dict[str, NetworkSettings]:
    """The settings of each variant, by name; ``as configured`` is the automatic network's section as it is."""

    def mixed(weights: dict[str, float], blended: dict[str, float]) -> NetworkSettings:
        stage = part.pretrain.model_copy(update={"set_weights": weights, "blend_share": blended})
        return part.model_copy(update={"pretrain": stage})

    def plainer(**augmentation: float) -> NetworkSettings:
        return part.model_copy(update={"augmentation": part.augmentation.model_copy(update=augmentation)})

    weights = part.pretrain.set_weights
    return {
        "as configured": part,
        "nothing blended": mixed(weights, {}),
        "no simulated frames": mixed({**weights, "simulated": 0.0}, {}),
        "no furniture": plainer(text=0.0, marks=0.0, fan=0.0),
    }


def trained(
    name: str, part: NetworkSettings, material: Material, settings: TrainSettings, epochs: int, work: Path
) -> Segmenter:
    """The network of one variant."""
    stage = part.pretrain.model_copy(update={"epochs": epochs})
    size = part.preprocessing.size
    planned = Planned(NAME, "automatic", NAME, epochs * stage.samples_per_epoch, stage.samples_per_epoch, size)
    with gathered("cpu") as team:
        job = StageJob(
            name=NAME, part=part, stage=stage, training=material.training, validation=[], seed=settings.seed,
            checkpoint=work / f"automatic-{name.replace(' ', '-')}.pt", threads=settings.threads,
            bfloat16=settled(settings, team).bfloat16 is True, compiled=settings.compiled,
            validate_every=epochs,
        )  # fmt: skip
        state = fit(job, resume=True, team=team, meter=Meter([planned], print, lambda standing: None))
    network = build_network(part.network)
    network.load_state_dict(dict(state))
    return torch_segmenter(network, BundleSettings(preprocessing=part.preprocessing), name=NAME, sha256="")


def report(name: str, segmenter: Segmenter, pictures: Sequence[Picture]) -> None:
    """Print the figures of one variant, by set."""
    print(f"\n{name}")
    for source, own in summarise(run_cases(segmenter, pictures)).items():
        told = ", ".join(f"{words} {own.detection[key]}" for key, words in TOLD.items())
        print(f"  {source:10} {told}", flush=True)


def main() -> None:
    """Train and measure the variants that were asked for."""
    parser = arguments(__doc__)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--size", type=int, default=128, help="side of the network's grid; smaller is faster")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    settings = TrainSettings.from_yaml(asked.config)
    material = gather(asked.data, settings, asked.work / "simulated", frozenset(), print)
    seen = settings.automatic.preprocessing.model_copy(update={"size": asked.size})
    for name, part in variants(settings.automatic.model_copy(update={"preprocessing": seen})).items():
        if not asked.variant or name in asked.variant:
            report(name, trained(name, part, material, settings, asked.epochs, asked.work), material.held)


if __name__ == "__main__":
    main()
