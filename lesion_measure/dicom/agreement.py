"""Whether pixel data agree with the header that describes them, where no stream says its own size.

One wrong number in a header shears a picture or wraps its grays, and every distance in it is wrong without a sign.
What both sides can be compared in is compared here: bytes, bits, and the order of colours.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.pixel_header import Header
from lesion_measure.errors import PixelError

_SHOWN = 24  # grays above black; a black screen is gray in any order of colours
_GRAY = 8
_LEAST_SHOWN = 500
_FEWEST_COLUMNS = 64
_ALIKE, _CLEARLY, _VERY_CLEARLY = 0.5, 0.06, 0.3
_FEW, _MOST = 0.5, 0.9
_SHARES = (16, 4)
"""Parts of a picture, one over these, that are looked at before the whole of it. A step is less than a quarter."""
_ROUNDING = 1e-3
"""More than what sums of float32 lose."""


def disagree(what: str) -> PixelError:
    """The error for pixel data that are not what the header describes."""
    return PixelError(
        f"Header and pixel data disagree: {what}.",
        remedy="Export the image again; its size and grays cannot be trusted.",
        code="pixels_disagree",
    )


def padding(header: Header) -> int:
    """Most zero bytes that may follow the pixels: fewer than any other number of rows or columns would leave."""
    return min(header.rows, header.columns) * header.bits_allocated // 8 - 1


def check_surplus(surplus: bytes, count: int, allowed: int, whole: int) -> str:
    """A warning about bytes after the last pixel, empty where there are none to speak of.

    Parameters
    ----------
    surplus, count
        The first of these bytes, and how many there are.
    allowed
        How many may be there, as padding.
    whole
        Bytes that rows, columns, samples and frames ask for.

    Raises
    ------
    PixelError
        They are too many, or no padding.
    """
    if count <= whole % 2:
        return ""
    if count > allowed or any(surplus):
        raise disagree(f"rows, columns, samples, bits and frames ask for {whole} bytes, and {whole + count} are there")
    return f"{count} bytes of padding follow the pixels."


def check_bits(samples: NDArray[np.integer[Any]], header: Header, shift: int) -> None:
    """Refuse samples with bits outside of BitsStored and HighBit; a negative one has its sign above them.

    Raises
    ------
    PixelError
        A value needs bits that the header says are not used.
    """
    mask = ((1 << header.bits_stored) - 1) << shift
    raw = samples.view(f"u{samples.dtype.itemsize}") if samples.dtype.kind == "i" else samples
    full = (1 << 8 * raw.dtype.itemsize) - 1
    if mask & full == full:
        return
    outside = raw & (full & ~mask)
    if header.signed:
        above = full & ~((1 << (shift + header.bits_stored)) - 1)
        negative = (raw >> (shift + header.bits_stored - 1)) & 1 == 1
        outside = np.where(negative & (outside & above == above), outside & (full & ~above), outside)
    if outside.any():
        raise disagree(
            f"bits stored are {header.bits_stored} and the high bit {header.high_bit}, "
            f"and values go up to {int(raw.max())}"
        )


def check_planar(samples: NDArray[np.integer[Any]], header: Header) -> None:
    """Refuse native colours that are gray in the other order of samples alone (PlanarConfiguration, C.7.6.3.1.3).

    Parameters
    ----------
    samples
        (rows, columns, 3), as the header's order gives them.

    Raises
    ------
    PixelError
        The header's order is the wrong one.
    """
    if header.planar == 1:
        flat = np.moveaxis(samples, -1, 0)
        other = np.ascontiguousarray(flat).reshape(header.rows, header.columns, 3)
    else:
        other = np.moveaxis(samples.reshape(3, header.rows, header.columns), 0, -1)
    if _gray_share(samples) < _FEW and _gray_share(other) > _MOST:
        raise disagree(f"planar configuration is {header.planar}, and the pixels are stored the other way")


def check_lines(shown: NDArray[np.uint8], columns: int) -> None:
    """Refuse a picture whose lines follow one another at another distance than ``columns``, of as many pixels.

    Rows and Columns that are exchanged ask for the same bytes. Neighbours across lines are alike: the picture, as one
    long line, is most like itself moved by the true number of columns.

    Raises
    ------
    PixelError
        Another number of columns fits clearly better.
    """
    flat = shown.reshape(-1).astype(np.float32)
    flat -= flat.mean()
    power = float(flat @ flat)
    if power == 0 or columns > len(flat) // 4:
        return

    def alike(step: int) -> float:
        return float(flat[:-step] @ flat[step:]) / power

    own = alike(columns)
    others = [n for n in _possible_columns(len(flat)) if n != columns]
    for share in _SHARES:
        others = _may_reach(flat, power, others, max(_ALIKE, own + _CLEARLY), share)
    best = max(others, key=alike, default=columns)
    margin = _CLEARLY if best % columns else _VERY_CLEARLY
    if alike(best) > max(_ALIKE, own + margin):
        raise disagree(f"the lines of the picture are {best} pixels long, and columns are {columns}")


@lru_cache(maxsize=64)
def _possible_columns(pixels: int) -> tuple[int, ...]:
    """Numbers of columns by which so many pixels can be shared out to lines."""
    small = [n for n in range(1, math.isqrt(pixels) + 1) if pixels % n == 0]
    every = sorted({*small, *(pixels // n for n in small)})
    return tuple(n for n in every if _FEWEST_COLUMNS <= n < pixels // 4)


def _may_reach(flat: NDArray[np.float32], power: float, steps: list[int], least: float, share: int) -> list[int]:
    """Those steps of which a part in the middle, one ``share``th of the picture, leaves it open that they are as alike.

    By Cauchy and Schwarz the rest of a product is no more than the square root of the energies that are left.
    """
    begin = (len(flat) - len(flat) // share) // 2
    end = begin + len(flat) // share
    part = flat[begin:end]
    left = max(0.0, power - float(part @ part))

    def most(step: int) -> float:
        moved = flat[begin + step : end + step]
        return float(part @ moved) + math.sqrt(left * max(0.0, power - float(moved @ moved)))

    return [step for step in steps if most(step) > (least - _ROUNDING) * power]


def _gray_share(samples: NDArray[np.integer[Any]]) -> float:
    """Share of gray among the pixels that are not black; 0.7, which settles nothing, where there are few."""
    some = samples[::2, ::2].astype(np.int32)
    shown = some[some.max(axis=-1) > _SHOWN]
    if len(shown) < _LEAST_SHOWN:
        return (_FEW + _MOST) / 2
    return float(np.mean(np.ptp(shown, axis=-1) <= _GRAY))
