"""Pixels of many pictures lie in files: the same values, and memory that does not grow."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drawn_folders as written
from lesion_measure.lab.datasets import load, pictures, spool
from lesion_measure.lab.datasets.outlines import Annotated, Shown, pictures_of
from lesion_measure.lab.datasets.scheme import Asked
from lesion_measure.lab.datasets.spool import Spool, looked_at, spooled_zeros

Write = Callable[[Path, Sequence[written.Drawn]], object]


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
    monkeypatch.setattr(spool, "_ZEROS_IN_MEMORY_BYTES", 1000)
    zeros = spooled_zeros((300, 4), np.float32)
    zeros[5] = 2
    assert zeros.sum() == 8


def test_without_room_for_files_pixels_stay_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    values = np.ones((10, 10), np.uint8)
    assert Spool(0).keep(values) is values
    monkeypatch.setattr(spool, "_ZEROS_IN_MEMORY_BYTES", 10)
    assert spooled_zeros((10, 10), np.uint8).sum() == 0


tells_memory = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the system does not tell what is looked at"
)


def shared_mb() -> float:
    """Memory of files that this process has looked at."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@tells_memory
def test_what_is_kept_and_gone_through_does_not_stay_in_memory() -> None:
    one, before, most = Spool(0), shared_mb(), 0.0
    kept = []
    for number in range(100):
        kept.append(one.keep(np.full((1000, 1000), number, np.uint8)))
        most = max(most, shared_mb())
    for number, each in enumerate(looked_at(kept)):
        assert int(each.max()) == number
        most = max(most, shared_mb())
    assert most < before + 40  # of 100


@tells_memory
def test_what_was_looked_at_does_not_stay_in_memory() -> None:
    one = Spool(0)
    kept = [one.keep(np.full((1000, 1000), number, np.uint8)) for number in range(100)]
    spool.let_go()
    before = shared_mb()
    assert [int(each.max()) for each in kept] == list(range(100))
    assert shared_mb() > before + 80
    spool.let_go()
    assert shared_mb() < before + 5
    assert int(kept[7].min()) == 7


NAMES = {"background": 0, "liver": 1, "lesion": 2, "ignore": 3}
WITH_LIVER: dict[str, tuple[Write, bool]] = {
    "COCO": (lambda r, d: written.coco(r, d, "counts"), True),
    "label maps": (lambda r, d: written.nnunet(r, d, ".png", NAMES), True),
    "VOC": (lambda r, d: written.voc(r, d, labelmap=True, objects=True), True),
    "AUL": (lambda r, d: written.aul(r, d), False),
}


@pytest.mark.parametrize("name", WITH_LIVER)
def test_liver_and_pixels_to_be_ignored_lie_in_files_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    write, has_ignored = WITH_LIVER[name]
    drawn = written.sources()
    write(tmp_path / "set", drawn)
    monkeypatch.setattr(pictures, "_SPOOL", Spool(0))
    item = next(one for one in load(tmp_path / "set") if one.liver is not None and one.liver.any())
    kept = [item.image, item.labels, item.liver, *([item.ignored] if has_ignored else [])]
    assert not any(values.flags.writeable for values in kept if values is not None)
    np.testing.assert_array_equal(item.liver, drawn[3].liver | drawn[3].lesion)
    if has_ignored:
        np.testing.assert_array_equal(item.ignored, drawn[3].ignored)


def test_outlines_of_a_picture_are_drawn_one_by_one(tmp_path: Path) -> None:
    one = written.sources()[0]
    written.save(tmp_path / "a.png", one.image)
    seen, most = list[weakref.ref[Any]](), 0

    def drawn(number: int) -> Callable[[tuple[int, int]], Any]:
        def draw(shape: tuple[int, int]) -> Any:
            nonlocal most
            mask = written.box(8 * (number // 8) + 1, 10 * (number % 8) + 1, 5, 6)
            seen.append(weakref.ref(mask))
            most = max(most, sum(each() is not None for each in seen))
            return mask

        return draw

    shown = [Shown(label, drawn(number)) for number, label in enumerate(["lesion", "ignore", "liver", "rib"] * 10)]
    item = Annotated("a", tmp_path / "a.png", tmp_path / "a.json", shown=shown)
    (found,) = pictures_of([item], "set", Asked())
    assert len(found.axes) == 10
    for other in (found.ignored, found.liver):
        assert other is not None
        assert other.sum() == 300
    assert most <= 3
