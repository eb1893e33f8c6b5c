"""What became of each lesion from baseline to a later visit, and what rests on an automatic pairing.

'Disappeared' is what a reader states of a lesion that was looked for, or what a network's empty result says where the
protocol lets it (`disappearance`). A lesion that merely has no measurement at that visit is 'not found'.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from lesion_measure.config import Pairing
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    Assessment,
    Change,
    Doubt,
    Fate,
    LesionGroup,
    LesionMeasurement,
    LesionStatus,
    NamedBy,
    Naming,
    Response,
    Source,
    in_words,
)
from lesion_measure.verdict.doubts import COMPARED, Unmeasured, why_not_certain


def mark_pairings(
    changes: Sequence[Change],
    lesions: Sequence[LesionMeasurement],
    targets: Collection[str],
    visits: tuple[str, str] = (BASELINE, ONE_MONTH),
) -> tuple[Change, ...]:
    """The changes, each with the confidence of the least certain automatic pairing that it rests on.

    Parameters
    ----------
    changes, lesions
        The changes between ``visits``; the measurements behind them.
    targets
        Names of the lesions that the child's own changes rest on.
    visits
        The earlier and the later visit.
    """
    sure = pairing_confidences(lesions, visits)
    least = min((sure[name] for name in targets if name in sure), default=None)
    return tuple(replace(c, pairing_confidence=least if c.lesion is None else sure.get(c.lesion)) for c in changes)


def pairing_confidences(lesions: Sequence[LesionMeasurement], visits: Collection[str]) -> dict[str, float]:
    """Of each lesion whose name rests on automatic pairing at one of the visits: the least confidence."""
    sure: dict[str, float] = {}
    for m in lesions:
        if m.visit in visits and m.naming.confidence is not None:
            sure[m.lesion] = min(sure.get(m.lesion, 1.0), m.naming.confidence)
    return sure


def held_back(
    response: Response | None, assessments: tuple[Assessment, ...], confidences: Sequence[float], settings: Pairing
) -> tuple[Response | None, tuple[Assessment, ...]]:
    """The verdict and the assessments; not certain where they rest on a pairing that asks for review.

    ``confidences`` are those of the automatic pairings that they rest on.
    """
    known = list(confidences)
    if not known or min(known) >= settings.min_confidence:
        return response, assessments
    why = f"it rests on an automatic pairing of lesions with a confidence of {min(known):.2f}, which asks for review"
    return _not_certain(response, assessments, why)


def held_for_a_reader(
    response: Response | None, assessments: tuple[Assessment, ...], lesions: Sequence[LesionMeasurement]
) -> tuple[Response | None, tuple[Assessment, ...]]:
    """The verdict and the assessments; not certain where a lesion of theirs is gone by a network's empty result."""
    gone = sorted({m.lesion for m in lesions if not m.present and m.source is Source.MODEL})
    if not gone:
        return response, assessments
    return _not_certain(response, assessments, f"no reader has confirmed that {' and '.join(gone)} disappeared")


def held_for_doubts(
    response: Response | None,
    assessments: tuple[Assessment, ...],
    doubts: Sequence[Doubt],
    visits: Sequence[str] = COMPARED,
) -> tuple[Response | None, tuple[Assessment, ...]]:
    """The verdict and the assessments; not certain where a person wrote what could not be used or believed."""
    why = why_not_certain(doubts, visits)
    return _not_certain(response, assessments, why) if why else (response, assessments)


def _not_certain(
    response: Response | None, assessments: tuple[Assessment, ...], why: str
) -> tuple[Response | None, tuple[Assessment, ...]]:
    held = tuple(replace(a, certain=None if a.certain is None else False, why=f"{a.why}; {why}") for a in assessments)
    if response is not None:
        response = replace(
            response, certain=False, explanation=f"{response.explanation}; {why}", held=(*response.held, why)
        )
    return response, held


