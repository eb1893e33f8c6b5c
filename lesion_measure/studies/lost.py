"""Images of a child that came into no visit while dates tell its visits: one of them may be the baseline.

A first study that is lost moves the baseline to the next one, and every change with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lesion_measure.records import BASELINE, Location, StudyList, is_undated
from lesion_measure.studies.patients import MOST_NAMED
from lesion_measure.studies.timeline import BY_DATE, SubjectCase, fits
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
    """Note where images of the subject came into no dated visit and may be one that is compared.

    A lost image of a day that has a visit moves nothing.
    """
    held = [part for visit, parts in case.placed.items() if not is_undated(visit) for part in parts]
    paths = {image.path for part in held for image in part.study.instances}
    days = {part.date for part in held if part.date}
    left = [image for image in seen if image.path not in paths and image.date not in days]
    if lost := [image.path for image in left if any(_may_be(case, image.date))]:
        names = ", ".join(lost[:MOST_NAMED]) + (f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else "")
        reason = f"Dates alone tell the visits, and {names} came into none, which may belong to one that is compared."
        case.doubt("images_in_no_visit", reason, lost[0], "Name the visits in a manifest (--manifest).")


def _may_be(case: SubjectCase, day: date | None) -> Iterator[bool]:
    """For each visit that its date alone tells, whether an image of that day could be of it instead."""
    baseline = case.date_of(BASELINE)
    for visit, sources in case.sources.items():
        if sources == [BY_DATE] and baseline is not None:
            if day is None or case.every_day:
                yield True
            elif visit == BASELINE:
                yield day < baseline
            elif visit in case.schedule.names:
                yield fits(case.schedule.point(visit), day, baseline)
