"""The calipers that are burnt into one frame: marks, the values printed for them, and whether both agree."""

from __future__ import annotations

from lesion_measure.burnt_in.found import BurntInCaliper, BurntInFrame
from lesion_measure.burnt_in.grouping import MarkPair, group
from lesion_measure.burnt_in.marks import find_marks
from lesion_measure.burnt_in.overlay import overlay_channel
from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.measure import caliper_length_mm
from lesion_measure.records import Instance


def read_frame(image: OpenImage, number: int, config: Config) -> BurntInFrame:
    """What is burnt into one frame.

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
    channel = overlay_channel(rgb)
    marks = find_marks(rgb, channel)
    pairs = group(rgb, channel, marks) if len(marks) > 1 else ()
    return BurntInFrame(frame=number, calipers=tuple(_measured(pair, number, image.instance, config) for pair in pairs))


def _measured(pair: MarkPair, number: int, instance: Instance, config: Config) -> BurntInCaliper:
    start, end = pair.ends[0].point, pair.ends[1].point
    spacing_mm = calibrate_at(instance, [start, end], config.calibration).spacing_mm
    return BurntInCaliper(
        frame=number,
        points=(start, end),
        length_mm=None if spacing_mm is None else caliper_length_mm(start, end, spacing_mm),
        grouped_by=pair.grouped_by.value,
    )
