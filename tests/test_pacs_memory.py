"""A cine of 2,000 frames to a PACS and back: it is never in memory whole."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from orthanc import started
from pacs_objects import settings_file


@pytest.mark.parametrize("way", ["dicomweb", "dimse"])
def test_a_long_cine_is_pushed_and_pulled_in_little_memory(tmp_path: Path, project_dir: Path, way: str) -> None:
    """102 MB of pixels; dicomweb-client's own retrieve would take five times that."""
    script = project_dir / "benchmarks" / "pacs_memory.py"
    size = ("--frames", "2000", "--rows", "200", "--columns", "256")
    with started(tmp_path) as server:
        done = server.run([sys.executable, script, settings_file(tmp_path), *size, "--by", way], timeout=300)
    assert done.returncode == 0, done.stderr
    found = re.search(r"file (\d+) MB.*\nstart (\d+) MB, most (\d+) MB, more (\d+) MB", done.stdout)
    assert found, done.stdout
    file, _, _, more = map(int, found.groups())
    assert file == 102
    assert more < 40
