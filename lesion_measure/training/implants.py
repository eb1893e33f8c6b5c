"""Lesions that no picture shows: drawn into the real tissue of a picture, their outline known.

A simulated frame has a known outline in made-up speckle, a real lesion an outline that somebody drew in real speckle;
an implant has a known outline in real speckle. Its echo, texture, border and shape are random, down to hardly visible.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.datasets import Picture
from lesion_measure.network.preprocess import Preprocessing, intensity_level
from lesion_measure.training.copies import CutOut, Grey, cut_around, hands

IMPLANTED = "implanted"
"""The set that implants form in a training's mixture."""

SHARE_OF_HOST = (0.08, 0.5)
"""Least and greatest length of an implant, in lengths of its host's longer side."""
LEAST_LENGTH_PX = 16
LEAST_AREA_PX = 60
TRIES = 12
BLACK = 0.04
LEAST_TISSUE = 0.9
LEAST_BRIGHTNESS = 2 * BLACK

ASPECTS = (0.55, 1.0)
WAVES = 0.12
POLYGONS = 0.5
"""Share of the outlines that are polygons, as readers draw them."""
INSET = (0.06, 0.08)
"""Mean and SD of how far the visible border lies inside of the outline, in radii: readers outline generously."""
ECHO = (0.08, 0.9)
"""Least and greatest logarithm, up or down, of a lesion's brightness over that of its surroundings."""

Floats = NDArray[np.float64]


def implants(
    pictures: Sequence[Picture], preprocessing: Preprocessing, count: Mapping[str, int], seed: int
) -> list[CutOut]:
    """As many implants of each picture as ``count`` says of its set, where there is room; the same seed, the same.

    They are of the set `IMPLANTED` and of their host's group.
    """
    made = []
    for number, host in enumerate(pictures):
        level = intensity_level(host.image, preprocessing)
        for copy in range(count.get(host.source, 0)):
            one = implant(host, level, np.random.default_rng((seed, 29, number, copy)))
            if one is not None:
                made.append(one)
    return made


def implant(host: Picture, level: float, rng: np.random.Generator) -> CutOut | None:
    """A lesion drawn into a picture whose `intensity_level` is ``level``, cut out; None where no room was found."""
    low, high = (share * max(host.image.shape) for share in SHARE_OF_HOST)
    length = math.exp(rng.uniform(math.log(max(low, LEAST_LENGTH_PX)), math.log(max(high, LEAST_LENGTH_PX + 1))))
    place = _place(host, length, level, rng)
    if place is None:
        return None
    outline = _outline(host.image.shape, place, length / 2, rng)
    if (outline & (host.labels > 0)).any():
        return None
    image, mask = cut_around(host.image, outline, place, length, level)
    inside = mask > 0.5
    if inside.sum() < LEAST_AREA_PX or image[inside].mean() < LEAST_BRIGHTNESS:
        return None
    drawn = _drawn(image, inside, rng)
    axes = hands(inside)
    if not axes:
        return None
    return CutOut(IMPLANTED, host.group, np.rint(255 * drawn).astype(np.uint8), inside, axes)


def _place(host: Picture, length: float, level: float, rng: np.random.Generator) -> Floats | None:
    """The middle (row, column) of a square of tissue without a lesion; None where none is found."""
    half = length / 2
    if min(host.image.shape) <= length + 1:
        return None
    for _ in range(TRIES):
        place = np.array([rng.uniform(half, side - half) for side in host.image.shape])
        low, high = np.floor(place - half).astype(int), np.ceil(place + half).astype(int)
        box = slice(max(low[0], 0), high[0]), slice(max(low[1], 0), high[1])
        if (host.image[box] > BLACK * level).mean() >= LEAST_TISSUE and not host.labels[box].any():
            return place
    return None


