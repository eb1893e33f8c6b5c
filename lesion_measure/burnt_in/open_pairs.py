"""Marks of which only a printed value can tell whether they are a caliper, and which points they mark.

Crosses may be nearly clear, or of gray ones more than two alike. Filled marks may be dots or arrows, whose points lie
some pixels apart. The length that agrees with a value by the image's scale is the caliper's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from lesion_measure.burnt_in.joint_fit import Fitting
from lesion_measure.burnt_in.marks import EVEN, FILLED, LEAST_LENGTH_PX, Mark
from lesion_measure.burnt_in.surroundings import alike

LEAST_SCORE = 0.65
"""Correlation from which a cross may be one: values agree with few lengths by chance."""
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
        The frame's marks that may end a caliper and end none.
    lines
        Those with a line between them that are still open.
    fitting
        Of the frame.
    """
    for one, two in lines:
        if one.shape in FILLED:
            yield from fitting.possible(one, two)
    crosses = [
        mark for mark in ends if mark.shape not in FILLED and (mark.score >= LEAST_SCORE or mark.evenness >= EVEN)
    ]
    if len(crosses) * (len(crosses) - 1) > 4 * MOST_PAIRS:
        return
    fitted = [fitting.pair(*two) for two in itertools.combinations(crosses, 2) if _may_be(*two)]
    found = [pair for pair in fitted if pair is not None]
    yield from found if len(found) <= MOST_PAIRS else ()


def _may_be(one: Mark, two: Mark) -> bool:
    """Whether two crosses are alike, apart, and one of them among echoes."""
    apart = float(np.hypot(one.row - two.row, one.col - two.col)) >= LEAST_LENGTH_PX
    return apart and alike(one, two) and min(one.dark, two.dark) < _MOST_DARK
