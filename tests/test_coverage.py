"""The stated 95 % intervals hold the truth as often as they say: benchmarks/coverage.py, fewer draws of fewer cells.

500 draws have a standard error of 1 percentage point; the limits are 3.5 of them from 95 %.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from scripts import script

DRAWS = 500
LOW, HIGH = 0.915, 0.985


@pytest.fixture(scope="module")
def coverage(project_dir: Path) -> ModuleType:
    """benchmarks/coverage.py as a module."""
    return script(project_dir / "benchmarks" / "coverage.py")


@pytest.mark.parametrize(("noise", "size_mm"), [(0, 5.0), (2, 30.0), (3, 10.0)])
def test_intervals_of_sizes(coverage: ModuleType, noise: int, size_mm: float) -> None:
    found = coverage.sizes_held(coverage.NOISES[noise], size_mm, DRAWS, 1)
    assert len(found) == 11
    assert all(LOW <= share <= HIGH for share in found.values()), found


@pytest.mark.parametrize(
    ("noise", "size_mm", "change"), [(0, 30.0, -0.9), (2, 30.0, -0.65), (3, 30.0, -0.3), (4, 30.0, 0)]
)
def test_intervals_of_changes(coverage: ModuleType, noise: int, size_mm: float, change: float) -> None:
    found = coverage.changes_held(coverage.NOISES[noise], size_mm, change, DRAWS, 2)
    assert len(found) == 11
    assert all(LOW <= share <= HIGH for share in found.values()), found


def test_a_shared_bias_that_is_taken_for_two_would_be_seen(coverage: ModuleType) -> None:
    """Intervals of two readers on the changes of one reader are too wide, and hold the truth too often."""
    one = coverage.NOISES[3]
    rng_seed = 3
    before_after = coverage.changes_held(one, 30.0, 0.0, DRAWS, rng_seed)
    rng = coverage.np.random.default_rng(rng_seed)
    held = 0
    for _ in range(DRAWS):
        reader = coverage.Reader(one, rng)
        first, second = reader.caliper(30.0), reader.caliper(30.0)
        held += coverage.held(coverage.ratio_ci95(first, second, same_reader=False), 0.0)
    assert held / DRAWS > HIGH
    assert before_after["caliper"] < HIGH
