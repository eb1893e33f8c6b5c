"""One stage of a training: the same result whether it ran through or was killed and resumed (same machine, threads)."""

from __future__ import annotations

import copy
import io
import math
import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lesion_measure.errors import ConfigError
from lesion_measure.files.writing import write_bytes
from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.training.curves import COLUMNS, Curves, picture_of
from lesion_measure.lab.training.deep import DeepAnswers, deep_loss
from lesion_measure.lab.training.identity import Identity, differing, kept_of, picture_content, weight_content
from lesion_measure.lab.training.layout import layout_of
from lesion_measure.lab.training.loss import loss_of, segmentation_loss
from lesion_measure.lab.training.progress import Meter, samples_of
from lesion_measure.lab.training.samples import (
    UNKNOWN,
    Sample,
    Sampler,
    batch,
    click_view,
    lesion_view,
    make_sample,
    make_sampler,
    whole_view,
)
from lesion_measure.lab.training.settings import NetworkSettings, Stage
from lesion_measure.lab.training.sources import check_sources
from lesion_measure.lab.training.team import Team
from lesion_measure.network.efficient import EfficientUNet
from lesion_measure.network.preprocess import logits_of
from lesion_measure.network.weights import build_network

State = Mapping[str, Tensor]
Scores = tuple[float | None, float | None]
MAX_QUICK = 120
TRIAL_STEPS = 3


@dataclass(frozen=True, slots=True, eq=False)
class StageJob:
    """One stage of one network: what it learns from, how, and where its checkpoint lies.

    ``start`` are the first weights (None: random ones by the seed). ``validation`` pictures are looked at for the log
    and for early stopping; they may be none.
    """

    name: str
    part: NetworkSettings
    stage: Stage
    training: Sequence[Picture]
    validation: Sequence[Picture]
    checkpoint: Path
    seed: int
    threads: int
    bfloat16: bool
    compiled: bool
    validate_every: int
    start: State | None = None

    def identity(self) -> Identity:
        """Everything that decides the weights."""
        watched = self.stage.patience > 0
        return Identity(
            network=self.part,
            stage=self.stage,
            seed=self.seed,
            threads=self.threads,
            bfloat16=self.bfloat16,
            compiled=self.compiled,
            validate_every=self.validate_every if watched else 0,
            pictures=picture_content(self.training),
            validation_pictures=picture_content(self.validation if watched else ()),
            first_weights=weight_content(self.start),
        )

    def check(self) -> None:
        """Raise ConfigError where there is nothing to draw a sample from, or no lesion to blend."""
        check_sources(self.name, self.training, self.part, self.stage)

    def sampler(self) -> Sampler:
        """What draws its samples.

        Raises
        ------
        ConfigError
            As `check`.
        """
        self.check()
        return make_sampler(self.training, self.part, self.stage, self.seed)


def fit(job: StageJob, *, resume: bool, team: Team, meter: Meter) -> dict[str, Tensor]:
    """Train one stage and return the averaged weights; with ``resume``, from the last whole epoch on.

    Raises
    ------
    ConfigError
        ``resume`` is asked for but the checkpoint is damaged, or was made with other settings, data or first weights;
        or the stage has nothing to learn from or to blend.
    OutputError
        The checkpoint or the curves cannot be written.
    """
    torch.set_num_threads(job.threads)
    run = _Run(job, team)
    if resume:
        run.restore()
    meter.begin(job.name, [float(row["seconds"]) for row in run.rows])
    if not run.over or (run.rows and not picture_of(job.checkpoint).is_file()):
        with Curves(job.checkpoint, job.name, run.rows) if team.leads else nullcontext() as curves:
            _epochs(run, meter, curves)
    meter.end()
    return run.result()


def seconds_per_sample(job: StageJob, team: Team) -> float:
    """How long a sample of a stage takes, by a few steps of a network that is thrown away."""
    torch.set_num_threads(job.threads)
    short = job.stage.model_copy(update={"epochs": 1, "samples_per_epoch": TRIAL_STEPS * job.stage.batch_size})
    run = _Run(replace(job, stage=short), team)
    sampler = job.sampler()
    run.train_epoch(sampler, 0, lambda samples: None)  # the first steps find memory and the fastest ways to compute
    began = time.monotonic()
    run.train_epoch(sampler, 1, lambda samples: None)
    return (time.monotonic() - began) / short.samples_per_epoch


def _epochs(run: _Run, meter: Meter, curves: Curves | None) -> None:
    """The epochs that are left, each with its validation, checkpoint, curves and line of progress."""
    job = run.job
    if not run.over:
        sampler = job.sampler()
        quick = _quick_validation(job.validation, job.part) if run.team.leads else []
    while not run.over:
        epoch, began = run.epoch, time.monotonic()
        loss = run.train_epoch(sampler, epoch, meter.step)
        last = epoch + 1 == job.stage.epochs
        scores = run.scores(quick) if last or (epoch + 1) % job.validate_every == 0 else (None, None)
        seconds = time.monotonic() - began
        run.finish_epoch(epoch, loss, scores, seconds)
        if curves is not None and not run.over:
            curves.show(run.rows)
        meter.epoch(f"{job.name}, epoch {epoch + 1}/{job.stage.epochs}: loss {loss:.4f}{_text(scores)}", seconds)
    if curves is not None:
        curves.show(run.rows, last=True)


