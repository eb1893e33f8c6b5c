"""One image of a visit: what its calipers say and what the network outlines, in mm. Part of the pipeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.config import Config, Limits
from lesion_measure.dicom.objects.segmentation import read_stored_mask
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import CalibrationError, InputError, LesionMeasureError, MeasurementError, OutputError
from lesion_measure.files import archive
from lesion_measure.image.automatic import Findings, look
from lesion_measure.image.beam import MOSTLY, Beam
from lesion_measure.image.caliper_pairs import pair_axes
from lesion_measure.image.masks import read_mask
from lesion_measure.image.orientation import plane_of
from lesion_measure.image.plane import caliper_points, plane_from_calipers
from lesion_measure.image.prompted import with_outlines
from lesion_measure.image.reader_mask import can_be_measured, contour_mask, owner, plane_from_outline
from lesion_measure.image.refusals import meant_for_another, not_assessable, nothing_found, refusal_of, unsure
from lesion_measure.image.stated import against_stated
from lesion_measure.image.traced import Length
from lesion_measure.image.volumes.files import SUFFIXES
from lesion_measure.image.volumes.masks import read_volume_mask
from lesion_measure.measure import caliper_length_mm
from lesion_measure.measure.appearance import with_appearance
from lesion_measure.records import (
    Axis,
    Calibration,
    Caliper,
    CaliperPair,
    Doubt,
    ImageLabel,
    Instance,
    Look,
    Plane,
    PlaneMeasurement,
    Refusal,
    Sight,
    StoredMask,
    is_liver,
    shown_name,
)

if TYPE_CHECKING:
    from lesion_measure.image.outlines import Outlines
    from lesion_measure.image.shown import ShownFrames
    from lesion_measure.network import Segmenter


LOOK = "Look at the caliper in the report; export the scanner's own image if its scale may be wrong."
LIVER_WORDS = frozenset(["liver", "hepatic", "hepar", "leber", "foie", "higado", "hígado", "fegato", "hepatis"])
"""Words by which a header names the organ, of those that `studies.attributes` lets pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One image and all that is known about it before it is looked at.

    ``unnamed``: the child has unnamed drawings. ``signed``: somebody has signed what the calipers measure, so that the
    network adds nothing to them.
    """

    instance: Instance
    subject: str
    visit: str
    label: ImageLabel
    calipers: Sequence[Caliper]
    unnamed: bool = False
    signed: bool = False


@dataclass(slots=True)
class ImageReading:
    """Planes by model and by caliper, what readers state besides, and why other numbers are missing.

    ``absent`` are the lesions that are gone, ``unassessed`` those whose size the image does not tell.

    ``sha256`` is that of the file's bytes, empty where they could not be read to their end.
    ``empty`` says that the network found nothing on this image: a reason for review only where the visit has no other
    measurement, or where the manifest says that a lesion is to be seen. ``seen`` is how the network looked, None where
    it did not. ``doubts`` are the readers' rows that gave no number, or one to look at, each with its reason.
    ``lengths`` are those of the single calipers.
    """

    model: list[PlaneMeasurement] = field(default_factory=list)
    caliper: list[PlaneMeasurement] = field(default_factory=list)
    absent: list[Caliper] = field(default_factory=list)
    unassessed: list[Caliper] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    empty: Refusal | None = None
    seen: Look | None = None
    sha256: str = ""
    lengths: list[Length] = field(default_factory=list)


def read_image(
    task: Task, segmenter: Segmenter | None, config: Config, outlines: Outlines, shown: ShownFrames
) -> ImageReading:
    """Measure one image by calipers and by network. Expected errors become refusals here, and nowhere else in a run.

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
    with OpenImage(task.instance, config.limits) as image:
        beam = Beam(image, config)
        network = None if segmenter is None else partial(_read_network, task, image, segmenter, beam, config, outlines)
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


