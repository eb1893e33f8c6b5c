"""Sizes of signed readings outlast the server, and are measured anew where what they rest on is not what it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lesion_measure.config import Config
from lesion_measure.records import PrintedScale
from lesion_measure.review import sizes
from lesion_measure.review.sizes_file import FILE, measured_on, read_sizes
from lesion_measure.studies import load_studies
from reading_room import Browser, served, trial

READERS = {"reader-1": 260, "reader-2": 300}
"""Where the long axes end that they draw from column 160: 30 and 42 mm."""


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    return trial(tmp_path / "scans", children=1)


@pytest.fixture
def out(scans: Path, tmp_path: Path) -> Path:
    """Results of which two readers have signed the only child, as they were left by a worklist."""
    folder = tmp_path / "out"
    for reader, end in READERS.items():
        with served(scans, folder, reader=reader) as room, Browser(room) as client:
            case = client.cases()[0]
            kept = client.add(case, long=[[200, 160], [200, end]]).json()
            assert client.post(f"cases/{case['id']}/sign", {"versions": {kept["id"]: 1}}).is_success
    assert seen(scans, folder) == 2
    return folder


def seen(scans: Path, out: Path, **run: Any) -> int:
    """How many readings are measured until the worklist of a new start says that the readers differ."""
    count, whole = 0, sizes.longest_mm

    def counted(*asked: Any) -> float | None:
        nonlocal count
        count += 1
        return whole(*asked)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sizes, "longest_mm", counted)
        with served(scans, out, reader="reader-3", run=run) as room, Browser(room) as client:
            (case,) = client.get("worklist").json()["cases"]
    (differs,) = case["differs"]
    assert differs == {"lesion": "L1", "visit": "Baseline", "sizes_mm": [pytest.approx(30), pytest.approx(42)]}
    return count


def test_a_new_start_measures_nothing_again(scans: Path, out: Path) -> None:
    found = read_sizes(out / "review" / FILE)
    assert sorted(each.said[1] or 0 for each in found.values()) == pytest.approx([30.0, 42.0])
    assert seen(scans, out) == 0


@pytest.mark.parametrize("content", ["", "{}", '{"sizes": [{"id": "a"}]}', "[1, 2", '{"sizes": [], "more": 1}'])
def test_a_damaged_file_is_none(scans: Path, out: Path, content: str) -> None:
    (out / "review" / FILE).write_text(content)
    assert seen(scans, out) == 2
    assert len(read_sizes(out / "review" / FILE)) == 2


def test_sizes_are_measured_again_with_other_settings_and_on_another_header(scans: Path, out: Path) -> None:
    assert seen(scans, out, config=Config.model_validate({"calibration": {"edge_tolerance_px": 2}})) == 2
    for image in scans.rglob("*.dcm"):
        data = image.read_bytes()
        assert data.count(b"Zwetschge^Paula") == 1
        image.write_bytes(data.replace(b"Zwetschge^Paula", b"Zwetschge^Paulo"))
    assert seen(scans, out) == 2


def test_a_version_that_was_saved_at_another_time_is_another_drawing(scans: Path, out: Path) -> None:
    """As after a database was restored: the next change has the number of one that is gone."""
    with closing(sqlite3.connect(out / "review" / "review.sqlite")) as database, database:
        database.execute("UPDATE readings SET changed = replace(changed, '20', '19')")
    assert seen(scans, out) == 2
    assert seen(scans, out) == 0


def test_a_size_rests_on_the_scale_that_is_printed(scans: Path) -> None:
    image, *_ = load_studies(scans).instances
    scaled = [replace(image, printed_scale=PrintedScale(spacing_mm=mm, own_sd_mm=0.001, values=2)) for mm in (0.2, 0.3)]
    assert len({measured_on(each, Config()) for each in (image, *scaled)}) == 3
