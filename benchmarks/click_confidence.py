"""How right an outline from one click is, and what is told of it.

    python benchmarks/click_confidence.py DATA... [--model models/NAME] [--samples SEED...] [--frames N]

It clicks on each lesion of the pictures that a bundle was chosen on, in the middle of its long axis and at a random
place inside. On all but a fifth of the groups it fits which of the outlines that are tried is right (Dice 0.75, and the
long axis within a fifth), and it measures that fifth. The model that is fitted on all of them is measured in another
domain: on the sample children of each seed and on simulated frames. It is fitted as a training fits that of a bundle.
``--held-back`` measures the bundle as it is on the pictures that nothing was chosen on.

A line tells the mean Dice, how many long axes are a fifth off or more (no outline counts as that, told 0), the chance
that an axis that is not is told more than one that is (AUROC), the mean of what is told, and, by what is told, the axes
that are not off, of all. The lines ``before`` are without a model: the first outline that is seen, and the confidence
for calipers; those of ``boxes`` are what a box a tenth larger on each side draws, once a lesion, and that confidence.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from automatic_grid import FRAME_SIZE, chosen_on
from confidence_features import auroc
from liver_network import held_back

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.files.shipped import find_model
from lesion_measure.image.network_frame import network_frame
from lesion_measure.lab.datasets import simulated_pictures
from lesion_measure.lab.phantom import write_samples
from lesion_measure.lab.phantom.children import build_child
from lesion_measure.lab.phantom.samples import samples
from lesion_measure.lab.training.clicks import (
    Clicked,
    ClickedLesion,
    Score,
    click_all,
    fit_clicks,
    lesions_to_click,
    scored,
)
from lesion_measure.lab.training.confidence_fit import crossfit_folds
from lesion_measure.lab.training.settings import ConfidenceFit
from lesion_measure.network import Segmenter
from lesion_measure.network.box import box_lines, lesion_box
from lesion_measure.network.click import best_first
from lesion_measure.network.confidence import ConfidenceModel
from lesion_measure.network.segment import shown_part
from lesion_measure.review.images import OpenImages
from lesion_measure.studies import load_studies

ROOM = 0.1
EDGES = (0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.01)
NONE = (Score(0, 0), 0.0)


def of_samples(seed: int) -> Iterator[ClickedLesion]:
    """Every lesion on the pictures of the sample children, as the reading room shows them to the network."""
    config = Config()
    images = OpenImages(config)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "studies"
        write_samples(folder, seed)
        with (folder / "calipers.csv").open(encoding="utf-8", newline="") as file:
            frames = {row["image"]: int(row["frame"]) for row in csv.DictReader(file)}
        read = {str(one.location): one for one in load_studies(folder).instances}
        for child in (build_child(sample.plan) for sample in samples(seed)):
            for number, e in enumerate(child.exposures):
                shape = child.shape(int(e.lesion.removeprefix("L")) - 1, e.visit)
                if shape is None:
                    continue
                path = f"{child.plan.code}/{e.visit}/{e.lesion}_{e.plane}.dcm"
                instance = next(one for place, one in read.items() if path in place)
                region = calibrate(instance, config.calibration).region
                with images.use(instance) as opened:
                    shown = network_frame(opened.image, frames[path], config.segment)
                mask = child.view(e).screen.coverage(shape, e.scan) >= 0.5
                image, labels = (np.array(shown_part(each, region)) for each in (shown, mask.astype(np.uint8)))
                own = child.plan.seed + 100 * number
                yield ClickedLesion(f"samples {seed}", child.plan.code, own, image, labels, 1)
    images.close()


def answered(segmenter: Segmenter, each: Clicked, model: ConfidenceModel | None) -> tuple[Score, float]:
    """What a click draws, and what is told of it."""
    order = best_first(each.outlines, model)
    answer = segmenter.segment(each.lesion.image, order[0].prompt).lesions if order else ()
    if not answer:
        return NONE
    (drawn,) = answer
    sure = drawn.confidence if model is None else model.confidence(order[0].features)
    return scored(each.lesion, drawn.mask, drawn.box), sure


def tell(name: str, answers: Sequence[tuple[Score, float]]) -> None:
    """One line."""
    scores, told = [score for score, _ in answers], np.array([sure for _, sure in answers])
    right = np.array([not score.off for score in scores])
    ranked = f"{auroc(right, told):.2f}" if 0 < right.sum() < len(right) else "-"
    bins = [(low, (told >= low) & (told < high)) for low, high in pairwise(EDGES)]
    print(
        f"{name}: n {len(scores)}, Dice {np.mean([score.dice for score in scores]):.3f}, a fifth off {sum(~right)}, "
        f"AUROC {ranked}, told {told.mean():.2f}; "
        + ", ".join(f"from {low:g} {right[own].sum()} of {own.sum()}" for low, own in bins),
        flush=True,
    )


def boxed(segmenter: Segmenter, clicks: Sequence[Clicked]) -> list[tuple[Score, float]]:
    """What a box a tenth larger on each side draws around each lesion that was clicked, and the confidence told."""
    found = []
    for lesion in {id(each.lesion): each.lesion for each in clicks}.values():
        top, left, bottom, right = lesion_box(lesion.mask)
        down, across = ROOM * (bottom - top), ROOM * (right - left)
        rows, cols = (side - 0.5 for side in lesion.mask.shape)
        box = max(top - down, 0), max(left - across, 0), min(bottom + down, rows - 0.5), min(right + across, cols - 0.5)
        answer = segmenter.segment(lesion.image, box_lines(box)).lesions
        found.append((scored(lesion, answer[0].mask, answer[0].box), answer[0].confidence) if answer else NONE)
    return found


def crossed(clicks: Sequence[Clicked]) -> Callable[[Clicked], ConfidenceModel | None]:
    """For each click the model that never saw its group."""
    settings = ConfidenceFit()
    part_of = crossfit_folds(map(group_of, clicks), settings.folds)
    parts = range(settings.folds)
    models = [fit_clicks([each for each in clicks if part_of[group_of(each)] != part], settings) for part in parts]
    return lambda each: models[part_of[group_of(each)]]


def group_of(each: Clicked) -> str:
    """Its group, which no part of the cross-fitting shares with another."""
    return f"{each.lesion.source} {each.lesion.group}"


def compare(
    segmenter: Segmenter, name: str, clicks: Sequence[Clicked], model: Callable[[Clicked], ConfidenceModel | None]
) -> None:
    """The lines of one set, before and with a model."""
    tell(f"{name}, before", [answered(segmenter, each, None) for each in clicks])
    tell(name, [answered(segmenter, each, model(each)) for each in clicks])
    tell(f"{name}, boxes", boxed(segmenter, clicks))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--samples", type=int, nargs="*", default=[], help="seeds of sample children")
    parser.add_argument("--frames", type=int, default=0, help="how many simulated frames")
    parser.add_argument("--held-back", action="store_true")
    options = parser.parse_args()
    path = find_model(options.model)
    segmenter = Segmenter.from_bundle(path, threads=1)
    if options.held_back:
        own = segmenter.settings.confidence.click
        for data in options.data:
            clicks = click_all(segmenter, lesions_to_click(held_back(data, path)))
            compare(segmenter, f"{data.name} held back", clicks, lambda _: own)
        return
    clicks = click_all(segmenter, lesions_to_click(chosen_on(options.data, path, training=False)))
    chosen = crossed(clicks)
    for source in sorted({each.lesion.source for each in clicks}):
        compare(segmenter, source, [each for each in clicks if each.lesion.source == source], chosen)
    model = fit_clicks(clicks, ConfidenceFit())
    if model is None:
        raise SystemExit("Too few clicks drew anything to fit a confidence on.")
    for seed in options.samples:
        compare(segmenter, f"samples {seed}", click_all(segmenter, of_samples(seed)), lambda _: model)
    if options.frames:
        with tempfile.TemporaryDirectory() as folder:
            made = simulated_pictures(Path(folder), "validation", options.frames, 1, FRAME_SIZE)
        compare(segmenter, "simulated frames", click_all(segmenter, lesions_to_click(made)), lambda _: model)


if __name__ == "__main__":
    main()