def _statements(task: Task) -> ImageReading:
    """What readers state without drawing it."""
    stated = [c for c in task.calipers if not c.axis.is_drawn]
    there = [c for c in stated if c.frame <= task.instance.frames]
    unassessed = [c for c in there if c.axis is Axis.NOT_ASSESSABLE]
    return ImageReading(
        absent=[c for c in there if c.axis is Axis.ABSENT],
        unassessed=unassessed,
        doubts=[
            *(Doubt(meant_for_another(task, c)) for c in stated if c not in there),
            *(Doubt(not_assessable(task, c), seen=True) for c in unassessed),
        ],
    )


def _to_show(task: Task, reading: ImageReading) -> list[int]:
    """The frames that were measured, those to look at, and all that a body was cut through."""
    planes = [*reading.model, *reading.caliper]
    if any(plane.body for plane in planes):
        return list(range(1, task.instance.frames + 1))
    refusals = [*reading.refusals, *(d.refusal for d in reading.doubts), *([reading.empty] if reading.empty else [])]
    return sorted({*(plane.frame for plane in planes), *(r.sight.frame for r in refusals if r.sight)})


def _read(
    task: Task,
    image: OpenImage,
    beam: Beam,
    config: Config,
    digest: Callable[[], str],
    network: Callable[[Calibration, ImageReading], None] | None,
) -> ImageReading:
    reading = _statements(task)
    scale = calibrate(task.instance, config.calibration)
    try:
        reading.sha256 = digest()
        if scale.refusal is not None:
            raise CalibrationError(scale.refusal.reason, remedy=scale.refusal.remedy, code=scale.refusal.code)
        _read_calipers(task, image, config, beam, reading)
        _read_outlines(task, image, config, beam, reading)
        if network is not None:
            network(scale, reading)
        if network is not None or task.unnamed:
            _add_appearance(image, scale, reading)
    except OutputError:
        raise  # the whole run's, not this image's
    except LesionMeasureError as error:
        lost = _not_read(task, reading)
        reading.doubts += [Doubt(refusal_of(task, error, shown_name(lesion)), seen=True) for lesion in lost]
        reading.refusals += [] if lost else [refusal_of(task, error)]
    _show(task, scale, reading)
    return reading


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


def _not_read(task: Task, reading: ImageReading) -> list[str]:
    """Lesions that a reader drew on the image, of which nothing is known yet: neither sizes nor why they have none."""
    known = {p.lesion for p in reading.caliper} | {d.refusal.lesion for d in reading.doubts if d.seen}
    return list(dict.fromkeys(c.lesion for c in task.calipers if c.axis.is_drawn and c.lesion not in known))


def counting(rows: Sequence[Caliper], config: Config) -> list[Caliper]:
    """The rows whose loss may change a verdict: those of the reader who counts, where one is named.

    None where the network alone measures.
    """
    if config.segment.policy == "model_only":
        return []
    return [row for row in rows if config.calipers.reader in (None, row.reader)]


def _read_calipers(task: Task, image: OpenImage, config: Config, beam: Beam, reading: ImageReading) -> None:
    uid = task.instance.sop_instance_uid
    pairs, refusals = pair_axes(uid, task.calipers, subject=task.subject, visit=task.visit)
    reading.doubts += [Doubt(refusal, seen=True) for refusal in refusals]
    for pair in pairs:
        scale = calibrate_at(task.instance, caliper_points(pair), config.calibration)
        try:
            known = plane_of(task.instance, task.label, pair.plane, settings=config.planes)
            plane = plane_from_calipers(task.instance, replace(pair, plane=known.plane), scale, config.uncertainty)
            reached = () if scale.region is None else beam.check(caliper_points(pair), scale.region)
        except (CalibrationError, MeasurementError) as error:
            reading.doubts.append(Doubt(refusal_of(task, error, shown_name(pair.lesion)), seen=True))
        else:
            said = _lengths(task, pair, plane, config, reading)
            seen = (*known.warnings, *(_undecodable(image, pair.frame) or reached), *said)
            reading.caliper.append(replace(plane, plane_source=known.source, warnings=(*plane.warnings, *seen)))


