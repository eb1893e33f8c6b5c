"""A training fits the confidence of clicks: where it clicks, what is right, and the model against sums by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from lesion_measure.lab.datasets import Picture, load, picture, picture_digest
from lesion_measure.lab.evaluation import read_held_back
from lesion_measure.lab.training import TrainingRequest, train
from lesion_measure.lab.training.clicks import (
    Clicked,
    ClickedLesion,
    Score,
    click_all,
    clicks_in,
    fit_clicks,
    lesions_to_click,
    scored,
)
from lesion_measure.lab.training.confidence_fit import MIN_CANDIDATES
from lesion_measure.lab.training.settings import ConfidenceFit
from lesion_measure.network import Segmenter
from lesion_measure.network.bundle import read_bundle
from lesion_measure.network.click import Try
from lesion_measure.network.confidence import ACCEPTS_NOTHING, CLICK_FEATURES
from lesion_measure.network.parts import LesionPart
from tiny_training import TINY, write_blobs

NO_PART = LesionPart(np.empty((0, 0), np.float32), np.empty((0, 0), bool), (slice(0), slice(0)))


def two_lesions() -> Picture:
    """A disc of radius 20 around (50, 60), and a ring segment like a sickle, whose middle lies outside of it."""
    row, col = np.mgrid[:200, :240]
    disc = np.hypot(row - 50, col - 60) <= 20
    away = np.hypot(row - 140, col - 150)
    sickle = (away <= 40) & (away > 28) & (row < 140)
    image = np.random.default_rng(5).integers(20, 200, disc.shape).astype(np.uint8)
    return picture("a", "set", "set/a", image, disc | sickle)


def click(agreement: float, *right: bool, group: str = "g") -> Clicked:
    """A click at which so many outlines were tried, all of one agreement with others."""
    lesion = ClickedLesion("set", group, 0, np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8), 1)
    features = dict.fromkeys(CLICK_FEATURES, 0.5) | {"agreement": agreement}
    outlines = [Try([], NO_PART, features, seen=False) for _ in right]
    return Clicked(lesion, outlines, [Score(0.9, 1.0) if each else Score(0.9, 1.3) for each in right])


def test_a_lesion_is_clicked_in_its_middle_and_at_a_place_off_its_border() -> None:
    disc, sickle = lesions_to_click([two_lesions()])
    middle, place = clicks_in(disc)
    assert math.dist(middle, (50, 60)) < 1
    assert math.dist(place, (50, 60)) < 17.5
    (inside,) = clicks_in(sickle)
    assert 31 < math.dist(inside, (140, 150)) < 37
    assert clicks_in(disc) == [middle, place]


def test_right_is_a_dice_and_a_long_axis() -> None:
    """Of a disc, one of 0.7 times its radius has a Dice of 2 x 0.49 / 1.49, and an axis of 0.7."""
    lesion = next(lesions_to_click([two_lesions()]))
    row, col = np.mgrid[:200, :240]
    half = scored(lesion, np.hypot(row - 50, col - 60) <= 14, (slice(0, 200), slice(0, 240)))
    assert half.dice == pytest.approx(0.98 / 1.49, abs=0.01)
    assert half.axis == pytest.approx(29 / 41, abs=0.01)
    assert (half.off, half.right(0.5)) == (True, False)
    whole = scored(lesion, np.ones((3, 3), bool), (slice(0, 3), slice(0, 3)))
    assert (whole.dice, whole.off) == (0.0, True)
    assert Score(0.8, 1.19).right(0.75)
    assert not Score(0.74, 1.0).right(0.75)
    assert scored(lesion, np.zeros((3, 3), bool), (slice(0, 3), slice(0, 3))) == Score(0.0, 0.0)


def test_the_model_gives_the_shares_that_are_right_each_click_of_the_same_weight() -> None:
    """One feature of two values: without a penalty the model's chance is the share that is right at each.

    At 0.9 half of the clicks have one outline, which is right, the others one right of four: (1 + 1/4) / 2 = 0.625. All
    outlines alike would be 2 of 5. At 0.2 one outline of three is right.
    """
    kinds = ((0.9, (True,)), (0.9, (True, False, False, False)), (0.2, (False, True, False)))
    clicks = [click(agreement, *right, group=f"g{n}") for n in range(20) for agreement, right in kinds]
    clicks += [click(0.5)] * 50  # nothing is drawn there
    model = fit_clicks(clicks, ConfidenceFit(penalty=1e-9))
    assert model is not None
    told = [model.confidence(dict.fromkeys(CLICK_FEATURES, 0.5) | {"agreement": one}) for one in (0.9, 0.2)]
    assert told == pytest.approx([0.625, 1 / 3], abs=1e-3)
    assert (model.threshold, model.accepts) == (ACCEPTS_NOTHING, False)


def test_from_few_clicks_no_number_is_told() -> None:
    enough = [click(0.9, True, group=f"g{n}") for n in range(MIN_CANDIDATES)]
    assert fit_clicks([*enough[1:], *enough[1:], *(click(0.5) for _ in range(50))], ConfidenceFit()) is None
    assert fit_clicks(enough, ConfidenceFit()) is not None
    assert fit_clicks([], ConfidenceFit()) is None


@pytest.mark.parametrize(("pictures", "fitted"), [(140, True), (12, False)])
def test_a_training_fits_it_on_its_validation_pictures(tmp_path: Path, pictures: int, fitted: bool) -> None:
    data, bundle = write_blobs(tmp_path / "blobs", count=pictures), tmp_path / "tiny"
    train(TrainingRequest([data], bundle, TINY))
    click = read_bundle(bundle).settings.confidence.click
    card = (bundle / "docs/README.md").read_text(encoding="utf-8")
    assert ("no chance that it is right was fitted" in card) is not fitted
    assert (click is not None) is fitted
    if click is None:
        return
    held = read_held_back(bundle)
    assert held is not None
    own = [item for item in load(data) if picture_digest(item) in held.validation]
    segmenter = Segmenter.from_bundle(bundle, backend="torch", threads=1)
    again = fit_clicks(click_all(segmenter, lesions_to_click(own)), ConfidenceFit())
    assert again is not None
    assert again.mean == pytest.approx(click.mean, abs=1e-4)
    assert again.weights == pytest.approx(click.weights, abs=1e-3)
