"""What the figures of one annotation are to each other: ticks, arrows, axes of one lesion, captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lesion_measure.dicom.objects.presentation.display import Points
from lesion_measure.dicom.objects.presentation.graphics import Figure
from lesion_measure.dicom.objects.presentation.texts import Caption

_TOUCH_PX = 2.0
_TICK_SHARE = 0.2
"""A line that touches another at an end or its middle and is so much shorter is a tick of it: no lesion is so thin."""
_LEAST_ANGLE_DEG = 45.0


def ornaments(figures: Sequence[Figure]) -> set[int]:
    """The figures (by their place) that are ticks of another line, as viewers draw at a line's ends and middle."""
    lines = [(index, figure.line) for index, figure in enumerate(figures)]
    found = set()
    for index, line in lines:
        for other, longer in lines:
            if line is not None and longer is not None and index != other and _ticks(line, longer):
                found.add(index)
    return found


def arrows(figures: Sequence[Figure]) -> set[int]:
    """The lines (by their place) with a bent line, or two short ones, at one end alone: arrows."""
    bent = [figure.open_end for figure in figures if figure.open_end is not None]
    lines = [figure.line for figure in figures if figure.line is not None]
    found = set()
    for index, figure in enumerate(figures):
        if (line := figure.line) is None:
            continue
        headed = []
        for end in line:
            barbs = [one for one in lines if _ticks(one, line) and min(_distance(end, p) for p in one) <= _TOUCH_PX]
            heads = [one for one in bent if min(_distance(end, point) for point in one) <= _TOUCH_PX]
            headed.append(len(barbs) >= 2 or bool(heads))
        if headed.count(True) == 1:
            found.add(index)
    return found


def crossing(lines: Sequence[Points]) -> list[tuple[int, int]]:
    """The pairs (by their places) of lines that cross each other, and no other line, at no narrow angle."""
    met: dict[int, list[int]] = {index: [] for index in range(len(lines))}
    for one in range(len(lines)):
        for two in range(one + 1, len(lines)):
            if _cross(lines[one], lines[two]):
                met[one].append(two)
                met[two].append(one)
    return [(one, two[0]) for one, two in met.items() if len(two) == 1 and one < two[0] and met[two[0]] == [one]]


def captions_of(figures: Sequence[Figure], captions: Sequence[Caption]) -> list[list[Caption]]:
    """The captions of each figure: those of its group, else the nearest to each; a figure alone has all that are left.

    Lengths go to lines alone, one to each, the nearest pairs first.
    """
    found: list[list[Caption]] = [[] for _ in figures]
    left = []
    for caption in captions:
        of_group = [i for i, f in enumerate(figures) if caption.group is not None and f.group == caption.group]
        for index in of_group:
            found[index].append(caption)
        if not of_group:
            left.append(caption)
    if len(figures) == 1:
        found[0] += left
        return found
    near = sorted(
        (min(_distance(caption.place, mark) for mark in figure.marks), number, index)
        for number, caption in enumerate(left)
        for index, figure in enumerate(figures)
        if caption.place is not None and figure.parts and (not caption.stated or figure.line is not None)
    )
    given: set[int] = set()
    measured: set[int] = set()
    for _, number, index in near:
        caption = left[number]
        if number in given or (caption.stated and index in measured):
            continue
        given.add(number)
        found[index].append(caption)
        if caption.stated:
            measured.add(index)
    return found


def _ticks(line: Points, longer: Points) -> bool:
    if _length(line) > _TICK_SHARE * _length(longer):
        return False
    marks = (longer[0], longer[1], longer.mean(axis=0))
    return any(_distance(mark, point) <= _TOUCH_PX for mark in marks for point in (*line, line.mean(axis=0)))


def _cross(one: Points, two: Points) -> bool:
    first, second = one[1] - one[0], two[1] - two[0]
    size = float(np.hypot(*first) * np.hypot(*second))
    area = float(first[0] * second[1] - first[1] * second[0])
    if size == 0 or abs(area) / size < np.sin(np.deg2rad(_LEAST_ANGLE_DEG)):
        return False
    gap = two[0] - one[0]
    t = float(gap[0] * second[1] - gap[1] * second[0]) / area
    s = float(gap[0] * first[1] - gap[1] * first[0]) / area
    return 0 <= t <= 1 and 0 <= s <= 1


def _length(line: Points) -> float:
    return float(np.hypot(*(line[1] - line[0])))


def _distance(one: Points, two: Points) -> float:
    return float(np.hypot(*(one - two)))
