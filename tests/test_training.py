"""Training: data, split and samples; a tiny run from folders to a bundle; resume; the choice of the threshold."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull

from lesion_measure.errors import ConfigError, InputError, LesionMeasureError, ModelError, OutputError
from lesion_measure.files.locks import check_free
from lesion_measure.lab.datasets import (
    jitter,
    lesion_axes,
    load_folder,
    picture,
    picture_digest,
    simulated_pictures,
    split_pictures,
)
from lesion_measure.lab.datasets.axes import moment_axes, rectangle_axes
from lesion_measure.lab.evaluation import TRAINING_PICTURES, moves, read_held_back
from lesion_measure.lab.training import TrainingRequest, TrainSettings, run, train
from lesion_measure.lab.training.augment import augment
from lesion_measure.lab.training.begin import begin
from lesion_measure.lab.training.blend import blend
from lesion_measure.lab.training.copies import CutOut, cut_outs
from lesion_measure.lab.training.loss import region_loss
from lesion_measure.lab.training.material import gather
from lesion_measure.lab.training.precision import computes_bfloat16, settled
from lesion_measure.lab.training.samples import lesion_view, make_sample, make_sampler, whole_view
from lesion_measure.lab.training.settings import Augmentation, NetworkSettings, Simulated, Split, Stage
from lesion_measure.lab.training.team import Team
from lesion_measure.network import Preprocessing, Segmenter
from lesion_measure.network.bundle import BundleSettings
from lesion_measure.network.definition import NetworkDefinition
from lesion_measure.network.on_torch import torch_segmenter
from lesion_measure.network.parts import outline_of
from lesion_measure.network.preprocess import network_input
from lesion_measure.network.window import prompt_window, scale_intensity
from tiny_training import FINETUNE, TINY, TINY_PART, TWO, tiny, write_blobs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "tiny"
    train(TrainingRequest([folder], out, TINY))
    return out


ANEW: dict[str, Any] = {}
OVERWRITE: dict[str, Any] = {"overwrite": True}
RESUME: dict[str, Any] = {"resume": True}


class StopError(Exception):
    """Stands for a kill."""


def test_a_run_gives_a_bundle_that_loads(trained: Path, folder: Path) -> None:
    segmenter = Segmenter.from_bundle(trained)
    item = load_folder(folder)[1]
    result = segmenter.segment(item.image, [item.axes[0].long])
    assert result.probability.shape == item.image.shape
    log = (trained.with_name("tiny.work") / "automatic/pretrain.csv").read_text().splitlines()
    assert len(log) == 1 + TINY_PART.pretrain.epochs
    card = (trained / "docs/README.md").read_text()
    assert segmenter.sha256 in card
    assert "Network from both axes: Dice" in card
    assert str(folder.parent) not in card
    assert "train.yaml" not in card, "these settings are no file of the checkout"
    assert "held back, at random by the seed" in card
    settings = json.loads((trained / "configs/train.json").read_text())["settings"]
    assert settings["seed"] == 4
    assert "preprocessing" not in settings["automatic"]


def test_the_card_shows_the_worst_simulated_cases(trained: Path, tmp_path: Path) -> None:
    """Simulated frames alone: pictures of others are not copied into a bundle."""
    assert not (trained / "docs/failures.png").exists()
    assert "failures.png" not in (trained / "docs/README.md").read_text()
    few = tiny(pretrain=Stage(epochs=1, samples_per_epoch=4, batch_size=4))
    settings = few.model_copy(update={"simulated": Simulated(frames=4, validation_frames=4, size=(160, 200))})
    train(TrainingRequest([], tmp_path / "simulated", settings))
    card = (tmp_path / "simulated/docs/README.md").read_text()
    assert "(failures.png)" in card
    assert "real set" not in card
    with Image.open(tmp_path / "simulated/docs/failures.png") as picture:
        assert min(picture.size) > 200


def test_killed_and_resumed_gives_the_same_weights(trained: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny"

    def kill(message: str) -> None:
        if "epoch 2" in message:
            raise StopError

    with pytest.raises(StopError):
        train(TrainingRequest([folder], out, TINY), progress=kill)
    assert not out.exists()
    train(TrainingRequest([folder], out, TINY, resume=True))
    assert Segmenter.from_bundle(out).sha256 == Segmenter.from_bundle(trained).sha256
    other = TINY.model_copy(update={"seed": 5})
    with pytest.raises(ConfigError, match="--overwrite"):
        train(TrainingRequest([folder], out, other, resume=True))


def test_an_earlier_training_is_not_lost_unasked(trained: Path, folder: Path, tmp_path: Path) -> None:
    """Begun anew it leaves nothing behind, so that it can be killed and resumed itself."""
    out, work = tmp_path / "tiny", tmp_path / "tiny.work"

    def kill(message: str) -> None:
        if "epoch 2" in message:
            raise StopError

    train(TrainingRequest([folder], out, TINY.model_copy(update={"seed": 5})))
    before = {path: path.read_bytes() for path in work.rglob("*.pt")}
    assert before
    with pytest.raises(ConfigError, match="earlier training here") as caught:
        train(TrainingRequest([folder], out, TINY))
    assert "--resume" in caught.value.remedy
    assert "--overwrite" in caught.value.remedy
    with pytest.raises(ConfigError, match="either resumed or begun anew"):
        train(TrainingRequest([folder], out, TINY, resume=True, overwrite=True))
    assert {path: path.read_bytes() for path in work.rglob("*.pt")} == before
    with pytest.raises(StopError):
        train(TrainingRequest([folder], out, TINY, overwrite=True), progress=kill)
    train(TrainingRequest([folder], out, TINY, resume=True))
    assert Segmenter.from_bundle(out).sha256 == Segmenter.from_bundle(trained).sha256


def test_what_lies_in_the_place_of_the_new_bundle_is_not_lost_unasked(
    trained: Path, folder: Path, tmp_path: Path
) -> None:
    data, bundle, file = tmp_path / "data", tmp_path / "model", tmp_path / "notes"
    shutil.copytree(folder, data)
    shutil.copytree(trained, bundle)  # without the checkpoints of its training
    file.write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for out, options, said in (
        *((out, options, "no model bundle") for out in (data, file) for options in (ANEW, OVERWRITE, RESUME)),
        (bundle, ANEW, "a model here already"),
        (bundle, RESUME, "a model here already"),
    ):
        with pytest.raises(ConfigError, match=said) as caught:
            train(TrainingRequest([data], out, TINY, **options))
        assert "another --out" in caught.value.remedy
    assert {path: path.read_bytes() for path in before} == before
    train(TrainingRequest([data], bundle, TINY.model_copy(update={"seed": 6}), **OVERWRITE))
    assert Segmenter.from_bundle(bundle).sha256 != Segmenter.from_bundle(trained).sha256
    (tmp_path / "empty").mkdir()
    assert train(TrainingRequest([data], tmp_path / "empty", TINY))


def test_a_network_may_be_added_to_a_training_whose_bundle_lies_there(tmp_path: Path) -> None:
    """Nothing of the new one is there to be gone on with; the bundle is that of the same training."""
    out, work = tmp_path / "m", tmp_path / "m.work"
    (out / "configs").mkdir(parents=True)
    (out / "configs/metadata.json").write_text("{}")
    (work / "automatic").mkdir(parents=True)
    request = TrainingRequest([], out, TWO, only="prompted", resume=True)
    with pytest.raises(ConfigError, match="a model here already"):
        begin(request, work, leads=True)
    (work / "automatic/pretrain.pt").write_bytes(b"")
    begin(request, work, leads=True)
    assert (work / "automatic/pretrain.pt").is_file()


def test_a_training_without_a_lesion_is_refused(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "blobs"
    shutil.copytree(folder, data)
    for path in (data / "masks").iterdir():
        with Image.open(path) as mask:
            empty = Image.new("L", mask.size)
        empty.save(path)
    settings = TINY.model_copy(update={"simulated": TINY.simulated.model_copy(update={"frames": 0})})
    with pytest.raises(InputError, match="none has a lesion"):
        train(TrainingRequest([data], tmp_path / "m", settings))


@pytest.mark.parametrize("size", [50, 97])
def test_a_grid_that_the_network_cannot_halve_is_refused(size: int) -> None:
    part = TINY.automatic.model_dump(by_alias=True) | {"preprocessing": {"size": size}}
    with pytest.raises(ValueError, match="must be a multiple of"):
        TrainSettings.model_validate({"automatic": part})


@pytest.mark.parametrize(
    ("told", "own"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"bf16": True}, True),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({}, False),
    ],
)
def test_bfloat16_is_for_processors_that_compute_in_it(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, bool], own: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    cpu = Team(torch.device("cpu"))
    assert settled(TINY.model_copy(update={"bfloat16": "auto"}), cpu).bfloat16 is own
    assert settled(TINY.model_copy(update={"bfloat16": not own}), cpu).bfloat16 is not own


@pytest.mark.parametrize(("generation", "own"), [(7, False), (8, True), (9, True)])
def test_bfloat16_is_for_gpus_that_compute_in_it(monkeypatch: pytest.MonkeyPatch, generation: int, own: bool) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (generation, 0))
    assert computes_bfloat16(torch.device("cuda:0")) is own


def test_the_precision_that_was_used_is_told_and_kept_when_resumed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    settings = TINY.model_copy(update={"bfloat16": "auto"})
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    train(TrainingRequest([folder], tmp_path / "tiny", settings), progress=said.append)
    assert "training on cpu in mixed bfloat16" in said
    assert "computed in mixed bfloat16" in (tmp_path / "tiny/docs/README.md").read_text()
    assert json.loads((tmp_path / "tiny/configs/train.json").read_text())["settings"]["bfloat16"] is True
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    with pytest.raises(ConfigError, match="other settings, data"):
        train(TrainingRequest([folder], tmp_path / "tiny", settings, resume=True), progress=said.append)
    assert "training on cpu in float32" in said


def test_pictures_that_changed_under_their_names_are_noticed(folder: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "blobs", tmp_path / "tiny"
    shutil.copytree(folder, data)
    train(TrainingRequest([data], out, TINY))
    settings = TINY.model_copy(update={"split": Split(share=0.4)})
    train(TrainingRequest([data], out, settings, resume=True))
    for path in sorted((data / "masks").iterdir()):
        mask = np.asarray(Image.open(path)).copy()
        mask[mask.any(axis=1).argmax()] = 0  # a lesion's first row
        Image.fromarray(mask).save(path)
    with pytest.raises(ConfigError, match="other settings, data"):
        train(TrainingRequest([data], out, settings, resume=True))


def test_a_rival_that_cannot_be_used_is_noticed_before_training(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "nobundle").mkdir()
    with pytest.raises(ModelError):
        train(TrainingRequest([folder], tmp_path / "tiny", TINY, against=tmp_path / "nobundle"))
    assert not list(tmp_path.rglob("*.pt"))


def test_a_training_holds_its_folder_before_it_takes_time(
    trained: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a sweep that starts meanwhile knows of it: networks are asked and weights loaded under the lock."""
    taken: list[str] = []

    def looked(name: str) -> Callable[[Any], Any]:
        real = getattr(run, name)

        def look(given: Any) -> Any:
            with pytest.raises(OutputError, match=f"process {os.getpid()}"):
                check_free(tmp_path / "tiny.work/automatic")
            taken.append(name)
            return real(given)

        return look

    for name in ("check_networks", "load_network"):
        monkeypatch.setattr(run, name, looked(name))
    request = TrainingRequest([folder], tmp_path / "tiny", TINY, start=trained, against=trained)
    with run.opened(request, print, print):
        assert taken == ["check_networks", "load_network", "load_network"]


