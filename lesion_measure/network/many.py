"""Many pictures one after the other: what `lesion_measure.outlines` does on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import MeasurementError
from lesion_measure.network.inference import Segmenter
from lesion_measure.network.segment import outline_of
from lesion_measure.network.segmentation import SegmentedLesion
from lesion_measure.network.window import CaliperLine
from lesion_measure.records import LesionMask


@dataclass(frozen=True, slots=True, eq=False)
class OutlineTask:
    """A picture (rows, columns) by its number, and the calipers of one lesion in it, if any."""

    number: int
    image: NDArray[np.generic]
    calipers: Sequence[CaliperLine] | None


def prepare_outlines(
    bundle: Path, device: str, backend: str, threads: int | None
) -> Callable[[OutlineTask, object], tuple[LesionMask, ...]]:
    """Load a bundle once; what it gives outlines pictures."""
    return partial(_outlined, Segmenter.from_bundle(bundle, device=device, backend=backend, threads=threads))


def _outlined(segmenter: Segmenter, task: OutlineTask, _: object) -> tuple[LesionMask, ...]:
    try:
        found = segmenter.segment(task.image, task.calipers)
    except MeasurementError as error:
        raise MeasurementError(
            error.reason, remedy=error.remedy, code=error.code, path=f"picture {task.number}"
        ) from error
    return tuple(map(_mask, found.lesions))


def _mask(lesion: SegmentedLesion) -> LesionMask:
    return LesionMask(
        probability=lesion.probability,
        origin=lesion.origin,
        outline_px=outline_of(lesion.probability) + np.asarray(lesion.origin, dtype=np.float64),
        confidence=lesion.confidence,
        accepted=lesion.accepted,
    )
