"""How far the whole training is, and how long it will take: all stages of all networks, not only the running one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lesion_measure.lab.durations import duration
from lesion_measure.lab.training.settings import Stage, TrainSettings

NEWEST_SHARE = 0.3
"""Weight of the newest epoch in the seconds per sample: a machine that became busier is noticed in a few epochs."""

PRETRAIN, FINETUNE = "pretrain", "finetune"
"""The names of the files of the first stage and of fine-tuning."""

Say = Callable[[str], None]
"""Receives one line of text."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What runs, the share of the whole training that is done (0..1), and the seconds left (None: not known yet)."""

    what: str
    done: float
    left_s: float | None

    @property
    def left(self) -> str:
        """The time left in words; empty where it is not known yet, or nothing is left."""
        return "" if self.left_s is None or self.done >= 1 else f"{duration(self.left_s)} left"


Track = Callable[[Standing], None]
"""Receives the standing after every step."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One stage of a plan: its name, the network it trains, the name of its files in that network's folder, its
    samples in all and of one epoch, and the side of the network's grid."""

    name: str
    network: str
    file: str
    samples: int
    epoch_samples: int
    side: int


def samples_of(stage: Stage) -> int:
    """Samples that one epoch of a stage really trains on: whole batches, one at least."""
    return max(stage.samples_per_epoch // stage.batch_size, 1) * stage.batch_size


def fold_file(number: int) -> str:
    """The name of a fold's files; ``number`` counts from 0."""
    return f"fold-{number + 1}"


def pretraining_name(network: str) -> str:
    """What the first stage of a network is called."""
    return f"{network} network, pre-training"


def fold_name(network: str, number: int, folds: int) -> str:
    """What a fold of the cross-validation is called; ``number`` counts from 0."""
    return f"{network} network, fold {number + 1} of {folds}"


def finetuning_name(network: str) -> str:
    """What the last stage of a network is called."""
    return f"{network} network, fine-tuning"


def longer_file(number: int) -> str:
    """The name of a further stage's files; ``number`` counts from 0."""
    return "longer" if number == 0 else f"longer-{number + 1}"


def longer_name(network: str, number: int) -> str:
    """What a stage after fine-tuning is called; ``number`` counts from 0."""
    return f"{network} network, {longer_file(number)}"


def plan_of(settings: TrainSettings, folds: int, only: str | None) -> list[Planned]:
    """Every stage of a training in order, with ``folds`` folds; of one network where ``only`` names it."""
    plan = []
    for network, part in settings.parts():
        stages = [(pretraining_name(network), PRETRAIN, part.pretrain)]
        if part.finetune is not None:
            numbered = [(fold_name(network, number, folds), fold_file(number)) for number in range(folds)]
            finetuned = [*numbered, (finetuning_name(network), FINETUNE)]
            stages += [(name, file, part.finetune) for name, file in finetuned]
        for number, stage in enumerate(part.longer):
            stages.append((longer_name(network, number), longer_file(number), stage))
        if only in (None, network):
            plan += [_planned(name, network, file, stage, part.side_of(stage)) for name, file, stage in stages]
    return plan


def _planned(name: str, network: str, file: str, stage: Stage, side: int) -> Planned:
    samples = samples_of(stage)
    return Planned(name, network, file, stage.epochs * samples, samples, side)


class Meter:
    """Counts samples over a whole plan and turns them into a share done and a time left.

    A network that has not been trained yet is assumed to be as fast as the others, in proportion to the side of its
    grid: making a sample takes about the same time for any grid, training on it grows with the grid's area.
    """

    def __init__(
        self, plan: Sequence[Planned], say: Say, track: Track, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan, self._say, self._track, self._clock = plan, say, track, clock
        self._stage = plan[0]
        self._done: dict[str, int] = {}
        self._speeds: dict[str, float] = {}
        self._began, self._fresh = 0.0, 0

    def recall(self, name: str, earlier: Sequence[float]) -> None:
        """Epochs of a stage that another process did, by the seconds they took."""
        stage = self._named(name)
        self._done[name] = len(earlier) * stage.epoch_samples
        for seconds in earlier:
            self._learn(stage.network, stage.epoch_samples, max(seconds, 0.05))  # the log rounds to tenths

    def begin(self, name: str, earlier: Sequence[float]) -> None:
        """A stage begins, after the epochs of it that another process did."""
        self._stage = self._named(name)
        if self._done.get(name) != len(earlier) * self._stage.epoch_samples:
            self.recall(name, earlier)
        self._epoch_begins()
        self._tell()

    def step(self, samples: int) -> None:
        """So many samples of the running epoch are done."""
        self._done[self._stage.name] += samples
        self._fresh += samples
        self._tell()

    def epoch(self, text: str, seconds: float) -> None:
        """An epoch of ``seconds`` is done: say so in one line, with the time left."""
        self._learn(self._stage.network, self._fresh, seconds)
        self._epoch_begins()
        self._tell()
        standing = self.standing()
        left = f", {standing.left}" if standing.left else ""
        self._say(f"{text}; {100 * standing.done:.0f} % of the training{left}")

    def end(self) -> None:
        """The stage is over, all its epochs done or not."""
        self._done[self._stage.name] = self._stage.samples
        self._tell()

    def standing(self) -> Standing:
        """How far the whole plan is."""
        costs = {stage.network: self._cost(stage) for stage in self._plan}
        done = sum(self._done.get(stage.name, 0) * costs[stage.network] for stage in self._plan)
        total = sum(stage.samples * costs[stage.network] for stage in self._plan)
        known = self._seconds_per_side() is not None
        return Standing(
            what=self._stage.name,
            done=done / total if total else 1.0,
            left_s=max(total - done, 0.0) if known else None,
        )

    def _epoch_begins(self) -> None:
        self._began, self._fresh = self._clock(), 0

    def _tell(self) -> None:
        self._track(self.standing())

    def _named(self, name: str) -> Planned:
        return next(stage for stage in self._plan if stage.name == name)

    def _learn(self, network: str, samples: int, seconds: float) -> None:
        """Seconds per sample of a network: a moving average over its epochs."""
        newest = seconds / samples
        before = self._speeds.get(network, newest)
        self._speeds[network] = before + NEWEST_SHARE * (newest - before)

    def _seconds(self, network: str) -> float | None:
        """Seconds per sample of a network; in its first epoch, from the steps so far."""
        known = self._speeds.get(network)
        if known is None and network == self._stage.network and self._fresh:
            return (self._clock() - self._began) / self._fresh
        return known

    def _seconds_per_side(self) -> float | None:
        rates = []
        for network, side in {stage.network: stage.side for stage in self._plan}.items():
            seconds = self._seconds(network)
            if seconds is not None:
                rates.append(seconds / side)
        return sum(rates) / len(rates) if rates else None

    def _cost(self, stage: Planned) -> float:
        """Seconds of one sample as far as they are known; else the grid's side, which still gives the share done."""
        seconds = self._seconds(stage.network)
        if seconds is not None:
            return seconds
        per_side = self._seconds_per_side()
        return stage.side * (1.0 if per_side is None else per_side)
