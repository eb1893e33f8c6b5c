"""The whole of a training, in order: data, both networks stage by stage, measuring, confidence, bundle."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from lesion_measure.errors import ConfigError
from lesion_measure.files.locks import holding
from lesion_measure.files.writing import make_folder
from lesion_measure.lab.training.begin import begin
from lesion_measure.lab.training.calibrate import Calibrated, Trained, calibrate
from lesion_measure.lab.training.card import Card
from lesion_measure.lab.training.curves import MISSING, has_tensorboard, logged_seconds
from lesion_measure.lab.training.export import write_bundle
from lesion_measure.lab.training.imagenet import imagenet_start
from lesion_measure.lab.training.loop import StageJob, State, fit
from lesion_measure.lab.training.material import Material, check_lesions, chosen_by, gather, seen_by, show_pictures
from lesion_measure.lab.training.precision import precision_told, settled
from lesion_measure.lab.training.progress import (
    FINETUNE,
    PRETRAIN,
    Meter,
    Say,
    Standing,
    Track,
    finetuning_name,
    fold_file,
    fold_name,
    longer_file,
    longer_name,
    plan_of,
    pretraining_name,
)
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.lab.training.team import Team, gathered
from lesion_measure.network.bundle import Bundle, read_bundle

Only = Literal["automatic", "prompted"]


def _silent(message: str) -> None:
    """Progress that nobody asked for."""


def _untracked(standing: Standing) -> None:
    """A standing that nobody asked for."""


def train(
    data: Sequence[Path],
    out: Path,
    settings: TrainSettings,
    *,
    lesion_labels: Sequence[str] = (),
    resume: bool = False,
    overwrite: bool = False,
    start: Path | None = None,
    only: Only | None = None,
    against: Path | None = None,
    device: str = "cpu",
    progress: Say = _silent,
    track: Track = _untracked,
) -> bool:
    """Train on folders of pictures and on simulated frames, and write a bundle.

    Parameters
    ----------
    data
        Folders that `lesion_measure.lab.datasets` can read; may be empty where simulated frames are asked for.
    out
        The bundle's folder. Checkpoints, curves and simulated frames are kept beside it, in ``<name>.work``.
    settings
        Everything else.
    lesion_labels
        Labels that are lesions, where a folder's own words do not tell.
    resume
        Continue from the last whole epoch of a run with the same settings and data; finished stages are not repeated.
    overwrite
        Begin anew where there is an earlier training, whose checkpoints and curves are removed.
    start
        A bundle whose weights training starts from; it must have the same networks.
    only
        Train this network's stages and stop, so that two processes can share the work; a run with ``resume`` and
        without ``only`` then measures both and writes the bundle.
    against
        A bundle that the model card compares the new one with, on held-back pictures that neither was trained on.
    device
        Where to train: ``cpu``, ``cuda`` or ``cuda:0``. Processes that torchrun started share the work.
    progress
        Receives one line after each epoch and step.
    track
        Receives how far the whole training is, after every batch.

    Returns
    -------
    bool
        Whether this process wrote the bundle: not with ``only``, and of several processes the first one alone.

    Raises
    ------
    InputError
        A data folder cannot be used, nothing is left to train or validate on, or nobody outlined a lesion.
    ConfigError
        ``resume`` does not fit a checkpoint, there is an earlier training and neither ``resume`` nor ``overwrite`` is
        asked for, a network of ``start`` is another one, or there is none that ``only``
        means; or the device or the number of processes does not suit the settings.
    ModelError
        The bundle to start from, or the device, cannot be used.
    OutputError
        Results cannot be written.
    """
    _check_only(settings, only)
    with gathered(device) as team, ExitStack() as holds:
        say = progress if team.leads else _silent
        _check_batches(settings, team)
        settings = settled(settings, team)
        say(f"training on {team.device} in {precision_told(settings)}")
        first = None if start is None else read_bundle(start)
        # Read now, so that one that cannot be used is not noticed after hours of training.
        rival = "" if against is None else _told(read_bundle(against))
        work = _work_folder(out)
        held = [work / name for name, _ in settings.parts() if only in (None, name)] if team.leads else []
        for folder in held:  # one a network, so that two processes can train one each
            holds.enter_context(holding(folder))
        begin(work, settings, only, resume=resume, overwrite=overwrite, leads=team.leads)
        material = _material(data, settings, work / "simulated", start, team, say, lesion_labels)
        plan = plan_of(settings, len(material.folds), only)
        meter = Meter(plan, say, track if team.leads else _untracked)
        for stage in plan if resume else ():
            meter.recall(stage.name, logged_seconds(work / stage.network / f"{stage.file}.pt"))
        trained = {
            name: train_part(name, part, material, settings, work, resume=resume, start=first, team=team, meter=meter)
            for name, part in settings.parts()
            if only in (None, name)
        }
        if only is not None:
            say(f"The {only} network is trained; --resume without --only trains what is left and writes the bundle.")
        if only is None and not team.leads:
            team.wait()  # all leave together: a process that ends while others still use the connection may be aborted
        if only is not None or not team.leads:
            return False
        say(f"measuring on {len(material.held)} held-back pictures")
        measured = calibrate(
            trained, material, settings, against, lambda what, done, total: track(Standing(what, done / total, None))
        )
        card = _card(material, measured, None if first is None else _told(first), rival)
        weights = {name: stages.shipped for name, stages in trained.items()}
        write_bundle(out, weights, measured.settings, settings, card)
        team.wait()
        return True


def _card(material: Material, measured: Calibrated, origin: str | None, rival: str) -> Card:
    return Card(
        training=[*material.training, *material.crossed],
        validation=material.held,
        measured=measured,
        start=origin,
        rival=rival,
        seen=material.seen,
        chosen_before=material.chosen_before,
        test=material.test,
    )


def _told(bundle: Bundle) -> str:
    return f"{bundle.name} {bundle.version} (weights {bundle.sha256[:12]})"


def _work_folder(out: Path) -> Path:
    work = out.with_name(f"{out.name}.work")
    make_folder(work, "working folder")
    return work


def _material(
    data: Sequence[Path],
    settings: TrainSettings,
    cache: Path,
    start: Path | None,
    team: Team,
    say: Say,
    lesion_labels: Sequence[str],
) -> Material:
    """The pictures; the first process simulates frames, then the others read them."""
    seen = frozenset() if start is None else seen_by(start)
    chosen_before = frozenset() if start is None else chosen_by(start)
    if not team.leads:
        team.wait()
    material = gather(data, settings, cache, seen, say, lesion_labels, chosen_before)
    check_lesions(material)
    if team.leads:
        show_pictures(material, cache.with_name("pictures"), say)
    if team.leads:
        team.wait()
        if not has_tensorboard():
            say(MISSING)
    return material


def _check_only(settings: TrainSettings, only: Only | None) -> None:
    if only not in (None, *(name for name, _ in settings.parts())):
        raise ConfigError(
            f"The settings have no {only} network, so it cannot be trained alone.",
            remedy="Add its section to the settings, or leave --only out.",
        )


def _check_batches(settings: TrainSettings, team: Team) -> None:
    stages = [stage for _, part in settings.parts() for stage in part.stages() if stage is not None]
    least = min(stage.batch_size for stage in stages)
    if team.size > least:
        raise ConfigError(
            f"A batch of {least} samples cannot be shared by {team.size} processes.",
            remedy="Start fewer processes, or raise batch_size.",
        )


def train_part(
    name: str,
    part: NetworkSettings,
    material: Material,
    settings: TrainSettings,
    work: Path,
    *,
    resume: bool,
    start: Bundle | None,
    team: Team,
    meter: Meter,
) -> Trained:
    """All stages of one network: pre-training, the folds of cross-validation, fine-tuning on everything.

    Parameters
    ----------
    name
        Name of the network.
    part
        Its architecture and stages.
    material
        The pictures, split.
    settings
        Of the whole training.
    work
        The working folder.
    resume
        Whether checkpoints in it are gone on with.
    start
        Bundle whose weights are the first ones; None: as ``part`` says.
    team
        The processes that train together.
    meter
        Counts what is done of the whole training.
    """
    folder = work / name
    make_folder(folder, "working folder")
    first = _first_weights(name, part, start)
    if first is None and part.first_weights == "imagenet":
        first = imagenet_start(part.network, settings.seed)
    job = StageJob(
        name=pretraining_name(name),
        part=part.shown_in(part.pretrain),
        stage=part.pretrain,
        training=material.training,
        validation=material.validation,
        checkpoint=folder / f"{PRETRAIN}.pt",
        seed=settings.seed,
        threads=settings.threads,
        bfloat16=settings.bfloat16 is True,
        validate_every=settings.validate_every,
        start=first,
    )
    state: State = fit(job, resume=resume, team=team, meter=meter)
    if part.finetune is None:
        return Trained(state, [])
    job = dataclasses.replace(job, part=part.shown_in(part.finetune), stage=part.finetune, start=state)
    crossed = [fit(fold, resume=resume, team=team, meter=meter) for fold in _folds(job, name, material)]
    last = dataclasses.replace(
        job,
        name=finetuning_name(name),
        training=[*material.training, *material.crossed],
        checkpoint=folder / f"{FINETUNE}.pt",
    )
    state = fit(last, resume=resume, team=team, meter=meter)
    for number, stage in enumerate(part.longer):
        more = dataclasses.replace(
            last,
            name=longer_name(name, number),
            part=part.shown_in(stage),
            stage=stage,
            start=state,
            checkpoint=folder / f"{longer_file(number)}.pt",
        )
        state = fit(more, resume=resume, team=team, meter=meter)
    return Trained(state, crossed)


def _folds(job: StageJob, name: str, material: Material) -> Iterator[StageJob]:
    """The fine-tuning of a network, once for each fold of the cross-validated pictures, without that fold."""
    for number in range(len(material.folds)):
        inside, _ = material.fold(number)
        yield dataclasses.replace(
            job,
            name=fold_name(name, number, len(material.folds)),
            training=[*material.training, *inside],
            checkpoint=job.checkpoint.with_name(f"{fold_file(number)}.pt"),
        )


def _first_weights(name: str, part: NetworkSettings, start: Bundle | None) -> State | None:
    if start is None:
        return None
    bundled = start.prompted if name == "prompted" else start.automatic
    if bundled is None:
        return None  # a bundle with one network has no weights for a second one
    if bundled.definition != part.network:
        raise ConfigError(
            f"The bundle '{start.name}' to start from has another {name} network than the settings.",
            remedy="Give both the same network section.",
        )
    return bundled.network.state_dict()
