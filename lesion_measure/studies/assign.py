"""Studies -> each subject's visits. What is unclear is refused with its candidates, not guessed.

A study's visit is what the manifest says, else its ClinicalTrialTimePointID, else what its date says: the earliest is
baseline, a later visit is the study nearest its due day inside a window, and a first study in the window of an earlier
visit before one that has a first follow-up of its own is that. A dated study that fits none is a visit of its own.
Studies of one subject and date form one visit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from lesion_measure.records import (
    BASELINE,
    TRIAL,
    Instance,
    Location,
    Refusal,
    Schedule,
    Study,
    StudyList,
    SubjectVisits,
    TimePoint,
    in_words,
    unscheduled_day,
)
from lesion_measure.spelling import alike
from lesion_measure.studies.against_dates import doubt_described
from lesion_measure.studies.ages import doubt_ages, note_ages
from lesion_measure.studies.lost import doubt_lost, seen_of_subjects
from lesion_measure.studies.offsets import doubt_offsets
from lesion_measure.studies.other_dates import doubt_intervals
from lesion_measure.studies.patients import NAME_SUBJECT, moved, shared_patients, without_several_patients
from lesion_measure.studies.persons import doubt_persons
from lesion_measure.studies.repeated import doubt_repeated
from lesion_measure.studies.timeline import (
    BY_MANIFEST,
    PlacedStudy,
    SubjectCase,
    check_order,
    dates_of,
    join_same_date,
    listed,
    note_missing,
    place_by_date,
    place_by_time_point,
    time_point_visit,
)
from lesion_measure.tables.manifest import Manifest, ManifestRow

EVERY_DAY = Schedule((TimePoint(name=BASELINE, label="Baseline", day=0, window=(0, 0)),))
"""Where no protocol names visits."""


def assign_visits(
    studies: StudyList, *, schedule: Schedule | None = TRIAL, manifest: Manifest | None = None
) -> tuple[tuple[SubjectVisits, ...], tuple[Refusal, ...]]:
    """Sort studies into visits, subject by subject.

    Parameters
    ----------
    studies
        What `studies.load_studies` found.
    schedule
        The visits in order, with their windows in days and the words that mean them; None: each study day is a visit,
        the first is baseline and the last is compared with it.
    manifest
        What a person says; it wins over the headers.

    Returns
    -------
    tuple of SubjectVisits, tuple of Refusal
        Subjects in the order of their codes, visits in the order of time; and every study, image or missing visit
        that could not be settled, with the candidates.

    Raises
    ------
    TableError
        The manifest does not fit the input (see `Manifest.entries`).
    """
    entries = manifest.entries(studies) if manifest else {}
    refusals: list[Refusal] = []
    instances = _without_shared_uids(studies, refusals)
    by_subject = _subjects(instances, studies, entries, refusals)
    without_several_patients(by_subject, entries, refusals)
    by_manifest, shared = moved(by_subject), shared_patients(by_subject, entries)
    named = {location for location, entry in entries.items() if entry.subject}
    seen, doubles = seen_of_subjects(studies, entries), _doubles(by_subject)
    subjects = []
    for subject in sorted(by_subject):
        case = SubjectCase(subject, schedule or EVERY_DAY, every_day=schedule is None)
        for reason in by_manifest.get(subject, ()):
            case.doubt("manifest_against_subjects", reason)
        for reason in shared.get(subject, ()):
            case.doubt("patient_shared", reason, remedy=NAME_SUBJECT)
        for other in sorted(doubles[subject]):
            case.doubt("subjects_look_alike", f"The subjects {subject} and {other} look alike: are they one?")
        _settle(case, by_subject[subject], entries)
        doubt_lost(case, seen[subject])
        doubt_described(case)
        doubt_repeated(case)
        doubt_intervals(case)
        doubt_offsets(case)
        note_ages(case)
        doubt_ages(case, _own_schedule(case).names)
        doubt_persons(case, named)
        refusals += case.refusals
        if case.placed:
            subjects.append(_record(case))
    return tuple(subjects), tuple(refusals)


def _doubles(subjects: Iterable[str]) -> dict[str, set[str]]:
    """The subjects that each one looks like."""
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in alike(subjects):
        found[one].add(other)
        found[other].add(one)
    return found


def _record(case: SubjectCase) -> SubjectVisits:
    schedule = _own_schedule(case)
    present = [visit for visit in schedule.names if case.placed.get(visit)]
    return SubjectVisits(
        subject=case.subject,
        visits={visit: tuple(part.study for part in case.placed[visit]) for visit in present},
        sources={visit: ", ".join(case.sources[visit]) for visit in present},
        schedule=schedule,
        warnings=tuple(case.warnings),
        doubts=tuple(case.doubts),
    )


def _own_schedule(case: SubjectCase) -> Schedule:
    """The protocol's visits and, in their places, those that the child had beside it; undated ones come last."""
    points = list(case.schedule.points)
    baseline = case.date_of(BASELINE)
    beside = {visit: unscheduled_day(visit) for visit in case.placed if visit not in case.schedule.names}
    for visit, day in sorted(beside.items(), key=lambda item: (item[1] is None, item[1] or 0, item[0])):
        after = [] if day is None else [p for p in points if p.day is not None and _due(case, p, baseline) > day]
        label, epoch = in_words(visit), after[0].epoch if after else ""
        if day is not None and not after and points[-1].day is not None:
            epoch = points[-1].epoch
        place = points.index(after[0]) if after else _first_undated(points)
        points.insert(
            place if day is not None else len(points), TimePoint(name=visit, label=label, day=day, epoch=epoch)
        )
    last = [point.name for point in points if case.every_day and point.day is not None and point.day > 0]
    return Schedule(tuple(points), last[-1] if last else case.schedule.primary)