def _text(scores: Scores) -> str:
    names = ("automatic", "prompted")
    return "".join(f", {name} Dice {s:.3f}" for name, s in zip(names, scores, strict=True) if s is not None)


class _Run:
    """Network, averaged network, optimiser, best weights and log of one stage."""

    def __init__(self, job: StageJob, team: Team) -> None:
        torch.manual_seed(job.seed)
        self.job, self.stage, self.team = job, job.stage, team
        self.network = build_network(job.part.network)
        if isinstance(self.network, EfficientUNet):
            self.network.freeze(job.part.frozen_blocks, filters=job.part.frozen_filters)
        if job.start is not None:
            self.network.load_state_dict(dict(job.start))
        self.layout = layout_of(self.network, team.device)
        self.network.to(team.device, memory_format=self.layout)  # type: ignore[call-overload]
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.answers = _answers(self.network, job.part).to(team.device)
        choice = job.part.optimizer
        self.optimizer: torch.optim.Optimizer = getattr(torch.optim, choice.target)(
            [each for each in self.answers.parameters() if each.requires_grad],
            lr=self.stage.learning_rate,
            weight_decay=self.stage.weight_decay,
            **choice.arguments(),
        )
        self.loss = _loss(job.part)
        together = team.together(self.answers)
        self.shared: Callable[[Tensor], Tensor] = torch.compile(together) if job.compiled else together
        self.steps = samples_of(self.stage) // self.stage.batch_size
        self.epoch = 0
        self.rows: list[dict[str, str]] = []
        self.best: tuple[float, int, dict[str, Tensor]] | None = None
        self.identity = job.identity()

    @property
    def over(self) -> bool:
        """Whether all epochs are done, or as many as patience allows without a better validation."""
        patience = self.stage.patience
        stopped = patience > 0 and self.best is not None and self.epoch - self.best[1] >= patience
        return self.epoch >= self.stage.epochs or stopped

    def result(self) -> dict[str, Tensor]:
        """The averaged weights: the best ones where patience was asked for, else the last."""
        chosen = self.averaged.state_dict() if self.best is None else self.best[2]
        return {name: value.contiguous() for name, value in self.team.same(chosen).items()}

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then a cosine to zero."""
        total = self.steps * self.stage.epochs
        warm = max(self.stage.warmup_share * total, 1.0)
        if step < warm:
            return self.stage.learning_rate * (step + 1) / (warm + 1)
        return self.stage.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(total - warm, 1.0)))

    def train_epoch(self, sampler: Sampler, epoch: int, done: Callable[[int], None]) -> float:
        """Train on every batch of an epoch, and tell ``done`` its samples after each; the mean loss."""
        team, size = self.team, self.stage.batch_size
        self.network.train()
        torch.manual_seed(_epoch_seed(self.job.seed, epoch, team.rank))
        total = 0.0
        for step, (inputs, targets) in enumerate(_prefetched(sampler, epoch, self.steps, size, team)):
            rate = self.rate(epoch * self.steps + step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast(team.device.type, torch.bfloat16, enabled=self.job.bfloat16):
                logits = logits_of(self.shared, inputs.to(team.device, memory_format=self.layout))
            loss = team.weight(size) * self.loss(logits.float(), targets.to(team.device))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.answers.parameters(), 5.0)
            self.optimizer.step()
            self._average(epoch * self.steps + step)
            total += float(loss.detach())
            done(size)
        return team.mean(total / self.steps)

    def scores(self, quick: Sequence[tuple[bool, Sample]]) -> Scores:
        """Mean Dice without and with a caliper; the first process finds it and tells the others."""
        own = _scores(self.averaged, quick, self.team.device) if self.team.leads else (None, None)
        automatic, prompted = self.team.agree(own)
        return automatic, prompted

    def _average(self, step: int) -> None:
        """Move the averaged network towards the trained one; early on it follows closely."""
        decay = min(self.stage.ema_decay, (step + 1) / (step + 10))
        with torch.no_grad():
            trained = self.network.state_dict()
            for name, value in self.averaged.state_dict().items():
                if value.dtype.is_floating_point:
                    value.lerp_(trained[name], 1 - decay)
                else:
                    value.copy_(trained[name])

    def finish_epoch(self, epoch: int, loss: float, scores: Scores, seconds: float) -> None:
        """Note the result, keep the best weights, write the checkpoint."""
        self.epoch = epoch + 1
        shown = ["" if score is None else f"{score:.4f}" for score in scores]
        rate = self.rate((epoch + 1) * self.steps - 1)
        values = [str(epoch + 1), f"{loss:.5f}", *shown, f"{rate:.3e}", f"{seconds:.1f}"]
        self.rows.append(dict(zip(COLUMNS, values, strict=True)))
        known = [score for score in scores if score is not None]
        score = sum(known) / len(known) if known else None
        if self.stage.patience and score is not None and (self.best is None or score > self.best[0]):
            weights = {name: value.clone() for name, value in self.averaged.state_dict().items()}
            self.best = (score, self.epoch, weights)
        if self.team.leads:
            self._write()

    def _write(self) -> None:
        state: dict[str, Any] = {
            "identity": kept_of(self.identity),
            "epoch": self.epoch,
            "network": self.answers.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rows": self.rows,
            "best": None if self.best is None else list(self.best),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_bytes(self.job.checkpoint, buffer.getbuffer(), "checkpoint")

    def restore(self) -> None:
        """Continue from the checkpoint, if there is one."""
        state = _read_checkpoint(self.job.checkpoint)
        if state is not None and (other := differing(state["identity"], self.identity)):
            named = ", ".join(name for name in other if name)
            raise ConfigError(
                "The checkpoint was made with other settings, data or first weights, or by another version"
                f"{f' ({named})' if named else ''}.",
                remedy="Train anew with --overwrite, or restore the settings and data.",
                path=str(self.job.checkpoint),
            )
        if state is not None:
            self.answers.load_state_dict(state["network"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.rows = state["epoch"], state["rows"]
            self.best = None if state["best"] is None else tuple(state["best"])
        if self.team.agree([self.epoch]) != (self.epoch,):
            raise ConfigError(
                "The processes of this training do not see the same checkpoint.",
                remedy="Put the bundle's folder where every machine can read it.",
                path=str(self.job.checkpoint),
            )


def _answers(network: nn.Module, part: NetworkSettings) -> nn.Module:
    """What answers in training: the network, or with deep supervision its decoder's coarser levels as well."""
    if part.deep_supervision and isinstance(network, EfficientUNet):
        return DeepAnswers(network)
    return network


