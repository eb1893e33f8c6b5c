"""Values that a scanner printed on a frame: ``D1 2.90 cm``, read so that what is in doubt is left out.

Lines are found on the whole frame. Each is read as it is, and where it may hold a value once more: brightest channel,
three times as large, dark on bright. Where these two do not give the same it is read a third time, twice as large. Two
readings must give the same digits and unit, none others, and `grammar` must find no doubt in them.

Coloured letters on bright echoes are as bright as these. So the same is done on a picture of the colours alone.
The reader's scores decide nothing: it is as sure of a number that lost its point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.burnt_in.grammar import Unit, Value, is_label, is_open, is_promising, is_unfinished, values
from lesion_measure.burnt_in.ocr import Reader, ReadLine, TextBox, reader

_MOST_LINES = 200
"""Lines of a frame that are read, from the top: a bound on the work of hostile frames."""
_COLOURED, _LEAST_COLOURED, _MOST_COLOURED = 60, 1e-4, 0.1
"""Chroma of coloured text, and the share of a frame's pixels that have it: more are colour Doppler."""
_STRETCHED = 2
_MM = {"mm": 1.0, "cm": 10.0}
_LABEL_HEIGHTS = 9
"""How far left of a value its label may stand, in heights of the line."""
_UNIT_HEIGHTS = 3
"""How far right of a number its unit is looked for."""
_VALUE_HEIGHTS = 8
"""How far right of a label its value is looked for where no line was found there."""

Gray = NDArray[np.uint8]
Lines = tuple[ReadLine, ...]


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
    box: TextBox
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
    found = _on(read, rgb, rgb)
    if _LEAST_COLOURED < np.mean(_chroma(rgb) > _COLOURED) < _MOST_COLOURED:
        colours = np.clip((_chroma(rgb).astype(np.int16) - _COLOURED) * _STRETCHED, 0, 255).astype(np.uint8)
        found = _merged(found, _on(read, np.repeat(colours[..., None], 3, axis=2), rgb))
    return tuple(sorted(_once(found), key=lambda value: (value.box.row_min, value.box.col_min)))


def _on(read: Reader, picture: Gray, rgb: Gray) -> list[PrintedValue]:
    """The values on a frame or on the picture of its colours, both (rows, columns, 3)."""
    boxes = read.boxes(picture)[:_MOST_LINES]
    return [_printed(value, line, rgb, box) for box in boxes for value, line in _values(read, picture, box, boxes)]


def _once(found: list[PrintedValue]) -> list[PrintedValue]:
    """Each value once: it may be found by its own box and by that of its label."""
    kept: list[PrintedValue] = []
    for value in found:
        said = [other.box for other in kept if (other.number, other.unit) == (value.number, value.unit)]
        if not any(box != value.box and box.near(value.box, _LABEL_HEIGHTS) for box in said):
            kept.append(value)
    return kept


def _merged(found: list[PrintedValue], more: list[PrintedValue]) -> list[PrintedValue]:
    """Values of the frame and of its colours; where both give one line and not the same, neither."""
    kept = list(found)
    for value in more:
        same = [other for other in found if other.box.meets(value.box)]
        if not same:
            kept.append(value)
        elif (value.number, value.unit) not in [(other.number, other.unit) for other in same]:
            kept = [other for other in kept if other not in same]
    return kept


def _values(read: Reader, rgb: Gray, box: TextBox, boxes: tuple[TextBox, ...]) -> list[tuple[Value, ReadLine]]:
    """The values of one line; where a number has no label there, with what stands left of it."""
    first, left, right = _plain(read, rgb, box), 0, 0
    if is_unfinished(first):
        right = _UNIT_HEIGHTS * box.height
    elif is_label(first) and not any(box.left_of(other, _LABEL_HEIGHTS) for other in boxes):
        right = _VALUE_HEIGHTS * box.height
    beside = [other for other in boxes if other.left_of(box, _LABEL_HEIGHTS)]
    if not beside and any(not value.marked for value in values((first,))):
        left = _LABEL_HEIGHTS * box.height  # its label has no box, and the number may be cut off
    plain = _plain(read, rgb, box, left, right) if left or right else first
    lines = _readings(read, rgb, box, plain, left, right)
    found = values(lines, least=2)
    if beside and any(not value.marked for value in found):
        label = read.read(max(beside, key=lambda other: other.col_max).part(rgb))
        lines = tuple(label.before(line) for line in lines)
        found = values(lines, least=2)
    return [(value, lines[0]) for value in found if value.marked]


def _plain(read: Reader, rgb: Gray, box: TextBox, left: int = 0, right: int = 0) -> ReadLine:
    """A line as it is, with so many columns beside its box."""
    margin = max(2, round(box.height * 0.1))
    return read.read(box.part(rgb, 0, left + margin, right + margin))


def _readings(read: Reader, rgb: Gray, box: TextBox, plain: ReadLine, left: int = 0, right: int = 0) -> Lines:
    """A line as it was read plainly, and where it may hold a value once more, or twice where these two leave it open.

    So many columns beside its box are read, too.
    """
    if not is_promising(plain):
        return (plain,)
    margin, wide = max(2, round(box.height * 0.1)), box.height // 2
    part = box.part(rgb, margin, left + wide, right + wide)
    lines = plain, read.read(_larger(255 - part.max(axis=-1), 3))
    if values(lines, least=2) or not is_open(lines):
        return lines
    return *lines, read.read(_larger(part.max(axis=-1), 2))


def _chroma(rgb: Gray) -> Gray:
    """Difference of the largest and the least of R, G and B: coloured letters without the gray around them."""
    return np.asarray(rgb.max(axis=-1) - rgb.min(axis=-1), np.uint8)


def _larger(level: Gray, factor: int) -> Gray:
    """A picture of one channel (rows, columns) enlarged, as three channels."""
    image = Image.fromarray(level)
    large = image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC)
    return np.repeat(np.asarray(large)[..., None], 3, axis=2)


def _printed(value: Value, line: ReadLine, rgb: Gray, box: TextBox) -> PrintedValue:
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
