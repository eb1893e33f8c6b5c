"""What is held back: for validation and for the test, by group and by kind of picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lesion_measure.lab.datasets import load_folder, picture_digest, split_pictures
from lesion_measure.lab.evaluation import HeldBack, read_held_back, read_training_pictures
from lesion_measure.lab.training import TrainingRequest, TrainSettings, loop, train
from lesion_measure.lab.training.card import held_back
from lesion_measure.lab.training.confidence_fit import crossfit_folds
from lesion_measure.lab.training.material import gather
from lesion_measure.lab.training.progress import plan_of
from lesion_measure.lab.training.settings import NetworkSettings, Simulated, Split, Stage
from lesion_measure.network.bundle import read_bundle
from lesion_measure.network.weights import load_network
from tiny_training import TINY, tiny, write_blobs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


def test_a_card_says_how_pictures_came_to_be_held_back(folder: Path) -> None:
    some = load_folder(folder)
    stated = [replace(item, source="stated", split="val") for item in some]
    folds = [replace(item, source="folds", fold=0) for item in some]
    simulated = [replace(item, source="simulated") for item in some]
    chance, own, crossed = "at random by the seed", "that the set states", "did not see its group"
    for pictures, names, expected in (
        (some, (), [chance]),
        ([*some, *simulated], ("blobs",), [crossed]),
        (simulated, (), [chance]),
        ([*stated, *folds], (), [own]),
        ([*some, *stated, *folds], ("folds",), [chance, own, crossed]),
    ):
        told = held_back(pictures, names)
        assert len(told) == len(expected)
        assert all(part in line for part, line in zip(expected, told, strict=True))
    assert told[1].startswith("Of stated ")
    assert told[2].startswith("Of folds ")


def test_test_pictures_are_apart_from_all_that_is_learnt_or_chosen_on(folder: Path, tmp_path: Path) -> None:
    split = Split(share=1 / 3, test_share=0.4)
    frames = Simulated(frames=2, validation_frames=2, test_frames=2, size=(64, 64))
    settings = TINY.model_copy(update={"split": split, "simulated": frames})
    material = gather([folder], settings, tmp_path, frozenset(), lambda line: None)
    parts = [material.training, material.validation, material.test]
    groups = [{item.group for item in part} for part in parts]
    assert len(set.union(*groups)) == sum(len(each) for each in groups)
    assert [sum(item.source == "blobs" for item in part) for part in parts] == [8, 4, 8]
    simulated = [[item for item in part if item.source == "simulated"] for part in parts]
    assert [len(part) for part in simulated] == [2, 2, 2]
    assert len({picture_digest(item) for part in simulated for item in part}) == 6


def test_stated_test_pictures_of_a_cross_validated_set_are_not_learnt_from(folder: Path, tmp_path: Path) -> None:
    few = write_blobs(tmp_path / "few", seed=9, count=8)
    head, *rows = (few / "index.csv").read_text().splitlines()
    tested = {row.split(",")[1] for row in rows[:2]}
    stated = [f"{row},{'test' if row.split(',')[1] in tested else ''}" for row in rows]
    (few / "index.csv").write_text("\n".join([f"{head},split", *stated]))
    settings = TINY.model_copy(update={"split": Split(share=1 / 3, cross_validated=("few",), folds=2)})
    material = gather([folder, few], settings, tmp_path, frozenset(), lambda line: None)
    assert {item.group for item in material.test} == {f"few/{group}" for group in tested}
    assert len(material.test) + len(material.crossed) == 8
    assert not {item.group for item in material.test} & set.union(*material.folds)


def test_every_kind_of_picture_is_held_back_by_its_share(folder: Path) -> None:
    pictures = load_folder(folder)
    kinds = [replace(item, kind="rare" if number >= 16 else "common") for number, item in enumerate(pictures)]
    for seed in range(6):
        held = split_pictures(kinds, 0.5, {}, seed)[1]
        assert sum(item.kind == "rare" for item in held) == 2
        assert sum(item.kind == "common" for item in held) == 8


def test_figures_are_of_the_test_pictures_and_every_picture_is_listed_by_its_use(folder: Path, tmp_path: Path) -> None:
    settings = TINY.model_copy(update={"split": Split(share=0.3, test_share=0.3)})
    train(TrainingRequest([folder], tmp_path / "tested", settings))
    material = gather([folder], settings, tmp_path, frozenset(), lambda line: None)
    assert read_training_pictures(tmp_path / "tested") == set(map(picture_digest, material.training))
    held = read_held_back(tmp_path / "tested")
    part_of = crossfit_folds([item.group for item in material.held], settings.confidence.folds)
    assert held == HeldBack(
        {picture_digest(item): part_of[item.group] for item in material.validation},
        frozenset(map(picture_digest, material.test)),
    )
    assert len(set(held.validation.values())) > 1
    card = (tmp_path / "tested/docs/README.md").read_text()
    assert "## Figures on the test pictures" in card
    assert f"| blobs | {len(material.training)} (" in card
    with_lesion = sum(bool(item.axes) for item in material.test)
    assert f"n = {with_lesion})" in card


def test_a_longer_stage_goes_on_from_fine_tuning_and_is_what_is_shipped(folder: Path, tmp_path: Path) -> None:
    short = Stage(epochs=1, samples_per_epoch=8, batch_size=4)
    settings = tiny(finetune=short, longer=(short, short))
    train(TrainingRequest([folder], tmp_path / "long", settings))
    work = tmp_path / "long.work" / "automatic"
    shipped = load_network(read_bundle(tmp_path / "long").automatic).state_dict()
    last = torch.load(work / "longer-2.pt", weights_only=True)["averaged"]
    before = torch.load(work / "longer.pt", weights_only=True)["averaged"]
    assert all(torch.equal(shipped[name], last[name]) for name in shipped)
    assert any(not torch.equal(shipped[name], before[name]) for name in shipped)
    card = (tmp_path / "long/docs/README.md").read_text()
    each = "1 epochs of 8 samples"
    longer = f"{each} longer (batches of 4)"
    assert f"then {each} fine-tuning (batches of 4), then {longer}, then {longer}; " in card
    with pytest.raises(ValueError, match="follows"):
        NetworkSettings(longer=(short,))


def test_an_early_stage_trains_on_its_own_grid_and_the_last_on_that_which_is_used(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    made = loop.batch

    def watched(*asked: Any) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, targets = made(*asked)
        seen.append((inputs.shape[-1], targets.shape[-1]))
        return inputs, targets

    monkeypatch.setattr(loop, "batch", watched)
    short = Stage(epochs=1, samples_per_epoch=8, batch_size=4)
    coarse = short.model_copy(update={"size": 24})
    settings = tiny(pretrain=coarse, finetune=coarse.model_copy(update={"size": 32}), longer=(short,))
    train(TrainingRequest([folder], tmp_path / "sizes", settings))
    assert seen == [(24, 24)] * 2 + [(32, 32)] * 2 + [(48, 48)] * 2
    assert read_bundle(tmp_path / "sizes").settings.preprocessing.size == 48
    assert [stage.side for stage in plan_of(settings, 0, None)] == [24, 32, 48]
    card = (tmp_path / "sizes/docs/README.md").read_text()
    assert "pre-training (batches of 4, 24 x 24 pixels), then 1 epochs of 8 samples fine-tuning" in card
    assert "longer (batches of 4); " in card


def test_a_network_without_calipers_may_answer_on_another_grid_than_it_learnt_on() -> None:
    alone = {"prompted_share": 0, "preprocessing": {"size": 64}, "pretrain": {"size": 32}}
    part = NetworkSettings.model_validate(alone)
    assert (part.shown_in(part.pretrain).preprocessing.size, part.preprocessing.size) == (32, 64)


@pytest.mark.parametrize(
    ("stages", "error"),
    [
        ({"pretrain": {"size": 50}, "finetune": {}}, "pretrain.size must be a multiple of 16, as 48; it is 50"),
        ({"pretrain": {}, "finetune": {"size": 32}, "longer": [{"size": 40}]}, "longer.0.size must be a multiple"),
        ({"pretrain": {"size": 32}}, "pretrain.size must be that of preprocessing"),
        ({"pretrain": {"size": 64}, "finetune": {"size": 32}}, "finetune.size must be that of preprocessing"),
    ],
)
def test_a_stage_s_grid_that_the_network_cannot_take_or_would_not_be_used_on_is_refused(
    stages: dict[str, Any], error: str
) -> None:
    with pytest.raises(ValueError, match=error):
        NetworkSettings.model_validate({"preprocessing": {"size": 64}, **stages})
    with pytest.raises(ValueError, match="it is measured"):
        TrainSettings.model_validate(
            {
                "split": {"cross_validated": ["few"]},
                "automatic": {"preprocessing": {"size": 64}, "finetune": {"size": 32}, "longer": [{}]},
            }
        )