def statuses(
    lesions: Sequence[LesionMeasurement],
    visits: Container[str],
    groups: Sequence[LesionGroup],
    new: Container[str],
    settings: Pairing,
    *,
    not_gone: Mapping[str, str] = MappingProxyType({}),
    unmeasured: Unmeasured = MappingProxyType({}),
    visit: str = ONE_MONTH,
) -> tuple[LesionStatus, ...]:
    """What became of each lesion from baseline to ``visit``: those of baseline first, then the new ones.

    Parameters
    ----------
    lesions
        Measurements of all visits.
    visits
        Visits that the child has; without both of them nothing is known of any lesion's fate.
    groups
        Lesions that merged or split.
    new
        Lesions that a reader states to be new.
    settings
        Confidence below which a pairing asks for review.
    not_gone
        Why the lack of a measurement does not say that a lesion is gone, by its name.
    unmeasured
        Lesions that a reader drew and that have no size: not evaluable, neither new nor gone.
    visit
        The later visit.
    """
    if BASELINE not in visits or visit not in visits:
        return ()
    before, after = ({m.lesion: m for m in lesions if m.visit == v} for v in (BASELINE, visit))
    sizeless = _sizeless(unmeasured, visit)
    grouped = {name for group in groups for name in (*group.before, *group.after)}
    known = [*_of_groups(groups, visit)]
    for name, why in sizeless.items():
        if name not in grouped:
            known.append(_status(Fate.NOT_EVALUABLE, name, visit, why, Naming(by=NamedBy.READER)))
    told = grouped | sizeless.keys()
    for name, first in before.items():
        if first.present and name not in told:
            known.append(_followed(first, after.get(name), visit, not_gone.get(name, "")))
    for name, later in after.items():
        earlier = before.get(name)
        if later.present and name not in told and (earlier is None or not earlier.present):
            words = "stated by a reader" if name in new else "not measured at baseline: new, or missed before"
            known.append(_status(Fate.NEW, name, visit, words, later.naming))
    return tuple(_checked(status, settings) for status in known)


def _status(
    fate: Fate, name: str, visit: str, explanation: str, naming: Naming, *, others: tuple[str, ...] = ()
) -> LesionStatus:
    return LesionStatus(
        lesion=name, visit=visit, fate=fate, explanation=explanation, naming=naming, needs_check=False, others=others
    )


def _checked(status: LesionStatus, settings: Pairing) -> LesionStatus:
    """The status, needing a check where it rests on an unsure pairing, a change of number, or a network alone."""
    sure = status.naming.confidence
    unsure = sure is not None and sure < settings.min_confidence
    return replace(status, needs_check=status.needs_check or unsure or status.fate in (Fate.MERGED, Fate.SPLIT))


def _of_groups(groups: Sequence[LesionGroup], visit: str) -> Iterator[LesionStatus]:
    """What became of lesions that merged or split."""
    for group in groups:
        naming = Naming(by=NamedBy.PAIRED, confidence=group.confidence)
        for name in group.before:
            others = (*(other for other in group.before if other != name), *group.after)
            yield _status(group.fate, name, visit, _grouped(group), naming, others=others)


def _followed(first: LesionMeasurement, later: LesionMeasurement | None, visit: str, not_gone: str) -> LesionStatus:
    """What became of one lesion of baseline; ``not_gone``: why the lack of a measurement says nothing."""
    name = first.lesion
    if later is None:
        why = f"; {not_gone}" if not_gone else ""
        words = f"no measurement at {in_words(visit)}; that does not mean it is gone{why}"
        return _status(Fate.NOT_FOUND, name, visit, words, first.naming)
    together = _together(first.naming, later.naming)
    if later.present:
        return _status(Fate.SAME, name, visit, _same(first, later), together)
    if later.source is Source.MODEL:
        words = f"empty result of {later.reader} on adequate images, which no reader has confirmed"
        return replace(_status(Fate.DISAPPEARED, name, visit, words, first.naming), needs_check=True)
    return _status(Fate.DISAPPEARED, name, visit, f"stated absent by {later.reader}", together)


def _sizeless(unmeasured: Unmeasured, later: str) -> dict[str, str]:
    """Lesions of which a reader says something and that lack a size at one of the two visits at least, and why."""
    found: dict[str, str] = {}
    for visit in (BASELINE, later):
        for name, why in unmeasured.get(visit, {}).items():
            found.setdefault(name, f"no size at {in_words(visit)}: {why}")
    return found


def _together(one: Naming, other: Naming) -> Naming:
    """How two measurements come to be those of one lesion: the less certain way of the two."""
    by = max(one.by, other.by, key=list(NamedBy).index)
    known = [n.confidence for n in (one, other) if n.confidence is not None]
    return Naming(by=by, confidence=min(known, default=None))


def _same(first: LesionMeasurement, later: LesionMeasurement) -> str:
    by = _together(first.naming, later.naming).by
    return {
        NamedBy.READER: "named by the reader at both visits",
        NamedBy.MANIFEST: "named by the manifest",
        NamedBy.ONLY: "the child's only lesion: no image shows a second one",
        NamedBy.PAIRED: "paired automatically",
    }[by]


def _grouped(group: LesionGroup) -> str:
    verb = "merged into" if group.fate is Fate.MERGED else "split into"
    return f"{' and '.join(group.before)} {verb} {' and '.join(group.after)}"
