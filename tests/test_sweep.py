"""Trainings over a grid: every combination once, a table, killed ones go on, learning curves."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ConfigError, OutputError
from lesion_measure.files.locks import holding
from lesion_measure.lab.datasets import load_all
from lesion_measure.lab.datasets.splits import first_groups
from lesion_measure.lab.training import sweep as sweeping
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


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each training ends at once."""
    monkeypatch.setattr(sweeping, "_train", lambda *_: 0)


@pytest.mark.usefixtures("trained")
class TestAnotherSweep:
    """Finished runs of other data, on another device or of other settings are not taken for those asked for."""

    def config(self, path: Path, rate: float) -> Path:
        return write_settings(tiny(pretrain=Stage(epochs=1, learning_rate=rate)), path)

    def test_of_other_data_device_or_settings(self, folder: Path, tmp_path: Path) -> None:
        config, out, grid = self.config(tmp_path / "a.yaml", 0.001), tmp_path / "s", {"seed": [1]}
        other = shutil.copytree(folder, tmp_path / "other")
        sweep(SweepRequest([folder], out, config, grid, more=("--device", "cpu")), print)
        with pytest.raises(ConfigError, match="differs in data"):
            sweep(SweepRequest([other], out, config, grid, more=("--device", "cpu")), print)
        moved = shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
        assert sweep(SweepRequest([moved], out, config, grid, more=("--device", "cpu")), print) == 0
        (moved / ".git").mkdir()
        (moved / ".git/index").write_bytes(b"what git notes of these files")
        assert sweep(SweepRequest([moved], out, config, grid, more=("--device", "cpu")), print) == 0
        with pytest.raises(ConfigError, match="differs in data"):  # of one name, and one of them is new
            sweep(SweepRequest([folder, moved], out, config, grid, more=("--device", "cpu")), print)
        (moved / "masks/p1.png").write_bytes((moved / "masks/p2.png").read_bytes())
        with pytest.raises(ConfigError, match="differs in data"):
            sweep(SweepRequest([moved], out, config, grid, more=("--device", "cpu")), print)
        with pytest.raises(ConfigError, match="differs in further words"):
            sweep(SweepRequest([folder], out, config, grid, more=("--device", "cuda")), print)
        self.config(config, 0.002)
        with pytest.raises(ConfigError, match=r"differs in settings\."):
            sweep(SweepRequest([folder], out, config, grid, more=("--device", "cpu")), print)

    def test_one_that_is_at_work_or_left_a_training(self, folder: Path, tmp_path: Path) -> None:
        request = SweepRequest([folder], tmp_path / "s", self.config(tmp_path / "a.yaml", 0.001), {"seed": [1, 2]})
        for busy in (request.out, request.out / "run-002.work/automatic"):
            busy.mkdir(parents=True)
            with holding(busy), pytest.raises(OutputError, match=f"process {os.getpid()}") as refused:
                sweep(request, print)
            assert not (request.out / "sweep.csv").exists()
        assert "end that process" in refused.value.remedy
        assert sweep(request, print) == 0

    def test_one_that_was_killed_while_its_training_still_loads(self, folder: Path, tmp_path: Path) -> None:
        config = write_settings(tiny(), tmp_path / "a.yaml")
        out = tmp_path / "s"
        words = ["sweep", str(folder), "-o", str(out), "--config", str(config), "--grid", "seed=[1]"]
        killed = subprocess.Popen([sys.executable, "-m", "lesion_measure", *words])
        until = time.monotonic() + 120
        while not (left := processes_of(out / "run-001")):
            assert time.monotonic() < until
            time.sleep(0.01)
        for pid in left:
            os.kill(pid, signal.SIGSTOP)
        killed.kill()
        killed.wait()
        try:
            assert not (out / "run-001.work").exists()  # it holds nothing yet
            refused = CliRunner().invoke(app, words)
        finally:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        assert refused.exit_code == 4
        assert "is just starting" in refused.stderr
        assert "again in a minute" in refused.stderr

    def test_the_same_one_goes_on(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where its folders are written in another way."""
        config, out, grid = self.config(tmp_path / "a.yaml", 0.001), tmp_path / "s", {"seed": [1]}
        sweep(SweepRequest([folder], out, config, grid), print)
        monkeypatch.chdir(folder.parent)
        assert sweep(SweepRequest([Path(folder.name)], out, config, grid), print) == 0


def processes_of(out: Path) -> list[int]:
    """The processes that train into a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if "\0train\0" in (words := path.read_text()) and f"\0{out}\0" in words:
                found.append(int(path.parent.name))
    return found


@pytest.mark.usefixtures("trained")
def test_one_run_at_a_time_writes_the_table(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, write = threading.Semaphore(0), [0], sweeping._write_table

    def slow(*given: Any) -> None:
        inside.release()
        time.sleep(0.02)
        most.append(inside._value)
        write(*given)
        inside.acquire()

    monkeypatch.setattr(sweeping, "_write_table", slow)
    assert sweep(SweepRequest([folder], tmp_path / "s", None, {"seed": list(range(6))}, jobs=3), print) == 0
    assert max(most) == 1
    assert len(list(csv.DictReader((tmp_path / "s/sweep.csv").open()))) == 6


def test_the_table_tells_of_the_last_stage(tmp_path: Path) -> None:
    """That of what is shipped: training goes on after fine-tuning where settings say so, and folds are not shipped."""
    stage = Stage(epochs=1)
    settings = tiny(pretrain=stage, finetune=stage, longer=(stage, stage))
    (tmp_path / "run-001").mkdir()
    work = tmp_path / "run-001.work/automatic"
    work.mkdir(parents=True)
    for loss, file in enumerate(["pretrain", "finetune", "fold-1", "longer", "longer-2"]):
        (work / f"{file}.csv").write_text(f"automatic_dice,prompted_dice,loss\n,,{loss}\n")
        if file != "fold-1":
            assert sweeping._measured(tmp_path, "run-001", settings) == {"loss": str(loss)}


def test_too_many_runs(folder: Path, tmp_path: Path) -> None:
    grid = {"seed": range(1001)}
    with pytest.raises(ConfigError, match="1001 runs"):
        sweep(SweepRequest([folder], tmp_path / "s", None, grid), print)


def test_more_groups_hold_the_fewer(folder: Path) -> None:
    pictures = load_all([folder])
    taken = [{item.name for item in first_groups(pictures, most, {}, seed=3)} for most in (2, 5, 10, 99)]
    assert [len(names) for names in taken] == [4, 10, 20, 20]
    assert taken[0] < taken[1] < taken[2] == taken[3]
    assert {item.name for item in first_groups(pictures, 2, {}, seed=4)} != taken[0]


def test_few_groups_hold_each_kind_by_its_share_and_other_sets_stay_whole(folder: Path) -> None:
    one = load_all([folder])[0]
    kinds = ["benign"] * 12 + ["malignant"] * 36 + ["normal"] * 12
    rows = [replace(one, source="A", name=f"{i}", group=f"a{i}", kind=kind) for i, kind in enumerate(kinds)]
    rows += [replace(one, source="B", name=f"{i}", group=f"b{i}") for i in range(9)]
    for most in (5, 10, 20):
        taken = first_groups(rows, None, {"A": most}, seed=1)
        assert Counter(item.source for item in taken) == {"A": most, "B": 9}
        counts = Counter(item.kind for item in taken if item.source == "A")
        assert all(abs(counts[kind] - most * kinds.count(kind) / 60) <= 1 for kind in set(kinds))
    assert Counter(item.source for item in first_groups(rows, 4, {"A": 7}, seed=1)) == {"A": 7, "B": 4}
