"""What is said of an image that gives no number: the refusals of `read`, with whose image it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesion_measure.config import Config, apart
from lesion_measure.errors import InputError, LesionMeasureError, MeasurementError
from lesion_measure.image.automatic import Findings
from lesion_measure.image.measured import no_such_frame
from lesion_measure.image.task import Task
from lesion_measure.records import Caliper, Refusal

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter


def refusal_of(task: Task, error: LesionMeasureError, lesion: str | None = None) -> Refusal:
    """An expected error of one image, or of one lesion on it."""
    return Refusal.from_error(
        error,
        path=task.instance.path,
        sop_instance_uid=task.instance.sop_instance_uid,
        subject=task.subject,
        visit=task.visit,
        lesion=lesion,
    )


def process_killed(task: Task) -> InputError:
    """The image cost the process that read it."""
    return InputError(
        f"The image could not be read. {task.killed}",
        remedy="Look whether the file is damaged; else run on a machine with more memory.",
        code="process_killed",
    )


def meant_for_another(task: Task, caliper: Caliper) -> Refusal:
    """A statement about a frame that the image does not have was meant for another image."""
    error = no_such_frame(task.instance, caliper.frame, f"Caliper row {caliper.row_number}")
    return refusal_of(task, error, caliper.lesion)


def lesion_and_none(task: Task, none: Caliper, drawn: Caliper) -> Refusal:
    """A reader drew a lesion on an image of which the same or another reader says that it shows none."""
    error = MeasurementError(
        f"{none.reader} saw no lesion on this image, and {drawn.reader} drew {drawn.lesion} on it.",
        remedy="Name the reader who counts (calipers.reader), or take one of the two rows away.",
        code="lesion_and_none",
    )
    return refusal_of(task, error)


def not_assessable(task: Task, caliper: Caliper) -> Refusal:
    """A reader looked, and the image does not tell the lesion's size."""
    who = f", says {caliper.reader}" if caliper.reader else ""  # a reader need not be told of their own words
    error = MeasurementError(
        f"{caliper.lesion} has no size on this image{who}: {caliper.reason.rstrip('.')}.",
        remedy="Read the lesion on another image or frame of the visit, if one shows it.",
        code="not_assessable",
    )
    return refusal_of(task, error, caliper.lesion)


def unsure(task: Task, findings: Findings, segmenter: Segmenter, config: Config) -> Refusal:
    """The network is sure enough of none of its proposals."""
    limit = config.segment.min_confidence
    least = segmenter.threshold if limit is None else limit
    count = len(findings.unsure)
    sure, asked = apart(max(proposal.confidence for proposal in findings.unsure), least)
    proposals = "a lesion" if count == 1 else f"{count} lesions"
    reason = f"{segmenter.name} proposes {proposals} with a confidence of up to {sure}; "
    if least > 1:
        reason += f"it accepts no automatic outline{segmenter.settings.confidence.automatic.why_never}."
    else:
        reason += f"it takes {asked} to be accepted."
    return _look_again(task, "unsure", reason)


def nothing_found(task: Task, findings: Findings, segmenter: Segmenter) -> Refusal:
    """The network proposes nothing on any frame that it looked at."""
    looked = "1 frame" if findings.frames == 1 else f"{findings.frames} frames"
    return _look_again(
        task, "nothing_found", f"{segmenter.name} finds no lesion on {looked}; that does not mean there is none."
    )


def _look_again(task: Task, code: str, reason: str) -> Refusal:
    return Refusal(
        code=code,
        reason=reason,
        remedy="Place calipers on the lesion, or state that it is absent (lesion-measure help calipers).",
        path=task.instance.path,
        sop_instance_uid=task.instance.sop_instance_uid,
        subject=task.subject,
        visit=task.visit,
        lesion=task.label.lesion or None,
    )
