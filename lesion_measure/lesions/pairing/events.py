"""Lesions that became one, and one that became several: neither is ever compared with a single one of them.

After the assignment, every two or three neighbours of one visit are held against every lesion of the other as if they
were one body, with the common motion that was found. Where that explains more than the assignment does, by more than
the price of such an event (`pairing.event`), they are a group. Larger groups are not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from lesion_measure.config import Likeness
from lesion_measure.config import Pairing as Settings
from lesion_measure.lesions.pairing.assign import LesionPairing, Match, confidence
from lesion_measure.lesions.pairing.evidence import Evidence
from lesion_measure.lesions.pairing.lesion import LesionSight, PairedLesion, channel, features

MOST_PARTS = 3
POSSIBLE_WITHIN = 5.0
"""A group that explains so many nats less than single lesions do is not considered."""


@dataclass(frozen=True, slots=True)
class Group:
    """Lesions ``before`` and ``after`` that belong together: several and one (merged), or one and several (split).

    ``margin``: by how many nats this explains more than the assignment of single lesions; where it is negative, the
    group is no more than possible.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    margin: float
    confidence: float


def find_groups(
    before: Sequence[PairedLesion],
    after: Sequence[PairedLesion],
    pairing: LesionPairing,
    likeness: Likeness,
    settings: Settings,
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

    def judge(parts: tuple[int, ...], whole: int, *, merged: bool) -> None:
        sides = (before, after) if merged else (after, before)
        links, back = (partner, source) if merged else (source, partner)
        if any(links.get(part, whole) != whole for part in parts) or back.get(whole, parts[0]) not in parts:
            return
        if any(part in settled[not merged] for part in parts) or whole in settled[merged]:
            return
        both = _united([sides[0][part] for part in parts], likeness.lateral_mm)
        if both is None:
            return
        pair = ([both], [sides[1][whole]]) if merged else ([sides[1][whole]], [both])
        evidence = Evidence(features(pair[0]), features(pair[1]), likeness, settings).under(pairing.motion)[0, 0]
        kept = next((part for part in parts if links.get(part) == whole), None)
        alone = likeness.unpaired * (len(parts) + (1 if kept is None else -1))
        cost = pairing.cost if merged else pairing.cost.T
        single = alone + (0.0 if kept is None else float(cost[kept, whole]))
        margin = single + float(evidence) - settings.event
        if margin > -POSSIBLE_WITHIN:
            sure = confidence(margin, None, settings)
            found.append(Group(parts, (whole,), margin, sure) if merged else Group((whole,), parts, margin, sure))

    for merged, parts_of, wholes in ((True, before, after), (False, after, before)):
        for count in range(2, MOST_PARTS + 1):
            for parts in combinations(range(len(parts_of)), count):
                for whole in range(len(wholes)):
                    judge(parts, whole, merged=merged)
    return tuple(_apart(sorted(found, key=lambda g: (-g.margin, g.before, g.after))))


def doubted(pairing: LesionPairing, groups: Sequence[Group], settings: Settings) -> LesionPairing:
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


def _united(lesions: Sequence[PairedLesion], gap_mm: float) -> PairedLesion | None:
    """Neighbours as one body; None where no plane shows all of them, each within ``gap_mm`` of another one."""
    by_plane = [{channel(s.plane): s for s in lesion.sights} for lesion in lesions]
    shared = set.intersection(*(set(sights) for sights in by_plane))
    cuts = [[sights[kind] for sights in by_plane] for kind in sorted(shared)]
    united = [_one_body(cut) for cut in cuts if _touch(cut, gap_mm)]
    return PairedLesion(sights=tuple(united)) if united else None


def _touch(cut: Sequence[LesionSight], gap_mm: float) -> bool:
    """Whether one can walk from each to each over gaps of at most ``gap_mm``."""
    reached, left = [cut[0]], list(cut[1:])
    while left:
        near = [a for a in left if any(_distance(a, b) <= a.radius_mm + b.radius_mm + gap_mm for b in reached)]
        if not near:
            return False
        reached += near
        left = [a for a in left if a not in near]
    return True


def _distance(a: LesionSight, b: LesionSight) -> float:
    return math.hypot(a.lateral_mm - b.lateral_mm, a.depth_mm - b.depth_mm)


def _one_body(cut: Sequence[LesionSight]) -> LesionSight:
    """The cut of a body that reaches from the farthest ends to one another; means weighted by area."""
    weights = np.array([s.radius_mm**2 for s in cut])
    places = np.array([(s.lateral_mm, s.depth_mm) for s in cut])
    radii = np.array([s.radius_mm for s in cut])

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.average(known, weights=weights)) if len(known) == len(values) else None

    one, two = max(
        combinations(range(len(cut)), 2), key=lambda ends: _distance(cut[ends[0]], cut[ends[1]]) + radii[[*ends]].sum()
    )
    way = places[two] - places[one]
    length = float(np.hypot(*way))
    across = places @ (np.array([-way[1], way[0]]) / length if length else np.array([0.0, 1.0]))
    long_mm = length + float(radii[one] + radii[two])
    lateral, depth = np.average(places, axis=0, weights=weights)
    return replace(
        cut[0],
        lateral_mm=float(lateral),
        depth_mm=float(depth),
        long_axis_mm=long_mm,
        short_axis_mm=min(long_mm, float((across + radii).max() - (across - radii).min())),
        relative_echo=mean([s.relative_echo for s in cut]),
        texture=mean([s.texture for s in cut]),
    )