def _due(case: SubjectCase, point: TimePoint, baseline: date | None) -> int:
    """The day of a visit from baseline: by its date where there is one, else its due day."""
    then = case.date_of(point.name)
    return (then - baseline).days if then and baseline else point.day or 0


def _first_undated(points: Sequence[TimePoint]) -> int:
    return next((n for n, point in enumerate(points) if point.day is None), len(points))


def _without_shared_uids(studies: StudyList, refusals: list[Refusal]) -> set[Location]:
    """Images that are the only ones of their SOPInstanceUID; what refers to a shared one could mean either file."""
    by_uid: dict[str, list[Instance]] = defaultdict(list)
    for instance in studies.instances:
        by_uid[instance.sop_instance_uid].append(instance)
    for same in by_uid.values():
        for instance in same if len(same) > 1 else ():
            others = ", ".join(other.path for other in same if other is not instance)
            refusals.append(
                Refusal(
                    code="ambiguous_uid",
                    reason=f"Different files have the same SOP Instance UID: this one and {others}.",
                    remedy="Keep the one that is meant and take the others out of the input.",
                    path=instance.path,
                    sop_instance_uid=instance.sop_instance_uid,
                    subject=instance.subject or None,
                )
            )
    return {same[0].location for same in by_uid.values() if len(same) == 1}


def _subjects(
    usable: set[Location], studies: StudyList, entries: dict[Location, ManifestRow], refusals: list[Refusal]
) -> dict[str, list[Study]]:
    """Studies by subject: the manifest's word, else the header's. A study of two subjects, or of none, is refused."""
    by_uid: dict[str, dict[str, list[Instance]]] = defaultdict(lambda: defaultdict(list))
    stated = {}
    for instance in studies.instances:
        if instance.location in usable:
            entry = entries.get(instance.location)
            subject = entry.subject if entry and entry.subject else instance.subject
            by_uid[instance.study_instance_uid][subject].append(instance)
            stated[instance.location] = bool(entry and entry.subject)
    by_subject: dict[str, list[Study]] = defaultdict(list)
    for uid, members in by_uid.items():
        names = ", ".join(f"'{subject}'" if subject else "(none)" for subject in sorted(members))
        by_manifest = all(stated[instance.location] for instances in members.values() for instance in instances)
        for subject, instances in members.items():
            if len(members) > 1 and not by_manifest:
                code, reason = "mixed_subjects", f"One study holds images of several subjects: {names}."
            elif not subject:
                code, reason = "no_subject", "The study names no subject (neither trial subject nor patient ID)."
            else:
                by_subject[subject].append(_study(uid, subject, instances))
                continue
            refusals.append(
                Refusal(code=code, reason=reason, remedy=NAME_SUBJECT, path=instances[0].path, subject=subject or None)
            )
    return by_subject


