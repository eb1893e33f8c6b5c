"""Lesions cut out of their pictures, with stretched and bent copies: what a network for calipers is trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.lab.datasets import LesionAxes, Picture, lesion_axes
from lesion_measure.lab.datasets.axes import moment_axes, rectangle_axes
from lesion_measure.lab.training.bending import Matrix, bent, stretching
from lesion_measure.network.parts import caliper_length
from lesion_measure.network.window import Preprocessing, intensity_level, scale_intensity

REACH = 1.9
"""Half side of a cut-out, in lengths of the lesion: what a window around a misplaced caliper may show."""
LARGEST_PX = 220
STRETCH = 0.25
BEND = 0.05

ASPECTS = (0.5, 1.0)
MOST_ROUNDER = 2.0

MARGINS = (-0.08, 0.25)
"""How far outside of the given border another reader's lies, in radii of the lesion."""

Grey = NDArray[np.float32]
Parts = tuple[Grey, Grey, Grey | None]
"""A picture, a lesion on it, and what nobody judged, None where there is nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """One lesion: ``image`` in 0..255 of the picture's own intensity scale, ``mask`` 0 or 1, and its calipers.

    ``ignored`` are pixels that nobody judged, None where there are none. ``axes`` are the calipers that different
    readers would place: the longest line across it, the middle lines of the rectangle around it, the axes of the
    ellipse that resembles it.
    """

    source: str
    group: str
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    axes: tuple[LesionAxes, ...]
    ignored: NDArray[np.bool_] | None = None


def cut_outs(
    pictures: Sequence[Picture],
    preprocessing: Preprocessing,
    copies: Mapping[str, int],
    seed: int,
    aspect: float = 0.0,
    margin: float = 0.0,
) -> list[CutOut]:
    """Every lesion of every picture, as many times as ``copies`` says of its set; the same seed, the same copies.

    A share ``aspect`` of the copies is given another ratio of the axes first (`_rounder`), a share ``margin`` another
    reader's notion of the border (`_by_another_reader`).

    Parameters
    ----------
    pictures
        Where the lesions are.
    preprocessing
        Of the network, which sets the size of a cut-out.
    copies
        How many copies, by name of the set.
    seed
        Of the copies.
    aspect
        Share of the copies with another ratio of the axes, 0 to 1.
    margin
        Share of the copies with another reader's border, 0 to 1.
    """
    made = []
    for number, item in enumerate(pictures):
        level = intensity_level(item.image, preprocessing)
        for label in range(1, len(item.axes) + 1):
            image, mask, unjudged = _cut(item, label, preprocessing, level)
            for copy in range(copies.get(item.source, 1)):
                rng = np.random.default_rng((seed, 23, number, label, copy))
                grey, inside, ignored = image, mask, unjudged
                if copy:
                    matrix = _rounder(mask, rng) if aspect and rng.random() < aspect else None
                    grey, inside, ignored = _deform((image, mask, unjudged), rng, matrix)
                lesion = inside > 0.5
                if copy and margin and rng.random() < margin:
                    lesion = _by_another_reader(lesion, rng)
                axes = placements(lesion)
                if axes:
                    shown, left_out = np.rint(255 * grey).astype(np.uint8), None if ignored is None else ignored > 0
                    made.append(CutOut(item.source, item.group, shown, lesion, axes, left_out))
    return made


def placements(mask: NDArray[np.bool_]) -> tuple[LesionAxes, ...]:
    """The three kinds of axes of a lesion; none where its longest line is too short."""
    longest = lesion_axes(mask)
    if longest is None:
        return ()
    return tuple(axes or longest for axes in (longest, rectangle_axes(mask), moment_axes(mask)))


def _cut(item: Picture, label: int, preprocessing: Preprocessing, level: float) -> Parts:
    """A square around a lesion, coarser where it is large."""
    line = np.asarray(item.axes[label - 1].long)
    reach = REACH * caliper_length(item.axes[label - 1].long) + 12
    low = np.maximum(np.floor(line.mean(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(line.mean(axis=0) + reach) + 1, item.image.shape).astype(int)
    box = slice(low[0], high[0]), slice(low[1], high[1])
    image = np.clip(item.image[box].astype(np.float32) / np.float32(max(level, 1.0)), 0, 1)
    mask = (item.labels[box] == label).astype(np.float32)
    ignored = None if item.ignored is None else item.ignored[box].astype(np.float32)
    factor = max(image.shape) / LARGEST_PX
    if factor <= 1:
        return image, mask, ignored
    sigma = math.sqrt((factor**2 - 1) / 12)
    coarse = [ndimage.zoom(ndimage.gaussian_filter(one, sigma), 1 / factor, order=1) for one in (image, mask)]
    rough = None if ignored is None else ndimage.zoom(ignored, 1 / factor, order=1)
    return np.clip(coarse[0], 0, 1), coarse[1], rough


def _rounder(mask: Grey, rng: np.random.Generator) -> Matrix | None:
    """What gives a lesion a short axis of 0.5 to 1 long axes, at random; None for one without axes.

    Sets of one organ show lesions of one shape (breast: flat); a network learns it as if it held everywhere.
    """
    axes = moment_axes(mask > 0.5)
    if axes is None or axes.short is None:
        return None
    ratio = caliper_length(axes.short) / caliper_length(axes.long)
    (row0, col0), (row1, col1) = axes.long
    stretch = math.sqrt(min(max(rng.uniform(*ASPECTS) / ratio, 1 / MOST_ROUNDER), MOST_ROUNDER))
    return stretching(math.atan2(col1 - col0, row1 - row0), stretch)


def _by_another_reader(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The same lesion as another reader outlines it: somewhat outside or inside of this border.

    Readers differ in whether a halo, a rim or a blurred border belongs to a lesion, and are true to themselves: where
    the ends of a caliper lie outside of the visible border, so does the rest of the outline.
    """
    distance = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
    radius = math.sqrt(float(mask.sum()) / math.pi)
    return np.asarray(distance > -rng.uniform(*MARGINS) * radius)


def _deform(parts: Parts, rng: np.random.Generator, first: Matrix | None = None) -> Parts:
    """The same lesion stretched along a random direction, area kept, and smoothly bent; ``first`` is done before."""
    image, mask, ignored = parts
    matrix = stretching(rng.uniform(0, math.pi), math.exp(rng.uniform(-STRETCH, STRETCH)))
    if first is not None:
        matrix = first @ matrix
    strength = rng.uniform(0, BEND) * math.sqrt(4 * float(mask.sum()) / math.pi)
    points = bent(image.shape, matrix, strength, rng)
    grey = ndimage.map_coordinates(image, points, order=1, mode="constant")
    inside = ndimage.map_coordinates(mask, points, order=1, mode="constant")
    unjudged = None if ignored is None else ndimage.map_coordinates(ignored, points, order=1, mode="constant")
    labels, count = ndimage.label(inside > 0.5)
    if count > 1:
        largest = 1 + int(np.bincount(labels.ravel())[1:].argmax())
        inside = np.where(labels == largest, inside, np.float32(0))
    return np.clip(grey, 0, 1), inside, unjudged


def scaled(item: CutOut) -> Grey:
    """A cut-out's picture in 0..1."""
    return scale_intensity(item.image, Preprocessing(), level=255.0)
