"""VISITNUM and VISIT: planned visits are whole numbers in the order of the schedule, others stand between them.

An unscheduled visit has the number of the planned visit before it and a decimal (SDTMIG 3.4, 4.4.5), so that one number
means one name in the whole study. Both are the sponsor's and have to be those of the trial's TV domain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lesion_measure.records import Schedule, is_undated

_COUNTED = re.compile(r"(\d+) (day|week|month|year)s?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A visit as the datasets name it: VISITNUM, AVISIT, and the epoch where the protocol says one.

    Nobody knows when an undated visit was, so it has neither number nor name.
    """

    number: float | None
    words: str | None
    epoch: str | None

    @property
    def name(self) -> str | None:
        """VISIT."""
        return None if self.words is None else self.words.upper()

    @property
    def order(self) -> float:
        """What puts the visits of a subject in order; an undated one comes last."""
        return math.inf if self.number is None else self.number


def timetable(schedule: Schedule, seen: Sequence[str]) -> dict[str, Timed]:
    """Every visit that is planned, or that a subject had, by its name in the results.

    Parameters
    ----------
    schedule
        The planned visits in order.
    seen
        The subject's visits in order of time.
    """
    found = {
        point.name: Timed(number=float(number), words=_words(point.label), epoch=point.epoch or None)
        for number, point in enumerate(schedule.points, 1)
    }
    last, beside = 0.0, 0
    for visit in seen:
        if is_undated(visit):
            found[visit] = Timed(number=None, words=None, epoch=None)
        elif visit in found:
            last, beside = found[visit].order, 0
        else:
            beside += 1
            number = round(last + beside / 100, 2)
            found[visit] = Timed(number=number, words=f"Unscheduled {number:.2f}", epoch=None)
    return found


def _words(label: str) -> str:
    """A label as CDISC writes visits: 'Month 3' for '3 months'."""
    counted = _COUNTED.fullmatch(label)
    return f"{counted[2].capitalize()} {counted[1]}" if counted else label
