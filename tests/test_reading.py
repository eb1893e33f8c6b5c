"""Settings and JSON that can be read in two ways, and what is no file at all: refused, with the line and at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lesion_measure.config import Config
from lesion_measure.config.yaml_text import parse
from lesion_measure.errors import ConfigError, LesionMeasureError
from lesion_measure.files.reading import open_regular, parse_json, read_regular

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("report:\n  title: 2026-02-30\n", 2),
        ("report:\n  title: 2026-13-01 10:00:00\n", 2),
        ("report:\n  image_width_px: 3" + "0" * 5000 + "\n", 2),
        ("report:\n  image_width_px: 1" + "0" * 25 + "\n", 2),
        ("report:\n  image_width_px: 1e999\n", 2),
        ("report:\n  image_width_px: .inf\n", 2),
        ('report:\n  title: "\\ud800"\n', 2),
        ('report:\n  title: "\\UFFFFFFFF"\n', 1),
        ("report:\n  title: a\n  image_width_px: 640\n  title: b\n", 4),
        ("report:\n  title: a\nlimits: {}\nreport: {}\n", 4),
        ("report: {title: a, title: b}\n", 1),
        ("report:\n  image_width_px: 0300\n", 2),
        ("report:\n  image_width_px: 0o300\n", 2),
        ("report:\n  image_width_px: 0x300\n", 2),
        ("report:\n  image_width_px: 1_000\n", 2),
        ("report:\n  image_width_px: 10:40\n", 2),
        ("report:\n  title: on\n  image_width_px: on\n", 3),
        (BOMB, 2),
        ("report: &r {title: a}\nlimits: *r\n", 2),
        ("report:\n  <<: {title: a}\n", 2),
        ("report:\n\ttitle: a\n", 2),
        ("report: {}\n---\nlimits: {}\n", 2),
        ("report:\n  title: a\n? [1, 2]\n: 3\n", 3),
        ("report:\n  title: !!python/name:os.system a\n", 2),
        ("report:\n  image_width_px: !!int '640'\n", 2),
        ("report:\n  title: a\n  image_width_px: wide\n", 3),
        ("report:\n  title: a\nvisit: {}\n", 3),
        ("report:\n  title: 'a\n\n", 4),
        ("report:\n  title: a\x07\n", 2),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_with_their_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"Line {line}: ") as caught:
        Config.from_yaml(path)
    assert caught.value.path == str(path)
    assert caught.value.remedy


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(b"report:\n  title: \xe9t\xe9\n")
    with pytest.raises(ConfigError, match="Line 2: it is not UTF-8"):
        Config.from_yaml(path)
    path.write_bytes("report: {}".encode("utf-16"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        Config.from_yaml(path)
    path.write_text("[" * 100_000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        Config.from_yaml(path)


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "NO", "2026-02-28", "1 month", "0x", "1e", "1:2:x"])
def test_words_stay_words(tmp_path: Path, word: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(f"report:\n  title: {word}\n", encoding="utf-8-sig")
    assert Config.from_yaml(path).report.title == word


@pytest.mark.parametrize(
    ("word", "meant"), [("no", False), ("yes", True), ("off", False), ("on", True), ("true", True)]
)
def test_a_switch_takes_yes_and_no(tmp_path: Path, word: str, meant: bool) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(f"segment:\n  test_time_flips: {word}\n")
    assert Config.from_yaml(path).segment.test_time_flips is meant


def test_the_shipped_settings_say_what_other_programs_read(project_dir: Path) -> None:
    files = sorted(project_dir.rglob("configs/*.yaml"))
    assert files
    for path in files:
        assert parse(path.read_bytes())[0] == yaml.safe_load(path.read_text()), path.name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ('[{"x": {"b": 1, "b": 1}}]', "'b' is there twice"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": 1e999}', "too large"),
        ('{"a": 1' + "0" * 5000 + "}", "digits"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"\\uDC00": 1}', "half a character"),
        ('{\n"a": 1\n"b": 2}', "line 3"),
        ("[" * 100_000, "nested too deeply"),
        (b'{\n"a": "\xff"}', "line 2 is not UTF-8"),
        ("", "line 1"),
    ],
)
def test_json_that_cannot_be_meant_is_refused(text: str | bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_json(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("content", [{"a": [1, 2.5, None, True, "\U0001f600é"]}, [], 7])
def test_json_comes_back(content: Any) -> None:
    assert parse_json(json.dumps(content).encode()) == content
    assert parse_json(b"\xef\xbb\xbf" + json.dumps(content, ensure_ascii=False).encode()) == content


def test_regular_files_alone_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(OSError, match=r"pipe|folder|No such file"):
            open_regular(path)
    assert read_regular(tmp_path / "link", 3) == b"abc"
    with pytest.raises(OSError, match="larger"):
        read_regular(tmp_path / "file", 2)


PIPE, DEVICE = "{pipe}", "/dev/zero"
COMMANDS = [
    ["run", "{scans}", "-o", "{out}", "--calipers", "{odd}"],
    ["run", "{scans}", "-o", "{out}", "--config", "{odd}"],
    ["run", "{scans}", "-o", "{out}", "--manifest", "{odd}"],
    ["run", "{scans}", "-o", "{out}", "--subjects", "{odd}"],
    ["run", "{scans}", "-o", "{out}", "--labs", "{odd}"],
    ["run", "{scans}", "-o", "{out}", "--model", "{odd}"],
    ["run", "{odd}", "-o", "{out}"],
    ["run", "{scans}", "-o", "{odd}"],
    ["inspect", "{odd}"],
    ["inspect", "{scans}", "--config", "{odd}"],
    ["ruler", "{odd}", "1,1", "2,2"],
    ["data", "{odd}"],
    ["evaluate", "{odd}", "-o", "{out}"],
    ["train", "{odd}", "-o", "{out}"],
    ["cohort", "{odd}"],
    ["export", "{odd}"],
    ["readers", "{odd}"],
    ["report", "{odd}"],
]


@pytest.mark.parametrize("odd", [PIPE, DEVICE])
def test_no_command_waits_for_a_pipe_or_device(tmp_path: Path, odd: str) -> None:
    """Each option in one process under a time limit; the exit code is one of ours, and nothing is a traceback."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "readme.txt").write_text("x")
    names = {"pipe": tmp_path / "pipe", "scans": tmp_path / "scans", "out": tmp_path / "out"}
    calls = [[word.format(odd=odd, **names).format(**names) for word in command] for command in COMMANDS]
    done = subprocess.run(
        [sys.executable, "-c", EACH, json.dumps(calls)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    codes = json.loads(done.stdout.splitlines()[-1])
    assert all(code in (1, 2, 3, 4) for code in codes), list(zip(COMMANDS, codes, strict=True))


EACH = """
import json, sys
from typer.testing import CliRunner
from lesion_measure.cli import app
codes = []
for call in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, call)
    assert done.exception is None or isinstance(done.exception, SystemExit), (call, repr(done.exception))
    codes.append(done.exit_code)
print(json.dumps(codes))
"""


def test_parts_of_a_bundle_masks_and_lists_are_regular_files(tmp_path: Path) -> None:
    """What no option names, and a folder or table leads to."""
    from lesion_measure.image.masks import read_mask
    from lesion_measure.lab.evaluation.trained import TRAINING_PICTURES, read_training_pictures
    from lesion_measure.network.bundle import METADATA, read_bundle
    from lesion_measure.results import read_results

    for name in (METADATA, TRAINING_PICTURES, "mask.png", "results.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        os.mkfifo(tmp_path / name)
    for reads in (
        lambda: read_bundle(tmp_path),
        lambda: read_training_pictures(tmp_path),
        lambda: read_mask(tmp_path / "mask.png"),
        lambda: read_results(tmp_path),
    ):
        with pytest.raises(LesionMeasureError):
            reads()
