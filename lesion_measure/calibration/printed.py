"""The scale of an image whose file states none, by the lengths printed for its own calipers.

Nobody stated it for these pixels, so its error is part of every size, and every size says where it comes from.
"""

from __future__ import annotations

from lesion_measure import config
from lesion_measure.calibration.regions import Problem, other_aspect
from lesion_measure.records import PRINTED_SCALE, CalibratedRegion, Instance


def from_printed(instance: Instance, settings: config.Calibration) -> CalibratedRegion | Problem:
    """The whole image at the scale that printed values speak for, or why there is none."""
    scale = instance.printed_scale
    if scale is None:
        return Problem("no_calibration", "There are no ultrasound regions and no PixelSpacing.")
    said = f"by {scale.values} values printed on frame {scale.frame} a pixel is {scale.spacing_mm:.4g} mm"
    largest = max(instance.rows, instance.columns) * scale.spacing_mm
    if largest > settings.max_image_mm:
        reason = f"{said}: the image would span {largest:.4g} mm, more than {settings.max_image_mm:g} mm."
        return Problem("implausible_size", reason)
    if scale.spacing_mm < settings.min_pixel_mm:
        return Problem("implausible_size", f"{said}, less than {settings.min_pixel_mm:g} mm.")
    spacing = (scale.spacing_mm, scale.spacing_mm)
    if (problem := other_aspect("A printed scale, of square pixels,", spacing, instance, settings)) is not None:
        return problem
    return CalibratedRegion(
        row_min=0,
        row_max=instance.rows - 1,
        col_min=0,
        col_max=instance.columns - 1,
        spacing_mm=spacing,
        spacing_cv=scale.cv,
        source=f"{scale.values} values printed on frame {scale.frame}",
        warnings=(f"{PRINTED_SCALE}: {said}, SD {100 * scale.cv:.2g} %, and pixels are taken for squares",),
    )
