"""Masks as pictures (PNG), as untrusted input: bounded before they are decoded, exactly as stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lesion_measure.errors import InputError
from lesion_measure.reading import open_regular

MIN_SIDE_PX, MAX_SIDE_PX = 8, 8192
FORMATS = ("PNG", "JPEG")
PILLOW_ERRORS = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, UnidentifiedImageError)
# A mask whose edges were smoothed holds many grey values, one that holds several labels only a few.
_FEWEST_SOFT_VALUES = 16


def read_mask(path: Path, *, code: str = "mask") -> NDArray[np.bool_]:
    """A mask (rows, columns) exactly as stored: 0 outside, one other value on the lesion or organ.

    Masks with smoothed edges are cut at half of full scale. ``code`` is that of the error.

    Raises
    ------
    InputError
        It is no picture, of an impossible size, in colour, or holds several labels.
    """
    values = read_values(path, code=code)
    levels = np.unique(values)
    if levels[0] == 0 and levels.size <= 2:
        return np.asarray(values > 0)
    if levels[0] == 0 and levels.size >= _FEWEST_SOFT_VALUES and 250 <= levels[-1] <= 255:
        return np.asarray(values > 127)
    raise InputError(
        "The mask is not 0 outside and one value on the lesion or organ.",
        remedy="Write 0 and 255; of a training folder, masks of several labels belong in an nnU-Net folder with "
        "dataset.json.",
        code=code,
        path=str(path),
    )


def read_values(path: Path, *, code: str = "mask") -> NDArray[np.integer]:
    """The values of a mask or label picture (rows, columns), palettes and equal colours as what they stand for.

    Raises
    ------
    InputError
        It is no picture, of an impossible size, or in colour.
    """
    try:
        with open_regular(path) as file, Image.open(file, formats=FORMATS) as image:
            check_size(image.height, image.width, path, code=code)
            if image.mode == "1":
                return np.asarray(image.convert("L"), dtype=np.uint8)
            if image.mode in ("L", "P", "I", "I;16", "I;16B"):
                return np.asarray(image)
            colours = np.asarray(image.convert("RGB"), dtype=np.uint8)
    except PILLOW_ERRORS as error:
        raise InputError(
            f"The mask cannot be read{why(error)}.", remedy="Give an intact PNG file.", code=code, path=str(path)
        ) from error
    if not (colours == colours[..., :1]).all():
        raise InputError(
            "The mask is a picture in colour.",
            remedy="Write 0 outside and 255 on the lesion or organ.",
            code=code,
            path=str(path),
        )
    return colours[..., 0]


def why(error: Exception) -> str:
    """What the system says of a file that it does not give, to go behind a complaint; empty for other errors."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return f" ({strerror})" if strerror else ""


def check_size(rows: int, columns: int, path: Path, *, code: str) -> None:
    """Raise InputError where a picture has a size that no picture has."""
    if min(rows, columns) < MIN_SIDE_PX or max(rows, columns) > MAX_SIDE_PX:
        raise InputError(
            f"A picture of {rows} x {columns} pixels cannot be used.",
            remedy=f"Sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels are possible.",
            code=code,
            path=str(path),
        )