def _loss(part: NetworkSettings) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of a batch, from what `_answers` says and the targets."""
    own = loss_of(part.loss)
    if not part.deep_supervision:
        return partial(segmentation_loss, part_loss=own)
    return partial(deep_loss, part_loss=own, out_channels=part.network.out_channels, weight=part.deep_supervision)


def _read_checkpoint(path: Path) -> dict[str, Any] | None:
    """A stage's checkpoint: tensors and plain values alone; None where there is none."""
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ConfigError(
            "The checkpoint is damaged.", remedy="Delete it: --resume then repeats this stage.", path=str(path)
        ) from error
    return state


def _epoch_seed(seed: int, epoch: int, rank: int) -> int:
    """The seed of an epoch's dropout, so that a resumed epoch draws the same; every process draws its own."""
    return int(np.random.SeedSequence((seed, 31, epoch, rank)).generate_state(1)[0])


def _prefetched(sampler: Sampler, epoch: int, steps: int, size: int, team: Team) -> Iterator[tuple[Tensor, Tensor]]:
    """This process's part of an epoch's batches; the next ones are made while the current one is trained on."""
    with ThreadPoolExecutor(1) as pool:

        def make(step: int) -> tuple[Tensor, Tensor]:
            return batch(sampler, epoch, team.own(range(step * size, (step + 1) * size)))

        waiting = [pool.submit(make, step) for step in range(min(2, steps))]
        for step in range(steps):
            ready = waiting.pop(0).result()
            if step + 2 < steps:
                waiting.append(pool.submit(make, step + 2))
            yield ready


def _quick_validation(pictures: Sequence[Picture], part: NetworkSettings) -> list[tuple[bool, Sample]]:
    """Samples (with caliper or not) of at most `MAX_QUICK` pictures with lesions, as the network is used."""
    with_lesion = [item for item in pictures if item.axes]
    chosen = with_lesion[:: max(1, math.ceil(len(with_lesion) / MAX_QUICK))]
    made = []
    for item in chosen:
        if part.preprocessing.click_fall:
            middle = np.mean(item.axes[0].long, axis=0).tolist()
            view = click_view(item, 1, (middle[0], middle[1]), part.preprocessing)
            made.append((True, make_sample(view, part.preprocessing)))
            continue
        if part.prompted_share < 1:
            made.append((False, make_sample(whole_view(item, part.preprocessing), part.preprocessing)))
        if part.prompted_share > 0:
            view = lesion_view(item, 1, [item.axes[0].long], part.preprocessing)
            made.append((True, make_sample(view, part.preprocessing)))
    return made


def _scores(network: nn.Module, samples: Sequence[tuple[bool, Sample]], device: torch.device) -> Scores:
    """Mean Dice on the network's grid, without and with a caliper."""
    network.eval()
    found: dict[bool, list[float]] = {False: [], True: []}
    with torch.inference_mode():
        for prompted, sample in samples:
            mask, truth = logits_of(network, sample.inputs[None].to(device))[0, 0].cpu() >= 0, sample.target >= 0.5
            mask &= sample.target > UNKNOWN
            total = float(mask.sum() + truth.sum())
            found[prompted].append(2 * float((mask & truth).sum()) / total if total else 1.0)
    automatic, with_caliper = (sum(v) / len(v) if v else None for v in (found[False], found[True]))
    return automatic, with_caliper
