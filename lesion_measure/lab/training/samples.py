"""Pictures -> network inputs and targets, by the preprocessing that inference uses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lesion_measure.lab.datasets import LesionAxes, Picture, choose_calipers
from lesion_measure.lab.training.augment import augment, deformed
from lesion_measure.lab.training.blend import blend
from lesion_measure.lab.training.copies import CutOut, cut_outs, scaled
from lesion_measure.lab.training.settings import Augmentation, NetworkSettings, Stage
from lesion_measure.lab.training.sources import Mixture, donors
from lesion_measure.network.box import box_lines, lesion_box, moved_box
from lesion_measure.network.preprocess import assemble_input, clicked_input, sample_window
from lesion_measure.network.window import (
    CaliperLine,
    Preprocessing,
    Window,
    automatic_window,
    click_window,
    insonated,
    intensity_level,
    prompt_window,
    scale_intensity,
    sector_of,
)
from lesion_measure.records import Point

SPARE = 3.5
"""Least longer side of a picture, in sides of the network's grid, that is halved for training."""
UNKNOWN = -1.0
"""Target of what nobody outlined."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One training example: ``inputs`` of `assemble_input`, ``target`` (size, size) in 0..1.

    ``liver`` is such a target of the liver, -1 everywhere where nobody outlined it. Pixels of ``target`` that nobody
    judged are -1.
    """

    inputs: Tensor
    target: Tensor
    liver: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class SampleView:
    """What a sample shows: a scaled picture and a mask (rows, columns), the window, the calipers.

    ``ignored`` are pixels that nobody judged. ``clicked``: asked by a click, which the window has in its middle.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    window: Window
    calipers: Sequence[CaliperLine] = ()
    liver: NDArray[np.bool_] | None = None
    ignored: NDArray[np.bool_] | None = None
    clicked: bool = False


def whole_view(
    item: Picture,
    preprocessing: Preprocessing,
    level: float | None = None,
    sector: NDArray[np.bool_] | None = None,
) -> SampleView:
    """The whole picture with all its lesions; ``level`` and ``sector`` are its own where they are known already."""
    image = insonated(scale_intensity(item.image, preprocessing, level), preprocessing, sector)
    return SampleView(image, item.labels > 0, automatic_window(image, preprocessing), (), item.liver, item.ignored)


def lesion_view(
    item: Picture,
    lesion: int,
    calipers: Sequence[CaliperLine],
    preprocessing: Preprocessing,
    level: float | None = None,
) -> SampleView:
    """One lesion (label from 1) under its calipers.

    Parameters
    ----------
    item
        The picture.
    lesion
        Label of the lesion, from 1.
    calipers
        Its calipers.
    preprocessing
        Of the network.
    level
        Grey value that becomes 1; None: from the picture.
    """
    image = scale_intensity(item.image, preprocessing, level)
    window = prompt_window(calipers, preprocessing)
    return SampleView(image, item.labels == lesion, window, calipers, ignored=item.ignored)


def click_view(
    item: Picture,
    lesion: int,
    click: Point,
    preprocessing: Preprocessing,
    level: float | None = None,
    sector: NDArray[np.bool_] | None = None,
) -> SampleView:
    """One lesion (label from 1) at a click in it, (row, column).

    Parameters
    ----------
    item
        The picture.
    lesion
        Label of the lesion, from 1.
    click
        (row, column) in pixels of the picture.
    preprocessing
        Of the network.
    level, sector
        Of the picture, where they are known already.
    """
    image = insonated(scale_intensity(item.image, preprocessing, level), preprocessing, sector)
    window = click_window(click, image, preprocessing)
    return SampleView(image, item.labels == lesion, window, (), item.liver, item.ignored, clicked=True)


def make_sample(
    view: SampleView,
    preprocessing: Preprocessing,
    augmentation: Augmentation | None = None,
    rng: np.random.Generator | None = None,
) -> Sample:
    """The network's input and target. Without ``augmentation`` the input is exactly the one that inference computes."""
    masks = [mask for mask in (view.mask, view.liver, view.ignored) if mask is not None]
    shown = sample_window(np.stack([view.image, *masks], dtype=np.float32), view.window)
    if augmentation is not None and rng is not None and not view.calipers:
        shown = deformed(shown, rng, augmentation, still=view.clicked)
    image, target, *known = shown
    ignored = known.pop() if view.ignored is not None else None
    if augmentation is not None and rng is not None:
        full = not view.calipers and bool((view.image > preprocessing.black_level).mean() > 0.9)
        image, target = augment(image, target, rng, augmentation, full)
    liver = known[0] if known else np.full_like(target, UNKNOWN)
    if ignored is not None:
        target = np.where((ignored > 0) & (target <= 0), np.float32(UNKNOWN), target)
    if view.clicked:
        inputs = clicked_input(image, preprocessing)
    else:
        inputs = assemble_input(image, view.calipers, view.window, preprocessing)
    return Sample(*(torch.from_numpy(np.ascontiguousarray(each)) for each in (inputs, target, liver)))


