"""The stated 95 % intervals of outlines that the network drew hold the truth, with errors as they were measured."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lesion_measure.config import Uncertainty
from scripts import script

DRAWS = 1500


@pytest.fixture(scope="module")
def network(project_dir: Path) -> ModuleType:
    """benchmarks/coverage_network.py as a module."""
    return script(project_dir / "benchmarks" / "coverage_network.py")


@pytest.mark.parametrize("name", ["breast", "simulated"])
def test_the_drawn_errors_are_the_measured_ones(network: ModuleType, name: str) -> None:
    measured = network.MEASURED[name]
    drawn = measured.draw(np.random.default_rng(1), 100_000)
    np.testing.assert_allclose(np.sqrt((drawn**2).mean(axis=0))[:3], measured.rms, rtol=0.03)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(measured.long_short, abs=0.03)


@pytest.mark.parametrize("name", ["breast", "simulated"])
def test_intervals_of_bodies_and_planes_hold_the_truth(network: ModuleType, name: str) -> None:
    """Of what errs in 3D as a reader does (a volume within 15 %), a fifth of the intervals would miss it."""
    measured = network.MEASURED[name]
    sizes = network.sizes_held(measured, DRAWS, 1, Uncertainty())
    changes = network.changes_held(measured, -0.3, DRAWS, 2, Uncertainty())
    assert min(*sizes.values(), *changes.values()) > 0.92, (sizes, changes)


def test_a_body_whose_error_is_taken_for_a_third_less_would_be_seen(network: ModuleType) -> None:
    held = network.sizes_held(network.MEASURED["breast"], DRAWS, 1, Uncertainty(automatic_cv=0.08))
    assert max(held[network.BODY_AXIS], held[network.BODY_LSS]) < 0.9
