"""The calipers that a scanner burnt into a frame, as readings that somebody may accept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from lesion_measure.burnt_in.found import BurntInCaliper
from lesion_measure.measure.axes import cross
from lesion_measure.review.cases import Picture
from lesion_measure.review.measuring import UNNAMED
from lesion_measure.review.messages import Draft, Kind

Axes = tuple[BurntInCaliper, BurntInCaliper | None]
"""A long axis, and the short one where there is one."""


def axes_of(calipers: Sequence[BurntInCaliper]) -> list[Axes]:
    """Two calipers that cross are axes of one lesion, the longer one its long axis; each other one is a long axis."""
    left = sorted(calipers, key=_length_px, reverse=True)
    found: list[Axes] = []
    for long, short in combinations(left, 2):
        if long in left and short in left and cross(long.points, short.points):
            found.append((long, short))
            left = [each for each in left if each not in (long, short)]
    return [*found, *((each, None) for each in left)]


def drafts(picture: Picture, frame: int, calipers: Sequence[BurntInCaliper]) -> Iterator[tuple[str, Draft]]:
    """Where each reading comes from, in words, and what it draws; the lesion is named by whoever accepts it."""
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
        )


def _source(caliper: BurntInCaliper) -> str:
    if caliper.printed_mm is None:
        return "burnt-in caliper"
    differs = "" if caliper.agrees in (None, True) else ", which DIFFERS"
    return f"burnt-in caliper, printed {caliper.label} {caliper.printed_mm:g} mm{differs}".replace("  ", " ")


def _length_px(caliper: BurntInCaliper) -> float:
    (row, column), (to_row, to_column) = caliper.points
    return float(((to_row - row) ** 2 + (to_column - column) ** 2) ** 0.5)
