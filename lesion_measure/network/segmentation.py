"""What the network says of one image: a probability map, and the lesions in it with a confidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lesion_measure.network.confidence import ConfidenceModel
from lesion_measure.network.liver import Liver
from lesion_measure.network.parts import LesionPart
from lesion_measure.network.seen import Answer


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedLesion:
    """One lesion of an image.

    Attributes
    ----------
    probability
        The map restricted to this lesion and its soft rim, cut out of the image.
    mask
        The same cut-out at the level asked for (0.5), holes filled.
    origin
        The cut-out's upper left pixel (row, column) in the image.
    confidence
        Estimated probability, in 0..1, that the outline is right (Dice at least 0.75).
    accepted
        Whether the confidence reaches the bundle's own threshold.
    features
        What the confidence was computed from.
    """

    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    origin: tuple[int, int]
    confidence: float
    accepted: bool
    features: dict[str, float]

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the cut-out in the image."""
        (row, col), (rows, cols) = self.origin, self.mask.shape
        return slice(row, row + rows), slice(col, col + cols)


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The lesions of one image, most confident first.

    ``whole`` makes ``probability``, which few ask for. ``liver`` is what the network takes for liver; None where it was
    asked with a prompt or does not know livers.
    """

    whole: Callable[[], NDArray[np.float32]]
    lesions: tuple[SegmentedLesion, ...]
    liver: Liver | None = None

    @cached_property
    def probability(self) -> NDArray[np.float32]:
        """(rows, columns) float32 in 0..1 on the image's grid; exactly the lesions reach the level asked for."""
        return self.whole()


def nothing(shape: tuple[int, int]) -> Segmentation:
    """No lesion on an image of this shape (rows, columns)."""
    return Segmentation(lambda: np.zeros(shape, np.float32), ())


def judged(part: LesionPart, known: dict[str, float], model: ConfidenceModel) -> SegmentedLesion:
    """A lesion with the confidence that follows from what is ``known`` of it."""
    confidence = model.confidence(known)
    return SegmentedLesion(
        probability=part.probability,
        mask=part.mask,
        origin=(part.box[0].start, part.box[1].start),
        confidence=confidence,
        accepted=confidence >= model.threshold,
        features=known,
    )


def assembled(answer: Answer, lesions: list[SegmentedLesion], level: float, liver: Liver | None = None) -> Segmentation:
    """The lesions, with the map in which exactly they reach the level.

    What the network's answer has besides is blanked there, and what was redrawn is replaced.
    """

    def whole() -> NDArray[np.float32]:
        made = np.where(answer.probability < level, answer.probability, np.float32(0))
        for lesion in lesions:
            made[lesion.box] = np.maximum(made[lesion.box], lesion.probability)
        return made

    return Segmentation(whole, tuple(sorted(lesions, key=lambda lesion: -lesion.confidence)), liver)
