"""The calipers that are burnt into images: for the command ``calipers``, and as a reader's in a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from lesion_measure.burnt_in import ocr
from lesion_measure.burnt_in.found import BurntInCaliper, BurntInFrame
from lesion_measure.burnt_in.read import Seen, read_frames
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError, check_extra
from lesion_measure.job.inventory import only_image
from lesion_measure.records import (
    RESCALED,
    Drawing,
    Drawings,
    DrawnObject,
    Instance,
    ObjectKind,
    Origin,
    Refusal,
    Sight,
    Study,
    StudyList,
)

_STILL_PX = 1.0
"""Calipers of two frames nearer than this are one, which stays on the screen while the frames change."""
_LOOK = "Look at the image, and give the caliper in a table if it is right."


def burnt_in_calipers(path: Path, frame: int | None, config: Config) -> Iterator[BurntInFrame]:
    """Each frame of an image, or one of them. Its depth scale is held against the stated one as well.

    Parameters
    ----------
    path
        A file or folder that holds one image.
    frame
        Number of the frame, from 1; None for all.
    config
        All settings.

    Raises
    ------
    InputError
        There is no or more than one image, no such frame, or one cannot be decoded.
    """
    instance = only_image(path, frame or 1, config)
    with OpenImage(instance, config.limits) as image:
        numbers = range(1, instance.frames + 1) if frame is None else (frame,)
        yield from read_frames(image, numbers, config, ticks=True)


def with_burnt_in(studies: StudyList, config: Config, seen: Seen | None = None) -> StudyList:
    """The studies of an input, with the calipers in the pixels of each image as those of an object beside it.

    A caliper counts where its length agrees with the value printed for it. One that differs is refused, and so asks for
    review; one without a value is listed. Where all differ by one factor, every size on the image says so.
    ``seen`` is as of `read_frames`.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """
    check_extra("read", ocr.PACKAGES, "The reader of text")
    objects: list[DrawnObject] = []
    read: list[Study] = []
    for study in studies:
        instances = []
        for instance in study.instances:
            frames = _frames_of(instance, config, seen)
            drawn = _drawn_on(instance, frames)
            if drawn is not None:
                objects.append(drawn)
            instances.append(_with_rescaling_warning(_with_printed(instance, frames), frames))
        read.append(replace(study, instances=tuple(instances)))
    return replace(studies, studies=tuple(read), objects=(*studies.objects, *objects))


def _frames_of(instance: Instance, config: Config, seen: Seen | None) -> list[BurntInFrame]:
    """What is burnt into each frame; nothing where one cannot be decoded, which the image's measuring tells."""
    try:
        with OpenImage(instance, config.limits) as image:
            return list(read_frames(image, range(1, instance.frames + 1), config, ticks=False, seen=seen))
    except InputError:
        return []


def _with_printed(instance: Instance, frames: list[BurntInFrame]) -> Instance:
    """An image with the places of printed values that may be shown: those of calipers, with no word but a usual one."""
    places = [
        (frame.frame, caliper.printed_at)
        for frame in frames
        for caliper in frame.calipers
        if caliper.printed_at is not None
    ]
    return replace(instance, printed_at=tuple(dict.fromkeys(places))) if places else instance


def _with_rescaling_warning(instance: Instance, frames: list[BurntInFrame]) -> Instance:
    """An image that was enlarged after it was measured, with a warning of that for all its sizes."""
    factor = next((frame.scale_factor for frame in frames if frame.scale_factor is not None), None)
    if factor is None:
        return instance
    warning = (
        f"{RESCALED}: the picture is {factor:.3g} times as large as the stated scale has it, by what is printed and "
        "drawn on it beside its calipers."
    )
    return replace(instance, warnings=(*instance.warnings, warning))


def _drawn_on(instance: Instance, frames: list[BurntInFrame]) -> DrawnObject | None:
    """What is burnt into an image; None where nothing is."""
    calipers = _each_once([caliper for frame in frames for caliper in frame.calipers])
    if not calipers:
        return None
    return DrawnObject(
        path=instance.path,
        location=instance.location,
        kind=ObjectKind.BURNT_IN,
        sop_instance_uid=instance.sop_instance_uid,
        study_instance_uid=instance.study_instance_uid,
        subject=instance.subject,
        patient=instance.patient,
        drawings=Drawings(
            drawn=tuple(_drawing(caliper, instance) for caliper in calipers if caliper.agrees),
            refusals=tuple(_differs(caliper, instance) for caliper in calipers if caliper.agrees is False),
            listed=tuple(_unchecked(caliper, instance) for caliper in calipers if caliper.agrees is None),
        ),
    )


def _each_once(calipers: list[BurntInCaliper]) -> list[BurntInCaliper]:
    """Without those that stand where one of an earlier frame does."""
    kept: list[BurntInCaliper] = []
    for caliper in calipers:
        here = np.array(caliper.points)
        if not any(np.abs(np.array(other.points) - here).max() <= _STILL_PX for other in kept):
            kept.append(caliper)
    return kept


def _drawing(caliper: BurntInCaliper, instance: Instance) -> Drawing:
    return Drawing(
        image_uid=instance.sop_instance_uid,
        frame=caliper.frame,
        points=caliper.points,
        axis=None,
        lesion="",
        group="",
        reader=ObjectKind.BURNT_IN.value,
        origin=Origin(
            kind=ObjectKind.BURNT_IN,
            path=instance.path,
            sop_instance_uid=instance.sop_instance_uid,
            item=f"pixels of frame {caliper.frame}" + (f": {caliper.label}" if caliper.label else ""),
            stated="" if caliper.printed_mm is None else f"{caliper.printed_mm:g} mm",
            stated_mm=caliper.printed_mm,
            printed_at=caliper.printed_at,
        ),
    )


def _differs(caliper: BurntInCaliper, instance: Instance) -> Refusal:
    refused = _refusal(
        instance,
        "burnt_in_differs",
        f"A caliper in the pixels of frame {caliper.frame} is {caliper.length_mm:.1f} mm long by the image's scale, "
        f"and {caliper.printed_mm:g} mm is printed for it.",
        "Export the scanner's own image if its scale may be wrong; 'lesion-measure calipers' lists both.",
    )
    return replace(refused, sight=Sight(frame=caliper.frame, lines=(caliper.points,)))


def _unchecked(caliper: BurntInCaliper, instance: Instance) -> Refusal:
    why = "the image has no scale" if caliper.length_mm is None else "no value was read for it"
    return _refusal(
        instance, "burnt_in_unchecked", f"A caliper in the pixels of frame {caliper.frame} is not used: {why}.", _LOOK
    )


def _refusal(instance: Instance, code: str, reason: str, remedy: str) -> Refusal:
    return Refusal(
        code=code,
        reason=reason,
        remedy=remedy,
        path=instance.path,
        sop_instance_uid=instance.sop_instance_uid,
        subject=instance.subject,
    )
