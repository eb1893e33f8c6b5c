"""What the program makes of a damaged file whose lesion is known: refused, warned of, measured rightly, or wrongly."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.errors import LesionMeasureError
from lesion_measure.measure import measure_mask
from lesion_measure.records import Instance
from lesion_measure.studies import load_studies
from small_images import LONG_AXIS_MM

BRIGHT = 120
TOLERANCE_MM = 0.04 * LONG_AXIS_MM  # a pixel at each end


class Outcome(StrEnum):
    REFUSED = "refused"
    WARNED = "measured with a warning"
    RIGHT = "measured rightly"
    WRONG = "measured wrongly without a word"


def outcome(file: Path) -> tuple[Outcome, str]:
    """Measure every image in a file; the worst that becomes of one, with what it says."""
    found = [_of_image(image) for image in load_studies(file).instances]
    return max(found, key=lambda each: list(Outcome).index(each[0]), default=(Outcome.REFUSED, "no image"))


def _of_image(image: Instance) -> tuple[Outcome, str]:
    calibration = calibrate(image, Config().calibration)
    if calibration.spacing_mm is None:
        return Outcome.REFUSED, "no scale"
    try:
        with FrameReader(image) as reader:
            shown = reader.luminance(1)
            said = [*image.warnings, *calibration.warnings, *reader.warnings]
        long_axis_mm = measure_mask(shown > BRIGHT, spacing_mm=calibration.spacing_mm).long_axis_mm
    except LesionMeasureError as error:
        return Outcome.REFUSED, error.code
    if abs(long_axis_mm - LONG_AXIS_MM) < TOLERANCE_MM:
        return Outcome.RIGHT, ""
    return Outcome.WARNED if said else Outcome.WRONG, f"{long_axis_mm:.1f} mm; {'; '.join(said)}"