def _study(uid: str, subject: str, instances: Sequence[Instance]) -> Study:
    dates = {instance.study_date for instance in instances if instance.study_date}
    points = {instance.time_point for instance in instances if instance.time_point}
    return Study(
        study_instance_uid=uid,
        subject=subject,
        study_date=dates.pop() if len(dates) == 1 else None,
        time_point=points.pop() if len(points) == 1 else None,
        instances=tuple(instances),
    )


def _settle(case: SubjectCase, studies: list[Study], entries: dict[Location, ManifestRow]) -> None:
    """Manifest first, then time points, then dates; then what is missing or contradicts itself."""
    open_parts: list[PlacedStudy] = []
    for part in (part for study in studies for part in _parts(study, entries, case)):
        if part.visit is not None:
            case.place(part.visit, [part], BY_MANIFEST)
        else:
            open_parts.append(part)
    by_manifest = bool(case.placed)
    for visit in list(case.placed):
        if len(dates := dates_of(case.placed[visit])) > 1:
            case.doubt(
                "manifest_against_dates",
                f"The manifest puts studies of several dates into {in_words(visit)}: {listed(dates)}.",
                visit=visit,
            )
    open_parts = join_same_date(case, open_parts)
    labelled = [(part, time_point_visit(part, case.schedule)) for part in open_parts]
    if any(visit for _, visit in labelled):
        place_by_time_point(case, labelled)
    elif open_parts:
        unknown = sorted({part.study.time_point for part in open_parts if part.study.time_point})
        if unknown and not case.every_day:
            case.warnings.append(f"time point not known ({', '.join(unknown)}): visits come from the study dates")
        place_by_date(case, open_parts, by_manifest=by_manifest)
    check_order(case)
    note_missing(case)


def _parts(study: Study, entries: dict[Location, ManifestRow], case: SubjectCase) -> list[PlacedStudy]:
    """The study split by what the manifest says of its images; images it leaves out go with the study's one visit."""
    by_visit: dict[str | None, list[Instance]] = defaultdict(list)
    for instance in study.instances:
        entry = entries.get(instance.location)
        by_visit[entry.visit if entry else None].append(instance)
    unsaid = by_visit.pop(None, [])
    if len(by_visit) == 1:
        visit = next(iter(by_visit))
        return [PlacedStudy(study, visit)]
    parts = [PlacedStudy(replace(study, instances=tuple(some)), visit) for visit, some in by_visit.items()]
    if len(parts) > 1:
        named = " and ".join(in_words(visit) for visit in by_visit if visit)
        case.doubt(
            "manifest_splits_study",
            f"The manifest puts images of one study into {named}.",
            parts[-1].study.instances[0].path,
        )
    if not unsaid:
        return parts
    rest = PlacedStudy(replace(study, instances=tuple(unsaid)), None)
    dates = {instance.study_date for instance in unsaid if instance.study_date}
    points = {instance.time_point for instance in unsaid if instance.time_point}
    if parts:
        named = " and ".join(in_words(visit) for visit in by_visit if visit)
        case.refuse(
            "ambiguous_visit",
            f"The manifest puts images of this study into {named}, and leaves {len(unsaid)} out.",
            part=rest,
        )
    elif len(dates) > 1:
        case.refuse(
            "ambiguous_visit", f"The images of one study state different dates: {listed(sorted(dates))}.", part=rest
        )
    elif len(points) > 1:
        case.refuse(
            "ambiguous_visit",
            f"The images of one study state different time points: {', '.join(sorted(points))}.",
            part=rest,
        )
    else:
        parts.append(rest)
    return parts
