"""A network that is asked by a click itself: what it is shown, where its answer lies, its training and its bundle."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor, nn

from lesion_measure.errors import ModelError
from lesion_measure.lab.datasets import picture
from lesion_measure.lab.training import TrainingRequest, TrainSettings, train
from lesion_measure.lab.training.again import stored_settings
from lesion_measure.lab.training.export import write_weights
from lesion_measure.lab.training.samples import ClickSampler, click_view, make_sample
from lesion_measure.lab.training.settings import Augmentation, NetworkSettings
from lesion_measure.lab.training.stages import rounded
from lesion_measure.lab.training.trivial import STILL, varied
from lesion_measure.network import Preprocessing, Segmenter
from lesion_measure.network.backend import Computed
from lesion_measure.network.bundle import INFERENCE, METADATA, BundleSettings, read_bundle
from lesion_measure.network.click import segment_click, tries
from lesion_measure.network.efficient import EfficientUNet
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.preprocess import clicked_input, render_click
from lesion_measure.network.weights import load_network
from lesion_measure.network.window import automatic_window, click_window
from tiny_training import TINY, TINY_PART, write_blobs

CLICKS = Preprocessing(size=64, click_fall=6)
CLICKED = NetworkSettings.model_validate(
    {
        "network": {"_target_": "EfficientUNet", "out_channels": 1, "channels": [8, 8], "prompted_decoder": True},
        "prompted_share": 0,
        "half": True,
        "augmentation": {"shift": 0.01},
        "preprocessing": CLICKS,
        "pretrain": {"epochs": 2, "samples_per_epoch": 8, "batch_size": 4},
    }
)

OWN = CLICKED.model_dump(by_alias=True)


class Nothing(nn.Module):
    def forward(self, batch: Tensor) -> Tensor:
        return torch.full_like(batch[:, :1], -6.0)


class DiscInTheMiddle(nn.Module):
    """A disc of a radius in pixels of the grid, in the middle of it, whatever the picture shows."""

    def __init__(self, radius: float) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, batch: Tensor) -> Tensor:
        size = batch.shape[-1]
        row, col = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        away = torch.hypot(row - (size - 1) / 2, col - (size - 1) / 2)
        return (self.radius - away)[None, None].expand(len(batch), -1, -1, -1)


def noise(shape: tuple[int, int] = (128, 192)) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(40, 200, shape).astype(np.uint8)


def test_the_map_of_a_click_falls_as_an_exponential_from_the_middle_of_the_grid() -> None:
    drawn = render_click(4, CLICKS)
    near, far = math.hypot(0.5, 0.5) / 4, math.hypot(1.5, 0.5) / 4  # sides of the grid
    assert drawn[1, 1] == pytest.approx(math.exp(-6 * near), rel=1e-6)
    assert drawn[0, 1] == pytest.approx(math.exp(-6 * far), rel=1e-6)
    assert np.array_equal(drawn, drawn[::-1])
    assert np.array_equal(drawn, drawn.T)
    assert clicked_input(np.full((4, 4), 0.5, np.float32), CLICKS)[1].tolist() == drawn.tolist()


def test_the_window_of_a_click_is_as_wide_as_that_of_the_picture() -> None:
    scaled = noise().astype(np.float32) / 255
    window = click_window((20.0, 150.0), scaled, CLICKS)
    assert window.centre == (20.0, 150.0)
    assert window.scale == automatic_window(scaled, CLICKS).scale == pytest.approx(192 / 64)
    (place,) = window.to_network(np.array([[20.0, 150.0]]))
    assert place.tolist() == [31.5, 31.5]


def test_the_map_changes_nothing_before_it_is_learnt_and_where_it_is_zero() -> None:
    """The same seed gives both networks the same weights; what comes from the map is added to them."""
    torch.manual_seed(7)
    plain = EfficientUNet(2, 1, (8, 8)).eval()
    torch.manual_seed(7)
    told = EfficientUNet(2, 1, (8, 8), prompted_decoder=True).eval()
    assert set(told.state_dict()) - set(plain.state_dict()) == {"told.0.weight", "told.1.weight"}
    shown = torch.randn(2, 2, 64, 64, generator=torch.Generator().manual_seed(1))
    without = torch.stack([shown[:, 0], torch.zeros(2, 64, 64)], dim=1)
    with torch.inference_mode():
        assert torch.equal(told(shown), plain(shown))
        for each in told.told.parameters():
            nn.init.constant_(each, 0.3)
        assert torch.equal(told(without), plain(without))
        assert not torch.allclose(told(shown), plain(shown), atol=1e-3)


def segmenter(clicked: nn.Module | None, settings: BundleSettings) -> Segmenter:
    return torch_segmenter(
        Nothing(), settings, name="fake", sha256="0" * 64, prompted=DiscInTheMiddle(16), clicked=clicked
    )


ASKED = BundleSettings(
    preprocessing=Preprocessing(size=64),
    prompted_preprocessing=Preprocessing(size=64),
    clicked_preprocessing=CLICKS,
)


def test_what_it_draws_lies_around_the_click() -> None:
    """A disc of 5 pixels of the grid is one of 15 pixels of a picture that is 192 wide on a grid of 64."""
    asked = segmenter(DiscInTheMiddle(5), ASKED)
    answer = asked.clicked(asked.look(noise()), (60.0, 101.0))
    assert answer is not None
    (part,) = answer.parts(0.5)
    rows, cols = np.nonzero(part.mask)
    assert (rows.mean() + part.box[0].start, cols.mean() + part.box[1].start) == pytest.approx((60, 101), abs=0.01)
    assert part.mask.sum() == pytest.approx(math.pi * 15**2, rel=0.02)


def test_its_outline_is_one_more_that_is_asked_for_and_held_against_the_others() -> None:
    """Where the automatic network sees nothing, its long axis is the first prompt of those that are seen.

    The network for calipers draws a disc through the ends, as wide as the disc itself; crosses draw other sizes.
    """
    asked, without = segmenter(DiscInTheMiddle(5), ASKED), segmenter(None, ASKED)
    found = tries(asked, asked.look(noise()), (60.0, 101.0))
    assert [one.seen for one in found][:2] == [True, False]
    assert math.dist(*found[0].prompt[0]) == pytest.approx(31, abs=0.5)  # half a pixel beyond both
    assert found[0].features["click_agreement"] > 0.95
    assert found[-1].features["click_agreement"] < 0.9
    others = tries(without, without.look(noise()), (60.0, 101.0))
    assert len(others) == len(found) - 1
    assert {one.features["click_agreement"] for one in others} == {0.0}
    (lesion,) = segment_click(asked, noise(), (60.0, 101.0)).lesions
    assert lesion.mask.sum() == pytest.approx(math.pi * 15.5**2, rel=0.02)


def test_it_is_loaded_when_it_is_first_asked_and_once() -> None:
    loads: list[int] = []

    def load() -> Any:
        loads.append(1)
        return torch_like

    def torch_like(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full_like(batch[:, :1], -6.0)

    asked = Segmenter(Computed(torch_like, torch_like, load, "none"), ASKED, name="fake", sha256="0" * 64)
    seen = asked.look(noise())
    asked.segment(seen)
    assert loads == []
    asked.clicked(seen, (60.0, 60.0))
    asked.clicked(seen, (60.0, 61.0))
    assert loads == [1]


def test_a_sample_has_the_clicked_lesion_alone_with_the_click_in_its_middle() -> None:
    row, col = np.mgrid[:120, :160]
    first, second = np.hypot(row - 40, col - 50) < 15, np.hypot(row - 85, col - 110) < 20
    item = picture("a", "set", "set/a", noise((120, 160)), first | second)
    sample = make_sample(click_view(item, 2, (80.0, 105.0), CLICKS), CLICKS)
    rows, cols = np.nonzero(sample.target.numpy() > 0.5)
    scale = 160 / 64
    assert rows.mean() == pytest.approx(31.5 + 5 / scale, abs=0.1)  # the lesion's middle lies 5 pixels from the click
    assert cols.mean() == pytest.approx(31.5 + 5 / scale, abs=0.1)
    assert len(rows) == pytest.approx(math.pi * (20 / scale) ** 2, rel=0.05)
    part = CLICKED.model_copy(update={"augmentation": Augmentation(trivial=True, shift=0.0)})
    sampler = ClickSampler([item], part, part.pretrain, seed=1)
    for index in range(20):
        target = sampler.sample(0, index).target.numpy()
        assert target[31:33, 31:33].max() > 0.4  # the click, which some operation may have put on the very border


def test_a_lesion_that_is_gone_at_half_the_resolution_is_not_clicked() -> None:
    """A line of one pixel on an odd row of a picture that is halved for a grid of 64, beside a disc."""
    row, col = np.mgrid[:240, :300]
    line, disc = (row == 51) & (abs(col - 60) < 15), np.hypot(row - 150, col - 200) < 20
    item = picture("a", "set", "set/a", noise((240, 300)), line | disc)
    assert len(item.axes) == 2
    sampler = ClickSampler([item], CLICKED, CLICKED.pretrain, seed=1)
    areas = [float(sampler.sample(0, index).target.sum()) for index in range(10)]
    assert min(areas) > 0


def test_weights_that_16_bits_cannot_hold_stay_in_32(tmp_path: Path) -> None:
    state = {"small": torch.tensor([0.1]), "large": torch.tensor([1e5]), "count": torch.tensor([3])}
    kept = rounded(state)
    assert kept["small"].item() == pytest.approx(0.1, rel=1e-3)
    assert kept["large"].item() == 1e5
    write_weights(tmp_path / "w.pt", kept, half=True)
    stored = torch.load(tmp_path / "w.pt", weights_only=True)
    assert {name: value.dtype for name, value in stored.items()} == {
        "small": torch.float16, "large": torch.float32, "count": torch.int64
    }  # fmt: skip
    assert all(torch.equal(stored[name].to(value.dtype), value) for name, value in kept.items())


@pytest.mark.parametrize("name", STILL)
def test_operations_for_clicks_leave_the_middle_where_it_is(name: str) -> None:
    shown = np.zeros((2, 65, 65), np.float32)
    shown[:, 32, 32] = 1.0
    assert np.unravel_index(int(varied(shown, name, 0.8)[1].argmax()), (65, 65)) == (32, 32)


def settings() -> TrainSettings:
    return TINY.model_copy(
        update={
            "automatic": TINY_PART.model_copy(update={"prompted_share": 0.0}),
            "prompted": TINY_PART.model_copy(update={"prompted_share": 1.0}),
            "clicked": CLICKED,
        }
    )


def test_a_training_writes_it_as_a_third_network_in_16_bits(tmp_path: Path) -> None:
    bundle = tmp_path / "three"
    train(TrainingRequest([write_blobs(tmp_path / "blobs", count=140)], bundle, settings()))
    metadata = json.loads((bundle / METADATA).read_text())
    stored = torch.load(bundle / "models/clicked.pt", weights_only=True)
    assert {value.dtype for value in stored.values()} == {torch.float16, torch.int64}
    digest = hashlib.sha256((bundle / "models/clicked.pt").read_bytes()).hexdigest()
    assert metadata["clicked_weights_sha256"] == digest
    named = [metadata[f"{name}weights_sha256"] for name in ("", "prompted_", "clicked_")]
    assert metadata["clicked_network_data_format"]["inputs"]["image"]["num_channels"] == 2
    said = read_bundle(bundle)
    assert said.sha256 == hashlib.sha256("".join(named).encode()).hexdigest()
    assert list(said.networks) == ["automatic", "prompted", "clicked"]
    assert said.clicked is not None
    assert said.clicked.definition.model_dump()["prompted_decoder"] is True
    loaded = load_network(said.clicked)
    assert all(torch.equal(value, stored[name].float()) for name, value in loaded.state_dict().items())
    click = said.settings.confidence.click
    assert click is not None
    assert "click_agreement" in click.features
    again = stored_settings(bundle)
    assert again.clicked is not None
    assert again.clicked.preprocessing == CLICKS
    assert again.clicked.half
    picture_of = noise()
    answers = []
    for backend in ("torch", "openvino"):
        asked = Segmenter.from_bundle(bundle, backend=backend, threads=1)
        answer = asked.clicked(asked.look(picture_of), (60.0, 90.0))
        assert answer is not None
        answers.append(answer.logits)
    assert np.abs(answers[0] - answers[1]).max() < 1e-3
    assert "clicked network" in (bundle / "docs/README.md").read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompted_preprocessing": None}, "second network needs its own preprocessing"),
        ({"clicked_preprocessing": None}, "network for clicks needs its own preprocessing"),
        ({"clicked_preprocessing": {"size": 64}}, "network for clicks needs its own preprocessing"),
        ({"clicked_preprocessing": {"size": 64, "click_fall": 6, "ellipse_prior": 4}}, "no ellipse_prior"),
        ({"preprocessing": {"size": 64, "click_fall": 6}}, "for the network for clicks alone"),
        ({}, "no SHA-256"),
    ],
)
def test_a_bundle_that_does_not_say_enough_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    plain = {"_target_": "UNet", "channels": [4, 8], "strides": [2]}
    own = ASKED.model_dump(mode="json", exclude_none=True) | changes
    config = {
        "network_def": plain,
        "prompted_network_def": plain,
        "clicked_network_def": {"_target_": "EfficientUNet", "prompted_decoder": True},
        "lesion_measure": {name: value for name, value in own.items() if value is not None},
    }
    (tmp_path / "configs").mkdir()
    (tmp_path / METADATA).write_text(json.dumps({"name": "a", "version": "1", "weights_sha256": "0" * 64}))
    (tmp_path / INFERENCE).write_text(json.dumps(config))
    with pytest.raises(ModelError, match=said):
        read_bundle(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompted": None}, "prompted_share above 0|clicked needs a prompted network"),
        (
            {"clicked": {**CLICKED.model_dump(by_alias=True), "preprocessing": {"size": 64}}},
            "click_fall must be above 0",
        ),
        ({"clicked": {**OWN, "prompted_share": 0.5}}, "prompted_share must be 0"),
        ({"clicked": {**OWN, "augmentation": {"shift": 0.08}}}, "shift must be 0.02 at most,"),
        ({"clicked": {**OWN, "augmentation": {"shift": 0, "bend": 0.1}}}, "bend 0"),
        ({"clicked": {**OWN, "preprocessing": {"size": 64, "click_fall": 6, "ellipse_prior": 4}}}, "ellipse_prior"),
    ],
)
def test_settings_of_clicks_that_do_not_go_together_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TrainSettings.model_validate({**settings().model_dump(by_alias=True), **changes})
