"""What other dates of a header say, held against StudyDate: when the picture was made. Of ages see `ages`.

De-identification shifts dates, empties them, or puts one day in place of all. So no date is held against another
itself, but intervals between two studies of a child, and what is usual then says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product

from lesion_measure.dicom.elements import Elements, raw_text, text
from lesion_measure.records import BASELINE, Instance, OtherDates, in_words, is_undated
from lesion_measure.studies.ages import stated_age
from lesion_measure.studies.attributes import as_date
from lesion_measure.studies.timeline import BY_DATE, SubjectCase, fits_day

SAME_DAYS = 3
"""Intervals that differ by no more days than this agree: a scan may end after midnight, or be stored the day after."""
_FIND_OUT = "Find out which date is right, and name the visits in a manifest (--manifest)."


def other_dates(dataset: Elements, study_date: date | None, *, original: bool) -> OtherDates:
    """Dates beside StudyDate. That of the content counts for pictures alone that are as the scanner made them.

    A birth date on the first of January is often all that is left of a year, and a header whose patient's identity was
    removed may state any: neither tells an age.
    """
    acquired = as_date(raw_text(dataset, "AcquisitionDate")) or as_date(raw_text(dataset, "AcquisitionDateTime")[:8])
    born = as_date(raw_text(dataset, "PatientBirthDate"))
    known = born and (born.month, born.day) != (1, 1) and text(dataset, "PatientIdentityRemoved").upper() != "YES"
    return OtherDates(
        acquisition=acquired,
        content=as_date(raw_text(dataset, "ContentDate")) if original else None,
        age_days=(study_date - born).days if born and known and study_date else None,
        stated_age=stated_age(raw_text(dataset, "PatientAge")),
    )


@dataclass(frozen=True, slots=True)
class _Apart:
    """Days between two studies, by StudyDate and by another date of the same pictures."""

    keyword: str
    first: date
    then: date
    days: int

    @property
    def told(self) -> str:
        """Both intervals, in words."""
        first, then = self.first.isoformat(), self.then.isoformat()
        stated = (self.then - self.first).days
        other = f"by {self.keyword} {self.days} days"
        return f"by StudyDate the study of {then} is {stated} days from that of {first}, {other}"


def doubt_intervals(case: SubjectCase) -> None:
    """Warn where other dates contradict the interval from baseline; doubt the visit where it hangs on that interval."""
    for visit in [visit for visit in case.placed if visit != BASELINE and not is_undated(visit)]:
        apart = _apart(list(case.images([BASELINE])), list(case.images([visit])))
        if apart is None:
            continue
        in_doubt = _in_doubt(case, visit, apart.days)
        if in_doubt is None:
            case.warnings.append(apart.told)
        else:
            reason = f"{apart.told[0].upper()}{apart.told[1:]}: is it {in_words(visit)}?"
            path = case.placed[visit][0].study.instances[0].path
            case.doubt("dates_contradict", reason, path, remedy=_FIND_OUT, visit=in_doubt)


def _apart(first: list[Instance], then: list[Instance]) -> _Apart | None:
    """The contradiction that the two studies cannot do without: the smallest one of all their pictures."""
    for keyword in ("AcquisitionDate", "ContentDate"):
        found = [
            _Apart(keyword, day, its_day, (its_other - other).days)
            for (day, other), (its_day, its_other) in product(_pairs(first, keyword), _pairs(then, keyword))
            if day != its_day and other != its_other  # one day in place of all: de-identification left it
        ]
        if found:
            least = min(found, key=_off)
            return least if _off(least) > SAME_DAYS else None
    return None


def _off(apart: _Apart) -> int:
    return abs(apart.days - (apart.then - apart.first).days)


def _pairs(images: Iterable[Instance], keyword: str) -> list[tuple[date, date]]:
    """StudyDate and the other date, of every picture that has both; each pair once, in order."""
    found = {
        (image.study_date, other)
        for image in images
        if (other := image.dates.acquisition if keyword == "AcquisitionDate" else image.dates.content)
        and image.study_date
    }
    return sorted(found)


def _in_doubt(case: SubjectCase, visit: str, days: int) -> str | None:
    """The visit that would be another by that interval; None where none would."""
    if BY_DATE not in case.sources.get(visit, ()):
        return None
    if case.every_day:
        return visit if days <= 0 else None
    if case.schedule.scheduled(visit):
        return None if fits_day(case.schedule.point(visit), days) else visit
    return next((name for name in case.schedule.later if fits_day(case.schedule.point(name), days)), None)
