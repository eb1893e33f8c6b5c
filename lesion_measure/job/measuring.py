"""One child as a task: all that is known of it goes to whoever measures it, and what it comes to is kept.

A task and its result are plain data, so that another process can do it. The results folder keeps what is large.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lesion_measure.batch import Lost, Tell
from lesion_measure.errors import ClusterError, InputError, PixelError
from lesion_measure.files import archive
from lesion_measure.image.cover import Cover
from lesion_measure.image.outlines import Outlines, Use
from lesion_measure.image.read import read_image
from lesion_measure.image.shown import ShownFrames
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.job.child import Job, measure_child
from lesion_measure.job.depends import child_key, files_of, made_by, this_program
from lesion_measure.job.given import Given
from lesion_measure.job.kept import Kept, KeptChild, forget, keep, kept_child
from lesion_measure.job.model import load_model
from lesion_measure.job.nameless import Names
from lesion_measure.job.request import RunRequest
from lesion_measure.records import (
    Caliper,
    Doubt,
    Enrolled,
    ImageLabel,
    Instance,
    Location,
    Provenance,
    Refusal,
    SubjectResult,
    SubjectVisits,
)
from lesion_measure.report import ChildRow, refused_of, write_child
from lesion_measure.report.bodies import FOLDER as BODIES
from lesion_measure.report.bodies import write_bodies
from lesion_measure.report.child import FOLDER as PAGES
from lesion_measure.report.in_short import in_short
from lesion_measure.report.results import ChildLines
from lesion_measure.report.rows import page_name

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildTask:
    """One child with its visits, and what the tables say of it and of its images (by SOP Instance UID).

    ``refused``: what of its files gave no number. ``killed``: how processes ended that read an image, by its UID;
    ``lost``: how those that did something else of it.
    """

    child: SubjectVisits
    calipers: Mapping[str, tuple[Caliper, ...]]
    labels: Mapping[str, ImageLabel]
    enrolled: Enrolled | None
    doubts: tuple[Doubt, ...]
    refused: tuple[Refusal, ...] = ()
    killed: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""

    @property
    def images(self) -> tuple[Instance, ...]:
        """The images of all visits."""
        return tuple(i for studies in self.child.visits.values() for study in studies for i in study.instances)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredChild:
    """What came of a child, as far as all children of a run fit into memory: the rest is kept in the results folder.

    ``row`` is None where there is no result, and ``refusal`` says why. ``short`` is what the cohort's statistics take.
    ``inputs`` is the SHA-256 of each image that was read, by its path; ``outlines`` which of the network's outlines
    it rests on; ``files`` are those of the child in the results folder. ``reused``: an earlier run left it.
    """

    row: ChildRow | None
    short: SubjectResult | None = None
    refusal: Refusal | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outlines: Use = field(default_factory=Use)
    files: tuple[str, ...] = ()
    reused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all children of a run have in common, as plain data.

    ``made_by`` is its hash (`depends.made_by`); ``names`` are left out of what is written, None: none are. ``program``:
    source and versions of what measures (`depends.this_program`).
    """

    request: RunRequest
    bundle: Path | None
    made_by: str
    names: Names | None
    program: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: RunRequest, bundle: Path | None, made: Provenance, names: Names | None) -> Setting:
        """What a run's children have in common; ``made`` names the network and the settings."""
        return cls(
            request=request,
            bundle=bundle if bundle is None else bundle.absolute(),
            made_by=made_by(made, request, names),
            names=names,
            program=this_program(),
        )


def tasks_of(given: Given, enrolled: Mapping[str, Enrolled], refusals: tuple[Refusal, ...]) -> list[ChildTask]:
    """The children of a run, each with what concerns it alone. ``refusals`` are those of the whole run."""
    refused: dict[str | None, list[Refusal]] = {}
    for refusal in refusals:
        refused.setdefault(refusal.subject, []).append(refusal)
    return [_task(child, given, enrolled, tuple(refused.get(child.subject, ()))) for child in given.children]


