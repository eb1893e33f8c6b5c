"""Geometry of a curvilinear probe: beams, the screen's pixels, and how they map onto each other exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.lab.phantom.shapes import Array, ScanPlane, StarShape, Vector

Block = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Probe:
    """A curvilinear transducer.

    ``radius_mm`` of its face, ``field_deg`` whole opening angle, ``frequency_mhz`` centre frequency, ``aperture_mm``
    the widest active aperture, ``f_number`` the smallest ratio of depth to aperture, ``focus_mm`` transmit focus,
    ``cycles`` length of the pulse.
    """

    radius_mm: float
    field_deg: float
    frequency_mhz: float
    aperture_mm: float = 16.0
    f_number: float = 2.0
    focus_mm: float = 60.0
    cycles: float = 2.0

    @property
    def wavelength_mm(self) -> float:
        """Wavelength at 1540 m/s."""
        return 1.54 / self.frequency_mhz

    @property
    def half_angle(self) -> float:
        """Half the opening angle, in radians."""
        return float(np.radians(self.field_deg) / 2)

    @property
    def axial_fwhm_mm(self) -> float:
        """Width of the echo of a point along the beam: half the pulse length."""
        return self.cycles * self.wavelength_mm / 2

    def lateral_fwhm_mm(self, depth_mm: Vector) -> Vector:
        """Width of the echo of a point across the beam: diffraction of the aperture in use, wider out of focus."""
        ratio = np.maximum(self.f_number, depth_mm / self.aperture_mm)
        defocus = (depth_mm - self.focus_mm) / (1.2 * self.focus_mm)
        return np.asarray(1.1 * self.wavelength_mm * ratio * np.sqrt(1 + defocus**2), np.float64)


class BeamGrid:
    """Samples of one image in beam coordinates: rows are ranges from the face, columns are beam angles."""

    def __init__(self, probe: Probe, plane: ScanPlane, depth_mm: float, pixel_mm: float) -> None:
        self.probe, self.plane, self.depth_mm = probe, plane, depth_mm
        # The envelope's finest detail is the axial width; three samples across it or one and a half a pixel suffice.
        self.step_mm = max(probe.axial_fwhm_mm / 3, pixel_mm / 1.5)
        self.ranges: Array = np.arange(0, depth_mm + 2 * self.step_mm, self.step_mm, dtype=np.float32)
        arc = 2 * probe.half_angle * (probe.radius_mm + depth_mm)
        beams = int(np.clip(arc / (2.2 * max(pixel_mm, 0.25)), 128, 384))
        self.angles: Array = np.linspace(-probe.half_angle, probe.half_angle, beams, dtype=np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Ranges, beams."""
        return len(self.ranges), len(self.angles)

    @cached_property
    def x(self) -> Array:
        """Lateral positions in mm."""
        return (self.ranges[:, None] + np.float32(self.probe.radius_mm)) * np.sin(self.angles)

    @cached_property
    def z(self) -> Array:
        """Depths below the middle of the face in mm (slightly negative beside it)."""
        radius = np.float32(self.probe.radius_mm)
        return (self.ranges[:, None] + radius) * np.cos(self.angles) - radius

    @cached_property
    def points(self) -> Array:
        """Patient points (ranges, beams, 3)."""
        return self.plane.to_patient(self.x, self.z)

    @cached_property
    def directions(self) -> Array:
        """Unit vector of each beam in patient axes, (beams, 3)."""
        still = ScanPlane(np.zeros(3), self.plane.lateral, self.plane.depth)
        return still.to_patient(np.sin(self.angles), np.cos(self.angles))

    def block(self, centre: Vector, reach_mm: float) -> Block | None:
        """The samples that a sphere can touch, as slices, or None where it misses the image."""
        x, z, out = self.plane.to_image(centre)
        if abs(out) >= reach_mm:
            return None
        reach = float(np.sqrt(reach_mm**2 - out**2))
        apex = float(np.hypot(x, z + self.probe.radius_mm))
        first, last = apex - reach - self.probe.radius_mm, apex + reach - self.probe.radius_mm
        rows = slice(max(int(first / self.step_mm), 0), min(int(last / self.step_mm) + 2, self.shape[0]))
        middle = float(np.arctan2(x, z + self.probe.radius_mm))
        spread = float(np.arcsin(reach / apex)) if reach < apex else np.pi
        step = float(self.angles[1] - self.angles[0])
        cols = slice(
            max(int((middle - spread + self.probe.half_angle) / step), 0),
            min(int((middle + spread + self.probe.half_angle) / step) + 2, self.shape[1]),
        )
        return (rows, cols) if rows.start < rows.stop and cols.start < cols.stop else None


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the fan lies on the picture: pixel (row, column) of the middle of the probe's face, and mm per pixel.

    Pixel centres are at integer coordinates.
    """

    rows: int
    columns: int
    face_row: float
    face_col: float
    spacing_mm: tuple[float, float]

    @classmethod
    def fitted(
        cls,
        probe: Probe,
        depth_mm: float,
        size: tuple[int, int],
        box: tuple[float, float, float, float],
        squeeze: float = 1.0,
    ) -> Screen:
        """The largest fan that fits the box (top, left, bottom, right; pixels), in its middle.

        ``squeeze`` is the ratio of row to column spacing.

        Parameters
        ----------
        probe
            The curvilinear probe.
        depth_mm
            How deep the fan reaches.
        size
            (rows, columns) of the screen.
        box
            Where the fan has to fit: top, left, bottom, right, in pixels.
        squeeze
            Ratio of row to column spacing.
        """
        top, left, bottom, right = box
        rise = probe.radius_mm * (1 - float(np.cos(probe.half_angle)))
        high, wide = depth_mm + rise, 2 * (probe.radius_mm + depth_mm) * float(np.sin(probe.half_angle))
        col_mm = max(high / squeeze / (bottom - top), wide / (right - left))
        row_mm = col_mm * squeeze
        first = (top + bottom - high / row_mm) / 2
        return cls(size[0], size[1], first + rise / row_mm, (left + right) / 2, (row_mm, col_mm))

    def to_pixels(self, image_points: Vector) -> Vector:
        """(row, column) of points (..., 2) = (x, z) in mm."""
        x, z = image_points[..., 0], image_points[..., 1]
        return np.stack([self.face_row + z / self.spacing_mm[0], self.face_col + x / self.spacing_mm[1]], axis=-1)

    def axes_mm(self, margin: float = 0.0, oversampling: int = 1) -> tuple[Vector, Vector]:
        """Lateral positions of the columns and depths of the rows in mm, sub-sampled evenly inside each pixel."""
        parts = (np.arange(oversampling) + 0.5) / oversampling - 0.5
        cols = (np.arange(self.columns)[:, None] + parts).ravel() - self.face_col
        rows = (np.arange(self.rows)[:, None] + parts).ravel() - self.face_row
        return cols * self.spacing_mm[1] + margin, rows * self.spacing_mm[0] + margin

    def fan(self, probe: Probe, depth_mm: float) -> NDArray[np.bool_]:
        """True on the pixels whose centre the probe sees."""
        x, z = self.axes_mm()
        below = z[:, None] + probe.radius_mm
        ranges = np.hypot(x, below) - probe.radius_mm
        return (ranges >= 0) & (ranges <= depth_mm) & (np.abs(np.arctan2(x, below)) <= probe.half_angle)

    def convert(self, grid: BeamGrid, samples: Array, background: float = 0.0) -> Array:
        """Scan conversion: bilinear interpolation of beam samples at every pixel centre (float32, rows x columns)."""
        x, z = (axis.astype(np.float32) for axis in self.axes_mm())
        below = z[:, None] + np.float32(grid.probe.radius_mm)
        ranges = np.sqrt(x * x + below * below) - np.float32(grid.probe.radius_mm)
        angles = np.arctan2(x, below)
        visible = (ranges >= 0) & (ranges <= grid.depth_mm) & (np.abs(angles) <= grid.probe.half_angle)
        beam = (angles[visible] + np.float32(grid.probe.half_angle)) * np.float32(
            (grid.shape[1] - 1) / (2 * grid.probe.half_angle)
        )
        picture = np.full((self.rows, self.columns), background, np.float32)
        picture[visible] = ndimage.map_coordinates(
            samples, np.stack([ranges[visible] / np.float32(grid.step_mm), beam]), order=1, mode="nearest"
        )
        return picture

    def coverage(self, shape: StarShape, plane: ScanPlane, oversampling: int = 4) -> Array:
        """Share of each pixel that the shape covers in this plane (float32 0..1, rows x columns)."""
        covered = np.zeros((self.rows, self.columns), np.float32)
        x, z, out = plane.to_image(shape.centre)
        reach = shape.reach_mm
        if abs(out) >= reach:
            return covered
        row, col = self.to_pixels(np.array([x, z]))
        high, wide = reach / self.spacing_mm[0] + 1, reach / self.spacing_mm[1] + 1
        rows = slice(max(int(row - high), 0), min(int(row + high) + 2, self.rows))
        cols = slice(max(int(col - wide), 0), min(int(col + wide) + 2, self.columns))
        if rows.start >= rows.stop or cols.start >= cols.stop:
            return covered
        xs, zs = self.axes_mm(oversampling=oversampling)
        n = oversampling
        xs, zs = xs[cols.start * n : cols.stop * n], zs[rows.start * n : rows.stop * n]
        inside = shape.distance(plane.to_patient(xs[None, :], zs[:, None]))[0] < 0
        high_px, wide_px = rows.stop - rows.start, cols.stop - cols.start
        covered[rows, cols] = inside.reshape(high_px, n, wide_px, n).mean(axis=(1, 3))
        return covered
