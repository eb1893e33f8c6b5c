"""One child: its images are read, its lesions named and put together, and the verdict is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lesion_measure.image.by_reader import counting
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.image.traced import trace
from lesion_measure.job.request import RunRequest
from lesion_measure.job.who_counts import readers_of
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings, name_lesions, set_liver_apart
from lesion_measure.lesions.unnamed import name_drawings, without_other_readers
from lesion_measure.records import (
    Caliper,
    Doubt,
    Enrolled,
    ImageLabel,
    Instance,
    MeasuredCaliper,
    Refusal,
    SubjectResult,
    SubjectVisits,
    in_words,
    is_unnamed,
    shown_name,
)
from lesion_measure.verdict.disappearance import call_gone
from lesion_measure.verdict.subject import judge_child


@dataclass(frozen=True, slots=True)
class Job:
    """What every child of a run needs. ``read`` reads one image; ``model`` is the network's name, empty without one.

    ``doubts`` by subject: what a person wrote and no image of it answers to.
    """

    request: RunRequest
    read: Callable[[Task], ImageReading]
    model: str
    calipers: Mapping[str, tuple[Caliper, ...]]
    labels: Mapping[str, ImageLabel]
    enrolled: Mapping[str, Enrolled]
    doubts: Mapping[str, Sequence[Doubt]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each image that was read, by its path."""


def measure_child(child: SubjectVisits, job: Job) -> SubjectResult:
    """One child: every image of every visit, then its lesions, their change and the response."""
    job = _by_who_counts(child, job)
    config = job.request.config
    calipers: list[MeasuredCaliper] = []
    readings, review, doubts = _read_visits(child, job, calipers)
    doubts = [*job.doubts.get(child.subject, ()), *doubts]
    read = {doubt.refusal.visit for doubt in doubts}
    looked = {
        visit: tuple(r.looks) for visit, r in readings.items() if not (r.caliper or r.absent or read & {visit, None})
    }
    readings, organ = set_liver_apart(readings)
    counting_alone = {v: without_other_readers(r, config.calipers.reader) for v, r in readings.items()}
    drawn = name_drawings(child.subject, counting_alone, job.labels, config.pairing, child.schedule.names)
    named = name_lesions(child.subject, drawn.visits, job.labels, config.pairing, child.schedule.names)
    signed = job.request.readings is not None
    lesions, unclear = assemble(child.subject, named.visits, config, child.schedule, signed=signed)
    lesions = tuple(each for each in lesions if each.lesion not in named.visits[each.visit].without_size())
    not_gone: dict[str, dict[str, str]] = {}
    for visit in child.schedule.later:
        lesions, not_gone[visit], asks = call_gone(
            child.subject, lesions, looked, job.model, config.disappearance, visit
        )
        if asks:  # which stand for the single images
            review = [r for r in review if r.code != "nothing_found" or r.visit != visit]
        review += asks
    liver, liver_unclear = assemble(child.subject, organ, config, child.schedule)
    review += [*drawn.refusals, *named.refusals, *liver_unclear]
    doubts += [*drawn.doubts, *(Doubt(refusal, seen=True) for refusal in unclear)]
    result = judge_child(
        child,
        lesions,
        (*drawn.groups, *named.groups),
        liver,
        review,
        config=config,
        enrolled=job.enrolled.get(child.subject),
        manifest=_manifest_targets(child, job),
        not_gone=not_gone,
        doubts=doubts,
    )
    return replace(result, calipers=tuple(_traced(calipers, drawn.names, job.request.drawn)))


def _by_who_counts(child: SubjectVisits, job: Job) -> Job:
    """The job with who counts for this child: its adjudicator, where it has one."""
    config = job.request.config
    own = config.calipers.of_child(readers_of(child, job.calipers))
    if own is config.calipers:
        return job
    return replace(job, request=replace(job.request, config=config.with_calipers(own)))


def _read_visits(
    child: SubjectVisits, job: Job, calipers: list[MeasuredCaliper]
) -> tuple[dict[str, VisitReadings], list[Refusal], list[Doubt]]:
    """What was read at each visit, and what `_read_visit` says besides. ``calipers`` is added to."""
    images = [(v, i) for v, studies in child.visits.items() for study in studies for i in study.instances]
    unnamed = any(is_unnamed(row.lesion) for _, i in images for row in job.calipers.get(i.sop_instance_uid, ()))
    readings: dict[str, VisitReadings] = {}
    review: list[Refusal] = []
    doubts: list[Doubt] = []
    for visit in child.visits:
        tasks = [_task(child.subject, v, image, job, unnamed=unnamed) for v, image in images if v == visit]
        readings[visit], refusals, lost = _read_visit(tasks, job, calipers)
        review += refusals
        doubts += lost
    return readings, review, doubts


