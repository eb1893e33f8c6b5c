"""Marks to calipers: two ends by the line between them, by their look, or because they cross another pair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lesion_measure.burnt_in.joint_fit import SURELY_ALONE, Fitting
from lesion_measure.burnt_in.lines import Way, goes_on, way_between
from lesion_measure.burnt_in.marks import EVEN, FILLED, LEAST_LENGTH_PX, Mark, find_marks
from lesion_measure.burnt_in.open_pairs import NEARLY_EVEN, open_pairs
from lesion_measure.burnt_in.overlay import Channel, Seen, overlay
from lesion_measure.burnt_in.partners import SAME_LEVEL, partners
from lesion_measure.burnt_in.surroundings import GLYPHS, alike, hue, letters_in_line, only_alike, ticks
from lesion_measure.burnt_in.templates import Shape

DOTS, REGULAR_DOTS, BRIGHTER, RIDGE = 3.6, 2.4, 6.0, 6.5
"""`Way.strength`, that of regular dots, `Way.brighter` and `Way.ridge` from which there is a line: by chance one way in
a hundred."""
AMID_WORDS = (1.0, 1.5, 2.5)
"""How many times as clear a line has to be where words stand beside none, one or both of its marks."""
LINE_SCORE, SOLID_SCORE = 0.6, 0.7
"""Correlation from which a mark ends a dotted line, and a solid one; even strokes (`EVEN`) do with less."""
CLEARLY_DOTTED = 1.2
"""How many times as clear a line of dots is between two crosses of one brightness that are only `NEARLY_EVEN`."""
CLEAR_SCORE, CLEAR_FILLED = 0.76, 0.85
"""Correlation from which a cross is believed without a line to it, and a filled mark if it is coloured."""
AIMED_FILLED = 0.7
"""The same for arrows that may point at one another: their fit decides."""
NEARLY_CLEAR = 0.7
"""Correlation of a coloured cross that is believed with a clearer one like it: both are `CLEAR_SCORE` on average. Of
four that cross, two are `_is_drawn`."""
LEAST_FAINT_SCORE = 0.65
"""Correlation from which a faint mark may be a cross: blurred arrows are like one."""
BEHIND_PX, CLEARER = 16.0, 0.05
"""How far behind a filled mark its number is, and by how much the mark's correlation is greater."""
BETTER_FIT = 0.03
"""By how much the correlation of both ends is greater than that of others in line with them."""
SAME_PX = 3.0
"""How far apart both ends of one pair may be in two channels."""
MOST_MARKS = 80
"""Marks that are paired, the clearest first."""
MOST_AIMED = 8
"""Coloured filled marks of a frame beyond which none is taken for arrows that point at one another: flow in colour has
dozens, and fitting two of them takes some 30 ms."""
MOST_LONE = 4
"""Crosses of a frame that look for a partner, the clearest first: each search is one of the whole frame."""
ARROW_SLACK_PX = 2.0
_SHAFT_PX = 24.0
"""How long an arrow is with its shaft at most."""
ON_LINE_PX = 4.5
"""How far from a line a mark lies in it."""
_BODY = 1.6
"""How far an arrow's shaft reaches behind its head, in lengths of this."""
_MOST_HOLE = 0.45
_SIGN = 2
"""Letters in line with a mark from which it is not believed without a line, and amid words where no echoes are."""
_DARK, _MOST_DARK = 0.3, 0.75
_CROSSING = (0.12, 0.88)
_UPRIGHT_DEG = 25.0


