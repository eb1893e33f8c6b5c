"""How right an outline from one click is, and what is told of it; fits the confidence of clicks that a bundle holds.

    python benchmarks/click_confidence.py DATA... [--model models/NAME] [--samples SEED...] [--frames N] [--write]

It clicks on each lesion of the pictures that a bundle was chosen on, in the middle of its long axis and at a random
place inside. On all but a fifth of the groups it fits which of the outlines that are tried is right (Dice 0.75, and the
long axis within a fifth), and it measures that fifth. The model that is fitted on all of them is measured in another
domain: on the sample children of each seed and on simulated frames. ``--write`` puts it into the bundle.
``--held-back`` measures the bundle as it is on the pictures that nothing was chosen on.

A line tells the mean Dice, how many long axes are a fifth off or more (no outline counts as that, told 0), the chance
that an axis that is not is told more than one that is (AUROC), the mean of what is told, and, by what is told, the axes
that are not off, of all. The lines ``before`` are without a model: the first outline that is seen, and the confidence
for calipers; those of ``boxes`` are what a box a tenth larger on each side draws, once a lesion, and that confidence.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from automatic_grid import FRAME_SIZE, chosen_on
from confidence_features import auroc
from liver_network import DEPTH, RIGHT, held_back
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.files.shipped import find_model
from lesion_measure.files.writing import write_json
from lesion_measure.image.network_frame import network_frame
from lesion_measure.lab.datasets import Picture, picture_digest, simulated_pictures
from lesion_measure.lab.phantom import write_samples
from lesion_measure.lab.phantom.children import build_child
from lesion_measure.lab.phantom.samples import samples
from lesion_measure.lab.training.confidence_fit import _logistic, crossfit_folds
from lesion_measure.lab.training.settings import ConfidenceFit
from lesion_measure.network import Segmenter
from lesion_measure.network.box import box_lines, lesion_box
from lesion_measure.network.bundle import INFERENCE
from lesion_measure.network.click import Try, best_first, tries
from lesion_measure.network.confidence import ACCEPTS_NOTHING, CLICK_FEATURES, ConfidenceModel, dice
from lesion_measure.network.parts import LesionPart, caliper_length, long_axis
from lesion_measure.network.segment import shown_part
from lesion_measure.review.images import OpenImages
from lesion_measure.studies import load_studies

OFF = 0.2
ROOM = 0.1
EDGES = (0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.01)
NOTHING = LesionPart(np.empty((0, 0), np.float32), np.empty((0, 0), bool), (slice(0), slice(0)))
NEVER = "an outline from one click is looked at before it is taken"


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion (mask on its picture) of a set, and the pictures that it belongs to."""

    source: str
    group: str
    seed: int
    image: NDArray[np.generic]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """How right an outline is: Dice, and the long axis as a share of the true one; none: 0 and 0."""

    dice: float
    axis: float

    @property
    def off(self) -> bool:
        return abs(self.axis - 1) > OFF

    @property
    def right(self) -> bool:
        return self.dice >= RIGHT and not self.off


NONE = (Score(0, 0), 0.0)


@dataclass(frozen=True, slots=True)
class Tried:
    """A click: the outlines that were tried, without their masks, which would be too many, and how right each is."""

    lesion: Lesion
    outlines: list[Try]
    scores: list[Score]


def of_pictures(pictures: Iterable[Picture]) -> Iterator[Lesion]:
    """Every lesion of pictures of a data set."""
    for item in pictures:
        for label in range(1, len(item.axes) + 1):
            seed = int(picture_digest(item)[:12], 16) + label
            yield Lesion(item.source, f"{item.source} {item.group}", seed, item.image, item.labels == label)


def of_samples(seed: int) -> Iterator[Lesion]:
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
                parts = (shown_part(each, region) for each in (shown, mask))
                yield Lesion(f"samples {seed}", child.plan.code, child.plan.seed + 100 * number, *map(np.array, parts))
    images.close()


