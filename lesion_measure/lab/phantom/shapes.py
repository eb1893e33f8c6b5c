"""Scan planes, smooth closed surfaces and their exact cuts: the geometry in which the truth is known.

Patient axes are millimetres: X to the patient's left, Y cranio-caudal, Z into the body. Image axes are ``x`` (lateral,
to the right on the screen) and ``z`` (depth below the middle of the probe's face).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating]
Array = NDArray[np.float32]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScanPlane:
    """The plane that an image shows: ``patient = origin + x * lateral + z * depth``, unit vectors at right angles."""

    origin: Vector
    lateral: Vector
    depth: Vector

    @property
    def normal(self) -> Vector:
        """Unit vector out of the plane."""
        return np.cross(self.lateral, self.depth)

    def tilted(self, degrees: float) -> ScanPlane:
        """The probe turned about its face within the plane; the plane, as a set of points, stays the same."""
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return replace(self, lateral=cos * self.lateral + sin * self.depth, depth=cos * self.depth - sin * self.lateral)

    def moved(self, x_mm: float = 0.0, z_mm: float = 0.0, out_mm: float = 0.0) -> ScanPlane:
        """The probe shifted along its own axes; ``out_mm`` leaves the plane."""
        return replace(self, origin=self.origin + x_mm * self.lateral + z_mm * self.depth + out_mm * self.normal)

    def to_patient(self, x: ArrayLike, z: ArrayLike) -> Array:
        """Patient points (..., 3) of image points in mm."""
        xs, zs = np.asarray(x, np.float32)[..., None], np.asarray(z, np.float32)[..., None]
        return (
            self.origin.astype(np.float32) + xs * self.lateral.astype(np.float32) + zs * self.depth.astype(np.float32)
        )

    def to_image(self, point: Vector) -> tuple[float, float, float]:
        """Lateral position, depth and distance out of the plane of one patient point, in mm."""
        offset = point - self.origin
        return float(offset @ self.lateral), float(offset @ self.depth), float(offset @ self.normal)


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """A smooth random field of zero mean and unit variance, defined everywhere: a sum of cosines."""

    wave_vectors: Array
    phases: Array

    @classmethod
    def random(cls, rng: np.random.Generator, wavelength_mm: tuple[float, float], count: int = 14) -> Waves:
        """Isotropic waves with lengths between the two given, log-uniform."""
        directions = rng.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        low, high = np.log(wavelength_mm).tolist()
        lengths = np.exp(rng.uniform(low, high, size=(count, 1)))
        return cls(
            (directions * 2 * np.pi / lengths).astype(np.float32),
            rng.uniform(0, 2 * np.pi, count).astype(np.float32),
        )

    def at(self, points: Array) -> Array:
        """Field values (...) at patient points (..., 3)."""
        angles = points @ self.wave_vectors.T + self.phases
        return np.asarray(np.cos(angles).sum(axis=-1) * np.sqrt(2 / len(self.phases)), np.float32)


def _legendre(degree: int, t: Floats) -> Floats:
    """Legendre polynomial of degree 2 to 5."""
    if degree == 2:
        return 1.5 * t**2 - 0.5
    if degree == 3:
        return t * (2.5 * t**2 - 1.5)
    if degree == 4:
        return (35 * t**4 - 30 * t**2 + 3) / 8
    return t * (63 * t**4 - 70 * t**2 + 15) / 8


@dataclass(frozen=True, slots=True, eq=False)
class StarShape:
    """A closed surface seen whole from its centre: an ellipsoid whose radius is modulated smoothly.

    ``radius(direction) = ellipsoid(direction) * exp(sum of a_i P_l(i)(axis_i . direction)) * scale``. Zonal harmonics
    about arbitrary axes span the spherical harmonics of their degree (addition theorem), so these are low-order
    harmonics without a frame of their own.

    Attributes
    ----------
    centre
        Patient point in mm, (3,).
    radii_mm
        Half axes of the ellipsoid, (3,).
    axes
        Rows are the directions of the half axes, (3, 3) orthonormal.
    bump_axes, bump_degrees, bump_sizes
        The modulation, (m, 3), (m,) of 2..5 and (m,).
    scale
        Factor on every radius.
    """

    centre: Vector
    radii_mm: Vector
    axes: Vector
    bump_axes: Vector
    bump_degrees: tuple[int, ...]
    bump_sizes: Vector
    scale: float = 1.0

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        centre: Vector,
        radii_mm: ArrayLike,
        roughness: float,
        axes: Vector | None = None,
    ) -> StarShape:
        """A shape with ``roughness`` as the standard deviation of its relative radius (0 is the plain ellipsoid).

        Parameters
        ----------
        rng
            Where the bumps come from.
        centre
            (X, Y, Z) in mm, patient axes.
        radii_mm
            The ellipsoid's three radii.
        roughness
            SD of the relative radius; 0 is the plain ellipsoid.
        axes
            Directions of the radii; None: random ones.
        """
        degrees = (2, 2, 3, 3, 3, 4, 4, 5)
        bump_axes = rng.normal(size=(len(degrees), 3))
        bump_axes /= np.linalg.norm(bump_axes, axis=1, keepdims=True)
        # The mean square of a zonal harmonic over the sphere is 1 / (2 l + 1).
        weights = np.array([np.sqrt((2 * n + 1) / len(degrees)) * (3.0 / (n + 1)) for n in degrees])
        sizes = roughness * weights * rng.normal(size=len(degrees)).clip(-1.6, 1.6)
        if axes is None:
            axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        return cls(np.asarray(centre, float), np.asarray(radii_mm, float), axes, bump_axes, degrees, sizes)

    @property
    def reach_mm(self) -> float:
        """Radius of a sphere about the centre that holds the whole shape."""
        return float(self.scale * self.radii_mm.max() * np.exp(np.abs(self.bump_sizes).sum()))

    def scaled(self, factor: float) -> StarShape:
        """The same shape, every diameter times ``factor``."""
        return replace(self, scale=self.scale * factor)

    def radius(self, directions: Floats) -> Floats:
        """Radius in mm along unit vectors (..., 3)."""
        kind = directions.dtype
        local = directions @ (self.axes.T / self.radii_mm).astype(kind)
        bumps = directions @ self.bump_axes.T.astype(kind)
        log_factor = np.zeros(directions.shape[:-1], kind)
        for index, (degree, size) in enumerate(zip(self.bump_degrees, self.bump_sizes, strict=True)):
            if size != 0:
                log_factor += kind.type(size) * _legendre(degree, bumps[..., index])
        return np.asarray(
            kind.type(self.scale) * np.exp(log_factor) / np.sqrt(np.einsum("...i,...i->...", local, local)), kind
        )

    def distance(self, points: Floats) -> tuple[Floats, Floats]:
        """Distance beyond the surface along the ray from the centre (negative inside), and the radius there, in mm.

        Its zero is the surface exactly; further off it is the radial, not the shortest, distance.
        """
        # The centre itself has no direction: it is taken a picometre aside.
        offset = points - self.centre.astype(points.dtype) + points.dtype.type(1e-9)
        length = np.sqrt(np.einsum("...i,...i->...", offset, offset))
        radius = self.radius(offset / length[..., None])
        return length - radius, radius

    def volume_ml(self, nodes: int = 96) -> float:
        """Volume: the integral of radius cubed / 3 over directions, Gauss-Legendre in cosine, trapezoid in angle."""
        cosines, weights = np.polynomial.legendre.leggauss(nodes)
        angles = np.arange(2 * nodes) * np.pi / nodes
        sines = np.sqrt(1 - cosines**2)
        directions = np.stack(
            [
                sines[:, None] * np.cos(angles),
                sines[:, None] * np.sin(angles),
                np.broadcast_to(cosines[:, None], (nodes, 2 * nodes)),
            ],
            axis=-1,
        )
        cubes = self.radius(directions) ** 3
        return float((weights @ cubes).sum() * np.pi / nodes / 3 / 1000)

    def outline(self, plane: ScanPlane, count: int = 7200) -> Vector | None:
        """The cut by a plane as image points (count, 2) = (x, z) in mm, or None where the plane misses the shape.

        Points lie on rays from the foot of the centre's perpendicular on the plane; the cut has to be seen whole from
        there, which holds for any cut through the centre.
        """
        x, z, out = plane.to_image(self.centre)
        foot = self.centre - out * plane.normal
        if self.distance(foot[None])[0][0] >= 0:
            return None
        angles = np.arange(count) * 2 * np.pi / count
        rays = np.cos(angles)[:, None] * plane.lateral + np.sin(angles)[:, None] * plane.depth
        length = self.radius(rays) if abs(out) < 1e-9 else self._bisect(foot, rays)
        return np.stack([x + length * np.cos(angles), z + length * np.sin(angles)], axis=1)

    def _bisect(self, foot: Vector, rays: Vector) -> Floats:
        """Distance of the surface from a point inside along each ray."""
        count = len(rays)
        low, high = np.zeros(count), np.full(count, self.reach_mm * 1.01)
        for _ in range(48):
            middle = (low + high) / 2
            inside = self.distance(foot + middle[:, None] * rays)[0] < 0
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        return np.asarray((low + high) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class OutlineAxes:
    """Long and short axis of an outline: end points (2, 2) in the outline's coordinates."""

    long: Vector
    short: Vector

    @property
    def long_mm(self) -> float:
        """Greatest distance between two points of the outline."""
        return float(np.linalg.norm(self.long[1] - self.long[0]))

    @property
    def short_mm(self) -> float:
        """Longest chord at right angles to the long axis."""
        return float(np.linalg.norm(self.short[1] - self.short[0]))