class GroupedBy(StrEnum):
    """What tells that two marks are the ends of one caliper; `VALUE`: nothing but a printed value may.

    `POINTS`: the same of other points of two filled marks that a line joins.
    """

    LINE = "line"
    AIM = "aim"
    LOOK = "look"
    CROSSING = "crossing"
    VALUE = "value"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class MarkPair:
    """Two marks of one caliper, with levels as in the channel that they were seen in."""

    ends: tuple[Mark, Mark]
    grouped_by: GroupedBy
    seen: Seen = Seen.BRIGHT

    @property
    def length_px(self) -> float:
        """Distance of the points in pixels."""
        return _distance(*self.ends)

    @property
    def slack_px(self) -> float:
        """By how much the length may be wrong: tips are told by the sides of short bodies, less well than middles."""
        return ARROW_SLACK_PX if self.ends[0].shape is Shape.ARROW else 1.0

    def shares_mark(self, other: MarkPair) -> bool:
        """Whether an end of both is one drawn mark, whatever point of it each takes."""
        return any(itertools.starmap(_one_mark, itertools.product(self.ends, other.ends)))

    def has_marks(self, other: MarkPair) -> bool:
        """Whether both ends of two pairs are the same drawn marks."""
        ends = other.ends, other.ends[::-1]
        return any(all(map(_one_mark, self.ends, order)) for order in ends)

    @property
    def open(self) -> bool:
        """Whether it may be one, or have other points: then it is none without a printed value that agrees."""
        return self.grouped_by in (GroupedBy.VALUE, GroupedBy.POINTS)

    @property
    def told_by_marks(self) -> bool:
        """Whether it is a caliper whatever is printed: a line joins its marks, they cross others, or have a colour."""
        joined = self.grouped_by in (GroupedBy.LINE, GroupedBy.CROSSING)
        return joined or (self.grouped_by is GroupedBy.LOOK and not self.only_alike)

    @property
    def only_alike(self) -> bool:
        """Whether nothing but their look tells that two gray marks are one: each may have another partner."""
        return self.grouped_by is GroupedBy.LOOK and not any(hue(self.ends[0]))


def _one_mark(one: Mark, two: Mark) -> bool:
    return float(np.hypot(*np.subtract(one.middle, two.middle))) < 1.5 * one.half_px + 2


def find_pairs(rgb: NDArray[np.uint8]) -> tuple[MarkPair, ...]:
    """The calipers of a frame (rows, columns, 3) by their marks alone; a mark without a partner is none."""
    return _found(rgb, with_open=False)


def find_possible(rgb: NDArray[np.uint8]) -> tuple[MarkPair, ...]:
    """The same, and those that are open."""
    return _found(rgb, with_open=True)


def _found(rgb: NDArray[np.uint8], *, with_open: bool) -> tuple[MarkPair, ...]:
    """Coloured marks are looked for among what is coloured, then crosses among what is faintly so, gray ones among all.

    Open pairs change no other one, and fitting them takes time.
    """
    drawn = overlay(rgb)
    pairs: list[MarkPair] = []
    solid: list[Mark] = []
    for seen in (Seen.COLOURED, Seen.FAINT, Seen.BRIGHT):
        channel = drawn.channel(seen)
        if channel is None:
            continue
        marks = find_marks(rgb, channel, on_black=seen is not Seen.BRIGHT, filled=seen is not Seen.FAINT)
        if seen is Seen.FAINT:
            marks = tuple(mark for mark in marks if _is_faint_cross(mark, solid))
        solid = [mark for mark in marks if mark.shape in FILLED and mark.score >= CLEAR_FILLED]
        left = [mark for mark in marks if not any(_belongs(mark, pair) for pair in pairs if not pair.open)]
        found = group(rgb, channel, left, with_open=with_open, before=pairs)
        pairs += [replace(pair, seen=seen) for pair in found]
    return tuple(sorted(_once(pairs), key=lambda pair: (pair.ends[0].row, pair.ends[0].col)))


def _once(pairs: Sequence[MarkPair]) -> list[MarkPair]:
    """Without what is open of marks that end another one, and with one of what two channels show."""
    sure = [pair for pair in pairs if not pair.open]
    told = [pair for pair in sure if not pair.only_alike]
    kept: list[MarkPair] = []
    for pair in pairs:
        ends = any(_belongs(mark, other) for mark in pair.ends for other in told)
        free = pair.grouped_by is GroupedBy.POINTS or not ends
        if pair.open and free and not any(_same(pair, other) for other in [*sure, *kept]):
            kept.append(pair)
    return sure + kept


def _same(one: MarkPair, other: MarkPair) -> bool:
    """Whether two channels show one pair."""
    ends = other.ends, other.ends[::-1]
    return any(max(map(_distance, one.ends, order)) <= SAME_PX for order in ends)


def _is_faint_cross(mark: Mark, solid: Sequence[Mark]) -> bool:
    """Whether a cross of faint colour is none of the filled marks of clear colour, which are blurred there."""
    return mark.score >= LEAST_FAINT_SCORE and all(_distance(mark, at) >= mark.half_px + at.half_px for at in solid)


