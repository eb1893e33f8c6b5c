"""What readers drew on one image and what they stated of it, in mm; what cannot be measured is a doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config, Limits
from lesion_measure.dicom.objects.segmentation import read_stored_mask
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import CalibrationError, InputError, MeasurementError
from lesion_measure.image.beam import MOSTLY, Beam
from lesion_measure.image.caliper_pairs import caliper_points, measured_by_calipers, pair_axes
from lesion_measure.image.masks import read_mask
from lesion_measure.image.orientation import plane_of
from lesion_measure.image.reader_outline import can_be_measured, contour_mask, measured_by_outline, owner
from lesion_measure.image.refusals import lesion_and_none, meant_for_another, not_assessable, refusal_of
from lesion_measure.image.stated import against_stated
from lesion_measure.image.task import ImageReading, Length, Task
from lesion_measure.image.volumes.files import SUFFIXES
from lesion_measure.image.volumes.masks import read_volume_mask
from lesion_measure.measure import caliper_length_mm
from lesion_measure.records import (
    Axis,
    Caliper,
    CaliperPair,
    Doubt,
    Instance,
    PlaneMeasurement,
    StoredMask,
    shown_name,
)

LOOK = "Look at the caliper in the report; export the scanner's own image if its scale may be wrong."


def statements(task: Task, config: Config) -> ImageReading:
    """What readers state without drawing it."""
    stated = [c for c in task.calipers if not c.axis.is_drawn]
    there = [c for c in stated if c.frame <= task.instance.frames]
    unassessed = [c for c in there if c.axis is Axis.NOT_ASSESSABLE]
    none_seen = counting([c for c in there if c.axis is Axis.NO_LESION], config)
    drawn = counting([c for c in task.calipers if c.axis.is_drawn], config)
    return ImageReading(
        absent=[c for c in there if c.axis is Axis.ABSENT],
        unassessed=unassessed,
        none_seen=none_seen,
        doubts=[
            *(Doubt(meant_for_another(task, c)) for c in stated if c not in there),
            *(Doubt(not_assessable(task, c), seen=True) for c in unassessed),
            *(Doubt(lesion_and_none(task, none_seen[0], c)) for c in drawn[:1] if none_seen),
        ],
    )


def not_read(task: Task, reading: ImageReading) -> list[str]:
    """Lesions that a reader drew on the image, of which nothing is known yet: neither sizes nor why they have none."""
    known = {p.lesion for p in reading.caliper} | {d.refusal.lesion for d in reading.doubts if d.seen}
    return list(dict.fromkeys(c.lesion for c in task.calipers if c.axis.is_drawn and c.lesion not in known))


def counting(rows: Sequence[Caliper], config: Config) -> list[Caliper]:
    """The rows whose loss may change a verdict: those of the reader who counts, where one is named.

    None where the network alone measures.
    """
    if config.segment.policy == "model_only":
        return []
    return config.calipers.counting(rows)


def read_calipers(task: Task, image: OpenImage, config: Config, beam: Beam, reading: ImageReading) -> None:
    """Measure every pair of calipers on the image.

    Parameters
    ----------
    task, image
        The image and what is known of it, and its open file.
    config, beam
        All settings; where the beam has reached.
    reading
        Is added to.
    """
    uid = task.instance.sop_instance_uid
    pairs, refusals = pair_axes(uid, task.calipers, subject=task.subject, visit=task.visit)
    reading.doubts += [Doubt(refusal, seen=True) for refusal in refusals]
    for pair in pairs:
        scale = calibrate_at(task.instance, caliper_points(pair), config.calibration)
        try:
            known = plane_of(task.instance, task.label, pair.plane, settings=config.planes)
            plane = measured_by_calipers(task.instance, replace(pair, plane=known.plane), scale, config.uncertainty)
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


def read_outlines(task: Task, image: OpenImage, config: Config, beam: Beam, reading: ImageReading) -> None:
    """Measure the lesions and the liver that a reader outlined, by mask or contour.

    Parameters
    ----------
    task, image, config, beam, reading
        As of `read_calipers`.
    """
    for row in task.calipers:
        if row.axis is not Axis.OUTLINE:
            continue
        try:
            known = plane_of(task.instance, task.label, row.plane, settings=config.planes)
            plane = measured_by_outline(
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
