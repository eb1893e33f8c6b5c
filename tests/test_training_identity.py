"""What a checkpoint and a sweep are held against before they go on; a version with more settings is no other one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lesion_measure.lab.training.sweep as sweeping
from lesion_measure.errors import ConfigError
from lesion_measure.files.reading import parse_json
from lesion_measure.files.writing import write_json
from lesion_measure.lab.datasets import Picture, load_folder
from lesion_measure.lab.training.identity import differing, kept_of, picture_content
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.lab.training.run import train
from lesion_measure.lab.training.settings import Stage, TrainSettings
from lesion_measure.lab.training.sweep import SweepRequest, sweep
from lesion_measure.network.definition import EfficientDefinition
from tiny_training import TINY, tiny, write_blobs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


def without(kept: dict[str, Any], *names: str) -> dict[str, Any]:
    """What an earlier version, which did not have these settings, would have kept."""
    for name in names:
        *sections, last = name.split(".")
        section = kept
        for each in sections:
            section = section[each]
        del section[last]
    return kept


LATER = ("automatic.augmentation.trivial", "automatic.deep_supervision", "automatic.pretrain.blend_from")


class TestDiffering:
    def test_the_same_settings_do_not(self) -> None:
        assert differing(kept_of(TINY), TINY) == []

    def test_settings_that_came_later_are_the_same_at_their_defaults_alone(self) -> None:
        assert differing(without(kept_of(TINY), *LATER), TINY) == []
        changed = tiny(deep_supervision=0.5, network=EfficientDefinition())
        assert differing(without(kept_of(changed), *LATER), changed) == ["automatic.deep_supervision"]

    def test_they_are_in_the_stages_of_a_list_as_well(self) -> None:
        stage = Stage(epochs=1)
        settings = tiny(finetune=stage, longer=(stage, stage.model_copy(update={"blend_from": ("a",)})))
        kept = kept_of(settings)
        for each in kept["automatic"]["longer"]:
            del each["blend_from"]
        assert differing(kept, settings) == ["automatic.longer.1.blend_from"]

    def test_a_default_that_has_changed_since_differs(self) -> None:
        """What was kept says what the setting was, although nobody set it."""
        kept = kept_of(TINY)
        kept["automatic"]["pretrain"]["learning_rate"] = 0.002
        assert differing(kept, TINY) == ["automatic.pretrain.learning_rate"]

    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"set_weights": {"blobs": 2.0}}, "automatic.pretrain.set_weights.blobs"),
            ({"size": 32}, "automatic.pretrain.size"),
        ],
    )
    def test_both_ways(self, change: dict[str, Any], name: str) -> None:
        other = tiny(pretrain=TINY.automatic.pretrain.model_copy(update=change))
        assert differing(kept_of(TINY), other) == [name]
        assert differing(kept_of(other), TINY) == [name]

    def test_what_is_no_settings_at_all(self) -> None:
        assert differing("0123abcd", TINY) == [""]


class TestCheckpoints:
    def trained(self, folder: Path, out: Path) -> Path:
        train(TrainingRequest([folder], out, TINY, only="automatic"))
        return out.with_name(f"{out.name}.work") / "automatic/pretrain.pt"

    def changed(self, path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
        state = torch.load(path, weights_only=True)
        state["identity"] = change(state["identity"])
        torch.save(state, path)

    def test_of_a_version_with_fewer_settings_goes_on(self, folder: Path, tmp_path: Path) -> None:
        path = self.trained(folder, tmp_path / "m")
        later = ("network.augmentation.trivial", "network.deep_supervision", "stage.blend_from")
        self.changed(path, lambda kept: without(kept, *later))
        before = path.read_bytes()
        train(TrainingRequest([folder], tmp_path / "m", TINY, only="automatic", resume=True))
        assert path.read_bytes() == before

    def test_that_differs_is_told_by_name(self, folder: Path, tmp_path: Path) -> None:
        path = self.trained(folder, tmp_path / "m")
        other = tiny(pretrain=TINY.automatic.pretrain.model_copy(update={"learning_rate": 0.002}))
        request = TrainingRequest([folder], tmp_path / "m", other, only="automatic", resume=True)
        with pytest.raises(ConfigError, match=r"or by another version \(stage\.learning_rate\)"):
            train(request)
        self.changed(path, lambda kept: "a digest, as it was kept once")
        with pytest.raises(ConfigError, match=r"or by another version\."):
            train(request)


def test_whatever_is_learnt_from_is_in_the_content_of_pictures(folder: Path) -> None:
    """Corrected outlines of the liver and corrected unjudged pixels were resumed as if nothing had changed."""
    item = load_folder(folder)[1]
    half = np.zeros(item.image.shape, bool)
    half[:30] = True
    less = half.copy()
    less[0, 0] = False
    moved = replace(item.axes[0], long=((1.0, 1.0), (9.0, 9.0)))
    seen: list[Picture] = [
        item,
        replace(item, liver=half),
        replace(item, liver=less),
        replace(item, ignored=half),
        replace(item, ignored=less),
        replace(item, liver=half, ignored=half),
        replace(item, labels=item.labels * 0),
        replace(item, image=255 - item.image),
        replace(item, axes=(moved,)),
        replace(item, name="other"),
    ]
    assert len({picture_content([each]) for each in seen}) == len(seen)
    assert picture_content([replace(item, liver=half)]) == picture_content([replace(item, liver=half.copy())])


def test_a_sweep_of_a_version_with_fewer_settings_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_train", lambda *_: 0)
    request = SweepRequest([folder], tmp_path / "s", None, {"seed": [1, 2]})
    sweep(request, print)
    path = tmp_path / "s/sweep.json"
    plan: Any = parse_json(path.read_bytes())
    for kept in plan["settings"]:
        without(kept, *LATER)
    write_json(path, plan)
    assert sweep(request, print) == 0
    later: Any = parse_json(path.read_bytes())
    assert later["settings"] == [kept_of(TrainSettings(seed=seed)) for seed in (1, 2)]
    plan["settings"][0]["automatic"]["pretrain"]["learning_rate"] = 0.5
    write_json(path, plan)
    with pytest.raises(ConfigError, match="differs in settings"):
        sweep(request, print)
