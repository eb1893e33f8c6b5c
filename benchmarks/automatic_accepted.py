"""Whether a confidence tells right automatic outlines from wrong ones, and how many could be accepted.

``python benchmarks/automatic_accepted.py DATA... [--model models/NAME] [--weights CHECKPOINT ...] [--shift 1.5]
[--simulated FOLDER]`` draws the pictures that a bundle was chosen on, with its own automatic network and with the
averaged weights of other trainings, and fits the confidence on them as training does, cross-fitted. It prints by set
the outlines, those that are right (Dice 0.75), the AUROC of being right (95 % bootstrap interval over groups), and for
each of `RISKS` what a threshold that keeps it accepts: of each set's outlines, with their mean Dice.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from automatic_grid import FRAME_SIZE, FRAMES, chosen_on, segmenter
from confidence_features import Outline, auroc, crossed, outlines, resamples
from numpy.typing import NDArray

from lesion_measure.files.shipped import find_model
from lesion_measure.lab.datasets import simulated_pictures
from lesion_measure.lab.training.accepting import Judged, choose_threshold
from lesion_measure.lab.training.settings import ConfidenceFit
from lesion_measure.network.confidence import AUTOMATIC_FEATURES

RISKS = (0.05, 0.1, 0.15, 0.2)


def interval(right: NDArray[np.bool_], confidence: NDArray[np.float64], groups: NDArray[np.str_]) -> str:
    """AUROC with its interval."""
    found = [auroc(right[drawn], confidence[drawn]) for drawn in resamples(right, groups)]
    low, high = np.quantile(found, [0.025, 0.975])
    return f"{auroc(right, confidence):.3f} ({low:.3f} to {high:.3f})"


def tell(name: str, drawn: Sequence[Outline]) -> None:
    """Every figure of one network."""
    scores = np.array([one.dice for one in drawn])
    right = scores >= ConfidenceFit().correct_dice
    sources, groups = (np.array([getattr(one.item, what) for one in drawn]) for what in ("source", "group"))
    confidence = crossed(drawn, AUTOMATIC_FEATURES, right)
    for source in sorted(set(sources)):
        own = sources == source
        told = interval(right[own], confidence[own], groups[own])
        print(f"{name}, {source}: {own.sum()} outlines, {right[own].sum()} right, AUROC {told}", flush=True)
    judged = Judged(confidence, right, groups.tolist(), sources.tolist())
    for risk in RISKS:
        choice = choose_threshold(judged, risk, ConfidenceFit().accepted_confidence)
        taken = confidence >= choice.threshold
        parts = []
        for source in sorted(set(sources)):
            own = taken & (sources == source)
            mean = f", Dice {scores[own].mean():.2f}" if own.any() else ""
            parts.append(f"{source} {own.sum()} of {(sources == source).sum()}{mean}")
        print(f"{name}, risk {100 * risk:.4g} %: accepted {'; '.join(parts)}", flush=True)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--weights", type=Path, nargs="*", default=[])
    parser.add_argument("--shift", type=float, help="added to the logit of lesion of these; else the bundle's")
    parser.add_argument("--simulated", type=Path, help="folder of the validation frames that a training made")
    options = parser.parse_args()
    model = find_model(options.model)
    pictures = chosen_on(options.data, model, training=False)
    if options.simulated:
        pictures += simulated_pictures(options.simulated, "validation", FRAMES, 1, FRAME_SIZE)
    tell("as it is", outlines(segmenter(model, None, []), pictures))
    for weights in options.weights:
        tell(str(weights), outlines(segmenter(model, None, [weights], options.shift), pictures))


if __name__ == "__main__":
    main()
