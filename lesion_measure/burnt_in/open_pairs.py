"""Marks of which only a printed value can tell whether they are a caliper, and which points they mark.

Crosses may be nearly clear, or of gray ones more than two alike. Filled marks may be dots or arrows, whose points lie
some pixels apart. The length that agrees with a value by the image's scale is the caliper's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from lesion_measure.burnt_in.joint_fit import Fitting
from lesion_measure.burnt_in.marks import EVEN, FILLED, LEAST_LENGTH_PX, Mark
from lesion_measure.burnt_in.surroundings import alike

LEAST_SCORE = 0.65
"""Correlation from which a cross may be one: values agree with few lengths by chance."""
NEARLY_EVEN, ONE_LEVEL = 3.75, 4.0
"""`Mark.evenness` from which two crosses without that score may be one, within so many gray levels of one another."""
MOST_PAIRS = 6
"""Pairs of crosses of a frame, beyond which none is offered: some would agree with a value by chance."""
_MOST_DARK = 0.3


def open_pairs(
    ends: Sequence[Mark], lines: Sequence[tuple[Mark, Mark]], fitting: Fitting
) -> Iterator[tuple[Mark, Mark]]:
    """What may be calipers; of one pair of filled marks all points that they may mark.

    Parameters
    ----------
    ends
        The frame's marks that may end a caliper and end none, faint ones among them.
    lines
        Those with a line between them that are still open.
    fitting
        Of the frame.
    """
    for one, two in lines:
        if one.shape in FILLED:
            yield from fitting.possible(one, two)
    crosses = [mark for mark in ends if mark.shape not in FILLED]
    likely = list(filter(_is_likely, crosses))
    if len(likely) * (len(likely) - 1) > 4 * MOST_PAIRS:
        return
    found = _fitted(itertools.combinations(likely, 2), fitting)
    yield from found if len(found) <= MOST_PAIRS else ()
    faint = [mark for mark in crosses if mark.evenness >= NEARLY_EVEN]
    others = [two for two in itertools.combinations(faint, 2) if not all(map(_is_likely, two)) and _may_be(*two)]
    if len(found) + len(others) <= MOST_PAIRS:
        yield from _fitted(others, fitting)


def _fitted(pairs: Iterable[tuple[Mark, Mark]], fitting: Fitting) -> list[tuple[Mark, Mark]]:
    """Those that may be drawn alike, as one template fits both."""
    fitted = (fitting.pair(*two) for two in pairs if _may_be(*two))
    return [pair for pair in fitted if pair is not None]


def _may_be(one: Mark, two: Mark) -> bool:
    """Whether two crosses are alike, apart, and one of them among echoes; faint ones are of one brightness."""
    if not (_is_likely(one) and _is_likely(two)) and abs(one.level - two.level) > ONE_LEVEL:
        return False
    apart = float(np.hypot(one.row - two.row, one.col - two.col)) >= LEAST_LENGTH_PX
    return apart and alike(one, two) and min(one.dark, two.dark) < _MOST_DARK


def _is_likely(cross: Mark) -> bool:
    return cross.score >= LEAST_SCORE or cross.evenness >= EVEN
