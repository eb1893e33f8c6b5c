"""One image of a visit: what its calipers say and what the network outlines, in mm. Part of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.dicom.colour import Frame
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import CalibrationError, InputError, LesionMeasureError, OutputError
from lesion_measure.files import archive
from lesion_measure.image.beam import Beam
from lesion_measure.image.by_network import read_network
from lesion_measure.image.by_reader import not_read, read_calipers, read_outlines, statements
from lesion_measure.image.pictures import with_picture
from lesion_measure.image.refusals import process_killed, refusal_of
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.measure.appearance import with_appearance
from lesion_measure.records import (
    Calibration,
    Doubt,
    Refusal,
    Sight,
    shown_name,
)

if TYPE_CHECKING:
    from lesion_measure.image.outlines import Outlines
    from lesion_measure.image.shown import ShownFrames
    from lesion_measure.network import Segmenter

_Pixels = TypeVar("_Pixels", bound=NDArray[Any])


def read_image(
    task: Task, segmenter: Segmenter | None, config: Config, outlines: Outlines, shown: ShownFrames
) -> ImageReading:
    """Measure one image by calipers and by network.

    What ends an image becomes a refusal here; what ends one drawing, in `by_reader`.

    Parameters
    ----------
    task
        The image and what is known of it.
    segmenter
        The loaded model bundle; None where calipers alone measure.
    config, outlines
        Settings; the outlines that are kept in the results folder.
    shown
        Keeps the frames that the report may show.
    """
    config = config.with_calipers(config.calipers.counted_by(task.counts))
    with OpenImage(task.instance, config.limits) as image:
        beam = Beam(image, config)
        network = None if segmenter is None else partial(read_network, task, image, segmenter, beam, config, outlines)
        reading = _read(
            task, image, beam, config, partial(archive.sha256, task.instance.location, config.limits), network
        )
        shown.keep(image, _to_show(task, reading))
    return reading


def read_drawings(task: Task, image: OpenImage, beam: Beam, config: Config, digest: Callable[[], str]) -> ImageReading:
    """What a run without a network reads of an image that is open already.

    Parameters
    ----------
    task
        The image and what is known of it.
    image, beam
        The open image, and its insonated areas.
    config
        Settings.
    digest
        Gives the SHA-256 of the file's bytes, or raises an InputError where they cannot be read to their end.
    """
    return _read(task, image, beam, config, digest, None)


def _read(
    task: Task,
    image: OpenImage,
    beam: Beam,
    config: Config,
    digest: Callable[[], str],
    network: Callable[[Calibration, ImageReading], None] | None,
) -> ImageReading:
    reading = statements(task, config)
    scale = calibrate(task.instance, config.calibration)
    try:
        reading.sha256 = task.sha256 or digest()
        if task.killed:
            raise process_killed(task)
        if scale.refusal is not None:
            raise CalibrationError(scale.refusal.reason, remedy=scale.refusal.remedy, code=scale.refusal.code)
        read_calipers(task, image, config, beam, reading)
        read_outlines(task, image, config, beam, reading)
        if network is not None and not reading.none_seen:  # a reader's statement stands, whatever it would outline
            network(scale, reading)
        if network is not None or task.unnamed:
            _add_appearance(image, scale, reading)
        _add_pictures(image, scale, reading)
        if config.calibration.depth_scale:
            _warn(image, scale, reading)
    except OutputError:
        raise  # the whole run's, not this image's
    except LesionMeasureError as error:
        lost = not_read(task, reading)
        reading.doubts += [Doubt(refusal_of(task, error, shown_name(lesion)), seen=True) for lesion in lost]
        reading.refusals += [] if lost else [refusal_of(task, error)]
    _show(task, scale, reading)
    return reading


def _warn(image: OpenImage, scale: Calibration, reading: ImageReading) -> None:
    """To each size of an image what the picture itself says against its scale."""
    from lesion_measure.burnt_in.witness import depth_scale_warning

    if (warning := depth_scale_warning(image, scale)) is not None:
        reading.model = [replace(plane, warnings=(*plane.warnings, warning)) for plane in reading.model]
        reading.caliper = [replace(plane, warnings=(*plane.warnings, warning)) for plane in reading.caliper]


def _show(task: Task, scale: Calibration, reading: ImageReading) -> None:
    """To each refusal of the image its frame with the reader's lines, where it is not said yet what to look at."""

    def seen(refusal: Refusal) -> Refusal:
        return refusal if refusal.sight else replace(refusal, sight=_drawn(task, scale, refusal.lesion))

    reading.refusals = [seen(refusal) for refusal in reading.refusals]
    reading.doubts = [replace(doubt, refusal=seen(doubt.refusal)) for doubt in reading.doubts]


def _drawn(task: Task, scale: Calibration, lesion: str | None) -> Sight:
    """The first frame on which a reader drew this lesion (any, where none is named), else the first one."""
    rows = [(c.frame, (c.start, c.end)) for c in task.calipers if c.start and c.end and lesion in (None, c.lesion)]
    frame = min((frame for frame, _ in rows if frame <= task.instance.frames), default=1)
    lines = tuple((start, end) for on, (start, end) in rows if on == frame and start and end)
    return Sight(frame=frame, lines=lines, spacing_mm=scale.spacing_mm)


def _to_show(task: Task, reading: ImageReading) -> list[int]:
    """The frames that were measured, those to look at, and all that a body was cut through."""
    planes = [*reading.model, *reading.caliper]
    if any(plane.body for plane in planes):
        return list(range(1, task.instance.frames + 1))
    refusals = [*reading.refusals, *(d.refusal for d in reading.doubts), *([reading.empty] if reading.empty else [])]
    return sorted({*(plane.frame for plane in planes), *(r.sight.frame for r in refusals if r.sight)})


def _add_pictures(image: OpenImage, scale: Calibration, reading: ImageReading) -> None:
    """Which picture each size was taken from."""
    pixels = _where_decoded(image, lambda frame: frame.pixels)
    reading.model, reading.caliper = (
        with_picture(planes, scale.regions, pixels) for planes in (reading.model, reading.caliper)
    )


def _add_appearance(image: OpenImage, scale: Calibration, reading: ImageReading) -> None:
    """Where lesions lie and how they look; needed where the network or a reader drew some that nobody named."""
    luminance = _where_decoded(image, Frame.luminance)
    reading.model, reading.caliper = (
        with_appearance(planes, scale.regions, luminance) for planes in (reading.model, reading.caliper)
    )


def _where_decoded(image: OpenImage, told: Callable[[Frame], _Pixels]) -> Callable[[int], _Pixels | None]:
    """What is told of a frame, by its number; None where it cannot be decoded.

    A caliper's length holds without its pixels, and says that they cannot be shown.
    """

    def of(number: int) -> _Pixels | None:
        try:
            return told(image.frame(number))
        except InputError:
            return None

    return of
