"""What happens to a sampled picture before it is normalised: lesion echo, gain, noise, shadows, a fan, text, marks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from lesion_measure.lab.training.bending import bent, stretching
from lesion_measure.lab.training.settings import Augmentation
from lesion_measure.lab.training.trivial import trivially_varied

Grey = NDArray[np.float32]
BLACK = 0.02
LEAST_PX = 12
LARGEST_ECHO = 0.9
"""Largest logarithm of a lesion's brightness over that of its surroundings."""
RIM_SHARE = 0.3
_TEXTS = (
    "RT LOBE",
    "LIVER",
    "LT",
    "SAG",
    "TRANS",
    "DIST 1",
    "1 L 2.31 cm",
    "GAIN 62",
    "MI 0.9",
    "12 cm",
    "ABD",
    "C5-1",
)


def augment(
    image: Grey, target: Grey, rng: np.random.Generator, settings: Augmentation, full_rectangle: bool
) -> tuple[Grey, Grey]:
    """A varied copy of a sampled picture (size, size) in 0..1, and its target (cut where a fan hides it).

    Parameters
    ----------
    image
        The picture (size, size), 0..1.
    target
        What the network should draw (size, size).
    rng
        Where the variation comes from.
    settings
        What is varied, and how often.
    full_rectangle
        Whether the picture fills its rectangle, so that a fan may be cut out of it.
    """
    black = image <= 0
    if settings.echo and rng.random() < settings.echo:
        image = _echo(image, target, rng)
    image = np.power(np.maximum(image, 0), np.float32(math.exp(rng.normal(0, settings.gamma_sd))))
    image = _gain(image, rng, settings.gain_sd)
    image = _speckle(image, rng, settings.speckle)
    if rng.random() < settings.blur:
        image = ndimage.gaussian_filter(image, rng.uniform(0.4, 1.4))
    if rng.random() < settings.shadow:
        image = image * _shadow(image.shape[0], rng)
    image = np.where(black, np.float32(0), image)
    if full_rectangle and rng.random() < settings.fan:
        fan = _fan(image.shape[0], rng)
        image, target = image * fan, target * fan
    if rng.random() < settings.text:
        image = np.maximum(image, _text(image.shape[0], rng))
    if rng.random() < settings.marks:
        image = np.maximum(image, _marks(target, rng))
    return np.clip(image, 0, 1).astype(np.float32), target.astype(np.float32)


def deformed(shown: Grey, rng: np.random.Generator, settings: Augmentation, *, still: bool = False) -> Grey:
    """A picture and its masks (n, size, size) after TrivialAugment, stretched and bent as one; 0 comes from outside.

    ``still``: TrivialAugment does not move what is in the middle.
    """
    if settings.trivial:
        shown = trivially_varied(shown, rng, still=still)
    if not (settings.stretch or settings.bend):
        return shown
    stretch = math.exp(rng.uniform(-settings.stretch, settings.stretch))
    matrix = stretching(rng.uniform(0, math.pi), stretch)
    size = shown.shape[-1]
    places = bent((size, size), matrix, rng.uniform(0, settings.bend) * size, rng)
    moved = [ndimage.map_coordinates(each, places, order=1, mode="constant") for each in shown]
    return np.stack(moved).astype(np.float32)


