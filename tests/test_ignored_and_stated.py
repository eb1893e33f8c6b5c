"""What is not to count does not, in loss or evaluation; splits, folds and strata that a set states are kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from drawn_folders import COLUMNS, ROWS, box, disc
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import Picture, folds, picture_of_lesions, split_pictures
from lesion_measure.lab.datasets.splits import TEST_STREAM
from lesion_measure.lab.evaluation.kept import kept
from lesion_measure.lab.evaluation.overlap import Placed, judged, mostly_ignored
from lesion_measure.lab.training.copies import cut_outs
from lesion_measure.lab.training.loss import judged as judged_targets
from lesion_measure.lab.training.loss import region_loss
from lesion_measure.lab.training.samples import UNKNOWN, coarser, make_sample, whole_view
from lesion_measure.network.window import Preprocessing

LESION, UNJUDGED = disc(30, 30, 10), box(5, 60, 14, 20)
PREPROCESSING = Preprocessing(size=64)


def drawn(number: int = 0, lesion: bool = True, **changes: Any) -> Picture:
    image = np.random.default_rng(number).integers(30, 220, (ROWS, COLUMNS)).astype(np.uint8)
    masks = [LESION] if lesion else []
    item = picture_of_lesions(f"p{number}", "set", f"g{number}", image, masks, ignored=UNJUDGED)
    return replace(item, **changes)


def test_pixels_to_be_ignored_give_neither_loss_nor_gradient() -> None:
    torch.manual_seed(1)
    target = torch.zeros(1, 8, 8)
    target[0, 1:4, 1:4] = 1
    unknown = target.clone()
    unknown[0, 5:, :] = UNKNOWN
    logits = torch.randn(1, 8, 8)
    losses = []
    for shift in (0.0, 50.0, -50.0):  # whatever the network says there
        moved = logits.clone()
        moved[0, 5:, :] += shift
        moved.requires_grad_()
        loss = region_loss(*judged_targets(moved, unknown))
        loss.backward()
        assert moved.grad is not None
        assert (moved.grad[0, 5:] == 0).all()
        assert (moved.grad[0, :5] != 0).all()
        losses.append(loss.item())
    assert losses[0] == losses[1] == losses[2]
    same = judged_targets(logits, target)
    assert torch.equal(same[0], logits)
    assert torch.equal(same[1], target)


def test_samples_carry_what_is_to_be_ignored() -> None:
    item = drawn()
    sample = make_sample(whole_view(item, PREPROCESSING), PREPROCESSING)
    share = (sample.target == UNKNOWN).float().mean().item()
    scale = max(ROWS, COLUMNS) / 64
    assert 1 <= share / (UNJUDGED.sum() / scale**2 / 64**2) < 1.5  # with a rim of pixels that lie half on it
    assert sample.target.clamp(min=0).sum().item() * scale**2 == pytest.approx(LESION.sum(), rel=0.2)
    without = make_sample(whole_view(replace(item, ignored=None), PREPROCESSING), PREPROCESSING)
    assert (without.target >= 0).all()
    seen = sample.target != UNKNOWN
    assert torch.equal(sample.target[seen], without.target[seen])
    half = coarser(item, 8)
    assert half.ignored is not None
    np.testing.assert_array_equal(half.ignored, UNJUDGED[::2, ::2])


def test_cut_outs_carry_what_is_to_be_ignored() -> None:
    near = box(25, 42, 10, 8)
    item = drawn(ignored=near)
    first, *copies = cut_outs([item], PREPROCESSING, {"set": 3}, seed=2)
    assert first.ignored is not None
    assert first.ignored.sum() == near.sum()
    for copy in copies:
        assert copy.ignored is not None
        assert 0.5 * near.sum() < copy.ignored.sum() < 2 * near.sum()
        assert not (copy.ignored & copy.mask).sum() > 0.3 * near.sum()
    assert cut_outs([replace(item, ignored=None)], PREPROCESSING, {}, seed=2)[0].ignored is None


def test_an_outline_on_what_is_to_be_ignored_is_no_answer() -> None:
    item = drawn()
    inside, half, outside = (Placed(np.ones((8, 10), bool), origin) for origin in ((6, 62), (6, 54), (40, 10)))
    assert mostly_ignored(inside, item)
    assert not mostly_ignored(half, item)
    assert not mostly_ignored(outside, item)
    assert judged(half, item).mask.sum() == 8 * 6
    assert judged(outside, item).mask.all()
    lesions = [
        cast(Any, SimpleNamespace(mask=one.mask, origin=one.origin, probability=np.pad(one.mask * 1.0, 0)))
        for one in (inside, outside)
    ]
    grown = [SimpleNamespace(**{**vars(each), "probability": _soft(each.mask)}) for each in lesions]
    assert [each.origin for each in kept(cast(Any, grown), item)] == [(40, 10)]
    assert len(kept(cast(Any, grown), replace(item, ignored=None))) == 2


def _soft(mask: Any) -> Any:
    soft = np.zeros(mask.shape, np.float32)
    soft[1:-1, 1:-1] = 0.9
    return soft


def many(count: int, **changes: Any) -> list[Picture]:
    return [drawn(number, lesion=number % 4 != 0, **changes) for number in range(count)]


def test_a_stated_split_is_kept_and_nothing_of_its_set_is_drawn() -> None:
    parts = ["train", "val", "test", "train", ""]
    stated = [replace(item, split=parts[n % 5]) for n, item in enumerate(many(20))]
    rest, test = split_pictures(stated, 0.5, {}, 1, stream=TEST_STREAM)
    training, validation = split_pictures(rest, 0.5, {}, 1)
    assert {item.name for item in test} == {item.name for item in stated if item.split == "test"}
    assert {item.name for item in validation} == {item.name for item in stated if item.split == "val"}
    assert {item.split for item in training} == {"train", ""}
    other = [replace(item, source="other", group=f"other/{item.name}") for item in many(20)]
    _, held = split_pictures([*rest, *other], 0.25, {}, 1)
    assert Counter(item.source for item in held) == {"set": len(validation), "other": 5}


def test_a_set_that_states_training_and_test_alone_has_validation_pictures_drawn() -> None:
    stated = [replace(item, split="test" if n % 5 == 2 else "train") for n, item in enumerate(many(20))]
    rest, test = split_pictures(stated, 0.0, {}, 1, stream=TEST_STREAM)
    _, validation = split_pictures(rest, 0.25, {}, 1)
    assert len(test) == 4
    assert len(validation) == 4


def test_where_folds_alone_are_stated_the_first_is_validated_on_and_none_is_drawn() -> None:
    stated = [replace(item, fold=n % 4) for n, item in enumerate(many(20))]
    rest, test = split_pictures(stated, 0.5, {}, 1, stream=TEST_STREAM)
    training, validation = split_pictures(rest, 0.5, {}, 1)
    assert not test
    assert {item.name for item in validation} == {item.name for item in stated if item.fold == 0}
    assert len(training) == 15


def test_a_group_in_two_parts_is_an_error() -> None:
    pair = [drawn(0, split="train"), drawn(1, split="val", group="g0")]
    with pytest.raises(InputError, match=r"stated as train.*as val.*group g0"):
        split_pictures(pair, 0.5, {}, 1)
    with pytest.raises(InputError, match="folds 0 and 1"):
        folds([drawn(0, fold=0), drawn(1, fold=1, group="g0"), drawn(2)], 2, 1)
    with pytest.raises(InputError, match="state 4 folds, 2 are asked for"):
        folds([drawn(0, fold=0), drawn(1, fold=3)], 2, 1)


def test_stated_folds_are_the_parts() -> None:
    items = [replace(item, fold=n % 3) for n, item in enumerate(many(12))]
    parts = folds(items, 3, 1)
    assert parts == [{item.group for item in items if item.fold == number} for number in range(3)]


def test_splits_are_balanced_by_class_stratum_and_lesion() -> None:
    items = [replace(item, kind=f"k{n % 2}", stratum=f"s{n // 40}") for n, item in enumerate(many(80))]
    for seed in range(4):
        _, held = split_pictures(items, 0.2, {}, seed)
        assert Counter((item.kind, item.stratum, bool(item.axes)) for item in held) == {
            ("k0", "s0", False): 2, ("k0", "s0", True): 2, ("k1", "s0", True): 4,
            ("k0", "s1", False): 2, ("k0", "s1", True): 2, ("k1", "s1", True): 4,
        }  # fmt: skip
        for part in folds(items, 5, seed):
            inside = Counter(bool(item.axes) for item in items if item.group in part)
            assert abs(inside[False] - 4) <= 1
