"""Whether all images of a subject are of one person: PatientSex and birth dates that differ between its visits.

A birth date counts as in `other_dates`: not where it is a year alone, or the patient's identity was removed. Nor does
one on the first or the fifteenth of a month, of which often no more than the month is left, or at which the patient had
an age that nobody has: such dates stand where none is known. None is ever told, but by how many days two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta
from typing import TypeVar

from lesion_measure.dicom.elements import Elements, text
from lesion_measure.records import BASELINE, Instance, Location, in_words
from lesion_measure.studies.ages import is_age
from lesion_measure.studies.timeline import SubjectCase

_Fact = TypeVar("_Fact", str, date)
_OF_A_MONTH = (1, 15)
_SAME_DAYS = 1
"""Birth dates that differ by no more agree: a date that was sent as a time at midnight moves with the time zone."""
_ONE = "Find out whose these images are, and name their subject in a manifest (--manifest)."


def stated_sex(dataset: Elements) -> str:
    """PatientSex where it tells one of two, ``F`` or ``M``; else empty."""
    sex = text(dataset, "PatientSex").upper()
    return sex if sex in ("F", "M") else ""


def doubt_persons(case: SubjectCase, named: Collection[Location]) -> None:
    """Doubt visits whose images state another sex or birth date than those before (`patient_differs`).

    Parameters
    ----------
    case
        The subject, whose visits are settled.
    named
        Images whose subject a manifest names: they are not asked about.
    """
    order = sorted(case.placed, key=lambda visit: (visit != BASELINE, str(case.date_of(visit)), visit))
    asked = {visit: [image for image in case.images([visit]) if image.location not in named] for visit in order}
    _doubt_other(case, {visit: {image.sex for image in images} - {""} for visit, images in asked.items()}, _sexes)
    births = {visit: set(_births(images)) for visit, images in asked.items()}
    known = next((min(dates) for dates in births.values() if dates), None)
    if known is not None:
        births = {visit: {_as_known(born, known) for born in dates} for visit, dates in births.items()}
    _doubt_other(case, births, _apart)


def _as_known(born: date, known: date) -> date:
    return known if abs((born - known).days) <= _SAME_DAYS else born


def _births(images: Iterable[Instance]) -> Iterable[date]:
    for image in images:
        age = image.dates.age_days
        if image.study_date is not None and age is not None and is_age(age):
            born = image.study_date - timedelta(days=age)
            if born.day not in _OF_A_MONTH:
                yield born


def _doubt_other(case: SubjectCase, stated: dict[str, set[_Fact]], told: Callable[[_Fact, _Fact], str]) -> None:
    """Hold what each visit states against the first that states it; a visit that states two holds all."""
    first = next((visit for visit, values in stated.items() if values), None)
    for visit, values in stated.items():
        known = stated[first] if first is not None else values
        if others := sorted(values - {min(known)} if visit == first else values - known):
            where = in_words(visit) if visit == first else f"{in_words(str(first))} and of {in_words(visit)}"
            reason = f"{told(min(known), others[0])} in the headers of {where}: are all of this subject?"
            path = case.placed[visit][0].study.instances[0].path
            case.doubt("patient_differs", reason, path, remedy=_ONE, visit=None if visit == first else visit)


def _sexes(one: str, other: str) -> str:
    return f"PatientSex is {one} and {other}"


def _apart(one: date, other: date) -> str:
    return f"Birth dates {abs((other - one).days)} days apart stand"
