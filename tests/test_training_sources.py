"""Stages that would find no picture to draw, or no lesion to blend, are refused before the first epoch of any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ConfigError
from lesion_measure.lab.datasets import Picture, load_folder
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.lab.training.run import train
from lesion_measure.lab.training.settings import Stage
from lesion_measure.lab.training.sources import check_sources
from tiny_training import FINETUNE, TINY_PART, TWO, tiny, write_blobs, write_settings

SHORT = Stage(epochs=1, samples_per_epoch=8, batch_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


@pytest.fixture(scope="module")
def item(folder: Path) -> Picture:
    return load_folder(folder)[1]


def stage(**changes: Any) -> Stage:
    return SHORT.model_copy(update=changes)


WHOLE = TINY_PART.model_copy(update={"prompted_share": 0.0})
ALONE = TINY_PART.model_copy(update={"prompted_share": 1.0})
BLENDED = {"blend_share": {"blobs": 1.0}}


class TestBeforeAnyEpoch:
    def refused(self, data: list[Path], out: Path, settings: Any) -> str:
        said: list[str] = []
        with pytest.raises(ConfigError) as caught:
            train(TrainingRequest(data, out, settings), progress=said.append)
        assert not [line for line in said if "epoch" in line]
        assert not list(out.with_name(f"{out.name}.work").rglob("*.pt"))
        return caught.value.reason

    def test_a_set_that_is_not_there(self, folder: Path, tmp_path: Path) -> None:
        """Of a later stage, where it would have ended hours of training."""
        settings = tiny(finetune=stage(**BLENDED, blend_from=("BUS1",)))
        reason = self.refused([folder], tmp_path / "m", settings)
        assert reason == (
            "The stage 'automatic network, fine-tuning' shall blend lesions into pictures of blobs (blend_share), and "
            "learns from no lesion of BUS1 (blend_from)."
        )

    def test_a_set_that_is_not_in_this_stage(self, folder: Path, tmp_path: Path) -> None:
        few = write_blobs(tmp_path / "few", seed=5, count=8)
        tuned = stage(**BLENDED, blend_from=("few",))
        part = WHOLE.model_copy(update={"pretrain": tuned, "finetune": tuned})
        settings = TWO.model_copy(update={"automatic": part})
        assert "'automatic network, pre-training'" in self.refused([folder, few], tmp_path / "m", settings)

    def test_a_set_without_lesions(self, folder: Path, tmp_path: Path) -> None:
        free = write_blobs(tmp_path / "free", seed=5, count=8)
        for path in (free / "masks").iterdir():
            Image.fromarray(np.zeros_like(Image.open(path))).save(path)
        settings = tiny(pretrain=stage(**BLENDED, blend_from=("free",)))
        assert "no lesion of free" in self.refused([folder, free], tmp_path / "m", settings)

    def test_no_set_has_a_weight(self, folder: Path, tmp_path: Path) -> None:
        settings = tiny(pretrain=stage(set_weights={"blobs": 0.0}))
        reason = self.refused([folder], tmp_path / "m", settings)
        assert reason == "The stage 'automatic network, pre-training' has no picture to learn from."

    def test_a_later_network_is_looked_at_first(self, folder: Path, tmp_path: Path) -> None:
        """The network for calipers learns after the automatic one."""
        few = write_blobs(tmp_path / "few", seed=5, count=8)
        assert TWO.prompted is not None
        unweighed = FINETUNE.model_copy(update={"set_weights": {"blobs": 0.0, "few": 0.0}})
        settings = TWO.model_copy(update={"prompted": TWO.prompted.model_copy(update={"finetune": unweighed})})
        reason = self.refused([folder, few], tmp_path / "m", settings)
        assert reason == "The stage 'prompted network, fold 1 of 2' has no lesion to learn from."

    def test_in_a_dry_run(self, folder: Path, tmp_path: Path) -> None:
        config = write_settings(tiny(pretrain=stage(**BLENDED, blend_from=("BUS1",))), tmp_path / "tiny.yaml")
        words = ["train", str(folder), "-o", str(tmp_path / "m"), "--config", str(config), "--dry-run"]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2
        assert "learns from no lesion of BUS1" in done.stderr


class TestNotRefused:
    def test_a_stage_without_epochs(self, folder: Path, tmp_path: Path) -> None:
        settings = tiny(pretrain=SHORT, finetune=stage(**BLENDED, blend_from=("BUS1",), epochs=0))
        assert train(TrainingRequest([folder], tmp_path / "m", settings))

    def test_sets_that_the_settings_name_beyond_the_data(self, item: Picture) -> None:
        """One set of settings serves many data: a share of a set that is not there is never drawn."""
        for share in ({"AUL": 1.0}, {"blobs": 0.0}, {}):
            check_sources("s", [item], WHOLE, stage(blend_share=share, blend_from=("BUS1",)))
        unseen = stage(**BLENDED, blend_from=("BUS1",), set_weights={"blobs": 0.0})
        check_sources("s", [item, replace(item, source="seen")], WHOLE, unseen)

    def test_donors_that_are_not_drawn_themselves(self, item: Picture) -> None:
        weights = {"blobs": 1.0, "given": 0.0}
        check_sources("s", [item, replace(item, source="given")], WHOLE, stage(
            **BLENDED, blend_from=("given",), set_weights=weights
        ))  # fmt: skip

    def test_a_network_for_calipers_blends_nothing(self, item: Picture) -> None:
        check_sources("s", [item], ALONE, stage(**BLENDED, blend_from=("BUS1",)))
        free = replace(item, axes=())
        check_sources("s", [free], WHOLE, SHORT)
        with pytest.raises(ConfigError, match="has no lesion to learn from"):
            check_sources("s", [free], ALONE, SHORT)

    def test_pictures_without_any_lesion_cannot_be_blended_into(self, item: Picture) -> None:
        with pytest.raises(ConfigError, match="no lesion in any set"):
            check_sources("s", [replace(item, axes=())], WHOLE, stage(**BLENDED))
