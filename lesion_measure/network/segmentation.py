"""What the network says of one image: a probability map, and the lesions in it with a confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.network.confidence import ConfidenceModel
from lesion_measure.network.liver import Liver
from lesion_measure.network.parts import LesionPart


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


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """``probability`` (rows, columns) float32 in 0..1 on the image's grid, and its lesions, most confident first.

    ``liver`` is what the network takes for liver; None where it was asked with a prompt or does not know livers.
    """

    probability: NDArray[np.float32]
    lesions: tuple[SegmentedLesion, ...]
    liver: Liver | None = None


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


def assembled(probability: NDArray[np.float32], lesions: list[SegmentedLesion], level: float) -> Segmentation:
    """The map in which exactly the lesions reach the level: what was dropped is blanked, what was redrawn replaced."""
    whole = np.where(probability < level, probability, np.float32(0))
    for lesion in lesions:
        whole[lesion.box] = np.maximum(whole[lesion.box], lesion.probability)
    return Segmentation(whole, tuple(sorted(lesions, key=lambda lesion: -lesion.confidence)))