def _traced(
    calipers: Sequence[MeasuredCaliper], names: Mapping[str, str], table: Path | None
) -> Iterator[MeasuredCaliper]:
    """The calipers with the names that their lesions got, and with the table where there is one alone."""
    for each in calipers:
        lesion = each.lesion and shown_name(names.get(each.lesion, each.lesion))
        only = table.name if table is not None and table.is_file() and each.origin is None else ""
        yield replace(each, lesion=lesion, table=each.table or only)


def _task(subject: str, visit: str, instance: Instance, job: Job, *, unnamed: bool) -> Task:
    uid = instance.sop_instance_uid
    label = job.labels.get(uid, ImageLabel())
    calipers = job.calipers.get(uid, ())
    signed = job.request.readings is not None
    counts = job.request.config.calipers.reader
    return Task(
        instance=instance, subject=subject, visit=visit, label=label, calipers=calipers, unnamed=unnamed, signed=signed,
        counts=counts,
    )  # fmt: skip


def _read_visit(
    tasks: Sequence[Task], job: Job, calipers: list[MeasuredCaliper]
) -> tuple[VisitReadings, list[Refusal], list[Doubt]]:
    """What was read at a visit; what asks for review; and the readers' rows that gave no number.

    ``calipers`` is added to.
    """
    readings = VisitReadings()
    refusals: list[Refusal] = []
    doubts: list[Doubt] = []
    empty: list[Refusal] = []
    none_seen: list[Sequence[Caliper]] = []
    for task in tasks:
        reading = job.read(task)
        job.hashes[task.instance.path] = reading.sha256
        calipers += trace(task, reading.lengths)
        readings.looks.append(reading.seen)
        readings.model += reading.model
        readings.caliper += reading.caliper
        readings.absent += reading.absent
        readings.unassessed += counting(reading.unassessed, job.request.config)
        none_seen.append(reading.none_seen)
        refusals += reading.refusals
        if counting(task.calipers, job.request.config):
            doubts += reading.doubts
        else:
            refusals += [doubt.refusal for doubt in reading.doubts]
        empty += [reading.empty] if reading.empty else []
    counts = job.request.config.calipers.reader
    sized_by = {*(plane.reader for plane in readings.caliper), *(row.reader for row in readings.absent)}
    if all(none_seen) and not (sized_by if counts is None else sized_by & {counts}):
        return readings, refusals, [*doubts, Doubt(_no_lesion(tasks[0], none_seen))]
    if readings.model or readings.caliper or readings.absent:
        return readings, refusals + [refusal for refusal in empty if refusal.lesion], doubts
    silent = not refusals and not doubts
    return readings, refusals + (empty or [_nothing_measured(tasks[0])] * silent), doubts


def _manifest_targets(child: SubjectVisits, job: Job) -> tuple[str, ...]:
    """Names of the lesions that the manifest calls targets on any image of the child."""
    images = (i for studies in child.visits.values() for study in studies for i in study.instances)
    labels = (job.labels.get(i.sop_instance_uid, ImageLabel()) for i in images)
    return tuple(dict.fromkeys(label.lesion for label in labels if label.target))


def _no_lesion(task: Task, said: Sequence[Sequence[Caliper]]) -> Refusal:
    """Readers say of every image of a visit that it shows no lesion."""
    readers = " and ".join(dict.fromkeys(row.reader for rows in said for row in rows))
    where = "the image" if len(said) == 1 else f"all {len(said)} images"
    return Refusal(
        code="no_lesion",
        reason=f"{readers} looked at {where} of {in_words(task.visit)} and saw no lesion.",
        remedy="Nothing is measured there, and the network is not asked. Draw the lesion where there is one; state one "
        "of another visit as absent where it is gone.",
        subject=task.subject,
        visit=task.visit,
    )


def _nothing_measured(task: Task) -> Refusal:
    return Refusal(
        code="nothing_measured",
        reason=f"No caliper and no network measured anything at {in_words(task.visit)}.",
        remedy="Give --model, or calipers for this visit's images.",
        subject=task.subject,
        visit=task.visit,
    )
