"""The best assignment of all lesions of two visits, and how sure each part of it is.

Minimised is the sum of: minus the evidence of every pair, the price of every lesion that is left without partner, and
the penalty of the common motion (`alignment.fit`). Given the motion, the Hungarian method finds the best assignment
(`scipy.optimize.linear_sum_assignment`); given the assignment, the motion is fitted; the two take turns from many
starting points: no motion, that which every single pair of lesions suggests, and each best solution without one of its
decisions.

The margin of one decision (this pair, or: no partner) is what the whole costs more when that decision is forbidden.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from lesion_measure.config import Likeness
from lesion_measure.config import Pairing as Settings
from lesion_measure.lesions.pairing.alignment import Differences, Motion, Pairs, fit
from lesion_measure.lesions.pairing.evidence import Evidence
from lesion_measure.lesions.pairing.lesion import Numbers, PairedLesion, features

NEVER = 1e6
"""Cost of what a person's names rule out; minus it: of what they settle. Far more than any sum of evidence."""
MOST_LOGIT = 30.0
MOST_TURNS = 8
MOST_ROUNDS = 2
MOST_RIVALS = 12
RIVAL_WITHIN = 15.0
"""Motions whose whole costs so many nats more than the best are no rivals."""

Assignment = tuple[int, ...]
"""For every lesion before, the index of its partner after, or -1."""


@dataclass(frozen=True, slots=True)
class Match:
    """One decision: lesion ``before`` and lesion ``after`` are the same; None: there is no partner.

    ``margin`` in nats; infinite where names settle it. ``confidence`` 0..1 that the decision is right.
    """

    before: int | None
    after: int | None
    margin: float
    confidence: float
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class LesionPairing:
    """All decisions about two sets of lesions, and the common motion that goes with them. ``cost`` (n, m): of pairs."""

    matches: tuple[Match, ...]
    motion: Motion
    cost: Numbers

    def partner(self, before: int) -> Match:
        """The decision about a lesion of before."""
        return next(m for m in self.matches if m.before == before)

    def source(self, after: int) -> Match:
        """The decision about a lesion of after."""
        return next(m for m in self.matches if m.after == after)


@dataclass(frozen=True, slots=True)
class _Solution:
    assignment: Assignment
    cost: Numbers
    motion: Motion
    total: float


def pair(
    before: Sequence[PairedLesion], after: Sequence[PairedLesion], likeness: Likeness, settings: Settings
) -> LesionPairing:
    """Which lesions of two visits (or pictures) are the same.

    Parameters
    ----------
    before, after
        Lesions of either. Equal names are the same lesion and different names are not, whatever they look like.
    likeness
        That of visits or that of pictures, from ``settings``.
    settings
        Everything else.
    """
    problem = _Problem(before, after, likeness, settings)
    best, *others = problem.solutions()
    rivals = [best, *(s for s in others if s.total <= best.total + RIVAL_WITHIN)][:MOST_RIVALS]
    matches = []
    for i, j in enumerate(best.assignment):
        if j >= 0 and problem.equal[i, j]:
            matches.append(Match(i, j, math.inf, 1.0, by_name=True))
            continue
        margin = min(problem.without(s, i, j) for s in rivals) - best.total
        evidence = -float(best.cost[i, j]) if j >= 0 else None
        matches.append(Match(i, j if j >= 0 else None, margin, confidence(margin, evidence, settings)))
    for j in sorted(set(range(len(after))) - set(best.assignment)):
        margin = min(problem.without(s, -1, j) for s in rivals) - best.total
        matches.append(Match(None, j, margin, confidence(margin, None, settings)))
    return LesionPairing(tuple(matches), best.motion, best.cost)


def confidence(margin: float, evidence: float | None, settings: Settings) -> float:
    """Probability that a decision is right, fitted to simulation (docs/pairing.md).

    Parameters
    ----------
    margin
        Of the decision, in nats.
    evidence
        That the two are one lesion, in nats; None where the decision is that there is no partner.
    settings
        The fit.
    """
    offset = settings.confidence_alone if evidence is None else settings.confidence_pair
    logit = offset + settings.confidence_margin * margin + settings.confidence_evidence * (evidence or 0.0)
    return 1 / (1 + math.exp(-min(max(logit, -MOST_LOGIT), MOST_LOGIT)))


