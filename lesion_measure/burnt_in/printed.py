"""Values that a scanner printed on a frame: ``D1 2.90 cm``, read so that what is in doubt is left out.

Lines are found on the whole frame. Each is read as it is, and where that gives a value once more: brightest channel,
three times as large, dark on bright. Both must give the same digits and unit, and `grammar` must find no doubt in them.
The reader's scores decide nothing: it is as sure of a number that lost its point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.burnt_in.grammar import Unit, Value, is_unfinished, values
from lesion_measure.burnt_in.ocr import Box, Reader, ReadLine, reader

_MOST_LINES = 200
"""Lines of a frame that are read, from the top: a bound on the work of hostile frames."""
_LARGER = 3
_MM = {"mm": 1.0, "cm": 10.0}
_LABEL_HEIGHTS = 9
"""How far left of a value its label may stand, in heights of the line."""
_UNIT_HEIGHTS = 3
"""How far right of a number its unit is looked for."""

Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedValue:
    """A value with its unit, as printed.

    ``label`` is what stands before it, without marks, empty where that is a mark alone. ``number`` is as printed, with
    a point. Of ``length_mm`` and ``volume_ml`` one is given, in mm or ml; ``half_width`` is half of what its last digit
    counts, in the same. ``text`` is the line without blanks as it was read, ``colour`` the median RGB of its letters.
    """

    label: str
    number: str
    unit: Unit
    length_mm: float | None
    volume_ml: float | None
    half_width: float
    box: Box
    colour: tuple[int, int, int]
    text: str


def printed_values(rgb: Gray) -> tuple[PrintedValue, ...]:
    """The values printed on a frame (rows, columns, 3), uint8 RGB, from the top.

    A number without point, without unit, or without a label or mark before it is none.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """
    read = reader()
    boxes = read.boxes(rgb)[:_MOST_LINES]
    return tuple(value for box in boxes for value in _values(read, rgb, box, boxes))


def _values(read: Reader, rgb: Gray, box: Box, boxes: tuple[Box, ...]) -> tuple[PrintedValue, ...]:
    """The values of one line; where a number has no label there, with what stands left of it."""
    lines = _twice(read, rgb, box)
    if is_unfinished(lines[0]):
        lines = _twice(read, rgb, box, right=_UNIT_HEIGHTS * box.height)
    found = values(lines)
    if any(not value.marked for value in found):
        lines = _labelled(read, rgb, box, boxes, lines)
        found = values(lines)
    return tuple(_printed(value, lines[0], rgb, box) for value in found if value.marked)


def _labelled(
    read: Reader, rgb: Gray, box: Box, boxes: tuple[Box, ...], lines: tuple[ReadLine, ...]
) -> tuple[ReadLine, ...]:
    """The readings of a line after that of its label, which may stand in a box of its own or have none."""
    reach = _LABEL_HEIGHTS * box.height
    beside = [b for b in boxes if b.beside(box) and 0 <= box.col_min - b.col_max <= reach]
    if not beside:
        return _twice(read, rgb, box, left=reach)
    label = read.read(max(beside, key=lambda b: b.col_max).part(rgb))
    return tuple(label.before(line) for line in lines)


def _twice(read: Reader, rgb: Gray, box: Box, left: int = 0, right: int = 0) -> tuple[ReadLine, ...]:
    """Both readings of a line and so many columns beside its box, or the first alone where it has no value."""
    margin, wide = max(2, round(box.height * 0.1)), box.height // 2
    plain = read.read(box.part(rgb, 0, left + margin, right + margin))
    if not values((plain,)):
        return (plain,)
    return plain, read.read(_clearer(box.part(rgb, margin, left + wide, right + wide)))


def _clearer(part: Gray) -> Gray:
    """The brightest channel, larger and inverted, as three channels."""
    bright = Image.fromarray(part.max(axis=-1))
    large = bright.resize((bright.width * _LARGER, bright.height * _LARGER), Image.Resampling.BICUBIC)
    return np.repeat(255 - np.asarray(large)[..., None], 3, axis=2)


def _printed(value: Value, line: ReadLine, rgb: Gray, box: Box) -> PrintedValue:
    step = 0.5 * 10.0 ** -len(value.number.partition(".")[2])
    size = float(value.number)
    factor = _MM.get(value.unit)
    return PrintedValue(
        label=value.label,
        number=value.number,
        unit=value.unit,
        length_mm=None if factor is None else size * factor,
        volume_ml=size if factor is None else None,
        half_width=step * (factor or 1.0),
        box=box,
        colour=_colour(box.part(rgb)),
        text=line.signs,
    )


def _colour(part: Gray) -> tuple[int, int, int]:
    """The median of the pixels nearer to the brightest than to the ground."""
    bright = part.max(axis=-1).astype(float)
    letters = part[bright >= (np.median(bright) + bright.max()) / 2]
    red, green, blue = (int(level) for level in np.median(letters, axis=0))
    return red, green, blue
