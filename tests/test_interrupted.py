"""Ctrl-C of a command in a process of its own, and a second process that writes into the same folder."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from commands import commands
from lesion_measure.cli.exits import interruptible
from lesion_measure.files.locks import LOCK
from test_cli import lesion_measure

PROJECT = Path(__file__).parent.parent
BEGIN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""Ctrl-C works even where the tests run in the background, where a shell turns it off."""
WAITING = """
import sys, time
import lesion_measure.{module} as module
def wait(*_, **__):
    print("begun", flush=True)
    time.sleep(60)
module.{function} = wait
"""


def started(*words: object, before: str = "") -> subprocess.Popen[str]:
    """A command in a process of its own, after some Python lines."""
    code = f"{BEGIN}\n{before}\nfrom lesion_measure.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def stopped(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and standard error after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def simulating(out: Path) -> subprocess.Popen[str]:
    """A simulation of more children than a test waits for, some images of which are written."""
    process = started("simulate", out, "--subjects", 500, "--seed", 1)
    until = time.monotonic() + 60
    while not list(out.glob("dicom/*/*/*.dcm")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


def test_simulate_says_how_to_go_on_and_does(tmp_path: Path) -> None:
    out = tmp_path / "trial"
    assert stopped(simulating(out)) == (
        130,
        "lesion-measure: Interrupted. The simulation is not whole; the same command with --overwrite begins anew.\n",
    )
    assert [entry.name for entry in out.iterdir()] == ["dicom"]
    words = ("simulate", out, "--subjects", 1, "--seed", 1)
    assert lesion_measure(*words)[0] == 2
    assert lesion_measure(*words, "--overwrite")[0] == 0
    assert [child.name for child in (out / "dicom").iterdir()] == ["SIM-001"]


def test_a_second_simulation_of_the_same_folder_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    first = simulating(tmp_path)
    try:
        (image,) = list(tmp_path.glob("dicom/*/*/*.dcm"))[:1]
        before = image.read_bytes()
        code, _, err = lesion_measure("simulate", tmp_path, "--subjects", 1, "--seed", 2, "--overwrite")
        assert code == 4
        assert f"Another lesion-measure writes into this folder (process {first.pid} on " in err
        assert image.read_bytes() == before
        assert (tmp_path / LOCK).is_file()
    finally:
        stopped(first)
    assert not (tmp_path / LOCK).exists()


def test_a_simulation_that_was_killed_leaves_a_lock_that_holds_nobody_up(tmp_path: Path) -> None:
    first = simulating(tmp_path)
    first.kill()
    first.communicate()
    assert (tmp_path / LOCK).is_file()
    assert lesion_measure("simulate", tmp_path, "--subjects", 1, "--seed", 1, "--overwrite")[0] == 0
    assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize(
    ("words", "module", "function", "kept"),
    [
        (
            ("inspect", "sample_dicoms"),
            "job.inventory",
            "take_inventory",
            "Nothing of it is kept; the same command begins",
        ),
        (
            ("cohort", "."),
            "cohort.command",
            "run_cohort",
            "The run's results are as they were; the same command begins",
        ),
        (("run", "sample_dicoms", "-o", "OUT"), "pipeline", "run", "0 of 0 images were measured; nothing is kept, and"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_other_commands_that_take_long_do_so(
    tmp_path: Path, words: tuple[str, ...], module: str, function: str, kept: str
) -> None:
    placed = [word.replace("OUT", str(tmp_path / "out")) for word in words]
    process = started(*placed, before=WAITING.format(module=module, function=function))
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    code, err = stopped(process)
    assert (code, err.count("\n")) == (130, 1)
    assert err.startswith(f"lesion-measure: Interrupted. {kept}")


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_ended_in_the_same_place(name: str) -> None:
    command = commands()[name]
    assert command.callback.__wrapped__.__code__ is interruptible(typer.echo, "").__code__  # typer wraps it once more


def test_of_the_processes_of_torchrun_the_first_alone_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lesion_measure.job.inventory.take_inventory", interrupt)
    for rank, words in (("0", "lesion-measure: Interrupted."), ("1", "")):
        monkeypatch.setenv("RANK", rank)
        code, _, err = lesion_measure("inspect", PROJECT / "sample_dicoms")
        assert code == 130
        assert err.startswith(words)
        assert bool(err) is bool(words)