class _Problem:
    def __init__(
        self, before: Sequence[PairedLesion], after: Sequence[PairedLesion], likeness: Likeness, settings: Settings
    ):
        self.likeness = likeness
        self.before, self.after = features(before), features(after)
        self.names_before, self.names_after = self.before.names, self.after.names
        self.evidence = Evidence(self.before, self.after, likeness, settings)
        e = self.evidence
        self.known = Differences(e.size, e.relative_echo, e.texture)
        equal = np.array([[bool(a) and a == b for b in self.names_after] for a in self.names_before], dtype=bool)
        differ = np.array([[bool(a and b) and a != b for b in self.names_after] for a in self.names_before], dtype=bool)
        shape = (len(before), len(after))
        self.equal, self.differ = equal.reshape(shape), differ.reshape(shape)

    def solutions(self) -> list[_Solution]:
        """Every local optimum that the starting points lead to, the best first.

        From the best ones on, what comes next where one of their decisions is forbidden is a starting point too.
        """
        found: dict[Assignment, _Solution] = {}
        self._descend(np.empty((0, 2), dtype=np.intp), found)
        for pair in np.argwhere(~self.differ).tolist():
            self._descend(np.array([pair], dtype=np.intp), found)
        explored: set[Assignment] = set()
        for _ in range(MOST_ROUNDS):
            best = min((s for a, s in found.items() if a not in explored), key=_rank, default=None)
            if best is None:
                break
            explored.add(best.assignment)
            for i, j in enumerate(best.assignment):
                self._descend(_pairs(self.instead(best, i, j)), found)
        return sorted(found.values(), key=_rank)

    def _descend(self, pairs: Pairs, found: dict[Assignment, _Solution]) -> None:
        """Fit and assign in turns until an assignment comes again, and keep it."""
        seen: set[Assignment] = set()
        for _ in range(MOST_TURNS):
            assignment = self.assign(self.cost(self.motion(pairs)))
            if assignment in seen or assignment in found:
                break
            seen.add(assignment)
            pairs = _pairs(assignment)
        if assignment not in found:
            motion = self.motion(_pairs(assignment))
            cost = self.cost(motion)
            found[assignment] = _Solution(assignment, cost, motion, self.total(cost, assignment) + motion.penalty)

    def motion(self, pairs: Pairs) -> Motion:
        """The common motion of these pairs."""
        return fit(self.before, self.after, pairs, self.known, self.likeness)

    def cost(self, motion: Motion) -> Numbers:
        """Cost (n, m) of every pair."""
        cost = -self.evidence.under(motion)
        return np.asarray(np.where(self.equal, -NEVER, np.where(self.differ, NEVER, cost)))

    def assign(self, cost: Numbers) -> Assignment:
        """The cheapest assignment; a lesion may stay without partner."""
        n, m = cost.shape
        if not n or not m:
            return tuple([-1] * int(n))
        price = self.likeness.unpaired
        square = np.full((n + m, n + m), 2 * NEVER)
        square[:n, :m] = cost
        square[np.arange(n), m + np.arange(n)] = price
        square[n + np.arange(m), np.arange(m)] = price
        square[n:, m:] = 0.0
        columns: list[int] = np.asarray(scipy.optimize.linear_sum_assignment(square)[1])[:n].tolist()
        partners: Assignment = tuple(j if j < m else -1 for j in columns)
        return partners

    def total(self, cost: Numbers, assignment: Assignment) -> float:
        """What an assignment costs under a motion, without the motion's penalty."""
        pairs = _pairs(assignment)
        alone = cost.shape[0] + cost.shape[1] - 2 * len(pairs)
        total: float = cost[pairs[:, 0], pairs[:, 1]].sum() + alone * self.likeness.unpaired
        return total

    def without(self, solution: _Solution, i: int, j: int) -> float:
        """The least whole cost under a solution's motion without the decision i, j; -1 stands for no partner."""
        if not solution.cost.size:
            return math.inf
        return self.total(solution.cost, self.instead(solution, i, j)) + solution.motion.penalty

    def instead(self, solution: _Solution, i: int, j: int) -> Assignment:
        """The cheapest assignment under a solution's motion that has not the decision i, j."""
        cost = solution.cost.copy()
        if i >= 0 and j >= 0:
            cost[i, j] = NEVER
        elif i >= 0:
            cost[i] -= 4 * NEVER
        else:
            cost[:, j] -= 4 * NEVER
        return self.assign(cost)


def _rank(solution: _Solution) -> tuple[float, Assignment]:
    """Order of solutions; equal costs keep a fixed order."""
    return solution.total, solution.assignment


def _pairs(assignment: Assignment) -> Pairs:
    return np.array([(i, j) for i, j in enumerate(assignment) if j >= 0], dtype=np.intp).reshape(-1, 2)
