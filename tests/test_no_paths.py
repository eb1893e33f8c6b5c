"""`--no-paths`: no file or folder name in anything that a run, and what follows from it, writes or says."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.job.nameless import LEFT_OUT, Names
from lesion_measure.lab.phantom.trial import simulate_trial
from lesion_measure.records import BASELINE, Scan, Schedule, TimePoint

MARKER = "Zwiebelmuster"


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three simulated children whose folders, files and tables all bear the marker, and what cannot be used."""
    made = tmp_path_factory.mktemp("made")
    simulate_trial(made, subjects=3, seed=3, overwrite=True)
    root = tmp_path_factory.mktemp("data") / f"{MARKER} Anna"
    root.mkdir()
    names: dict[str, str] = {}
    for path in sorted(made.rglob("*.dcm")):
        relative = path.relative_to(made)
        new = Path(*(f"{MARKER}_{part}" for part in relative.parts))
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, root / new)
        names[relative.as_posix()] = new.as_posix()
    for table in made.glob("*.csv"):
        text = table.read_text()
        for old, new_name in sorted(names.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(old, new_name)
        (root / f"{MARKER}_{table.name}").write_text(text)
    table = root / f"{MARKER}_calipers.csv"
    lines = table.read_text().splitlines()
    odd = lines[1].replace(".dcm", "_typo.dcm", 1)
    assert odd != lines[1]
    table.write_text("\n".join([*lines, odd]) + "\n")
    first = next(iter(sorted(root.rglob("*.dcm"))))
    shutil.copyfile(first, first.with_name(f"{MARKER}_copy.dcm"))
    (root / f"{MARKER}_notes.txt").write_text("no image")
    (root / f"{MARKER}_cut.dcm").write_bytes(first.read_bytes()[:3000])
    with zipfile.ZipFile(root / f"{MARKER}_more.zip", "w") as packed:
        packed.writestr(f"{MARKER}/{MARKER}.txt", "x")
    return root


def everything(folder: Path) -> dict[str, bytes]:
    """The bytes of every file, and what is packed in pictures, archives and arrays."""
    found: dict[str, bytes] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        found[str(path.relative_to(folder))] = data
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                found |= {f"{path.name}!{name}": name.encode() + packed.read(name) for name in packed.namelist()}
        for index, start in enumerate(re.finditer(rb"stream\r?\n", data)):  # of a PDF
            try:
                found[f"{path.name}#{index}"] = zlib.decompressobj().decompress(data[start.end() :])
            except zlib.error:
                continue
    return found


def test_no_name_in_any_output(hidden: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    calipers = str(hidden / f"{MARKER}_calipers.csv")
    runner, said = CliRunner(), ""
    arguments = ["run", str(hidden), "-o", str(out), "--calipers", calipers, "--no-paths"]
    for option in ("manifest", "subjects"):
        if (table := hidden / f"{MARKER}_{option}.csv").is_file():
            arguments += [f"--{option}", str(table)]
    done = runner.invoke(app, arguments)
    assert done.exit_code in (0, 3), done.output
    said += done.output
    for command in ("cohort", "export", "readers", "report"):
        after = runner.invoke(app, [command, str(out)])
        assert after.exception is None or isinstance(after.exception, SystemExit), (command, repr(after.exception))
        said += after.output
    for words in (["inspect", str(hidden), "--no-paths"], ["inspect", str(hidden), "--no-paths", "--json"]):
        done = runner.invoke(app, words)
        assert done.exit_code == 0
        said += done.output
    assert MARKER.lower() not in said.lower()
    for name, data in everything(out).items():
        assert MARKER.encode().lower() not in data.lower(), name
        assert MARKER.lower() not in name.lower()
    results = json.loads((out / "results.json").read_text())
    assert len(results["subjects"]) == 3
    assert "file 1" in (out / "results.json").read_text()
    command = json.loads((out / "run.json").read_text())["command"]
    assert command.startswith("lesion-measure run INPUT -o OUT --no-paths --")
    assert "--calipers CALIPERS" in command


@pytest.mark.parametrize("option", ["--calipers", "--manifest", "--config"])
def test_no_name_in_an_error(hidden: Path, tmp_path: Path, option: str) -> None:
    broken = tmp_path / f"{MARKER}.csv"
    broken.write_text("a: [\n,,,\n")
    words = ["run", str(hidden), "-o", str(tmp_path / "out"), option, str(broken), "--no-paths"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert done.output.startswith("lesion-measure: ")
    assert MARKER not in done.output


def test_the_numbers_are_those_of_a_run_that_names_files(hidden: Path, tmp_path: Path) -> None:
    changes = []
    for more in ([], ["--no-paths"]):
        out = tmp_path / f"results{len(more)}"
        calipers = str(hidden / f"{MARKER}_calipers.csv")
        CliRunner().invoke(app, ["run", str(hidden), "-o", str(out), "--calipers", calipers, *more])
        results = json.loads((out / "results.json").read_text())
        changes.append([(subject["subject"], subject["changes"]) for subject in results["subjects"]])
        named = MARKER.encode() in b"".join(everything(out).values())
        assert named is not bool(more)
    assert changes[0] == changes[1]


def test_the_visits_of_the_schedule_keep_their_names() -> None:
    """Folders are often called like visits; a sentence about a visit says which one."""
    points = [
        TimePoint(name=name, label=label) for name, label in ((BASELINE, "Baseline"), ("week_4", "after 4 weeks"))
    ]
    folders = ["Anna", "baseline", "week_4", "after 4 weeks", "one month", "day 61"]
    said = "No size after 4 weeks, at week_4 or at baseline, nor at day 61 or one month, of Anna."
    left = Names({"day_61": Scan(label="day 61")}, folders, Schedule(tuple(points), "week_4")).text(said)
    assert left == said.replace("Anna", LEFT_OUT).replace("one month", LEFT_OUT)
    assert LEFT_OUT not in Names(None, ["baseline", "one_month"]).text("No size at baseline, one_month.")


def test_a_run_keeps_the_names_of_its_own_protocol(tmp_path: Path) -> None:
    """The folder is called like the visit that the child did not come to; the warning has to say which one."""
    samples = Path(__file__).parent.parent / "sample_dicoms"
    shutil.copytree(samples / "SIM-01", tmp_path / "Week 9" / "Anna")
    config = tmp_path / "protocol.yaml"
    config.write_text(
        "protocol:\n  schedule:\n    - {name: baseline, day: 0, window: [0, 0]}\n"
        "    - {name: week_9, label: Week 9, day: 63, window: [56, 70], primary: true}\n"
    )
    calipers = tmp_path / "calipers.csv"
    calipers.write_text((samples / "calipers.csv").read_text().replace("SIM-01/", "Anna/"))
    words = ["run", tmp_path / "Week 9", "-o", tmp_path / "out", "--calipers", calipers, "--config", config]
    CliRunner().invoke(app, [str(word) for word in (*words, "--no-paths")])
    text = (tmp_path / "out" / "results.json").read_text()
    assert "Anna" not in text
    (subject,) = json.loads(text)["subjects"]
    assert [w for w in subject["warnings"] if "falls in no visit (Week 9: 56 to 70 days after" in w]