def measure_outline(outline: Vector) -> OutlineAxes:
    """Long axis and longest perpendicular chord of a closed polygon (n, 2).

    Both are sought among every tenth or so of the vertices of a finely drawn outline, then among all of them nearby.
    """
    count = len(outline)
    stride = max(1, count // 720)
    coarse = np.arange(0, count, stride)
    near = np.arange(-2 * stride, 2 * stride + 1)
    first, second = _farthest(outline, coarse, coarse)
    first, second = _farthest(outline, (first + near) % count, (second + near) % count)
    start, end = outline[first], outline[second]
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    places, heights = (outline - start) @ along, (outline - start) @ across
    best = _longest_chord(places, heights, coarse)[0]
    best, bottom, top = _longest_chord(places, heights, (best + near) % count)
    foot = start + places[best] * along
    return OutlineAxes(np.stack([start, end]), np.stack([foot + bottom * across, foot + top * across]))


def _farthest(outline: Vector, some: NDArray[np.intp], others: NDArray[np.intp]) -> tuple[int, int]:
    """Indices of the two points farthest apart, one of each set."""
    gaps = outline[some][:, None, :] - outline[others][None, :, :]
    row, col = divmod(int((gaps**2).sum(axis=-1).argmax()), len(others))
    return int(some[row]), int(others[col])


def _longest_chord(places: Vector, heights: Vector, vertices: NDArray[np.intp]) -> tuple[int, float, float]:
    """Of the chords through these vertices at right angles to the axis: the longest one's vertex, bottom and top.

    The chord's length is piecewise linear in its place along the axis, so its maximum lies at one of the vertices.
    """
    next_places, next_heights = np.roll(places, -1), np.roll(heights, -1)
    at = places[vertices][:, None]
    crossed = (np.minimum(places, next_places) <= at) & (at <= np.maximum(places, next_places))
    steps = next_places - places
    # An edge at right angles to the axis is crossed at both of its ends, which its neighbours give.
    crossed &= steps != 0
    level = heights + (at - places) / np.where(steps == 0, 1.0, steps) * (next_heights - heights)
    top = np.where(crossed, level, -np.inf).max(axis=1)
    bottom = np.where(crossed, level, np.inf).min(axis=1)
    best = int(np.argmax(top - bottom))
    return int(vertices[best]), float(bottom[best]), float(top[best])
