"""Masks as pictures (PNG, JPEG), as untrusted input: bounded before they are decoded, their values as they are meant.

Tools write one mask in many ways: grey values, one bit, palettes (whose colours, not their order, say what is black),
colours, or transparency. All become values, 0 outside; what could be read in two ways is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from lesion_measure.errors import InputError
from lesion_measure.files.reading import open_regular

MIN_SIDE_PX, MAX_SIDE_PX = 8, 8192
FORMATS = ("PNG", "JPEG")
PILLOW_ERRORS = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, UnidentifiedImageError)
ORIENTATION = 0x0112
"""The EXIF mark of pictures that lie on their side."""
FULL = 255
_COLOUR = 1 << 24
_COUNTED = 1 << 16
_MOST_COLOURS = 64
_NEARLY_FULL, _BLACKISH, _WHITISH = 250, 32, 223
_FEWEST_SOFT_GREYS = 16
# A flat spot between black and white is a label of its own; smoothed edges have none.
_FLAT_RANGE, _MOST_FLAT_PX = 4, 8
_MOST_SOFT_PARTS = 50
# A cut at half parts lesions that smoothing had joined; stripes or dots it would tear into many.
_MOST_TORN_OFF = 2
_MOST_JPEG_TINT = 12


def read_mask(path: Path, *, code: str = "mask") -> NDArray[np.bool_]:
    """A mask (rows, columns): 0 outside, one other value or colour on the lesion or organ.

    ``code`` is that of the error.

    Raises
    ------
    InputError
        As `read_values`; or it holds several labels, or no background.
    """
    values = read_values(path, code=code)
    one_label(np.unique(values), path, code)
    return np.asarray(values > 0)


def one_label(levels: NDArray[Any], path: Path, code: str) -> None:
    """Raise InputError where the values of a mask are not 0 and at most one other, positive one."""
    if levels[0] == 0 and levels.size <= 2:
        return
    raise _refused(
        f"The mask is not 0 outside and one value on the lesion or organ: it holds {_listed(levels)}.",
        "Write 0 and 255.",
        path,
        code,
    )


@contextmanager
def opened(path: Path, formats: Sequence[str] = FORMATS) -> Iterator[Image.Image]:
    """A PNG or JPEG file, or one of other ``formats``, whose pixels cannot be loaded where it is cut off.

    Pillow's switch for that is one of the whole process, and other libraries turn it off where they are imported
    (WeasyPrint; findings/weasyprint_cut_images.sh).
    """
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with open_regular(path) as file, Image.open(file, formats=tuple(formats)) as image:
            yield image
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def read_values(path: Path, *, code: str = "mask", formats: Sequence[str] = FORMATS) -> NDArray[np.int32]:
    """The values of a mask or label picture (rows, columns); 0 is background, one bit is 0 and 1.

    Colours are numbers from 2^24 on (`value_name`), black is 0. Masks with smoothed edges, JPEG files among them,
    become 0 and 255, cut at half.

    Raises
    ------
    InputError
        It is no picture of ``formats``, of an impossible size, on its side, or can be read in several ways.
    """
    try:
        with opened(path, formats) as image:
            check_size(image.height, image.width, path, code=code)
            if image.getexif().get(ORIENTATION, 1) != 1:
                raise _refused("The mask is marked as rotated (EXIF).", "Save it upright, without it.", path, code)
            if getattr(image, "n_frames", 1) != 1:
                raise _refused("The mask holds several pictures.", "Save each as a file of its own.", path, code)
            image.load()
            values = _values(image, path, code)
            lossy = image.format == "JPEG" or "jpeg" in str(image.info.get("compression", ""))
    except PILLOW_ERRORS as error:
        raise _refused(f"The mask cannot be read{why(error)}.", "Give an intact PNG file.", path, code) from error
    return _without_soft_edges(values, lossy, path, code)


def levels_of(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """The values of a mask, each once, the least first; as `numpy.unique`, and several times as fast on a mask."""
    marked = values[values != 0]
    if not marked.size or marked.min() < 0 or marked.max() >= _COUNTED:
        return np.unique(values)
    found = np.bincount(marked)
    found[0] = values.size - marked.size
    return np.flatnonzero(found)


def value_name(value: int) -> str:
    """A value of `read_values` as people write it: 255, #ff0000."""
    return f"#{value - _COLOUR:06x}" if value >= _COLOUR else str(value)


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


def _values(image: Image.Image, path: Path, code: str) -> NDArray[np.int32]:
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        seen = np.asarray(image.convert("RGBA"), dtype=np.int32)
        if seen[..., 3].min() < FULL:
            return _from_alpha(_from_colours(seen[..., :3], path, code), seen[..., 3], path, code)
    if image.mode == "1":
        return np.asarray(image, dtype=np.int32)
    if image.mode == "P":
        return _from_palette(image, path, code)
    if image.mode in ("L", "I", "I;16", "I;16B", "F"):
        stored = np.asarray(image)
        if stored.dtype.kind == "f" and not (np.isfinite(stored).all() and (stored == np.rint(stored)).all()):
            raise _refused("The mask's values are no whole numbers.", "Save it with 8 bits.", path, code)
        values = stored.astype(np.int32)
        if values.min() < 0 or values.max() > 65535:
            raise _refused(f"The mask holds {values.min()} to {values.max()}.", "Save it with 8 bits.", path, code)
        return values
    colours = np.asarray(image.convert("RGB"), dtype=np.int32)
    if image.format == "JPEG" and np.ptp(colours, axis=2).max() <= _MOST_JPEG_TINT:
        return np.asarray(image.convert("L"), dtype=np.int32)
    return _from_colours(colours, path, code)


