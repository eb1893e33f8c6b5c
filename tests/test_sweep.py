"""Trainings over a grid: every combination once, a table, killed ones go on, learning curves."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ConfigError
from lesion_measure.lab.datasets import load_all
from lesion_measure.lab.datasets.splits import first_groups
from lesion_measure.lab.training.settings import Stage
from lesion_measure.lab.training.sweep import SweepRequest, sweep
from lesion_measure.network.bundle import read_bundle
from tiny_training import tiny, write_blobs, write_settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


def test_a_grid_is_trained_in_processes(folder: Path, tmp_path: Path) -> None:
    config = write_settings(tiny(pretrain=Stage(epochs=1, samples_per_epoch=4, batch_size=4)), tmp_path / "tiny.yaml")
    words = ["sweep", str(folder), "-o", str(tmp_path / "s"), "--config", str(config), "--grid", "seed=[4, 5]"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((tmp_path / "s/sweep.csv").open()))
    assert [(row["run"], row["seed"]) for row in rows] == [("run-001", "4"), ("run-002", "5")]
    for row in rows:
        curves = list(csv.DictReader((tmp_path / f"s/{row['run']}.work/automatic/pretrain.csv").open()))
        assert {key: row[key] for key in ("loss", "prompted_dice")} == {
            key: curves[-1][key] for key in ("loss", "prompted_dice")
        }
    digests = [read_bundle(tmp_path / f"s/{row['run']}").sha256 for row in rows]
    assert digests[0] != digests[1]
    before = (tmp_path / "s/run-001.log").read_bytes()
    assert CliRunner().invoke(app, words).exit_code == 0  # finished ones are not trained again
    assert (tmp_path / "s/run-001.log").read_bytes() == before
    other = CliRunner().invoke(app, [*words[:-1], "seed=[6]"])
    assert other.exit_code == 2
    assert "holds another sweep" in other.stderr


@pytest.mark.parametrize(
    ("grid", "complaint"),
    [
        ("seed=3", "no list of values"),
        ("seed=[]", "no list of values"),
        ("seed=[1", "not valid YAML"),
        ("seed=[1, -1]", "Setting 'seed'"),
        ("sed=[1]", "did you mean 'seed'?"),
    ],
)
def test_a_grid_that_cannot_be_meant_starts_nothing(grid: str, complaint: str, folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["sweep", str(folder), "-o", str(tmp_path / "s"), "--grid", grid])
    assert done.exit_code == 2
    assert complaint in done.stderr
    assert not (tmp_path / "s").exists()


def test_too_many_runs(folder: Path, tmp_path: Path) -> None:
    grid = {"seed": range(1001)}
    with pytest.raises(ConfigError, match="1001 runs"):
        sweep(SweepRequest([folder], tmp_path / "s", None, grid), print)


def test_more_groups_hold_the_fewer(folder: Path) -> None:
    pictures = load_all([folder])
    taken = [{item.name for item in first_groups(pictures, most, seed=3)} for most in (2, 5, 10, 99)]
    assert [len(names) for names in taken] == [4, 10, 20, 20]
    assert taken[0] < taken[1] < taken[2] == taken[3]
    assert {item.name for item in first_groups(pictures, 2, seed=4)} != taken[0]
