"""3D sizes against the IBSI digital phantom and analytic solids."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.measure import geometry
from lesion_measure.measure.volume import measure_volume

# mask of the IBSI digital phantom (CC BY 4.0), 4 slices of 4 rows x 5 columns, voxels of 2 mm
IBSI = np.array(
    [
        [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
        [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
        [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 1]],
        [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
    ]
)


def ellipsoid(diameters: tuple[float, float, float], spacing: tuple[float, float, float], samples: int) -> NDArray:
    """Coverage of an ellipsoid, by samples^3 points a voxel."""
    sizes = [math.ceil(d / s) + 6 for d, s in zip(diameters, spacing, strict=True)]
    squares = []
    for axis, (diameter, step, size) in enumerate(zip(diameters, spacing, sizes, strict=True)):
        place = (np.arange(size * samples) + 0.5) / samples - 0.5 - size / 2 - 0.13 * (axis + 1)
        squares.append((2 * place * step / diameter) ** 2)
    inside = squares[0][:, None, None] + squares[1][:, None] + squares[2] <= 1
    shape = [n for size in sizes for n in (size, samples)]
    return inside.reshape(shape).mean(axis=(1, 3, 5))


def test_ibsi_digital_phantom() -> None:
    sizes = measure_volume(IBSI, spacing_mm=(2.0, 2.0, 2.0))
    assert 1000 * sizes.volume_ml == pytest.approx(592)
    assert 1000 * sizes.mesh_volume_ml == pytest.approx(556, abs=0.5)
    assert sizes.surface_area_mm2 == pytest.approx(388, abs=0.5)
    assert sizes.max_diameter_mm == pytest.approx(13.1, abs=0.05)
    ends = np.diff(sizes.max_diameter_px, axis=0)[0] * 2.0
    assert np.linalg.norm(ends) == pytest.approx(sizes.max_diameter_mm)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.8, 0.8)])
def test_soft_ellipsoid(spacing: tuple[float, float, float]) -> None:
    diameters = (30.0, 24.0, 20.0)
    sizes = measure_volume(ellipsoid(diameters, spacing, 4), spacing_mm=spacing)
    truth = math.pi / 6 * math.prod(diameters) / 1000
    assert sizes.volume_ml == pytest.approx(truth, rel=0.015)
    assert sizes.mesh_volume_ml == pytest.approx(truth, rel=0.015)
    assert sizes.max_diameter_mm == pytest.approx(30.0, rel=0.015)
    assert not sizes.hard


def test_hard_sphere() -> None:
    mask = ellipsoid((24.0, 24.0, 24.0), (1.0, 1.0, 1.0), 1) > 0.5
    sizes = measure_volume(mask, spacing_mm=(1.0, 1.0, 1.0))
    assert sizes.volume_ml == pytest.approx(math.pi / 6 * 24**3 / 1000, rel=0.015)
    # the mesh runs half-way between voxel centres: up to a voxel too long
    assert 23.9 < sizes.max_diameter_mm < 25.0


def test_parts_edges_and_refusals() -> None:
    mask = np.zeros((8, 9, 10), dtype=np.uint8)
    mask[0:4, 2:6, 2:6] = 1
    mask[6, 7, 8] = 1
    sizes = measure_volume(mask, spacing_mm=(1.0, 1.0, 1.0))
    assert sizes.voxels == 64
    assert len(sizes.warnings) == 2
    for bad, spacing in (
        (np.zeros((3, 3, 3)), (1, 1, 1)),
        (np.ones((3, 3)), (1, 1, 1)),
        (np.ones((3, 3, 3)), (1, 1)),
        (np.ones((3, 3, 3)), (1, 0, 1)),
        (np.full((3, 3, 3), np.nan), (1, 1, 1)),
    ):
        with pytest.raises(MeasurementError):
            measure_volume(bad, spacing_mm=spacing)  # type: ignore[arg-type]


def test_farthest_pair_is_exact_in_two_and_three_dimensions() -> None:
    rng = np.random.default_rng(4)
    for dimensions in (2, 3):
        points = rng.normal(size=(300, dimensions)) * ([1, 2, 3][:dimensions])
        brute = np.linalg.norm(points[:, None] - points[None], axis=2).max()
        assert geometry.farthest_pair(points).length == pytest.approx(brute)
    line = np.column_stack([np.arange(10.0), np.arange(10.0)])
    assert geometry.farthest_pair(line).length == pytest.approx(math.hypot(9, 9))


def test_farthest_pair_of_a_large_round_mesh_is_bounded() -> None:
    points = np.random.default_rng(5).normal(size=(6000, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    assert geometry.farthest_pair(points).length == pytest.approx(2.0, abs=0.01)
