"""A reader's mask or contour of a lesion or of the whole liver on one frame, in millimetres.

A contour is measured as the polygon that it is. One that crosses itself encloses nothing certain: it is measured as the
pixels whose centres lie in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray

from lesion_measure.config import Uncertainty
from lesion_measure.errors import CalibrationError, MeasurementError
from lesion_measure.image.measured import (
    calibrated_region,
    cut_off,
    no_such_frame,
    outline_measurement,
    size_doubts,
)
from lesion_measure.measure import MaskMeasurement, measure_mask, measure_outline
from lesion_measure.measure.geometry import crosses_itself
from lesion_measure.measure.sizes import few_pixels
from lesion_measure.measure.uncertainty import least_outline_sd_mm, quantities_of_outline
from lesion_measure.records import (
    CalibratedRegion,
    Calibration,
    Caliper,
    Instance,
    Plane,
    PlaneMeasurement,
    Point,
    Source,
    Spacing,
    is_liver,
    is_unnamed,
)
from lesion_measure.tables.matching import rows_in_words

_CROSSES = "the contour crosses itself: the pixels in it were measured, which tells less of its edge"


def measured_by_outline(
    instance: Instance,
    outline: Caliper,
    mask: NDArray[np.bool_] | None,
    calibration_at: Callable[[Sequence[Point]], Calibration],
    plane: Plane,
    settings: Uncertainty,
) -> PlaneMeasurement:
    """Measure a reader's outline of a lesion, or of the whole liver.

    Parameters
    ----------
    instance, outline
        The image, and the row that names the outline.
    mask
        (rows, columns) of the whole image; None where the row's own contour is measured (`can_be_measured`).
    calibration_at
        The calibration of the region that holds the points it is given.
    plane
        Scan plane of the image.
    settings
        What goes into the error bars.

    Raises
    ------
    CalibrationError
        The image has no such frame, or the outline lies in no one calibrated region.
    MeasurementError
        The mask has another size than the image, or is empty; or the contour encloses nothing.
    """
    if outline.frame > instance.frames:
        raise no_such_frame(instance, outline.frame, f"{owner(outline.lesion)} outline")
    drawn: NDArray[np.bool_] | NDArray[np.float64]
    if mask is None:
        drawn = outline_px = _within(outline.contour, instance)
    else:
        drawn, outline_px = mask, _outline_of(mask, outline, instance)
    scale = calibration_at([(float(row), float(col)) for row, col in outline_px])
    region = _region(instance, scale, outline)
    sizes = (_measure_contour if mask is None else measure_mask)(drawn, spacing_mm=region.spacing_mm)
    return outline_measurement(
        instance,
        region,
        sizes,
        quantities_of_outline(sizes, least_outline_sd_mm(sizes, settings), settings),
        frame=outline.frame,
        lesion=outline.lesion,
        plane=plane,
        source=Source.CALIPER,
        reader=outline.reader,
        warnings=(*instance.warnings, *scale.warnings, *_remarks(outline, mask, sizes, region)),
    )


def _outline_of(mask: NDArray[np.bool_], outline: Caliper, instance: Instance) -> NDArray[np.float64]:
    """The outline (n, 2) of a mask (rows, columns) of the whole image, which is refused where none can mean it."""
    _check_grid(mask, _which(outline), instance)
    outline_px = measure_mask(mask, spacing_mm=(1.0, 1.0)).outline_px
    _refuse_inverted(mask, _which(outline), instance.path)
    return outline_px


def _region(instance: Instance, scale: Calibration, outline: Caliper) -> CalibratedRegion:
    """The calibrated region that holds the outline; a refusal names it."""
    try:
        return calibrated_region(instance, scale)
    except CalibrationError as error:
        raise CalibrationError(
            f"{_which(outline)}: {error.reason}", remedy=error.remedy, code=error.code, path=error.path
        ) from error


def _remarks(
    outline: Caliper, mask: NDArray[np.bool_] | None, sizes: MaskMeasurement, region: CalibratedRegion
) -> Iterator[str]:
    """What a reader of the results has to know of an outline, in words."""
    yield from size_doubts(sizes)
    if name := _source(outline):
        yield f"{owner(outline.lesion, begins=False)} outline is that of {name}"
    if outline.contour and mask is not None:
        yield _CROSSES
    yield from cut_off(outline.lesion, sizes.outline_px, region, "its outline touches it")


def _which(outline: Caliper) -> str:
    """Whose mask or outline it is, to begin a sentence."""
    return f"{owner(outline.lesion)} {f'mask {_source(outline)}' if outline.mask else 'outline'}"


def _check_grid(mask: NDArray[np.bool_], which: str, instance: Instance) -> None:
    """Raise MeasurementError where a mask (rows, columns) has another size than its image."""
    if mask.shape != (instance.rows, instance.columns):
        raise MeasurementError(
            f"{which} has {mask.shape[0]} x {mask.shape[1]} pixels, the image {instance.rows} x {instance.columns}.",
            remedy="Draw it on this very image, in its own size, neither cropped nor scaled.",
            code="mask_grid",
            path=instance.path,
        )


def _source(outline: Caliper) -> str:
    """Where an outline comes from: a mask's file, an object, or a row of a table; empty where it is in none."""
    if outline.mask:
        return outline.mask.name
    if outline.origin:
        return outline.origin.path
    row = rows_in_words([outline])
    return row[0].lower() + row[1:] if outline.row_number else ""