def clicks_in(lesion: Lesion) -> list[tuple[float, float]]:
    """The middle of the long axis where it lies inside, and a random place off the border."""
    mask = lesion.mask
    inside = np.argwhere(ndimage.distance_transform_edt(mask) > DEPTH)
    inside = inside if len(inside) else np.argwhere(mask)
    row, col = np.random.default_rng(lesion.seed).choice(inside).tolist()
    middle = np.mean(long_axis(mask) or inside, axis=0).tolist()
    places = [(float(row), float(col))]
    return [(middle[0], middle[1]), *places] if mask[round(middle[0]), round(middle[1])] else places


def scored(lesion: Lesion, drawn: NDArray[np.bool_], box: tuple[slice, slice]) -> Score:
    """How right a cut-out mask is."""
    mask = np.zeros(lesion.mask.shape, dtype=bool)
    mask[box] = drawn
    found, true = long_axis(mask), long_axis(lesion.mask)
    assert true is not None
    return Score(dice(mask, lesion.mask), 0.0 if found is None else caliper_length(found) / caliper_length(true))


def asked(segmenter: Segmenter, lesions: Iterable[Lesion]) -> list[Tried]:
    """Every click, with everything that is tried there."""
    found = []
    for lesion in lesions:
        picture = segmenter.look(lesion.image)
        for click in clicks_in(lesion):
            outlines = tries(segmenter, picture, click)
            scores = [scored(lesion, one.part.mask, one.part.box) for one in outlines]
            found.append(Tried(lesion, [replace(one, part=NOTHING) for one in outlines], scores))
    return found


def fitted(clicks: Sequence[Tried]) -> ConfidenceModel:
    """The model of all outlines that were tried; each click weighs the same."""
    own = [
        (one, score, 1 / len(each.outlines))
        for each in clicks
        for one, score in zip(each.outlines, each.scores, strict=True)
    ]
    values = np.array([[one.features[name] for name in CLICK_FEATURES] for one, _, _ in own])
    right = np.array([score.right for _, score, _ in own])
    model = _logistic(values, right, np.array([weight for _, _, weight in own]), ConfidenceFit().penalty)
    return ConfidenceModel(features=CLICK_FEATURES, **model.model_dump(), threshold=ACCEPTS_NOTHING, never=NEVER)


def answered(segmenter: Segmenter, each: Tried, model: ConfidenceModel | None) -> tuple[Score, float]:
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


def boxed(segmenter: Segmenter, clicks: Sequence[Tried]) -> list[tuple[Score, float]]:
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


def crossed(clicks: Sequence[Tried]) -> Callable[[Tried], ConfidenceModel]:
    """For each click the model that never saw its group."""
    settings = ConfidenceFit()
    part_of = crossfit_folds([each.lesion.group for each in clicks], settings.folds)
    models = [fitted([each for each in clicks if part_of[each.lesion.group] != part]) for part in range(settings.folds)]
    return lambda each: models[part_of[each.lesion.group]]


def compare(
    segmenter: Segmenter, name: str, clicks: Sequence[Tried], model: Callable[[Tried], ConfidenceModel | None]
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
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--held-back", action="store_true")
    options = parser.parse_args()
    path = find_model(options.model)
    segmenter = Segmenter.from_bundle(path, threads=1)
    if options.held_back:
        own = segmenter.settings.confidence.click
        for data in options.data:
            compare(
                segmenter, f"{data.name} held back", asked(segmenter, of_pictures(held_back(data, path))), lambda _: own
            )
        return
    clicks = asked(segmenter, of_pictures(chosen_on(options.data, path, training=False)))
    chosen = crossed(clicks)
    for source in sorted({each.lesion.source for each in clicks}):
        compare(segmenter, source, [each for each in clicks if each.lesion.source == source], chosen)
    model = fitted(clicks)
    for seed in options.samples:
        compare(segmenter, f"samples {seed}", asked(segmenter, of_samples(seed)), lambda _: model)
    if options.frames:
        with tempfile.TemporaryDirectory() as folder:
            made = simulated_pictures(Path(folder), "validation", options.frames, 1, FRAME_SIZE)
        compare(segmenter, "simulated frames", asked(segmenter, of_pictures(made)), lambda _: model)
    if options.write:
        written = json.loads((path / INFERENCE).read_text(encoding="utf-8"))
        written["lesion_measure"]["confidence"]["click"] = model.model_dump(mode="json", exclude={"promise", "folds"})
        write_json(path / INFERENCE, written, indent=2)


if __name__ == "__main__":
    main()
