"""Which way each lesion was measured: one of `Way`, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lesion_measure.records import LesionMeasurement, SubjectResult, Way
from lesion_measure.report.visits import visits_of
from lesion_measure.report.words import measured_by

REFUSED = "refused"
NOT_MEASURED = "not measured"


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
