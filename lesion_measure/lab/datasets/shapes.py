"""Masks that do not say what they seem: inverted ones, outlines in place of filled lesions, the picture itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lesion_measure.lab.datasets.files import bad
from lesion_measure.lab.datasets.pictures import AS_DRAWN, MIN_LESION_PX, extent

LARGEST_SHARE, LARGEST_RIM_SHARE = 0.5, 0.5
"""Of a picture and of its rim; a mask that covers more of both is refused. Of 700 real masks one covers 0.56 of the
picture, none more than 0.03 of the rim."""
LARGEST_HOLE = 0.05
"""Of a lesion, its holes filled, that may be hole; at most 0.002 of these."""
LARGEST_HOLE_PX = 8
LEAST_WIDTH = 0.08
"""Of a lesion's extent that its widest place has at least; 0.2 of these."""
LONG_PX = 20.0
LARGEST_OVERLAP = 0.98


def check_mask(mask: NDArray[np.bool_], path: Path | str) -> None:
    """Raise InputError where a mask (rows, columns) cannot be one of filled lesions."""
    share = np.count_nonzero(mask) / mask.size
    rim = float(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean())
    if share > LARGEST_SHARE and rim > LARGEST_RIM_SHARE:
        raise bad(
            f"The mask covers {100 * share:.1f} % of the picture and {100 * rim:.0f} % of its rim: it seems to be "
            "inverted.",
            path,
            "Write 0 outside and one value on lesions; cut pictures that show nothing but lesion wider.",
        )
    parts, _ = ndimage.label(mask[extent(mask)], structure=AS_DRAWN)
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        part = parts[box] == number
        if np.count_nonzero(part) >= MIN_LESION_PX:
            _check_filled(part, path)


def checked_mask(mask: NDArray[np.bool_], path: Path | str) -> NDArray[np.bool_]:
    """The mask, once `check_mask` is content with it."""
    check_mask(mask, path)
    return mask


def check_not_picture(image: NDArray[np.uint8], mask: NDArray[np.bool_], path: Path | str) -> None:
    """Raise InputError where a mask is its picture, cut at some grey."""
    if not mask.any():
        return
    masked = np.count_nonzero(mask)
    for level in (0, 127):
        bright = image > level
        both = np.count_nonzero(bright & mask)
        either = np.count_nonzero(bright) + masked - both
        if both > LARGEST_OVERLAP * either and not _is_two_grey(image):
            raise bad("The mask is its own picture.", path, "Put the mask there: 0 outside and one value on lesions.")


def _check_filled(part: NDArray[np.bool_], path: Path | str) -> None:
    """Whether one connected part is an area, and no outline or scribble."""
    area = int(np.count_nonzero(part))
    filled = area if _in_one_run(part) else int(np.count_nonzero(ndimage.binary_fill_holes(part)))
    if filled - area > max(LARGEST_HOLE * filled, LARGEST_HOLE_PX):
        raise bad(
            f"A lesion of {area} pixels has a hole of {filled - area}: an outline seems to be drawn, not its area.",
            path,
            "Fill the lesion.",
        )
    extent = float(np.hypot(*part.shape))
    if extent < LONG_PX or _wide_in_its_middle(part, LEAST_WIDTH * extent):
        return
    width = 2 * float(ndimage.distance_transform_edt(np.pad(part, 1)).max())
    if width < LEAST_WIDTH * extent:
        raise bad(
            f"A lesion {extent:.0f} pixels long is {width:.0f} wide at most: a line seems to be drawn, not an area.",
            path,
            "Fill the lesion.",
        )


def _in_one_run(part: NDArray[np.bool_]) -> bool:
    """Whether no row of a connected part is interrupted, so that it has no hole: most lesions, told at once."""
    changes = np.count_nonzero(part[:, 1:] != part[:, :-1], axis=1) + part[:, 0] + part[:, -1]
    return bool((changes <= 2).all())


def _wide_in_its_middle(part: NDArray[np.bool_], width: float) -> bool:
    """Whether a square of more than this width around the middle pixel of a part lies in it, told at once."""
    reach = int(np.ceil(width / 2))
    places = np.flatnonzero(part)
    row, col = divmod(int(places[len(places) // 2]), part.shape[1])
    square = part[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1]
    return bool(square.size == (2 * reach + 1) ** 2 and square.all())


def _is_two_grey(image: NDArray[np.uint8]) -> bool:
    return np.unique(image).size <= 2
