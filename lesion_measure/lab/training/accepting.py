"""From which confidence on outlines are accepted: a bound on their risk that holds although thresholds were searched.

Fixed-sequence testing (Angelopoulos et al. 2025, Learn then Test, Ann Appl Stat 19:1641): thresholds are tried from the
strictest one on, in an order that never looks at what is right, and the first that cannot be shown ends the search. So
no threshold that is passed has a risk above the one allowed, but for a share ``1 - confidence`` of all fits, and the
search itself costs nothing.

The unit is a group (pictures of one lesion or patient), since outlines of one group err together: it counts once, and
as wrong where any outline that is accepted in it is wrong. Of n groups k wrong ones show a risk below r where the
binomial distribution gives k or fewer a probability of at most ``1 - confidence`` (Clopper and Pearson's bound).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from lesion_measure.network.confidence import ACCEPTS_NOTHING, Accepted, Promise

ALL_SETS = "all sets together"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Outlines of held-back pictures: confidence, being right, group and set of each, in one order."""

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    groups: Sequence[str]
    sources: Sequence[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and what it promises, or why nothing is accepted."""

    threshold: float
    promise: Promise | None = None
    never: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Unit:
    """A set, or all of them: the outlines in it, and whether it has groups enough to show the risk by itself."""

    name: str
    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    groups: NDArray[np.str_]

    def best(self) -> NDArray[np.float64]:
        """The highest confidence of each group, highest first: from the n-th on, n groups have an accepted outline."""
        names, index = np.unique(self.groups, return_inverse=True)
        found = np.zeros(len(names))
        np.maximum.at(found, index, self.confidence)
        return np.sort(found)[::-1]

    def accepted(self, threshold: float) -> tuple[int, int]:
        """Groups with an accepted outline, and those of them with a wrong one."""
        taken = self.confidence >= threshold
        return len(np.unique(self.groups[taken])), len(np.unique(self.groups[taken & ~self.right]))

    def exceeds(self, threshold: float, risk: float) -> bool:
        """Whether more than this share of the accepted outlines is seen to be wrong."""
        taken = self.confidence >= threshold
        return bool((taken & ~self.right).sum() > risk * taken.sum())


def choose_threshold(judged: Judged, risk: float, confidence: float) -> Choice:
    """The lowest threshold whose accepted outlines are shown to be wrong in at most a share ``risk`` of the groups.

    Shown of every set that has groups enough, and of all sets together, each with at least ``confidence``. A set with
    fewer groups than could show it, all of them right, has a veto alone: no threshold passes at which more than
    ``risk`` of its accepted outlines are seen to be wrong.

    Parameters
    ----------
    judged
        Outlines whose confidences come from models that never saw their group.
    risk
        Largest share of groups with a wrong outline among those with an accepted one.
    confidence
        Least share of fits in which that holds.
    """
    least = groups_needed(risk, confidence)
    units = [_unit(judged, name) for name in sorted(set(judged.sources))]
    whole = _Unit(ALL_SETS, judged.confidence, judged.right, np.asarray(judged.groups, dtype=np.str_))
    total = len(whole.best())
    if total < least:
        return Choice(
            ACCEPTS_NOTHING,
            never=f"{total} groups of held-back pictures with an outline are too few: {least}, all of them right, "
            f"would show a risk of at most {100 * risk:.4g} % with {100 * confidence:.0f} % confidence",
        )
    tested = [unit for unit in units if len(unit.best()) >= least]
    if len(units) != 1:
        tested.append(whole)
    small = [unit for unit in units if len(unit.best()) < least]
    passed = ACCEPTS_NOTHING
    for threshold in _sequence(tested, risk, confidence):
        if not all(_shown(unit, threshold, risk, confidence) for unit in tested):
            break
        if any(unit.exceeds(threshold, risk) for unit in small):
            break
        passed = threshold
    if passed == ACCEPTS_NOTHING:
        return Choice(
            ACCEPTS_NOTHING,
            never=f"at no confidence was it shown that at most {100 * risk:.4g} % of the groups with an accepted "
            f"outline have a wrong one, with {100 * confidence:.0f} % confidence",
        )
    seen = {
        unit.name: (unit.accepted(passed), unit in tested) for unit in [*units, *([whole] if len(units) > 1 else [])]
    }
    sets = {name: Accepted(groups=n, wrong=k, shown=shown) for name, ((n, k), shown) in seen.items()}
    return Choice(passed, Promise(risk=risk, confidence=confidence, sets=sets))


@cache
def groups_needed(risk: float, confidence: float, wrong: int = 0) -> int:
    """The fewest groups of which so many wrong ones show a risk of at most ``risk``."""
    count = math.ceil(math.log(1 - confidence) / math.log(1 - risk))
    while binom.cdf(wrong, count, risk) > 1 - confidence:
        count += 1
    return count


def _unit(judged: Judged, name: str) -> _Unit:
    own = np.asarray(judged.sources) == name
    return _Unit(name, judged.confidence[own], judged.right[own], np.asarray(judged.groups, dtype=np.str_)[own])


def _sequence(tested: Sequence[_Unit], risk: float, confidence: float) -> list[float]:
    """Thresholds from the strictest on, none of which depends on what is right.

    At each, every unit has just groups enough to pass with none, one, two ... wrong; the last accepts every group.
    """
    levels = [unit.best() for unit in tested]
    found = []
    for wrong in range(min(map(len, levels))):
        count = groups_needed(risk, confidence, wrong)
        if count > min(map(len, levels)):
            break
        found.append(float(min(level[count - 1] for level in levels)))
    return [*found, float(min(level[-1] for level in levels))]


def _shown(unit: _Unit, threshold: float, risk: float, confidence: float) -> bool:
    count, wrong = unit.accepted(threshold)
    return bool(binom.cdf(wrong, count, risk) <= 1 - confidence)