def group(
    rgb: NDArray[np.uint8],
    channel: Channel,
    marks: Sequence[Mark],
    *,
    with_open: bool = True,
    before: Sequence[MarkPair] = (),
) -> list[MarkPair]:
    """The calipers among the marks of a frame, and what may be some.

    Parameters
    ----------
    rgb, channel
        The frame, (rows, columns, 3), and the channel of its overlay on which the marks were found.
    marks
        As `marks.find_marks` gives them.
    with_open
        Whether what is open is looked for, too.
    before
        Those that other channels of the frame show.
    """
    if not marks:
        return []
    fitting = Fitting(rgb, channel)
    letters = {id(mark): letters_in_line(channel, mark) for mark in marks[:MOST_MARKS]}
    left = list(marks[:MOST_MARKS])
    scale = ticks(left)
    left = [mark for index, mark in enumerate(left) if index not in scale]
    lines = _lines(channel, left, letters)
    pairs = _by_line(channel, left, lines, fitting)
    pairs += _aimed([mark for mark in left if not any(_belongs(mark, pair) for pair in pairs)], fitting)
    free = [mark for mark in left if not any(_belongs(mark, pair) for pair in pairs)]
    ends = [mark for mark in free if _may_be_end(mark, letters[id(mark)])]
    looks = _looks([mark for mark in free if _is_clear(mark, letters[id(mark)])], fitting)
    looks = [look for look in looks if len(look) != 2 or not _has_third(look, ends, fitting)]
    fitting.weigh((look[0], look[1]) for look in looks if len(look) == 2)
    for look in looks:
        pairs += _without_line(look, fitting)
    pairs += _crossing(left, pairs, fitting)
    if not with_open:
        return pairs
    told = [pair for pair in pairs if not pair.only_alike]
    ends = [mark for mark in free if mark in ends or _is_faint_end(mark, letters[id(mark)])]
    still = [mark for mark in ends if not any(_belongs(mark, pair) for pair in told)]
    solid = [mark for mark in still if mark.shape in FILLED]
    loose = [line for line in lines if not any(_belongs(mark, pair) for mark in line for pair in told)]
    loose += [two for two in only_alike(solid) if two not in loose]
    opened = [MarkPair(two, GroupedBy.VALUE) for two in open_pairs(still, loose, fitting)]
    opened += _other_points(lines, pairs, fitting)
    lone = [mark for mark in still if _is_lone(mark, letters[id(mark)])]
    return pairs + opened + _with_partners(rgb, channel, lone[:MOST_LONE], marks, [*before, *pairs])


def _other_points(lines: Sequence[tuple[Mark, Mark]], pairs: Sequence[MarkPair], fitting: Fitting) -> list[MarkPair]:
    """Of filled marks with a line between them what else they may mark, as dots or as arrows to the other side."""
    joined = [pair for pair in pairs if pair.grouped_by is GroupedBy.LINE and pair.ends[0].shape in FILLED]
    both = [two for pair in joined for two in lines if pair.has_marks(MarkPair(two, GroupedBy.LINE))]
    return [MarkPair(two, GroupedBy.POINTS) for marks in both for two in fitting.possible(*marks)]


def _with_partners(
    rgb: NDArray[np.uint8], channel: Channel, lone: Sequence[Mark], marks: Sequence[Mark], pairs: Sequence[MarkPair]
) -> list[MarkPair]:
    """Crosses that are left alone with what is drawn as they are and was passed over, each pair once; open.

    Parameters
    ----------
    rgb, channel
        The frame, (rows, columns, 3), and the channel of its overlay on which the marks were found.
    lone, marks
        The crosses that look for a partner, and all marks of the channel.
    pairs
        What is found already. None of their ends is a partner, nor is a place on a line between them.
    """
    sure = [pair for pair in pairs if not (pair.open or pair.only_alike)]
    known = [*marks, *(mark for pair in sure for mark in pair.ends)]
    found: list[MarkPair] = []
    for two in (two for mark in lone for two in partners(rgb, channel, mark, known)):
        pair = MarkPair(two, GroupedBy.VALUE)
        crossed = any(_lies_on(two[1], other) or _belongs(two[1], other) for other in sure)
        if not crossed and not any(_same(pair, other) for other in found):
            found.append(pair)
    return found


def _lies_on(mark: Mark, pair: MarkPair) -> bool:
    """Whether a mark lies on the line of a pair, where that crosses another one."""
    along, across = _beside(mark, *pair.ends)
    return across < ON_LINE_PX and 0 < along < pair.length_px


def _is_lone(mark: Mark, letters: int) -> bool:
    """Whether a mark that ends no caliper is surely a cross among echoes."""
    return mark.shape not in FILLED and mark.dark < _DARK and letters < GLYPHS and _is_drawn(mark)


