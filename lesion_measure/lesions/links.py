"""What pairing says of the lesions of two visits, and the names that travel along it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

from lesion_measure.config import Pairing as Settings
from lesion_measure.lesions.of_visit import FoundLesion
from lesion_measure.lesions.pairing import Group, doubted, find_groups, pair
from lesion_measure.records import BASELINE, Fate, LesionGroup


@dataclass(slots=True)
class Link:
    """What pairing says of the lesions (indices) of the first and another visit; ``unclear``: too unsure to be made."""

    pairs: list[tuple[int, int, float]] = field(default_factory=list)
    unclear: list[tuple[int, int, float]] = field(default_factory=list)
    alone: dict[int, float] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()


def linked(first: Sequence[FoundLesion], other: Sequence[FoundLesion], *, earlier: bool, settings: Settings) -> Link:
    """Pairing of two visits; ``earlier``: the other visit came before the first."""
    before, after = ([each.paired for each in side] for side in ((other, first) if earlier else (first, other)))
    decided = pair(before, after, settings.visits, settings)
    groups = find_groups(before, after, decided, settings.visits, settings)
    decided = doubted(decided, groups, settings)
    certain = [group for group in groups if group.margin > 0]
    if earlier:  # `before` are the lesions of the first visit, as everywhere in a link
        certain = [replace(group, before=group.after, after=group.before) for group in certain]
    link = Link(groups=tuple(certain))
    grouped = {i for g in link.groups for i in g.before}, {j for g in link.groups for j in g.after}
    for match in decided.matches:
        i, j = (match.after, match.before) if earlier else (match.before, match.after)
        if i in grouped[0] or j in grouped[1]:
            continue
        if i is not None and j is not None:
            sure = match.confidence >= settings.least_confidence
            (link.pairs if sure else link.unclear).append((i, j, match.confidence))
        elif j is not None:
            link.alone[j] = match.confidence
    return link


def lend(first: Sequence[FoundLesion], other: Sequence[FoundLesion], link: Link) -> None:
    """A lesion of the first visit that nobody named takes the name that a person gave it at another."""
    for i, j, confidence in link.pairs:
        if other[j].name and not first[i].name:
            first[i].name = other[j].name
            first[i].confidence = min(first[i].confidence, confidence)


def as_told(pool: Sequence[FoundLesion], given: Collection[str]) -> list[FoundLesion]:
    """Lesions as they were seen last, by the names that persons gave them at any visit: such a name wins."""
    told = ((lesion, lesion.name if lesion.name in given else "") for lesion in pool)
    return [replace(lesion, paired=replace(lesion.paired, name=name)) for lesion, name in told]


def lend_back(
    before: Sequence[FoundLesion],
    latest: dict[str, FoundLesion],
    pool: Sequence[FoundLesion],
    other: Sequence[FoundLesion],
    link: Link,
    fixed: Collection[str],
) -> list[tuple[int, int, float]]:
    """A lesion that nobody named until now takes the name that a person gives it, at every visit before.

    Parameters
    ----------
    before
        The lesions of all visits until now; their names change.
    latest, pool, link
        Each lesion as it was seen last, by name and in order, and its pairing with the visit.
    other
        The lesions of the visit.
    fixed
        Names of lesions that merged or split, which stay as their records have them.

    Returns
    -------
    list of tuple of int, int and float
        The pairs whose two names both stay, since one is fixed or the other was given before, with their confidence.
    """
    both = []
    for i, j, confidence in link.pairs:
        old, new = pool[i].name, other[j].name
        if new in ("", old):
            continue
        if old in fixed or any(lesion.name == new for lesion in before):
            both.append((i, j, confidence))
            continue
        for lesion in before:
            if lesion.name == old:
                lesion.name, lesion.confidence = new, min(lesion.confidence, confidence)
        latest[new] = latest.pop(old)
    return both


def see(
    latest: dict[str, FoundLesion], lesions: Sequence[FoundLesion], pool: Sequence[FoundLesion], link: Link
) -> None:
    """Every lesion as it was seen last, by name; those that merged or split are followed as what they became."""
    for group in link.groups:
        for i in group.before:
            latest.pop(pool[i].name, None)
    latest.update({lesion.name: lesion for lesion in lesions})


def carry(
    first: Sequence[FoundLesion], other: Sequence[FoundLesion], link: Link, visit: str, *, earlier: bool
) -> Iterator[LesionGroup]:
    """Give names to another visit from what is known before it; the names and records of what merged or split.

    Parameters
    ----------
    first, other, link
        The lesions that are known, those of the visit, and their pairing.
    visit, earlier
        The visit, and whether it came before baseline.
    """
    for i, j, confidence in link.pairs:
        if not other[j].name:
            other[j].name = first[i].name
            other[j].confidence = min(other[j].confidence, first[i].confidence, confidence)
    for j, confidence in link.alone.items():
        other[j].confidence = min(other[j].confidence, confidence)
    for group in link.groups:
        before = tuple(first[i].name for i in group.before)
        one_after = len(group.after) == 1
        letters = ascii_lowercase[: len(group.after)]
        made = ("+".join(before),) if one_after else tuple(f"{before[0]}{letter}" for letter in letters)
        for j, name in zip(group.after, made, strict=True):
            other[j].name = other[j].name or name
            other[j].confidence = min(other[j].confidence, group.confidence)
        after = tuple(other[j].name for j in group.after)
        yield LesionGroup(
            fate=Fate.MERGED if one_after != earlier else Fate.SPLIT,
            visit=BASELINE if earlier else visit,
            before=after if earlier else before,
            after=before if earlier else after,
            confidence=group.confidence,
        )
