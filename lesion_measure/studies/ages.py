"""PatientAge and the birth date of a header, held against StudyDate, and ages against the order of a child's visits.

A scanner writes an age in one unit, cut off or rounded, and often keeps the one that an earlier study had. A header
whose patient's identity was removed may state any birth date, and its age is as true as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from lesion_measure.records import BASELINE, in_words, is_undated
from lesion_measure.studies.timeline import BY_DATE, SAY_IT, SubjectCase

OLDEST_DAYS = 43_830
"""120 years."""
OLDER_DAYS, YOUNGER_DAYS = 31, 92
"""An age may be wrong by its rounding and so much: it was entered for a later day, or kept from an earlier study."""
_EARLY_DAYS = -1
"""A newborn may be scanned on the day of birth, on either side of a midnight."""
_AGE = re.compile(r"0*([1-9]\d{0,2}) ?([DWMY])")
_DAYS_OF_UNIT = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}
_CAPPED_YEARS = 90
"""De-identification writes 90 years for every higher age."""


def stated_age(text: str) -> str:
    """An age (AS) in its standard form, ``003M``; empty where none is told.

    Zero of any unit is what stands where no age is known, and a newborn's age hardly ever.
    """
    found = _AGE.fullmatch(text.strip().upper())
    if found is None or (found[2] == "Y" and int(found[1]) >= _CAPPED_YEARS):
        return ""
    return f"{int(found[1]):03d}{found[2]}"


def days_of(age: str) -> tuple[float, float]:
    """The fewest and the most days of an age: rounded up from half a unit below, or cut off just below the next."""
    unit = _DAYS_OF_UNIT[age[-1]]
    return (int(age[:-1]) - 0.5) * unit, (int(age[:-1]) + 1) * unit


def is_age(days: int) -> bool:
    """Whether anybody may be so many days old."""
    return _EARLY_DAYS <= days <= OLDEST_DAYS


def note_ages(case: SubjectCase) -> None:
    """Warn of studies before the birth date that their own header states, at an age that nobody reaches or another one.

    An age that an earlier study states is taken for its copy.
    """
    told: dict[str, None] = {}
    seen: dict[str, object] = {}  # by age, the day of the study that stated it first
    for image in sorted(case.images(case.placed), key=lambda each: str(each.study_date)):
        born, day, age = image.dates.age_days, image.study_date, image.dates.stated_age
        copied = bool(age) and seen.setdefault(age, day) != day
        if born is None or day is None:
            continue
        if not is_age(born):
            when = "before" if born < 0 else "more than 120 years after"
            told[f"the study of {day.isoformat()} is dated {when} the birth date in its header"] = None
        elif age and not copied and not _fits(age, born):
            birth = f"by the birth date in its header {born / _DAYS_OF_UNIT['M']:.0f} months"
            told[f"the study of {day.isoformat()} states PatientAge {age}, {birth}"] = None
    case.warnings += told


def _fits(age: str, days: int) -> bool:
    least, most = days_of(age)
    return least - OLDER_DAYS <= days <= most + YOUNGER_DAYS


@dataclass(frozen=True, slots=True)
class _Aged:
    """A visit whose images state ages: the youngest that they allow, and the oldest."""

    visit: str
    youngest: str
    oldest: str

    def before(self, later: _Aged) -> bool:
        """Whether a child of these ages here may be of those at a later visit."""
        return days_of(self.youngest)[0] <= days_of(later.oldest)[1]


def doubt_ages(case: SubjectCase, order: Sequence[str]) -> None:
    """Doubt visits at which the child would be younger than at one before, whatever its ages were rounded to.

    Parameters
    ----------
    case
        The subject, whose visits are settled.
    order
        Names of its visits in the order of time.
    """
    aged = list(_aged(case, order))
    held: set[str | None] = set()
    for one, other in combinations(aged, 2):
        if one.before(other):
            continue
        told = f"PatientAge is {one.youngest} at {in_words(one.visit)} and {other.oldest} at {in_words(other.visit)}"
        by_date = [each.visit for each in (one, other) if BY_DATE in case.sources.get(each.visit, ())]
        if not by_date:
            case.warnings.append(told)
        path = case.placed[other.visit][0].study.instances[0].path
        for visit in [None] if BASELINE in by_date else by_date:
            if visit not in held:
                held.add(visit)
                case.doubt("age_against_dates", f"{told}: which is first?", path, remedy=SAY_IT, visit=visit)


def _aged(case: SubjectCase, order: Sequence[str]) -> Iterator[_Aged]:
    for visit in order:
        ages = {image.dates.stated_age for image in case.images([visit])} - {""}
        if ages and not is_undated(visit):
            youngest = min(ages, key=lambda age: days_of(age)[0])
            yield _Aged(visit, youngest, max(ages, key=lambda age: days_of(age)[1]))