def _lengths(
    task: Task, pair: CaliperPair, plane: PlaneMeasurement, config: Config, reading: ImageReading
) -> list[str]:
    """Note what each caliper of a pair measures; what there is to say of it, and of what its object states.

    Parameters
    ----------
    task, pair, plane
        The image, the calipers, and what they gave.
    config
        All settings; ``calipers.reader`` counts.
    reading
        Is added to.
    """
    said: list[str] = []
    for caliper in (pair.long, pair.short):
        if caliper is None or caliper.start is None or caliper.end is None:
            continue
        said += caliper.warnings
        length = caliper_length_mm(caliper.start, caliper.end, plane.spacing_mm)
        reading.lengths.append(Length(caliper, plane.plane, length))
        stated = against_stated(caliper, length, plane.spacing_mm)
        said += [stated.warning] if stated.warning else []
        if stated.asks and counting([caliper], config):
            error = MeasurementError(f"{stated.warning}.", remedy=LOOK, code="stated_length_differs")
            reading.doubts.append(Doubt(refusal_of(task, error, shown_name(pair.lesion))))
    return said


def _read_outlines(task: Task, image: OpenImage, config: Config, beam: Beam, reading: ImageReading) -> None:
    """Lesions and the liver, where a reader outlined them in mask files."""
    for row in task.calipers:
        if row.axis is not Axis.OUTLINE:
            continue
        try:
            known = plane_of(task.instance, task.label, row.plane, settings=config.planes)
            plane = plane_from_outline(
                task.instance,
                row,
                None if can_be_measured(row.contour) else _mask(row, task.instance, config.limits),
                lambda points: calibrate_at(task.instance, points, config.calibration),
                known.plane,
                config.uncertainty,
            )
            _refuse_dark(task, plane, beam, config)
        except (InputError, CalibrationError, MeasurementError) as error:
            reading.doubts.append(Doubt(refusal_of(task, error, shown_name(row.lesion)), seen=True))
        else:
            outline = () if plane.outline_px is None else tuple((float(r), float(c)) for r, c in plane.outline_px[:-1])
            reading.lengths.append(Length(row, plane.plane, plane.long_axis_mm.value, outline))
            seen = (*known.warnings, *_undecodable(image, row.frame), *row.warnings)
            reading.caliper.append(replace(plane, plane_source=known.source, warnings=(*plane.warnings, *seen)))


def _refuse_dark(task: Task, plane: PlaneMeasurement, beam: Beam, config: Config) -> None:
    """A liver or lesion goes on beyond the sector, its outline at times with it; most of it may not lie there."""
    outline = [(float(row), float(col)) for row, col in np.asarray(plane.outline_px)[::8]]
    region = calibrate_at(task.instance, outline, config.calibration).region
    if region is not None and beam.share_outside(outline, region) > MOSTLY:
        raise MeasurementError(
            f"Most of {owner(plane.lesion, begins=False)} outline lies outside of the insonated area, "
            "where there is no picture.",
            remedy="Check that the mask was drawn on this image, with rows and columns in its order.",
            code="not_insonated",
            path=task.instance.path,
        )


def _mask(row: Caliper, image: Instance, limits: Limits) -> NDArray[np.bool_]:
    if row.contour:
        return contour_mask(row.contour, image)
    path, frames = row.mask or Path(), image.frames
    try:
        if isinstance(path, StoredMask):
            return read_stored_mask(path, limits)
        if path.name.lower().endswith(SUFFIXES):
            return read_volume_mask(path, frame=min(row.frame, frames), frames=frames)
        return read_mask(path)
    except InputError as error:  # the refusal is the image's, so that the words name the file
        raise InputError(
            f"{owner(row.lesion)} mask {path.name}: {error.reason}", remedy=error.remedy, code="mask", path=path.name
        ) from error


