"""Real lesions in other pictures: a lesion is cut out, resized and turned, and blended into tissue elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.lab.datasets import LesionAxes, Picture, lesion_axes
from lesion_measure.network.parts import caliper_length

MIN_LENGTH_PX = 14
SHARE_OF_HOST = (0.05, 0.3)
"""Least and greatest length of a blended lesion, in lengths of its host's longer side."""
TRIES = 12
MIN_TISSUE = 0.9
BLACK = 8

Grey = NDArray[np.float32]


def blend(host: Picture, donor: Picture, label: int, rng: np.random.Generator) -> Picture:
    """``host`` with lesion ``label`` (from 1) of ``donor`` in it; unchanged where no tissue has room for it.

    The lesion keeps its own texture and its contrast to what surrounded it, up to a random factor; the brightness of
    the place where it comes to lie is kept.
    """
    patch, mask = _cut_out(host, donor, label, rng)
    place = _place(host, mask > 0.5, rng)
    if place is None:
        return host
    image, labels = host.image.copy(), host.labels.copy()
    box = tuple(slice(start, start + length) for start, length in zip(place, mask.shape, strict=True))
    under = image[box].astype(np.float32)
    around = ndimage.gaussian_filter(under, max(mask.shape) / 6)
    drawn = around * np.exp(patch * np.float32(rng.uniform(0.6, 1.2)))
    weight = ndimage.gaussian_filter(mask, rng.uniform(0.6, 2.0))
    image[box] = np.clip(under + weight * (drawn - under), 0, 255).astype(np.uint8)
    axes = lesion_axes(mask > 0.5)
    if axes is None:
        return host
    labels[box][mask > 0.5] = len(host.axes) + 1
    return replace(host, image=image, labels=labels, axes=(*host.axes, _moved(axes, place)))


def _cut_out(host: Picture, donor: Picture, label: int, rng: np.random.Generator) -> tuple[Grey, Grey]:
    """The lesion's log brightness relative to its surroundings, and its soft mask, resized and turned for the host."""
    inside = donor.labels == label
    length = caliper_length(donor.axes[label - 1].long)
    low, high = (share * max(host.image.shape) for share in SHARE_OF_HOST)
    goal = math.exp(rng.uniform(math.log(max(low, MIN_LENGTH_PX)), math.log(max(high, MIN_LENGTH_PX + 1))))
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    margin = int(0.15 * length) + 2
    rows, cols = (
        slice(max(part.start - margin, 0), min(part.stop + margin, side))
        for part, side in zip(box, inside.shape, strict=True)
    )
    mask, grey = inside[rows, cols].astype(np.float32), donor.image[rows, cols].astype(np.float32)
    around = grey[(mask == 0) & (grey > BLACK)]
    level = float(np.median(around)) if around.size else float(grey.mean())
    factor = goal / length
    if factor < 1:
        grey = ndimage.gaussian_filter(grey, math.sqrt(1 / factor**2 - 1) / 3.5)
        mask = ndimage.gaussian_filter(mask, math.sqrt(1 / factor**2 - 1) / 3.5)
    turn = float(rng.uniform(-40, 40))
    grey, mask = (ndimage.zoom(one, factor, order=1) for one in (grey, mask))
    mask = np.pad(ndimage.rotate(mask, turn, order=1), 3)
    grey = np.pad(ndimage.rotate(grey, turn, order=1, mode="nearest"), 3, mode="edge")
    if rng.random() < 0.5:
        grey, mask = grey[:, ::-1], mask[:, ::-1]
    return np.log((grey + 4) / (level + 4)).astype(np.float32), np.clip(mask, 0, 1)


def _place(host: Picture, mask: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int] | None:
    """The upper left pixel of a place in tissue, apart from the host's own lesions; None where none is found.

    Where the liver is outlined, the lesion lies in it.
    """
    room = [side - length for side, length in zip(host.image.shape, mask.shape, strict=True)]
    if min(room) <= 0:
        return None
    for _ in range(TRIES):
        row, col = (int(rng.integers(one)) for one in room)
        box = slice(row, row + mask.shape[0]), slice(col, col + mask.shape[1])
        tissue = (host.image[box] > BLACK).mean() >= MIN_TISSUE and _in_liver(host, box, mask)
        if tissue and not host.labels[box].any() and not _unjudged(host, box):
            return row, col
    return None


def _in_liver(host: Picture, box: tuple[slice, slice], mask: NDArray[np.bool_]) -> bool:
    """Whether a lesion would lie in the liver, where that is outlined."""
    return host.liver is None or bool(host.liver[box][mask].mean() >= MIN_TISSUE)


def _unjudged(host: Picture, box: tuple[slice, slice]) -> bool:
    return host.ignored is not None and bool(host.ignored[box].any())


def _moved(axes: LesionAxes, place: tuple[int, int]) -> LesionAxes:
    lines = [
        None if line is None else tuple((row + place[0], col + place[1]) for row, col in line)
        for line in (axes.long, axes.short)
    ]
    return LesionAxes(*lines)  # type: ignore[arg-type]
