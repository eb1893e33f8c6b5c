"""What the network takes for liver, and which lesions that leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.network.parts import LesionPart
from lesion_measure.network.preprocess import to_native
from lesion_measure.network.window import Preprocessing, Window

LEAST_LIVER = 0.02
"""Least share of the network's grid that liver must cover to be one; on a picture without, nothing is excluded."""
LEAST_INSIDE = 0.3
"""Least share of a lesion that lies in the liver, where there is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Liver:
    """The liver of one picture: ``logits`` (size, size) on the network's grid, which ``window`` places."""

    logits: NDArray[np.float32]
    window: Window
    preprocessing: Preprocessing

    @property
    def found(self) -> bool:
        """Whether the network sees a liver at all."""
        return float((self.logits >= 0).mean()) >= LEAST_LIVER

    def on_image(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The probability of liver on an image of this ``shape`` (rows, columns)."""
        return to_native(self.logits, self.window, shape, self.preprocessing)

    def share_of(self, part: LesionPart) -> float:
        """Share of a lesion's pixels that lies in the liver."""
        places = np.argwhere(part.mask) + np.array([part.box[0].start, part.box[1].start])
        on_grid = np.rint(self.window.to_network(places.astype(np.float64))).astype(int)
        inside = ((on_grid >= 0) & (on_grid < self.window.size)).all(axis=1)
        row, col = on_grid[inside].T
        return float((self.logits[row, col] >= 0).sum() / len(places))

    def excludes(self, share: float) -> bool:
        """Whether a lesion with this share of its pixels in the liver is none of the liver's, where there is one."""
        return self.found and share < LEAST_INSIDE
