"""The calipers that a scanner burnt into a frame, as readings that somebody may accept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

from lesion_measure.burnt_in.found import BurntInCaliper
from lesion_measure.measure.axes import cross
from lesion_measure.review.cases import Picture
from lesion_measure.review.measuring import UNNAMED
from lesion_measure.review.messages import Draft, Kind

Axes = tuple[BurntInCaliper, BurntInCaliper | None]
"""A long axis, and the short one where there is one."""
Part = tuple[int, int, int, int]
"""Of a frame: first and last row, first and last column."""
_MARGIN_PX = 20
"""Around marks."""


def axes_of(calipers: Sequence[BurntInCaliper]) -> list[Axes]:
    """Two calipers that cross are axes of one lesion, the longer one its long axis; each other one is a long axis."""
    left = sorted(calipers, key=_length_px, reverse=True)
    found: list[Axes] = []
    for long, short in combinations(left, 2):
        if long in left and short in left and cross(long.points, short.points):
            found.append((long, short))
            left = [each for each in left if each not in (long, short)]
    return [*found, *((each, None) for each in left)]


def drafts(
    picture: Picture, frame: int, calipers: Sequence[BurntInCaliper]
) -> Iterator[tuple[str, Draft, tuple[Part, ...]]]:
    """Where each reading comes from, in words, what it draws, and the parts of the frame that show it as it is.

    The lesion is named by whoever accepts it.
    """
    for long, short in axes_of(calipers):
        yield (
            _source(long),
            Draft(
                image=picture.id,
                frame=frame,
                lesion=UNNAMED,
                plane=picture.plane,
                kind=Kind.CALIPER,
                long=long.points,
                short=None if short is None else short.points,
            ),
            _shows(picture, [each for each in (long, short) if each is not None]),
        )


def _shows(picture: Picture, calipers: Sequence[BurntInCaliper]) -> tuple[Part, ...]:
    """Around the marks, then each printed value that is known to stand alone."""
    rows, columns = zip(*(end for each in calipers for end in each.points), strict=True)
    marks = (
        max(0, math.floor(min(rows)) - _MARGIN_PX),
        min(picture.instance.rows - 1, math.ceil(max(rows)) + _MARGIN_PX),
        max(0, math.floor(min(columns)) - _MARGIN_PX),
        min(picture.instance.columns - 1, math.ceil(max(columns)) + _MARGIN_PX),
    )
    return marks, *(each.printed_at for each in calipers if each.printed_at is not None)


def _source(caliper: BurntInCaliper) -> str:
    if caliper.printed_mm is None:
        return "burnt-in caliper"
    differs = "" if caliper.agrees in (None, True) else ", which DIFFERS"
    return f"burnt-in caliper, printed {caliper.label} {caliper.printed_mm:g} mm{differs}".replace("  ", " ")


def _length_px(caliper: BurntInCaliper) -> float:
    (row, column), (to_row, to_column) = caliper.points
    return float(((to_row - row) ** 2 + (to_column - column) ** 2) ** 0.5)