class Sampler(Protocol):
    """Draws training samples; sample ``index`` of ``epoch`` is always the same, whatever came before it."""

    def sample(self, epoch: int, index: int) -> Sample:
        """One augmented sample."""


class PictureSampler:
    """Whole pictures, some with a real lesion blended in, and lesions of them under calipers."""

    def __init__(self, pictures: Sequence[Picture], part: NetworkSettings, stage: Stage, seed: int) -> None:
        self._part, self._stage, self._seed = part, stage, seed
        self._levels = [intensity_level(item.image, part.preprocessing) for item in pictures]
        self._pictures = pictures = [coarser(item, part.preprocessing.size) for item in pictures]
        self._sectors = _sectors(pictures, self._levels, part.preprocessing)
        self._mixture = Mixture([item.source for item in pictures], stage.set_weights)
        self._donors = donors(pictures, stage)

    def sample(self, epoch: int, index: int) -> Sample:
        """One augmented sample, prompted or not."""
        part = self._part
        rng = np.random.default_rng((self._seed, 11, epoch, index))
        place = self._mixture.draw(rng)
        item, level = self._pictures[place], self._levels[place]
        if item.axes and rng.random() < part.prompted_share:
            lesion = int(rng.integers(len(item.axes)))
            lines = _calipers(item.axes[lesion], part, rng, item.image.shape)
            view = lesion_view(item, lesion + 1, lines, part.preprocessing, level)
            return make_sample(_vary_prompted(view, part, rng), part.preprocessing, part.augmentation, rng)
        if rng.random() < self._stage.blend_share.get(item.source, 0.0):
            donor = self._donors[int(rng.integers(len(self._donors)))]
            item = blend(item, donor, int(rng.integers(len(donor.axes))) + 1, rng)
        view = whole_view(item, part.preprocessing, level, self._sectors[place])
        window = view.window
        if rng.random() < part.augmentation.zoom:
            window = _zoom(window, item, part.augmentation.zoom_least, rng)
        view = replace(view, window=_vary(window, part.augmentation, rng))
        return make_sample(view, part.preprocessing, part.augmentation, rng)


def _sectors(
    pictures: Sequence[Picture], levels: Sequence[float], preprocessing: Preprocessing
) -> list[NDArray[np.bool_] | None]:
    """The insonated sector of each picture, whose grey value that becomes 1 is known."""
    return [
        sector_of(scale_intensity(item.image, preprocessing, level), preprocessing)
        for item, level in zip(pictures, levels, strict=True)
    ]


