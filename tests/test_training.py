"""Training: data, split and samples; a tiny run from folders to a bundle; resume; the choice of the threshold."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.errors import ConfigError, InputError, LesionMeasureError
from lesion_measure.network import Preprocessing, Segmenter
from lesion_measure.network.bundle import NetworkDefinition
from lesion_measure.network.confidence import PROMPTED_FEATURES
from lesion_measure.training import TrainSettings, train
from lesion_measure.training.assess import Candidate, contrast, estimate
from lesion_measure.training.confidence_fit import NEVER, choose_threshold, fit_confidence
from lesion_measure.training.data import lesion_axes, load_folder, picture, simulated_pictures, split_pictures
from lesion_measure.training.loop import segmentation_loss
from lesion_measure.training.samples import Sampler, jitter
from lesion_measure.training.settings import ConfidenceFit, Simulated, Split

TINY = TrainSettings(
    seed=4,
    epochs=3,
    samples_per_epoch=16,
    batch_size=4,
    threads=1,
    validate_every=2,
    bfloat16=False,
    network=NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1),
    preprocessing=Preprocessing(size=48),
    simulated=Simulated(frames=0, validation_frames=0),
    split=Split(share=0.4),
)


def blob(rng: np.random.Generator, lesion: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    row, col = np.mgrid[:64, :80]
    mask = (row - rng.uniform(20, 44)) ** 2 + 0.6 * (col - rng.uniform(25, 55)) ** 2 < rng.uniform(60, 150)
    mask &= lesion
    image = np.clip(rng.normal(80, 20, mask.shape) + 90 * mask, 0, 255)
    return image.astype(np.uint8), (mask * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "blobs"
    rng = np.random.default_rng(2)
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    lines = ["id,group"]
    for number in range(20):
        image, mask = blob(rng, number % 4 != 0)
        Image.fromarray(image).save(root / "images" / f"p{number}.png")
        Image.fromarray(mask).save(root / "masks" / f"p{number}.png")
        lines.append(f"p{number},g{number // 2}")
    (root / "index.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "tiny"
    train([folder], out, TINY)
    return out


class StopError(Exception):
    """Stands for a kill."""


def test_a_run_gives_a_bundle_that_loads(trained: Path, folder: Path) -> None:
    segmenter = Segmenter.from_bundle(trained)
    item = load_folder(folder)[1]
    result = segmenter.segment(item.image, [item.axes[0].long])
    assert result.probability.shape == item.image.shape
    log = (trained.with_name("tiny.work") / "log.csv").read_text().splitlines()
    assert len(log) == 1 + TINY.epochs
    card = (trained / "docs/README.md").read_text()
    assert segmenter.sha256 in card
    assert "prompted by both axes: Dice" in card
    assert str(folder.parent) not in card
    settings = json.loads((trained / "configs/train.json").read_text())["settings"]
    assert settings["seed"] == 4
    assert "preprocessing" not in settings


def test_killed_and_resumed_gives_the_same_weights(trained: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny"

    def kill(message: str) -> None:
        if message.startswith("epoch 2"):
            raise StopError

    with pytest.raises(StopError):
        train([folder], out, TINY, progress=kill)
    assert not out.exists()
    train([folder], out, TINY, resume=True)
    assert Segmenter.from_bundle(out).sha256 == Segmenter.from_bundle(trained).sha256
    with pytest.raises(ConfigError):
        train([folder], out, TINY.model_copy(update={"seed": 5}), resume=True)


def test_training_can_start_from_another_bundle(trained: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "next"
    settings = TINY.model_copy(update={"epochs": 1, "learning_rate": 1e-9})
    train([folder], out, settings, start=trained)
    first, then = (Segmenter.from_bundle(path) for path in (trained, out))
    item = load_folder(folder)[1]
    line = [item.axes[0].long]
    np.testing.assert_allclose(
        first.segment(item.image, line).probability, then.segment(item.image, line).probability, atol=0.2
    )
    assert first.sha256[:12] in (out / "docs/README.md").read_text()
    other = settings.model_copy(update={"network": NetworkDefinition()})
    with pytest.raises(ConfigError):
        train([folder], tmp_path / "other", other, start=trained)


def test_groups_are_never_split(folder: Path) -> None:
    pictures = load_folder(folder)
    training, validation = split_pictures(pictures, Split(share=0.5), seed=1)
    assert len(training) + len(validation) == len(pictures)
    assert len({p.group for p in validation}) == 5
    assert not {p.group for p in training} & {p.group for p in validation}
    assert split_pictures(pictures, Split(share=0.5), seed=1)[1] == validation
    assert not split_pictures(pictures, Split(share_by_set={"blobs": 0}), seed=1)[1]


def test_a_sample_depends_on_its_number_alone(folder: Path) -> None:
    sampler = Sampler(load_folder(folder), TINY)
    later = [sampler.sample(1, index) for index in (5, 0)]
    again = Sampler(load_folder(folder), TINY).sample(1, 5)
    assert torch.equal(later[0].inputs, again.inputs)
    assert not torch.equal(later[0].inputs, later[1].inputs)
    assert torch.isfinite(again.inputs).all()
    assert again.target.min() >= 0
    assert again.target.max() <= 1


def test_axes_of_an_ellipse() -> None:
    row, col = np.mgrid[:120, :160]
    angle = 0.4
    along = (row - 60) * math.sin(angle) + (col - 80) * math.cos(angle)
    across = (row - 60) * math.cos(angle) - (col - 80) * math.sin(angle)
    axes = lesion_axes((along / 50) ** 2 + (across / 22) ** 2 <= 1)
    assert axes is not None
    assert axes.short is not None
    assert math.dist(*axes.long) == pytest.approx(100, abs=1.5)
    assert math.dist(*axes.short) == pytest.approx(44, abs=1.5)
    assert lesion_axes(np.eye(5, dtype=bool)[:, :3] & False) is None


def test_contrast_is_in_standard_deviations() -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((80, 80), dtype=bool)
    mask[30:50, 30:50] = True
    image = np.clip(rng.normal(100, 10, mask.shape) + 15 * mask, 1, 255).astype(np.uint8)
    assert contrast(picture("one", "set", "one", image, mask), 1) == pytest.approx(1.5, abs=0.15)


def test_each_lesion_has_its_label() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    mask[5:20, 5:20] = mask[30:50, 30:55] = True
    mask[58, 2:4] = True
    item = picture("one", "set", "one", np.zeros((60, 60), np.uint8), mask)
    assert len(item.axes) == 2
    assert sorted(np.unique(item.labels)) == [0, 1, 2]


def test_jitter_stays_in_the_picture_and_keeps_its_size() -> None:
    rng = np.random.default_rng(0)
    line = ((2.0, 3.0), (2.0, 43.0))
    moved = np.array([jitter(line, 0.05, rng, (50, 50)) for _ in range(400)])
    assert moved.min() >= 0
    assert moved.max() <= 49
    assert (moved[:, 1, 1] - 43).std() == pytest.approx(2, rel=0.2)
    assert jitter(line, 0.0, rng, (50, 50)) == line


def test_loss_prefers_the_truth_and_silence_where_there_is_nothing() -> None:
    target = torch.zeros(1, 1, 32, 32)
    silence, noise = torch.full_like(target, -20), torch.full_like(target, 0.0)
    assert segmentation_loss(silence, target) < 0.05 < segmentation_loss(noise, target)
    target[..., 8:20, 8:20] = 1
    assert segmentation_loss(40 * target - 20, target) < 0.05 < segmentation_loss(silence, target)


def test_the_threshold_bounds_the_risk_of_every_set() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    right = np.array([True, True, False, True, True, True])
    assert choose_threshold(confidence, right, ["a"] * 6, 0.05) == 0.8
    assert choose_threshold(confidence, right, ["a"] * 6, 0.2) == 0.4
    assert choose_threshold(confidence, right, ["a", "a", "b", "a", "a", "a"], 0.2) == 0.8
    assert choose_threshold(confidence, ~right, ["a"] * 6, 0.05) == NEVER


def test_confidence_learns_what_separates_right_from_wrong() -> None:
    rng = np.random.default_rng(1)
    candidates = []
    for number in range(200):
        score = float(rng.uniform(0, 1))
        known = {name: float(rng.normal()) for name in PROMPTED_FEATURES} | {"mean_probability": score}
        candidates.append(Candidate("set", f"g{number // 2}", "p", known, 0.9 if score > 0.5 else 0.1))
    model, crossed = fit_confidence(candidates, PROMPTED_FEATURES, ConfidenceFit())
    right = np.array([c.dice > 0.75 for c in candidates])
    assert crossed[right].min() > crossed[~right].mean()
    taken = np.array([model.confidence(c.features) for c in candidates]) >= model.threshold
    assert taken.sum() > 60
    assert (~right[taken]).mean() <= 0.1
    few, _ = fit_confidence(candidates[:5], PROMPTED_FEATURES, ConfidenceFit())
    assert few.threshold > 1


def test_the_bootstrap_covers_a_known_mean() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0.7, 0.1, 400)
    result = estimate(values.tolist(), [str(i) for i in range(400)], seed=1)
    assert result.low is not None
    assert result.high is not None
    assert result.high - result.low == pytest.approx(2 * 1.96 * 0.1 / 20, rel=0.2)
    assert str(estimate([], [], seed=1)) == "-"


def test_simulated_frames_are_made_once(tmp_path: Path) -> None:
    settings = Simulated(size=(96, 96))
    first = simulated_pictures(tmp_path, "train", 2, 1, settings)
    stamp = next(tmp_path.glob("*.npz")).stat().st_mtime_ns
    again = simulated_pictures(tmp_path, "train", 2, 1, settings)
    other = simulated_pictures(tmp_path, "validation", 2, 1, settings)
    assert next(tmp_path.glob("train*.npz")).stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first[1].image, again[1].image)
    assert not np.array_equal(first[0].image, other[0].image)


@pytest.mark.parametrize("index", [None, "", "name,group\nx,y\n", "id,group\n../p0,a\n", "id,group\nmissing,a\n"])
def test_a_broken_data_folder_is_refused(tmp_path: Path, index: str | None) -> None:
    if index is not None:
        (tmp_path / "index.csv").write_text(index)
    with pytest.raises(InputError):
        load_folder(tmp_path)


@pytest.mark.parametrize("text", ["epochs: 0", "unknown: 1", "network: {channels: [4]}", "- 1", "a: [", None])
def test_a_broken_training_configuration_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "train.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(LesionMeasureError):
        TrainSettings.from_yaml(path)


def test_the_shipped_training_configuration_is_valid(project_dir: Path) -> None:
    settings = TrainSettings.from_yaml(project_dir / "configs/train.yaml")
    assert set(settings.set_weights) == set(settings.licences)


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        train([], tmp_path / "none", TINY)
