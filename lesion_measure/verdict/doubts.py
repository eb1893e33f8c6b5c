"""What a person wrote and the program could not use, and what that leaves open in a child's verdict.

A line that a reader drew and that gave no size says that the lesion was there. Its size is then unknown, for a reason
that is known: it is neither new nor gone, and no sum leaves it out. The same holds where a reader states that an image
does not tell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lesion_measure.records import BASELINE, ONE_MONTH, TRIAL, Doubt, LesionMeasurement, is_liver

Unmeasured = Mapping[str, Mapping[str, str]]
"""Lesions that a reader drew and that have no size, by visit; with the reason."""

MOST_TOLD = 3
COMPARED = (BASELINE, ONE_MONTH)


def of_lesions(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Those that may change a verdict: the liver is in no rule."""
    return tuple(dict.fromkeys(d for d in doubts if not is_liver(d.refusal.lesion or "")))


def unmeasured(
    doubts: Iterable[Doubt], lesions: Sequence[LesionMeasurement], visits: Sequence[str] = TRIAL.names
) -> dict[str, dict[str, str]]:
    """The lesions that a reader drew at a visit where they have no measurement, and why they have none.

    Where the visit is not known, it may be each of the compared ones at which the lesion has none: baseline and later.
    ``visits`` are in order of time.
    """
    measured = {(m.visit, m.lesion) for m in lesions}
    names = {m.lesion for m in lesions}
    found: dict[str, dict[str, str]] = {visit: {} for visit in visits}
    compared = visits[visits.index(BASELINE) :] if BASELINE in visits else ()
    for doubt in doubts:
        lesion, visit = doubt.refusal.lesion, doubt.refusal.visit
        if not (doubt.seen and lesion) or (doubt.perhaps and lesion not in names):
            continue
        for when in (visit,) if visit else compared:
            if when in found and (when, lesion) not in measured:
                found[when].setdefault(lesion, doubt.refusal.reason)
    return found


def lost_statements(
    doubts: Iterable[Doubt], lesions: Sequence[LesionMeasurement], visit: str = ONE_MONTH
) -> dict[str, str]:
    """Lesions without a measurement at a visit of which a reader said something there that was lost, and why."""
    measured = {m.lesion for m in lesions if m.visit == visit}
    return {
        d.refusal.lesion: f"what a reader wrote of it could not be used: {told(d)}"
        for d in doubts
        if d.refusal.lesion
        and (d.refusal.visit == visit or (d.seen and d.refusal.visit is None))
        and d.refusal.lesion not in measured
    }


def told(doubt: Doubt) -> str:
    """The reason as the end of a sentence."""
    return doubt.refusal.reason.removesuffix(".")


def why_not_certain(doubts: Iterable[Doubt], visits: Sequence[str] = COMPARED) -> str:
    """What of a person's statements is not settled and may change what is said of these visits; empty: nothing."""
    open_ = [d for d in doubts if d.refusal.visit is None or d.refusal.visit in visits]
    reasons = list(dict.fromkeys(map(told, open_)))
    if not reasons:
        return ""
    more = f", and {len(reasons) - MOST_TOLD} more" if len(reasons) > MOST_TOLD else ""
    return f"it may hang on what could not be used or believed: {'; '.join(reasons[:MOST_TOLD])}{more}"
