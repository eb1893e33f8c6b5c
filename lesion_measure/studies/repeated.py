"""A baseline that was scanned again some days later: which of the two counts is the trial's to say."""

from __future__ import annotations

from datetime import timedelta

from lesion_measure.records import BASELINE, in_words, is_undated
from lesion_measure.studies.offsets import from_baseline
from lesion_measure.studies.timeline import BY_DATE, SAY_IT, SubjectCase, fits

SOON_DAYS = 14
"""A scan so few days after baseline may be a second one before treatment. Later ones are taken for unscheduled."""


def doubt_repeated(case: SubjectCase) -> None:
    """Doubt baseline where dates alone tell it and the next study may be it as well (`baseline_repeated`).

    So it is where that study is a visit of its own, and the first visit after baseline fits its window from there, too.
    By common usage the last scan before treatment is baseline. A study that calls itself some time after baseline, or
    counts itself so many days after the first one's day 0, is none.
    """
    first = case.date_of(BASELINE)
    if case.every_day or first is None or case.sources.get(BASELINE) != [BY_DATE]:
        return
    beside = [visit for visit in case.placed if not case.schedule.scheduled(visit) and not is_undated(visit)]
    beside = [visit for visit in beside if not _says_when(case, visit)]
    soon = [day for day in map(case.date_of, beside) if day and timedelta() < day - first <= timedelta(days=SOON_DAYS)]
    later = [visit for visit in case.schedule.later if visit in case.placed]
    if not soon or not later:
        return
    again, visit = max(soon), later[0]
    followed = case.date_of(visit)
    if followed is not None and fits(case.schedule.point(visit), followed, again):
        days = (again - first).days
        later_by = f"{days} days later" if days > 1 else "the day after"
        reason = (
            f"Baseline could be {first.isoformat()}, or {again.isoformat()}, {later_by}: {in_words(visit)} fits its "
            "window from either."
        )
        case.doubt("baseline_repeated", reason, case.placed[BASELINE][0].study.instances[0].path, remedy=SAY_IT)


def _says_when(case: SubjectCase, visit: str) -> bool:
    """Whether a study itself says that it was made after baseline."""
    named = {image.named_visit.days for image in case.images([visit]) if image.named_visit}
    if named and min(named) > 0:
        return True
    first, own = from_baseline(case, BASELINE), from_baseline(case, visit)
    return first is not None and own is not None and abs(first) < 1 <= own