def _outline(shape: tuple[int, ...], centre: Floats, radius: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A wavy ellipse, or a polygon with its corners on one, of about this longest radius."""
    aspect, turn = rng.uniform(*ASPECTS), rng.uniform(0, math.pi)
    row, col = np.ogrid[: shape[0], : shape[1]]
    down, right = row - centre[0], col - centre[1]
    along = down * math.cos(turn) + right * math.sin(turn)
    across = (right * math.cos(turn) - down * math.sin(turn)) / aspect
    angles = np.linspace(-math.pi, math.pi, 361)
    border = np.ones_like(angles)
    for order in range(2, 7):
        height = rng.normal(0, rng.uniform(0, WAVES) / order)
        border += height * np.cos(order * angles + rng.uniform(0, 2 * math.pi))
    if rng.random() < POLYGONS:
        count = int(rng.integers(6, 12))
        corners = (np.arange(count) + rng.uniform(-0.35, 0.35, count)) * 2 * math.pi / count - math.pi
        border = _sides(angles, corners, np.interp(corners, angles, border, period=2 * math.pi))
    return np.asarray(np.hypot(along, across) < radius * np.interp(np.arctan2(across, along), angles, border))


def _sides(angles: Floats, corners: Floats, radii: Floats) -> Floats:
    """How far from its centre a polygon's sides lie at each angle; ``corners`` are angles in rising order."""
    ends = np.concatenate([corners[-1:] - 2 * math.pi, corners, corners[:1] + 2 * math.pi])
    far = np.concatenate([radii[-1:], radii, radii[:1]])
    side = np.clip(np.searchsorted(ends, angles) - 1, 0, len(ends) - 2)
    first, last, near, next_ = ends[side], ends[side + 1], far[side], far[side + 1]
    height = near * np.sin(angles - first) + next_ * np.sin(last - angles)
    return np.asarray(near * next_ * np.sin(last - first) / np.maximum(height, 1e-6))


def _drawn(image: Grey, inside: NDArray[np.bool_], rng: np.random.Generator) -> Grey:
    """The lesion in its cut-out: another level, mottled; perhaps another texture, a rim, a shadow below."""
    radius = math.sqrt(float(inside.sum()) / math.pi)
    depth = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    depth = depth - max(rng.normal(*INSET), -0.05) * radius
    ragged = rng.uniform(0, 0.08) * radius * _noise(image.shape, radius * rng.uniform(0.3, 1.0), rng)
    width = 0.5 * (rng.uniform(0.03, 0.2) * radius + 0.5)
    weight = 1 / (1 + np.exp(-np.clip((depth + ragged) / width, -30, 30)))
    drawn = _texture(image, radius, rng)
    echo = rng.choice([-1.0, 1.0]) * math.exp(rng.uniform(*np.log(ECHO)))
    change = echo * (1 + 0.4 * _noise(image.shape, radius * rng.uniform(0.5, 1.5), rng))
    if rng.random() < 0.6:
        change = change + rng.uniform(0.05, 0.3) * _noise(image.shape, radius * rng.uniform(0.08, 0.4), rng)
    made = image + weight * (drawn * np.exp(change) - image)
    if rng.random() < 0.35:
        rim = np.exp(-((depth / (rng.uniform(0.06, 0.2) * radius + 0.5)) ** 2))
        made = made * np.exp(rng.uniform(-0.6, 0.5) * rim)
    if rng.random() < 0.35:
        below = np.cumsum(weight, axis=0) / max(float(weight.sum(axis=0).max()), 1.0) * (1 - weight)
        made = made * np.exp(rng.uniform(-0.8, 0.5) * ndimage.gaussian_filter(below, max(radius / 10, 1)))
    return np.asarray(np.clip(made, 0, 1), dtype=np.float32)


def _texture(image: Grey, radius: float, rng: np.random.Generator) -> Grey:
    """The lesion's speckle at the level of the place: its own or that of tissue elsewhere, perhaps blurred."""
    drawn = image
    if rng.random() < 0.6:
        other = _elsewhere(image, rng)
        sigma = max(radius / 3, 2)
        level, own = (ndimage.gaussian_filter(one, sigma) + 0.01 for one in (image, other))
        drawn = level * np.clip(other / own, 0, 4)
    return ndimage.gaussian_filter(drawn, rng.uniform(0.4, 1.5)) if rng.random() < 0.3 else drawn


def _elsewhere(image: Grey, rng: np.random.Generator) -> Grey:
    """The picture shifted, mirrored at its edges; its own pixels where black would come."""
    shifted = []
    for side in image.shape:
        place = np.arange(side) + round(rng.choice([-1, 1]) * rng.uniform(0.15, 0.5) * side)
        shifted.append(np.abs((place + side) % (2 * side) - side).clip(0, side - 1))
    if rng.random() < 0.5:
        shifted[1] = shifted[1][::-1]
    moved = image[np.ix_(*shifted)]
    return np.where(ndimage.uniform_filter(moved, 5) > BLACK, moved, image)


def _noise(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> Floats:
    """Smooth noise of SD 1 that changes over about ``scale`` pixels."""
    step = max(scale, 1.5)
    knots = rng.standard_normal([max(int(side / step) + 3, 4) for side in shape])
    place = np.meshgrid(*(np.linspace(1, 1 + side / step, side) for side in shape), indexing="ij")
    noise = ndimage.map_coordinates(knots, place, order=3, mode="nearest")
    return np.asarray(noise / max(float(noise.std()), 1e-6))
