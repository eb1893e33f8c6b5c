"""What further features of an automatic outline would add to its confidence, and which wrong outlines rank high.

``python benchmarks/confidence_features.py DATA... [--model models/NAME] [--simulated NAME.work/simulated]`` draws the
pictures that a bundle was chosen on, fits the confidence on them as training does, cross-fitted, with each of `MORE`
added in turn, and prints by set the chance that a right outline (Dice 0.75) is given a higher confidence than a wrong
one (AUROC; difference to the present features with a 95 % bootstrap interval over groups). Then the ranks of the wrong
outlines among the surest of each set, with their Dice.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from automatic_grid import FRAME_SIZE, FRAMES, chosen_on
from numpy.typing import NDArray
from scipy.stats import rankdata

from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import Picture, simulated_pictures
from lesion_measure.lab.evaluation.kept import kept
from lesion_measure.lab.training.confidence_fit import crossfit_folds, logistic, predicted
from lesion_measure.lab.training.settings import ConfidenceFit
from lesion_measure.network import Segmenter
from lesion_measure.network.confidence import AUTOMATIC_FEATURES, dice
from lesion_measure.network.features import common_features
from lesion_measure.network.parts import LesionPart
from lesion_measure.network.seen import Answer
from lesion_measure.network.segmentation import SegmentedLesion

MORE = ("least_tenth", "second_flip_agreement", "second_blur", "axis_inside_second")
"""Least probability but for a tenth of the first outline; of the second: agreement of its mirrored passes, width of its
border, share of the first one's long axis in it."""
RESAMPLES = 400
SHOWN = 40


class Richer(Segmenter):
    """A bundle whose automatic lesions carry `MORE` features."""

    def _draw(
        self, scaled: NDArray[np.float32], answer: Answer, parts: Sequence[LesionPart], level: float, flips: bool
    ) -> list[SegmentedLesion | None]:
        drawn = super()._draw(scaled, answer, parts, level, flips)
        return [
            lesion and replace(lesion, features=lesion.features | self._more(scaled, part, level, flips))
            for lesion, part in zip(drawn, parts, strict=True)
        ]

    def _more(self, scaled: NDArray[np.float32], part: LesionPart, level: float, flips: bool) -> dict[str, float]:
        more = dict.fromkeys(MORE, 0.0) | {"least_tenth": float(np.quantile(part.probability[part.mask], 0.1))}
        axis = part.long_axis
        if axis is None:
            return more
        answer, again = self._outlines(scaled, [[axis]], level, flips)[0]
        if again is None:
            return more
        second = common_features(answer, again, scaled)
        return more | {
            "second_flip_agreement": second["flip_agreement"],
            "second_blur": second["blur"],
            "axis_inside_second": again.share_inside([axis]),
        }


def auroc(right: NDArray[np.bool_], confidence: NDArray[np.float64]) -> float:
    """The chance that one that is right has the higher confidence than one that is wrong."""
    ranks, count = rankdata(confidence)[right].sum(), int(right.sum())
    return float((ranks - count * (count + 1) / 2) / (count * int((~right).sum())))


def resamples(right: NDArray[np.bool_], groups: NDArray[np.str_]) -> Iterator[NDArray[np.intp]]:
    """Places of outlines, drawn anew by groups; not where all or none of them are right."""
    rng, names = np.random.default_rng(1), np.unique(groups)
    places = [np.flatnonzero(groups == name) for name in names]
    for _ in range(RESAMPLES):
        drawn = np.concatenate([places[n] for n in rng.integers(len(names), size=len(names))])
        if 0 < right[drawn].sum() < len(drawn):
            yield drawn


def difference(
    right: NDArray[np.bool_], one: NDArray[np.float64], other: NDArray[np.float64], groups: NDArray[np.str_]
) -> str:
    """AUROC of ``one``, and how much higher it is than that of ``other``."""
    resampled = list(resamples(right, groups))
    gains = [auroc(right[drawn], one[drawn]) - auroc(right[drawn], other[drawn]) for drawn in resampled]
    low, high = np.quantile(gains, [0.025, 0.975])
    return f"{auroc(right, one):.3f}, {auroc(right, one) - auroc(right, other):+.3f} ({low:+.3f} to {high:+.3f})"


@dataclass(frozen=True, slots=True)
class Outline:
    """What was drawn: its picture, its Dice with the lesion that it shares most pixels with, and its features."""

    item: Picture
    dice: float
    features: Mapping[str, float]


def outlines(network: Segmenter, pictures: Sequence[Picture]) -> list[Outline]:
    """Every outline of every picture that a run would keep."""
    found = []
    for item in pictures:
        for lesion in kept(network.segment(item.image).lesions, item):
            own = np.zeros(item.image.shape, dtype=bool)
            own[lesion.box] = lesion.mask
            shared = np.bincount(item.labels[own], minlength=2)[1:]
            score = dice(own, item.labels == int(shared.argmax()) + 1) if shared.any() else 0.0
            found.append(Outline(item, score, lesion.features))
    return found


def crossed(drawn: Sequence[Outline], names: Sequence[str], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Each outline's confidence from a model that never saw its group, as training fits it; of equal weight."""
    settings, confidence = ConfidenceFit(), np.zeros(len(drawn))
    parts = crossfit_folds([one.item.group for one in drawn], settings.folds)
    part = np.array([parts[one.item.group] for one in drawn])
    values = np.array([[one.features[name] for name in names] for one in drawn])
    for fold in range(settings.folds):
        seen = part != fold
        fitted = logistic(values[seen], right[seen], np.ones(int(seen.sum())), settings.penalty)
        confidence[~seen] = predicted(fitted, values[~seen])
    return confidence


def tell(drawn: Sequence[Outline]) -> None:
    """Every figure."""
    right = np.array([one.dice >= ConfidenceFit().correct_dice for one in drawn])
    sources = np.array([one.item.source for one in drawn])
    groups = np.array([one.item.group for one in drawn])
    present = crossed(drawn, AUTOMATIC_FEATURES, right)
    for added in [(), *((name,) for name in MORE), MORE]:
        confidence = crossed(drawn, (*AUTOMATIC_FEATURES, *added), right)
        for source in sorted(set(sources)):
            own = sources == source
            text = difference(right[own], confidence[own], present[own], groups[own])
            print(f"{' + '.join(added) or 'present features'}, {source} (n = {own.sum()}): {text}", flush=True)
    for source in sorted(set(sources)):
        surest = [n for n in np.argsort(-present) if sources[n] == source][:SHOWN]
        wrong = [f"{place} ({drawn[n].dice:.2f})" for place, n in enumerate(surest, start=1) if not right[n]]
        print(f"{source}: wrong among the {len(surest)} surest, rank (Dice): {', '.join(wrong)}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--simulated", type=Path, help="folder of the validation frames that a training made")
    options = parser.parse_args()
    model = find_model(options.model)
    pictures = chosen_on(options.data, model, training=False)
    if options.simulated:
        pictures += simulated_pictures(options.simulated, "validation", FRAMES, 1, FRAME_SIZE)
    tell(outlines(Richer.from_bundle(model, threads=1), pictures))


if __name__ == "__main__":
    main()
