"""One outline against the true lesion: how well the two agree, and its sizes by the project's own geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.lab.evaluation.cases import Drawn, Sizes
from lesion_measure.lab.evaluation.overlap import Placed, around, surface_distances
from lesion_measure.measure import MaskMeasurement, measure_mask
from lesion_measure.network import CaliperLine
from lesion_measure.network.confidence import dice
from lesion_measure.records import Point


def drawn_as(mask: Placed, measured: MaskMeasurement | None, truths: Mapping[int, Placed], label: int | None) -> Drawn:
    """An outline beside the true lesion of this ``label``, None where it overlaps none; nothing is said of how sure."""
    mean, p95 = border_distances(truths[label], mask) if label is not None else (None, None)
    return Drawn(
        lesion=label,
        dice=overlap_dice(truths[label], mask) if label is not None else 0.0,
        surface_mean_px=mean,
        surface_p95_px=p95,
        sizes=sizes_of(measured),
        outline_px=outline_px(measured),
    )


def most_overlapped(labels: NDArray[np.integer], mask: Placed) -> int | None:
    """Label of the true lesion among ``labels`` (rows, columns) that an outline shares most pixels with."""
    (row, col), (rows, cols) = mask.origin, mask.mask.shape
    shared = np.bincount(labels[row : row + rows, col : col + cols][mask.mask], minlength=2)[1:]
    return int(shared.argmax()) + 1 if shared.max() > 0 else None


def overlap_dice(truth: Placed, drawn: Placed) -> float:
    """Dice of two cut-outs of one picture."""
    box = around([truth, drawn])
    return dice(truth.on(box), drawn.on(box))


def border_distances(truth: Placed, drawn: Placed) -> tuple[float | None, float | None]:
    """Mean and 95 % Hausdorff distance of the borders in pixels; None where the two do not overlap."""
    box = around([truth, drawn])
    one, two = truth.on(box), drawn.on(box)
    return surface_distances(one, two) if (one & two).any() else (None, None)


def measured_px(
    mask: NDArray[np.bool_] | NDArray[np.float32], origin: tuple[int, int], across: CaliperLine | None
) -> MaskMeasurement | None:
    """Sizes in pixels by the project's own geometry, as a run takes them; None where it refuses the outline.

    The outline is moved from the cut-out to the picture.
    """
    line = None if across is None else (_minus(across[0], origin), _minus(across[1], origin))
    try:
        measured = measure_mask(mask, spacing_mm=(1.0, 1.0), across_px=line)
    except MeasurementError:
        return None
    return replace(measured, outline_px=measured.outline_px + np.asarray(origin, dtype=np.float64))


def _minus(point: Point, origin: tuple[int, int]) -> Point:
    return point[0] - origin[0], point[1] - origin[1]


def sizes_of(measured: MaskMeasurement | None) -> Sizes | None:
    """The sizes among what was measured, in pixels."""
    if measured is None:
        return None
    return Sizes(measured.long_axis_mm, measured.short_axis_mm, measured.area_mm2)


def outline_px(measured: MaskMeasurement | None) -> NDArray[np.float32] | None:
    """The closed outline (n, 2) among what was measured."""
    return None if measured is None else measured.outline_px.astype(np.float32)
