"""A reader's mask of a lesion or of the whole liver on one frame, in millimetres."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from lesion_measure.config import Uncertainty
from lesion_measure.errors import CalibrationError, MeasurementError
from lesion_measure.image.plane import (
    CUT_OFF,
    calibrated_region,
    measured_plane,
    no_such_frame,
    size_doubts,
    touches_edge,
)
from lesion_measure.measure import measure_mask
from lesion_measure.measure.uncertainty import outline_quantities
from lesion_measure.records import (
    Calibration,
    Caliper,
    Instance,
    Plane,
    PlaneMeasurement,
    Point,
    Source,
    is_liver,
    is_unnamed,
)

_LIVER_CUT_OFF = (
    "the liver's outline touches the edge of the image region: it goes on beyond it, by how much is not known"
)


def plane_from_outline(
    instance: Instance,
    outline: Caliper,
    mask: NDArray[np.bool_],
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
        (rows, columns) of the whole image.
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
        The mask has another size than the image, or is empty.
    """
    name = outline.mask.name if outline.mask else outline.origin.path if outline.origin else ""
    which = f"{owner(outline.lesion)} {f'mask {name}' if name else 'outline'}"
    if outline.frame > instance.frames:
        raise no_such_frame(instance, outline.frame, f"{owner(outline.lesion)} outline")
    _check_grid(mask, which, instance)
    found = measure_mask(mask, spacing_mm=(1.0, 1.0))
    _refuse_inverted(mask, which, instance.path)
    scale = calibration_at([(float(row), float(col)) for row, col in found.outline_px])
    try:
        region = calibrated_region(instance, scale)
    except CalibrationError as error:
        raise CalibrationError(
            f"{which}: {error.reason}", remedy=error.remedy, code=error.code, path=error.path
        ) from error
    sizes = measure_mask(mask, spacing_mm=region.spacing_mm)
    quantities = outline_quantities(mask.astype(np.float64), sizes, spacing_mm=region.spacing_mm, settings=settings)
    said = [f"{owner(outline.lesion, begins=False)} outline is that of {name}"] if name else []
    warnings = [*instance.warnings, *scale.warnings, *size_doubts(sizes), *said]
    if touches_edge(sizes.outline_px, region):
        warnings.append(_LIVER_CUT_OFF if is_liver(outline.lesion) else CUT_OFF)
    return measured_plane(
        instance,
        region,
        sizes,
        quantities,
        frame=outline.frame,
        lesion=outline.lesion,
        plane=plane,
        source=Source.CALIPER,
        reader=outline.reader,
        warnings=tuple(warnings),
    )


def _check_grid(mask: NDArray[np.bool_], which: str, instance: Instance) -> None:
    """Raise MeasurementError where a mask (rows, columns) has another size than its image."""
    if mask.shape != (instance.rows, instance.columns):
        raise MeasurementError(
            f"{which} has {mask.shape[0]} x {mask.shape[1]} pixels, the image {instance.rows} x {instance.columns}.",
            remedy="Draw it on this very image, in its own size, neither cropped nor scaled.",
            code="mask_grid",
            path=instance.path,
        )


def contour_mask(contour: Sequence[Point], image: Instance) -> NDArray[np.bool_]:
    """The pixels (rows, columns) whose centres lie in a closed contour of (row, column) points."""
    return np.asarray(polygon2mask((image.rows, image.columns), np.asarray(contour, dtype=np.float64)), dtype=bool)


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
