"""``train --dry-run``: what would be trained on, its samples as pictures, its time; nothing is trained."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.lab.training import TrainingRequest, train
from lesion_measure.lab.training.dry_run import sheet_of_samples
from lesion_measure.lab.training.samples import Sample, make_sampler
from tiny_training import TINY, TWO, tiny, write_blobs, write_settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_tells_and_shows_and_trains_nothing(folder: Path, tmp_path: Path) -> None:
    settings = write_settings(TWO.model_copy(update={"split": TINY.split}), tmp_path / "two.yaml")
    words = ["train", str(folder), "-o", str(tmp_path / "m"), "--config", str(settings), "--dry-run"]
    done = CliRunner().invoke(app, [*words, "--set", "automatic.pretrain.size=32"])
    assert done.exit_code == 0, done.output
    assert "| blobs " in done.stderr
    for line in (
        r"automatic network, pre-training: 48 samples of 32 x 32, \d+ ms each, less than a minute",
        r"automatic network, fine-tuning: 32 samples of 48 x 48",
        r"prompted network, pre-training: 48 samples of 48 x 48",
        r"Training: less than a minute on cpu",
        r"Memory: \d+\.\d GB a process at most",
        r"Nothing was trained\.",
    ):
        assert re.search(line, done.stdout), line
    assert set(files(tmp_path)) == {
        "two.yaml", "m.work/pictures/blobs.png", "m.work/samples/automatic.png", "m.work/samples/prompted.png",
    }  # fmt: skip
    assert Image.open(tmp_path / "m.work/samples/automatic.png").size == (6 * 52 + 4, 4 * 52 + 4)


def test_an_earlier_training_is_left_as_it_is(folder: Path, tmp_path: Path) -> None:
    settings = write_settings(TINY, tmp_path / "tiny.yaml")
    train(TrainingRequest([folder], tmp_path / "m", TINY, only="automatic"))
    before = files(tmp_path / "m.work/automatic")
    words = ["train", str(folder), "-o", str(tmp_path / "m"), "--config", str(settings), "--dry-run"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert files(tmp_path / "m.work/automatic") == before
    train(TrainingRequest([folder], tmp_path / "m", TINY, only="automatic", resume=True))


def test_what_the_training_would_not_replace_is_told(folder: Path, tmp_path: Path) -> None:
    settings, out = write_settings(TINY, tmp_path / "tiny.yaml"), tmp_path / "m"
    (out / "configs").mkdir(parents=True)
    (out / "configs/metadata.json").write_text("{}")
    words = ["train", str(folder), "-o", str(out), "--config", str(settings), "--dry-run"]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code
    assert "a model here already" in refused.stderr
    assert CliRunner().invoke(app, [*words, "--overwrite"]).exit_code == 0
    (out / "configs/metadata.json").rename(out / "notes")
    refused = CliRunner().invoke(app, [*words, "--overwrite"])
    assert refused.exit_code
    assert "no model bundle" in refused.stderr


def test_the_sheet_shows_the_samples_of_the_first_epoch(folder: Path) -> None:
    """Each tile has the sample's greys; its outline is where the target changes, its calipers are red."""
    from lesion_measure.lab.datasets import load_all

    part = tiny(prompted_share=1.0).automatic
    sampler = make_sampler(load_all([folder]), part, part.pretrain, 4)
    samples = [sampler.sample(0, index) for index in range(7)]
    sheet = np.asarray(sheet_of_samples(samples))
    assert sheet.shape == (2 * 52 + 4, 6 * 52 + 4, 3)
    tile = sheet[4 + 52 : 4 + 52 + 48, 4 : 4 + 48].astype(int)
    last: Sample = samples[6]
    lesion, prompt = last.target.numpy() >= 0.5, last.inputs[1].numpy()
    yellow = (tile == (255, 214, 10)).all(axis=-1)
    assert 0 < yellow.sum() < lesion.sum()
    assert lesion[yellow].all()
    plain = ~yellow & (prompt < 1e-3)
    expected = np.clip((last.inputs[0].numpy() / 2.5 + 1) * 127.5, 0, 255)
    np.testing.assert_allclose(tile[plain, 0], expected[plain], atol=1)
    red = tile[..., 0] - tile[..., 1]
    assert red[(prompt > 0.9) & ~yellow].min() > 100
