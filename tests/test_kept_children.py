"""What a run takes of an earlier one in its folder: the same results, and no child that has changed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lesion_measure import pipeline
from lesion_measure.config import Config, Report
from lesion_measure.errors import InputError
from lesion_measure.job import depends
from lesion_measure.job.kept import SUFFIX, KeptSubjects, kept_child, kept_names, place_of
from lesion_measure.job.request import RunRequest
from sample_runs import CALIPERS, SAMPLES, sample_run, tables
from test_cli import lesion_measure

PROJECT = Path(__file__).parent.parent


def run(out: Path, *words: object, calipers: Path = CALIPERS) -> dict[str, int]:
    """Run again in a folder; how many children were measured and reused."""
    given = ("run", SAMPLES, "-o", out, "--calipers", calipers, "--overwrite", "--jobs", 1, "--json")
    code, stdout, _ = lesion_measure(*given, *words)
    assert code == 3
    children: dict[str, int] = json.loads(stdout)["children"]
    assert json.loads((out / "run.json").read_text())["children"] == children
    return children


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder in which the tests run again; each begins with the samples as they are."""
    return sample_run(tmp_path_factory.mktemp("kept") / "out", "--jobs", 1)


def test_a_pipe_in_the_place_of_a_child_is_not_waited_for(tmp_path: Path) -> None:
    place_of(tmp_path, "S1").parent.mkdir()
    os.mkfifo(place_of(tmp_path, "S1"))

    def looked() -> None:
        with pytest.raises(InputError, match="gone"):
            KeptSubjects(tmp_path, ["S1"])[0]

    looking = threading.Thread(target=looked, daemon=True)
    looking.start()
    looking.join(10)
    assert not looking.is_alive()


def test_nothing_is_measured_twice_and_results_are_the_same_to_the_byte(out: Path, one_process: Path) -> None:
    assert run(out) == {"measured": 0, "reused": 6}
    assert tables(out) == tables(one_process)
    pages = {path.relative_to(out): path.read_bytes() for path in (out / "children").rglob("*") if path.is_file()}
    assert pages == {place: (one_process / place).read_bytes() for place in pages}


def test_one_corrected_caliper_measures_one_child(out: Path, tmp_path: Path) -> None:
    lines = CALIPERS.read_text(encoding="utf-8").splitlines()
    row = next(number for number, line in enumerate(lines) if "SIM-01" in line and ",long," in line)
    cells = lines[row].split(",")
    place = lines[0].split(",").index("end_row")
    cells[place] = str(float(cells[place]) + 3)
    corrected = tmp_path / CALIPERS.name
    corrected.write_text("\n".join([*lines[:row], ",".join(cells), *lines[row + 1 :]]) + "\n", encoding="utf-8")
    assert run(out, calipers=corrected) == {"measured": 1, "reused": 5}
    anew = tmp_path / "anew"
    run(anew, calipers=corrected)
    assert tables(out) == tables(anew)


def spoil_text(out: Path) -> None:
    path = out / "measured" / f"SIM-02{SUFFIX}"
    path.write_bytes(path.read_bytes().replace(b'"unit":', b'"unut":', 1).replace(b'"unit": ', b'"unut": ', 1))


def cut(out: Path) -> None:
    path = out / "measured" / f"SIM-02{SUFFIX}"
    path.write_bytes(path.read_bytes()[:-100])


def lose_page(out: Path) -> None:
    (out / "children" / "SIM-02.html").unlink()


def swap(out: Path) -> None:
    other = (out / "measured" / f"SIM-03{SUFFIX}").read_bytes()
    (out / "measured" / f"SIM-02{SUFFIX}").write_bytes(other)


@pytest.mark.parametrize("damage", [spoil_text, cut, lose_page, swap])
def test_what_is_damaged_or_lost_is_measured_again(
    out: Path, one_process: Path, damage: Callable[[Path], None]
) -> None:
    run(out)
    damage(out)
    assert run(out) == {"measured": 1, "reused": 5}
    assert tables(out) == tables(one_process)


def test_another_program_or_setting_takes_nothing(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(out)
    settings = tmp_path / "settings.yaml"
    settings.write_text("report: {image_width_px: 300}\n", encoding="utf-8")
    assert run(out, "--config", settings) == {"measured": 6, "reused": 0}
    assert run(out, "--fresh") == {"measured": 6, "reused": 0}
    monkeypatch.setattr(depends, "this_program", lambda: {"source": "another"})
    assert run(out) == {"measured": 6, "reused": 0}


def test_a_child_that_is_gone_leaves_nothing(out: Path, tmp_path: Path) -> None:
    code, *_ = lesion_measure("run", SAMPLES / "SIM-01", "-o", out, "--calipers", CALIPERS, "--overwrite", "--jobs", 1)
    assert code in (0, 3)
    assert kept_names(out) == ["SIM-01"]
    assert {path.stem for path in (out / "children").glob("*.html")} == {"SIM-01"}


def test_a_result_never_shows_what_a_later_run_left_in_its_place(tmp_path: Path) -> None:
    child = SAMPLES / "SIM-01"
    first = pipeline.run(RunRequest(input=child, out=tmp_path / "out", calipers=CALIPERS))
    before = list(first.subjects.lines())
    pipeline.run(RunRequest(input=child, out=tmp_path / "out", calipers=CALIPERS, overwrite=True))
    assert list(first.subjects.lines()) == before
    settings = Config(report=Report(image_width_px=300))
    pipeline.run(RunRequest(input=child, out=tmp_path / "out", calipers=CALIPERS, config=settings, overwrite=True))
    with pytest.raises(InputError, match="changed meanwhile"):
        first.read()


def test_a_table_line_that_a_spreadsheet_would_run_is_not_taken(out: Path) -> None:
    run(out)
    kept = kept_child(out, "SIM-01")
    assert kept is not None
    lines = kept.lines.tables | {"lesions": kept.lines.tables["lesions"].replace("SIM-01", "=1+1", 1)}
    (out / "measured" / f"SIM-01{SUFFIX}").write_bytes(kept_bytes(out, lines))
    assert kept_child(out, "SIM-01") is None


def kept_bytes(out: Path, lines: dict[str, str]) -> bytes:
    """The file of a child with other lines of the tables, and with the hash that fits them."""
    head, *others = (out / "measured" / f"SIM-01{SUFFIX}").read_bytes().split(b"\n")[:4]
    body = b"\n".join(others) + b"\n" + json.dumps(lines).encode() + b"\n"
    return json.dumps(json.loads(head) | {"sha256": hashlib.sha256(body).hexdigest()}).encode() + b"\n" + body


@pytest.mark.parametrize(("jobs", "kept"), [(1, 1), (1, 4), (2, 2)])
def test_a_run_that_is_killed_goes_on_and_ends_the_same(
    one_process: Path, tmp_path: Path, jobs: int, kept: int
) -> None:
    out = tmp_path / "out"
    words = [sys.executable, "-m", "lesion_measure", "run", str(SAMPLES), "-o", str(out), "--calipers", str(CALIPERS)]
    process = subprocess.Popen([*words, "--jobs", str(jobs)], cwd=PROJECT, stderr=subprocess.DEVNULL)
    while len(kept_names(out)) < kept:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "run.json").exists()
    done = subprocess.run([*words, "--jobs", str(jobs), "--json"], cwd=PROJECT, capture_output=True, check=False)
    assert json.loads(done.stdout)["children"]["reused"] >= kept
    assert tables(out) == tables(one_process)
