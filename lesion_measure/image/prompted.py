"""What the network adds to a reader's calipers: the outline of what they span. Part of the pipeline.

Each long-axis caliper, with the short axis where the same reader drew one, prompts the network on its own frame. The
outline is used where the network is sure enough of it and it fits the calipers: its own long axis has the caliper's
length, the caliper's ends lie on it, no other lesion's caliper lies in it, and the picture does not cut it off. Else
the calipers stand alone, with a warning that says why. The reader's lengths stay the reader's in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from skimage.measure import points_in_poly

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config, Segment, apart
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import CalibrationError, LesionMeasureError, OutputError
from lesion_measure.image.measured import outline_points, touches_edge, with_network_outline
from lesion_measure.image.network_frame import network_frame
from lesion_measure.image.outlines import Outlines, kept_name
from lesion_measure.measure import geometry
from lesion_measure.network.segment import segment_frame
from lesion_measure.records import CalibratedRegion, DrawnLesion, Instance, LesionMask, PlaneMeasurement, Point

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter

NOT_USED = "calipers alone, the network's outline is not used"


def with_outlines(
    image: OpenImage,
    planes: Sequence[PlaneMeasurement],
    segmenter: Segmenter,
    *,
    sha256: str,
    config: Config,
    outlines: Outlines,
) -> list[PlaneMeasurement]:
    """The caliper measurements of one image, each with the network's outline or with a warning that says why without.

    Parameters
    ----------
    image, planes
        The image and what its calipers gave (`image.caliper_pairs.measured_by_calipers`). What a reader outlined is
        left as it is, and so are calipers of readers that the configuration does not name.
    segmenter
        The loaded model bundle.
    sha256
        Of the file's bytes; outlines that an earlier, interrupted run kept for it are used.
    config, outlines
        Settings; the outlines that are kept in the results folder.
    """
    counts = config.calipers.reader
    done = []
    for plane in planes:
        if plane.outline_px is not None or (counts is not None and plane.reader != counts):
            done.append(plane)
            continue
        others = [p for p in planes if p.frame == plane.frame and p.lesion != plane.lesion]
        try:
            done.append(_outlined(image, plane, others, segmenter, sha256, config, outlines))
        except OutputError:
            raise
        except LesionMeasureError as error:
            done.append(_alone(plane, error.reason))
    return done


def _outlined(
    image: OpenImage,
    plane: PlaneMeasurement,
    others: Sequence[PlaneMeasurement],
    segmenter: Segmenter,
    sha256: str,
    config: Config,
    outlines: Outlines,
) -> PlaneMeasurement:
    instance = image.instance
    calipers = _lines(plane)
    ends = [point for line in calipers for point in line]
    region = common_region(instance, ends, config)
    name = kept_name(
        image=sha256,
        model=segmenter.sha256,
        backend=segmenter.backend,
        model_settings=segmenter.settings.model_dump(mode="json"),
        settings=config.segment.model_dump(mode="json"),
        region=[region.row_min, region.row_max, region.col_min, region.col_max, region.spacing_mm],
        frames=[plane.frame],
        prompt=calipers,
    )
    with outlines.kept_or_made(
        name, lambda keep: keep([(plane.frame, draw(image, plane.frame, segmenter, region, calipers, config))])
    ) as masks:
        mask = next(iter(masks[plane.frame]), None)
        doubt = "it finds no lesion there" if mask is None else unsure_of(mask, segmenter, config.segment)
        if mask is None or doubt:
            return _alone(plane, doubt)
        common_region(instance, [*ends, *outline_points(mask)], config)  # raises: the outline reaches another scale
        measured = with_network_outline(plane, mask, model=segmenter.name, settings=config.uncertainty)
    doubt = _misfit(measured, region, others, config.segment.caliper_tolerance)
    return _alone(plane, doubt) if doubt else measured


def _alone(plane: PlaneMeasurement, doubt: str) -> PlaneMeasurement:
    """The calipers as they were, with the reason why they stand alone."""
    return replace(plane, warnings=(*plane.warnings, f"{plane.plane} plane: {NOT_USED}: {doubt}"))


def _lines(plane: PlaneMeasurement) -> list[tuple[Point, Point]]:
    return [plane.long_axis_px] if plane.short_axis_px is None else [plane.long_axis_px, plane.short_axis_px]


def common_region(instance: Instance, points: Sequence[Point], config: Config) -> CalibratedRegion:
    """The picture that holds all points (row, column).

    Raises
    ------
    CalibrationError
        They have no scale in common.
    """
    scale = calibrate_at(instance, points, config.calibration)
    if scale.region is None:
        reason = scale.refusal.reason if scale.refusal else "The image has no calibration."
        raise CalibrationError(reason, path=instance.path)
    return scale.region


def draw(
    image: OpenImage,
    frame: int,
    segmenter: Segmenter,
    region: CalibratedRegion,
    calipers: Sequence[tuple[Point, Point]],
    config: Config,
) -> list[LesionMask]:
    """Let the network outline what the calipers on a frame span: one lesion, or none.

    Parameters
    ----------
    image
        The open image.
    frame
        Number of the frame, from 1.
    segmenter
        The network.
    region
        The calibrated region that the network is shown.
    calipers
        One lesion's calipers, each two ends (row, column) in pixels of the frame.
    config
        All settings; the section ``segment`` counts.
    """
    return list(segment_frame(segmenter, network_frame(image, frame, config.segment), region, config.segment, calipers))


def unsure_of(mask: DrawnLesion, segmenter: Segmenter, settings: Segment) -> str:
    """Why an outline is not accepted; empty where it is."""
    if mask.accepted:
        return ""
    least, model = settings.min_prompted_confidence, segmenter.settings.confidence.prompted
    if least is None:
        least = model.threshold
    if least > 1:
        return f"the bundle {segmenter.name} accepts no outline that is drawn from calipers{model.why_never}"
    sure, asked = apart(mask.confidence, least, digits=3)
    return f"its confidence is {sure}, it takes {asked}"


def _misfit(
    measured: PlaneMeasurement, region: CalibratedRegion, others: Sequence[PlaneMeasurement], tolerance: float
) -> str:
    """Why an outline does not fit its calipers, or is not that of one whole lesion; empty where it is and does."""
    outline, caliper_mm = measured.prompted, measured.long_axis_mm.value
    if outline is None or measured.outline_px is None:
        return ""
    if touches_edge(measured.outline_px, region):
        return "it touches the edge of the image region, where the lesion may be cut off"
    apart = outline.long_axis_mm / caliper_mm - 1
    if abs(apart) > tolerance:
        return (
            f"its long axis of {outline.long_axis_mm:.1f} mm is {100 * abs(apart):.0f} % "
            f"{'longer' if apart > 0 else 'shorter'} than the caliper's {caliper_mm:.1f} mm; it may differ by "
            f"{100 * tolerance:g} %"
        )
    spacing = np.asarray(measured.spacing_mm)
    off = geometry.distances(np.asarray(measured.long_axis_px) * spacing, measured.outline_px[:-1] * spacing).max()
    if off > tolerance * caliper_mm:
        return (
            f"it passes an end of the caliper at {off:.1f} mm, {100 * off / caliper_mm:.0f} % of the caliper's length; "
            f"it may be {100 * tolerance:g} %"
        )
    taken = [other.lesion for other in others if points_in_poly([_middle(other)], measured.outline_px)[0]]
    return f"it takes in {' and '.join(dict.fromkeys(taken))}, whose caliper lies in it" if taken else ""


def _middle(plane: PlaneMeasurement) -> Point:
    (row1, col1), (row2, col2) = plane.long_axis_px
    return (row1 + row2) / 2, (col1 + col2) / 2
