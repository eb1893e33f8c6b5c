"""Which lines are one lesion's on one frame, and which of two is its long axis.

An object's own word counts: long and short axis, and the group that drawings belong to. Where it does not say, of two
lines that cross the longer one is the long axis, and a line alone is one. Anything else is refused, not guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Calibration
from lesion_measure.drawings.placing import Placed, by_frame, in_words, refused, same_line
from lesion_measure.measure import caliper_length_mm
from lesion_measure.measure.axes import cross
from lesion_measure.records import Axis, DrawnObject, Instance, Point, Refusal, shown_name
from lesion_measure.tables.matching import Unmatched

_ONE_PAIR = "Draw one long and one short axis across each other, or give them in a caliper file."


@dataclass(frozen=True, slots=True)
class Figure:
    """One lesion on one frame as one object draws it: a long axis, a short axis or both, or an outline."""

    lines: tuple[Placed, ...]

    @property
    def held_in(self) -> DrawnObject:
        """The object."""
        return self.lines[0].held_in

    @property
    def image(self) -> Instance:
        """The image."""
        return self.lines[0].image

    @property
    def frame(self) -> int:
        """Its frame, from 1."""
        return self.lines[0].frame

    @property
    def lesion(self) -> str:
        """Name of the lesion, empty where there is none."""
        return next((line.lesion for line in self.lines if line.lesion), "")

    @property
    def reader(self) -> str:
        """Who drew it."""
        return self.lines[0].reader

    @property
    def tracking_uid(self) -> str:
        """Tracking UID of the first of its lines that has one."""
        return next((uid for line in self.lines if (uid := line.drawing.origin.tracking_uid)), "")

    @property
    def is_outline(self) -> bool:
        """Whether it is an outline, and no line."""
        return self.lines[0].is_outline

    @property
    def words(self) -> str:
        """What it is, to begin a sentence."""
        return in_words([line.drawing for line in self.lines])

    def called(self, lesion: str) -> Figure:
        """The same under another name."""
        return Figure(tuple(replace(line, lesion=lesion) for line in self.lines))

    def listed(self, code: str, reason: str) -> Refusal:
        """Why it is not used, where another stands for it; ``reason`` goes on after what it is."""
        return Refusal(
            code=code,
            reason=f"{self.words} {reason}.",
            path=self.held_in.path,
            sop_instance_uid=self.image.sop_instance_uid,
            lesion=shown_name(self.lesion),
        )


def figures(placed: Iterable[Placed], settings: Calibration) -> tuple[list[Figure], list[Unmatched], list[Refusal]]:
    """Drawings as figures; those that are none, each with the reason; and outlines beside the lines of their lesion."""
    found: list[Figure] = []
    unmatched: list[Unmatched] = []
    listed: list[Refusal] = []
    for together in _by_object(placed):
        lines = [each for each in together if not each.is_outline]
        outlines = [each for each in together if each.is_outline]
        for group in _groups(lines, settings):
            outcome = _axes(group, settings)
            if isinstance(outcome, str):
                unmatched += [_not_told(each, outcome) for each in group]
            else:
                found.append(outcome)
        for outline in outlines:
            figure = Figure((replace(outline, axis=Axis.OUTLINE),))
            if any(_same_lesion(outline, line) for line in lines):
                listed.append(figure.listed("drawn_twice", "is an outline of a lesion whose axes it draws too"))
            else:
                found.append(figure)
    return found, unmatched, listed


def _by_object(placed: Iterable[Placed]) -> Iterator[list[Placed]]:
    """Drawings by object, reader, image and frame."""
    for together in by_frame(placed):
        by_uid: dict[str, list[Placed]] = defaultdict(list)
        for each in together:
            by_uid[each.held_in.sop_instance_uid].append(each)
        yield from by_uid.values()


def _groups(lines: Sequence[Placed], settings: Calibration) -> list[list[Placed]]:
    """The lines of one object on one frame by lesion: its groups, and lone lines that belong together."""
    by_group: dict[str, list[Placed]] = defaultdict(list)
    for number, line in enumerate(lines):
        group = by_group[line.drawing.group or f"\n{number}"]
        twice = next((each for each in group if same_line(each.drawing.points, line.drawing.points)), None)
        if twice is None:
            group.append(line)
        elif twice.axis is None:  # one line, of which two numbers are stated
            group[group.index(twice)] = line
    whole = [group for group in by_group.values() if len(group) > 1 or group[0].axis is not None]
    lone = [group[0] for group in by_group.values() if len(group) == 1 and group[0].axis is None]
    return whole + _joined(lone)


def _joined(lone: Sequence[Placed]) -> list[list[Placed]]:
    """Lines that stand alone in their groups: of one name, or unnamed ones that cross, are one lesion's."""
    number = list(range(len(lone)))
    for one, two in combinations(range(len(lone)), 2):
        if _belong_together(lone[one], lone[two]):
            old, new = number[two], number[one]
            number = [new if each == old else each for each in number]
    groups: dict[int, list[Placed]] = defaultdict(list)
    for each, line in zip(number, lone, strict=True):
        groups[each].append(line)
    return list(groups.values())


def _belong_together(one: Placed, two: Placed) -> bool:
    if _same_lesion(one, two):
        return True
    return not one.lesion and not two.lesion and cross(_ends(one), _ends(two))


def _same_lesion(one: Placed, two: Placed) -> bool:
    """Whether one object says that two drawings are of one lesion."""
    if one.lesion and two.lesion:
        return one.lesion == two.lesion
    mine, other = one.drawing, two.drawing
    if mine.group and mine.group == other.group:
        return True
    return bool(mine.origin.tracking_uid) and mine.origin.tracking_uid == other.origin.tracking_uid


def _axes(group: Sequence[Placed], settings: Calibration) -> Figure | str:
    """The lines of one lesion on one frame with their axes, or why they are not told."""
    if len(group) > 2:
        return f"these are {len(group)} lines of one lesion on one frame, and a lesion has two axes"
    if len(group) == 1:
        return Figure((replace(group[0], axis=group[0].axis or Axis.LONG),))
    stated = [line.axis for line in group]
    if None not in stated:
        if stated[0] is stated[1]:
            return f"both lines are called the {stated[0]} axis of one lesion on one frame"
        return Figure(tuple(sorted(group, key=lambda line: list(Axis).index(line.axis or Axis.LONG))))
    if not cross(*map(_ends, group)):
        return "these two lines of one lesion do not cross, and nothing tells the long axis from the short one"
    first, second = group
    if stated == [None, None]:
        first, second = sorted(group, key=lambda line: -_length(line, group, settings))
        return Figure((replace(first, axis=Axis.LONG), replace(second, axis=Axis.SHORT)))
    known, other = (first, second) if second.axis is None else (second, first)
    other = replace(other, axis=Axis.SHORT if known.axis is Axis.LONG else Axis.LONG)
    return Figure((known, other) if known.axis is Axis.LONG else (other, known))


def _length(line: Placed, group: Sequence[Placed], settings: Calibration) -> float:
    """Length in mm, or in pixels where the image has no scale there and the two are refused later."""
    points = [point for each in group for point in each.drawing.points]
    spacing = calibrate_at(line.image, points, settings).spacing_mm or (1.0, 1.0)
    return caliper_length_mm(*_ends(line), spacing)


def _ends(line: Placed) -> tuple[Point, Point]:
    start, end = line.drawing.points
    return start, end


def _not_told(line: Placed, why: str) -> Unmatched:
    return refused(line.drawing, line.held_in, "axes_not_told", why, remedy=_ONE_PAIR, images=(line.image,))
