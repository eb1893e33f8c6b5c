"""Outlines that nobody named -> lesions with names, over the pictures and visits of a child.

`pairing` says what belongs together and how sure that is; here planes become its numbers, and its answers names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lesion_measure.config import Pairing as Settings
from lesion_measure.lesions.links import as_told, carry, lend, lend_back, linked, see
from lesion_measure.lesions.of_visit import FoundLesion, Seen, lesions_of, only_lesion
from lesion_measure.lesions.pairing import pair
from lesion_measure.lesions.pairing_doubts import two_names, unclear, unnamed_outline, unsure_name
from lesion_measure.records import BASELINE, TRIAL, LesionGroup, NamedBy, Naming, PlaneMeasurement, Refusal


@dataclass(frozen=True, slots=True)
class Found:
    """The unnamed planes with their names, by visit; merged and split lesions; what asks for review."""

    planes: dict[str, list[PlaneMeasurement]]
    groups: tuple[LesionGroup, ...]
    refusals: tuple[Refusal, ...]


def follow(
    subject: str,
    visits: Mapping[str, Seen],
    taken: Iterable[str],
    settings: Settings,
    order: Sequence[str] = TRIAL.names,
) -> Found:
    """Names for every unnamed plane that can be told to be of a lesion.

    Parameters
    ----------
    subject
        Subject code.
    visits
        Planes of each visit.
    taken
        Names that a person gave, which no other lesion gets.
    settings
        How lesions are paired.
    order
        The child's visits by time. Names go from baseline forward, each lesion from where it was seen last, and back.
    """
    refusals: list[Refusal] = []
    lesions: dict[str, list[FoundLesion]] = {}
    for visit, seen in visits.items():
        lesions[visit], aside = lesions_of(seen, settings)
        refusals += [unnamed_outline(plane, subject, visit) for plane in aside]
    given = {*taken}
    start = order.index(BASELINE) if BASELINE in order else 0
    known = [v for v in (*order[start:], *reversed(order[:start])) if lesions.get(v)]
    groups: list[LesionGroup] = []
    names = fresh_names(given)
    if known:
        first, *others = known
        earlier = {v for v in others if order.index(v) < order.index(first)}
        direct = [v for v in others if v in earlier or v == others[0]]
        links = {v: linked(lesions[first], lesions[v], earlier=v in earlier, settings=settings) for v in direct}
        for visit, link in links.items():
            lend(lesions[first], lesions[visit], link)
        _give(lesions[first], names)
        latest = {lesion.name: lesion for lesion in lesions[first]}
        before = list(lesions[first])
        for visit in others:
            now = lesions[visit]
            pool = lesions[first] if visit in links else list(latest.values())
            link = links.get(visit) or linked(as_told(pool, given), now, earlier=False, settings=settings)
            if visit not in links:
                fixed = {name for group in groups for name in (*group.before, *group.after)}
                both = lend_back(before, latest, pool, now, link, fixed)
                refusals += [two_names(subject, visit, _names(pool[i], now[j]), sure) for i, j, sure in both]
            groups += carry(pool, now, link, visit, earlier=visit in earlier)
            _give(now, names)
            refusals += [unclear(subject, visit, _names(pool[i], now[j]), sure) for i, j, sure in link.unclear]
            if visit not in earlier:
                see(latest, now, pool, link)
                before += now
    for visit in known:
        unsure = (each for each in lesions[visit] if each.unnamed and each.confidence < settings.min_confidence)
        refusals += [unsure_name(subject, visit, each.unnamed[0], each.name, each.confidence) for each in unsure]
    return Found({v: list(_named(lesions[v])) for v in lesions}, tuple(groups), tuple(refusals))


def sureness(before: Sequence[PlaneMeasurement], after: Sequence[PlaneMeasurement], settings: Settings) -> float:
    """How sure it is that the child's only lesion of one visit is that of a later one.

    Parameters
    ----------
    before, after
        Its planes at either visit.
    settings
        How lesions are paired.
    """
    match, *_ = pair([only_lesion(before)], [only_lesion(after)], settings.visits, settings).matches
    return match.confidence if match.after is not None else 1 - match.confidence


def fresh_names(taken: Iterable[str]) -> Iterator[str]:
    used = set(taken)
    number = 0
    while True:
        number += 1
        if (name := f"L{number}") not in used:
            yield name


def _give(lesions: Sequence[FoundLesion], names: Iterator[str]) -> None:
    """New names, the largest lesion first."""
    for lesion in sorted((each for each in lesions if not each.name), key=lambda each: -each.size_mm):
        lesion.name = next(names)


def _named(lesions: Iterable[FoundLesion]) -> Iterator[PlaneMeasurement]:
    for lesion in lesions:
        naming = Naming(by=NamedBy.PAIRED, confidence=lesion.confidence)
        yield from (replace(plane, lesion=lesion.name, naming=naming) for plane in lesion.unnamed)


def _names(before: FoundLesion, now: FoundLesion) -> tuple[str, str]:
    return before.name, now.name
