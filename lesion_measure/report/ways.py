"""Which way each lesion was measured: one of `Way`, or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lesion_measure.records import BASELINE, LesionMeasurement, RunResult, Source, SubjectResult, Way
from lesion_measure.report.words import measured_by

REFUSED = "refused"
NOT_MEASURED = "not measured"
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WayCell:
    """One lesion at one visit: the way in a word, and who or what or why in a few more."""

    visit: str
    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayRow:
    """One lesion at every visit."""

    lesion: str
    cells: tuple[WayCell, ...]


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


def way_rows(subject: SubjectResult, planned: Sequence[str] = ()) -> tuple[WayRow, ...]:
    """Every lesion of a subject that was measured or refused by name."""
    visits = visits_of(subject, planned)
    measured = {(m.lesion, m.visit): m for m in subject.lesions}
    names = dict.fromkeys([m.lesion for m in subject.lesions] + [r.lesion for r in subject.review if r.lesion])
    return tuple(
        WayRow(
            lesion=name,
            cells=tuple(_cell(subject, name, visit, measured.get((name, visit))) for visit in visits),
        )
        for name in names
    )


def _cell(subject: SubjectResult, name: str, visit: str, measured: LesionMeasurement | None) -> WayCell:
    if measured is not None:
        return WayCell(visit=visit, word=measured.way.value, detail=by_whom(measured))
    codes = dict.fromkeys(r.code for r in subject.review if r.visit == visit and r.lesion in (name, None))
    if not codes:
        return WayCell(visit=visit, word=NOT_MEASURED)
    return WayCell(visit=visit, word=REFUSED, detail=", ".join(code.replace("_", " ") for code in codes))


def by_whom(measured: LesionMeasurement) -> str:
    """Who or what measured a lesion at a visit, e.g. 'calipers of R1, outlined by model net (1 of 2 planes)'."""
    words = measured_by(measured.source, measured.reader, outlined=measured.way is Way.OUTLINE)
    outlined = [plane.prompted.model for plane in measured.planes if plane.prompted is not None]
    if not outlined:
        return words
    some = "" if len(outlined) == len(measured.planes) else f" ({len(outlined)} of {len(measured.planes)} planes)"
    return f"{words}, outlined by model {outlined[0]}{some}"


def ways_in_short(subject: SubjectResult) -> str:
    """The ways and names behind a subject's numbers, e.g. 'prompted by calipers, calipers alone (R1, net)'."""
    ways = dict.fromkeys(m.way.value for m in subject.lesions)
    models = (plane.prompted.model for m in subject.lesions for plane in m.planes if plane.prompted is not None)
    names = dict.fromkeys([*(m.reader for m in subject.lesions), *models])
    return f"{', '.join(ways)} ({', '.join(names)})" if ways else ""


def way_counts(subjects: Sequence[SubjectResult]) -> dict[str, int]:
    """How many lesions of these subjects, each counted at each visit, were measured which way or refused."""
    words = Counter(cell.word for subject in subjects for row in way_rows(subject) for cell in row.cells)
    return {word: words[word] for word in (*(way.value for way in Way), REFUSED) if words[word]}


def readers_named(result: RunResult) -> str:
    """The readers whose calipers or statements the results rest on or show, in words; empty where there are none."""
    lesions = [m for subject in result.subjects for m in subject.lesions]
    by_reader = (Source.CALIPER, Source.READER_STATEMENT)
    names = [m.reader for m in lesions if m.source in by_reader]
    names += [other.reader for m in lesions for other in m.alternatives if other.source in by_reader]
    return _listed(sorted(set(names)))


def _listed(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMED:
        return f"{len(names)} readers"
    return " and ".join(names)
