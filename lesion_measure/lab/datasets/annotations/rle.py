"""Run lengths of masks: those of COCO, by columns and packed into text, and those of CVAT, by rows of a box.

COCO packs each count into characters of 6 bits: 5 of the number, low ones first, and one that says that more follow.
From the fourth count on the difference to the count two places before is packed, with its sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_RUNS = 1_000_000
_FIRST, _BITS, _MORE, _SIGN = 48, 5, 32, 16
_MOST_CHARACTERS = 12
"""Of one count: 60 bits."""


def decoded(counts: Sequence[int], shape: tuple[int, int], *, by_columns: bool) -> NDArray[np.bool_]:
    """The mask (rows, columns) of run lengths that begin outside, by columns or by rows.

    Raises
    ------
    ValueError
        A count is negative, or they do not fill the mask.
    """
    if len(counts) > MAX_RUNS or not all(isinstance(count, int) and not isinstance(count, bool) for count in counts):
        raise ValueError("the run lengths are no whole numbers")
    total = shape[0] * shape[1]
    if any(not 0 <= count <= total for count in counts) or sum(counts) != total:
        raise ValueError(f"the run lengths do not fill {shape[0]} x {shape[1]} pixels")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(shape[::-1]).T if by_columns else flat.reshape(shape)


def run_lengths(mask: NDArray[np.bool_], *, by_columns: bool) -> list[int]:
    """The run lengths of a mask (rows, columns), the first of them outside."""
    flat = np.ravel(mask, order="F" if by_columns else "C").astype(np.int8)
    changes = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate([[0], changes, [flat.size]])
    counts = np.diff(starts).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def unpacked(text: str) -> list[int]:
    """The counts that COCO packed into text.

    Raises
    ------
    ValueError
        It is not such a text.
    """
    counts: list[int] = []
    value = place = 0
    for character in text:
        digit = ord(character) - _FIRST
        if not 0 <= digit < 1 << (_BITS + 1) or place >= _MOST_CHARACTERS or len(counts) >= MAX_RUNS:
            raise ValueError("the packed run lengths are damaged")
        value |= (digit & (_MORE - 1)) << (_BITS * place)
        place += 1
        if digit & _MORE:
            continue
        if digit & _SIGN:
            value -= 1 << (_BITS * place)
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = place = 0
    if place:
        raise ValueError("the packed run lengths are cut off")
    return counts


def packed(counts: Sequence[int]) -> str:
    """Run lengths as COCO packs them into text."""
    characters: list[str] = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            digit = value & (_MORE - 1)
            value >>= _BITS
            more = value != (-1 if digit & _SIGN else 0)
            characters.append(chr(digit + (_MORE if more else 0) + _FIRST))
    return "".join(characters)
