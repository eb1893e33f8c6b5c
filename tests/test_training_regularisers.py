"""What keeps a network from knowing its pictures by heart: bending, TrivialAugment, blending, deep supervision."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from lesion_measure.lab.datasets import load_folder, picture
from lesion_measure.lab.datasets.axes import moment_axes
from lesion_measure.lab.training import trivial
from lesion_measure.lab.training.augment import deformed
from lesion_measure.lab.training.bending import bent, stretching
from lesion_measure.lab.training.blend import blend
from lesion_measure.lab.training.deep import DeepAnswers, deep_loss
from lesion_measure.lab.training.loop import StageJob, State, fit
from lesion_measure.lab.training.loss import region_loss, segmentation_loss
from lesion_measure.lab.training.progress import Meter, Planned, Say
from lesion_measure.lab.training.samples import make_sampler
from lesion_measure.lab.training.settings import Augmentation, NetworkSettings, Stage
from lesion_measure.lab.training.team import gathered
from lesion_measure.network import Preprocessing
from lesion_measure.network.definition import EfficientDefinition
from lesion_measure.network.parts import caliper_length
from lesion_measure.network.weights import build_network
from tiny_training import TINY_PART, write_blobs

SIDE = 96
PLAIN = dict.fromkeys(("gamma_sd", "gain_sd", "speckle", "blur", "shadow", "fan", "text", "marks"), 0)


def disc(radius: float, size: int = SIDE) -> np.ndarray:
    row, col = np.mgrid[:size, :size] - (size - 1) / 2
    return (np.hypot(row, col) <= radius).astype(np.float32)


def ramp() -> np.ndarray:
    return np.tile(np.arange(1, 241, dtype=np.float32) / 255, (240, 1))


def test_a_stretched_disc_is_an_ellipse_of_the_same_area() -> None:
    places = bent((SIDE, SIDE), stretching(0.4, 1.25), 0.0, np.random.default_rng(1))
    row, col = places - (SIDE - 1) / 2
    inside = np.hypot(row, col) <= 24
    assert inside.sum() == pytest.approx(math.pi * 24**2, rel=0.01)
    axes = moment_axes(inside)
    assert axes is not None
    assert axes.short is not None
    assert caliper_length(axes.long) == pytest.approx(48 * 1.25, rel=0.01)
    assert caliper_length(axes.short) == pytest.approx(48 / 1.25, rel=0.01)


def test_bends_have_the_size_that_was_asked_for() -> None:
    rng, own = np.random.default_rng(3), np.mgrid[:SIDE, :SIDE]
    moves = np.stack([bent((SIDE, SIDE), np.eye(2), 3.0, rng) - own for _ in range(200)])
    assert moves[:, :, ::19, ::19].std() == pytest.approx(3.0, rel=0.3)
    assert np.abs(np.diff(moves, axis=2)).max() < 2


@pytest.mark.parametrize("settings", [{"stretch": 0.2, "bend": 0.03}, {"trivial": True}])
def test_masks_move_with_their_picture(settings: dict[str, float]) -> None:
    shown, moved = np.stack([disc(20), disc(20)]), 0
    for seed in range(40):
        image, mask = deformed(shown, np.random.default_rng(seed), Augmentation(**settings))
        same = (mask == shown[1]).all()
        moved += not same
        if not same:
            np.testing.assert_array_equal(image, mask)
    assert moved > 5


def test_without_them_nothing_is_drawn() -> None:
    rng = np.random.default_rng(1)
    shown = np.stack([disc(20), disc(20)])
    assert deformed(shown, rng, Augmentation()) is shown
    assert rng.random() == np.random.default_rng(1).random()


def test_each_operation_is_as_likely() -> None:
    drawn: Counter[str] = Counter()
    rng = np.random.default_rng(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trivial, "varied", lambda shown, name, strength: drawn.update([name]))
        for _ in range(2600):
            trivial.trivially_varied(np.zeros((2, 8, 8), np.float32), rng)
    assert len(drawn) == 13
    assert 140 < min(drawn.values()) <= max(drawn.values()) < 260


@pytest.mark.parametrize(
    ("name", "strength", "expected"),
    [
        ("identity", 0.7, lambda v: v),
        ("brightness", -1, lambda v: 0.1 * v),
        ("brightness", 1, lambda v: np.minimum(1.9 * v, 255)),
        ("contrast", -1, lambda v: 120.5 + 0.1 * (v - 120.5)),
        ("posterize", 1, lambda v: v // 64 * 64),
        ("solarize", 0.5, lambda v: np.where(v >= 128, 255 - v, v)),
        ("autocontrast", 0, lambda v: (v - 1) * 255 / 239),
        ("equalize", 0, lambda v: (v - 1) * 255 / 239),
    ],
)
def test_grey_operations_are_those_that_were_published(name: str, strength: float, expected) -> None:
    image = ramp()
    changed, mask = trivial.varied(np.stack([image, image > 0.5]), name, strength)
    np.testing.assert_allclose(255 * changed, expected(255 * image), atol=1.6)
    np.testing.assert_array_equal(mask, image > 0.5)


def test_black_stays_black() -> None:
    image = ramp()
    image[:, :40] = 0
    for name in trivial.SHADES:
        for strength in (-1.0, 0.5, 1.0):
            assert not trivial.varied(image[None], name, strength)[0, :, :40].any()


def test_a_turn_is_that_of_pillow() -> None:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[30:50, 20:80] = 1
    turned = trivial.varied(np.stack([mask, mask]), "rotate", 1)[1]
    both = [np.asarray(Image.fromarray(mask).rotate(way * 30, Image.Resampling.BILINEAR)) for way in (-1, 1)]
    assert min(np.abs(turned - other).mean() for other in both) < 0.002


@pytest.mark.parametrize(("name", "shift"), [("shift rows", (-29, 0)), ("shift columns", (0, -29))])
def test_a_shift_is_a_share_of_the_side(name: str, shift: tuple[int, int]) -> None:
    moved = trivial.varied(np.stack([disc(6, 97)] * 2), name, 29 / 97 / trivial.LARGEST_SHIFT)[1]
    np.testing.assert_allclose(moved, np.roll(disc(6, 97), shift, (0, 1)), atol=1e-5)


def test_a_blended_lesion_lies_in_the_liver_where_that_is_outlined() -> None:
    image = np.random.default_rng(5).integers(90, 110, (200, 240)).astype(np.uint8)
    left = np.zeros(image.shape, bool)
    left[:, :130] = True
    host = replace(picture("host", "liver", "h", image, np.zeros(image.shape, bool)), liver=left)
    donor = picture("donor", "real", "d", np.where(disc(16, 80) > 0, 30, 100).astype(np.uint8), disc(16, 80) > 0)
    made = [blend(host, donor, 1, np.random.default_rng(seed)) for seed in range(20)]
    drawn = [item for item in made if item.axes]
    assert len(drawn) > 10
    assert all(left[item.labels > 0].mean() >= 0.9 for item in drawn)


@pytest.mark.parametrize(("source", "brighter"), [("dark", False), ("bright", True)])
def test_lesions_are_blended_from_the_sets_that_are_named(source: str, brighter: bool) -> None:
    inside, none = disc(14, 80) > 0, np.zeros((120, 120), bool)
    image = np.full(none.shape, 100, np.uint8)
    image[:10, :10] = 250  # brighter than any lesion, so that none is clipped
    host = picture("host", "liver", "h", image, none)
    donors = [
        picture(name, name, name, np.where(inside, grey, 100).astype(np.uint8), inside)
        for name, grey in (("dark", 30), ("bright", 220))
    ]
    stage = Stage(
        blend_share={"liver": 1}, blend_from=(source,), set_weights={"liver": 1, "dark": 0, "bright": 0}, batch_size=1
    )  # fmt: skip
    part = NetworkSettings(prompted_share=0, preprocessing=Preprocessing(size=48), augmentation=Augmentation(**PLAIN))
    sampler = make_sampler([host, *donors], part, stage, 1)
    seen = 0
    for index in range(12):
        sample = sampler.sample(0, index)
        lesion = sample.target > 0.9
        if lesion.sum() > 6:
            seen += 1
            assert (sample.inputs[0][lesion].mean() > sample.inputs[0][sample.target == 0].mean()) == brighter
    assert seen > 5


def small_network() -> torch.nn.Module:
    torch.manual_seed(1)
    return build_network(EfficientDefinition(channels=(16, 12, 8))).eval()


def test_the_finest_of_deep_answers_is_the_network_itself() -> None:
    network, pictures = small_network(), torch.rand(2, 2, 64, 64)
    found = DeepAnswers(network).eval()(pictures)
    assert found.shape == (2, 6, 64, 64)
    torch.testing.assert_close(found[:, :2], network(pictures))


def test_coarser_levels_count_by_half_each() -> None:
    torch.manual_seed(2)
    logits, targets = torch.randn(2, 6, 16, 16), (torch.rand(2, 2, 16, 16) > 0.5).float()
    own = [
        float(segmentation_loss(part, targets, region_loss)) for part in (logits[:, :2], logits[:, 2:4], logits[:, 4:])
    ]
    found = float(deep_loss(logits, targets, region_loss, 2, 0.4))
    assert found == pytest.approx(own[0] + 0.4 * own[1] + 0.2 * own[2])


class StopError(Exception):
    """Stands for a kill."""


def killed(message: str) -> None:
    """After the first epoch, whose checkpoint is kept by then."""
    if "epoch 1/2" in message:
        raise StopError


def trained(folder: Path, path: Path, weight: float, say: Say = print) -> State:
    """The averaged weights of a short stage, from its checkpoint on where there is one."""
    part = NetworkSettings(
        network=EfficientDefinition(channels=(16, 12, 8)), preprocessing=Preprocessing(size=64), prompted_share=0,
        deep_supervision=weight,
    )  # fmt: skip
    stage = Stage(epochs=2, samples_per_epoch=8, batch_size=4)
    job = StageJob("deep", part, stage, load_folder(folder), [], path, 1, 1, False, False, 2)
    told = Meter([Planned("deep", "automatic", "deep", 16, 8, 64)], say, lambda standing: None)
    with gathered("cpu") as team:
        return fit(job, resume=True, team=team, meter=told)


def test_deep_supervision_trains_the_same_network_otherwise_and_keeps_no_head(tmp_path: Path) -> None:
    folder = write_blobs(tmp_path / "blobs")
    deep, plain = (trained(folder, tmp_path / f"{weight}.pt", weight) for weight in (0.5, 0.0))
    assert deep.keys() == plain.keys() == small_network().state_dict().keys()
    assert not torch.equal(deep["decoder.0.conv.weight"], plain["decoder.0.conv.weight"])
    kept = torch.load(tmp_path / "0.5.pt", weights_only=True)["network"]
    assert {name for name in kept if name.startswith("heads.")} == {
        f"heads.{level}.{what}" for level in (0, 1) for what in ("weight", "bias")
    }


def test_deep_supervision_is_resumed_bit_by_bit(tmp_path: Path) -> None:
    """Its heads as well: they would be random again, and what they ask of the network another."""
    folder = write_blobs(tmp_path / "blobs")
    through = trained(folder, tmp_path / "through.pt", 0.5)
    with pytest.raises(StopError):
        trained(folder, tmp_path / "killed.pt", 0.5, killed)
    assert torch.load(tmp_path / "killed.pt", weights_only=True)["epoch"] == 1
    resumed = trained(folder, tmp_path / "killed.pt", 0.5)
    assert all(torch.equal(resumed[name], through[name]) for name in through)
    ends = [torch.load(tmp_path / f"{name}.pt", weights_only=True)["network"] for name in ("through", "killed")]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_deep_supervision_needs_a_decoder_that_has_levels() -> None:
    with pytest.raises(ValidationError, match="deep_supervision is for an EfficientUNet"):
        NetworkSettings(**{**TINY_PART.model_dump(by_alias=True), "deep_supervision": 0.5})
