"""A baseline that was scanned again some days later: which of the two counts is the trial's to say."""

from __future__ import annotations

from datetime import timedelta

from lesion_measure.records import BASELINE, in_words, is_undated
from lesion_measure.studies.timeline import BY_DATE, SAY_IT, SubjectCase, fits

SOON_DAYS = 14
"""A scan so few days after baseline may be a second one before treatment. Later ones are taken for unscheduled."""


def doubt_repeated(case: SubjectCase) -> None:
    """Doubt baseline where dates alone tell it and the next study may be it as well (`baseline_repeated`).

    So it is where that study is a visit of its own, lies before every window of the schedule, and the first visit after
    baseline fits its window from there, too. By common usage the last scan before treatment is baseline.
    """
    first = case.date_of(BASELINE)
    if case.every_day or first is None or case.sources.get(BASELINE) != [BY_DATE]:
        return
    beside = [visit for visit in case.placed if not case.schedule.scheduled(visit) and not is_undated(visit)]
    soon = [day for day in map(case.date_of, beside) if day and timedelta() < day - first <= timedelta(days=SOON_DAYS)]
    later = [visit for visit in case.schedule.later if visit in case.placed]
    if not soon or not later:
        return
    again, visit = max(soon), later[0]
    followed = case.date_of(visit)
    if followed is not None and fits(case.schedule.point(visit), followed, again):
        days = (again - first).days
        reason = (
            f"Baseline could be {first.isoformat()}, or {again.isoformat()}, {days} days later: {in_words(visit)} fits "
            "its window from either."
        )
        case.doubt("baseline_repeated", reason, case.placed[BASELINE][0].study.instances[0].path, remedy=SAY_IT)