def _within(contour: Sequence[Point], image: Instance) -> NDArray[np.float64]:
    """A contour (n, 2) as (row, column), what leaves the image drawn to its edge."""
    last = np.array([image.rows, image.columns]) - 0.5
    return np.clip(np.asarray(contour, dtype=np.float64), -0.5, last)


def _measure_contour(contour: NDArray[Any], *, spacing_mm: Spacing) -> MaskMeasurement:
    """Measure a contour (n, 2) that does not cross itself."""
    sizes = measure_outline(contour, spacing_mm=spacing_mm)
    if sizes.area_mm2 < spacing_mm[0] * spacing_mm[1]:
        raise MeasurementError(
            "The outline is empty: it encloses less than one pixel.",
            remedy="Draw it around the lesion.",
            code="mask_empty",
        )
    return replace(sizes, warnings=few_pixels(sizes))


def can_be_measured(contour: Sequence[Point]) -> bool:
    """Whether there is a contour (row, column) that encloses one area, whose pixels need not be counted."""
    return len(contour) > 2 and not crosses_itself(np.asarray(contour, dtype=np.float64))


def contour_mask(contour: Sequence[Point], image: Instance) -> NDArray[np.bool_]:
    """The pixels (rows, columns) whose centres lie in a closed contour of (row, column) points."""
    return np.asarray(
        skimage.draw.polygon2mask((image.rows, image.columns), np.asarray(contour, dtype=np.float64)), dtype=bool
    )


def owner(lesion: str, *, begins: bool = True) -> str:
    """Whose outline or mask, to stand before the word; ``begins`` a sentence."""
    if is_liver(lesion):
        return "The liver's" if begins else "the liver's"
    if is_unnamed(lesion):
        return "An unnamed lesion's" if begins else "an unnamed lesion's"
    return f"{lesion}'s"


def _refuse_inverted(mask: NDArray[np.bool_], which: str, path: str) -> None:
    """Raise CalibrationError where a mask (rows, columns) covers most of the image's edge, which none can mean."""
    edge = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    if 2 * np.count_nonzero(edge) > edge.size:
        raise CalibrationError(
            f"{which} covers the picture's edge and looks inverted.",
            remedy="Write 255 on the lesion or organ and 0 outside of it.",
            code="outside_region",
            path=path,
        )
