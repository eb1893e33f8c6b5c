"""Pixels of many pictures lie in files: the same values, and memory that does not grow."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from lesion_measure.lab.datasets import spool
from lesion_measure.lab.datasets.spool import Spool, spooled_zeros


def test_what_is_kept_is_what_was_given() -> None:
    rng = np.random.default_rng(1)
    shapes = [(7, 5), (300, 401), (1, 1), (0, 4), (1200, 900)]
    given = [rng.integers(0, 255, shape).astype(np.uint8) for shape in shapes * 40]
    one = Spool(0)
    kept = [one.keep(each) for each in given]
    for mine, theirs in zip(kept, given, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not kept[1].flags.writeable
    assert kept[1] is not given[1]


def test_a_little_stays_as_it_is() -> None:
    values = np.ones((10, 10), np.uint8)
    some = Spool(150)
    assert some.keep(values) is values
    assert some.keep(values) is not values


def test_memory_does_not_grow_with_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Spool(0)
    tracemalloc.start()
    kept = [one.keep(np.full((500, 500), number % 256, np.uint8)) for number in range(400)]  # 100 MB
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert [int(each[3, 4]) for each in kept[::50]] == [number % 256 for number in range(0, 400, 50)]
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 1000)
    zeros = spooled_zeros((300, 4), np.float32)
    zeros[5] = 2
    assert zeros.sum() == 8


def test_without_room_for_files_pixels_stay_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    values = np.ones((10, 10), np.uint8)
    assert Spool(0).keep(values) is values
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 10)
    assert spooled_zeros((10, 10), np.uint8).sum() == 0
