"""The calipers that are burnt into one frame: marks, the values printed for them, and whether both agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lesion_measure.burnt_in.found import BurntInCaliper, BurntInFrame
from lesion_measure.burnt_in.grouping import GroupedBy, MarkPair, group
from lesion_measure.burnt_in.marks import find_marks
from lesion_measure.burnt_in.ocr import available
from lesion_measure.burnt_in.overlay import overlay_channel
from lesion_measure.burnt_in.printed import PrintedValue, printed_values
from lesion_measure.burnt_in.reconcile import Distance, Stated, Verdict, reconcile, volume_agrees
from lesion_measure.burnt_in.surroundings import hue
from lesion_measure.calibration import calibrate_at
from lesion_measure.calibration.regions import CM
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.measure import caliper_length_mm
from lesion_measure.records import Instance, Spacing

NOT_READ = "Printed values are not read. pip install 'lesion-measure[read]' adds the reader of text."


def read_frame(image: OpenImage, number: int, config: Config) -> BurntInFrame:
    """What is burnt into one frame. Values are read where calipers are, and where the extra ``read`` is installed.

    Parameters
    ----------
    image
        The open image.
    number
        Of the frame, from 1.
    config
        All settings; ``calibration`` counts.

    Raises
    ------
    InputError
        There is no such frame, or it cannot be decoded.
    """
    rgb = image.frame(number).display()
    pairs = find_pairs(rgb)
    if not pairs:
        return BurntInFrame(frame=number)
    values = printed_values(rgb) if available() else ()
    lengths = [value for value in values if value.length_mm is not None]
    stated = [_stated(value) for value in lengths]
    distances = [_distance(pair, image.instance, config) for pair in pairs]
    verdict = reconcile(distances, stated)
    kept = [at for at, pair in enumerate(pairs) if _believed(pair, at, verdict)]
    if len(kept) < len(pairs):
        pairs, distances = tuple(pairs[at] for at in kept), [distances[at] for at in kept]
        verdict = reconcile(distances, stated)
    calipers = tuple(
        BurntInCaliper(
            frame=number,
            points=(pair.ends[0].point, pair.ends[1].point),
            length_mm=distance.length_mm,
            grouped_by=pair.grouped_by.value,
            printed_mm=None if index is None else lengths[index].length_mm,
            agrees=agrees,
            label="" if index is None else lengths[index].label,
        )
        for pair, distance, index, agrees in zip(pairs, distances, verdict.of_caliper, verdict.agrees, strict=True)
    )
    warnings = [*_scale_warnings(verdict), *_volume_warnings(values)]
    return BurntInFrame(
        frame=number,
        calipers=calipers,
        scale_factor=verdict.factor,
        proposed=verdict.proposed,
        warnings=tuple(warnings if available() else [NOT_READ]),
    )


def _believed(pair: MarkPair, at: int, verdict: Verdict) -> bool:
    """Whether two marks are one caliper's ends.

    Gray ones that only look alike may be an end each of two calipers whose other marks were not found: they need a
    printed value that agrees, or two that have one scale in common.
    """
    if pair.grouped_by is not GroupedBy.LOOK or any(hue(pair.ends[0])):
        return True
    shared = verdict.proposed is not None and verdict.proposed.values > 1
    return bool(verdict.agrees[at]) or (verdict.of_caliper[at] is not None and shared)


def find_pairs(rgb: NDArray[np.uint8]) -> tuple[MarkPair, ...]:
    """The calipers of a frame (rows, columns, 3) by their marks alone."""
    channel = overlay_channel(rgb)
    marks = find_marks(rgb, channel)
    return group(rgb, channel, marks) if len(marks) > 1 else ()


def _distance(pair: MarkPair, instance: Instance, config: Config) -> Distance:
    points = pair.ends[0].point, pair.ends[1].point
    spacing_mm = calibrate_at(instance, points, config.calibration).spacing_mm
    if spacing_mm is not None:
        return Distance(pair.length_px, caliper_length_mm(*points, spacing_mm), max(spacing_mm))
    doubted = _doubted_scale(instance)
    return Distance(pair.length_px, doubted_mm=None if doubted is None else caliper_length_mm(*points, doubted))


def _doubted_scale(instance: Instance) -> Spacing | None:
    """What the regions of a picture state in cm, where they agree; whether they are believed is `calibration`'s."""
    stated = {
        (abs(region.delta_row) * 10, abs(region.delta_col) * 10)
        for region in instance.regions
        if region.unit_row == region.unit_col == CM and region.delta_row and region.delta_col
    }
    return stated.pop() if len(stated) == 1 else None


def _stated(value: PrintedValue) -> Stated:
    return Stated(value.length_mm or 0.0, value.half_width)


def _scale_warnings(verdict: Verdict) -> list[str]:
    """What the values say of the image's scale, where they do not agree with it."""
    found = verdict.proposed
    scale = f"{found.spacing_mm:.5f} mm per pixel (SD {found.sd_mm:.5f})" if found else ""
    if verdict.factor is not None:
        return [
            f"The calipers are {verdict.factor:.3f} times as long by the file's scale as the values printed for them: "
            f"the picture was probably rescaled. The values speak for {scale}, which is not used."
        ]
    if any(agrees is False for agrees in verdict.agrees):
        return ["A caliper's length by the image's scale differs from the value printed for it."]
    if found is not None:
        return [f"The image has no scale. The values printed on it speak for {scale}, which is not used."]
    return []


def _volume_warnings(values: Sequence[PrintedValue]) -> list[str]:
    """Printed volumes that are not those of the printed axes."""
    axes = [_stated(value) for value in values if value.length_mm is not None]
    volumes = [value for value in values if value.volume_ml is not None]
    wrong = [v for v in volumes if volume_agrees(v.volume_ml or 0.0, v.half_width, axes) is False]
    return [f"The printed volume of {v.number} {v.unit} is not that of the printed axes." for v in wrong]
