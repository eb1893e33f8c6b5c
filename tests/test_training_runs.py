"""How a training runs: its curves, its progress, several processes, kills, Ctrl-C, and the smoke configuration."""

from __future__ import annotations

import csv
import signal
import struct
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboardX.proto.event_pb2 import Event
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import ConfigError, InputError, ModelError
from lesion_measure.lab.durations import duration
from lesion_measure.lab.training import TrainingRequest, TrainSettings, curves, run, train
from lesion_measure.lab.training.curves import Curves
from lesion_measure.lab.training.progress import Meter, Planned, Standing, plan_of
from lesion_measure.lab.training.settings import Split, Stage
from lesion_measure.lab.training.team import Team
from lesion_measure.network import Segmenter
from lesion_measure.network.bundle import read_bundle
from lesion_measure.network.definition import NetworkDefinition
from tiny_training import TINY, TWO, tiny, write_blobs, write_settings

CPU = torch.device("cpu")


class StopError(Exception):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("data") / "blobs")


def checkpoint(work: Path, stage: str) -> dict[str, object]:
    return torch.load(work / f"automatic/{stage}.pt", weights_only=True)


def same(one: object, other: object) -> bool:
    """Whether two checkpoints hold the same numbers, bit by bit; the seconds that the epochs took do not count."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one if key != "seconds")
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


class TestProgress:
    PLAN = (
        Planned("a1", "a", "pretrain", 100, 50, 64),
        Planned("a2", "a", "finetune", 50, 50, 64),
        Planned("b1", "b", "pretrain", 80, 20, 32),
    )

    def meter(self) -> tuple[Meter, list[str], list[Standing], list[float]]:
        said, told, now = [], [], [0.0]
        return Meter(self.PLAN, said.append, told.append, clock=lambda: now[0]), said, told, now

    def test_the_time_left_is_that_of_all_stages(self) -> None:
        """2 s a sample on the grid of 64, so 1 s on that of 32 until it is measured: 3 s."""
        meter, said, told, now = self.meter()
        meter.begin("a1", [])
        assert told[-1] == Standing("a1", 0.0, None)
        now[0] = 20
        meter.step(10)
        assert told[-1].left_s == pytest.approx(140 * 2 + 80 * 1)
        meter.step(40)
        meter.epoch("epoch 1", seconds=100)
        assert told[-1].left_s == pytest.approx(100 * 2 + 80 * 1)
        assert told[-1].done == pytest.approx(100 / 380)
        assert said == ["epoch 1; 26 % of the training, about 5 min left"]
        meter.end()  # stopped early: the other 50 samples are not needed
        meter.begin("a2", [])
        assert told[-1].left_s == pytest.approx(50 * 2 + 80 * 1)
        meter.end()
        meter.begin("b1", [])
        now[0] += 60
        meter.step(20)
        assert told[-1].left_s == pytest.approx(60 * 3)
        meter.epoch("epoch 1", seconds=60)
        meter.end()
        assert told[-1] == Standing("b1", 1.0, 0.0)
        assert told[-1].left == ""

    def test_a_resumed_training_knows_at_once(self) -> None:
        meter, _, told, _ = self.meter()
        meter.begin("a1", [100.0])
        assert told[-1].left_s == pytest.approx(100 * 2 + 80 * 1)

    def test_what_another_process_finished_is_not_counted_again(self) -> None:
        """3 s a sample on the grid of 32, so 6 s on that of 64."""
        meter, _, told, _ = self.meter()
        meter.recall("b1", [60.0] * 4)
        meter.recall("a1", [])
        meter.begin("a1", [])
        assert told[-1].left_s == pytest.approx(150 * 6)
        meter.end()
        meter.begin("a2", [])
        meter.end()
        meter.begin("b1", [60.0] * 4)
        assert told[-1] == Standing("b1", 1.0, 0.0)

    def test_a_machine_that_became_slower_is_noticed(self) -> None:
        meter, _, told, _ = self.meter()
        meter.begin("a1", [50.0])
        meter.step(50)
        meter.epoch("epoch 2", seconds=150)
        assert told[-1].left_s == pytest.approx((50 + 80 / 2) * (1 + 0.3 * 2))

    def test_the_plan_has_every_stage(self) -> None:
        plan = plan_of(TWO, folds=2, only=None)
        assert [stage.name for stage in plan[:4]] == [
            "automatic network, pre-training",
            "automatic network, fold 1 of 2",
            "automatic network, fold 2 of 2",
            "automatic network, fine-tuning",
        ]
        assert [stage.samples for stage in plan] == [48, 32, 32, 32] * 2
        assert plan_of(TWO, folds=2, only="prompted") == plan[4:]

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (20, "less than a minute"),
            (61, "about 1 min"),
            (59 * 60, "about 59 min"),
            (3 * 3600 + 8 * 60, "about 3 h 10 min"),
            (3599.9, "about 1 h"),
            (26.2 * 3600, "about 1 d 2 h"),
            (48 * 3600, "about 2 d"),
        ],
    )
    def test_a_duration_in_words(self, seconds: float, words: str) -> None:
        assert duration(seconds) == words


def events(path: Path) -> list[tuple[int, str, float]]:
    """Step, tag and value of every scalar of an event file: TFRecord frames of protocol buffers."""
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        event = Event.FromString(data[place + 12 : place + 12 + length])
        found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        place += 12 + length + 4
    return found


def rows(count: int) -> list[dict[str, str]]:
    return [
        {
            "epoch": str(n),
            "loss": f"{2 / n:.5f}",
            "automatic_dice": f"{n / 10:.4f}" if n % 2 == 0 else "",
            "prompted_dice": "",
            "learning_rate": "1.000e-03",
            "seconds": "1.0",
        }
        for n in range(1, count + 1)
    ]


class TestCurves:
    def test_table_picture_and_events_hold_every_epoch_once(self, tmp_path: Path) -> None:
        stage = tmp_path / "pretrain.pt"
        with Curves(stage, "a stage", []) as first:
            first.show(rows(1))
            first.show(rows(2))
        before = np.asarray(Image.open(tmp_path / "pretrain.png").convert("L"))
        with Curves(stage, "a stage", rows(2)) as resumed:
            resumed.show(rows(3))
            resumed.show(rows(4), last=True)
        assert list(csv.DictReader((tmp_path / "pretrain.csv").open())) == rows(4)
        after = np.asarray(Image.open(tmp_path / "pretrain.png").convert("L"))
        assert after.shape == before.shape
        assert (after != before).mean() > 0.005
        (file,) = (tmp_path / "pretrain").glob("events.out.tfevents.*")
        found = events(file)
        assert [step for step, tag, _ in found if tag == "loss"] == [1, 2, 3, 4]
        dice = [(step, round(value, 4)) for step, tag, value in found if tag == "dice/automatic"]
        assert dice == [(2, 0.2), (4, 0.4)]
        assert not any(tag == "dice/prompted" for _, tag, _ in found)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["pretrain", "pretrain.csv", "pretrain.png"]

    def test_without_the_writer_it_is_said_once(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "tensorboardX", None)  # type: ignore[arg-type]
        monkeypatch.setattr(curves.importlib.util, "find_spec", lambda name: None)
        said: list[str] = []
        train(
            TrainingRequest([folder], tmp_path / "m", TWO.model_copy(update={"split": TINY.split}), only="automatic"),
            progress=said.append,
        )
        assert said.count(curves.MISSING) == 1
        kept = {path.name for path in (tmp_path / "m.work/automatic").iterdir()}
        assert kept == {f"{stage}.{end}" for stage in ("pretrain", "finetune") for end in ("pt", "csv", "png")}


class TestTeam:
    def test_each_sample_has_one_process_and_the_same_weight(self) -> None:
        """The mean over processes of the weighted means of their parts is the mean of the batch."""
        losses = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])
        teams = [Team(CPU, rank, 3) for rank in range(3)]
        parts = [list(team.own(range(7))) for team in teams]
        assert sorted(index for part in parts for index in part) == list(range(7))
        shared = [team.weight(7) * losses[part].mean() for team, part in zip(teams, parts, strict=True)]
        assert np.mean(shared) == pytest.approx(losses.mean())
        assert Team(CPU).weight(7) == 1.0

    @pytest.mark.parametrize(("device", "error"), [("mps", ConfigError), ("cuda:99", ModelError), ("tpu", ConfigError)])
    def test_a_device_that_cannot_be_used(self, folder: Path, tmp_path: Path, device: str, error: type) -> None:
        with pytest.raises(error):
            train(TrainingRequest([folder], tmp_path / "m", TINY, device=device))

    def test_two_processes_learn_what_one_learns(self, folder: Path, tmp_path: Path, project_dir: Path) -> None:
        """Batches of 3, so that the two have unequal parts. Without batch normalisation nothing else differs."""
        stage = Stage(epochs=3, samples_per_epoch=12, batch_size=3)
        settings = tiny(
            network=NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1, norm="INSTANCE"),
            pretrain=stage,
        ).model_copy(update={"validate_every": 1})
        train(TrainingRequest([folder], tmp_path / "one", settings, only="automatic"))
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
        command += ["-m", "lesion_measure", "train", str(folder), "-o", str(tmp_path / "two"), "--config"]
        command += [str(write_settings(settings, tmp_path / "tiny.yaml"))]
        done = subprocess.run(command, cwd=project_dir, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("New model") == 1
        assert done.stderr.count("epoch 3/3") == 1
        assert Segmenter.from_bundle(tmp_path / "two").sha256
        one, two = (checkpoint(tmp_path / f"{name}.work", "pretrain") for name in ("one", "two"))
        assert one["identity"] == two["identity"]
        for mine, theirs in zip(one["rows"], two["rows"], strict=True):
            assert float(theirs["loss"]) == pytest.approx(float(mine["loss"]), rel=1e-4)
            assert float(theirs["prompted_dice"]) == pytest.approx(float(mine["prompted_dice"]), abs=2e-3)

    def test_more_processes_than_samples_of_a_batch(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run, "gathered", lambda device: nullcontext(Team(CPU, 0, 5)))
        with pytest.raises(ConfigError, match="4 samples cannot be shared by 5 processes"):
            train(TrainingRequest([folder], tmp_path / "m", TINY))


class TestInterruption:
    def command(self, folder: Path, out: Path, config: Path, *more: str) -> list[str]:
        """The command in a process whose Ctrl-C works even where the tests run in the background."""
        start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        code = f"{start}; from lesion_measure.cli import main; main()"
        words = ["train", str(folder), "-o", str(out), "--config", str(config), "--only", "automatic", *more]
        return [sys.executable, "-c", code, *words]

    def stop_after(
        self, command: list[str], line: str, log: Path, how: signal.Signals, project: Path
    ) -> tuple[int, str]:
        """Send a signal in the middle of the epoch after the one that ``line`` reports; ``log`` has its seconds."""
        said = []
        process = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        for text in process.stderr:
            said.append(text)
            if line in text:
                time.sleep(0.4 * curves.logged_seconds(log)[-1])
                process.send_signal(how)
                break
        else:
            pytest.fail("".join(said))
        rest = process.stderr.read()
        return process.wait(timeout=60), rest

    def test_ctrl_c_then_a_kill_and_the_weights_are_the_same(
        self, folder: Path, tmp_path: Path, project_dir: Path
    ) -> None:
        slow = Stage(epochs=3, samples_per_epoch=128, batch_size=8)
        settings = tiny(pretrain=slow, finetune=slow).model_copy(update={"validate_every": 1})
        config = write_settings(settings, tmp_path / "tiny.yaml")
        killed, work = tmp_path / "killed", tmp_path / "killed.work"
        command = self.command(folder, killed, config)
        log = work / "automatic/pretrain.pt"
        code, rest = self.stop_after(command, "pre-training, epoch 1/3", log, signal.SIGINT, project_dir)
        assert code == 130
        assert "--resume goes on" in rest
        assert "Traceback" not in rest
        assert checkpoint(work, "pretrain")["epoch"] in (1, 2)
        command, log = [*command, "--resume"], work / "automatic/finetune.pt"
        code, _ = self.stop_after(command, "fine-tuning, epoch 1/3", log, signal.SIGKILL, project_dir)
        assert code == -signal.SIGKILL
        assert checkpoint(work, "finetune")["epoch"] in (1, 2)
        train(TrainingRequest([folder], killed, settings, resume=True, only="automatic"))
        train(TrainingRequest([folder], tmp_path / "through", settings, only="automatic"))
        for stage in ("pretrain", "finetune"):
            mine, theirs = (checkpoint(tmp_path / f"{name}.work", stage) for name in ("killed", "through"))
            assert mine["epoch"] == 3
            assert same(mine, theirs)

    def test_any_order_of_kills_and_new_beginnings(self, folder: Path, tmp_path: Path) -> None:
        """Killed in every stage of both networks, begun anew in between, one network alone: the same weights."""
        others = write_blobs(tmp_path / "few", seed=5, count=8)
        data, killed = [folder, others], tmp_path / "killed"

        def go(stop: str = "", **how: object) -> bool:
            def kill(message: str) -> None:
                if stop and stop in message:
                    raise StopError

            request = TrainingRequest(data, killed, TWO, **how)  # type: ignore[arg-type]
            if not stop:
                return train(request, progress=kill)
            with pytest.raises(StopError):
                train(request, progress=kill)
            return False

        go("automatic network, fold 1 of 2, epoch 1/2")
        go("automatic network, pre-training, epoch 2/3", overwrite=True)
        go("automatic network, fold 2 of 2, epoch 2/2", resume=True)
        go("prompted network, pre-training, epoch 1/3", resume=True, only="prompted")
        go("automatic network, fine-tuning, epoch 1/2", resume=True)
        go("prompted network, fold 1 of 2, epoch 2/2", resume=True, only="prompted")
        go("measuring on", resume=True)
        assert go(resume=True)
        assert train(TrainingRequest(data, tmp_path / "through", TWO))
        assert read_bundle(killed).sha256 == read_bundle(tmp_path / "through").sha256
        for stage in ("pretrain", "fold-1", "fold-2", "finetune"):
            for network in ("automatic", "prompted"):
                paths = [tmp_path / f"{name}.work/{network}/{stage}.pt" for name in ("killed", "through")]
                mine, theirs = (torch.load(path, weights_only=True) for path in paths)
                assert same(mine, theirs), (network, stage)

    def test_every_set_is_cross_validated(self, folder: Path, tmp_path: Path) -> None:
        """Nothing is left for a first stage, which has no epochs then."""
        settings = TWO.model_copy(update={"split": Split(cross_validated=("blobs",), folds=2), "prompted": None})
        part = TINY.automatic.model_copy(update={"finetune": Stage(epochs=1, samples_per_epoch=8, batch_size=4)})
        with pytest.raises(InputError, match="no pictures to train on"):
            train(TrainingRequest([folder], tmp_path / "m", settings.model_copy(update={"automatic": part})))
        part = part.model_copy(update={"pretrain": Stage(epochs=0)})
        assert train(TrainingRequest([folder], tmp_path / "m", settings.model_copy(update={"automatic": part})))
        assert {path.name for path in (tmp_path / "m.work/automatic").glob("*.pt")} >= {"fold-1.pt", "fold-2.pt"}

    def test_dropout_is_resumed_too(self, folder: Path, tmp_path: Path) -> None:
        network = NetworkDefinition(channels=(4, 8, 16), strides=(2, 2), num_res_units=1, dropout=0.3)
        settings = tiny(network=network)

        def kill(message: str) -> None:
            if "epoch 2" in message:
                raise StopError

        with pytest.raises(StopError):
            train(TrainingRequest([folder], tmp_path / "killed", settings, only="automatic"), progress=kill)
        train(TrainingRequest([folder], tmp_path / "killed", settings, only="automatic", resume=True))
        train(TrainingRequest([folder], tmp_path / "through", settings, only="automatic"))
        killed, through = (checkpoint(tmp_path / f"{name}.work", "pretrain") for name in ("killed", "through"))
        assert same(killed, through)

    def test_a_damaged_checkpoint_is_named(self, folder: Path, tmp_path: Path) -> None:
        train(TrainingRequest([folder], tmp_path / "m", TINY, only="automatic"))
        path = tmp_path / "m.work/automatic/pretrain.pt"
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(ConfigError, match="damaged") as caught:
            train(TrainingRequest([folder], tmp_path / "m", TINY, only="automatic", resume=True))
        assert caught.value.path == str(path)

    def test_a_network_that_is_not_there_cannot_be_trained_alone(self, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no prompted network"):
            train(TrainingRequest([folder], tmp_path / "m", TINY, only="prompted"))
        assert not list(tmp_path.iterdir())


class TestConfigurations:
    def test_the_smoke_run_as_the_documentation_has_it(self, folder: Path, tmp_path: Path, project_dir: Path) -> None:
        out = tmp_path / "smoke"
        words = ["train", str(folder), "-o", str(out), "--config", str(project_dir / "configs/smoke.yaml")]
        first = CliRunner().invoke(app, [*words, "--only", "prompted"])
        assert first.exit_code == 0, first.stderr
        assert "The prompted network is trained" in first.stderr
        assert not out.exists()
        done = CliRunner().invoke(app, [*words, "--resume"])
        assert done.exit_code == 0, done.stderr
        assert f"New model: {out}" in done.stdout
        assert "| blobs " in done.stderr
        assert "prompted network, pre-training, epoch" not in done.stderr
        assert "100 % of the training" in done.stderr
        for network in ("automatic", "prompted"):
            for stage in ("pretrain", "finetune"):
                assert (tmp_path / f"smoke.work/{network}/{stage}.png").is_file()
        card = (out / "docs/README.md").read_text()
        assert "blobs" in card
        picture = np.asarray(Image.open(folder / "images/p1.png"))
        assert Segmenter.from_bundle(out).segment(picture).probability.shape == picture.shape

    @pytest.mark.parametrize(("name", "more"), [("train", ["clicked"]), ("smoke", [])])
    def test_the_files_can_be_read(self, project_dir: Path, name: str, more: list[str]) -> None:
        settings = TrainSettings.from_yaml(project_dir / f"configs/{name}.yaml")
        assert [part for part, _ in settings.parts()] == ["automatic", "prompted", *more]
        assert all(part.pretrain.epochs for _, part in settings.parts())
