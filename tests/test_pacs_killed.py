"""SIGKILL in the middle, of our program and of the PACS: the same command finishes, nothing is lost, nothing twice."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lesion_measure.dicom.whole import check_whole
from lesion_measure.pacs.content import content_sha256
from orthanc import Orthanc, started
from pacs_objects import settings_file, study, study_uid

COUNT = 30


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Orthanc]:
    """A PACS of one's own, which may be killed."""
    folder = tmp_path / "pacs"
    folder.mkdir()
    with started(folder) as running:
        yield running


def _begun(server: Orthanc, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lesion_measure", "pacs", *map(str, arguments)]
    return subprocess.Popen(server.argv(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _when(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Let the work go on in short steps until it is in its middle.

    The process stands still while one looks: on a quick machine the rest would otherwise be done too soon.
    """
    until = time.monotonic() + 60
    while not there():
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGCONT)


def _numbers(text: str) -> tuple[int, int]:
    """Objects that were done, and that were there."""
    found = re.search(r"Objects +(\d+) \D+(\d+) were there", text)
    assert found, text
    return int(found.group(1)), int(found.group(2))


def _new_instances(server: Orthanc) -> int:
    """How often the PACS took an object as a new one."""
    changes = server.rest("/changes?limit=10000")["Changes"]
    return sum(change["ChangeType"] == "NewInstance" for change in changes)


def _contents(folder: Path) -> dict[str, str]:
    wholes = {file: check_whole(file) for file in folder.rglob("*.dcm")}
    return {whole.sop_instance_uid: content_sha256(file, whole) for file, whole in wholes.items()}


@pytest.mark.parametrize("way", ["dicomweb", "dimse"])
def test_our_push_is_killed(server: Orthanc, tmp_path: Path, way: str) -> None:
    sent = study(tmp_path, "KILLED", count=COUNT)
    words = ("push", sent, "--by", way, "--pacs", settings_file(tmp_path))
    for least in (4, 12):
        process = _begun(server, *words)
        _when(lambda least=least: len(server.instances()) >= least, process)  # type: ignore[misc]
        process.kill()
        process.communicate()
    before = len(server.instances())
    assert before < COUNT
    done = server.lesion_measure("pacs", *words)
    assert done.returncode == 0, done.stderr
    assert _numbers(done.stdout) == (COUNT - before, before)
    assert server.instances(study_uid("KILLED")) == sorted(_contents(sent))
    assert _new_instances(server) == COUNT


@pytest.mark.parametrize("way", ["dicomweb", "dimse"])
def test_the_pacs_is_killed_in_a_push(server: Orthanc, tmp_path: Path, way: str) -> None:
    sent = study(tmp_path, "LOST", count=COUNT)
    pacs = settings_file(tmp_path)
    journal = tmp_path / "pushed.jsonl"
    words = ("push", sent, "--by", way, "--pacs", pacs, "--journal", journal)
    process = _begun(server, *words)
    _when(lambda: len(server.instances()) >= 8, process)
    server.kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "cannot be reached" in err
    told = journal.read_text(encoding="utf-8").count("\n")
    assert 0 < told < COUNT
    server.start()
    stored = server.instances()
    assert told <= len(stored) < COUNT  # what was told to be stored is
    done = server.lesion_measure("pacs", *words)
    assert done.returncode == 0, done.stderr
    assert _numbers(done.stdout) == (COUNT - len(stored), len(stored))
    again = server.lesion_measure("pacs", "pull", "PatientID=LOST", "-o", tmp_path / "scans", "--pacs", pacs)
    assert again.returncode == 0
    assert _contents(tmp_path / "scans") == _contents(sent)


def test_our_pull_is_killed_and_then_the_pacs(server: Orthanc, tmp_path: Path) -> None:
    sent = study(tmp_path, "PULLED", count=COUNT)
    for file in sorted(sent.rglob("*.dcm")):
        server.store(file)
    scans = tmp_path / "scans"
    words = ("pull", "PatientID=PULLED", "-o", scans, "--pacs", settings_file(tmp_path))
    process = _begun(server, *words)
    _when(lambda: len(list(scans.glob("*/*.dcm"))) >= 5, process)
    process.kill()
    process.communicate()
    process = _begun(server, *words)
    _when(lambda: len(list(scans.glob("*/*.dcm"))) >= 12, process)
    server.kill()
    assert process.wait(60) == 4
    process.communicate()
    there = len(list(scans.glob("*/*.dcm")))
    assert there < COUNT
    server.start()
    done = server.lesion_measure("pacs", *words)
    assert done.returncode == 0, done.stderr
    assert _numbers(done.stdout) == (COUNT - there, there)
    assert _contents(scans) == _contents(sent)
    assert not list(scans.rglob("*.partial"))
