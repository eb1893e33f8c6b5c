"""Descriptions of a child's studies that contradict the visits which their dates alone gave.

Free text is loose: "follow-up" on a first scan, "baseline" as what a scan is compared with, a preset that stands at
every study. So only what no usual reading explains is doubted. Where a manifest or time points name a visit, these
count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from lesion_measure.records import BASELINE, NamedVisit, in_words, is_undated
from lesion_measure.studies.timeline import BY_DATE, SAY_IT, PlacedStudy, SubjectCase, fits_day

CLEAR_DAYS = 14
"""Times that differ by no more days than this do not contradict each other: visits are late, and months are rounded."""
CLEAR_RATIO = 2.0
"""Nor do times of which one is no more than so many times the other."""


@dataclass(frozen=True, slots=True)
class _Described:
    """A visit whose studies name one: its date, its day from baseline, and what they call themselves."""

    visit: str
    date: date
    day: int
    named: NamedVisit | None

    @property
    def is_baseline(self) -> bool:
        """Whether it calls itself baseline."""
        return self.named is not None and self.named.days == 0

    def told(self) -> str:
        """What it calls itself, and which visit it is by its date."""
        calls = f"calls itself '{self.named.words}'" if self.named else "names no visit"
        return f"the study of {self.date.isoformat()} {calls} and is {in_words(self.visit)} by date"


def doubt_described(case: SubjectCase) -> None:
    """Note where descriptions contradict the visits by date (`description_against_dates`)."""
    found = list(_described(case))
    if case.sources.get(BASELINE) != [BY_DATE] or not found:
        return
    first = next(each for each in found if each.visit == BASELINE)
    later = [each for each in found if each.day > 0 and each.named and case.sources[each.visit] == [BY_DATE]]
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
    """The dated visits in order of time."""
    baseline = case.date_of(BASELINE)
    dates = {visit: case.date_of(visit) for visit in case.placed if not is_undated(visit)}
    if baseline is not None:
        for visit, day in sorted(((v, d) for v, d in dates.items() if d), key=lambda item: item[1]):
            yield _Described(visit, day, (day - baseline).days, _named(case.placed[visit]))


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
    reason = f"Descriptions contradict the order of dates: {told}."
    case.doubt("description_against_dates", reason, path, remedy=SAY_IT, visit=visit)
