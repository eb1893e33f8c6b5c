"""What other dates of a header, and days since an event, say, held against StudyDate. Of ages see `ages`.

De-identification shifts dates, empties them, or puts one day in place of all. So no date is held against another
itself, but intervals between two studies of a child, and what is usual then says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product

from lesion_measure.dicom.elements import Elements, number, raw_text, text
from lesion_measure.records import BASELINE, Instance, OtherDates, in_words, is_undated
from lesion_measure.studies.ages import stated_age
from lesion_measure.studies.attributes import as_date
from lesion_measure.studies.timeline import BY_DATE, SubjectCase, fits_day

OFFSET = "LongitudinalTemporalOffsetFromEvent"
SAME_DAYS = 3
"""Intervals that differ by no more days than this agree: a scan may end after midnight, or be stored the day after."""
_MOST_DAYS = 50_000
"""No event of a patient's life is so long ago."""
_FIND_OUT = "Find out which date is right, and name the visits in a manifest (--manifest)."


def other_dates(dataset: Elements, study_date: date | None, *, original: bool) -> OtherDates:
    """Dates beside StudyDate. That of the content counts for pictures alone that are as the scanner made them.

    A birth date on the first of January is often all that is left of a year, and a header whose patient's identity was
    removed may state any: neither tells an age.
    """
    acquired = as_date(raw_text(dataset, "AcquisitionDate")) or as_date(raw_text(dataset, "AcquisitionDateTime")[:8])
    born = as_date(raw_text(dataset, "PatientBirthDate"))
    known = born and (born.month, born.day) != (1, 1) and text(dataset, "PatientIdentityRemoved").upper() != "YES"
    offset, event = number(dataset, OFFSET), text(dataset, "LongitudinalTemporalEventType").upper()
    offset = offset if event and offset is not None and abs(offset) < _MOST_DAYS else None
    return OtherDates(
        acquisition=acquired,
        content=as_date(raw_text(dataset, "ContentDate")) if original else None,
        age_days=(study_date - born).days if born and known and study_date else None,
        stated_age=stated_age(raw_text(dataset, "PatientAge")),
        offset_days=offset,
        offset_event=event if offset is not None else "",
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
    """The contradiction that the two studies cannot do without: the smallest one of all their pictures.

    The content's date counts where none is of the acquisition.
    """
    offset = _least(first, then, OFFSET)
    if offset is not None and _off(offset) > SAME_DAYS:
        return offset
    dates = (_least(first, then, keyword) for keyword in ("AcquisitionDate", "ContentDate"))
    least = next(filter(None, dates), None)
    return least if least is not None and _off(least) > SAME_DAYS else None


def _least(first: list[Instance], then: list[Instance], keyword: str) -> _Apart | None:
    """The intervals by StudyDate and by the keyword that agree best; None where there are none."""
    found = (
        _Apart(keyword, one.day, other.day, other.count - one.count)
        for one, other in product(_counted(first, keyword), _counted(then, keyword))
        if one.event == other.event and one.day != other.day
        and one.count != other.count  # one day in place of all: de-identification left it
    )  # fmt: skip
    return min(found, key=_off, default=None)


def _off(apart: _Apart) -> int:
    return abs(apart.days - (apart.then - apart.first).days)


@dataclass(frozen=True, slots=True, order=True)
class _Counted:
    """StudyDate of a picture, and by what else its day is counted: a number of days since some event."""

    day: date
    count: int
    event: str = ""


def _counted(images: Iterable[Instance], keyword: str) -> list[_Counted]:
    """Of every picture that has both; each once, in order."""
    return sorted(set(filter(None, (_count(image, keyword) for image in images))))


def _count(image: Instance, keyword: str) -> _Counted | None:
    dates, day = image.dates, image.study_date
    if day is None:
        return None
    if keyword == OFFSET:
        return None if dates.offset_days is None else _Counted(day, round(dates.offset_days), dates.offset_event)
    other = dates.acquisition if keyword == "AcquisitionDate" else dates.content
    return _Counted(day, other.toordinal()) if other else None


def _in_doubt(case: SubjectCase, visit: str, days: int) -> str | None:
    """The visit that would be another by that interval; None where none would."""
    if BY_DATE not in case.sources.get(visit, ()):
        return None
    if case.every_day:
        return visit if days <= 0 else None
    if case.schedule.scheduled(visit):
        return None if fits_day(case.schedule.point(visit), days) else visit
    return next((name for name in case.schedule.later if fits_day(case.schedule.point(name), days)), None)
