"""The training loop: same result whether it ran through or was killed and resumed (same machine, same threads)."""

from __future__ import annotations

import copy
import csv
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lesion_measure.errors import ConfigError, OutputError
from lesion_measure.network.bundle import Bundle, build_network
from lesion_measure.network.preprocess import Preprocessing
from lesion_measure.training.data import Picture
from lesion_measure.training.samples import Sampler, make_sample
from lesion_measure.training.settings import TrainSettings

Progress = Callable[[str], None]
LOG_COLUMNS = ("epoch", "loss", "automatic_dice", "prompted_dice", "learning_rate", "seconds")
MAX_QUICK = 160
LEAST_AREA = 0.03


def segmentation_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Soft Dice of each sample plus its cross-entropy, summed and divided by the lesion's area (and a little more).

    Divided by the image's area instead, a small lesion weighs nothing and the network learns to answer nothing. One
    factor for a whole sample leaves the place of its outline alone, which weights on lesion pixels would not.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").flatten(1).sum(1)
    probability = logits.sigmoid().flatten(1)
    truth = targets.flatten(1)
    area = truth.sum(1)
    smooth = 16.0
    overlap = (2 * (probability * truth).sum(1) + smooth) / (probability.sum(1) + area + smooth)
    return (entropy / (area + LEAST_AREA * truth.shape[1])).mean() + (1 - overlap).mean()


def fit(
    training: Sequence[Picture],
    validation: Sequence[Picture],
    settings: TrainSettings,
    work: Path,
    *,
    resume: bool,
    progress: Progress,
    start: Bundle | None = None,
) -> nn.Module:
    """Train and return the averaged network (evaluation mode); ``work`` keeps the checkpoint and ``log.csv``.

    ``start`` is a bundle whose weights are the first ones.

    Raises
    ------
    ConfigError
        ``resume`` is asked for but the checkpoint was made with other settings, data or first weights, or the
        network of ``start`` is another one.
    """
    torch.set_num_threads(settings.threads)
    run = _Run(training, settings, work, start)
    if resume:
        run.restore()
    sampler = Sampler(training, settings)
    quick = _quick_validation(validation, settings.preprocessing)
    for epoch in range(run.epoch, settings.epochs):
        began = time.monotonic()
        loss = run.train_epoch(sampler, epoch)
        last = epoch + 1 == settings.epochs
        scores = _scores(run.averaged, quick) if last or (epoch + 1) % settings.validate_every == 0 else (None, None)
        run.finish_epoch(epoch, loss, scores, time.monotonic() - began)
        left = (settings.epochs - epoch - 1) * (time.monotonic() - began) / 60
        progress(f"epoch {epoch + 1}/{settings.epochs}: loss {loss:.4f}{_text(scores)}, about {left:.0f} min left")
    return run.averaged.eval()


def _text(scores: tuple[float | None, float | None]) -> str:
    names = ("automatic", "prompted")
    return "".join(f", {name} Dice {s:.3f}" for name, s in zip(names, scores, strict=True) if s is not None)


