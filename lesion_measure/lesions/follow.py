"""Outlines that nobody named -> lesions with names, over the pictures and visits of a child.

`pairing` says what belongs together and how sure that is; here planes become its numbers, and its answers names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

from lesion_measure.config import Pairing as Settings
from lesion_measure.lesions.pairing import (
    Group,
    ImageSights,
    LesionSight,
    Outline,
    PairedLesion,
    VisitLesion,
    channel,
    doubted,
    find_groups,
    lesions_of_visit,
    pair,
)
from lesion_measure.measure.appearance import middle
from lesion_measure.records import (
    BASELINE,
    TRIAL,
    Fate,
    LesionGroup,
    NamedBy,
    Naming,
    Plane,
    PlaneMeasurement,
    Refusal,
    Source,
)

NAME_IT = "Name it: a caliper across it, or a row for its image in the manifest where the image shows one lesion."
CHECK = "Compare the pictures of both (report, 'Please check'); a caliper across it, with its name, settles it."


@dataclass(frozen=True, slots=True)
class Seen:
    """The planes of one visit that have names, and those that have none."""

    named: tuple[PlaneMeasurement, ...]
    unnamed: tuple[PlaneMeasurement, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The unnamed planes with their names, by visit; merged and split lesions; what asks for review."""

    planes: dict[str, list[PlaneMeasurement]]
    groups: tuple[LesionGroup, ...]
    refusals: tuple[Refusal, ...]


@dataclass(slots=True)
class _Body:
    """One lesion of one visit while names are looked for. ``confidence``: that its outlines and its name are right."""

    lesion: PairedLesion
    unnamed: tuple[PlaneMeasurement, ...]
    size_mm: float
    name: str
    confidence: float