def _has_third(look: Sequence[Mark], ends: Sequence[Mark], fitting: Fitting) -> bool:
    """Whether a third mark may be drawn as two are: then both may be ends of different calipers.

    Of filled ones it need not be clear what they are.
    """
    others = [(mark, end) for mark in look for end in ends if end not in look and alike(mark, end)]
    return any(mark.shape in FILLED or fitting.pair(mark, end) is not None for mark, end in others)


def _crossing(marks: Sequence[Mark], pairs: Sequence[MarkPair], fitting: Fitting) -> list[MarkPair]:
    """Of marks on echoes that are alike four that cross, where some are not clear enough to be believed alone."""
    left = [mark for mark in marks if mark.shape not in FILLED and mark.dark < _DARK]
    left = [mark for mark in left if _may_be_drawn(mark)]
    left = [mark for mark in left if not any(_belongs(mark, pair) for pair in pairs)]
    looks = [look for look in _looks(left, fitting) if len(look) == 4]
    return [pair for look in looks for pair in _without_line(look, fitting)]


def _lines(channel: Channel, marks: Sequence[Mark], letters: dict[int, int]) -> list[tuple[Mark, Mark]]:
    """Marks with a line between them, the clearest first."""
    lines: list[tuple[float, Mark, Mark]] = []
    for one, two in itertools.combinations(marks, 2):
        if not alike(one, two) or _distance(one, two) < LEAST_LENGTH_PX:
            continue
        words = sum(letters[id(mark)] >= (GLYPHS if mark.dark <= _MOST_DARK else _SIGN) for mark in (one, two))
        way = way_between(channel, one, two)
        if way is None or _clearness(way, one.shape in FILLED) < AMID_WORDS[words]:
            continue
        drawn = min(one.evenness, two.evenness) >= EVEN
        clear = all(mark.evenness >= EVEN or mark.score >= _least_score(way) for mark in (one, two))
        if (clear or _ends_dots(one, two, way)) and _is_line(way, one.shape in FILLED, drawn):
            lines.append((_clearness(way, one.shape in FILLED) + one.score + two.score, one, two))
    found = [(one, two) for _, one, two in sorted(lines, key=lambda line: -line[0])]
    return [pair for pair in found if not any(_ends_before(third, *pair) for third in marks)]


def _ends_dots(one: Mark, two: Mark, way: Way) -> bool:
    """Whether two crosses in bright tissue are of one brightness, and many dots lie between them: both are drawn."""
    if one.shape in FILLED or _dots(way, False) < CLEARLY_DOTTED or way.hole > _MOST_HOLE:
        return False
    return min(one.evenness, two.evenness) >= NEARLY_EVEN and abs(one.level - two.level) <= SAME_LEVEL


def _ends_before(third: Mark, one: Mark, two: Mark) -> bool:
    """Whether a clearer filled mark lies in line before one of two: what is behind it is its number."""
    if third is one or third is two or not (one.shape in FILLED and third.shape in FILLED and alike(one, third)):
        return False
    along, across = _beside(third, one, two)
    beyond = [mark for mark, left in ((one, along), (two, _distance(one, two) - along)) if 3 < left < BEHIND_PX]
    return across < ON_LINE_PX and any(third.score >= mark.score + CLEARER for mark in beyond)


def _by_line(
    channel: Channel, marks: Sequence[Mark], clearest: Sequence[tuple[Mark, Mark]], fitting: Fitting
) -> list[MarkPair]:
    """Pairs with a line between them; each mark ends one of them."""
    taken: list[MarkPair] = []
    fitting.weigh([*clearest, *only_alike([mark for mark in marks if mark.score >= CLEAR_FILLED])])
    for one, two in clearest:
        if any(_belongs(mark, pair) for mark in (one, two) for pair in taken):
            continue
        fitted = fitting.pair(one, two)
        if fitted is None or _distance(*fitted) < LEAST_LENGTH_PX or _fits_better(one, two, marks, fitting):
            continue
        if not _piece_of_echoes(channel, *fitted):
            taken.append(MarkPair(fitted, GroupedBy.LINE))
    return taken


def _fits_better(one: Mark, two: Mark, marks: Sequence[Mark], fitting: Fitting) -> bool:
    """Whether others in line near the ends of two filled marks are better dots or arrows, both of them.

    Then one of two is a piece of a shaft, or where lines cross, and its other side would be taken for a tip.
    """
    if one.shape not in FILLED:
        return False
    least = fitting.best_score(one, two) + BETTER_FIT
    firsts, lasts = ([mark for mark in marks if _in_line(mark, end, far)] for end, far in ((one, two), (two, one)))
    others = [pair for pair in itertools.product(firsts, lasts) if pair != (one, two) and alike(*pair)]
    return any(fitting.best_score(*pair) >= least for pair in others)