def test_two_readers_of_one_picture_can_be_compared(trained: Path, folder: Path, tmp_path: Path) -> None:
    """The same pixels under two names with two outlines, both held back."""
    data = tmp_path / "readers"
    shutil.copytree(folder, data)
    for number in (4, 6, 8, 10):  # even ones begin a group of two
        shutil.copy(data / "images" / f"p{number + 1}.png", data / "images" / f"p{number}.png")
        mask = np.asarray(Image.open(data / "masks" / f"p{number + 1}.png"))
        Image.fromarray(np.asarray(255 * ndimage.binary_erosion(mask > 0), dtype=np.uint8)).save(
            data / "masks" / f"p{number}.png"
        )
    settings = TINY.model_copy(update={"split": Split(share=0.8)})
    train(TrainingRequest([data], tmp_path / "tiny", settings, against=trained))
    assert "## Better than the other bundle?" in (tmp_path / "tiny/docs/README.md").read_text()


def test_sets_that_are_not_there_are_told(folder: Path, tmp_path: Path) -> None:
    settings = TINY.model_copy(update={"split": Split(share=0.4, share_by_set={"blobs": 0.4, "blops": 0.1})})
    said: list[str] = []
    gather([folder], settings, tmp_path, frozenset(), said.append)
    assert "Named in the settings but not among the data: blops." in said


