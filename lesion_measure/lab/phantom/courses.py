"""Courses of simulated children over many visits: response, regrowth, new lesions, visits that are missed.

A child of `trial.random_plan` answers by a factor of its diameters on day 30. A course goes on from there, so the first
month is that of the same child without a course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from lesion_measure.lab.phantom.children import ChildPlan, LesionPlan
from lesion_measure.lab.phantom.visits import BASELINE, ONE_MONTH, visit_name

MOST_DAYS = 3650
_RESPONSE_DAYS = 30
_LEAST, _MOST = 0.3, 1.6
_REGROWTH_SHARE, _NEW_SHARE = 0.4, 0.25


def checked_days(days: Sequence[int]) -> tuple[int, ...]:
    """The days of a course, from the first to the last.

    Raises
    ------
    ValueError
        No baseline (0), a day given twice, or one more than ten years away.
    """
    if 0 not in days:
        raise ValueError("one of the visits has to be the baseline, day 0")
    if len(set(days)) < len(days):
        raise ValueError("a day is given twice")
    if far := [day for day in days if abs(day) > MOST_DAYS]:
        raise ValueError(f"day {far[0]} is more than ten years from baseline")
    return tuple(sorted(days))


@dataclass(frozen=True, slots=True)
class _Fate:
    """What happens to all lesions of a child.

    ``nadir_day`` is the visit from which they grow again by ``growth`` in 60 days; ``before`` multiplies the diameters
    before baseline.
    """

    nadir_day: float
    growth: float
    before: float

    def factor(self, day: int, at_one_month: float) -> float:
        """What a diameter at baseline is multiplied by on this day."""
        if day < 0:
            return self.before
        early = min(day, self.nadir_day)
        if not at_one_month:
            return 0.0 if day >= _RESPONSE_DAYS else 1 - 0.5 * day / _RESPONSE_DAYS
        answered = max(at_one_month ** np.sqrt(early / _RESPONSE_DAYS), _LEAST)
        return float(min(answered * (1 + self.growth) ** ((day - early) / 60), _MOST))


def with_course(plan: ChildPlan, days: Sequence[int], rng: np.random.Generator, missing: float) -> ChildPlan:
    """A child scanned on other days than baseline and one month.

    Parameters
    ----------
    plan
        Has a baseline, and each lesion a factor at one month.
    days
        Due days from baseline, as `checked_days` gives them.
    rng
        Source of everything random of the course.
    missing
        Chance of each visit after baseline that the child does not come.
    """
    after = [day for day in days if day > 0]
    fate = _random_fate(rng, after)
    lesions = [_followed(lesion, days, fate) for lesion in plan.lesions]
    if (new := _new_lesion(rng, days, after, fate)) is not None:
        lesions.append(new)
    dates = _random_dates(rng, plan.dates[BASELINE], days, missing)
    seen = (_at(lesion, dates) for lesion in lesions)
    return replace(plan, dates=dates, lesions=tuple(lesion for lesion in seen if any(lesion.factors.values())))


def _random_fate(rng: np.random.Generator, after: Sequence[int]) -> _Fate:
    """Some grow again after a visit that is not the last."""
    regrows = rng.random() < _REGROWTH_SHARE
    turn = int(rng.integers(max(len(after) - 1, 1)))
    growth, before = float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.92, 1.25))
    return _Fate(after[turn] if regrows and len(after) > 1 else np.inf, growth, before)


def _followed(lesion: LesionPlan, days: Sequence[int], fate: _Fate) -> LesionPlan:
    at_one_month = lesion.factors[ONE_MONTH]
    return replace(lesion, factors={visit_name(day): fate.factor(day, at_one_month) for day in days})


def _new_lesion(rng: np.random.Generator, days: Sequence[int], after: Sequence[int], fate: _Fate) -> LesionPlan | None:
    """A lesion that some children have from a later visit on (the only one, where there is one alone)."""
    appears, radius = rng.random() < _NEW_SHARE, float(rng.uniform(4, 8))
    turn = int(rng.integers(min(1, len(after) - 1), len(after))) if after else 0
    if not (appears and after):
        return None
    first = after[turn]
    sizes = {day: min((1 + fate.growth) ** ((day - first) / 60), _MOST) if day >= first else 0.0 for day in days}
    return LesionPlan(radius, {visit_name(day): size for day, size in sizes.items()})


def _random_dates(rng: np.random.Generator, baseline: date, days: Sequence[int], missing: float) -> dict[str, date]:
    """Dates a few days off the due ones, in their order; a visit that is missed has none."""
    gaps = [later - earlier for earlier, later in pairwise(days)]
    slack = min(3, *(gap // 3 for gap in gaps)) if gaps else 0
    dates = {}
    for day in days:
        off, came = int(rng.integers(-slack, slack + 1)), rng.random() >= missing
        if day == 0:
            dates[BASELINE] = baseline
        elif day < 0 or came:
            dates[visit_name(day)] = baseline + timedelta(days=day + off)
    return dates


def _at(lesion: LesionPlan, dates: Mapping[str, date]) -> LesionPlan:
    return replace(lesion, factors={visit: lesion.factors[visit] for visit in dates})
