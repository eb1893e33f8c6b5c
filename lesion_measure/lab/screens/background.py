"""Echoes on a screen: speckle with vessels, lesions and bright lines in a sector or a rectangle, in gray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Gray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Echoes:
    """``gray`` (rows, columns), 0 to 255; ``mask`` where the beam has reached; ``box`` top, left, bottom, right."""

    gray: Gray
    mask: NDArray[np.bool_]
    box: tuple[int, int, int, int]


def draw_echoes(rng: np.random.Generator, size: tuple[int, int], fan: bool) -> Echoes:
    """Echoes on a screen of ``size`` (rows, columns)."""
    rows, cols = size
    top, bottom = int(rows * rng.uniform(0.1, 0.16)), int(rows * rng.uniform(0.84, 0.93))
    left, right = int(cols * rng.uniform(0.14, 0.2)), int(cols * rng.uniform(0.76, 0.84))
    mask = _sector(size, (top, left, bottom, right), rng) if fan else np.zeros(size, np.bool_)
    if not fan:
        mask[top : bottom + 1, left : right + 1] = True
    level = _tissue(rng, size)
    envelope = _speckle(rng, size)
    decibel = 20 * np.log10(np.maximum(envelope, 1e-3)) + level
    span = rng.uniform(48, 75)
    gray = np.clip((decibel + span * rng.uniform(0.3, 0.7)) / span, 0, 1) ** rng.uniform(0.8, 1.2) * 255
    return Echoes(np.where(mask, gray, 0).astype(np.float32), mask, (top, left, bottom, right))


def _sector(size: tuple[int, int], box: tuple[int, int, int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    top, left, bottom, right = box
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    near = rng.uniform(0.02, 0.3) * (bottom - top)
    half = rng.uniform(0.5, 0.72)
    apex = top - near * np.cos(half) * 0.9
    radius, angle = np.hypot(y - apex, x - (left + right) / 2), np.arctan2(x - (left + right) / 2, y - apex)
    inside = (radius > near) & (radius < bottom - apex) & (np.abs(angle) < half)
    return np.asarray(inside & (x >= left) & (x <= right) & (y >= top))


def _speckle(rng: np.random.Generator, size: tuple[int, int]) -> Gray:
    """Envelope of speckle (mean square 1) with grains of a few pixels, wider than high; one to three looks averaged."""
    grain, looks = (rng.uniform(0.7, 2.0), rng.uniform(1.0, 3.2)), int(rng.integers(1, 4))
    parts = rng.standard_normal((2 * looks, *size)).astype(np.float32)
    power = sum(ndimage.gaussian_filter(part, grain) ** 2 for part in parts)
    envelope: Gray = np.sqrt(np.asarray(power, np.float32))
    return np.asarray(envelope / np.sqrt(np.mean(envelope**2)), np.float32)


def _tissue(rng: np.random.Generator, size: tuple[int, int]) -> Gray:
    """Mean echo in dB: slow changes, lesions and vessels, bright lines such as a diaphragm."""
    rows, cols = size
    y, x = np.mgrid[:rows, :cols].astype(np.float32)
    level = rng.uniform(-6, 6) * (y / rows) + rng.uniform(-5, 5) * np.sin(x / cols * rng.uniform(2, 7))
    for _ in range(int(rng.integers(2, 7))):
        centre = rng.uniform(0.2, 0.85, 2) * size
        axes, turn = rng.uniform(0.015, 0.13, 2) * rows, rng.uniform(0, np.pi)
        dy, dx = y - centre[0], x - centre[1]
        u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        inside = 1 / (1 + np.exp(np.clip(8 * (np.hypot(u / axes[0], v / axes[1]) - 1), -30, 30)))
        level = level + rng.choice([-28, -14, -8, 6, 9]) * inside
    for _ in range(int(rng.integers(0, 4))):
        top, left = rng.uniform(-0.5, 1.2) * rows, rng.uniform(0, 1) * cols
        radius = np.hypot(y - top, x - left)
        at, width = rng.uniform(0.2, 0.9) * rows, rng.uniform(1.2, 5)
        sight = np.exp(-(((x - rng.uniform(0.2, 0.8) * cols) / (rng.uniform(0.05, 0.3) * cols)) ** 2))
        level = level + rng.uniform(12, 26) * np.exp(-(((radius - at) / width) ** 2)) * sight
    return np.asarray(level, np.float32)
