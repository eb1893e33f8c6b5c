"""Sizes of true 3D data: voxel and mesh volume, surface, greatest diameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from skimage.measure import marching_cubes, mesh_surface_area

from lesion_measure.measure import geometry
from lesion_measure.measure.outline import LEVEL, checked_mask, checked_spacing, largest_part

Point3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VolumeMeasurement:
    """Sizes of one lesion in 3D.

    ``volume_ml`` counts voxels; ``mesh_volume_ml``, ``surface_area_mm2`` and ``max_diameter_mm`` are those of the
    triangle mesh at 0.5. ``max_diameter_px`` are its end points as (slice, row, column).
    """

    volume_ml: float
    mesh_volume_ml: float
    surface_area_mm2: float
    max_diameter_mm: float
    max_diameter_px: tuple[Point3, Point3]
    voxels: int
    hard: bool
    warnings: tuple[str, ...] = ()


def measure_volume(mask3d: ArrayLike, *, spacing_mm: tuple[float, float, float]) -> VolumeMeasurement:
    """Measure the largest connected part of a 3D mask, cavities left as they are.

    Definitions are those of the Image Biomarker Standardisation Initiative (volume by voxel counting, RNU0 volume by
    mesh, maximum 3D diameter over mesh vertices). A voxel counts where it is set or its probability exceeds 0.5; the
    mesh of a probability map lies at 0.5 between voxels, that of a hard mask half-way, which cuts its corners off.

    Parameters
    ----------
    mask3d
        (slices, rows, columns), as for `measure_mask`. Never modified.
    spacing_mm
        (slice, row, column) distance of voxel centres in mm.

    Raises
    ------
    MeasurementError
        Not 3D, no numbers, NaN, outside 0..1, empty, or a bad spacing.
    """
    array = checked_mask(mask3d, 3)
    spacing = checked_spacing(spacing_mm, 3)
    part = largest_part(array, fill_holes=False)
    vertices, faces, _, _ = marching_cubes(part.values, LEVEL, spacing=tuple(spacing))
    vertices = np.asarray(vertices, dtype=np.float64)
    corners = (vertices - vertices[0])[faces]
    six_volumes = np.sum(corners[:, 0] * np.cross(corners[:, 1], corners[:, 2]))
    longest = geometry.farthest_pair(vertices)
    voxels = int(np.count_nonzero(part.values > LEVEL))
    ends = [np.asarray(end) / spacing + np.asarray(part.origin) for end in (longest.start, longest.end)]
    return VolumeMeasurement(
        volume_ml=voxels * float(np.prod(spacing)) / 1000,
        mesh_volume_ml=abs(float(six_volumes)) / 6 / 1000,
        surface_area_mm2=float(mesh_surface_area(vertices, faces)),
        max_diameter_mm=longest.length,
        max_diameter_px=(_point(ends[0]), _point(ends[1])),
        voxels=voxels,
        hard=part.hard,
        warnings=part.warnings,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyAxes:
    """Three extents of a body at right angles: its greatest diameter, the greatest extent across it, and the rest.

    The rows of ``directions`` are their unit vectors; ``start`` and ``end`` are the ends of the greatest diameter.
    """

    lengths: Point3
    directions: geometry.Floats
    start: Point3
    end: Point3


def body_axes(points: geometry.Floats) -> BodyAxes:
    """The axes of a body of which (n, 3) points of the surface are known, in their unit."""
    longest = geometry.farthest_pair(points)
    first = (longest.end - longest.start) / longest.length
    helper = np.eye(3)[int(np.argmin(np.abs(first)))]
    side = np.cross(first, helper) / np.linalg.norm(np.cross(first, helper))
    across = np.stack([side, np.cross(first, side)])
    flat = geometry.farthest_pair(points @ across.T)
    second = (flat.end - flat.start) @ across / flat.length
    third = np.cross(first, second)
    return BodyAxes(
        lengths=(longest.length, flat.length, float(np.ptp(points @ third))),
        directions=np.stack([first, second, third]),
        start=_point(longest.start),
        end=_point(longest.end),
    )


def _point(values: geometry.Floats) -> Point3:
    return float(values[0]), float(values[1]), float(values[2])