def _from_palette(image: Image.Image, path: Path, code: str) -> NDArray[np.int32]:
    """Places in the palette are labels where the first is black and used; else the colours say what is black."""
    places = np.asarray(image, dtype=np.int32)
    stored = np.array(image.getpalette("RGB") or [], dtype=np.int32).reshape(-1, 3)
    palette = np.zeros((256, 3), dtype=np.int32)
    palette[: len(stored)] = stored[:256]
    used = np.unique(places)
    colours = {tuple(palette[place]) for place in used}
    if len(colours) == 1 and used.size > 1:
        return places  # a palette without any meaning
    if len(colours) < used.size:
        raise _refused(
            f"The mask's palette gives one colour to several of the places {_listed(used)}.",
            "Save it as grey PNG with 0 outside.",
            path,
            code,
        )
    greys = bool((np.ptp(palette[used], axis=1) == 0).all())
    soft = greys and used.size >= _FEWEST_SOFT_GREYS
    if used[0] == 0 and not palette[0].any() and not soft:
        return places
    return _from_colours(palette[places], path, code)


def _from_colours(colours: NDArray[np.int32], path: Path, code: str) -> NDArray[np.int32]:
    """Grey pictures as their greys, others as numbers of their colours, black as 0."""
    if (colours == colours[..., :1]).all():
        return colours[..., 0]
    packed = (colours * np.array([1 << 16, 1 << 8, 1])).sum(axis=2).astype(np.int32)
    found = np.unique(packed)
    if found.size > _MOST_COLOURS:
        raise _refused(
            f"The mask is a picture in colour: it has {found.size} colours.",
            "Write 0 outside and 255 on the lesion or organ, without smooth edges.",
            path,
            code,
        )
    return np.where(packed == 0, 0, packed + _COLOUR).astype(np.int32)


def _from_alpha(values: NDArray[np.int32], alpha: NDArray[np.int32], path: Path, code: str) -> NDArray[np.int32]:
    """The opaque parts, where the picture has one colour; both together where they say the same."""
    if values.min() == values.max():
        return alpha
    if ((alpha > 0) == (values > 0)).all():
        return values
    raise _refused(
        "The mask has both colours and transparency, which differ.",
        "Save it without transparency: 0 outside and 255 on the lesion or organ.",
        path,
        code,
    )


def _without_soft_edges(values: NDArray[np.int32], lossy: bool, path: Path, code: str) -> NDArray[np.int32]:
    levels = levels_of(values)
    if lossy and 0 < levels[-1] < _NEARLY_FULL:
        raise _refused(
            f"The mask is a JPEG file whose brightest value is {levels[-1]}: JPEG keeps no small values.",
            "Save it as PNG.",
            path,
            code,
        )
    binary = levels.size <= 2 and levels[0] == 0
    if binary or not _NEARLY_FULL <= levels[-1] <= FULL or levels[0] > _BLACKISH:
        return values
    if not lossy and levels.size < _FEWEST_SOFT_GREYS and _has_dark_areas(values):
        return values
    between = (values >= _BLACKISH) & (values <= _WHITISH)
    spread = scipy.ndimage.maximum_filter(values, 3) - scipy.ndimage.minimum_filter(values, 3)
    flat = values[between & (spread <= _FLAT_RANGE)]
    parts, whole = (scipy.ndimage.label(values > level)[1] for level in (FULL // 2, _BLACKISH))
    if flat.size <= _MOST_FLAT_PX and parts <= min(_MOST_SOFT_PARTS, whole + _MOST_TORN_OFF):
        return np.where(values > FULL // 2, FULL, 0).astype(np.int32)
    if levels.size < _FEWEST_SOFT_GREYS and not lossy:
        return values
    raise _refused(
        f"The mask holds {levels.size} values, with areas of {int(np.median(flat)) if flat.size else levels[1]}: "
        "several smoothed labels, or a picture.",
        "Save the mask without smoothing or compression: 0 outside and one value a label.",
        path,
        code,
    )


def _has_dark_areas(values: NDArray[np.int32]) -> bool:
    """Whether a small value other than 0 covers an area: a label beside one of 255, such as a rim to be ignored."""
    flat = scipy.ndimage.maximum_filter(values, 3) == scipy.ndimage.minimum_filter(values, 3)
    return int((flat & (values > 0) & (values < _BLACKISH)).sum()) > _MOST_FLAT_PX


def _listed(values: NDArray[Any]) -> str:
    more = f" and {values.size - 8} more" if values.size > 8 else ""
    return ", ".join(value_name(int(v)) if v == int(v) else f"{v:g}" for v in values[:8].tolist()) + more


def _refused(reason: str, remedy: str, path: Path, code: str) -> InputError:
    return InputError(reason, remedy=remedy, code=code, path=str(path))
