"""What is one lesion: pixels, or voxels, that share a side. Its background joins over corners (decision 3)."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


def parts(mask: Bools) -> tuple[NDArray[np.signedinteger], int]:
    """The parts of a mask of any dimensions: the number of each pixel's part from 1 on, 0 beside them, and how many."""
    labels, count = scipy.ndimage.label(mask)
    return labels, count


def holes(mask: Bools) -> Bools:
    """Background from which no way over sides or corners leads out of the mask's array."""
    padded = np.pad(mask, 1)
    background, _ = scipy.ndimage.label(~padded, structure=np.ones((3,) * mask.ndim, dtype=bool))
    enclosed = (background > 0) & (background != background.flat[0])
    return np.asarray(enclosed[(slice(1, -1),) * mask.ndim])
