"""What one click in a lesion draws, on held-back pictures, and how likely it is right by its features (decision 22).

Each lesion is clicked in the middle of its long axis and at a random place inside. A click is answered by one of
several outlines, and the confidence model says which; so it is fitted on all that are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.lab.datasets import Picture, picture_digest
from lesion_measure.lab.training.confidence_fit import MIN_CANDIDATES, logistic
from lesion_measure.lab.training.settings import ConfidenceFit
from lesion_measure.network import Segmenter
from lesion_measure.network.click import Try, tries
from lesion_measure.network.confidence import ACCEPTS_NOTHING, CLICK_FEATURES, ConfidenceModel, dice
from lesion_measure.network.parts import LesionPart, caliper_length, long_axis
from lesion_measure.records import Point

OFF = 0.2
"""An outline is wrong, whatever its Dice, where its long axis is off by more than this share of the true one."""
DEPTH_PX = 3
"""Least distance of a click at random from the lesion's border, where there is such a place."""
NEVER = "an outline from one click is looked at before it is taken"
_NOTHING = LesionPart(np.empty((0, 0), np.float32), np.empty((0, 0), bool), (slice(0), slice(0)))


@dataclass(frozen=True, slots=True, eq=False)
class ClickedLesion:
    """A lesion that is to be clicked.

    ``labels`` (rows, columns) is ``label`` on it, ``image`` its picture, ``seed`` decides where the random click lies.
    """

    source: str
    group: str
    seed: int
    image: NDArray[np.generic]
    labels: NDArray[np.integer]
    label: int

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where it is (rows, columns)."""
        return np.asarray(self.labels == self.label)


@dataclass(frozen=True, slots=True)
class Score:
    """How right an outline is: Dice, and its long axis as a share of the true one; without an outline both are 0."""

    dice: float
    axis: float

    @property
    def off(self) -> bool:
        """Whether the long axis is off by more than `OFF`."""
        return abs(self.axis - 1) > OFF

    def right(self, correct_dice: float) -> bool:
        """Whether the outline is what a confidence is the chance of."""
        return self.dice >= correct_dice and not self.off


@dataclass(frozen=True, slots=True, eq=False)
class Clicked:
    """A click: the outlines that were tried, without their pixels, which would be too many, and how right each is."""

    lesion: ClickedLesion
    outlines: list[Try]
    scores: list[Score]


def lesions_to_click(pictures: Iterable[Picture]) -> Iterator[ClickedLesion]:
    """Every lesion of the pictures."""
    for item in pictures:
        for label in range(1, len(item.axes) + 1):
            seed = int(picture_digest(item)[:12], 16) + label
            yield ClickedLesion(item.source, item.group, seed, item.image, item.labels, label)


def clicks_in(lesion: ClickedLesion) -> list[Point]:
    """The middle of the long axis where it lies inside, and a random place off the border: (row, column) each."""
    mask = lesion.mask
    inside = np.argwhere(ndimage.distance_transform_edt(mask) > DEPTH_PX)
    inside = inside if len(inside) else np.argwhere(mask)
    row, col = np.random.default_rng(lesion.seed).choice(inside).tolist()
    middle = np.mean(long_axis(mask) or inside, axis=0).tolist()
    places = [(float(row), float(col))]
    return [(middle[0], middle[1]), *places] if mask[round(middle[0]), round(middle[1])] else places


def scored(lesion: ClickedLesion, drawn: NDArray[np.bool_], box: tuple[slice, slice]) -> Score:
    """How right a mask is that is cut out to ``box``."""
    mask = np.zeros(lesion.labels.shape, dtype=bool)
    mask[box] = drawn
    found, true = long_axis(mask), long_axis(lesion.mask)
    axis = caliper_length(found) / caliper_length(true) if found and true else 0.0
    return Score(dice(mask, lesion.mask), axis)


def click_all(segmenter: Segmenter, lesions: Iterable[ClickedLesion]) -> list[Clicked]:
    """Every click in every lesion, with all that is tried there."""
    clicks = []
    for lesion in lesions:
        picture = segmenter.look(lesion.image)
        for click in clicks_in(lesion):
            outlines = tries(segmenter, picture, click)
            scores = [scored(lesion, one.part.mask, one.part.box) for one in outlines]
            clicks.append(Clicked(lesion, [replace(one, part=_NOTHING) for one in outlines], scores))
    return clicks


def fit_clicks(clicks: Sequence[Clicked], settings: ConfidenceFit) -> ConfidenceModel | None:
    """The confidence model of clicks: how likely an outline is right, which is never accepted unseen.

    It is fitted on all outlines that were tried, each click of the same weight. None where clicks drew anything in
    fewer than `MIN_CANDIDATES` groups of pictures: then the reading room tells no number.
    """
    drawn = [each for each in clicks if each.outlines]
    if len({(each.lesion.source, each.lesion.group) for each in drawn}) < MIN_CANDIDATES:
        return None
    values = np.array([[one.features[name] for name in CLICK_FEATURES] for each in drawn for one in each.outlines])
    right = np.array([score.right(settings.correct_dice) for each in drawn for score in each.scores], dtype=bool)
    weights = np.array([1 / len(each.outlines) for each in drawn for _ in each.outlines])
    fitted = logistic(values, right, weights, settings.penalty)
    return ConfidenceModel(features=CLICK_FEATURES, **fitted.model_dump(), threshold=ACCEPTS_NOTHING, never=NEVER)