@dataclass(slots=True)
class _Link:
    """What pairing says of the lesions (indices) of the first and another visit; ``unclear``: too unsure to be made."""

    pairs: list[tuple[int, int, float]] = field(default_factory=list)
    unclear: list[tuple[int, int, float]] = field(default_factory=list)
    alone: dict[int, float] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()


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
        The child's visits in order of time: names go from baseline forward, each lesion from where it was seen
        last, and from baseline back.
    """
    refusals: list[Refusal] = []
    bodies: dict[str, list[_Body]] = {}
    for visit, seen in visits.items():
        bodies[visit], aside = _bodies(seen, settings)
        refusals += [unnamed_outline(plane, subject, visit) for plane in aside]
    given = {*taken}
    start = order.index(BASELINE) if BASELINE in order else 0
    known = [v for v in (*order[start:], *reversed(order[:start])) if bodies.get(v)]
    groups: list[LesionGroup] = []
    names = fresh_names(given)
    if known:
        first, *others = known
        earlier = {v for v in others if order.index(v) < order.index(first)}
        direct = [v for v in others if v in earlier or v == others[0]]
        links = {v: _linked(bodies[first], bodies[v], earlier=v in earlier, settings=settings) for v in direct}
        for visit, link in links.items():
            _lend(bodies[first], bodies[visit], link)
        _give(bodies[first], names)
        latest = {body.name: body for body in bodies[first]}
        before = list(bodies[first])
        for visit in others:
            pool = bodies[first] if visit in links else list(latest.values())
            link = links.get(visit) or _linked(_as_told(pool, given), bodies[visit], earlier=False, settings=settings)
            if visit not in links:
                fixed = {name for group in groups for name in (*group.before, *group.after)}
                both = _lend_back(before, latest, pool, bodies[visit], link, fixed)
                refusals += [_two_names(subject, visit, pool[i], bodies[visit][j], sure) for i, j, sure in both]
            groups += _carry(pool, bodies[visit], link, visit, earlier=visit in earlier)
            _give(bodies[visit], names)
            refusals += [_unclear(subject, visit, pool[i], bodies[visit][j], sure) for i, j, sure in link.unclear]
            if visit not in earlier:
                _see(latest, bodies[visit], pool, link)
                before += bodies[visit]
    for visit in known:
        asks = (b for b in bodies[visit] if b.unnamed and b.confidence < settings.min_confidence)
        refusals += [unsure_name(subject, visit, b.unnamed[0], b.name, b.confidence) for b in asks]
    return Found({v: list(_named(bodies[v])) for v in bodies}, tuple(groups), tuple(refusals))


def sureness(before: Sequence[PlaneMeasurement], after: Sequence[PlaneMeasurement], settings: Settings) -> float:
    """How sure it is that the child's only lesion of one visit is that of a later one.

    Parameters
    ----------
    before, after
        Its planes at either visit.
    settings
        How lesions are paired.
    """
    match, *_ = pair([_single(before)], [_single(after)], settings.visits, settings).matches
    return match.confidence if match.after is not None else 1 - match.confidence


def _single(planes: Sequence[PlaneMeasurement]) -> PairedLesion:
    """Planes of one lesion, the largest cut of each kind."""
    largest = {channel(p.plane): p for p in sorted(planes, key=lambda p: p.long_axis_mm.value)}
    return PairedLesion(sights=tuple(_sight(plane) for plane in largest.values()))


def _linked(first: Sequence[_Body], other: Sequence[_Body], *, earlier: bool, settings: Settings) -> _Link:
    """Pairing of two visits; ``earlier``: the other visit came before the first."""
    before, after = ([b.lesion for b in side] for side in ((other, first) if earlier else (first, other)))
    decided = pair(before, after, settings.visits, settings)
    groups = find_groups(before, after, decided, settings.visits, settings)
    decided = doubted(decided, groups, settings)
    certain = [group for group in groups if group.margin > 0]
    if earlier:  # `before` are the lesions of the first visit, as everywhere in a link
        certain = [replace(group, before=group.after, after=group.before) for group in certain]
    link = _Link(groups=tuple(certain))
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


def _lend(first: Sequence[_Body], other: Sequence[_Body], link: _Link) -> None:
    """A lesion of the first visit that nobody named takes the name that a person gave it at another."""
    for i, j, confidence in link.pairs:
        if other[j].name and not first[i].name:
            first[i].name = other[j].name
            first[i].confidence = min(first[i].confidence, confidence)


def _as_told(pool: Sequence[_Body], given: Collection[str]) -> list[_Body]:
    """Lesions as they were seen last, by the names that persons gave them at any visit: such a name wins."""
    told = ((body, body.name if body.name in given else "") for body in pool)
    return [replace(body, lesion=replace(body.lesion, name=name)) for body, name in told]


def _lend_back(
    before: Sequence[_Body],
    latest: dict[str, _Body],
    pool: Sequence[_Body],
    other: Sequence[_Body],
    link: _Link,
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
        if old in fixed or any(body.name == new for body in before):
            both.append((i, j, confidence))
            continue
        for body in before:
            if body.name == old:
                body.name, body.confidence = new, min(body.confidence, confidence)
        latest[new] = latest.pop(old)
    return both


def _see(latest: dict[str, _Body], bodies: Sequence[_Body], pool: Sequence[_Body], link: _Link) -> None:
    """Every lesion as it was seen last, by name; those that merged or split are followed as what they became."""
    for group in link.groups:
        for i in group.before:
            latest.pop(pool[i].name, None)
    latest.update({body.name: body for body in bodies})


def _carry(
    first: Sequence[_Body], other: Sequence[_Body], link: _Link, visit: str, *, earlier: bool
) -> Iterator[LesionGroup]:
    """Names to another visit from what is known before it; the names and records of lesions that merged or split."""
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


def fresh_names(taken: Iterable[str]) -> Iterator[str]:
    used = set(taken)
    number = 0
    while True:
        number += 1
        if (name := f"L{number}") not in used:
            yield name


def _give(bodies: Sequence[_Body], names: Iterator[str]) -> None:
    """New names, the largest lesion first."""
    for body in sorted((b for b in bodies if not b.name), key=lambda b: -b.size_mm):
        body.name = next(names)


def _bodies(seen: Seen, settings: Settings) -> tuple[list[_Body], list[PlaneMeasurement]]:
    """The lesions of a visit, and the unnamed planes that cannot be told to belong to one."""
    planes = [*seen.named, *_sorted_by_neighbours(seen)]
    lesions, aside = lesions_of_visit(_pictures(planes), settings)
    named = len(seen.named)
    return (
        [_body(lesion, [planes[k] for k in lesion.keys], [planes[k] for k in lesion.keys if k >= named])
         for lesion in lesions],
        [planes[k] for k in aside if k >= named],
    )  # fmt: skip


def _body(lesion: VisitLesion, planes: Sequence[PlaneMeasurement], unnamed: Sequence[PlaneMeasurement]) -> _Body:
    return _Body(
        lesion=lesion.lesion,
        unnamed=tuple(unnamed),
        size_mm=max(plane.long_axis_mm.value for plane in planes),
        name=lesion.lesion.name,
        confidence=lesion.confidence,
    )


def _sorted_by_neighbours(seen: Seen) -> list[PlaneMeasurement]:
    """The unnamed planes; where a reader states the plane of a picture, that is the plane of all that it shows."""
    stated: dict[tuple[str, int], set[Plane]] = defaultdict(set)
    for plane in seen.named:
        stated[plane.sop_instance_uid, plane.frame].add(plane.plane)
    result = []
    for plane in seen.unnamed:
        words = stated.get((plane.sop_instance_uid, plane.frame), set()) - {Plane.UNKNOWN}
        result.append(replace(plane, plane=words.pop()) if len(words) == 1 else plane)
    return result


def _pictures(planes: Sequence[PlaneMeasurement]) -> list[ImageSights]:
    """Planes by the picture whose coordinates they share: both halves of a dual image are two pictures.

    The lesions of a cine, followed from frame to frame, share one; where a reader drew on several frames, each frame
    is a picture, since a lesion may be on more than one.
    """
    drawn = {plane.sop_instance_uid for plane in planes if plane.source is Source.CALIPER}
    groups: dict[tuple[str, int, int, Plane], list[Outline]] = defaultdict(list)
    for key, plane in sorted(enumerate(planes), key=lambda item: item[1].source is Source.CALIPER):
        frame = plane.frame if plane.sop_instance_uid in drawn else 0
        part = plane.appearance.picture if plane.appearance else 0
        outlines = groups[plane.sop_instance_uid, frame, part, plane.plane]
        # caliper and outline of one lesion on one frame are one sight of it, the outline's
        if not plane.lesion or plane.lesion not in [o.name for o in outlines]:
            outlines.append(Outline(key=key, sight=_sight(plane), name=plane.lesion))
    return [ImageSights(tuple(outlines)) for outlines in groups.values()]


def _sight(plane: PlaneMeasurement) -> LesionSight:
    row, column = middle(plane)
    look = plane.appearance
    return LesionSight(
        plane=plane.plane,
        lateral_mm=look.lateral_mm if look else column * plane.spacing_mm[1],
        depth_mm=look.depth_mm if look else row * plane.spacing_mm[0],
        long_axis_mm=plane.long_axis_mm.value,
        short_axis_mm=plane.short_axis_mm.value if plane.short_axis_mm else None,
        relative_echo=look.contrast if look else None,
        texture=look.texture if look else None,
    )


def _named(bodies: Iterable[_Body]) -> Iterator[PlaneMeasurement]:
    for body in bodies:
        naming = Naming(by=NamedBy.PAIRED, confidence=body.confidence)
        yield from (replace(plane, lesion=body.name, naming=naming) for plane in body.unnamed)


def unsure_name(subject: str, visit: str, plane: PlaneMeasurement, name: str, confidence: float) -> Refusal:
    """What asks for review of a lesion whose name is not sure enough.

    Parameters
    ----------
    subject, visit
        Whose lesion it is, and when.
    plane
        The image that shows it.
    name
        The name that it got.
    confidence
        How sure that name is, 0 to 1.
    """
    return Refusal(
        code="pairing_unsure",
        reason=f"That this lesion is {name} was told automatically, with a confidence of {confidence:.2f}. "
        "No verdict that rests on it is certain.",
        remedy=CHECK,
        path=plane.path,
        sop_instance_uid=plane.sop_instance_uid,
        subject=subject,
        visit=visit,
        lesion=name,
    )


def _unclear(subject: str, visit: str, one: _Body, other: _Body, confidence: float) -> Refusal:
    return Refusal(
        code="pairing_unclear",
        reason=f"{other.name} could be {one.name}: the pairing has a confidence of {confidence:.2f}, too little to "
        "compare the two.",
        remedy=CHECK,
        subject=subject,
        visit=visit,
        lesion=other.name,
    )


def _two_names(subject: str, visit: str, one: _Body, other: _Body, confidence: float) -> Refusal:
    return Refusal(
        code="pairing_unclear",
        reason=f"{other.name} looks like {one.name} of an earlier visit (confidence {confidence:.2f}). Both names are "
        "in use already, so that the two are not compared.",
        remedy=CHECK,
        subject=subject,
        visit=visit,
        lesion=other.name,
    )


def unnamed_outline(plane: PlaneMeasurement, subject: str, visit: str) -> Refusal:
    """The refusal of an outline that nothing names."""
    row, column = middle(plane)
    return Refusal(
        code="lesion_not_named",
        reason=f"The model outlines a lesion of {plane.long_axis_mm.value:.1f} mm around column {column:.0f}, row "
        f"{row:.0f} of frame {plane.frame}, and nothing says which lesion it is.",
        remedy=NAME_IT,
        path=plane.path,
        sop_instance_uid=plane.sop_instance_uid,
        subject=subject,
        visit=visit,
    )
