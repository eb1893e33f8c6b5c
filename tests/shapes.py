"""Analytic ellipses and rectangles, as hard masks and as pixel coverage, for geometry tests and benchmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ellipe


@dataclass(frozen=True)
class Shape:
    """An ellipse or rectangle of axes / sides ``length`` x ``width`` mm, at a sub-pixel place, angle and spacing."""

    kind: str
    length: float
    width: float
    angle: float
    centre: tuple[float, float]
    spacing: tuple[float, float]
    size: int

    def contains(self, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> NDArray[np.bool_]:
        y = (rows - self.centre[0]) * self.spacing[0]
        x = (cols - self.centre[1]) * self.spacing[1]
        u = x * math.cos(self.angle) + y * math.sin(self.angle)
        v = y * math.cos(self.angle) - x * math.sin(self.angle)
        if self.kind == "ellipse":
            return (2 * u / self.length) ** 2 + (2 * v / self.width) ** 2 <= 1
        return (np.abs(u) <= self.length / 2) & (np.abs(v) <= self.width / 2)

    def hard(self) -> NDArray[np.bool_]:
        grid = np.arange(self.size, dtype=np.float64)
        return self.contains(grid[:, None], grid[None, :])

    def soft(self, samples: int = 8) -> NDArray[np.float64]:
        """Share of each pixel that is covered, by samples x samples points."""
        grid = (np.arange(self.size * samples) + 0.5) / samples - 0.5
        fine = self.contains(grid[:, None], grid[None, :])
        return fine.reshape(self.size, samples, self.size, samples).mean(axis=(1, 3))

    @property
    def truth(self) -> tuple[float, float, float, float]:
        """Long axis, short axis (longest perpendicular chord), area and perimeter, in mm."""
        a, b = self.length, self.width
        if self.kind == "ellipse":
            return a, b, math.pi / 4 * a * b, 2 * a * float(ellipe(1 - (b / a) ** 2))
        diagonal = math.hypot(a, b)
        # through a corner, perpendicular to the diagonal, to the opposite side
        return diagonal, b * diagonal / a, a * b, 2 * (a + b)


def random_shape(rng: np.random.Generator, kind: str, low_px: float, high_px: float, *, anisotropic: bool) -> Shape:
    """A shape of low..high pixels length (on average over directions), aspect 0.5-1, spacing ratio 0.7-1.4."""
    length = rng.uniform(low_px, high_px)
    width = length * rng.uniform(0.5, 1.0)
    ratio = rng.uniform(0.7, 1.4) if anisotropic else 1.0
    size = math.ceil(length * (1.25 if kind == "ellipse" else 1.8)) + 8
    row, col = size / 2 + rng.uniform(-0.5, 0.5, 2)
    spacing = (math.sqrt(ratio), 1 / math.sqrt(ratio))
    return Shape(kind, length, width, rng.uniform(0, math.pi), (row, col), spacing, size)