class _Run:
    """Network, averaged network, optimiser and log of one run."""

    def __init__(self, training: Sequence[Picture], settings: TrainSettings, work: Path, start: Bundle | None) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.checkpoint, self.log = work / "checkpoint.pt", work / "log.csv"
        self.network = build_network(settings.network)
        if start is not None:
            if start.definition != settings.network:
                raise ConfigError(
                    f"The bundle '{start.name}' to start from has another network than the settings.",
                    remedy="Give both the same network section.",
                )
            self.network.load_state_dict(start.network.state_dict())
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.steps = max(settings.samples_per_epoch // settings.batch_size, 1)
        self.epoch = 0
        self.rows: list[dict[str, str]] = []
        names = sorted(f"{item.source}/{item.name}" for item in training)
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        first = "" if start is None else start.sha256
        self.identity = f"{settings.training_sha256()}-{len(names)}-{digest}-{first}"

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then a cosine to zero."""
        total = self.steps * self.settings.epochs
        warm = max(self.settings.warmup_share * total, 1.0)
        if step < warm:
            return self.settings.learning_rate * (step + 1) / (warm + 1)
        return self.settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(total - warm, 1.0)))

    def train_epoch(self, sampler: Sampler, epoch: int) -> float:
        self.network.train()
        total = 0.0
        for step, (inputs, targets) in enumerate(_prefetched(sampler, epoch, self.steps)):
            rate = self.rate(epoch * self.steps + step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast("cpu", torch.bfloat16, enabled=self.settings.bfloat16):
                logits = self.network(inputs)
            loss = segmentation_loss(logits.float(), targets)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimizer.step()
            self._average(epoch * self.steps + step)
            total += float(loss.detach())
        return total / self.steps

    def _average(self, step: int) -> None:
        """Move the averaged network towards the trained one; early on it follows closely."""
        decay = min(self.settings.ema_decay, (step + 1) / (step + 10))
        with torch.no_grad():
            trained = self.network.state_dict()
            for name, value in self.averaged.state_dict().items():
                if value.dtype.is_floating_point:
                    value.lerp_(trained[name], 1 - decay)
                else:
                    value.copy_(trained[name])

    def finish_epoch(self, epoch: int, loss: float, scores: tuple[float | None, float | None], seconds: float) -> None:
        """Write the log and the checkpoint, each under a temporary name first."""
        shown = ["" if score is None else f"{score:.4f}" for score in scores]
        rate = self.rate((epoch + 1) * self.steps - 1)
        values = [str(epoch + 1), f"{loss:.5f}", *shown, f"{rate:.3e}", f"{seconds:.1f}"]
        self.rows.append(dict(zip(LOG_COLUMNS, values, strict=True)))
        state = {
            "identity": self.identity,
            "epoch": epoch + 1,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rows": self.rows,
        }
        partial = self.checkpoint.with_suffix(".partial")
        try:
            torch.save(state, partial)
            partial.replace(self.checkpoint)
            with self.log.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, LOG_COLUMNS)
                writer.writeheader()
                writer.writerows(self.rows)
        except (OSError, RuntimeError) as error:
            raise OutputError("The checkpoint cannot be written.", path=str(self.checkpoint)) from error

    def restore(self) -> None:
        """Continue from the checkpoint, if there is one."""
        if not self.checkpoint.is_file():
            return
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        if state["identity"] != self.identity:
            raise ConfigError(
                "The checkpoint was made with other settings, data or first weights.",
                remedy="Train anew without --resume, or restore the settings and data.",
                path=str(self.checkpoint),
            )
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.rows = state["epoch"], state["rows"]


def _prefetched(sampler: Sampler, epoch: int, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of an epoch; the next ones are made while the current one is trained on."""
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(sampler.batch, epoch, step) for step in range(min(2, steps))]
        for step in range(steps):
            batch = waiting.pop(0).result()
            if step + 2 < steps:
                waiting.append(pool.submit(sampler.batch, epoch, step + 2))
            yield batch


def _quick_validation(pictures: Sequence[Picture], preprocessing: Preprocessing) -> list[tuple[bool, Tensor, Tensor]]:
    """(prompted, input, target) of at most `MAX_QUICK` pictures with lesions, evenly taken."""
    with_lesion = [item for item in pictures if item.axes]
    chosen = with_lesion[:: max(1, math.ceil(len(with_lesion) / MAX_QUICK))]
    made = []
    for item in chosen:
        whole = make_sample(item, preprocessing)
        one = make_sample(item, preprocessing, 1, [item.axes[0].long])
        made += [(False, whole.inputs, whole.target), (True, one.inputs, one.target)]
    return made


def _scores(network: nn.Module, samples: Sequence[tuple[bool, Tensor, Tensor]]) -> tuple[float | None, float | None]:
    """Mean Dice on the network's grid, without and with a caliper."""
    network.eval()
    found: dict[bool, list[float]] = {False: [], True: []}
    with torch.inference_mode():
        for prompted, inputs, target in samples:
            mask, truth = network(inputs[None])[0, 0] >= 0, target >= 0.5
            total = float(mask.sum() + truth.sum())
            found[prompted].append(2 * float((mask & truth).sum()) / total if total else 1.0)
    automatic, with_caliper = (sum(v) / len(v) if v else None for v in (found[False], found[True]))
    return automatic, with_caliper