def _echo(image: Grey, target: Grey, rng: np.random.Generator) -> Grey:
    """The lesion darker, brighter or as bright as what surrounds it, its own texture kept; perhaps with a rim.

    Sets of one organ show lesions of one kind (breast: darker than their surroundings), others show both.
    """
    inside = target > 0.5
    ring = ndimage.binary_dilation(inside, iterations=max(2, image.shape[0] // 16)) & ~inside & (image > BLACK)
    if inside.sum() < LEAST_PX or ring.sum() < LEAST_PX:
        return image
    own, around = (math.log(max(float(image[where].mean()), BLACK)) for where in (inside, ring))
    wanted = rng.uniform(-LARGEST_ECHO, LARGEST_ECHO) if rng.random() < 0.5 else (own - around) * rng.uniform(-1, 1)
    soft = ndimage.gaussian_filter(target, rng.uniform(0.5, 2.5))
    change = soft * np.float32(around + wanted - own)
    if rng.random() < RIM_SHARE:
        edge = 4 * soft * (1 - soft)
        change = change + edge * np.float32(rng.uniform(-0.5, 0.5))
    return np.asarray(image * np.exp(change), dtype=np.float32)


def _gain(image: Grey, rng: np.random.Generator, spread: float) -> Grey:
    ramp = np.linspace(-0.5, 0.5, image.shape[0], dtype=np.float32)
    down, across, whole = rng.normal(0, spread, 3)
    field = np.exp(np.float32(down) * ramp[:, None] + np.float32(across * 0.6) * ramp[None] + np.float32(whole * 0.6))
    return np.asarray(image * field, dtype=np.float32)


def _speckle(image: Grey, rng: np.random.Generator, largest: float) -> Grey:
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    sigma = rng.uniform(0.3, 1.8)
    noise = ndimage.gaussian_filter(noise, (sigma, sigma * rng.uniform(0.8, 2.0)))
    strength = rng.uniform(0, largest) / max(float(noise.std()), 1e-6)
    return np.asarray(image * (1 + np.float32(strength) * noise), dtype=np.float32)


def _shadow(size: int, rng: np.random.Generator) -> Grey:
    """A dark band down the picture, soft at its sides, that starts at some depth."""
    row, col = np.mgrid[:size, :size].astype(np.float32)
    middle = rng.uniform(0, size) + (row - size / 2) * rng.normal(0, 0.3)
    width = rng.uniform(0.03, 0.15) * size
    depth = 1 / (1 + np.exp(-(row - rng.uniform(-0.2, 0.8) * size) / 6))
    band = rng.uniform(0.2, 0.8) * depth * np.exp(-(((col - middle) / width) ** 2))
    return np.asarray(1 - band, dtype=np.float32)


def _fan(size: int, rng: np.random.Generator) -> Grey:
    """1 inside a curvilinear fan that fills most of the picture, 0 outside."""
    row, col = np.mgrid[:size, :size].astype(np.float32) / size
    apex = -rng.uniform(0.1, 0.8)
    down, side = row - apex, col - 0.5 - rng.normal(0, 0.03)
    radius, angle = np.hypot(down, side), np.abs(np.arctan2(side, down))
    half = math.atan(0.5 / (1 - apex)) * rng.uniform(1.0, 1.6)
    inside = (angle < half) & (radius > -apex + rng.uniform(0, 0.05)) & (radius < -apex + rng.uniform(0.95, 1.1))
    return np.asarray(inside, dtype=np.float32)


def _text(size: int, rng: np.random.Generator) -> Grey:
    canvas = Image.new("L", (size, size))
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 4))):
        font = ImageFont.load_default(size=int(rng.integers(7, 16)))
        place = (float(rng.uniform(0, 0.85) * size), float(rng.uniform(0, 0.95) * size))
        draw.text(place, str(rng.choice(_TEXTS)), fill=int(rng.integers(120, 256)), font=font)
    return np.asarray(canvas, dtype=np.float32) / np.float32(255)


def _marks(target: Grey, rng: np.random.Generator) -> Grey:
    """Caliper crosses and a dotted line: on a lesion's extremes half of the time, elsewhere otherwise."""
    size = target.shape[0]
    inside = np.argwhere(target > 0.5)
    if len(inside) > 8 and rng.random() < 0.5:
        angle = rng.uniform(0, math.pi)
        along = inside @ np.array([math.sin(angle), math.cos(angle)])
        ends = inside[[int(along.argmin()), int(along.argmax())]] + rng.normal(0, 1.5, (2, 2))
    else:
        ends = rng.uniform(0.05, 0.95, 2) * size + rng.uniform(-0.2, 0.2, (2, 2)) * size
    canvas = Image.new("L", (size, size))
    draw = ImageDraw.Draw(canvas)
    grey, arm = int(rng.integers(150, 256)), float(rng.uniform(2, 4.5))
    for row, col in ends:
        draw.line([(col - arm, row), (col + arm, row)], fill=grey)
        draw.line([(col, row - arm), (col, row + arm)], fill=grey)
    if rng.random() < 0.6:
        steps = max(int(np.hypot(*(ends[1] - ends[0])) / rng.uniform(3, 6)), 1)
        for row, col in ends[0] + np.linspace(0, 1, steps + 1)[:, None] * (ends[1] - ends[0]):
            draw.point((col, row), fill=grey)
    return np.asarray(canvas, dtype=np.float32) / np.float32(255)
