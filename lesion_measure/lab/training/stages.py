"""The stages of one network: pre-training, the folds of cross-validation, fine-tuning on everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lesion_measure.errors import ConfigError
from lesion_measure.files.writing import make_folder
from lesion_measure.lab.training.calibrate import Trained
from lesion_measure.lab.training.imagenet import imagenet_start
from lesion_measure.lab.training.loop import StageJob, State
from lesion_measure.lab.training.material import Material
from lesion_measure.lab.training.progress import (
    FINETUNE,
    PRETRAIN,
    finetuning_name,
    fold_file,
    fold_name,
    longer_file,
    longer_name,
    pretraining_name,
)
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.network.bundle import Bundle
from lesion_measure.network.weights import load_network

Fit = Callable[[StageJob], State]
"""Trains one stage, or goes on with it, and gives its weights (`loop.fit`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """The stages of one network, in order, each without its first weights.

    ``folds`` are fine-tuned for figures alone; ``tuning`` is fine-tuning on everything and what comes after it.
    """

    network: str
    part: NetworkSettings
    pretraining: StageJob
    folds: Sequence[StageJob]
    tuning: Sequence[StageJob]

    @property
    def jobs(self) -> list[StageJob]:
        """All of them."""
        return [self.pretraining, *self.folds, *self.tuning]


def stages_of(name: str, part: NetworkSettings, material: Material, settings: TrainSettings, folder: Path) -> Stages:
    """The stages of one network, looked at before the first one is trained.

    Parameters
    ----------
    name, part
        Name of the network; its architecture and stages.
    material, settings
        The pictures, split; the settings of the whole training.
    folder
        Where its checkpoints and curves are kept.

    Raises
    ------
    ConfigError
        A stage would find nothing to learn from, or no lesion to blend into its pictures.
    """
    first = _pretraining(name, part, material, settings, folder)
    folds, tuning = [], []
    if part.finetune is not None:
        job = replace(first, part=part.shown_in(part.finetune), stage=part.finetune)
        whole = replace(job, training=[*material.training, *material.crossed])
        tuned = replace(whole, name=finetuning_name(name), checkpoint=folder / f"{FINETUNE}.pt")
        folds, tuning = [*_folds(job, name, material)], [tuned, *_longer(whole, name, part)]
    stages = Stages(name, part, first, folds, tuning)
    for job in stages.jobs:
        if job.stage.epochs:
            job.check()
    return stages


def train_network(stages: Stages, start: Bundle | None, fit: Fit) -> Trained:
    """Train all stages of one network.

    ``start`` is the bundle whose weights are the first ones; None: as the settings say. ``fit`` trains one stage.
    """
    first = stages.pretraining
    make_folder(first.checkpoint.parent, "working folder")
    state = fit(replace(first, start=_first_weights(stages.network, stages.part, start, first.seed)))
    crossed = [fit(replace(fold, start=state)) for fold in stages.folds]
    for job in stages.tuning:
        state = fit(replace(job, start=state))
    if stages.part.half:
        state, *crossed = (rounded(each) for each in (state, *crossed))
    return Trained(state, crossed)


def rounded(state: State) -> State:
    """Weights that 16 bits hold exactly; those that are too large for that stay as they are."""
    near = {name: value.half().float() for name, value in state.items() if value.dtype.is_floating_point}
    return {**state, **{name: value for name, value in near.items() if value.isfinite().all()}}


def _pretraining(
    name: str, part: NetworkSettings, material: Material, settings: TrainSettings, folder: Path
) -> StageJob:
    """The first stage of a network."""
    return StageJob(
        name=pretraining_name(name),
        part=part.shown_in(part.pretrain),
        stage=part.pretrain,
        training=material.training,
        validation=material.validation,
        checkpoint=folder / f"{PRETRAIN}.pt",
        seed=settings.seed,
        threads=settings.threads,
        bfloat16=settings.bfloat16 is True,
        compiled=settings.compiled,
        validate_every=settings.validate_every,
    )


def _folds(job: StageJob, name: str, material: Material) -> Iterator[StageJob]:
    """The fine-tuning of a network, once for each fold of the cross-validated pictures, without that fold."""
    for number in range(len(material.folds)):
        inside, _ = material.fold(number)
        yield replace(
            job,
            name=fold_name(name, number, len(material.folds)),
            training=[*material.training, *inside],
            checkpoint=job.checkpoint.with_name(f"{fold_file(number)}.pt"),
        )


def _longer(job: StageJob, name: str, part: NetworkSettings) -> Iterator[StageJob]:
    """What comes after fine-tuning, stage by stage."""
    for number, stage in enumerate(part.longer):
        yield replace(
            job,
            name=longer_name(name, number),
            part=part.shown_in(stage),
            stage=stage,
            checkpoint=job.checkpoint.with_name(f"{longer_file(number)}.pt"),
        )


def _first_weights(name: str, part: NetworkSettings, start: Bundle | None, seed: int) -> State | None:
    """Those of the bundle to start from, else of ImageNet where the settings ask for them; None: random ones."""
    bundled = None if start is None else start.networks.get(name)
    if start is None or bundled is None:  # a bundle with one network has no weights for another one
        return imagenet_start(part.network, seed) if part.first_weights == "imagenet" else None
    if bundled.definition != part.network:
        raise ConfigError(
            f"The bundle '{start.name}' to start from has another {name} network than the settings.",
            remedy="Give both the same network section.",
        )
    return load_network(bundled).state_dict()
