"""How well a network does on held-back pictures: every candidate with its features and Dice, and tables from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.network import Segmentation, Segmenter
from lesion_measure.network.confidence import ConfidenceModel, dice
from lesion_measure.training.data import Picture
from lesion_measure.training.samples import choose_calipers

FOUND_DICE = 0.5
CLEAR_CONTRAST = 0.7
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Candidate:
    """One lesion that the network drew: its features, and its Dice with the lesion it overlaps most (0 if none)."""

    source: str
    group: str
    picture: str
    features: dict[str, float]
    dice: float


@dataclass(slots=True)
class Outcome:
    """What happened on one picture."""

    picture: Picture
    automatic_dice: float | None = None
    found: list[bool] = field(default_factory=list)
    contrast: list[float] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    long_dice: list[float] = field(default_factory=list)
    both_dice: list[float] = field(default_factory=list)
    prompted: list[Candidate] = field(default_factory=list)


def assess(segmenter: Segmenter, pictures: Sequence[Picture], spread: float, seed: int) -> list[Outcome]:
    """Run every picture unprompted, and every lesion from its long axis and from both, ends moved by ``spread``."""
    outcomes = []
    for number, item in enumerate(pictures):
        rng = np.random.default_rng((seed, 13, number))
        outcome = Outcome(item)
        _assess_automatic(segmenter, item, outcome)
        for label, axes in enumerate(item.axes, start=1):
            truth = item.labels == label
            outcome.contrast.append(contrast(item, label))
            for both, scores in ((False, outcome.long_dice), (True, outcome.both_dice)):
                result = segmenter.segment(item.image, choose_calipers(axes, both, spread, rng, item.image.shape))
                masks = lesion_masks(result)
                scores.append(dice(masks[0], truth) if masks else 0.0)
                for lesion in result.lesions:
                    outcome.prompted.append(Candidate(item.source, item.group, item.name, lesion.features, scores[-1]))
        outcomes.append(outcome)
    return outcomes


def contrast(item: Picture, label: int) -> float:
    """Difference of mean grey inside a lesion and in a ring around it, in SDs of a pixel; black pixels are left out."""
    inside = item.labels == label
    width = max(3, round(0.25 * float(np.sqrt(inside.sum()))))
    ring = ndimage.binary_dilation(inside, iterations=width) & (item.labels == 0)
    own, around = (item.image[part & (item.image > 0)].astype(np.float64) for part in (inside, ring))
    if len(own) < 2 or len(around) < 2:
        return 0.0
    spread = float(np.sqrt((own.var() + around.var()) / 2))
    return abs(float(own.mean() - around.mean())) / max(spread, 1e-6)


def _assess_automatic(segmenter: Segmenter, item: Picture, outcome: Outcome) -> None:
    result = segmenter.segment(item.image)
    masks = lesion_masks(result)
    if item.axes:
        drawn = np.zeros(item.labels.shape, dtype=bool)
        for mask in masks:
            drawn |= mask
        outcome.automatic_dice = dice(drawn, item.labels > 0)
    best = [0.0] * len(item.axes)
    for lesion, mask in zip(result.lesions, masks, strict=True):
        overlaps = np.bincount(item.labels[mask], minlength=len(item.axes) + 1)[1:]
        score = 0.0
        if overlaps.size and overlaps.max() > 0:
            label = int(overlaps.argmax())
            score = dice(mask, item.labels == label + 1)
            best[label] = max(best[label], score)
        outcome.candidates.append(Candidate(item.source, item.group, item.name, lesion.features, score))
    outcome.found = [score >= FOUND_DICE for score in best]


def lesion_masks(result: Segmentation) -> list[NDArray[np.bool_]]:
    """Each lesion's mask on the whole picture."""
    masks = []
    for lesion in result.lesions:
        whole = np.zeros(result.probability.shape, dtype=bool)
        whole[lesion.box] = lesion.mask
        masks.append(whole)
    return masks


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, its 95 % bootstrap interval over groups, and its number of values; None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    count: int

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}; n = {self.count})"


def estimate(values: Sequence[float], groups: Sequence[str], seed: int) -> Estimate:
    """Mean and percentile bootstrap interval, whole groups redrawn."""
    if not values:
        return Estimate(None, None, None, 0)
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(index, weights=np.asarray(values, dtype=np.float64))
    counts = np.bincount(index).astype(np.float64)
    draws = np.random.default_rng((seed, 17)).integers(len(names), size=(RESAMPLES, len(names)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(np.mean(values)), float(low), float(high), len(values))


def summarise(
    outcomes: Sequence[Outcome], confidence: dict[int, float], automatic: ConfidenceModel, seed: int
) -> dict[str, dict[str, Estimate]]:
    """The model card's figures of every set.

    ``confidence`` gives each candidate's cross-fitted confidence by ``id(candidate)``, so that the acceptance figures
    do not flatter a model fitted on the same pictures.
    """
    table = {}
    for source in sorted({o.picture.source for o in outcomes}):
        own = [o for o in outcomes if o.picture.source == source]
        table[source] = _summary(own, confidence, automatic.threshold, seed)
    return table


def _summary(own: Sequence[Outcome], confidence: dict[int, float], threshold: float, seed: int) -> dict[str, Estimate]:
    rows: dict[str, list[tuple[float, str]]] = {
        "automatic Dice, missed = 0": [
            (o.automatic_dice, o.picture.group) for o in own if o.automatic_dice is not None
        ],
        f"automatic Dice, every lesion of contrast >= {CLEAR_CONTRAST}": [
            (o.automatic_dice, o.picture.group)
            for o in own
            if o.automatic_dice is not None and min(o.contrast) >= CLEAR_CONTRAST
        ],
        f"lesions found (Dice >= {FOUND_DICE})": [(float(f), o.picture.group) for o in own for f in o.found],
        f"lesions found, of contrast >= {CLEAR_CONTRAST}": [
            (float(f), o.picture.group)
            for o in own
            for f, c in zip(o.found, o.contrast, strict=True)
            if c >= CLEAR_CONTRAST
        ],
        "lesion-free pictures with a lesion drawn": [
            (float(bool(o.candidates)), o.picture.group) for o in own if not o.picture.axes
        ],
        "prompted by the long axis: Dice": [(d, o.picture.group) for o in own for d in o.long_dice],
        "prompted by both axes: Dice": [(d, o.picture.group) for o in own for d in o.both_dice],
    }
    accepted = [(o, [c for c in o.candidates if confidence[id(c)] >= threshold]) for o in own]
    rows["pictures with a lesion, one accepted"] = [
        (float(bool(c)), o.picture.group) for o, c in accepted if o.picture.axes
    ]
    rows["accepted lesions: Dice"] = [(one.dice, o.picture.group) for o, c in accepted for one in c]
    rows["lesion-free pictures with one accepted"] = [
        (float(bool(c)), o.picture.group) for o, c in accepted if not o.picture.axes
    ]
    return {name: estimate([v for v, _ in pairs], [g for _, g in pairs], seed) for name, pairs in rows.items()}
