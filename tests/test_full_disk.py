"""Every command that writes, on a real file system that is full, nearly full or read-only.

A tmpfs of 3 MB is mounted where that is allowed (Linux, as root); elsewhere these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lesion_measure.files.locks import LOCK
from test_cli import lesion_measure

PROJECT = Path(__file__).parent.parent
SAMPLES = PROJECT / "sample_dicoms"
CALIPERS = SAMPLES / "calipers.csv"
LEAVINGS = (".partial", ".part", LOCK)

Words = tuple[str, ...]


class Disk:
    """A file system of 3 MB."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def leave(self, free: int) -> None:
        """Fill it up but for so many bytes."""
        usable = os.statvfs(self.root)
        with (self.root / "filling").open("ab") as file:
            file.write(bytes(max(usable.f_bavail * usable.f_frsize - free, 0)))

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.root)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    root = tmp_path / "disk"
    root.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no mount command here")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", root], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    yield Disk(root)
    subprocess.run(["umount", str(root)], check=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of the samples by calipers, whose report is small enough for the disk."""
    out = tmp_path_factory.mktemp("results") / "out"
    assert lesion_measure("run", SAMPLES, "-o", out, "--calipers", CALIPERS)[0] == 3
    for name in ("report.html",):
        (out / name).write_text((out / name).read_text(encoding="utf-8").partition("<main")[0] + "<main></main></html>")
    return out


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of one picture with its mask."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("data") / "set"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rows, cols = np.mgrid[:96, :128]
    mask = np.hypot((rows - 48) / 20, (cols - 60) / 30) < 1
    Image.fromarray(np.where(mask, 60, 120).astype(np.uint8)).save(folder / "images" / "a.png")
    Image.fromarray((255 * mask).astype(np.uint8)).save(folder / "masks" / "a.png")
    (folder / "index.csv").write_text("id,group\na,\n")
    return folder


COMMANDS: dict[str, Words] = {
    "run": ("run", "SAMPLES/SIM-01", "-o", "DISK/out", "--calipers", "CALIPERS"),
    "run with the network": ("run", "SAMPLES/SIM-01", "-o", "DISK/out", "--model", "liver_us_unet"),
    "run with a log": ("run", "SAMPLES/SIM-01", "-o", "TMP/out", "--calipers", "CALIPERS", "--log", "DISK/run.log"),
    "cohort": ("cohort", "DISK/results"),
    "readers": ("readers", "RESULTS", "RESULTS", "-o", "DISK/out"),
    "export": ("export", "DISK/results", "--study", "T1"),
    "report": ("report", "DISK/results", "--pdf"),
    "simulate": ("simulate", "DISK/out", "--subjects", "2", "--seed", "1"),
    "evaluate": ("evaluate", "PICTURES", "-o", "DISK/out"),
    "train": ("train", "-o", "DISK/out", "--config", "smoke"),
}
NEEDS = {"cohort": 1000, "export": 1000, "report": 1000, "readers": 1000}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("free", [0, 40_000, None], ids=["full", "nearly full", "read-only"])
def test_a_disk_that_cannot_be_written_to_is_told_and_nothing_half_written_is_left(
    name: str, free: int | None, disk: Disk, results: Path, pictures: Path, tmp_path: Path
) -> None:
    words = COMMANDS[name]
    if name == "report":
        pytest.importorskip("reportlab")
    if "DISK/results" in words:
        shutil.copytree(results, disk.root / "results")
    before = _state(disk.root)
    if free is None:
        disk.make_read_only()
    else:
        disk.leave(free)
    places = {"DISK": disk.root, "TMP": tmp_path, "RESULTS": results, "PICTURES": pictures, "SAMPLES": SAMPLES}
    code, _, err = lesion_measure(*(_placed(word, places) for word in words))
    if name == "run with a log" and free:
        assert code == 3  # a log has room in 40 kB; other children's calipers have no image
        return
    assert code == 4, err
    said = err.splitlines()[-1]
    assert said.startswith(f"lesion-measure: {disk.root}")
    assert " cannot be written: " in said
    assert ("the file system is read-only" if free is None else "the disk is full") in said
    assert said.endswith((".", "?"))
    left = _state(disk.root)
    assert not [path for path in left if path.endswith(LEAVINGS)]
    assert {path: left[path] for path in before} == before  # an earlier set is as it was
    assert not [path for path in left if path.endswith(("run.json", "evaluation.json"))] or name in NEEDS


def _placed(word: str, places: dict[str, Path]) -> str:
    if word == "CALIPERS":
        return str(CALIPERS)
    first, _, rest = word.partition("/")
    return str(places[first] / rest) if first in places else word


def _state(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "filling"
    }