def _task(
    child: SubjectVisits, given: Given, enrolled: Mapping[str, Enrolled], refused: tuple[Refusal, ...]
) -> ChildTask:
    uids = [i.sop_instance_uid for studies in child.visits.values() for study in studies for i in study.instances]
    return ChildTask(
        child=child,
        calipers={uid: given.calipers[uid] for uid in uids if uid in given.calipers},
        labels={uid: given.labels[uid] for uid in uids if uid in given.labels},
        enrolled=enrolled.get(child.subject),
        doubts=tuple(given.doubts.get(child.subject, ())),
        refused=refused,
    )


def without_lost(lost: Lost[ChildTask]) -> ChildTask:
    """The task without the image that cost a process twice; without anything where no image did."""
    how = f"The process that measured it {lost.how}, twice."
    if lost.part:
        return replace(lost.task, killed={**lost.task.killed, lost.part: how})
    return replace(lost.task, lost=how)


def prepare(setting: Setting) -> Measurer:
    """The work of a process of its own, which loads the network when it meets the first child that needs it."""
    request = replace(setting.request, threads=setting.request.threads or 1)
    return Measurer(setting, lambda: load_model(setting.bundle, request))


def prepare_elsewhere(setting: Setting) -> Measurer:
    """The same, perhaps on another machine: with the same program and libraries, and the folders of the run.

    Raises
    ------
    ClusterError
        They are others.
    """
    here = this_program()
    if other := [name for name, value in setting.program.items() if here.get(name) != value]:
        raise ClusterError(
            f"A worker has another {other[0]} than this program ({here.get(other[0], 'none')}, and not "
            f"{setting.program[other[0]]}).",
            remedy="Install the same versions on every machine of the cluster.",
        )
    for folder in (setting.request.input, setting.request.out):
        if not folder.exists():
            raise ClusterError(
                f"A worker does not find {folder.name}.",
                remedy="Keep input and results in folders that every machine of the cluster has under the same path.",
            )
    return prepare(setting)