def coarser(item: Picture, size: int) -> Picture:
    """The picture at half its resolution, a fourth of the work, where that is still finer than the network's grid."""
    if max(item.image.shape) < SPARE * size:
        return item
    rows, cols = (side // 2 * 2 for side in item.image.shape)
    blocks = item.image[:rows, :cols].reshape(rows // 2, 2, cols // 2, 2)
    axes = tuple(
        LesionAxes(_halved(each.long), None if each.short is None else _halved(each.short)) for each in item.axes
    )
    return replace(
        item,
        image=np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8),
        labels=item.labels[:rows:2, :cols:2],
        liver=None if item.liver is None else item.liver[:rows:2, :cols:2],
        ignored=None if item.ignored is None else item.ignored[:rows:2, :cols:2],
        axes=axes,
    )


def _halved(line: CaliperLine) -> CaliperLine:
    (r0, c0), (r1, c1) = ((np.asarray(line) - 0.5) / 2).tolist()
    return (r0, c0), (r1, c1)


class CutOutSampler:
    """Lesions under calipers, with stretched and bent copies; for a network that is asked with calipers alone."""

    def __init__(self, lesions: Sequence[CutOut], part: NetworkSettings, stage: Stage, seed: int) -> None:
        self._lesions, self._part, self._seed = lesions, part, seed
        self._mixture = Mixture([item.source for item in lesions], stage.set_weights)

    def sample(self, epoch: int, index: int) -> Sample:
        """One augmented sample under calipers as one of several readers would place them."""
        part = self._part
        rng = np.random.default_rng((self._seed, 11, epoch, index))
        item = self._lesions[self._mixture.draw(rng)]
        if part.box_share and rng.random() < part.box_share:
            lines = box_lines(moved_box(lesion_box(item.mask), _jitter(part, rng), rng))
        else:
            axes = item.axes[int(rng.choice(len(item.axes), p=_placement_shares(len(item.axes), part.longest_share)))]
            lines = _calipers(axes, part, rng, item.mask.shape)
        view = SampleView(scaled(item), item.mask, prompt_window(lines, part.preprocessing), lines, None, item.ignored)
        return make_sample(_vary_prompted(view, part, rng), part.preprocessing, part.augmentation, rng)


class ClickSampler:
    """Single lesions at a click: half of the time in the middle of the long axis, else anywhere inside."""

    def __init__(self, pictures: Sequence[Picture], part: NetworkSettings, stage: Stage, seed: int) -> None:
        self._part, self._seed = part, seed
        halved = [coarser(item, part.preprocessing.size) for item in pictures]
        # a lesion one pixel thin may be gone at half the resolution
        labels = [[one for one in range(1, len(item.axes) + 1) if (item.labels == one).any()] for item in halved]
        self._labels = [own for own in labels if own]
        self._levels = [
            intensity_level(item.image, part.preprocessing) for item, own in zip(pictures, labels, strict=True) if own
        ]
        self._pictures = pictures = [item for item, own in zip(halved, labels, strict=True) if own]
        self._sectors = _sectors(pictures, self._levels, part.preprocessing)
        self._mixture = Mixture([item.source for item in pictures], stage.set_weights)

    def sample(self, epoch: int, index: int) -> Sample:
        """One augmented sample of one lesion."""
        part = self._part
        rng = np.random.default_rng((self._seed, 11, epoch, index))
        place = self._mixture.draw(rng)
        item = self._pictures[place]
        labels = self._labels[place]
        lesion = labels[int(rng.integers(len(labels)))]
        click = _click(item, lesion, rng)
        view = click_view(item, lesion, click, part.preprocessing, self._levels[place], self._sectors[place])
        view = replace(view, window=_vary(view.window, part.augmentation, rng))
        return make_sample(view, part.preprocessing, part.augmentation, rng)


def _click(item: Picture, lesion: int, rng: np.random.Generator) -> Point:
    """A place in a lesion (label from 1) that a reader may click on."""
    mask = item.labels == lesion
    row, col = np.mean(item.axes[lesion - 1].long, axis=0).tolist()
    if rng.random() < 0.5 or not mask[round(row), round(col)]:
        row, col = rng.choice(np.argwhere(mask)).tolist()
    return float(row), float(col)


def make_sampler(pictures: Sequence[Picture], part: NetworkSettings, stage: Stage, seed: int) -> Sampler:
    """The sampler that fits a network: clicks, cut-outs where every sample is under calipers, else whole pictures."""
    if part.preprocessing.click_fall:
        return ClickSampler(pictures, part, stage, seed)
    if part.prompted_share < 1:
        return PictureSampler(pictures, part, stage, seed)
    lesions = cut_outs(pictures, part.preprocessing, part.copies, seed, part.aspect, part.margin)
    return CutOutSampler(lesions, part, stage, seed)


def batch(sampler: Sampler, epoch: int, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Inputs (n, 2, size, size) and targets (n, 2, size, size): lesion, liver."""
    samples = [sampler.sample(epoch, index) for index in indices]
    targets = [torch.stack([s.target, s.liver]) for s in samples]
    return torch.stack([s.inputs for s in samples]), torch.stack(targets)


def _placement_shares(count: int, longest: float) -> list[float]:
    """The longest lines, as the criteria ask for, and what the other placements share; a lone kind is all there is."""
    return [longest] + [(1 - longest) / (count - 1)] * (count - 1) if count > 1 else [1.0]


def _calipers(
    axes: LesionAxes, part: NetworkSettings, rng: np.random.Generator, shape: tuple[int, ...]
) -> list[CaliperLine]:
    both = bool(rng.random() < part.both_axes_share)
    return choose_calipers(axes, both, _jitter(part, rng), rng, shape)


def _jitter(part: NetworkSettings, rng: np.random.Generator) -> float:
    """SD of the ends of one sample's calipers, in their lengths: some readers are exact, some are not."""
    return part.caliper_jitter * float(rng.uniform(0, 2))


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


def _vary_prompted(view: SampleView, part: NetworkSettings, rng: np.random.Generator) -> SampleView:
    settings = part.augmentation
    turn = math.radians(rng.normal(0, settings.prompted_turn_deg)) + (math.pi if rng.random() < 0.5 else 0.0)
    return replace(view, window=_moved(view.window, turn, settings.prompted_scale, 0.02, rng))


def _vary(window: Window, settings: Augmentation, rng: np.random.Generator) -> Window:
    turn = math.radians(rng.uniform(-settings.rotation_deg, settings.rotation_deg))
    return _moved(window, turn, settings.scale, settings.shift, rng)


def _moved(window: Window, turn: float, scale: float, shift: float, rng: np.random.Generator) -> Window:
    move = rng.uniform(-shift, shift, 2) * window.scale * window.size
    return replace(
        window,
        centre=(window.centre[0] + float(move[0]), window.centre[1] + float(move[1])),
        scale=window.scale * float(np.exp(rng.uniform(-scale, scale))),
        angle=window.angle + turn,
        mirror=bool(rng.random() < 0.5),
    )