def test_training_can_start_from_another_bundle(trained: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "next"
    settings = tiny(pretrain=Stage(epochs=1, samples_per_epoch=8, learning_rate=1e-9))
    train(TrainingRequest([folder], out, settings, start=trained, against=trained))
    first, then = (Segmenter.from_bundle(path) for path in (trained, out))
    item = load_folder(folder)[1]
    line = [item.axes[0].long]
    np.testing.assert_allclose(
        first.segment(item.image, line).probability, then.segment(item.image, line).probability, atol=0.2
    )
    card = (out / "docs/README.md").read_text()
    assert first.sha256[:12] in card
    assert "## Better than the other bundle?" in card
    assert "- blobs: " in card
    other = tiny(network=NetworkDefinition())
    with pytest.raises(ConfigError):
        train(TrainingRequest([folder], tmp_path / "other", other, start=trained))


@pytest.mark.parametrize("name", ["simulated", "small"])
def test_sets_of_which_no_groups_are_left_out_cannot_be_limited(name: str) -> None:
    with pytest.raises(ValueError, match=f"groups_by_set cannot limit {name}"):
        Split(cross_validated=("small",), groups_by_set={name: 50, "large": 100})


def test_groups_are_never_split(folder: Path) -> None:
    pictures = load_folder(folder)
    training, validation = split_pictures(pictures, 0.5, {}, seed=1)
    assert len(training) + len(validation) == len(pictures)
    assert len({p.group for p in validation}) == 5
    assert not {p.group for p in training} & {p.group for p in validation}
    assert split_pictures(pictures, 0.5, {}, seed=1)[1] == validation
    assert not split_pictures(pictures, 0.2, {"blobs": 0}, seed=1)[1]


def test_near_duplicates_are_never_parted(folder: Path, tmp_path: Path) -> None:
    """Pictures 0 to 5 are there a second time, in another folder."""
    twin = write_blobs(tmp_path / "twin", count=6)
    settings = TINY.model_copy(update={"split": Split(share=0.5)})
    said: list[str] = []
    material = gather([folder, twin], settings, tmp_path, frozenset(), said.append)
    sides = [{picture_digest(item) for item in side} for side in (material.training, material.validation)]
    assert len(material.training) + len(material.validation) == 26
    assert not sides[0] & sides[1]
    assert "6 groups were joined to 3" in said[-1]
    apart = settings.model_copy(update={"split": Split(share=0.5, join_near_duplicates=False)})
    with pytest.raises(InputError, match="near-duplicates"):
        gather([folder, twin], apart, tmp_path, frozenset(), said.append)
    crossed = settings.model_copy(update={"split": Split(cross_validated=("twin",), folds=2)})
    material = gather([folder, twin], crossed, tmp_path, frozenset(), said.append)
    assert sorted(f"{item.source}/{item.name}" for item in material.crossed) == sorted(
        f"{source}/p{number}" for source in ("blobs", "twin") for number in range(6)
    )


def test_what_a_start_has_seen_is_never_held_back(trained: Path, folder: Path, tmp_path: Path) -> None:
    items = load_folder(folder)
    first, held = split_pictures(items, 0.4, {}, 4)
    for seed in range(5):
        _, again = split_pictures(items, 0.4, {}, seed, {picture_digest(item) for item in first})
        assert {item.name for item in again} <= {item.name for item in held}
    ignorant = tmp_path / "ignorant"
    shutil.copytree(trained, ignorant)
    (ignorant / TRAINING_PICTURES).unlink()
    with pytest.raises(InputError, match="does not say"):
        train(TrainingRequest([folder], tmp_path / "next", TINY, start=ignorant))
    with pytest.raises(ModelError, match="bundle"):
        train(TrainingRequest([folder], tmp_path / "never" / "next", TINY, start=tmp_path / "none"))
    assert not (tmp_path / "never").exists()


def test_a_start_that_has_seen_what_is_held_back_is_refused(trained: Path, folder: Path, tmp_path: Path) -> None:
    few = write_blobs(tmp_path / "few", seed=9, count=8)
    start = tmp_path / "start"
    shutil.copytree(trained, start)
    with (start / TRAINING_PICTURES).open("a") as listed:
        # one picture of each group is enough: the other one shows the same lesion
        listed.writelines(f"{picture_digest(item)}\n" for item in load_folder(few)[::2])
    with pytest.raises(InputError, match=r"trained on 8 of the \d+ held-back pictures.*\(few\)") as refused:
        train(TrainingRequest([folder, few], tmp_path / "next", TWO, start=start))
    assert "split.cross_validated" in refused.value.remedy
    assert not (tmp_path / "next").exists()


def test_what_a_start_was_chosen_on_is_no_test_picture(trained: Path, folder: Path, tmp_path: Path) -> None:
    """The validation pictures of the first weights may validate again, but not stand for pictures nobody looked at."""
    held = read_held_back(trained)
    assert held is not None
    chosen = frozenset(held.validation)
    settings = TINY.model_copy(update={"split": Split(share=0.2, test_share=0.4)})
    plain = gather([folder], settings, tmp_path, frozenset(), lambda line: None)
    assert {picture_digest(item) for item in plain.test} & chosen
    kept = gather([folder], settings, tmp_path, frozenset(), lambda line: None, (), chosen)
    assert not {picture_digest(item) for item in kept.test} & chosen
    assert kept.test


@pytest.mark.parametrize("prompted", [False, True])
def test_a_sample_depends_on_its_number_alone(folder: Path, prompted: bool) -> None:
    part = TWO.prompted if prompted else TWO.automatic
    assert part is not None
    sampler = make_sampler(load_folder(folder), part, FINETUNE, seed=4)
    later = [sampler.sample(1, index) for index in (5, 0)]
    again = make_sampler(load_folder(folder), part, FINETUNE, seed=4).sample(1, 5)
    assert torch.equal(later[0].inputs, again.inputs)
    assert not torch.equal(later[0].inputs, later[1].inputs)
    assert torch.isfinite(again.inputs).all()
    assert again.target.min() >= 0
    assert again.target.max() <= 1
    assert bool(again.inputs[1].any()) is prompted


class Seen(torch.nn.Module):
    """Keeps what inference hands to the network."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.batch = batch
        return batch[:, :1]


@pytest.mark.parametrize("prior", [0.0, 4.0])
def test_training_sees_what_inference_sees(folder: Path, prior: float) -> None:
    item = next(p for p in load_folder(folder) if p.axes)
    grids = [Preprocessing(size=48), Preprocessing(size=32, prompt_extent=1.7, ellipse_prior=prior)]
    settings = BundleSettings(preprocessing=grids[0], prompted_preprocessing=grids[1], second_pass=False)
    automatic, prompted = Seen(), Seen()
    segmenter = torch_segmenter(automatic, settings, name="seen", sha256="", prompted=prompted)
    line = item.axes[0].long
    segmenter.segment(item.image, [line], flips=False)
    trained = make_sample(lesion_view(item, 1, [line], grids[1]), grids[1])
    assert torch.equal(prompted.batch[0], trained.inputs[:2])
    scaled = scale_intensity(item.image, grids[1])
    asked = network_input(scaled, prompt_window([line], grids[1]), [line], grids[1])
    assert np.array_equal(asked, trained.inputs.numpy())
    assert len(trained.inputs) == (3 if prior else 2)
    segmenter = torch_segmenter(automatic, settings, name="seen", sha256="", prompted=Seen())
    segmenter.segment(item.image, flips=False)
    assert torch.equal(automatic.batch[0], make_sample(whole_view(item, grids[0]), grids[0]).inputs)


def test_two_networks_and_a_small_cross_validated_set(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = write_blobs(tmp_path / "few", seed=3)
    lesions = sum(len(item.axes) for item in load_folder(few))
    monkeypatch.setattr(moves, "ENOUGH_PLACINGS", 2 * lesions)
    out = tmp_path / "two"
    for name in ("automatic", "prompted"):
        train(TrainingRequest([folder, few], out, TWO, only=name))
        assert not out.exists()
    said: list[str] = []
    often = TWO.model_copy(update={"placings": None})
    train(TrainingRequest([folder, few], out, often, resume=True), progress=said.append)
    assert not any("epoch" in message for message in said)
    segmenter = Segmenter.from_bundle(out)
    parts = json.loads((out / "configs/metadata.json").read_text())
    both = (parts["weights_sha256"] + parts["prompted_weights_sha256"]).encode()
    assert segmenter.sha256 == hashlib.sha256(both).hexdigest()
    for name in ("automatic", "prompted"):
        stages = sorted(path.stem for path in (tmp_path / "two.work" / name).glob("*.pt"))
        assert stages == ["finetune", "fold-1", "fold-2", "pretrain"]
    card = (out / "docs/README.md").read_text()
    assert "of few under 2" in card, "the whole set counts, not a fold of half of it"
    assert "Here each picture of few is drawn by the fold" in card
    placed = card.split("## Other placements")[1].split("##")[0]
    cells = [cell.strip() for row in placed.splitlines() if row.startswith("| the ") for cell in row.split("|")[2:-1]]
    assert len(cells) == 3 * 2 * 2 * 2, "figures, placements, methods, sets"
    told = rf"[\d.]+ \([\d.]+ to [\d.]+; n = {lesions}\)"
    assert re.fullmatch(f"{told} / {told}", cells[1])


def test_the_best_epoch_is_kept_and_training_stops(folder: Path, tmp_path: Path) -> None:
    stage = Stage(epochs=40, samples_per_epoch=8, batch_size=4, learning_rate=1e-9, patience=2)
    said: list[str] = []
    train(
        TrainingRequest([folder], tmp_path / "still", tiny(pretrain=stage).model_copy(update={"validate_every": 1})),
        progress=said.append,
    )
    epochs = [message for message in said if "epoch" in message]
    assert 3 <= len(epochs) < 40


def test_axes_of_a_rectangle_and_of_moments() -> None:
    mask = np.zeros((60, 80), dtype=bool)
    mask[20:40, 10:70] = True
    for axes, lengths in ((rectangle_axes(mask), (60, 20)), (moment_axes(mask), (4 * 60 / 12**0.5, 4 * 20 / 12**0.5))):
        assert axes is not None
        assert axes.short is not None
        assert math.dist(*axes.long) == pytest.approx(lengths[0], rel=0.01)
        assert math.dist(*axes.short) == pytest.approx(lengths[1], rel=0.01)
        np.testing.assert_allclose(np.mean(axes.long, axis=0), [29.5, 39.5], atol=0.02)


def test_a_blended_lesion_lies_in_tissue_with_its_calipers() -> None:
    rng = np.random.default_rng(5)
    image = rng.integers(90, 110, (200, 240)).astype(np.uint8)
    host = picture("host", "simulated", "h", image, np.zeros(image.shape, bool))
    row, col = np.mgrid[:80, :80]
    inside = ((row - 40) / 20) ** 2 + ((col - 40) / 12) ** 2 <= 1
    donor = picture("donor", "real", "d", np.where(inside, 30, 100).astype(np.uint8), inside)
    made = [blend(host, donor, 1, np.random.default_rng(seed)) for seed in range(20)]
    drawn = [item for item in made if item.axes]
    assert len(drawn) > 15
    for item in drawn:
        mask = item.labels == 1
        core = ndimage.binary_erosion(mask, iterations=3)
        assert item.image[core].mean() < 75
        assert item.image[item.labels == 0].mean() == pytest.approx(100, abs=3)
        assert math.dist(*item.axes[0].long) == pytest.approx(math.dist(*lesion_axes(mask).long), abs=0.01)
    assert host.labels.max() == 0


def ellipse_in_noise(grey: float) -> tuple[np.ndarray, np.ndarray]:
    """A flat ellipse (short axis 0.4 long axes) of a grey level on a background of 100, both with noise."""
    row, col = np.mgrid[:240, :240]
    inside = ((row - 120) / 20) ** 2 + ((col - 120) / 50) ** 2 <= 1
    image = np.random.default_rng(1).normal(np.where(inside, grey, 100), 4)
    return image.astype(np.uint8), inside


def test_copies_are_given_other_aspects_with_their_area_kept() -> None:
    image, inside = ellipse_in_noise(60)
    item = picture("flat", "real", "f", image, inside)
    made = cut_outs([item], Preprocessing(size=64), {"real": 60}, seed=3, aspect=1.0)
    plain = cut_outs([item], Preprocessing(size=64), {"real": 60}, seed=3)

    def ratios(lesions: list[CutOut]) -> np.ndarray:
        axes = [one.axes[2] for one in lesions[1:]]  # the axes of the moments
        return np.array([math.dist(*a.short) / math.dist(*a.long) for a in axes if a.short is not None])

    np.testing.assert_array_equal(plain[0].mask, made[0].mask)
    # 0.5 to 1, then stretched by up to a quarter along any direction, as the plain copies are
    assert ratios(made).mean() > ratios(plain).mean() + 0.15
    assert ratios(plain).max() < 0.7 < 0.85 < ratios(made).max()
    areas = np.array([one.mask.sum() for one in made]) / made[0].mask.sum()
    assert areas.mean() == pytest.approx(1, abs=0.05)


def test_copies_are_outlined_as_other_readers_would_in_the_same_picture() -> None:
    row, col = np.mgrid[:240, :240]
    inside = (row - 120) ** 2 + (col - 120) ** 2 <= 40**2
    item = picture("round", "real", "r", np.where(inside, 60, 100).astype(np.uint8), inside)
    made = cut_outs([item], Preprocessing(size=64), {"real": 40}, seed=3, margin=1.0)
    plain = cut_outs([item], Preprocessing(size=64), {"real": 40}, seed=3)
    np.testing.assert_array_equal(plain[0].mask, made[0].mask)
    radii = [math.sqrt(one.mask.sum() / one_plain.mask.sum()) for one, one_plain in zip(made, plain, strict=True)][1:]
    # of a circle, the border moved by a share m of the radius has 1 + m of it
    assert 0.9 < min(radii) < 0.96
    assert 1.18 < max(radii) < 1.28
    for one, one_plain in zip(made, plain, strict=True):
        np.testing.assert_array_equal(one.image, one_plain.image)
        assert math.dist(*one.axes[0].long) == pytest.approx(math.dist(*lesion_axes(one.mask).long), abs=0.01)


@pytest.mark.parametrize(("share", "tilt_deg"), [(1.0, math.degrees(math.atan2(30, 70))), (0.0, 0.0)])
def test_calipers_come_from_the_placements_that_were_asked_for(share: float, tilt_deg: float) -> None:
    # the longest line of a rectangle is its diagonal, the others go along it; the window turns with the caliper
    inside = np.zeros((160, 200), dtype=bool)
    inside[60:90, 60:130] = True
    item = picture("box", "real", "b", np.where(inside, 60, 100).astype(np.uint8), inside)
    still = Augmentation(prompted_turn_deg=0, prompted_scale=0)
    part = NetworkSettings(
        prompted_share=1, both_axes_share=0, caliper_jitter=0, longest_share=share, augmentation=still
    )
    sampler = make_sampler([item], part, Stage(), seed=1)
    for index in range(6):
        axes = moment_axes(sampler.sample(0, index).target.numpy() > 0.5)
        assert axes is not None
        (row0, col0), (row1, col1) = axes.long
        assert abs(math.degrees(math.atan((row1 - row0) / (col1 - col0)))) == pytest.approx(tilt_deg, abs=1.5)


@pytest.mark.parametrize("grey", [60, 100])
def test_the_echo_of_a_lesion_is_varied_and_nothing_else(grey: float) -> None:
    image, inside = ellipse_in_noise(grey)
    settings = Augmentation(
        echo=1, gamma_sd=0, gain_sd=0, speckle=0, blur=0, shadow=0, fan=0, text=0, marks=0
    )  # fmt: skip
    grey_image, target = (image / 255).astype(np.float32), inside.astype(np.float32)
    core, far = ndimage.binary_erosion(inside, iterations=8), ~ndimage.binary_dilation(inside, iterations=12)
    contrasts = []
    for seed in range(60):
        varied, truth = augment(grey_image, target, np.random.default_rng(seed), settings, full_rectangle=False)
        np.testing.assert_allclose(varied[far], grey_image[far], atol=0.003)
        np.testing.assert_array_equal(truth, target)
        contrasts.append(math.log(varied[core].mean() / grey_image[far].mean()))
    assert min(contrasts) < -0.4
    assert max(contrasts) > 0.4


def test_without_echo_the_same_samples_are_drawn() -> None:
    image, inside = ellipse_in_noise(60)
    given = (image / 255).astype(np.float32), inside.astype(np.float32)
    states = []
    for echo in (0.0, 1.0):
        rng = np.random.default_rng(2)
        augment(*given, rng, Augmentation(echo=echo, speckle=0), full_rectangle=False)
        states.append(rng.random())
    unchanged = np.random.default_rng(2)
    augment(*given, unchanged, Augmentation(speckle=0), full_rectangle=False)
    assert states[0] == unchanged.random() != states[1]


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


def test_the_end_of_a_long_axis_that_qhull_meets_first_comes_first() -> None:
    """Random placements move the ends in their order: with another one, published figures are not found again."""
    row, col = np.mgrid[:120, :120]
    for angle in np.linspace(0, math.pi, 16):
        along = (row - 60) * math.sin(angle) + (col - 60) * math.cos(angle)
        across = (row - 60) * math.cos(angle) - (col - 60) * math.sin(angle)
        mask = (along / 50) ** 2 + (across / 22) ** 2 <= 1
        axes, contour = lesion_axes(mask), outline_of(mask)
        assert axes is not None
        corners = contour[ConvexHull(contour).vertices].tolist()
        assert corners.index([*axes.long[0]]) < corners.index([*axes.long[1]])


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
    assert region_loss(silence, target) < 0.05 < region_loss(noise, target)
    target[..., 8:20, 8:20] = 1
    assert region_loss(40 * target - 20, target) < 0.05 < region_loss(silence, target)


def test_simulated_frames_are_made_once(tmp_path: Path) -> None:
    settings = Simulated(size=(96, 96))
    first = simulated_pictures(tmp_path, "train", 2, 1, settings.size)
    stamp = next(tmp_path.glob("*.npz")).stat().st_mtime_ns
    again = simulated_pictures(tmp_path, "train", 2, 1, settings.size)
    other = simulated_pictures(tmp_path, "validation", 2, 1, settings.size)
    assert next(tmp_path.glob("train*.npz")).stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first[1].image, again[1].image)
    assert not np.array_equal(first[0].image, other[0].image)


@pytest.mark.parametrize("index", [None, "", "name,group\nx,y\n", "id,group\n../p0,a\n", "id,group\nmissing,a\n"])
def test_a_broken_data_folder_is_refused(tmp_path: Path, index: str | None) -> None:
    if index is not None:
        (tmp_path / "index.csv").write_text(index)
    with pytest.raises(InputError):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "automatic: {pretrain: {epochs: -1}}",
        "unknown: 1",
        "automatic: {network: {channels: [4]}}",
        "automatic: {prompted_share: 0}",
        "- 1",
        "a: [",
        None,
    ],
)
def test_a_broken_training_configuration_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "train.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(LesionMeasureError):
        TrainSettings.from_yaml(path)


def test_the_shipped_training_configuration_is_valid(project_dir: Path) -> None:
    settings = TrainSettings.from_yaml(project_dir / "configs/train.yaml")
    assert settings.automatic.finetune is not None
    assert set(settings.automatic.finetune.set_weights) == set(settings.licences)


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        train(TrainingRequest([], tmp_path / "none", TINY))
