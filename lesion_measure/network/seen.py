"""One picture as a network is shown it, with what was found on it so far: whoever asks again waits less."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.measure.insonation import InsonatedArea, insonated_area
from lesion_measure.network.parts import LesionPart, lesion_parts, rim_px
from lesion_measure.network.preprocess import to_native
from lesion_measure.network.reach import reaching
from lesion_measure.network.window import Preprocessing, Window

if TYPE_CHECKING:
    from lesion_measure.network.segmentation import SegmentedLesion

Level = tuple[float, bool]
"""The probability at which lesions end, and whether the network was averaged over mirrored copies."""


@dataclass(frozen=True, eq=False)
class Answer:
    """The network's answer for one window of an image of this ``shape``: logits (passes, size, size).

    ``liver`` is the mean logit (size, size) of liver; None where the network does not know livers.
    """

    window: Window
    logits: NDArray[np.float32]
    shape: tuple[int, int]
    preprocessing: Preprocessing
    liver: NDArray[np.float32] | None

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """The passes' mean logit (size, size)."""
        return np.asarray(self.logits.mean(axis=0))

    @cached_property
    def probability(self) -> NDArray[np.float32]:
        """Probability (rows, columns) on the image's grid."""
        return to_native(self.mean, self.window, self.shape, self.preprocessing)

    def parts(self, level: float) -> list[LesionPart]:
        """The connected lesions at a level, the largest first; the map is computed where they can lie alone."""
        box = reaching(self.mean, self.window, self.shape, level, rim_px(self.window.scale))
        part = to_native(self.mean, self.window, self.shape, self.preprocessing, box)
        return lesion_parts(part, level, self.window.scale, (box[0].start, box[1].start))


@dataclass(eq=False)
class SeenPicture:
    """One picture, (rows, columns) in 0..1, and what `Segmenter` found on it without a prompt; used by one thread.

    ``answers`` by whether they were averaged over mirrored copies; ``parts`` are their connected lesions, ``drawn``
    what became of these: None where the network leaves one out after all.
    """

    scaled: NDArray[np.float32]
    answers: dict[bool, Answer] = field(default_factory=dict)
    parts: dict[Level, list[LesionPart]] = field(default_factory=dict)
    drawn: dict[LesionPart, SegmentedLesion | None] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.scaled.shape[0], self.scaled.shape[1]

    @cached_property
    def area(self) -> InsonatedArea:
        """What the beam has reached."""
        return insonated_area(self.scaled)
