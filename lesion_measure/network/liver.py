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
    """The liver of one picture: ``logits`` (size, size) on the network's grid, which ``window`` places.

    Raises
    ------
    ValueError
        The window is turned or mirrored, which `share_of` does not allow for.
    """

    logits: NDArray[np.float32]
    window: Window
    preprocessing: Preprocessing

    def __post_init__(self) -> None:
        if self.window.angle or self.window.mirror:
            raise ValueError("the window of a liver must be upright")

    @property
    def found(self) -> bool:
        """Whether the network sees a liver at all."""
        return float((self.logits >= 0).mean()) >= LEAST_LIVER

    def on_image(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """The probability of liver on an image of this ``shape`` (rows, columns)."""
        return to_native(self.logits, self.window, shape, self.preprocessing)

    def share_of(self, part: LesionPart) -> float:
        """Share of a lesion's pixels that lies in the liver."""
        sides = [np.arange(side.start, side.stop, dtype=np.float64) for side in part.box]
        places = np.zeros((max(map(len, sides)), 2))  # the window is upright: rows and columns by themselves
        for axis, side in enumerate(sides):
            places[: len(side), axis] = side
        on_grid = np.rint(self.window.to_network(places)).astype(np.intp)
        row, col = (on_grid[: len(side), axis] for axis, side in enumerate(sides))
        within = [(one >= 0) & (one < self.window.size) for one in (row, col)]
        liver = (self.logits >= 0)[np.ix_(row[within[0]], col[within[1]])]
        return float(np.count_nonzero(liver & part.mask[np.ix_(*within)]) / np.count_nonzero(part.mask))

    def excludes(self, share: float) -> bool:
        """Whether a lesion with this share of its pixels in the liver is none of the liver's, where there is one."""
        return self.found and share < LEAST_INSIDE
