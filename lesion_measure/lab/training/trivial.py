"""TrivialAugment (Mueller and Hutter, ICCV 2021) for grey pictures and their masks: one random operation a sample.

The operation and its strength are drawn evenly. The grey ones are Pillow's; the geometric ones move picture and masks
alike. Turns and shears go as far as RandAugment's, as a liver is not seen from its side. Colour is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from scipy import ndimage

LARGEST_CHANGE = 0.9
"""Of brightness, contrast and sharpness, as a share."""
LEAST_BITS = 2
LARGEST_TURN = math.radians(30)
LARGEST_SHEAR = 0.3
LARGEST_SHIFT = 0.3
"""In sides of the grid."""

Grey = NDArray[np.float32]
Shade = Callable[[Image.Image, float], Image.Image]
"""A grey operation: a picture (mode L) and a strength, -1 to 1."""
Movement = Callable[[float, int], tuple[list[list[float]], list[float]]]
"""A geometric one: a strength, -1 to 1, and the grid's side, to a matrix and an offset around the grid's middle."""


def _posterised(image: Image.Image, strength: float) -> Image.Image:
    return ImageOps.posterize(image, 8 - round(abs(strength) * (8 - LEAST_BITS)))


def _solarised(image: Image.Image, strength: float) -> Image.Image:
    return ImageOps.solarize(image, round(256 * (1 - abs(strength))))


def _turned(strength: float, size: int) -> tuple[list[list[float]], list[float]]:
    cos, sin = math.cos(strength * LARGEST_TURN), math.sin(strength * LARGEST_TURN)
    return [[cos, -sin], [sin, cos]], [0, 0]


SHADES: Mapping[str, Shade] = {
    "identity": lambda image, strength: image,
    "brightness": lambda image, strength: ImageEnhance.Brightness(image).enhance(1 + LARGEST_CHANGE * strength),
    "contrast": lambda image, strength: ImageEnhance.Contrast(image).enhance(1 + LARGEST_CHANGE * strength),
    "sharpness": lambda image, strength: ImageEnhance.Sharpness(image).enhance(1 + LARGEST_CHANGE * strength),
    "posterize": _posterised,
    "solarize": _solarised,
    "autocontrast": lambda image, strength: ImageOps.autocontrast(image),
    "equalize": lambda image, strength: ImageOps.equalize(image),
}
MOVEMENTS: Mapping[str, Movement] = {
    "rotate": _turned,
    "shear rows": lambda strength, size: ([[1, LARGEST_SHEAR * strength], [0, 1]], [0, 0]),
    "shear columns": lambda strength, size: ([[1, 0], [LARGEST_SHEAR * strength, 1]], [0, 0]),
    "shift rows": lambda strength, size: ([[1, 0], [0, 1]], [LARGEST_SHIFT * strength * size, 0]),
    "shift columns": lambda strength, size: ([[1, 0], [0, 1]], [0, LARGEST_SHIFT * strength * size]),
}
OPERATIONS = (*SHADES, *MOVEMENTS)
STILL = tuple(name for name in OPERATIONS if not name.startswith("shift"))
"""Those that leave the middle of the grid where it is."""


def trivially_varied(shown: Grey, rng: np.random.Generator, *, still: bool = False) -> Grey:
    """A picture and its masks (n, size, size) in 0..1 after one random operation, of `STILL` or all, and strength."""
    operations = STILL if still else OPERATIONS
    name = operations[int(rng.integers(len(operations)))]
    return varied(shown, name, float(rng.uniform(-1, 1)))


def varied(shown: Grey, name: str, strength: float) -> Grey:
    """The same after one operation of `OPERATIONS` of a strength, -1 to 1. Black pixels stay black."""
    if name in MOVEMENTS:
        return _moved(shown, *MOVEMENTS[name](strength, shown.shape[-1]))
    pixels = Image.fromarray(np.rint(255 * np.clip(shown[0], 0, 1)).astype(np.uint8))
    changed = np.asarray(SHADES[name](pixels, strength), dtype=np.float32) / np.float32(255)
    return np.concatenate([np.where(shown[:1] > 0, changed, np.float32(0)), shown[1:]])


def _moved(shown: Grey, turn: list[list[float]], shift: list[float]) -> Grey:
    matrix, middle = np.array(turn), np.full(2, (shown.shape[-1] - 1) / 2)
    offset = middle + np.array(shift) - matrix @ middle
    moved = [ndimage.affine_transform(each, matrix, offset, order=1, mode="constant") for each in shown]
    return np.stack(moved).astype(np.float32)
