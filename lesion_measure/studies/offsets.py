"""Days from baseline that headers state (LongitudinalTemporalOffsetFromEvent), held against the visits.

Two studies' offsets from one event are held against their dates in `other_dates`. Here are the first study's own, which
tells whether it is baseline at all, and those of visits that no date tells.
"""

from __future__ import annotations

from lesion_measure.records import BASELINE, in_words
from lesion_measure.studies.other_dates import OFFSET, SAME_DAYS
from lesion_measure.studies.timeline import BY_MANIFEST, SAY_IT, SubjectCase, fits_day

_BEFORE_DAYS = 28
"""By common usage a baseline scan is made within the four weeks before treatment (RECIST 1.1)."""


def doubt_offsets(case: SubjectCase) -> None:
    """Doubt visits whose stated day from baseline is another one's (`offset_contradicts`)."""
    stated = {visit: day for visit in case.placed if (day := from_baseline(case, visit)) is not None}
    if len(stated) > 1 and len(set(stated.values())) == 1:
        return  # one day in place of all: de-identification left it
    first = stated.pop(BASELINE, None)
    if first is not None and not -_BEFORE_DAYS <= first <= SAME_DAYS:
        _tell(case, BASELINE, first, None)
    for visit, day in stated.items():
        held = case.schedule.scheduled(visit) and not case.every_day and not _has_own_date(case, visit)
        if held and not fits_day(case.schedule.point(visit), round(day - (first or 0))):
            _tell(case, visit, day, visit)


def from_baseline(case: SubjectCase, visit: str) -> float | None:
    """The one day from baseline that the images of a visit state; None where there is none, or several."""
    dates = (image.dates for image in case.images([visit]))
    found = {each.offset_days for each in dates if each.offset_event == "BASELINE"}
    return found.pop() if len(found) == 1 else None


def _has_own_date(case: SubjectCase, visit: str) -> bool:
    """Whether dates tell a visit's day, which is held against the offsets as an interval."""
    date, baseline = case.date_of(visit), case.date_of(BASELINE)
    return date is not None and baseline is not None and date != baseline


def _tell(case: SubjectCase, visit: str, day: float, doubted: str | None) -> None:
    date = case.date_of(visit)
    which = f"the study of {date.isoformat()}" if date else "a study without a date"
    told = f"by {OFFSET} {which} is {day:g} days from baseline, and it is {in_words(visit)}"
    told += f" by {' and '.join(case.sources[visit])}"
    if case.every_day or BY_MANIFEST in case.sources[visit]:
        case.warnings.append(told)
        return
    path = case.placed[visit][0].study.instances[0].path
    reason = f"{told[0].upper()}{told[1:]}."
    case.doubt("offset_contradicts", reason, path, remedy=SAY_IT, visit=doubted)
