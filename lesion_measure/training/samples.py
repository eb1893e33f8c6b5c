"""Pictures -> network inputs and targets, by the preprocessing that inference uses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lesion_measure.network.preprocess import (
    CaliperLine,
    Preprocessing,
    Window,
    automatic_window,
    normalise,
    prompt_window,
    render_prompt,
    sample_window,
    scale_intensity,
)
from lesion_measure.training.augment import augment
from lesion_measure.training.data import Axes, Picture
from lesion_measure.training.settings import Augmentation, TrainSettings


@dataclass(frozen=True, slots=True)
class Sample:
    """One training example: ``inputs`` (2, size, size) and ``target`` (size, size) in 0..1."""

    inputs: Tensor
    target: Tensor


def jitter(line: CaliperLine, spread: float, rng: np.random.Generator, shape: tuple[int, ...]) -> CaliperLine:
    """A caliper as another hand would place it: each end moved by ``spread`` of the length (SD), kept in the image."""
    ends = np.asarray(line)
    length = float(np.hypot(*(ends[1] - ends[0])))
    moved = ends + rng.normal(0, spread * length, (2, 2)) if spread > 0 else ends
    if np.hypot(*(moved[1] - moved[0])) < 0.5 * length:
        moved = ends
    (r0, c0), (r1, c1) = np.clip(moved, 0, np.array(shape) - 1.0)
    return (float(r0), float(c0)), (float(r1), float(c1))


def choose_calipers(
    axes: Axes, both: bool, spread: float, rng: np.random.Generator, shape: tuple[int, ...]
) -> list[CaliperLine]:
    """The long axis, and the short one too where asked for and there is one."""
    lines = [jitter(axes.long, spread, rng, shape)]
    if both and axes.short is not None:
        lines.append(jitter(axes.short, spread, rng, shape))
    return lines


def make_sample(
    item: Picture,
    preprocessing: Preprocessing,
    lesion: int | None = None,
    calipers: Sequence[CaliperLine] = (),
    augmentation: Augmentation | None = None,
    rng: np.random.Generator | None = None,
) -> Sample:
    """The network's input and target for a whole picture, or for one lesion (1-based label) under its calipers.

    Without ``augmentation`` the input is exactly the one that inference computes.
    """
    scaled = scale_intensity(item.image, preprocessing)
    if lesion is None:
        window, mask = automatic_window(scaled, preprocessing), item.labels > 0
    else:
        window, mask = prompt_window(calipers, preprocessing), item.labels == lesion
    if augmentation is not None and rng is not None:
        if lesion is None and rng.random() < augmentation.zoom:
            window = _zoom(window, item, augmentation.zoom_least, rng)
        window = _vary(window, lesion is not None, augmentation, rng)
    image, target = sample_window(np.stack([scaled, mask.astype(np.float32)]), window)
    if augmentation is not None and rng is not None:
        full = bool((scaled > preprocessing.black_level).mean() > 0.9) and lesion is None
        varied = augment(image.numpy(), target.numpy(), rng, augmentation, full)
        image, target = torch.from_numpy(varied[0]), torch.from_numpy(varied[1])
    inputs = torch.stack([normalise(image, preprocessing), render_prompt(calipers, window, preprocessing)])
    return Sample(inputs, target)


def _zoom(window: Window, item: Picture, least: float, rng: np.random.Generator) -> Window:
    """A part of the window: around a point near a lesion where there is one, anywhere otherwise."""
    share = float(rng.uniform(least, 1))
    side = window.scale * window.size
    centre = np.asarray(window.centre)
    goal = centre + rng.uniform(-0.5, 0.5, 2) * side
    if item.axes:
        start, end = np.asarray(item.axes[int(rng.integers(len(item.axes)))].long)
        goal = (start + end) / 2 + rng.uniform(-0.4, 0.4, 2) * share * side
    room = (1 - share) * side / 2
    row, col = np.clip(goal, centre - room, centre + room)
    return replace(window, centre=(float(row), float(col)), scale=window.scale * share)


def _vary(window: Window, prompted: bool, settings: Augmentation, rng: np.random.Generator) -> Window:
    if prompted:
        turn = math.radians(rng.normal(0, settings.prompted_turn_deg)) + (math.pi if rng.random() < 0.5 else 0.0)
        scale, shift = settings.prompted_scale, 0.02
    else:
        turn = math.radians(rng.uniform(-settings.rotation_deg, settings.rotation_deg))
        scale, shift = settings.scale, settings.shift
    side = window.scale * window.size
    move = rng.uniform(-shift, shift, 2) * side
    return replace(
        window,
        centre=(window.centre[0] + float(move[0]), window.centre[1] + float(move[1])),
        scale=window.scale * float(np.exp(rng.uniform(-scale, scale))),
        angle=window.angle + turn,
        mirror=bool(rng.random() < 0.5),
    )


class Sampler:
    """Draws training samples; sample ``index`` of ``epoch`` is always the same, whatever came before it."""

    def __init__(self, pictures: Sequence[Picture], settings: TrainSettings) -> None:
        self._settings = settings
        self._by_set: dict[str, list[Picture]] = {}
        for item in pictures:
            self._by_set.setdefault(item.source, []).append(item)
        self._sets = sorted(self._by_set)
        weights = np.array([settings.set_weights.get(name, 1.0) for name in self._sets])
        self._shares = weights / weights.sum()

    def sample(self, epoch: int, index: int) -> Sample:
        """One augmented sample, prompted or not."""
        settings = self._settings
        rng = np.random.default_rng((settings.seed, 11, epoch, index))
        items = self._by_set[self._sets[int(rng.choice(len(self._sets), p=self._shares))]]
        item = items[int(rng.integers(len(items)))]
        if item.axes and rng.random() < settings.prompted_share:
            lesion = int(rng.integers(len(item.axes)))
            both = bool(rng.random() < settings.both_axes_share)
            spread = settings.caliper_jitter * (2.0 if rng.random() < 0.3 else 1.0)
            lines = choose_calipers(item.axes[lesion], both, spread, rng, item.image.shape)
            return make_sample(item, settings.preprocessing, lesion + 1, lines, settings.augmentation, rng)
        return make_sample(item, settings.preprocessing, augmentation=settings.augmentation, rng=rng)

    def batch(self, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Inputs (n, 2, size, size) and targets (n, 1, size, size) of one step."""
        size = self._settings.batch_size
        samples = [self.sample(epoch, index) for index in range(step * size, (step + 1) * size)]
        return torch.stack([s.inputs for s in samples]), torch.stack([s.target for s in samples])[:, None]
