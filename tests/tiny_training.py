"""Trainings of a few seconds: bright blobs on noise, and settings of small networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.lab.training import TrainSettings
from lesion_measure.lab.training.settings import NetworkSettings, Simulated, Split, Stage
from lesion_measure.network import Preprocessing
from lesion_measure.network.definition import NetworkDefinition

TINY_PART = NetworkSettings(
    network=NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1),
    preprocessing=Preprocessing(size=48),
    pretrain=Stage(epochs=3, samples_per_epoch=16, batch_size=4),
)
TINY = TrainSettings(
    seed=4,
    threads=1,
    validate_every=2,
    placings=1,
    bfloat16=False,
    automatic=TINY_PART,
    simulated=Simulated(frames=0, validation_frames=0),
    split=Split(share=0.4),
)
FINETUNE = Stage(epochs=2, samples_per_epoch=16, batch_size=4, blend_share={"blobs": 0.5})
TWO = TINY.model_copy(
    update={
        "automatic": TINY_PART.model_copy(update={"prompted_share": 0.0, "finetune": FINETUNE}),
        "prompted": TINY_PART.model_copy(update={"prompted_share": 1.0, "finetune": FINETUNE, "copies": {"blobs": 2}}),
        "split": Split(cross_validated=("few",), folds=2),
    }
)


def tiny(**changes: object) -> TrainSettings:
    """`TINY` with other settings of its one network."""
    return TINY.model_copy(update={"automatic": TINY_PART.model_copy(update=changes)})


def blob(rng: np.random.Generator, lesion: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    row, col = np.mgrid[:64, :80]
    mask = (row - rng.uniform(20, 44)) ** 2 + 0.6 * (col - rng.uniform(25, 55)) ** 2 < rng.uniform(60, 150)
    mask &= lesion
    image = np.clip(rng.normal(80, 20, mask.shape) + 90 * mask, 0, 255)
    return image.astype(np.uint8), (mask * 255).astype(np.uint8)


def write_blobs(root: Path, *, seed: int = 2, count: int = 20) -> Path:
    """A data folder of 20 pictures in 10 groups, every fourth without a lesion; the same seed, the same pictures."""
    rng = np.random.default_rng(seed)
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    lines = ["id,group"]
    for number in range(count):
        image, mask = blob(rng, number % 4 != 0)
        Image.fromarray(image).save(root / "images" / f"p{number}.png")
        Image.fromarray(mask).save(root / "masks" / f"p{number}.png")
        lines.append(f"p{number},g{number // 2}")
    (root / "index.csv").write_text("\n".join(lines) + "\n")
    return root


def write_settings(settings: TrainSettings, path: Path) -> Path:
    """The settings as a file for the command line."""
    path.write_text(yaml.safe_dump(settings.model_dump(mode="json", by_alias=True)))
    return path