def _in_line(mark: Mark, end: Mark, far: Mark) -> bool:
    """Whether a filled mark is an end of a line or another one near it, on the line or as it would go on."""
    near = mark.shape in FILLED and _distance(mark, end) <= _SHAFT_PX
    return near and _beside(mark, end, far)[1] < ON_LINE_PX


def _aimed(marks: Sequence[Mark], fitting: Fitting) -> list[MarkPair]:
    """Coloured arrows that point at one another and at no third one: compression may leave no line between them."""
    solid = [mark for mark in marks if mark.shape in FILLED and any(hue(mark)) and mark.score >= AIMED_FILLED]
    if len(solid) > MOST_AIMED:
        return []
    aimed = [two for two in itertools.combinations(solid, 2) if alike(*two) and fitting.aimed(*two)]
    fitting.weigh(aimed)
    found: list[MarkPair] = []
    for pair in aimed:
        others = [mark for other in aimed if other is not pair for mark in other]
        if any(_distance(mark, other) < mark.half_px for mark in pair for other in others):
            continue
        if _fits_better(*pair, marks, fitting):
            continue
        fitted = fitting.pair(*pair, SURELY_ALONE)
        if fitted is not None and fitted[0].shape is Shape.ARROW:
            found.append(MarkPair(fitted, GroupedBy.AIM))
    return found


def _piece_of_echoes(channel: Channel, one: Mark, two: Mark) -> bool:
    """Whether filled marks without a colour are parts of a bright line, such as a diaphragm."""
    if one.shape not in FILLED or any(hue(one)):
        return False
    return goes_on(channel, one, two.point) or goes_on(channel, two, one.point)


def _dots(way: Way, filled: bool) -> float:
    """1 and more for dots between two marks, filled ones or crosses, that are no chance; even ones need less."""
    return way.strength / (REGULAR_DOTS if way.regular and not filled else DOTS)


def _clearness(way: Way, filled: bool) -> float:
    """1 and more for a line, by what tells it best."""
    return max(_dots(way, filled), way.brighter / BRIGHTER, way.ridge / RIDGE)


def _is_line(way: Way, filled: bool, drawn: bool) -> bool:
    """Whether the way between two marks, filled ones or crosses that are surely drawn or not, is a line."""
    if way.lit > 0.75 and way.beyond > 0.75 and (filled or not drawn):
        return False  # an edge or a bar, which goes on
    if filled:
        bright = way.brighter >= BRIGHTER and (way.strength >= DOTS or way.lit >= 0.6) and way.hole <= 0.3
        even = way.strength >= 1.6 * DOTS and way.evenness <= 0.35 and way.hole <= 0.3
        clear = max(way.brighter / BRIGHTER, way.ridge / RIDGE)
        return bright or even or (clear >= 1.25 and way.hole <= 0.5) or clear >= 2
    return (_dots(way, filled) >= 1 and way.hole <= _MOST_HOLE) or (
        max(way.brighter / BRIGHTER, way.ridge / RIDGE) >= 1 and way.hole <= 0.6
    )


def _least_score(way: Way) -> float:
    """A solid line is one of two strokes of a cross already, so that the other one has to be clear."""
    return SOLID_SCORE if way.lit > 0.75 and not way.regular else LINE_SCORE


def _belongs(mark: Mark, pair: MarkPair) -> bool:
    """Whether a mark is an end of a pair, or a piece of the line between."""
    along, across = _beside(mark, *pair.ends)
    near = min(_distance(mark, each) for each in pair.ends) < 1.5 * pair.ends[0].half_px + 2
    body = _BODY * pair.ends[0].half_px if pair.ends[0].shape is Shape.ARROW else 0.0
    between = -12 - body < along < pair.length_px + 12 + body
    return near or (mark.shape in FILLED and across < ON_LINE_PX and between)


def _beside(mark: Mark, start: Mark, end: Mark) -> tuple[float, float]:
    """Where a mark lies beside the line from ``start`` to ``end``: how far along it, and how far from it, in pixels."""
    length = _distance(start, end)
    down, right = (end.row - start.row) / length, (end.col - start.col) / length
    row, col = mark.row - start.row, mark.col - start.col
    return row * down + col * right, abs(row * right - col * down)


