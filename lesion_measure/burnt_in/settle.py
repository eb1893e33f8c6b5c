"""Which marks are calipers, once the values on their frame were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from lesion_measure.burnt_in.grouping import GroupedBy, MarkPair
from lesion_measure.burnt_in.reconcile import Distance, Stated, Verdict, agree, reconcile

LEAST_AGREEING = 2
"""Calipers of a frame that agree with their values, from which other points of filled marks are believed."""

Settled = tuple[tuple[MarkPair, ...], list[Distance], Verdict]


def settled(pairs: Sequence[MarkPair], values: Sequence[Stated], measure: Callable[[MarkPair], Distance]) -> Settled:
    """The calipers with their lengths, and what the values say of them.

    Parameters
    ----------
    pairs
        As `grouping.find_possible` gives them, those that are open among them.
    values
        The lengths printed on the frame.
    measure
        Gives a pair's length.
    """
    sure = [pair for pair in pairs if not pair.open]
    distances = [measure(pair) for pair in sure]
    verdict = reconcile(distances, values)
    kept = tuple(pair for at, pair in enumerate(sure) if _believed(pair, at, verdict))
    if len(kept) < len(sure):
        distances = [measure(pair) for pair in kept]
        verdict = reconcile(distances, values)
    kept, distances, verdict = _with_other_points(pairs, values, measure, (kept, distances, verdict))
    if False in verdict.agrees:  # who doubts the scale decides nothing by it
        return kept, distances, verdict
    still = [
        pair
        for pair in pairs
        if pair.grouped_by is GroupedBy.VALUE and not any(pair.shares_mark(other) for other in kept)
    ]
    told = _told_by_values(still, values, measure, verdict)
    more = sorted([*kept, *told], key=lambda pair: (pair.ends[0].row, pair.ends[0].col))
    lengths = [measure(pair) for pair in more]
    whole = reconcile(lengths, values)
    if False in whole.agrees:  # with these, a sure caliper doubts the scale by the value that is left
        return kept, distances, verdict
    return tuple(more), lengths, whole


def _with_other_points(
    pairs: Sequence[MarkPair], values: Sequence[Stated], measure: Callable[[MarkPair], Distance], found: Settled
) -> Settled:
    """Calipers whose dots may be arrows, or arrows dots, with those points by which they agree with a value.

    One alone may agree so by chance where the picture was enlarged; two or more of a frame do not, unless they are
    about as long as one another. So a factor that explains all is left to stand.
    """
    kept, _, verdict = found
    if verdict.factor is not None:
        return found
    own = {index for index, agrees in zip(verdict.of_caliper, verdict.agrees, strict=True) if agrees}
    left = [value for index, value in enumerate(values) if index not in own]
    more = []
    for pair, agrees in zip(kept, verdict.agrees, strict=True):
        others = [] if agrees else [o for o in pairs if o.grouped_by is GroupedBy.POINTS and o.has_marks(pair)]
        fitting = [other for other in others if any(agree(measure(other), value) for value in left)]
        more.append(fitting[0] if len(fitting) == 1 else pair)
    if tuple(more) == kept:
        return found
    distances = [measure(pair) for pair in more]
    whole = reconcile(distances, values)
    changed = all(agrees for pair, agrees in zip(more, whole.agrees, strict=True) if pair.open)
    return (tuple(more), distances, whole) if changed and sum(map(bool, whole.agrees)) >= LEAST_AGREEING else found


def _told_by_values(
    pairs: Sequence[MarkPair], values: Sequence[Stated], measure: Callable[[MarkPair], Distance], verdict: Verdict
) -> list[MarkPair]:
    """Open pairs of which each agrees with one value that is left over, which agrees with no other.

    Two of them that share a mark tell nothing: one agrees by chance, or both do.
    """
    left = [value for index, value in enumerate(values) if index not in verdict.of_caliper]
    lengths = [measure(pair) for pair in pairs]
    matches = [(at, to) for at, length in enumerate(lengths) for to, value in enumerate(left) if agree(length, value)]
    of_pair, of_value = Counter(at for at, _ in matches), Counter(to for _, to in matches)
    told = [pairs[at] for at, to in matches if of_pair[at] == of_value[to] == 1]
    return [pair for pair in told if not any(pair.shares_mark(other) for other in told if other is not pair)]


def _believed(pair: MarkPair, at: int, verdict: Verdict) -> bool:
    """Whether two marks are one caliper's ends.

    Gray ones that only look alike may be an end each of two calipers whose other marks were not found. Arrows that
    point at one another may both point at what is between. They need a printed value that agrees, or two that have one
    scale in common.
    """
    if pair.told_by_marks:
        return True
    shared = verdict.proposed is not None and verdict.proposed.values > 1
    return bool(verdict.agrees[at]) or (verdict.of_caliper[at] is not None and shared)
