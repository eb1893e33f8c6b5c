"""Images of a child that came into no visit while dates tell its visits: one of them may be the baseline.

A first study that is lost moves the baseline to the next one, and every change with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lesion_measure.records import BASELINE, Location, StudyList, is_undated
from lesion_measure.studies.patients import MOST_NAMED
from lesion_measure.studies.timeline import BY_DATE, SAY_IT, SubjectCase, fits
from lesion_measure.tables.manifest import ManifestRow


@dataclass(frozen=True, slots=True)
class Seen:
    """An image of a child, whether or not it can be used."""

    path: str
    date: date | None


def seen_of_subjects(studies: StudyList, entries: Mapping[Location, ManifestRow]) -> dict[str, list[Seen]]:
    """Every image of each subject, those without pixels too; the manifest's word counts before the header's."""
    seen: dict[str, list[Seen]] = defaultdict(list)
    for image in studies.instances:
        entry = entries.get(image.location)
        seen[entry.subject if entry and entry.subject else image.subject].append(Seen(image.path, image.study_date))
    for unread in studies.unread:
        seen[unread.subject].append(Seen(unread.refusal.path or "", unread.study_date))
    return seen


def doubt_lost(case: SubjectCase, seen: Sequence[Seen]) -> None:
    """Note where images of the subject came into no dated visit and may be of one that is compared.

    A lost image of a day that has a visit moves nothing. One that may be baseline moves every visit, else its own.
    """
    held = [part for visit, parts in case.placed.items() if not is_undated(visit) for part in parts]
    paths = {image.path for part in held for image in part.study.instances}
    days = {part.date for part in held if part.date}
    left = [image for image in seen if image.path not in paths and image.date not in days]
    lost: dict[str | None, list[str]] = defaultdict(list)
    for image in left:
        for visit in _could_be(case, image.date):
            lost[visit].append(image.path)
    for visit, files in lost.items():
        names = ", ".join(files[:MOST_NAMED])
        names += f" and {len(files) - MOST_NAMED} more" if len(files) > MOST_NAMED else ""
        which = case.schedule.label(visit) if visit else "one that is compared"
        reason = f"Dates alone tell the visits, and {names} came into none, which may belong to {which}."
        case.doubt("images_in_no_visit", reason, files[0], remedy=SAY_IT, visit=visit)


def _could_be(case: SubjectCase, day: date | None) -> list[str | None]:
    """The compared visits that their dates alone tell and an image of that day could be of; None: any of them.

    A visit beside the schedule is compared with nothing, and one before baseline for entry alone: an image without a
    date does not call that in question.
    """
    baseline = case.date_of(BASELINE)
    by_date = [visit for visit, sources in case.sources.items() if sources == [BY_DATE]]
    if baseline is None or not by_date:
        return []
    if case.every_day or (BASELINE in by_date and (day is None or day < baseline)):
        return [None]
    if day is None:
        return [visit for visit in by_date if visit in case.schedule.later]
    named = {*case.schedule.names} - {BASELINE}
    return [visit for visit in by_date if visit in named and fits(case.schedule.point(visit), day, baseline)]