def _distance(one: Mark, two: Mark) -> float:
    return float(np.hypot(one.row - two.row, one.col - two.col))


def _is_clear(mark: Mark, letters: int) -> bool:
    """Whether a mark is believed without a line to it."""
    if mark.dark > _MOST_DARK or letters >= (GLYPHS if any(hue(mark)) or mark.dark < _DARK else _SIGN):
        return False
    if mark.shape in FILLED:
        return mark.score >= CLEAR_FILLED and any(hue(mark))
    return _is_drawn(mark) or (any(hue(mark)) and mark.score >= NEARLY_CLEAR)


def _may_be_end(mark: Mark, letters: int) -> bool:
    """Whether a mark may end a caliper, be it clear or not."""
    if mark.shape in FILLED:
        return _is_no_sign(mark, letters) and mark.score >= CLEAR_FILLED and any(hue(mark))
    return _is_no_sign(mark, letters) and _may_be_drawn(mark)


def _is_faint_end(mark: Mark, letters: int) -> bool:
    """Whether a cross amid echoes as bright as it is may end a caliper with one of the same brightness."""
    return mark.shape not in FILLED and mark.evenness >= NEARLY_EVEN and _is_no_sign(mark, letters)


def _is_no_sign(mark: Mark, letters: int) -> bool:
    """Whether a mark is no sign of a line of text where no echoes are.

    Without text beside it the dark may be a cyst, at whose rim calipers end.
    """
    if letters >= GLYPHS and not any(hue(mark)):
        return False
    return mark.dark <= _MOST_DARK or letters < (GLYPHS if any(hue(mark)) else _SIGN)


def _may_be_drawn(cross: Mark) -> bool:
    return cross.score >= LINE_SCORE or cross.evenness >= EVEN


def _is_drawn(mark: Mark) -> bool:
    return mark.score >= CLEAR_SCORE or mark.evenness >= EVEN


def _looks(marks: Sequence[Mark], fitting: Fitting) -> list[list[Mark]]:
    """Marks by their look."""
    groups: list[list[Mark]] = []
    for mark in marks:
        for group in groups:
            if alike(group[0], mark) and fitting.pair(group[0], mark) is not None:
                group.append(mark)
                break
        else:
            groups.append([mark])
    return groups


def _without_line(look: list[Mark], fitting: Fitting) -> list[MarkPair]:
    """Two marks of a look are a caliper; of four, two of them clear, those that cross at a right angle are two."""
    drawn = all(map(_is_drawn, look)) or sum(mark.score for mark in look) >= 2 * CLEAR_SCORE
    if len(look) == 2 and drawn and _distance(*look) >= LEAST_LENGTH_PX and min(mark.dark for mark in look) < _DARK:
        return _alone((look[0], look[1]), GroupedBy.LOOK, fitting)
    if len(look) != 4 or sum(map(_is_drawn, look)) < 2:
        return []
    first = look[0]
    for partner in look[1:]:
        others = [mark for mark in look[1:] if mark is not partner]
        if _cross((first, partner), (others[0], others[1])):
            pairs = ((first, partner), (others[0], others[1]))
            found = [_alone(pair, GroupedBy.CROSSING, fitting) for pair in pairs]
            return found[0] + found[1] if all(found) else []
    return []


def _alone(pair: tuple[Mark, Mark], by: GroupedBy, fitting: Fitting) -> list[MarkPair]:
    """Two marks without a line as a caliper; none where they are arrows, or may be arrows or dots."""
    fitted = fitting.pair(*pair, SURELY_ALONE)
    if fitted is None or fitted[0].shape is Shape.ARROW or _distance(*fitted) < LEAST_LENGTH_PX:
        return []
    return [MarkPair(fitted, by)]


def _cross(one: tuple[Mark, Mark], two: tuple[Mark, Mark]) -> bool:
    """Whether two ways cross in their middle parts at about a right angle, as long and short axis do."""
    a, b, c, d = (np.asarray(mark.point) for mark in (*one, *two))
    matrix = np.stack([b - a, c - d], axis=1)
    if abs(np.linalg.det(matrix)) < 1e-6:
        return False
    shares = np.linalg.solve(matrix, c - a)
    cosine = abs(float((b - a) @ (d - c))) / float(np.hypot(*(b - a)) * np.hypot(*(d - c)))
    upright = cosine <= np.sin(np.radians(_UPRIGHT_DEG))
    return bool(upright and all(_CROSSING[0] <= share <= _CROSSING[1] for share in shares))
