"""The calipers that are burnt into one frame: marks, the values printed for them, and whether both agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from lesion_measure.burnt_in.found import BurntInCaliper, BurntInFrame
from lesion_measure.burnt_in.grammar import is_plain, usual_label
from lesion_measure.burnt_in.grouping import MarkPair, find_possible
from lesion_measure.burnt_in.ocr import available
from lesion_measure.burnt_in.printed import PrintedValue, printed_values
from lesion_measure.burnt_in.reconcile import Distance, Stated, Verdict, possible_scales, told_apart, volume_agrees
from lesion_measure.burnt_in.settle import settled
from lesion_measure.burnt_in.witness import DepthWitness, depth_witness, doubted_spacing
from lesion_measure.calibration import calibrate, calibrate_at
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.measure import caliper_length_mm
from lesion_measure.records import PRINTED_SCALE, Instance, Location

NOT_READ = "Printed values are not read. pip install 'lesion-measure[read]' adds the reader of text."
_SAME_FACTOR = 0.05
"""Relative difference up to which two factors are one: marks are small, and values printed in few digits."""
_LARGEST_PX = 3840
"""Columns or rows of the largest picture that a scanner makes."""

Depth = Callable[[], DepthWitness | None]
Seen = dict[tuple[Location, int], tuple[tuple[MarkPair, ...], tuple[PrintedValue, ...]]]
"""What the pixels of frames show, whatever their scale is, by file and number: who asks twice looks once."""


def read_frames(
    image: OpenImage, numbers: Sequence[int], config: Config, *, ticks: bool, seen: Seen | None = None
) -> Iterator[BurntInFrame]:
    """What is burnt into frames, with the depth scale of the first frame as a witness wherever calipers are.

    Parameters
    ----------
    image
        The open image.
    numbers
        Of the frames, from 1.
    config
        All settings; ``calibration`` counts.
    ticks
        Whether the depth scale is to be read where no calipers are, too.
    seen
        As of `read_frame`.

    Raises
    ------
    InputError
        There is no such frame, or it cannot be decoded.
    """

    @cache
    def depth() -> DepthWitness | None:
        return depth_witness(image, calibrate(image.instance, config.calibration)) if available() else None

    for number in numbers:
        found = read_frame(image, number, config, depth, seen)
        if ticks and not found.calipers and (scale := depth()) is not None and scale.differs:
            found = replace(found, scale_factor=scale.factor, warnings=(scale.warning,))
        yield found


def read_frame(
    image: OpenImage, number: int, config: Config, depth: Depth = lambda: None, seen: Seen | None = None
) -> BurntInFrame:
    """What is burnt into one frame. Values are read where calipers are, and where the extra ``read`` is installed.

    Parameters
    ----------
    image
        The open image.
    number
        Of the frame, from 1.
    config
        All settings; ``calibration`` counts.
    depth
        Reads what the image's depth scale says; asked where calipers are.
    seen
        What other calls saw, taken from there and added to; None keeps nothing.

    Raises
    ------
    InputError
        There is no such frame, or it cannot be decoded.
    """
    pairs, printed = _looked_at(image, number, {} if seen is None else seen)
    if not pairs:
        return BurntInFrame(frame=number)
    values = [value for value in printed if value.length_mm != 0]  # 0.00 cm: a caliper that was never drawn out
    lengths = [value for value in values if value.length_mm is not None]
    stated = [_stated(value) for value in lengths]
    pairs, distances, verdict = settled(pairs, stated, lambda pair: _distance(pair, image.instance, config))
    if not pairs:
        return BurntInFrame(frame=number)
    scale = depth()
    verdict = _checked(verdict, image.instance, scale)
    own = told_apart(distances, stated, verdict)
    enlarged = scale is not None and scale.differs
    calipers = tuple(
        _caliper(number, pair, distance, None if index is None else lengths[index], agrees)
        for pair, distance, index, agrees in zip(pairs, distances, own, verdict.agrees, strict=True)
    )
    warnings = [*_scale_warnings(verdict), *_unstated(image.instance), *_volume_warnings(values)]
    warnings += [scale.warning] if scale is not None and enlarged else []
    return BurntInFrame(
        frame=number,
        calipers=calipers,
        scale_factor=scale.factor if scale is not None and enlarged else verdict.factor,
        proposed=None if verdict.proposed is None else replace(verdict.proposed, frame=number),
        possible=possible_scales(distances, stated),
        warnings=tuple(warnings if available() else [NOT_READ]),
    )


def _caliper(
    number: int, pair: MarkPair, distance: Distance, value: PrintedValue | None, agrees: bool | None
) -> BurntInCaliper:
    return BurntInCaliper(
        frame=number,
        points=(pair.ends[0].point, pair.ends[1].point),
        length_mm=distance.length_mm,
        grouped_by=pair.grouped_by.value,
        printed_mm=None if value is None else value.length_mm,
        agrees=agrees,
        label="" if value is None else usual_label(value.label),
        printed_at=None if value is None else _plain_place(value),
    )


def _looked_at(image: OpenImage, number: int, seen: Seen) -> tuple[tuple[MarkPair, ...], tuple[PrintedValue, ...]]:
    key = image.instance.location, number
    if key not in seen:
        rgb = image.frame(number).display()
        pairs = find_possible(rgb)
        seen[key] = pairs, printed_values(rgb) if pairs and available() else ()
    return seen[key]


def _checked(verdict: Verdict, instance: Instance, depth: DepthWitness | None) -> Verdict:
    """The verdict without a factor that the depth scale contradicts, or by which no scanner made the picture.

    One caliper and one value name a factor whatever they are, so that a false mark names a false one.
    """
    if verdict.factor is None:
        return verdict
    contradicted = depth is not None and abs(math.log(verdict.factor / depth.factor)) > _SAME_FACTOR
    if not contradicted and max(instance.rows, instance.columns) / verdict.factor <= _LARGEST_PX:
        return verdict
    own = tuple(
        index if agrees is not None else None for index, agrees in zip(verdict.of_caliper, verdict.agrees, strict=True)
    )
    return Verdict(own, verdict.agrees)


def _distance(pair: MarkPair, instance: Instance, config: Config) -> Distance:
    points = pair.ends[0].point, pair.ends[1].point
    down, right = np.subtract(points[1], points[0])
    along = Distance(pair.length_px, direction_deg=math.degrees(math.atan2(down, right)) % 180, slack_px=pair.slack_px)
    spacing_mm = calibrate_at(instance, points, config.calibration).spacing_mm
    if spacing_mm is not None:
        return replace(along, length_mm=caliper_length_mm(*points, spacing_mm), pixel_mm=max(spacing_mm))
    doubted = doubted_spacing(instance)
    return along if doubted is None else replace(along, doubted_mm=caliper_length_mm(*points, doubted))


def _plain_place(value: PrintedValue) -> tuple[int, int, int, int] | None:
    """Where a value stands, if nothing that may be a name stands there with it."""
    return value.box.corners if is_plain(value.text, value.number, value.unit) else None


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


def _unstated(instance: Instance) -> list[str]:
    """That lengths are by the scale of the printed values themselves, so that these agree with it in any case."""
    scale = instance.printed_scale
    return [] if scale is None else [f"{PRINTED_SCALE}: {scale.values} values of frame {scale.frame} agree on it."]


def _volume_warnings(values: Sequence[PrintedValue]) -> list[str]:
    """Printed volumes that are not those of the printed axes."""
    axes = [_stated(value) for value in values if value.length_mm is not None]
    volumes = [value for value in values if value.volume_ml is not None]
    wrong = [v for v in volumes if volume_agrees(v.volume_ml or 0.0, v.half_width, axes) is False]
    return [f"The printed volume of {v.number} {v.unit} is not that of the printed axes." for v in wrong]
