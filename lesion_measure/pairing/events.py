"""Two lesions that became one, and one that became two: neither is ever compared with a single one of them.

After the assignment, every two neighbours of one visit are held against every lesion of the other as if they were one
body, with the common motion that was found. Where that explains more than the assignment does, by more than the price
of such an event (`pairing.event`), they are a group. Groups of three or more are not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from lesion_measure.config import Likeness
from lesion_measure.config import Pairing as Settings
from lesion_measure.pairing.assign import Match, Pairing, confidence
from lesion_measure.pairing.evidence import Evidence
from lesion_measure.pairing.lesion import Lesion, Sight, channel, features

POSSIBLE_WITHIN = 5.0
"""A group that explains so many nats less than single lesions do is not considered."""


@dataclass(frozen=True, slots=True)
class Group:
    """Lesions ``before`` and ``after`` that belong together: two and one (merged), or one and two (split).

    ``margin``: by how many nats this explains more than the assignment of single lesions; where it is negative, the
    group is no more than possible.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    margin: float
    confidence: float


def find_groups(
    before: Sequence[Lesion], after: Sequence[Lesion], pairing: Pairing, likeness: Likeness, settings: Settings
) -> tuple[Group, ...]:
    """Merged and split lesions, certain or possible, the clearest first; no lesion is in two groups.

    Parameters
    ----------
    before, after, pairing
        The lesions and their assignment (`assign.pair`).
    likeness, settings
        As for the assignment.
    """
    partner = {m.before: m.after for m in pairing.matches if m.before is not None and m.after is not None}
    source = {j: i for i, j in partner.items()}
    settled = {m.before for m in pairing.matches if m.by_name}, {m.after for m in pairing.matches if m.by_name}
    found: list[Group] = []

    def judge(parts: tuple[int, int], whole: int, *, merged: bool) -> None:
        sides = (before, after) if merged else (after, before)
        links, back = (partner, source) if merged else (source, partner)
        if any(links.get(part, whole) != whole for part in parts) or back.get(whole, parts[0]) not in parts:
            return
        if any(part in settled[not merged] for part in parts) or whole in settled[merged]:
            return
        both = _united(sides[0][parts[0]], sides[0][parts[1]], likeness.lateral_mm)
        if both is None:
            return
        pair = ([both], [sides[1][whole]]) if merged else ([sides[1][whole]], [both])
        evidence = Evidence(features(pair[0]), features(pair[1]), likeness, settings).under(pairing.motion)[0, 0]
        kept = next((part for part in parts if links.get(part) == whole), None)
        alone = likeness.unpaired * (3 if kept is None else 1)
        cost = pairing.cost if merged else pairing.cost.T
        single = alone + (0.0 if kept is None else float(cost[kept, whole]))
        margin = single + float(evidence) - settings.event
        if margin > -POSSIBLE_WITHIN:
            sure = confidence(margin, None, settings)
            found.append(Group(parts, (whole,), margin, sure) if merged else Group((whole,), parts, margin, sure))

    for merged, parts_of, wholes in ((True, before, after), (False, after, before)):
        for parts in combinations(range(len(parts_of)), 2):
            for whole in range(len(wholes)):
                judge(parts, whole, merged=merged)
    return tuple(_apart(sorted(found, key=lambda g: (-g.margin, g.before, g.after))))


def doubted(pairing: Pairing, groups: Sequence[Group], settings: Settings) -> Pairing:
    """The decisions, those about the members of a possible group no surer than that they are not one."""
    possible = [group for group in groups if group.margin <= 0]

    def doubt(match: Match) -> Match:
        rivals = [-g.margin for g in possible if match.before in g.before or match.after in g.after]
        limits = (confidence(rival, None, settings) for rival in rivals)
        return replace(match, confidence=min((match.confidence, *limits)))

    return replace(pairing, matches=tuple(doubt(m) if not m.by_name else m for m in pairing.matches))


def _apart(groups: Sequence[Group]) -> Iterator[Group]:
    taken: tuple[set[int], set[int]] = (set(), set())
    for group in groups:
        if not (taken[0] & set(group.before) or taken[1] & set(group.after)):
            taken[0].update(group.before)
            taken[1].update(group.after)
            yield group


def _united(one: Lesion, two: Lesion, gap_mm: float) -> Lesion | None:
    """Two neighbours as one body; None where no plane shows both within ``gap_mm`` of one another."""
    other = {channel(s.plane): s for s in two.sights}
    sights = [(s, other[channel(s.plane)]) for s in one.sights if channel(s.plane) in other]
    united = [_one_body(a, b) for a, b in sights if _distance(a, b) <= a.radius_mm + b.radius_mm + gap_mm]
    return Lesion(sights=tuple(united)) if united else None


def _distance(a: Sight, b: Sight) -> float:
    return math.hypot(a.lateral_mm - b.lateral_mm, a.depth_mm - b.depth_mm)


def _one_body(a: Sight, b: Sight) -> Sight:
    """The cut of a body that reaches from the one's far end to the other's; means weighted by area."""
    weights = a.radius_mm**2, b.radius_mm**2
    share = weights[1] / sum(weights)

    def mean(p: float, q: float) -> float:
        return (1 - share) * p + share * q

    long_mm = _distance(a, b) + a.radius_mm + b.radius_mm
    return replace(
        a,
        lateral_mm=mean(a.lateral_mm, b.lateral_mm),
        depth_mm=mean(a.depth_mm, b.depth_mm),
        long_axis_mm=long_mm,
        short_axis_mm=min(long_mm, 2 * max(a.radius_mm, b.radius_mm)),
        contrast=None if a.contrast is None or b.contrast is None else mean(a.contrast, b.contrast),
        texture=None if a.texture is None or b.texture is None else mean(a.texture, b.texture),
    )
