"""One child: its images are read, its lesions named and put together, and the verdict is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lesion_measure.image.outlines import Outlines
from lesion_measure.image.read import Task, counting, read_image
from lesion_measure.image.shown import ShownFrames
from lesion_measure.job.request import RunRequest
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings, name_lesions, set_liver_apart
from lesion_measure.records import (
    Caliper,
    Doubt,
    Enrolled,
    ImageLabel,
    Refusal,
    Study,
    SubjectResult,
    SubjectVisits,
    in_words,
)
from lesion_measure.verdict.disappearance import call_gone
from lesion_measure.verdict.subject import judge_child

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter


@dataclass(frozen=True, slots=True)
class Job:
    """What every child of a run needs. ``doubts`` by subject: what a person wrote and no image of it answers to."""

    request: RunRequest
    outlines: Outlines
    shown: ShownFrames
    segmenter: Segmenter | None
    calipers: Mapping[str, tuple[Caliper, ...]]
    labels: Mapping[str, ImageLabel]
    enrolled: Mapping[str, Enrolled]
    doubts: Mapping[str, Sequence[Doubt]] = field(default_factory=dict)
    step: Callable[[], None] = lambda: None
    """Told of every image that is done."""
    hashes: dict[str, str] = field(default_factory=dict)


def measure_child(child: SubjectVisits, job: Job) -> SubjectResult:
    """One child: every image of every visit, then its lesions, their change and the response."""
    config = job.request.config
    readings: dict[str, VisitReadings] = {}
    review: list[Refusal] = []
    doubts = list(job.doubts.get(child.subject, ()))
    for visit, studies in child.visits.items():
        readings[visit], refusals, lost = _read_visit(child.subject, visit, studies, job)
        review += refusals
        doubts += lost
    read = {doubt.refusal.visit for doubt in doubts}
    looked = {
        visit: tuple(r.looks) for visit, r in readings.items() if not (r.caliper or r.absent or read & {visit, None})
    }
    readings, organ = set_liver_apart(readings)
    named = name_lesions(child.subject, readings, job.labels, config.pairing, child.schedule.names)
    lesions, unclear = assemble(child.subject, named.visits, config, child.schedule)
    not_gone: dict[str, dict[str, str]] = {}
    for visit in child.schedule.later:
        lesions, not_gone[visit], asks = call_gone(
            child.subject, lesions, looked, _model_name(job), config.disappearance, visit
        )
        if asks:  # which stand for the single images
            review = [r for r in review if r.code != "nothing_found" or r.visit != visit]
        review += asks
    liver, liver_unclear = assemble(child.subject, organ, config, child.schedule)
    review += [*named.refusals, *liver_unclear]
    doubts += [Doubt(refusal, seen=True) for refusal in unclear]
    return judge_child(
        child,
        lesions,
        named.groups,
        liver,
        review,
        config=config,
        enrolled=job.enrolled.get(child.subject),
        manifest=_manifest_targets(child, job),
        not_gone=not_gone,
        doubts=doubts,
    )


def _read_visit(
    subject: str, visit: str, studies: tuple[Study, ...], job: Job
) -> tuple[VisitReadings, list[Refusal], list[Doubt]]:
    """What was read at a visit; what asks for review; and the readers' rows that gave no number."""
    readings = VisitReadings()
    refusals: list[Refusal] = []
    doubts: list[Doubt] = []
    empty: list[Refusal] = []
    for instance in (i for study in studies for i in study.instances):
        uid = instance.sop_instance_uid
        task = Task(
            instance=instance,
            subject=subject,
            visit=visit,
            label=job.labels.get(uid, ImageLabel()),
            calipers=job.calipers.get(uid, ()),
        )
        reading = read_image(task, job.segmenter, job.request.config, job.outlines, job.shown)
        job.step()
        job.hashes[instance.path] = reading.sha256
        readings.looks.append(reading.seen)
        readings.model += reading.model
        readings.caliper += reading.caliper
        readings.absent += reading.absent
        refusals += reading.refusals
        if counting(task.calipers, job.request.config):
            doubts += reading.doubts
        else:
            refusals += [doubt.refusal for doubt in reading.doubts]
        empty += [reading.empty] if reading.empty else []
    if readings.model or readings.caliper or readings.absent:
        return readings, refusals + [refusal for refusal in empty if refusal.lesion], doubts
    silent = not refusals and not doubts
    return readings, refusals + (empty or [_nothing_measured(subject, visit)] * silent), doubts


def _model_name(job: Job) -> str:
    return "" if job.segmenter is None else job.segmenter.name


def _manifest_targets(child: SubjectVisits, job: Job) -> tuple[str, ...]:
    """Names of the lesions that the manifest calls targets on any image of the child."""
    images = (i for studies in child.visits.values() for study in studies for i in study.instances)
    labels = (job.labels.get(i.sop_instance_uid, ImageLabel()) for i in images)
    return tuple(dict.fromkeys(label.lesion for label in labels if label.target))


def _nothing_measured(subject: str, visit: str) -> Refusal:
    return Refusal(
        code="nothing_measured",
        reason=f"No caliper and no network measured anything at {in_words(visit)}.",
        remedy="Give --model, or calipers for this visit's images.",
        subject=subject,
        visit=visit,
    )
