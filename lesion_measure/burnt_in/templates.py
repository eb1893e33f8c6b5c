"""Shapes that scanners mark points with, as templates of white strokes on a dark ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

REACH = 16
"""Templates are squares of so many pixels around their middle one."""
GROUND_PX = 2.5
"""How far the ground reaches beyond a mark's strokes, in pixels."""

_SMALL = 9
"""Reach in pixels up to which a template is small."""

_AXIS = np.arange(-REACH, REACH + 1, dtype=float)
_ROWS, _COLS = np.meshgrid(_AXIS, _AXIS, indexing="ij")

Floats = NDArray[np.float32]


class Shape(StrEnum):
    """The shape of a mark."""

    PLUS = "plus"
    OBLIQUE = "oblique"
    DIAMOND = "diamond"
    DISC = "disc"
    ARROW = "arrow"


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One shape in one size.

    ``point`` is where the measured point lies from the template's middle (rows, columns); ``half_px`` how far strokes
    reach from it. ``strokes`` and ``ground`` (rows, columns) are the pixels that are drawn, and those around them that
    are not. ``back`` is the direction, a unit vector, in which an arrow's body lies from its tip.
    """

    shape: Shape
    half_px: float
    point: tuple[float, float]
    strokes: NDArray[np.bool_]
    ground: NDArray[np.bool_]
    back: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Templates of some shapes as columns of matrices, so that many places are compared with all of them at once.

    Rows are the pixels of a square of ``reach`` pixels around a place. ``weights`` has a column for each template,
    ``support`` one for each support that occurs, ``own`` says which of these is a template's.
    """

    templates: tuple[Template, ...]
    reach: int
    weights: Floats
    support: Floats
    own: NDArray[np.intp]


@cache
def bank(shapes: tuple[Shape, ...]) -> Bank:
    """The templates of some shapes."""
    return bank_of(tuple(template for shape in shapes for template in _DRAWN[shape]()))


@cache
def banks_by_size(shapes: tuple[Shape, ...]) -> tuple[Bank, ...]:
    """The same in two banks, so that the many small templates are compared with small squares."""
    drawn = bank(shapes).templates
    parts = [tuple(t for t in drawn if (_reach(t) <= _SMALL) is small) for small in (True, False)]
    return tuple(bank_of(part) for part in parts if part)


def bank_of(found: tuple[Template, ...]) -> Bank:
    """Given templates as a bank."""
    reach = max(map(_reach, found))
    part = slice(REACH - reach, REACH + reach + 1)
    strokes = np.stack([t.strokes[part, part].ravel() for t in found], axis=1).astype(np.float32)
    support = strokes + np.stack([t.ground[part, part].ravel() for t in found], axis=1).astype(np.float32)
    weights = (strokes - strokes.sum(axis=0) / support.sum(axis=0)) * support
    weights = (weights / np.linalg.norm(weights, axis=0)).astype(np.float32)
    kinds: dict[bytes, int] = {}
    own = np.array([kinds.setdefault(column.tobytes(), len(kinds)) for column in support.T])
    first = np.unique(own, return_index=True)[1]
    return Bank(found, reach, weights, support[:, first], own)


def _reach(template: Template) -> int:
    rows, cols = np.nonzero(template.strokes | template.ground)
    return int(max(np.abs(rows - REACH).max(), np.abs(cols - REACH).max()))


def _crosses(shape: Shape) -> Iterator[Template]:
    """Upright crosses of thin and thick strokes, with and without a gap in the middle; the same ones oblique."""
    for half in range(3, 14):
        for width in (1, 2, 3) if half >= 4 else (1, 2):
            for gap in (0, 2, 3) if shape is Shape.PLUS and half >= 5 else (0,):
                offset = 0.5 if width == 2 and shape is Shape.PLUS else 0.0
                rows, cols = _ROWS - offset, _COLS - offset
                if shape is Shape.PLUS:
                    along, across, reach = np.abs(rows), np.abs(cols), float(half)
                else:
                    along, across = np.abs(rows + cols) / np.sqrt(2), np.abs(rows - cols) / np.sqrt(2)
                    reach = half * np.sqrt(2)
                strokes = np.zeros(rows.shape, np.bool_)
                for one, two in ((along, across), (across, along)):
                    strokes |= (two <= width / 2) & (one <= reach + 0.01) & (one >= gap)
                near = np.maximum(np.abs(rows), np.abs(cols)) <= half + GROUND_PX
                yield Template(shape, half, (offset, offset), strokes & near, near & ~strokes)


def _diamonds() -> Iterator[Template]:
    distance = np.abs(_ROWS) + np.abs(_COLS)
    for half in range(4, 10):
        for width in (1, 2):
            strokes = np.abs(distance - half) <= width * np.sqrt(0.5) - 0.1
            yield Template(Shape.DIAMOND, half, (0.0, 0.0), strokes, (distance <= half + 5) & ~strokes)


def _discs() -> Iterator[Template]:
    return (disc(radius) for radius in (2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0))


def disc(radius: float) -> Template:
    """A disc."""
    distance = np.hypot(_ROWS, _COLS)
    strokes = distance <= radius + 0.25
    return Template(Shape.DISC, radius, (0.0, 0.0), strokes, (distance <= radius + 3.5) & ~strokes)


def _arrows() -> Iterator[Template]:
    """Filled triangles, some on a shaft, in 24 directions; their tips are the points measured."""
    for turn in np.radians(np.arange(0, 360, 15)):
        for length in (6.0, 7.0, 8.5, 10.5):
            for slim in (0.42, 0.6):
                yield arrow((float(np.sin(turn)), float(np.cos(turn))), length, slim)


def arrow(back: tuple[float, float], length: float, slim: float) -> Template:
    """A triangle as long as ``length`` and, at its base, twice ``slim`` times as wide; a shaft is neither."""
    tip = -back[0] * length / 2, -back[1] * length / 2
    along = (_ROWS - tip[0]) * back[0] + (_COLS - tip[1]) * back[1]
    across = np.abs((_ROWS - tip[0]) * back[1] - (_COLS - tip[1]) * back[0])
    strokes = (along >= -0.3) & (along <= length) & (across <= along * slim + 0.35)
    ground = (along >= -3) & (along <= length + 2) & (across <= along.clip(0) * slim + 3) & ~strokes
    ground &= ~((along > length) & (across <= 2))  # where a shaft may be
    ground &= ~((along < 0) & (across <= 1.5))  # where the line may begin
    return Template(Shape.ARROW, length, tip, strokes, ground, back)


_DRAWN = {
    Shape.PLUS: lambda: _crosses(Shape.PLUS),
    Shape.OBLIQUE: lambda: _crosses(Shape.OBLIQUE),
    Shape.DIAMOND: _diamonds,
    Shape.DISC: _discs,
    Shape.ARROW: _arrows,
}
