"""Which visits of a child are shown, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lesion_measure.records import BASELINE, Schedule, SubjectResult


def visits_of(subject: SubjectResult, planned: Sequence[str] = ()) -> tuple[str, ...]:
    """The visits that are shown of a subject: those that it had, and baseline and the primary one always.

    They are in order of time; ``planned`` are the visits of the schedule, which say where a missing one belongs.
    """
    shown = list(subject.visits) or list(dict.fromkeys(m.visit for m in subject.lesions))
    for visit in (BASELINE, subject.primary_visit):
        if visit is not None and visit not in shown:
            after = planned[planned.index(visit) + 1 :] if visit in planned else ()
            shown.insert(next((place for place, name in enumerate(shown) if name in after), len(shown)), visit)
    return tuple(shown)


def labels_of(subject: SubjectResult, visits: Iterable[str], schedule: Schedule) -> dict[str, str]:
    """These visits in words: as the subject's own scans are called, else as the schedule calls them."""
    return {v: subject.visits[v].label if v in subject.visits else schedule.label(v) for v in visits}
