"""Which marks are calipers, once the values on their frame were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from lesion_measure.burnt_in.grouping import GroupedBy, MarkPair
from lesion_measure.burnt_in.reconcile import Distance, Stated, Verdict, agree, reconcile
from lesion_measure.burnt_in.surroundings import hue

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
    kept = [pair for at, pair in enumerate(sure) if _believed(pair, at, verdict)]
    if len(kept) < len(sure):
        distances = [measure(pair) for pair in kept]
        verdict = reconcile(distances, values)
    if False in verdict.agrees:  # who doubts the scale decides nothing by it
        return tuple(kept), distances, verdict
    told = _told_by_values([pair for pair in pairs if pair.open], values, measure, verdict)
    more = sorted([*kept, *told], key=lambda pair: (pair.ends[0].row, pair.ends[0].col))
    lengths = [measure(pair) for pair in more]
    whole = reconcile(lengths, values)
    if False in whole.agrees:  # with these, a sure caliper doubts the scale by the value that is left
        return tuple(kept), distances, verdict
    return tuple(more), lengths, whole


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
    if told_by_marks(pair):
        return True
    shared = verdict.proposed is not None and verdict.proposed.values > 1
    return bool(verdict.agrees[at]) or (verdict.of_caliper[at] is not None and shared)


def told_by_marks(pair: MarkPair) -> bool:
    """Whether two marks are one caliper's ends whatever is printed: a line joins them, or they have a colour."""
    joined = pair.grouped_by in (GroupedBy.LINE, GroupedBy.CROSSING)
    return joined or (pair.grouped_by is GroupedBy.LOOK and any(hue(pair.ends[0])))
