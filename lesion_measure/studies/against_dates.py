"""Descriptions of a child's studies that contradict the visits which their dates or time points gave.

Free text is loose: "follow-up" on a first scan, "baseline" as what a scan is compared with, a preset that stands at
every study. So only what no usual reading explains is doubted. Where a manifest names a visit, it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from lesion_measure.records import BASELINE, NamedVisit, in_words, is_undated
from lesion_measure.studies.timeline import BY_MANIFEST, BY_TIME_POINT, SAY_IT, PlacedStudy, SubjectCase, fits_day

CLEAR_DAYS = 14
"""Times that differ by no more days than this do not contradict each other: visits are late, and months are rounded."""
CLEAR_RATIO = 2.0
"""Nor do times of which one is no more than so many times the other."""
_TIME_POINT = "time point"


@dataclass(frozen=True, slots=True)
class _Described:
    """A visit: its date, its day from baseline, what its studies call themselves, and what else says which it is."""

    visit: str
    date: date | None
    day: int
    named: NamedVisit | None
    by: str

    @property
    def is_baseline(self) -> bool:
        """Whether it calls itself baseline."""
        return self.named is not None and self.named.days == 0

    def told(self) -> str:
        """What it calls itself, and which visit it is by its date."""
        calls = f"calls itself '{self.named.words}'" if self.named else "names no visit"
        study = f"the study of {self.date.isoformat()}" if self.date else "a study without a date"
        return f"{study} {calls} and is {in_words(self.visit)} by {self.by}"


def doubt_described(case: SubjectCase) -> None:
    """Doubt where descriptions contradict the visits (`description_against_dates`, `description_against_time_points`).

    That the study which is baseline by its time point calls itself a later one is a warning, where others are silent.
    """
    found = sorted(_described(case), key=lambda each: each.day)
    first = next((each for each in found if each.visit == BASELINE), None)
    if first is None or BY_MANIFEST in case.sources[BASELINE]:
        return
    later = [each for each in found if each.day > 0 and each.named and BY_MANIFEST not in case.sources[each.visit]]
    named = first.named
    if first.by == _TIME_POINT and named and named.days > CLEAR_DAYS and not any(each.named for each in later):
        case.warnings.append(first.told())
    if not all(each.is_baseline for each in found):
        for each in later:
            if each.is_baseline:
                _doubt(case, first, each, None)
    timed = [each for each in later if not each.is_baseline]
    if first.is_baseline:
        for each in timed:
            if each.named and _apart(each.named.days, each.day):
                _doubt(case, first, each, _about(case, each))
    for one, other in combinations(timed, 2):
        if one.named and other.named and one.named.days > other.named.days + CLEAR_DAYS:
            for each in (one, other):
                _doubt(case, one, other, _about(case, each))


def _described(case: SubjectCase) -> Iterator[_Described]:
    """The visits whose day from baseline is known."""
    for visit, parts in case.placed.items():
        day = None if is_undated(visit) else _day(case, visit)
        if day is not None:
            by = _TIME_POINT if BY_TIME_POINT in case.sources[visit] else "date"
            yield _Described(visit, case.date_of(visit), day, _named(parts), by)


def _day(case: SubjectCase, visit: str) -> int | None:
    """A visit's day by its date, else its due day: de-identification empties dates, or leaves one for all."""
    baseline, date = case.date_of(BASELINE), case.date_of(visit)
    if baseline and date and (date != baseline or visit == BASELINE):
        return (date - baseline).days
    return case.schedule.point(visit).day if case.schedule.scheduled(visit) else None


def _named(parts: list[PlacedStudy]) -> NamedVisit | None:
    """The one visit that the studies of a day name."""
    images = (image for part in parts for image in part.study.instances)
    named = {image.named_visit.days: image.named_visit for image in images if image.named_visit}
    return next(iter(named.values())) if len(named) == 1 else None


def _apart(named: int, day: int) -> bool:
    return abs(named - day) > CLEAR_DAYS and max(named, day) > CLEAR_RATIO * min(named, day)


def _about(case: SubjectCase, each: _Described) -> str | None:
    """The visit that is in doubt: its own; of one beside the schedule, the one that it calls itself."""
    if case.every_day or case.schedule.scheduled(each.visit) or each.named is None:
        return each.visit
    meant = [point.name for point in case.schedule.points if fits_day(point, each.named.days)]
    return meant[0] if meant else each.visit


def _doubt(case: SubjectCase, one: _Described, other: _Described, visit: str | None) -> None:
    told = " while ".join(each.told() for each in (one, other))
    path = case.placed[other.visit][0].study.instances[0].path
    by_words = _TIME_POINT in (one.by, other.by)
    reason = f"Descriptions contradict the {'time points' if by_words else 'order of dates'}: {told}."
    code = "description_against_time_points" if by_words else "description_against_dates"
    case.doubt(code, reason, path, remedy=SAY_IT, visit=visit)
