"""One child as a task: all that is known of it goes to whoever measures it, and its result comes back.

Both are plain data, so that another process can do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lesion_measure.batch import Lost, Tell, Work
from lesion_measure.image.outlines import Outlines, Use
from lesion_measure.image.read import read_image
from lesion_measure.image.shown import ShownFrames
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.job.child import Job, measure_child
from lesion_measure.job.given import Given
from lesion_measure.job.model import load_model
from lesion_measure.job.request import RunRequest
from lesion_measure.records import Caliper, Doubt, Enrolled, ImageLabel, Instance, Refusal, SubjectResult, SubjectVisits

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildTask:
    """One child with its visits, and what the tables say of it and of its images (by SOP Instance UID).

    ``killed``: how processes ended that read an image, by its UID; ``lost``: how those that did something else of it.
    """

    child: SubjectVisits
    calipers: Mapping[str, tuple[Caliper, ...]]
    labels: Mapping[str, ImageLabel]
    enrolled: Enrolled | None
    doubts: tuple[Doubt, ...]
    killed: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""

    @property
    def images(self) -> tuple[Instance, ...]:
        """The images of all visits."""
        return tuple(i for studies in self.child.visits.values() for study in studies for i in study.instances)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredChild:
    """What came of a child: its result, or why there is none.

    ``inputs`` is the SHA-256 of each image that was read, by its path; ``outlines`` which of the network's outlines
    it rests on.
    """

    result: SubjectResult | None
    refusal: Refusal | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outlines: Use = field(default_factory=Use)


def tasks_of(given: Given, enrolled: Mapping[str, Enrolled]) -> list[ChildTask]:
    """The children of a run, each with what concerns it alone."""
    return [_task(child, given, enrolled) for child in given.children]


def _task(child: SubjectVisits, given: Given, enrolled: Mapping[str, Enrolled]) -> ChildTask:
    uids = [i.sop_instance_uid for studies in child.visits.values() for study in studies for i in study.instances]
    return ChildTask(
        child=child,
        calipers={uid: given.calipers[uid] for uid in uids if uid in given.calipers},
        labels={uid: given.labels[uid] for uid in uids if uid in given.labels},
        enrolled=enrolled.get(child.subject),
        doubts=tuple(given.doubts.get(child.subject, ())),
    )


def without_lost(lost: Lost[ChildTask]) -> ChildTask:
    """The task without the image that cost a process twice; without anything where no image did."""
    how = f"The process that measured it {lost.how}, twice."
    if lost.part:
        return replace(lost.task, killed={**lost.task.killed, lost.part: how})
    return replace(lost.task, lost=how)


def prepare(request: RunRequest, bundle: Path | None) -> Work[ChildTask, MeasuredChild]:
    """The work of a process of its own, which loads the network for itself and keeps no frames for the report."""
    segmenter = load_model(bundle, replace(request, threads=request.threads or 1))
    return partial(measure, request=request, segmenter=segmenter, shown=ShownFrames(request.config.limits, 0))


def measure(
    task: ChildTask, tell: Tell, *, request: RunRequest, segmenter: Segmenter | None, shown: ShownFrames
) -> MeasuredChild:
    """Measure one child.

    Parameters
    ----------
    task, tell
        The child; is told of each image, by its SOP Instance UID.
    request
        What the user asked for.
    segmenter
        The network, None where calipers alone measure.
    shown
        Keeps the frames that the report may show.
    """
    if task.lost:
        return MeasuredChild(result=None, refusal=_lost(task))
    subject, outlines = task.child.subject, Outlines(request.out)
    read = partial(read_image, segmenter=segmenter, config=request.config, outlines=outlines, shown=shown)

    def one(image: Task) -> ImageReading:
        uid = image.instance.sop_instance_uid
        with _told(tell, uid):
            return read(replace(image, killed=task.killed.get(uid, "")))

    job = Job(
        request, one, "" if segmenter is None else segmenter.name, task.calipers, task.labels,
        {} if task.enrolled is None else {subject: task.enrolled}, {subject: task.doubts},
    )  # fmt: skip
    result = measure_child(task.child, job)
    return MeasuredChild(result=result, inputs=job.hashes, outlines=outlines.use)


@contextmanager
def _told(tell: Tell, part: str) -> Iterator[None]:
    tell(part)
    yield
    tell("")


def _lost(task: ChildTask) -> Refusal:
    return Refusal(
        code="process_killed",
        reason=f"This child was not measured. {task.lost}",
        remedy="Run again with --jobs 1, or on a machine with more memory.",
        subject=task.child.subject,
    )
