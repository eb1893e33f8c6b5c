"""Circles and ellipses as calipers: what their points say of a lesion's axes, and what they leave open.

Points are as in PS3.3 C.10.5.1.2 and C.18.6.1.2, which agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lesion_measure.records import Axis, Point

CIRCLED = "the lesion was circled: the long axis is the circle's diameter"
ELLIPSED = "the lesion was drawn as an ellipse: its axes are the ellipse's"


def diameter(centre: Point, rim: Point) -> tuple[Point, Point]:
    """The diameter of a circle through the point of its circumference that was drawn.

    How short the lesion is, a circle does not say.
    """
    return (2 * centre[0] - rim[0], 2 * centre[1] - rim[1]), rim


def axes_told(first: Sequence[Point], second: Sequence[Point]) -> tuple[Axis | None, Axis | None]:
    """Which axis of an ellipse is which: the major one is drawn first; where it is the shorter one, nobody says."""
    told = math.dist(*first) >= math.dist(*second)
    return (Axis.LONG, Axis.SHORT) if told else (None, None)