def _undecodable(image: OpenImage, frame: int) -> tuple[str, ...]:
    """A warning where the pixels under a caliper cannot be decoded: the length holds, but nobody can look at it.

    What is decoded here is the picture that the report shows.
    """
    try:
        image.frame(frame)
    except InputError as error:
        return (f"the picture cannot be shown: {error.reason}",)
    return ()


def _read_network(
    task: Task,
    image: OpenImage,
    segmenter: Segmenter,
    beam: Beam,
    config: Config,
    outlines: Outlines,
    scale: Calibration,
    reading: ImageReading,
) -> None:
    """What the network adds to the calipers, and what it finds by itself."""
    if config.segment.policy != "model_only" and not task.signed:  # the first takes no number from calipers
        lesions = [c for c in reading.caliper if not is_liver(c.lesion)]  # the network knows lesions alone
        organ = [c for c in reading.caliper if is_liver(c.lesion)]
        outlined = with_outlines(image, lesions, segmenter, sha256=reading.sha256, config=config, outlines=outlines)
        reading.caliper = [*organ, *outlined]
    _read_model(task, image, segmenter, scale, beam, config, outlines, reading)


def _read_model(
    task: Task,
    image: OpenImage,
    segmenter: Segmenter,
    scale: Calibration,
    beam: Beam,
    config: Config,
    outlines: Outlines,
    reading: ImageReading,
) -> None:
    of_liver = [c for c in task.calipers if c.axis is Axis.OUTLINE and is_liver(c.lesion)]
    drawn = sorted({c.frame for c in task.calipers if c.axis.is_drawn and c not in of_liver})
    known = plane_of(task.instance, task.label, settings=config.planes)
    findings = look(
        image,
        scale,
        segmenter,
        sha256=reading.sha256,
        plane=known.plane,
        drawn=drawn,
        beam=beam,
        config=config,
        outlines=outlines,
    )
    reading.model += [
        replace(plane, plane_source=known.source, warnings=(*plane.warnings, *known.warnings))
        for plane in findings.planes
    ]
    reading.refusals += [refusal_of(task, error) for error in findings.errors]
    reading.seen = _seen(task, known.plane, scale, findings)
    if task.calipers:
        return  # a reader has looked at this image
    if findings.unsure:
        best = max(findings.unsure, key=lambda proposal: proposal.confidence).frame
        sight = Sight(
            frame=best,
            frames=findings.frames,
            spacing_mm=scale.spacing_mm,
            outlines=tuple(proposal.outline_px for proposal in findings.unsure if proposal.frame == best),
        )
        reading.refusals.append(replace(unsure(task, findings, segmenter, config), sight=sight))
    elif not findings.planes:
        sight = Sight(frame=findings.shown, frames=findings.frames, spacing_mm=scale.spacing_mm)
        reading.empty = replace(nothing_found(task, findings, segmenter), sight=sight)


def _seen(task: Task, plane: Plane, scale: Calibration, findings: Findings) -> Look:
    fields = [
        ((r.row_max - r.row_min + 1) * r.spacing_mm[0], (r.col_max - r.col_min + 1) * r.spacing_mm[1])
        for r in scale.regions
    ]
    words = set(re.findall(r"[^\W\d_]+", task.instance.view.casefold()))
    return Look(
        path=task.instance.path,
        plane=plane,
        frames=task.instance.frames,
        looked_at=findings.frames,
        drawn=findings.drawn,
        field_mm=max(fields, key=lambda field: field[0] * field[1]),
        liver=bool(words & LIVER_WORDS),
        shows=task.label.lesion,
    )


def _add_appearance(image: OpenImage, scale: Calibration, reading: ImageReading) -> None:
    """Where lesions lie and how they look; needed where the network or a reader drew some that nobody named."""

    def luminance(frame: int) -> NDArray[np.uint8] | None:
        try:
            return image.frame(frame).luminance()
        except InputError:
            return None  # a caliper's length holds without its pixels, and says that they cannot be shown

    reading.model, reading.caliper = (
        with_appearance(planes, scale.regions, luminance) for planes in (reading.model, reading.caliper)
    )
