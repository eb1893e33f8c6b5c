"""What the network adds to a reader's calipers on one image, and what it finds by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.automatic import Findings, look
from lesion_measure.image.beam import Beam
from lesion_measure.image.orientation import plane_of
from lesion_measure.image.prompted import with_outlines
from lesion_measure.image.refusals import nothing_found, refusal_of, unsure
from lesion_measure.image.task import ImageReading, Task
from lesion_measure.records import (
    Axis,
    Calibration,
    Look,
    Plane,
    Sight,
    is_liver,
)

if TYPE_CHECKING:
    from lesion_measure.image.outlines import Outlines
    from lesion_measure.network import Segmenter


LIVER_WORDS = frozenset(["liver", "hepatic", "hepar", "leber", "foie", "higado", "hígado", "fegato", "hepatis"])
"""Words by which a header names the organ, of those that `studies.attributes` lets pass."""


def read_network(
    task: Task,
    image: OpenImage,
    segmenter: Segmenter,
    beam: Beam,
    config: Config,
    outlines: Outlines,
    scale: Calibration,
    reading: ImageReading,
) -> None:
    """What the network adds to the calipers, and what it finds by itself.

    Parameters
    ----------
    task, image
        The image and what is known of it, and its open file.
    segmenter
        The loaded model bundle.
    beam, config
        Where the beam has reached; all settings.
    outlines
        Those that are kept in the results folder.
    scale
        The image's calibration, not a refusal.
    reading
        What readers drew; is added to.
    """
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