class Measurer:
    """Measures children in one process.

    Parameters
    ----------
    setting
        What all of them have in common.
    load
        Gives the network, None where calipers alone measure.
    """

    def __init__(self, setting: Setting, load: Callable[[], Segmenter | None]) -> None:
        self._setting = setting
        self._load = load
        self._loaded: list[Segmenter | None] = []
        self._cover = Cover(setting.request.config.report.blank)

    def __call__(self, task: ChildTask, tell: Tell) -> MeasuredChild:
        """What a child comes to: as an earlier run of the folder left it where nothing that it depends on has changed.

        ``tell`` is told of each image, by its SOP Instance UID.
        """
        if task.lost:
            return MeasuredChild(row=None, refusal=_lost(task))
        out, name = self._setting.request.out, page_name(task.child.subject)
        digests = self._digests(task)
        key = child_key(task, self._setting.made_by, digests) if digests is not None and not task.killed else ""
        taken = _taken(out, name, key) if key else None
        if taken is not None:
            for _ in task.images:
                tell("")
            return taken
        forget(out, name)
        return self._made(task, tell, key, digests or {})

    def _digests(self, task: ChildTask) -> dict[Location, str] | None:
        """SHA-256 of every file of a child; None where one cannot be read, so that nothing is known of the result."""
        limits = self._setting.request.config.limits
        try:
            return {place: archive.sha256(place, limits) for place in dict.fromkeys(files_of(task))}
        except InputError:
            return None

    def _made(self, task: ChildTask, tell: Tell, key: str, digests: Mapping[Location, str]) -> MeasuredChild:
        """The child measured now, and all that is written of it."""
        request, names = self._setting.request, self._setting.names
        outlines = Outlines(request.out)
        with ShownFrames(request.config.limits, cover=self._cover) as shown:
            result, inputs = self._result(task, tell, digests, outlines, shown)
            images = {image.sop_instance_uid: image for image in task.images}
            refused = refused_of(result, task.refused)
            if names is not None:
                own = names.keeping(result)
                result, images, refused = own.within(result), own.within(images), own.within(refused)
                inputs = {names.path(path): digest for path, digest in inputs.items()}

            def picture(uid: str, frame: int) -> NDArray[np.uint8]:
                if uid in task.killed:
                    raise PixelError("The image could not be read.")
                return shown.display(images[uid], frame)

            row = write_child(result, refused, images, picture, request.out, request.config)
            bodies = write_bodies(result, images, request.out)
        child = KeptChild(
            key=key, row=row, inputs=inputs, outlines=tuple(sorted(outlines.use.names)),
            files=_sizes(request.out, row.page, bodies),
        )  # fmt: skip
        return replace(
            _measured(keep(request.out, child, result, ChildLines.of(result, request.config))), outlines=outlines.use
        )

    def _result(
        self, task: ChildTask, tell: Tell, digests: Mapping[Location, str], outlines: Outlines, shown: ShownFrames
    ) -> tuple[SubjectResult, dict[str, str]]:
        """The child's result, and the SHA-256 of each image that was read, by its path."""
        request, subject = self._setting.request, task.child.subject
        if not self._loaded:
            self._loaded.append(self._load())
        (segmenter,) = self._loaded
        read = partial(read_image, segmenter=segmenter, config=request.config, outlines=outlines, shown=shown)

        def one(image: Task) -> ImageReading:
            uid = image.instance.sop_instance_uid
            tell(uid)
            known = digests.get(image.instance.location, "")
            reading = read(replace(image, killed=task.killed.get(uid, ""), sha256=known))
            tell("")
            return reading

        job = Job(
            request, one, "" if segmenter is None else segmenter.name, task.calipers, task.labels,
            {} if task.enrolled is None else {subject: task.enrolled}, {subject: task.doubts},
        )  # fmt: skip
        return measure_child(task.child, job), job.hashes


def _taken(out: Path, name: str, key: str) -> MeasuredChild | None:
    """What an earlier run left of a child, where it is whole and made from the same."""
    kept = kept_child(out, name)
    if kept is None or kept.child.key != key or not _is_whole(out, kept.child):
        return None
    try:
        return _measured(kept, reused=True)
    except ValidationError:
        return None


def _measured(kept: Kept, *, reused: bool = False) -> MeasuredChild:
    child = kept.child
    return MeasuredChild(
        row=child.row,
        short=in_short(kept.rounded()),
        inputs=child.inputs,
        outlines=Use(set(child.outlines)),
        files=tuple(child.files),
        reused=reused,
    )


def _sizes(out: Path, page: str, bodies: list[str]) -> dict[str, int]:
    pages = out / PAGES
    files = [pages / f"{page}.html", *sorted((pages / page).glob("*")), *(out / BODIES / name for name in bodies)]
    return {path.relative_to(out).as_posix(): path.stat().st_size for path in files}


def _is_whole(out: Path, child: KeptChild) -> bool:
    """Whether what was written of a child is still there: its page, pictures and lesions in 3D, and nothing else."""
    ours = re.compile(rf"{PAGES}/{re.escape(child.row.page)}(\.html|/[^/]+)|{BODIES}/{re.escape(child.row.page)}_[^/]+")
    if not all(ours.fullmatch(path) for path in child.files):
        return False
    try:
        return all((out / path).stat().st_size == size for path, size in child.files.items())
    except OSError:
        return False


def _lost(task: ChildTask) -> Refusal:
    return Refusal(
        code="process_killed",
        reason=f"This child was not measured. {task.lost}",
        remedy="Run again with --jobs 1, or on a machine with more memory.",
        subject=task.child.subject,
    )
